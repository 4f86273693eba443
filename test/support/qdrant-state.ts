import type { Json } from '../../constructs/rules/output';
import { Refusal } from './qdrant-refusal';
import type { Surroundings } from './shard-copies';
import { StoredCollection, type StoredSnapshot } from './stored-collection';
import type { UploadedFile } from './stored-snapshots';

/** What the nodes of a cluster have in common. */
export class QdrantState implements Surroundings {
  public readonly collections = new Map<string, StoredCollection>();
  /** Collections by alias. */
  public readonly aliases = new Map<string, string>();
  /** Addresses of the members, by peer. */
  public readonly peers = new Map<number, string>();
  /** Members that answer. */
  public readonly running = new Set<number>();
  /** Whether the nodes keep their snapshots in one object store, where each finds those of all. */
  public sharedSnapshots = false;
  /** Files of snapshots that were uploaded, each on the volume of its node. */
  public readonly uploads: UploadedFile[] = [];
  /** How often a transfer is seen before it ends; 0 ends it at once. */
  public transferLooks = 2;
  /** How many looks come too early for what a recovery proposes. */
  public proposalLooks = 1;
  /** Transfers that still break off. */
  public breakingTransfers = 0;
  /** Changes that are still answered with a time-out, though they are made. */
  public timeouts = 0;
  /** What the names of snapshots have instead of the time. */
  public snapshotLabel?: string;
  /** Time of the next snapshot, of which each takes a second; the true time where it is undefined. */
  public clock: number | undefined = Date.UTC(2026, 0, 1);

  private readonly snapshots = new Map<string, Map<string, StoredSnapshot>>();
  private lastPeer = 10;
  private created = 0;

  /** Snapshots of a collection by name; they are there before it and after it. */
  public snapshotsOf(name: string): Map<string, StoredSnapshot> {
    const known = this.snapshots.get(name) ?? new Map<string, StoredSnapshot>();
    this.snapshots.set(name, known);
    return known;
  }

  /** Keys of the snapshots in the object store: the configured path of the snapshots is in front of each. */
  public objectKeys(snapshotsPath = './snapshots'): string[] {
    const path = snapshotsPath.replace(/^\.\//, '');
    return this.allSnapshots().map(({ name, file }) => `${path}/${name}/${file}`);
  }

  /** The snapshots of every collection. */
  public allSnapshots(): { name: string; file: string; snapshot: StoredSnapshot }[] {
    return [...this.snapshots].flatMap(([name, files]) =>
      [...files].map(([file, snapshot]) => ({ name, file, snapshot })),
    );
  }

  /** A number that no node has had. */
  public newPeer(): number {
    this.lastPeer = Math.max(this.lastPeer, ...this.peers.keys()) + 1;
    return this.lastPeer;
  }

  /**
   * Takes a node in. Where its address belongs to another member, that one must be without shards
   * (qdrant/qdrant, src/tonic/api/raft_api.rs).
   */
  public join(peer: number, uri: string): void {
    const [former] = [...this.peers].find(([other, address]) => address === uri && other !== peer) ?? [];
    if (former !== undefined) {
      if (this.hasShards(former)) {
        throw new Error(
          `peer URI ${uri} already used by peer ${former} which still has shards, remove its shards first or use a ` +
            'different URI',
        );
      }
      this.peers.delete(former);
    }
    this.peers.set(peer, uri);
  }

  /** Takes a member out; one with shards only by force, and then they are gone. */
  public remove(peer: number, force: boolean): boolean {
    if (this.hasShards(peer) && !force) {
      throw Refusal.badRequest(`Cannot remove peer ${peer} as there are shards on it`);
    }
    for (const { copies } of this.collections.values()) {
      copies.forget(peer);
    }
    return this.peers.delete(peer);
  }

  /** Forgets everything but the snapshots, as when every node has lost its storage. */
  public forgetCluster(): void {
    for (const known of [this.collections, this.aliases, this.peers]) {
      known.clear();
    }
  }

  /** The member that leads the others; undefined while half of them or more are away. */
  public get leader(): number | undefined {
    const answering = [...this.peers.keys()].filter((peer) => this.running.has(peer));
    return answering.length * 2 > this.peers.size ? answering[0] : undefined;
  }

  /** When a snapshot is taken that is taken now. */
  public takeTime(): number {
    const time = this.clock ?? Date.now();
    this.clock = this.clock === undefined ? undefined : time + 1000;
    return time;
  }

  /** Makes a change that the members must agree on, of which more than half must answer. */
  public agree<T>(change: () => T): T {
    if (this.leader === undefined) {
      throw Refusal.serviceError('Waiting for consensus operation commit failed. Timeout set at: 10 seconds');
    }
    const result = change();
    if (this.timeouts > 0) {
      this.timeouts -= 1;
      throw new Refusal(408, "Timeout: Operation 'consensus' timed out after 10s");
    }
    return result;
  }

  /** A collection, by its name or an alias. */
  public collection(name: string): StoredCollection {
    const found = this.collections.get(this.aliases.get(name) ?? name);
    if (found === undefined) {
      throw Refusal.notFound(`Collection \`${name}\` doesn't exist!`);
    }
    return found;
  }

  /** Creates a collection, its shards spread evenly over the members; where they begin differs from time to time. */
  public create(name: string, body: Json, points = 0): StoredCollection {
    const collection = new StoredCollection(body, this, this.snapshotsOf(name));
    const peers = [...this.peers.keys()];
    const begin = this.created % peers.length;
    this.created += 1;
    const load = new Map([...peers.slice(begin), ...peers.slice(0, begin)].map((peer) => [peer, 0]));
    for (let shard = 0; shard < collection.shardNumber; shard += 1) {
      const holders = [...load.keys()]
        .sort((a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0))
        .slice(0, collection.config.params.replication_factor);
      for (const peer of holders) {
        load.set(peer, (load.get(peer) ?? 0) + 1);
      }
      collection.copies.place(shard, holders);
    }
    collection.points = points;
    this.collections.set(name, collection);
    return collection;
  }

  /** One action after the other; those before one that fails stay done (qdrant/qdrant, toc/collection_meta_ops.rs). */
  public changeAliases(actions: readonly Json[]): boolean {
    for (const { create_alias: created, delete_alias: deleted } of actions) {
      if (deleted !== undefined) {
        this.aliases.delete(deleted.alias_name);
        continue;
      }
      if (!this.collections.has(created.collection_name)) {
        throw Refusal.notFound(`Collection \`${created.collection_name}\` doesn't exist!`);
      }
      if (this.collections.has(created.alias_name)) {
        throw new Refusal(409, `Wrong input: Collection \`${created.alias_name}\` already exists!`);
      }
      this.aliases.set(created.alias_name, created.collection_name);
    }
    return true;
  }

  private hasShards(peer: number): boolean {
    return [...this.collections.values()].some(({ copies }) => copies.isOn(peer));
  }
}
