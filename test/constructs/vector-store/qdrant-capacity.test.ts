import { Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { parse } from 'yaml';
import { ObjectStore } from '../../../constructs/data/object-store';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Qdrant, type QdrantProps } from '../../../constructs/vector-store/qdrant';
import { QdrantSizing } from '../../../constructs/vector-store/qdrant-sizing';
import { Quantization } from '../../../constructs/vector-store/quantization';
import { SnapshotSchedule } from '../../../constructs/vector-store/snapshot-schedule';
import { find, mainContainer, render, testChart } from '../../support/manifests';
import { refusalOf } from '../../support/refusal';
import { RESOURCES } from '../../support/values';

const SIZING = QdrantSizing.forVectors({ count: 20_000_000, dimensions: 1024, quantization: Quantization.SCALAR });

function qdrant(props: Partial<QdrantProps>) {
  const chart = testChart();
  const construct = new Qdrant(chart, 'qdrant', { apiKey: SecretKey.of('qdrant', 'api-key'), ...props });
  return { construct, objects: () => render(chart) };
}

function statefulSet(props: Partial<QdrantProps>) {
  return find(qdrant(props).objects(), 'StatefulSet', 'qdrant');
}

function claimsOf(props: Partial<QdrantProps>): { [name: string]: string } {
  const claims: { metadata: { name: string }; spec: { resources: { requests: { storage: string } } } }[] =
    statefulSet(props).spec.volumeClaimTemplates;
  return Object.fromEntries(claims.map(({ metadata, spec }) => [metadata.name, spec.resources.requests.storage]));
}

function refusal(props: Partial<QdrantProps>): string {
  return refusalOf(() => qdrant(props)).message;
}

describe('a sizing', () => {
  test('gives nodes, resources and volumes', () => {
    const { spec } = statefulSet({ sizing: SIZING });
    expect(spec.replicas).toBe(3);
    // 20e6 × (1024 × 1.5 + 128 + 300) × 2 ÷ 3 + 0.37 GB = 26.56 GB, 80 % of 30.9 GiB.
    expect(mainContainer(statefulSet({ sizing: SIZING })).resources).toMatchObject({
      requests: { cpu: '7', memory: '31Gi' },
      limits: { memory: '31Gi' },
    });
    // 20e6 × (1024 × 4 × 1.5 + 2048 × 1.5 + 128 + 1024) × 2 ÷ 3 × 2 + 4 GiB = 280.8 GB, 90 % of 290.6 GiB.
    expect(claimsOf({ sizing: SIZING })).toEqual({ storage: '291Gi', snapshots: '291Gi' });
  });

  test('is written on the StatefulSet, and nowhere else', () => {
    const objects = qdrant({ sizing: SIZING }).objects();
    const { metadata, spec } = find(objects, 'StatefulSet', 'qdrant');
    expect(metadata.annotations?.['cdk8s-rag/sizing']).toBe(SIZING.formula);
    expect(metadata.annotations?.['cdk8s-rag/sizing']).toContain('20,000,000 vectors × (1024 dimensions × 1 B scalar');
    expect(JSON.stringify([spec, objects.filter(({ kind }) => kind !== 'StatefulSet')])).not.toContain('sizing');
  });

  test('is made anew for nodes and copies that are said by hand', () => {
    const props = { sizing: SIZING, nodes: 6, replicationFactor: 3 };
    const { metadata, spec } = statefulSet(props);
    expect(spec.replicas).toBe(6);
    expect(metadata.annotations?.['cdk8s-rag/sizing']).toBe(SIZING.withReplication(3).onNodes(6).formula);
    expect(mainContainer(statefulSet(props)).resources.requests.memory).toBe('24Gi');
  });

  test('gives the copies of shards', () => {
    const three = QdrantSizing.forVectors({ count: 1000, dimensions: 1024, replicationFactor: 3 });
    expect(qdrant({ sizing: three }).construct.replicationFactor).toBe(3);
    const config = find(qdrant({ sizing: three }).objects(), 'ConfigMap', 'qdrant').data['production.yaml'];
    expect(parse(config).storage.collection).toEqual({ replication_factor: 3 });
    expect(qdrant({ sizing: SIZING, nodes: 1 }).construct).toMatchObject({ nodes: 1, replicationFactor: 1 });
  });

  test('leaves what is said by hand as it is, as long as it suffices', () => {
    const props: Partial<QdrantProps> = {
      sizing: SIZING,
      resources: { cpu: Cpu.units(2), memory: Size.gibibytes(32), ephemeralStorage: Size.gibibytes(1) },
      storage: Size.gibibytes(300),
      snapshotStorage: Size.gibibytes(100),
    };
    expect(mainContainer(statefulSet(props)).resources.requests).toMatchObject({
      cpu: '2',
      memory: '32Gi',
      'ephemeral-storage': '1Gi',
    });
    expect(claimsOf(props)).toEqual({ storage: '300Gi', snapshots: '100Gi' });
    const memory = mainContainer(statefulSet({ sizing: SIZING, resources: { cpu: Cpu.units(2) } })).resources.requests;
    expect(memory).toMatchObject({ cpu: '2', memory: '31Gi' });
  });
});

describe('the volume for snapshots', () => {
  const local = (keep: number) => SnapshotSchedule.daily({ hour: 2, keep });
  const BY_HAND = { resources: RESOURCES, storage: Size.gibibytes(50) };

  test('holds those that stay there and the one that is taken, each as large as the sizing says', () => {
    // Half of 276.5 GB is 128.7 GiB, and 4 GiB are allocated.
    expect(claimsOf({ sizing: SIZING, snapshots: local(3) })).toEqual({ storage: '291Gi', snapshots: '532Gi' });
    expect(claimsOf({ sizing: SIZING, storage: Size.gibibytes(900), snapshots: local(1) }).snapshots).toBe('266Gi');
  });

  test('takes half of a volume for the size of a snapshot without a sizing', () => {
    expect(claimsOf({ ...BY_HAND, snapshots: local(3) })).toEqual({ storage: '50Gi', snapshots: '100Gi' });
    expect(claimsOf({ ...BY_HAND, storage: Size.gibibytes(5), snapshots: local(2) }).snapshots).toBe('7680Mi');
  });

  test('is what is said by hand as long as that suffices', () => {
    const props = { ...BY_HAND, snapshots: local(3) };
    expect(claimsOf({ ...props, snapshotStorage: Size.gibibytes(100) }).snapshots).toBe('100Gi');
    expect(refusal({ ...props, snapshotStorage: Size.gibibytes(99) })).toBe(
      'rag/qdrant: snapshotStorage is 99Gi, but the 3 snapshots that are kept and the one that is taken need 4 × 25Gi = ' +
        '100Gi; raise it, keep fewer, or send them to a bucket',
    );
  });

  test('keeps its size when they go to a bucket, and may be any size then', () => {
    const to = ObjectStore.s3({ bucket: 'acme-rag', region: 'eu-west-1' });
    const props = { ...BY_HAND, snapshots: SnapshotSchedule.daily({ hour: 2, keep: 14, to }) };
    expect(claimsOf(props).snapshots).toBe('50Gi');
    expect(claimsOf({ ...props, snapshotStorage: Size.gibibytes(1) }).snapshots).toBe('1Gi');
  });
});

describe('refused is', () => {
  test('memory that is too small for the sizing', () => {
    expect(refusal({ sizing: SIZING, resources: { memory: Size.gibibytes(30) } })).toBe(
      'rag/qdrant: resources.memory is 30Gi, but a node needs 31Gi: 20,000,000 vectors × (1024 dimensions × 1 B scalar ' +
        '× 1.5 + 128 B graph + 300 B point) × 2 replicas ÷ 3 nodes + 96Mi server + 4 copies of shards ' +
        '× 64Mi = 26.556 GB (24.73 GiB), 80 % of 31Gi at most; raise it, or leave it out',
    );
  });

  test('storage that is too small for the sizing', () => {
    expect(refusal({ sizing: SIZING, storage: Size.gibibytes(200) })).toMatch(
      /^rag\/qdrant: storage is 200Gi, but a node needs 291Gi: 20,000,000 vectors × .* = .*, 90 % of 291Gi at most; raise it, or leave it out$/,
    );
  });

  test('to have neither a sizing nor what it would give', () => {
    const rest = 'is missing; set it, or say with sizing what the nodes hold';
    expect(refusal({})).toBe(`rag/qdrant: resources.memory ${rest}`);
    expect(refusal({ resources: { memory: Size.gibibytes(1) } })).toBe(`rag/qdrant: resources.cpu ${rest}`);
    expect(refusal({ resources: RESOURCES })).toBe(`rag/qdrant: storage ${rest}`);
  });

  test('a sizing for other copies than are said by hand, or for more copies than nodes', () => {
    const two = QdrantSizing.forVectors({ count: 1000, dimensions: 8, replicationFactor: 2 });
    expect(refusal({ sizing: two, replicationFactor: 3 })).toBe(
      'rag/qdrant: replicationFactor is 3, but the sizing counts 2; say it in one of the two places',
    );
    expect(refusal({ sizing: two, nodes: 1 })).toMatch(
      /^rag\/qdrant: sizing\.replicationFactor is 2, but must be at most/,
    );
  });

  test('more copies than nodes, both said by hand, where they are said', () => {
    expect(refusal({ sizing: SIZING, nodes: 3, replicationFactor: 4 })).toMatch(
      /^rag\/qdrant: replicationFactor is 4, but must be at most the number of nodes, which is 3/,
    );
  });

  test('two nodes, whatever the sizing', () => {
    expect(refusal({ sizing: SIZING, nodes: 2 })).toMatch(/^rag\/qdrant: nodes is 2, but two nodes lose their quorum/);
  });
});

test('without a sizing nothing is written about it', () => {
  const { metadata } = statefulSet({ resources: RESOURCES, storage: Size.gibibytes(1) });
  expect(metadata.annotations?.['cdk8s-rag/sizing']).toBeUndefined();
});
