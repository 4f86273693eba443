import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { cacheFolder } from './cache-folder';
import { isInstalled } from './programs';

/** What Go reads in a file: its documents, or why there are none. */
interface Reading {
  readonly documents: unknown[];
  readonly error?: string;
}

const SOURCES = resolve(__dirname, '..', 'oracle', 'go-yaml');

/** The YAML reader of kubectl and Argo CD: a small Go program around their own decoder, built once. */
export class GoYaml {
  /** The reader; undefined, and said so, where it is not there and cannot be built. */
  public static find(): GoYaml | undefined {
    const program = programPath();
    if (existsSync(program)) {
      return new GoYaml(program);
    }
    return isInstalled('go') && isBuilt(program) ? new GoYaml(program) : undefined;
  }

  private constructor(private readonly program: string) {}

  /** What is in each file. */
  public read(files: readonly string[]): Reading[] {
    const { status, stdout, stderr } = spawnSync(this.program, {
      input: JSON.stringify(files),
      encoding: 'utf8',
      maxBuffer: 2 ** 30,
    });
    if (status !== 0) {
      throw new Error(`the Go reader failed: ${stderr}`);
    }
    return JSON.parse(stdout);
  }
}

/** One for each state of its sources. */
function programPath(): string {
  const digest = createHash('sha256');
  for (const file of readdirSync(SOURCES).sort()) {
    digest.update(file).update(readFileSync(join(SOURCES, file)));
  }
  return cacheFolder('go-yaml', digest.digest('hex').slice(0, 16), 'read');
}

function isBuilt(program: string): boolean {
  const building = `${program}-${process.pid}`;
  mkdirSync(dirname(program), { recursive: true });
  const { status, stderr } = spawnSync('go', ['build', '-o', building, '.'], { cwd: SOURCES, encoding: 'utf8' });
  if (status !== 0) {
    console.warn(`skipped: what needs the Go YAML reader, which cannot be built: ${stderr}`);
    return false;
  }
  renameSync(building, program);
  return true;
}
