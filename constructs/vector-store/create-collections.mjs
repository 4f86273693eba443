// Brings collections, payload indexes and aliases into the state that COLLECTION_FILE describes. What exists and
// differs is changed where Qdrant can change it in place, and reported where it cannot; nothing is ever dropped.
// Safe to run again, whatever has been done before.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { QdrantClient, QdrantError } from './qdrant-client.mjs';
import { membersOf } from './qdrant-cluster.mjs';

/** Vectors of another size or compared in another way are another collection. */
const FIXED = ['vectors.size', 'vectors.distance'];
const MODEL = 'metadata.cdk8s-rag/model';

const client = QdrantClient.fromEnvironment();
const file = process.env.COLLECTION_FILE;
/** Nodes that the cluster is to have; 1 is no cluster. */
const nodes = Number(process.env.QDRANT_NODES);

/** What is wrong and cannot be changed in place. */
const problems = [];

/** Says what was found and what was wanted; without an end when it stays so. */
function report(collection, field, found, wanted, then = 'it stays as it is') {
  console.error(`${collection}: ${field} is ${shown(found)}, wanted ${shown(wanted)}; ${then}`);
}

function shown(value) {
  return value === undefined || value === null ? 'nothing' : JSON.stringify(value);
}

/** Values by path: { vectors: { size: 4 } } becomes [['vectors.size', 4]]. */
function leaves(value, path = '') {
  if (typeof value !== 'object' || value === null) {
    return [[path, value]];
  }
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, path === '' ? name : `${path}.${name}`));
}

/** Where a collection is not as wanted; what is not wanted in any way is left alone. */
function differences(found, wanted) {
  const at = (path) => path.split('.').reduce((value, name) => value?.[name], found) ?? null;
  return leaves(wanted)
    .map(([path, value]) => ({ path, found: at(path), wanted: value }))
    .filter((difference) => JSON.stringify(difference.found) !== JSON.stringify(difference.wanted));
}

/** The body of a change, in which Qdrant names some things in another way than when it creates. */
function changeOf(paths, wanted) {
  const changed = (name) => paths.some((path) => path === name || path.startsWith(`${name}.`));
  const params = ['replication_factor', 'write_consistency_factor'].filter(changed);
  const body = {};
  if (changed('vectors.on_disk')) {
    body.vectors = { '': { on_disk: wanted.vectors.on_disk } };
  }
  if (params.length > 0) {
    body.params = Object.fromEntries(params.map((name) => [name, wanted[name]]));
  }
  if (changed('quantization_config')) {
    body.quantization_config = wanted.quantization_config ?? 'Disabled';
  }
  if (changed('metadata')) {
    body.metadata = wanted.metadata;
  }
  if (changed('strict_mode_config')) {
    body.strict_mode_config = wanted.strict_mode_config;
  }
  return body;
}

async function adjust(name, path, { config }, wanted) {
  const found = { ...config, ...config.params };
  const different = differences(found, wanted);
  const body = changeOf(
    different.map((difference) => difference.path),
    wanted,
  );
  // A collection of somebody else's says nothing of its model; from now on it does.
  const fixed = different.filter(
    (difference) => FIXED.includes(difference.path) || (difference.path === MODEL && difference.found !== null),
  );
  for (const difference of different) {
    const stays = difference.path === 'shard_number' || fixed.length > 0;
    report(name, difference.path, difference.found, difference.wanted, stays ? undefined : 'it is changed');
  }
  if (fixed.length > 0) {
    problems.push(`${name} cannot hold the vectors of this model; give the model a collection of its own with next`);
    return false;
  }
  if (Object.keys(body).length > 0) {
    await client.patch(path, body);
    console.log(`${name}: changed ${Object.keys(body).join(', ')}`);
  }
  if (body.params?.replication_factor !== undefined) {
    console.error(`${name}: replication_factor holds for new shards; set repair to copy the others`);
  }
  return true;
}

/**
 * Waits until every node is a member of the cluster: a collection is spread over those that there are when it is created,
 * and the others would hold nothing of it.
 */
async function allNodesJoined() {
  const until = Date.now() + client.patience;
  for (;;) {
    const problem = await membersOf(client).then(
      ({ size }) => (size < nodes ? `has ${size} of ${nodes} nodes` : undefined),
      ({ message }) => message,
    );
    if (problem === undefined) {
      return;
    }
    if (Date.now() > until) {
      throw new Error(`the cluster ${problem}; a collection is created when all of them have joined`);
    }
    await sleep(1000);
  }
}

async function create(name, path, wanted) {
  if (nodes > 1) {
    await allNodesJoined();
  }
  try {
    await client.put(path, wanted);
    console.log(`${name}: created`);
  } catch (error) {
    // The answer to an earlier attempt was lost, or somebody else was faster.
    if (!(error instanceof QdrantError) || error.status !== 409) {
      throw error;
    }
  }
  return client.get(path);
}

async function ensureIndexes(name, path, found, wanted) {
  for (const [field, schema] of Object.entries(wanted)) {
    const existing = found[field];
    if (existing === undefined) {
      await client.put(`${path}/index?wait=true`, { field_name: field, field_schema: schema });
      console.log(`${name}: created the payload index ${field}`);
      continue;
    }
    const { is_tenant: tenant } = existing.params ?? {};
    const present = { type: existing.data_type, ...(tenant === true ? { is_tenant: true } : {}) };
    if (JSON.stringify(present) !== JSON.stringify(schema)) {
      report(name, `payload index ${field}`, present, schema);
    }
  }
  for (const field of Object.keys(found).filter((candidate) => wanted[candidate] === undefined)) {
    report(name, `payload index ${field}`, { type: found[field].data_type }, undefined);
  }
}

async function ensureCollection({ name, parameters, payload_indexes: indexes }, aliases) {
  const path = `/collections/${name}`;
  if (aliases.has(name)) {
    problems.push(`${name} is an alias of ${aliases.get(name)}; name the collection differently`);
    return;
  }
  const existing = await client.find(path);
  const found = existing ?? (await create(name, path, parameters));
  if (await adjust(name, path, found, parameters)) {
    await ensureIndexes(name, path, found.payload_schema, indexes);
  }
}

async function listAliases() {
  const { aliases } = await client.get('/aliases');
  return new Map(aliases.map(({ alias_name: alias, collection_name: target }) => [alias, target]));
}

/** An alias begins at the first of its collections and may be switched to the others. */
async function ensureAlias(alias, collections, found) {
  if (found === undefined) {
    const [target] = collections;
    const action = { create_alias: { alias_name: alias, collection_name: target } };
    await client.post('/collections/aliases', { actions: [action] });
    console.log(`${alias}: points to ${target}`);
  } else if (!collections.includes(found)) {
    problems.push(
      `${alias} points to ${found}, wanted ${collections.join(' or ')}; nobody but you can say which holds`,
    );
  }
}

async function run() {
  const { collections, aliases } = JSON.parse(readFileSync(file, 'utf8'));
  const existing = await listAliases();
  for (const collection of collections) {
    await ensureCollection(collection, existing);
  }
  if (problems.length === 0) {
    for (const [alias, targets] of Object.entries(aliases)) {
      await ensureAlias(alias, targets, existing.get(alias));
    }
  }
}

try {
  await run();
} catch (error) {
  problems.push(error.message);
}
for (const problem of problems) {
  console.error(problem);
}
process.exitCode = problems.length === 0 ? 0 : 1;
