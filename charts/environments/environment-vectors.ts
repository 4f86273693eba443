import type { Construct } from 'constructs';
import { z } from 'zod';
import type { ISecretSource } from '../../constructs/secrets/secret-source';
import { ExternalVectorStore } from '../../constructs/vector-store/external-vector-store';
import { PayloadIndex } from '../../constructs/vector-store/payload-index';
import { Pgvector } from '../../constructs/vector-store/pgvector';
import { Quantization } from '../../constructs/vector-store/quantization';
import { SnapshotSchedule } from '../../constructs/vector-store/snapshot-schedule';
import type { IProvider } from '../../constructs/workload/provider';
import { describedBy } from '../described-by';
import type { PlatformParts } from '../platform-vectors';
import { oneOf } from './environment-kinds';
import { embedder, embeddingModel } from './environment-models';
import { s3 } from './environment-object-store';
import {
  command,
  count,
  cpu,
  cron,
  duration,
  image,
  judged,
  made,
  resources,
  secretKey,
  size,
  timeOfDay,
  variables,
} from './environment-values';
import { jobFields, libraryJobFields } from './environment-workload';

const quantization = z
  .enum(['none', 'scalar', 'binary'])
  .transform((name) => ({ none: Quantization.NONE, scalar: Quantization.SCALAR, binary: Quantization.BINARY })[name]);

const PAYLOAD_INDEXES = {
  keyword: PayloadIndex.KEYWORD,
  tenant: PayloadIndex.TENANT,
  integer: PayloadIndex.INTEGER,
  float: PayloadIndex.FLOAT,
  bool: PayloadIndex.BOOL,
  datetime: PayloadIndex.DATETIME,
  text: PayloadIndex.TEXT,
  uuid: PayloadIndex.UUID,
  geo: PayloadIndex.GEO,
};

const payloadIndex = z
  .enum(['keyword', 'tenant', 'integer', 'float', 'bool', 'datetime', 'text', 'uuid', 'geo'])
  .transform((name) => PAYLOAD_INDEXES[name]);

/** What the database holds; how large its vectors are, the embedding model says. */
export const sizing = z.strictObject({
  count: z.number().meta({ minimum: 1 }).describe('vectors that are stored, replicas not counted'),
  quantization: quantization.optional().describe('how small the copies are that searches read first; by default none'),
  onDisk: z.boolean().optional().describe('whether the vectors stay on disk; by default with a quantization'),
  payloadBytes: z.number().optional().describe('payload of a point, the mean; by default 2048'),
  indexedPayloadBytes: z.number().optional().describe('the part of it that is in fields with an index; by default 0'),
  growth: z.number().optional().describe('factor by which the number may grow; by default 1'),
});

/** When the database takes snapshots of itself. */
export function snapshots(secrets: ISecretSource) {
  return made(
    z.strictObject({
      daily: timeOfDay.describe('when: "02:30"'),
      keep: count.describe('snapshots of each collection that each node keeps'),
      tolerance: z
        .number()
        .optional()
        .describe('percent of its points that a collection may have lost since an older snapshot; by default 10'),
      mayShrink: z
        .boolean()
        .optional()
        .describe('whether a collection may have lost any number of points; by default the run fails then'),
      timeZone: z.string().optional().describe('IANA name; by default Etc/UTC'),
      deadline: duration.optional().describe('time after which a run has failed; by default 6h'),
      s3: s3(secrets).optional().describe('bucket for them; by default they stay on the nodes'),
      ...libraryJobFields(0),
    }),
    ({ daily, s3: to, ...props }) => SnapshotSchedule.daily({ ...props, ...daily, to }),
  );
}

/** The trial of the snapshots. */
export const rehearsal = z
  .strictObject({
    cron: cron.describe('when, after a run of the snapshots: "0 5 * * 0"'),
    storage: size.optional().describe('volume that goes with the pod; by default room for all that there is'),
    storageClass: z
      .string()
      .optional()
      .describe("class of it, with reclaimPolicy Delete; by default the cluster's for block volumes"),
    timeZone: z.string().optional().describe('IANA name; by default Etc/UTC'),
    tolerance: z.number().optional().describe('percent by which the counts may differ; by default 5'),
    resources: z
      .strictObject({
        cpu: cpu.optional().describe('CPU that the scheduler reserves; by default 1'),
        cpuLimit: cpu.optional().describe('most CPU that it may use; without it there is no limit'),
        memory: size.optional().describe('memory, request and limit; by default that of one copy of all shards'),
      })
      .optional()
      .describe('what the trial asks for; by default room for one copy of all shards'),
    allowEmpty: z.boolean().optional().describe('whether collections may have no points; by default it fails then'),
    deadline: duration.optional().describe('time that a run may take; by default 6h'),
    ...libraryJobFields(0),
  })
  .transform(({ cron: schedule, ...props }) => ({ ...props, schedule }));

const jobDeadline = duration.optional().describe('time that the Job may take; by default 6h');

/** What is brought back from snapshots. */
export const restore = z.strictObject({
  before: z.string().optional().describe('the newest snapshots from before this time: 2026-03-01T06:00:00Z'),
  overwrite: z.boolean().optional().describe('whether collections that have points are restored too'),
  collections: z.array(z.string()).optional().describe('by default all'),
  deadline: jobDeadline,
  ...libraryJobFields(),
});

/** What empties nodes before there are fewer. */
export const drain = z.strictObject({
  to: count.describe('nodes that stay'),
  deadline: jobDeadline,
  ...libraryJobFields(),
});

/** The Job that brings back nodes without their volume. */
export const repair = z.strictObject({
  acceptLoss: z
    .boolean()
    .optional()
    .describe('whether points of which no other node has a copy may be given up; by default the Job fails then'),
  deadline: jobDeadline,
  ...libraryJobFields(),
});

const strictMode = z.strictObject({
  enabled: z.boolean().optional().describe('whether anything is refused; by default true'),
  maxQueryLimit: count.optional().describe('most results that a query may ask for'),
  maxTimeout: duration.optional().describe('largest timeout that a request may have; at least 60s in a cluster'),
  unindexedFilteringRetrieve: z.boolean().optional().describe('whether searches may filter by fields without index'),
  unindexedFilteringUpdate: z.boolean().optional().describe('whether updates may filter by fields without index'),
  searchAllowExact: z.boolean().optional().describe('whether searches may compare with every vector'),
  upsertMaxBatchsize: count.optional().describe('most points in one request that writes'),
  readRateLimit: count.optional().describe('most reading requests per minute and copy of a shard'),
  writeRateLimit: count.optional().describe('most writing requests per minute and copy of a shard'),
  filterMaxConditions: count.optional().describe('most conditions in a filter'),
  maxPointsCount: count.optional().describe('points at which the collection is full'),
});

/** The collection of the platform. */
export function collection(secrets: ISecretSource) {
  return z.strictObject({
    name: z.string().optional().describe('name in the database; by default documents'),
    shards: count.optional().describe('parts that the points are spread over; it cannot be changed'),
    replicationFactor: count.optional().describe("copies of each shard; by default the database's"),
    writeConsistencyFactor: count.optional().describe('copies that must have a write; by default 1'),
    quantization: quantization
      .optional()
      .describe('how small the vectors are that a search reads first; by default that of qdrant.sizing'),
    onDisk: z.boolean().optional().describe('whether the vectors are read from disk; by default as in qdrant.sizing'),
    payloadIndexes: z.record(z.string(), payloadIndex).optional().describe('fields that clients filter by'),
    strictMode: strictMode.optional().describe('what is refused so that no client slows down the others'),
    aliases: z.array(z.string()).optional().describe('other names, for those who search it from elsewhere'),
    deadline: duration.optional().describe('time that creating it may take; by default 30m'),
    jobs: z
      .strictObject(libraryJobFields())
      .optional()
      .describe('how the Jobs are run that create it and switch aliases'),
    next: z
      .strictObject({
        name: z.string().describe('name of the new collection'),
        model: embeddingModel.describe('model whose vectors it holds'),
        embedder: embedder(secrets)
          .optional()
          .describe('what makes vectors with that model; by default a server like the present one'),
        switched: z.boolean().optional().describe('whether clients use it'),
        backfill: z
          .strictObject({
            image: image.describe('what fills it from the old one'),
            command: command.optional().describe("program and first arguments; by default the image's"),
            args: z.array(z.string()).optional().describe("arguments; by default the image's"),
            env: variables(secrets).optional().describe('variables of the container'),
            deadline: duration.describe('time after which it has failed'),
            resources: resources.optional().describe('what it asks for; by default 1 CPU and 2Gi'),
            ...jobFields(),
          })
          .optional()
          .describe('what fills it'),
      })
      .optional()
      .describe('the collection that takes over, for another model'),
  });
}

/** What has the vectors, made of what the platform has. */
type Elsewhere = (scope: Construct, parts: PlatformParts) => IProvider;

const pgvector = z
  .strictObject({
    table: z.string().optional().describe('name of the table; by default vectors'),
    m: count.optional().describe('links of a vector in the index of a new table; by default 16'),
    efConstruction: count.optional().describe('candidates for each link of a new table; by default 64'),
    deadline: duration.optional().describe('time that creating it may take; by default 30m'),
    job: z.strictObject(libraryJobFields()).optional().describe('how the Job is run that creates it'),
  })
  .transform(
    (props): Elsewhere =>
      (scope, { model, database, databaseAccess }) => {
        // The server is described elsewhere, and so is what it lacks.
        describedBy(scope, 'database.postgres', () => database.ensureExtension('vector'));
        const create = () => new Pgvector(scope, 'vectors', { ...props, model, database });
        return describedBy(scope, 'vectors.pgvector', create).through(databaseAccess);
      },
  );

const VECTOR_STORES = {
  qdrant: ExternalVectorStore.qdrant,
  chroma: ExternalVectorStore.chroma,
  elasticsearch: ExternalVectorStore.elasticsearch,
  'azure-ai-search': ExternalVectorStore.azureAiSearch,
};

function externalVectorStore(secrets: ISecretSource) {
  return made(
    z.strictObject({
      service: z.enum(['qdrant', 'chroma', 'elasticsearch', 'azure-ai-search']).describe('what it is'),
      url: z.string().describe('its URL: https://acme.search.windows.net'),
      apiKey: secretKey(secrets).optional().describe('its key; by default it asks for none'),
      collection: judged((name) => (name === '' ? 'is empty; name the collection as the store does' : undefined))
        .optional()
        .describe('name of the collection, which exists; by default clients know it'),
      cidrs: z.array(z.string()).optional().describe('its addresses, where they are known and stable'),
    }),
    ({ service, collection: name, ...props }): Elsewhere => {
      const make = VECTOR_STORES[service];
      // Which model it is, is known later; whatever else is wrong is found here, where its line is known.
      make(props);
      return (_, parts) =>
        name === undefined ? make(props) : make({ ...props, collection: { name, model: parts.model } });
    },
  );
}

/** What has the vectors instead of the vector database of the platform. */
export function vectors(secrets: ISecretSource) {
  return oneOf({
    pgvector: pgvector.optional().describe('a table of the database'),
    externalVectorStore: externalVectorStore(secrets).optional().describe('a vector store that somebody else runs'),
  });
}
