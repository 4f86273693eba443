import { isDeepStrictEqual } from 'node:util';
import { type ChangeRule, COMPARE_NOTHING, sameObject } from './change-rule';
import { type Json, type ManifestObject, nameOf } from './output';

/**
 * Fields of `spec` that the API server never changes (kubernetes/kubernetes, `pkg/apis/apps/validation`:
 * ValidateStatefulSetUpdate, ValidateDeploymentUpdate), with what the API server puts where nothing is said.
 */
const IMMUTABLE: { readonly [kind: string]: { readonly [field: string]: Json } } = {
  StatefulSet: { volumeClaimTemplates: [], serviceName: '', selector: {}, podManagementPolicy: 'OrderedReady' },
  Deployment: { selector: {} },
};

/** How to replace an object without what hangs on it. */
const WAY_OUT: { readonly [kind: string]: string } = {
  StatefulSet: 'delete it with --cascade=orphan, which keeps its pods and volumes',
  Deployment: 'delete it, which stops its pods',
};

/** An object that exists can be changed only in some of its fields. */
export const immutableFields: ChangeRule = {
  name: 'immutable fields stay as they are',
  check: (before, after) =>
    after.flatMap((object) => {
      const previous = sameObject(before, object);
      return previous === undefined ? [] : changedFields(previous, object);
    }),
};

function changedFields(before: ManifestObject, after: ManifestObject): string[] {
  const { kind } = after;
  return Object.entries(IMMUTABLE[kind] ?? {})
    .map(([field, absent]) => ({ field, from: fieldOf(before, field, absent), to: fieldOf(after, field, absent) }))
    .filter(({ from, to }) => !isDeepStrictEqual(from, to))
    .map(
      ({ field, from, to }) =>
        `${nameOf(after)}: spec.${field}${difference(from, to)}, which cannot be applied to the one that exists; ` +
        `change it back, or ${replacement(field, after)}`,
    );
}

/** Rendered objects hold what JSON does not, such as fields that are undefined. */
function fieldOf(object: ManifestObject, field: string, absent: Json): Json {
  return JSON.parse(JSON.stringify(object.spec?.[field] ?? absent));
}

/** Where two values differ first, and how: ` changes at 0.spec from 1 to 2`. */
function difference(from: Json, to: Json, path: string[] = []): string {
  const isTree = [from, to].every((value) => typeof value === 'object' && value !== null);
  if (!isTree) {
    const at = path.length === 0 ? '' : ` at ${path.join('.')}`;
    return ` changes${at} from ${shown(from)} to ${shown(to)}`;
  }
  const key = [...new Set([...Object.keys(from), ...Object.keys(to)])].find(
    (candidate) => !isDeepStrictEqual(from[candidate], to[candidate]),
  );
  return key === undefined ? ' changes' : difference(from[key], to[key], [...path, key]);
}

function shown(value: Json): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

function replacement(field: string, object: ManifestObject): string {
  const more = field === 'volumeClaimTemplates' ? 'for more storage enlarge the claims that exist, and then ' : '';
  return `${more}${WAY_OUT[object.kind]}, ${COMPARE_NOTHING}`;
}
