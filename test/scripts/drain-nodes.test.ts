import { setTimeout as sleep } from 'node:timers/promises';
import { type ProgramResult, runProgram } from '../support/node-programs';
import { QdrantCluster } from '../support/qdrant-cluster';
import type { ReceivedRequest } from '../support/received-request';

// A scenario runs several programs, each of them a process.
jest.setTimeout(60_000);

/** Nodes with the peers 11 to 14. */
let cluster: QdrantCluster;
beforeEach(async () => {
  cluster = await QdrantCluster.start(4);
});
afterEach(() => cluster.stop());

function run(to: number, env: { [name: string]: string } = {}): Promise<ProgramResult> {
  return runProgram('vector-store/drain-nodes.mjs', {
    ...cluster.env,
    QDRANT_DRAIN_TO: String(to),
    QDRANT_DRAIN_INTERVAL: '0.01',
    QDRANT_DRAIN_PATIENCE: '20',
    ...env,
  });
}

/** Runs the program where nodes that are removed stop soon, as their start script has it. */
async function drain(to: number, env: { [name: string]: string } = {}): Promise<ProgramResult> {
  const stopping = setInterval(() => {
    for (const node of cluster.nodes.filter(({ peer }) => !cluster.state.peers.has(peer))) {
      void node.stop();
    }
  }, 20);
  try {
    return await run(to, env);
  } finally {
    clearInterval(stopping);
  }
}

/** What is said of a node that an earlier run took out. */
const OUT = 'node 3 was out of the cluster already\nnode 3 has stopped\n';

/** The peers that hold each shard of a collection. */
function shardsOf(name: string): { [shard: string]: number[] } {
  return cluster.state.collection(name).copies.placement;
}

/** What the nodes were told to do with shards and peers. */
function orders(): string[] {
  const changing = ({ method }: ReceivedRequest) => method !== 'GET';
  return cluster.nodes.flatMap((node) =>
    node.requests
      .filter(changing)
      .map(({ method, path, body }) => [method, path, ...Object.keys(body ?? {})].join(' ')),
  );
}

const peers = () => [...cluster.state.peers.keys()];

describe('a node that goes', () => {
  test('gives its shards to nodes that lack them, and then leaves the cluster', async () => {
    cluster.fill('documents', 100);
    const { status, stdout, stderr } = await drain(3);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([
      'documents: node 3 moves shard 2 to node 0',
      'documents: shard 2 has left node 3',
      'documents: node 3 moves shard 3 to node 1',
      'documents: shard 3 has left node 3',
      'node 3 holds no shard',
      'node 3 is out of the cluster',
      'node 3 has stopped',
      'done: 3 of 4 nodes are in use',
      '',
    ]);
    expect(shardsOf('documents')).toEqual({ 0: [11, 12], 1: [12, 13], 2: [11, 13], 3: [11, 12] });
    expect(peers()).toEqual([11, 12, 13]);
    expect(orders()).toEqual([
      'POST /collections/documents/cluster move_shard',
      'POST /collections/documents/cluster move_shard',
      'DELETE /cluster/peer/14',
    ]);
  });

  test('is waited for until it has stopped: it is Ready, and answers requests of clients with errors', async () => {
    const drained = run(3);
    while (cluster.state.peers.has(14)) {
      await sleep(20);
    }
    expect(await Promise.race([drained, sleep(300)])).toBeUndefined();
    await cluster.node(3).stop();
    expect(await drained).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('node 3 is out of the cluster\nnode 3 has stopped\n'),
    });
  });

  test('that does not stop fails the run, and the next one waits for it too', async () => {
    for (const said of ['node 3 is out of the cluster\n', 'node 3 was out of the cluster already\n']) {
      const { status, stdout, stderr } = await run(3, { QDRANT_DRAIN_PATIENCE: '0.2' });
      expect([status, stderr]).toEqual([
        1,
        'node 3 is out of the cluster, but still answers 0.2 s later; delete its pod\n',
      ]);
      expect(stdout).toContain(said);
    }
  });

  test('is not removed by force', async () => {
    await drain(3);
    const removal = cluster.node(0).requests.find(({ method }) => method === 'DELETE');
    expect(removal?.query.toString()).toBe('');
  });

  test('waits for each transfer before the next begins', async () => {
    cluster.fill('documents', 100);
    cluster.state.transferLooks = 3;
    const { status, stdout } = await drain(3);
    expect(status).toBe(0);
    expect(stdout.match(/moves|has left/g)).toEqual(['moves', 'has left', 'moves', 'has left']);
    expect(shardsOf('documents')).toEqual({ 0: [11, 12], 1: [12, 13], 2: [11, 13], 3: [11, 12] });
    expect(orders()).toHaveLength(3);
  });

  test('gives shards of different collections to different nodes', async () => {
    for (const name of ['a', 'b', 'c']) {
      cluster.fill(name, 1).copies.shards.clear();
      cluster.state.collection(name).copies.place(0, [14]);
    }
    expect((await drain(3)).status).toBe(0);
    expect(['a', 'b', 'c'].map((name) => shardsOf(name)[0])).toEqual([[11], [12], [13]]);
  });

  test('spreads the shards of one collection before it looks at the others', async () => {
    const large = cluster.fill('large', 1);
    large.copies.shards.clear();
    for (let shard = 0; shard < 6; shard += 1) {
      large.copies.place(shard, [12]);
    }
    const small = cluster.fill('small', 1);
    small.copies.shards.clear();
    for (const [shard, holders] of [[11], [14], [14]].entries()) {
      small.copies.place(shard, holders);
    }
    expect((await drain(3)).status).toBe(0);
    // The first goes to the emptiest node; the second to the one that has none of the collection, however full.
    expect(shardsOf('small')).toEqual({ 0: [11], 1: [13], 2: [12] });
  });

  test('drops a copy that every other node has', async () => {
    cluster.fill('documents', 100).copies.place(2, [11, 12, 13, 14]);
    const { status, stdout } = await drain(3);
    expect(status).toBe(0);
    expect(stdout).toContain('documents: node 3 drops shard 2, which every node that remains has\n');
    expect(shardsOf('documents')[2]).toEqual([11, 12, 13]);
    expect(orders().filter((order) => order.endsWith(' drop_replica'))).toHaveLength(1);
  });

  test('can be the only one, or all but one', async () => {
    cluster.fill('documents', 100).config.params.replication_factor = 1;
    expect((await drain(1)).status).toBe(0);
    expect(shardsOf('documents')).toEqual({ 0: [11], 1: [11], 2: [11], 3: [11] });
    expect(peers()).toEqual([11]);
    expect(orders().filter((order) => order.startsWith('DELETE'))).toEqual([
      'DELETE /cluster/peer/14',
      'DELETE /cluster/peer/13',
      'DELETE /cluster/peer/12',
    ]);
  });
});

describe('a second run', () => {
  test('finds nothing to do', async () => {
    cluster.fill('documents', 100);
    await drain(3);
    const before = orders();
    const { status, stdout } = await drain(3);
    expect([status, stdout]).toEqual([0, `${OUT}done: 3 of 4 nodes are in use\n`]);
    expect(orders()).toEqual(before);
  });

  test('goes on where the first one failed', async () => {
    cluster.fill('documents', 100);
    cluster.node(0).failNext('DELETE', '/cluster/peer/14');
    const first = await drain(3);
    expect(first.status).toBe(1);
    expect(first.stderr).toContain('DELETE /cluster/peer/14 was answered 500');
    expect(peers()).toHaveLength(4);
    const { status, stdout } = await drain(3);
    expect([status, stdout]).toEqual([
      0,
      'node 3 holds no shard\nnode 3 is out of the cluster\nnode 3 has stopped\ndone: 3 of 4 nodes are in use\n',
    ]);
    expect(peers()).toEqual([11, 12, 13]);
  });

  test('whichever request failed, comes to the same end', async () => {
    for (let number = 1; number <= 24; number += 3) {
      cluster.fill('documents', 100);
      cluster.state.peers.set(14, `${cluster.node(3).uri}/`);
      await cluster.node(3).stop();
      await cluster.node(3).startAgain();
      cluster.node(0).failRequest(number);
      await drain(3);
      expect((await drain(3)).status).toBe(0);
      expect(Object.values(shardsOf('documents')).flat()).not.toContain(14);
      expect(Object.values(shardsOf('documents')).every((holders) => new Set(holders).size === 2)).toBe(true);
      expect(peers()).toEqual([11, 12, 13]);
    }
  });

  test('waits for a transfer that the first one began', async () => {
    const { transfers } = cluster.fill('documents', 100);
    transfers.push({ shard: 2, from: 14, to: 12, looks: 4, breaks: false });
    expect((await drain(3)).status).toBe(0);
    expect(shardsOf('documents')[2]).toEqual([12, 13]);
    expect(orders().filter((order) => order.endsWith('move_shard'))).toHaveLength(1);
  });

  test('needs no answer from a node that is out of the cluster', async () => {
    await drain(3);
    const urls = [...cluster.urls.slice(0, 3), 'http://qdrant-3.invalid:6333'];
    const { status, stdout } = await drain(3, { QDRANT_NODE_URLS: urls.join(',') });
    expect([status, stdout]).toEqual([0, `${OUT}done: 3 of 4 nodes are in use\n`]);
  });
});

describe('a transfer', () => {
  test('that breaks off is begun again', async () => {
    cluster.fill('documents', 100);
    cluster.state.transferLooks = 1;
    cluster.state.breakingTransfers = 2;
    const { status } = await drain(3);
    expect(status).toBe(0);
    expect(peers()).toEqual([11, 12, 13]);
    expect(orders().filter((order) => order.endsWith('move_shard'))).toHaveLength(4);
  });

  test('that always breaks off ends the run, and the node stays', async () => {
    cluster.fill('documents', 100);
    cluster.state.breakingTransfers = 100;
    const { status, stderr } = await drain(3);
    expect(status).toBe(1);
    expect(stderr).toBe('documents: shard 2 is still on node 3 after 3 attempts to move it\n');
    expect(shardsOf('documents')[2]).toEqual([13, 14]);
    expect(peers()).toHaveLength(4);
  });

  test('that does not end is waited for only so long', async () => {
    cluster.fill('documents', 100);
    cluster.state.transferLooks = 1_000_000;
    const { status, stderr } = await drain(3, { QDRANT_DRAIN_PATIENCE: '0.2' });
    expect(status).toBe(1);
    expect(stderr).toBe('documents: shard 2 is still on node 3 after 0.2 s: it is on its way\n');
    expect(peers()).toHaveLength(4);
  });

  test('does not begin, and no copy is dropped, while a copy is not whole', async () => {
    const collection = cluster.fill('documents', 100);
    collection.copies.place(2, [11, 12, 13, 14]);
    collection.settling = 1_000_000;
    const { status, stderr } = await drain(3, { QDRANT_DRAIN_PATIENCE: '0.2' });
    expect(status).toBe(1);
    expect(stderr).toBe('documents: shard 2 is still on node 3 after 0.2 s: a copy of it is not active\n');
    expect(orders()).toEqual([]);
    collection.settling = 5;
    expect((await drain(3)).status).toBe(0);
  });
});

describe('refused is, before anything moves,', () => {
  test('to keep fewer nodes than a collection keeps copies', async () => {
    cluster.fill('documents', 100).config.params.replication_factor = 3;
    cluster.fill('images', 100).config.params.replication_factor = 2;
    cluster.fill('notes', 100).config.params.replication_factor = 1;
    const { status, stdout, stderr } = await drain(1);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      'collection documents keeps 3 copies of each shard, but only 1 of 4 nodes would remain; lower its replication ' +
        'factor to 1, or keep 3 nodes\n' +
        'collection images keeps 2 copies of each shard, but only 1 of 4 nodes would remain; lower its replication ' +
        'factor to 1, or keep 3 nodes\n',
    );
    expect(orders()).toEqual([]);
  });

  test.each([['0'], ['4'], ['1.5'], ['-1'], ['three']])('to keep %s of four nodes', async (to) => {
    const { status, stderr } = await drain(3, { QDRANT_DRAIN_TO: to });
    expect(status).toBe(1);
    expect(stderr).toMatch(/QDRANT_DRAIN_TO is .*, but must be /);
    expect(orders()).toEqual([]);
  });

  test('to rely on a node that is not in the cluster', async () => {
    cluster.fill('documents', 100);
    cluster.state.peers.delete(12);
    const { status, stderr } = await run(3);
    expect([status, stderr]).toEqual([1, 'node 1 remains, but is not in the cluster\n']);
    expect(orders()).toEqual([]);
  });

  test('to drain without the key', async () => {
    const { status, stderr } = await drain(3, { QDRANT_API_KEY: 'another' });
    expect(status).toBe(1);
    expect(stderr).toContain('no node can be asked about the cluster\nnode 0: GET /cluster was answered 401');
  });
});

test('a node that remains and does not answer fails the run before anything moves', async () => {
  cluster.fill('documents', 100);
  await cluster.node(0).stop();
  const { status, stderr } = await drain(3);
  expect([status, stderr]).toEqual([1, expect.stringMatching(/^GET \/cluster had no answer: /)]);
  expect(orders()).toEqual([]);
});

test('a node that does not answer keeps its shards and its place', async () => {
  cluster.fill('documents', 100);
  await cluster.node(3).stop();
  const { status, stderr } = await drain(3);
  expect([status, stderr]).toEqual([1, 'node 3 does not answer, but holds 2 shards; bring it up and run again\n']);
  expect(orders()).toEqual([]);
});
