import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A program of this library that runs in containers. It is a file of its own, so that it can be read, linted
 * and run on its own; the package carries it beside the code that uses it. No shell takes a carriage return for the
 * end of a line, and Git writes them into the clones of those who ask for it (`core.autocrlf`).
 */
export function scriptFile(directory: string, name: string): string {
  return readFileSync(join(directory, name), 'utf8').replaceAll('\r\n', '\n');
}
