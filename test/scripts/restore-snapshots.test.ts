import { runProgram } from '../support/node-programs';
import { jsonLines, QdrantCluster } from '../support/qdrant-cluster';
import type { StoredSnapshot } from '../support/stored-collection';

let cluster: QdrantCluster;

const MARK = 'cdk8s-rag/restore';

function restore(env: { [name: string]: string } = {}) {
  return runProgram('vector-store/restore-snapshots.mjs', { ...cluster.env, SNAPSHOT_STORAGE: 'local', ...env });
}

function snapshot() {
  return runProgram('vector-store/take-snapshots.mjs', { ...cluster.env, SNAPSHOTS_KEEP: '9' });
}

const collection = (name = 'documents') =>
  cluster.state.collections.get(name) as NonNullable<object> & { points: number };
const markOf = (name = 'documents') => cluster.state.collections.get(name)?.config.metadata?.[MARK];

/** What every node was asked to restore, in the order of the nodes. */
function recoveries() {
  return cluster.nodes.map((node) =>
    node.requests
      .filter(({ path }) => /\/snapshots\/(recover|upload)$/.test(path))
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
    expect(jsonLines(stdout).at(-1)).toEqual({ collection: 'documents', pointsBefore: 0, points: 90 });
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
    expect(stderr).toBe(`documents: has no snapshot on ${cluster.nameOf(1)}\n`);
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
    snapshots.set('documents-5-2025-06-01-00-00-00.snapshot', cluster.snapshotOf('documents', 5, { 0: 40 }));
    collection().points = 0;
    const { status } = await restore({ SNAPSHOT_STORAGE: 's3' });
    expect(status).toBe(0);
    expect(collection().points).toBe(90);
    expect(recoveries().map((uploads) => uploads.length)).toEqual([1, 1, 1]);
  });

  test('of more nodes than there are now all come back', async () => {
    const { snapshots } = cluster.fill('documents', 0);
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
      expect(status).toBe(1);
      expect(stderr).toBe(
        'documents: has documents-11-2026-01-01-00-00-03.snapshot of 1000 bytes, but also ' +
          'documents-11-2026-01-01-00-00-00.snapshot of 7000, so points may have been lost before the newest ' +
          'snapshots; say with before to which time it goes back\n',
      );
      expect(recoveries().flat()).toEqual([]);
      expect(markOf()).toBeUndefined();
      expect((await restore({ SNAPSHOT_STORAGE, RESTORE_BEFORE: before })).status).toBe(0);
      expect(collection().points).toBe(90);
    },
  );

  test('the snapshots of a new cluster, which are of nothing, are refused beside those of the old one', async () => {
    const { snapshots } = cluster.fill('documents', 0);
    cluster.state.sharedSnapshots = true;
    snapshots.set('documents-91-2025-12-31-00-00-00.snapshot', cluster.snapshotOf('documents', 91, { 0: 45, 1: 45 }));
    await snapshot();
    const { status, stderr } = await restore({ SNAPSHOT_STORAGE: 's3' });
    expect(status).toBe(1);
    expect(stderr).toContain('but also documents-91-2025-12-31-00-00-00.snapshot of 10000');
    await restore({ SNAPSHOT_STORAGE: 's3', RESTORE_BEFORE: '2025-12-31T12:00:00Z' });
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
  test('is left alone, and that is no failure', async () => {
    cluster.fill('documents', 90);
    await snapshot();
    collection().points = 5;
    const { status, stdout } = await restore();
    expect(status).toBe(0);
    expect(jsonLines(stdout)).toEqual([{ collection: 'documents', points: 5, left: 'has 5 points and is left alone' }]);
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
    expect(markOf()).toEqual({ state: 'running', before: '' });
  });

  test('is finished by the next, though the collection has points by now', async () => {
    const { status, stderr } = await restore();
    expect(status).toBe(0);
    expect(stderr).toBe('documents: an earlier run broke off; restoring again\n');
    expect(collection().points).toBe(90);
    expect(markOf()).toEqual({ state: 'done', before: '' });
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

describe('shards that have not come to rest', () => {
  const transfer = (looks: number) => ({ shard: 0, from: 11, to: 12, looks, breaks: true });

  test('are waited for: a transfer before the next snapshot, the rest at the end', async () => {
    const documents = cluster.fill('documents', 90);
    await snapshot();
    documents.points = 0;
    // Each node is asked once for its number before anything is restored.
    documents.transfers.push(transfer(4));
    documents.settling = 8;
    expect((await restore()).status).toBe(0);
    const asked = cluster.node(0).requests.map(({ method, path }) => `${method} ${path.split('/').pop()}`);
    expect(asked.slice(asked.indexOf('PUT recover'))).toEqual([
      'PUT recover',
      // Two looks until the transfer is over, one after each of the other snapshots, and at the end two.
      ...Array.from({ length: 6 }, () => 'GET cluster'),
      'GET documents',
      'POST count',
      'PATCH documents',
    ]);
  });

  test.each([
    ['inactive', '{"inactive":[{"shard_id":0,'],
    ['on its way', '"transfers":1}'],
  ])('for too long fail the run (%s)', async (what, message) => {
    const documents = cluster.fill('documents', 90);
    await snapshot();
    documents.points = 0;
    if (what === 'inactive') {
      documents.settling = 1000;
    } else {
      documents.transfers.push(transfer(1000));
    }
    const { status, stderr } = await restore({ RESTORE_SETTLE: '0' });
    expect(status).toBe(1);
    expect(stderr).toContain('documents: has shards that have not come to rest: ');
    expect(stderr).toContain(message);
  });
});
