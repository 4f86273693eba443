import { type Chart, Duration, Size } from 'cdk8s';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { ServerCertificate } from '../../../constructs/secrets/server-certificate';
import { Qdrant, type QdrantProps } from '../../../constructs/vector-store/qdrant';
import { QdrantCollection } from '../../../constructs/vector-store/qdrant-collection';
import { QdrantSizing } from '../../../constructs/vector-store/qdrant-sizing';
import { env, find, mainContainer, namesOf, render, testChart } from '../../support/manifests';
import { refusalOf } from '../../support/refusal';
import { RESOURCES } from '../../support/values';

function qdrant(props: Partial<QdrantProps>) {
  const chart = testChart();
  const construct = new Qdrant(chart, 'qdrant', {
    nodes: 5,
    resources: RESOURCES,
    storage: Size.gibibytes(50),
    apiKey: SecretKey.of('qdrant', 'api-key'),
    ...props,
  });
  return { construct, objects: () => render(chart) };
}

describe('a drain', () => {
  const { construct, objects } = qdrant({ drain: { to: 3 } });
  const rendered = objects();
  const job = find(rendered, 'Job', 'qdrant-drain');

  test('is a Job that runs at every sync, and can run again', () => {
    expect(job.metadata.annotations).toMatchObject({
      'argocd.argoproj.io/hook': 'Sync',
      'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
    });
    expect(job.spec).toMatchObject({ activeDeadlineSeconds: 6 * 3600, backoffLimit: 3 });
    expect(construct.drain?.job.name).toBe('qdrant-drain');
  });

  test('runs after the database', () => {
    expect(Number(job.metadata.annotations?.['argocd.argoproj.io/sync-wave'])).toBeGreaterThan(0);
  });

  test('knows which nodes there are and how many of them stay', () => {
    expect(env(job, 'QDRANT_DRAIN_TO')).toBe('3');
    const urls: string = env(job, 'QDRANT_NODE_URLS');
    expect(urls.split(',')).toHaveLength(5);
    expect(urls).toMatch(/^http:\/\/qdrant-0\.qdrant-headless\..*:6333,/);
    expect(env(job, 'QDRANT_API_KEY')).toEqual({ secretKeyRef: { name: 'qdrant', key: 'api-key' } });
    expect(env(job, 'NODE_EXTRA_CA_CERTS')).toBeUndefined();
    expect(env(job, 'QDRANT_PEER_URIS')).toBeUndefined();
  });

  test('runs its program with the client, and without what it does not import', () => {
    expect(mainContainer(job).command).toEqual(['node', '/opt/program/drain-nodes.mjs']);
    expect(Object.keys(find(rendered, 'ConfigMap', 'qdrant-drain').data).sort()).toEqual([
      'drain-nodes.mjs',
      'qdrant-client.mjs',
      'qdrant-cluster.mjs',
      'qdrant-collections.mjs',
      'qdrant-shards.mjs',
    ]);
  });

  test('changes nothing about the nodes', () => {
    const nodes = find(rendered, 'StatefulSet', 'qdrant');
    expect(nodes.spec).toEqual(find(qdrant({}).objects(), 'StatefulSet', 'qdrant').spec);
    // It is a client like any other.
    expect(nodes.metadata.annotations).toEqual({ 'argocd.argoproj.io/sync-options': 'PruneLast=true' });
  });
});

test('a drain may take the time that it is given', () => {
  const objects = qdrant({ drain: { to: 3, deadline: Duration.hours(1) } }).objects();
  expect(find(objects, 'Job', 'qdrant-drain').spec.activeDeadlineSeconds).toBe(3600);
});

test('a drain speaks TLS when the database does, under whatever names that gives', () => {
  const tls = ServerCertificate.existing('qdrant-tls');
  const job = find(qdrant({ tls, envPrefix: 'VECTORS', drain: { to: 3 } }).objects(), 'Job', 'qdrant-drain');
  expect(env(job, 'QDRANT_NODE_URLS')).toMatch(/^https:/);
  expect(env(job, 'NODE_EXTRA_CA_CERTS')).toBe('$(QDRANT_CA_FILE)');
  expect(env(job, 'VECTORS_NODE_URLS')).toBeUndefined();
});

test('without a drain there is no Job', () => {
  const { construct, objects } = qdrant({});
  expect(construct.drain).toBeUndefined();
  expect(namesOf(objects(), 'Job')).toEqual([]);
});

test.each([
  [0, 'is 0, but must be at least 1 and less than the number of nodes, which is 5'],
  [1.5, 'is 1.5, but must be at least 1 and less than the number of nodes, which is 5'],
  [5, 'is 5, but must be at least 1 and less than the number of nodes, which is 5'],
  [2, 'is 2, but two nodes lose their quorum when either is away; keep 1, or 3 or more'],
])('a drain to %d nodes is refused', (to, problem) => {
  expect(refusalOf(() => qdrant({ drain: { to } })).message).toBe(`rag/qdrant: drain.to ${problem}`);
});

test('a drain leaves no fewer nodes than there are copies', () => {
  expect(refusalOf(() => qdrant({ drain: { to: 1 } })).message).toBe(
    'rag/qdrant: drain.to is 1, but replicationFactor is 2, and a node holds one copy of a shard at most; keep 3 nodes, or ' +
      'set replicationFactor: 1 and sync before the drain',
  );
  expect(refusalOf(() => qdrant({ drain: { to: 3 }, replicationFactor: 4 })).message).toContain('keep 4 nodes');
  expect(() => qdrant({ drain: { to: 1 }, replicationFactor: 1 })).not.toThrow();
  expect(() => qdrant({ drain: { to: 3 }, replicationFactor: 3 })).not.toThrow();
});

test('a drain leaves no fewer nodes than a collection on them has copies', () => {
  const collection = (replicationFactor: number) => {
    const { construct: store } = qdrant({ drain: { to: 3 } });
    return new QdrantCollection(store.node.scope as Chart, 'documents', {
      store,
      model: EmbeddingModel.BGE_M3,
      replicationFactor,
    });
  };
  expect(refusalOf(() => collection(4)).message).toBe(
    'rag/documents: replicationFactor is 4, but must be a whole number from 1 to 3, the nodes that the drain keeps',
  );
  expect(() => collection(3)).not.toThrow();
});

describe('with a sizing, the nodes that stay have room for all', () => {
  // On 3 nodes: 4.096 GB of memory in use, and 9.6 GB of storage.
  const sizing = QdrantSizing.forVectors({ count: 1_000_000, dimensions: 1024, replicationFactor: 2 });
  const { memory, storage } = sizing.onNodes(3);
  const cpu = RESOURCES.cpu;
  const drained = (props: Partial<QdrantProps>) =>
    qdrant({ resources: { cpu, memory }, storage, sizing, drain: { to: 3 }, ...props });

  test('in memory', () => {
    const resources = { cpu, memory: Size.gibibytes(4) };
    expect(sizing.onNodes(5).fitsMemory(resources.memory)).toBe(true);
    expect(refusalOf(() => drained({ resources })).message).toBe(
      `rag/qdrant: drain.to is 3, but resources.memory is 4Gi, and then a node needs ${memory.toGibibytes()}Gi: ` +
        `${sizing.onNodes(3).memoryFormula}; raise resources.memory and sync before the drain, or keep more nodes`,
    );
  });

  test('on the volume, also where that follows from the sizing', () => {
    const onFive = sizing.onNodes(5).storage;
    for (const given of [undefined, onFive]) {
      expect(refusalOf(() => drained({ storage: given })).message).toBe(
        `rag/qdrant: drain.to is 3, but storage is ${onFive.toGibibytes()}Gi, and then a node needs ` +
          `${storage.toGibibytes()}Gi: ${sizing.onNodes(3).storageFormula}; raise storage and sync before the drain, or ` +
          'keep more nodes',
      );
    }
  });

  test('and then it is rendered', () => {
    expect(drained({}).construct.drain?.to).toBe(3);
  });
});
