// Decides how a node of a Qdrant cluster starts, before it does: with the data on its volume, as a new member of the
// cluster that there is, or as the first node of a new cluster.
//
// A cluster may begin only once: a node that begins a second one under the same names is Ready behind the same Service.
// A node that lost its volume looks like a new one, and a cluster that loads its collections does not listen yet, so
// neither an ordinal nor silence says that there is no cluster. Therefore a node with a new volume says so on its p2p
// port, where Qdrant will listen, for as long as it waits; and node 0 begins a cluster only when every other node has said
// it too. Whichever node has data says nothing, and is waited for.
//
// Source: qdrant/qdrant 1.19, src/main.rs (collections are loaded before any port is open), src/consensus.rs
// (--bootstrap is ignored by a node that has been in a cluster), src/tonic/api/raft_api.rs (a node cannot join at the
// address of a member that has shards).
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { QdrantClient } from './qdrant-client.mjs';
import { isNew, membersOf, NEW_VOLUME } from './qdrant-cluster.mjs';
import { shardsOn } from './qdrant-shards.mjs';

const { POD_NAME, QDRANT_API_KEY: apiKey, QDRANT_STORAGE, QDRANT_START_FILE } = process.env;
const interval = Number(process.env.QDRANT_LOOK_INTERVAL ?? '2') * 1000;
const ordinal = Number(POD_NAME.slice(POD_NAME.lastIndexOf('-') + 1));
/** Addresses of the nodes for their peers, and for clients, in the order of their ordinals. */
const uris = process.env.QDRANT_PEER_URIS.split(',');
const urls = process.env.QDRANT_NODE_URLS.split(',');
const others = uris.map((_, index) => index).filter((index) => index !== ordinal);

/**
 * Whether this node has been in a cluster: Qdrant writes its state before it joins, and then with the term 0.
 *
 * @throws when the state cannot be read; a volume in trouble is not a new one
 */
function hasJoined() {
  const text = unlessMissing(() => readFileSync(`${QDRANT_STORAGE}/raft_state.json`, 'utf8'));
  return text !== undefined && JSON.parse(text).state.hard_state.term > 0;
}

/** Whether there are collections, as after a time as a single node, which is in no cluster. */
function hasCollections() {
  return (unlessMissing(() => readdirSync(`${QDRANT_STORAGE}/collections`)) ?? []).length > 0;
}

function unlessMissing(read) {
  try {
    return read();
  } catch (error) {
    if (error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

/** Says on the p2p port that the volume is new; returns what ends it. */
async function announce() {
  const server = createServer((_, response) => response.end(NEW_VOLUME));
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    const { port } = new URL(uris[ordinal]);
    // Every address of the pod, of either family.
    server.listen({ port, host: process.env.QDRANT_LISTEN_HOST });
    server.once('listening', resolve);
  });
  return async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
}

/** What was said last of each subject, so that it is said once however often it is seen. */
const said = new Map();

function say(subject, text) {
  if (said.get(subject) !== text) {
    console.log(`${subject}${text}`);
  }
  said.set(subject, text);
}

/** What a node knows of its cluster; undefined when it is in none, or cannot be asked. */
async function clusterOf(index) {
  const client = new QdrantClient({ url: urls[index], apiKey }).impatient();
  try {
    return { client, members: await membersOf(client) };
  } catch (error) {
    say(`node ${index}: `, error.message);
    return undefined;
  }
}

/**
 * How the node joins a cluster, or why it has to wait: Qdrant refuses a node at the address of a member that has
 * shards, so the member that had this address before must be removed first.
 */
async function joining(index, { client, members }) {
  const [earlier] = [...members].filter(([, uri]) => sameAddress(uri, uris[ordinal])).map(([peer]) => peer);
  if (earlier !== undefined && (await shardsOn(client, earlier)).length > 0) {
    return {
      waiting:
        `this volume is new, but the cluster has shards on this node, as peer ${earlier}: if the volume is lost, ` +
        'set repair and sync; if it is not, give it back to the claim of this pod',
    };
  }
  return { start: ['--bootstrap', uris[index]], reason: `joining the cluster through node ${index}` };
}

function sameAddress(uri, other) {
  return new URL(uri).host === new URL(other).host;
}

/** Arguments that the node is started with and why, or what it waits for. */
async function look() {
  for (const index of others) {
    const cluster = await clusterOf(index);
    if (cluster !== undefined) {
      return joining(index, cluster);
    }
  }
  const known = await Promise.all(others.map((index) => isNew(uris[index])));
  if (known.every((answer) => answer)) {
    return ordinal === 0
      ? { start: [], reason: 'every other node has a new volume too; beginning a cluster' }
      : { waiting: 'every node has a new volume; waiting for node 0, which begins the cluster' };
  }
  const silent = others.filter((_, position) => !known[position]);
  return {
    waiting: `waiting for ${silent.map((index) => `node ${index}`).join(', ')}: in no cluster yet, and not new`,
  };
}

/** What the volume is, once it can be read. */
async function volume() {
  for (;;) {
    try {
      return { joined: hasJoined(), filled: hasCollections() };
    } catch (error) {
      say('', `the volume cannot be read, so it is unknown whether it is new: ${error.message}`);
    }
    await sleep(interval);
  }
}

/** Looks until the node can start. */
async function decide() {
  const { joined, filled } = await volume();
  if (joined) {
    return { start: [], reason: 'starting with the data of this node' };
  }
  // A single node that becomes one of several has data, and is not new to anybody.
  const end = filled ? async () => {} : await announce();
  for (; ; await sleep(interval)) {
    const found = await look().catch((error) => ({ waiting: error.message }));
    if (found.start !== undefined) {
      await end();
      return found;
    }
    say('', found.waiting);
  }
}

// Node.js as process 1 ignores SIGTERM unless it says otherwise.
process.on('SIGTERM', () => process.exit(143));

const { start, reason } = await decide();
console.log(reason);
writeFileSync(QDRANT_START_FILE, ['--uri', uris[ordinal], ...start].map((argument) => `${argument}\n`).join(''));
process.exit(0);
