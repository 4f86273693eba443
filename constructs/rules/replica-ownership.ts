import { autoscalersOf } from './autoscalers';
import { type Json, type ManifestObject, nameOf, type Output } from './output';
import type { Rule } from './rule';

/** The number of pods has one owner, and every disruption budget leaves room for one eviction. */
export const replicaOwnership: Rule = {
  name: 'replicas have one owner, and one eviction is always possible',
  check: (output) => [
    ...output.own.filter(isScalable).flatMap((workload) => checkOwner(output, workload)),
    ...output.own
      .filter((object) => object.kind === 'PodDisruptionBudget')
      .flatMap((budget) => checkBudget(output, budget)),
  ],
};

function isScalable(object: ManifestObject): boolean {
  return ['Deployment', 'StatefulSet', 'Rollout'].includes(object.kind);
}

function checkOwner(output: Output, workload: ManifestObject): string[] {
  const owners = autoscalersOf(output.all, workload);
  const fixed = workload.spec.replicas !== undefined;
  const named = owners.map(nameOf).join(' and ');
  if (owners.length > 1) {
    return [`${nameOf(workload)}: ${named} both own the number of replicas; keep one`];
  }
  if (owners.length === 1 && fixed) {
    return [
      `${nameOf(workload)}: spec.replicas is ${workload.spec.replicas}, but ${named} owns it; drop one of the two`,
    ];
  }
  return owners.length === 0 && !fixed ? [`${nameOf(workload)}: nobody owns the number of replicas`] : [];
}

function checkBudget(output: Output, budget: ManifestObject): string[] {
  const selected = output.select(budget.metadata.namespace, budget.spec.selector?.matchLabels ?? {});
  return selected.flatMap(({ owner }) => {
    const minimum = minimumOf(output, owner);
    // Where there may be no pod at all, there is none to evict.
    return minimum === 0 || evictionsAllowed(budget.spec, minimum) >= 1
      ? []
      : [
          `${nameOf(budget)}: allows no eviction when ${nameOf(owner)} has its minimum of ${minimum} pods; nodes could never be drained`,
        ];
  });
}

function minimumOf(output: Output, workload: ManifestObject): number {
  const [autoscaler] = autoscalersOf(output.all, workload);
  const { minReplicas, minReplicaCount } = autoscaler?.spec ?? {};
  // What is not said is 1 for a HorizontalPodAutoscaler and a workload, and 0 for KEDA.
  return minReplicas ?? minReplicaCount ?? workload.spec.replicas ?? (autoscaler?.kind === 'ScaledObject' ? 0 : 1);
}

function evictionsAllowed(spec: Json, pods: number): number {
  const { maxUnavailable, minAvailable } = spec;
  // Kubernetes rounds both percentages up.
  return maxUnavailable === undefined ? pods - share(minAvailable, pods) : share(maxUnavailable, pods);
}

function share(value: number | string, of: number): number {
  return typeof value === 'number' ? value : Math.ceil((of * Number.parseInt(value, 10)) / 100);
}
