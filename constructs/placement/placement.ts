import type { k8s } from 'cdk8s-plus-28';
import type { IConstruct } from 'constructs';
import { UsageError } from '../rules/usage-error';
import type { Accelerator } from './accelerator';
import type { NodeTerm } from './cloud';
import { Cluster } from './cluster';
import type { NodePool, Taint } from './node-pool';

/** What a workload asks of the nodes it runs on. */
export interface PlacementProps {
  /**
   * Kind of GPU that each pod needs.
   * @default - no GPU
   */
  readonly accelerator?: Accelerator;

  /**
   * Units of the accelerator per pod.
   * @default 1 with an accelerator
   */
  readonly accelerators?: number;

  /**
   * Name of the node pool to run on.
   * @default - with an accelerator, the first pool of the cluster that has it; otherwise any node
   */
  readonly nodePool?: string;
}

/** An extended resource, requested in whole units and never overcommitted. */
export interface ExtendedResource {
  /** Name of the resource: `nvidia.com/gpu`. */
  readonly name: string;
  /** Units per pod. */
  readonly count: number;
}

/** Where the pods of a workload run, resolved against the cluster. */
export class Placement {
  /** Resolves what a workload asks for against the cluster that its scope is attached to. */
  public static resolve(scope: IConstruct, props: PlacementProps): Placement {
    const cluster = Cluster.of(scope);
    const count = countOf(scope, props);
    const pool = choosePool(scope, cluster, props);
    return new Placement(scope, cluster, pool, nodesOf(scope, cluster, pool, props), props.accelerator, count);
  }

  /**
   * Refuses more pods than there are nodes for, where each must have one to itself. Nodes with a GPU are none for pods
   * that do not ask for one, unless their pool is named: as a rule they are tainted, though no pool has to say so.
   */
  public checkOneEach(pods: number): void {
    const { pool, cluster, scope } = this;
    const { nodePools = [{ name: 'any', nodes: Number.POSITIVE_INFINITY }] } = cluster;
    const pools: NodePool[] = pool === undefined ? nodePools.filter(isOpen) : [pool];
    const nodes = pools.reduce((sum, { nodes: more }) => sum + more, 0);
    if (pods > nodes) {
      const counted = pools.map(({ name, nodes: own }) => `${name} ${own}`).join(' + ') || 'none';
      const where = pool === undefined ? 'the node pools without taints and GPUs' : 'the node pool';
      throw new UsageError(
        `has too few nodes: each of ${pods} pods needs a node to itself, but ${where} can have ${nodes} (${counted}); give a ` +
          'pool more nodes in the cluster, name another nodePool, or lower the number of pods',
        { scope, property: 'nodePool' },
      );
    }
  }

  /** The part of an affinity that {@link nodeTerms} make; undefined where there are none. */
  public get nodeAffinity(): k8s.NodeAffinity | undefined {
    const nodeSelectorTerms = [...this.nodeTerms];
    return nodeSelectorTerms.length === 0
      ? undefined
      : { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } };
  }

  /** Taints that the pods tolerate. */
  public readonly tolerations: k8s.Toleration[];
  /** RuntimeClass of the pods. */
  public readonly runtimeClassName?: string;
  /** Extended resource that the main container asks for. */
  public readonly extendedResource?: ExtendedResource;

  /** Node labels that the pods require, where one value of each is all there is to say. */
  public readonly nodeSelector: { readonly [label: string]: string };
  /** Other requirements of nodes, of which one has to hold; empty where there are none. */
  public readonly nodeTerms: readonly k8s.NodeSelectorTerm[];

  private constructor(
    private readonly scope: IConstruct,
    /** The cluster. */
    public readonly cluster: Cluster,
    /** The node pool; undefined when any node will do or the cluster's pools are unknown. */
    public readonly pool: NodePool | undefined,
    terms: NodeTerm[],
    accelerator: Accelerator | undefined,
    count: number,
  ) {
    const [only = {}] = terms;
    const plain = terms.length < 2 && Object.values(only).every(({ length }) => length === 1);
    this.nodeSelector = plain
      ? Object.fromEntries(Object.entries(only).map(([label, [value]]) => [label, value as string]))
      : {};
    this.nodeTerms = plain ? [] : terms.map(requirementsOf);
    this.tolerations = tolerationsOf(pool?.taints ?? [], (accelerator ?? pool?.accelerator) !== undefined);
    if (accelerator !== undefined) {
      this.runtimeClassName = cluster.gpuRuntimeClass;
      this.extendedResource = { name: accelerator.resourceOn(cluster.cloud), count };
    }
  }
}

function requirementsOf(term: NodeTerm): k8s.NodeSelectorTerm {
  const matchExpressions = Object.entries(term).map(([key, values]) => ({ key, operator: 'In', values: [...values] }));
  return { matchExpressions };
}

/** Nodes of the pool, or those with the accelerator where the pools are unknown. */
function nodesOf(
  scope: IConstruct,
  { cloud }: Cluster,
  pool: NodePool | undefined,
  { accelerator }: PlacementProps,
): NodeTerm[] {
  const wanted = accelerator ?? pool?.accelerator;
  const own = Object.entries(pool?.nodeSelector ?? {});
  const ofPool = [Object.fromEntries(own.map(([label, value]) => [label, [value]]))];
  const terms = pool?.nodeSelector === undefined ? (wanted?.nodesOn(cloud) ?? []) : ofPool.filter(() => own.length > 0);
  if (terms.length > 0 || (pool ?? wanted) === undefined) {
    return terms;
  }
  const what = pool === undefined ? `of nodes with ${wanted?.name}` : `of the pool "${pool.name}"`;
  throw new UsageError(
    `leads nowhere: no label ${what} is known on the cloud ${cloud.name}; give the pool a nodeSelector in the cluster`,
    { scope, property: pool === undefined ? 'accelerator' : 'nodePool' },
  );
}

function countOf(scope: IConstruct, props: PlacementProps): number {
  const count = props.accelerators ?? 1;
  if (!Number.isInteger(count) || count < 1) {
    throw new UsageError(`is ${count}, but GPUs are whole: use 1 or more`, { scope, property: 'accelerators' });
  }
  if (props.accelerators !== undefined && props.accelerator === undefined) {
    throw new UsageError(`is ${count}, but no accelerator is set; set accelerator as well`, {
      scope,
      property: 'accelerators',
    });
  }
  return count;
}

function choosePool(scope: IConstruct, cluster: Cluster, props: PlacementProps): NodePool | undefined {
  const { accelerator, nodePool } = props;
  const pools = cluster.nodePools;
  if (pools === undefined) {
    if (nodePool !== undefined) {
      throw new UsageError(`is "${nodePool}", but the cluster declares no node pools; declare it in the cluster`, {
        scope,
        property: 'nodePool',
      });
    }
    return undefined;
  }
  const has = (pool: NodePool) => accelerator === undefined || pool.accelerator?.name === accelerator.name;
  if (nodePool !== undefined) {
    const pool = pools.find((candidate) => candidate.name === nodePool);
    if (pool === undefined || !has(pool)) {
      const lack = pool === undefined ? 'the cluster has no such pool' : `it has no ${accelerator?.name}`;
      throw new UsageError(`is "${nodePool}", but ${lack}; pools: ${describe(pools)}`, { scope, property: 'nodePool' });
    }
    return pool;
  }
  if (accelerator === undefined) {
    return undefined;
  }
  const pool = pools.find(has);
  if (pool === undefined) {
    throw new UsageError(
      `is ${accelerator.name}, but no node pool of the cluster has it; pools: ${describe(pools)}; ` +
        'add such a pool to the cluster or choose an accelerator that it has',
      { scope, property: 'accelerator' },
    );
  }
  return pool;
}

function describe(pools: NodePool[]): string {
  return pools.map((pool) => `${pool.name} (${pool.accelerator?.name ?? 'no GPU'})`).join(', ') || 'none';
}

/** Whether pods without a GPU and without tolerations can run there. */
function isOpen({ accelerator, taints = [] }: NodePool): boolean {
  return accelerator === undefined && taints.every(({ effect }) => effect === 'PreferNoSchedule');
}

/** Key that the NVIDIA GPU operator's own pods tolerate, and that GKE taints GPU nodes with. */
const GPU_TAINT = 'nvidia.com/gpu';

function tolerationsOf(taints: Taint[], gpu: boolean): k8s.Toleration[] {
  const declared = taints.map((taint) => ({
    key: taint.key,
    operator: taint.value === undefined ? 'Exists' : 'Equal',
    value: taint.value,
    effect: taint.effect ?? 'NoSchedule',
  }));
  if (!gpu || taints.some((taint) => taint.key === GPU_TAINT)) {
    return declared;
  }
  return [{ key: GPU_TAINT, operator: 'Exists', effect: 'NoSchedule' }, ...declared];
}
