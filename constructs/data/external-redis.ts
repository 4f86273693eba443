import { Endpoint } from '../network/endpoint';
import { checkPortNumber } from '../network/port';
import { checkCidrsOf } from '../rules/address-range';
import { checkHost } from '../rules/host-name';
import { UsageError } from '../rules/usage-error';
import type { IBacklog } from '../scaling/scaling-trigger';
import type { SecretKey } from '../secrets/secret-key';
import type { IClient, Offer } from '../workload/provider';
import type { IQueue } from './queue';
import { RedisAccess, type RedisUser } from './redis-access';
import { RedisRole } from './redis-role';
import { ServerTls } from './server-tls';

/** A Redis that somebody else runs: Amazon ElastiCache, Azure Cache, Memorystore. */
export interface ExternalRedisProps {
  /** DNS name or address: `master.rag.abc123.euw1.cache.amazonaws.com`. Of a cluster in shards Celery makes no use. */
  readonly host: string;

  /**
   * Port, TCP. Azure Cache uses 6380 for TLS.
   * @default 6379
   */
  readonly port?: number;

  /**
   * What it is for. Its settings must be those of the role: `maxmemory-policy` is `noeviction` for a broker.
   * @default RedisRole.BROKER
   */
  readonly role?: RedisRole;

  /**
   * How far clients trust the server.
   * @default ServerTls.PUBLIC
   */
  readonly tls?: ServerTls;

  /**
   * Who clients are. Given together with `password`.
   * @default - the user `default`
   */
  readonly user?: string;

  /**
   * Password of the user, which External Secrets may give any characters; from other sources letters, digits, `-` and
   * `_`, because it stands in a URL.
   * @default - it asks for none
   */
  readonly password?: SecretKey;

  /**
   * Who the KEDA operator is, when something scales on a list: `+ping +eval +type +llen` on the list is enough for it.
   * @default - the same as clients
   */
  readonly keda?: RedisUser;

  /**
   * Number of the database.
   * @default 0
   */
  readonly database?: number;

  /**
   * Addresses behind the name, where they are known and stable, such as the subnets of the cache. Without them a
   * policy names the host on Cilium, and elsewhere every public address: private ranges are then closed.
   * @default - unknown
   */
  readonly cidrs?: string[];

  /**
   * Beginning of the names of its variables, for clients of two in one role: `SESSIONS` gives `SESSIONS_URL` and
   * `SESSIONS_PASSWORD`.
   * @default - `CELERY_BROKER_URL` and `REDIS_PASSWORD` of a broker, `CACHE_URL` and `CACHE_PASSWORD` of a cache
   */
  readonly envPrefix?: string;
}

const PROPERTY = 'externalRedis';

/** A Redis that somebody else runs. Clients get the same variables as from one in the cluster. */
export class ExternalRedis implements IQueue {
  public readonly description: string;

  private readonly access: RedisAccess;

  public constructor(props: ExternalRedisProps) {
    const { host, port = 6379, role = RedisRole.BROKER, tls = ServerTls.PUBLIC, database = 0, cidrs = [] } = props;
    checkHost(host, `${PROPERTY}.host`);
    checkPortNumber(port, `${PROPERTY}.port`);
    checkCidrsOf([host], cidrs, `${PROPERTY}.cidrs`);
    checkDatabase(database);
    this.description = host;
    this.access = new RedisAccess({
      endpoint: Endpoint.host(host, { name: 'redis', number: port }, cidrs),
      role,
      client: clientOf(props),
      keda: props.keda,
      tls,
      database,
      envPrefix: props.envPrefix,
      site: { property: PROPERTY },
    });
  }

  public offerTo(client: IClient): Offer {
    return this.access.offerTo(client);
  }

  /** A list that fills when workers are behind. KEDA reaches it from where its operator runs. */
  public list(name?: string): IBacklog {
    return this.access.list(name);
  }
}

function clientOf({ user, password }: ExternalRedisProps): RedisUser | undefined {
  if (password !== undefined) {
    return { user, password };
  }
  if (user !== undefined) {
    throw new UsageError(`is "${user}", but without a password; set password as well`, {
      property: `${PROPERTY}.user`,
    });
  }
  return undefined;
}

function checkDatabase(database: number): void {
  if (!Number.isInteger(database) || database < 0) {
    throw new UsageError(`is ${database}, but must be a whole number from 0`, { property: `${PROPERTY}.database` });
  }
}
