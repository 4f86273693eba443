import type { ManifestObject } from '../../constructs/rules/output';
import { EACH_ENVIRONMENT } from '../support/environments';
import { operatedPods } from '../support/operated-pods';
import { matches } from '../support/pods';

const WORKLOADS = ['Deployment', 'StatefulSet'];

/** What an operator runs without a budget of its own; CloudNativePG makes one for instances only, and Strimzi for its nodes. */
const WITHOUT_BUDGET = ['RabbitmqCluster', 'Pooler'];

/** What votes, by how many there are. */
const QUORUMS: { readonly [kind: string]: (object: ManifestObject) => number } = {
  RabbitmqCluster: ({ spec }) => spec.replicas,
  KafkaNodePool: ({ spec }) => spec.replicas,
};

/** Fewest pods that a workload can have. */
function minimumOf(objects: ManifestObject[], workload: ManifestObject): number {
  const [spec] = autoscalersOf(objects, workload).map((autoscaler) => autoscaler.spec);
  return workload.spec.replicas ?? workload.spec.instances ?? spec.minReplicas ?? spec.minReplicaCount;
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
    const guarded = [...workloads, ...objects.filter(({ kind }) => WITHOUT_BUDGET.includes(kind))]
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

  test('so does one that an operator runs, and no two of its members are on one node', () => {
    const members = objects.filter(({ kind }) => QUORUMS[kind] !== undefined);
    for (const member of members) {
      const count = QUORUMS[member.kind]?.(member) ?? 0;
      expect(count === 1 || count - 1 > count / 2).toBe(true);
    }
    const pods = operatedPods(objects).filter(({ owner }) => members.includes(owner));
    for (const { owner, labels, spec } of pods) {
      expect(spec.topologySpreadConstraints).toContainEqual(
        expect.objectContaining({ topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' }),
      );
      for (const { labelSelector } of spec.topologySpreadConstraints) {
        expect([owner.metadata.name, matches(labels, labelSelector)]).toEqual([owner.metadata.name, true]);
      }
    }
  });

  test('a database goes on writing while one instance is away', () => {
    for (const { spec } of objects.filter(({ kind, apiVersion }) => kind === 'Cluster' && /cnpg/.test(apiVersion))) {
      expect(spec.instances - 1).toBeGreaterThan(spec.postgresql.synchronous?.number ?? 0);
    }
  });

  test('topics are written while one node is away', () => {
    for (const { spec } of objects.filter(({ kind }) => kind === 'KafkaTopic')) {
      expect(spec.config['min.insync.replicas']).toBeLessThanOrEqual(Math.max(1, spec.replicas - 1));
    }
  });
});
