import type { Json } from '../../constructs/rules/output';
import { type Answer, ask } from './ask';
import { QdrantCluster } from './qdrant-cluster';

/** Collections, aliases and points of the stand-in, as release 1.19 was seen to treat them. */
let cluster: QdrantCluster;
beforeEach(async () => {
  cluster = await QdrantCluster.start(3);
});
afterEach(() => cluster.stop());

const at = (node: number, method: string, path: string, body?: Json): Promise<Answer> =>
  ask(cluster.urls[node] as string, method, path, body);
const count = (node = 0, exact?: boolean) => at(node, 'POST', '/collections/documents/points/count', { exact });
const write = (points: number, node = 0) =>
  at(node, 'PUT', '/collections/documents/points', { points: Array.from({ length: points }, (_, id) => ({ id })) });
const statesOf = (shard: number) =>
  Object.fromEntries(
    [...cluster.state.collection('documents').copies.of(shard)].map(([peer, { state }]) => [peer, state]),
  );
const strict = (strict_mode_config: Json) =>
  at(0, 'PATCH', '/collections/documents', { strict_mode_config: { enabled: true, ...strict_mode_config } });

describe('strict mode', () => {
  test.each([30, 59])('with a max_timeout of %d fails every write that goes to another node', async (limit) => {
    cluster.fill('documents', 0);
    await strict({ max_timeout: limit });
    const { status, result } = await write(60);
    expect(status).toBe(400);
    expect(result).toContain(`Bad request: Limit exceeded 60 > ${limit} for "timeout"`);
    // The node wrote what it holds itself, and the other copies of that are dead; shard 1 is on 12 and 13 alone.
    expect([statesOf(0), statesOf(1), statesOf(2)]).toEqual([
      { 11: 'Active', 12: 'Dead' },
      { 12: 'Active', 13: 'Active' },
      { 13: 'Active', 11: 'Active' },
    ]);
    expect(cluster.state.collection('documents').copies.at(0, 11)?.points).toBeGreaterThan(0);
    expect(cluster.state.collection('documents').copies.at(1, 12)?.points).toBe(0);
  });

  test.each([[{ max_timeout: 60 }], [{}], [{ enabled: false, max_timeout: 30 }]])(
    '%j lets writes through',
    async (config) => {
      cluster.fill('documents', 0);
      await strict(config);
      expect((await write(60)).status).toBe(200);
      expect((await count()).result).toEqual({ count: 60 });
      expect(statesOf(0)).toEqual({ 11: 'Active', 12: 'Active' });
    },
  );

  test('can refuse to count exactly, which is how Qdrant counts unless it is told', async () => {
    cluster.fill('documents', 90);
    await strict({ search_allow_exact: false });
    expect(await count(0, true)).toMatchObject({
      status: 400,
      result: expect.stringContaining('Exact search disabled!'),
    });
    expect((await count(0)).status).toBe(400);
    expect(await count(0, false)).toMatchObject({ status: 200, result: { count: 90 } });
  });

  test('limits reads and writes in a minute, each for itself', async () => {
    cluster.fill('documents', 90);
    await strict({ read_rate_limit: 2, write_rate_limit: 1 });
    expect([(await count()).status, (await count()).status]).toEqual([200, 200]);
    const refused = await count();
    expect(refused).toMatchObject({ status: 429, result: expect.stringContaining('Read rate limit exceeded') });
    expect(Number(refused.retryAfter)).toBeGreaterThan(20);
    expect([(await write(1)).status, (await write(1)).status]).toEqual([200, 429]);
    expect((await count(1)).status).toBe(200);
  });
});

describe('a count', () => {
  test('needs an active copy of every shard, and so does what is told of a collection', async () => {
    const { copies } = cluster.fill('documents', 90);
    for (const copy of copies.of(1).values()) {
      copy.state = 'Dead';
    }
    const refusal = 'The replica set for shard 1 on peer 11 does not have enough active replicas';
    expect(await count()).toMatchObject({ status: 500, result: `Service internal error: ${refusal}` });
    expect((await at(0, 'GET', '/collections/documents')).status).toBe(500);
  });

  test('is that of the own copy, and of another where that is not active', async () => {
    const { copies } = cluster.fill('documents', 90);
    Object.assign(copies.at(0, 11) as object, { state: 'Recovery', points: 1 });
    expect((await count(0)).result).toEqual({ count: 90 });
    Object.assign(copies.at(0, 11) as object, { state: 'Active' });
    expect((await count(0)).result).toEqual({ count: 61 });
  });

  test('needs a node that answers', async () => {
    cluster.fill('documents', 90);
    await cluster.node(2).stop();
    expect((await count(0)).result).toEqual({ count: 90 });
    await cluster.node(1).stop();
    expect((await count(0)).status).toBe(500);
  });
});

describe('writes', () => {
  test('go to every copy of the shard that an id belongs to, whichever node is asked', async () => {
    const { copies } = cluster.fill('documents', 0);
    expect((await write(90, 2)).status).toBe(200);
    expect(
      copies
        .list()
        .map(({ copy }) => copy.points)
        .reduce((sum, points) => sum + points),
    ).toBe(180);
    for (const shard of [0, 1, 2]) {
      const [first, second] = [...copies.of(shard).values()];
      expect(first?.points).toBe(second?.points);
      expect(first?.points).toBeGreaterThan(0);
    }
  });

  test('leave the copies of a node that is away dead, which gets them back later', async () => {
    cluster.fill('documents', 0);
    await cluster.node(2).stop();
    expect((await write(30)).status).toBe(200);
    expect(statesOf(1)).toEqual({ 12: 'Active', 13: 'Dead' });
    expect((await count(0)).result).toEqual({ count: 30 });
    await cluster.node(2).startAgain();
    for (let look = 0; look < 20; look += 1) {
      await at(0, 'GET', '/collections/documents/cluster');
    }
    expect(statesOf(1)).toEqual({ 12: 'Active', 13: 'Active' });
    expect((await count(2)).result).toEqual({ count: 30 });
  });

  test('fail where more copies are wanted than take them, and where none does', async () => {
    const { copies } = cluster.fill('documents', 0);
    await at(0, 'PATCH', '/collections/documents', { params: { write_consistency_factor: 2 } });
    await cluster.node(2).stop();
    expect((await write(30)).status).toBe(500);
    expect(statesOf(1)).toEqual({ 12: 'Active', 13: 'Active' });
    await cluster.node(2).startAgain();
    for (const copy of copies.of(1).values()) {
      copy.state = 'ManualRecovery';
    }
    expect(await write(30)).toMatchObject({ status: 500, result: expect.stringContaining('has no active replica') });
  });

  test('delete by ids or by a filter', async () => {
    cluster.fill('documents', 0);
    await write(30);
    await at(0, 'POST', '/collections/documents/points/delete', { points: [1, 2] });
    expect((await count()).result).toEqual({ count: 28 });
    await at(0, 'POST', '/collections/documents/points/delete', { filter: {} });
    expect((await count()).result).toEqual({ count: 0 });
  });
});

describe('alias actions', () => {
  const change = (...actions: Json[]) => at(0, 'POST', '/collections/aliases', { actions });
  const create = (collection_name: string) => ({ create_alias: { alias_name: 'search', collection_name } });
  const remove = { delete_alias: { alias_name: 'search' } };

  test('are done one after the other, and those before one that fails stay done', async () => {
    cluster.fill('documents', 0);
    await change(create('documents'));
    expect((await change(remove, create('missing'))).status).toBe(404);
    expect((await at(0, 'GET', '/aliases')).result).toEqual({ aliases: [] });
  });

  test('move an alias by creating it again', async () => {
    cluster.fill('documents', 0);
    cluster.fill('documents-2', 0);
    await change(create('documents'));
    expect((await change(create('documents-2'))).status).toBe(200);
    expect([...cluster.state.aliases]).toEqual([['search', 'documents-2']]);
  });

  test('do not take the name of a collection', async () => {
    cluster.fill('search', 0);
    cluster.fill('documents', 0);
    expect((await change(create('documents'))).status).toBe(409);
  });
});

describe('a change that the members must agree on', () => {
  test('can be answered with a time-out, and is made all the same', async () => {
    cluster.state.timeouts = 1;
    const body = { vectors: { size: 4, distance: 'Cosine' } };
    expect((await at(0, 'PUT', '/collections/late', body)).status).toBe(408);
    expect((await at(0, 'GET', '/collections/late')).status).toBe(200);
  });

  test('needs more than half of them', async () => {
    cluster.fill('documents', 0);
    await cluster.node(1).stop();
    expect((await at(0, 'PATCH', '/collections/documents', { metadata: { a: 1 } })).status).toBe(200);
    await cluster.node(2).stop();
    expect(await at(0, 'PATCH', '/collections/documents', { metadata: { a: 2 } })).toMatchObject({
      status: 500,
      result: expect.stringContaining('Waiting for consensus operation commit failed'),
    });
    expect(cluster.state.collection('documents').config.metadata).toEqual({ a: 1 });
  });
});

test('a collection is spread evenly over the nodes, and changed in place', async () => {
  const body = { vectors: { size: 4, distance: 'Cosine' }, shard_number: 6, replication_factor: 2 };
  await at(1, 'PUT', '/collections/documents', body);
  const load = cluster.state
    .collection('documents')
    .copies.list()
    .map(({ peer }) => peer);
  expect([11, 12, 13].map((peer) => load.filter((other) => other === peer).length)).toEqual([4, 4, 4]);
  await at(1, 'PATCH', '/collections/documents', {
    params: { replication_factor: 3 },
    metadata: { a: 1 },
    strict_mode_config: { enabled: true },
  });
  const { config } = (await at(2, 'GET', '/collections/documents')).result;
  expect([config.params.replication_factor, config.metadata, config.strict_mode_config]).toEqual([
    3,
    { a: 1 },
    { enabled: true },
  ]);
  // No copies come of it.
  expect(cluster.state.collection('documents').copies.list()).toHaveLength(12);
});
