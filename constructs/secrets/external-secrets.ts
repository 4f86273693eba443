import { Chart, Duration, Lazy } from 'cdk8s';
import { Construct, type IConstruct } from 'constructs';
import {
  ExternalSecretSpecDataRemoteRefConversionStrategy as ConversionStrategy,
  ExternalSecretSpecTargetCreationPolicy as CreationPolicy,
  ExternalSecretSpecDataRemoteRefDecodingStrategy as DecodingStrategy,
  ExternalSecretSpecTargetDeletionPolicy as DeletionPolicy,
  ExternalSecret,
  type ExternalSecretProps,
  type ExternalSecretSpecData,
  type ExternalSecretSpecTargetTemplate,
  ExternalSecretV1Beta1,
  ExternalSecretSpecTargetTemplateMergePolicy as MergePolicy,
  ExternalSecretSpecDataRemoteRefMetadataPolicy as MetadataPolicy,
  ExternalSecretSpecSecretStoreRefKind as StoreKind,
  ExternalSecretSpecTargetTemplateEngineVersion as TemplateEngine,
} from '../../imports/external-secrets.io';
import { SyncWave } from '../network/sync-wave';
import { OutputRules } from '../rules/output-rules';
import { secondsOf } from '../rules/time-span';
import { UsageError } from '../rules/usage-error';
import { ExternalSecretsVersion } from './external-secrets-version';
import { SecretKey } from './secret-key';
import type { ISecretSource } from './secret-source';
import type { SecretStore } from './secret-store';

/** How Secrets are read from a store. */
export interface ExternalSecretsProps {
  /**
   * Path in the store below which each Secret has one entry with its keys as properties: with the path
   * `rag/production`, the key `api-key` of the Secret `qdrant` is the property `api-key` of
   * `rag/production/qdrant`. What that becomes where names have no "/" says the {@link StoreLayout} of the store.
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

/** The end of a key that holds a percent-encoded value; what is before it is the key with the value. */
const URL_FORM = '.urlencoded';

/**
 * Secrets that External Secrets fills from a store outside the cluster. Each chart gets one ExternalSecret per
 * Secret, with exactly the keys that something in the chart asks for. A key that stands in a URL has a second one beside
 * it, `<key>.urlencoded`, with the value in percent-encoding, so that passwords may have any characters.
 *
 * Source: External Secrets docs, "API: ExternalSecret" and "Advanced Templating v2".
 */
export class ExternalSecrets implements ISecretSource {
  /** @param store a store that exists, `SecretStore.existing('acme')`, or one that each chart gets with its first Secret */
  public constructor(
    /** Where the values are. */
    public readonly store: SecretStore,
    /**
     * How they are read.
     * @internal
     */
    public readonly _props: ExternalSecretsProps = {},
  ) {
    store._layout._checkPath(_props.path);
  }

  public key(secret: string, key: string): SecretKey {
    const inUrl = () =>
      SecretKey._provided(secret, `${key}${URL_FORM}`, (scope) => this.objectFor(scope, secret).addInUrl(key));
    const made = SecretKey._provided(secret, key, (scope) => this.objectFor(scope, secret).add(key), { inUrl });
    this.store._layout._entry(this._props.path, secret, key);
    return made;
  }

  private objectFor(scope: IConstruct, secret: string): FilledSecret {
    const chart = Chart.of(scope);
    const id = `external-secret-${secret}`;
    const known = chart.node.tryFindChild(id) as FilledSecret | undefined;
    if (known !== undefined && known.source !== this) {
      const [first, second] = [known.source.store.name, this.store.name];
      const problem =
        first === second
          ? `has keys from two sources that both read the store ${first}; make the source once and share it`
          : `has keys from the store ${first} and from ${second}; one Secret comes from one store, so give one of them another name`;
      throw new UsageError(problem, { scope: chart, property: `secret ${secret}` });
    }
    return known ?? new FilledSecret(chart, id, this, secret);
  }
}

/** The ExternalSecret of one Secret. */
class FilledSecret extends Construct {
  private readonly keys = new Set<string>();
  private readonly keysInUrls = new Set<string>();

  public constructor(
    scope: Chart,
    id: string,
    public readonly source: ExternalSecrets,
    private readonly secret: string,
  ) {
    super(scope, id);
    const { version = ExternalSecretsVersion.V1 } = source._props;
    source.store._bind(scope, version);
    this.createObject(version);
    OutputRules.attach(this);
  }

  public add(key: string): void {
    this.keys.add(key);
    this.checkForms();
  }

  /** A key that is wanted as URLs need it. */
  public addInUrl(key: string): void {
    this.keysInUrls.add(key);
    this.add(key);
  }

  /** What the store has under the name of a form would be overwritten. */
  private checkForms(): void {
    const taken = [...this.keysInUrls].find((key) => this.keys.has(`${key}${URL_FORM}`));
    if (taken !== undefined) {
      throw new UsageError(
        `has the keys ${taken} and ${taken}${URL_FORM}, but the second is where the first is kept in the form for URLs; give it another name`,
        { scope: Chart.of(this), property: `secret ${this.secret}` },
      );
    }
  }

  private createObject(version: ExternalSecretsVersion): void {
    const { store, _props: settings } = this.source;
    const { refresh = Duration.hours(1) } = settings;
    const props: ExternalSecretProps = {
      metadata: { name: this.secret, annotations: SyncWave.SECRETS.annotations },
      spec: {
        refreshInterval: goDuration(secondsOf(refresh, { scope: this, property: 'refresh' })),
        secretStoreRef: {
          name: store.name,
          kind: store.kind === 'SecretStore' ? StoreKind.SECRET_STORE : StoreKind.CLUSTER_SECRET_STORE,
        },
        target: {
          name: this.secret,
          creationPolicy: CreationPolicy.OWNER,
          // The store being emptied by mistake must not take running pods with it.
          deletionPolicy: DeletionPolicy.RETAIN,
          template: Lazy.any({ produce: () => this.toTemplate() }),
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
    // Most releases default these three in every list entry; a list entry without them would never be in sync
    // (external-secrets/external-secrets #6398, #6797).
    const defaults = {
      conversionStrategy: ConversionStrategy.DEFAULT,
      decodingStrategy: DecodingStrategy.NONE,
      metadataPolicy: MetadataPolicy.NONE,
    };
    const { store, _props: props } = this.source;
    return [...this.keys].sort().map((key) => ({
      secretKey: key,
      remoteRef: { ...store._layout._entry(props.path, this.secret, key), ...defaults },
    }));
  }

  /** The forms for URLs, beside the keys from the store. */
  private toTemplate(): ExternalSecretSpecTargetTemplate | undefined {
    const forms = [...this.keysInUrls].sort().map((key) => [`${key}${URL_FORM}`, percentEncoded(key)]);
    return forms.length === 0
      ? undefined
      : { engineVersion: TemplateEngine.V2, mergePolicy: MergePolicy.MERGE, data: Object.fromEntries(forms) };
  }
}

/**
 * A template of Go that is the value of a key in percent-encoding. Go's own writes a space as "+", as forms do; a "+" of
 * the value is "%2B" by then. By `index`, because keys have dashes (Go docs, text/template; sprig docs, "replace").
 */
function percentEncoded(key: string): string {
  return `{{ index . "${key}" | urlquery | replace "+" "%20" }}`;
}

/** The form in which the API server returns a Go duration: `1h0m0s`. */
function goDuration(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const parts = hours > 0 ? [`${hours}h`, `${minutes}m`] : minutes > 0 ? [`${minutes}m`] : [];
  return [...parts, `${seconds % 60}s`].join('');
}
