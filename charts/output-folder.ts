import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { parse } from 'yaml';
import type { ManifestObject } from '../constructs/rules/output';

/** How every rendered file begins. Files that begin otherwise are somebody's own and are never touched. */
export const GENERATED_MARK = '# Generated from';

/** What writing a folder changed. */
export interface FolderChanges {
  /** Files that are new or have other content, sorted. */
  readonly written: string[];
  /** Files that are no longer there, sorted. */
  readonly removed: string[];
}

/**
 * A folder whose whole content is rendered. It is replaced as a whole: whatever goes wrong before the last
 * step leaves the old content as it was.
 */
export class OutputFolder {
  private readonly path: string;

  public constructor(path: string) {
    this.path = resolve(path);
    this.recover();
  }

  /** What writing these files would change, by their paths in the folder. */
  public compare(files: ReadonlyMap<string, string>): FolderChanges {
    const present = this.files();
    return {
      written: [...files]
        .filter(([file, text]) => present.get(file) !== text)
        .map(([file]) => file)
        .sort(),
      removed: [...present.keys()].filter((file) => !files.has(file)).sort(),
    };
  }

  /**
   * The objects that were rendered last into a folder in this one. Files that are somebody's own or cannot be
   * read any more are left out, so where there is nothing to compare with, nothing is.
   */
  public objectsIn(folder: string): ManifestObject[] {
    return [...this.files()]
      .filter(([file, text]) => file.startsWith(join(folder, sep)) && text.startsWith(GENERATED_MARK))
      .flatMap(([, text]) => objectIn(text) ?? []);
  }

  /** Makes these files, by their paths in the folder, the whole content of the folder. */
  public replace(files: ReadonlyMap<string, string>): FolderChanges {
    if (files.size === 0) {
      throw new Error(`refusing to empty ${relative(process.cwd(), this.path)}: nothing was rendered`);
    }
    const changes = this.compare(files);
    this.checkOwnership(changes);
    if (changes.written.length + changes.removed.length > 0) {
      rmSync(this.staging, { recursive: true, force: true });
      for (const [file, text] of files) {
        const target = join(this.staging, file);
        mkdirSync(dirname(target), { recursive: true });
        writeFileSync(target, text);
      }
      this.promote();
    }
    return changes;
  }

  private get staging(): string {
    return `${this.path}.next`;
  }

  private get previous(): string {
    return `${this.path}.previous`;
  }

  private checkOwnership({ written, removed }: FolderChanges): void {
    const present = this.files();
    const foreign = [...written, ...removed].filter((file) => present.get(file)?.startsWith(GENERATED_MARK) === false);
    if (foreign.length > 0) {
      throw new Error(
        `refusing to replace ${foreign.map((file) => join(relative(process.cwd(), this.path), file)).join(', ')}: ` +
          'not rendered by this project; move it out of the folder',
      );
    }
  }

  private promote(): void {
    if (existsSync(this.path)) {
      rmSync(this.previous, { recursive: true, force: true });
      renameSync(this.path, this.previous);
    }
    renameSync(this.staging, this.path);
    rmSync(this.previous, { recursive: true, force: true });
  }

  /** A run that was interrupted between the two renames left the old content beside its place. */
  private recover(): void {
    if (!existsSync(this.path) && existsSync(this.previous)) {
      renameSync(this.previous, this.path);
    }
  }

  private files(): Map<string, string> {
    if (!existsSync(this.path)) {
      return new Map();
    }
    return new Map(
      readdirSync(this.path, { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry): [string, string] => {
          const file = join(entry.parentPath, entry.name);
          // We write plain files only; whatever else is there is somebody's own.
          return [relative(this.path, file), entry.isFile() ? readFileSync(file, 'utf8') : ''];
        }),
    );
  }
}

/** The object in a rendered file; undefined when there is none any more. */
function objectIn(text: string): ManifestObject | undefined {
  try {
    const object = parse(text, { version: '1.1', logLevel: 'error' });
    const identity = [object?.apiVersion, object?.kind, object?.metadata?.name];
    return identity.every((value) => typeof value === 'string') ? object : undefined;
  } catch {
    return undefined;
  }
}
