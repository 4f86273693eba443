import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

const EXAMPLES = resolve(__dirname, '..', '..', 'examples', 'celery');

/** The Python of a virtual environment with `examples/celery/requirements.txt`, which `.ci/run` makes. */
const PYTHON = join(
  process.env.CDK8S_RAG_CELERY ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'cdk8s-rag-celery'),
  'bin',
  'python',
);

/** The release that the example names. */
export const CELERY_VERSION = /^celery\S*==(\S+)$/m.exec(readFileSync(join(EXAMPLES, 'requirements.txt'), 'utf8'))?.[1];

/** Whether that release is installed; a test that needs it says so and is skipped. */
export function hasCelery(): boolean {
  const version = existsSync(PYTHON)
    ? spawnSync(PYTHON, ['-c', 'import celery; print(celery.__version__)'], { encoding: 'utf8' }).stdout.trim()
    : undefined;
  if (version !== CELERY_VERSION) {
    console.warn(`skipped: what needs Celery ${CELERY_VERSION}, which is not installed at ${PYTHON}`);
  }
  return version === CELERY_VERSION;
}

/** Where Python finds the example with the settings of a broker; it leaves nothing beside them. */
function pythonEnv(broker: string, ...folders: string[]): { [name: string]: string | undefined } {
  const path = [EXAMPLES, join(EXAMPLES, broker), ...folders].join(delimiter);
  return { ...process.env, PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: '1' };
}

/** What Python prints that has the settings of a broker, and these variables. */
export function printedBy(script: string, broker: string, env: { [name: string]: string }): string {
  const { stdout, stderr, status } = spawnSync(PYTHON, ['-c', script], {
    env: { ...pythonEnv(broker), ...env },
    encoding: 'utf8',
  });
  if (status !== 0) {
    throw new Error(stderr);
  }
  return stdout.trim();
}

/** Beats faster than the example, so that a test takes seconds, and has something to do. */
const TASKS = `
import os, pathlib, time
import ingestion
from celery.signals import worker_ready

app = ingestion.app
ingestion.Heartbeat.seconds = 0.5

@app.task(name="write")
def write(path, seconds):
    pathlib.Path(path + ".begun").touch()
    time.sleep(seconds)
    pathlib.Path(path).touch()

if "STUCK" in os.environ:
    @worker_ready.connect
    def stick(sender, **kwargs):
        sender.timer.call_after(1, time.sleep, (3600,))
`;

/** A worker of the example, with one process, in a folder of its own. */
export class CeleryWorker {
  public readonly folder = mkdtempSync(join(tmpdir(), 'celery-'));
  private readonly env: { [name: string]: string | undefined };
  private worker?: ChildProcess;
  private output = '';

  public constructor(broker: string, env: { [name: string]: string } = {}) {
    writeFileSync(join(this.folder, 'tasks.py'), TASKS);
    this.env = {
      ...pythonEnv('redis', this.folder),
      CELERY_BROKER_URL: broker,
      LONGEST_TASK_SECONDS: '60',
      WORKER_HEARTBEAT_FILE: join(this.folder, 'heartbeat'),
      ...env,
    };
  }

  /** Starts it, and does not wait. */
  public start(): void {
    this.worker = spawn(PYTHON, ['-m', 'celery', '-A', 'tasks', 'worker', '--concurrency=1', '--loglevel=INFO'], {
      env: this.env,
      // What it does not finish ends with it.
      detached: true,
    });
    for (const stream of [this.worker.stdout, this.worker.stderr]) {
      stream?.on('data', (chunk) => {
        this.output += chunk;
      });
    }
  }

  /** Sends it a task that takes so long, and then leaves a file. */
  public send(file: string, seconds: number): void {
    const { status, stderr } = spawnSync(
      PYTHON,
      ['-m', 'celery', '-A', 'tasks', 'call', 'write', '--args', JSON.stringify([join(this.folder, file), seconds])],
      { env: this.env, encoding: 'utf8' },
    );
    if (status !== 0) {
      throw new Error(stderr);
    }
  }

  /** Whether a task has left this file. */
  public has(file: string): boolean {
    return existsSync(join(this.folder, file));
  }

  /** Seconds since the heartbeat; infinite where there is none. */
  public get age(): number {
    const file = join(this.folder, 'heartbeat');
    return existsSync(file) ? (Date.now() - statSync(file).mtimeMs) / 1000 : Number.POSITIVE_INFINITY;
  }

  /** How often the worker has written this. */
  public told(text: string): number {
    return this.output.split(text).length - 1;
  }

  /** Waits for something that is to come within half a minute; the worker's own words say why it did not. */
  public async until(what: () => boolean): Promise<void> {
    for (let tries = 0; tries < 300; tries += 1) {
      if (what()) {
        return;
      }
      await pause(0.1);
    }
    throw new Error(`did not come within 30 seconds:\n${this.output}`);
  }

  /** The greatest age of the heartbeat in so many seconds. */
  public async greatestAge(seconds: number): Promise<number> {
    let greatest = 0;
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await pause(0.1)) {
      greatest = Math.max(greatest, this.age);
    }
    return greatest;
  }

  /** Ends it as the kubelet does, and says with which code; undefined when it does not end within half a minute. */
  public async terminate(): Promise<number | null | undefined> {
    const { worker } = this;
    if (worker === undefined || worker.exitCode !== null) {
      return worker?.exitCode;
    }
    const exited = once(worker, 'exit').then(([code]) => code as number | null);
    worker.kill('SIGTERM');
    const overdue = new AbortController();
    return Promise.race([exited, pause(30, overdue.signal)]).finally(() => overdue.abort());
  }

  /** Ends it and its processes at once, and forgets what it stored. */
  public remove(): void {
    const { pid, exitCode = 0, signalCode = null } = this.worker ?? {};
    if (pid !== undefined && exitCode === null && signalCode === null) {
      process.kill(-pid, 'SIGKILL');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function pause(seconds: number, signal?: AbortSignal): Promise<undefined> {
  return new Promise((resume) => {
    const timer = setTimeout(() => resume(undefined), seconds * 1000);
    signal?.addEventListener('abort', () => clearTimeout(timer));
  });
}
