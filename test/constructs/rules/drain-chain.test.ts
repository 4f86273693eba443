import { drainChain } from '../../../constructs/rules/drain-chain';
import type { Json, ManifestObject } from '../../../constructs/rules/output';
import { container, LABELS, manifest, POD_KINDS, problemsOf, workload } from '../../support/output';

const sleeping = (seconds: number, name = 'api') =>
  container({ name, lifecycle: { preStop: { exec: { command: ['sleep', String(seconds)] } } } });

const pods = (
  terminationGracePeriodSeconds: number | undefined,
  containers: Json[] = [container()],
  kind = 'Deployment',
) => workload(kind, { pod: { terminationGracePeriodSeconds, containers } });

describe.each(POD_KINDS)('a container of a %s', (kind) => {
  test('sleeps for less than the grace period', () => {
    expect(problemsOf(drainChain, [pods(30, [sleeping(29)], kind)])).toEqual([]);
    expect(problemsOf(drainChain, [pods(30, [container(), sleeping(30, 'sidecar')], kind)])).toEqual([
      `${kind} test/api: container sidecar sleeps 30 s before it stops, but is killed after 30 s; lengthen the grace period`,
    ]);
  });
});

test('the grace period is 30 seconds when nothing is said', () => {
  expect(problemsOf(drainChain, [pods(undefined, [sleeping(29)])])).toEqual([]);
  expect(problemsOf(drainChain, [pods(undefined, [sleeping(30)])])).toEqual([
    'Deployment test/api: container api sleeps 30 s before it stops, but is killed after 30 s; lengthen the grace period',
  ]);
});

test.each<[string, (seconds: number) => Json]>([
  ['a command by its name', (seconds) => ({ exec: { command: ['sleep', String(seconds)] } })],
  ['a command by its path', (seconds) => ({ exec: { command: ['/bin/sleep', String(seconds)] } })],
  ['a command with a part of a second', (seconds) => ({ exec: { command: ['sleep', `${seconds}.0`] } })],
  ['an action', (seconds) => ({ sleep: { seconds } })],
])('a container sleeps by %s', (_, preStopOf) => {
  const sleepingFor = (seconds: number) => pods(45, [container({ lifecycle: { preStop: preStopOf(seconds) } })]);
  expect(problemsOf(drainChain, [sleepingFor(44)])).toEqual([]);
  expect(problemsOf(drainChain, [sleepingFor(46)])).toEqual([
    'Deployment test/api: container api sleeps 46 s before it stops, but is killed after 45 s; lengthen the grace period',
  ]);
});

test.each<[string, Json]>([
  ['no hook', undefined],
  ['an HTTP hook', { preStop: { httpGet: { path: '/drain', port: 8000 } } }],
  ['a command of its own', { preStop: { exec: { command: ['/drain', '600'] } } }],
  ['a command that is called a little like it', { preStop: { exec: { command: ['/bin/nosleep', '600'] } } }],
  ['a hook at its start', { postStart: { exec: { command: ['sleep', '600'] } } }],
])('a container with %s does not sleep', (_, lifecycle) => {
  expect(problemsOf(drainChain, [pods(30, [container({ lifecycle })])])).toEqual([]);
});

test('pods that are killed at once are said to be, and no container sleeps for nothing', () => {
  const pods = (terminationGracePeriodSeconds: number) =>
    workload('Deployment', { pod: { terminationGracePeriodSeconds } });
  expect(problemsOf(drainChain, [pods(0)])).toEqual([
    'Deployment test/api: its pods are killed at once; give them a grace period of at least one second',
  ]);
  expect(problemsOf(drainChain, [pods(1)])).toEqual([]);
});

describe('a route', () => {
  const service = manifest('Service', 'api', { spec: { selector: LABELS } });
  const route = (timeouts: Json, backend: Json = { name: 'api' }) =>
    manifest('HTTPRoute', 'public', { spec: { rules: [{ timeouts, backendRefs: [backend] }] } });
  const waiting = (request: string) => route({ request });
  const problems = (...own: ManifestObject[]) => problemsOf(drainChain, [...own, service]);

  const tooShort = (timeout: number, grace: number, kind = 'Deployment') =>
    `HTTPRoute test/public: waits ${timeout} s for an answer, but ${kind} test/api is killed ${grace} s after it is told ` +
    'to stop; lengthen the grace period';

  test('waits no longer than the pods live', () => {
    expect(problems(waiting('60s'), pods(60))).toEqual([]);
    expect(problems(waiting('61s'), pods(60))).toEqual([tooShort(61, 60)]);
  });

  test('waits no longer than the 30 seconds that pods live when nothing is said', () => {
    expect(problems(waiting('30s'), pods(undefined))).toEqual([]);
    expect(problems(waiting('31s'), pods(undefined))).toEqual([tooShort(31, 30)]);
  });

  test('counts from the end of the longest sleep', () => {
    const byAction = container({ name: 'sidecar', lifecycle: { preStop: { sleep: { seconds: 10 } } } });
    for (const sidecar of [sleeping(10, 'sidecar'), byAction]) {
      const containers = [sleeping(5), sidecar];
      expect(problems(waiting('60s'), pods(70, containers))).toEqual([]);
      expect(problems(waiting('60s'), pods(69, containers))).toEqual([tooShort(60, 69)]);
    }
  });

  test.each([
    ['90s', 90],
    ['4m', 240],
    ['4m5s', 245],
    ['1h', 3600],
    ['1h1m1s', 3661],
    ['1500ms', 1.5],
    ['2s500ms', 2.5],
  ])('reads %s as %d seconds', (text, seconds) => {
    expect(problems(waiting(text), pods(Math.ceil(seconds)))).toEqual([]);
    expect(problems(waiting(text), pods(Math.ceil(seconds) - 1))).toEqual([tooShort(seconds, Math.ceil(seconds) - 1)]);
  });

  test.each([undefined, {}, { backendRequest: '10m' }])('with the timeouts %j promises nothing', (timeouts) => {
    expect(problems(route(timeouts), pods(30))).toEqual([]);
  });

  test('is held against every workload behind its Service', () => {
    expect(
      problems(waiting('60s'), pods(30), pods(30, [container()], 'Rollout'), pods(60, [container()], 'StatefulSet')),
    ).toEqual([tooShort(60, 30), tooShort(60, 30, 'Rollout')]);
  });

  test('is held against each of its rules and backends', () => {
    const rules = [
      { timeouts: { request: '10s' }, backendRefs: [{ name: 'api' }] },
      { timeouts: { request: '60s' }, backendRefs: [{ name: 'elsewhere' }, { name: 'api' }] },
    ];
    expect(problems(manifest('HTTPRoute', 'public', { spec: { rules } }), pods(30))).toEqual([tooShort(60, 30)]);
  });

  test('leads to the Service of the namespace that it names', () => {
    const away = { ...pods(30), metadata: { name: 'api', namespace: 'tenant' } };
    const awayService = manifest('Service', 'api', { metadata: { namespace: 'tenant' }, spec: { selector: LABELS } });
    const both = [pods(60), away, awayService];
    expect(problems(waiting('60s'), ...both)).toEqual([]);
    expect(problems(route({ request: '60s' }, { name: 'api', namespace: 'tenant' }), ...both)).toEqual([
      'HTTPRoute test/public: waits 60 s for an answer, but Deployment tenant/api is killed 30 s after it is told to ' +
        'stop; lengthen the grace period',
    ]);
  });

  test('to a Service without pods of ours says nothing', () => {
    const outside = manifest('Service', 'outside', {
      spec: { type: 'ExternalName', externalName: 'api.acme.example' },
    });
    expect(problems(route({ request: '60s' }, { name: 'outside' }), outside, pods(30))).toEqual([]);
    const bare = manifest('Service', 'bare');
    expect(problems(route({ request: '60s' }, { name: 'bare' }), bare, pods(30))).toEqual([]);
    expect(problems(route({ request: '60s' }, { name: 'missing' }), pods(30))).toEqual([]);
    expect(problems(manifest('HTTPRoute', 'redirect', { spec: { rules: [{}] } }), pods(30))).toEqual([]);
    expect(problems(manifest('HTTPRoute', 'empty', { spec: {} }), pods(30))).toEqual([]);
  });

  test('that is not ours is not judged', () => {
    expect(problemsOf(drainChain, [], { besides: [waiting('60s'), service, pods(30, [sleeping(40)])] })).toEqual([]);
  });
});
