// Takes members whose volumes are lost out of the cluster, waits until their nodes have joined anew, and gives every
// shard as many copies as its collection wants, spread evenly. Safe to run again, wherever the last run ended.
//
// A node with a new volume says so and waits until its former member is gone (find-cluster.mjs); no other node is taken
// out. To remove a member that has shards takes force, and with it go its copies: they are on no volume any more, but the
// cluster believes in them.
import { setTimeout as sleep } from 'node:timers/promises';
import { isNew, memberAmong, membersOf, nodesFromEnvironment, peerOf } from './qdrant-cluster.mjs';
import { collectionNames, configOf, countLostShards, RESTORE_MARK } from './qdrant-collections.mjs';
import { layoutOf, level } from './qdrant-shards.mjs';

const { SHARD_INTERVAL = '1' } = process.env;
const acceptLoss = process.env.REPAIR_ACCEPT_LOSS === 'true';
const interval = Number(SHARD_INTERVAL) * 1000;
/** Milliseconds for a node to join. */
const patience = Number(process.env.REPAIR_PATIENCE ?? '1800') * 1000;
const nodes = nodesFromEnvironment();
/** Addresses of the nodes for their peers, in the order of their ordinals. */
const uris = process.env.QDRANT_PEER_URIS.split(',');

/** The node that is asked about the whole cluster. */
let client;

async function answers(node) {
  try {
    await membersOf(node.client.impatient());
    return true;
  } catch {
    return false;
  }
}

/** Shards of which only members that are taken out have an active copy. */
async function shardsLost(gone) {
  const found = [];
  for (const collection of await collectionNames(client)) {
    const { replicas } = await layoutOf(client, collection);
    const remaining = (shard) =>
      replicas.some((copy) => copy.shard === shard && copy.state === 'Active' && !gone.includes(copy.peer));
    const shards = [...new Set(replicas.map(({ shard }) => shard))].filter((shard) => !remaining(shard));
    found.push(...shards.map((shard) => `shard ${shard} of ${collection}`));
  }
  return found;
}

/** Takes out the members whose nodes have new volumes. */
async function forget(members) {
  const gone = [];
  for (const node of nodes) {
    const peer = peerOf(node, members);
    if (peer !== undefined && (await isNew(uris[node.ordinal]))) {
      console.log(`${node.name} has a new volume, but is a member, as peer ${peer}`);
      gone.push({ node, peer });
    }
  }
  const without = gone.length === 0 ? [] : await shardsLost(gone.map(({ peer }) => peer));
  if (without.length > 0 && !acceptLoss) {
    throw new Error(
      `${without.join(', ')}: no other node has an active copy, so these points would be gone; bring the volume back, ` +
        'or set acceptLoss and restore from snapshots afterwards',
    );
  }
  for (const { node, peer } of gone) {
    await client.delete(`/cluster/peer/${peer}?force=true`);
    while ((await membersOf(client)).has(peer)) {
      await sleep(interval);
    }
    console.log(`${node.name} is out of the cluster, with what it held as peer ${peer}`);
  }
}

/**
 * Waits until every node is a member of the cluster, and returns them with their peers. A pod may say only after a while
 * that its volume is new, so its member is looked for each time.
 */
async function joined() {
  const until = Date.now() + patience;
  for (;;) {
    await forget(await membersOf(client));
    const members = await membersOf(client);
    const found = [];
    for (const node of nodes) {
      const peer = peerOf(node, members);
      if (peer !== undefined && (await answers(node))) {
        found.push({ ...node, peer });
      }
    }
    if (found.length === nodes.length) {
      return found;
    }
    if (Date.now() > until) {
      const missing = nodes.filter(({ name }) => !found.some((node) => node.name === name)).map(({ name }) => name);
      throw new Error(`${missing.join(', ')} did not join within ${patience / 1000} s; see what its pod says`);
    }
    await sleep(interval);
  }
}

/** Tells how a collection has come out, which has failed when shards are lost and nobody has accepted that. */
function report(collection, lost) {
  if (lost === 0) {
    console.log(`${collection}: every shard has its copies`);
    return;
  }
  const found = `${collection}: ${lost} of its shards have no copy; restore it from snapshots`;
  if (acceptLoss) {
    console.log(found);
  } else {
    console.error(found);
    process.exitCode = 1;
  }
}

async function repair() {
  ({ client } = await memberAmong(nodes));
  const members = await joined();
  for (const collection of await collectionNames(client)) {
    const { params, metadata } = await configOf(client, collection);
    if (metadata?.[RESTORE_MARK]?.state === 'running') {
      console.log(`${collection}: is being restored, which makes its copies; left alone`);
      continue;
    }
    await level(members, collection, params.replication_factor ?? 1);
    report(collection, await countLostShards(client, collection));
  }
}

try {
  await repair();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
