// Takes a snapshot of every collection on every node, and then deletes those beyond the number to keep.
//
// A snapshot holds the shards of its node only, so a copy of a collection is one snapshot for each node. Old ones go
// when every node has a new one; a node that is away keeps them all, and the run has failed when the rest is done.
import { QdrantError } from './qdrant-client.mjs';
import { countPoints, listSnapshots, nodesFromEnvironment, pathOf, snapshotOf } from './qdrant-snapshot-files.mjs';

const nodes = nodesFromEnvironment();
const keep = Number(process.env.SNAPSHOTS_KEEP);
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
    const snapshot = snapshotOf(name, collection);
    if (snapshot === undefined) {
      throw new Error(`is named ${name}, which is not how Qdrant names them; old ones cannot be told from others`);
    }
    return snapshot;
  });
}

/** Deletes the oldest of those that the same node took before. */
function prune({ name: node, client }, collection, { peer }) {
  return attempt(`old snapshots of ${collection} on ${node}`, async () => {
    // An object store lists those of all nodes.
    const own = (await listSnapshots(client, collection)).filter((snapshot) => snapshot.peer === peer);
    for (const { name } of own.slice(0, -keep)) {
      await client.delete(`${pathOf(collection)}/snapshots/${encodeURIComponent(name)}`).catch(unlessGone);
      console.error(`deleted ${name} on ${node}`);
    }
  });
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
    taken.push({ node, snapshot: await take(node, collection, points) });
  }
  if (holders.length === nodes.length && taken.every(({ snapshot }) => snapshot !== undefined)) {
    for (const { node, snapshot } of taken) {
      await prune(node, collection, snapshot);
    }
  }
}

process.exitCode = failed ? 1 : 0;
