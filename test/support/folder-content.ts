import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Every file below a folder, by its path in it, sorted; nothing when there is no folder. */
export function contentOf(folder: string): { [file: string]: string } {
  return Object.fromEntries(pathsIn(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
}

/** What tells whether a file was written again: the file itself on the disk, and when it was written. */
export function writtenAt(folder: string): { [file: string]: string } {
  return Object.fromEntries(
    pathsIn(folder).map((file) => {
      const { ino, mtimeNs } = statSync(join(folder, file), { bigint: true });
      return [file, `${ino} ${mtimeNs}`];
    }),
  );
}

function pathsIn(folder: string): string[] {
  if (!existsSync(folder)) {
    return [];
  }
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
