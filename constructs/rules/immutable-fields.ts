import { isDeepStrictEqual } from 'node:util';
import { type ChangeRule, COMPARE_NOTHING, sameObject } from './change-rule';
import { type Json, type ManifestObject, nameOf } from './output';
import { bytesIn } from './quantity';
import { type FieldChange, shrinkProblem } from './volume-change';

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
  warn: (before, after) =>
    after.flatMap((object) => {
      const previous = sameObject(before, object);
      return previous === undefined ? [] : grownClaim(previous, object);
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

function shrunkClaim(before: ManifestObject, after: ManifestObject): string[] {
  return shrinkProblem(sizeChange(before, after), `${REFILL}, ${COMPARE_NOTHING}`).map(
    (problem) => `${nameOf(after)}: ${problem}`,
  );
}

/** A claim grows when it is bound, where its class allows it; those of file servers often do not. */
function grownClaim(before: ManifestObject, after: ManifestObject): string[] {
  const { field, from, to } = sizeChange(before, after);
  const [was, becomes] = [bytesIn(from), bytesIn(to)];
  return was === undefined || becomes === undefined || becomes <= was
    ? []
    : [
        `${nameOf(after)}: ${field} goes from ${from} to ${to}, which the API server refuses where the class of the ` +
          `claim has no allowVolumeExpansion; keep ${from} then, or ${REFILL}, and sync`,
      ];
}

/** The size of a claim; nothing of any other object. */
function sizeChange(before: ManifestObject, after: ManifestObject): FieldChange {
  const [from, to] = [before, after].map(({ kind, spec }) =>
    kind === 'PersistentVolumeClaim' ? plain(spec?.resources?.requests?.storage) : undefined,
  );
  return { field: 'spec.resources.requests.storage', from, to };
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
