import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../support/node-programs';
import { jsonLines, QdrantCluster } from '../support/qdrant-cluster';
import { QdrantServer } from '../support/qdrant-server';

const folder = mkdtempSync(join(tmpdir(), 'rehearsal-'));
const done = join(folder, 'done');
let cluster: QdrantCluster;
let scratch: QdrantServer;
let scratchUrl: string;

function rehearse(env: { [name: string]: string } = {}) {
  return runProgram('vector-store/rehearse-snapshots.mjs', {
    ...cluster.env,
    SNAPSHOT_STORAGE: 'local',
    REHEARSAL_URL: scratchUrl,
    REHEARSAL_TOLERANCE_PERCENT: '5',
    REHEARSAL_DONE: done,
    ...env,
  });
}

const snapshot = () => cluster.takeSnapshots({ SNAPSHOTS_KEEP: '9' });

beforeEach(async () => {
  cluster = await QdrantCluster.start(3);
  scratch = await QdrantServer.start({ clustered: true });
  scratchUrl = scratch.url;
  rmSync(done, { force: true });
});
afterEach(async () => {
  await cluster.stop();
  await scratch.stop().catch(() => {});
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([false, true])('what comes back is as much as there is (one store for all: %s)', async (shared) => {
  cluster.state.sharedSnapshots = shared;
  cluster.fill('documents', 91);
  await snapshot();
  const { status, stdout } = await rehearse({ SNAPSHOT_STORAGE: shared ? 's3' : 'local' });
  expect(status).toBe(0);
  expect(jsonLines(stdout)).toEqual([
    {
      collection: 'documents',
      restored: 91,
      live: 91,
      snapshots: [11, 12, 13].map((peer, second) => `documents-${peer}-2026-01-01-00-00-0${second}.snapshot`),
      seconds: expect.any(Number),
    },
  ]);
  expect(existsSync(done)).toBe(true);
});

test('the database is only read, and what came back is thrown away before the next', async () => {
  cluster.fill('archive', 3);
  cluster.fill('documents', 90);
  await snapshot();
  const before = cluster.nodes.map((node) => node.changes.length);
  await rehearse();
  expect(cluster.nodes.map((node) => node.changes.length)).toEqual(before);
  expect(scratch.state.collections.size).toBe(0);
  // After each snapshot an empty file takes its place, or the volume would hold all of them.
  const uploads = (name: string) => Array.from({ length: 6 }, () => `POST /collections/${name}/snapshots/upload`);
  expect(scratch.changes).toEqual([
    ...uploads('archive'),
    'DELETE /collections/archive',
    ...uploads('documents'),
    'DELETE /collections/documents',
  ]);
});

test('the newest snapshots are tried', async () => {
  const documents = cluster.fill('documents', 10);
  await snapshot();
  documents.points = 100;
  await snapshot();
  expect((await rehearse()).status).toBe(0);
});

test.each([
  ['5', 104, 0],
  ['5', 106, 1],
  ['5', 96, 0],
  ['5', 95, 1],
  ['0', 100, 0],
  ['0', 101, 1],
  ['10', 111, 0],
])(
  'with a tolerance of %s %% a collection of %s points, of which 100 come back, ends with %s',
  async (percent, live, code) => {
    const documents = cluster.fill('documents', 100);
    await snapshot();
    documents.points = live;
    const { status, stderr } = await rehearse({ REHEARSAL_TOLERANCE_PERCENT: percent });
    expect(status).toBe(code);
    expect(stderr).toBe(
      code === 0
        ? ''
        : `documents: came back with 100 points, but has ${live}, which is more than ${percent} % apart\n`,
    );
  },
);

test('a node that holds shards and has no snapshot of them fails the rehearsal, but not that of others', async () => {
  const { snapshots } = cluster.fill('documents', 90);
  cluster.fill('tickets', 9);
  await snapshot();
  snapshots.delete(cluster.snapshotsOf('documents')[13]?.[0] as string);
  const { status, stdout, stderr } = await rehearse();
  expect(status).toBe(1);
  expect(stderr).toBe('documents: has no snapshot on node 2\n');
  expect(jsonLines(stdout)).toMatchObject([{ collection: 'tickets', restored: 9 }]);
});

test('a node that holds no shards needs none', async () => {
  const { copies, snapshots } = cluster.fill('documents', 90);
  for (const shard of copies.shards.keys()) {
    copies.place(shard, [11, 12]);
  }
  await snapshot();
  snapshots.delete(cluster.snapshotsOf('documents')[13]?.[0] as string);
  expect((await rehearse()).status).toBe(0);
});

test('what was uploaded is replaced by an empty file', async () => {
  cluster.fill('documents', 90);
  await snapshot();
  expect((await rehearse()).status).toBe(0);
  expect(scratch.state.uploads).toEqual([{ peer: 1, collection: 'documents', name: 'snapshot' }]);
});

test('a Qdrant in no cluster would refuse the snapshots of a node that does not hold every shard', async () => {
  cluster.fill('documents', 90);
  await snapshot();
  await scratch.stop();
  scratch = await QdrantServer.start();
  scratchUrl = scratch.url;
  const { status, stderr } = await rehearse();
  expect([status, stderr]).toEqual([1, expect.stringContaining("Can't restore snapshot in local mode")]);
});

test('points are counted otherwise where strict mode forbids to count exactly', async () => {
  const { config } = cluster.fill('documents', 90);
  config.strict_mode_config = { enabled: true, search_allow_exact: false };
  await snapshot();
  expect(await rehearse()).toMatchObject({ status: 0, stderr: '' });
});

test('a single node, which is in no cluster, is asked itself', async () => {
  const single = await QdrantServer.start({ apiKey: 'secret' });
  single.addCollection('documents', { vectors: {} }, 9);
  const env = { QDRANT_URL: single.url, QDRANT_NODE_URLS: single.url };
  await cluster.takeSnapshots(env);
  const { status, stdout, stderr } = await rehearse(env);
  await single.stop();
  expect([status, stderr]).toEqual([0, '']);
  expect(jsonLines(stdout)).toMatchObject([{ restored: 9, live: 9 }]);
});

test('only the collections that are named are tried', async () => {
  cluster.fill('documents', 90);
  cluster.fill('tickets', 9);
  await snapshot();
  const { stdout } = await rehearse({ QDRANT_COLLECTIONS: 'tickets' });
  expect(jsonLines(stdout).map(({ collection }) => collection)).toEqual(['tickets']);
});

test('a collection without points proves nothing, unless there need not be any', async () => {
  cluster.fill('archive', 0);
  cluster.fill('documents', 90);
  await snapshot();
  const { status, stdout, stderr } = await rehearse();
  expect(status).toBe(1);
  expect(stderr).toBe(
    'archive: has no points; restore them if they were lost, and set allowEmpty if there need not be any\n',
  );
  expect(jsonLines(stdout)).toMatchObject([{ collection: 'documents', restored: 90 }]);
  expect((await rehearse({ REHEARSAL_ALLOW_EMPTY: 'true' })).status).toBe(0);
});

test('a download that fails is begun again, three times in all', async () => {
  cluster.fill('documents', 90);
  await snapshot();
  const [name] = cluster.snapshotsOf('documents')[12] as [string];
  const path = `/collections/documents/snapshots/${name}`;
  cluster.node(1).failNext('GET', path);
  cluster.node(1).failNext('GET', path, 429);
  const { status, stderr } = await rehearse();
  expect(status).toBe(0);
  expect(stderr).toContain(`documents: GET ${path} was answered 500: `);
  expect(stderr.match(/; sending \S+ again\n/g)).toHaveLength(2);
  for (let time = 0; time < 3; time += 1) {
    cluster.node(1).failNext('GET', path);
  }
  expect((await rehearse()).status).toBe(1);
});

test('an upload that fails is begun again with the whole snapshot', async () => {
  cluster.fill('documents', 90);
  await snapshot();
  scratch.failNext('POST', '/collections/documents/snapshots/upload');
  const { status, stdout } = await rehearse();
  expect(status).toBe(0);
  expect(jsonLines(stdout)).toMatchObject([{ restored: 90 }]);
});

test('a download that is refused fails the rehearsal at once, and what came back before is thrown away', async () => {
  cluster.fill('documents', 90);
  await snapshot();
  const [name] = cluster.snapshotsOf('documents')[12] as [string];
  cluster.node(1).failNext('GET', `/collections/documents/snapshots/${name}`, 403);
  const { status, stderr } = await rehearse();
  expect(status).toBe(1);
  expect(stderr).toMatch(/^documents: GET \S+ was answered 403: .*\n$/);
  expect(scratch.state.collections.size).toBe(0);
});

test('a download that breaks off fails the rehearsal, and half a snapshot restores nothing', async () => {
  cluster.fill('documents', 90);
  await snapshot();
  const [url] = cluster.urls;
  const cutting = createServer(async (request, response) => {
    if (request.url?.endsWith('.snapshot')) {
      response.writeHead(200, { 'content-length': 1000 }).write('half of it', () => response.destroy());
      return;
    }
    const body = request.method === 'POST' ? Buffer.concat(await request.toArray()) : undefined;
    const headers = { 'api-key': 'secret', 'content-type': 'application/json' };
    const answer = await fetch(`${url}${request.url}`, { method: request.method as string, headers, body });
    response.writeHead(answer.status).end(await answer.text());
  });
  cutting.listen(0, '127.0.0.1');
  await once(cutting, 'listening');
  const urls = [`http://127.0.0.1:${(cutting.address() as AddressInfo).port}`, ...cluster.urls.slice(1)];
  const { status, stdout, stderr } = await rehearse({ QDRANT_NODE_URLS: urls.join(',') });
  cutting.close();
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toContain('documents: POST /collections/documents/snapshots/upload');
  // Each of the three uploads broke off; what is left are the empty files that replace them.
  const uploads = scratch.requests.filter(({ path }) => path.endsWith('/upload'));
  expect(uploads.map(({ body }) => body.split('\r\n\r\n')[1].split('\r\n')[0])).toEqual(['', '', '']);
  expect(scratch.changes.filter((change) => !change.endsWith('/upload'))).toEqual(['DELETE /collections/documents']);
});

test('a Qdrant that never starts is told, and the other container still ends', async () => {
  cluster.fill('documents', 90);
  await scratch.stop();
  const { status, stderr } = await rehearse();
  expect(status).toBe(1);
  expect(stderr).toContain('GET /collections had no answer: ');
  expect(existsSync(done)).toBe(true);
});
