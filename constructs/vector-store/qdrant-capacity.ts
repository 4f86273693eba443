import { Size } from 'cdk8s';
import type { Cpu } from 'cdk8s-plus-28';
import type { IConstruct } from 'constructs';
import { kibibytesOf, sizeText } from '../rules/quantity';
import { UsageError } from '../rules/usage-error';
import type { Resources } from '../workload/resources';
import type { QdrantSizing } from './qdrant-sizing';
import type { SnapshotSchedule } from './snapshot-schedule';

/** What a node of a Qdrant asks for and may use. */
export interface QdrantResources {
  /**
   * CPU that the scheduler reserves.
   * @default - that of the sizing; required without one
   */
  readonly cpu?: Cpu;

  /**
   * Most CPU that a node may use.
   * @default - no limit
   */
  readonly cpuLimit?: Cpu;

  /**
   * Memory of a node, request and limit. Less than the sizing needs is refused.
   * @default - that of the sizing; required without one
   */
  readonly memory?: Size;

  /**
   * Disk for logs and the writable layer.
   * @default Size.mebibytes(256)
   */
  readonly ephemeralStorage?: Size;
}

/** What is said about the size of a Qdrant. */
export interface QdrantCapacityProps {
  /** Nodes, if anybody says. */
  readonly nodes?: number;
  /** What each node asks for, if anybody says. */
  readonly resources?: QdrantResources;
  /** Volume of each node, if anybody says. */
  readonly storage?: Size;
  /** Volume of each node for snapshots, if anybody says. */
  readonly snapshotStorage?: Size;
  /** When snapshots are taken and how many are kept, if any are. */
  readonly snapshots?: SnapshotSchedule;
  /** Copies of each shard, if anybody says. */
  readonly replicationFactor?: number;
  /** What the nodes hold, if anybody knows. */
  readonly sizing?: QdrantSizing;
}

/** How many nodes a Qdrant has and how large they are: what is said by hand, and for the rest the sizing. */
export class QdrantCapacity {
  /** Number of nodes. */
  public readonly nodes: number;
  /** Copies of each shard, for collections that do not say it themselves. */
  public readonly replicationFactor: number;
  /** What each node asks for. */
  public readonly resources: Resources;
  /** Volume of each node. */
  public readonly storage: Size;
  /** Snapshot of what a node holds, at most. */
  public readonly snapshot: Size;
  /** Volume of each node for snapshots. */
  public readonly snapshotStorage: Size;
  /** What the nodes hold, for as many nodes and copies as there are; undefined when nobody knows. */
  public readonly sizing?: QdrantSizing;

  /** @throws UsageError when something is missing, or too small for the sizing */
  public constructor(
    private readonly scope: IConstruct,
    private readonly props: QdrantCapacityProps,
  ) {
    this.checkNodes();
    const sizing = this.sizingOnNodes();
    this.nodes = props.nodes ?? sizing?.nodes ?? 3;
    this.checkReplication();
    const copies = props.replicationFactor ?? sizing?.replicationFactor ?? 2;
    this.replicationFactor = this.nodes === 1 ? 1 : copies;
    this.resources = this.resourcesWith(sizing);
    this.storage = this.storageWith(sizing);
    // Half of a volume is for the merge of segments.
    this.snapshot = sizing?.snapshot ?? times(this.storage, 1 / 2);
    this.snapshotStorage = this.snapshotStorageWith(this.snapshot);
    this.sizing = sizing;
  }

  /** @throws UsageError when the nodes that a drain keeps have no room for all that there is */
  public checkDrain(to: number): void {
    const site = { scope: this.scope, property: 'drain.to' };
    if (this.replicationFactor > to) {
      throw new UsageError(
        `is ${to}, but replicationFactor is ${this.replicationFactor}, and a node holds one copy of a shard at most; keep ` +
          `${Math.max(this.replicationFactor, 3)} nodes, or set replicationFactor: ${to} and sync before the drain`,
        site,
      );
    }
    const sizing = this.sizing?.onNodes(to);
    if (sizing !== undefined && !sizing.fitsMemory(this.resources.memory)) {
      throw new UsageError(
        `is ${to}, but resources.memory is ${sizeText(this.resources.memory)}, and then a node needs ` +
          `${sizeText(sizing.memory)}: ${sizing.memoryFormula}; raise resources.memory and sync before the drain, or keep more nodes`,
        site,
      );
    }
    if (sizing !== undefined && !sizing.fitsStorage(this.storage)) {
      throw new UsageError(
        `is ${to}, but storage is ${sizeText(this.storage)}, and then a node needs ${sizeText(sizing.storage)}: ` +
          `${sizing.storageFormula}; raise storage and sync before the drain, or keep more nodes`,
        site,
      );
    }
  }

  private checkNodes(): void {
    const { nodes = 3 } = this.props;
    if (!Number.isInteger(nodes) || nodes < 1) {
      throw new UsageError(`is ${nodes}, but must be 1, or 3 or more`, { scope: this.scope, property: 'nodes' });
    }
    if (nodes === 2) {
      throw new UsageError(
        'is 2, but two nodes lose their quorum when either is away, so no update or node drain would be safe; ' +
          'use 1, or 3 or more',
        { scope: this.scope, property: 'nodes' },
      );
    }
  }

  private checkReplication(): void {
    const { replicationFactor = 1 } = this.props;
    if (!Number.isInteger(replicationFactor) || replicationFactor < 1 || replicationFactor > this.nodes) {
      throw new UsageError(
        `is ${replicationFactor}, but must be from 1 to the number of nodes, which is ${this.nodes}`,
        { scope: this.scope, property: 'replicationFactor' },
      );
    }
  }

  /** The sizing for the nodes and copies that are said by hand. */
  private sizingOnNodes(): QdrantSizing | undefined {
    const { nodes, replicationFactor } = this.props;
    try {
      const copied =
        replicationFactor === undefined ? this.props.sizing : this.props.sizing?.withReplication(replicationFactor);
      return nodes === undefined ? copied : copied?.onNodes(nodes);
    } catch (error) {
      throw error instanceof UsageError ? this.ownRefusal(error) : error;
    }
  }

  /** The sizing knows no construct, nor what was said by hand; whoever reads the message looks for both. */
  private ownRefusal({ problem, property }: UsageError): UsageError {
    const byHand = property === 'sizing.replicationFactor' && this.props.replicationFactor !== undefined;
    return new UsageError(problem, { scope: this.scope, property: byHand ? 'replicationFactor' : property });
  }

  private resourcesWith(sizing: QdrantSizing | undefined): Resources {
    const { resources = {} } = this.props;
    const memory = resources.memory ?? sizing?.memory ?? this.missing('resources.memory');
    if (sizing !== undefined && !sizing.fitsMemory(memory)) {
      throw new UsageError(
        `is ${sizeText(memory)}, but a node needs ${sizeText(sizing.memory)}: ${sizing.memoryFormula}; raise it, or leave it out`,
        { scope: this.scope, property: 'resources.memory' },
      );
    }
    return { ...resources, cpu: resources.cpu ?? sizing?.cpu ?? this.missing('resources.cpu'), memory };
  }

  private storageWith(sizing: QdrantSizing | undefined): Size {
    const storage = this.props.storage ?? sizing?.storage ?? this.missing('storage');
    if (sizing !== undefined && !sizing.fitsStorage(storage)) {
      throw new UsageError(
        `is ${sizeText(storage)}, but a node needs ${sizeText(sizing.storage)}: ${sizing.storageFormula}; raise it, or leave it out`,
        { scope: this.scope, property: 'storage' },
      );
    }
    return storage;
  }

  /** Snapshots that stay on the nodes must all fit, with the one that is being taken. */
  private snapshotStorageWith(snapshot: Size): Size {
    const { snapshots, snapshotStorage } = this.props;
    if (snapshots === undefined || snapshots.to !== undefined) {
      return snapshotStorage ?? this.storage;
    }
    const count = snapshots.keep + 1;
    const needed = times(snapshot, count);
    if (snapshotStorage !== undefined && kibibytesOf(snapshotStorage) < kibibytesOf(needed)) {
      throw new UsageError(
        `is ${sizeText(snapshotStorage)}, but the ${snapshots.keep} snapshots that are kept and the one that is taken ` +
          `need ${count} × ${sizeText(snapshot)} = ${sizeText(needed)}; raise it, keep fewer, or send them to a bucket`,
        { scope: this.scope, property: 'snapshotStorage' },
      );
    }
    return snapshotStorage ?? needed;
  }

  private missing(property: string): never {
    throw new UsageError('is missing; set it, or say with sizing what the nodes hold', {
      scope: this.scope,
      property,
    });
  }
}

function times(size: Size, factor: number): Size {
  return Size.kibibytes(Math.ceil(kibibytesOf(size) * factor));
}
