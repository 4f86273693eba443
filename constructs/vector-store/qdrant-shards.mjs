// What the programs beside it know of shards: which nodes hold copies of them, when these are at rest, and how there
// come to be as many copies as there should be, spread evenly.
//
// Qdrant makes no copies by itself. Each node has a view of its own, and what a request causes is proposed to the cluster
// after the request has been answered, so one look at one node proves nothing: before and after each step the views of
// all nodes must agree for a while. Source: qdrant/qdrant 1.19, content_manager/snapshots/recover.rs; issue #7851.
import { setTimeout as sleep } from 'node:timers/promises';
import { collectionNames, pathOf } from './qdrant-collections.mjs';

/** Looks in a row that must see the same copies, all active. */
const LOOKS_AT_REST = 5;

/** Looks in a row at copies that are neither active nor on their way, after which they do not get there by themselves. */
const LOOKS_STUCK = 20;

/** Times that the same change is ordered; a transfer that breaks off leaves everything as it was. */
const MAX_ORDERS = 3;

/** Seconds between two looks, and the longest wait for copies to come to rest. */
const { SHARD_INTERVAL = '1', SHARD_PATIENCE = '7200' } = process.env;
const interval = Number(SHARD_INTERVAL) * 1000;
const patience = Number(SHARD_PATIENCE) * 1000;

/** The copies of a collection's shards and those on their way, as one node sees them. */
export async function layoutOf(client, collection) {
  const found = await client.get(`${pathOf(collection)}/cluster`);
  const local = found.local_shards.map((shard) => ({ ...shard, peer_id: found.peer_id }));
  const replicas = [...local, ...found.remote_shards]
    .map(({ shard_id: shard, peer_id: peer, state }) => ({ shard, peer, state }))
    .sort((a, b) => a.shard - b.shard || a.peer - b.peer);
  const transfers = found.shard_transfers
    .map(({ shard_id: shard, from, to }) => ({ shard, from, to }))
    .sort((a, b) => a.shard - b.shard || a.to - b.to);
  return { peer: found.peer_id, replicas, transfers };
}

/** Every shard that a peer holds a copy of, of every collection. */
export async function shardsOn(client, peer) {
  const found = [];
  for (const collection of await collectionNames(client)) {
    const { replicas } = await layoutOf(client, collection);
    found.push(...replicas.filter((replica) => replica.peer === peer).map(({ shard }) => ({ collection, shard })));
  }
  return found;
}

/** The layout that a node sees; none while it has just joined and does not know the collection yet. */
async function viewOf({ client }, collection) {
  try {
    return await layoutOf(client, collection);
  } catch (error) {
    if (error.status === 404) {
      return { replicas: [], transfers: [] };
    }
    throw error;
  }
}

/** What all nodes see of a collection; `agreed` when they see the same and nothing is on its way. */
async function lookAt(nodes, collection) {
  const views = await Promise.all(nodes.map((node) => viewOf(node, collection)));
  const texts = views.map(({ replicas, transfers }) => JSON.stringify({ replicas, transfers }));
  const [{ replicas, transfers }] = views;
  return {
    text: texts[0],
    agreed: texts.every((text) => text === texts[0]) && replicas.length > 0 && transfers.length === 0,
    replicas,
    stuck: replicas.filter(({ state }) => state !== 'Active'),
  };
}

/**
 * Waits until the copies are at rest: every node sees the same ones, all of them active and none on its way.
 *
 * @param {{ client: object }[]} nodes
 * @param {string} collection
 * @returns the layout; `stuck` are copies that will not become active by themselves
 */
export async function atRest(nodes, collection) {
  const until = Date.now() + patience;
  for (let looks = 0, last; ; ) {
    const seen = await lookAt(nodes, collection);
    looks = seen.agreed && seen.text === last ? looks + 1 : 1;
    last = seen.text;
    if (seen.agreed && looks >= (seen.stuck.length === 0 ? LOOKS_AT_REST : LOOKS_STUCK)) {
      return seen;
    }
    if (Date.now() > until) {
      throw new Error(`has shards that have not come to rest: ${seen.text}`);
    }
    await sleep(interval);
  }
}

/**
 * What to do next so that every shard has as many copies as wanted, and every peer as many copies as the others;
 * undefined when that is so. All copies are active.
 */
export function nextChange(replicas, peers, wanted) {
  const load = (peer) => replicas.filter((replica) => replica.peer === peer).length;
  const holds = (peer, shard) => replicas.some((replica) => replica.peer === peer && replica.shard === shard);
  const byLoad = peers.toSorted((a, b) => load(a) - load(b));
  const shards = [...new Set(replicas.map(({ shard }) => shard))];
  for (const shard of shards) {
    const holders = byLoad.filter((peer) => holds(peer, shard));
    if (holders.length < wanted) {
      const to = byLoad.find((peer) => !holds(peer, shard));
      return to === undefined
        ? undefined
        : { replicate_shard: { shard_id: shard, from_peer_id: holders[0], to_peer_id: to } };
    }
    if (holders.length > wanted) {
      return { drop_replica: { shard_id: shard, peer_id: holders.at(-1) } };
    }
  }
  const [least, most] = [byLoad[0], byLoad.at(-1)];
  if (load(most) - load(least) < 2) {
    return undefined;
  }
  const shard = shards.find((candidate) => holds(most, candidate) && !holds(least, candidate));
  return { move_shard: { shard_id: shard, from_peer_id: most, to_peer_id: least } };
}

/**
 * Gives every shard of a collection as many copies as wanted, spread evenly over the nodes. One change at a time: each
 * begins when the one before is over on every node.
 *
 * @param {{ name: string, peer: number, client: object }[]} nodes every node of the cluster
 * @param {string} collection
 * @param {number} copies
 */
export async function level(nodes, collection, copies) {
  const peers = nodes.map(({ peer }) => peer);
  const wanted = Math.min(copies, peers.length);
  const orders = new Map();
  for (;;) {
    const { replicas, stuck } = await atRest(nodes, collection);
    if (stuck.length > 0) {
      throw new Error(`has copies of shards that do not become active: ${JSON.stringify(stuck)}`);
    }
    const change = nextChange(replicas, peers, wanted);
    if (change === undefined) {
      return replicas;
    }
    const text = shown(change, nodes);
    orders.set(text, (orders.get(text) ?? 0) + 1);
    if (orders.get(text) > MAX_ORDERS) {
      throw new Error(`still ${text} after ${MAX_ORDERS} attempts`);
    }
    console.log(`${collection}: ${text}`);
    await nodes[0].client.post(`${pathOf(collection)}/cluster`, change);
  }
}

/** A change as a person reads it. */
function shown({ replicate_shard: copied, move_shard: moved, drop_replica: dropped }, nodes) {
  const name = (peer) => nodes.find((node) => node.peer === peer).name;
  if (dropped !== undefined) {
    return `has one copy of shard ${dropped.shard_id} too many; dropping that on ${name(dropped.peer_id)}`;
  }
  return copied === undefined
    ? `moves shard ${moved.shard_id} from ${name(moved.from_peer_id)} to ${name(moved.to_peer_id)}`
    : `copies shard ${copied.shard_id} from ${name(copied.from_peer_id)} to ${name(copied.to_peer_id)}`;
}
