import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ProgramResult, runProgram } from '../support/node-programs';
import { QdrantCluster } from '../support/qdrant-cluster';
import type { StoredCollection } from '../support/stored-collection';

// A scenario runs several programs, each of them a process.
jest.setTimeout(60_000);

/** Nodes with the peers 11 to 13. */
let cluster: QdrantCluster;
beforeEach(async () => {
  cluster = await QdrantCluster.start(3);
});
afterEach(() => cluster.stop());

function repair(env: { [name: string]: string } = {}): Promise<ProgramResult> {
  return runProgram('vector-store/repair-cluster.mjs', { ...cluster.env, REPAIR_PATIENCE: '20', ...env });
}

/** Has a node come back without its storage; returns the promise that it runs again. */
async function lose(node: number): Promise<{ back: Promise<void> }> {
  await cluster.node(node).stop();
  const back = cluster.startAsPod(node);
  // One that waits ends with the test.
  back.catch(() => {});
  while ((await announcement(node)) === undefined) {
    await sleep(20);
  }
  return { back };
}

/** What a node says that waits for its cluster; undefined when none waits there. */
async function announcement(node: number): Promise<string | undefined> {
  try {
    return await (await fetch(cluster.uris[node] as string, { headers: { connection: 'close' } })).text();
  } catch {
    return undefined;
  }
}

/** What the nodes were told to do with shards and members. */
const orders = () =>
  cluster.nodes.flatMap(({ requests }) =>
    requests
      .filter(({ method }) => method !== 'GET')
      .map(({ method, path, query, body }) =>
        [method, path, ...[...query].flat(), ...Object.keys(body ?? {})].join(' '),
      ),
  );
const members = () => [...cluster.state.peers.keys()];
const loadOf = ({ copies }: StoredCollection) =>
  members().map((peer) => copies.list().filter((copy) => copy.peer === peer).length);
const isWhole = ({ copies }: StoredCollection) => copies.list().every(({ copy }) => copy.state === 'Active');

describe('a node with a new volume', () => {
  test('has its member taken out by force, joins, and gets copies of every shard that lost one', async () => {
    const documents = cluster.fill('documents', 90);
    const { back } = await lose(2);
    const { status, stdout, stderr } = await repair();
    await back;
    expect([status, stderr]).toEqual([0, '']);
    expect(members()).toEqual([11, 12, 14]);
    expect(Object.values(documents.copies.placement).map(({ length }) => length)).toEqual([2, 2, 2]);
    expect(documents.copies.list().map(({ copy }) => [copy.state, copy.points])).toEqual(
      Array.from({ length: 6 }, () => ['Active', 30]),
    );
    expect(loadOf(documents)).toEqual([2, 2, 2]);
    expect(orders().filter((order) => order.startsWith('DELETE'))).toEqual(['DELETE /cluster/peer/13 force true']);
    const said = stdout.split('\n');
    expect(said.slice(0, 2)).toEqual([
      'node 2 has a new volume, but is a member, as peer 13',
      'node 2 is out of the cluster, with what it held as peer 13',
    ]);
    expect(said).toContain('documents: copies shard 1 from node 1 to node 2');
    expect(said.at(-2)).toBe('documents: every shard has its copies');
  });

  test.each([0, 1])('can be any of them, also node %s', async (node) => {
    const documents = cluster.fill('documents', 90);
    const { back } = await lose(node);
    expect(await repair()).toMatchObject({ status: 0, stderr: '' });
    await back;
    expect(loadOf(documents)).toEqual([2, 2, 2]);
  });

  test('gets its share of every collection', async () => {
    const documents = cluster.fill('documents', 90);
    const tickets = cluster.state.create('tickets', { vectors: {}, shard_number: 6, replication_factor: 2 }, 60);
    const archive = cluster.state.create('archive', { vectors: {}, shard_number: 3 }, 30);
    archive.copies.place(0, [11]);
    archive.copies.place(1, [11]);
    archive.copies.place(2, [12]);
    const { back } = await lose(2);
    expect(await repair()).toMatchObject({ status: 0, stderr: '' });
    await back;
    expect([documents, tickets, archive].map(loadOf)).toEqual([
      [2, 2, 2],
      [4, 4, 4],
      [1, 1, 1],
    ]);
    expect([documents, tickets, archive].every(isWhole)).toBe(true);
  });

  test('is found also when it says so only after the repair has begun', async () => {
    const documents = cluster.fill('documents', 90);
    await cluster.node(2).stop();
    const repaired = repair();
    await sleep(500);
    expect(members()).toContain(13);
    const { back } = await lose(2);
    expect(await repaired).toMatchObject({ status: 0, stderr: '' });
    await back;
    expect(loadOf(documents)).toEqual([2, 2, 2]);
  });

  test('that does not know a collection yet is waited for', async () => {
    const documents = cluster.fill('documents', 90);
    const { back } = await lose(2);
    for (let time = 0; time < 3; time += 1) {
      cluster.node(2).failNext('GET', '/collections/documents/cluster', 404);
    }
    expect(await repair()).toMatchObject({ status: 0, stderr: '' });
    await back;
    expect(loadOf(documents)).toEqual([2, 2, 2]);
  });

  test('that does not join in time is named, and the next run goes on', async () => {
    const documents = cluster.fill('documents', 90);
    cluster.state.remove(13, true);
    await cluster.node(2).stop();
    const { status, stderr } = await repair({ REPAIR_PATIENCE: '0.2' });
    expect([status, stderr]).toEqual([1, 'node 2 did not join within 0.2 s; see what its pod says\n']);
    expect(orders()).toEqual([]);
    await cluster.startAsPod(2);
    expect(await repair()).toMatchObject({ status: 0, stderr: '' });
    expect(loadOf(documents)).toEqual([2, 2, 2]);
  });
});

describe('a shard without another active copy', () => {
  beforeEach(async () => {
    const documents = cluster.fill('documents', 90);
    cluster.fill('tickets', 9);
    documents.copies.place(1, [13]);
    documents.copies.place(2, [11, 13]);
    documents.copies.of(2).set(11, { state: 'Dead', points: 0, deleted: 0, operations: 0 });
    // Nothing is copied to it as long as its source is away.
    await lose(2);
  });

  test('is refused by its name, and no member is taken out', async () => {
    const { status, stderr } = await repair();
    expect([status, stderr]).toEqual([
      1,
      'shard 1 of documents, shard 2 of documents: no other node has an active copy, so these points would be gone; ' +
        'bring the volume back, or set acceptLoss and restore from snapshots afterwards\n',
    ]);
    expect(members()).toEqual([11, 12, 13]);
    expect(orders()).toEqual([]);
  });

  test('is given up when that is accepted: its member goes, and all other shards get their copies', async () => {
    const { copies } = cluster.state.collection('documents');
    copies.of(2).delete(11);
    const { status, stdout, stderr } = await repair({ REPAIR_ACCEPT_LOSS: 'true' });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain('documents: 2 of its shards have no copy; restore it from snapshots\n');
    expect(stdout).toContain('tickets: every shard has its copies\n');
    expect(members()).toEqual([11, 12, 14]);
    expect(orders()).toContain('DELETE /cluster/peer/13 force true');
    expect(Object.values(copies.placement).map(({ length }) => length)).toEqual([2, 0, 0]);
    expect(loadOf(cluster.state.collection('tickets'))).toEqual([2, 2, 2]);
    // Where the loss is accepted no more it is told as a failure.
    expect(await repair()).toMatchObject({
      status: 1,
      stderr: 'documents: 2 of its shards have no copy; restore it from snapshots\n',
    });
  });
});

describe('a member that does not answer', () => {
  test('is never taken out: its volume may be whole', async () => {
    const documents = cluster.fill('documents', 90);
    const before = documents.copies.placement;
    await cluster.node(2).stop();
    const { status, stderr } = await repair({ REPAIR_PATIENCE: '0.3' });
    expect([status, stderr]).toEqual([1, 'node 2 did not join within 0.3 s; see what its pod says\n']);
    expect(members()).toEqual([11, 12, 13]);
    expect(documents.copies.placement).toEqual(before);
    expect(orders()).toEqual([]);
  });

  test('is waited for, and has its copies when it is back', async () => {
    const documents = cluster.fill('documents', 90);
    await cluster.node(2).stop();
    const repaired = repair();
    await sleep(300);
    await cluster.node(2).startAgain();
    expect(await repaired).toMatchObject({ status: 0, stderr: '' });
    expect(members()).toEqual([11, 12, 13]);
    expect(loadOf(documents)).toEqual([2, 2, 2]);
  });

  test.each(['another text', ''])('nor is one at whose address something else says "%s"', async (text) => {
    cluster.fill('documents', 90);
    await cluster.node(2).stop();
    const other = createServer((_, response) => response.end(text));
    const { hostname, port } = new URL(cluster.uris[2] as string);
    other.listen(Number(port), hostname);
    await once(other, 'listening');
    const { status } = await repair({ REPAIR_PATIENCE: '0.3' });
    other.closeAllConnections();
    await once(other.close(), 'close');
    expect([status, members()]).toEqual([1, [11, 12, 13]]);
  });
});

describe('a cluster in which every node is there', () => {
  test('has nothing to do, and that is success', async () => {
    cluster.fill('documents', 90);
    expect(await repair()).toEqual({ status: 0, stdout: 'documents: every shard has its copies\n', stderr: '' });
    expect(orders()).toEqual([]);
  });

  test('gets copies of the shards that have too few, and they are spread evenly', async () => {
    const documents = cluster.fill('documents', 90);
    for (const shard of [0, 1, 2]) {
      documents.copies.place(shard, [11]);
    }
    expect(await repair()).toMatchObject({ status: 0, stderr: '' });
    expect(loadOf(documents)).toEqual([2, 2, 2]);
    const before = orders();
    expect(await repair()).toMatchObject({ status: 0, stdout: 'documents: every shard has its copies\n' });
    expect(orders()).toEqual(before);
  });

  test('gets a copy also when the transfer of it breaks off', async () => {
    const documents = cluster.fill('documents', 90);
    documents.copies.place(0, [11]);
    cluster.state.breakingTransfers = 1;
    // What was to be a copy is dead then, and asks for another transfer.
    expect(await repair()).toMatchObject({ status: 0, stderr: '' });
    expect([loadOf(documents), isWhole(documents)]).toEqual([[2, 2, 2], true]);
  });
});

test('nothing is done without a leader', async () => {
  cluster.fill('documents', 90);
  await lose(1);
  await lose(2);
  const { status, stderr } = await repair();
  expect([status, stderr]).toEqual([1, expect.stringContaining('node 0: is in a cluster without a leader')]);
  expect(orders()).toEqual([]);
});
