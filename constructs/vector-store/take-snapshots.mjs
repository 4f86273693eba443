// Takes a snapshot of every collection on every node, and then deletes those beyond the number to keep.
//
// A snapshot holds the shards of its node only, so a copy of a collection is one snapshot for each node. Old ones go
// when every node has a new one; a node that is away keeps them all, and the run has failed when the rest is done.
// After a loss the new ones would push out those from before it, so none goes for one that is much smaller.
import { QdrantError } from './qdrant-client.mjs';
import {
  countPoints,
  isMuchSmaller,
  largestOf,
  listSnapshots,
  membership,
  nodesFromEnvironment,
  pathOf,
  snapshotOf,
} from './qdrant-snapshot-files.mjs';

const nodes = nodesFromEnvironment();
const keep = Number(process.env.SNAPSHOTS_KEEP);
const mayShrink = process.env.SNAPSHOTS_MAY_SHRINK === 'true';
const { SNAPSHOT_STORAGE: storage } = process.env;
if (!Number.isInteger(keep) || keep < 1) {
  throw new Error(`SNAPSHOTS_KEEP is ${process.env.SNAPSHOTS_KEEP}, but must be a whole number from 1`);
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
  if (storage !== 's3') {
    return listed;
  }
  const { peer } = await membership(client, collection);
  return listed.filter((snapshot) => snapshot.peer === peer);
}

/**
 * Deletes what earlier runs left behind on a node's volume beyond the number to keep, or it would be full and no run
 * could ever succeed again. Snapshots from after a loss go first.
 */
async function makeRoom(node, collection) {
  if (storage === 's3') {
    return;
  }
  await attempt(`old snapshots of ${collection} on ${node.name}`, async () => {
    const own = await ownSnapshots(node, collection);
    const largest = largestOf(own);
    const small = mayShrink ? [] : own.filter((snapshot) => isMuchSmaller(snapshot, largest));
    const others = own.filter((snapshot) => !small.includes(snapshot));
    await remove(node, collection, [...small, ...others].slice(0, Math.max(0, own.length - keep)));
  });
}

/** Whether a new snapshot may be one from after a loss, which is told. */
async function hasShrunk(node, collection, snapshot) {
  const found = await attempt(`old snapshots of ${collection} on ${node.name}`, async () => {
    const largest = largestOf(await ownSnapshots(node, collection));
    if (mayShrink || !isMuchSmaller(snapshot, largest)) {
      return 'no';
    }
    throw new Error(
      `${snapshot.name} has ${snapshot.size} bytes and ${largest.name} has ${largest.size}, so points may have been ` +
        'lost, and nothing is deleted; if they were deleted or moved on purpose, set mayShrink until larger ones are gone',
    );
  });
  return found === undefined;
}

/** Deletes the oldest. */
function prune(node, collection) {
  return attempt(`old snapshots of ${collection} on ${node.name}`, async () => {
    await remove(node, collection, (await ownSnapshots(node, collection)).slice(0, -keep));
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

async function collectionsOf({ name, client }) {
  const listed = await attempt(`collections of ${name}`, () => client.get('/collections'));
  return listed?.collections.map((collection) => collection.name);
}

const known = [];
for (const node of nodes) {
  known.push({ node, collections: await collectionsOf(node) });
}
const present = known.filter(({ collections }) => collections !== undefined);
const collections = [...new Set(present.flatMap((node) => node.collections))].sort();

for (const collection of collections) {
  const holders = present.filter((node) => node.collections.includes(collection)).map(({ node }) => node);
  const points = await attempt(`points of ${collection}`, () => countPoints(holders[0].client, collection));
  const taken = [];
  // One after the other: while one node is busy with it, the others answer.
  for (const node of holders) {
    await makeRoom(node, collection);
    const snapshot = await take(node, collection, points);
    taken.push(snapshot !== undefined && !(await hasShrunk(node, collection, snapshot)));
  }
  if (holders.length === nodes.length && taken.every((whole) => whole)) {
    for (const node of holders) {
      await prune(node, collection);
    }
  }
}

process.exitCode = failed ? 1 : 0;
