import type { Json } from '../../constructs/rules/output';
import { EACH_ENVIRONMENT, ENVIRONMENTS } from '../support/environments';
import { operatedPods } from '../support/operated-pods';
import { podsOf } from '../support/pods';

/** What keeps data, by whomever it is run. */
const STATEFUL = ['StatefulSet', 'Cluster', 'RabbitmqCluster', 'KafkaNodePool'];

const MEBI: { readonly [unit: string]: number } = { Ki: 1 / 1024, Mi: 1, Gi: 1024, Ti: 1024 * 1024 };

function mebibytes(quantity: string): number {
  const [, amount, unit] = /^(\d+)(Ki|Mi|Gi|Ti)$/.exec(quantity) ?? [];
  return Number(amount) * (MEBI[unit as string] as number);
}

function millis(quantity: string): number {
  const [, amount, unit] = /^(\d+)(m?)$/.exec(quantity) ?? [];
  return Number(amount) * (unit === 'm' ? 1 : 1000);
}

describe.each(EACH_ENVIRONMENT)('%s: every container states its resources', (name, { objects }) => {
  const pods = [...podsOf(objects), ...operatedPods(objects)];

  test('requests for CPU, memory and disk, and a limit for memory and disk', () => {
    for (const { resources } of pods.flatMap(({ containers }) => containers)) {
      expect(Object.keys(resources.requests)).toEqual(expect.arrayContaining(['cpu', 'memory', 'ephemeral-storage']));
      expect(Object.keys(resources.limits)).toEqual(expect.arrayContaining(['memory', 'ephemeral-storage']));
      expect(mebibytes(resources.limits.memory)).toBeGreaterThanOrEqual(mebibytes(resources.requests.memory));
    }
  });

  test('stateful containers get the memory that they may use', () => {
    const stateful = pods.filter(({ owner }) => STATEFUL.includes(owner.kind)).flatMap(({ containers }) => containers);
    expect(stateful.length > 0).toBe(name !== 'aws');
    for (const { resources } of stateful) {
      expect(resources.requests.memory).toBe(resources.limits.memory);
    }
  });

  test('scratch volumes have a size, and those on disk fit into the limits of the containers', () => {
    for (const { spec, containers } of pods) {
      const empty: Json[] = (spec.volumes ?? []).filter(({ emptyDir }: Json) => emptyDir !== undefined);
      for (const { emptyDir } of empty) {
        expect(emptyDir.sizeLimit).toMatch(/^\d+(Mi|Gi)$/);
      }
      const onDisk = empty.filter(({ emptyDir }) => emptyDir.medium !== 'Memory');
      const wanted = onDisk.reduce((sum, { emptyDir }) => sum + mebibytes(emptyDir.sizeLimit), 0);
      const allowed = containers.reduce(
        (sum, { resources }) => sum + mebibytes(resources.limits['ephemeral-storage']),
        0,
      );
      expect(allowed).toBeGreaterThan(wanted);
    }
  });

  test('limits are never below requests, and memory is never without a limit', () => {
    for (const { resources } of pods.flatMap(({ containers }) => containers)) {
      expect(mebibytes(resources.limits.memory)).toBeGreaterThan(0);
      expect(millis(resources.limits.cpu ?? resources.requests.cpu)).toBeGreaterThanOrEqual(
        millis(resources.requests.cpu),
      );
      expect(resources.limits['ephemeral-storage']).toBe(resources.requests['ephemeral-storage']);
    }
  });

  test('space in memory fits into the memory of the containers', () => {
    for (const { spec, containers } of pods) {
      const inMemory: Json[] = (spec.volumes ?? []).filter(({ emptyDir }: Json) => emptyDir?.medium === 'Memory');
      const wanted = inMemory.reduce((sum, { emptyDir }) => sum + mebibytes(emptyDir.sizeLimit), 0);
      const allowed = containers.reduce((sum, { resources }) => sum + mebibytes(resources.limits.memory), 0);
      expect(allowed).toBeGreaterThan(wanted);
    }
  });

  test('GPUs are whole, request equals limit, and no rollout needs a spare one', () => {
    for (const { owner, containers, spec } of pods) {
      const gpus = containers.flatMap(({ resources }) =>
        Object.entries(resources.limits).filter(([name]) => name.startsWith('nvidia.com/')),
      );
      for (const [name, count] of gpus) {
        expect(count).toMatch(/^[1-9]\d*$/);
        expect(containers[0].resources.requests[name]).toBe(count);
        expect(owner.spec.strategy.rollingUpdate).toEqual({ maxSurge: 0, maxUnavailable: 1 });
        expect(spec.tolerations).toContainEqual({ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' });
        const affinity = spec.affinity?.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms;
        expect(Object.keys(spec.nodeSelector ?? affinity).length).toBeGreaterThan(0);
      }
    }
  });
});

test('there are pods with several GPUs, and with a part of one', () => {
  const asked = ENVIRONMENTS.flatMap(({ objects }) =>
    podsOf(objects).flatMap(({ containers }) =>
      containers.flatMap(({ resources }) =>
        Object.entries<string>(resources.limits).filter(([name]) => name.startsWith('nvidia.com/')),
      ),
    ),
  );
  expect(new Set(asked.map(([name]) => name))).toEqual(new Set(['nvidia.com/gpu', 'nvidia.com/mig-1g.10gb']));
  expect(Math.max(...asked.map(([, count]) => Number(count)))).toBe(4);
});
