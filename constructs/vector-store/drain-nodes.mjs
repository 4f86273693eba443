// Moves every shard off the nodes whose ordinal is QDRANT_DRAIN_TO or more, takes these nodes out of the cluster, and
// waits until they have stopped. No copy is given up before every node that remains has its own. Safe to run again,
// wherever the last run ended.
//
// Source: Qdrant 1.19 docs, "Distributed deployment", "Moving shards", "Node removal".
import { setTimeout as sleep } from 'node:timers/promises';
import { QdrantError } from './qdrant-client.mjs';
import { memberAmong, membersOf, nodesFromEnvironment, peerOf } from './qdrant-cluster.mjs';
import { collectionNames, configOf, pathOf } from './qdrant-collections.mjs';
import { layoutOf, shardsOn } from './qdrant-shards.mjs';

/** Times that one shard is told to move; a transfer that breaks off leaves it where it was. */
const MAX_ORDERS = 3;

/** Times that a node is looked through; collections may be created meanwhile. */
const MAX_ROUNDS = 3;

const keep = numberFrom('QDRANT_DRAIN_TO');
/** Most seconds for one shard to leave. */
const patience = numberFrom('QDRANT_DRAIN_PATIENCE', '7200');
/** Seconds between two looks. */
const interval = numberFrom('QDRANT_DRAIN_INTERVAL', '2');

const nodes = nodesFromEnvironment();

/** A node that remains, which is asked about the whole cluster. */
let client;

/** Shards of all collections on each node that remains, by peer. */
const load = new Map();

function numberFrom(name, usual) {
  const value = Number(process.env[name] ?? usual);
  if (!(value >= 0)) {
    throw new Error(`${name} is ${process.env[name]}, but must be a number from 0`);
  }
  return value;
}

/** Refuses before anything moves: with fewer nodes than copies, a copy would be lost for ever. */
async function checkReplication() {
  const problems = [];
  for (const collection of await collectionNames(client)) {
    const { params } = await configOf(client, collection);
    const copies = params.replication_factor ?? 1;
    if (copies > keep) {
      problems.push(
        `collection ${collection} keeps ${copies} copies of each shard, but only ${keep} of ${nodes.length} nodes ` +
          `would remain; lower its replication factor to ${keep}, or keep ${Math.max(copies, 3)} nodes`,
      );
    }
  }
  if (problems.length > 0) {
    throw new Error(problems.join('\n'));
  }
}

/** The nodes that remain, with their peers; each must be there to take shards. */
async function remainingNodes() {
  const known = await membersOf(client);
  const remaining = [];
  for (const node of nodes.slice(0, keep)) {
    const { peer_id: peer } = await node.client.get('/cluster');
    if (!known.has(peer)) {
      throw new Error(`${node.name} remains, but is not in the cluster`);
    }
    remaining.push({ ...node, peer });
  }
  return remaining;
}

/** Counts the shards of the nodes that remain, so that new ones are spread evenly. */
async function countLoad(remaining) {
  for (const { peer } of remaining) {
    load.set(peer, (await shardsOn(client, peer)).length);
  }
}

/** A node that goes, as the cluster knows it; undefined when it is no member any more. */
async function memberOf(node) {
  const peer = peerOf(node, await membersOf(client));
  if (peer === undefined) {
    return undefined;
  }
  try {
    await node.client.get('/cluster');
    return { ...node, peer, answers: true };
  } catch (error) {
    if (!(error instanceof QdrantError) || error.status !== undefined) {
      throw error;
    }
    return { ...node, peer, answers: false };
  }
}

/** Among the nodes without this shard the one with the fewest of its collection, and then the fewest of all. */
function leastLoaded(candidates, { replicas }) {
  const inCollection = ({ peer }) => replicas.filter((replica) => replica.peer === peer).length;
  return candidates.toSorted((a, b) => inCollection(a) - inCollection(b) || load.get(a.peer) - load.get(b.peer))[0];
}

/** What is to be done with a shard on a node that goes; undefined while a copy of it is not whole. */
function nextStep(layout, shard, from, remaining) {
  const copies = layout.replicas.filter((replica) => replica.shard === shard);
  const holds = ({ peer }) => copies.some((copy) => copy.peer === peer);
  const isActive = (peer) => copies.some((copy) => copy.peer === peer && copy.state === 'Active');
  const target = leastLoaded(
    remaining.filter((node) => !holds(node)),
    layout,
  );
  if (target === undefined) {
    const step = { text: `drops shard ${shard}, which every node that remains has`, drop: true };
    return remaining.every(({ peer }) => isActive(peer)) ? step : undefined;
  }
  const step = { text: `moves shard ${shard} to ${target.name}`, target };
  return isActive(from.peer) ? step : undefined;
}

async function order(collection, shard, from, { text, target }) {
  console.log(`${collection}: ${from.name} ${text}`);
  const change =
    target === undefined
      ? { drop_replica: { shard_id: shard, peer_id: from.peer } }
      : { move_shard: { shard_id: shard, from_peer_id: from.peer, to_peer_id: target.peer } };
  try {
    await client.post(`${pathOf(collection)}/cluster`, change);
    if (target !== undefined) {
      load.set(target.peer, load.get(target.peer) + 1);
    }
  } catch (error) {
    // Whether it was done none the less, the next look tells.
    console.error(error.message);
  }
}

/** How it stands with a shard on a node that goes: whether it has left, what to do next, or what is waited for. */
async function look(collection, shard, from, remaining) {
  const layout = await layoutOf(client, collection);
  if (!layout.replicas.some((replica) => replica.shard === shard && replica.peer === from.peer)) {
    return { left: true };
  }
  if (layout.transfers.some((transfer) => transfer.shard === shard)) {
    return { waiting: 'it is on its way' };
  }
  const step = nextStep(layout, shard, from, remaining);
  return step === undefined ? { waiting: 'a copy of it is not active' } : { step };
}

/** Has one shard leave a node, and returns when it has. */
async function clear(collection, shard, from, remaining) {
  const what = `${collection}: shard ${shard}`;
  const until = Date.now() + patience * 1000;
  let orders = 0;
  for (;;) {
    const { left, step, waiting } = await look(collection, shard, from, remaining);
    if (left) {
      console.log(`${what} has left ${from.name}`);
      return;
    }
    if (Date.now() > until) {
      throw new Error(`${what} is still on ${from.name} after ${patience} s: ${waiting ?? 'it does not move'}`);
    }
    if (step !== undefined) {
      if (orders === MAX_ORDERS) {
        throw new Error(`${what} is still on ${from.name} after ${orders} attempts to move it`);
      }
      orders += 1;
      await order(collection, shard, from, step);
    }
    await sleep(interval * 1000);
  }
}

/** Has every shard leave a node. */
async function empty(node, remaining) {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const shards = await shardsOn(client, node.peer);
    if (shards.length === 0) {
      console.log(`${node.name} holds no shard`);
      return;
    }
    if (!node.answers) {
      throw new Error(`${node.name} does not answer, but holds ${shards.length} shards; bring it up and run again`);
    }
    for (const { collection, shard } of shards) {
      await clear(collection, shard, node, remaining);
    }
  }
  throw new Error(`${node.name} gets new shards while it is drained; stop creating collections and run again`);
}

/** Takes an empty node out of the cluster; Qdrant itself refuses one with shards. */
async function remove(node) {
  try {
    await client.delete(`/cluster/peer/${node.peer}`);
  } catch (error) {
    if ((await membersOf(client)).has(node.peer)) {
      throw error;
    }
  }
  const until = Date.now() + patience * 1000;
  while ((await membersOf(client)).has(node.peer)) {
    if (Date.now() > until) {
      throw new Error(`${node.name} is still in the cluster ${patience} s after it was removed`);
    }
    await sleep(interval * 1000);
  }
  console.log(`${node.name} is out of the cluster`);
}

/**
 * Waits until a node that was removed has stopped, which its start script sees to: until then it is Ready and answers
 * the requests that the Service sends it with errors.
 */
async function waitForEnd({ name, client: removed }) {
  const until = Date.now() + patience * 1000;
  while (await answers(removed)) {
    if (Date.now() > until) {
      throw new Error(`${name} is out of the cluster, but still answers ${patience} s later; delete its pod`);
    }
    await sleep(interval * 1000);
  }
  console.log(`${name} has stopped`);
}

async function answers(removed) {
  try {
    await removed.impatient().get('/cluster');
    return true;
  } catch (error) {
    return error.status !== undefined;
  }
}

async function drain() {
  if (!Number.isInteger(keep) || keep < 1 || keep >= nodes.length) {
    throw new Error(`QDRANT_DRAIN_TO is ${keep}, but must be from 1 to ${nodes.length - 1}`);
  }
  ({ client } = await memberAmong(nodes.slice(0, keep)));
  await checkReplication();
  const remaining = await remainingNodes();
  await countLoad(remaining);
  for (const node of nodes.slice(keep).reverse()) {
    const member = await memberOf(node);
    if (member === undefined) {
      console.log(`${node.name} was out of the cluster already`);
    } else {
      await empty(member, remaining);
      await remove(member);
    }
    await waitForEnd(node);
  }
  console.log(`done: ${keep} of ${nodes.length} nodes are in use`);
}

try {
  await drain();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
