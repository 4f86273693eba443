import type { Chart } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import {
  SecretStoreSpecProviderAwsService as AwsService,
  type SecretStoreSpecProvider as Provider,
  SecretStore as SecretStoreObject,
  SecretStoreV1Beta1 as SecretStoreObjectV1Beta1,
} from '../../imports/external-secrets.io';
import { SyncWave } from '../network/sync-wave';
import { ExternalReferences } from '../rules/external-references';
import { dnsSubdomainProblem } from '../rules/object-name';
import { OutputRules } from '../rules/output-rules';
import { refuse, UsageError } from '../rules/usage-error';
import { type AwsStoreProps, awsProvider, checkAws } from './aws-store';
import type { CertificateAuthority } from './certificate-authority';
import { CloudIdentity } from './cloud-identity';
import { ExternalSecretsVersion } from './external-secrets-version';
import { checkGoogle, type GoogleStoreProps, googleProvider } from './google-store';
import { checkKeyVault, type KeyVaultStoreProps, keyVaultProvider } from './key-vault-store';
import { accountOf, type NewStoreProps } from './store-account';
import { StoreLayout } from './store-layout';
import { checkVault, type VaultStoreProps, vaultProvider } from './vault-store';

/** A store that exists. */
export interface ExistingStoreProps {
  /**
   * Whether it is a ClusterSecretStore.
   * @default true
   */
  readonly clusterStore?: boolean;

  /**
   * How entries are named in what it leads to.
   * @default StoreLayout.PATHS
   */
  readonly layout?: StoreLayout;
}

/** What a store consists of that is made here. */
interface StoreDefinition {
  /** Annotations of its ServiceAccount; without them it has none. */
  readonly account?: { readonly [annotation: string]: string };
  /** Where it leads. */
  readonly provider: (scope: Construct) => Provider;
  /** What must exist for it. */
  readonly authority?: CertificateAuthority;
}

/**
 * The store that External Secrets reads: one that exists in the cluster, or one that the chart gets with the first
 * Secret from it, together with a ServiceAccount that may read it. No store holds a key for what it leads to.
 *
 * Sources: External Secrets docs, "AWS Access", "HashiCorp Vault", "Azure Key Vault" and "Google Cloud Secret Manager".
 */
export class SecretStore {
  /** A SecretStore or ClusterSecretStore that exists in the cluster. */
  public static existing(name: string, { clusterStore, layout }: ExistingStoreProps = {}): SecretStore {
    refuse(dnsSubdomainProblem(name), { property: 'secrets.store' });
    const kind = clusterStore === false ? 'SecretStore' : 'ClusterSecretStore';
    return new SecretStore(name, kind, layout ?? StoreLayout.PATHS);
  }

  /** AWS Secrets Manager, where each Secret has one entry, whose value is JSON with the keys. */
  public static awsSecretsManager(props: AwsStoreProps = {}): SecretStore {
    return SecretStore.aws(AwsService.SECRETS_MANAGER, StoreLayout.PATHS, props);
  }

  /** AWS Systems Manager Parameter Store, where each Secret has one parameter, whose value is JSON with the keys. */
  public static awsParameterStore(props: AwsStoreProps = {}): SecretStore {
    return SecretStore.aws(AwsService.PARAMETER_STORE, StoreLayout.AWS_PARAMETER_STORE, props);
  }

  /** A key-value engine of HashiCorp Vault, where each Secret has one entry with the keys. */
  public static vault(props: VaultStoreProps): SecretStore {
    checkVault(props);
    const { authority } = props;
    return SecretStore.made(props, StoreLayout.PATHS, {
      account: {},
      authority,
      provider: () => vaultProvider(props),
    });
  }

  /** A Key Vault of Azure, where each key has an entry of its own: `qdrant--api-key`. */
  public static azureKeyVault(props: KeyVaultStoreProps): SecretStore {
    checkKeyVault(props);
    const { clientId, tenantId } = props;
    return SecretStore.made(props, StoreLayout.AZURE_KEY_VAULT, {
      account: CloudIdentity.azure(clientId, { tenantId }).serviceAccountAnnotations,
      provider: () => keyVaultProvider(props),
    });
  }

  /** The Secret Manager of a project of Google Cloud, where each Secret has one secret, whose value is JSON with the keys. */
  public static googleSecretManager(props: GoogleStoreProps): SecretStore {
    checkGoogle(props);
    const { identity } = props;
    return SecretStore.made(props, StoreLayout.GOOGLE_SECRET_MANAGER, {
      account: identity?.serviceAccountAnnotations,
      provider: () => googleProvider(props),
    });
  }

  private static aws(service: AwsService, layout: StoreLayout, props: AwsStoreProps): SecretStore {
    checkAws(props);
    return SecretStore.made(props, layout, {
      account: props.identity?.serviceAccountAnnotations,
      provider: (scope) => awsProvider(scope, service, props),
    });
  }

  private static made(props: NewStoreProps, layout: StoreLayout, definition: StoreDefinition): SecretStore {
    const { name } = accountOf(props);
    refuse(dnsSubdomainProblem(name), { property: 'secrets.name' });
    return new SecretStore(name, 'SecretStore', layout, definition);
  }

  private constructor(
    /** Name of the store. */
    public readonly name: string,
    /** `SecretStore` or `ClusterSecretStore`. */
    public readonly kind: string,
    /**
     * How entries are named in it.
     * @internal
     */
    public readonly _layout: StoreLayout,
    private readonly definition?: StoreDefinition,
  ) {}

  /**
   * Sees to it that the store is there for a chart: makes it, or declares that it exists.
   * @internal
   */
  public _bind(chart: Chart, version: ExternalSecretsVersion): void {
    const { name, kind, definition } = this;
    if (definition === undefined) {
      const namespace = kind === 'SecretStore' ? chart.namespace : undefined;
      ExternalReferences.of(chart).declare({ kind, name, namespace });
      return;
    }
    const id = `secret-store-${name}`;
    const known = chart.node.tryFindChild(id) as MadeStore | undefined;
    if (known !== undefined && (known.store !== this || known.version !== version)) {
      throw new UsageError(
        known.store === this
          ? `is read in the versions ${known.version} and ${version} of External Secrets; a cluster has one release, so give all sources the same`
          : 'is the name of two stores of the chart; give one of them another name, or use one for all its Secrets',
        { scope: chart, property: `secret store ${name}` },
      );
    }
    if (known === undefined) {
      new MadeStore(chart, id, { store: this, version, definition });
    }
  }
}

interface MadeStoreProps {
  readonly store: SecretStore;
  readonly version: ExternalSecretsVersion;
  readonly definition: StoreDefinition;
}

/** The SecretStore of a chart, and its ServiceAccount. */
class MadeStore extends Construct {
  public readonly store: SecretStore;
  public readonly version: ExternalSecretsVersion;

  public constructor(scope: Construct, id: string, props: MadeStoreProps) {
    super(scope, id);
    this.store = props.store;
    this.version = props.version;
    this.createAccount(props.definition);
    this.createStore(props.definition);
    props.definition.authority?._declare(this);
    OutputRules.attach(this);
  }

  private createAccount({ account }: StoreDefinition): void {
    if (account !== undefined) {
      new k8s.KubeServiceAccount(this, 'ServiceAccount', {
        metadata: {
          name: this.store.name,
          annotations: { ...SyncWave.SECRET_STORES.annotations, ...account },
        },
        automountServiceAccountToken: false,
      });
    }
  }

  private createStore({ provider }: StoreDefinition): void {
    const props = {
      metadata: { name: this.store.name, annotations: SyncWave.SECRET_STORES.annotations },
      spec: { provider: provider(this) },
    };
    if (this.version === ExternalSecretsVersion.V1BETA1) {
      // The two versions have the same fields, and the generator gives them types of their own.
      new SecretStoreObjectV1Beta1(
        this,
        'Resource',
        props as ConstructorParameters<typeof SecretStoreObjectV1Beta1>[2],
      );
    } else {
      new SecretStoreObject(this, 'Resource', props);
    }
  }
}
