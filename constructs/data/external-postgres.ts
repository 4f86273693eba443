import { Endpoint } from '../network/endpoint';
import { checkPortNumber } from '../network/port';
import { checkCidrsOf } from '../rules/address-range';
import { checkHost } from '../rules/host-name';
import { UsageError } from '../rules/usage-error';
import type { SecretKey } from '../secrets/secret-key';
import type { IClient, IProvider, Offer } from '../workload/provider';
import { type IPostgres, PostgresAccess, type PostgresLogin } from './postgres-access';
import type { PostgresTls } from './postgres-tls';

/** A PostgreSQL that somebody else runs: Amazon RDS, Cloud SQL, Azure Database. */
export interface ExternalPostgresProps {
  /** DNS name or address: `rag.abc123.eu-west-1.rds.amazonaws.com`. */
  readonly host: string;

  /**
   * Port, TCP.
   * @default 5432
   */
  readonly port?: number;

  /**
   * Name of the database; it must exist.
   * @default "app"
   */
  readonly database?: string;

  /**
   * Who clients are.
   * @default "app"
   */
  readonly user?: string;

  /**
   * Password of the user, which External Secrets may give any characters; from other sources letters, digits, `-` and
   * `_`, because it stands in a URL.
   */
  readonly password: SecretKey;

  /** How far clients trust the server: `PostgresTls.verified(SecretKey.of('rds', 'ca.pem'))`. */
  readonly tls: PostgresTls;

  /**
   * Addresses behind the name, where they are known and stable, such as the subnets of the database. Without them a
   * policy names the host on Cilium, and elsewhere every public address: private ranges are then closed.
   * @default - unknown
   */
  readonly cidrs?: string[];
}

/** What stands in a connection string without quotes. */
const NAME = /^[^\s'"\\\p{Cc}]{1,63}$/u;

/** A database that somebody else runs. Clients get the same variables as from one in the cluster. */
export class ExternalPostgres implements IPostgres {
  public readonly description: string;

  private readonly access: PostgresAccess;

  public constructor(props: ExternalPostgresProps) {
    const { host, port = 5432, database = 'app', user = 'app', cidrs = [] } = props;
    checkHost(host, 'externalPostgres.host');
    checkPortNumber(port, 'externalPostgres.port');
    checkName('database', database);
    checkName('user', user);
    checkCidrsOf([host], cidrs, 'externalPostgres.cidrs');
    this.description = host;
    const endpoint = Endpoint.host(host, { name: 'postgres', number: port }, cidrs);
    this.access = new PostgresAccess({ endpoint, database, user, password: props.password, tls: props.tls });
  }

  public offerTo(client: IClient): Offer {
    return this.access.offerTo(client);
  }

  public get clientAccess(): IProvider {
    return this;
  }

  public named(prefix: string): IProvider {
    return this.access.named(prefix);
  }

  public as(login: PostgresLogin): IProvider {
    return this.access.as(login);
  }

  /** Who runs it decides what its users may create; where that is not enough, creating the extension fails. */
  public ensureExtension(): void {}
}

function checkName(property: string, name: string): void {
  if (!NAME.test(name)) {
    throw new UsageError(`is "${name}", but must be 1 to 63 characters without spaces, quotes and backslashes`, {
      property: `externalPostgres.${property}`,
    });
  }
}
