import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../support/ask';
import { runProgram } from '../support/node-programs';
import { jsonLines } from '../support/qdrant-cluster';
import { onEachQdrant } from './on-each-qdrant';
import { addPoints, countAt, placementAt, settled } from './qdrant-under-test';

const COLLECTION = { vectors: { size: 4, distance: 'Cosine' }, shard_number: 3, replication_factor: 2 };
const PATH = '/collections/documents';
const POINTS = 120;
/** Variables of every program that handles snapshots. */
const COMMON = { SNAPSHOT_STORAGE: 'local', SNAPSHOTS_TOLERANCE_PERCENT: '10' };

onEachQdrant((cluster) => {
  const at = (node: number, method: string, path: string, body?: object) =>
    ask(cluster().urls[node] as string, method, path, body);
  const snapshotsAt = async (node: number) => (await at(node, 'GET', `${PATH}/snapshots`)).result as { name: string }[];

  async function create(): Promise<void> {
    expect(await at(0, 'PUT', PATH, COLLECTION)).toMatchObject({ status: 200 });
    await settled(cluster(), 'documents');
  }

  function snapshot(env: { [name: string]: string } = {}) {
    const common = { SNAPSHOTS_KEEP: '2', ...COMMON };
    return runProgram('vector-store/take-snapshots.mjs', { ...cluster().env, ...common, ...env });
  }

  function restore(env: { [name: string]: string } = {}) {
    const common = { SNAPSHOT_DIRECTORY: 'file:///qdrant/snapshots', SHARD_PATIENCE: '120', ...COMMON };
    return runProgram('vector-store/restore-snapshots.mjs', { ...cluster().env, ...common, ...env });
  }

  beforeEach(async () => {
    await create();
    await addPoints(cluster(), 'documents', POINTS);
  });

  test('snapshots are taken on every node, and the oldest goes', async () => {
    const taken: string[][] = [];
    for (let time = 0; time < 3; time += 1) {
      const { status, stdout } = await snapshot();
      expect(status).toBe(0);
      taken.push(jsonLines(stdout).map(({ name }) => name));
      // Names tell seconds.
      await sleep(1100);
    }
    expect(taken.map((names) => names.length)).toEqual([3, 3, 3]);
    for (const node of [0, 1, 2]) {
      const names = (await snapshotsAt(node)).map(({ name }) => name).sort();
      expect(names).toEqual([taken[1]?.[node], taken[2]?.[node]].sort());
    }
  });

  test('snapshots get no smaller when all points are deleted', async () => {
    const sizes = async () => jsonLines((await snapshot()).stdout).map(({ size }) => size as number);
    const before = await sizes();
    expect((await at(1, 'POST', `${PATH}/points/delete?wait=true`, { filter: {} })).status).toBe(200);
    expect(await countAt(cluster(), 0, 'documents')).toBe(0);
    const after = await sizes();
    expect(after.every((size, node) => size * 2 > (before[node] as number))).toBe(true);
  });

  test('after all points are deleted no snapshot is, and none is restored unless a time is said', async () => {
    const first = jsonLines((await snapshot({ SNAPSHOTS_KEEP: '1' })).stdout).map(({ name }) => name);
    const before = new Date().toISOString();
    // Names tell seconds.
    await sleep(1100);
    await at(1, 'POST', `${PATH}/points/delete?wait=true`, { filter: {} });
    const second = await snapshot({ SNAPSHOTS_KEEP: '1' });
    expect([second.status, second.stderr]).toEqual([1, expect.stringContaining(`has 0 points, and had ${POINTS}`)]);
    for (const node of [0, 1, 2]) {
      expect((await snapshotsAt(node)).map(({ name }) => name)).toContain(first[node]);
    }
    expect(await restore()).toMatchObject({ status: 1, stderr: expect.stringContaining('had 0 points when ') });
    expect(await restore({ RESTORE_BEFORE: before })).toMatchObject({ status: 0, stderr: '' });
    await settled(cluster(), 'documents');
    expect(await countAt(cluster(), 2, 'documents')).toBe(POINTS);
  });

  test('a shard whose only copy is lost with a node comes back from its snapshot', async () => {
    await at(0, 'DELETE', PATH);
    expect(await at(0, 'PUT', PATH, { ...COLLECTION, replication_factor: 1 })).toMatchObject({ status: 200 });
    await addPoints(cluster(), 'documents', POINTS);
    expect((await snapshot()).status).toBe(0);
    await cluster().stopNode(2);
    const back = cluster().startAsPod(2);
    back.catch(() => {});
    const repair = (env = {}) =>
      runProgram('vector-store/repair-cluster.mjs', {
        ...cluster().env,
        SHARD_PATIENCE: '60',
        REPAIR_PATIENCE: '60',
        ...env,
      });
    expect(await repair()).toMatchObject({ status: 1, stderr: expect.stringContaining('of documents: no other node') });
    expect(await repair({ REPAIR_ACCEPT_LOSS: 'true' })).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/documents: \d of its shards have no copy; restore it from snapshots\n$/),
      stderr: '',
    });
    await back;
    expect(await restore()).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/ has no copy of \d of its shards, /),
    });
    const env = { RESTORE_OVERWRITE: 'true', RESTORE_BEFORE: new Date(Date.now() + 60_000).toISOString() };
    expect(await restore(env)).toMatchObject({ status: 0, stderr: '' });
    expect(await countAt(cluster(), 2, 'documents')).toBe(POINTS);
  });

  test('points that were lost come back into the same cluster', async () => {
    expect((await snapshot()).status).toBe(0);
    await at(1, 'POST', `${PATH}/points/delete?wait=true`, { filter: {} });
    const { status, stderr } = await restore();
    expect([status, stderr]).toEqual([0, '']);
    await settled(cluster(), 'documents');
    for (const node of [0, 1, 2]) {
      expect(await countAt(cluster(), node, 'documents')).toBe(POINTS);
    }
  });

  test('points come back into a new cluster', async () => {
    expect((await snapshot()).status).toBe(0);
    await cluster().startAnew();
    await create();
    const { status, stderr } = await restore();
    expect([status, stderr]).toEqual([0, expect.not.stringContaining('has shards that have not come to rest')]);
    await settled(cluster(), 'documents');
    const placement = [...(await placementAt(cluster(), 1, 'documents')).values()];
    expect(placement.map((peers) => new Set(peers).size)).toEqual([2, 2, 2]);
    const { config } = (await at(2, 'GET', PATH)).result;
    expect(config.params.replication_factor).toBe(2);
    expect(config.metadata['cdk8s-rag/restore']).toEqual({ state: 'done', before: '' });
    for (const node of [0, 1, 2]) {
      expect(await countAt(cluster(), node, 'documents')).toBe(POINTS);
    }
  });

  test('a rehearsal brings back as much as there is, and leaves nothing', async () => {
    expect((await snapshot()).status).toBe(0);
    const folder = mkdtempSync(join(tmpdir(), 'rehearsal-'));
    const done = join(folder, 'done');
    const throwAway = await cluster().startThrowAway();
    try {
      const { status, stdout, stderr } = await runProgram('vector-store/rehearse-snapshots.mjs', {
        ...cluster().env,
        ...COMMON,
        REHEARSAL_URL: throwAway.url,
        REHEARSAL_TOLERANCE_PERCENT: '0',
        REHEARSAL_DONE: done,
      });
      expect([status, stderr]).toEqual([0, '']);
      expect(jsonLines(stdout)).toMatchObject([{ collection: 'documents', restored: POINTS, live: POINTS }]);
      expect(existsSync(done)).toBe(true);
      expect((await ask(throwAway.url, 'GET', '/collections')).result).toEqual({ collections: [] });
    } finally {
      await throwAway.stop();
      rmSync(folder, { recursive: true });
    }
  });
});
