import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';

/** The project that is tested. */
export const ROOT = resolve(__dirname, '..', '..');

const PARTS = [
  'charts',
  'constructs',
  'imports',
  'dist',
  'main.ts',
  'index.ts',
  'cdk8s.yaml',
  'package.json',
  'tsconfig.json',
];

/** How a command ended. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and how a command runs. */
export interface Surroundings {
  /** Folder in the project. */
  readonly folder?: string;
  /** Variables besides those of the test. */
  readonly env?: { readonly [name: string]: string };
}

/** A copy of the project that can be run and broken, and used again for the next test. */
export class Project {
  /** The copy. */
  public readonly path = mkdtempSync(join(tmpdir(), 'project-'));

  public constructor() {
    symlinkSync(join(ROOT, 'node_modules'), this.pathOf('node_modules'));
    this.restore();
  }

  /** Makes everything as it is in the project; what a run left behind is gone. */
  public restore(): void {
    for (const name of readdirSync(this.path).filter((present) => present !== 'node_modules')) {
      rmSync(this.pathOf(name), { recursive: true });
    }
    for (const part of PARTS) {
      cpSync(join(ROOT, part), this.pathOf(part), { recursive: true });
    }
  }

  /** Absolute path of a file. */
  public pathOf(...parts: string[]): string {
    return join(this.path, ...parts);
  }

  /** Runs `main.ts` as `npm run synth` does. */
  public main(args: string[] = [], { folder = '.', env = {} }: Surroundings = {}): Outcome {
    const cwd = this.pathOf(folder);
    const main = relative(cwd, this.pathOf('main.ts'));
    return run(process.execPath, ['--import', 'tsx', main, ...args], cwd, env);
  }

  /** Runs `main.ts` while others do; returns its status. */
  public mainMeanwhile(): Promise<number | null> {
    const child = spawn(process.execPath, ['--import', 'tsx', 'main.ts'], { cwd: this.path, stdio: 'ignore' });
    return new Promise((resolved, failed) => child.on('exit', resolved).on('error', failed));
  }

  /** Runs `cdk8s synth`. */
  public synth(): Outcome {
    return run(this.pathOf('node_modules', '.bin', 'cdk8s'), ['synth'], this.path, { CDK8S_CHECK_UPGRADE: 'false' });
  }

  /** Changes an environment file; a change that changes nothing fails. */
  public changeEnvironment(file: string, from: string, to: string): void {
    const path = this.pathOf('charts', 'environments', file);
    const text = readFileSync(path, 'utf8');
    if (!text.includes(from)) {
      throw new Error(`${file} has no ${from}`);
    }
    writeFileSync(path, text.replace(from, to));
  }

  /** Ends every line as Git does in a clone with `core.autocrlf=true` where `.gitattributes` says nothing. */
  public endLinesWithCarriageReturns(): void {
    for (const part of PARTS.filter((name) => name !== 'imports')) {
      for (const file of filesIn(this.pathOf(part))) {
        writeFileSync(file, readFileSync(file, 'utf8').replaceAll('\n', '\r\n'));
      }
    }
  }

  /** Removes the copy. */
  public remove(): void {
    rmSync(this.path, { recursive: true });
  }
}

/** A file, or every file below a folder. */
function filesIn(path: string): string[] {
  return statSync(path).isFile()
    ? [path]
    : readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
}

function run(program: string, args: string[], cwd: string, env: { readonly [name: string]: string }): Outcome {
  const { error, status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  if (error !== undefined) {
    throw error;
  }
  return { status, stdout, stderr };
}
