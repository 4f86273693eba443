import { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import type { PodSet } from '../network/peer';

/**
 * What voluntary evictions may take: one pod at a time, of workloads that always have at least two. A single
 * pod gets no budget; it would only block the drain of its node.
 */
export class DisruptionBudget {
  /** Pods that serve on their own: a pod that is broken anyway may always be evicted. */
  public static readonly STATELESS = new DisruptionBudget('AlwaysAllow');

  /** Members of a quorum: while one is away or broken, no other is evicted. */
  public static readonly QUORUM = new DisruptionBudget('IfHealthyBudget');

  private constructor(private readonly unhealthyPodEvictionPolicy: string) {}

  /**
   * Creates the budget for pods of which there are at least this many.
   * @internal
   */
  public _bind(
    scope: Construct,
    pods: PodSet,
    metadata: k8s.ObjectMeta,
    minimum: number,
  ): k8s.KubePodDisruptionBudget | undefined {
    if (minimum < 2) {
      return undefined;
    }
    return new k8s.KubePodDisruptionBudget(scope, 'DisruptionBudget', {
      metadata,
      spec: {
        maxUnavailable: k8s.IntOrString.fromNumber(1),
        unhealthyPodEvictionPolicy: this.unhealthyPodEvictionPolicy,
        selector: pods.selector,
      },
    });
  }
}
