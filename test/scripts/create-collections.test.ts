import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json } from '../../constructs/rules/output';
import { runProgram } from '../support/node-programs';
import { QdrantCluster } from '../support/qdrant-cluster';
import { QdrantServer, type QdrantServerOptions } from '../support/qdrant-server';

const PARAMETERS = {
  vectors: { size: 4, distance: 'Cosine', on_disk: true },
  shard_number: 6,
  replication_factor: 2,
  quantization_config: { scalar: { type: 'int8', always_ram: true } },
  strict_mode_config: { enabled: true, max_query_limit: 100 },
};
const INDEXES = { tenant: { type: 'keyword', is_tenant: true }, year: { type: 'integer' } };

const folder = mkdtempSync(join(tmpdir(), 'collection-'));
let server: QdrantServer;

/** The state that is wanted: one collection "documents" with these parameters. */
function wanted(parameters: Json = PARAMETERS, payload_indexes: Json = INDEXES, aliases: Json = {}): Json {
  return { collections: [{ name: 'documents', parameters, payload_indexes }], aliases };
}

function run(state: Json, env: { [name: string]: string } = {}) {
  const file = join(folder, 'collection.json');
  writeFileSync(file, JSON.stringify(state));
  return runProgram('vector-store/create-collections.mjs', {
    QDRANT_NODES: '1',
    QDRANT_URL: server.url,
    QDRANT_API_KEY: 'right',
    QDRANT_PATIENCE: '0',
    COLLECTION_FILE: file,
    ...env,
  });
}

async function restart(options: QdrantServerOptions = {}): Promise<void> {
  await server.stop();
  server = await QdrantServer.start({ apiKey: 'right', ...options });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => probe.once('listening', listening));
  const { port } = probe.address() as { port: number };
  await new Promise((closed) => probe.close(closed));
  return port;
}

beforeEach(async () => {
  server = await QdrantServer.start({ apiKey: 'right' });
});
afterEach(() => server.stop());
afterAll(() => rmSync(folder, { recursive: true }));

describe('what is missing', () => {
  test('is created: the collection, its payload indexes, its aliases', async () => {
    const { status, stdout, stderr } = await run(wanted(PARAMETERS, INDEXES, { search: ['documents', 'other'] }));
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toBe(
      [
        'documents: created',
        'documents: created the payload index tenant',
        'documents: created the payload index year',
        'search: points to documents',
        '',
      ].join('\n'),
    );
    const { config, indexes } = server.state.collections.get('documents') as Json;
    expect(config.params.vectors).toEqual(PARAMETERS.vectors);
    expect(config.params).toMatchObject({ shard_number: 6, replication_factor: 2 });
    expect(config.quantization_config).toEqual(PARAMETERS.quantization_config);
    expect(config.strict_mode_config).toEqual(PARAMETERS.strict_mode_config);
    expect(Object.keys(indexes)).toEqual(['tenant', 'year']);
    expect(indexes.tenant).toMatchObject({ data_type: 'keyword', params: { is_tenant: true } });
    expect([...server.state.aliases]).toEqual([['search', 'documents']]);
  });

  test('is waited for when it is an index, because clients filter by it next', async () => {
    await run(wanted());
    const indexed = server.requests.filter(({ path }) => path.endsWith('/index'));
    expect(indexed.map(({ query }) => query.get('wait'))).toEqual(['true', 'true']);
  });

  test('is nothing the second time', async () => {
    const state = wanted(PARAMETERS, INDEXES, { search: ['documents'] });
    await run(state);
    server.requests.length = 0;
    expect(await run(state)).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(server.changes).toEqual([]);
  });

  test('is created after a failure half-way, and only that', async () => {
    server.failNext('PUT', '/collections/documents/index');
    const first = await run(wanted(PARAMETERS, INDEXES, { search: ['documents'] }));
    expect(first.status).toBe(1);
    expect(first.stderr).toContain('PUT /collections/documents/index?wait=true was answered 500');
    expect(server.state.aliases.size).toBe(0);
    server.requests.length = 0;
    const second = await run(wanted(PARAMETERS, INDEXES, { search: ['documents'] }));
    expect([second.status, second.stderr]).toEqual([0, '']);
    expect(server.changes).toEqual([
      'PUT /collections/documents/index',
      'PUT /collections/documents/index',
      'POST /collections/aliases',
    ]);
  });

  test('may have been created by somebody else in between', async () => {
    server.addCollection('documents', PARAMETERS);
    // The collection seems to be missing, and is there when it shall be created.
    server.failNext('GET', '/collections/documents', 404);
    const { status, stderr } = await run(wanted());
    expect([status, stderr]).toEqual([0, '']);
    expect(server.changes[0]).toBe('PUT /collections/documents');
  });
});

describe('a collection that exists', () => {
  test.each([
    ['size', { ...PARAMETERS.vectors, size: 3 }, 'vectors.size is 3, wanted 4'],
    ['distance', { ...PARAMETERS.vectors, distance: 'Dot' }, 'vectors.distance is "Dot", wanted "Cosine"'],
    ['no unnamed vector', { text: { size: 4, distance: 'Cosine' } }, 'vectors.size is nothing, wanted 4'],
  ])('with vectors of another %s is refused, and nothing is changed', async (_, vectors, message) => {
    server.addCollection('documents', { ...PARAMETERS, vectors, replication_factor: 1 });
    const { status, stderr } = await run(wanted(PARAMETERS, INDEXES, { search: ['documents'] }));
    expect(status).toBe(1);
    expect(stderr).toContain(`documents: ${message}; it stays as it is`);
    expect(stderr).toContain('documents: replication_factor is 1, wanted 2; it stays as it is');
    expect(stderr).toContain('documents cannot hold the vectors of this model; give the model a collection of its own');
    expect(server.changes).toEqual([]);
  });

  test('with vectors of another model is refused, though they are of one size', async () => {
    const of = (model: string) => ({ ...PARAMETERS, metadata: { 'cdk8s-rag/model': model } });
    server.addCollection('documents', { ...of('acme/one'), replication_factor: 1 });
    const { status, stderr } = await run(wanted(of('acme/other')));
    expect(status).toBe(1);
    expect(stderr).toContain(
      'documents: metadata.cdk8s-rag/model is "acme/one", wanted "acme/other"; it stays as it is',
    );
    expect(stderr).toContain('documents cannot hold the vectors of this model; give the model a collection of its own');
    expect(server.changes).toEqual([]);
  });

  test('that says nothing of its model is told, and keeps what else its metadata says', async () => {
    const metadata = { 'cdk8s-rag/model': 'acme/one' };
    server.addCollection('documents', { ...PARAMETERS, metadata: { owner: 'search' } });
    const { status, stderr } = await run(wanted({ ...PARAMETERS, metadata }, {}));
    expect([status, stderr]).toEqual([
      0,
      'documents: metadata.cdk8s-rag/model is nothing, wanted "acme/one"; it is changed\n',
    ]);
    expect(server.state.collections.get('documents')?.config.metadata).toEqual({ owner: 'search', ...metadata });
    server.requests.length = 0;
    expect((await run(wanted({ ...PARAMETERS, metadata }, {}))).status).toBe(0);
    expect(server.changes).toEqual([]);
  });

  test('is changed where that is possible', async () => {
    server.addCollection('documents', { vectors: { size: 4, distance: 'Cosine' }, shard_number: 6 });
    const { status, stdout, stderr } = await run(wanted(PARAMETERS, {}));
    expect(status).toBe(0);
    expect(stdout).toBe('documents: changed vectors, params, quantization_config, strict_mode_config\n');
    expect(stderr).toContain('documents: vectors.on_disk is nothing, wanted true; it is changed');
    expect(stderr).toContain('documents: replication_factor holds for new shards');
    const change = server.requests.find(({ method }) => method === 'PATCH');
    expect(change?.body).toEqual({
      vectors: { '': { on_disk: true } },
      params: { replication_factor: 2 },
      quantization_config: PARAMETERS.quantization_config,
      strict_mode_config: PARAMETERS.strict_mode_config,
    });
  });

  test('loses its quantization only when none is wanted', async () => {
    server.addCollection('documents', PARAMETERS);
    await run(wanted({ vectors: PARAMETERS.vectors }));
    expect(server.changes).not.toContain('PATCH /collections/documents');
    const { status } = await run(wanted({ vectors: PARAMETERS.vectors, quantization_config: null }));
    expect(status).toBe(0);
    expect(server.requests.find(({ method }) => method === 'PATCH')?.body).toEqual({ quantization_config: 'Disabled' });
  });

  test('keeps its shards, and the Job says so', async () => {
    server.addCollection('documents', { ...PARAMETERS, shard_number: 3 });
    const { status, stderr } = await run(wanted());
    expect(status).toBe(0);
    expect(stderr).toBe('documents: shard_number is 3, wanted 6; it stays as it is\n');
    expect(server.changes).not.toContain('PATCH /collections/documents');
  });

  test('keeps payload indexes that are others or that nobody wants', async () => {
    const { indexes } = server.addCollection('documents', PARAMETERS);
    indexes.tenant = { data_type: 'keyword' };
    indexes.old = { data_type: 'float' };
    const { status, stderr } = await run(wanted());
    expect(status).toBe(0);
    expect(stderr).toBe(
      [
        'documents: payload index tenant is {"type":"keyword"}, wanted {"type":"keyword","is_tenant":true}; it stays as it is',
        'documents: payload index old is {"type":"float"}, wanted nothing; it stays as it is',
        '',
      ].join('\n'),
    );
    expect(server.changes).toEqual(['PUT /collections/documents/index']);
  });
});

describe('an alias', () => {
  test('may have been switched to the next collection', async () => {
    server.addCollection('documents', PARAMETERS);
    server.addCollection('documents-2', PARAMETERS);
    server.state.aliases.set('search', 'documents-2');
    const { status } = await run(wanted(PARAMETERS, {}, { search: ['documents', 'documents-2'] }));
    expect(status).toBe(0);
    expect(server.changes).toEqual([]);
  });

  test('that points elsewhere is left, and the Job fails', async () => {
    server.addCollection('elsewhere', PARAMETERS);
    server.state.aliases.set('search', 'elsewhere');
    const { status, stderr } = await run(wanted(PARAMETERS, {}, { search: ['documents'] }));
    expect(status).toBe(1);
    expect(stderr).toContain('search points to elsewhere, wanted documents; ');
    expect([...server.state.aliases]).toEqual([['search', 'elsewhere']]);
  });

  test('with the name of the collection is no collection', async () => {
    server.addCollection('elsewhere', PARAMETERS);
    server.state.aliases.set('documents', 'elsewhere');
    const { status, stderr } = await run(wanted());
    expect(status).toBe(1);
    expect(stderr).toBe('documents is an alias of elsewhere; name the collection differently\n');
    expect(server.changes).toEqual([]);
  });
});

describe('the server', () => {
  test('may start late', async () => {
    const port = await freePort();
    const running = run(wanted(), { QDRANT_URL: `http://127.0.0.1:${port}`, QDRANT_PATIENCE: '20' });
    await new Promise((resume) => setTimeout(resume, 600));
    await restart({ port });
    const { status, stdout, stderr } = await running;
    expect(status).toBe(0);
    expect(stdout).toContain('documents: created');
    expect(stderr).toContain('GET /aliases had no answer: connect ECONNREFUSED');
  });

  test('may be in trouble for a while', async () => {
    server.failRequest(1, 503);
    server.failRequest(3, 500);
    const { status, stderr } = await run(wanted(), { QDRANT_PATIENCE: '20' });
    expect(status).toBe(0);
    expect(stderr).toContain('GET /aliases was answered 503');
    expect(stderr).toContain('trying again');
  });

  test('that has had too many requests is asked again when it says so', async () => {
    server.failNext('GET', '/aliases', 429, 1);
    const start = Date.now();
    const { status, stderr } = await run(wanted(), { QDRANT_PATIENCE: '20' });
    expect(status).toBe(0);
    expect(Date.now() - start).toBeGreaterThanOrEqual(1000);
    expect(stderr).toContain('GET /aliases was answered 429');
  });

  test('that says so for longer than anybody is patient is given up', async () => {
    server.failNext('GET', '/aliases', 429, 3600);
    const { status, stderr } = await run(wanted(), { QDRANT_PATIENCE: '20' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^GET \/aliases was answered 429: [^;]*$/);
  });

  test('that never comes is given up', async () => {
    const port = await freePort();
    const { status, stderr } = await run(wanted(), { QDRANT_URL: `http://127.0.0.1:${port}`, QDRANT_PATIENCE: '0.5' });
    expect(status).toBe(1);
    expect(stderr.trim().split('\n').at(-1)).toMatch(/^GET \/aliases had no answer: connect ECONNREFUSED [^;]*$/);
  });

  test('that refuses the key is not asked again', async () => {
    const { status, stderr } = await run(wanted(), { QDRANT_API_KEY: 'wrong', QDRANT_PATIENCE: '20' });
    expect(status).toBe(1);
    expect(stderr).toBe('GET /aliases was answered 401: Must provide an API key or an Authorization bearer token\n');
    expect(server.requests).toHaveLength(1);
  });

  test('must be named', async () => {
    const { status, stderr } = await run(wanted(), { QDRANT_URL: '' });
    expect(status).toBe(1);
    expect(stderr).toContain('QDRANT_URL is missing');
  });
});

describe('in a cluster', () => {
  let cluster: QdrantCluster;
  beforeEach(async () => {
    cluster = await QdrantCluster.start(3);
  });
  afterEach(() => cluster.stop());

  const create = (env: { [name: string]: string } = {}) =>
    run(wanted(PARAMETERS), { ...cluster.env, QDRANT_NODES: '3', ...env });

  test('a collection is created over every node', async () => {
    expect(await create()).toMatchObject({ status: 0, stderr: '' });
    const holders = Object.values(cluster.state.collection('documents').copies.placement).flat();
    expect([...new Set(holders)].sort()).toEqual([11, 12, 13]);
  });

  test('a collection is not created before every node has joined, because the others would hold nothing of it', async () => {
    expect(await create({ QDRANT_NODES: '4' })).toEqual({
      status: 1,
      stdout: '',
      stderr: 'the cluster has 3 of 4 nodes; a collection is created when all of them have joined\n',
    });
    expect(cluster.state.collections.size).toBe(0);
    expect((await create({ QDRANT_NODES: '3' })).status).toBe(0);
  });

  test('a node that joins meanwhile is waited for', async () => {
    const [node] = cluster.nodes.slice(-1);
    cluster.state.remove(13, true);
    const created = create({ QDRANT_PATIENCE: '10' });
    await new Promise((resume) => setTimeout(resume, 500));
    expect(cluster.state.collections.size).toBe(0);
    cluster.state.join(13, `${node?.uri}/`);
    expect((await created).status).toBe(0);
    expect(Object.values(cluster.state.collection('documents').copies.placement).flat()).toContain(13);
  });

  test('a collection that exists is adjusted while nodes are away', async () => {
    await create();
    cluster.state.remove(13, true);
    const strict_mode_config = { ...PARAMETERS.strict_mode_config, max_query_limit: 7 };
    const { status } = await run(wanted({ ...PARAMETERS, strict_mode_config }), { ...cluster.env, QDRANT_NODES: '3' });
    expect(status).toBe(0);
    expect(cluster.state.collection('documents').config.strict_mode_config.max_query_limit).toBe(7);
  });
});
