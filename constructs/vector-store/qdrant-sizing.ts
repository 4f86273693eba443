import { Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { kibibytesOf, sizeText } from '../rules/quantity';
import { UsageError } from '../rules/usage-error';
import { Quantization } from './quantization';

/**
 * What the collections of a Qdrant hold together. What a copy of a shard takes however little it holds is counted for
 * one collection.
 */
export interface QdrantVectorsProps {
  /** Vectors that are stored, from 1; replicas are not counted. */
  readonly count: number;

  /** Numbers in a vector, from 1 to 65536: those of the embedding model. */
  readonly dimensions: number;

  /**
   * How small the copies are that searches read first.
   * @default Quantization.NONE
   */
  readonly quantization?: Quantization;

  /**
   * Whether the vectors themselves stay on disk. A search that has to read them from there takes several times
   * as long; with a quantization it reads only those of the best results.
   * @default - true with a quantization, false without
   */
  readonly onDisk?: boolean;

  /**
   * Payload of a point in bytes, the mean.
   * @default 2048, a passage of some 500 tokens
   */
  readonly payloadBytes?: number;

  /**
   * The part of `payloadBytes` that is in fields with an index; indexes are held in memory.
   * @default 0
   */
  readonly indexedPayloadBytes?: number;

  /**
   * Copies of each shard.
   * @default 2, and 1 on a single node
   */
  readonly replicationFactor?: number;

  /**
   * By which factor the number of vectors may grow before anybody looks at the sizing again, from 1.
   * @default 1
   */
  readonly growth?: number;

  /**
   * Nodes of the cluster: 1, or 3 and more.
   * @default - as few as keep the memory of each at 64 GiB or less; 3 at least when there is more than one copy
   */
  readonly nodes?: number;
}

const MAX_DIMENSIONS = 65_536;
const BYTES_PER_NUMBER = 4;
const PAYLOAD_BYTES = 2048;
/** Room beside what is stored, for versions and for segments that are being merged (Qdrant docs, "Capacity planning"). */
const OVERHEAD = 1.5;
/** Links of a vector in the HNSW graph: m = 16, twice on its lowest layer, 4 bytes each. */
const GRAPH_BYTES = 16 * 2 * 4;
/** Ids, versions, places of the payload and what the allocator holds (measured: docs/vectors.md). */
const POINT_BYTES = 300;
/** Memory of a node that holds nothing, its program and threads (measured: docs/vectors.md). */
const SERVER = Size.mebibytes(96);
/** Memory of a copy of a shard however little it holds: allocated files that are read at start (measured: docs/vectors.md). */
const SHARD_COPY_MEMORY = Size.mebibytes(64);
/** A merge of segments writes the new ones before it removes the old. */
const OPTIMISATION = 2;
/**
 * What a copy of a shard takes on disk however little it holds: three files of its log, 32 MiB each, and up to eight
 * segments that allocate 64 MiB and some more for each payload index (measured: docs/vectors.md). A file has holes
 * until a transfer writes it dense.
 */
const SHARD_COPY_STORAGE = Size.gibibytes(1);
/** Part of the memory that may be resident; above it Qdrant is near its end. The rest is page cache. */
const USABLE = 0.8;
/** Our own rule of thumb: a larger node takes too long to load and to move. */
const LARGEST_NODE = Size.gibibytes(64);
/** Our own rule of thumb: vectors that one CPU searches and indexes, and bounds of what a node asks for. */
const VECTORS_PER_CPU = 2e6;
const MAX_CPUS = 16;
const SHARDS_PER_NODE = 2;
/** Part of a volume that may be in use, in percent; above it the database refuses writes. */
export const MAX_DISK_PERCENT = 90;
const GIB = 1024 ** 3;

/** Bytes and where they come from. */
interface Sum {
  readonly bytes: number;
  readonly text: string;
}

/**
 * What the nodes of a Qdrant need for what they hold, with the arithmetic.
 *
 * Source: Qdrant 1.19 docs, "Capacity planning", "Quantization", "Distributed deployment"; what these leave out was
 * measured (docs/vectors.md). The graph and the room for merges are estimates.
 */
export class QdrantSizing {
  /**
   * The sizing for a number of vectors.
   *
   * @throws UsageError when a number is out of its range
   */
  public static forVectors(props: QdrantVectorsProps): QdrantSizing {
    checkVectors(props);
    return new QdrantSizing(props, inMemory(props), onVolume(props));
  }

  /** Nodes of the cluster, those that were asked for or that are suggested. */
  public readonly nodes: number;
  /** Copies of each shard. */
  public readonly replicationFactor: number;
  /** How small the copies are that searches read first. */
  public readonly quantization: Quantization;
  /** Whether the vectors themselves stay on disk. */
  public readonly onDisk: boolean;
  /** Memory that is in use on each node, in bytes. */
  public readonly memoryInUse: number;
  /** Disk that is in use on each node while segments are merged, in bytes. */
  public readonly storageInUse: number;

  private constructor(
    private readonly props: QdrantVectorsProps,
    private readonly memoryOfPoint: Sum,
    private readonly storageOfPoint: Sum,
  ) {
    const { replicationFactor } = props;
    this.nodes = props.nodes ?? this.suggestedNodes(replicationFactor ?? 2);
    this.replicationFactor = replicationFactor ?? defaultReplication(this.nodes);
    this.quantization = props.quantization ?? Quantization.NONE;
    this.onDisk = staysOnDisk(props);
    this.memoryInUse = this.perNode(memoryOfPoint.bytes) + memoryWithoutPoints(this.shardCopies);
    this.storageInUse = this.perNode(storageOfPoint.bytes) * OPTIMISATION + this.storageWithoutPoints;
    checkNodes(this.nodes, this.replicationFactor);
  }

  /** Shards that a collection should have: two on each node, so that there is room to spread when nodes are added. */
  public get shards(): number {
    return this.nodes * SHARDS_PER_NODE;
  }

  /** Memory of each node, in whole GiB; 80 % of it suffice. */
  public get memory(): Size {
    return wholeGibibytes(this.memoryInUse / USABLE);
  }

  /** Volume of each node, in whole GiB; 90 % of it suffice. */
  public get storage(): Size {
    return wholeGibibytes((this.storageInUse * 100) / MAX_DISK_PERCENT);
  }

  /** Snapshot of what a node holds, in whole GiB: nothing is merged in it, and its files may be dense. */
  public get snapshot(): Size {
    return wholeGibibytes(this.perNode(this.storageOfPoint.bytes) + this.storageWithoutPoints);
  }

  /** CPU of each node: one for every two million vectors on it, from 1 to 16. Our own rule of thumb. */
  public get cpu(): Cpu {
    const cpus = Math.ceil(this.perNode(1) / VECTORS_PER_CPU);
    return Cpu.units(Math.min(Math.max(1, cpus), MAX_CPUS));
  }

  /** How `memory` comes about. */
  public get memoryFormula(): string {
    const points = this.spread(this.memoryOfPoint.text);
    const shards = `${this.shardCopies} copies of shards × ${sizeText(SHARD_COPY_MEMORY)}`;
    return `${points} + ${sizeText(SERVER)} server + ${shards} = ${shown(this.memoryInUse)}, 80 % of ${sizeText(this.memory)} at most`;
  }

  /** How `storage` comes about. */
  public get storageFormula(): string {
    const points = `${this.spread(this.storageOfPoint.text)} × ${OPTIMISATION} while segments are merged`;
    const shards = `${this.shardCopies} copies of shards × ${sizeText(SHARD_COPY_STORAGE)}`;
    return `${points} + ${shards} log and allocated files = ${shown(this.storageInUse)}, ${MAX_DISK_PERCENT} % of ${sizeText(this.storage)} at most`;
  }

  /** The whole arithmetic, in one line. */
  public get formula(): string {
    return `memory of each node: ${this.memoryFormula}; storage of each node: ${this.storageFormula}`;
  }

  /** Whether a node with this memory can hold its part. */
  public fitsMemory(memory: Size): boolean {
    return bytesOf(memory) * USABLE >= this.memoryInUse;
  }

  /** Whether a volume of this size can hold the part of a node. */
  public fitsStorage(storage: Size): boolean {
    return (bytesOf(storage) * MAX_DISK_PERCENT) / 100 >= this.storageInUse;
  }

  /**
   * The same vectors on this many nodes.
   *
   * @throws UsageError when there would be fewer nodes than copies, or 2
   */
  public onNodes(nodes: number): QdrantSizing {
    return QdrantSizing.forVectors({ ...this.props, nodes });
  }

  /**
   * The same vectors with this many copies of each shard.
   *
   * @throws UsageError when the sizing was made for another number
   */
  public withReplication(replicationFactor: number): QdrantSizing {
    const stated = this.props.replicationFactor;
    if (stated !== undefined && stated !== replicationFactor) {
      throw new UsageError(
        `is ${replicationFactor}, but the sizing counts ${stated}; say it in one of the two places`,
        {
          property: 'replicationFactor',
        },
      );
    }
    return QdrantSizing.forVectors({ ...this.props, replicationFactor });
  }

  private get points(): number {
    return Math.ceil(this.props.count * (this.props.growth ?? 1));
  }

  private perNode(bytesOfPoint: number): number {
    return (this.points * bytesOfPoint * this.replicationFactor) / this.nodes;
  }

  /** Copies of shards on a node, when they are spread evenly: the shards times their copies, divided by the nodes. */
  private get shardCopies(): number {
    return (this.shards * this.replicationFactor) / this.nodes;
  }

  private get storageWithoutPoints(): number {
    return this.shardCopies * bytesOf(SHARD_COPY_STORAGE);
  }

  private suggestedNodes(replicationFactor: number): number {
    const inUse = this.points * this.memoryOfPoint.bytes * replicationFactor;
    const needed = Math.ceil(
      inUse / (bytesOf(LARGEST_NODE) * USABLE - memoryWithoutPoints(SHARDS_PER_NODE * replicationFactor)),
    );
    return needed <= 1 && replicationFactor === 1 ? 1 : Math.max(3, replicationFactor, needed);
  }

  private spread(bytesOfPoint: string): string {
    const { count, growth = 1 } = this.props;
    const grown = growth === 1 ? '' : ` × ${growth} growth`;
    const replicas = `${this.replicationFactor} ${this.replicationFactor === 1 ? 'replica' : 'replicas'}`;
    const nodes = `${this.nodes} ${this.nodes === 1 ? 'node' : 'nodes'}`;
    return `${count.toLocaleString('en-US')} vectors${grown} × ${bytesOfPoint} × ${replicas} ÷ ${nodes}`;
  }
}

/** With copies to search in, whole vectors are read for the best results only. */
function staysOnDisk({ quantization = Quantization.NONE, onDisk }: QdrantVectorsProps): boolean {
  return onDisk ?? quantization !== Quantization.NONE;
}

/** What a point keeps in memory. */
function inMemory(props: QdrantVectorsProps): Sum {
  const { dimensions, quantization = Quantization.NONE, indexedPayloadBytes = 0 } = props;
  const quantized = quantization !== Quantization.NONE;
  const vectors = staysOnDisk(props) ? [] : [vectorTerm(dimensions, BYTES_PER_NUMBER, '')];
  const copies = quantized ? [vectorTerm(dimensions, quantization.bytesPerDimension, ` ${quantization.name}`)] : [];
  const point = { bytes: POINT_BYTES, text: `${POINT_BYTES} B point` };
  return sum([...vectors, ...copies, graphTerm(), point, ...payloadTerm(indexedPayloadBytes, 'indexed payload')]);
}

/** What a point takes on disk. */
function onVolume(props: QdrantVectorsProps): Sum {
  const { dimensions, quantization = Quantization.NONE, payloadBytes = PAYLOAD_BYTES } = props;
  const bytes = dimensions * quantization.bytesPerDimension;
  const copies = quantization === Quantization.NONE ? [] : [{ bytes, text: `${bytes} B ${quantization.name}` }];
  const vectors = vectorTerm(dimensions, BYTES_PER_NUMBER, '');
  return sum([vectors, ...payloadTerm(payloadBytes, 'payload'), graphTerm(), ...copies]);
}

function memoryWithoutPoints(shardCopies: number): number {
  return bytesOf(SERVER) + shardCopies * bytesOf(SHARD_COPY_MEMORY);
}

function vectorTerm(dimensions: number, bytesPerDimension: number, kind: string): Sum {
  return {
    bytes: dimensions * bytesPerDimension * OVERHEAD,
    text: `${dimensions} dimensions × ${bytesPerDimension} B${kind} × ${OVERHEAD}`,
  };
}

function graphTerm(): Sum {
  return { bytes: GRAPH_BYTES, text: `${GRAPH_BYTES} B graph` };
}

function payloadTerm(bytes: number, kind: string): Sum[] {
  return bytes === 0 ? [] : [{ bytes: bytes * OVERHEAD, text: `${bytes} B ${kind} × ${OVERHEAD}` }];
}

function sum(terms: Sum[]): Sum {
  const text = terms.map((term) => term.text).join(' + ');
  return {
    bytes: terms.reduce((total, { bytes }) => total + bytes, 0),
    text: terms.length === 1 ? text : `(${text})`,
  };
}

function defaultReplication(nodes: number): number {
  return nodes === 1 ? 1 : 2;
}

/** Decimal, as capacities are computed, and binary, as they are asked for. */
function shown(bytes: number): string {
  const decimals = (value: number, digits: number) => String(Number(value.toFixed(digits)));
  return `${decimals(bytes / 1e9, 3)} GB (${decimals(bytes / GIB, 2)} GiB)`;
}

function wholeGibibytes(bytes: number): Size {
  return Size.gibibytes(Math.max(1, Math.ceil(bytes / GIB)));
}

function bytesOf(size: Size): number {
  return kibibytesOf(size) * 1024;
}

/** The least and the most that a number may be, and whether it must be whole. */
interface Range {
  readonly from: number;
  readonly to?: number;
  readonly whole?: boolean;
}

const RANGES: { readonly [property: string]: Range } = {
  count: { from: 1, whole: true },
  dimensions: { from: 1, to: MAX_DIMENSIONS, whole: true },
  payloadBytes: { from: 0 },
  indexedPayloadBytes: { from: 0 },
  replicationFactor: { from: 1, whole: true },
  growth: { from: 1 },
  nodes: { from: 1, whole: true },
};

function checkVectors(props: QdrantVectorsProps): void {
  const values = props as unknown as { readonly [property: string]: number | undefined };
  for (const [name, range] of Object.entries(RANGES)) {
    const value = values[name];
    if (value !== undefined && !isWithin(value, range)) {
      const { from, to, whole } = range;
      const bounds = to === undefined ? `from ${from}` : `from ${from} to ${to}`;
      throw new UsageError(`is ${value}, but must be a ${whole ? 'whole ' : ''}number ${bounds}`, {
        property: `sizing.${name}`,
      });
    }
  }
  const { payloadBytes = PAYLOAD_BYTES, indexedPayloadBytes = 0 } = props;
  if (indexedPayloadBytes > payloadBytes) {
    throw new UsageError(`is ${indexedPayloadBytes}, but is a part of payloadBytes, which is ${payloadBytes}`, {
      property: 'sizing.indexedPayloadBytes',
    });
  }
}

function isWithin(value: number, { from, to = Number.MAX_SAFE_INTEGER, whole = false }: Range): boolean {
  return value >= from && value <= to && (!whole || Number.isInteger(value));
}

function checkNodes(nodes: number, replicationFactor: number): void {
  if (nodes === 2) {
    throw new UsageError('is 2, but two nodes lose their quorum when either is away; use 1, or 3 or more', {
      property: 'sizing.nodes',
    });
  }
  if (replicationFactor > nodes) {
    throw new UsageError(
      `is ${replicationFactor}, but must be at most the number of nodes, which is ${nodes}; lower it, or add nodes`,
      { property: 'sizing.replicationFactor' },
    );
  }
}
