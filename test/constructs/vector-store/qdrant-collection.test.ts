import { Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { Distance, EmbeddingModel } from '../../../constructs/models/embedding-model';
import type { Json, ManifestObject } from '../../../constructs/rules/output';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { ServerCertificate } from '../../../constructs/secrets/server-certificate';
import { PayloadIndex } from '../../../constructs/vector-store/payload-index';
import { Qdrant, type QdrantProps } from '../../../constructs/vector-store/qdrant';
import {
  type NextCollection,
  QdrantCollection,
  type QdrantCollectionProps,
} from '../../../constructs/vector-store/qdrant-collection';
import { Quantization } from '../../../constructs/vector-store/quantization';
import { Deployment } from '../../../constructs/workload/deployment';
import { EnvValue } from '../../../constructs/workload/env-value';
import { env, find, mainContainer, namesOf, render, templateOf, testChart } from '../../support/manifests';
import { IMAGE, RESOURCES } from '../../support/values';
import { CONTAINER } from '../../support/workloads';

const OTHER = EmbeddingModel.of({
  id: 'acme/other',
  dimensions: 256,
  maxTokens: 512,
  distance: Distance.DOT,
  normalised: false,
});

/** What a collection says of the model of its vectors. */
const BGE_M3 = { 'cdk8s-rag/model': 'BAAI/bge-m3' };

const WAVE = 'argocd.argoproj.io/sync-wave';

function collection(props: Partial<QdrantCollectionProps> = {}, storeProps: Partial<QdrantProps> = {}) {
  const chart = testChart();
  const store = new Qdrant(chart, 'qdrant', {
    resources: RESOURCES,
    storage: Size.gibibytes(50),
    apiKey: SecretKey.of('qdrant', 'api-key'),
    readOnlyApiKey: SecretKey.of('qdrant', 'read-only-api-key'),
    ...storeProps,
  });
  const construct = new QdrantCollection(chart, 'documents', { store, model: EmbeddingModel.BGE_M3, ...props });
  const client = new Deployment(chart, 'api', { component: 'api', container: CONTAINER });
  return { chart, store, construct, client, objects: () => render(chart) };
}

/** What the program reads. */
function desired(props: Partial<QdrantCollectionProps> = {}, storeProps: Partial<QdrantProps> = {}): Json {
  const config = find(collection(props, storeProps).objects(), 'ConfigMap', 'documents-bootstrap');
  return JSON.parse(config.data['collection.json']);
}

function wave(objects: ManifestObject[], kind: string, name: string): string | undefined {
  return find(objects, kind, name).metadata.annotations?.[WAVE];
}

/** Names of the workloads that the pods of one may open connections to, with the ports. */
function egress(objects: ManifestObject[], name: string): [string, number[]][] {
  return find(objects, 'NetworkPolicy', name).spec.egress.flatMap(({ to, ports }: Json) => {
    const labels = to[0].podSelector?.matchLabels ?? {};
    const target = to[0].namespaceSelector === undefined ? labels['app.kubernetes.io/name'] : undefined;
    return target === undefined ? [] : [[target, ports.map(({ port }: Json) => port)]];
  });
}

const next = (changes: Partial<NextCollection> = {}): NextCollection => ({
  name: 'documents-2',
  model: OTHER,
  ...changes,
});

describe('the Job', () => {
  const { construct, client, objects: rendered } = collection();
  client.uses(construct);
  const objects = rendered();
  const job = find(objects, 'Job', 'documents-bootstrap');

  test('runs the program at every sync, after Qdrant and before the clients', () => {
    expect(mainContainer(job).command).toEqual(['node', '/opt/program/create-collections.mjs']);
    expect(job.metadata.annotations?.['argocd.argoproj.io/hook']).toBe('Sync');
    expect(wave(objects, 'StatefulSet', 'qdrant')).toBeUndefined();
    expect(wave(objects, 'Job', 'documents-bootstrap')).toBe('10');
    expect(wave(objects, 'Deployment', 'api')).toBe('20');
    expect(job.spec).toMatchObject({ activeDeadlineSeconds: 1800, backoffLimit: 3 });
  });

  test('belongs to the vector store, and runs Node.js as the user of its image', () => {
    expect(templateOf(job).metadata.labels['app.kubernetes.io/component']).toBe('vector-store');
    expect(mainContainer(job).image).toMatch(/\/node:.*@sha256:/);
    expect(templateOf(job).spec.securityContext).toMatchObject({ runAsUser: 1000, runAsGroup: 1000 });
  });

  test('has the program, its client and the wanted state as files', () => {
    const { data } = find(objects, 'ConfigMap', 'documents-bootstrap');
    expect(Object.keys(data)).toEqual([
      'collection.json',
      'create-collections.mjs',
      'qdrant-client.mjs',
      'qdrant-cluster.mjs',
    ]);
    // A collection is created when all of them have joined.
    expect(env(job, 'QDRANT_NODES')).toBe('3');
    const mounts = mainContainer(job).volumeMounts.map(({ mountPath }: Json) => mountPath);
    expect(mounts).toEqual(
      expect.arrayContaining([
        '/etc/qdrant-collection/collection.json',
        '/opt/program/qdrant-client.mjs',
        '/opt/program/create-collections.mjs',
      ]),
    );
    expect(env(job, 'COLLECTION_FILE')).toBe('/etc/qdrant-collection/collection.json');
  });

  test('knows the database by the key that may write', () => {
    expect(env(job, 'QDRANT_URL')).toBe('http://qdrant:6333');
    expect(env(job, 'QDRANT_API_KEY')).toEqual({ secretKeyRef: { name: 'qdrant', key: 'api-key' } });
    expect(env(job, 'NODE_EXTRA_CA_CERTS')).toBeUndefined();
  });

  test('may connect to the database alone; clients need no connection to it', () => {
    expect(egress(objects, 'documents-bootstrap')).toEqual([['qdrant', [6333, 6334]]]);
    expect(find(objects, 'NetworkPolicy', 'documents-bootstrap').spec.ingress).toBeUndefined();
    expect(egress(objects, 'api')).toEqual([['qdrant', [6333, 6334]]]);
    const accepted = find(objects, 'NetworkPolicy', 'qdrant').spec.ingress.map(
      ({ from }: Json) => from[0].podSelector.matchLabels['app.kubernetes.io/name'],
    );
    expect(accepted).toEqual(expect.arrayContaining(['documents-bootstrap', 'api']));
  });

  test('is the only one', () => {
    expect(namesOf(objects, 'Job')).toEqual(['documents-bootstrap']);
    expect(construct.backfill).toBeUndefined();
    expect(construct.aliasSwitch).toBeUndefined();
  });

  test('has the time that it is given', () => {
    const objects = collection({ deadline: Duration.hours(2) }).objects();
    expect(find(objects, 'Job', 'documents-bootstrap').spec.activeDeadlineSeconds).toBe(7200);
  });

  test('keeps its name when the collection has another', () => {
    const { construct, objects } = collection({ name: 'Documents_v1' });
    expect(construct.name).toBe('Documents_v1');
    expect(namesOf(objects(), 'Job')).toEqual(['documents-bootstrap']);
  });

  test('reads the usual names, whatever the database is called to others', () => {
    const { construct, client, objects } = collection({}, { envPrefix: 'VECTORS' });
    client.uses(construct);
    const rendered = objects();
    expect(env(find(rendered, 'Job', 'documents-bootstrap'), 'QDRANT_URL')).toBe('http://qdrant:6333');
    expect(env(find(rendered, 'Job', 'documents-bootstrap'), 'VECTORS_URL')).toBeUndefined();
    expect(env(find(rendered, 'Deployment', 'api'), 'VECTORS_URL')).toBe('http://qdrant:6333');
  });
});

describe('TLS', () => {
  test.each(['QDRANT', 'VECTORS'])('is trusted by Node.js, with the prefix %s too', (envPrefix) => {
    const tls = ServerCertificate.existing('qdrant-tls');
    const objects = collection({}, { tls, envPrefix }).objects();
    const job = find(objects, 'Job', 'documents-bootstrap');
    expect(env(job, 'QDRANT_URL')).toBe('https://qdrant:6333');
    expect(env(job, 'QDRANT_CA_FILE')).toBe('/etc/qdrant-ca/ca.crt');
    expect(env(job, 'NODE_EXTRA_CA_CERTS')).toBe('$(QDRANT_CA_FILE)');
    const names = mainContainer(job).env.map(({ name }: Json) => name);
    expect(names.indexOf('QDRANT_CA_FILE')).toBeLessThan(names.indexOf('NODE_EXTRA_CA_CERTS'));
  });
});

describe('the wanted state', () => {
  test('is size and distance of the model and which it is, and nothing that was not said', () => {
    expect(desired()).toEqual({
      collections: [
        {
          name: 'documents',
          parameters: { vectors: { size: 1024, distance: 'Cosine' }, metadata: BGE_M3 },
          payload_indexes: {},
        },
      ],
      aliases: {},
    });
    expect(desired({ model: OTHER }).collections[0].parameters.vectors).toEqual({ size: 256, distance: 'Dot' });
  });

  test('is all that was said, in the words of Qdrant', () => {
    const state = desired({
      name: 'documents-1',
      shards: 6,
      replicationFactor: 3,
      writeConsistencyFactor: 2,
      quantization: Quantization.SCALAR,
      onDisk: true,
      aliases: ['search', 'chat'],
    });
    expect(state).toEqual({
      collections: [
        {
          name: 'documents-1',
          parameters: {
            vectors: { size: 1024, distance: 'Cosine', on_disk: true },
            shard_number: 6,
            replication_factor: 3,
            write_consistency_factor: 2,
            quantization_config: { scalar: { type: 'int8', always_ram: true } },
            metadata: BGE_M3,
          },
          payload_indexes: {},
        },
      ],
      aliases: { search: ['documents-1'], chat: ['documents-1'] },
    });
  });

  test('tells no quantization from one that nobody spoke of', () => {
    expect(desired({ quantization: Quantization.NONE }).collections[0].parameters.quantization_config).toBeNull();
  });

  test.each([
    ['KEYWORD', { type: 'keyword' }],
    ['TENANT', { type: 'keyword', is_tenant: true }],
    ['INTEGER', { type: 'integer' }],
    ['FLOAT', { type: 'float' }],
    ['BOOL', { type: 'bool' }],
    ['DATETIME', { type: 'datetime' }],
    ['TEXT', { type: 'text' }],
    ['UUID', { type: 'uuid' }],
    ['GEO', { type: 'geo' }],
  ] as const)('has a payload index of type %s', (name, schema) => {
    const state = desired({ payloadIndexes: { 'metadata.field': PayloadIndex[name] } });
    expect(state.collections[0].payload_indexes).toEqual({ 'metadata.field': schema });
  });

  test('has the limits of strict mode', () => {
    const strictMode = {
      maxQueryLimit: 100,
      maxTimeout: Duration.seconds(60),
      unindexedFilteringRetrieve: false,
      unindexedFilteringUpdate: true,
      searchAllowExact: false,
      upsertMaxBatchsize: 500,
      readRateLimit: 6000,
      writeRateLimit: 600,
      filterMaxConditions: 20,
      maxPointsCount: 1_000_000,
    };
    expect(desired({ strictMode }).collections[0].parameters.strict_mode_config).toEqual({
      enabled: true,
      max_query_limit: 100,
      max_timeout: 60,
      unindexed_filtering_retrieve: false,
      unindexed_filtering_update: true,
      search_allow_exact: false,
      upsert_max_batchsize: 500,
      read_rate_limit: 6000,
      write_rate_limit: 600,
      filter_max_conditions: 20,
      max_points_count: 1_000_000,
    });
    const off = desired({ strictMode: { enabled: false } });
    expect(off.collections[0].parameters.strict_mode_config).toEqual({ enabled: false });
  });
});

describe('a client', () => {
  function served(props: Partial<QdrantCollectionProps> = {}) {
    const { construct, client, objects } = collection(props);
    client.uses(construct);
    return find(objects(), 'Deployment', 'api');
  }

  test('gets the database, the name and the facts of the model', () => {
    const api = served();
    expect(env(api, 'QDRANT_URL')).toBe('http://qdrant:6333');
    expect(env(api, 'QDRANT_API_KEY')).toEqual({ secretKeyRef: { name: 'qdrant', key: 'api-key' } });
    expect(env(api, 'COLLECTION_NAME')).toBe('documents');
    expect(env(api, 'EMBEDDING_MODEL')).toBe('BAAI/bge-m3');
    expect(env(api, 'EMBEDDING_DIMENSIONS')).toBe('1024');
  });

  test('uses the collection itself, never an alias: what it points to may change while the client runs', () => {
    expect(env(served({ aliases: ['search', 'chat'] }), 'COLLECTION_NAME')).toBe('documents');
  });

  test('may know all of it by other names', () => {
    const api = served({ envPrefix: 'PAPERS', modelPrefix: 'PAPERS_EMBEDDING' });
    expect(env(api, 'PAPERS_NAME')).toBe('documents');
    expect(env(api, 'PAPERS_EMBEDDING_DIMENSIONS')).toBe('1024');
    expect(env(api, 'COLLECTION_NAME')).toBeUndefined();
    expect(env(api, 'EMBEDDING_DIMENSIONS')).toBeUndefined();
  });

  test('gets the token, and so does what fills the next collection; the programs that change collections get the key', () => {
    const next = {
      name: 'documents-2',
      model: OTHER,
      backfill: { image: IMAGE, deadline: Duration.hours(1) },
    };
    const tokens = { clientToken: SecretKey.of('qdrant', 'client-token') };
    const { construct, client, objects } = collection({ aliases: ['search'], next }, tokens);
    client.uses(construct);
    const keys = (rendered: ManifestObject[], kind: string, name: string) =>
      env(find(rendered, kind, name), 'QDRANT_API_KEY').secretKeyRef.key;
    expect(keys(objects(), 'Deployment', 'api')).toBe('client-token');
    expect(keys(objects(), 'Job', 'documents-backfill')).toBe('client-token');
    expect(keys(objects(), 'Job', 'documents-bootstrap')).toBe('api-key');
    const switched = collection({ aliases: ['search'], next: { ...next, switched: true } }, tokens).objects();
    expect(keys(switched, 'Job', 'documents-switch')).toBe('api-key');
  });

  test('that only searches gets the key that can only read', () => {
    const { construct, client, objects } = collection();
    client.uses(construct.readOnly, construct.readOnly);
    const rendered = objects();
    const api = find(rendered, 'Deployment', 'api');
    expect(env(api, 'QDRANT_API_KEY')).toEqual({ secretKeyRef: { name: 'qdrant', key: 'read-only-api-key' } });
    expect(env(api, 'COLLECTION_NAME')).toBe('documents');
    expect(wave(rendered, 'Deployment', 'api')).toBe('20');
  });

  test('may use the database beside the collection', () => {
    const { store, construct, client, objects } = collection({}, { tls: ServerCertificate.existing('qdrant-tls') });
    client.uses(construct, store);
    expect(egress(objects(), 'api')).toEqual([['qdrant', [6333, 6334]]]);
  });

  test('may be told of the same model twice', () => {
    const { construct, client, objects } = collection();
    client.uses({ offerTo: () => ({ endpoints: [], env: EmbeddingModel.BGE_M3.env('EMBEDDING') }) }, construct);
    expect(env(find(objects(), 'Deployment', 'api'), 'EMBEDDING_MODEL')).toBe('BAAI/bge-m3');
  });

  test('of a collection and of the server of another model is refused, with both', () => {
    const { construct, client } = collection();
    client.uses({ offerTo: () => ({ endpoints: [], env: OTHER.env('EMBEDDING') }) });
    expect(() => client.uses(construct)).toThrow(
      /^rag\/api: env\.EMBEDDING_MODEL .*"acme\/other" from uses\(provider\).*"BAAI\/bge-m3" from uses\(documents\)/,
    );
  });
});

describe('the next collection', () => {
  const backfill = { image: IMAGE, command: ['python', '-m', 'backfill'], deadline: Duration.hours(6) };
  const before = collection({ aliases: ['search'], next: next({ backfill }) });
  before.client.uses(before.construct);
  const filling = before.objects();
  const after = collection({ aliases: ['search', 'chat'], next: next({ backfill, switched: true }) });
  after.client.uses(after.construct);
  const switched = after.objects();
  const stateOf = (objects: ManifestObject[]) =>
    JSON.parse(find(objects, 'ConfigMap', 'documents-bootstrap').data['collection.json']);

  test('is created beside the present one, alike but for its vectors', () => {
    const state = desired({
      aliases: ['search'],
      shards: 6,
      payloadIndexes: { tag: PayloadIndex.KEYWORD },
      next: next(),
    });
    expect(state.collections).toEqual([
      {
        name: 'documents',
        parameters: { vectors: { size: 1024, distance: 'Cosine' }, shard_number: 6, metadata: BGE_M3 },
        payload_indexes: { tag: { type: 'keyword' } },
      },
      {
        name: 'documents-2',
        parameters: {
          vectors: { size: 256, distance: 'Dot' },
          shard_number: 6,
          metadata: { 'cdk8s-rag/model': 'acme/other' },
        },
        payload_indexes: { tag: { type: 'keyword' } },
      },
    ]);
    expect(state.aliases).toEqual({ search: ['documents'] });
  });

  test('is filled by an image of the user, after it was created', () => {
    const job = find(filling, 'Job', 'documents-backfill');
    expect(mainContainer(job)).toMatchObject({
      image: 'ghcr.io/acme/program:1.2.3',
      command: ['python', '-m', 'backfill'],
      resources: { requests: { cpu: '1', memory: '2Gi' } },
    });
    expect(env(job, 'SOURCE_COLLECTION')).toBe('documents');
    expect(env(job, 'TARGET_COLLECTION')).toBe('documents-2');
    expect(env(job, 'EMBEDDING_MODEL')).toBe('acme/other');
    expect(env(job, 'EMBEDDING_DIMENSIONS')).toBe('256');
    expect(env(job, 'QDRANT_URL')).toBe('http://qdrant:6333');
    expect(env(job, 'COLLECTION_NAME')).toBeUndefined();
    expect(job.spec.activeDeadlineSeconds).toBe(21600);
    expect(wave(filling, 'Job', 'documents-backfill')).toBe('20');
    expect(egress(filling, 'documents-backfill')).toEqual([['qdrant', [6333, 6334]]]);
  });

  test('is filled by a program that may have more variables, resources and a model server', () => {
    const more = {
      ...backfill,
      args: ['--all'],
      env: { BATCH: EnvValue.of('64') },
      resources: { cpu: Cpu.units(2), memory: Size.gibibytes(8) },
    };
    const { construct, objects } = collection({ aliases: ['search'], next: next({ backfill: more }) });
    construct.backfill?.uses({ offerTo: () => ({ endpoints: [], env: OTHER.env('EMBEDDING') }) });
    const job = find(objects(), 'Job', 'documents-backfill');
    expect(env(job, 'BATCH')).toBe('64');
    expect(mainContainer(job)).toMatchObject({ args: ['--all'], resources: { limits: { memory: '8Gi' } } });
  });

  test('is nothing to clients until it is switched, and they do not wait for it', () => {
    const api = find(filling, 'Deployment', 'api');
    expect(env(api, 'COLLECTION_NAME')).toBe('documents');
    expect(env(api, 'EMBEDDING_MODEL')).toBe('BAAI/bge-m3');
    expect(wave(filling, 'Deployment', 'api')).toBe('20');
    expect(namesOf(filling, 'Job')).not.toContain('documents-switch');
  });

  test('is switched to by a Job, before clients get its name and the facts of its model', () => {
    const job = find(switched, 'Job', 'documents-switch');
    expect(mainContainer(job).command).toEqual(['node', '/opt/program/switch-aliases.mjs']);
    expect(env(job, 'SOURCE_COLLECTION')).toBe('documents');
    expect(env(job, 'TARGET_COLLECTION')).toBe('documents-2');
    expect(env(job, 'ALIASES')).toBe('search,chat');
    expect(egress(switched, 'documents-switch')).toEqual([['qdrant', [6333, 6334]]]);
    expect(wave(switched, 'Job', 'documents-bootstrap')).toBe('10');
    expect(wave(switched, 'Job', 'documents-switch')).toBe('20');
    expect(wave(switched, 'Deployment', 'api')).toBe('30');
    const api = find(switched, 'Deployment', 'api');
    expect(env(api, 'COLLECTION_NAME')).toBe('documents-2');
    expect(env(api, 'EMBEDDING_MODEL')).toBe('acme/other');
  });

  test('keeps what was switched: the aliases may point to it, and nothing is copied over it any more', () => {
    expect(stateOf(switched).aliases).toEqual({
      search: ['documents', 'documents-2'],
      chat: ['documents', 'documents-2'],
    });
    expect(namesOf(switched, 'Job')).not.toContain('documents-backfill');
  });

  test('needs no backfill', () => {
    expect(namesOf(collection({ aliases: ['search'], next: next() }).objects(), 'Job')).toEqual([
      'documents-bootstrap',
    ]);
  });

  test('becomes the collection in the end', () => {
    const state = desired({ name: 'documents-2', model: OTHER, aliases: ['search'] });
    expect(state.aliases).toEqual({ search: ['documents-2'] });
  });
});

describe('mistakes', () => {
  const longest = 'a'.repeat(255);

  test.each([
    ['a letter', 'a'],
    ['all kinds of characters', 'A-b_c.1'],
    ['255 characters', longest],
  ])('a name of %s is none', (_, name) => {
    expect(collection({ name }).construct.name).toBe(name);
  });

  test.each([
    ['no character', ''],
    ['a slash', 'a/b'],
    ['a space', 'a b'],
    ['dots alone', '..'],
    ['another letter', 'ä'],
    ['256 characters', `${longest}a`],
  ])('a name of %s', (_, name) => {
    expect(() => collection({ name })).toThrow(
      `rag/documents: name is "${name}", but must be 1 to 255 letters, digits, "-", "_" and ".", not only dots`,
    );
  });

  test('an alias or a next collection with such a name', () => {
    expect(() => collection({ aliases: ['a', 'b/c'] })).toThrow('rag/documents: aliases[1] is "b/c", but must be');
    expect(() => collection({ aliases: ['a'], next: next({ name: '' }) })).toThrow(
      'rag/documents: next.name is "", but must be',
    );
  });

  test('an alias twice', () => {
    expect(() => collection({ aliases: ['a', 'b', 'a'] })).toThrow('rag/documents: aliases has "a" twice; drop one');
  });

  test.each(['documents', 'documents-2'])('the alias "%s" of a collection of that name', (alias) => {
    expect(() => collection({ aliases: [alias], next: next() })).toThrow(
      `rag/documents: aliases has "${alias}", which is the name of a collection; give the alias another`,
    );
  });

  test('a next collection without an alias', () => {
    expect(() => collection({ next: next() })).toThrow(
      'rag/documents: aliases is empty, but next needs one: where it points to says which collection has taken over',
    );
  });

  test('a next collection that is the present one', () => {
    expect(() => collection({ aliases: ['search'], next: next({ name: 'documents' }) })).toThrow(
      'rag/documents: next.name is "documents", the name of the present collection; give the new one another',
    );
  });

  test.each([0, 1.5, Number.NaN])('%s shards', (shards) => {
    expect(() => collection({ shards })).toThrow(
      `rag/documents: shards is ${shards}, but must be a whole number from 1`,
    );
  });

  test.each([0, 4])('%s copies on three nodes', (replicationFactor) => {
    expect(() => collection({ replicationFactor })).toThrow(
      `rag/documents: replicationFactor is ${replicationFactor}, but must be a whole number from 1 to 3, the number of nodes`,
    );
  });

  test('more copies that must have a write than there are', () => {
    const message = 'writeConsistencyFactor is 3, but must be a whole number from 1 to 2, the number of copies';
    expect(() => collection({ writeConsistencyFactor: 3 })).toThrow(`rag/documents: ${message}`);
    expect(() => collection({ writeConsistencyFactor: 3, replicationFactor: 2 })).toThrow(message);
    expect(() => collection({ writeConsistencyFactor: 2 }, { nodes: 1 })).toThrow('from 1 to 1, the number of copies');
  });

  test('a payload index without a field', () => {
    expect(() => collection({ payloadIndexes: { '': PayloadIndex.TEXT } })).toThrow(
      'rag/documents: payloadIndexes has a field without a name; name it as a path: metadata.language',
    );
  });

  test.each([
    ['maxQueryLimit', { maxQueryLimit: 0 }, 'is 0, but must be a whole number from 1'],
    ['maxTimeout', { maxTimeout: Duration.millis(60_500) }, 'is 60.5, but must be a whole number of seconds from 1'],
    ['readRateLimit', { readRateLimit: 0.5 }, 'is 0.5, but must be a whole number from 1'],
  ])('the limit %s', (name, strictMode, message) => {
    expect(() => collection({ strictMode })).toThrow(`rag/documents: strictMode.${name} ${message}`);
  });

  test.each([1, 59])('the limit maxTimeout of %s s on several nodes, where no write would succeed', (seconds) => {
    const strictMode = { maxTimeout: Duration.seconds(seconds) };
    expect(() => collection({ strictMode })).toThrow(
      `rag/documents: strictMode.maxTimeout is ${seconds} s, but a node forwards each write to the other copies of a ` +
        'shard with 60 s, which strict mode would refuse there, so that no write succeeds; raise it to 60 s, or leave it out',
    );
    const [single] = desired({ strictMode }, { nodes: 1 }).collections;
    expect(single.parameters.strict_mode_config.max_timeout).toBe(seconds);
    const [lax] = desired({ strictMode: { ...strictMode, enabled: false } }).collections;
    expect(lax.parameters.strict_mode_config).toMatchObject({ enabled: false, max_timeout: seconds });
  });

  test('reading alone, when the database has no key for that', () => {
    const { construct } = collection({}, { readOnlyApiKey: undefined });
    expect(() => construct.readOnly).toThrow('rag/qdrant: readOnlyToken is missing');
  });
});
