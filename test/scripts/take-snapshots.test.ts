import { runProgram } from '../support/node-programs';
import { jsonLines, QdrantCluster } from '../support/qdrant-cluster';

let cluster: QdrantCluster;

function run(env: { [name: string]: string } = {}) {
  const SNAPSHOT_STORAGE = cluster.state.sharedSnapshots ? 's3' : 'local';
  return runProgram('vector-store/take-snapshots.mjs', {
    ...cluster.env,
    SNAPSHOTS_KEEP: '2',
    SNAPSHOT_STORAGE,
    ...env,
  });
}

beforeEach(async () => {
  cluster = await QdrantCluster.start(3);
});
afterEach(() => cluster.stop());

test('every node takes a snapshot of every collection, and each is told in one line', async () => {
  cluster.fill('documents', 90);
  cluster.fill('archive', 3);
  const { status, stdout } = await run();
  expect(status).toBe(0);
  const lines = jsonLines(stdout);
  expect(lines.map(({ collection, node, points }) => [collection, node, points])).toEqual(
    [
      ['archive', 3],
      ['documents', 90],
    ].flatMap(([name, points]) => cluster.nodes.map((_, index) => [name, cluster.nameOf(index), points])),
  );
  expect(lines[3]).toEqual({
    node: cluster.nameOf(0),
    collection: 'documents',
    name: expect.stringMatching(/^documents-11-2026-01-01-00-00-\d\d\.snapshot$/),
    size: expect.any(Number),
    seconds: expect.any(Number),
    points: 90,
  });
  expect(Object.keys(cluster.snapshotsOf('documents'))).toEqual(['11', '12', '13']);
});

test('no collection is no failure', async () => {
  expect(await run()).toMatchObject({ status: 0, stdout: '' });
});

describe('retention', () => {
  test.each([false, true])('keeps as many of each node as told (one store for all: %s)', async (shared) => {
    cluster.state.sharedSnapshots = shared;
    cluster.fill('documents', 90);
    for (let time = 0; time < 4; time += 1) {
      expect((await run()).status).toBe(0);
    }
    expect(cluster.snapshotsOf('documents')).toEqual({
      11: ['documents-11-2026-01-01-00-00-06.snapshot', 'documents-11-2026-01-01-00-00-09.snapshot'],
      12: ['documents-12-2026-01-01-00-00-07.snapshot', 'documents-12-2026-01-01-00-00-10.snapshot'],
      13: ['documents-13-2026-01-01-00-00-08.snapshot', 'documents-13-2026-01-01-00-00-11.snapshot'],
    });
  });

  test('deletes nothing else: not what was put there by hand, nor what a node that is gone has left', async () => {
    cluster.state.sharedSnapshots = true;
    const { snapshots } = cluster.fill('documents', 90);
    const others = ['before-migration.snapshot', 'documents-7-2020-01-01-00-00-00.snapshot'];
    for (const name of others) {
      snapshots.set(name, cluster.snapshotOf('documents', 7, {}));
    }
    await run({ SNAPSHOTS_KEEP: '1' });
    await run({ SNAPSHOTS_KEEP: '1' });
    expect(cluster.snapshotsOf('documents')[7]).toEqual(others);
    expect(cluster.snapshotsOf('documents')[11]).toHaveLength(1);
  });

  test('waits until every node has a new one, and then catches up', async () => {
    cluster.fill('documents', 90);
    cluster.fill('archive', 3);
    await run({ SNAPSHOTS_KEEP: '1' });
    cluster.node(1).failNext('POST', '/collections/documents/snapshots');
    const { status, stderr } = await run({ SNAPSHOTS_KEEP: '1' });
    expect(status).toBe(1);
    expect(stderr).toContain(`snapshot of documents on ${cluster.nameOf(1)}: POST `);
    const counts = (name: string) => Object.values(cluster.snapshotsOf(name)).map(({ length }) => length);
    expect(counts('documents')).toEqual([2, 1, 2]);
    expect(counts('archive')).toEqual([1, 1, 1]);
    expect((await run({ SNAPSHOTS_KEEP: '1' })).status).toBe(0);
    expect(counts('documents')).toEqual([1, 1, 1]);
  });

  test('makes room on the volume of a node before it takes one more, where runs have failed', async () => {
    cluster.fill('documents', 90);
    await run();
    for (let time = 0; time < 3; time += 1) {
      cluster.node(1).failNext('POST', '/collections/documents/snapshots');
      expect((await run()).status).toBe(1);
      // Never more than those that are kept and one.
      expect(cluster.snapshotsOf('documents')[11]?.length).toBeLessThanOrEqual(3);
    }
    expect((await run()).status).toBe(0);
    expect(Object.values(cluster.snapshotsOf('documents')).map(({ length }) => length)).toEqual([2, 2, 2]);
  });

  test('leaves what failed runs left in a bucket until one succeeds, for there is room', async () => {
    cluster.state.sharedSnapshots = true;
    cluster.fill('documents', 90);
    for (let time = 0; time < 4; time += 1) {
      cluster.node(1).failNext('POST', '/collections/documents/snapshots');
      await run();
    }
    expect(cluster.snapshotsOf('documents')[11]).toHaveLength(4);
    await run();
    expect(cluster.snapshotsOf('documents')[11]).toHaveLength(2);
  });

  test('counts those of an earlier life of the node on its volume', async () => {
    const { snapshots } = cluster.fill('documents', 90);
    const old = 'documents-7-2020-01-01-00-00-00.snapshot';
    snapshots.set(old, cluster.snapshotOf('documents', 11, {}));
    await run();
    await run();
    expect(snapshots.has(old)).toBe(false);
  });

  test('that finds a snapshot gone already is no failure', async () => {
    cluster.fill('documents', 90);
    await run({ SNAPSHOTS_KEEP: '1' });
    const [old] = cluster.snapshotsOf('documents')[11] as [string];
    cluster.node(0).failNext('DELETE', `/collections/documents/snapshots/${old}`, 404);
    expect((await run({ SNAPSHOTS_KEEP: '1' })).status).toBe(0);
  });

  test('that cannot delete has failed', async () => {
    cluster.fill('documents', 90);
    await run({ SNAPSHOTS_KEEP: '1' });
    const [old] = cluster.snapshotsOf('documents')[11] as [string];
    cluster.node(0).failNext('DELETE', `/collections/documents/snapshots/${old}`, 403);
    const { status, stderr } = await run({ SNAPSHOTS_KEEP: '1' });
    expect(status).toBe(1);
    expect(stderr).toContain('old snapshots of documents on ');
  });
});

describe('after a loss', () => {
  const goodOnes = [11, 12, 13].map((peer, second) => `documents-${peer}-2026-01-01-00-00-0${second}.snapshot`);
  const kept = () => Object.values(cluster.snapshotsOf('documents')).flat();

  test.each([false, true])('the good ones stay, however often it runs (one store for all: %s)', async (shared) => {
    cluster.state.sharedSnapshots = shared;
    const documents = cluster.fill('documents', 90);
    await run();
    documents.points = 0;
    for (let time = 0; time < 4; time += 1) {
      const { status, stderr } = await run();
      expect(status).toBe(1);
      expect(stderr).toContain(
        `old snapshots of documents on ${cluster.nameOf(0)}: documents-11-2026-01-01-00-00-${String(3 * time + 3).padStart(2, '0')}.snapshot ` +
          'has 1000 bytes and documents-11-2026-01-01-00-00-00.snapshot has 7000, so points may have been lost, and ' +
          'nothing is deleted; if they were deleted or moved on purpose, set mayShrink until larger ones are gone',
      );
      expect(kept()).toEqual(expect.arrayContaining(goodOnes));
    }
    expect(cluster.snapshotsOf('documents')[11]).toHaveLength(shared ? 5 : 3);
    documents.points = 90;
    expect((await run()).status).toBe(0);
    expect((await run()).status).toBe(0);
    expect(kept()).not.toEqual(expect.arrayContaining(goodOnes));
  });

  test('of half of the points nothing is told yet, and one node is enough', async () => {
    const documents = cluster.fill('documents', 90);
    await run({ SNAPSHOTS_KEEP: '1' });
    documents.points = 45;
    expect((await run({ SNAPSHOTS_KEEP: '1' })).status).toBe(0);
    documents.copies.place(1, [12]);
    documents.copies.place(2, [12, 13]);
    documents.points = 450;
    expect((await run({ SNAPSHOTS_KEEP: '1' })).status).toBe(0);
    for (const shard of documents.copies.shards.keys()) {
      documents.copies.place(shard, [12, 13]);
    }
    const { status, stderr } = await run({ SNAPSHOTS_KEEP: '1' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^old snapshots of documents on \S+: documents-11-\S+ has 1000 bytes and .*\n$/);
  });

  test('that was none the old ones go when it is told so', async () => {
    const documents = cluster.fill('documents', 90);
    await run();
    documents.points = 0;
    expect((await run({ SNAPSHOTS_MAY_SHRINK: 'true' })).status).toBe(0);
    expect((await run({ SNAPSHOTS_MAY_SHRINK: 'true' })).status).toBe(0);
    expect(kept()).not.toEqual(expect.arrayContaining(goodOnes));
    expect((await run()).status).toBe(0);
  });
});

test('a node that is away fails the run after the others are done, and nothing is deleted', async () => {
  cluster.fill('documents', 90);
  await run({ SNAPSHOTS_KEEP: '1' });
  await cluster.node(2).stop();
  const { status, stdout, stderr } = await run({ SNAPSHOTS_KEEP: '1' });
  expect(status).toBe(1);
  expect(stderr).toContain(`collections of ${cluster.nameOf(2)}: GET `);
  expect(jsonLines(stdout)).toHaveLength(2);
  expect(Object.values(cluster.snapshotsOf('documents')).map(({ length }) => length)).toEqual([2, 2, 1]);
  expect(cluster.nodes.flatMap((node) => node.changes).filter((change) => change.startsWith('DELETE'))).toEqual([]);
});

test('a name that does not tell node and time fails the run, because nothing could be deleted by it', async () => {
  cluster.fill('documents', 90);
  cluster.state.snapshotLabel = 'latest';
  const { status, stderr } = await run();
  expect(status).toBe(1);
  expect(stderr).toContain(
    `snapshot of documents on ${cluster.nameOf(0)}: is named documents-11-latest.snapshot, which`,
  );
});

test('names that need escaping are escaped', async () => {
  cluster.fill('a b', 1);
  expect((await run()).status).toBe(0);
  expect(cluster.node(0).changes).toEqual(['POST /collections/a%20b/snapshots']);
});

test.each(['0', '-1', '1.5', 'all', ''])('keeping "%s" is refused before anything is done', async (keep) => {
  cluster.fill('documents', 90);
  const { status, stderr } = await run({ SNAPSHOTS_KEEP: keep });
  expect(status).toBe(1);
  expect(stderr).toContain(`SNAPSHOTS_KEEP is ${keep}, but must be a whole number from 1`);
  expect(cluster.node(0).requests).toEqual([]);
});

test('nodes must be named', async () => {
  const { status, stderr } = await run({ QDRANT_NODE_URLS: '' });
  expect(status).toBe(1);
  expect(stderr).toContain('QDRANT_NODE_URLS is missing');
});
