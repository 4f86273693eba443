import type { k8s } from 'cdk8s-plus-28';

const ZONE = 'topology.kubernetes.io/zone';
const HOST = 'kubernetes.io/hostname';

/** How the replicas of a workload are kept apart, so that one lost node or zone takes few of them. */
export class Spread {
  /** Even over zones and nodes where possible; a pod starts anywhere rather than not at all. */
  public static readonly PREFERRED = new Spread('ScheduleAnyway');

  /**
   * At most one more pod on one node, and in one zone, than on another; a pod waits rather than break
   * this. For members of a quorum.
   */
  public static readonly REQUIRED = new Spread('DoNotSchedule');

  private constructor(private readonly whenUnsatisfiable: string) {}

  /** The constraints for pods with these labels. */
  public constraints(selector: { [label: string]: string }, perRevision: boolean): k8s.TopologySpreadConstraint[] {
    return [ZONE, HOST].map((topologyKey) => ({
      topologyKey,
      maxSkew: 1,
      whenUnsatisfiable: this.whenUnsatisfiable,
      labelSelector: { matchLabels: selector },
      // Without this a rollout counts the old pods too, and the new ones end up unevenly spread.
      matchLabelKeys: perRevision ? ['pod-template-hash'] : undefined,
      // Nodes that the pods do not tolerate, such as GPU nodes, are no place to spread to.
      nodeTaintsPolicy: 'Honor',
    }));
  }
}
