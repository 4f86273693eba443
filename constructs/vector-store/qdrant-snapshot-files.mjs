// What the programs beside it know of snapshots: their names, who took them and when, and how one gets from here to there.
import { randomUUID } from 'node:crypto';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isPassing, QdrantClient, QdrantError } from './qdrant-client.mjs';

/** Waits before a transfer is begun again, in milliseconds; a client that is less patient waits less. */
const WAITS = [5000, 30_000];

/** Qdrant names a snapshot after its collection, the peer that took it and the second in UTC. */
const NAME = /^(.+)-(\d+)-(\d{4})-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)\.snapshot$/;

/** The nodes of the variable QDRANT_NODE_URLS, in the order of their ordinals. */
export function nodesFromEnvironment() {
  const urls = (process.env.QDRANT_NODE_URLS ?? '').split(',').filter((url) => url !== '');
  if (urls.length === 0) {
    throw new Error('QDRANT_NODE_URLS is missing');
  }
  return urls.map((url) => ({ name: new URL(url).host, client: QdrantClient.fromEnvironment({ url }) }));
}

/** The collections of the variable QDRANT_COLLECTIONS, separated by commas; all that there are without it. */
export async function collectionsFromEnvironment(client) {
  const named = (process.env.QDRANT_COLLECTIONS ?? '').split(',').filter((name) => name !== '');
  if (named.length > 0) {
    return named;
  }
  const { collections } = await client.get('/collections');
  return collections.map(({ name }) => name).sort();
}

/** Path of a collection. */
export function pathOf(collection) {
  return `/collections/${encodeURIComponent(collection)}`;
}

/** Points of a collection, counted one by one over all its shards. */
export async function countPoints(client, collection) {
  const { count } = await client.post(`${pathOf(collection)}/points/count`, { exact: true });
  return count;
}

/**
 * The snapshots of a collection that a node lists, the oldest first; in an object store, those of every node.
 * What Qdrant did not name itself is left out.
 */
export async function listSnapshots(client, collection) {
  const listed = await client.get(`${pathOf(collection)}/snapshots`);
  const snapshots = listed.flatMap(({ name, size }) => snapshotOf(name, collection, size) ?? []);
  return snapshots.sort((a, b) => a.taken - b.taken);
}

/** What the name of a snapshot says, and its bytes; undefined when it is none of this collection. */
export function snapshotOf(name, collection, size) {
  const [, of, peer, year, month, ...rest] = NAME.exec(name) ?? [];
  if (of !== collection) {
    return undefined;
  }
  const [day, hour, minute, second] = rest;
  return { name, peer, size, taken: Date.UTC(year, month - 1, day, hour, minute, second) };
}

/** The largest of several snapshots; undefined when there is none. */
export function largestOf(snapshots) {
  return snapshots.reduce(
    (largest, snapshot) => (snapshot.size > (largest?.size ?? -1) ? snapshot : largest),
    undefined,
  );
}

/** Whether a snapshot is so much smaller than another that points may have been lost between the two. */
export function isMuchSmaller(snapshot, other) {
  return other !== undefined && snapshot.size * 2 < other.size;
}

/** The peer that a node is, as the names of its snapshots tell it, and whether it holds shards of the collection. */
export async function membership(client, collection) {
  const { peer_id: peer, local_shards: shards } = await client.get(`${pathOf(collection)}/cluster`);
  return { peer: String(peer), holdsShards: shards.length > 0 };
}

/**
 * Sends a snapshot from the node that lists it to one that takes its shards over. Hours of it may break off at the
 * end, so it is begun three times before it has failed.
 */
export async function transfer(from, to, collection, name) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await transferOnce(from, to, collection, name);
    } catch (error) {
      const refused = error.status !== undefined && !isPassing(error.status);
      if (refused || attempt === WAITS.length) {
        throw error;
      }
      console.error(`${collection}: ${error.message}; sending ${name} again`);
      await sleep(Math.min(WAITS[attempt], to.patience));
    }
  }
}

/** It passes through in pieces and is never whole in memory. */
async function transferOnce(from, to, collection, name) {
  const source = await open(from, 'GET', `${pathOf(collection)}/snapshots/${encodeURIComponent(name)}`);
  const boundary = randomUUID();
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
  const path = `${pathOf(collection)}/snapshots/upload?priority=snapshot&wait=true`;
  const answer = await open(to, 'POST', path, headers, () => formOf(source, boundary));
  await answer.resume().toArray();
}

/** A form with one file, as RFC 7578 describes it. */
async function* formOf(content, boundary) {
  yield `--${boundary}\r\ncontent-disposition: form-data; name="snapshot"; filename="snapshot"\r\n`;
  yield 'content-type: application/octet-stream\r\n\r\n';
  yield* content;
  yield `\r\n--${boundary}--\r\n`;
}

/** The answer to a request, its body not read yet. */
function open(client, method, path, headers = {}, body = () => []) {
  const url = new URL(client.url + path);
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const fail = (error) => reject(new QdrantError(method, path, undefined, error.message));
    const sent = request(url, { method, headers: { ...client.headers, ...headers } }, async (answer) => {
      if (answer.statusCode < 300) {
        resolve(answer);
        return;
      }
      const text = await answer.toArray().then((chunks) => Buffer.concat(chunks).toString(), String);
      reject(new QdrantError(method, path, answer.statusCode, text));
    });
    sent.on('error', fail);
    pipeline(Readable.from(body()), sent).catch(fail);
  });
}
