import { type Json, nameOf, type RenderedPods } from './output';
import type { Rule } from './rule';

/** Every container says what it needs and at which memory it ends; scratch volumes have a size. */
export const resourcesStated: Rule = {
  name: 'every container states its resources, and every scratch volume its size',
  check: (output) => output.ownPods.flatMap((pods) => checkPods(pods)),
};

function checkPods(pods: RenderedPods): string[] {
  const { owner, spec, containers } = pods;
  const stateful = owner.kind === 'StatefulSet';
  const volumes: Json[] = spec.volumes ?? [];
  const problems = [
    ...containers.flatMap((container) =>
      containerProblems(container.resources ?? {}, stateful).map((problem) => `container ${container.name} ${problem}`),
    ),
    ...volumes
      .filter((volume) => volume.emptyDir !== undefined && volume.emptyDir.sizeLimit === undefined)
      .map((volume) => `volume ${volume.name} has no sizeLimit and could fill the node's disk`),
  ];
  return problems.map((problem) => `${nameOf(owner)}: ${problem}`);
}

function containerProblems({ requests = {}, limits = {} }: Json, stateful: boolean): string[] {
  const devices = [...new Set([...Object.keys(requests), ...Object.keys(limits)])].filter((name) => name.includes('/'));
  return [
    ...['cpu', 'memory', 'ephemeral-storage']
      .filter((name) => requests[name] === undefined)
      .map((name) => `requests no ${name}`),
    ...['memory', 'ephemeral-storage']
      .filter((name) => limits[name] === undefined)
      .map((name) => `has no ${name} limit`),
    ...(stateful && requests.memory !== limits.memory
      ? [`of a StatefulSet requests ${requests.memory} of memory but is limited to ${limits.memory}; make them equal`]
      : []),
    ...devices
      .filter((name) => requests[name] !== limits[name] || !/^[1-9]\d*$/.test(String(limits[name])))
      .map(
        (name) =>
          `asks for ${requests[name]} to ${limits[name]} ${name}; devices are whole, with request equal to limit`,
      ),
  ];
}
