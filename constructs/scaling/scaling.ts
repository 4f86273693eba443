import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import {
  TriggerAuthenticationSpecPodIdentityProvider as Identity,
  ScaledObject,
  type ScaledObjectSpecFallback,
  ScaledObjectSpecFallbackBehavior,
  type ScaledObjectSpecTriggers,
  TriggerAuthentication,
  type TriggerAuthenticationSpec,
} from '../../imports/keda.sh';
import { ConnectionGraph } from '../network/connection-graph';
import type { Endpoint } from '../network/endpoint';
import { Peer } from '../network/peer';
import { SyncWave } from '../network/sync-wave';
import { Cluster, type ClusterService } from '../placement/cluster';
import { checkObjectName } from '../rules/object-name';
import { UsageError } from '../rules/usage-error';
import { checkWholeNumber } from '../rules/whole-number';
import type { SecretKey } from '../secrets/secret-key';
import type { ScaleTarget } from './scale-target';
import {
  checkEventScaling,
  checkHorizontalScaling,
  type EventScalingOptions,
  type ScalingBounds,
} from './scaling-bounds';
import { ScalingMetric } from './scaling-metric';
import { paceRules } from './scaling-pace';
import { type IBacklog, type ScalingTrigger, type ScalingTriggerProps, TriggerIdentity } from './scaling-trigger';

/** Scaling by a HorizontalPodAutoscaler. */
export interface HorizontalScalingProps extends ScalingBounds {
  /** What it looks at; the metric that asks for most pods wins. */
  readonly metrics: ScalingMetric[];
}

/** Scaling by KEDA. */
export interface EventScalingProps extends EventScalingOptions {
  /** What it scales on; the trigger that asks for most pods wins. */
  readonly triggers: ScalingTrigger[];
}

/** Scaling by KEDA on waiting work. */
export interface BacklogScalingProps extends EventScalingOptions {
  /** Waiting items that one pod can take on. */
  readonly perReplica: number;
}

/** Who decides on the number of pods, and within which bounds. */
interface ReplicaOwner {
  readonly min: number;
  readonly max: number;
  /** The number in the workload, where no autoscaler owns it. */
  readonly replicas?: number;
  /** Creates the autoscaler. */
  bind(scope: Construct, target: ScaleTarget): void;
}

/**
 * How many pods a workload has, and who decides: us, the HorizontalPodAutoscaler or KEDA, and never two of
 * them.
 */
export class Scaling {
  /** A number that only a new output changes. */
  public static fixed(replicas: number): Scaling {
    checkWholeNumber('scaling.replicas', replicas, 0);
    return new Scaling({ min: replicas, max: replicas, replicas, bind: () => {} });
  }

  /** By a HorizontalPodAutoscaler. */
  public static horizontal(props: HorizontalScalingProps): Scaling {
    return new Scaling(new HorizontalOwner(props));
  }

  /** By KEDA, down to zero if wanted. */
  public static onEvents(props: EventScalingProps): Scaling {
    return new Scaling(new EventOwner(props));
  }

  /** By KEDA, on work that waits in a queue. */
  public static onBacklog(backlog: IBacklog, props: BacklogScalingProps): Scaling {
    return Scaling.onEvents({ ...props, triggers: [backlog.trigger(props.perReplica)] });
  }

  /** Fewest pods. */
  public readonly min: number;
  /** Most pods. */
  public readonly max: number;
  /** The number in the workload; undefined when an autoscaler owns it. */
  public readonly replicas: number | undefined;

  private constructor(private readonly owner: ReplicaOwner) {
    this.min = owner.min;
    this.max = owner.max;
    this.replicas = owner.replicas;
  }

  /**
   * Creates the autoscaler.
   * @internal
   */
  public _bind(scope: Construct, target: ScaleTarget): void {
    this.owner.bind(scope, target);
  }
}

class HorizontalOwner implements ReplicaOwner {
  public readonly min: number;
  public readonly max: number;

  public constructor(private readonly props: HorizontalScalingProps) {
    checkHorizontalScaling(props);
    if (props.metrics.length === 0) {
      throw new UsageError('is empty; name at least one metric, such as ScalingMetric.cpu(70)', {
        property: 'scaling.metrics',
      });
    }
    this.min = props.min;
    this.max = props.max;
  }

  public bind(scope: Construct, target: ScaleTarget): void {
    new k8s.KubeHorizontalPodAutoscalerV2(scope, 'Autoscaler', {
      metadata: autoscalerMetadata(target),
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: target.kind, name: target.name },
        minReplicas: this.min,
        maxReplicas: this.max,
        metrics: ScalingMetric._render(this.props.metrics),
        behavior: behaviorOf(this.props),
      },
    });
  }
}

class EventOwner implements ReplicaOwner {
  public readonly min: number;
  public readonly max: number;

  public constructor(private readonly props: EventScalingProps) {
    checkEventScaling(props, props.triggers);
    if (props.triggers.length === 0) {
      throw new UsageError('is empty; name at least one trigger', { property: 'scaling.triggers' });
    }
    this.min = props.min;
    this.max = props.max;
  }

  public bind(scope: Construct, target: ScaleTarget): void {
    checkObjectName(scope, target.name, 'ScaledObject');
    const cluster = Cluster.of(scope);
    this.checkCooldown(scope, target);
    if (cluster.keda === undefined) {
      throw new UsageError(
        'is event-driven, but the cluster declares no KEDA; set keda in the cluster or scale on CPU',
        {
          scope,
          property: 'scaling',
        },
      );
    }
    // Only the way from the last pod to none has a cooldown.
    const cooldown = this.props.cooldown ?? (this.min === 0 ? target.longestWork : undefined);
    new KedaScaler(scope, 'Autoscaler', { ...this.props, cooldown, target, keda: cluster.keda });
  }

  private checkCooldown(scope: Construct, { longestWork }: ScaleTarget): void {
    const { cooldown } = this.props;
    if (this.min > 0 || cooldown === undefined || longestWork === undefined) {
      return;
    }
    if (cooldown.toSeconds() < longestWork.toSeconds()) {
      throw new UsageError(
        `is ${cooldown.toHumanString()}, but work that a pod lost may come back for ${longestWork.toHumanString()} and ` +
          'needs a pod to take it; raise it to that, or set min to 1',
        { scope, property: 'scaling.cooldown' },
      );
    }
  }
}

const IDENTITIES: { readonly [identity in TriggerIdentity]: Identity } = {
  [TriggerIdentity.AWS]: Identity.AWS,
  [TriggerIdentity.AZURE]: Identity.AZURE_HYPHEN_WORKLOAD,
};

interface KedaScalerProps extends EventScalingProps {
  readonly target: ScaleTarget;
  readonly keda: ClusterService;
}

/** The ScaledObject and the TriggerAuthentications that its triggers need. */
class KedaScaler extends Construct {
  private readonly props: KedaScalerProps;

  public constructor(scope: Construct, id: string, props: KedaScalerProps) {
    super(scope, id);
    this.props = props;
    const { prometheus } = Cluster.of(this);
    const triggers = props.triggers.map((trigger) => trigger._render(scope, props.keda, prometheus));
    this.createScaledObject(triggers.map((trigger, index) => this.renderTrigger(trigger, index)));
  }

  private createScaledObject(triggers: ScaledObjectSpecTriggers[]): void {
    const { target, min, max, cooldown } = this.props;
    const behavior = behaviorOf(this.props);
    new ScaledObject(this, 'Resource', {
      metadata: autoscalerMetadata(target),
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: target.kind, name: target.name },
        minReplicaCount: min,
        maxReplicaCount: max,
        cooldownPeriod: cooldown?.toSeconds(),
        fallback: this.renderFallback(),
        advanced: behavior === undefined ? undefined : { horizontalPodAutoscalerConfig: { behavior } },
        triggers,
      },
    });
  }

  private renderTrigger(trigger: ScalingTriggerProps, index: number): ScaledObjectSpecTriggers {
    const { target } = this.props;
    this.allow(trigger.endpoint);
    const name = index === 0 ? target.name : `${target.name}-${index + 1}`;
    const spec = this.authenticationOf(trigger, `${name}-keda`, index);
    if (spec === undefined) {
      return { type: trigger.type, metadata: { ...trigger.metadata } };
    }
    new TriggerAuthentication(this, `Authentication-${index}`, { metadata: { ...target.metadata, name }, spec });
    return { type: trigger.type, metadata: { ...trigger.metadata }, authenticationRef: { name } };
  }

  /** Who KEDA is at what it asks; undefined where nobody wants to know. */
  private authenticationOf(
    { secrets = {}, parameters = {}, identity }: ScalingTriggerProps,
    config: string,
    index: number,
  ): TriggerAuthenticationSpec | undefined {
    const references = Object.entries(secrets).map(([parameter, source]) => this.renderSecret(parameter, source));
    const texts = Object.keys(parameters).map((parameter) => ({ parameter, name: config, key: parameter }));
    if (references.length === 0 && texts.length === 0 && identity === undefined) {
      return undefined;
    }
    if (texts.length > 0) {
      new k8s.KubeConfigMap(this, `Parameters-${index}`, {
        metadata: { ...this.props.target.metadata, name: config },
        data: { ...parameters },
      });
    }
    return {
      podIdentity: identity === undefined ? undefined : { provider: IDENTITIES[identity] },
      secretTargetRef: references.length === 0 ? undefined : references,
      configMapTargetRef: texts.length === 0 ? undefined : texts,
    };
  }

  private renderSecret(parameter: string, source: SecretKey) {
    source._bind(this);
    return { parameter, name: source.secret, key: source.key };
  }

  private renderFallback(): ScaledObjectSpecFallback | undefined {
    const { fallbackReplicas } = this.props;
    return fallbackReplicas === undefined
      ? undefined
      : {
          failureThreshold: 3,
          replicas: fallbackReplicas,
          // Pods that are at work stay.
          behavior: ScaledObjectSpecFallbackBehavior.CURRENT_REPLICAS_IF_HIGHER,
        };
  }

  /** The KEDA operator asks by itself; where the answer comes from our pods, they must let it in. */
  private allow(endpoint: Endpoint | undefined): void {
    if (endpoint?.service !== undefined) {
      ConnectionGraph.of(this).connect({
        from: Peer.service(this.props.keda),
        to: endpoint.peer,
        ports: [endpoint.port],
      });
    }
  }
}

/** An autoscaler may be called Degraded before the first pods have metrics, and while KEDA falls back. */
function autoscalerMetadata({ metadata }: ScaleTarget): k8s.ObjectMeta {
  return { ...metadata, annotations: { ...metadata.annotations, ...SyncWave.LAST.annotations } };
}

function behaviorOf(bounds: ScalingBounds): k8s.HorizontalPodAutoscalerBehaviorV2 | undefined {
  if (bounds.up === undefined && bounds.down === undefined) {
    return undefined;
  }
  return { scaleUp: paceRules(bounds.up), scaleDown: paceRules(bounds.down) };
}
