import type { k8s } from 'cdk8s-plus-28';

/**
 * Lists whose entries have an identity: an override changes the entry with the same key and leaves the
 * others. These are the merge keys of the Kubernetes API (`x-kubernetes-patch-merge-key`).
 */
const MERGE_KEYS: { readonly [list: string]: string } = {
  containers: 'name',
  initContainers: 'name',
  volumes: 'name',
  env: 'name',
  imagePullSecrets: 'name',
  volumeMounts: 'mountPath',
  ports: 'containerPort',
  hostAliases: 'ip',
  topologySpreadConstraints: 'topologyKey',
};

const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'];

/**
 * Fields of which there can be only one (Kubernetes API reference, Pod): the one in the override takes the
 * place of the rendered one. Of a volume they are all but the name.
 */
const ALTERNATIVES: { readonly [field: string]: readonly string[] } = {
  env: ['value', 'valueFrom'],
  valueFrom: ['secretKeyRef', 'configMapKeyRef', 'fieldRef', 'resourceFieldRef'],
  startupProbe: HANDLERS,
  readinessProbe: HANDLERS,
  livenessProbe: HANDLERS,
  postStart: HANDLERS,
  preStop: HANDLERS,
};

type Dictionary = { readonly [key: string]: unknown };

/**
 * Merges an override into what the library renders: maps by key, lists with an identity entry by entry,
 * everything else is replaced. What the override leaves undefined stays; nothing is taken away.
 */
export function mergeOverride<T>(base: T, override: unknown, field = ''): T {
  if (override === undefined) {
    return base;
  }
  const key = MERGE_KEYS[field];
  if (Array.isArray(base) && Array.isArray(override) && key !== undefined) {
    return mergeList(base, override, key, field) as T;
  }
  return (isDictionary(base) && isDictionary(override) ? mergeMap(base, override, field) : override) as T;
}

function mergeList(base: Dictionary[], override: Dictionary[], key: string, field: string): Dictionary[] {
  const changed = base.map((entry) => {
    const change = override.find((candidate) => candidate[key] === entry[key]);
    return change === undefined ? entry : mergeMap(entry, change, field);
  });
  const added = override.filter((candidate) => base.every((entry) => entry[key] !== candidate[key]));
  return [...changed, ...added];
}

function mergeMap(base: Dictionary, override: Dictionary, field: string): Dictionary {
  const kept = withoutAlternatives(base, override, field);
  const keys = [...new Set([...Object.keys(kept), ...Object.keys(override)])];
  return Object.fromEntries(keys.map((name) => [name, mergeOverride(kept[name], override[name], name)]));
}

function withoutAlternatives(base: Dictionary, override: Dictionary, field: string): Dictionary {
  const isAlternative = (key: string) =>
    field === 'volumes' ? key !== 'name' : (ALTERNATIVES[field]?.includes(key) ?? false);
  const chosen = Object.keys(override).filter((key) => isAlternative(key) && override[key] !== undefined);
  return chosen.length === 0
    ? base
    : Object.fromEntries(Object.entries(base).filter(([key]) => !isAlternative(key) || chosen.includes(key)));
}

/**
 * What is wrong with the containers of an override, or undefined when nothing is: one without an image changes
 * a container of the pod, and without such a container would be one that cannot start.
 */
export function overrideProblem(
  list: string,
  override: readonly k8s.Container[],
  names: readonly string[],
): string | undefined {
  const unknown = override.find(({ name, image }) => image === undefined && !names.includes(name));
  return unknown === undefined
    ? undefined
    : `has "${unknown.name}" without an image, but the ${list} of the pod are ${names.join(', ') || 'none'}; correct ` +
        'the name, or give it an image';
}

/** Plain maps only: a Quantity or an IntOrString is one value. */
function isDictionary(value: unknown): value is Dictionary {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
