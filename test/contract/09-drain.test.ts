import type { Json } from '../../constructs/rules/output';
import { EACH_ENVIRONMENT } from '../support/environments';
import { env, find } from '../support/manifests';
import { podsOf } from '../support/pods';

function preStop(container: Json): number {
  const [program, seconds] = container.lifecycle?.preStop?.exec.command ?? ['sleep', '0'];
  expect(program).toBe('sleep');
  return Number(seconds);
}

describe.each(EACH_ENVIRONMENT)(
  '%s: timeouts and drains are monotone from the edge to the engine',
  (_, { objects }) => {
    const pods = podsOf(objects);
    const api = find(objects, 'Deployment', 'api');
    const answer = Number(env(api, 'LONGEST_ANSWER_SECONDS'));

    test('a pod that serves stops only after load balancers have noticed', () => {
      for (const { title, containers } of pods.filter(({ containers: all }) =>
        all.some(({ ports }) => ports !== undefined),
      )) {
        const delays = containers.map(preStop);
        expect([title, Math.max(...delays) > 0 || title === 'StatefulSet/queue']).toEqual([title, true]);
      }
    });

    test('the grace period has room for the delay and for the longest answer or task', () => {
      for (const { owner, spec, containers } of pods) {
        const work = Number(env(owner, 'LONGEST_ANSWER_SECONDS') ?? env(owner, 'LONGEST_TASK_SECONDS') ?? 0);
        const needed = Math.max(...containers.map(preStop)) + work;
        expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(needed);
      }
    });

    test('the edge waits longer than the API answers, and the API lives longer than the edge waits', () => {
      const grace = api.spec.template.spec.terminationGracePeriodSeconds;
      const delay = preStop(api.spec.template.spec.containers[0]);
      const timeouts = [
        ...objects.flatMap(({ kind, spec }) =>
          kind === 'HTTPRoute'
            ? spec.rules.flatMap(({ timeouts: t }: Json) => (t === undefined ? [] : [t.request, t.backendRequest]))
            : [],
        ),
        ...objects.flatMap(({ kind, metadata }) =>
          kind === 'Ingress'
            ? Object.entries(metadata.annotations ?? {}).flatMap(([name, value]) =>
                /timeout$/.test(name) ? [`${value}s`] : [],
              )
            : [],
        ),
      ].map((timeout) => Number(/^(\d+)s$/.exec(timeout)?.[1]));
      for (const timeout of timeouts) {
        expect(timeout).toBeGreaterThan(answer);
        expect(grace).toBeGreaterThanOrEqual(delay + timeout);
      }
    });

    test('a rollout is given up only after its pods had the time that they may take', () => {
      for (const { owner, spec, containers } of pods.filter(({ owner: { kind } }) => kind === 'Deployment')) {
        const startup = Math.max(
          ...containers.map(({ startupProbe: probe }) =>
            probe === undefined ? 0 : probe.periodSeconds * probe.failureThreshold,
          ),
        );
        expect(owner.spec.progressDeadlineSeconds).toBeGreaterThan(spec.terminationGracePeriodSeconds + startup);
      }
    });
  },
);
