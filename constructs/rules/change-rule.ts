import type { ManifestObject } from './output';

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
}

/** The object of another render that is the same one in the cluster; the version of its API may differ. */
export function sameObject(among: readonly ManifestObject[], object: ManifestObject): ManifestObject | undefined {
  return among.find(
    ({ apiVersion, kind, metadata }) =>
      kind === object.kind &&
      groupOf(apiVersion) === groupOf(object.apiVersion) &&
      metadata.name === object.metadata.name &&
      metadata.namespace === object.metadata.namespace,
  );
}

function groupOf(apiVersion: string): string {
  return apiVersion.split('/').slice(0, -1).join();
}
