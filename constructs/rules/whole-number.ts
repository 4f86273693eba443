import type { IConstruct } from 'constructs';
import { UsageError } from './usage-error';

/** Largest number in most fields of the Kubernetes API, which are of 32 bits. */
export const LARGEST_NUMBER = 2 ** 31 - 1;

/** Refuses what is no whole number, or one that the API has no room for. */
export function checkWholeNumber(property: string, value: number, least: number, scope?: IConstruct): void {
  if (!Number.isInteger(value) || value < least) {
    throw new UsageError(`is ${value}, but must be a whole number from ${least}`, { scope, property });
  }
  if (value > LARGEST_NUMBER) {
    throw new UsageError(`is ${value}, but must be at most ${LARGEST_NUMBER}`, { scope, property });
  }
}
