import type { k8s } from 'cdk8s-plus-28';
import type { Cluster } from './cluster';

const ZONE = 'topology.kubernetes.io/zone';
const HOST = 'kubernetes.io/hostname';

/** How the replicas of a workload are kept apart, so that one lost node or zone takes few of them. */
export class Spread {
  /** Even over zones and nodes where possible; a pod starts anywhere rather than not at all. */
  public static readonly PREFERRED = new Spread(false);

  /**
   * At most one more pod on one node than on another, and in one zone than in another where the cluster has
   * several; a pod waits rather than break this. For members of a quorum.
   */
  public static readonly REQUIRED = new Spread(true);

  private constructor(private readonly required: boolean) {}

  /**
   * The constraints for pods with these labels.
   *
   * @param selector labels of the pods
   * @param cluster the cluster
   * @param perRevision whether pods of each revision of a Deployment are spread for themselves
   */
  public constraints(
    selector: { [label: string]: string },
    { zones = 1 }: Cluster,
    perRevision: boolean,
  ): k8s.TopologySpreadConstraint[] {
    // A node without the label is no place at all for a constraint that must hold, so zones must be known.
    const strictness = { [ZONE]: this.required && zones > 1, [HOST]: this.required };
    return Object.entries(strictness).map(([topologyKey, strict]) => ({
      topologyKey,
      maxSkew: 1,
      whenUnsatisfiable: strict ? 'DoNotSchedule' : 'ScheduleAnyway',
      labelSelector: { matchLabels: selector },
      // Without this a rollout counts the old pods too, and the new ones end up unevenly spread.
      matchLabelKeys: perRevision ? ['pod-template-hash'] : undefined,
      // Nodes that the pods do not tolerate, such as GPU nodes, are no place to spread to.
      nodeTaintsPolicy: 'Honor',
    }));
  }
}
