import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../support/ask';
import { runProgram } from '../support/node-programs';
import { onEachQdrant } from './on-each-qdrant';
import { addPoints, countAt, membersAt, placementAt, settled } from './qdrant-under-test';

const PATH = '/collections/documents';
const POINTS = 120;

onEachQdrant((cluster) => {
  const at = (node: number, method: string, path: string, body?: object) =>
    ask(cluster().urls[node] as string, method, path, body);

  async function fill(replication_factor: number): Promise<void> {
    const body = { vectors: { size: 4, distance: 'Cosine' }, shard_number: 3, replication_factor };
    expect(await at(0, 'PUT', PATH, body)).toMatchObject({ status: 200 });
    await settled(cluster(), 'documents');
    await addPoints(cluster(), 'documents', POINTS);
  }

  const repair = (env: { [name: string]: string } = {}) =>
    runProgram('vector-store/repair-cluster.mjs', { ...cluster().env, REPAIR_PATIENCE: '60', ...env });

  test('a node is drained: its shards move, it leaves, and a second run finds nothing', async () => {
    await fill(2);
    const drain = () =>
      runProgram('vector-store/drain-nodes.mjs', {
        ...cluster().env,
        QDRANT_DRAIN_TO: '2',
        QDRANT_DRAIN_INTERVAL: '0.2',
        QDRANT_DRAIN_PATIENCE: '60',
      });
    const drained = drain();
    while ((await membersAt(cluster(), 0)).length === 3) {
      await sleep(50);
    }
    // As the start script of its pod has it.
    await cluster().stopNode(2);
    const { status, stderr } = await drained;
    expect([status, stderr]).toEqual([0, '']);
    expect(await membersAt(cluster(), 0)).toHaveLength(2);
    await settled(cluster(), 'documents', [0, 1]);
    const placement = [...(await placementAt(cluster(), 0, 'documents')).values()];
    expect(placement.map((peers) => new Set(peers).size)).toEqual([2, 2, 2]);
    expect(await countAt(cluster(), 1, 'documents')).toBe(POINTS);
    expect(await drain()).toMatchObject({
      status: 0,
      stdout: 'node 2 was out of the cluster already\nnode 2 has stopped\ndone: 2 of 3 nodes are in use\n',
    });
  });

  test('a node that was taken out is ready, says that its consensus has stopped, and counts nothing', async () => {
    await fill(2);
    const { peer_id: peer } = (await at(2, 'GET', '/cluster')).result;
    expect((await at(0, 'DELETE', `/cluster/peer/${peer}`)).status).toBe(400);
    expect((await at(0, 'DELETE', `/cluster/peer/${peer}?force=true`)).status).toBe(200);
    // The node itself hears of it a moment later.
    const statusOf = async () =>
      (await at(2, 'GET', '/cluster')).result.consensus_thread_status.consensus_thread_status;
    for (const until = Date.now() + 10_000; (await statusOf()) !== 'stopped' && Date.now() < until; ) {
      await sleep(100);
    }
    expect((await at(2, 'GET', '/cluster')).result.consensus_thread_status).toEqual({
      consensus_thread_status: 'stopped',
    });
    expect((await at(2, 'GET', '/readyz')).status).toBe(200);
    await expect(countAt(cluster(), 2, 'documents')).rejects.toThrow(/no address found for peer/);
    expect((await at(2, 'GET', PATH)).status).toBe(500);
    expect((await at(2, 'GET', '/collections')).status).toBe(200);
    expect((await at(2, 'POST', `${PATH}/snapshots`)).status).toBe(200);
    expect(await countAt(cluster(), 0, 'documents')).toBe(POINTS);
  });

  test('a node that lost its storage is refused until its former self is out, which a repair sees to', async () => {
    await fill(2);
    const { peer_id: peer } = (await at(2, 'GET', '/cluster')).result;
    await cluster().stopNode(2);
    await expect(cluster().startNode(2, 'storage')).rejects.toThrow(
      new RegExp(`already used by peer ${peer} which still has shards`),
    );
    expect(await countAt(cluster(), 0, 'documents')).toBe(POINTS);
    const back = cluster().startAsPod(2);
    // One that waits ends with the scenario.
    back.catch(() => {});
    const { status, stderr } = await repair();
    expect([status, stderr]).toEqual([0, '']);
    await back;
    const members = await membersAt(cluster(), 0);
    expect([members.length, members.includes(peer)]).toEqual([3, false]);
    await settled(cluster(), 'documents');
    const placement = [...(await placementAt(cluster(), 1, 'documents')).values()];
    expect(placement.map((peers) => new Set(peers).size)).toEqual([2, 2, 2]);
    expect(members.map((member) => placement.flat().filter((holder) => holder === member).length)).toEqual([2, 2, 2]);
    expect(await countAt(cluster(), 2, 'documents')).toBe(POINTS);
    expect(await repair()).toMatchObject({ status: 0, stdout: 'documents: every shard has its copies\n' });
  });

  test('a member that does not answer is not taken out by a repair', async () => {
    await fill(2);
    const members = await membersAt(cluster(), 0);
    await cluster().stopNode(2);
    const { status, stderr } = await repair({ REPAIR_PATIENCE: '1' });
    expect([status, stderr]).toEqual([1, 'node 2 did not join within 1 s; see what its pod says\n']);
    expect((await membersAt(cluster(), 0)).sort()).toEqual(members.sort());
    await cluster().startNode(2);
    expect(await repair()).toMatchObject({ status: 0, stderr: '' });
    expect(await countAt(cluster(), 2, 'documents')).toBe(POINTS);
  });

  test('a node that is away misses writes, and has them soon after it is back', async () => {
    await fill(2);
    await cluster().stopNode(2);
    await addPoints(cluster(), 'documents', 30, { first: POINTS + 1 });
    expect(await countAt(cluster(), 0, 'documents')).toBe(POINTS + 30);
    await cluster().startNode(2);
    await settled(cluster(), 'documents');
    expect(await countAt(cluster(), 2, 'documents')).toBe(POINTS + 30);
  });
});
