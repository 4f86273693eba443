import { Size } from 'cdk8s';
import { QdrantSizing, type QdrantVectorsProps } from '../../../constructs/vector-store/qdrant-sizing';
import { Quantization } from '../../../constructs/vector-store/quantization';
import { refusalOf } from '../../support/refusal';

/** A million vectors of 1024 dimensions, and what is said besides. */
function sizing(props: Partial<QdrantVectorsProps> = {}): QdrantSizing {
  return QdrantSizing.forVectors({ count: 1_000_000, dimensions: 1024, ...props });
}

/** Memory and disk of a node beside its points. */
const SERVER = 96 * 1024 ** 2;
const SHARD_COPY_MEMORY = 64 * 1024 ** 2;
const SINGLE = SERVER + 2 * SHARD_COPY_MEMORY;
const SHARD_COPY = 1024 ** 3;

const single = (props: Partial<QdrantVectorsProps> = {}) => sizing({ nodes: 1, ...props });
const gibibytes = (size: Size) => size.toGibibytes();

describe('memory', () => {
  test('of a million vectors of 1024 dimensions is 6.807 GB, and a node has 80 % of its own for it', () => {
    const { memoryInUse, memory, memoryFormula } = single();
    expect(memoryInUse).toBe(6.144e9 + 428e6 + SINGLE);
    expect(gibibytes(memory)).toBe(8);
    expect(memoryFormula).toBe(
      '1,000,000 vectors × (1024 dimensions × 4 B × 1.5 + 128 B graph + 300 B point) × 1 replica ÷ 1 node ' +
        '+ 96Mi server + 2 copies of shards × 64Mi = 6.807 GB (6.34 GiB), 80 % of 8Gi at most',
    );
  });

  test('is for the copies and the graph when vectors are quantized, because the vectors stay on disk', () => {
    expect(single({ quantization: Quantization.SCALAR }).memoryInUse).toBe(1e6 * (1024 * 1.5 + 428) + SINGLE);
    expect(single({ quantization: Quantization.BINARY }).memoryInUse).toBe(1e6 * ((1024 / 8) * 1.5 + 428) + SINGLE);
  });

  test('is for both when the vectors stay in memory too', () => {
    const { memoryInUse, memoryFormula } = single({ quantization: Quantization.SCALAR, onDisk: false });
    expect(memoryInUse).toBe(6.144e9 + 1e6 * (1024 * 1.5 + 428) + SINGLE);
    expect(memoryFormula).toContain(
      '× (1024 dimensions × 4 B × 1.5 + 1024 dimensions × 1 B scalar × 1.5 + 128 B graph',
    );
  });

  test('is for the graph and the points alone when the vectors are on disk', () => {
    const { memoryInUse, memory, memoryFormula } = single({ onDisk: true });
    expect(memoryInUse).toBe(1e6 * 428 + SINGLE);
    expect(gibibytes(memory)).toBe(1);
    expect(memoryFormula).toContain('1,000,000 vectors × (128 B graph + 300 B point) × 1 replica');
  });

  test('is for payload that has an index, and for no other', () => {
    const { memoryInUse, memoryFormula } = single({ payloadBytes: 4000, indexedPayloadBytes: 100 });
    expect(memoryInUse).toBe(single().memoryInUse + 1e6 * 150);
    expect(memoryFormula).toContain(' + 300 B point + 100 B indexed payload × 1.5) ×');
    expect(single({ payloadBytes: 4000 }).memoryInUse).toBe(single().memoryInUse);
  });

  test('is spread over the nodes, once for each copy, beside the server on each', () => {
    const { memoryInUse, memoryFormula } = sizing({ nodes: 4, replicationFactor: 3 });
    expect(memoryInUse).toBe((6.572e9 * 3) / 4 + SERVER + 6 * SHARD_COPY_MEMORY);
    expect(memoryFormula).toContain(
      '× 3 replicas ÷ 4 nodes + 96Mi server + 6 copies of shards × 64Mi = 5.432 GB (5.06 GiB), 80 % of 7Gi',
    );
  });

  test('has room to grow when it is told so', () => {
    const { memoryInUse, memoryFormula } = single({ growth: 1.5 });
    expect(memoryInUse).toBe(6.572e9 * 1.5 + SINGLE);
    expect(memoryFormula).toContain('1,000,000 vectors × 1.5 growth × (1024 dimensions');
  });
});

test('says what it counts with, for the collection to be like it', () => {
  expect(single()).toMatchObject({ quantization: Quantization.NONE, onDisk: false, shards: 2 });
  expect(single({ quantization: Quantization.SCALAR })).toMatchObject({
    quantization: Quantization.SCALAR,
    onDisk: true,
  });
  expect(single({ quantization: Quantization.SCALAR, onDisk: false }).onDisk).toBe(false);
  expect(single({ onDisk: true }).onDisk).toBe(true);
});

describe('storage', () => {
  test('is for vectors, payload and graph, twice because segments are merged, and a node may fill 90 % of it', () => {
    const { storageInUse, storage, storageFormula } = single();
    expect(storageInUse).toBe(1e6 * (1024 * 4 * 1.5 + 2048 * 1.5 + 128) * 2 + 2 * SHARD_COPY);
    expect(gibibytes(storage)).toBe(22);
    expect(storageFormula).toBe(
      '1,000,000 vectors × (1024 dimensions × 4 B × 1.5 + 2048 B payload × 1.5 + 128 B graph) × 1 replica ÷ 1 node ' +
        '× 2 while segments are merged + 2 copies of shards × 1Gi log and allocated files = 20.835 GB (19.4 GiB), ' +
        '90 % of 22Gi at most',
    );
  });

  test('is for the copies of quantized vectors too', () => {
    const { storageInUse, storageFormula } = single({ quantization: Quantization.SCALAR, payloadBytes: 0 });
    expect(storageInUse).toBe(1e6 * (1024 * 4 * 1.5 + 128 + 1024) * 2 + 2 * SHARD_COPY);
    expect(storageFormula).toContain('+ 128 B graph + 1024 B scalar)');
    expect(storageFormula).not.toContain('payload');
  });

  test('has the files of every copy of a shard, which a snapshot has too, in which nothing is merged', () => {
    // 9.344 GB and two copies; 9.344 GB × 3 ÷ 4 and six copies.
    expect(gibibytes(single().snapshot)).toBe(11);
    expect(gibibytes(sizing({ nodes: 4, replicationFactor: 3 }).snapshot)).toBe(13);
  });

  test('is never less than the log and the allocated files take, however little is stored', () => {
    const one = { count: 1, dimensions: 8 };
    expect(gibibytes(QdrantSizing.forVectors({ ...one, nodes: 1 }).storage)).toBe(3);
    expect(gibibytes(QdrantSizing.forVectors({ ...one, nodes: 3 }).storage)).toBe(5);
  });

  test('does not depend on what is in memory', () => {
    expect(single({ onDisk: true }).storageInUse).toBe(single().storageInUse);
  });

  test('is spread over the nodes, once for each copy', () => {
    const spread = sizing({ nodes: 4, replicationFactor: 3, growth: 2 });
    const points = single().storageInUse - 2 * SHARD_COPY;
    expect(spread.storageInUse).toBe((points * 2 * 3) / 4 + 6 * SHARD_COPY);
  });
});

describe('nodes', () => {
  test('are three with two copies for whatever fits, and two shards on each', () => {
    const { nodes, replicationFactor, shards } = sizing();
    expect({ nodes, replicationFactor, shards }).toEqual({ nodes: 3, replicationFactor: 2, shards: 6 });
  });

  test('are one when one copy is enough and fits', () => {
    expect(sizing({ replicationFactor: 1 }).nodes).toBe(1);
    expect(sizing({ replicationFactor: 1 }).shards).toBe(2);
    expect(sizing({ replicationFactor: 1, count: 20_000_000 }).nodes).toBe(3);
  });

  test('are at least as many as copies', () => {
    expect(sizing({ replicationFactor: 5 }).nodes).toBe(5);
  });

  test('are as many as keep each at 64 GiB', () => {
    const large = sizing({ count: 100_000_000 });
    expect(large.nodes).toBe(25);
    expect(gibibytes(large.memory)).toBeLessThanOrEqual(64);
    expect(gibibytes(large.onNodes(24).memory)).toBeGreaterThan(64);
  });

  test('that are asked for are taken, with one copy on a single one', () => {
    expect(sizing({ nodes: 5 })).toMatchObject({ nodes: 5, replicationFactor: 2 });
    expect(single()).toMatchObject({ nodes: 1, replicationFactor: 1 });
  });

  test('can be others later, with the same vectors', () => {
    const five = sizing({ growth: 2, quantization: Quantization.SCALAR }).onNodes(5);
    expect(five).toEqual(sizing({ growth: 2, quantization: Quantization.SCALAR, nodes: 5 }));
    expect(sizing().onNodes(1).replicationFactor).toBe(1);
  });

  test('hold as many copies as are said later, unless that was said before', () => {
    expect(sizing().withReplication(3)).toEqual(sizing({ replicationFactor: 3 }));
    expect(sizing({ replicationFactor: 3 }).withReplication(3).replicationFactor).toBe(3);
    expect(refusalOf(() => sizing({ replicationFactor: 3 }).withReplication(2)).message).toBe(
      'replicationFactor is 2, but the sizing counts 3; say it in one of the two places',
    );
  });
});

test.each([
  [1, '1'],
  [2_000_000, '1'],
  [2_000_001, '2'],
  [31_000_000, '16'],
  [90_000_000, '16'],
])('%d vectors on a node ask for %s CPU', (count, cpus) => {
  expect(single({ count, dimensions: 16 }).cpu.amount).toBe(cpus);
});

test('replicas are searched like all vectors', () => {
  expect(sizing({ count: 6_000_000, nodes: 3 }).cpu.amount).toBe('2');
});

describe('what is chosen by hand', () => {
  test('fits as long as 80 % of the memory is enough', () => {
    const needed = (6.572e9 + SINGLE) / 0.8;
    expect(single().fitsMemory(Size.kibibytes(needed / 1024 + 1))).toBe(true);
    expect(single().fitsMemory(Size.kibibytes(needed / 1024 - 1))).toBe(false);
  });

  test('fits as long as 90 % of the volume is enough', () => {
    const needed = (18.688e9 + 2 * SHARD_COPY) / 0.9;
    expect(single().fitsStorage(Size.kibibytes(needed / 1024 + 1))).toBe(true);
    expect(single().fitsStorage(Size.kibibytes(needed / 1024 - 1))).toBe(false);
  });
});

test('the formula has the memory and the storage in one line', () => {
  const { formula, memoryFormula, storageFormula } = sizing();
  expect(formula).toBe(`memory of each node: ${memoryFormula}; storage of each node: ${storageFormula}`);
  expect(formula).not.toContain('\n');
});

test.each<[Partial<QdrantVectorsProps>, string]>([
  [{ count: 0 }, 'sizing.count is 0, but must be a whole number from 1'],
  [{ count: 1.5 }, 'sizing.count is 1.5, but must be a whole number from 1'],
  [{ count: Number.NaN }, 'sizing.count is NaN, but must be a whole number from 1'],
  [{ dimensions: 70_000 }, 'sizing.dimensions is 70000, but must be a whole number from 1 to 65536'],
  [{ payloadBytes: -1 }, 'sizing.payloadBytes is -1, but must be a number from 0'],
  [{ growth: 0.5 }, 'sizing.growth is 0.5, but must be a number from 1'],
  [{ growth: Number.POSITIVE_INFINITY }, 'sizing.growth is Infinity, but must be a number from 1'],
  [{ replicationFactor: 0 }, 'sizing.replicationFactor is 0, but must be a whole number from 1'],
  [{ nodes: 0 }, 'sizing.nodes is 0, but must be a whole number from 1'],
  [{ nodes: 2 }, 'sizing.nodes is 2, but two nodes lose their quorum when either is away; use 1, or 3 or more'],
  [
    { nodes: 3, replicationFactor: 4 },
    'sizing.replicationFactor is 4, but must be at most the number of nodes, which is 3; lower it, or add nodes',
  ],
  [{ indexedPayloadBytes: 3000 }, 'sizing.indexedPayloadBytes is 3000, but is a part of payloadBytes, which is 2048'],
])('%j is refused', (props, message) => {
  expect(refusalOf(() => sizing(props)).message).toBe(message);
});

/** Megabytes that one node of Qdrant 1.19 used: the table of docs/vectors.md, which says the conditions. */
interface Measured {
  readonly vectors: Partial<QdrantVectorsProps>;
  /** Resident memory without what the kernel may take back. */
  readonly memory: number;
  /** Most disk while the vectors were indexed. */
  readonly peak: number;
  /** Disk at that moment with all files written dense. */
  readonly dense: number;
  /** Size of a snapshot, and with all files written dense. */
  readonly snapshot: readonly [number, number];
}

const SCALAR = { quantization: Quantization.SCALAR, indexedPayloadBytes: 48 };
const BINARY = { quantization: Quantization.BINARY, indexedPayloadBytes: 48 };
const MEASURED: Measured[] = [
  { vectors: { count: 200_000, indexedPayloadBytes: 48 }, memory: 394, peak: 1071, dense: 1475, snapshot: [611, 859] },
  // Payload that does not compress.
  { vectors: { count: 200_000 }, memory: 307, peak: 1357, dense: 1702, snapshot: [733, 933] },
  { vectors: { count: 200_000, dimensions: 64 }, memory: 211, peak: 839, dense: 1205, snapshot: [415, 633] },
  { vectors: { count: 50_000 }, memory: 203, peak: 371, dense: 796, snapshot: [216, 454] },
  { vectors: { count: 200_000, ...SCALAR }, memory: 247, peak: 1169, dense: 1612, snapshot: [663, 911] },
  { vectors: { count: 50_000, ...SCALAR }, memory: 133, peak: 398, dense: 948, snapshot: [233, 523] },
  {
    vectors: { count: 50_000, dimensions: 1024, ...SCALAR },
    memory: 209,
    peak: 777,
    dense: 1354,
    snapshot: [415, 665],
  },
  { vectors: { count: 200_000, ...BINARY }, memory: 201, peak: 1066, dense: 1650, snapshot: [621, 869] },
  { vectors: { count: 50_000, ...BINARY }, memory: 194, peak: 386, dense: 1129, snapshot: [224, 582] },
  {
    vectors: { count: 200_000, onDisk: true, indexedPayloadBytes: 48 },
    memory: 181,
    peak: 1077,
    dense: 1594,
    snapshot: [611, 859],
  },
];

/** What is computed for vectors as they were measured. */
function computedFor(vectors: Partial<QdrantVectorsProps>): QdrantSizing {
  return sizing({ dimensions: 256, payloadBytes: 1948, nodes: 1, ...vectors });
}

describe.each(MEASURED)('of $vectors a real server', ({ vectors, memory, peak, dense, snapshot }) => {
  const computed = computedFor(vectors);

  test('used no more memory than is computed', () => {
    expect(computed.memoryInUse / 1e6).toBeGreaterThanOrEqual(memory);
  });

  test('used no more disk than is computed, its files dense or not', () => {
    expect(computed.storageInUse / 1e6).toBeGreaterThanOrEqual(Math.max(peak, dense));
  });

  test('made no larger snapshots than are computed', () => {
    expect((gibibytes(computed.snapshot) * 1024 ** 3) / 1e6).toBeGreaterThanOrEqual(Math.max(...snapshot));
  });
});

test.each(MEASURED.filter(({ vectors }) => vectors.count === 200_000))(
  'the memory that is computed for $vectors is about twice what was used at most',
  ({ vectors, memory }) => {
    expect(computedFor(vectors).memoryInUse / 1e6).toBeLessThan(2.1 * memory);
  },
);

test('eight segments in each shard, as on a large node, allocate no more than a copy of a shard is given', () => {
  // 50,000 vectors in 2 × 8 segments with three payload indexes, and an empty collection like it.
  expect(computedFor({ count: 50_000 }).storageInUse / 1e6).toBeGreaterThanOrEqual(1698);
  expect((2 * SHARD_COPY) / 1e6).toBeGreaterThanOrEqual(1026);
});
