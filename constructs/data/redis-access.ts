import { isIP } from 'node:net';
import type { IConstruct } from 'constructs';
import type { Endpoint } from '../network/endpoint';
import { envNameProblem } from '../rules/object-name';
import { UsageError, type UsageErrorSite } from '../rules/usage-error';
import { type IBacklog, ScalingTrigger } from '../scaling/scaling-trigger';
import type { SecretKey } from '../secrets/secret-key';
import { EnvValue } from '../workload/env-value';
import type { IClient, IProvider, Offer } from '../workload/provider';
import { CELERY_QUEUE } from './queue';
import { RedisRole } from './redis-role';
import { ServerTls } from './server-tls';
import { UrlCredential } from './url-credential';

/** A user of Redis. */
export interface RedisUser {
  /**
   * Name of the user.
   * @default - the user `default`
   */
  readonly user?: string;

  /** Its password. */
  readonly password: SecretKey;
}

/** A way into a Redis. */
export interface RedisAccessProps {
  /** Where it is reached. */
  readonly endpoint: Endpoint;

  /** What it is for. */
  readonly role: RedisRole;

  /**
   * Who clients are.
   * @default - nobody in particular: it asks for no password
   */
  readonly client?: RedisUser;

  /**
   * Who the KEDA operator is.
   * @default - the same as clients
   */
  readonly keda?: RedisUser;

  /**
   * How connections are encrypted.
   * @default ServerTls.NONE
   */
  readonly tls?: ServerTls;

  /**
   * Number of the database.
   * @default 0
   */
  readonly database?: number;

  /**
   * Beginning of the names of its variables.
   * @default - the names of its role
   */
  readonly envPrefix?: string;

  /** Whose mistakes the messages tell. */
  readonly site: UsageErrorSite;
}

/** Where clients find certificate authorities. */
const AUTHORITIES = '/etc/redis-ca';

const ROLES = Symbol.for('cdk8s-rag.RedisRoles');

/** Names of the variables by role: Celery reads that of a broker by itself. */
const NAMES: { readonly [role in RedisRole]: { readonly url: string; readonly password: string } } = {
  [RedisRole.BROKER]: { url: 'CELERY_BROKER_URL', password: 'REDIS_PASSWORD' },
  [RedisRole.CACHE]: { url: 'CACHE_URL', password: 'CACHE_PASSWORD' },
};

/**
 * A way into a Redis, as clients and KEDA use it.
 *
 * Source: Celery docs, "Using Redis"; redis-py docs, "SSL Connection Examples"; KEDA 2.20 docs, "Redis Lists".
 */
export class RedisAccess implements IProvider {
  private readonly tls: ServerTls;
  private readonly database: number;
  private readonly names: { readonly url: string; readonly password: string };

  public constructor(private readonly props: RedisAccessProps) {
    const { tls = ServerTls.NONE, database = 0, envPrefix, role, site } = props;
    this.tls = tls;
    this.database = database;
    const problem = envPrefix === undefined ? undefined : envNameProblem(envPrefix);
    if (problem !== undefined) {
      throw new UsageError(problem, { ...site, property: propertyOf(site, 'envPrefix') });
    }
    this.names = envPrefix === undefined ? NAMES[role] : { url: `${envPrefix}_URL`, password: `${envPrefix}_PASSWORD` };
  }

  public offerTo(client: IClient): Offer {
    const { endpoint } = this.props;
    const host = endpoint.hostFrom(client, client.namespace);
    const address = `${isIP(host) === 6 ? `[${host}]` : host}:${endpoint.port.number}`;
    this.claim(client, `${endpoint.peer.key} ${address}`, address);
    return {
      endpoints: [endpoint],
      env: {
        ...this.password?.env,
        [this.names.url]: EnvValue.template(`${this.scheme}://${this.login}${address}/${this.database}${this.search}`),
      },
      files: this.tls.filesIn(AUTHORITIES),
    };
  }

  /** A list that fills when workers are behind. */
  public list(name = CELERY_QUEUE): IBacklog {
    const { role, endpoint, site } = this.props;
    if (role === RedisRole.CACHE) {
      throw new UsageError(
        `is "${name}" in a cache, which evicts keys and forgets all of them when it restarts; keep tasks in a Redis ` +
          'with RedisRole.BROKER',
        { ...site, property: propertyOf(site, 'list') },
      );
    }
    const { user, password } = this.props.keda ?? this.props.client ?? {};
    const { tls, database } = this;
    return {
      trigger: (perReplica) =>
        ScalingTrigger.redisList({
          endpoint,
          list: name,
          perReplica,
          user,
          password,
          database,
          tls: tls.encrypted,
          authority: tls.authority,
        }),
    };
  }

  private get scheme(): string {
    return this.tls.encrypted ? 'rediss' : 'redis';
  }

  private get password(): UrlCredential | undefined {
    const { client } = this.props;
    return client === undefined ? undefined : new UrlCredential(this.names.password, client.password);
  }

  private get login(): string {
    const user = encodeURIComponent(this.props.client?.user ?? '');
    return this.password === undefined ? '' : `${user}:${this.password.reference}@`;
  }

  /** Celery refuses an encrypted address that does not say what to make of the certificate. */
  private get search(): string {
    const file = this.tls.fileIn(AUTHORITIES);
    const authority = file === undefined ? '' : `&ssl_ca_certs=${file}`;
    return this.tls.encrypted ? `?ssl_cert_reqs=required${authority}` : '';
  }

  /** Two databases of one Redis share its memory, and with it what is done when that is full. */
  private claim(client: IConstruct, key: string, address: string): void {
    const { role, site } = this.props;
    const root = client.node.root as IConstruct & { [ROLES]?: Map<string, RedisRole> };
    root[ROLES] ??= new Map();
    const other = root[ROLES].get(key) ?? role;
    if (other !== role) {
      throw new UsageError(
        `is ${role}, but ${address} is a ${other} already; a broker must keep what a cache must evict, so use a Redis ` +
          'for each',
        { ...site, property: propertyOf(site, 'role') },
      );
    }
    root[ROLES].set(key, role);
  }
}

function propertyOf({ property }: UsageErrorSite, name: string): string {
  return property === undefined ? name : `${property}.${name}`;
}
