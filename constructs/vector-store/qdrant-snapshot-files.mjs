// What the programs beside it know of snapshots: their names, who took them and when, and how one gets from here to there.
import { randomUUID } from 'node:crypto';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isPassing, QdrantError } from './qdrant-client.mjs';
import { pathOf } from './qdrant-collections.mjs';

/** Waits before a transfer is begun again, in milliseconds; a client that is less patient waits less. */
const WAITS = [5000, 30_000];

/** Qdrant names a snapshot after its collection, the peer that took it and the second in UTC. */
const NAME = /^(.+)-(\d+)-(\d{4})-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)\.snapshot$/;

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

/** Field of a collection's metadata: points at the time of each run that took snapshots, by that time. */
const COUNTS = 'cdk8s-rag/snapshots';

/** What a collection remembers of the runs that took snapshots of it, the oldest first. */
export function runsOf(metadata) {
  return Object.entries(metadata?.[COUNTS] ?? {})
    .map(([time, points]) => ({ begun: Date.parse(time), points }))
    .sort((a, b) => a.begun - b.begun);
}

/** The change of a collection that remembers these runs. */
export function rememberRuns(runs) {
  const counts = runs.map(({ begun, points }) => [new Date(begun).toISOString(), points]);
  return { metadata: { [COUNTS]: Object.fromEntries(counts) } };
}

/** Points of the collection when a snapshot was taken; undefined when no run is remembered that took it. */
export function pointsAt(runs, { taken }) {
  // Names have whole seconds.
  return runs.findLast(({ begun }) => Math.floor(begun / 1000) * 1000 <= taken)?.points;
}

/** Whether points may have been lost between the time with more of them and another, by more than so many percent. */
export function isLoss(points, most, tolerance) {
  return points !== undefined && points * 100 < most * (100 - tolerance);
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
  try {
    const answer = await open(to, 'POST', path, headers, () => formOf(source, boundary));
    await answer.resume().toArray();
  } finally {
    await discardUpload(to, collection);
  }
}

/**
 * Qdrant keeps the file that was uploaded, and what it keeps in an object store it cannot delete on its volume; so an
 * empty file takes its place, which it refuses to restore.
 */
async function discardUpload(to, collection) {
  const boundary = randomUUID();
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
  await open(to, 'POST', `${pathOf(collection)}/snapshots/upload`, headers, () => formOf([], boundary)).catch(() => {});
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
