import { Chart, Duration, Lazy } from 'cdk8s';
import { Construct } from 'constructs';
import {
  ExternalSecretSpecDataRemoteRefConversionStrategy as ConversionStrategy,
  ExternalSecretSpecTargetCreationPolicy as CreationPolicy,
  ExternalSecretSpecDataRemoteRefDecodingStrategy as DecodingStrategy,
  ExternalSecretSpecTargetDeletionPolicy as DeletionPolicy,
  ExternalSecret,
  type ExternalSecretProps,
  type ExternalSecretSpecData,
  ExternalSecretV1Beta1,
  ExternalSecretSpecDataRemoteRefMetadataPolicy as MetadataPolicy,
  ExternalSecretSpecSecretStoreRefKind as StoreKind,
} from '../../imports/external-secrets.io';
import { SyncWave } from '../network/sync-wave';
import { ExternalReferences } from '../rules/external-references';
import { dnsSubdomainProblem } from '../rules/object-name';
import { OutputRules } from '../rules/output-rules';
import { secondsOf } from '../rules/time-span';
import { refuse, UsageError } from '../rules/usage-error';
import { SecretKey } from './secret-key';
import type { ISecretSource } from './secret-source';

/** API version of External Secrets. */
export enum ExternalSecretsVersion {
  /** External Secrets 0.16 and newer. */
  V1 = 'v1',
  /** Older releases, which do not serve v1. */
  V1BETA1 = 'v1beta1',
}

/** Where the values are and how they are laid out. */
export interface ExternalSecretsProps {
  /** Name of the SecretStore or ClusterSecretStore. */
  readonly store: string;

  /**
   * Whether the store is a ClusterSecretStore.
   * @default true
   */
  readonly clusterStore?: boolean;

  /**
   * Path in the store below which each Secret has one entry with its keys as properties: with the path
   * `rag/production`, the key `api-key` of the Secret `qdrant` is the property `api-key` of
   * `rag/production/qdrant`.
   * @default - entries are at the top and named like the Secrets
   */
  readonly path?: string;

  /**
   * How often values are read again.
   * @default Duration.hours(1)
   */
  readonly refresh?: Duration;

  /**
   * API version that the cluster serves.
   * @default ExternalSecretsVersion.V1
   */
  readonly version?: ExternalSecretsVersion;
}

/**
 * Secrets that External Secrets fills from a store outside the cluster. Each chart gets one ExternalSecret per
 * Secret, with exactly the keys that something in the chart asks for.
 *
 * Source: External Secrets docs, "API: ExternalSecret".
 */
export class ExternalSecrets implements ISecretSource {
  public constructor(private readonly props: ExternalSecretsProps) {
    refuse(dnsSubdomainProblem(props.store), { property: 'secrets.store' });
  }

  public key(secret: string, key: string): SecretKey {
    return SecretKey._provided(secret, key, (scope) => this.objectFor(Chart.of(scope), secret).add(key));
  }

  private objectFor(chart: Chart, secret: string): FilledSecret {
    const id = `external-secret-${secret}`;
    const known = chart.node.tryFindChild(id) as FilledSecret | undefined;
    if (known !== undefined && known.props !== this.props) {
      throw new UsageError(
        `has keys from the store ${known.props.store} and from ${this.props.store}; one Secret comes from one store, so give one of them another name`,
        { scope: chart, property: `secret ${secret}` },
      );
    }
    return known ?? new FilledSecret(chart, id, this.props, secret);
  }
}

/** The ExternalSecret of one Secret. */
class FilledSecret extends Construct {
  private readonly keys = new Set<string>();

  public constructor(
    scope: Construct,
    id: string,
    public readonly props: ExternalSecretsProps,
    private readonly secret: string,
  ) {
    super(scope, id);
    this.createObject();
    this.declareStore();
    OutputRules.attach(this);
  }

  public add(key: string): void {
    this.keys.add(key);
  }

  private createObject(): void {
    const { store, refresh = Duration.hours(1), version } = this.props;
    const props: ExternalSecretProps = {
      metadata: { name: this.secret, annotations: SyncWave.SECRETS.annotations },
      spec: {
        refreshInterval: goDuration(secondsOf(refresh, { scope: this, property: 'refresh' })),
        secretStoreRef: { name: store, kind: this.storeKind },
        target: {
          name: this.secret,
          creationPolicy: CreationPolicy.OWNER,
          // The store being emptied by mistake must not take running pods with it.
          deletionPolicy: DeletionPolicy.RETAIN,
        },
        data: Lazy.any({ produce: () => this.toData() }),
      },
    };
    if (version === ExternalSecretsVersion.V1BETA1) {
      // The two versions have the same fields, and the generator gives them types of their own.
      new ExternalSecretV1Beta1(this, 'Resource', props as ConstructorParameters<typeof ExternalSecretV1Beta1>[2]);
    } else {
      new ExternalSecret(this, 'Resource', props);
    }
  }

  private toData(): ExternalSecretSpecData[] {
    const { path } = this.props;
    const entry = [path, this.secret].filter((part) => part !== undefined).join('/');
    // Most releases default these three in every list entry; a list entry without them would never be in sync
    // (external-secrets/external-secrets #6398, #6797).
    const defaults = {
      conversionStrategy: ConversionStrategy.DEFAULT,
      decodingStrategy: DecodingStrategy.NONE,
      metadataPolicy: MetadataPolicy.NONE,
    };
    return [...this.keys].sort().map((key) => ({
      secretKey: key,
      remoteRef: { key: entry, property: key, ...defaults },
    }));
  }

  private get storeKind(): StoreKind {
    return this.props.clusterStore === false ? StoreKind.SECRET_STORE : StoreKind.CLUSTER_SECRET_STORE;
  }

  private declareStore(): void {
    const namespace = this.props.clusterStore === false ? Chart.of(this).namespace : undefined;
    ExternalReferences.of(this).declare({ kind: this.storeKind, name: this.props.store, namespace });
  }
}

/** The form in which the API server returns a Go duration: `1h0m0s`. */
function goDuration(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const parts = hours > 0 ? [`${hours}h`, `${minutes}m`] : minutes > 0 ? [`${minutes}m`] : [];
  return [...parts, `${seconds % 60}s`].join('');
}
