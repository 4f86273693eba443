import { type ChangeRule, COMPARE_NOTHING } from '../rules/change-rule';
import { type Json, type ManifestObject, nameOf, renderedPods } from '../rules/output';
import { type SecretRead, secretsReadBy } from '../workload/pod-secrets';

/** The variable of a node for each key that it accepts, by the property of the key. */
export const KEY_VARIABLES = {
  apiKey: 'QDRANT__SERVICE__API_KEY',
  alternativeApiKey: 'QDRANT__SERVICE__ALT_API_KEY',
  readOnlyApiKey: 'QDRANT__SERVICE__READ_ONLY_API_KEY',
} as const;

type KeyProperty = keyof typeof KEY_VARIABLES;

const PROPERTIES = Object.keys(KEY_VARIABLES) as KeyProperty[];

/** The keys of Secrets that the nodes of a render accept. */
interface AcceptedKeys {
  /** The StatefulSet of the nodes. */
  readonly nodes: ManifestObject;
  /** Each key, by its property. */
  readonly keys: { readonly [Property in KeyProperty]?: SecretRead };
}

const SAME_VALUE = `where only its place has changed and the value is the same, ${COMPARE_NOTHING}`;

/**
 * While a sync rolls out, nodes of both renders show their keys to each other, and clients of the last render show theirs
 * to nodes of this one: the nodes come first.
 *
 * Source: Qdrant 1.19, src/common/auth/mod.rs: a node accepts api_key and alt_api_key; src/main.rs, init_channel_service:
 * it shows api_key.
 */
export function keysOverlap(store: { readonly namespace: string; readonly name: string }): ChangeRule {
  return {
    name: 'keys of Qdrant are accepted as long as something shows them',
    check: (before, after) => {
      const [from, to] = [before, after].map((objects) => acceptedKeys(objects, store));
      if (from === undefined || to === undefined) {
        return [];
      }
      const ofNodes = nodeProblem(from, to);
      const problems = ofNodes === undefined ? clientProblems(before, from, to) : [ofNodes];
      return problems.map((problem) => `${nameOf(to.nodes)}: ${problem}; ${SAME_VALUE}`);
    },
  };
}

/** Nodes without peers show their key to nothing. */
function nodeProblem(from: AcceptedKeys, to: AcceptedKeys): string | undefined {
  const { apiKey: old } = from.keys;
  const { apiKey: next } = to.keys;
  if (old === undefined || next === undefined || [from, to].some(({ nodes }) => !(nodes.spec.replicas > 1))) {
    return undefined;
  }
  if (!isFull(from, next)) {
    return (
      `nodes would show ${shown(next)}, which those that have not restarted refuse; keep apiKey, set alternativeApiKey ` +
      'to the new key, sync, exchange the two, sync, and then remove alternativeApiKey'
    );
  }
  if (!isFull(to, old)) {
    return (
      `nodes would refuse ${shown(old)}, which those that have not restarted show; exchange apiKey and ` +
      'alternativeApiKey, sync, and then remove alternativeApiKey'
    );
  }
  return undefined;
}

/** Whether nodes accept it as a key with all permissions. */
function isFull({ keys }: AcceptedKeys, key: SecretRead): boolean {
  return [keys.apiKey, keys.alternativeApiKey].some((accepted) => isSame(accepted, key));
}

function clientProblems(before: readonly ManifestObject[], from: AcceptedKeys, to: AcceptedKeys): string[] {
  return PROPERTIES.flatMap((property) => {
    const key = from.keys[property];
    if (key === undefined || PROPERTIES.some((other) => isSame(to.keys[other], key))) {
      return [];
    }
    const clients = before.filter((object) => object !== from.nodes && reads(object, key)).map(nameOf);
    return clients.length === 0
      ? []
      : [
          `would refuse ${shown(key)} while ${clients.join(', ')} still ${clients.length === 1 ? 'has' : 'have'} it; keep ` +
            `it and ${INSTEAD[property]}`,
        ];
  });
}

const INSTEAD: { readonly [Property in KeyProperty]: string } = {
  apiKey: 'set alternativeApiKey to the new key, sync, exchange the two, sync, and then remove alternativeApiKey',
  alternativeApiKey: 'give those another key or a token, sync, and then remove it',
  readOnlyApiKey: 'set readOnlyToken, sync, and then remove or replace it',
};

function reads(object: ManifestObject, key: SecretRead): boolean {
  return renderedPods(object).some(({ spec }) =>
    secretsReadBy(spec).some((read) => read.secret === key.secret && (read.key ?? key.key) === key.key),
  );
}

function acceptedKeys(
  objects: readonly ManifestObject[],
  { namespace, name }: { readonly namespace: string; readonly name: string },
): AcceptedKeys | undefined {
  const nodes = objects.find(
    ({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === name && metadata.namespace === namespace,
  );
  const containers = nodes === undefined ? [] : renderedPods(nodes).flatMap((pods) => pods.containers);
  const env: Json = containers.find((container) => container.name === name)?.env;
  if (nodes === undefined || !Array.isArray(env)) {
    return undefined;
  }
  const entries = PROPERTIES.flatMap((property) => {
    const reference = env.find((variable) => variable.name === KEY_VARIABLES[property])?.valueFrom?.secretKeyRef;
    return reference === undefined ? [] : [[property, { secret: reference.name, key: reference.key }]];
  });
  return { nodes, keys: Object.fromEntries(entries) };
}

function isSame(one: SecretRead | undefined, other: SecretRead): boolean {
  return one?.secret === other.secret && one.key === other.key;
}

function shown({ secret, key }: SecretRead): string {
  return `key ${key} of Secret ${secret}`;
}
