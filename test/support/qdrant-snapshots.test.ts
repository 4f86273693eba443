import type { Json } from '../../constructs/rules/output';
import { ask, upload } from './ask';
import { QdrantCluster } from './qdrant-cluster';
import { QdrantServer } from './qdrant-server';
import type { ShardCopies } from './shard-copies';
import type { StoredCollection } from './stored-collection';

/** Snapshots of the stand-in, and what comes of them, as release 1.19 was seen to treat them. */
let cluster: QdrantCluster;
beforeEach(async () => {
  cluster = await QdrantCluster.start(3);
});
afterEach(() => cluster.stop());

const SNAPSHOTS = '/collections/documents/snapshots';
const at = (node: number, method: string, path: string, body?: Json) =>
  ask(cluster.urls[node] as string, method, path, body);
const look = async (node = 0) => (await at(node, 'GET', '/collections/documents/cluster')).result;
const take = async (node: number): Promise<Json> => (await at(node, 'POST', SNAPSHOTS)).result;
const recover = (node: number, name: string) => {
  const location = `file:///qdrant/snapshots/documents/${name}`;
  return at(node, 'PUT', `${SNAPSHOTS}/recover`, { location, priority: 'snapshot' });
};
/** Looks until there was nothing to see for some looks. */
async function rested(copies: ShardCopies): Promise<void> {
  for (let quiet = 0; quiet < 5; ) {
    const { shard_transfers } = await look();
    const isQuiet = shard_transfers.length === 0 && copies.list().every(({ copy }) => copy.state === 'Active');
    quiet = isQuiet ? quiet + 1 : 0;
  }
}
const statesOf = ({ copies }: StoredCollection, shard: number) =>
  Object.fromEntries([...copies.of(shard)].map(([peer, { state }]) => [peer, state]));
const uploadTo = (server: QdrantServer, node: number, name: string, file?: string) =>
  upload(cluster.urls[node] as string, server.url, 'documents', name, file);

describe('the size of a snapshot', () => {
  test('grows when points are deleted, for they stay in the segments and the deletion is in the log', async () => {
    const documents = cluster.fill('documents', 2000);
    const { size: before } = await take(0);
    documents.points = 0;
    const { size: after } = await take(0);
    expect(after).toBeGreaterThan(before);
    expect((await at(0, 'POST', '/collections/documents/points/count', {})).result).toEqual({ count: 0 });
  });

  test('shrinks after the vacuum, which takes a thousand deleted points', async () => {
    const documents = cluster.fill('documents', 9000);
    const { size: before } = await take(0);
    documents.points = 0;
    expect((await take(0)).size).toBeLessThan(before);
  });
});

describe('a server in no cluster', () => {
  let single: QdrantServer;
  afterEach(() => single.stop());

  test('refuses a snapshot that lacks a shard; a cluster of one takes it', async () => {
    cluster.fill('documents', 90);
    const { name } = await take(0);
    single = await QdrantServer.start({ apiKey: 'secret' });
    expect(await uploadTo(single, 0, name)).toMatchObject({
      status: 500,
      result: expect.stringContaining("Can't restore snapshot in local mode with missing data at shard"),
    });
    expect(single.state.collections.size).toBe(0);
    await single.stop();
    single = await QdrantServer.start({ apiKey: 'secret', clustered: true });
    expect((await uploadTo(single, 0, name)).status).toBe(200);
    // Shards 0 and 2 are on the first node.
    expect(single.state.collection('documents').points).toBe(60);
    expect((await uploadTo(single, 1, (await take(1)).name)).status).toBe(200);
    expect((await ask(single.url, 'POST', '/collections/documents/points/count', {})).result).toEqual({ count: 90 });
  });

  test('takes one that is whole', async () => {
    const documents = cluster.fill('documents', 90);
    documents.copies.place(1, [11]);
    const { name } = await take(0);
    single = await QdrantServer.start({ apiKey: 'secret' });
    expect((await uploadTo(single, 0, name)).status).toBe(200);
    expect(single.state.collection('documents').points).toBe(90);
  });
});

describe('a recovery', () => {
  test('activates the shards of the snapshot at once, and only later the others die and get theirs back', async () => {
    const documents = cluster.fill('documents', 90);
    const { name } = await take(0);
    documents.points = 0;
    expect((await recover(0, name)).status).toBe(200);
    // The other node is not dead yet, so a single look is too early.
    expect([statesOf(documents, 0), documents.copies.at(0, 11)?.points]).toEqual([{ 11: 'Active', 12: 'Active' }, 30]);
    expect(documents.copies.at(0, 12)?.points).toBe(0);
    const early = await look();
    expect(early.shard_transfers).toEqual([]);
    expect(early.remote_shards).toContainEqual({ shard_id: 0, peer_id: 12, state: 'Active' });
    expect((await look()).remote_shards).toContainEqual({ shard_id: 0, peer_id: 12, state: 'Dead' });
    const { shard_transfers, remote_shards } = await look();
    expect(shard_transfers.length).toBeGreaterThan(0);
    expect(remote_shards).toContainEqual({ shard_id: 0, peer_id: 12, state: 'Recovery' });
    for (let time = 0; time < 10; time += 1) {
      await look();
    }
    expect(statesOf(documents, 0)).toEqual({ 11: 'Active', 12: 'Active' });
    expect(documents.copies.at(0, 12)?.points).toBe(30);
    // Shard 1 is not on the first node, so nothing came back of it.
    expect(documents.points).toBe(60);
  });

  test('adds a copy where the node had none', async () => {
    const documents = cluster.fill('documents', 90);
    const { name } = await take(0);
    documents.copies.place(0, [12, 13]);
    await recover(0, name);
    expect(Object.keys(statesOf(documents, 0))).toEqual(['11', '12', '13']);
    // Two copies are wanted: one of the others goes, and the other one stays.
    for (let time = 0; time < 10; time += 1) {
      await look();
    }
    expect(statesOf(documents, 0)).toEqual({ 13: 'Active', 11: 'Active' });
  });

  test('of a copy whose others were not active leaves one too many', async () => {
    const documents = cluster.fill('documents', 90);
    const { name } = await take(0);
    documents.copies.place(0, [12, 13]);
    documents.copies.setState(0, 13, 'Dead');
    await recover(0, name);
    for (let time = 0; time < 10; time += 1) {
      await look();
    }
    expect(statesOf(documents, 0)).toEqual({ 12: 'Active', 13: 'Active', 11: 'Active' });
  });

  test('with a replication factor of 1 takes the other copies away, and nothing is transferred', async () => {
    const documents = cluster.fill('documents', 90);
    const { name } = await take(0);
    await at(0, 'PATCH', '/collections/documents', { params: { replication_factor: 1 } });
    await recover(0, name);
    for (let time = 0; time < 5; time += 1) {
      expect((await look()).shard_transfers).toEqual([]);
    }
    expect(statesOf(documents, 0)).toEqual({ 11: 'Active' });
    expect(statesOf(documents, 2)).toEqual({ 11: 'Active' });
    expect(statesOf(documents, 1)).toEqual({ 12: 'Active', 13: 'Active' });
  });

  test('that meets a transfer to its node leaves the copy in ManualRecovery until it is repeated', async () => {
    const documents = cluster.fill('documents', 90);
    const [first, second] = [await take(0), await take(1)];
    documents.points = 0;
    await recover(0, first.name);
    await look();
    await look();
    expect((await look()).shard_transfers).toContainEqual({ shard_id: 0, from: 11, to: 12, sync: true });
    await recover(1, second.name);
    for (let time = 0; time < 20; time += 1) {
      await look();
    }
    expect((await look()).shard_transfers).toEqual([]);
    expect(statesOf(documents, 0)).toEqual({ 11: 'Active', 12: 'ManualRecovery' });
    await recover(1, second.name);
    for (let time = 0; time < 20; time += 1) {
      await look();
    }
    expect(documents.copies.list().every(({ copy }) => copy.state === 'Active')).toBe(true);
    expect((await at(2, 'POST', '/collections/documents/points/count', {})).result).toEqual({ count: 90 });
  });

  test('that does not wait for what the last one proposed can lose the copy that goes, and only that node knows', async () => {
    const documents = cluster.fill('documents', 90);
    const [first, second] = [await take(0), await take(1)];
    // As in a new cluster, whose shards are elsewhere: the first node takes shard 0 from the other two.
    documents.copies.place(0, [12, 13]);
    await recover(0, first.name);
    await recover(1, second.name);
    const states = new Set<string>();
    for (let time = 0; time < 40; time += 1) {
      await look();
      states.add(documents.copies.at(0, 11)?.state ?? 'none');
    }
    expect((await look(0)).remote_shards).toContainEqual({ shard_id: 0, peer_id: 12, state: 'Active' });
    expect((await look(1)).local_shards).not.toContainEqual(expect.objectContaining({ shard_id: 0 }));
    // A transfer from there always breaks off.
    expect([...states].sort()).toEqual(['Active', 'Dead', 'Recovery']);
    expect(documents.copies.at(0, 11)?.state).not.toBe('Active');
    await recover(1, second.name);
    for (let time = 0; time < 40; time += 1) {
      await look();
    }
    expect(documents.copies.list().every(({ copy }) => copy.state === 'Active' && !copy.phantom)).toBe(true);
  });

  test('of every node into a new cluster succeeds when each waits until all nodes have come to rest', async () => {
    const body = { vectors: { size: 4, distance: 'Cosine' }, shard_number: 3, replication_factor: 2 };
    await at(0, 'PUT', '/collections/documents', body);
    cluster.state.collection('documents').points = 90;
    const names: string[] = [];
    for (const node of [0, 1, 2]) {
      names.push((await take(node)).name);
      await cluster.node(node).stop();
    }
    cluster.state.forgetCluster();
    for (const node of cluster.nodes) {
      await node.startAgain({ lost: 'storage' });
    }
    await at(0, 'PUT', '/collections/documents', body);
    const { copies } = cluster.state.collection('documents');
    for (const [node, name] of names.entries()) {
      await recover(node, name);
      await rested(copies);
    }
    for (const node of [0, 1, 2]) {
      expect((await at(node, 'POST', '/collections/documents/points/count', {})).result).toEqual({ count: 90 });
    }
    expect(copies.list().some(({ copy }) => copy.phantom)).toBe(false);
  });

  test('leaves a shard alone that the node holds and the snapshot lacks', async () => {
    const documents = cluster.fill('documents', 90);
    const { name } = await take(0);
    documents.copies.place(1, [11, 12]);
    await recover(0, name);
    expect(statesOf(documents, 1)).toEqual({ 11: 'Active', 12: 'Active' });
  });

  test.each([
    ['vectors', { vectors: { size: 4, distance: 'Cosine', on_disk: true } }],
    ['shard number', { shard_number: 4 }],
  ])('is refused for other %s, and changes nothing', async (what, params) => {
    const documents = cluster.fill('documents', 90);
    const { name } = await take(0);
    documents.points = 0;
    Object.assign(documents.config.params, params);
    const { status, result } = await recover(0, name);
    expect([status, result]).toEqual([
      400,
      expect.stringContaining(`Snapshot is not compatible with existing collection: Collection ${what}`),
    ]);
    expect(documents.points).toBe(0);
  });

  test('of a file that is not there is refused', async () => {
    cluster.fill('documents', 90);
    expect(await recover(0, 'documents-11-2020-01-01-00-00-00.snapshot')).toMatchObject({ status: 400 });
    const other = { location: 'file:///etc/passwd', priority: 'snapshot' };
    expect((await at(0, 'PUT', `${SNAPSHOTS}/recover`, other)).status).toBe(403);
  });
});

describe('files', () => {
  const list = async (node: number) => (await at(node, 'GET', SNAPSHOTS)).result.map(({ name }: Json) => name);

  test('of an upload stay on the node, listed only when they are called a snapshot', async () => {
    cluster.fill('documents', 90);
    const { name } = await take(0);
    const kept = 'kept.snapshot';
    expect((await uploadTo(cluster.node(1), 0, name, kept)).status).toBe(200);
    expect((await uploadTo(cluster.node(1), 0, name, 'snapshot')).status).toBe(200);
    expect(await list(1)).toEqual([kept]);
    expect(cluster.state.uploads.map((file) => [file.peer, file.name])).toEqual([
      [12, kept],
      [12, 'snapshot'],
    ]);
    // The next one of this name takes its place, and both can be deleted.
    await uploadTo(cluster.node(1), 0, name, 'snapshot');
    expect(cluster.state.uploads).toHaveLength(2);
    for (const file of [kept, 'snapshot']) {
      expect((await at(1, 'DELETE', `${SNAPSHOTS}/${file}`)).status).toBe(200);
    }
    expect(cluster.state.uploads).toEqual([]);
  });

  test('of an upload are replaced by an empty one, which is refused', async () => {
    cluster.fill('documents', 90);
    const { name } = await take(0);
    await uploadTo(cluster.node(1), 0, name, 'snapshot');
    const form = new FormData();
    form.append('snapshot', new Blob([]), 'snapshot');
    const headers = { 'api-key': 'secret', connection: 'close' };
    const answer = await fetch(`${cluster.urls[1]}${SNAPSHOTS}/upload`, { method: 'POST', headers, body: form });
    expect(answer.status).toBe(500);
    expect(cluster.state.uploads).toEqual([{ peer: 12, collection: 'documents', name: 'snapshot' }]);
    expect(cluster.state.collection('documents').points).toBe(90);
  });

  test('of an upload stay on the volume too when the snapshots are in an object store, out of reach', async () => {
    cluster.state.sharedSnapshots = true;
    cluster.fill('documents', 90);
    const { name } = await take(0);
    await uploadTo(cluster.node(1), 0, name, 'kept.snapshot');
    expect(await list(1)).toEqual([name]);
    expect(cluster.state.uploads).toHaveLength(1);
    expect((await at(1, 'DELETE', `${SNAPSHOTS}/kept.snapshot`)).status).toBe(404);
  });

  test('in an object store are below the path of the snapshots, for all nodes, and outlive their node', async () => {
    cluster.state.sharedSnapshots = true;
    cluster.fill('documents', 90);
    const { name } = await take(2);
    expect(cluster.state.objectKeys()).toEqual([`snapshots/documents/${name}`]);
    expect(cluster.state.objectKeys('./snapshots/production')).toEqual([`snapshots/production/documents/${name}`]);
    await at(0, 'DELETE', '/cluster/peer/13?force=true');
    expect(await list(0)).toEqual([name]);
  });

  test('on a volume are of the node that has the volume, also under its next number', async () => {
    cluster.fill('documents', 90);
    const { name } = await take(2);
    expect([await list(1), await list(2)]).toEqual([[], [name]]);
    await cluster.node(2).stop();
    await at(0, 'DELETE', '/cluster/peer/13?force=true');
    await cluster.node(2).startAgain({ lost: 'storage' });
    expect(await list(2)).toEqual([name]);
    await cluster.node(2).stop();
    await cluster.node(2).startAgain({ lost: 'storage and snapshots' });
    expect(await list(2)).toEqual([]);
  });

  test('are there again when a collection is', async () => {
    cluster.fill('documents', 90);
    const { name } = await take(0);
    await at(0, 'DELETE', '/collections/documents');
    expect((await at(0, 'GET', SNAPSHOTS)).status).toBe(404);
    cluster.fill('documents', 0);
    expect(await list(0)).toEqual([name]);
  });
});
