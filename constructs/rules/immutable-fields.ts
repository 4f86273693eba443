import { isDeepStrictEqual } from 'node:util';
import { type ChangeRule, COMPARE_NOTHING, sameObject } from './change-rule';
import { type Json, type ManifestObject, nameOf } from './output';
import { shrinkProblem } from './volume-change';

/** A field that never changes in an object that exists. */
interface ImmutableField {
  /** What the API server puts where nothing is said; undefined where it is not the same in every cluster. */
  readonly absent?: Json;
  /** How to replace the object. */
  readonly wayOut: string;
}

/** Pods are taken over by the new object, whose selector finds them. */
const ORPHAN = 'delete it with --cascade=orphan, which keeps its pods and volumes';

/** Pods that were kept would not be found by a new selector, and keep the name of the old Service in their own names. */
const RESTART = 'delete it without --cascade=orphan, which stops its pods and keeps their claims';

const REFILL = 'delete it and the workloads that mount it, which stops them until its files have been fetched again';

/**
 * Fields of `spec` that the API server never changes (kubernetes/kubernetes, `pkg/apis/apps/validation`:
 * ValidateStatefulSetUpdate, ValidateDeploymentUpdate; `pkg/apis/core/validation`: ValidatePersistentVolumeClaimUpdate).
 */
const IMMUTABLE: { readonly [kind: string]: { readonly [field: string]: ImmutableField } } = {
  StatefulSet: {
    volumeClaimTemplates: {
      absent: [],
      wayOut: `for more storage enlarge the claims that exist, and then ${ORPHAN}`,
    },
    serviceName: { absent: '', wayOut: RESTART },
    selector: { absent: {}, wayOut: RESTART },
    podManagementPolicy: { absent: 'OrderedReady', wayOut: ORPHAN },
  },
  Deployment: { selector: { absent: {}, wayOut: 'delete it, which stops its pods' } },
  PersistentVolumeClaim: {
    accessModes: { absent: [], wayOut: REFILL },
    storageClassName: { wayOut: REFILL },
    volumeMode: { absent: 'Filesystem', wayOut: REFILL },
  },
};

/** An object that exists can be changed only in some of its fields. */
export const immutableFields: ChangeRule = {
  name: 'immutable fields stay as they are',
  check: (before, after) =>
    after.flatMap((object) => {
      const previous = sameObject(before, object);
      return previous === undefined ? [] : [...changedFields(previous, object), ...shrunkClaim(previous, object)];
    }),
};

function changedFields(before: ManifestObject, after: ManifestObject): string[] {
  return Object.entries(IMMUTABLE[after.kind] ?? {})
    .map(([field, { absent, wayOut }]) => {
      const [from, to] = [before, after].map((object) => fieldOf(object, field, absent));
      return { field, from, to, wayOut };
    })
    .filter(({ from, to }) => !isDeepStrictEqual(from, to))
    .map(
      ({ field, from, to, wayOut }) =>
        `${nameOf(after)}: spec.${field}${difference(from, to)}, which cannot be applied to the one that exists; ` +
        `change it back, or ${wayOut}, ${COMPARE_NOTHING}`,
    );
}

/** A claim grows where its class allows it, and never shrinks. */
function shrunkClaim(before: ManifestObject, after: ManifestObject): string[] {
  if (after.kind !== 'PersistentVolumeClaim') {
    return [];
  }
  const [from, to] = [before, after].map(({ spec }) => spec?.resources?.requests?.storage);
  const change = { field: 'spec.resources.requests.storage', from: plain(from), to: plain(to) };
  return shrinkProblem(change, `${REFILL}, ${COMPARE_NOTHING}`).map((problem) => `${nameOf(after)}: ${problem}`);
}

/** Rendered objects hold what JSON does not, such as fields that are undefined. */
function fieldOf(object: ManifestObject, field: string, absent: Json): Json {
  return plain(object.spec?.[field] ?? absent);
}

function plain(value: Json): Json {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
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
