import { Cloud } from '../../../constructs/placement/cloud';

const LABELS = { product: 'NVIDIA-L4', gkeAccelerator: 'nvidia-l4', karpenterGpuName: 'l4' };

test.each([
  ['eks', Cloud.EKS, { 'karpenter.k8s.aws/instance-gpu-name': 'l4' }],
  ['gke', Cloud.GKE, { 'cloud.google.com/gke-accelerator': 'nvidia-l4' }],
  ['aks', Cloud.AKS, { 'nvidia.com/gpu.product': 'NVIDIA-L4' }],
  ['generic', Cloud.GENERIC, { 'nvidia.com/gpu.product': 'NVIDIA-L4' }],
])('%s is known by its name, and selects a GPU by the label that it sets', (name, cloud, selector) => {
  expect(Cloud.named(name)).toBe(cloud);
  expect(cloud.name).toBe(name);
  expect(cloud.acceleratorSelector(LABELS)).toEqual(selector);
  expect(cloud.acceleratorSelector({})).toEqual({});
});

test('only GKE chooses slices and shares by node label', () => {
  const clouds = [Cloud.EKS, Cloud.GKE, Cloud.AKS, Cloud.GENERIC];
  expect(clouds.filter((cloud) => cloud.partitionsByNodeLabel)).toEqual([Cloud.GKE]);
});

test.each(['aws', 'EKS', ''])('"%s" is the name of no cloud', (name) => {
  expect(() => Cloud.named(name)).toThrow(new Error(`cloud is "${name}"; use one of eks, gke, aks, generic`));
});
