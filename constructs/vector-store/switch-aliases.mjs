// Has the aliases in ALIASES, separated by commas, point to TARGET_COLLECTION instead of SOURCE_COLLECTION, once it
// has at least as many points. Searches see the one collection or the other, never none. Safe to run again.
import { QdrantClient } from './qdrant-client.mjs';
import { countPoints } from './qdrant-collections.mjs';

const { SOURCE_COLLECTION: source, TARGET_COLLECTION: target, ALIASES: names } = process.env;
const client = QdrantClient.fromEnvironment();

/** Why the target cannot take over; undefined when it can. */
async function refusal() {
  const before = await countPoints(client, source);
  const after = await countPoints(client, target);
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
  for (const alias of pending) {
    // Creating an alias that exists moves it in one step. Several actions in one request are not all or nothing
    // (qdrant/qdrant 1.19, content_manager/toc/collection_meta_ops.rs): deleting it first could leave none.
    const action = { create_alias: { alias_name: alias, collection_name: target } };
    await client.post('/collections/aliases', { actions: [action] });
  }
  console.log(`${pending.join(',')}: points to ${target}`);
}

try {
  await run();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
