import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../support/ask';
import { SnapshotPathProxy } from './snapshot-path-proxy';

/** Seconds in which a node must answer after it was started. */
const START = 60;

/**
 * Runs a program until its input ends or names a signal: the input ends with the tests too, whatever becomes of them,
 * so that none is left behind.
 */
const GUARD = `
exec 3<&0
"$0" "$@" </dev/null 3<&- &
child=$!
{ read -r signal <&3; kill -s "\${signal:-KILL}" "$child"; } 2>/dev/null &
guard=$!
wait "$child"
status=$?
kill "$guard" 2>/dev/null
exit "$status"
`;

/** How a node is started. */
export interface RealNodeOptions {
  /** The program. */
  readonly binary: string;
  /** Folder of its own, which it leaves as it is. */
  readonly folder: string;
  /** Address that it listens on, of loopback. */
  readonly host: string;
  /** Whether it is in a cluster. */
  readonly clustered: boolean;
  readonly apiKey?: string;
}

/** A Qdrant on loopback, with a storage and snapshots of its own that outlive it. */
export class RealQdrantNode {
  /** Prepares a node, which does not run yet. */
  public static async create(options: RealNodeOptions): Promise<RealQdrantNode> {
    const { host, folder } = options;
    const ports = await freePorts(host, 3);
    const target = `http://${host}:${ports[0]}`;
    const proxy = await SnapshotPathProxy.start({ host, target, folder: join(folder, 'snapshots') });
    return new RealQdrantNode(options, ports as [number, number, number], proxy);
  }

  private child?: ChildProcess;
  private log = '';

  private constructor(
    private readonly options: RealNodeOptions,
    private readonly ports: readonly [http: number, grpc: number, p2p: number],
    private readonly proxy: SnapshotPathProxy,
  ) {}

  /** Base URL for the programs. */
  public get url(): string {
    return this.proxy.url;
  }

  /** Address of the nodes' own protocol. */
  public get uri(): string {
    return `http://${this.options.host}:${this.ports[2]}`;
  }

  /** Folder of its data. */
  public get storage(): string {
    return join(this.options.folder, 'storage');
  }

  /** Whether the program runs. */
  public get isRunning(): boolean {
    return this.child?.exitCode === null && this.child.signalCode === null;
  }

  /** Starts it, through a member where it is to join; rejects with what it said when it ends instead of answering. */
  public async start(member?: RealQdrantNode): Promise<void> {
    const cluster = ['--uri', this.uri, ...(member === undefined ? [] : ['--bootstrap', member.uri])];
    const args = [...(this.options.clustered ? cluster : []), '--disable-telemetry'];
    mkdirSync(this.options.folder, { recursive: true });
    this.log = '';
    const child = spawn('sh', ['-c', GUARD, this.options.binary, ...args], {
      cwd: this.options.folder,
      env: this.environment(),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text) => {
        this.log += text;
      });
    }
    for (const until = Date.now() + START * 1000; !(await this.answers()); await sleep(100)) {
      if (!this.isRunning || Date.now() > until) {
        await this.stop();
        throw new Error(`Qdrant does not start: ${this.log.slice(-4000)}`);
      }
    }
  }

  /** Ends it at once, as a machine does that fails. */
  public async stop(): Promise<void> {
    if (this.isRunning) {
      this.child?.stdin?.end();
      await once(this.child as ChildProcess, 'close');
    }
  }

  /** Takes its storage away, and its snapshots where that is wanted. */
  public lose(what: 'storage' | 'storage and snapshots'): void {
    for (const folder of what === 'storage' ? ['storage'] : ['storage', 'snapshots']) {
      rmSync(join(this.options.folder, folder), { recursive: true, force: true });
    }
  }

  /** Ends it and what stands before it. */
  public async close(): Promise<void> {
    await this.stop();
    await this.proxy.stop();
  }

  private async answers(): Promise<boolean> {
    const answer = await ask(this.url, 'GET', '/readyz').catch(() => undefined);
    return answer?.status === 200;
  }

  private environment(): NodeJS.ProcessEnv {
    const { folder, host, clustered, apiKey } = this.options;
    const [http, grpc, p2p] = this.ports.map(String);
    return {
      PATH: process.env.PATH,
      QDRANT__LOG_LEVEL: 'WARN',
      QDRANT__SERVICE__HOST: host,
      QDRANT__SERVICE__HTTP_PORT: http,
      QDRANT__SERVICE__GRPC_PORT: grpc,
      ...(apiKey === undefined ? {} : { QDRANT__SERVICE__API_KEY: apiKey }),
      QDRANT__STORAGE__STORAGE_PATH: this.storage,
      QDRANT__STORAGE__SNAPSHOTS_PATH: join(folder, 'snapshots'),
      // A shard takes twice that as soon as it is there.
      QDRANT__STORAGE__WAL__WAL_CAPACITY_MB: '1',
      QDRANT__CLUSTER__ENABLED: String(clustered),
      QDRANT__CLUSTER__P2P__PORT: p2p,
    };
  }
}

/**
 * Ports that nothing listens on, below those that the kernel gives to outgoing connections: a node that is started again
 * must find its own free.
 */
async function freePorts(host: string, count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if (!ports.includes(port) && (await isFree(host, port))) {
      ports.push(port);
    }
  }
  return ports;
}

function isFree(host: string, port: number): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}
