// Brings collections back from the newest snapshots, each node from its own.
//
// It runs at every sync, so it leaves alone what has points. While it is at work the collection says so in its
// metadata: a run that finds that goes on where another broke off, instead of taking half a collection for a whole.
// After a loss the newest snapshots may be of what was left, so without a time much smaller ones are refused.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  collectionsFromEnvironment,
  countPoints,
  isMuchSmaller,
  largestOf,
  listSnapshots,
  membership,
  nodesFromEnvironment,
  pathOf,
  transfer,
} from './qdrant-snapshot-files.mjs';

const MARK = 'cdk8s-rag/restore';
const DAY = 24 * 60 * 60 * 1000;

const { RESTORE_BEFORE: bound = '', RESTORE_OVERWRITE: overwrite, SNAPSHOT_STORAGE: storage } = process.env;
const settleTime = Number(process.env.RESTORE_SETTLE ?? '3600') * 1000;
const before = bound === '' ? Number.POSITIVE_INFINITY : Date.parse(bound);
const nodes = nodesFromEnvironment();
const [first] = nodes;

/** Why the collection is left as it is; undefined when it is to be restored. */
async function reasonToLeave(collection, points) {
  const { config } = await first.client.get(pathOf(collection));
  const mark = config.metadata?.[MARK];
  if (mark?.state === 'running') {
    if (mark.before !== bound) {
      throw new Error(`was left unfinished by a restoration to ${mark.before || 'the latest'}; finish that one first`);
    }
    console.error(`${collection}: an earlier run broke off; restoring again`);
    return undefined;
  }
  if (points > 0 && overwrite !== 'true') {
    return `has ${points} points and is left alone`;
  }
  return overwrite === 'true' && mark?.state === 'done' && mark.before === bound
    ? `was restored to ${bound} already`
    : undefined;
}

function mark(collection, state) {
  return first.client.patch(pathOf(collection), { metadata: { [MARK]: { state, before: bound } } });
}

/** Which node restores which snapshot, the oldest first: where two hold the same shard, the newer one stays. */
async function planOf(collection) {
  const members = [];
  for (const node of nodes) {
    const { peer } = await membership(node.client, collection);
    const snapshots = (await listSnapshots(node.client, collection)).filter(({ taken }) => taken <= before);
    members.push({ node, peer, snapshots });
  }
  const steps = storage === 's3' ? sharedSteps(members) : ownSteps(members);
  if (bound === '') {
    checkSizes(members, steps);
  }
  return steps.sort((a, b) => a.snapshot.taken - b.snapshot.taken);
}

/** Each node has its own snapshots on its own disk, also those of an earlier life under another number. */
function ownSteps(members) {
  return members.flatMap(({ node, snapshots }) => snapshots.slice(-1).map((snapshot) => ({ node, snapshot })));
}

/** In an object store each node finds those of all; nodes that are new take those of nodes that are gone. */
function sharedSteps(members) {
  const [{ snapshots }] = members;
  const newest = new Map(snapshots.map((snapshot) => [snapshot.peer, snapshot]));
  const known = members.filter(({ peer }) => newest.has(peer));
  const fresh = members.filter(({ peer }) => !newest.has(peer));
  const latest = snapshots.at(-1)?.taken ?? 0;
  const orphans = [...newest.values()].filter(
    // A node that left long ago has snapshots too, of shards that others hold since then.
    ({ peer, taken }) => !known.some((member) => member.peer === peer) && taken > latest - DAY,
  );
  return [
    ...known.map(({ node, peer }) => ({ node, snapshot: newest.get(peer) })),
    ...(fresh.length === 0
      ? []
      : orphans.map((snapshot, index) => ({ node: fresh[index % fresh.length].node, snapshot }))),
  ];
}

/** Refuses the newest snapshots when they may be from after a loss. */
function checkSizes(members, steps) {
  const ofNode = ({ node }) => members.find((member) => member.node === node).snapshots;
  const sets = steps.map((step) => ({
    chosen: step.snapshot,
    candidates: ofNode(step).filter(({ peer }) => storage !== 's3' || peer === step.snapshot.peer),
  }));
  if (storage === 's3' && steps.length > 0) {
    // The nodes of a new cluster have snapshots of their own, beside those of the one that is lost.
    sets.push({ chosen: largestOf(steps.map(({ snapshot }) => snapshot)), candidates: members[0].snapshots });
  }
  for (const { chosen, candidates } of sets) {
    const largest = largestOf(candidates);
    if (isMuchSmaller(chosen, largest)) {
      throw new Error(
        `has ${chosen.name} of ${chosen.size} bytes, but also ${largest.name} of ${largest.size}, so points may have ` +
          'been lost before the newest snapshots; say with before to which time it goes back',
      );
    }
  }
}

/** Refuses before anything is changed what would leave a mixture of old and new. */
function check(steps) {
  if (steps.length === 0) {
    throw new Error(`has no snapshot${bound === '' ? '' : ` from before ${bound}`}`);
  }
  const without = nodes.filter((node) => !steps.some((step) => step.node === node)).map(({ name }) => name);
  // In an object store nothing is lost with a node, and a cluster may have more nodes than it had.
  if (without.length > 0 && storage !== 's3') {
    throw new Error(`has no snapshot${bound === '' ? '' : ` from before ${bound}`} on ${without.join(', ')}`);
  }
}

async function recover({ node, snapshot }, collection) {
  const start = Date.now();
  if (storage === 's3') {
    await transfer(node.client, node.client, collection, snapshot.name);
  } else {
    const file = `${encodeURIComponent(collection)}/${encodeURIComponent(snapshot.name)}`;
    const body = { location: `file:///qdrant/snapshots/${file}`, priority: 'snapshot' };
    await node.client.put(`${pathOf(collection)}/snapshots/recover?wait=true`, body);
  }
  await settle(collection, { atEnd: false });
  const seconds = (Date.now() - start) / 1000;
  console.log(JSON.stringify({ node: node.name, collection, name: snapshot.name, seconds }));
}

/**
 * Waits until no shard is on its way: the next snapshot must not meet a transfer of the last. Shards that are not
 * active may belong to a snapshot that is still to come; at the end all must be.
 */
async function settle(collection, { atEnd }) {
  const until = Date.now() + settleTime;
  for (;;) {
    const { local_shards, remote_shards, shard_transfers } = await first.client.get(`${pathOf(collection)}/cluster`);
    const inactive = [...local_shards, ...remote_shards].filter(({ state }) => state !== 'Active');
    if (shard_transfers.length === 0 && (inactive.length === 0 || !atEnd)) {
      return;
    }
    if (Date.now() > until) {
      const pending = JSON.stringify({ inactive, transfers: shard_transfers.length });
      throw new Error(`has shards that have not come to rest: ${pending}`);
    }
    await sleep(1000);
  }
}

/** What every node counts, which must be the same. */
async function verifiedCount(collection) {
  const { status } = await first.client.get(pathOf(collection));
  const counts = [];
  for (const { client } of nodes) {
    counts.push(await countPoints(client, collection));
  }
  if (status === 'red' || new Set(counts).size !== 1) {
    throw new Error(`is ${status}, and the nodes count ${counts.join(', ')} points`);
  }
  return counts[0];
}

async function restore(collection) {
  if ((await first.client.find(pathOf(collection))) === undefined) {
    throw new Error('does not exist, and Qdrant lists the snapshots of a collection only while it does; create it');
  }
  const pointsBefore = await countPoints(first.client, collection);
  const reason = await reasonToLeave(collection, pointsBefore);
  if (reason !== undefined) {
    console.log(JSON.stringify({ collection, points: pointsBefore, left: reason }));
    return;
  }
  const steps = await planOf(collection);
  if (steps.length === 0 && process.env.QDRANT_COLLECTIONS === undefined) {
    console.log(JSON.stringify({ collection, points: pointsBefore, left: 'has no snapshot' }));
    return;
  }
  check(steps);
  await mark(collection, 'running');
  for (const step of steps) {
    await recover(step, collection);
  }
  await settle(collection, { atEnd: true });
  const points = await verifiedCount(collection);
  await mark(collection, 'done');
  console.log(JSON.stringify({ collection, pointsBefore, points }));
}

for (const collection of await collectionsFromEnvironment(first.client)) {
  try {
    await restore(collection);
  } catch (error) {
    console.error(`${collection}: ${error.message}`);
    process.exitCode = 1;
  }
}
