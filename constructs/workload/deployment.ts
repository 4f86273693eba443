import { Duration, Lazy } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { Spread } from '../placement/spread';
import { checkSeconds } from '../rules/time-span';
import { UsageError } from '../rules/usage-error';
import { DisruptionBudget } from '../scaling/disruption-budget';
import { Scaling } from '../scaling/scaling';
import { UpdateStrategy } from './update-strategy';
import { Workload, type WorkloadProps } from './workload';

/** Time to pull an image; those with GPU libraries have many gigabytes. */
const IMAGE_PULL = Duration.minutes(10);

/** What every Deployment lets its user change. */
export interface DeploymentOptions {
  /**
   * How many pods there are, and who decides.
   * @default Scaling.fixed(1)
   */
  readonly scaling?: Scaling;

  /**
   * How pods are replaced.
   * @default - with an accelerator {@link UpdateStrategy.IN_PLACE}, so that an update needs no spare GPU;
   *   otherwise {@link UpdateStrategy.SURGE_ONE}
   */
  readonly update?: UpdateStrategy;

  /**
   * Old ReplicaSets that are kept for a rollback.
   * @default 10, Kubernetes' own
   */
  readonly revisionHistoryLimit?: number;
}

/** Pods that are alike and keep nothing. */
export interface DeploymentProps extends WorkloadProps, DeploymentOptions {
  /**
   * Longest time that a lost task stays invisible to scaling triggers before the queue hands it out again. Scaling to zero
   * waits that long.
   * @default - triggers see all work
   */
  readonly longestWork?: Duration;

  /**
   * Duration of the longest task that a pod takes from a queue. A queue that would hand it to another pod before that
   * refuses to be used.
   * @default - the pods take no tasks, or nobody knows
   */
  readonly longestTask?: Duration;

  /**
   * Time that init containers may take, which a rollout waits for besides the start of the others.
   * @default - none that is worth counting
   */
  readonly preparation?: Duration;
}

/** A Deployment with its autoscaler, disruption budget, ServiceAccount and network policy. */
export class Deployment extends Workload {
  /** The Deployment. */
  public readonly deployment: k8s.KubeDeployment;
  /** How many pods there are, and who decides. */
  public readonly scaling: Scaling;
  /** Duration of the longest task that a pod takes from a queue; undefined where nothing is said. */
  public readonly longestTask?: Duration;
  /** The disruption budget; none when there may be a single pod. */
  public readonly disruptionBudget?: k8s.KubePodDisruptionBudget;

  public constructor(scope: Construct, id: string, props: DeploymentProps) {
    super(scope, id, 'Deployment', { ...props, spread: Spread.PREFERRED, spreadPerRevision: true });
    checkHistory(this, props.revisionHistoryLimit);
    const { longestWork, longestTask } = props;
    for (const [property, time] of Object.entries({ longestWork, longestTask })) {
      if (time !== undefined) {
        checkSeconds(this, property, time);
      }
    }
    this.longestTask = longestTask;
    this.scaling = props.scaling ?? Scaling.fixed(1);
    const update =
      props.update ?? (props.accelerator === undefined ? UpdateStrategy.SURGE_ONE : UpdateStrategy.IN_PLACE);
    this.deployment = this.createDeployment(props, update);
    this.scaling._bind(this, {
      kind: 'Deployment',
      name: this.name,
      metadata: this.metadata(),
      longestWork,
    });
    this.disruptionBudget = DisruptionBudget.STATELESS._bind(this, this.pods, this.metadata(), this.scaling.min);
    this.claimAccelerators(this.scaling.max + update.surge, 'scaling');
  }

  private createDeployment(props: DeploymentProps, update: UpdateStrategy): k8s.KubeDeployment {
    return new k8s.KubeDeployment(this, 'Resource', {
      metadata: this.lastingMetadata(),
      spec: {
        replicas: this.scaling.replicas,
        revisionHistoryLimit: props.revisionHistoryLimit,
        selector: { matchLabels: this.pods.labels },
        strategy: update._render(),
        progressDeadlineSeconds: this.progressDeadline(props),
        template: Lazy.any({ produce: () => this.template.render() }),
      },
    });
  }

  /**
   * Time after which a rollout counts as stuck: one pod may take its whole grace period to go, and its
   * successor has to pull the image and may take its whole time to prepare and to start.
   */
  private progressDeadline(props: DeploymentProps): number {
    const startup = props.container.startup?.patience ?? Duration.seconds(0);
    const grace = props.gracePeriod ?? Duration.seconds(30);
    const preparation = props.preparation ?? Duration.seconds(0);
    return [grace, startup, preparation, IMAGE_PULL].reduce((sum, time) => sum + time.toSeconds(), 0);
  }
}

function checkHistory(scope: Construct, limit = 0): void {
  if (!Number.isInteger(limit) || limit < 0) {
    throw new UsageError(`is ${limit}, but must be a whole number from 0`, { scope, property: 'revisionHistoryLimit' });
  }
}
