import type { k8s } from 'cdk8s-plus-28';
import type { Placement } from './placement';

const ZONE = 'topology.kubernetes.io/zone';
const HOST = 'kubernetes.io/hostname';

/** How the replicas of a workload are kept apart, so that one lost node or zone takes few of them. */
export class Spread {
  /** Even over zones and nodes where possible; a pod starts anywhere rather than not at all. */
  public static readonly PREFERRED = new Spread(false);

  /**
   * One pod on a node, and at most one more in one zone than in another where the cluster has several; a pod
   * waits rather than break this, also while nodes and zones are still to come. For members of a quorum.
   */
  public static readonly REQUIRED = new Spread(true);

  private constructor(private readonly required: boolean) {}

  /**
   * The constraints for these pods.
   *
   * @param selector what selects the pods, and no others
   * @param placement where they run
   * @param replicas number of pods; undefined when it changes
   * @param perRevision whether pods of each revision of a Deployment are spread for themselves
   * @internal
   */
  public _constraints(
    selector: k8s.LabelSelector,
    placement: Placement,
    replicas: number | undefined,
    perRevision: boolean,
  ): k8s.TopologySpreadConstraint[] {
    if (this.required && replicas !== undefined) {
      placement.checkOneEach(replicas);
    }
    const { zones = 1 } = placement.cluster;
    // A node without the label is no place at all for a constraint that must hold, so zones must be known.
    const places = [
      { topologyKey: ZONE, strict: this.required && zones > 1, most: zones },
      { topologyKey: HOST, strict: this.required, most: Number.POSITIVE_INFINITY },
    ];
    return places.map(({ topologyKey, strict, most }) => ({
      topologyKey,
      maxSkew: 1,
      // On a cluster that is still growing the only node would otherwise be as even as it gets.
      minDomains: strict && replicas !== undefined ? Math.min(replicas, most) : undefined,
      whenUnsatisfiable: strict ? 'DoNotSchedule' : 'ScheduleAnyway',
      labelSelector: selector,
      // Without this a rollout counts the old pods too, and the new ones end up unevenly spread.
      matchLabelKeys: perRevision ? ['pod-template-hash'] : undefined,
      // Nodes that the pods do not tolerate, such as GPU nodes, are no place to spread to.
      nodeTaintsPolicy: 'Honor',
    }));
  }
}
