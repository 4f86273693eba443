// Brings collections back from the newest snapshots, each node from its own.
//
// It runs at every sync, so it leaves alone what has points. While it is at work the collection says so in its
// metadata: a run that finds that goes on where another broke off, instead of taking half a collection for a whole.
//
// Qdrant restores a shard on one node and then has the other copies of it filled from there, after the request is over.
// A second snapshot that meets this leaves copies that never become active. So the collection keeps one copy of each
// shard meanwhile: then Qdrant removes the others (content_manager/snapshots/recover.rs, replicas_to_remove), and the
// copies are made at the end, as many as before and spread evenly.
import { nodesFromEnvironment } from './qdrant-cluster.mjs';
import {
  collectionNames,
  collectionsFromEnvironment,
  configOf,
  countLostShards,
  countPoints,
  pathOf,
  RESTORE_MARK,
} from './qdrant-collections.mjs';
import { atRest, level } from './qdrant-shards.mjs';
import { isLoss, listSnapshots, membership, pointsAt, runsOf, snapshotOf, transfer } from './qdrant-snapshot-files.mjs';

/** Points for each shard from which on it is no accident that a shard has none. */
const POINTS_OF_A_FULL_SHARD = 50;

/** Times that a snapshot is restored when copies of its shards do not become active. */
const MAX_ATTEMPTS = 3;

const { RESTORE_BEFORE: bound = '', RESTORE_OVERWRITE: overwrite } = process.env;
const tolerance = Number(process.env.SNAPSHOTS_TOLERANCE_PERCENT);
const shared = process.env.SNAPSHOT_STORAGE === 's3';
const before = bound === '' ? Number.POSITIVE_INFINITY : Date.parse(bound);
const nodes = nodesFromEnvironment();
const [first] = nodes;

/**
 * Why the collection is left as it is; undefined when it is to be restored.
 *
 * @throws when it has points that may have been written since it was lost: what is left alone then would be taken for
 *   what was restored
 */
async function reasonToLeave(collection, state) {
  const { mark, lost, points } = state;
  if (mark?.state === 'running') {
    checkUnfinished(mark);
    console.error(`${collection}: an earlier run broke off; restoring again`);
    return undefined;
  }
  if (overwrite === 'true') {
    return mark?.state === 'done' && mark.before === bound ? `was restored to ${bound} already` : undefined;
  }
  if (lost > 0) {
    throw new Error(
      `has no copy of ${lost} of its shards, and what is left is older or newer than any snapshot; say with before and ` +
        'overwrite to which time all of it goes back',
    );
  }
  return points === 0 ? undefined : reasonToKeep(collection, state);
}

function checkUnfinished(mark) {
  if (mark.before !== bound) {
    throw new Error(`was left unfinished by a restoration to ${mark.before || 'the latest'}; finish that one first`);
  }
}

/** Why a collection with points is left as it is: it was restored, or has no fewer points than it had. */
async function reasonToKeep(collection, { mark, points, metadata }) {
  if (mark?.state === 'done' && mark.before === bound) {
    return `was restored to ${bound || 'the latest'} already`;
  }
  if (await mayHaveHadMore(collection, points, runsOf(metadata))) {
    throw new Error(
      `has ${points} points, which may have been written since it was lost; stop what writes to it, and say with before ` +
        'and overwrite to which time it goes back',
    );
  }
  return `has ${points} points and is left alone`;
}

/** Whether a collection has fewer points than at the time of a snapshot, or does not remember that time. */
async function mayHaveHadMore(collection, points, runs) {
  const snapshots = await listSnapshots(first.client, collection);
  const counts = snapshots.map((snapshot) => pointsAt(runs, snapshot));
  return counts.some((count) => count === undefined || isLoss(points, count, tolerance));
}

function change(collection, body) {
  return first.client.patch(pathOf(collection), body);
}

function marked(state, details) {
  return { metadata: { [RESTORE_MARK]: { state, before: bound, ...details } } };
}

/** Which node restores which snapshot, the oldest first: where two hold the same shard, the newer one stays. */
async function planOf(collection, metadata) {
  const members = [];
  for (const node of nodes) {
    const { peer } = await membership(node.client, collection);
    const snapshots = (await listSnapshots(node.client, collection)).filter(({ taken }) => taken <= before);
    members.push({ node, peer, snapshots });
  }
  const steps = shared ? sharedSteps(members) : ownSteps(members);
  if (bound === '') {
    checkCounts(steps, runsOf(metadata));
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
  // Those of a node that left long ago do no harm: what newer ones hold is restored after them.
  const orphans = [...newest.values()].filter(({ peer }) => !known.some((member) => member.peer === peer));
  return [
    ...known.map(({ node, peer }) => ({ node, snapshot: newest.get(peer) })),
    ...(fresh.length === 0
      ? []
      : orphans.map((snapshot, index) => ({ node: fresh[index % fresh.length].node, snapshot }))),
  ];
}

/**
 * Refuses the newest snapshots when they may be from after a loss, or from a new cluster that was never filled. What
 * the collection does not remember, as in a cluster that is new, cannot be judged.
 */
function checkCounts(steps, runs) {
  const most = Math.max(0, ...runs.map(({ points }) => points));
  for (const { snapshot } of steps) {
    const points = pointsAt(runs, snapshot);
    if (points === 0 || isLoss(points, most, tolerance)) {
      throw new Error(
        `had ${points} points when ${snapshot.name} was taken, and at most ${most} at other times that are ` +
          'remembered, so points may have been lost before the newest snapshots; say with before to which time it goes back',
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
  if (without.length > 0 && !shared) {
    throw new Error(`has no snapshot${bound === '' ? '' : ` from before ${bound}`} on ${without.join(', ')}`);
  }
}

/**
 * Restores a snapshot, again when that leaves copies of shards which do not become active. One of an earlier collection of
 * that name, with other vectors or shards, is passed over: Qdrant refuses it before it changes anything.
 */
async function recover(step, collection) {
  const start = Date.now();
  for (let attempt = 1; ; attempt += 1) {
    try {
      await recoverOnce(step, collection);
    } catch (error) {
      if (error.status !== 400 || !error.body.includes('not compatible')) {
        throw error;
      }
      console.error(`${collection}: ${step.snapshot.name} is passed over: ${error.body}`);
      return false;
    }
    const { stuck } = await atRest(nodes, collection);
    if (stuck.length === 0) {
      break;
    }
    const problem = `leaves copies of shards that do not become active: ${JSON.stringify(stuck)}`;
    if (attempt === MAX_ATTEMPTS) {
      throw new Error(`${step.snapshot.name} on ${step.node.name} ${problem}`);
    }
    console.error(`${collection}: ${step.snapshot.name} ${problem}; restoring it again`);
  }
  const seconds = (Date.now() - start) / 1000;
  console.log(JSON.stringify({ node: step.node.name, collection, name: step.snapshot.name, seconds }));
  return true;
}

async function recoverOnce({ node, snapshot }, collection) {
  if (shared) {
    await transfer(node.client, node.client, collection, snapshot.name);
    return;
  }
  const file = `${encodeURIComponent(collection)}/${encodeURIComponent(snapshot.name)}`;
  const body = { location: `${process.env.SNAPSHOT_DIRECTORY}/${file}`, priority: 'snapshot' };
  await node.client.put(`${pathOf(collection)}/snapshots/recover?wait=true`, body);
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

/** The steps of a restoration that broke off. */
function resumed(collection, { plan }) {
  return plan.map(([ordinal, name]) => ({ node: nodes[ordinal], snapshot: snapshotOf(name, collection) }));
}

/** Refuses a restoration in which no snapshot held a shard: points are spread evenly, so a shard without any was left out. */
async function checkShards(collection, points) {
  const counts = new Map();
  for (const { client } of nodes) {
    const { local_shards: shards } = await client.get(`${pathOf(collection)}/cluster`);
    for (const { shard_id: shard, points_count: count } of shards) {
      counts.set(shard, Math.max(count, counts.get(shard) ?? 0));
    }
  }
  const empty = [...counts].filter(([, count]) => count === 0).map(([shard]) => shard);
  if (empty.length > 0 && points >= counts.size * POINTS_OF_A_FULL_SHARD) {
    throw new Error(
      `came back with ${points} points, but shard ${empty.join(', ')} has none, so no snapshot held it; say with before and ` +
        'overwrite to a time for which every node has one',
    );
  }
}

/** The nodes with the numbers that they have in the cluster. */
async function peers() {
  const found = [];
  for (const node of nodes) {
    const { peer_id: peer } = await node.client.get('/cluster');
    found.push({ ...node, peer });
  }
  return found;
}

/** Settings of a collection, how far a restoration of it has come, its shards without a copy, and its points. */
async function stateOf(collection) {
  if (!(await collectionNames(first.client)).includes(collection)) {
    throw new Error('does not exist, and Qdrant lists the snapshots of a collection only while it does; create it');
  }
  const { params, metadata } = await configOf(first.client, collection);
  const mark = metadata?.[RESTORE_MARK];
  const lost = await countLostShards(first.client, collection);
  // A restoration that broke off may have left it unable to count, as a shard without a copy does.
  const countable = mark?.state !== 'running' && lost === 0;
  const points = countable ? await countPoints(first.client, collection) : undefined;
  return { params, metadata, mark, lost, points };
}

/** Restores every snapshot that fits the collection, with one copy of each shard meanwhile, and then makes the others. */
async function carryOut(collection, steps, copies) {
  const distributed = nodes.length > 1;
  const plan = steps.map(({ node, snapshot }) => [node.ordinal, snapshot.name]);
  await change(collection, {
    ...marked('running', { copies, plan }),
    ...(distributed ? { params: { replication_factor: 1 } } : {}),
  });
  let restored = 0;
  for (const step of steps) {
    restored += (await recover(step, collection)) ? 1 : 0;
  }
  if (restored === 0) {
    // Nothing has changed, so the next run may begin anew.
    const back = distributed ? { params: { replication_factor: copies } } : {};
    await change(collection, { metadata: { [RESTORE_MARK]: null }, ...back });
    throw new Error('has no snapshot that fits it, and stays as it was');
  }
  if (distributed) {
    await change(collection, { params: { replication_factor: copies } });
    await level(await peers(), collection, copies);
  }
}

async function restore(collection) {
  const state = await stateOf(collection);
  const { params, metadata, mark, points: pointsBefore } = state;
  const reason = await reasonToLeave(collection, state);
  if (reason !== undefined) {
    console.log(JSON.stringify({ collection, points: pointsBefore, left: reason }));
    return;
  }
  const running = mark?.state === 'running';
  // Snapshots that were taken since it broke off may be of what it had come to.
  const steps = running ? resumed(collection, mark) : await planOf(collection, metadata);
  if (steps.length === 0 && process.env.QDRANT_COLLECTIONS === undefined) {
    console.log(JSON.stringify({ collection, points: pointsBefore, left: 'has no snapshot' }));
    return;
  }
  check(steps);
  if (!running && nodes.length > 1) {
    await atRest(nodes, collection);
  }
  await carryOut(collection, steps, running ? mark.copies : (params.replication_factor ?? 1));
  const points = await verifiedCount(collection);
  await checkShards(collection, points);
  await change(collection, marked('done', {}));
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
