import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Root must not run it; tests of root run it as nobody. */
const NOBODY = 65534;
const USER = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

/** Where Debian has the servers, each major release beside the others. */
const DEBIAN = '/usr/lib/postgresql';

const NEEDED = ['initdb', 'pg_config', 'pg_isready', 'postgres', 'psql'];

/** Directory of the server's programs: the one in PATH, or the newest of Debian. */
const PROGRAMS = [
  ...(process.env.PATH ?? '').split(delimiter),
  ...(existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : []).map((major) =>
    join(DEBIAN, major, 'bin'),
  ),
].find((directory) => NEEDED.every((program) => existsSync(join(directory, program))));

/** Whether there is a server to test with; a test that needs one says so and is skipped. */
export function hasPostgres(): boolean {
  if (PROGRAMS === undefined) {
    console.warn('skipped: what needs a PostgreSQL server, which is not installed');
  }
  return PROGRAMS !== undefined;
}

/** Whether the server has pgvector. */
export function hasPgvector(): boolean {
  const { stdout } =
    PROGRAMS === undefined
      ? { stdout: '' }
      : spawnSync(join(PROGRAMS, 'pg_config'), ['--sharedir'], { encoding: 'utf8' });
  const found = existsSync(join(stdout.trim(), 'extension', 'vector.control'));
  if (!found) {
    console.warn('skipped: what needs pgvector, which is not installed');
  }
  return found;
}

/** What a program said, and how it ended. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A server of the tests' own, as the official image creates and starts it. */
export class PostgresServer {
  public readonly port: number;
  private readonly folder = mkdtempSync(join(tmpdir(), 'postgres-'));
  private server?: ChildProcess;

  public constructor(
    private readonly user: string,
    private readonly password: string,
  ) {
    this.port = 20000 + (process.pid % 10000);
    chmodSync(this.folder, 0o777);
    if (USER.uid !== undefined) {
      chownSync(this.folder, USER.uid, USER.gid);
    }
  }

  /**
   * Creates the data and starts.
   *
   * @param initdb options that the image passes on to initdb
   * @param args arguments of the server
   */
  public async start(initdb: string[], args: string[]): Promise<void> {
    const passwordFile = join(this.folder, 'password');
    writeFileSync(passwordFile, `${this.password}\n`, { mode: 0o644 });
    const data = join(this.folder, 'data');
    const created = this.run('initdb', [`--username=${this.user}`, `--pwfile=${passwordFile}`, ...initdb, data]);
    if (created.status !== 0) {
      throw new Error(created.stderr);
    }
    const listen = ['-p', String(this.port), '-k', this.folder, '-c', 'listen_addresses=127.0.0.1'];
    this.server = spawn(join(PROGRAMS as string, 'postgres'), ['-D', data, ...listen, ...args], {
      ...USER,
      stdio: 'ignore',
    });
    const ask = ['-h', '127.0.0.1', '-p', String(this.port), '-q'];
    for (let tries = 0; tries < 100 && this.run('pg_isready', ask).status !== 0; tries += 1) {
      await new Promise((resume) => setTimeout(resume, 100));
    }
  }

  /** Stops as the image's signal has it. */
  public async stop(): Promise<void> {
    if (this.server !== undefined && this.server.exitCode === null) {
      this.server.kill('SIGINT');
      await new Promise((ended) => this.server?.once('exit', ended));
    }
    rmSync(this.folder, { recursive: true });
  }

  /** Runs one of PostgreSQL's programs with nothing but these variables. */
  public run(program: string, args: string[], env: { readonly [name: string]: string } = {}): Outcome {
    return spawnSync(join(PROGRAMS as string, program), args, {
      ...USER,
      cwd: this.folder,
      env: { PATH: process.env.PATH, ...env },
      encoding: 'utf8',
    });
  }

  /** Puts a file where the programs run. */
  public writeFile(name: string, content: string): void {
    writeFileSync(join(this.folder, name), content, { mode: 0o644 });
  }

  /** What a statement gives, row by row; what fails is an error. */
  public query(sql: string, database = 'postgres'): string[] {
    const env = { PGHOST: '127.0.0.1', PGPORT: String(this.port), PGUSER: this.user, PGPASSWORD: this.password };
    const args = ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--set=ON_ERROR_STOP=1', '-c', sql];
    const { status, stdout, stderr } = this.run('psql', args, { ...env, PGDATABASE: database });
    if (status !== 0) {
      throw new Error(stderr);
    }
    return stdout.split('\n').filter((line) => line !== '');
  }
}
