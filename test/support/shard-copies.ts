import { Refusal } from './qdrant-refusal';

/** States of a copy that the stand-in knows (qdrant/qdrant, replica_set_state.rs, ReplicaState). */
export type CopyState = 'Active' | 'Dead' | 'Partial' | 'Recovery' | 'ManualRecovery';

/** What one node has of one shard; of the points only their number is known. */
export interface ShardCopy {
  state: CopyState;
  points: number;
  /** Points that were deleted and still take space. */
  deleted: number;
  /** Operations in the log. */
  operations: number;
  /** Whether its node has lost it without the others knowing: it is told as active, and nothing comes from it. */
  phantom?: boolean;
}

/** A shard on its way from one peer to another. */
export interface Transfer {
  readonly shard: number;
  readonly from: number;
  readonly to: number;
  /** Whether the source keeps its copy. */
  readonly sync?: boolean;
  /** How often it is still seen. */
  readonly looks: number;
  /** Whether it ends where it began. */
  readonly breaks: boolean;
}

/** What the copies of all collections depend on. */
export interface Surroundings {
  /** Addresses of the members, by peer. */
  readonly peers: ReadonlyMap<number, string>;
  /** Members that answer. */
  readonly running: ReadonlySet<number>;
  /** How often a transfer is seen before it ends; 0 ends it at once. */
  readonly transferLooks: number;
  /** How many looks come too early for what a recovery proposes. */
  readonly proposalLooks: number;
  /** Transfers that still break off. */
  breakingTransfers: number;
}

/** The copies of the shards of one collection, and how they change as the consensus of Qdrant has it. */
export class ShardCopies {
  /** Copies by shard and peer. */
  public readonly shards = new Map<number, Map<number, ShardCopy>>();
  /** Shards on their way. */
  public readonly transfers: Transfer[] = [];
  /** Changes that were proposed, and how many looks still come before them. */
  private readonly proposed: { readonly change: () => void; looks: number }[] = [];

  public constructor(private readonly surroundings: Surroundings) {}

  /** Has these peers hold a shard, and no others; a copy that is new has as many points as the others. */
  public place(shard: number, peers: readonly number[]): void {
    const before = this.shards.get(shard);
    const points = Math.max(0, ...[...(before?.values() ?? [])].map((copy) => copy.points));
    const copies = peers.map((peer) => [peer, before?.get(peer) ?? copyOf(points)] as const);
    this.shards.set(shard, new Map(copies));
  }

  /** The peers that hold each shard, in order. */
  public get placement(): { [shard: number]: number[] } {
    return Object.fromEntries(
      [...this.shards].map(([shard, copies]) => [shard, [...copies.keys()].sort((a, b) => a - b)]),
    );
  }

  /** Every copy, with its place. */
  public list(): { shard: number; peer: number; copy: ShardCopy }[] {
    return [...this.shards].flatMap(([shard, copies]) => [...copies].map(([peer, copy]) => ({ shard, peer, copy })));
  }

  /** The copies of a shard. */
  public of(shard: number): Map<number, ShardCopy> {
    const copies = this.shards.get(shard);
    if (copies === undefined) {
      throw Refusal.badRequest(`Shard ${shard} does not exist`);
    }
    return copies;
  }

  /** The copy on a peer; undefined when it has none. */
  public at(shard: number, peer: number): ShardCopy | undefined {
    return this.of(shard).get(peer);
  }

  /** Whether a peer holds a copy of anything. */
  public isOn(peer: number): boolean {
    return [...this.shards.values()].some((copies) => copies.has(peer));
  }

  /** Shards without any copy. */
  public get lost(): number {
    return [...this.shards.values()].filter(({ size }) => size === 0).length;
  }

  /** Peers whose copy of a shard is active. */
  public activePeers(shard: number): number[] {
    return [...this.of(shard)].filter(([, { state }]) => state === 'Active').map(([peer]) => peer);
  }

  /**
   * Changes the state of a copy, which comes to be where there was none. The last active one stays active, and a copy
   * that dies takes its transfers along (qdrant/qdrant, collection/mod.rs, set_shard_replica_state).
   */
  public setState(shard: number, peer: number, state: CopyState): void {
    const active = this.activePeers(shard);
    if (state !== 'Active' && active.length === 1 && active[0] === peer) {
      return;
    }
    if (state === 'Dead') {
      for (const transfer of this.transfersOf(shard, peer)) {
        this.abort(transfer);
      }
    }
    const copies = this.of(shard);
    const copy = copies.get(peer) ?? copyOf(0);
    copies.set(peer, copy);
    copy.state = state;
  }

  /** Takes a copy away; refused for the last one that is active. */
  public drop(shard: number, peer: number): void {
    const copies = this.of(shard);
    if (!copies.has(peer)) {
      throw Refusal.badRequest(`Peer ${peer} has no replica of shard ${shard}`);
    }
    const active = this.activePeers(shard);
    if (copies.size === 1 || (active.length === 1 && active[0] === peer)) {
      throw Refusal.badRequest(`Shard ${shard} must have at least one active replica after removing ${peer}`);
    }
    for (const transfer of this.transfersOf(shard, peer)) {
      this.abort(transfer);
    }
    copies.delete(peer);
  }

  /** Takes away every copy of a peer that leaves the cluster, also the last one of a shard. */
  public forget(peer: number): void {
    for (const transfer of this.transfers.filter(({ from, to }) => from === peer || to === peer)) {
      this.abort(transfer);
    }
    for (const copies of this.shards.values()) {
      copies.delete(peer);
    }
  }

  /** Sends a shard on its way (qdrant/qdrant, transfer/helpers.rs, validate_transfer). */
  public start({ shard, from, to, sync }: Pick<Transfer, 'shard' | 'from' | 'to' | 'sync'>): void {
    for (const peer of [to, from]) {
      if (!this.surroundings.peers.has(peer)) {
        throw Refusal.badRequest(`Peer ${peer} does not exist`);
      }
    }
    if (this.at(shard, from)?.state !== 'Active') {
      throw Refusal.badRequest(`Shard ${shard} is not active on peer ${from}`);
    }
    const running = this.transfers.find(
      (other) => other.shard === shard && [other.from, other.to].some((peer) => peer === from || peer === to),
    );
    if (running !== undefined) {
      throw Refusal.badRequest(`Shard ${shard} is already involved in transfer ${running.from} -> ${running.to}`);
    }
    const breaks = this.surroundings.breakingTransfers > 0;
    this.surroundings.breakingTransfers -= breaks ? 1 : 0;
    this.setState(shard, to, 'Recovery');
    this.transfers.push({ shard, from, to, sync, looks: this.surroundings.transferLooks, breaks });
    if (this.surroundings.transferLooks === 0) {
      this.progress();
    }
  }

  /** Breaks a transfer off: a copy that was to be synchronized is dead then, and one that was to be moved is no more. */
  public abort(transfer: Transfer): void {
    this.forgetTransfer(transfer);
    const { shard, to, sync } = transfer;
    const copy = this.at(shard, to);
    if (copy !== undefined && sync) {
      copy.state = 'Dead';
    } else {
      this.of(shard).delete(to);
    }
  }

  /** Ends a transfer without any consequence. */
  public forgetTransfer(transfer: Transfer): void {
    const index = this.transfers.indexOf(transfer);
    if (index !== -1) {
      this.transfers.splice(index, 1);
    }
  }

  /** Proposes a change; it comes some looks later, and one that does not fit by then is dropped. */
  public propose(change: () => void): void {
    this.proposed.push({ change, looks: this.surroundings.proposalLooks });
  }

  /** Makes what was proposed; every other change comes after it. */
  public settleProposals(): void {
    for (const { change } of this.proposed.splice(0)) {
      try {
        change();
      } catch (error) {
        if (!(error instanceof Refusal)) {
          throw error;
        }
      }
    }
  }

  /** Time goes on: transfers end that were seen as often as they last, and dead copies ask for another. */
  public look(): void {
    const dead = this.list().filter(({ copy }) => copy.state === 'Dead');
    this.progress();
    if (this.proposed.every(({ looks }) => looks === 0)) {
      this.settleProposals();
    }
    for (const proposal of this.proposed) {
      proposal.looks = Math.max(0, proposal.looks - 1);
    }
    this.recover(dead);
  }

  private progress(): void {
    for (const transfer of [...this.transfers]) {
      if (transfer.looks > 0) {
        this.transfers.splice(this.transfers.indexOf(transfer), 1, { ...transfer, looks: transfer.looks - 1 });
      } else if (this.isBroken(transfer)) {
        this.abort(transfer);
      } else {
        this.finish(transfer);
      }
    }
  }

  private isBroken({ shard, from, to, breaks }: Transfer): boolean {
    const { running } = this.surroundings;
    return breaks || !running.has(from) || !running.has(to) || this.at(shard, from)?.phantom === true;
  }

  private finish(transfer: Transfer): void {
    const { shard, from, to, sync } = transfer;
    this.forgetTransfer(transfer);
    const copies = this.of(shard);
    const source = copies.get(from);
    copies.set(to, { ...copyOf(source?.points ?? 0), operations: source?.operations ?? 0 });
    if (!sync) {
      copies.delete(from);
    }
  }

  /**
   * A node asks for its dead copies, one at a time, from a node that sends none yet (qdrant/qdrant, collection/mod.rs,
   * sync_local_state), after it has been dead for a look. Nothing makes a copy where there is none.
   */
  private recover(dead: readonly { shard: number; peer: number; copy: ShardCopy }[]): void {
    const { running } = this.surroundings;
    const isFree = (peer: number) =>
      running.has(peer) && !this.transfers.some(({ from, to }) => from === peer || to === peer);
    for (const { shard, peer, copy } of dead) {
      const source =
        this.at(shard, peer) === copy && copy.state === 'Dead' && isFree(peer)
          ? this.activePeers(shard).find(isFree)
          : undefined;
      if (source !== undefined) {
        this.start({ shard, from: source, to: peer, sync: true });
      }
    }
  }

  private transfersOf(shard: number, peer: number): Transfer[] {
    return this.transfers.filter((other) => other.shard === shard && (other.from === peer || other.to === peer));
  }
}

/** A whole copy. */
export function copyOf(points: number): ShardCopy {
  return { state: 'Active', points, deleted: 0, operations: 0 };
}
