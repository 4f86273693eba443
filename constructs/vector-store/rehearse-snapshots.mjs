// Restores the newest snapshots into a Qdrant that is thrown away, and compares what comes back with what is there.
import { writeFileSync } from 'node:fs';
import { QdrantClient } from './qdrant-client.mjs';
import { memberAmong, nodesFromEnvironment } from './qdrant-cluster.mjs';
import { collectionsFromEnvironment, countPoints, pathOf } from './qdrant-collections.mjs';
import { listSnapshots, membership, transfer } from './qdrant-snapshot-files.mjs';

const { REHEARSAL_URL, REHEARSAL_TOLERANCE_PERCENT, REHEARSAL_DONE, SNAPSHOT_STORAGE: storage } = process.env;
const allowEmpty = process.env.REHEARSAL_ALLOW_EMPTY === 'true';
const percent = Number(REHEARSAL_TOLERANCE_PERCENT);
const nodes = nodesFromEnvironment();
const patience = Number(process.env.QDRANT_PATIENCE ?? '120') * 1000;
const scratch = new QdrantClient({ url: REHEARSAL_URL, patience });

/** The node that is asked about what there is. */
let member;

/** The newest snapshot of each node that holds shards, the oldest first. */
async function newestSnapshots(collection) {
  const found = [];
  for (const { name, client } of nodes) {
    const { peer, holdsShards } = await membership(client, collection);
    if (holdsShards) {
      const listed = await listSnapshots(client, collection);
      // An object store lists those of all nodes.
      const snapshot = listed.filter((candidate) => storage !== 's3' || candidate.peer === peer).at(-1);
      if (snapshot === undefined) {
        throw new Error(`has no snapshot on ${name}`);
      }
      found.push({ client, snapshot });
    }
  }
  return found.sort((a, b) => a.snapshot.taken - b.snapshot.taken);
}

/** Points that come back from the snapshots. */
async function tryOut(collection, snapshots) {
  try {
    for (const { client, snapshot } of snapshots) {
      await transfer(client, scratch, collection, snapshot.name);
    }
    return await countPoints(scratch, collection);
  } finally {
    await clear(collection);
  }
}

/** The next collection needs the space. */
async function clear(collection) {
  try {
    await scratch.delete(pathOf(collection));
  } catch (error) {
    console.error(`${collection}: ${error.message}`);
    process.exitCode = 1;
  }
}

async function rehearse(collection) {
  const start = Date.now();
  const snapshots = await newestSnapshots(collection);
  const live = await countPoints(member.client, collection);
  if (live === 0 && !allowEmpty) {
    throw new Error('has no points; restore them if they were lost, and set allowEmpty if there need not be any');
  }
  const restored = await tryOut(collection, snapshots);
  const seconds = (Date.now() - start) / 1000;
  const names = snapshots.map(({ snapshot }) => snapshot.name);
  console.log(JSON.stringify({ collection, restored, live, snapshots: names, seconds }));
  if (Math.abs(restored - live) * 100 > live * percent) {
    throw new Error(`came back with ${restored} points, but has ${live}, which is more than ${percent} % apart`);
  }
}

try {
  // The one beside this program may still be starting.
  await scratch.get('/collections');
  member = nodes.length === 1 ? nodes[0] : await memberAmong(nodes);
  for (const collection of await collectionsFromEnvironment(member.client)) {
    try {
      await rehearse(collection);
    } catch (error) {
      console.error(`${collection}: ${error.message}`);
      process.exitCode = 1;
    }
  }
} finally {
  // Ends the container beside this one; without it the Job would wait for its deadline.
  writeFileSync(REHEARSAL_DONE, '');
}
