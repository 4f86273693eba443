import type { Output } from './output';

/** A promise about the output, and how to tell where it is broken. */
export interface Rule {
  /** The promise, in a few words. */
  readonly name: string;

  /** What breaks it: one sentence each, with the object, the field, the value and what to do. */
  check(output: Output): string[];
}
