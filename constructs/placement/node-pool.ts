import type { Accelerator } from './accelerator';

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
   * The GPU in each node.
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
