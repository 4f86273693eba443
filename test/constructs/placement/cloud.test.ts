import { Cloud } from '../../../constructs/placement/cloud';

const LABELS = {
  products: ['NVIDIA-L4'],
  gkeAccelerator: 'nvidia-l4',
  karpenterGpuName: 'l4',
  karpenterGpuMemory: 24576,
};
const BY_PRODUCT = { 'nvidia.com/gpu.product': ['NVIDIA-L4'] };

test.each([
  [
    'eks',
    Cloud.EKS,
    [
      { 'karpenter.k8s.aws/instance-gpu-name': ['l4'], 'karpenter.k8s.aws/instance-gpu-memory': ['24576'] },
      { 'eks.amazonaws.com/instance-gpu-name': ['l4'], 'eks.amazonaws.com/instance-gpu-memory': ['24576'] },
      BY_PRODUCT,
    ],
  ],
  ['gke', Cloud.GKE, [{ 'cloud.google.com/gke-accelerator': ['nvidia-l4'] }]],
  ['aks', Cloud.AKS, [BY_PRODUCT]],
  ['generic', Cloud.GENERIC, [BY_PRODUCT]],
])('%s is known by its name, and selects a GPU by the labels that it sets', (name, cloud, nodes) => {
  expect(Cloud.named(name)).toBe(cloud);
  expect(cloud.name).toBe(name);
  expect(cloud.acceleratorNodes(LABELS)).toStrictEqual(nodes);
  expect(cloud.acceleratorNodes({})).toStrictEqual([]);
});

test('EKS selects by the memory of a GPU only where it is said', () => {
  expect(Cloud.EKS.acceleratorNodes({ karpenterGpuName: 'l4' })).toStrictEqual([
    { 'karpenter.k8s.aws/instance-gpu-name': ['l4'] },
    { 'eks.amazonaws.com/instance-gpu-name': ['l4'] },
  ]);
});

test('only GKE chooses slices and shares by node label', () => {
  const clouds = [Cloud.EKS, Cloud.GKE, Cloud.AKS, Cloud.GENERIC];
  expect(clouds.filter((cloud) => cloud.partitionsByNodeLabel)).toEqual([Cloud.GKE]);
});

test.each(['aws', 'EKS', ''])('"%s" is the name of no cloud', (name) => {
  expect(() => Cloud.named(name)).toThrow(new Error(`cloud is "${name}"; use one of eks, gke, aks, generic`));
});
