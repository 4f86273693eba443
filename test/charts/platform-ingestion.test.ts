import { Cron } from 'cdk8s';
import type { RagPlatformProps } from '../../charts/rag-platform';
import { ExternalService } from '../../constructs/data/external-service';
import { Postgres } from '../../constructs/data/postgres';
import { Redis } from '../../constructs/data/redis';
import { EmbeddingModel } from '../../constructs/models/embedding-model';
import { SecretKey } from '../../constructs/secrets/secret-key';
import { Image } from '../../constructs/workload/image';
import { find, mainContainer, namesOf } from '../support/manifests';
import { IMAGE } from '../support/values';
import { objectsOf, platform, QDRANT, reachedBy, variables, waveOf } from './platforms';

const WORKERS = Image.of('ghcr.io/acme/rag-workers', { tag: '1.8.2' });
const OTHER = Image.of('ghcr.io/acme/rag-sync', { tag: '2.0.0' });
const WIKI = new ExternalService({ host: 'wiki.acme.example', cidrs: ['10.60.0.0/24'] });
const SCHEDULE = Cron.schedule({ minute: '*/30' });

/** Everything that programs of the ingestion may use, and all of them. */
const AROUND: Partial<RagPlatformProps> = {
  qdrant: { ...QDRANT, readOnlyApiKey: SecretKey.of('qdrant', 'read-only') },
  embeddingModel: EmbeddingModel.BGE_M3,
  embedder: {},
  collection: {},
  database: (scope) => new Postgres(scope, 'database', { password: SecretKey.of('database', 'password') }),
  migration: { command: ['migrate'] },
  queue: (scope) => new Redis(scope, 'queue', { password: SecretKey.of('queue', 'password') }),
  embeddingWorkers: { image: WORKERS },
};
const PROGRAMS: Partial<RagPlatformProps> = {
  index: { command: ['index'], externals: [WIKI] },
  syncs: { wiki: { command: ['sync', 'wiki'], schedule: SCHEDULE, externals: [WIKI] } },
  scheduler: { command: ['beat'] },
};

/** The programs, with the kind that holds each. */
const EACH: [string, string][] = [
  ['Job', 'index'],
  ['CronJob', 'sync-wiki'],
];

test('nothing runs beside the workers unless it is asked for', () => {
  const { ingestion } = platform(AROUND);
  expect([ingestion.index, ingestion.syncs, ingestion.scheduler]).toEqual([undefined, {}, undefined]);
});

describe('the programs of the ingestion', () => {
  const objects = objectsOf({ ...AROUND, ...PROGRAMS });

  test.each(EACH)('%s %s uses what the workers use, and writes as they do', (kind, name) => {
    expect(reachedBy(objects, name).sort()).toEqual(
      [...reachedBy(objects, 'embedding-workers'), '10.60.0.0/24'].sort(),
    );
    expect(variables(objects, kind, name)).toMatchObject({
      COLLECTION_NAME: 'documents',
      QDRANT_API_KEY: { secretKeyRef: { name: 'qdrant', key: QDRANT.apiKey.key } },
      PGHOST: 'database',
      CELERY_BROKER_URL: 'redis://:$(REDIS_PASSWORD)@queue:6379/0',
      EMBEDDING_URL: 'http://embedder:8080/v1',
    });
  });

  test.each(EACH)('%s %s waits for the migration and the collection', (kind, name) => {
    for (const job of ['migration', 'collection-bootstrap']) {
      expect(waveOf(objects, kind, name)).toBeGreaterThan(waveOf(objects, 'Job', job));
    }
  });

  test('the first index is waited for by the API where that is said, and by nobody else', () => {
    expect(waveOf(objects, 'Deployment', 'api')).toBeLessThanOrEqual(waveOf(objects, 'Job', 'index'));
    const waiting = objectsOf({ ...AROUND, index: { command: ['index'], beforeApi: true } });
    expect(waveOf(waiting, 'Deployment', 'api')).toBeGreaterThan(waveOf(waiting, 'Job', 'index'));
    expect(waveOf(waiting, 'Deployment', 'embedding-workers')).toBeLessThanOrEqual(waveOf(waiting, 'Job', 'index'));
  });

  test('the scheduler reaches the queue and nothing else', () => {
    expect(reachedBy(objects, 'scheduler')).toEqual(['queue']);
    expect(mainContainer(find(objects, 'Deployment', 'scheduler')).command).toEqual(['beat']);
    expect(find(objects, 'Deployment', 'scheduler').spec.strategy.type).toBe('Recreate');
  });

  test('run the image of the workers', () => {
    for (const [kind, name] of [...EACH, ['Deployment', 'scheduler'] as const]) {
      expect(mainContainer(find(objects, kind, name)).image).toBe('ghcr.io/acme/rag-workers:1.8.2');
    }
  });

  test('a sync runs by its schedule', () => {
    expect(find(objects, 'CronJob', 'sync-wiki').spec).toMatchObject({
      schedule: '*/30 * * * *',
      concurrencyPolicy: 'Forbid',
    });
  });
});

test('without workers the programs run the image of the API', () => {
  const objects = objectsOf({ ...AROUND, ...PROGRAMS, embeddingWorkers: undefined });
  const own = mainContainer(find(objects, 'Deployment', 'api')).image;
  expect(mainContainer(find(objects, 'Job', 'index')).image).toBe(own);
  expect(mainContainer(find(objects, 'Deployment', 'scheduler')).image).toBe(own);
});

test('each program may have an image of its own', () => {
  const objects = objectsOf({
    ...AROUND,
    index: { command: ['index'], image: OTHER },
    syncs: { wiki: { command: ['sync'], schedule: SCHEDULE, image: OTHER } },
    scheduler: { command: ['beat'], image: OTHER },
  });
  for (const [kind, name] of [...EACH, ['Deployment', 'scheduler'] as const]) {
    expect(mainContainer(find(objects, kind, name)).image).toBe('ghcr.io/acme/rag-sync:2.0.0');
  }
});

test('there are as many syncs as sources', () => {
  const sync = { command: ['sync'], schedule: SCHEDULE };
  const objects = objectsOf({ ...AROUND, syncs: { wiki: sync, drive: sync } });
  expect(namesOf(objects, 'CronJob')).toEqual(['sync-wiki', 'sync-drive']);
});

test('a scheduler without a queue is refused', () => {
  expect(() => platform({ queue: undefined, scheduler: { command: ['beat'] } })).toThrow(
    new Error('rag: scheduler is set, but there is no queue to put tasks into; set queue, or remove it'),
  );
});

test('what a sync is refused for is refused at its setting', () => {
  expect(() => platform({ syncs: { Wiki: { command: ['sync'], schedule: SCHEDULE, image: IMAGE } } })).toThrow(
    /^rag: syncs\.Wiki\.name is "sync-Wiki"/,
  );
});
