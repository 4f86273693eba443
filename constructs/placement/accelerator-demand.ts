import type { IConstruct } from 'constructs';
import { type Check, LateChecks } from '../rules/late-checks';
import { UsageError } from '../rules/usage-error';
import type { NodePool } from './node-pool';

const DEMAND = Symbol.for('cdk8s-rag.AcceleratorDemand');

/** What a workload can ask for at once. */
export interface Claim {
  readonly workload: IConstruct;
  readonly property: string;
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
      LateChecks.of(root).add(root, () => demand.checks());
    }
    return root[DEMAND];
  }

  private readonly claims = new Map<NodePool, Claim[]>();

  private constructor() {}

  /** Records that a workload can have as many pods at once, a rollout's surge included, by the property that says so. */
  public claim(pool: NodePool, claim: Claim): void {
    this.claims.set(pool, [...(this.claims.get(pool) ?? []), claim]);
  }

  private checks(): Check[] {
    return [...this.claims].map(
      ([pool, claims]) =>
        () =>
          checkPool(pool, claims),
    );
  }
}

/** What asks for most is to blame. */
function checkPool(pool: NodePool, claims: readonly Claim[]): void {
  const perNode = pool.acceleratorsPerNode ?? 1;
  const capacity = pool.nodes * perNode;
  const peak = claims.reduce((sum, claim) => sum + peakOf(claim), 0);
  if (peak <= capacity) {
    return;
  }
  const [largest] = [...claims].sort((a, b) => peakOf(b) - peakOf(a));
  const terms = claims.map(({ workload, pods, perPod }) => `${nameOf(workload)} ${pods} pods × ${perPod}`).join(' + ');
  throw new UsageError(
    `is more than its pool holds: node pool "${pool.name}" has at most ${pool.nodes} × ${perNode} = ${capacity} ` +
      `${pool.accelerator?.name}, but ${terms} = ${peak} can be asked for at once; lower the largest scale or enlarge ` +
      'the pool',
    { scope: largest?.workload, property: largest?.property },
  );
}

/** A workload that stands for its parent has the parent's name. */
function nameOf({ node }: IConstruct): string {
  return node.path.replace(/\/Resource$/, '');
}

function peakOf({ pods, perPod }: Claim): number {
  return pods * perPod;
}
