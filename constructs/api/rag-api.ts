import { Duration, Size } from 'cdk8s';
import { Cpu, type k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { Endpoint } from '../network/endpoint';
import type { Port } from '../network/port';
import { checkSeconds } from '../rules/time-span';
import { UsageError } from '../rules/usage-error';
import { Scaling } from '../scaling/scaling';
import { Deployment, type DeploymentOptions } from '../workload/deployment';
import { EnvValue } from '../workload/env-value';
import type { Image } from '../workload/image';
import type { PodUser } from '../workload/pod-template';
import { Probe } from '../workload/probe';
import type { IClient, IProvider, Offer } from '../workload/provider';
import type { Resources } from '../workload/resources';
import { Volume } from '../workload/volume';
import type { ProgramOptions } from '../workload/workload';

/** What is done in a pod before its API starts. */
export interface WarmUp {
  /**
   * What runs; it contains `timeout`, as images with `sleep` do.
   * @default - the image of the API
   */
  readonly image?: Image;

  /**
   * Program and first arguments: `['python', '-m', 'rag.warm_up']`. It has all variables and volumes of the API, so
   * what it puts below `/tmp` is there for it, within `temporaryStorage`.
   */
  readonly command: string[];

  /**
   * Time that it may take. It is ended then and begins anew; a rollout waits this much longer before it counts as stuck.
   */
  readonly budget: Duration;
}

/** The service that answers questions. */
export interface RagApiProps extends ProgramOptions, DeploymentOptions {
  /**
   * What runs: a server that listens on {@link port}, answers `GET /health/live` without asking anything
   * else, `GET /health/ready` when it can serve, and `GET /metrics` for Prometheus; and that contains `sleep`.
   */
  readonly image: Image;

  /**
   * Program and first arguments.
   * @default - the image's entrypoint
   */
  readonly command?: string[];

  /**
   * Arguments.
   * @default - the image's
   */
  readonly args?: string[];

  /**
   * Port that it listens on.
   * @default 8000
   */
  readonly port?: number;

  /**
   * Port on which it serves Prometheus metrics. With one of its own, metrics are not part of what a route
   * leads to.
   * @default - the same as `port`
   */
  readonly metricsPort?: number;

  /**
   * Time that the longest answer takes, streamed or not. The edge waits a little longer than this, and a pod
   * that is told to stop finishes what it began. The program gets it as `LONGEST_ANSWER_SECONDS` and should
   * give up by itself then.
   * @default Duration.minutes(2)
   */
  readonly longestAnswer?: Duration;

  /**
   * How many pods there are, and who decides.
   * @default Scaling.fixed(2)
   */
  readonly scaling?: Scaling;

  /**
   * What each pod asks for.
   * @default - 250m CPU and 1 GiB
   */
  readonly resources?: Resources;

  /**
   * Time that it may take to start.
   * @default Duration.minutes(2)
   */
  readonly startupBudget?: Duration;

  /**
   * What is loaded in each pod before the API starts: an index, a model. What the first question would wait for
   * otherwise, a rollout waits for.
   * @default - nothing
   */
  readonly warmUp?: WarmUp;

  /**
   * Space for temporary files at `/tmp`; the image itself is read-only.
   * @default Size.mebibytes(256)
   */
  readonly temporaryStorage?: Size;

  /**
   * User and group of the process.
   * @default - user and group 10001
   */
  readonly user?: PodUser;
}

/** Time in which load balancers and Services notice that a pod is going. */
const DEREGISTRATION = Duration.seconds(15);

const READINESS_PATH = '/health/ready';

/** How much longer the edge waits than the answer may take, so that the program's own error arrives first. */
const EDGE_MARGIN_SECONDS = 5;

/** Time to close connections and write out telemetry after the last answer. */
const SHUTDOWN_MARGIN_SECONDS = 10;

/** The API of a RAG system: stateless, scaled horizontally, drained before it stops. */
export class RagApi extends Construct implements IProvider {
  /** The Deployment and what belongs to it. */
  public readonly workload: Deployment;
  /** Service in front of the pods. */
  public readonly service: k8s.KubeService;
  /** Time after which the edge gives up on an answer. */
  public readonly edgeTimeout: Duration;
  /** Path at which a pod says whether it can answer. */
  public readonly readinessPath = READINESS_PATH;

  private readonly props: RagApiProps;
  private readonly port: Port;
  private readonly metricsPort: Port;
  private readonly longestAnswer: Duration;

  public constructor(scope: Construct, id: string, props: RagApiProps) {
    super(scope, id);
    this.props = props;
    this.port = { name: 'http', number: props.port ?? 8000, appProtocol: 'http' };
    this.metricsPort = separateMetrics(this.port, props.metricsPort);
    this.longestAnswer = props.longestAnswer ?? Duration.minutes(2);
    checkLongestAnswer(this, this.longestAnswer);
    if (props.warmUp !== undefined) {
      checkSeconds(this, 'warmUp.budget', props.warmUp.budget);
    }
    this.edgeTimeout = Duration.seconds(this.longestAnswer.toSeconds() + EDGE_MARGIN_SECONDS);
    this.workload = this.createDeployment();
    this.addWarmUp(props.warmUp);
    this.service = this.workload.addService({ ports: [this.port] });
  }

  /** Lets the API use these providers. */
  public uses(...providers: IProvider[]): void {
    this.workload.uses(...providers);
  }

  public offerTo(client: IClient): Offer {
    const host = this.endpoint.hostFrom(client, client.namespace);
    return {
      endpoints: [this.endpoint],
      env: { RAG_API_URL: EnvValue.of(`http://${host}:${this.port.number}`) },
    };
  }

  /** Address of the API inside the cluster. */
  public get endpoint(): Endpoint {
    return this.workload.endpoint(this.port);
  }

  private createDeployment(): Deployment {
    const { props, port, metricsPort } = this;
    const live = Probe.http('/health/live', port);
    return new Deployment(this, 'Resource', {
      ...props,
      component: 'api',
      scaling: props.scaling ?? Scaling.fixed(2),
      gracePeriod: this.gracePeriod(),
      preparation: props.warmUp?.budget,
      metricsPort,
      container: {
        image: props.image,
        command: props.command,
        args: props.args,
        env: { LONGEST_ANSWER_SECONDS: EnvValue.of(String(this.longestAnswer.toSeconds())) },
        ports: port === metricsPort ? [port] : [port, metricsPort],
        resources: this.resources,
        startup: live.within(props.startupBudget ?? Duration.minutes(2)),
        readiness: Probe.http(READINESS_PATH, port, { period: Duration.seconds(5) }),
        liveness: live,
        preStopDelay: DEREGISTRATION,
        mounts: [{ volume: Volume.scratch('tmp', props.temporaryStorage ?? Size.mebibytes(256)), path: '/tmp' }],
      },
    });
  }

  private get resources(): Resources {
    return this.props.resources ?? { cpu: Cpu.millis(250), memory: Size.gibibytes(1) };
  }

  /** Init containers have no deadline of their own, and one that hangs would hang for ever. */
  private addWarmUp(warmUp: WarmUp | undefined): void {
    if (warmUp === undefined) {
      return;
    }
    const { image = this.props.image, command, budget } = warmUp;
    if (command.length === 0) {
      throw new UsageError('is empty; name a program', { scope: this, property: 'warmUp.command' });
    }
    this.workload.addPreparation({
      name: 'warm-up',
      image,
      command: ['timeout', String(budget.toSeconds()), ...command],
      resources: this.resources,
    });
  }

  private gracePeriod(): Duration {
    return Duration.seconds(DEREGISTRATION.toSeconds() + this.edgeTimeout.toSeconds() + SHUTDOWN_MARGIN_SECONDS);
  }
}

function separateMetrics(port: Port, metricsPort: number | undefined): Port {
  return metricsPort === undefined || metricsPort === port.number ? port : { name: 'metrics', number: metricsPort };
}

/** A day; a Gateway's times have at most five digits in each unit (Gateway API 1.6, Duration), which are seconds here. */
const LONGEST_ANSWER_SECONDS = 86_400;

function checkLongestAnswer(scope: Construct, time: Duration): void {
  checkSeconds(scope, 'longestAnswer', time);
  if (time.toSeconds() > LONGEST_ANSWER_SECONDS) {
    throw new UsageError(`is ${time.toSeconds()} seconds, but must be at most ${LONGEST_ANSWER_SECONDS}`, {
      scope,
      property: 'longestAnswer',
    });
  }
}
