// Has the aliases in ALIASES, separated by commas, point to TARGET_COLLECTION instead of SOURCE_COLLECTION, once it
// has at least as many points. Searches see the one collection or the other, never none. Safe to run again.
import { QdrantClient } from './qdrant-client.mjs';

const { SOURCE_COLLECTION: source, TARGET_COLLECTION: target, ALIASES: names } = process.env;
const client = QdrantClient.fromEnvironment();

async function count(collection) {
  const { count: points } = await client.post(`/collections/${collection}/points/count`, { exact: true });
  return points;
}

/** Why the target cannot take over; undefined when it can. */
async function refusal() {
  const before = await count(source);
  const after = await count(target);
  return after < before ? `${target} has ${after} points and ${source} has ${before}; fill it, then switch` : undefined;
}

async function run() {
  const { aliases } = await client.get('/aliases');
  const targets = new Map(aliases.map(({ alias_name: alias, collection_name: collection }) => [alias, collection]));
  const pending = names.split(',').filter((alias) => targets.get(alias) !== target);
  if (pending.length === 0) {
    console.log(`${names}: points to ${target} already`);
    return;
  }
  const problem = await refusal();
  if (problem !== undefined) {
    throw new Error(problem);
  }
  const actions = pending.flatMap((alias) => [
    ...(targets.has(alias) ? [{ delete_alias: { alias_name: alias } }] : []),
    { create_alias: { alias_name: alias, collection_name: target } },
  ]);
  // One request: Qdrant does all of its actions, or none.
  await client.post('/collections/aliases', { actions });
  console.log(`${pending.join(',')}: points to ${target}`);
}

try {
  await run();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
