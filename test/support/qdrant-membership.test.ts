import type { Json } from '../../constructs/rules/output';
import { ask } from './ask';
import { QdrantCluster } from './qdrant-cluster';
import { QdrantServer } from './qdrant-server';

/** Members and shards of the stand-in, as release 1.19 was seen to treat them. */
let cluster: QdrantCluster;
beforeEach(async () => {
  cluster = await QdrantCluster.start(3);
});
afterEach(() => cluster.stop());

const at = (node: number, method: string, path: string, body?: Json) =>
  ask(cluster.urls[node] as string, method, path, body);
const change = (body: Json) => at(0, 'POST', '/collections/documents/cluster', body);
const look = async (node = 0) => (await at(node, 'GET', '/collections/documents/cluster')).result;
const placement = () => cluster.state.collection('documents').copies.placement;

describe('shards', () => {
  test('are copied in a while: the transfer is seen, the copy is not active, and the source stays', async () => {
    cluster.fill('documents', 90);
    const copy = { replicate_shard: { shard_id: 0, from_peer_id: 11, to_peer_id: 13 } };
    expect((await change(copy)).status).toBe(200);
    expect(await change(copy)).toMatchObject({ status: 400, result: expect.stringContaining('already involved') });
    for (let time = 0; time < 2; time += 1) {
      const { shard_transfers, remote_shards } = await look();
      expect(shard_transfers).toEqual([{ shard_id: 0, from: 11, to: 13, sync: true }]);
      expect(remote_shards).toContainEqual({ shard_id: 0, peer_id: 13, state: 'Recovery' });
    }
    const { shard_transfers, remote_shards } = await look();
    expect(shard_transfers).toEqual([]);
    expect(remote_shards).toContainEqual({ shard_id: 0, peer_id: 13, state: 'Active' });
    expect(placement()[0]).toEqual([11, 12, 13]);
    expect(cluster.state.collection('documents').copies.at(0, 13)?.points).toBe(30);
  });

  test('are moved in a while, and then the source has none', async () => {
    cluster.fill('documents', 90);
    await change({ move_shard: { shard_id: 0, from_peer_id: 11, to_peer_id: 13 } });
    expect((await look()).shard_transfers).toEqual([{ shard_id: 0, from: 11, to: 13, sync: false }]);
    await look();
    await look();
    expect(placement()[0]).toEqual([12, 13]);
  });

  test.each([
    [
      'from a peer that has none',
      { shard_id: 0, from_peer_id: 13, to_peer_id: 12 },
      'Shard 0 is not active on peer 13',
    ],
    ['to a peer that is no member', { shard_id: 0, from_peer_id: 11, to_peer_id: 99 }, 'Peer 99 does not exist'],
    ['of a number that there is not', { shard_id: 9, from_peer_id: 11, to_peer_id: 12 }, 'Shard 9 does not exist'],
  ])('do not move %s', async (_, move_shard, message) => {
    cluster.fill('documents', 90);
    expect(await change({ move_shard })).toMatchObject({ status: 400, result: expect.stringContaining(message) });
  });

  test('lose a copy at once, but not the last one that is active', async () => {
    const { copies } = cluster.fill('documents', 90);
    copies.setState(1, 13, 'Dead');
    expect((await change({ drop_replica: { shard_id: 0, peer_id: 12 } })).status).toBe(200);
    expect(placement()[0]).toEqual([11]);
    expect((await change({ drop_replica: { shard_id: 0, peer_id: 11 } })).status).toBe(400);
    expect((await change({ drop_replica: { shard_id: 1, peer_id: 12 } })).status).toBe(400);
    expect((await change({ drop_replica: { shard_id: 2, peer_id: 12 } })).status).toBe(400);
  });

  test('whose transfer breaks off leave a dead copy where one was to be made, and none where one was to move', async () => {
    cluster.fill('documents', 90);
    cluster.state.breakingTransfers = 1;
    cluster.state.transferLooks = 0;
    await change({ move_shard: { shard_id: 0, from_peer_id: 11, to_peer_id: 13 } });
    expect(placement()[0]).toEqual([11, 12]);
    cluster.state.breakingTransfers = 1;
    await change({ replicate_shard: { shard_id: 0, from_peer_id: 11, to_peer_id: 13 } });
    expect(cluster.state.collection('documents').copies.at(0, 13)?.state).toBe('Dead');
  });

  test('whose source dies while it sends leave both copies dead', async () => {
    const { copies } = cluster.fill('documents', 90);
    copies.setState(0, 12, 'Dead');
    await look();
    copies.setState(0, 13, 'Active');
    copies.setState(0, 11, 'Dead');
    expect([copies.at(0, 11)?.state, copies.at(0, 12)?.state]).toEqual(['Dead', 'Dead']);
  });

  test('get back no copy by themselves', async () => {
    cluster.fill('documents', 90);
    await change({ drop_replica: { shard_id: 0, peer_id: 12 } });
    for (let time = 0; time < 10; time += 1) {
      expect((await look()).shard_transfers).toEqual([]);
    }
    expect(placement()[0]).toEqual([11]);
  });

  test('get back a dead copy, one at a time for each node', async () => {
    const { copies } = cluster.fill('documents', 90);
    copies.setState(0, 12, 'Dead');
    copies.setState(1, 12, 'Dead');
    expect((await look()).shard_transfers).toEqual([{ shard_id: 0, from: 11, to: 12, sync: true }]);
    for (let time = 0; time < 8; time += 1) {
      await look();
    }
    expect(copies.list().every(({ copy }) => copy.state === 'Active')).toBe(true);
  });
});

describe('a member', () => {
  test('with shards goes only by force, and its copies with it', async () => {
    cluster.fill('documents', 90);
    expect(await at(0, 'DELETE', '/cluster/peer/13')).toMatchObject({
      status: 400,
      result: 'Bad request: Cannot remove peer 13 as there are shards on it',
    });
    expect((await at(0, 'DELETE', '/cluster/peer/13?force=true')).status).toBe(200);
    expect(placement()).toEqual({ 0: [11, 12], 1: [12], 2: [11] });
  });

  test('that goes with the only copy of a shard leaves a collection that tells its settings in the telemetry alone', async () => {
    const documents = cluster.fill('documents', 90);
    documents.copies.place(1, [13]);
    const { name } = (await at(2, 'POST', '/collections/documents/snapshots')).result;
    await at(0, 'DELETE', '/cluster/peer/13?force=true');
    expect(await at(0, 'GET', '/collections/documents')).toMatchObject({
      status: 500,
      result: 'Service internal error: 0 of 0 read operations failed',
    });
    await expect(at(0, 'POST', '/collections/documents/points/count', { exact: true })).rejects.toThrow();
    const { shard_count, local_shards, remote_shards } = await look();
    expect([shard_count, [...local_shards, ...remote_shards].map(({ shard_id }) => shard_id)]).toEqual([3, [0, 2, 0]]);
    const { collections } = (await at(0, 'GET', '/telemetry?details_level=3')).result;
    expect(collections.collections).toMatchObject([{ id: 'documents', config: { params: { replication_factor: 2 } } }]);
    expect((await at(0, 'PATCH', '/collections/documents', { metadata: {} })).status).toBe(200);
    await cluster.node(2).stop();
    await cluster.node(2).startAgain({ lost: 'storage' });
    const location = `file:///qdrant/snapshots/documents/${name}`;
    const body = { location, priority: 'snapshot' };
    expect((await at(2, 'PUT', '/collections/documents/snapshots/recover', body)).status).toBe(200);
    expect((await at(0, 'POST', '/collections/documents/points/count', { exact: true })).result).toEqual({ count: 90 });
  });

  test('that was taken out is ready, says that its consensus has stopped, and reaches nothing', async () => {
    cluster.fill('documents', 90);
    expect((await at(2, 'GET', '/cluster')).result.consensus_thread_status).toMatchObject({
      consensus_thread_status: 'working',
    });
    await at(0, 'DELETE', '/cluster/peer/13?force=true');
    expect((await at(2, 'GET', '/readyz')).status).toBe(200);
    const { result } = await at(2, 'GET', '/cluster');
    expect(result).toMatchObject({ status: 'enabled', peer_id: 13 });
    expect(result.consensus_thread_status).toEqual({ consensus_thread_status: 'stopped' });
    expect(Object.keys(result.peers)).toEqual(['13']);
    expect(await at(2, 'POST', '/collections/documents/points/count', {})).toMatchObject({
      status: 500,
      result:
        'Service internal error: 1 of 1 read operations failed:\n  Service internal error: no address found for peer 11',
    });
    expect((await at(2, 'GET', '/collections/documents')).status).toBe(500);
    const points = [{ id: 1 }];
    expect(await at(2, 'PUT', '/collections/documents/points', { points })).toMatchObject({
      status: 500,
      result: 'Service internal error: no address found for peer 11',
    });
    expect(await at(2, 'PATCH', '/collections/documents', {})).toMatchObject({
      status: 500,
      result: 'Service internal error: Channel closed: sending on a closed channel',
    });
    // It still tells which collections there are, and takes snapshots of them without a shard.
    expect((await at(2, 'GET', '/collections')).result).toEqual({ collections: [{ name: 'documents' }] });
    expect((await look(2)).local_shards).toEqual([]);
    expect((await at(2, 'POST', '/collections/documents/snapshots')).result.size).toBeLessThan(20_000);
    await cluster.node(2).stop();
    await cluster.node(2).startAgain();
    expect((await at(2, 'GET', '/readyz')).status).toBe(200);
    expect((await at(2, 'GET', '/collections/documents')).status).toBe(500);
    expect(Object.keys((await at(0, 'GET', '/cluster')).result.peers)).toEqual(['11', '12']);
  });

  test('that lost its storage is refused while the one that it was has shards, and joins empty after that', async () => {
    cluster.fill('documents', 90);
    await cluster.node(2).stop();
    await expect(cluster.node(2).startAgain({ lost: 'storage' })).rejects.toThrow(
      /^peer URI \S+ already used by peer 13 which still has shards, remove its shards first or use a different URI$/,
    );
    await expect(at(2, 'GET', '/readyz')).rejects.toThrow();
    await at(0, 'DELETE', '/cluster/peer/13?force=true');
    await cluster.node(2).startAgain();
    const { peer_id, peers } = (await at(2, 'GET', '/cluster')).result;
    expect([Object.keys(peers).includes(String(peer_id)), peer_id === 13]).toEqual([true, false]);
    expect((await look(2)).local_shards).toEqual([]);
  });

  test('that lost its storage and had no shards takes its place', async () => {
    await cluster.node(2).stop();
    await cluster.node(2).startAgain({ lost: 'storage' });
    expect(Object.keys((await at(0, 'GET', '/cluster')).result.peers)).toEqual(['11', '12', '14']);
  });

  test('knows its leader, as long as more than half of them are there', async () => {
    const leaderAt = async (node: number) => (await at(node, 'GET', '/cluster')).result.raft_info.leader;
    expect([await leaderAt(0), await leaderAt(2)]).toEqual([11, 11]);
    await cluster.node(0).stop();
    expect(await leaderAt(1)).toBe(12);
    await cluster.node(1).stop();
    expect(await leaderAt(2)).toBeNull();
  });

  test('that lags tells what it could have told the last time', async () => {
    cluster.fill('documents', 90);
    cluster.node(1).lagging = true;
    await look(1);
    await change({ drop_replica: { shard_id: 0, peer_id: 12 } });
    expect((await look(0)).remote_shards).not.toContainEqual(expect.objectContaining({ shard_id: 0, peer_id: 12 }));
    expect((await look(1)).local_shards).toContainEqual(expect.objectContaining({ shard_id: 0 }));
    expect((await look(1)).local_shards).not.toContainEqual(expect.objectContaining({ shard_id: 0 }));
  });
});

test('a server in no cluster says so, and has no members and no shards to move', async () => {
  const server = await QdrantServer.start();
  server.addCollection('documents', { vectors: {} }, 3);
  expect((await ask(server.url, 'GET', '/cluster')).result).toEqual({ status: 'disabled' });
  expect((await ask(server.url, 'DELETE', '/cluster/peer/1')).status).toBe(405);
  expect((await ask(server.url, 'POST', '/collections/documents/cluster', {})).status).toBe(405);
  expect((await ask(server.url, 'GET', '/collections/documents/cluster')).result.local_shards).toHaveLength(1);
  await server.stop();
});
