import type { Duration } from 'cdk8s';
import type { Construct } from 'constructs';
import type { EmbeddingWorkersProps } from '../constructs/ingestion/embedding-workers';
import type { EmbeddingModel } from '../constructs/models/embedding-model';
import type { IModel } from '../constructs/models/model';
import { isHostedOnly } from '../constructs/models/model-catalogue';
import { ModelDownload, type ModelDownloadProps } from '../constructs/models/model-download';
import type { ModelServerOptions } from '../constructs/models/model-server';
import { type ModelHubProps, ModelSource } from '../constructs/models/model-source';
import type { RerankModel } from '../constructs/models/rerank-model';
import {
  TextEmbeddingsInference,
  type TextEmbeddingsInferenceProps,
} from '../constructs/models/text-embeddings-inference';
import { Vllm, type VllmProps } from '../constructs/models/vllm';
import { UsageError } from '../constructs/rules/usage-error';
import type { Job, LibraryJobOptions } from '../constructs/workload/job';
import type { IProvider } from '../constructs/workload/provider';
import { SharedVolume, type SharedVolumeProps } from '../constructs/workload/shared-volume';
import { describedBy } from './described-by';
import type { PlatformEmbedder } from './platform-embedder';
import type { PlatformEmbeddingModels } from './platform-vectors';

/** A server of a rerank model. */
export interface PlatformRerankerProps extends Omit<TextEmbeddingsInferenceProps, 'model'> {
  /** The model. */
  readonly model: RerankModel;
}

/** Where the servers of a platform have their models from. */
export interface PlatformModelStoreProps {
  /**
   * The hub.
   * @default - huggingface.co, without an account
   */
  readonly hub?: ModelHubProps;

  /**
   * A volume into which Jobs download every model once, before its servers start; these then open no connection
   * to any hub.
   * @default - none: every pod downloads its model when it starts
   */
  readonly volume?: SharedVolumeProps;

  /**
   * How the Jobs are run that download into the volume.
   * @default - as any other pods, for two hours at most
   */
  readonly downloads?: LibraryJobOptions & Pick<ModelDownloadProps, 'deadline'>;
}

/** The models of a platform. */
export interface PlatformModelsProps {
  /**
   * The model whose vectors the platform stores and searches. Servers, workers, the API and the collection have it
   * from here.
   * @default - the images of the API and the workers know
   */
  readonly embeddingModel?: EmbeddingModel;

  /**
   * What makes vectors of questions, for the API: a server in the cluster, or a function that makes any other
   * provider: `(_, model) => ExternalModel.openAi({ model, apiKey })`.
   * @default - the API does so itself, which it cannot with a model that is only hosted
   */
  readonly embedder?: PlatformEmbedder;

  /**
   * What makes vectors of documents, for the workers, so that an ingestion does not slow down questions.
   * @default - workers with an accelerator do so themselves, unless the model is only hosted; others use `embedder`
   */
  readonly ingestionEmbedder?: PlatformEmbedder;

  /**
   * What generates answers, for the API: a server in the cluster, or a function that makes any other provider:
   * `() => ExternalModel.openAi({ model, apiKey })`. The longest request of a server is the longest answer of the API
   * unless it is said here; a function is given that answer, where it is said.
   * @default - none
   */
  readonly llm?: VllmProps | ((scope: Construct, longestAnswer?: Duration) => IProvider);

  /**
   * What ranks passages, for the API.
   * @default - none
   */
  readonly reranker?: PlatformRerankerProps | ((scope: Construct) => IProvider);

  /**
   * Where the servers have their models from.
   * @default - every pod downloads its model from huggingface.co when it starts
   */
  readonly models?: PlatformModelStoreProps;
}

/** Where an embedder and its model are described, and what the embedder is called. */
interface EmbedderPlace {
  readonly id: string;
  readonly setting: string;
  readonly model: string;
}

const PRESENT: EmbedderPlace = { id: 'embedder', setting: 'embedder', model: 'embeddingModel' };
const INGESTION: EmbedderPlace = { id: 'ingestion-embedder', setting: 'ingestionEmbedder', model: 'embeddingModel' };
const NEXT: EmbedderPlace = {
  id: 'next-embedder',
  setting: 'collection.next.embedder',
  model: 'collection.next.model',
};

/** The model servers of a platform, each named like the setting that describes it. */
export class PlatformModels {
  /** What makes vectors of questions. */
  public readonly embedder?: IProvider;
  /** What makes vectors of documents. */
  public readonly ingestionEmbedder?: IProvider;
  /** What makes vectors for the collection that takes over. */
  public readonly nextEmbedder?: IProvider;
  /** What generates answers. */
  public readonly llm?: IProvider;
  /** What ranks passages. */
  public readonly reranker?: IProvider;

  private readonly volume?: SharedVolume;
  private readonly downloads = new Map<string, ModelSource>();

  /** @internal */
  public constructor(
    private readonly scope: Construct,
    private readonly props: PlatformModelsProps,
    private readonly embeddingModels: PlatformEmbeddingModels,
    private readonly longestAnswer?: Duration,
  ) {
    const { models = {} } = props;
    this.volume = this.createVolume(models.volume);
    if (models.downloads !== undefined && this.volume === undefined) {
      throw new UsageError(
        'is set, but nothing is downloaded before servers start; set models.volume, or leave it out',
        {
          scope,
          property: 'models.downloads',
        },
      );
    }
    const { present } = embeddingModels;
    this.checkHosted();
    this.embedder = this.createEmbedder(PRESENT, props.embedder, present);
    this.ingestionEmbedder = this.createEmbedder(INGESTION, props.ingestionEmbedder, present);
    this.nextEmbedder = this.createNextEmbedder();
    this.llm = this.createLlm(props.llm);
    this.reranker = this.createReranker(props.reranker);
  }

  /** What the API uses. */
  public get forQuestions(): IProvider[] {
    const embedder = this.switched ? this.nextEmbedder : this.embedder;
    return [this.facts, embedder, this.reranker, this.llm].filter((provider) => provider !== undefined);
  }

  /**
   * What the workers use.
   *
   * @param computing whether they compute themselves
   */
  public forDocuments(computing: boolean): IProvider[] {
    const present = this.ingestionEmbedder ?? this.embedder;
    const provider = this.switched ? this.nextEmbedder : present;
    return [this.facts, computing ? undefined : provider].filter((candidate) => candidate !== undefined);
  }

  /** Whether workers with an accelerator of their own compute with the model, because nobody else is there for that. */
  public get leavesItToWorkers(): boolean {
    return this.ingestionEmbedder === undefined && !(this.served !== undefined && isHostedOnly(this.served));
  }

  /** The model that workers with an accelerator of their own compute with, and where they have it from. */
  public get computed(): Pick<EmbeddingWorkersProps, 'embeddingModel' | 'modelSource'> {
    const { served } = this;
    if (served?.profile === undefined) {
      return {};
    }
    const modelSource = this.sourceOf(served);
    modelSource.check(this.scope, served, { source: 'models', model: 'embeddingModel' });
    return { embeddingModel: served, modelSource };
  }

  /** Lets the Job that fills the next collection use what makes its vectors. */
  public fill(backfill: Job | undefined): void {
    if (this.nextEmbedder !== undefined) {
      backfill?.uses(this.nextEmbedder);
    }
  }

  private get switched(): boolean {
    return this.embeddingModels.switched;
  }

  /** The model whose vectors clients use. */
  private get served(): EmbeddingModel | undefined {
    const { present, next } = this.embeddingModels;
    return this.switched ? next : present;
  }

  /** What everybody who makes or reads vectors has to know, whoever computes them. */
  private get facts(): IProvider | undefined {
    const { served } = this;
    return served && { offerTo: () => ({ endpoints: [], env: served.env(served.role.envPrefix) }) };
  }

  private createVolume(props: SharedVolumeProps | undefined): SharedVolume | undefined {
    const { scope } = this;
    return props && describedBy(scope, 'models.volume', () => new SharedVolume(scope, 'models', props));
  }

  /** A model that only its maker has is left to nobody who would have to compute with it. */
  private checkHosted(): void {
    const { embedder, ingestionEmbedder } = this.props;
    const { present } = this.embeddingModels;
    if (present !== undefined && isHostedOnly(present)) {
      this.refuseServer('embedder', embedder, present);
      if (ingestionEmbedder !== undefined) {
        this.refuseServer('ingestionEmbedder', ingestionEmbedder, present);
      }
    }
  }

  private refuseServer(setting: string, embedder: PlatformEmbedder | undefined, model: EmbeddingModel): void {
    if (typeof embedder !== 'function') {
      const state = embedder === undefined ? 'is missing' : 'is a server in the cluster';
      throw new UsageError(
        `${state}, but nothing here can compute with ${model.id}, which is only hosted; name the service that has it, ` +
          `${setting}.external in an environment file and a function that makes an ExternalModel elsewhere, or take ` +
          'another model',
        { scope: this.scope, property: setting },
      );
    }
  }

  /** What makes vectors for the next collection: its own, or a server of the new model like that of the present one. */
  private createNextEmbedder(): IProvider | undefined {
    const { next, nextEmbedder } = this.embeddingModels;
    if (next === undefined) {
      return undefined;
    }
    if (isHostedOnly(next)) {
      this.refuseServer(NEXT.setting, nextEmbedder, next);
    }
    if (nextEmbedder !== undefined) {
      return this.createEmbedder(NEXT, nextEmbedder, next);
    }
    const { ingestionEmbedder, embedder } = this.props;
    const setting = ingestionEmbedder === undefined ? 'embedder' : 'ingestionEmbedder';
    const present = ingestionEmbedder ?? embedder;
    if (typeof present === 'function') {
      throw new UsageError(
        `is missing, but ${setting} is no server of the platform and may not have ${next.id}; say what makes vectors ` +
          'with it',
        { scope: this.scope, property: NEXT.setting },
      );
    }
    return this.createEmbedder({ ...NEXT, setting }, present, next);
  }

  private createEmbedder(
    { id, setting, model: modelSetting }: EmbedderPlace,
    props: PlatformEmbedder | undefined,
    model: EmbeddingModel | undefined,
  ): IProvider | undefined {
    if (props === undefined) {
      return undefined;
    }
    const { scope } = this;
    if (model === undefined) {
      throw new UsageError('is missing, so nobody knows what to serve; name the model', {
        scope,
        property: modelSetting,
      });
    }
    if (typeof props === 'function') {
      return made(() => props(scope, model), { scope, property: modelSetting });
    }
    const create = () => new TextEmbeddingsInference(scope, id, { ...this.withSource(props, model), model });
    // What is described at a setting of the same name is refused there anyway.
    const described = () => (id === NEXT.id ? describedBy(scope, setting, create) : create());
    return made(described, { scope, property: modelSetting });
  }

  private createLlm(props: PlatformModelsProps['llm']): IProvider | undefined {
    if (props === undefined || typeof props === 'function') {
      return props?.(this.scope, this.longestAnswer);
    }
    // What the API may take, the server that generates it must have time for, also when it is told to stop.
    const longestRequest = props.longestRequest ?? this.longestAnswer;
    return made(() => new Vllm(this.scope, 'llm', { ...this.withSource(props, props.model), longestRequest }), {
      scope: this.scope,
      property: 'llm.model',
    });
  }

  private createReranker(props: PlatformModelsProps['reranker']): IProvider | undefined {
    if (props === undefined || typeof props === 'function') {
      return props?.(this.scope);
    }
    return made(() => new TextEmbeddingsInference(this.scope, 'reranker', this.withSource(props, props.model)), {
      scope: this.scope,
      property: 'reranker.model',
    });
  }

  private withSource<Props extends ModelServerOptions>(props: Props, model: IModel): Props {
    return { ...props, source: props.source ?? this.sourceOf(model) };
  }

  /** Two servers of one model share its download. */
  private sourceOf(model: IModel): ModelSource {
    const { hub } = this.props.models ?? {};
    if (this.volume === undefined) {
      return hub === undefined ? ModelSource.HUGGING_FACE : ModelSource.hub(hub);
    }
    const key = `${model.id}@${model.revision ?? ''}`;
    const source = this.downloads.get(key) ?? this.download(model, this.volume);
    this.downloads.set(key, source);
    return source;
  }

  private download(model: IModel, volume: SharedVolume): ModelSource {
    const last = model.id.split('/').at(-1) ?? model.id;
    // Models of two authors may have one name, and one may be wanted at two commits.
    const candidates = [last, model.id, `${(model.revision ?? 'main').slice(0, 12)}-${model.id}`];
    const names = candidates.map((candidate) => `download-${objectNameOf(candidate)}`);
    const name = names.find((free) => this.scope.node.tryFindChild(free) === undefined) ?? (names[0] as string);
    const { hub, downloads } = this.props.models ?? {};
    const props = { ...downloads, model, volume, hub };
    const setting = (property: string) => (/^(hub|model|volume)\b/.test(property) ? 'models' : 'models.downloads');
    return describedBy(this.scope, setting, () => new ModelDownload(this.scope, name, props)).source;
  }
}

/** What is made of a model; when the server or its download refuses the model, that is refused where the model is named. */
function made(make: () => IProvider, site: { readonly scope: Construct; readonly property: string }): IProvider {
  try {
    return make();
  } catch (error) {
    throw error instanceof UsageError && /(^|\.)model$/.test(error.property)
      ? new UsageError(error.problem, site)
      : error;
  }
}

/** A model's id, or the last part of it, in a DNS label: `bge-m3` of `BAAI/bge-m3`. */
function objectNameOf(id: string): string {
  return id
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 50)
    .replaceAll(/^-|-$/g, '');
}
