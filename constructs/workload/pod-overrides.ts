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

type Dictionary = { readonly [key: string]: unknown };

/**
 * Merges an override into what the library renders: maps by key, lists with an identity entry by entry,
 * everything else is replaced. What the override leaves undefined stays.
 */
export function mergeOverride<T>(base: T, override: unknown, field = ''): T {
  if (override === undefined) {
    return base;
  }
  const key = MERGE_KEYS[field];
  if (Array.isArray(base) && Array.isArray(override) && key !== undefined) {
    return mergeList(base, override, key, field) as T;
  }
  if (isDictionary(base) && isDictionary(override)) {
    const keys = [...new Set([...Object.keys(base), ...Object.keys(override)])];
    return Object.fromEntries(keys.map((name) => [name, mergeOverride(base[name], override[name], name)])) as T;
  }
  return override as T;
}

function mergeList(base: Dictionary[], override: Dictionary[], key: string, field: string): Dictionary[] {
  const changed = base.map((entry) => {
    const change = override.find((candidate) => candidate[key] === entry[key]);
    return mergeOverride(field === 'volumes' ? withSourceOf(entry, change) : entry, change);
  });
  const added = override.filter((candidate) => base.every((entry) => entry[key] !== candidate[key]));
  return [...changed, ...added];
}

/** A volume has one source: another one in the override takes the place of the rendered one. */
function withSourceOf(volume: Dictionary, change: Dictionary | undefined): Dictionary {
  const sources = Object.keys(change ?? {}).filter((key) => key !== 'name' && change?.[key] !== undefined);
  return sources.length === 0
    ? volume
    : Object.fromEntries(Object.entries(volume).filter(([key]) => key === 'name' || sources.includes(key)));
}

/** Plain maps only: a Quantity or an IntOrString is one value. */
function isDictionary(value: unknown): value is Dictionary {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
