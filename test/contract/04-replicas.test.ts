import type { ManifestObject } from '../../constructs/rules/output';
import { EACH_ENVIRONMENT } from '../support/environments';

const WORKLOADS = ['Deployment', 'StatefulSet'];

/** Fewest pods that a workload can have. */
function minimumOf(objects: ManifestObject[], workload: ManifestObject): number {
  const [spec] = autoscalersOf(objects, workload).map((autoscaler) => autoscaler.spec);
  return workload.spec.replicas ?? spec.minReplicas ?? spec.minReplicaCount;
}

function autoscalersOf(objects: ManifestObject[], { kind, metadata }: ManifestObject): ManifestObject[] {
  return objects.filter(
    ({ spec }) =>
      spec?.scaleTargetRef?.name === metadata.name &&
      spec.scaleTargetRef.kind === kind &&
      spec.scaleTargetRef.apiVersion === 'apps/v1',
  );
}

describe.each(EACH_ENVIRONMENT)('%s: replicas have one owner', (_, { objects }) => {
  const workloads = objects.filter(({ kind }) => WORKLOADS.includes(kind));

  test('us, or one autoscaler, and never both', () => {
    for (const workload of workloads) {
      const owners = autoscalersOf(objects, workload).length + (workload.spec.replicas === undefined ? 0 : 1);
      expect([workload.metadata.name, owners]).toEqual([workload.metadata.name, 1]);
    }
  });

  test('autoscalers have bounds in order', () => {
    for (const { kind, spec } of objects) {
      if (kind === 'HorizontalPodAutoscaler') {
        expect(spec.minReplicas).toBeGreaterThanOrEqual(1);
        expect(spec.maxReplicas).toBeGreaterThanOrEqual(spec.minReplicas);
      }
      if (kind === 'ScaledObject') {
        expect(spec.maxReplicaCount).toBeGreaterThanOrEqual(spec.minReplicaCount);
      }
    }
  });

  test('exactly the workloads that always have two pods have a budget, and it gives up one', () => {
    const budgets = objects.filter(({ kind }) => kind === 'PodDisruptionBudget');
    const guarded = workloads
      .filter((workload) => minimumOf(objects, workload) >= 2)
      .map(({ metadata }) => metadata.name);
    expect(budgets.map(({ metadata }) => metadata.name).sort()).toEqual(guarded.sort());
    for (const { spec } of budgets) {
      expect(spec.maxUnavailable).toBe(1);
      expect(spec.minAvailable).toBeUndefined();
    }
  });

  test('a quorum survives an eviction', () => {
    const qdrant = workloads.find(({ metadata }) => metadata.name === 'qdrant');
    const nodes = qdrant?.spec.replicas;
    expect(nodes === undefined || nodes === 1 || nodes - 1 > nodes / 2).toBe(true);
    expect(qdrant === undefined ? [] : autoscalersOf(objects, qdrant)).toEqual([]);
  });
});
