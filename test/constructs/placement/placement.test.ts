import { Construct } from 'constructs';
import { Accelerator } from '../../../constructs/placement/accelerator';
import { Cloud } from '../../../constructs/placement/cloud';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import type { NodePool } from '../../../constructs/placement/node-pool';
import { Placement, type PlacementProps } from '../../../constructs/placement/placement';
import { testChart } from '../../support/manifests';

/** What nodes have to have by any of these terms. */
function required(...terms: { [label: string]: string[] }[]) {
  const nodeSelectorTerms = terms.map((term) => ({
    matchExpressions: Object.entries(term).map(([key, values]) => ({ key, operator: 'In', values })),
  }));
  return { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } };
}

const CPU_POOL: NodePool = { name: 'general', nodes: 10, nodeSelector: { pool: 'general' } };
const L4_POOL: NodePool = { name: 'l4', nodes: 4, accelerator: Accelerator.NVIDIA_L4 };
const SECOND_L4_POOL: NodePool = { ...L4_POOL, name: 'l4-spot', nodeSelector: { pool: 'l4-spot' } };
const POOLS = [CPU_POOL, L4_POOL, SECOND_L4_POOL];

const GPU_TOLERATION = { key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' };

const place = (props: PlacementProps = {}, cluster: ClusterProps = {}) =>
  Placement.resolve(new Construct(testChart(cluster), 'api'), props);

describe('pods without GPU', () => {
  test.each([
    ['pools are unknown', undefined],
    ['pools are known', POOLS],
  ])('run anywhere, where %s', (_, nodePools) => {
    const placement = place({}, { nodePools, gpuRuntimeClass: 'nvidia' });
    expect(placement.pool).toBeUndefined();
    expect(placement.nodeSelector).toEqual({});
    expect(placement.tolerations).toEqual([]);
    expect(placement.runtimeClassName).toBeUndefined();
    expect(placement.extendedResource).toBeUndefined();
  });

  test('run on the pool that is named', () => {
    const placement = place({ nodePool: 'general' }, { nodePools: POOLS });
    expect(placement.pool).toBe(CPU_POOL);
    expect(placement.nodeSelector).toEqual({ pool: 'general' });
    expect(placement.tolerations).toEqual([]);
  });

  test('run on a pool with GPUs that is named, and leave the GPUs to others', () => {
    const cluster = { nodePools: POOLS, cloud: Cloud.GKE, gpuRuntimeClass: 'nvidia' };
    const placement = place({ nodePool: 'l4' }, cluster);
    expect(placement.pool).toBe(L4_POOL);
    expect(placement.nodeSelector).toEqual({ 'cloud.google.com/gke-accelerator': 'nvidia-l4' });
    expect(placement.tolerations).toEqual([GPU_TOLERATION]);
    expect(placement.runtimeClassName).toBeUndefined();
    expect(placement.extendedResource).toBeUndefined();
    expect(place({ nodePool: 'l4-spot' }, cluster).nodeSelector).toEqual({ pool: 'l4-spot' });
  });
});

describe('pods with a GPU', () => {
  test('need no pools: the labels of the cloud say where it is', () => {
    const placement = place({ accelerator: Accelerator.NVIDIA_L4 }, { cloud: Cloud.GKE });
    expect(placement.pool).toBeUndefined();
    expect(placement.nodeSelector).toEqual({ 'cloud.google.com/gke-accelerator': 'nvidia-l4' });
    expect(placement.tolerations).toEqual([GPU_TOLERATION]);
    expect(placement.runtimeClassName).toBeUndefined();
    expect(placement.extendedResource).toEqual({ name: 'nvidia.com/gpu', count: 1 });
  });

  test('run on the first pool that has it, by the labels of the cloud', () => {
    const placement = place({ accelerator: Accelerator.NVIDIA_L4 }, { nodePools: POOLS, cloud: Cloud.EKS });
    expect(placement.pool).toBe(L4_POOL);
    expect(placement.nodeSelector).toEqual({});
    expect(placement.nodeAffinity).toEqual(
      required(
        { 'karpenter.k8s.aws/instance-gpu-name': ['l4'] },
        { 'eks.amazonaws.com/instance-gpu-name': ['l4'] },
        { 'nvidia.com/gpu.product': ['NVIDIA-L4'] },
      ),
    );
  });

  test('run on the pool that is named, by its own labels alone', () => {
    const placement = place({ accelerator: Accelerator.NVIDIA_L4, nodePool: 'l4-spot' }, { nodePools: POOLS });
    expect(placement.pool).toBe(SECOND_L4_POOL);
    expect(placement.nodeSelector).toEqual({ pool: 'l4-spot' });
  });

  test('are led to a pool by its own labels, or else by all those of the cloud', () => {
    const slices = { name: 'slices', nodes: 1, accelerator: Accelerator.NVIDIA_A100_40.mig('1g.5gb') };
    const { accelerator } = slices;
    const products = ['NVIDIA-A100-SXM4-40GB', 'NVIDIA-A100-PCIE-40GB'];
    expect(place({ accelerator }, { nodePools: [slices], cloud: Cloud.AKS }).nodeAffinity).toEqual(
      required({ 'nvidia.com/gpu.product': products }),
    );
    expect(place({ accelerator }, { nodePools: [slices], cloud: Cloud.EKS }).nodeAffinity).toEqual(
      required(
        { 'karpenter.k8s.aws/instance-gpu-name': ['a100'], 'karpenter.k8s.aws/instance-gpu-memory': ['40960'] },
        { 'eks.amazonaws.com/instance-gpu-name': ['a100'], 'eks.amazonaws.com/instance-gpu-memory': ['40960'] },
        { 'nvidia.com/gpu.product': products },
      ),
    );
    const labelled = { ...slices, nodeSelector: { pool: 'slices' } };
    const byPool = place({ accelerator }, { nodePools: [labelled], cloud: Cloud.EKS });
    expect(byPool.nodeSelector).toEqual({ pool: 'slices' });
    expect(byPool.nodeAffinity).toBeUndefined();
  });

  test('do not share the labels of the pool', () => {
    const placement = place({ nodePool: 'general' }, { nodePools: POOLS });
    Object.assign(placement.nodeSelector, { added: 'later' });
    expect(CPU_POOL.nodeSelector).toEqual({ pool: 'general' });
  });

  test('find a pool by the name of the accelerator, so that equal slices are equal', () => {
    const slices: NodePool = { name: 'slices', nodes: 1, accelerator: Accelerator.NVIDIA_A100_80.mig('1g.10gb') };
    const nodePools = [{ name: 'whole', nodes: 1, accelerator: Accelerator.NVIDIA_A100_80 }, slices];
    const placement = place({ accelerator: Accelerator.named('nvidia-a100-80/1g.10gb') }, { nodePools });
    expect(placement.pool).toBe(slices);
    expect(placement.extendedResource).toEqual({ name: 'nvidia.com/mig-1g.10gb', count: 1 });
  });

  test('get as many as they ask for, as the cloud names them', () => {
    const accelerator = Accelerator.NVIDIA_A100_80.mig('1g.10gb');
    expect(place({ accelerator, accelerators: 4 }, { cloud: Cloud.GKE }).extendedResource).toEqual({
      name: 'nvidia.com/gpu',
      count: 4,
    });
    expect(place({ accelerator, accelerators: 4 }, { cloud: Cloud.AKS }).extendedResource).toEqual({
      name: 'nvidia.com/mig-1g.10gb',
      count: 4,
    });
  });

  test('run in the runtime class of the cluster', () => {
    const placement = place({ accelerator: Accelerator.NVIDIA_T4 }, { gpuRuntimeClass: 'nvidia' });
    expect(placement.runtimeClassName).toBe('nvidia');
  });
});

describe('tolerations', () => {
  const tainted = (taints: NodePool['taints'], accelerator?: Accelerator): ClusterProps => ({
    nodePools: [{ name: 'tainted', nodes: 1, taints, accelerator, nodeSelector: { pool: 'tainted' } }],
  });

  test.each([
    [{ key: 'sku' }, { key: 'sku', operator: 'Exists', effect: 'NoSchedule' }],
    [
      { key: 'sku', value: 'gpu' },
      { key: 'sku', operator: 'Equal', value: 'gpu', effect: 'NoSchedule' },
    ],
    [
      { key: 'sku', value: '' },
      { key: 'sku', operator: 'Equal', value: '', effect: 'NoSchedule' },
    ],
    [
      { key: 'spot', value: 'true', effect: 'NoExecute' },
      { key: 'spot', operator: 'Equal', value: 'true', effect: 'NoExecute' },
    ],
  ])('of the taint %j', (taint, toleration) => {
    expect(place({ nodePool: 'tainted' }, tainted([taint])).tolerations).toEqual([toleration]);
  });

  test('are those of the pool and that of GPUs', () => {
    const cluster = tainted([{ key: 'sku', value: 'gpu' }], Accelerator.NVIDIA_L4);
    expect(place({ accelerator: Accelerator.NVIDIA_L4 }, cluster).tolerations).toEqual([
      GPU_TOLERATION,
      { key: 'sku', operator: 'Equal', value: 'gpu', effect: 'NoSchedule' },
    ]);
  });

  test('hold the one of GPUs once, as the pool states it', () => {
    const cluster = tainted([{ key: 'nvidia.com/gpu', value: 'present' }], Accelerator.NVIDIA_L4);
    expect(place({ accelerator: Accelerator.NVIDIA_L4 }, cluster).tolerations).toEqual([
      { key: 'nvidia.com/gpu', operator: 'Equal', value: 'present', effect: 'NoSchedule' },
    ]);
  });

  test('do not hold that of GPUs without a GPU', () => {
    expect(place({ nodePool: 'tainted' }, tainted([{ key: 'sku' }])).tolerations).not.toContainEqual(GPU_TOLERATION);
  });
});

describe('mistakes', () => {
  const accelerator = Accelerator.NVIDIA_L4;
  const pools = 'general (no GPU), l4 (nvidia-l4), l4-spot (nvidia-l4)';

  test.each([0, -1, 0.5, Number.NaN])('%s GPUs', (accelerators) => {
    expect(() => place({ accelerator, accelerators })).toThrow(
      new Error(`rag/api: accelerators is ${accelerators}, but GPUs are whole: use 1 or more`),
    );
  });

  test('GPUs of no kind', () => {
    expect(() => place({ accelerators: 2 })).toThrow(
      new Error('rag/api: accelerators is 2, but no accelerator is set; set accelerator as well'),
    );
  });

  test('a pool of a cluster that declares none', () => {
    const problem = 'rag/api: nodePool is "l4", but the cluster declares no node pools; declare it in the cluster';
    expect(() => place({ nodePool: 'l4' })).toThrow(new Error(problem));
    expect(() => place({ nodePool: 'l4', accelerator })).toThrow(new Error(problem));
  });

  test('a pool that the cluster does not have', () => {
    const problem = `rag/api: nodePool is "a100", but the cluster has no such pool; pools: ${pools}`;
    expect(() => place({ nodePool: 'a100' }, { nodePools: POOLS })).toThrow(new Error(problem));
    expect(() => place({ nodePool: 'a100', accelerator }, { nodePools: POOLS })).toThrow(new Error(problem));
  });

  test('a pool without the GPU', () => {
    expect(() => place({ nodePool: 'general', accelerator }, { nodePools: POOLS })).toThrow(
      new Error(`rag/api: nodePool is "general", but it has no nvidia-l4; pools: ${pools}`),
    );
    expect(() => place({ nodePool: 'l4', accelerator: accelerator.shared() }, { nodePools: POOLS })).toThrow(
      new Error(`rag/api: nodePool is "l4", but it has no nvidia-l4/shared; pools: ${pools}`),
    );
  });

  test('a GPU that no pool has', () => {
    expect(() => place({ accelerator: Accelerator.NVIDIA_H100 }, { nodePools: POOLS })).toThrow(
      new Error(
        `rag/api: accelerator is nvidia-h100, but no node pool of the cluster has it; pools: ${pools}; add such a pool to ` +
          'the cluster or choose an accelerator that it has',
      ),
    );
  });

  test('a GPU or a pool of a cluster whose pools are none', () => {
    expect(() => place({ accelerator }, { nodePools: [] })).toThrow(
      new Error(
        'rag/api: accelerator is nvidia-l4, but no node pool of the cluster has it; pools: none; add such a pool to the ' +
          'cluster or choose an accelerator that it has',
      ),
    );
    expect(() => place({ nodePool: 'l4' }, { nodePools: [] })).toThrow(
      new Error('rag/api: nodePool is "l4", but the cluster has no such pool; pools: none'),
    );
  });

  const a10g = { name: 'a10g', nodes: 1, accelerator: Accelerator.NVIDIA_A10G };
  const unknown = Accelerator.of({ name: 'amd-mi300x', memoryGb: 192, resource: 'amd.com/gpu' });
  const onlyPool = (pool: NodePool, cloud: Cloud): ClusterProps => ({ nodePools: [pool], cloud });

  test.each<[string, NodePool, Cloud, PlacementProps]>([
    ['a pool without labels', { name: 'general', nodes: 1 }, Cloud.EKS, { nodePool: 'general' }],
    ['a pool with no label at all', { ...L4_POOL, nodeSelector: {} }, Cloud.EKS, { nodePool: 'l4' }],
    ['a pool whose GPU the cloud does not know', a10g, Cloud.GKE, { nodePool: 'a10g' }],
    ['a GPU that the cloud does not know', a10g, Cloud.GKE, { accelerator: Accelerator.NVIDIA_A10G }],
    [
      'a GPU that nobody knows',
      { name: 'mi300x', nodes: 1, accelerator: unknown },
      Cloud.AKS,
      { accelerator: unknown },
    ],
  ])('%s, to which no label leads', (_, pool, cloud, props) => {
    expect(() => place(props, onlyPool(pool, cloud))).toThrow(
      new Error(
        `rag/api: nodePool leads nowhere: no label of the pool "${pool.name}" is known on the cloud ${cloud.name}; give the ` +
          'pool a nodeSelector in the cluster',
      ),
    );
    const labelled = { ...pool, nodeSelector: { pool: pool.name } };
    expect(place(props, onlyPool(labelled, cloud)).nodeSelector).toEqual({ pool: pool.name });
  });

  test.each([
    { wanted: Accelerator.NVIDIA_A10G, cloud: Cloud.GKE },
    { wanted: Accelerator.NVIDIA_L40S, cloud: Cloud.GKE },
    { wanted: unknown, cloud: Cloud.EKS },
    { wanted: unknown, cloud: Cloud.GENERIC },
  ])('$wanted.name, for which the cloud $cloud.name has no label, where pools are unknown', ({ wanted, cloud }) => {
    expect(() => place({ accelerator: wanted }, { cloud })).toThrow(
      `rag/api: accelerator leads nowhere: no label of nodes with ${wanted.name} is known on the cloud ${cloud.name}; `,
    );
  });
});
