import { jsonLines, QdrantCluster } from '../support/qdrant-cluster';

// A scenario runs several programs, each of them a process.
jest.setTimeout(60_000);

let cluster: QdrantCluster;

const run = (env?: { [name: string]: string }) => cluster.takeSnapshots(env);

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
    ].flatMap(([name, points]) => cluster.nodes.map((_, index) => [name, `node ${index}`, points])),
  );
  expect(lines[3]).toEqual({
    node: 'node 0',
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

  test('deletes nothing that was put there by hand', async () => {
    cluster.state.sharedSnapshots = true;
    const { snapshots } = cluster.fill('documents', 90);
    snapshots.set('before-migration.snapshot', cluster.snapshotOf('documents', 7, {}));
    await run({ SNAPSHOTS_KEEP: '1' });
    await run({ SNAPSHOTS_KEEP: '1' });
    expect(cluster.snapshotsOf('documents')[7]).toEqual(['before-migration.snapshot']);
    expect(cluster.snapshotsOf('documents')[11]).toHaveLength(1);
  });

  test('deletes from a bucket what nodes that are gone have left, once it can be of no use', async () => {
    cluster.state.sharedSnapshots = true;
    const { snapshots } = cluster.fill('documents', 90);
    const old = 'documents-7-2020-01-01-00-00-00.snapshot';
    // Of a node that left after the first run.
    const late = 'documents-8-2026-01-01-00-00-01.snapshot';
    for (const [name, peer] of [
      [old, 7],
      [late, 8],
    ] as const) {
      snapshots.set(name, cluster.snapshotOf('documents', peer, {}));
    }
    await run();
    // There is only one of each node that is there, so an older time may be wanted.
    expect([snapshots.has(old), snapshots.has(late)]).toEqual([true, true]);
    await run();
    expect([snapshots.has(old), snapshots.has(late)]).toEqual([false, true]);
    const { stderr } = await run();
    expect([snapshots.has(late), stderr]).toEqual([false, expect.stringContaining(`deleted ${late} on node 0\n`)]);
  });

  test('leaves what other nodes have left as long as one of those that are there has too few', async () => {
    cluster.state.sharedSnapshots = true;
    const { snapshots } = cluster.fill('documents', 90);
    const old = 'documents-7-2020-01-01-00-00-00.snapshot';
    snapshots.set(old, cluster.snapshotOf('documents', 7, {}));
    for (let time = 0; time < 3; time += 1) {
      cluster.node(1).failNext('POST', '/collections/documents/snapshots');
      await run();
    }
    await run();
    expect(snapshots.has(old)).toBe(true);
    await run();
    expect(snapshots.has(old)).toBe(false);
  });

  test('waits until every node has a new one, and then catches up', async () => {
    cluster.fill('documents', 90);
    cluster.fill('archive', 3);
    await run({ SNAPSHOTS_KEEP: '1' });
    cluster.node(1).failNext('POST', '/collections/documents/snapshots');
    const { status, stderr } = await run({ SNAPSHOTS_KEEP: '1' });
    expect(status).toBe(1);
    expect(stderr).toContain(`snapshot of documents on node 1: POST `);
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

describe('what a collection remembers', () => {
  const countsOf = (name = 'documents') => cluster.state.collection(name).config.metadata['cdk8s-rag/snapshots'];

  test('is how many points it had at each run', async () => {
    const documents = cluster.fill('documents', 90);
    documents.config.metadata = { 'acme.example/owner': 'search' };
    await run();
    documents.points = 95;
    await run();
    expect(documents.config.metadata).toEqual({
      'acme.example/owner': 'search',
      'cdk8s-rag/snapshots': { '2026-01-01T00:00:00.000Z': 90, '2026-01-01T00:00:03.000Z': 95 },
    });
  });

  test('is forgotten with the snapshots', async () => {
    cluster.fill('documents', 90);
    for (let time = 0; time < 5; time += 1) {
      await run();
    }
    // The snapshots of the third run were there when the last one began.
    expect(Object.keys(countsOf()).map((begun) => begun.slice(-7, -5))).toEqual(['06', '09', '12']);
  });

  test('is counted otherwise where strict mode forbids to count exactly', async () => {
    const { config } = cluster.fill('documents', 90);
    config.strict_mode_config = { enabled: true, search_allow_exact: false };
    expect(await run()).toMatchObject({ status: 0, stderr: '' });
    expect(Object.values(countsOf())).toEqual([90]);
  });

  test('needs a count: without one the run fails, and takes snapshots, but deletes none', async () => {
    cluster.fill('documents', 90);
    await run({ SNAPSHOTS_KEEP: '1' });
    cluster.node(0).failNext('POST', '/collections/documents/points/count');
    const { status, stderr } = await run({ SNAPSHOTS_KEEP: '1' });
    expect([status, stderr]).toEqual([1, expect.stringMatching(/^points of documents: POST \S+ was answered 500/)]);
    expect(Object.values(cluster.snapshotsOf('documents')).map(({ length }) => length)).toEqual([2, 2, 2]);
    expect(Object.values(countsOf())).toEqual([90]);
  });
});

describe('after a loss', () => {
  const goodOnes = [11, 12, 13].map((peer, second) => `documents-${peer}-2026-01-01-00-00-0${second}.snapshot`);
  const kept = () => Object.values(cluster.snapshotsOf('documents')).flat();
  const refusal = (points: number, most: number, tolerance = 10) =>
    `documents: has ${points} points, and had ${most} when an older snapshot was taken, which is more than ` +
    `${tolerance} % apart, so points may have been lost, and no snapshot is deleted; if they were deleted on purpose, ` +
    'set mayShrink until the snapshots from before are gone, or raise tolerance\n';

  test.each([false, true])('the good ones stay, however often it runs (one store for all: %s)', async (shared) => {
    cluster.state.sharedSnapshots = shared;
    const documents = cluster.fill('documents', 90);
    await run();
    documents.points = 0;
    for (let time = 0; time < 4; time += 1) {
      const { status, stderr } = await run();
      expect([status, stderr]).toEqual([1, expect.stringContaining(refusal(0, 90))]);
      expect(kept()).toEqual(expect.arrayContaining(goodOnes));
    }
    // On a volume there is room for no more than those that are kept and one; snapshots of the loss make room.
    expect(cluster.snapshotsOf('documents')[11]).toHaveLength(shared ? 5 : 3);
    documents.points = 90;
    expect((await run()).status).toBe(0);
    expect((await run()).status).toBe(0);
    expect(kept()).not.toEqual(expect.arrayContaining(goodOnes));
  });

  test('size proves nothing: the snapshots of what was left can be larger', async () => {
    const documents = cluster.fill('documents', 300);
    const sizes = async () => jsonLines((await run()).stdout).map(({ size }) => size);
    const [before] = await sizes();
    documents.points = 0;
    const [after] = await sizes();
    expect(after).toBeGreaterThan(before);
    expect((await run()).stderr).toContain(refusal(0, 300));
  });

  test.each([
    ['10', 90, 0],
    ['10', 89, 1],
    ['0', 100, 0],
    ['0', 99, 1],
    ['100', 0, 0],
  ])(
    'with a tolerance of %s %% a collection that had 100 points and has %s ends with %s',
    async (percent, points, code) => {
      const documents = cluster.fill('documents', 100);
      await run({ SNAPSHOTS_KEEP: '1' });
      documents.points = points;
      const { status, stderr } = await run({ SNAPSHOTS_KEEP: '1', SNAPSHOTS_TOLERANCE_PERCENT: percent });
      expect(status).toBe(code);
      expect(stderr.includes(refusal(points, 100, Number(percent)))).toBe(code === 1);
      expect(cluster.snapshotsOf('documents')[11]).toHaveLength(code === 1 ? 2 : 1);
    },
  );

  test('of a whole cluster the new one, which remembers nothing, keeps the old snapshots until it has points', async () => {
    cluster.fill('documents', 90);
    await run({ SNAPSHOTS_KEEP: '1' });
    await cluster.stop();
    cluster.state.forgetCluster();
    for (const node of cluster.nodes) {
      await node.startAgain({ lost: 'storage' });
    }
    const documents = cluster.fill('documents', 0);
    for (let time = 0; time < 3; time += 1) {
      const { status, stderr } = await run({ SNAPSHOTS_KEEP: '1' });
      expect([status, stderr]).toEqual([
        1,
        expect.stringContaining(
          'documents: has no points, and there are older snapshots from when it may have had some, so points may have ' +
            'been lost, and no snapshot is deleted; ',
        ),
      ]);
      expect(kept()).toEqual(expect.arrayContaining(goodOnes));
    }
    documents.points = 90;
    expect((await run({ SNAPSHOTS_KEEP: '1' })).status).toBe(0);
    expect(kept()).not.toEqual(expect.arrayContaining(goodOnes));
  });

  test('that is slow the best of all times is compared with', async () => {
    const documents = cluster.fill('documents', 100);
    await run();
    documents.points = 92;
    expect((await run()).status).toBe(0);
    documents.points = 85;
    expect((await run()).stderr).toBe(refusal(85, 100));
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
  expect(stderr).toContain(`collections of node 2: GET `);
  expect(jsonLines(stdout)).toHaveLength(2);
  expect(Object.values(cluster.snapshotsOf('documents')).map(({ length }) => length)).toEqual([2, 2, 1]);
  expect(cluster.nodes.flatMap((node) => node.changes).filter((change) => change.startsWith('DELETE'))).toEqual([]);
});

test('a name that does not tell node and time fails the run, because nothing could be deleted by it', async () => {
  cluster.fill('documents', 90);
  cluster.state.snapshotLabel = 'latest';
  const { status, stderr } = await run();
  expect(status).toBe(1);
  expect(stderr).toContain(`snapshot of documents on node 0: is named documents-11-latest.snapshot, which`);
});

test('names that need escaping are escaped', async () => {
  cluster.fill('a b', 1);
  expect((await run()).status).toBe(0);
  expect(cluster.node(0).changes).toEqual(['PATCH /collections/a%20b', 'POST /collections/a%20b/snapshots']);
});

test.each(['0', '-1', '1.5', 'all', ''])('keeping "%s" is refused before anything is done', async (keep) => {
  cluster.fill('documents', 90);
  const { status, stderr } = await run({ SNAPSHOTS_KEEP: keep });
  expect(status).toBe(1);
  expect(stderr).toContain(`SNAPSHOTS_KEEP is ${keep}, but must be a whole number from 1`);
  expect(cluster.node(0).requests).toEqual([]);
});

test.each(['-1', '101', 'few', 'NaN'])('a tolerance of "%s" is refused before anything is done', async (tolerance) => {
  cluster.fill('documents', 90);
  const { status, stderr } = await run({ SNAPSHOTS_TOLERANCE_PERCENT: tolerance });
  expect(status).toBe(1);
  expect(stderr).toContain(`SNAPSHOTS_TOLERANCE_PERCENT is ${tolerance}, but must be from 0 to 100`);
  expect(cluster.node(0).requests).toEqual([]);
});

test('nodes must be named', async () => {
  const { status, stderr } = await run({ QDRANT_NODE_URLS: '' });
  expect(status).toBe(1);
  expect(stderr).toContain('QDRANT_NODE_URLS is missing');
});
