import { Size } from 'cdk8s';
import { QdrantSizing, type QdrantVectorsProps } from '../../../constructs/vector-store/qdrant-sizing';
import { Quantization } from '../../../constructs/vector-store/quantization';
import { refusalOf } from '../../support/refusal';

/** A million vectors of 1024 dimensions, and what is said besides. */
function sizing(props: Partial<QdrantVectorsProps> = {}): QdrantSizing {
  return QdrantSizing.forVectors({ count: 1_000_000, dimensions: 1024, ...props });
}

const single = (props: Partial<QdrantVectorsProps> = {}) => sizing({ nodes: 1, ...props });
const gibibytes = (size: Size) => size.toGibibytes();

describe('memory', () => {
  test('of a million vectors of 1024 dimensions is 6.144 GB, and a node has 80 % of its own for it', () => {
    const { memoryInUse, memory, memoryFormula } = single();
    expect(memoryInUse).toBe(6.144e9);
    expect(gibibytes(memory)).toBe(8);
    expect(memoryFormula).toBe(
      '1,000,000 vectors × 1024 dimensions × 4 B × 1.5 × 1 replica ÷ 1 node = 6.144 GB (5.72 GiB), 80 % of 8Gi at most',
    );
  });

  test('is for the copies and the graph when vectors are quantized, because the vectors stay on disk', () => {
    expect(single({ quantization: Quantization.SCALAR }).memoryInUse).toBe(1e6 * (1024 * 1.5 + 128));
    expect(single({ quantization: Quantization.BINARY }).memoryInUse).toBe(1e6 * ((1024 / 8) * 1.5 + 128));
  });

  test('is for both when the vectors stay in memory too', () => {
    const { memoryInUse, memoryFormula } = single({ quantization: Quantization.SCALAR, onDisk: false });
    expect(memoryInUse).toBe(6.144e9 + 1e6 * 1024 * 1.5);
    expect(memoryFormula).toContain('× (1024 dimensions × 4 B × 1.5 + 1024 dimensions × 1 B scalar × 1.5) ×');
  });

  test('is for the graph alone when the vectors are on disk', () => {
    const { memoryInUse, memory, memoryFormula } = single({ onDisk: true });
    expect(memoryInUse).toBe(1e6 * 128);
    expect(gibibytes(memory)).toBe(1);
    expect(memoryFormula).toContain('1,000,000 vectors × 128 B graph × 1 replica');
  });

  test('is for payload that has an index, and for no other', () => {
    const { memoryInUse, memoryFormula } = single({ payloadBytes: 4000, indexedPayloadBytes: 100 });
    expect(memoryInUse).toBe(6.144e9 + 1e6 * 150);
    expect(memoryFormula).toContain('× (1024 dimensions × 4 B × 1.5 + 100 B indexed payload × 1.5) ×');
    expect(single({ payloadBytes: 4000 }).memoryInUse).toBe(6.144e9);
  });

  test('is spread over the nodes, once for each copy', () => {
    const { memoryInUse, memoryFormula } = sizing({ nodes: 4, replicationFactor: 3 });
    expect(memoryInUse).toBe((6.144e9 * 3) / 4);
    expect(memoryFormula).toContain('× 3 replicas ÷ 4 nodes = 4.608 GB (4.29 GiB), 80 % of 6Gi');
  });

  test('has room to grow when it is told so', () => {
    const { memoryInUse, memoryFormula } = single({ growth: 1.5 });
    expect(memoryInUse).toBe(6.144e9 * 1.5);
    expect(memoryFormula).toContain('1,000,000 vectors × 1.5 growth × 1024 dimensions');
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
    expect(storageInUse).toBe(1e6 * (1024 * 4 * 1.5 + 2048 * 1.5 + 128) * 2);
    expect(gibibytes(storage)).toBe(20);
    expect(storageFormula).toBe(
      '1,000,000 vectors × (1024 dimensions × 4 B × 1.5 + 2048 B payload × 1.5 + 128 B graph) × 1 replica ÷ 1 node ' +
        '× 2 while segments are merged = 18.688 GB (17.4 GiB), 90 % of 20Gi at most',
    );
  });

  test('is for the copies of quantized vectors too', () => {
    const { storageInUse, storageFormula } = single({ quantization: Quantization.SCALAR, payloadBytes: 0 });
    expect(storageInUse).toBe(1e6 * (1024 * 4 * 1.5 + 128 + 1024) * 2);
    expect(storageFormula).toContain('+ 128 B graph + 1024 B scalar)');
    expect(storageFormula).not.toContain('payload');
  });

  test('is twice what a snapshot of the node has, in which nothing is merged', () => {
    expect(gibibytes(single().snapshot)).toBe(9);
    expect(gibibytes(sizing({ nodes: 4, replicationFactor: 3 }).snapshot)).toBe(7);
  });

  test('does not depend on what is in memory', () => {
    expect(single({ onDisk: true }).storageInUse).toBe(single().storageInUse);
  });

  test('is spread over the nodes, once for each copy', () => {
    const spread = sizing({ nodes: 4, replicationFactor: 3, growth: 2 });
    expect(spread.storageInUse).toBe((single().storageInUse * 2 * 3) / 4);
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
    expect(large.nodes).toBe(23);
    expect(gibibytes(large.memory)).toBeLessThanOrEqual(64);
    expect(gibibytes(large.onNodes(22).memory)).toBeGreaterThan(64);
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
    const needed = 6.144e9 / 0.8;
    expect(single().fitsMemory(Size.kibibytes(needed / 1024))).toBe(true);
    expect(single().fitsMemory(Size.kibibytes(needed / 1024 - 1))).toBe(false);
  });

  test('fits as long as 90 % of the volume is enough', () => {
    const needed = 18.688e9 / 0.9;
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
