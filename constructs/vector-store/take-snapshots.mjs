// Takes a snapshot of every collection on every node, and then deletes those beyond the number to keep.
//
// A snapshot holds the shards of its node only, so a copy of a collection is one snapshot for each node. Old ones go
// when every node has a new one; a node that is away keeps them all, and the run has failed when the rest is done.
// After a loss the new ones would push out those from before it. The size of a snapshot says nothing of that: deleted
// points stay in its files. So the collection remembers how many points it had at each run, and nothing is deleted for
// snapshots of far fewer.
import { QdrantError } from './qdrant-client.mjs';
import { nodesFromEnvironment } from './qdrant-cluster.mjs';
import { collectionNames, configOf, countPoints, pathOf, RESTORE_MARK } from './qdrant-collections.mjs';
import {
  isLoss,
  listSnapshots,
  membership,
  pointsAt,
  rememberRuns,
  runsOf,
  snapshotOf,
} from './qdrant-snapshot-files.mjs';

const nodes = nodesFromEnvironment();
const keep = Number(process.env.SNAPSHOTS_KEEP);
const tolerance = Number(process.env.SNAPSHOTS_TOLERANCE_PERCENT);
const mayShrink = process.env.SNAPSHOTS_MAY_SHRINK === 'true';
const shared = process.env.SNAPSHOT_STORAGE === 's3';
if (!Number.isInteger(keep) || keep < 1) {
  throw new Error(`SNAPSHOTS_KEEP is ${process.env.SNAPSHOTS_KEEP}, but must be a whole number from 1`);
}
if (!(tolerance >= 0 && tolerance <= 100)) {
  throw new Error(
    `SNAPSHOTS_TOLERANCE_PERCENT is ${process.env.SNAPSHOTS_TOLERANCE_PERCENT}, but must be from 0 to 100`,
  );
}

let failed = false;

/** What an action returns; undefined when it failed, which is told and remembered. */
async function attempt(what, action) {
  try {
    return await action();
  } catch (error) {
    console.error(`${what}: ${error.message}`);
    failed = true;
    return undefined;
  }
}

/** The new snapshot; undefined when there is none. */
function take({ name: node, client }, collection, points) {
  return attempt(`snapshot of ${collection} on ${node}`, async () => {
    const start = Date.now();
    const { name, size } = await client.post(`${pathOf(collection)}/snapshots?wait=true`);
    const seconds = (Date.now() - start) / 1000;
    console.log(JSON.stringify({ node, collection, name, size, seconds, points }));
    const snapshot = snapshotOf(name, collection, size);
    if (snapshot === undefined) {
      throw new Error(`is named ${name}, which is not how Qdrant names them; old ones cannot be told from others`);
    }
    return snapshot;
  });
}

/**
 * What a node has taken so far, the oldest first. Its volume has its own, also those of an earlier life under another
 * number; an object store lists those of all nodes.
 */
async function ownSnapshots({ client }, collection) {
  const listed = await listSnapshots(client, collection);
  if (!shared) {
    return listed;
  }
  const { peer } = await membership(client, collection);
  return listed.filter((snapshot) => snapshot.peer === peer);
}

/**
 * Deletes what earlier runs left behind on a node's volume beyond the number to keep, or it would be full and no run
 * could ever succeed again. Snapshots from after a loss, and those without a point, go first.
 */
async function makeRoom(node, collection, { runs, most }) {
  if (shared) {
    return;
  }
  await attempt(`old snapshots of ${collection} on ${node.name}`, async () => {
    const own = await ownSnapshots(node, collection);
    const isWorthLess = (points) => points === 0 || isLoss(points, most, tolerance);
    const poor = mayShrink ? [] : own.filter((snapshot) => isWorthLess(pointsAt(runs, snapshot)));
    const others = own.filter((snapshot) => !poor.includes(snapshot));
    await remove(node, collection, [...poor, ...others].slice(0, Math.max(0, own.length - keep)));
  });
}

/** Deletes the oldest; returns when the oldest that is left was taken, if there are as many as are kept. */
function prune(node, collection) {
  return attempt(`old snapshots of ${collection} on ${node.name}`, async () => {
    const own = await ownSnapshots(node, collection);
    await remove(node, collection, own.slice(0, -keep));
    return own.length < keep ? undefined : own.at(-keep).taken;
  });
}

/**
 * Deletes what nodes that are gone have left in the object store. A time before the oldest snapshots of the nodes that
 * are there cannot be restored any more, and theirs from after it may belong to one that can.
 */
async function pruneStrangers([{ name, client }], collection, oldestKept) {
  if (!shared || oldestKept.includes(undefined)) {
    return;
  }
  await attempt(`old snapshots of ${collection} of nodes that are gone`, async () => {
    const peers = [];
    for (const node of nodes) {
      peers.push((await membership(node.client, collection)).peer);
    }
    const listed = await listSnapshots(client, collection);
    const gone = listed.filter(({ peer, taken }) => !peers.includes(peer) && taken < Math.min(...oldestKept));
    await remove({ name, client }, collection, gone);
  });
}

async function remove({ name: node, client }, collection, snapshots) {
  for (const { name } of snapshots) {
    await client.delete(`${pathOf(collection)}/snapshots/${encodeURIComponent(name)}`).catch(unlessGone);
    console.error(`deleted ${name} on ${node}`);
  }
}

function unlessGone(error) {
  if (!(error instanceof QdrantError && error.status === 404)) {
    throw error;
  }
}

/** What the collection has now and had at earlier runs whose snapshots may still be there. */
function countsOf({ client }, collection) {
  return attempt(`points of ${collection}`, async () => {
    const points = await countPoints(client, collection);
    const { config } = await client.get(pathOf(collection));
    const listed = await listSnapshots(client, collection);
    const [oldest] = listed;
    const known = runsOf(config.metadata);
    // The run that took the oldest snapshot began before it was taken.
    const first = known.findLastIndex(({ begun }) => begun <= (oldest?.taken ?? Number.POSITIVE_INFINITY) + 1000);
    const runs = oldest === undefined ? [] : known.slice(Math.max(0, first));
    // As in a new cluster, which finds the snapshots of the one that is lost.
    const unknown = listed.some((snapshot) => pointsAt(runs, snapshot) === undefined);
    return { points, runs, unknown, most: Math.max(points, ...runs.map((run) => run.points)) };
  });
}

/** Whether the points of the collection are far fewer than they were, which is told. */
function isPoor(collection, counts) {
  const problem = mayShrink ? undefined : problemOf(counts);
  if (problem !== undefined) {
    console.error(
      `${collection}: ${problem}, so points may have been lost, and no snapshot is deleted; if they were deleted on ` +
        'purpose, set mayShrink until the snapshots from before are gone, or raise tolerance',
    );
    failed = true;
  }
  return problem !== undefined;
}

function problemOf({ points, most, unknown }) {
  if (isLoss(points, most, tolerance)) {
    return `has ${points} points, and had ${most} when an older snapshot was taken, which is more than ${tolerance} % apart`;
  }
  return points === 0 && unknown
    ? 'has no points, and there are older snapshots from when it may have had some'
    : undefined;
}

/** Whether a restoration is at work, or has broken off: snapshots of what it has come to would be taken for whole ones. */
async function isBeingRestored({ client }, collection) {
  const { metadata } = await configOf(client, collection);
  return metadata?.[RESTORE_MARK]?.state === 'running';
}

async function snapshotsOf(collection, holders) {
  const [first] = holders;
  const begun = Date.now();
  if (await attempt(`restoration of ${collection}`, () => isBeingRestored(first, collection))) {
    console.error(
      `${collection}: is being restored, or a restoration broke off; no snapshot is taken until it is done`,
    );
    failed = true;
    return;
  }
  const counts = await countsOf(first, collection);
  if (counts !== undefined) {
    const remembered = rememberRuns([...counts.runs, { begun, points: counts.points }]);
    await attempt(`points of ${collection}`, () => first.client.patch(pathOf(collection), remembered));
  }
  let complete = counts !== undefined && !isPoor(collection, counts) && holders.length === nodes.length;
  // One after the other: while one node is busy with it, the others answer.
  for (const node of holders) {
    await makeRoom(node, collection, counts ?? { runs: [], most: 0 });
    complete = (await take(node, collection, counts?.points)) !== undefined && complete;
  }
  if (complete) {
    const oldestKept = [];
    for (const node of holders) {
      oldestKept.push(await prune(node, collection));
    }
    await pruneStrangers(holders, collection, oldestKept);
  }
}

const known = [];
for (const node of nodes) {
  known.push({ node, names: await attempt(`collections of ${node.name}`, () => collectionNames(node.client)) });
}
const present = known.filter(({ names }) => names !== undefined);
for (const collection of [...new Set(present.flatMap(({ names }) => names))].sort()) {
  const holders = present.filter(({ names }) => names.includes(collection)).map(({ node }) => node);
  await snapshotsOf(collection, holders);
}

process.exitCode = failed ? 1 : 0;
