import type { IConstruct } from 'constructs';
import type { NodePool } from './node-pool';

const DEMAND = Symbol.for('cdk8s-rag.AcceleratorDemand');

interface Claim {
  readonly workload: string;
  readonly pods: number;
  readonly perPod: number;
}

/**
 * The accelerators that the workloads of an app can ask for at their peak, pool by pool. A pool that
 * cannot hold the peak would leave pods pending for ever, so that is a mistake at synth.
 */
export class AcceleratorDemand {
  /** The demand of the app that this construct belongs to. */
  public static of(scope: IConstruct): AcceleratorDemand {
    const root = scope.node.root as IConstruct & { [DEMAND]?: AcceleratorDemand };
    if (root[DEMAND] === undefined) {
      const demand = new AcceleratorDemand();
      root[DEMAND] = demand;
      root.node.addValidation({ validate: () => demand.problems() });
    }
    return root[DEMAND];
  }

  private readonly claims = new Map<NodePool, Claim[]>();

  private constructor() {}

  /** Records that a workload can have this many pods at once, a rollout's surge included. */
  public claim(pool: NodePool, workload: string, pods: number, perPod: number): void {
    this.claims.set(pool, [...(this.claims.get(pool) ?? []), { workload, pods, perPod }]);
  }

  private problems(): string[] {
    return [...this.claims].flatMap(([pool, claims]) => {
      const perNode = pool.acceleratorsPerNode ?? 1;
      const capacity = pool.nodes * perNode;
      const peak = claims.reduce((sum, claim) => sum + claim.pods * claim.perPod, 0);
      if (peak <= capacity) {
        return [];
      }
      const terms = claims.map((claim) => `${claim.workload} ${claim.pods} pods × ${claim.perPod}`).join(' + ');
      return [
        `node pool "${pool.name}" has at most ${pool.nodes} × ${perNode} = ${capacity} ${pool.accelerator?.name}, but ` +
          `${terms} = ${peak} can be asked for at once; lower the largest scale or enlarge the pool`,
      ];
    });
  }
}
