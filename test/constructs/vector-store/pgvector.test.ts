import { Duration } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { ExternalPostgres } from '../../../constructs/data/external-postgres';
import { Postgres } from '../../../constructs/data/postgres';
import { PostgresCluster } from '../../../constructs/data/postgres-cluster';
import { PostgresTls } from '../../../constructs/data/postgres-tls';
import { DefaultImages } from '../../../constructs/default-images';
import { Distance, EmbeddingModel } from '../../../constructs/models/embedding-model';
import type { ManifestObject } from '../../../constructs/rules/output';
import { Pgvector, type PgvectorProps } from '../../../constructs/vector-store/pgvector';
import { Deployment } from '../../../constructs/workload/deployment';
import { env, find, mainContainer, render, templateOf, testChart } from '../../support/manifests';
import { KEY } from '../../support/values';
import { CONTAINER } from '../../support/workloads';

const model = (dimensions: number, distance = Distance.COSINE) =>
  EmbeddingModel.of({ id: 'acme/model', dimensions, maxTokens: 512, distance });

function pgvector(props: Partial<PgvectorProps> = {}, id = 'documents') {
  const chart = testChart();
  const database = new Postgres(chart, 'db', { password: KEY, image: DefaultImages.PGVECTOR });
  const construct = new Pgvector(chart, id, { database, model: EmbeddingModel.BGE_M3, ...props });
  const client = new Deployment(chart, 'api', { component: 'api', container: CONTAINER });
  client.uses(construct);
  return { construct, objects: () => render(chart) };
}

const wave = (objects: ManifestObject[], kind: string, name: string) =>
  find(objects, kind, name).metadata.annotations?.['argocd.argoproj.io/sync-wave'];

/** Value of a variable of the SQL. */
function variable(props: Partial<PgvectorProps>, name: string): string | undefined {
  const { command } = mainContainer(find(pgvector(props).objects(), 'Job', 'documents-table'));
  return command.find((word: string) => word.startsWith(`--set=${name}=`))?.slice(`--set=${name}=`.length);
}

describe('the Job', () => {
  const objects = pgvector().objects();
  const job = find(objects, 'Job', 'documents-table');

  test('runs the SQL at every sync, after the database and before the clients', () => {
    expect(mainContainer(job).command.slice(0, 4)).toEqual(['psql', '--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1']);
    expect(mainContainer(job).command.at(-1)).toBe('--file=/etc/pgvector/pgvector.sql');
    expect(find(objects, 'ConfigMap', 'documents-table').data['pgvector.sql']).toContain(
      'create extension if not exists vector',
    );
    expect(wave(objects, 'Job', 'documents-table')).toBe('10');
    expect(wave(objects, 'Deployment', 'api')).toBe('20');
  });

  test('is of the image of PostgreSQL, as its user', () => {
    expect(mainContainer(job).image).toContain('/postgres:');
    expect(templateOf(job).spec.securityContext).toMatchObject({ runAsUser: 999, runAsGroup: 999 });
    expect(templateOf(job).metadata.labels['app.kubernetes.io/component']).toBe('vector-store');
  });

  test('runs where, and as often as, it is told', () => {
    const { objects: told } = pgvector({
      job: { podAnnotations: { 'acme.example/a': 'b' }, retries: 5, cpuLimit: Cpu.units(1) },
    });
    const own = find(told(), 'Job', 'documents-table');
    expect(own.spec.backoffLimit).toBe(5);
    expect(templateOf(own).metadata.annotations).toMatchObject({ 'acme.example/a': 'b' });
    expect(mainContainer(own).resources.limits.cpu).toBe('1');
    expect(mainContainer(job).resources.limits).not.toHaveProperty('cpu');
  });

  test('drops nothing', () => {
    const sql: string = find(objects, 'ConfigMap', 'documents-table').data['pgvector.sql'];
    const statements = sql.replaceAll(/^--.*$/gm, '');
    expect(statements).not.toMatch(/\b(drop|truncate|delete|alter)\b/i);
  });

  test('has the time that it is given', () => {
    const given = pgvector({ deadline: Duration.hours(2) }).objects();
    expect(job.spec.activeDeadlineSeconds).toBe(1800);
    expect(find(given, 'Job', 'documents-table').spec.activeDeadlineSeconds).toBe(7200);
  });
});

describe('a client', () => {
  const deployment = find(pgvector().objects(), 'Deployment', 'api');

  test('is told the table, how to ask it, and the facts of the model', () => {
    expect(env(deployment, 'PGVECTOR_TABLE')).toBe('documents');
    expect(env(deployment, 'PGVECTOR_TYPE')).toBe('vector');
    expect(env(deployment, 'PGVECTOR_OPERATOR')).toBe('<=>');
    expect(env(deployment, 'EMBEDDING_MODEL')).toBe('BAAI/bge-m3');
    expect(env(deployment, 'EMBEDDING_DIMENSIONS')).toBe('1024');
  });

  test('is told how to connect', () => {
    expect(env(deployment, 'PGHOST')).toBe('db');
    expect(env(deployment, 'DATABASE_URL')).toBe('postgresql://app:$(PGPASSWORD)@db:5432/app');
  });

  test('of two tables has one of them under other names', () => {
    const other = find(pgvector({ envPrefix: 'CODE', modelPrefix: 'CODE_EMBEDDING' }).objects(), 'Deployment', 'api');
    expect(env(other, 'CODE_TABLE')).toBe('documents');
    expect(env(other, 'CODE_EMBEDDING_MODEL')).toBe('BAAI/bge-m3');
    expect(env(other, 'PGVECTOR_TABLE')).toBeUndefined();
  });
});

test.each<[Distance, string, string]>([
  [Distance.COSINE, 'vector_cosine_ops', '<=>'],
  [Distance.DOT, 'vector_ip_ops', '<#>'],
  [Distance.EUCLID, 'vector_l2_ops', '<->'],
  [Distance.MANHATTAN, 'vector_l1_ops', '<+>'],
])('the index is by the distance of the model: %p', (distance, opclass, operator) => {
  const props = { model: model(8, distance) };
  expect(variable(props, 'opclass')).toBe(opclass);
  expect(env(find(pgvector(props).objects(), 'Deployment', 'api'), 'PGVECTOR_OPERATOR')).toBe(operator);
});

test.each([
  [2000, 'vector(2000)', 'vector'],
  [2001, 'halfvec(2001)', 'halfvec'],
  [4000, 'halfvec(4000)', 'halfvec'],
])('vectors of %i dimensions are %s', (dimensions, wanted, type) => {
  const props = { model: model(dimensions) };
  expect(variable(props, 'wanted')).toBe(wanted);
  expect(variable(props, 'opclass')).toBe(`${type}_cosine_ops`);
  expect(env(find(pgvector(props).objects(), 'Deployment', 'api'), 'PGVECTOR_TYPE')).toBe(type);
});

test('the table is named like the construct, as SQL likes it', () => {
  expect(pgvector({}, 'source-code').construct.table).toBe('source_code');
  expect(pgvector({ table: 'chunks' }).construct.table).toBe('chunks');
});

test.each<[string, Partial<PgvectorProps>, string]>([
  [
    'a table in capitals',
    { table: 'Chunks' },
    'rag/documents: table is "Chunks", but must be 1 to 40 lower-case letters',
  ],
  ['a long name', { table: 'a'.repeat(41) }, 'but must be 1 to 40'],
  [
    'too many dimensions',
    { model: model(4001) },
    'model.dimensions is 4001, but an index of pgvector takes at most 4000',
  ],
  ['too few links', { m: 1 }, 'm is 1, but must be a whole number from 2 to 100'],
  [
    'too many candidates',
    { efConstruction: 1001 },
    'efConstruction is 1001, but must be a whole number from 4 to 1000',
  ],
  ['fewer candidates than links', { m: 40 }, 'efConstruction is 64, but must be at least twice m, which is 40'],
])('%s is refused', (_, props, message) => {
  expect(() => pgvector(props)).toThrow(message);
});

describe('each of the databases will do', () => {
  test('a cluster, which has the extension from a superuser, and clients that come through the pooler', () => {
    const chart = testChart({ cloudNativePg: { namespace: 'cnpg-system' }, cilium: true });
    const database = new PostgresCluster(chart, 'db', { pooler: {} });
    const vectors = new Pgvector(chart, 'documents', { database, model: EmbeddingModel.BGE_M3 });
    const api = new Deployment(chart, 'api', { component: 'api', container: CONTAINER });
    api.uses(vectors.through(database.pooled));
    const objects = render(chart);
    expect(find(objects, 'Cluster', 'db').spec.bootstrap.initdb.postInitApplicationSQL).toEqual([
      'CREATE EXTENSION IF NOT EXISTS "vector"',
    ]);
    expect(env(find(objects, 'Job', 'documents-table'), 'PGHOST')).toBe('db-rw');
    expect(env(find(objects, 'Deployment', 'api'), 'PGHOST')).toBe('db-pooler');
    expect(env(find(objects, 'Deployment', 'api'), 'PGVECTOR_TABLE')).toBe('documents');
    expect(wave(objects, 'Deployment', 'api')).toBe('20');
  });

  test('one that somebody else runs', () => {
    const database = new ExternalPostgres({
      host: 'db.acme.example',
      database: 'rag',
      user: 'rag',
      password: KEY,
      tls: PostgresTls.publicAuthority(),
    });
    expect(env(find(pgvector({ database }).objects(), 'Job', 'documents-table'), 'PGSSLMODE')).toBe('verify-full');
  });

  test('a plain one, when its image has the extension', () => {
    const chart = testChart();
    const database = new Postgres(chart, 'db', { password: KEY });
    expect(() => new Pgvector(chart, 'documents', { database, model: EmbeddingModel.BGE_M3 })).toThrow(
      'which does not have the extension "vector"',
    );
  });
});
