import { Duration } from 'cdk8s';
import type { Construct } from 'constructs';
import type { PlatformParts } from '../../charts/platform-vectors';
import type { RagPlatformProps } from '../../charts/rag-platform';
import { ExternalPostgres } from '../../constructs/data/external-postgres';
import { ExternalRedis } from '../../constructs/data/external-redis';
import { ObjectStore } from '../../constructs/data/object-store';
import { Postgres } from '../../constructs/data/postgres';
import { PostgresCluster } from '../../constructs/data/postgres-cluster';
import { PostgresTls } from '../../constructs/data/postgres-tls';
import { Redis } from '../../constructs/data/redis';
import { RedisRole } from '../../constructs/data/redis-role';
import { EmbeddingModel } from '../../constructs/models/embedding-model';
import { Cluster } from '../../constructs/placement/cluster';
import type { ManifestObject } from '../../constructs/rules/output';
import { SecretKey } from '../../constructs/secrets/secret-key';
import { Pgvector } from '../../constructs/vector-store/pgvector';
import { find, mainContainer, namesOf } from '../support/manifests';
import { IMAGE, KEY } from '../support/values';
import { objectsOf, platform, QUEUE, reachedBy, variables, waveOf } from './platforms';

const WORKERS: RagPlatformProps['embeddingWorkers'] = { image: IMAGE };
const POSTGRES: RagPlatformProps['database'] = (scope) => new Postgres(scope, 'database', { password: KEY });
const POOLED: RagPlatformProps['database'] = (scope) => new PostgresCluster(scope, 'database', { pooler: {} });
const CACHE: RagPlatformProps['cache'] = (scope) =>
  new Redis(scope, 'cache', { role: RedisRole.CACHE, password: SecretKey.of('cache', 'password') });
const MIGRATION: RagPlatformProps['migration'] = { command: ['alembic', 'upgrade', 'head'] };
const OPERATED = new Cluster({
  cloudNativePg: { namespace: 'cnpg-system' },
  apiServer: { cidrs: ['10.0.0.1/32'] },
});

/** API and workers, which use the same of what is around them. */
const PROGRAMS = ['api', 'embedding-workers'];

function rendered(props: Partial<RagPlatformProps>): ManifestObject[] {
  return objectsOf({ embeddingWorkers: WORKERS, ...props });
}

describe('the database', () => {
  test('is none unless it is asked for', () => {
    const least = platform();
    expect([least.data.database, least.data.cache, least.data.migration, least.data.documentStore]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    for (const name of PROGRAMS) {
      const names = Object.keys(variables(rendered({}), 'Deployment', name));
      expect(names.filter((variable) => /^(PG|DATABASE|CACHE|S3)/.test(variable))).toEqual([]);
    }
  });

  test.each(PROGRAMS)('is used by %s', (name) => {
    const objects = rendered({ database: POSTGRES });
    expect(variables(objects, 'Deployment', name)).toMatchObject({ PGHOST: 'database', PGDATABASE: 'app' });
    expect(reachedBy(objects, name)).toContain('database');
  });

  test.each(PROGRAMS)('of somebody else is used by %s, and nothing of it is in the cluster', (name) => {
    const database = new ExternalPostgres({
      host: 'db.acme.example',
      database: 'rag',
      user: 'rag',
      password: KEY,
      tls: PostgresTls.publicAuthority(),
      cidrs: ['10.9.0.0/24'],
    });
    const objects = rendered({ database });
    expect(variables(objects, 'Deployment', name)).toMatchObject({ PGHOST: 'db.acme.example', PGUSER: 'rag' });
    expect(reachedBy(objects, name)).toContain('10.9.0.0/24');
    expect(namesOf(objects, 'StatefulSet')).toEqual(['qdrant']);
  });

  test('with a pooler is reached through it by everybody but the migration', () => {
    const objects = rendered({ cluster: OPERATED, database: POOLED, migration: MIGRATION });
    for (const name of PROGRAMS) {
      expect(variables(objects, 'Deployment', name).PGHOST).toBe('database-pooler');
    }
    expect(variables(objects, 'Job', 'migration').PGHOST).toBe('database-rw');
  });

  test('without a pooler is reached itself', () => {
    const database: RagPlatformProps['database'] = (scope) => new PostgresCluster(scope, 'database', {});
    const objects = rendered({ cluster: OPERATED, database });
    expect(variables(objects, 'Deployment', 'api').PGHOST).toBe('database-rw');
  });
});

describe('the migration', () => {
  test('runs the image of the API, before API and workers', () => {
    const objects = rendered({ database: POSTGRES, migration: MIGRATION });
    const job = find(objects, 'Job', 'migration');
    expect(mainContainer(job)).toMatchObject({
      image: mainContainer(find(objects, 'Deployment', 'api')).image,
      command: ['alembic', 'upgrade', 'head'],
    });
    for (const name of PROGRAMS) {
      expect(waveOf(objects, 'Deployment', name)).toBeGreaterThan(waveOf(objects, 'Job', 'migration'));
    }
    expect(waveOf(objects, 'Job', 'migration')).toBeGreaterThan(waveOf(objects, 'StatefulSet', 'database'));
  });

  test('without a database is refused', () => {
    expect(() => platform({ migration: MIGRATION })).toThrow(
      new Error(
        'rag: migration is set, but there is no database whose schema it could change; set database, or remove it',
      ),
    );
  });
});

describe('the cache', () => {
  test.each(PROGRAMS)('is used by %s', (name) => {
    const objects = rendered({ cache: CACHE });
    expect(variables(objects, 'Deployment', name)).toMatchObject({
      CACHE_URL: 'redis://:$(CACHE_PASSWORD)@cache:6379/0',
    });
    expect(reachedBy(objects, name)).toContain('cache');
  });

  test('may be somebody else’s', () => {
    const cache = new ExternalRedis({ host: 'cache.acme.example', role: RedisRole.CACHE });
    expect(variables(rendered({ cache }), 'Deployment', 'api').CACHE_URL).toMatch(
      /^rediss:\/\/cache\.acme\.example:6379/,
    );
  });

  test('is never the broker', () => {
    const broker = new ExternalRedis({ host: 'redis.acme.example', password: KEY });
    const cache = new ExternalRedis({ host: 'redis.acme.example', role: RedisRole.CACHE, password: KEY });
    expect(() => platform({ queue: broker, cache })).toThrow('a broker must keep what a cache must evict');
  });
});

test.each(PROGRAMS)('the documents are found by %s', (name) => {
  const documentStore = ObjectStore.s3({ bucket: 'acme-documents', region: 'eu-west-1' });
  expect(variables(rendered({ documentStore }), 'Deployment', name)).toMatchObject({ S3_BUCKET: 'acme-documents' });
});

describe('a queue of the platform', () => {
  test('is told how long the longest task takes', () => {
    const queue = jest.fn(() => QUEUE);
    platform({ queue, embeddingWorkers: { ...WORKERS, longestTask: Duration.minutes(42) } });
    expect(queue).toHaveBeenLastCalledWith(expect.anything(), Duration.minutes(42));
    platform({ queue });
    expect(queue).toHaveBeenLastCalledWith(expect.anything(), Duration.minutes(10));
  });
});

describe('vectors in the database', () => {
  const embeddingModel = EmbeddingModel.BGE_M3;

  test('are made of the database and the model of the platform', () => {
    const vectors = jest.fn((_: Construct, __: PlatformParts) => QUEUE);
    const { data } = platform({ qdrant: undefined, vectors, database: POSTGRES, embeddingModel });
    const [, parts] = vectors.mock.lastCall as [Construct, PlatformParts];
    expect([parts.model, parts.database, parts.databaseAccess]).toEqual([embeddingModel, data.database, data.database]);
  });

  test.each([
    ['database', { embeddingModel }],
    ['embeddingModel', { database: POSTGRES }],
  ])('without %s are refused', (property, parts) => {
    const vectors: RagPlatformProps['vectors'] = (scope, { model, database }) =>
      new Pgvector(scope, 'vectors', { model, database });
    expect(() => platform({ qdrant: undefined, vectors, ...parts })).toThrow(
      new Error(`rag: ${property} is missing, but vectors needs it; set it`),
    );
  });

  test('are reached through the pooler, and created without it', () => {
    const objects = rendered({
      cluster: OPERATED,
      qdrant: undefined,
      embeddingModel,
      database: POOLED,
      vectors: (scope, { model, database, databaseAccess }) =>
        new Pgvector(scope, 'vectors', { model, database }).through(databaseAccess),
    });
    expect(variables(objects, 'Deployment', 'api')).toMatchObject({
      PGHOST: 'database-pooler',
      PGVECTOR_TABLE: 'vectors',
    });
    expect(variables(objects, 'Job', 'vectors-table').PGHOST).toBe('database-rw');
  });
});
