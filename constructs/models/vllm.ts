import { Duration, Size } from 'cdk8s';
import type { Construct } from 'constructs';
import { DefaultImages } from '../default-images';
import type { Port } from '../network/port';
import type { Accelerator } from '../placement/accelerator';
import { Cluster } from '../placement/cluster';
import { UsageError } from '../rules/usage-error';
import { EnvValue } from '../workload/env-value';
import { Probe } from '../workload/probe';
import { type Mount, Volume } from '../workload/volume';
import { ChatModel } from './chat-model';
import { checkContext, contextOf } from './context-window';
import type { EmbeddingModel } from './embedding-model';
import { ModelFit } from './model-fit';
import { ModelServer, type ModelServerDetails, type ModelServerOptions, temporaryFiles } from './model-server';
import { COMMIT, ModelSource } from './model-source';
import { Precision } from './precision';
import { refusedArgument, type ServerArgument, serverArgument } from './server-argument';

/** A server of a large model. */
export interface VllmProps extends ModelServerOptions {
  /** The model: text, or embeddings. */
  readonly model: ChatModel | EmbeddingModel;

  /** Kind of GPU that each server needs. */
  readonly accelerator: Accelerator;

  /**
   * GPUs of each server, 1, 2, 4 or 8; the weights are divided among them.
   * @default - the fewest that the model fits
   */
  readonly accelerators?: number;

  /**
   * Tokens of the longest request, prompt and answer together; at most what the model can attend to. The
   * key-value cache must hold one such request.
   * @default - what the model can attend to, and at most 8192
   */
  readonly contextTokens?: number;

  /**
   * Part of each GPU's memory that the server takes, above 0 and at most 1. It must be said on a GPU that others
   * share.
   * @default 0.92, vLLM's own
   */
  readonly memoryUtilization?: number;

  /**
   * Number format of the key-value cache: {@link Precision.FP8} halves it.
   * @default Precision.BF16
   */
  readonly cachePrecision?: Precision;

  /**
   * Further arguments of `vllm serve`: `['--enable-auto-tool-choice', '--tool-call-parser', 'hermes']`. Those that follow
   * from other settings, such as `--tensor-parallel-size` from {@link accelerators}, are refused, and so are those that
   * change the address or leave the weights out. Name and value are two words, or joined by `=`.
   * @default - none
   */
  readonly args?: string[];
}

const PORT: Port = { name: 'http', number: 8000, appProtocol: 'http' };
const HOME = '/home/vllm';
const DEFAULT_UTILIZATION = 0.92;

/** Below this compute capability GPUs have no bfloat16. */
const BFLOAT16_CAPABILITY = 8;

/** Where a reader finds what the estimate says. */
const FIT_ANNOTATION = 'cdk8s-rag/model-fit';

/**
 * vLLM behind OpenAI's API.
 *
 * Source: vLLM docs, "OpenAI-Compatible Server", "Using Kubernetes", "Engine Arguments", "Pooling Models".
 */
export class Vllm extends ModelServer {
  /** How the model fits its GPUs; undefined when the model's size is unknown. */
  public readonly fit?: ModelFit;

  public constructor(scope: Construct, id: string, props: VllmProps) {
    super(scope, id, props, (server) => detailsOf(server, props));
    this.fit = fitOf(props);
    if (this.fit !== undefined) {
      this.workload.deployment.metadata.addAnnotation(FIT_ANNOTATION, this.fit.summary);
    }
  }
}

function detailsOf(server: Construct, props: VllmProps): ModelServerDetails {
  checkUtilization(server, props);
  checkAccelerators(server, props);
  checkContext(server, props);
  const fit = fitOf(props);
  fit?.check(server, props.model.id);
  const accelerators = fit?.accelerators ?? props.accelerators ?? 1;
  const sharedMemory = Size.gibibytes(accelerators > 1 ? 8 : 2);
  const alive = Probe.http('/health', PORT, { timeout: Duration.seconds(5), failures: 6 });
  return {
    model: props.model,
    image: DefaultImages.VLLM,
    args: [...argumentsOf(props, accelerators), ...refusedArguments(server)],
    furtherArgs: props.args,
    env: {
      HOME: EnvValue.of(HOME),
      // Its own is below HOME too, beside the caches, where nothing can be written.
      TRITON_CACHE_DIR: EnvValue.of(`${HOME}/.cache/triton`),
      VLLM_NO_USAGE_STATS: EnvValue.of('1'),
    },
    apiKeyVariable: 'VLLM_API_KEY',
    mounts: mountsOf(sharedMemory),
    port: PORT,
    metricsPort: PORT,
    ready: Probe.http('/health', PORT, { timeout: Duration.seconds(5), period: Duration.seconds(5) }),
    alive,
    basePath: '/v1',
    // The image's own user; its caches belong to group 0.
    user: { uid: 2000, gid: 0 },
    workingMemory: Size.gibibytes(4 + sharedMemory.toGibibytes()),
    // Compilation and the capture of CUDA graphs.
    warmup: Duration.minutes(5),
    longestRequest: longestRequest(props),
    accelerators,
    // A client that filled the model's whole context would be refused by this server.
    contextTokens: props.model instanceof ChatModel ? contextOf(props) : undefined,
  };
}

/** Numbers are arguments, because scanners take variables like MAX_NUM_BATCHED_TOKENS for secrets. */
function argumentsOf(props: VllmProps, accelerators: number): ServerArgument[] {
  const { model, accelerator, cachePrecision, source = ModelSource.HUGGING_FACE } = props;
  const { computeCapability = BFLOAT16_CAPABILITY } = accelerator;
  const pooling = model instanceof ChatModel ? undefined : 'pooling';
  const utilization = String(props.memoryUtilization ?? DEFAULT_UTILIZATION);
  const fromModel = { setting: 'model' };
  const fromAccelerators = { setting: 'accelerators' };
  return [
    { flag: '--model', words: [source.locate(model)], ...fromModel },
    serverArgument('--revision', source.revisionOf(model), fromModel),
    serverArgument('--served-model-name', model.id, fromModel),
    serverArgument('--port', String(PORT.number)),
    serverArgument('--runner', pooling, fromModel),
    serverArgument('--convert', pooling && 'embed', fromModel),
    ...(computeCapability < BFLOAT16_CAPABILITY ? [serverArgument('--dtype', 'float16')] : []),
    serverArgument('--max-model-len', String(contextOf(props)), { setting: 'contextTokens' }),
    serverArgument('--gpu-memory-utilization', utilization, { setting: 'memoryUtilization' }),
    serverArgument('--tensor-parallel-size', accelerators > 1 ? String(accelerators) : undefined, {
      ...fromAccelerators,
      aliases: ['-tp'],
    }),
    // The other ways to use several GPUs, which a pod has only as accelerators says.
    serverArgument('--pipeline-parallel-size', undefined, { ...fromAccelerators, aliases: ['-pp'] }),
    serverArgument('--data-parallel-size', undefined, { ...fromAccelerators, aliases: ['-dp'] }),
    serverArgument('--kv-cache-dtype', cachePrecision === Precision.FP8 ? 'fp8' : undefined, {
      setting: 'cachePrecision',
    }),
    // Otherwise SIGTERM ends the answers that are under way.
    serverArgument('--shutdown-timeout', String(longestRequest(props).toSeconds()), { setting: 'longestRequest' }),
    serverArgument('--api-key', undefined, { setting: 'apiKey' }),
  ];
}

const ADDRESS = 'but Services, probes and clients use plain HTTP at port 8000 on every address';

/** What would make the server another one than its Service, its fit and its model say. */
function refusedArguments(server: Construct): ServerArgument[] {
  const { requireDigest } = Cluster.of(server).registry;
  const commit = 'but registry.requireDigest wants a commit there, 40 hexadecimal digits';
  return [
    ...['--host', '--uds', '--ssl-keyfile', '--ssl-certfile', '--root-path'].map((flag) =>
      refusedArgument(flag, ADDRESS),
    ),
    refusedArgument('--config', 'a file that may say what the library derives, unchecked'),
    refusedArgument('--load-format', 'which makes up the weights', { allowed: /^(?!dummy$)./ }),
    ...(requireDigest
      ? [
          refusedArgument('--tokenizer-revision', commit, { allowed: COMMIT, beginnings: ['--tokenizer'] }),
          refusedArgument('--code-revision', commit, { allowed: COMMIT }),
        ]
      : []),
  ];
}

function mountsOf(sharedMemory: Size): Mount[] {
  return [
    temporaryFiles(),
    // Compiled graphs; without them every start compiles again.
    { volume: Volume.scratch('cache', Size.gibibytes(5)), path: `${HOME}/.cache` },
    { volume: Volume.memory('shm', sharedMemory), path: '/dev/shm' },
  ];
}

function longestRequest({ longestRequest: chosen, model }: VllmProps): Duration {
  return chosen ?? Duration.minutes(model instanceof ChatModel ? 4 : 1);
}

function fitOf(props: VllmProps): ModelFit | undefined {
  const { model, accelerator, accelerators, memoryUtilization, cachePrecision } = props;
  if (model.profile === undefined) {
    return undefined;
  }
  const asked = {
    profile: model.profile,
    accelerator,
    memoryUtilization: memoryUtilization ?? DEFAULT_UTILIZATION,
    contextTokens: contextOf(props),
    cachePrecision,
  };
  return accelerators === undefined ? ModelFit.fewest(asked) : new ModelFit({ ...asked, accelerators });
}

const TENSOR_PARALLEL = [1, 2, 4, 8];

function checkAccelerators(scope: Construct, { accelerators }: VllmProps): void {
  if (accelerators !== undefined && !TENSOR_PARALLEL.includes(accelerators)) {
    throw new UsageError(`is ${accelerators}, but weights are divided among ${TENSOR_PARALLEL.join(', ')}`, {
      scope,
      property: 'accelerators',
    });
  }
}

function checkUtilization(scope: Construct, { accelerator, memoryUtilization }: VllmProps): void {
  if (memoryUtilization === undefined && accelerator.isShared) {
    throw new UsageError(
      `is missing, but ${accelerator.name} has its memory in common with others, so nobody else knows how much is ` +
        'left for this server; say the part that it may take',
      { scope, property: 'memoryUtilization' },
    );
  }
  if (memoryUtilization !== undefined && !(memoryUtilization > 0 && memoryUtilization <= 1)) {
    throw new UsageError(`is ${memoryUtilization}, but must be above 0 and at most 1`, {
      scope,
      property: 'memoryUtilization',
    });
  }
}
