import type { Json } from '../../constructs/rules/output';
import { BrokenConnection, Refusal } from './qdrant-refusal';
import type { QdrantNode, Route } from './qdrant-routes';
import type { QdrantState } from './qdrant-state';
import { checkCount, RateLimiter } from './strict-mode-checks';

const UPDATED = { operation_id: 1, status: 'completed' };

/** Collections with their indexes, aliases and points. */
export function collectionRoutes(node: QdrantNode): Route[] {
  const { state } = node;
  return [
    ['GET', /^\/collections$/, () => ({ collections: [...state.collections.keys()].map((name) => ({ name })) })],
    [
      'GET',
      /^\/collections\/([^/]+)$/,
      (_, name) => {
        const collection = state.collection(name as string);
        const { config, indexes } = collection;
        return { status: 'green', points_count: collection.count(node.peer), config, payload_schema: indexes };
      },
    ],
    [
      'GET',
      /^\/telemetry$/,
      () => {
        const collections = [...state.collections].map(([id, { config }]) => ({ id, config }));
        return { collections: { number_of_collections: collections.length, collections } };
      },
    ],
    ['PUT', /^\/collections\/([^/]+)$/, ({ body }, name) => state.agree(() => create(state, name as string, body))],
    ['PATCH', /^\/collections\/([^/]+)$/, ({ body }, name) => state.agree(() => update(state, name as string, body))],
    ['DELETE', /^\/collections\/([^/]+)$/, (_, name) => state.agree(() => state.collections.delete(name as string))],
    [
      'PUT',
      /^\/collections\/([^/]+)\/index$/,
      ({ body }, name) => state.agree(() => addIndex(state, name as string, body)),
    ],
    [
      'DELETE',
      /^\/collections\/([^/]+)\/index\/([^/]+)$/,
      (_, name, field) =>
        state.agree(() => {
          delete state.collection(name as string).indexes[field as string];
          return UPDATED;
        }),
    ],
    ...aliasRoutes(state),
    ...pointRoutes(node),
  ];
}

function create(state: QdrantState, name: string, body: Json): boolean {
  if (state.collections.has(name)) {
    throw new Refusal(409, `Wrong input: Collection \`${name}\` already exists!`);
  }
  if (state.aliases.has(name)) {
    throw Refusal.badInput(`Can't create collection with name ${name}. Alias with the same name exists`);
  }
  state.create(name, body);
  return true;
}

function update(state: QdrantState, name: string, body: Json): boolean {
  const { config } = state.collection(name);
  Object.assign(config.params.vectors, body.vectors?.['']);
  Object.assign(config.params, body.params);
  if (body.quantization_config !== undefined) {
    config.quantization_config = body.quantization_config === 'Disabled' ? null : body.quantization_config;
  }
  if (body.metadata !== undefined) {
    config.metadata = { ...config.metadata, ...body.metadata };
  }
  if (body.strict_mode_config !== undefined) {
    config.strict_mode_config = { ...config.strict_mode_config, ...body.strict_mode_config };
  }
  return true;
}

function addIndex(state: QdrantState, name: string, { field_name, field_schema }: Json): Json {
  const params = typeof field_schema === 'string' ? undefined : field_schema;
  state.collection(name).indexes[field_name] = { data_type: params?.type ?? field_schema, params, points: 0 };
  return UPDATED;
}

function aliasRoutes(state: QdrantState): Route[] {
  const list = (collection?: string) => ({
    aliases: [...state.aliases]
      .filter(([, target]) => collection === undefined || target === collection)
      .map(([alias_name, collection_name]) => ({ alias_name, collection_name })),
  });
  return [
    ['GET', /^\/aliases$/, () => list()],
    ['GET', /^\/collections\/([^/]+)\/aliases$/, (_, name) => list(name)],
    ['POST', /^\/collections\/aliases$/, ({ body }) => state.agree(() => state.changeAliases(body.actions))],
  ];
}

function pointRoutes({ state, peer }: QdrantNode): Route[] {
  const limiter = new RateLimiter();
  return [
    [
      'POST',
      /^\/collections\/([^/]+)\/points\/count$/,
      ({ body }, name) => {
        const collection = state.collection(name as string);
        checkCount(collection.config, body?.exact ?? true);
        if (collection.copies.lost > 0) {
          throw new BrokenConnection();
        }
        limiter.take('Read', name as string, collection.config);
        return { count: collection.count(peer) };
      },
    ],
    [
      'PUT',
      /^\/collections\/([^/]+)\/points$/,
      ({ body }, name) => {
        const collection = state.collection(name as string);
        limiter.take('Write', name as string, collection.config);
        collection.write(
          peer,
          body.points.map(({ id }: { id: number | string }) => id),
        );
        return UPDATED;
      },
    ],
    [
      'POST',
      /^\/collections\/([^/]+)\/points\/delete$/,
      ({ body }, name) => {
        const collection = state.collection(name as string);
        limiter.take('Write', name as string, collection.config);
        // What is in a point is not known, so every filter matches all of them.
        collection.delete(peer, body.points);
        return UPDATED;
      },
    ],
  ];
}
