import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A program of this library that runs in containers. It is a file of its own, so that it can be read, linted
 * and run on its own; the package carries it beside the code that uses it.
 */
export function scriptFile(directory: string, name: string): string {
  return readFileSync(join(directory, name), 'utf8');
}
