import { type ProgramResult, runProgram } from './node-programs';
import { decideStart } from './pod-start';
import { QdrantServer } from './qdrant-server';
import { QdrantState } from './qdrant-state';
import type { StoredCollection, StoredSnapshot } from './stored-collection';

/** Several servers that are nodes of one cluster. */
export class QdrantCluster {
  /** Starts that many nodes, with the numbers 11, 12 and so on. */
  public static async start(count: number): Promise<QdrantCluster> {
    const state = new QdrantState();
    const nodes: QdrantServer[] = [];
    for (let index = 0; index < count; index += 1) {
      const peer = state.newPeer();
      nodes.push(await QdrantServer.start({ state, peer, host: `127.0.1.${peer}`, apiKey: 'secret' }));
    }
    return new QdrantCluster(state, nodes);
  }

  /** URLs of the nodes, also of those that were stopped. */
  public readonly urls: readonly string[];
  /** Addresses at which the nodes reach each other. */
  public readonly uris: readonly string[];

  private readonly ending = new AbortController();

  private constructor(
    /** What the nodes have in common. */
    public readonly state: QdrantState,
    /** The nodes. */
    public readonly nodes: readonly QdrantServer[],
  ) {
    this.urls = nodes.map(({ url }) => url);
    this.uris = nodes.map(({ uri }) => uri);
  }

  /** A node. */
  public node(index: number): QdrantServer {
    return this.nodes[index] as QdrantServer;
  }

  /** Variables of a program that speaks to every node. */
  public get env(): { [name: string]: string } {
    return {
      QDRANT_URL: this.urls[0] as string,
      QDRANT_NODE_URLS: this.urls.join(','),
      QDRANT_PEER_URIS: this.uris.join(','),
      QDRANT_API_KEY: 'secret',
      QDRANT_PATIENCE: '0',
      SHARD_INTERVAL: '0.01',
    };
  }

  /** Takes snapshots with the program, whose clock stands where that of the nodes does. */
  public takeSnapshots(env: { readonly [name: string]: string } = {}): Promise<ProgramResult> {
    const clock = encodeURIComponent(`Date.now = () => ${this.state.clock ?? Date.now()}`);
    return runProgram('vector-store/take-snapshots.mjs', {
      ...this.env,
      NODE_OPTIONS: `--import=data:text/javascript,${clock}`,
      SNAPSHOTS_KEEP: '2',
      SNAPSHOTS_TOLERANCE_PERCENT: '10',
      SNAPSHOT_STORAGE: this.state.sharedSnapshots ? 's3' : 'local',
      ...env,
    });
  }

  /** A collection with one shard for each node, and two copies of it where there are two nodes. */
  public fill(name: string, points: number): StoredCollection {
    const vectors = { size: 4, distance: 'Cosine' };
    const shard_number = this.nodes.length;
    const replication_factor = Math.min(2, shard_number);
    const collection = this.state.create(name, { vectors, shard_number, replication_factor }, points);
    const peers = this.nodes.map(({ peer }) => peer);
    peers.forEach((peer, index) => {
      collection.copies.place(index, [...new Set([peer, peers[(index + 1) % peers.length] as number])]);
    });
    return collection;
  }

  /** A snapshot as a node would have taken it of a collection that had these points in these shards. */
  public snapshotOf(name: string, peer: number, points: { readonly [shard: string]: number }): StoredSnapshot {
    const { config } = this.state.collection(name);
    const shards = Object.entries(points).map(([shard, count]) => [
      shard,
      { points: count, deleted: 0, operations: 0 },
    ]);
    return { peer, params: structuredClone(config.params), shards: Object.fromEntries(shards) };
  }

  /** Starts a node that was stopped, without its storage, as its pod does: it waits until it may join. */
  public async startAsPod(ordinal: number): Promise<void> {
    const { signal } = this.ending;
    await decideStart({ ordinal, env: this.env, storage: '/nowhere', signal });
    await this.node(ordinal).startAgain({ lost: 'storage' });
  }

  /** Names of the snapshots of a collection, by the node that took them. */
  public snapshotsOf(name: string): { [peer: string]: string[] } {
    const grouped: { [peer: string]: string[] } = {};
    for (const [snapshot, { peer }] of this.state.snapshotsOf(name)) {
      grouped[peer] = [...(grouped[peer] ?? []), snapshot];
    }
    return grouped;
  }

  /** Stops all nodes, and those that wait. */
  public async stop(): Promise<void> {
    this.ending.abort();
    await Promise.all(this.nodes.map((node) => node.stop()));
  }
}

/** The lines of a program's output, each a JSON object. */
export function jsonLines(output: string) {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
