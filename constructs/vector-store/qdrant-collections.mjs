// What the programs beside it ask of a collection, wherever its shards are.
import { QdrantError } from './qdrant-client.mjs';

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
