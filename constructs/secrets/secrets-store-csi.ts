import { Chart, Lazy } from 'cdk8s';
import { Construct } from 'constructs';
import { SecretProviderClass } from '../../imports/secrets-store.csi.x-k8s.io';
import { SyncWave } from '../network/sync-wave';
import { OutputRules } from '../rules/output-rules';
import { UsageError } from '../rules/usage-error';
import { checkUuid } from '../rules/uuid';
import { checkVaultName } from './key-vault-name';
import { SecretKey } from './secret-key';
import type { ISecretSource } from './secret-source';

/** A vault of Azure, and who reads it. */
export interface AzureKeyVaultProps {
  /** Name of the vault: `acme-rag`. */
  readonly vault: string;

  /** Tenant of the vault, a UUID. */
  readonly tenantId: string;

  /**
   * Client id of the identity that reads the vault, a UUID. It needs a federated credential for the ServiceAccount of
   * every workload that reads a Secret, `system:serviceaccount:<namespace>:<workload>`.
   */
  readonly clientId: string;
}

/** Names in vaults (Azure docs, "Naming rules and restrictions", Microsoft.KeyVault). */
const ENTRY = /^[A-Za-z0-9-]{1,127}$/;

/**
 * Secrets that the Secrets Store CSI driver fills from a vault while pods mount them. Each chart gets one
 * SecretProviderClass per Secret, with exactly the keys that something in the chart asks for; every pod that reads the
 * Secret mounts it, because without such a pod there is no Secret.
 *
 * Sources: Secrets Store CSI driver docs, "Sync as Kubernetes Secret"; Azure Key Vault provider docs, "Workload
 * Identity".
 */
export class SecretsStoreCsi implements ISecretSource {
  /**
   * A vault of Azure, where each key has an entry of its own, named after both: key `api-key` of the Secret `qdrant` is
   * the entry `qdrant--api-key`.
   */
  public static azureKeyVault(props: AzureKeyVaultProps): SecretsStoreCsi {
    checkVault(props);
    return new SecretsStoreCsi(props);
  }

  private constructor(private readonly props: AzureKeyVaultProps) {}

  public key(secret: string, key: string): SecretKey {
    const made = SecretKey._provided(secret, key, (scope) => this.classFor(Chart.of(scope), secret).add(key), {
      providerClass: secret,
    });
    if (!ENTRY.test(entryOf(secret, key))) {
      throw new UsageError(
        `is "${key}", so the entry in the vault would be "${entryOf(secret, key)}", but there names are at most 127 ` +
          'letters, digits and "-"; name the Secret and the key so',
        { property: 'secret.key' },
      );
    }
    return made;
  }

  private classFor(chart: Chart, secret: string): MountedSecret {
    const id = `secret-provider-class-${secret}`;
    const known = chart.node.tryFindChild(id) as MountedSecret | undefined;
    if (known !== undefined && known.props !== this.props) {
      throw new UsageError(
        `has keys from the vault ${known.props.vault} and from ${this.props.vault}; one Secret comes from one vault, so give one of them another name`,
        { scope: chart, property: `secret ${secret}` },
      );
    }
    return known ?? new MountedSecret(chart, id, this.props, secret);
  }
}

/** The SecretProviderClass of one Secret. */
class MountedSecret extends Construct {
  private readonly keys = new Set<string>();

  public constructor(
    scope: Construct,
    id: string,
    public readonly props: AzureKeyVaultProps,
    private readonly secret: string,
  ) {
    super(scope, id);
    new SecretProviderClass(this, 'Resource', {
      metadata: { name: secret, annotations: SyncWave.SECRETS.annotations },
      spec: {
        provider: 'azure',
        parameters: Lazy.any({ produce: () => this.toParameters() }),
        secretObjects: Lazy.any({ produce: () => this.toSecretObjects() }),
      },
    });
    OutputRules.attach(this);
  }

  public add(key: string): void {
    this.keys.add(key);
  }

  private toParameters(): { [name: string]: string } {
    const { vault, tenantId, clientId } = this.props;
    return {
      usePodIdentity: 'false',
      clientID: clientId,
      keyvaultName: vault,
      tenantID: tenantId,
      objects: ['array:', ...this.sorted().map((key) => this.toObject(key)), ''].join('\n'),
    };
  }

  /** An entry of the vault; the provider reads a list of texts, each of which is YAML by itself. */
  private toObject(key: string): string {
    const lines = [`objectName: ${entryOf(this.secret, key)}`, 'objectType: secret', `objectAlias: ${key}`];
    return ['  - |', ...lines.map((line) => `    ${line}`)].join('\n');
  }

  private toSecretObjects(): object[] {
    const data = this.sorted().map((key) => ({ objectName: key, key }));
    return [{ secretName: this.secret, type: 'Opaque', data }];
  }

  private sorted(): string[] {
    return [...this.keys].sort();
  }
}

/** Two dashes, so that what is before and what is after can be told apart. */
function entryOf(secret: string, key: string): string {
  return `${secret}--${key}`;
}

function checkVault({ vault, tenantId, clientId }: AzureKeyVaultProps): void {
  checkVaultName(vault);
  checkUuid('secrets.tenantId', tenantId);
  checkUuid('secrets.clientId', clientId);
}
