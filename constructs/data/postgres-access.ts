import { isIP } from 'node:net';
import type { IConstruct } from 'constructs';
import type { Endpoint } from '../network/endpoint';
import { envNameProblem } from '../rules/object-name';
import { refuse, UsageError } from '../rules/usage-error';
import type { SecretKey } from '../secrets/secret-key';
import { EnvValue } from '../workload/env-value';
import type { IClient, IProvider, Offer, SecretFile } from '../workload/provider';
import type { PostgresTls } from './postgres-tls';
import { UrlCredential } from './url-credential';

/** Who comes to a database. */
export interface PostgresLogin {
  /** Name of the user, who must exist: letters, digits and `_`. */
  readonly user: string;

  /** Password of the user. */
  readonly password: SecretKey;
}

/**
 * A database of PostgreSQL, whoever runs it. Clients get the variables that psql and every driver on libpq read by
 * themselves, `PGHOST`, `PGPORT`, `PGDATABASE`, `PGUSER`, `PGPASSWORD`, with TLS `PGSSLMODE` and `PGSSLROOTCERT`, and
 * the same as a URL in `DATABASE_URL`. A password from External Secrets stands there in percent-encoding, as in
 * `PGPASSWORD_URLENCODED`.
 */
export interface IPostgres extends IProvider {
  /** The way that clients with many connections take: through its pooler, where it has one. */
  readonly clientAccess: IProvider;

  /**
   * The same database under other names, for clients of two: `VECTORS` gives `VECTORS_HOST`, `VECTORS_PORT`,
   * `VECTORS_DATABASE`, `VECTORS_USER`, `VECTORS_PASSWORD`, `VECTORS_SSLMODE`, `VECTORS_SSLROOTCERT` and
   * `VECTORS_URL`.
   */
  named(prefix: string): IProvider;

  /**
   * The same database as somebody else, such as the owner of the schema, where everybody else is a user who may only read
   * and write.
   */
  as(login: PostgresLogin): IProvider;

  /** Sees to it that the database has an extension, where that takes more rights than its user has. */
  ensureExtension(name: string): void;
}

/** A way into a database. */
export interface PostgresAccessProps {
  /** Where it is reached. */
  readonly endpoint: Endpoint;

  /** Name of the database. */
  readonly database: string;

  /** Who clients are. */
  readonly user: string;

  /**
   * Their password, which External Secrets may give any characters; from other sources letters, digits, `-` and
   * `_`, because it stands in a URL.
   */
  readonly password: SecretKey;

  /**
   * How far clients trust the server.
   * @default - they are told nothing; libpq encrypts if the server does
   */
  readonly tls?: PostgresTls;
}

/** The end of a variable's name by the name that libpq reads. */
const SUFFIXES: { readonly [name: string]: string } = {
  PGHOST: 'HOST',
  PGPORT: 'PORT',
  PGDATABASE: 'DATABASE',
  PGUSER: 'USER',
  PGPASSWORD: 'PASSWORD',
  PGPASSWORD_URLENCODED: 'PASSWORD_URLENCODED',
  PGSSLMODE: 'SSLMODE',
  PGSSLROOTCERT: 'SSLROOTCERT',
  DATABASE_URL: 'URL',
};

/**
 * A way into a database, as clients use it.
 *
 * Source: PostgreSQL docs, "Environment Variables" and "Connection URIs" of libpq.
 */
export class PostgresAccess implements IProvider {
  /** @internal */
  public constructor(private readonly props: PostgresAccessProps) {}

  public offerTo(client: IClient): Offer {
    const { endpoint, database, user } = this.props;
    const password = new UrlCredential('PGPASSWORD', this.props.password);
    const host = endpoint.hostFrom(client, client.namespace);
    const port = String(endpoint.port.number);
    const options = this.tlsOptions();
    const query = Object.entries(options).map(([name, value]) => `${name.slice(2).toLowerCase()}=${value}`);
    const search = query.length === 0 ? '' : `?${query.join('&')}`;
    const authority = isIP(host) === 6 ? `[${host}]` : host;
    return {
      endpoints: [endpoint],
      env: {
        PGHOST: EnvValue.of(host),
        PGPORT: EnvValue.of(port),
        PGDATABASE: EnvValue.of(database),
        PGUSER: EnvValue.of(user),
        ...password.env,
        ...Object.fromEntries(Object.entries(options).map(([name, value]) => [name, EnvValue.of(value)])),
        DATABASE_URL: EnvValue.template(
          `postgresql://${encodeURIComponent(user)}:${password.reference}@${authority}:${port}/${encodeURIComponent(database)}${search}`,
        ),
      },
      files: this.authorityFile(),
    };
  }

  /** The same as somebody else. */
  public as({ user, password }: PostgresLogin): IProvider {
    if (!LOGIN.test(user)) {
      throw new UsageError(`is "${user}", but must be 1 to 63 letters, digits and "_"`, { property: 'login.user' });
    }
    return new PostgresAccess({ ...this.props, user, password });
  }

  /** The same under other names, for clients of two databases. */
  public named(prefix: string): IProvider {
    if (prefix === '') {
      throw new UsageError('is empty, and variables would be named like _HOST; give it a name', {
        property: 'named.prefix',
      });
    }
    refuse(envNameProblem(prefix), { property: 'named.prefix' });
    const names = Object.fromEntries(Object.entries(SUFFIXES).map(([name, suffix]) => [name, `${prefix}_${suffix}`]));
    return {
      offerTo: (client) => {
        const offer = this.offerTo(client);
        const renamed = Object.entries(offer.env).map(([name, value]) => [names[name], value.renamed(names)]);
        return { ...offer, env: Object.fromEntries(renamed) };
      },
    };
  }

  private tlsOptions(): { [name: string]: string } {
    const { tls } = this.props;
    const file = tls?.authority === undefined ? undefined : `${directoryOf(tls.authority)}/${tls.authority.key}`;
    const root = file ?? tls?.namedAuthority;
    return {
      ...(tls === undefined ? {} : { PGSSLMODE: tls.mode }),
      ...(root === undefined ? {} : { PGSSLROOTCERT: root }),
    };
  }

  private authorityFile(): SecretFile[] | undefined {
    const authority = this.props.tls?.authority;
    return authority === undefined ? undefined : [{ source: authority, directory: directoryOf(authority) }];
  }
}

/** A client of two databases has two authorities. */
function directoryOf({ secret }: SecretKey): string {
  return `/etc/postgresql-ca/${secret}`;
}

const LOGIN = /^\w{1,63}$/;

/** What needs no quotes in SQL, and is not cut off. */
const IDENTIFIER = /^[a-z_][a-z0-9_]{0,62}$/;

/** Refuses what PostgreSQL would take for another name unless it is quoted. */
export function checkIdentifier(scope: IConstruct, property: string, name: string, longest = 63): void {
  if (!IDENTIFIER.test(name) || name.length > longest) {
    throw new UsageError(
      `is "${name}", but must be 1 to ${longest} lower-case letters, digits and "_", not beginning with a digit`,
      { scope, property },
    );
  }
}
