import { Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { SecretProviderClass } from '../../imports/secrets-store.csi.x-k8s.io';
import { PRUNED_LAST, SyncWave } from '../network/sync-wave';
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

/** Names in vaults (Azure docs, "Naming rules and restrictions", Microsoft.KeyVault) that objects can have as well. */
const ENTRY = /^(?=.{1,127}$)[A-Za-z0-9-]*[A-Za-z0-9]$/;

/**
 * Secrets that the Secrets Store CSI driver fills from a vault while pods mount them. Each key has a SecretProviderClass and a
 * Secret of its own, both named like its entry in the vault, `qdrant--api-key`; every pod that reads the key mounts the
 * class, because without such a pod there is no Secret, and no pod mounts a key that it does not read.
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
    // Two dashes, so that what is before and what is after can be told apart.
    const entry = `${secret}--${key}`;
    if (!ENTRY.test(entry)) {
      throw new UsageError(
        `is "${key}", so the entry in the vault would be "${entry}", but there names are at most 127 letters, digits and ` +
          '"-", with a letter or digit at the end; name the Secret and the key so',
        { property: 'secret.key' },
      );
    }
    // Names of objects have no capitals, and vaults do not tell them apart.
    const name = entry.toLowerCase();
    return SecretKey._provided(name, key, (scope) => this.provide(Chart.of(scope), { name, entry, key }), {
      providerClass: name,
    });
  }

  private provide(chart: Chart, mounted: MountedKey): void {
    const id = `secret-provider-class-${mounted.name}`;
    const known = chart.node.tryFindChild(id) as KeyProviderClass | undefined;
    if (known === undefined) {
      new KeyProviderClass(chart, id, this.props, mounted);
      return;
    }
    const refuse = (problem: string) => {
      throw new UsageError(problem, { scope: chart, property: `secret ${mounted.name}` });
    };
    if (known.props !== this.props) {
      refuse(
        `comes from the vault ${known.props.vault} and from ${this.props.vault}; one Secret comes from one vault, so give ` +
          'one of them another name',
      );
    }
    if (known.mounted.key !== mounted.key) {
      refuse(
        `is the entry of key ${known.mounted.key} and of key ${mounted.key}, and entries of a vault are told apart by letters, ` +
          'digits and "-" alone, whatever their case; give one of them another name',
      );
    }
  }
}

/** A key as it is mounted. */
interface MountedKey {
  /** Name of the SecretProviderClass and of the Secret. */
  readonly name: string;
  /** Name of the entry in the vault. */
  readonly entry: string;
  /** Key in the data of the Secret, and name of the file. */
  readonly key: string;
}

/**
 * The SecretProviderClass of one key. The driver makes a Secret of a class only when there is none of that name, so two classes
 * cannot share one (Secrets Store CSI driver, controllers/secretproviderclasspodstatus_controller.go).
 */
class KeyProviderClass extends Construct {
  public constructor(
    scope: Construct,
    id: string,
    public readonly props: AzureKeyVaultProps,
    public readonly mounted: MountedKey,
  ) {
    super(scope, id);
    const { name, entry, key } = mounted;
    const { vault, tenantId, clientId } = props;
    new SecretProviderClass(this, 'Resource', {
      metadata: { name, annotations: { ...SyncWave.SECRETS.annotations, ...PRUNED_LAST } },
      spec: {
        provider: 'azure',
        parameters: {
          usePodIdentity: 'false',
          clientID: clientId,
          keyvaultName: vault,
          tenantID: tenantId,
          // The provider reads a list of texts, each of which is YAML by itself.
          objects: [
            'array:',
            '  - |',
            `    objectName: ${entry}`,
            '    objectType: secret',
            `    objectAlias: ${key}`,
            '',
          ].join('\n'),
        },
        secretObjects: [{ secretName: name, type: 'Opaque', data: [{ objectName: key, key }] }],
      },
    });
    OutputRules.attach(this);
  }
}

function checkVault({ vault, tenantId, clientId }: AzureKeyVaultProps): void {
  checkVaultName(vault);
  checkUuid('secrets.tenantId', tenantId);
  checkUuid('secrets.clientId', clientId);
}
