import { z } from 'zod';
import { dnsLabelProblem } from '../../constructs/rules/object-name';
import { ExistingSecrets, type ISecretSource } from '../../constructs/secrets/secret-source';
import { AuditRotation } from '../../constructs/vector-store/qdrant-audit';
import { accelerator, cluster } from './environment-cluster';
import { database, migration } from './environment-database';
import { index, scheduler, syncs } from './environment-ingestion';
import { embedder, embeddingModel, llm, modelStore, reranker } from './environment-models';
import { objectStore } from './environment-object-store';
import { cache, queue } from './environment-queue';
import { route } from './environment-route';
import { scaling, workerScaling } from './environment-scaling';
import { secretSource } from './environment-secrets';
import {
  certificate,
  command,
  count,
  cpu,
  duration,
  image,
  judged,
  secretKey,
  size,
  usualKey,
} from './environment-values';
import { collection, drain, rehearsal, repair, restore, sizing, snapshots, vectors } from './environment-vectors';
import { serviceFields, workloadFields } from './environment-workload';

const dnsLabel = judged((name) => dnsLabelProblem(name));

// Each schema reads one file, so compiling it would take longer than it saves.
z.config({ jitless: true });

/** The form of an environment file, with Secrets from this source. */
export function environmentSchema(secrets: ISecretSource) {
  return z.strictObject({
    extends: z.string().optional().describe('a file beside this one whose settings this one changes'),
    name: dnsLabel.optional().describe('name of the system, part of every selector; by default rag'),
    namespace: dnsLabel.describe('namespace, which the platform creates and closes'),
    cluster: cluster.optional().describe('what is true of the cluster'),
    secrets: secretSource.optional().describe('where Secrets come from; by default they exist'),
    qdrant: qdrant(secrets).optional().describe('the vector database'),
    vectors: vectors(secrets).optional().describe('what has the vectors instead of qdrant'),
    database: database(secrets).optional().describe('the database of the API and the ingestion'),
    migration: migration(secrets).optional().describe('what brings the schema of the database up to date'),
    queue: queue(secrets).optional().describe('the queue between API and workers'),
    cache: cache(secrets).optional().describe('what keeps what can be computed again'),
    documentStore: objectStore(secrets).optional().describe('where the documents are'),
    collection: collection(secrets).optional().describe('the collection of the embedding model'),
    embeddingModel: embeddingModel
      .optional()
      .describe('the model whose vectors are stored: BAAI/bge-m3; servers, workers, API and collection follow'),
    embedder: embedder(secrets).optional().describe('what makes vectors of questions'),
    ingestionEmbedder: embedder(secrets).optional().describe('what makes vectors of documents; by default embedder'),
    reranker: reranker(secrets).optional().describe('what ranks passages'),
    llm: llm(secrets).optional().describe('what generates answers'),
    models: modelStore(secrets).optional().describe('where the servers have their models from'),
    api: api(secrets).describe('the API'),
    embeddingWorkers: embeddingWorkers(secrets).optional().describe('the workers that embed documents'),
    index: index(secrets).optional().describe('what fills the collection for the first time'),
    syncs: syncs(secrets).optional().describe('what brings it up to date with its sources, by their names'),
    scheduler: scheduler(secrets).optional().describe('what puts tasks into the queue by the clock'),
    route: route.optional().describe('the way in from outside'),
  });
}

const qdrantResources = z.strictObject({
  cpu: cpu.optional().describe('CPU that the scheduler reserves; by default from sizing'),
  cpuLimit: cpu.optional().describe('most CPU that a node may use; without it there is no limit'),
  memory: size.optional().describe('memory, request and limit; by default from sizing'),
});

const audit = z.strictObject({
  storage: size.describe('volume of each node for it, for one file more than maxFiles'),
  rotation: z.enum(AuditRotation).optional().describe('how often another file begins; by default daily'),
  maxFiles: count.optional().describe('files that are kept; by default 7'),
  trustForwardedHeaders: z
    .boolean()
    .optional()
    .describe('whether X-Forwarded-For says who the client is; by default the connection does'),
});

function qdrant(secrets: ISecretSource) {
  return z.strictObject({
    nodes: z.int32().min(1).optional().describe('1, or 3 and more; by default 3'),
    sizing: sizing.optional().describe('what the nodes hold; gives nodes, resources and storage'),
    resources: qdrantResources.optional().describe('what each node asks for; by default from sizing'),
    storage: size.optional().describe('volume of each node for the data; by default from sizing'),
    snapshotStorage: size
      .optional()
      .describe(
        'volume of each node for snapshots; by default as large as those that stay there need, else as storage',
      ),
    storageClass: z.string().optional().describe("class of the volumes; by default the cluster's for block volumes"),
    apiKey: usualKey(secrets, 'qdrant', 'api-key'),
    alternativeApiKey: secretKey(secrets).optional().describe('a second key, while one replaces the other'),
    clientToken: secretKey(secrets)
      .optional()
      .describe('token of clients that write, signed with the key; by default they have the key'),
    readOnlyApiKey: secretKey(secrets).optional().describe('key that can only read'),
    readOnlyToken: secretKey(secrets)
      .optional()
      .describe('token of clients that only search, signed with the key; by default they have readOnlyApiKey'),
    audit: audit.optional().describe('log of what clients ask; by default none'),
    tls: certificate.optional().describe('certificate of the server'),
    replicationFactor: z.int32().min(1).optional().describe('copies of each shard; by default 2'),
    startupBudget: duration.optional().describe('time that a node may take to load; by default 10m'),
    snapshots: snapshots(secrets).optional().describe('when it takes snapshots; by default never'),
    rehearsal: rehearsal.optional().describe('when the snapshots are tried out; by default never'),
    restore: restore.optional().describe('what is brought back from snapshots; remove it when it is back'),
    drain: drain.optional().describe('empties nodes before there are fewer'),
    repair: repair
      .optional()
      .describe('brings back nodes that lost their volume, and the copies of shards; remove it when that is done'),
    image: image.optional().describe('what runs; by default the release that the library knows'),
    ...workloadFields(secrets),
  });
}

function api(secrets: ISecretSource) {
  return z.strictObject({
    port: z.int32().min(1024).max(65535).optional().describe('port that it listens on; by default 8000'),
    metricsPort: z.int32().min(1024).max(65535).optional().describe('port of /metrics; by default that of the API'),
    longestAnswer: duration.optional().describe('time that the longest answer takes; by default 2m'),
    warmUp: z
      .strictObject({
        image: image.optional().describe('what runs; by default the image of the API'),
        command: command.min(1, 'is empty; name a program').describe('program and first arguments'),
        budget: duration.describe('time that it may take'),
      })
      .optional()
      .describe('what is done in each pod before the API starts'),
    scaling: scaling.optional().describe('how many pods there are, and who decides; by default 2'),
    ...serviceFields(secrets, { resources: '250m CPU and 1Gi', startupBudget: '2m', temporaryStorage: '256Mi' }),
  });
}

function embeddingWorkers(secrets: ISecretSource) {
  return z.strictObject({
    accelerator: accelerator.optional().describe('GPU of each worker: nvidia-l4; without it they compute on the CPU'),
    accelerators: z.int32().min(1).optional().describe('GPUs of each worker; by default 1'),
    longestTask: duration.optional().describe('time that the longest task takes; by default 10m'),
    scaling: workerScaling.optional().describe('how many workers there are, and who decides; by default 1'),
    sharedMemory: size.optional().describe('shared memory between processes; part of the memory'),
    ...serviceFields(secrets, { resources: '1 CPU and 4Gi', startupBudget: '10m', temporaryStorage: '2Gi' }),
  });
}

/** Where an environment's Secrets come from; what is wrong with the setting is reported with everything else. */
export function secretSourceOf(content: unknown): ISecretSource {
  const parsed = z.looseObject({ secrets: secretSource.optional() }).safeParse(content);
  return parsed.data?.secrets ?? new ExistingSecrets();
}
