import { Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { EmbeddingModel } from '../models/embedding-model';
import { ModelSource } from '../models/model-source';
import type { Accelerator } from '../placement/accelerator';
import { kibibytesOf, sizeText } from '../rules/quantity';
import { checkSeconds } from '../rules/time-span';
import { UsageError } from '../rules/usage-error';
import { Scaling } from '../scaling/scaling';
import { Deployment, type DeploymentOptions } from '../workload/deployment';
import { EnvValue } from '../workload/env-value';
import type { Image } from '../workload/image';
import type { PodUser } from '../workload/pod-template';
import { Probe } from '../workload/probe';
import type { IProvider } from '../workload/provider';
import type { Resources } from '../workload/resources';
import { type Mount, Volume } from '../workload/volume';
import type { ProgramOptions } from '../workload/workload';

/** Workers that turn documents into vectors. */
export interface EmbeddingWorkersProps extends ProgramOptions, DeploymentOptions {
  /**
   * What runs: a worker that takes tasks from the broker, finishes the task at hand on SIGTERM, and touches
   * the file `WORKER_HEARTBEAT_FILE` at least every 30 seconds while its main loop is alive.
   */
  readonly image: Image;

  /**
   * Program and first arguments, such as `['celery', '-A', 'app', 'worker']`.
   * @default - the image's entrypoint
   */
  readonly command?: string[];

  /**
   * Arguments.
   * @default - the image's
   */
  readonly args?: string[];

  /**
   * Kind of GPU that each worker needs.
   * @default - none: workers compute on the CPU
   */
  readonly accelerator?: Accelerator;

  /**
   * Units of the accelerator per worker.
   * @default 1 with an accelerator
   */
  readonly accelerators?: number;

  /**
   * Time that the longest task takes. A worker that is told to stop has this long to finish. The program
   * gets it as `LONGEST_TASK_SECONDS`. The broker must not hand a task to another worker before that: of a RabbitMQ and
   * an SQS queue this is checked, of a Redis and a Service Bus the program sees to it (docs/queues.md, "Celery").
   * @default Duration.minutes(10)
   */
  readonly longestTask?: Duration;

  /**
   * How many workers there are, and who decides. With a minimum of 0 the last worker stays until a task that it
   * lost would have been handed out again: `cooldown` is at least, and by default, `longestTask` and 10 minutes.
   * @default Scaling.fixed(1)
   */
  readonly scaling?: Scaling;

  /**
   * What each worker asks for, GPU apart.
   * @default - 1 CPU and 4 GiB
   */
  readonly resources?: Resources;

  /**
   * Model that the workers compute with themselves. They get its facts, `EMBEDDING_MODEL` and the others.
   * @default - they use a server, or their image knows
   */
  readonly embeddingModel?: EmbeddingModel;

  /**
   * Where they have that model from: from a hub it comes into `HF_HOME`, where Hugging Face libraries look; in a
   * volume it is at `EMBEDDING_MODEL_PATH`.
   * @default - with `embeddingModel` {@link ModelSource.HUGGING_FACE}, otherwise their image
   */
  readonly modelSource?: ModelSource;

  /**
   * Space for temporary files at `/tmp`, such as the documents at hand.
   * @default Size.gibibytes(2)
   */
  readonly temporaryStorage?: Size;

  /**
   * Shared memory between the processes of a worker, at `/dev/shm`; part of its memory.
   * @default - 64 MiB, as container runtimes give
   */
  readonly sharedMemory?: Size;

  /**
   * Time that a worker may take to start, loading the model included.
   * @default Duration.minutes(10)
   */
  readonly startupBudget?: Duration;

  /**
   * Port on which each worker serves Prometheus metrics at `/metrics`.
   * @default - no metrics
   */
  readonly metricsPort?: number;

  /**
   * User and group of the process.
   * @default - user and group 10001
   */
  readonly user?: PodUser;
}

/** Time that the longest task takes where nobody says. */
export const LONGEST_TASK = Duration.minutes(10);

const DEFAULT_MEMORY = Size.gibibytes(4);
const HEARTBEAT_DIRECTORY = '/run/worker';
const HEARTBEAT_FILE = `${HEARTBEAT_DIRECTORY}/heartbeat`;

/** Time after the longest task in which the process ends. */
const SHUTDOWN_MARGIN_SECONDS = 30;

/**
 * Time after the longest task in which a task whose worker was lost is handed out again: the broker waits
 * 5 minutes longer than the task may take (docs/queues.md), and only a worker that runs takes notice.
 */
const REDELIVERY_MARGIN_SECONDS = 600;

/** Workers of the ingestion: they pull tasks, so nothing connects to them and no Service is in front. */
export class EmbeddingWorkers extends Construct {
  /** The Deployment and what belongs to it. */
  public readonly workload: Deployment;

  public constructor(scope: Construct, id: string, props: EmbeddingWorkersProps) {
    super(scope, id);
    checkSharedMemory(this, props);
    const longestTask = props.longestTask ?? LONGEST_TASK;
    checkSeconds(this, 'longestTask', longestTask);
    const metricsPort = props.metricsPort === undefined ? undefined : { name: 'metrics', number: props.metricsPort };
    this.workload = new Deployment(this, 'Resource', {
      ...props,
      longestTask,
      component: 'ingestion',
      scaling: props.scaling ?? Scaling.fixed(1),
      longestWork: Duration.seconds(longestTask.toSeconds() + REDELIVERY_MARGIN_SECONDS),
      gracePeriod: Duration.seconds(longestTask.toSeconds() + SHUTDOWN_MARGIN_SECONDS),
      metricsPort,
      container: {
        image: props.image,
        command: props.command,
        args: props.args,
        env: {
          LONGEST_TASK_SECONDS: EnvValue.of(String(longestTask.toSeconds())),
          WORKER_HEARTBEAT_FILE: EnvValue.of(HEARTBEAT_FILE),
        },
        ports: metricsPort && [metricsPort],
        resources: props.resources ?? { cpu: Cpu.units(1), memory: DEFAULT_MEMORY },
        // The volume outlives the container, and the heartbeat of the last one says nothing of this one.
        postStart: ['rm', '-f', HEARTBEAT_FILE],
        ...heartbeatProbes(props.startupBudget ?? Duration.minutes(10)),
        mounts: mountsOf(props),
      },
    });
    this.addModel(props);
  }

  /** Has the model that the workers compute with come to them. */
  private addModel(props: EmbeddingWorkersProps): void {
    if (props.embeddingModel !== undefined) {
      const source = sourceOf(props);
      source.check(this, props.embeddingModel, { source: 'modelSource', model: 'embeddingModel' });
      source.mountedBy(this.workload.pods);
      this.workload.uses(modelProvider(props.embeddingModel, source));
    }
  }

  /** Lets the workers use these providers. */
  public uses(...providers: IProvider[]): void {
    this.workload.uses(...providers);
  }
}

/**
 * The age of a file says whether the main loop is alive. Asking the worker through its broker instead
 * (`celery inspect ping`) starts an interpreter every time, and restarts every worker when the broker is away.
 */
function heartbeatProbes(startupBudget: Duration): { startup: Probe; liveness: Probe } {
  const timing = { period: Duration.seconds(30), timeout: Duration.seconds(10) };
  const exists = Probe.exec(['test', '-e', HEARTBEAT_FILE], { ...timing, period: Duration.seconds(10) });
  const fresh = ['sh', '-c', `test -n "$(find ${HEARTBEAT_FILE} -mmin -2)"`];
  return { startup: exists.within(startupBudget), liveness: Probe.exec(fresh, timing) };
}

/** Shared memory is part of the memory: as much of it as there is memory would leave none for the process. */
function checkSharedMemory(scope: Construct, { sharedMemory, resources }: EmbeddingWorkersProps): void {
  const memory = resources?.memory ?? DEFAULT_MEMORY;
  if (sharedMemory !== undefined && kibibytesOf(sharedMemory) >= kibibytesOf(memory)) {
    throw new UsageError(
      `is ${sizeText(sharedMemory)}, but is part of the memory, which is ${sizeText(memory)}; raise resources.memory`,
      {
        scope,
        property: 'sharedMemory',
      },
    );
  }
}

function sourceOf({ embeddingModel, modelSource }: EmbeddingWorkersProps): ModelSource {
  return modelSource ?? (embeddingModel === undefined ? ModelSource.IMAGE : ModelSource.HUGGING_FACE);
}

/** What the workers know of the model that they compute with, and whom they have it from. */
function modelProvider(model: EmbeddingModel, source: ModelSource): IProvider {
  const { envPrefix } = model.role;
  return {
    offerTo: (client) => {
      const offer = source.offerTo(client);
      const path = source.locate(model);
      return {
        ...offer,
        env: {
          ...offer.env,
          ...model.env(envPrefix),
          ...(path === model.id ? {} : { [`${envPrefix}_MODEL_PATH`]: EnvValue.of(path) }),
        },
      };
    },
  };
}

function mountsOf(props: EmbeddingWorkersProps): Mount[] {
  const { temporaryStorage = Size.gibibytes(2), embeddingModel, sharedMemory } = props;
  return [
    { volume: Volume.scratch('tmp', temporaryStorage), path: '/tmp' },
    ...(embeddingModel === undefined ? [] : sourceOf(props).mounts(embeddingModel)),
    { volume: Volume.memory('heartbeat', Size.mebibytes(1)), path: HEARTBEAT_DIRECTORY },
    ...(sharedMemory === undefined ? [] : [{ volume: Volume.memory('shm', sharedMemory), path: '/dev/shm' }]),
  ];
}
