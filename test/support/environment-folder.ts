import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

/** A folder with the environment files of a test, outside the project. */
export class EnvironmentFolder {
  private readonly path = mkdtempSync(join(tmpdir(), 'environments-'));

  /** Writes files by name. */
  public write(files: { readonly [name: string]: string }): void {
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(this.pathOf(name), text);
    }
  }

  /** Absolute path of a file. */
  public pathOf(name: string): string {
    return join(this.path, name);
  }

  /** A file as messages name it. */
  public shown(name: string): string {
    return relative(process.cwd(), this.pathOf(name));
  }

  /** Removes the folder. */
  public remove(): void {
    rmSync(this.path, { recursive: true });
  }
}
