import { Cron, Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import type { PlatformCollectionProps, PlatformQdrantProps } from '../../charts/platform-vectors';
import type { RagPlatformProps } from '../../charts/rag-platform';
import { ExternalService } from '../../constructs/data/external-service';
import { EmbeddingModel } from '../../constructs/models/embedding-model';
import { ExternalModel } from '../../constructs/models/external-model';
import { Accelerator } from '../../constructs/placement/accelerator';
import type { ManifestObject } from '../../constructs/rules/output';
import { Scaling } from '../../constructs/scaling/scaling';
import { SecretKey } from '../../constructs/secrets/secret-key';
import { Quantization } from '../../constructs/vector-store/quantization';
import { SnapshotSchedule } from '../../constructs/vector-store/snapshot-schedule';
import { find, namesOf } from '../support/manifests';
import { IMAGE } from '../support/values';
import { argument, objectsOf, platform, QDRANT, reachedBy, variables, waveOf } from './platforms';

const BGE = EmbeddingModel.BGE_M3;
const READER = SecretKey.of('qdrant', 'read-only');
const CIDRS = ['203.0.113.0/24'];
const WORKERS: RagPlatformProps['embeddingWorkers'] = { image: IMAGE };

/** A platform with a collection, and what is said of database and collection. */
function stored(
  qdrant: Partial<PlatformQdrantProps>,
  collection?: PlatformCollectionProps,
  embeddingModel: EmbeddingModel | undefined = BGE,
): ManifestObject[] {
  return objectsOf({ qdrant: { ...QDRANT, ...qdrant }, collection, embeddingModel, embeddingWorkers: WORKERS });
}

/** What the Job that creates collections is told. */
function desired(objects: ManifestObject[]) {
  return JSON.parse(find(objects, 'ConfigMap', 'collection-bootstrap').data['collection.json']);
}

describe('the collection', () => {
  test('is not there unless it is asked for', () => {
    const objects = stored({}, undefined);
    expect(namesOf(objects, 'Job')).toEqual([]);
    expect(variables(objects, 'Deployment', 'api')).not.toHaveProperty('COLLECTION_NAME');
  });

  test('has vectors as the model makes them, and is called documents', () => {
    const objects = stored({}, {});
    expect(desired(objects)).toEqual({
      collections: [
        {
          name: 'documents',
          parameters: { vectors: { size: 1024, distance: 'Cosine' }, metadata: { 'cdk8s-rag/model': 'BAAI/bge-m3' } },
          payload_indexes: {},
        },
      ],
      aliases: {},
    });
    expect(desired(stored({}, {}, EmbeddingModel.BGE_SMALL_EN_V1_5)).collections[0].parameters.vectors.size).toBe(384);
  });

  test('is used by both, of whom only the workers can write', () => {
    const objects = stored({ readOnlyApiKey: READER }, { name: 'documents-v1', aliases: ['documents'] });
    for (const [name, key] of [
      ['api', 'read-only'],
      ['embedding-workers', 'api-key'],
    ] as const) {
      expect(variables(objects, 'Deployment', name)).toMatchObject({
        COLLECTION_NAME: 'documents-v1',
        EMBEDDING_DIMENSIONS: '1024',
        QDRANT_API_KEY: { secretKeyRef: { name: 'qdrant', key } },
      });
      expect(waveOf(objects, 'Deployment', name)).toBeGreaterThan(waveOf(objects, 'Job', 'collection-bootstrap'));
    }
    expect(variables(objects, 'Job', 'collection-bootstrap').QDRANT_API_KEY).toEqual({
      secretKeyRef: { name: 'qdrant', key: 'api-key' },
    });
  });

  test('is written to by the API too, when there is no other key', () => {
    expect(variables(stored({}, {}), 'Deployment', 'api').QDRANT_API_KEY).toEqual({
      secretKeyRef: { name: 'qdrant', key: 'api-key' },
    });
  });

  test('has the quantization and the place of the sizing, unless they are said of it', () => {
    const sizing = { count: 1000, quantization: Quantization.SCALAR, onDisk: false };
    const parametersOf = (collection: PlatformCollectionProps) =>
      desired(stored({ sizing }, collection)).collections[0].parameters;
    expect(parametersOf({}).quantization_config.scalar.type).toBe('int8');
    expect(parametersOf({}).vectors.on_disk).toBe(false);
    expect(parametersOf({ quantization: Quantization.BINARY }).quantization_config).toHaveProperty('binary');
    expect(parametersOf({ onDisk: true }).vectors.on_disk).toBe(true);
  });

  test('is what the sizing counts with: vectors on disk with a quantization, and two shards for each node', () => {
    const quantized = desired(stored({ sizing: { count: 1000, quantization: Quantization.SCALAR } }, {}));
    expect(quantized.collections[0].parameters).toMatchObject({ vectors: { on_disk: true }, shard_number: 6 });
    const whole = desired(stored({ sizing: { count: 1000 }, nodes: 5 }, {})).collections[0].parameters;
    expect(whole).toMatchObject({ vectors: { on_disk: false }, shard_number: 10, quantization_config: null });
    const said = desired(stored({ sizing: { count: 1000 } }, { shards: 12 })).collections[0].parameters;
    expect(said.shard_number).toBe(12);
  });

  test('needs a model', () => {
    expect(() => platform({ collection: {} })).toThrow(
      new Error(
        'rag: embeddingModel is missing, but collection needs to know how large its vectors are; name the model',
      ),
    );
  });
});

describe('the sizing', () => {
  const sizing = { count: 1_000_000 };
  const sized = (props: Partial<PlatformQdrantProps> = {}, embeddingModel = BGE) =>
    find(objectsOf({ qdrant: { apiKey: QDRANT.apiKey, sizing, ...props }, embeddingModel }), 'StatefulSet', 'qdrant');
  const formulaOf = (object: ManifestObject) => object.metadata.annotations?.['cdk8s-rag/sizing'] ?? '';

  test('counts the dimensions of the model', () => {
    expect(formulaOf(sized())).toContain('1,000,000 vectors × (1024 dimensions');
    expect(formulaOf(sized({}, EmbeddingModel.ALL_MINILM_L6_V2))).toContain('1,000,000 vectors × (384 dimensions');
  });

  test('gives what is not said, on the nodes and with the copies that are said', () => {
    expect(sized().spec.replicas).toBe(3);
    expect(formulaOf(sized({ nodes: 5, replicationFactor: 3 }))).toContain('× 3 replicas ÷ 5 nodes');
    expect(formulaOf(sized({ nodes: 1 }))).toContain('× 1 replica ÷ 1 node ');
    expect(formulaOf(sized({ replicationFactor: 4 }))).toContain('× 4 replicas ÷ 4 nodes');
  });

  test('needs a model', () => {
    expect(() => platform({ qdrant: { apiKey: QDRANT.apiKey, sizing } })).toThrow(
      new Error(
        'rag: embeddingModel is missing, but qdrant.sizing needs to know how large its vectors are; name the model',
      ),
    );
  });

  test('is blamed for its own mistakes, and the nodes for theirs', () => {
    const refused = (props: Partial<PlatformQdrantProps>) => () => sized(props);
    expect(refused({ sizing: { count: 0.5 } })).toThrow(
      new Error('rag: qdrant.sizing.count is 0.5, but must be a whole number from 1'),
    );
    expect(refused({ nodes: 2 })).toThrow(/^rag\/qdrant: nodes is 2, but two nodes lose their quorum /);
    expect(refused({ nodes: 3, replicationFactor: 4 })).toThrow(/^rag\/qdrant: .*is 4, but must be at most the number/);
  });

  test('refuses what is said by hand and too small', () => {
    const resources = { cpu: Cpu.units(1), memory: Size.gibibytes(2) };
    expect(() => sized({ resources })).toThrow(
      /^rag\/qdrant: resources\.memory is 2Gi, but a node needs \d+Gi: 1,000,000 vectors × \(1024 dimensions .*; raise it, or leave it out$/,
    );
    expect(() => sized({ storage: Size.gibibytes(1) })).toThrow(
      /^rag\/qdrant: storage is 1Gi, but a node needs \d+Gi: /,
    );
  });
});

describe('a restoration', () => {
  const before = '2026-03-01T06:00:00Z';

  test('comes after the collection and before API and workers', () => {
    const objects = stored({ restore: { before }, snapshots: SnapshotSchedule.daily({ hour: 2, keep: 1 }) }, {});
    const waves = [
      waveOf(objects, 'StatefulSet', 'qdrant'),
      waveOf(objects, 'Job', 'collection-bootstrap'),
      waveOf(objects, 'Job', 'qdrant-restore'),
      waveOf(objects, 'Deployment', 'api'),
    ];
    expect(waves).toEqual([...new Set(waves)].sort((a, b) => a - b));
    expect(waveOf(objects, 'Deployment', 'embedding-workers')).toBe(waves[3]);
    expect(variables(objects, 'Job', 'qdrant-restore').RESTORE_BEFORE).toBe(before);
  });

  test('can do without a collection of the platform', () => {
    const objects = stored({ restore: {} }, undefined);
    expect(namesOf(objects, 'Job')).toEqual(['qdrant-restore']);
    const restored = waveOf(objects, 'Job', 'qdrant-restore');
    expect(waveOf(objects, 'Deployment', 'api')).toBeGreaterThan(restored);
    expect(waveOf(objects, 'Deployment', 'embedding-workers')).toBeGreaterThan(restored);
  });

  test('is connected to by nobody', () => {
    const objects = stored({ restore: {} }, {});
    expect(reachedBy(objects, 'api')).toEqual(['qdrant']);
    expect(reachedBy(objects, 'qdrant-restore')).toContain('qdrant');
  });
});

describe('a rehearsal', () => {
  const rehearsal = { schedule: Cron.schedule({ minute: '0', hour: '5' }), storage: Size.gibibytes(40) };

  test('runs at its time, against the database, and keeps nobody waiting', () => {
    const objects = stored({ rehearsal, snapshots: SnapshotSchedule.daily({ hour: 2, keep: 1 }) }, {});
    expect(find(objects, 'CronJob', 'qdrant-rehearsal').spec.schedule).toBe('0 5 * * *');
    expect(reachedBy(objects, 'qdrant-rehearsal')).toContain('qdrant');
    const without = stored({ snapshots: SnapshotSchedule.daily({ hour: 2, keep: 1 }) }, {});
    expect(waveOf(objects, 'Deployment', 'api')).toBe(waveOf(without, 'Deployment', 'api'));
  });

  test('needs snapshots', () => {
    expect(() => stored({ rehearsal }, {})).toThrow(
      new Error('rag: qdrant.rehearsal.of is qdrant, which takes no snapshots; set its snapshots'),
    );
  });
});

describe('the collection that takes over', () => {
  const hosted = (_: unknown, model: EmbeddingModel) => ExternalModel.openAi({ model, apiKey: READER, cidrs: CIDRS });
  const next = {
    name: 'documents-v2',
    model: EmbeddingModel.OPENAI_3_LARGE,
    backfill: { image: IMAGE, deadline: Duration.hours(6) },
  };
  const collection = { name: 'documents-v1', aliases: ['documents'] };
  const make = (props: Partial<RagPlatformProps>, switched?: boolean) =>
    objectsOf({
      embeddingModel: BGE,
      embeddingWorkers: WORKERS,
      collection: { ...collection, next: { ...next, switched } },
      ...props,
    });
  const modelsOf = (objects: ManifestObject[]) =>
    ['api', 'embedding-workers'].map((name) => variables(objects, 'Deployment', name).EMBEDDING_MODEL);

  test('is filled with what makes vectors with the new model, and nobody else is asked for them', () => {
    const embedder = jest.fn(hosted);
    const objects = make({ embedder: {}, collection: { ...collection, next: { ...next, embedder } } });
    expect(embedder.mock.calls.map(([, { id }]) => id)).toEqual(['text-embedding-3-large']);
    expect(reachedBy(objects, 'collection-backfill')).toEqual(expect.arrayContaining(['203.0.113.0/24', 'qdrant']));
    expect(variables(objects, 'Job', 'collection-backfill')).toMatchObject({
      EMBEDDING_URL: 'https://api.openai.com/v1',
      EMBEDDING_MODEL: 'text-embedding-3-large',
      EMBEDDING_DIMENSIONS: '3072',
      SOURCE_COLLECTION: 'documents-v1',
      TARGET_COLLECTION: 'documents-v2',
    });
    expect(modelsOf(objects)).toEqual(['BAAI/bge-m3', 'BAAI/bge-m3']);
  });

  test('is used with that by everybody when it is switched, whatever accelerator workers have', () => {
    const objects = make({
      embedder: {},
      embeddingWorkers: { image: IMAGE, accelerator: Accelerator.NVIDIA_L4 },
      collection: { ...collection, next: { ...next, embedder: hosted, switched: true } },
    });
    for (const name of ['api', 'embedding-workers']) {
      expect(variables(objects, 'Deployment', name)).toMatchObject({
        EMBEDDING_URL: 'https://api.openai.com/v1',
        EMBEDDING_MODEL: 'text-embedding-3-large',
      });
    }
    expect(namesOf(objects, 'Deployment')).toContain('embedder');
  });

  test('may have a server of its own, unlike the present one', () => {
    const model = EmbeddingModel.BGE_SMALL_EN_V1_5;
    const embedder = { maxClientBatchSize: 7 };
    const objects = make({ embedder: {}, collection: { ...collection, next: { ...next, model, embedder } } });
    expect(argument(objects, 'next-embedder', '--model-id')).toBe(model.id);
    expect(argument(objects, 'next-embedder', '--max-client-batch-size')).toBe('7');
    expect(argument(objects, 'embedder', '--max-client-batch-size')).toBe('32');
  });

  test.each<[string, Partial<RagPlatformProps>]>([
    ['embedder', { embedder: hosted, embeddingModel: EmbeddingModel.OPENAI_3_SMALL }],
    ['ingestionEmbedder', { embedder: {}, ingestionEmbedder: () => new ExternalService({ host: 'a.example' }) }],
  ])('is not asked of somebody who serves the present model: %s', (setting, props) => {
    const model = EmbeddingModel.BGE_SMALL_EN_V1_5;
    expect(() => make({ ...props, collection: { ...collection, next: { ...next, model } } })).toThrow(
      new Error(
        `rag: collection.next.embedder is missing, but ${setting} is no server of the platform and may not have ` +
          `${model.id}; say what makes vectors with it`,
      ),
    );
  });

  test('is blamed for what its server refuses, where that is described', () => {
    const model = EmbeddingModel.BGE_SMALL_EN_V1_5;
    const embedder = { maxClientBatchSize: 0 };
    expect(() => make({ embedder: {}, collection: { ...collection, next: { ...next, model, embedder } } })).toThrow(
      /^rag: collection\.next\.embedder\.maxClientBatchSize is 0/,
    );
  });

  test('is filled with the server of questions when there is no other, of which there is a second then', () => {
    const model = EmbeddingModel.BGE_SMALL_EN_V1_5;
    const objects = make({ embedder: {}, collection: { ...collection, next: { ...next, model } } });
    expect(namesOf(objects, 'Deployment').sort()).toEqual(['api', 'embedder', 'embedding-workers', 'next-embedder']);
    expect(argument(objects, 'embedder', '--model-id')).toBe('BAAI/bge-m3');
    expect(argument(objects, 'next-embedder', '--model-id')).toBe('BAAI/bge-small-en-v1.5');
    expect(reachedBy(objects, 'collection-backfill').sort()).toEqual(['next-embedder', 'qdrant']);
    expect(reachedBy(objects, 'api').sort()).toEqual(['embedder', 'qdrant']);
    expect(waveOf(objects, 'Job', 'collection-backfill')).toBeGreaterThan(
      waveOf(objects, 'Deployment', 'next-embedder'),
    );
  });

  test('is filled when the workers have changed, so that they can be paused for it, and holds up nobody', () => {
    const model = EmbeddingModel.BGE_SMALL_EN_V1_5;
    const paused = { embedder: {}, collection: { ...collection, next: { ...next, model } } };
    const objects = make({ ...paused, embeddingWorkers: { ...WORKERS, scaling: Scaling.fixed(0) } });
    const filled = waveOf(objects, 'Job', 'collection-backfill');
    expect(filled).toBeGreaterThan(waveOf(objects, 'Deployment', 'embedding-workers'));
    expect(filled).toBeGreaterThan(waveOf(objects, 'Deployment', 'api'));
    expect(reachedBy(objects, 'collection-backfill')).not.toContain('embedding-workers');
  });

  test('is filled by a program that computes itself, when there is no server at all', () => {
    const model = EmbeddingModel.BGE_SMALL_EN_V1_5;
    const objects = make({ collection: { ...collection, next: { ...next, model } } });
    expect(namesOf(objects, 'Deployment').sort()).toEqual(['api', 'embedding-workers']);
    expect(reachedBy(objects, 'collection-backfill')).toEqual(['qdrant']);
  });

  test('has its model served to everybody when it is switched, and is filled no more', () => {
    const model = EmbeddingModel.BGE_SMALL_EN_V1_5;
    const objects = make({ embedder: {}, collection: { ...collection, next: { ...next, model, switched: true } } });
    expect(namesOf(objects, 'Deployment').sort()).toEqual(['api', 'embedder', 'embedding-workers', 'next-embedder']);
    // Pods of the last rollout still use the old one.
    expect(argument(objects, 'embedder', '--model-id')).toBe('BAAI/bge-m3');
    expect(argument(objects, 'next-embedder', '--model-id')).toBe('BAAI/bge-small-en-v1.5');
    for (const name of ['api', 'embedding-workers']) {
      expect(reachedBy(objects, name).sort()).toEqual(['next-embedder', 'qdrant']);
      expect(variables(objects, 'Deployment', name)).toMatchObject({
        COLLECTION_NAME: 'documents-v2',
        EMBEDDING_URL: 'http://next-embedder:8080/v1',
      });
    }
    expect(namesOf(objects, 'Job').sort()).toEqual(['collection-bootstrap', 'collection-switch']);
    expect(modelsOf(objects)).toEqual(['BAAI/bge-small-en-v1.5', 'BAAI/bge-small-en-v1.5']);
    expect(waveOf(objects, 'Deployment', 'api')).toBeGreaterThan(waveOf(objects, 'Job', 'collection-switch'));
  });
});

describe('another provider of vectors', () => {
  const vectors = new ExternalService({ host: 'vectors.acme.example', cidrs: CIDRS });

  test('is used by both instead of the database', () => {
    const objects = objectsOf({ qdrant: undefined, vectors, embeddingModel: BGE, embeddingWorkers: WORKERS });
    expect(namesOf(objects, 'StatefulSet')).toEqual([]);
    for (const name of ['api', 'embedding-workers']) {
      expect(reachedBy(objects, name)).toEqual(CIDRS);
      expect(variables(objects, 'Deployment', name)).toMatchObject({ EMBEDDING_MODEL: 'BAAI/bge-m3' });
    }
  });

  test.each<[string, Partial<RagPlatformProps>, string]>([
    [
      'neither',
      { qdrant: undefined },
      'qdrant is missing; describe the database, or give what has the vectors instead as vectors',
    ],
    ['both', { vectors }, 'vectors is set together with qdrant, but vectors are in one place; keep one of the two'],
    [
      'a collection in it',
      { qdrant: undefined, vectors, collection: {}, embeddingModel: BGE },
      'collection is set, but only qdrant has collections of the platform; remove it, or set qdrant',
    ],
  ])('%s is refused', (_, props, problem) => {
    expect(() => platform(props)).toThrow(new Error(`rag: ${problem}`));
  });
});
