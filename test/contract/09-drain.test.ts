import type { Json, ManifestObject } from '../../constructs/rules/output';
import { EACH_ENVIRONMENT, ENVIRONMENTS } from '../support/environments';
import { env, find, mainContainer } from '../support/manifests';
import { podsOf } from '../support/pods';

function preStop(container: Json): number {
  const [program, seconds] = container.lifecycle?.preStop?.exec.command ?? ['sleep', '0'];
  expect(program).toBe('sleep');
  return Number(seconds);
}

/** Seconds that a model server is told to wait for what is under way, when it is told to stop. */
function drainOf(owner: ManifestObject): number | undefined {
  const { args = [] } = mainContainer(owner);
  const after = args.indexOf('--shutdown-timeout');
  const [, triton] = /--exit-timeout-secs=(\d+)/.exec(args.join(' ')) ?? [];
  const seconds = after === -1 ? triton : args[after + 1];
  return seconds === undefined ? undefined : Number(seconds);
}

/** Seconds of the longest request of a model server: what it is told, or else half a minute, the least that these environments say. */
function requestOf(owner: ManifestObject): number {
  const serves = owner.metadata.labels?.['app.kubernetes.io/component'] === 'model-server';
  return drainOf(owner) ?? (serves ? 30 : 0);
}

/** Whether a server generates the API's answers. */
function isLlm(owner: ManifestObject): boolean {
  return owner.kind === 'Deployment' && owner.metadata.name === 'llm';
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
        // A database of one pod has nobody who could take over.
        const alone = ['StatefulSet/queue', 'Deployment/cache', 'StatefulSet/database'].includes(title);
        expect([title, Math.max(...delays) > 0 || alone]).toEqual([title, true]);
      }
    });

    test('the grace period has room for the delay and for the longest answer, task or request', () => {
      for (const { owner, spec, containers } of pods) {
        const work = Number(env(owner, 'LONGEST_ANSWER_SECONDS') ?? env(owner, 'LONGEST_TASK_SECONDS') ?? 0);
        const needed = Math.max(...containers.map(preStop)) + Math.max(work, requestOf(owner));
        expect([owner.metadata.name, spec.terminationGracePeriodSeconds > needed]).toEqual([owner.metadata.name, true]);
      }
    });

    test('a server of answers finishes whatever the API still waits for', () => {
      const servers = pods.filter(({ owner }) => isLlm(owner) && drainOf(owner) !== undefined);
      for (const { owner } of servers) {
        expect([owner.metadata.name, Number(drainOf(owner)) >= answer]).toEqual([owner.metadata.name, true]);
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

test('there are servers that are told how long to wait', () => {
  const told = ENVIRONMENTS.flatMap(({ name, objects }) =>
    podsOf(objects).flatMap(({ owner }) => {
      const seconds = drainOf(owner);
      return seconds === undefined ? [] : [`${name}/${owner.metadata.name} ${seconds}`];
    }),
  );
  expect(told).toEqual([
    'production/llm 240',
    'in-cluster/llm 240',
    'everything/llm 600',
    'triton/embedder 60',
    'triton/reranker 20',
  ]);
});
