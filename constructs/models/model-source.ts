import { Size } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { Endpoint } from '../network/endpoint';
import type { PodSet } from '../network/peer';
import type { Port } from '../network/port';
import { Cluster } from '../placement/cluster';
import { checkHost } from '../rules/host-name';
import { UsageError, type UsageErrorSite } from '../rules/usage-error';
import type { SecretKey } from '../secrets/secret-key';
import { EnvValue } from '../workload/env-value';
import type { IClient, IProvider, Offer } from '../workload/provider';
import type { SharedVolume } from '../workload/shared-volume';
import { type Mount, Volume } from '../workload/volume';
import type { IModel } from './model';

/** How a model hub is reached. */
export interface ModelHubProps {
  /**
   * Token of an account, for models whose licence has to be accepted.
   * @default - none: public models only
   */
  readonly token?: SecretKey;

  /**
   * URL of a mirror that speaks the hub's API, with port and path if it has any:
   * `https://artifacts.acme.example/api/huggingfaceml/models`. It serves the files itself: where it redirects to other
   * hosts stays closed. Plain HTTP is for public models only: a token would be read on the way.
   * @default - huggingface.co
   */
  readonly url?: string;

  /**
   * Authority that has signed the certificate of the mirror, in PEM. Programs in Python and with OpenSSL then trust what
   * is in this key alone, so a program that connects to other hosts too needs their authorities in it as well.
   * @default - one that images know
   */
  readonly authority?: SecretKey;

  /**
   * Addresses of that host, where they are known and stable.
   * @default - unknown
   */
  readonly cidrs?: string[];
}

/**
 * Hosts from which Hugging Face serves its API, and those that its files are redirected to, by region and cloud.
 * Sources: huggingface.co/.well-known/meta.json (`lfsDomains`, `cdnDomains`); huggingface.co docs, "Xet: Using Xet
 * Storage".
 */
const HUGGING_FACE = [
  'huggingface.co',
  'cdn-lfs.huggingface.co',
  'cdn-lfs.hf.co',
  'cdn-lfs-us-1.hf.co',
  'cdn-lfs-eu-1.hf.co',
  'cas-bridge.xethub.hf.co',
  'cas-server.xethub.hf.co',
  'transfer.xethub.hf.co',
  'transfer.xethub-eu.hf.co',
  'aws.cdn.hf.co',
  'us.aws.cdn.hf.co',
  'us-east-1.aws.cdn.hf.co',
  'us-west-2.aws.cdn.hf.co',
  'eu-west-3.aws.cdn.hf.co',
  'ap-southeast-1.aws.cdn.hf.co',
  'us.gcp.cdn.hf.co',
  'us-east1.us.gcp.cdn.hf.co',
  'us-central1.us.gcp.cdn.hf.co',
  'us-west4.us.gcp.cdn.hf.co',
  'europe-west4.us.gcp.cdn.hf.co',
  'asia-southeast1.us.gcp.cdn.hf.co',
];

/** Hosts from which Ollama's registry serves manifests and layers. */
const OLLAMA = ['registry.ollama.ai', 'dd20bb891979d25aebc8bec07b2b3bbc.r2.cloudflarestorage.com'];

/** A commit of a hub; branches and tags can move. */
export const COMMIT = /^[0-9a-f]{40}$/;

const HTTPS = { name: 'https', number: 443 };
const DIRECTORY = '/models';

/** What a hub gives to each pod, and a volume to all of its readers together, as careful guesses. */
const HUB_GB_PER_SECOND = 0.1;
const VOLUME_GB_PER_SECOND = 0.3;

/** Where a server has the weights of its model from. */
export class ModelSource implements IProvider {
  /** Every pod downloads the model from huggingface.co when it starts. */
  public static readonly HUGGING_FACE = new ModelSource({ hub: {} });

  /** Every pod downloads the model when it starts, into space of its own. */
  public static hub(props: ModelHubProps = {}): ModelSource {
    return new ModelSource({ hub: props });
  }

  /** Pods download the model into a volume that they share, so only the first one waits for the hub. */
  public static sharedCache(volume: SharedVolume, props: ModelHubProps = {}): ModelSource {
    return new ModelSource({ hub: props, volume });
  }

  /**
   * The model is in a volume already, in a folder named like its id, with `@` and the revision after it if there is
   * one; nothing is downloaded, and no connection is opened.
   */
  public static prepared(volume: SharedVolume, after: PodSet[] = []): ModelSource {
    return new ModelSource({ volume, after });
  }

  /**
   * What a Job puts into a volume.
   * @internal
   */
  public static _downloaded(model: IModel, volume: SharedVolume, after: PodSet): ModelSource {
    return new ModelSource({ model, volume, after: [after] });
  }

  /** The model is part of the server's image. */
  public static readonly IMAGE = new ModelSource({});

  /**
   * Pods pull the model from a registry of Ollama's kind when they start, into a volume that they share or into
   * space of their own.
   */
  public static ollamaRegistry(volume?: SharedVolume): ModelSource {
    return new ModelSource({ registry: OLLAMA, volume });
  }

  private constructor(
    private readonly props: {
      readonly hub?: ModelHubProps;
      readonly registry?: readonly string[];
      readonly volume?: SharedVolume;
      readonly model?: IModel;
      readonly after?: PodSet[];
    },
  ) {
    mirrorOf(props.hub ?? {});
  }

  /** Where a prepared model is; a commit has a folder of its own, so that one can come while another is served. */
  public static folderOf({ id, revision }: IModel): string {
    return `${DIRECTORY}/${id}${revision === undefined ? '' : `@${revision}`}`;
  }

  /** What names the model in the server's arguments: its id, or the folder in which it is. */
  public locate(model: IModel): string {
    return this.prepared ? ModelSource.folderOf(model) : model.id;
  }

  /** The commit that a hub is asked for; undefined where none is named, or the files are there already. */
  public revisionOf({ revision }: IModel): string | undefined {
    return this.props.hub === undefined ? undefined : revision;
  }

  private get fetched(): boolean {
    return this.props.hub !== undefined || this.props.registry !== undefined;
  }

  private get prepared(): boolean {
    return !this.fetched && this.props.volume !== undefined;
  }

  /**
   * Seconds that the files take until they are in memory.
   *
   * @param readers pods that may start at once; they share what a volume gives
   */
  public secondsFor(filesGb: number, readers: number): number {
    const fetching = this.fetched ? filesGb / HUB_GB_PER_SECOND : 0;
    if (this.props.volume !== undefined) {
      return fetching + (filesGb * readers) / VOLUME_GB_PER_SECOND;
    }
    // What a pod has just fetched into space of its own is still in memory.
    return this.fetched ? fetching : filesGb / VOLUME_GB_PER_SECOND;
  }

  /** Where the server finds or keeps the files; nothing when they are in its image. */
  public mounts(model: IModel): Mount[] {
    const { volume } = this.props;
    if (volume !== undefined) {
      return this.prepared
        ? [{ volume: Volume.sharedReadOnly('models', volume), path: DIRECTORY, readOnly: true }]
        : [{ volume: Volume.shared('models', volume), path: DIRECTORY }];
    }
    if (!this.fetched) {
      return [];
    }
    // Files are downloaded beside what is there, and weights often come in two formats.
    const space = Math.max(2, Math.ceil((model.profile?.filesGb ?? 10) * 1.5) + 1);
    return [{ volume: Volume.scratch('models', Size.gibibytes(space)), path: DIRECTORY }];
  }

  /** Has a shared volume applied in time for these pods. */
  public mountedBy(pods: PodSet): void {
    this.props.volume?.mountedBy(pods);
  }

  /**
   * Refuses a model that the hub gives to nobody without a token, one that was not downloaded, and, where images need
   * digests, one that is fetched without a commit.
   *
   * @param named what says where the model is from and which one it is, for the message
   */
  public check(
    scope: IConstruct,
    model: IModel,
    named: { readonly source?: string; readonly model?: string } = {},
  ): void {
    const property = named.source ?? 'source';
    const { hub, model: downloaded = model } = this.props;
    if (ModelSource.folderOf(downloaded) !== ModelSource.folderOf(model)) {
      const [has, wants] = [downloaded, model].map(({ id, revision }) => `${id} at ${revision ?? 'its newest commit'}`);
      throw new UsageError(`has ${has}, but this serves ${wants}; use the same model in both`, { scope, property });
    }
    this.checkRevision(model, { scope, property: named.model ?? 'model' });
    if (model.gated && hub !== undefined && hub.token === undefined) {
      throw new UsageError(
        `has no token, but ${model.id} is given to accounts that have accepted its licence only; ` +
          "give it a token of the hub's, as ModelSource.hub({ token }) does",
        { scope, property },
      );
    }
  }

  /** Where an image must say which bytes it has, so must the weights that decide what it answers. */
  private checkRevision({ id, revision = '' }: IModel, site: UsageErrorSite & { readonly scope: IConstruct }): void {
    const { hub, registry } = this.props;
    if (!Cluster.of(site.scope).registry.requireDigest || (hub !== undefined && COMMIT.test(revision))) {
      return;
    }
    if (hub !== undefined) {
      const problem = revision === '' ? 'without a revision' : `at revision "${revision}"`;
      throw new UsageError(
        `is ${id} ${problem}, but registry.requireDigest wants weights that stay the same as well; name the commit in ` +
          'its hub, 40 hexadecimal digits, as revision',
        site,
      );
    }
    if (registry !== undefined) {
      throw new UsageError(
        `is ${id}, a tag of Ollama's registry, behind which weights may change, but registry.requireDigest wants weights ` +
          'that stay the same; take vLLM with a commit, or do without requireDigest',
        site,
      );
    }
  }

  public offerTo(client: IClient): Offer {
    const { hub, registry = [], after } = this.props;
    if (hub === undefined) {
      return {
        endpoints: distinguished(client, registry).map((host) => Endpoint.web(host, HTTPS)),
        env: this.prepared ? { HF_HUB_OFFLINE: EnvValue.of('1') } : {},
        after,
      };
    }
    const offer = hubOffer(hub, client);
    return {
      ...offer,
      env: {
        HF_HOME: EnvValue.of(DIRECTORY),
        HUGGINGFACE_HUB_CACHE: EnvValue.of(`${DIRECTORY}/hub`),
        HF_HUB_DISABLE_TELEMETRY: EnvValue.of('1'),
        ...offer.env,
      },
    };
  }
}

/** Where clients find the authority of a hub; nothing else is there. */
const AUTHORITY_DIRECTORY = '/etc/model-hub';

/** What reaches a hub, for whoever keeps the files in its own way. */
export function hubOffer({ url, cidrs, token, authority }: ModelHubProps, client: IClient): Offer {
  const mirror = mirrorOf({ url, token });
  const hosts = mirror === undefined ? distinguished(client, HUGGING_FACE) : [mirror.host];
  const file = authority && `${AUTHORITY_DIRECTORY}/${authority.key}`;
  return {
    endpoints: hosts.map((name) => Endpoint.web(name, mirror?.port ?? HTTPS, cidrs)),
    env: {
      ...(url === undefined ? {} : { HF_ENDPOINT: EnvValue.of(url.replace(/\/$/, '')) }),
      ...(token === undefined ? {} : { HF_TOKEN: EnvValue.fromSecret(token) }),
      ...(file === undefined ? {} : Object.fromEntries(AUTHORITY_VARIABLES.map((name) => [name, EnvValue.of(file)]))),
    },
    files: authority === undefined ? undefined : [{ source: authority, directory: AUTHORITY_DIRECTORY }],
  };
}

/** By which OpenSSL and httpx, requests, and Node.js find authorities. */
const AUTHORITY_VARIABLES = ['SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS'];

/** What clients take as it stands: a parser of URLs forgives spaces, missing slashes and a lone "?". */
const PLAIN = /^https?:\/\/[^\s?#@\\]+$/;

/** Host and port of a mirror; undefined for the hub itself. */
function mirrorOf({ url: text, token }: ModelHubProps): { readonly host: string; readonly port: Port } | undefined {
  if (text === undefined) {
    return undefined;
  }
  const url = PLAIN.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) {
    // A user in the URL would be a password in the output; it is not repeated here either.
    throw new UsageError('must be a URL with https or http, host and path alone: https://models.acme.example', {
      property: 'hub.url',
    });
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  checkHost(host, 'hub.url');
  if (url.protocol === 'http:' && token !== undefined) {
    throw new UsageError(`is "${text}", where the token would be read on the way; use https, or leave the token out`, {
      property: 'hub.url',
    });
  }
  const usual = url.protocol === 'http:' ? 80 : 443;
  return { host, port: { name: url.protocol.slice(0, -1), number: Number(url.port || usual) } };
}

/** Only Cilium tells names apart; elsewhere the first one opens every public address, and the others nothing more. */
function distinguished(client: IClient, hosts: readonly string[]): readonly string[] {
  return Cluster.of(client).cilium ? hosts : hosts.slice(0, 1);
}
