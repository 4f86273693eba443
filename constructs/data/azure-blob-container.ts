import type { IConstruct } from 'constructs';
import { Endpoint } from '../network/endpoint';
import { checkCidrs } from '../rules/address-range';
import { UsageError } from '../rules/usage-error';
import { CloudIdentity, type IIdentified } from '../secrets/cloud-identity';
import type { SecretKey } from '../secrets/secret-key';
import { EnvValue } from '../workload/env-value';
import type { Offer } from '../workload/provider';
import { type BarmanDestination, checkPrefix, checkStoreName, type IBucket, pathOf } from './bucket';

/** A container of Azure Blob Storage. */
export interface AzureBlobProps {
  /** Name of the storage account, without a domain: `acmerag`. */
  readonly account: string;

  /** Name of the container in it; it must exist. */
  readonly container: string;

  /**
   * Path in the container below which everything is kept, without "/" at its ends: `rag/production`.
   * @default - the whole container
   */
  readonly prefix?: string;

  /**
   * Connection string of the account, which says everything that a client needs.
   * @default - `accountKey`, and without it the pod's own identity on Azure, `identity` of the client
   */
  readonly connectionString?: SecretKey;

  /**
   * Key of the account, instead of `connectionString`. A {@link PostgresCluster} takes none.
   * @default - as for `connectionString`
   */
  readonly accountKey?: SecretKey;

  /**
   * Addresses of the account, where they are known and stable, such as those of a private endpoint.
   * @default - unknown; a policy names the host on Cilium, and elsewhere every public address
   */
  readonly cidrs?: string[];
}

/**
 * Names of accounts and containers (Azure docs, "Naming rules and restrictions", Microsoft.Storage; "Naming and
 * referencing containers, blobs, and metadata": no two dashes in a row).
 */
const ACCOUNT = /^[a-z0-9]{3,24}$/;
const CONTAINER = /^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/;

/**
 * A container of Azure Blob Storage. The SDK takes an account's URL and a credential and reads no variables itself;
 * names are those of what is built on it: adlfs reads the account, its key and the connection string, and object_store
 * of Apache Arrow the account, its key and the container. What an identity needs is put into the pods by its webhook.
 *
 * Sources: `adlfs/spec.py`, AzureBlobFileSystem; object_store docs, "AzureConfigKey"; Azure Identity docs,
 * "WorkloadIdentityCredential".
 */
export class AzureBlobContainer implements IBucket {
  public readonly kind = 'Azure Blob Storage';
  public readonly name: string;
  public readonly prefix?: string;

  private readonly host: string;

  public constructor(private readonly props: AzureBlobProps) {
    const { account, container, prefix, cidrs = [] } = props;
    checkStoreName('account', account, ACCOUNT, '3 to 24 lower-case letters and digits');
    checkStoreName('container', container, CONTAINER, '3 to 63 lower-case letters, digits and single "-" between them');
    checkPrefix(prefix);
    checkCredentials(props);
    checkCidrs(cidrs, 'objectStore.cidrs');
    this.host = `${account}.blob.core.windows.net`;
    this.name = container;
    this.prefix = prefix;
  }

  public offerTo(client?: IIdentified): Offer {
    const { account, connectionString, accountKey, cidrs } = this.props;
    return {
      endpoints: [
        Endpoint.web(this.host, { name: 'blob', number: 443 }, cidrs),
        ...(this.keyless ? CloudIdentity._onAzure(client, `container ${this.name}`) : []),
      ],
      env: {
        AZURE_STORAGE_ACCOUNT_NAME: EnvValue.of(account),
        AZURE_CONTAINER_NAME: EnvValue.of(this.name),
        ...(this.prefix === undefined ? {} : { AZURE_STORAGE_PREFIX: EnvValue.of(this.prefix) }),
        ...(accountKey === undefined ? {} : { AZURE_STORAGE_ACCOUNT_KEY: EnvValue.fromSecret(accountKey) }),
        ...(connectionString === undefined
          ? {}
          : { AZURE_STORAGE_CONNECTION_STRING: EnvValue.fromSecret(connectionString) }),
      },
    };
  }

  /**
   * With an account's key the plugin wants its name from a Secret as well (plugin-barman-cloud #705), where it would
   * be said twice. An identity reaches only pods with the label that comes with it.
   * @internal
   */
  public _barmanDestination(scope: IConstruct, { identity }: IIdentified): BarmanDestination {
    const { accountKey, connectionString } = this.props;
    if (accountKey !== undefined) {
      throw new UsageError(
        'has accountKey, with which backups need the name of the account from a Secret, too; give the store ' +
          'connectionString instead',
        { scope, property: 'backups.to' },
      );
    }
    if (this.keyless && identity === undefined) {
      throw new UsageError(
        'is missing, but backups go to Azure Blob Storage without keys; set it to CloudIdentity.azure(…), or give the ' +
          'store connectionString',
        { scope, property: 'identity' },
      );
    }
    return {
      path: `https://${pathOf(this.host, this.name, this.prefix)}`,
      credentials: {
        azureCredentials: connectionString === undefined ? { inheritFromAzureAD: true } : { connectionString },
      },
      env: {},
    };
  }

  private get keyless(): boolean {
    return this.props.connectionString === undefined && this.props.accountKey === undefined;
  }
}

function checkCredentials({ connectionString, accountKey }: AzureBlobProps): void {
  if (connectionString !== undefined && accountKey !== undefined) {
    throw new UsageError('is given beside connectionString, which has a key itself; drop one of the two', {
      property: 'objectStore.accountKey',
    });
  }
}
