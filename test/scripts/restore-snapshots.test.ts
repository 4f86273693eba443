import { ask } from '../support/ask';
import { runProgram } from '../support/node-programs';
import { jsonLines, QdrantCluster } from '../support/qdrant-cluster';
import { QdrantServer } from '../support/qdrant-server';
import type { StoredSnapshot } from '../support/stored-collection';

// A scenario runs several programs, each of them a process.
jest.setTimeout(60_000);

let cluster: QdrantCluster;

const MARK = 'cdk8s-rag/restore';

function restore(env: { [name: string]: string } = {}) {
  return runProgram('vector-store/restore-snapshots.mjs', {
    ...cluster.env,
    SNAPSHOT_STORAGE: 'local',
    SNAPSHOT_DIRECTORY: 'file:///qdrant/snapshots',
    SNAPSHOTS_TOLERANCE_PERCENT: '10',
    ...env,
  });
}

const snapshot = () => cluster.takeSnapshots({ SNAPSHOTS_KEEP: '9' });

const collection = (name = 'documents') =>
  cluster.state.collections.get(name) as NonNullable<object> & { points: number };
const markOf = (name = 'documents') => cluster.state.collections.get(name)?.config.metadata?.[MARK];

/** What every node was asked to restore, in the order of the nodes. */
function recoveries() {
  return cluster.nodes.map((node) =>
    node.requests
      // Without a priority it is the empty file that takes the place of what was uploaded.
      .filter(({ path, query }) => path.endsWith('/snapshots/recover') || query.has('priority'))
      .map(({ path, query, body }) => [
        path.split('/').pop(),
        body.location?.split('/').pop() ?? query.get('priority'),
      ]),
  );
}

beforeEach(async () => {
  cluster = await QdrantCluster.start(3);
});
afterEach(() => cluster.stop());

describe('snapshots on the volumes of the nodes', () => {
  test('are restored in place, each on its node', async () => {
    cluster.fill('documents', 90);
    await snapshot();
    collection().points = 0;
    const { status, stdout } = await restore();
    expect(status).toBe(0);
    expect(collection().points).toBe(90);
    expect(recoveries()).toEqual([
      [['recover', 'documents-11-2026-01-01-00-00-00.snapshot']],
      [['recover', 'documents-12-2026-01-01-00-00-01.snapshot']],
      [['recover', 'documents-13-2026-01-01-00-00-02.snapshot']],
    ]);
    expect(cluster.node(0).requests.find(({ path }) => path.endsWith('/recover'))?.body).toEqual({
      location: 'file:///qdrant/snapshots/documents/documents-11-2026-01-01-00-00-00.snapshot',
      priority: 'snapshot',
    });
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual({
      collection: 'documents',
      pointsBefore: 0,
      points: 90,
    });
    expect(markOf()).toEqual({ state: 'done', before: '' });
  });

  test('are the newest', async () => {
    cluster.fill('documents', 90);
    await snapshot();
    collection().points = 120;
    await snapshot();
    collection().points = 0;
    await restore();
    expect(collection().points).toBe(120);
  });

  test('are the newest from before a time', async () => {
    cluster.fill('documents', 90);
    await snapshot();
    cluster.state.clock = Date.UTC(2026, 0, 2);
    collection().points = 120;
    await snapshot();
    collection().points = 0;
    const { status } = await restore({ RESTORE_BEFORE: '2026-01-01T12:00:00+01:00' });
    expect(status).toBe(0);
    expect(collection().points).toBe(90);
  });

  test('are there still when a node came back under another number', async () => {
    const { snapshots } = cluster.fill('documents', 90);
    await snapshot();
    const [old] = cluster.snapshotsOf('documents')[11] as [string];
    snapshots.set('documents-7-2026-01-01-00-00-00.snapshot', snapshots.get(old) as StoredSnapshot);
    snapshots.delete(old);
    collection().points = 0;
    expect((await restore()).status).toBe(0);
    expect(collection().points).toBe(90);
  });

  test('that one node lacks are refused before anything is changed', async () => {
    const { snapshots } = cluster.fill('documents', 90);
    await snapshot();
    snapshots.delete(cluster.snapshotsOf('documents')[12]?.[0] as string);
    collection().points = 0;
    const { status, stderr } = await restore();
    expect(status).toBe(1);
    expect(stderr).toBe('documents: has no snapshot on node 1\n');
    expect(recoveries().flat()).toEqual([]);
    expect(markOf()).toBeUndefined();
  });
});

describe('snapshots in an object store', () => {
  beforeEach(() => {
    cluster.state.sharedSnapshots = true;
  });

  test('pass through to the node that took them', async () => {
    cluster.fill('documents', 90);
    await snapshot();
    collection().points = 0;
    const { status } = await restore({ SNAPSHOT_STORAGE: 's3' });
    expect(status).toBe(0);
    expect(collection().points).toBe(90);
    expect(recoveries()).toEqual([[['upload', 'snapshot']], [['upload', 'snapshot']], [['upload', 'snapshot']]]);
    // Nothing stays on the volumes: an empty file has taken the place of each.
    expect(cluster.state.uploads.map(({ peer, name, snapshot: kept }) => [peer, name, kept])).toEqual(
      [11, 12, 13].map((peer) => [peer, 'snapshot', undefined]),
    );
    for (const [index, peer] of [11, 12, 13].entries()) {
      const downloads = cluster.node(index).requests.filter(({ path }) => /\/snapshots\/documents-/.test(path));
      expect(downloads.map(({ path }) => path.split('-')[1])).toEqual([String(peer)]);
    }
  });

  test('of a cluster that is lost go to the nodes of the new one', async () => {
    const { snapshots } = cluster.fill('documents', 90);
    await snapshot();
    const lost = [...snapshots];
    snapshots.clear();
    for (const [name, content] of lost) {
      snapshots.set(name.replace(/-1(\d)-/, '-9$1-'), content);
    }
    // Of a node that left long ago: what newer ones hold is restored after it.
    snapshots.set('documents-5-2025-06-01-00-00-00.snapshot', cluster.snapshotOf('documents', 5, { 0: 40 }));
    collection().points = 0;
    const { status } = await restore({ SNAPSHOT_STORAGE: 's3' });
    expect(status).toBe(0);
    expect(collection().points).toBe(90);
    expect(
      recoveries()
        .map((uploads) => uploads.length)
        .sort(),
    ).toEqual([1, 1, 2]);
  });

  test('of nodes that died a day before the last run are restored too', async () => {
    const { snapshots } = cluster.fill('documents', 0);
    for (const [peer, time, shard] of [
      [91, '2026-01-01-02-30-05', 0],
      [92, '2026-01-01-02-33-10', 1],
      [93, '2026-01-02-02-37-20', 2],
    ]) {
      snapshots.set(
        `documents-${peer}-${time}.snapshot`,
        cluster.snapshotOf('documents', Number(peer), { [Number(shard)]: 30 }),
      );
    }
    expect((await restore({ SNAPSHOT_STORAGE: 's3' })).status).toBe(0);
    expect(collection().points).toBe(90);
  });

  test('of an earlier collection of that name are passed over, and alone they are a failure', async () => {
    cluster.fill('documents', 90);
    await snapshot();
    const { snapshots } = cluster.state.collection('documents');
    const earlier = cluster.snapshotOf('documents', 5, { 0: 40 });
    earlier.params.vectors.size = 8;
    collection().points = 0;
    const whole = [...snapshots];
    snapshots.clear();
    snapshots.set('documents-5-2025-06-01-00-00-00.snapshot', earlier);
    expect(await restore({ SNAPSHOT_STORAGE: 's3' })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('documents: has no snapshot that fits it, and stays as it was\n'),
    });
    expect(markOf()).toBeFalsy();
    expect(cluster.state.collection('documents').config.params.replication_factor).toBe(2);
    cluster.state.collection('documents').config.metadata = {};
    for (const [name, content] of whole) {
      snapshots.set(name.replace(/-1(\d)-/, '-9$1-'), content);
    }
    const { status, stderr } = await restore({ SNAPSHOT_STORAGE: 's3' });
    expect(status).toBe(0);
    expect(stderr).toContain('documents-5-2025-06-01-00-00-00.snapshot is passed over: ');
    expect(collection().points).toBe(90);
  });

  test('in which no snapshot holds a shard fail, and name it', async () => {
    const { snapshots } = cluster.fill('documents', 0);
    snapshots.set('documents-91-2026-01-01-00-00-00.snapshot', cluster.snapshotOf('documents', 91, { 0: 100, 1: 100 }));
    const { status, stderr } = await restore({ SNAPSHOT_STORAGE: 's3' });
    expect([status, stderr]).toEqual([
      1,
      'documents: came back with 200 points, but shard 2 has none, so no snapshot held it; say with before and overwrite to ' +
        'a time for which every node has one\n',
    ]);
    expect(markOf()).toMatchObject({ state: 'running' });
  });

  test('of more nodes than there are now all come back', async () => {
    const body = { vectors: { size: 4, distance: 'Cosine' }, shard_number: 5 };
    const { snapshots } = cluster.state.create('documents', body);
    for (const shard of [0, 1, 2, 3, 4]) {
      const name = `documents-9${shard}-2026-01-01-00-00-0${shard}.snapshot`;
      snapshots.set(name, cluster.snapshotOf('documents', 90 + shard, { [shard]: 10 }));
    }
    expect((await restore({ SNAPSHOT_STORAGE: 's3' })).status).toBe(0);
    expect(collection().points).toBe(50);
    expect(recoveries().map((uploads) => uploads.length)).toEqual([2, 2, 1]);
  });

  test('of a node that was replaced go to the new one, and the newer of two wins', async () => {
    const { snapshots } = cluster.fill('documents', 0);
    snapshots.set('documents-11-2026-01-01-00-00-05.snapshot', cluster.snapshotOf('documents', 11, { 0: 10 }));
    snapshots.set('documents-12-2026-01-01-00-00-06.snapshot', cluster.snapshotOf('documents', 12, { 1: 10 }));
    snapshots.set('documents-77-2026-01-01-00-00-04.snapshot', cluster.snapshotOf('documents', 77, { 0: 99, 2: 10 }));
    expect((await restore({ SNAPSHOT_STORAGE: 's3' })).status).toBe(0);
    expect(collection().points).toBe(30);
    expect(recoveries().map((uploads) => uploads.length)).toEqual([1, 1, 1]);
  });

  test('that cannot be uploaded fail the run', async () => {
    cluster.fill('documents', 90);
    await snapshot();
    collection().points = 0;
    cluster.node(1).failNext('POST', '/collections/documents/snapshots/upload', 403);
    const { status, stderr } = await restore({ SNAPSHOT_STORAGE: 's3' });
    expect(status).toBe(1);
    expect(stderr).toContain('documents: POST /collections/documents/snapshots/upload?priority=snapshot&wait=true was');
  });
});

describe('after a loss', () => {
  const before = '2026-01-01T00:00:02Z';
  const refusal = (points: number, most: number, name: string) =>
    `documents: had ${points} points when ${name} was taken, and at most ${most} at other times that are remembered, ` +
    'so points may have been lost before the newest snapshots; say with before to which time it goes back\n';

  test.each([false, true])(
    'the newest snapshots are of what was left, and are refused (one store for all: %s)',
    async (shared) => {
      const SNAPSHOT_STORAGE = shared ? 's3' : 'local';
      cluster.state.sharedSnapshots = shared;
      cluster.fill('documents', 90);
      await snapshot();
      collection().points = 0;
      await snapshot();
      const { status, stderr } = await restore({ SNAPSHOT_STORAGE });
      expect([status, stderr]).toEqual([1, refusal(0, 90, 'documents-11-2026-01-01-00-00-03.snapshot')]);
      expect(recoveries().flat()).toEqual([]);
      expect(markOf()).toBeUndefined();
      expect((await restore({ SNAPSHOT_STORAGE, RESTORE_BEFORE: before })).status).toBe(0);
      expect(collection().points).toBe(90);
    },
  );

  test.each([
    ['10', 90, 0],
    ['10', 89, 1],
    ['50', 50, 0],
    ['0', 99, 1],
  ])(
    'with a tolerance of %s %% snapshots of %s points, where there were 100, end with %s',
    async (percent, points, code) => {
      cluster.fill('documents', 100);
      await snapshot();
      collection().points = points;
      await snapshot();
      collection().points = 0;
      expect((await restore({ SNAPSHOTS_TOLERANCE_PERCENT: percent })).status).toBe(code);
      expect(collection().points).toBe(code === 0 ? points : 0);
    },
  );

  test('snapshots of a collection that never had points restore nothing, and are refused', async () => {
    cluster.fill('documents', 0);
    await snapshot();
    const { status, stderr } = await restore();
    expect([status, stderr]).toEqual([1, refusal(0, 0, 'documents-11-2026-01-01-00-00-00.snapshot')]);
  });

  test('a collection in a new cluster remembers nothing, so its snapshots are not judged', async () => {
    cluster.fill('documents', 90);
    await snapshot();
    delete cluster.state.collection('documents').config.metadata['cdk8s-rag/snapshots'];
    collection().points = 0;
    expect((await restore()).status).toBe(0);
    expect(collection().points).toBe(90);
  });

  test('the newest ones are restored when they are said to be meant', async () => {
    cluster.fill('documents', 90);
    await snapshot();
    collection().points = 9;
    await snapshot();
    collection().points = 0;
    expect((await restore({ RESTORE_BEFORE: '2026-01-02T00:00:00Z' })).status).toBe(0);
    expect(collection().points).toBe(9);
  });
});

describe('a collection that has points', () => {
  test('as many as it had is left alone, and that is no failure', async () => {
    cluster.fill('documents', 90);
    await snapshot();
    collection().points = 85;
    const { status, stdout } = await restore();
    expect(status).toBe(0);
    expect(jsonLines(stdout)).toEqual([
      { collection: 'documents', points: 85, left: 'has 85 points and is left alone' },
    ]);
    expect(recoveries().flat()).toEqual([]);
  });

  test.each([
    ['fewer than it had', true],
    ['and does not remember how many it had', false],
  ])('%s is left alone, and that is a failure: they may have been written since', async (_, remembers) => {
    cluster.fill('documents', 90);
    await snapshot();
    collection().points = 5;
    if (!remembers) {
      delete cluster.state.collection('documents').config.metadata['cdk8s-rag/snapshots'];
    }
    const { status, stderr } = await restore();
    expect([status, stderr]).toEqual([
      1,
      'documents: has 5 points, which may have been written since it was lost; stop what writes to it, and say with before ' +
        'and overwrite to which time it goes back\n',
    ]);
    expect(recoveries().flat()).toEqual([]);
    expect(collection().points).toBe(5);
  });

  test('is left alone after it was restored', async () => {
    cluster.fill('documents', 90);
    await snapshot();
    collection().points = 0;
    await restore();
    await restore();
    expect(recoveries().map((requests) => requests.length)).toEqual([1, 1, 1]);
  });

  test('is overwritten when told so, once for each time to go back to', async () => {
    const overwrite = { RESTORE_OVERWRITE: 'true', RESTORE_BEFORE: '2026-01-01T12:00:00Z' };
    cluster.fill('documents', 90);
    await snapshot();
    collection().points = 5;
    expect((await restore(overwrite)).status).toBe(0);
    expect(collection().points).toBe(90);
    collection().points = 95;
    const { status, stdout } = await restore(overwrite);
    expect(status).toBe(0);
    expect(jsonLines(stdout)).toEqual([
      { collection: 'documents', points: 95, left: 'was restored to 2026-01-01T12:00:00Z already' },
    ]);
    expect(collection().points).toBe(95);
    await restore({ ...overwrite, RESTORE_BEFORE: '2026-01-01T13:00:00Z' });
    expect(collection().points).toBe(90);
  });
});

describe('a run that broke off', () => {
  beforeEach(async () => {
    cluster.fill('documents', 90);
    await snapshot();
    collection().points = 0;
    cluster.node(1).failNext('PUT', '/collections/documents/snapshots/recover', 400);
    expect((await restore()).status).toBe(1);
    expect(collection().points).toBe(60);
    expect(markOf()).toEqual({
      state: 'running',
      before: '',
      copies: 2,
      plan: [
        [0, 'documents-11-2026-01-01-00-00-00.snapshot'],
        [1, 'documents-12-2026-01-01-00-00-01.snapshot'],
        [2, 'documents-13-2026-01-01-00-00-02.snapshot'],
      ],
    });
  });

  test('is finished by the next, though the collection has points by now', async () => {
    const { status, stderr } = await restore();
    expect(status).toBe(0);
    expect(stderr).toBe('documents: an earlier run broke off; restoring again\n');
    expect(collection().points).toBe(90);
    expect(markOf()).toEqual({ state: 'done', before: '' });
  });

  test('goes on with the snapshots that it began with, and none is taken until then', async () => {
    const { status, stderr } = await snapshot();
    expect([status, stderr]).toEqual([
      1,
      'documents: is being restored, or a restoration broke off; no snapshot is taken until it is done\n',
    ]);
    const snapshots = cluster.state.collection('documents').snapshots;
    expect(snapshots.size).toBe(3);
    // As if one had been taken by hand.
    snapshots.set('documents-11-2026-01-03-00-00-00.snapshot', cluster.snapshotOf('documents', 11, { 0: 1 }));
    expect((await restore()).status).toBe(0);
    expect(collection().points).toBe(90);
  });

  test('is not mixed with another time', async () => {
    const { status, stderr } = await restore({ RESTORE_BEFORE: '2026-01-01T12:00:00Z' });
    expect(status).toBe(1);
    expect(stderr).toContain('was left unfinished by a restoration to the latest; finish that one first');
  });
});

describe('collections', () => {
  test('without snapshots are passed over, unless they are named', async () => {
    cluster.fill('empty', 0);
    const { status, stdout } = await restore();
    expect([status, jsonLines(stdout)]).toEqual([0, [{ collection: 'empty', points: 0, left: 'has no snapshot' }]]);
    expect(await restore({ QDRANT_COLLECTIONS: 'empty', RESTORE_BEFORE: '2026-01-01T00:00:00Z' })).toMatchObject({
      status: 1,
      stderr: 'empty: has no snapshot from before 2026-01-01T00:00:00Z\n',
    });
  });

  test('that are not named stay as they are, and one that fails does not hold up the next', async () => {
    for (const name of ['a', 'b', 'c']) {
      cluster.fill(name, 9);
    }
    await snapshot();
    for (const name of ['a', 'b', 'c']) {
      collection(name).points = 0;
    }
    const { status, stderr } = await restore({ QDRANT_COLLECTIONS: 'missing,b' });
    expect(status).toBe(1);
    expect(stderr).toBe(
      'missing: does not exist, and Qdrant lists the snapshots of a collection only while it does; create it\n',
    );
    expect(['a', 'b', 'c'].map((name) => collection(name).points)).toEqual([0, 9, 0]);
  });
});

describe('copies', () => {
  /** What the nodes were told to do with shards, in words. */
  const orders = () =>
    cluster.nodes.flatMap(({ requests }) =>
      requests
        .filter(({ method, path }) => method === 'POST' && path.endsWith('/cluster'))
        .map(({ body }) => Object.keys(body)[0]),
    );
  /** Bodies of the changes of the collection. */
  const changes = () =>
    cluster
      .node(0)
      .requests.filter(({ method }) => method === 'PATCH')
      .map(({ body }) => body);
  const copies = () => cluster.state.collection('documents').copies;
  const countsOf = () =>
    Promise.all(
      cluster.urls.map(async (url) => (await ask(url, 'POST', '/collections/documents/points/count', {})).result.count),
    );

  test('are one of each shard while snapshots are restored, and then as many as before', async () => {
    cluster.fill('documents', 90);
    await snapshot();
    collection().points = 0;
    const before = changes().length;
    const { status, stderr } = await restore();
    expect([status, stderr]).toEqual([0, '']);
    expect(changes().slice(before)).toEqual([
      {
        metadata: {
          [MARK]: {
            state: 'running',
            before: '',
            copies: 2,
            plan: [expect.anything(), expect.anything(), expect.anything()],
          },
        },
        params: { replication_factor: 1 },
      },
      { params: { replication_factor: 2 } },
      { metadata: { [MARK]: { state: 'done', before: '' } } },
    ]);
    expect(cluster.state.collection('documents').config.params.replication_factor).toBe(2);
    expect(orders().filter((order) => order === 'replicate_shard')).toHaveLength(3);
  });

  test('are level at the end, and every node counts the same', async () => {
    cluster.fill('documents', 90);
    await snapshot();
    collection().points = 0;
    await restore();
    expect(
      copies()
        .list()
        .map(({ copy }) => [copy.state, copy.points]),
    ).toEqual(Array.from({ length: 6 }, () => ['Active', 30]));
    expect(loadOf()).toEqual([2, 2, 2]);
    expect(await countsOf()).toEqual([90, 90, 90]);
  });

  test('of shards that are on other nodes than in the snapshots come out level too', async () => {
    cluster.fill('documents', 90);
    await snapshot();
    // As in a new cluster, which spreads its shards anew.
    for (const [shard, holders] of [
      [0, [12, 13]],
      [1, [11, 13]],
      [2, [11, 12]],
    ] as const) {
      copies().place(shard, holders);
    }
    collection().points = 0;
    for (const proposalLooks of [0, 1, 3]) {
      cluster.state.proposalLooks = proposalLooks;
      collection().points = 0;
      expect(await restore()).toMatchObject({ status: 0, stderr: '' });
      expect(loadOf()).toEqual([2, 2, 2]);
      expect(
        copies()
          .list()
          .some(({ copy }) => copy.phantom),
      ).toBe(false);
      expect(await countsOf()).toEqual([90, 90, 90]);
    }
  });

  test('are never restored from while one is on its way', async () => {
    cluster.fill('documents', 90);
    await snapshot();
    collection().points = 0;
    // One that was to be made before the restoration began.
    copies().transfers.push({ shard: 0, from: 11, to: 13, sync: true, looks: 12, breaks: false });
    copies().setState(0, 13, 'Recovery');
    expect(await restore()).toMatchObject({ status: 0, stderr: '' });
    expect(loadOf()).toEqual([2, 2, 2]);
    expect(await countsOf()).toEqual([90, 90, 90]);
  });

  test('that do not become active have their snapshot restored again', async () => {
    cluster.fill('documents', 90);
    await snapshot();
    collection().points = 0;
    let stuck = 1;
    const recovering = watchRecoveries(1, () => {
      if (stuck > 0) {
        stuck -= 1;
        stick(1, 12);
      }
    });
    const { status, stderr } = await restore();
    clearInterval(recovering);
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /^documents: documents-12-\S+ leaves copies of shards that do not become active: \[\{"shard":1,"peer":12,"state":"ManualRecovery"\}\]; restoring it again\n$/,
    );
    expect(recoveries().map(({ length }) => length)).toEqual([1, 2, 1]);
    expect(await countsOf()).toEqual([90, 90, 90]);
  });

  test('that never become active fail the run after three attempts', async () => {
    cluster.fill('documents', 90);
    await snapshot();
    collection().points = 0;
    const recovering = watchRecoveries(1, () => stick(1, 12));
    const { status, stderr } = await restore();
    clearInterval(recovering);
    expect(status).toBe(1);
    expect(stderr.split('\n').at(-2)).toMatch(
      /^documents: documents-12-\S+ on node 1 leaves copies of shards that do not become active: /,
    );
    expect(recoveries().map(({ length }) => length)).toEqual([1, 3, 0]);
    expect(markOf()).toEqual({
      state: 'running',
      before: '',
      copies: 2,
      plan: [
        [0, 'documents-11-2026-01-01-00-00-00.snapshot'],
        [1, 'documents-12-2026-01-01-00-00-01.snapshot'],
        [2, 'documents-13-2026-01-01-00-00-02.snapshot'],
      ],
    });
  });

  test('that are not at rest in time fail the run before anything is restored', async () => {
    const documents = cluster.fill('documents', 90);
    await snapshot();
    documents.points = 0;
    documents.settling = 1_000_000;
    const { status, stderr } = await restore({ SHARD_PATIENCE: '0.1' });
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining('documents: has shards that have not come to rest: '),
    ]);
    expect(recoveries().flat()).toEqual([]);
    expect(markOf()).toBeUndefined();
  });

  test('are as many as there can be, where the collection wants more than there are nodes', async () => {
    cluster.fill('documents', 90).config.params.replication_factor = 5;
    await snapshot();
    collection().points = 0;
    expect((await restore()).status).toBe(0);
    expect(loadOf()).toEqual([3, 3, 3]);
    expect(cluster.state.collection('documents').config.params.replication_factor).toBe(5);
  });

  test('that a run which broke off took away come back with the next, which finds their number', async () => {
    cluster.fill('documents', 90);
    await snapshot();
    collection().points = 0;
    cluster.node(2).failNext('PUT', '/collections/documents/snapshots/recover', 400);
    expect((await restore()).status).toBe(1);
    expect(cluster.state.collection('documents').config.params.replication_factor).toBe(1);
    expect((await restore()).status).toBe(0);
    expect(cluster.state.collection('documents').config.params.replication_factor).toBe(2);
    expect(loadOf()).toEqual([2, 2, 2]);
  });

  /** Copies on each node. */
  function loadOf(): number[] {
    return cluster.nodes.map(
      ({ peer }) =>
        copies()
          .list()
          .filter((copy) => copy.peer === peer).length,
    );
  }

  /** Leaves a copy as one is left that a recovery and a transfer have met in. */
  function stick(shard: number, peer: number): void {
    const copy = copies().at(shard, peer);
    if (copy !== undefined) {
      copy.state = 'ManualRecovery';
    }
  }

  /** Does something after each recovery on a node. */
  function watchRecoveries(node: number, act: () => void): NodeJS.Timeout {
    let seen = 0;
    return setInterval(() => {
      const now = recoveries()[node]?.length ?? 0;
      if (now > seen) {
        seen = now;
        act();
      }
    }, 2);
  }
});

test('a collection that has no copy of a shard is restored only when that is said', async () => {
  const { copies } = cluster.fill('documents', 90);
  await snapshot();
  copies.of(1).clear();
  expect(await restore()).toMatchObject({
    status: 1,
    stderr:
      'documents: has no copy of 1 of its shards, and what is left is older or newer than any snapshot; say with before and ' +
      'overwrite to which time all of it goes back\n',
  });
  expect(recoveries().flat()).toEqual([]);
  const env = { RESTORE_OVERWRITE: 'true', RESTORE_BEFORE: '2026-01-02T00:00:00Z' };
  expect(await restore(env)).toMatchObject({ status: 0, stderr: '' });
  expect(collection().points).toBe(90);
  expect(Object.values(copies.placement).map(({ length }) => length)).toEqual([2, 2, 2]);
});

test('points are counted otherwise where strict mode forbids to count exactly', async () => {
  const { config } = cluster.fill('documents', 90);
  config.strict_mode_config = { enabled: true, search_allow_exact: false };
  await snapshot();
  collection().points = 0;
  expect(await restore()).toMatchObject({ status: 0, stderr: '' });
  expect(collection().points).toBe(90);
});

test('a single node, which is in no cluster, restores its snapshot in place', async () => {
  const single = await QdrantServer.start({ apiKey: 'secret' });
  const documents = single.addCollection('documents', { vectors: {} }, 9);
  const env = { QDRANT_URL: single.url, QDRANT_NODE_URLS: single.url };
  await cluster.takeSnapshots(env);
  documents.points = 0;
  const { status, stderr } = await restore(env);
  await single.stop();
  expect([status, stderr, documents.points]).toEqual([0, '', 9]);
  expect(single.requests.map(({ path }) => path)).not.toContain('/cluster');
});
