import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const NEXT = 'next';
const PREVIOUS = 'previous';

/**
 * Makes these files the whole content of a folder, by two renames. Each run prepares its own folder beside it, so
 * runs at the same time do not meet; the last one wins, whole. Whatever goes wrong leaves the old content in place.
 */
export function replaceFolder(path: string, files: ReadonlyMap<string, string>): void {
  mkdirSync(dirname(path), { recursive: true });
  const staging = mkdtempSync(`${stagingPrefix(path)}${process.pid}-`);
  try {
    for (const [file, text] of files) {
      const target = join(staging, NEXT, file);
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, text);
    }
    swap(path, staging);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** Brings back the old content that a run took away and died before it put its own there, and cleans up after it. */
export function recoverFolder(path: string): void {
  for (const staging of leftovers(path)) {
    if (!existsSync(path) && existsSync(join(staging, PREVIOUS))) {
      renameSync(join(staging, PREVIOUS), path);
    }
    rmSync(staging, { recursive: true, force: true });
  }
}

function swap(path: string, staging: string): void {
  const previous = join(staging, PREVIOUS);
  if (existsSync(path)) {
    unless('ENOENT', () => renameSync(path, previous));
  }
  try {
    if (unless('ENOTEMPTY', () => renameSync(join(staging, NEXT), path))) {
      return;
    }
  } catch (error) {
    if (existsSync(previous)) {
      renameSync(previous, path);
    }
    throw error;
  }
  // Another run has put its content there in between.
  rmSync(previous, { recursive: true, force: true });
  swap(path, staging);
}

/** Whether an action succeeded, and did not fail as it may. */
function unless(code: string, action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== code) {
      throw error;
    }
    return false;
  }
}

/** Folders that runs which are no more have left beside this one: `.dist-4711-x1Y2z3`, and nothing else in them. */
function leftovers(path: string): string[] {
  const parent = dirname(path);
  if (!statSync(parent, { throwIfNoEntry: false })?.isDirectory()) {
    return [];
  }
  const prefix = basename(stagingPrefix(path));
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.startsWith(prefix))
    .filter(({ name }) => isAbandoned(name.slice(prefix.length)))
    .map(({ name }) => join(parent, name))
    .filter((folder) => readdirSync(folder).every((name) => name === NEXT || name === PREVIOUS));
}

function isAbandoned(suffix: string): boolean {
  const [, pid] = /^(\d+)-\w{6}$/.exec(suffix) ?? [];
  return pid !== undefined && !isRunning(Number(pid));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, as somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function stagingPrefix(path: string): string {
  return join(dirname(path), `.${basename(path).replace(/^\./, '')}-`);
}
