import { groupOf, type ManifestObject } from './output';

/** A promise about how one render follows another, and how to tell where it is broken. */
export interface ChangeRule {
  /** The promise, in a few words. */
  readonly name: string;

  /**
   * What the change would break: one sentence each, with the object, both values and what to do instead.
   *
   * @param before the objects of the last render, in no particular order; somebody may have changed them by hand
   * @param after the objects of this render
   */
  check(before: readonly ManifestObject[], after: readonly ManifestObject[]): string[];

  /**
   * What the change costs, though it can be applied: one sentence each, with how to have it without. It is said, and
   * stops nothing.
   * @default - nothing
   */
  warn?(before: readonly ManifestObject[], after: readonly ManifestObject[]): string[];
}

/** How to have a change all the same, once what speaks against it was done by hand. */
export const COMPARE_NOTHING =
  'remove the file of its last render so that there is nothing to compare, render again and sync';

/** An object in the last render and in this one. */
export interface Step {
  /** As it was. */
  readonly from: ManifestObject;
  /** As it is to be. */
  readonly to: ManifestObject;
}

/** The objects of a kind that are in both renders; the version of its API may differ. */
export function stepsOf(
  group: string,
  kind: string,
  before: readonly ManifestObject[],
  after: readonly ManifestObject[],
): Step[] {
  return after.flatMap((to) => {
    const from = to.kind === kind && groupOf(to) === group ? sameObject(before, to) : undefined;
    return from === undefined ? [] : [{ from, to }];
  });
}

/** The object of another render that is the same one in the cluster; the version of its API may differ. */
export function sameObject(among: readonly ManifestObject[], object: ManifestObject): ManifestObject | undefined {
  return among.find(
    (other) =>
      other.kind === object.kind &&
      groupOf(other) === groupOf(object) &&
      other.metadata.name === object.metadata.name &&
      other.metadata.namespace === object.metadata.namespace,
  );
}
