import { Duration, Size } from 'cdk8s';
import type { Construct } from 'constructs';
import { DefaultImages } from '../default-images';
import type { Port } from '../network/port';
import type { Accelerator } from '../placement/accelerator';
import { UsageError } from '../rules/usage-error';
import { EnvValue } from '../workload/env-value';
import type { Image } from '../workload/image';
import { Probe } from '../workload/probe';
import type { EmbeddingModel } from './embedding-model';
import { ModelRole } from './model';
import {
  checkAtLeastOne,
  checkFit,
  ModelServer,
  type ModelServerDetails,
  type ModelServerOptions,
  temporaryFiles,
} from './model-server';
import { ModelSource } from './model-source';
import type { RerankModel } from './rerank-model';
import { type ServerArgument, serverArgument } from './server-argument';

/** A server of an embedding or rerank model. */
export interface TextEmbeddingsInferenceProps extends ModelServerOptions {
  /** The model: embeddings, or the ranking of passages. */
  readonly model: EmbeddingModel | RerankModel;

  /**
   * Tokens that are computed at once, over all requests together. More of them use a GPU better and take more of
   * its memory; on a CPU, where the memory for attention grows with them and with the length of a text, they decide
   * whether the server survives its first batch. A text can have no more: what is longer is cut off, without a word
   * to the client, which is therefore told of this limit as `<PREFIX>_SERVED_TOKENS` when the model would read more.
   * @default - 16384, and 2048 on the CPU
   */
  readonly maxBatchTokens?: number;

  /**
   * Texts that one request may hold; servers for ingestion want more than those for queries.
   * @default 32
   */
  readonly maxClientBatchSize?: number;

  /**
   * Requests that may be under way, those that wait included; more are refused with status 429.
   * @default 512
   */
  readonly maxConcurrentRequests?: number;

  /**
   * Threads that cut texts into tokens.
   * @default - as many as the CPUs that it asks for, and 2 where nothing is said
   */
  readonly tokenizationWorkers?: number;
}

const PORT: Port = { name: 'http', number: 8080, appProtocol: 'http' };
const METRICS: Port = { name: 'metrics', number: 9000, appProtocol: 'http' };

/** Texts of pages rather than chapters. A batch of 16384 tokens of bge-m3 needs tens of gigabytes. */
const CPU_BATCH_TOKENS = 2048;
const GPU_BATCH_TOKENS = 16384;

/**
 * Bytes for each pair of tokens, one of the batch and one of the same text: scores of 4 bytes for each of up to 32
 * attention heads, and what the softmax makes of them. There is no flash attention that would do without on a CPU.
 */
const BYTES_PER_PAIR = 2 * 32 * 4;
const BYTES_PER_MEBIBYTE = 2 ** 20;

/** Compute capabilities from Turing to Blackwell; V100 (7.0) is not among them. */
const LEAST_CAPABILITY = 7.5;

/**
 * Hugging Face Text Embeddings Inference: embeddings in the form of OpenAI's API at `/v1/embeddings`, and
 * rankings at `/rerank`.
 *
 * Source: huggingface/text-embeddings-inference 1.9, README and "CLI arguments".
 */
export class TextEmbeddingsInference extends ModelServer {
  public constructor(scope: Construct, id: string, props: TextEmbeddingsInferenceProps) {
    super(scope, id, props, (server) => detailsOf(server, props));
    checkFit(this, props.model, props.accelerator);
  }
}

function detailsOf(scope: Construct, props: TextEmbeddingsInferenceProps): ModelServerDetails {
  const { model, accelerator, source = ModelSource.HUGGING_FACE } = props;
  const batchTokens = batchTokensOf(props);
  const alive = Probe.http('/health', PORT, { timeout: Duration.seconds(5), failures: 6 });
  return {
    model,
    image: imageFor(scope, accelerator),
    args: argumentsOf(scope, props, source),
    argumentVariables: true,
    env: {
      // Its default in this release; without it the server does not start when a text may be longer than a batch.
      AUTO_TRUNCATE: EnvValue.of('true'),
    },
    apiKeyVariable: 'API_KEY',
    mounts: [temporaryFiles()],
    port: PORT,
    metricsPort: METRICS,
    ready: Probe.http('/health', PORT, { timeout: Duration.seconds(5), period: Duration.seconds(5) }),
    alive,
    basePath: model.role === ModelRole.RERANK ? '/rerank' : '/v1',
    workingMemory: workingMemory(props),
    // CPUs compute in 32 bits.
    weightFactor: accelerator === undefined ? 2 : 1,
    warmup: Duration.minutes(1),
    longestRequest: Duration.minutes(1),
    servedTokens: batchTokens < model.maxTokens ? batchTokens : undefined,
  };
}

function batchTokensOf({ maxBatchTokens, accelerator }: TextEmbeddingsInferenceProps): number {
  return maxBatchTokens ?? (accelerator === undefined ? CPU_BATCH_TOKENS : GPU_BATCH_TOKENS);
}

/** Memory beside the weights. The server tries the largest batch when it starts, so too little shows at once. */
function workingMemory(props: TextEmbeddingsInferenceProps): Size {
  if (props.accelerator !== undefined) {
    return Size.gibibytes(2);
  }
  const batchTokens = batchTokensOf(props);
  const pairs = batchTokens * Math.min(batchTokens, props.model.maxTokens);
  return Size.mebibytes(1024 + Math.ceil((pairs * BYTES_PER_PAIR) / BYTES_PER_MEBIBYTE));
}

/** Numbers are arguments, because scanners take variables like MAX_BATCH_TOKENS for secrets. */
function argumentsOf(scope: Construct, props: TextEmbeddingsInferenceProps, source: ModelSource): ServerArgument[] {
  const { model, maxClientBatchSize = 32, maxConcurrentRequests = 512 } = props;
  const maxBatchTokens = batchTokensOf(props);
  checkAtLeastOne(scope, { maxBatchTokens, maxClientBatchSize, maxConcurrentRequests });
  const fromModel = { setting: 'model' };
  return [
    serverArgument('--model-id', source.locate(model), fromModel),
    serverArgument('--revision', source.revisionOf(model), fromModel),
    // Its own name for a model in a folder would be the folder.
    serverArgument('--served-model-name', model.id, fromModel),
    // Otherwise it takes the pod's name, which is in HOSTNAME, for the address to listen on.
    serverArgument('--hostname', '0.0.0.0'),
    serverArgument('--port', String(PORT.number)),
    serverArgument('--prometheus-port', String(METRICS.number)),
    serverArgument('--max-batch-tokens', String(maxBatchTokens), { setting: 'maxBatchTokens' }),
    serverArgument('--max-client-batch-size', String(maxClientBatchSize), { setting: 'maxClientBatchSize' }),
    serverArgument('--max-concurrent-requests', String(maxConcurrentRequests), { setting: 'maxConcurrentRequests' }),
    // Its own default is the number of the node's cores, whatever the container may use of them.
    serverArgument('--tokenization-workers', String(tokenizationWorkers(scope, props)), {
      setting: 'tokenizationWorkers',
    }),
    { flag: '--json-output', words: ['--json-output'] },
    // Where it writes is mounted, and the memory follows from the number format of the image's own choice.
    ...['--uds-path', '--huggingface-hub-cache', '--dtype'].map((flag) => ({ flag, words: [] })),
  ];
}

function tokenizationWorkers(
  scope: Construct,
  { tokenizationWorkers: chosen, resources }: TextEmbeddingsInferenceProps,
): number {
  if (chosen !== undefined) {
    checkAtLeastOne(scope, { tokenizationWorkers: chosen });
    return chosen;
  }
  const cpus = Number.parseFloat(resources?.cpu.amount ?? '2');
  return Math.max(1, Math.floor(resources?.cpu.amount.endsWith('m') === true ? cpus / 1000 : cpus));
}

/** The build for an accelerator; the one for all GPUs chooses at start and is larger. */
function imageFor(scope: Construct, accelerator: Accelerator | undefined): Image {
  if (accelerator === undefined) {
    return DefaultImages.TEXT_EMBEDDINGS_INFERENCE_CPU;
  }
  const { computeCapability } = accelerator;
  if (computeCapability !== undefined && computeCapability < LEAST_CAPABILITY) {
    throw new UsageError(
      `is ${accelerator.name} of compute capability ${computeCapability}, but the server needs ${LEAST_CAPABILITY} or more`,
      { scope, property: 'accelerator' },
    );
  }
  return computeCapability === 8.9
    ? DefaultImages.TEXT_EMBEDDINGS_INFERENCE_ADA
    : DefaultImages.TEXT_EMBEDDINGS_INFERENCE_CUDA;
}
