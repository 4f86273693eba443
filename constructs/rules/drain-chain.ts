import { type Json, type ManifestObject, nameOf, type Output, type RenderedPods } from './output';
import type { Rule } from './rule';

/** A pod that is told to stop lives long enough for what was begun to end. */
export const drainChain: Rule = {
  name: 'timeouts and drains are monotone from the edge to the engine',
  check: (output) => [
    ...output.ownPods.flatMap((pods) => checkDelay(pods)),
    ...output.own.filter((object) => object.kind === 'HTTPRoute').flatMap((route) => checkRoute(output, route)),
  ],
};

function checkDelay(pods: RenderedPods): string[] {
  const grace = graceSeconds(pods);
  if (grace < 1) {
    return [`${nameOf(pods.owner)}: its pods are killed at once; give them a grace period of at least one second`];
  }
  return pods.containers
    .map((container) => ({ name: container.name, delay: preStopSeconds(container) }))
    .filter(({ delay }) => delay > 0 && delay >= grace)
    .map(
      ({ name, delay }) =>
        `${nameOf(pods.owner)}: container ${name} sleeps ${delay} s before it stops, but is killed after ${grace} s; ` +
        'lengthen the grace period',
    );
}

function graceSeconds({ spec }: RenderedPods): number {
  return spec.terminationGracePeriodSeconds ?? 30;
}

function preStopSeconds(container: Json): number {
  const { exec, sleep } = container.lifecycle?.preStop ?? {};
  const [program = '', seconds] = exec?.command ?? [];
  return /(^|\/)sleep$/.test(program) ? Number(seconds) : (sleep?.seconds ?? 0);
}

/** What the edge waits for, the pods behind it must be given time to finish. */
function checkRoute(output: Output, route: ManifestObject): string[] {
  const rules: Json[] = route.spec.rules ?? [];
  return rules.flatMap((rule) => {
    const timeout = seconds(rule.timeouts?.request);
    const backends: Json[] = rule.backendRefs ?? [];
    return backends.flatMap(({ name, namespace = route.metadata.namespace }) =>
      podsBehind(output, name, namespace)
        .filter((pods) => graceSeconds(pods) < timeout + Math.max(...pods.containers.map(preStopSeconds)))
        .map(
          (pods) =>
            `${nameOf(route)}: waits ${timeout} s for an answer, but ${nameOf(pods.owner)} is killed ` +
            `${graceSeconds(pods)} s after it is told to stop; lengthen the grace period`,
        ),
    );
  });
}

function podsBehind(output: Output, service: string, namespace: string | undefined) {
  const selector = output.find('Service', service, namespace)?.spec?.selector;
  return selector === undefined ? [] : output.select(namespace, selector);
}

/** A Gateway API duration in seconds: `4m5s`; 0 when there is none. */
function seconds(duration: string | undefined): number {
  const units: { [unit: string]: number } = { h: 3600, m: 60, s: 1, ms: 0.001 };
  return [...(duration ?? '').matchAll(/(\d+)(ms|h|m|s)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (units[unit as string] as number),
    0,
  );
}
