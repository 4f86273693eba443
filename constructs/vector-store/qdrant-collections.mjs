// What the programs beside it ask of a collection, wherever its shards are.
import { QdrantError } from './qdrant-client.mjs';

/** Field of a collection's metadata: how far a restoration of it has come. */
export const RESTORE_MARK = 'cdk8s-rag/restore';

/** Path of a collection. */
export function pathOf(collection) {
  return `/collections/${encodeURIComponent(collection)}`;
}

/** Names of all collections. */
export async function collectionNames(client) {
  const { collections } = await client.get('/collections');
  return collections.map(({ name }) => name).sort();
}

/** The collections of the variable QDRANT_COLLECTIONS, separated by commas; all that there are without it. */
export async function collectionsFromEnvironment(client) {
  const named = (process.env.QDRANT_COLLECTIONS ?? '').split(',').filter((name) => name !== '');
  return named.length > 0 ? named : collectionNames(client);
}

/** How many shards of a collection have no copy at all, as after a node was taken out that had the only ones. */
export async function countLostShards(client, collection) {
  const found = await client.get(`${pathOf(collection)}/cluster`);
  const held = [...found.local_shards, ...found.remote_shards].map(({ shard_id: shard }) => shard);
  return found.shard_count - new Set(held).size;
}

/**
 * Settings of a collection. Qdrant tells them together with a count, for which each shard needs a copy; its telemetry
 * tells them in any case (seen with 1.19: 500, "0 of 0 read operations failed").
 */
export async function configOf(client, collection) {
  if ((await countLostShards(client, collection)) === 0) {
    const { config } = await client.get(pathOf(collection));
    return config;
  }
  const { collections: known } = await client.get('/telemetry?details_level=3');
  return known.collections.find(({ id }) => id === collection).config;
}

/**
 * Points of a collection, counted one by one over all its shards. Where strict mode forbids that, the sum of what the
 * segments say: while segments are merged, points in two of them count twice.
 */
export async function countPoints(client, collection) {
  const path = `${pathOf(collection)}/points/count`;
  try {
    const { count } = await client.post(path, { exact: true });
    return count;
  } catch (error) {
    if (!(error instanceof QdrantError) || error.status !== 400 || !error.body.includes('Exact search disabled')) {
      throw error;
    }
    const { count } = await client.post(path, { exact: false });
    return count;
  }
}
