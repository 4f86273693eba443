import type { Json } from '../../../constructs/rules/output';
import { replicaOwnership } from '../../../constructs/rules/replica-ownership';
import { LABELS, manifest, POD_KINDS, problemsOf, workload } from '../../support/output';

const SCALABLE = ['Deployment', 'StatefulSet', 'Rollout'];

const hpa = (kind: string, spec: Json = {}, name = 'api') =>
  manifest('HorizontalPodAutoscaler', name, {
    spec: { scaleTargetRef: { kind, name: 'api' }, minReplicas: 2, maxReplicas: 4, ...spec },
  });

const scaledObject = (scaleTargetRef: Json, spec: Json = {}) =>
  manifest('ScaledObject', 'api', { spec: { scaleTargetRef, ...spec } });

describe.each(SCALABLE)('the number of pods of a %s', (kind) => {
  const fixed = workload(kind, { spec: { replicas: 3 } });
  const open = workload(kind);

  test('is ours, or an autoscaler owns it', () => {
    expect(problemsOf(replicaOwnership, [fixed])).toEqual([]);
    expect(problemsOf(replicaOwnership, [open, hpa(kind)])).toEqual([]);
    expect(problemsOf(replicaOwnership, [open, scaledObject({ kind, name: 'api' })])).toEqual([]);
  });

  test('has an owner', () => {
    expect(problemsOf(replicaOwnership, [open])).toEqual([`${kind} test/api: nobody owns the number of replicas`]);
  });

  test('is not set where an autoscaler owns it', () => {
    expect(problemsOf(replicaOwnership, [fixed, hpa(kind)])).toEqual([
      `${kind} test/api: spec.replicas is 3, but HorizontalPodAutoscaler test/api owns it; drop one of the two`,
    ]);
    const stopped = workload(kind, { spec: { replicas: 0 } });
    expect(problemsOf(replicaOwnership, [stopped, scaledObject({ kind, name: 'api' })])).toEqual([
      `${kind} test/api: spec.replicas is 0, but ScaledObject test/api owns it; drop one of the two`,
    ]);
  });

  test('has no two autoscalers', () => {
    const both = [hpa(kind), scaledObject({ kind, name: 'api' })];
    expect(problemsOf(replicaOwnership, [open, ...both])).toEqual([
      `${kind} test/api: HorizontalPodAutoscaler test/api and ScaledObject test/api both own the number of replicas; keep one`,
    ]);
    expect(problemsOf(replicaOwnership, [fixed, hpa(kind, {}, 'first'), hpa(kind, {}, 'second')])).toEqual([
      `${kind} test/api: HorizontalPodAutoscaler test/first and HorizontalPodAutoscaler test/second both own the number ` +
        'of replicas; keep one',
    ]);
  });

  test('may have its autoscaler anywhere in the app', () => {
    const own = [fixed];
    const problem = `${kind} test/api: spec.replicas is 3, but HorizontalPodAutoscaler test/api owns it; drop one of the two`;
    expect(problemsOf(replicaOwnership, own, { besides: [hpa(kind)] })).toEqual([problem]);
    expect(problemsOf(replicaOwnership, own, { elsewhere: [hpa(kind)] })).toEqual([problem]);
  });

  test('is no business of an autoscaler for another name, kind or namespace', () => {
    const others = [
      hpa(kind, { scaleTargetRef: { kind, name: 'other' } }),
      hpa('ReplicaSet'),
      { ...hpa(kind), metadata: { name: 'api', namespace: 'other' } },
      manifest('HorizontalPodAutoscaler', 'unfinished'),
      manifest('ScaledObject', 'unfinished', { spec: {} }),
    ];
    expect(problemsOf(replicaOwnership, [fixed, ...others])).toEqual([]);
  });
});

test('a ScaledObject without kind scales a Deployment', () => {
  const scaler = scaledObject({ name: 'api' });
  expect(problemsOf(replicaOwnership, [workload('Deployment'), scaler])).toEqual([]);
  expect(problemsOf(replicaOwnership, [workload('StatefulSet'), scaler])).toEqual([
    'StatefulSet test/api: nobody owns the number of replicas',
  ]);
});

test.each(POD_KINDS.filter((kind) => !SCALABLE.includes(kind)))('a %s has no number of pods to own', (kind) => {
  expect(problemsOf(replicaOwnership, [workload(kind)])).toEqual([]);
});

test('workloads that are not ours are not judged', () => {
  expect(problemsOf(replicaOwnership, [], { besides: [workload('Deployment')] })).toEqual([]);
});

describe('a disruption budget', () => {
  const budget = (spec: Json, labels = LABELS) =>
    manifest('PodDisruptionBudget', 'api', { spec: { selector: { matchLabels: labels }, ...spec } });

  const blocked = (minimum: number, kind = 'Deployment') =>
    `PodDisruptionBudget test/api: allows no eviction when ${kind} test/api has its minimum of ${minimum} pods; nodes ` +
    'could never be drained';

  test.each<[Json, number]>([
    [{ maxUnavailable: 1 }, 1],
    [{ maxUnavailable: '1%' }, 3],
    [{ maxUnavailable: '34%' }, 3],
    [{ minAvailable: 1 }, 2],
    [{ minAvailable: 2 }, 3],
    [{ minAvailable: '50%' }, 3],
    [{ minAvailable: '66%' }, 3],
    [{ minAvailable: 0 }, 1],
  ])('of %j leaves room for one eviction among %i pods', (spec, replicas) => {
    expect(problemsOf(replicaOwnership, [workload('Deployment', { spec: { replicas } }), budget(spec)])).toEqual([]);
  });

  test.each<[Json, number]>([
    [{ maxUnavailable: 0 }, 3],
    [{ maxUnavailable: '0%' }, 3],
    [{ minAvailable: 1 }, 1],
    [{ minAvailable: 3 }, 3],
    [{ minAvailable: 4 }, 3],
    [{ minAvailable: '67%' }, 3],
    [{ minAvailable: '50%' }, 1],
    [{ minAvailable: '100%' }, 3],
  ])('of %j leaves none among %i pods', (spec, replicas) => {
    expect(problemsOf(replicaOwnership, [workload('Deployment', { spec: { replicas } }), budget(spec)])).toEqual([
      blocked(replicas),
    ]);
  });

  test.each(SCALABLE)('is held against the least that the autoscaler of a %s may choose', (kind) => {
    const three = budget({ minAvailable: 2 });
    const least = (minReplicas: number) => [workload(kind), hpa(kind, { minReplicas }), three];
    expect(problemsOf(replicaOwnership, least(3))).toEqual([]);
    expect(problemsOf(replicaOwnership, least(2))).toEqual([blocked(2, kind)]);
    const keda = (minReplicaCount: number) => [
      workload(kind),
      scaledObject({ kind, name: 'api' }, { minReplicaCount }),
      three,
    ];
    expect(problemsOf(replicaOwnership, keda(3))).toEqual([]);
    expect(problemsOf(replicaOwnership, keda(1))).toEqual([blocked(1, kind)]);
  });

  test.each(SCALABLE)('is held against 1 when nothing is said about the pods of a %s', (kind) => {
    const unsaid = [workload(kind), hpa(kind, { minReplicas: undefined })];
    expect(problemsOf(replicaOwnership, [...unsaid, budget({ maxUnavailable: 1 })])).toEqual([]);
    expect(problemsOf(replicaOwnership, [...unsaid, budget({ minAvailable: 1 })])).toEqual([blocked(1, kind)]);
    expect(problemsOf(replicaOwnership, [workload(kind), budget({ minAvailable: 1 })])).toEqual([
      `${kind} test/api: nobody owns the number of replicas`,
      blocked(1, kind),
    ]);
  });

  test.each(SCALABLE)('is no matter where a %s may have no pods', (kind) => {
    const stopped = [workload(kind, { spec: { replicas: 0 } })];
    const toZero = [workload(kind), scaledObject({ kind, name: 'api' }, { minReplicaCount: 0 })];
    const unsaid = [workload(kind), scaledObject({ kind, name: 'api' })];
    for (const pods of [stopped, toZero, unsaid]) {
      expect(problemsOf(replicaOwnership, [...pods, budget({ minAvailable: 2 })])).toEqual([]);
      expect(problemsOf(replicaOwnership, [...pods, budget({ maxUnavailable: 0 })])).toEqual([]);
    }
  });

  test('is held against every workload that it selects', () => {
    const pair = [
      workload('Deployment', { spec: { replicas: 1 } }),
      workload('StatefulSet', { spec: { replicas: 1 } }),
    ];
    expect(problemsOf(replicaOwnership, [...pair, budget({ minAvailable: 1 })])).toEqual([
      blocked(1),
      blocked(1, 'StatefulSet'),
    ]);
  });

  test('is no business of pods that it does not select', () => {
    const other = workload('Deployment', {
      spec: { replicas: 1 },
      labels: { ...LABELS, 'app.kubernetes.io/name': 'other' },
    });
    const away = {
      ...workload('StatefulSet', { spec: { replicas: 1 } }),
      metadata: { name: 'api', namespace: 'away' },
    };
    expect(problemsOf(replicaOwnership, [other, away, budget({ minAvailable: 1 })])).toEqual([]);
  });

  test('that is not ours is not judged', () => {
    const own = [workload('Deployment', { spec: { replicas: 1 } })];
    expect(problemsOf(replicaOwnership, own, { besides: [budget({ minAvailable: 1 })] })).toEqual([]);
  });
});
