import { Duration, Size } from 'cdk8s';
import type { Construct } from 'constructs';
import { DefaultImages } from '../default-images';
import type { Port } from '../network/port';
import { EnvValue } from '../workload/env-value';
import { Probe } from '../workload/probe';
import { scriptFile } from '../workload/script-file';
import type { SharedVolume } from '../workload/shared-volume';
import { Volume } from '../workload/volume';
import { ChatModel } from './chat-model';
import { checkContext, contextOf } from './context-window';
import type { EmbeddingModel } from './embedding-model';
import {
  checkAtLeastOne,
  checkFit,
  ModelServer,
  type ModelServerDetails,
  type ModelServerOptions,
  temporaryFiles,
} from './model-server';
import { ModelSource } from './model-source';
import { Precision } from './precision';

/** A small server, for development and small sites. */
export interface OllamaProps extends Omit<ModelServerOptions, 'source' | 'apiKey'> {
  /**
   * The model, by its name in Ollama's registry: `ChatModel.of({ id: 'qwen2.5:7b', … })`. Of a model that generates text,
   * the tag says the number format of the weights unless the profile does: `fp16`, `bf16` and `q8_0` at its end, otherwise
   * {@link Precision.Q4_K_M}, in which the registry has most of them.
   */
  readonly model: ChatModel | EmbeddingModel;

  /**
   * Volume that pods share, so that only the first one pulls the model.
   * @default - each pod pulls it into space of its own
   */
  readonly volume?: SharedVolume;

  /**
   * Requests that are answered at once; each takes room in the key-value cache.
   * @default 1
   */
  readonly parallel?: number;

  /**
   * Tokens of the longest request, prompt and answer together; at most what the model can attend to. Ollama cuts
   * off what is longer, and says nothing. Each of the parallel requests takes room for as many in memory.
   * @default - what the model can attend to, and at most 8192
   */
  readonly contextTokens?: number;
}

const PORT: Port = { name: 'http', number: 11434, appProtocol: 'http' };
const START = '/opt/ollama/ollama-start.sh';
const READY_DIRECTORY = '/run/ollama';
const READY_FILE = `${READY_DIRECTORY}/ready`;

/**
 * Ollama behind OpenAI's API. It pulls its model when it starts, and is ready only when the model is there. It has
 * neither keys nor metrics.
 *
 * Source: ollama/ollama, `envconfig/config.go`, `docs/openai.md`, `docs/faq.md`.
 */
export class Ollama extends ModelServer {
  public constructor(scope: Construct, id: string, props: OllamaProps) {
    super(scope, id, props, (server) => detailsOf(server, props));
    checkFit(this, storedModel(props.model), props.accelerator, contextOf(props) * (props.parallel ?? 1));
    this.workload.addConfigFiles({ [START]: scriptFile(__dirname, 'ollama-start.sh') });
  }
}

/** Number formats by the end of a tag; a tag without one stands for a build in 4 bits. */
const TAGS: { readonly [end: string]: Precision } = {
  fp16: Precision.FP16,
  bf16: Precision.BF16,
  q8_0: Precision.INT8,
};

/** The model as the registry has it; embedding models are there in 16 bits, as their profiles say. */
function storedModel(model: ChatModel | EmbeddingModel): ChatModel | EmbeddingModel {
  if (!(model instanceof ChatModel) || model.profile === undefined) {
    return model;
  }
  const end = Object.keys(TAGS).find((name) => model.id.toLowerCase().endsWith(`-${name}`));
  const precision = (end === undefined ? undefined : TAGS[end]) ?? Precision.Q4_K_M;
  return model.withProfile(model.id, model.profile.unlessSaid(precision));
}

function detailsOf(scope: Construct, props: OllamaProps): ModelServerDetails {
  const { model, volume, parallel = 1 } = props;
  checkAtLeastOne(scope, { parallel });
  checkContext(scope, props);
  const alive = Probe.http('/api/version', PORT, { timeout: Duration.seconds(5), failures: 6 });
  return {
    model: storedModel(model),
    image: DefaultImages.OLLAMA,
    command: ['sh', START],
    args: [],
    env: {
      OLLAMA_HOST: EnvValue.of(`0.0.0.0:${PORT.number}`),
      OLLAMA_MODELS: EnvValue.of('/models'),
      OLLAMA_MODEL: EnvValue.of(model.id),
      OLLAMA_READY: EnvValue.of(READY_FILE),
      OLLAMA_NUM_PARALLEL: EnvValue.of(String(parallel)),
      // Its own default is by the memory of the GPU, 4096 tokens on most.
      OLLAMA_CONTEXT_LENGTH: EnvValue.of(String(contextOf(props))),
      // The pod serves nothing else, so the model stays in memory.
      OLLAMA_KEEP_ALIVE: EnvValue.of('-1'),
      // When it starts it deletes what belongs to no model: half a pull, and what another pod is pulling just now.
      OLLAMA_NOPRUNE: EnvValue.of('1'),
    },
    source: ModelSource.ollamaRegistry(volume),
    mounts: [temporaryFiles(), { volume: Volume.memory('ready', Size.mebibytes(1)), path: READY_DIRECTORY }],
    port: PORT,
    ready: Probe.exec(['test', '-e', READY_FILE], { period: Duration.seconds(5) }),
    alive,
    basePath: '/v1',
    workingMemory: Size.gibibytes(2),
    // It answers before it has pulled the model, so the time that the pull takes needs no budget.
    warmup: Duration.minutes(1),
    longestRequest: Duration.minutes(model instanceof ChatModel ? 4 : 1),
    contextTokens: model instanceof ChatModel ? contextOf(props) : undefined,
  };
}
