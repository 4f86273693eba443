import { type Json, type ManifestObject, nameOf } from './output';
import type { Rule } from './rule';

/** Half of a surrogate pair: JavaScript keeps it in a text, but UTF-8 has no bytes for it (RFC 3629, section 3). */
const UNPAIRED = /\p{Surrogate}/u;

/** Every text can be written to a file and sent to the API server. */
export const wellFormedText: Rule = {
  name: 'every text can be written as UTF-8',
  check: (output) => output.own.flatMap(malformedTexts),
};

/** The texts of an object, names of fields included, that no file can hold; empty when there are none. */
export function malformedTexts(object: ManifestObject): string[] {
  return malformedPaths(object).map(
    (path) =>
      `${nameOf(object)}: ${path} has half of a surrogate pair, which UTF-8 cannot express; remove it, or write the ` +
      'whole character',
  );
}

function malformedPaths(value: Json, path = ''): string[] {
  if (typeof value === 'string') {
    return UNPAIRED.test(value) ? [path] : [];
  }
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([key, child]) => {
    const at = path === '' ? key : `${path}.${key}`;
    // A message is written as UTF-8, too.
    return UNPAIRED.test(key) ? [`a key of ${path || 'the object'}`] : malformedPaths(child, at);
  });
}
