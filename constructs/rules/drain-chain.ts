import { type Json, type ManifestObject, nameOf, type Output } from './output';
import type { Rule } from './rule';

/** A pod that is told to stop lives long enough for what was begun to end. */
export const drainChain: Rule = {
  name: 'timeouts and drains are monotone from the edge to the engine',
  check: (output) => [
    ...output.ownPods.flatMap(({ owner, spec, containers }) =>
      containers
        .filter((container) => preStopSeconds(container) >= (spec.terminationGracePeriodSeconds ?? 30))
        .map(
          (container) =>
            `${nameOf(owner)}: container ${container.name} sleeps ${preStopSeconds(container)} s before it stops, but is ` +
            `killed after ${spec.terminationGracePeriodSeconds} s; lengthen the grace period`,
        ),
    ),
    ...output.own.filter((object) => object.kind === 'HTTPRoute').flatMap((route) => checkRoute(output, route)),
  ],
};

function preStopSeconds(container: Json): number {
  const [program, seconds] = container.lifecycle?.preStop?.exec?.command ?? [];
  return program === 'sleep' ? Number(seconds) : 0;
}

/** What the edge waits for, the pods behind it must be given time to finish. */
function checkRoute(output: Output, route: ManifestObject): string[] {
  const rules: Json[] = route.spec.rules ?? [];
  return rules.flatMap((rule) => {
    const timeout = seconds(rule.timeouts?.request);
    const backends: Json[] = rule.backendRefs ?? [];
    return backends.flatMap(({ name, namespace = route.metadata.namespace }) =>
      podsBehind(output, name, namespace)
        .filter(
          ({ spec, containers }) =>
            spec.terminationGracePeriodSeconds < timeout + Math.max(...containers.map(preStopSeconds)),
        )
        .map(
          ({ owner, spec }) =>
            `${nameOf(route)}: waits ${timeout} s for an answer, but ${nameOf(owner)} is killed ` +
            `${spec.terminationGracePeriodSeconds} s after it is told to stop; lengthen the grace period`,
        ),
    );
  });
}

function podsBehind(output: Output, service: string, namespace: string | undefined) {
  const selector = output.find('Service', service, namespace)?.spec.selector;
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
