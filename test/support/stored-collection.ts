import type { Json } from '../../constructs/rules/output';
import { Refusal } from './qdrant-refusal';
import { ShardCopies, type ShardCopy, type Surroundings, type Transfer } from './shard-copies';
import { checkForwarding } from './strict-mode-checks';

/** Qdrant keeps deleted points until this share of a segment is deleted, and this many (its `optimizers` by default). */
const VACUUM = { share: 0.2, points: 1000 };

/** What a snapshot holds of a shard. */
export type SnapshotShard = Omit<ShardCopy, 'state' | 'phantom'>;

/** The file of a snapshot. */
export interface StoredSnapshot {
  /** Node whose volume holds it, or that wrote it into the store that is shared. */
  peer: number;
  /** `params` of the collection. */
  readonly params: Json;
  /** Shards that the node held, with what was in them. */
  readonly shards: { readonly [shard: string]: SnapshotShard };
}

/** A collection with its points, of which only the number is known: a point that is written twice counts twice. */
export class StoredCollection {
  /** As `config` in what the server tells of a collection. */
  public readonly config: Json;
  /** As `payload_schema`. */
  public readonly indexes: { [field: string]: Json } = {};
  /** Where its shards are. */
  public readonly copies: ShardCopies;
  /** How often the copies are still told not to be active, though they are. */
  public settling = 0;

  public constructor(
    body: Json,
    private readonly surroundings: Surroundings,
    /** Its snapshots, by name; they outlive it. */
    public readonly snapshots: Map<string, StoredSnapshot>,
  ) {
    const { vectors, shard_number = 1, replication_factor = 1, write_consistency_factor = 1, ...others } = body;
    const params = { vectors: { ...vectors }, shard_number, replication_factor, write_consistency_factor };
    this.config = { params, quantization_config: null, ...others };
    this.copies = new ShardCopies(surroundings);
  }

  /** Shards on their way. */
  public get transfers(): Transfer[] {
    return this.copies.transfers;
  }

  /** Number of its shards. */
  public get shardNumber(): number {
    return this.config.params.shard_number;
  }

  /** Points in all shards, as the fullest copy of each has them. */
  public get points(): number {
    const counts = [...this.copies.shards.values()].map((copies) =>
      Math.max(0, ...[...copies.values()].map(({ points }) => points)),
    );
    return counts.reduce((sum, points) => sum + points, 0);
  }

  /** Writes or deletes in every copy until there are so many; no node is asked. */
  public set points(wanted: number) {
    for (const [shard, copies] of this.copies.shards) {
      for (const copy of copies.values()) {
        change(copy, pointsOf(shard, wanted, this.shardNumber) - copy.points);
      }
    }
  }

  /** Writes points through a node, into the shards that their ids belong to. */
  public write(through: number, ids: readonly (number | string)[]): void {
    for (const [shard, count] of this.byShard(ids)) {
      this.writeShard(through, shard, (copy) => change(copy, count));
    }
  }

  /** Deletes points through a node: those with these ids, or every one without any. */
  public delete(through: number, ids?: readonly (number | string)[]): void {
    const counts = ids === undefined ? undefined : this.byShard(ids);
    for (const shard of counts?.keys() ?? this.copies.shards.keys()) {
      this.writeShard(through, shard, (copy) =>
        change(copy, -Math.min(copy.points, counts?.get(shard) ?? copy.points)),
      );
    }
  }

  /** What a node counts; each shard needs a copy that is active and answers. */
  public count(through: number): number {
    const counts = [...this.copies.shards].map(([shard, copies]) => {
      const active = this.copies.activePeers(shard);
      if (copies.size === 0) {
        throw Refusal.serviceError('0 of 0 read operations failed');
      }
      if (active.length === 0) {
        throw Refusal.serviceError(
          `The replica set for shard ${shard} on peer ${through} does not have enough active replicas`,
        );
      }
      const [peer] = active
        .sort((a, b) => Number(b === through) - Number(a === through))
        .filter((candidate) => this.answers(candidate) && copies.get(candidate)?.phantom !== true);
      if (peer === undefined) {
        throw failedReads(active.length, `Failed to connect to the peers ${active.join(', ')}`);
      }
      return copies.get(peer)?.points ?? 0;
    });
    return counts.reduce((sum, points) => sum + points, 0);
  }

  private readonly answers = (peer: number) => this.surroundings.running.has(peer);

  private byShard(ids: readonly (number | string)[]): Map<number, number> {
    const counts = new Map<number, number>();
    for (const id of ids) {
      const shard = Number(BigInt(`0x${Buffer.from(String(id)).toString('hex')}`) % BigInt(this.shardNumber));
      counts.set(shard, (counts.get(shard) ?? 0) + 1);
    }
    return counts;
  }

  /**
   * Writes into one shard: into each copy that takes writes. The copies that failed are dead when enough did not, and
   * the write has failed when too few did (qdrant/qdrant, replica_set/update.rs, update_impl).
   */
  private writeShard(through: number, shard: number, write: (copy: ShardCopy) => void): void {
    const copies = this.copies.of(shard);
    const takers = [...copies].filter(([, { state }]) => state === 'Active' || state === 'Partial');
    if (takers.length === 0) {
      throw Refusal.serviceError(`The replica set for shard ${shard} on peer ${through} has no active replica`);
    }
    const failures = new Map<number, Refusal>();
    for (const [peer, copy] of takers) {
      const failure = peer === through ? undefined : this.forwardingFailure(peer);
      if (failure === undefined) {
        write(copy);
      } else {
        failures.set(peer, failure);
      }
    }
    const needed = Math.min(this.config.params.write_consistency_factor, copies.size);
    const [failure] = failures.values();
    if (failure !== undefined && takers.length - failures.size < needed) {
      throw failure;
    }
    for (const peer of failures.keys()) {
      this.copies.setState(shard, peer, 'Dead');
    }
  }

  /** Why another node does not take a write that is forwarded to it. */
  private forwardingFailure(peer: number): Refusal | undefined {
    return this.answers(peer)
      ? checkForwarding(this.config)
      : Refusal.serviceError(`Failed to connect to the peer ${peer}`);
  }
}

/** Why none of the copies was read that could have been (qdrant/qdrant, execute_read_operation.rs). */
export function failedReads(copies: number, reason: string): Refusal {
  return Refusal.serviceError(`${copies} of ${copies} read operations failed:\n  Service internal error: ${reason}`);
}

/** The points of a shard when so many are spread evenly; the first has what is left over. */
function pointsOf(shard: number, points: number, shards: number): number {
  const share = Math.floor(points / shards);
  return shard === 0 ? points - share * (shards - 1) : share;
}

/** Adds points to a copy or deletes some; what is deleted stays until the vacuum, and all is in the log. */
function change(copy: ShardCopy, difference: number): void {
  if (difference === 0) {
    return;
  }
  copy.operations += 1;
  copy.points += difference;
  copy.deleted += Math.max(0, -difference);
  if (copy.deleted >= VACUUM.points && copy.deleted > VACUUM.share * (copy.deleted + copy.points)) {
    copy.deleted = 0;
  }
}
