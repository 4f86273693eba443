import { checkLabels, checkLabelValue, isLabelKey } from '../rules/label';
import { UsageError } from '../rules/usage-error';
import { checkWholeNumber } from '../rules/whole-number';
import type { Accelerator } from './accelerator';

/** What a taint does to pods that do not tolerate it (Kubernetes docs, "Taints and Tolerations"). */
export const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;

/** A taint that keeps other pods off the nodes of a pool. */
export interface Taint {
  /** Key of the taint. */
  readonly key: string;

  /**
   * Value of the taint.
   * @default - the toleration matches every value
   */
  readonly value?: string;

  /**
   * `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
   * @default "NoSchedule"
   */
  readonly effect?: string;
}

/** A group of like nodes in the cluster. */
export interface NodePool {
  /** Name of the pool, as workloads and messages refer to it. */
  readonly name: string;

  /** Most nodes that the pool can have, the cluster autoscaler's bound included. */
  readonly nodes: number;

  /**
   * The GPU in each node. Its nodes are not counted on for pods that ask for no GPU and name no pool.
   * @default - nodes without GPU
   */
  readonly accelerator?: Accelerator;

  /**
   * Allocatable units of the accelerator per node: devices, or MIG slices or shares of them.
   * @default 1 when the pool has an accelerator
   */
  readonly acceleratorsPerNode?: number;

  /**
   * Labels that select the pool's nodes.
   * @default - with an accelerator, the labels that the cloud sets for it; otherwise none
   */
  readonly nodeSelector?: { readonly [label: string]: string };

  /**
   * Taints of the pool's nodes. `nvidia.com/gpu` is always tolerated by GPU pods and need not be listed.
   * @default - none
   */
  readonly taints?: Taint[];
}

/** Refuses pools that no cluster can have, and two of one name. */
export function checkNodePools(pools: readonly NodePool[]): void {
  const names = pools.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new UsageError(`has two pools named "${twice}"; rename one`, { property: 'cluster.nodePools' });
  }
  for (const [
    index,
    { name, accelerator, nodes, acceleratorsPerNode, nodeSelector = {}, taints = [] },
  ] of pools.entries()) {
    const property = `cluster.nodePools.${index}`;
    if (!/^\S+$/.test(name)) {
      throw new UsageError(`is "${name}", but must be a name without spaces: gpu-l4`, { property: `${property}.name` });
    }
    checkWholeNumber(`${property}.nodes`, nodes, 0);
    checkWholeNumber(`${property}.acceleratorsPerNode`, acceleratorsPerNode ?? 1, 1);
    if (acceleratorsPerNode !== undefined && accelerator === undefined) {
      throw new UsageError(`is ${acceleratorsPerNode}, but the pool has no accelerator; say which, or leave it out`, {
        property: `${property}.acceleratorsPerNode`,
      });
    }
    checkLabels(undefined, `${property}.nodeSelector`, nodeSelector);
    for (const [place, taint] of taints.entries()) {
      checkTaint(`${property}.taints.${place}`, taint);
    }
  }
}

function checkTaint(property: string, { key, value = '', effect = 'NoSchedule' }: Taint): void {
  checkLabelValue(undefined, `${property}.value`, value);
  if (!isLabelKey(key)) {
    throw new UsageError(`is "${key}", but the key of a taint has the form of a label's: nvidia.com/gpu`, {
      property: `${property}.key`,
    });
  }
  if (!TAINT_EFFECTS.some((known) => known === effect)) {
    throw new UsageError(`is "${effect}", but must be one of ${TAINT_EFFECTS.join(', ')}`, {
      property: `${property}.effect`,
    });
  }
}
