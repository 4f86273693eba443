import { Duration, Size, SizeRoundingBehavior } from 'cdk8s';
import { Cpu, type k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { Endpoint } from '../network/endpoint';
import type { Port } from '../network/port';
import type { Accelerator } from '../placement/accelerator';
import { UsageError } from '../rules/usage-error';
import { Scaling } from '../scaling/scaling';
import type { SecretKey } from '../secrets/secret-key';
import { Deployment, type DeploymentOptions } from '../workload/deployment';
import { EnvValue } from '../workload/env-value';
import type { Image } from '../workload/image';
import type { PodUser } from '../workload/pod-template';
import type { Probe } from '../workload/probe';
import type { IClient, IProvider, Offer } from '../workload/provider';
import type { Resources } from '../workload/resources';
import type { Mount } from '../workload/volume';
import { Volume } from '../workload/volume';
import type { WorkloadOptions } from '../workload/workload';
import type { IModel } from './model';
import { ModelFit } from './model-fit';
import { ModelSource } from './model-source';
import { checkServerArguments, checkServerVariables, type ServerArgument } from './server-argument';

/** What every model server lets its user change. */
export interface ModelServerOptions extends WorkloadOptions, DeploymentOptions {
  /**
   * Kind of GPU that each server needs. A model that does not fit is a mistake, with the arithmetic.
   * @default - none: it computes on the CPU
   */
  readonly accelerator?: Accelerator;

  /**
   * Where the weights come from.
   * @default - the pods download them from huggingface.co when they start
   */
  readonly source?: ModelSource;

  /**
   * What each server asks for, GPU apart.
   * @default - from the size of the model
   */
  readonly resources?: Resources;

  /**
   * Time that a server may take to start, the download of its model included.
   * @default - twice what download and load are estimated at, and at least 5 minutes; from a volume the most pods that
   *   there may be load at once
   */
  readonly startupBudget?: Duration;

  /**
   * Time that the longest request takes; a server that is told to stop has this long to finish.
   * @default - one minute, and 4 minutes for a server that generates text
   */
  readonly longestRequest?: Duration;

  /**
   * Key that clients have to show, and that they get.
   * @default - none: who may connect is decided by network policies
   */
  readonly apiKey?: SecretKey;

  /**
   * Beginning of the names of the variables that clients get.
   * @default - EMBEDDING, LLM or RERANKER, by what the model is for
   */
  readonly envPrefix?: string;

  /**
   * What runs.
   * @default - the release that the library knows, in the variant for the accelerator
   */
  readonly image?: Image;
}

/** What a kind of server decides. */
export interface ModelServerDetails {
  /** What it serves. */
  readonly model: IModel;
  /** What runs. */
  readonly image: Image;
  /** Arguments of the image's entrypoint that follow from the settings; users cannot say them otherwise. */
  readonly args: readonly ServerArgument[];
  /** Further arguments, from the user. */
  readonly furtherArgs?: readonly string[];
  /** Whether the server takes its arguments as variables too. */
  readonly argumentVariables?: boolean;
  /** Program, where the image's entrypoint will not do. */
  readonly command?: string[];
  /** Variables of the container. */
  readonly env?: { readonly [name: string]: EnvValue };
  /** Name of the variable by which the server learns its API key. */
  readonly apiKeyVariable?: string;
  /** Where the weights come from, when the user has no choice. */
  readonly source?: ModelSource;
  /** Volumes besides those of the model. */
  readonly mounts: Mount[];
  /** The port of requests. */
  readonly port: Port;
  /** The port of requests by gRPC; clients get it as `<PREFIX>_GRPC_PORT`. */
  readonly grpcPort?: Port;
  /** The port of Prometheus metrics. */
  readonly metricsPort?: Port;
  /** Whether it answers requests. */
  readonly ready: Probe;
  /** Whether it works at all. */
  readonly alive: Probe;
  /** Path after host and port that clients add to: `/v1`. */
  readonly basePath: string;
  /** User and group of the process. */
  readonly user?: PodUser;
  /** Memory of the host beside the weights. */
  readonly workingMemory: Size;
  /** Bytes of one weight in the host's memory, compared with the profile's: 2 when it computes in a larger format. */
  readonly weightFactor?: number;
  /** Time after the weights are in memory in which the server compiles and warms up. */
  readonly warmup: Duration;
  /** Time that the longest request takes, unless told otherwise. */
  readonly longestRequest: Duration;
  /** Accelerators of each server. */
  readonly accelerators?: number;
  /** Tokens of the longest request, where that is less than what the model can attend to; clients get it. */
  readonly contextTokens?: number;
  /** Tokens that it reads of a text, when these are fewer than the model reads; clients get it. */
  readonly servedTokens?: number;
}

/** Time in which Services notice that a pod is going. */
const DEREGISTRATION = Duration.seconds(10);

/** Time to end after the last request. */
const SHUTDOWN_MARGIN_SECONDS = 15;

const LEAST_STARTUP_SECONDS = 300;

/**
 * A server of one model, behind a Service. What clients get is the same for every server and for hosted
 * models: `<PREFIX>_URL`, what they need to know of the model, and `<PREFIX>_API_KEY` where there is one. A server has
 * an API of its own as well, and its clients want `<PREFIX>_SERVER_URL`.
 */
export abstract class ModelServer extends Construct implements IProvider {
  /** The model that it serves. */
  public readonly model: IModel;
  /** The Deployment and what belongs to it. */
  public readonly workload: Deployment;
  /** Service in front of the pods. */
  public readonly service: k8s.KubeService;

  private readonly options: ModelServerOptions;
  private readonly details: ModelServerDetails;

  /** @internal */
  protected constructor(
    scope: Construct,
    id: string,
    options: ModelServerOptions,
    details: (server: Construct) => ModelServerDetails,
  ) {
    super(scope, id);
    this.options = options;
    this.details = details(this);
    this.model = this.details.model;
    this.source.check(this, this.model);
    this.checkArguments();
    this.workload = this.createDeployment();
    this.service = this.workload.addService({ ports: this.servicePorts });
    this.workload.uses(this.source);
    this.source.mountedBy(this.workload.pods);
  }

  /** Address of the server inside the cluster. */
  public get endpoint(): Endpoint {
    return this.workload.endpoint(this.details.port);
  }

  public offerTo(client: IClient): Offer {
    const { port, grpcPort, basePath, contextTokens, servedTokens } = this.details;
    const { apiKey, envPrefix = this.model.role.envPrefix } = this.options;
    const host = this.endpoint.hostFrom(client, client.namespace);
    const address = `http://${host}:${port.number}`;
    return {
      endpoints: this.servicePorts.map((served) => this.workload.endpoint(served)),
      env: {
        [`${envPrefix}_URL`]: EnvValue.of(`${address}${basePath}`),
        // Clients of the server's own API add their paths themselves.
        [`${envPrefix}_SERVER_URL`]: EnvValue.of(address),
        ...(grpcPort === undefined ? {} : { [`${envPrefix}_GRPC_PORT`]: EnvValue.of(String(grpcPort.number)) }),
        ...this.model.env(envPrefix),
        ...(contextTokens === undefined ? {} : { [`${envPrefix}_CONTEXT_TOKENS`]: EnvValue.of(String(contextTokens)) }),
        ...(servedTokens === undefined ? {} : { [`${envPrefix}_SERVED_TOKENS`]: EnvValue.of(String(servedTokens)) }),
        ...(apiKey === undefined ? {} : { [`${envPrefix}_API_KEY`]: EnvValue.fromSecret(apiKey) }),
      },
    };
  }

  private get source(): ModelSource {
    return this.details.source ?? this.options.source ?? ModelSource.HUGGING_FACE;
  }

  private get servicePorts(): Port[] {
    const { port, grpcPort } = this.details;
    return grpcPort === undefined ? [port] : [port, grpcPort];
  }

  private get longestRequest(): Duration {
    return this.options.longestRequest ?? this.details.longestRequest;
  }

  private createDeployment(): Deployment {
    const { options, details } = this;
    return new Deployment(this, 'Resource', {
      ...options,
      component: 'model-server',
      accelerators: details.accelerators,
      scaling: options.scaling ?? Scaling.fixed(1),
      user: details.user,
      gracePeriod: Duration.seconds(
        DEREGISTRATION.toSeconds() + this.longestRequest.toSeconds() + SHUTDOWN_MARGIN_SECONDS,
      ),
      metricsPort: details.metricsPort,
      container: {
        image: options.image ?? details.image,
        command: details.command,
        args: [...details.args.flatMap(({ words }) => words), ...(details.furtherArgs ?? [])],
        env: this.containerEnv(),
        ports: [...new Set([...this.servicePorts, details.metricsPort ?? details.port])],
        resources: options.resources ?? this.defaultResources(),
        startup: details.alive.within(options.startupBudget ?? this.startupEstimate()),
        readiness: details.ready,
        liveness: details.alive,
        preStopDelay: DEREGISTRATION,
        mounts: [...this.source.mounts(this.model), ...details.mounts],
      },
    });
  }

  /** What follows from settings is not said a second time: fit, budgets, probes and clients go by the settings. */
  private checkArguments(): void {
    const { args, furtherArgs = [], argumentVariables = false, apiKeyVariable } = this.details;
    const { env = {}, apiKey } = this.options;
    checkServerArguments(this, args, furtherArgs);
    if (argumentVariables) {
      checkServerVariables(this, args, env);
    }
    if (apiKeyVariable !== undefined && apiKey === undefined && Object.hasOwn(env, apiKeyVariable)) {
      throw new UsageError('is the key that clients have to show, and they would not get it; say it with apiKey', {
        scope: this,
        property: `env.${apiKeyVariable}`,
      });
    }
  }

  private containerEnv(): { [name: string]: EnvValue } {
    const { apiKey } = this.options;
    const { env, apiKeyVariable } = this.details;
    if (apiKey === undefined) {
      return { ...env };
    }
    if (apiKeyVariable === undefined) {
      throw new UsageError('is set, but this server knows no keys; leave it out', { scope: this, property: 'apiKey' });
    }
    return { ...env, [apiKeyVariable]: EnvValue.fromSecret(apiKey) };
  }

  /** Memory of the host holds the weights while they are loaded, and for as long as it serves without a GPU. */
  private defaultResources(): Resources {
    const { profile } = this.model;
    const { workingMemory, weightFactor = 1 } = this.details;
    if (profile === undefined) {
      throw new UsageError(`is missing, and the size of ${this.model.id} is unknown; set it, or the model's profile`, {
        scope: this,
        property: 'resources',
      });
    }
    const weights = Math.ceil(profile.weightsGb * weightFactor);
    const working = Math.ceil(workingMemory.toGibibytes({ rounding: SizeRoundingBehavior.NONE }));
    return { cpu: Cpu.units(2), memory: Size.gibibytes(weights + working) };
  }

  private startupEstimate(): Duration {
    const { filesGb = 10 } = this.model.profile ?? {};
    const readers = this.options.scaling?.max ?? 1;
    const seconds = 2 * (this.source.secondsFor(filesGb, readers) + this.details.warmup.toSeconds());
    // Whole minutes read better than an estimate to the second.
    return Duration.minutes(Math.ceil(Math.max(LEAST_STARTUP_SECONDS, seconds) / 60));
  }
}

/**
 * Refuses a model that one accelerator has no room for; of one that others share nobody knows how much is left.
 *
 * @param contextTokens tokens that the key-value cache must hold at once
 */
export function checkFit(
  scope: Construct,
  model: IModel,
  accelerator: Accelerator | undefined,
  contextTokens?: number,
): void {
  if (accelerator !== undefined && model.profile !== undefined && !accelerator.isShared) {
    const { profile } = model;
    new ModelFit({ profile, accelerator, memoryUtilization: 1, contextTokens }).check(scope, model.id);
  }
}

/** Refuses counts that are no whole numbers above 0. */
export function checkAtLeastOne(scope: Construct, counts: { readonly [property: string]: number }): void {
  for (const [property, value] of Object.entries(counts)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new UsageError(`is ${value}, but must be a whole number above 0`, { scope, property });
    }
  }
}

/** Scratch space at `/tmp`; the images themselves are read-only. */
export function temporaryFiles(): Mount {
  return { volume: Volume.scratch('tmp', Size.gibibytes(1)), path: '/tmp' };
}
