import type { Json } from './output';
import { bytesIn } from './quantity';

/** A field of an object, in the last render and in this one. */
export interface FieldChange {
  /** Path of the field. */
  readonly field: string;
  /** What it was; undefined where nothing was said. */
  readonly from: Json;
  /** What it is to be; undefined where nothing is said. */
  readonly to: Json;
}

/** A volume that would become smaller, with what to do instead. Kubernetes refuses it for every claim. */
export function shrinkProblem({ field, from, to }: FieldChange, instead: string): string[] {
  const [was, becomes] = [bytesIn(from), bytesIn(to)];
  return was === undefined || becomes === undefined || becomes >= was
    ? []
    : [`${field} goes from ${from} to ${to}, but a volume never becomes smaller; keep ${from}, or ${instead}`];
}

/** A volume that would come from another class, with what to do instead. A claim that exists keeps its class. */
export function storageClassProblem({ field, from, to }: FieldChange, instead: string): string[] {
  const named = (storageClass: Json) => storageClass ?? "the cluster's default";
  return from === to
    ? []
    : [
        `${field} goes from ${named(from)} to ${named(to)}, but volumes that exist stay what they are; keep ` +
          `${named(from)}, or ${instead}`,
      ];
}
