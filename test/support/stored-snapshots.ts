import type { Json } from '../../constructs/rules/output';
import { Refusal } from './qdrant-refusal';
import type { QdrantState } from './qdrant-state';
import { copyOf, type ShardCopies, type ShardCopy } from './shard-copies';
import type { StoredCollection, StoredSnapshot } from './stored-collection';

/** Bytes of a snapshot without shards. */
const FRAME = 11_776;
/** Bytes of a shard without points: its segments and its log are allocated in one piece. */
const ALLOCATED = 600_000;
const POINT = 100;
const OPERATION = 60;

/** The file of a snapshot that was uploaded; Qdrant never takes it away. */
export interface UploadedFile {
  readonly peer: number;
  readonly collection: string;
  readonly name: string;
  /** Undefined when it was empty. */
  readonly snapshot?: StoredSnapshot;
}

/** Bytes of a snapshot: deleted points and the log count too, so that fewer points can be more bytes. */
export function sizeOf({ shards }: StoredSnapshot): number {
  return Object.values(shards).reduce(
    (sum, { points, deleted, operations }) => sum + ALLOCATED + POINT * (points + deleted) + OPERATION * operations,
    FRAME,
  );
}

/** As Qdrant lists a snapshot. */
export function describeSnapshot(name: string, snapshot: StoredSnapshot): Json {
  return { name, creation_time: '2026-01-01T00:00:00', size: sizeOf(snapshot), checksum: null };
}

/** Snapshots as one node finds them. */
export class NodeSnapshots {
  public constructor(
    private readonly state: QdrantState,
    private readonly peer: number,
  ) {}

  /** Takes one of the shards that the node holds; its name is that of Qdrant. */
  public take(name: string, collection: StoredCollection): Json {
    const time = new Date(this.state.takeTime()).toISOString().slice(0, 19).replace(/[T:]/g, '-');
    const held = collection.copies.list().filter(({ peer, copy }) => peer === this.peer && copy.phantom !== true);
    const shards = Object.fromEntries(
      held.map(({ shard, copy: { points, deleted, operations } }) => [shard, { points, deleted, operations }]),
    );
    const file = `${name}-${this.peer}-${this.state.snapshotLabel ?? time}.snapshot`;
    const snapshot = { peer: this.peer, params: structuredClone(collection.config.params), shards };
    collection.snapshots.set(file, snapshot);
    return describeSnapshot(file, snapshot);
  }

  /** Those on the volume of the node, or in the store that all nodes share. */
  public list(name: string): [string, StoredSnapshot][] {
    const taken = [...this.state.snapshotsOf(name)];
    return this.state.sharedSnapshots
      ? taken
      : [
          ...taken.filter(([, { peer }]) => peer === this.peer),
          ...this.uploads(name).flatMap(({ name: file, snapshot }) =>
            file.endsWith('.snapshot') && snapshot !== undefined ? [[file, snapshot] as [string, StoredSnapshot]] : [],
          ),
        ];
  }

  /** One of those. */
  public find(name: string, file: string): StoredSnapshot {
    const [, found] = this.list(name).find(([candidate]) => candidate === file) ?? [];
    if (found === undefined) {
      throw Refusal.notFound(`Snapshot ${file} not found`);
    }
    return found;
  }

  /** A file on the volume of the node, by its name. */
  public onVolume(name: string, file: string): StoredSnapshot {
    const upload = this.uploads(name).find((other) => other.name === file)?.snapshot;
    const taken = this.state.sharedSnapshots ? undefined : this.list(name).find(([other]) => other === file)?.[1];
    const found = upload ?? taken;
    if (found === undefined) {
      throw Refusal.badRequest(`Snapshot file "/qdrant/snapshots/${name}/${file}" does not exist`);
    }
    return found;
  }

  /** Deletes one of those, or on the volume of the node also a file that is not listed. */
  public delete(name: string, file: string): boolean {
    const upload = this.state.sharedSnapshots ? undefined : this.uploads(name).find((other) => other.name === file);
    if (upload !== undefined) {
      this.state.uploads.splice(this.state.uploads.indexOf(upload), 1);
      return true;
    }
    this.find(name, file);
    return this.state.snapshotsOf(name).delete(file);
  }

  /** Keeps the file of an upload on the volume of the node, in place of one of the same name. */
  public keepUpload(collection: string, name: string, snapshot?: StoredSnapshot): void {
    const others = this.state.uploads.filter(
      (file) => file.peer !== this.peer || file.collection !== collection || file.name !== name,
    );
    this.state.uploads.splice(0, Infinity, ...others, { peer: this.peer, collection, name, snapshot });
  }

  /** Hands the volume on to the node that comes after this one, or empties it. */
  public giveVolumeTo(successor?: number): void {
    if (this.state.sharedSnapshots) {
      return;
    }
    for (const { name, snapshot, file } of this.state.allSnapshots().filter((all) => all.snapshot.peer === this.peer)) {
      if (successor === undefined) {
        this.state.snapshotsOf(name).delete(file);
      } else {
        snapshot.peer = successor;
      }
    }
    const others = this.state.uploads.filter(({ peer }) => peer !== this.peer);
    const own = this.state.uploads.filter(({ peer }) => peer === this.peer);
    const kept = successor === undefined ? [] : own.map((upload) => ({ ...upload, peer: successor }));
    this.state.uploads.splice(0, Infinity, ...others, ...kept);
  }

  private uploads(name: string): UploadedFile[] {
    return this.state.uploads.filter(({ peer, collection }) => peer === this.peer && collection === name);
  }
}

/** Refuses a snapshot that does not fit, as Qdrant does before it changes anything. */
function checkParams({ params }: StoredSnapshot, { config }: StoredCollection): void {
  const incompatible = 'Snapshot is not compatible with existing collection: Collection';
  const [wanted, found] = [config.params.vectors, params.vectors].map((vectors) => JSON.stringify(vectors));
  if (wanted !== found) {
    throw Refusal.badInput(`${incompatible} vectors: ${wanted} Snapshot Vectors: ${found}`);
  }
  if (params.shard_number !== config.params.shard_number) {
    throw Refusal.badInput(
      `${incompatible} shard number: ${config.params.shard_number} Snapshot shard number: ${params.shard_number}`,
    );
  }
}

/** Refuses on a server in no cluster what does not hold every shard (qdrant/qdrant, replica_set/snapshots.rs). */
export function checkLocalMode({ params, shards }: StoredSnapshot): void {
  for (let shard = 0; shard < params.shard_number; shard += 1) {
    if (shards[shard] === undefined) {
      throw Refusal.serviceError(`Can't restore snapshot in local mode with missing data at shard: ./storage/${shard}`);
    }
  }
}

/**
 * Takes over the shards of a snapshot with `priority=snapshot` (qdrant/qdrant, snapshots/recover.rs). What it says of
 * other nodes is only proposed when it returns. Where an earlier recovery has proposed to take a copy from this node and
 * that has not come yet, the new content goes with the old copy, while the others take the copy for active.
 */
export function recoverSnapshot(collection: StoredCollection, snapshot: StoredSnapshot, here: number): void {
  checkParams(snapshot, collection);
  const { copies } = collection;
  const before = new Map([...copies.shards.keys()].map((shard) => [shard, statesOf(copies, shard)]));
  for (const [shard] of [...before].filter(([, states]) => states.has(here))) {
    copies.setState(shard, here, 'ManualRecovery');
  }
  copies.settleProposals();
  for (const [shard, states] of before) {
    const content = snapshot.shards[shard];
    const own = states.get(here);
    if (content !== undefined) {
      const lost = own !== undefined && copies.at(shard, here) === undefined;
      recoverShard(collection, shard, here, lost ? { ...copyOf(0), phantom: true } : content);
      takeFromOthers(collection, shard, here, states);
    } else if (own !== undefined && copies.at(shard, here)?.state === 'ManualRecovery') {
      copies.setState(shard, here, own);
    }
  }
}

function statesOf(copies: ShardCopies, shard: number) {
  return new Map([...copies.of(shard)].map(([peer, { state }]) => [peer, state]));
}

/**
 * Puts the content of a shard in place and activates it. Where a transfer to this node is running, the two get into
 * each other's way, and the copy stays as it is until somebody recovers it again (qdrant/qdrant #7851).
 */
function recoverShard(
  { copies }: StoredCollection,
  shard: number,
  here: number,
  content: Omit<ShardCopy, 'state'>,
): void {
  const running = copies.transfers.find((transfer) => transfer.shard === shard && transfer.to === here);
  copies.of(shard).set(here, { ...content, state: 'ManualRecovery' });
  if (running === undefined) {
    copies.setState(shard, here, 'Active');
  } else {
    copies.forgetTransfer(running);
  }
}

/** The other active copies are of no use any more: those beyond the replication factor go, the others are dead. */
function takeFromOthers(
  { copies, config }: StoredCollection,
  shard: number,
  here: number,
  states: ReturnType<typeof statesOf>,
): void {
  if (copies.at(shard, here)?.state !== 'Active') {
    return;
  }
  const others = [...states].filter(([peer, state]) => peer !== here && state === 'Active').map(([peer]) => peer);
  const surplus = others.length - (config.params.replication_factor - 1);
  others.forEach((peer, index) => {
    copies.propose(() => (index < surplus ? copies.drop(shard, peer) : copies.setState(shard, peer, 'Dead')));
  });
}
