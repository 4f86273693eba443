import { ExternalPostgres } from '../../constructs/data/external-postgres';
import { PostgresTls } from '../../constructs/data/postgres-tls';
import { Distance, EmbeddingModel } from '../../constructs/models/embedding-model';
import type { Json } from '../../constructs/rules/output';
import { Pgvector, type PgvectorProps } from '../../constructs/vector-store/pgvector';
import { find, mainContainer, render, testChart } from '../support/manifests';
import { hasPgvector, hasPostgres, PostgresServer } from '../support/postgres-server';
import { KEY } from '../support/values';

const suite = hasPostgres() && hasPgvector() ? describe : describe.skip;

const model = (dimensions: number, distance = Distance.COSINE, id = 'acme/model') =>
  EmbeddingModel.of({ id, dimensions, maxTokens: 512, distance });

suite('pgvector.sql in a real PostgreSQL', () => {
  const password = 'correct-horse_battery';
  const server = new PostgresServer('admin', password);
  const database = new ExternalPostgres({
    host: 'db.acme.example',
    database: 'app',
    user: 'app',
    password: KEY,
    tls: PostgresTls.none(),
  });

  /** Runs what the Job runs, as a user who owns the database and is no superuser. */
  function bootstrap(props: Partial<PgvectorProps>) {
    const chart = testChart();
    new Pgvector(chart, 'documents', { database, model: model(3), ...props });
    const objects = render(chart);
    const container = mainContainer(find(objects, 'Job', 'documents-table'));
    const [program, ...args]: [string, ...string[]] = container.command;
    const variables = Object.fromEntries(container.env.map(({ name, value }: Json) => [name, value ?? password]));
    const sql = find(objects, 'ConfigMap', 'documents-table').data['pgvector.sql'];
    const { PGDATABASE, PGUSER, PGPASSWORD } = variables;
    const env = { PGDATABASE, PGUSER, PGPASSWORD, PGHOST: '127.0.0.1', PGPORT: String(server.port) };
    server.writeFile('pgvector.sql', sql);
    return server.run(
      program,
      args.map((argument) => argument.replace('/etc/pgvector/', './')),
      env,
    );
  }

  const columns = (table: string) =>
    server.query(
      `select attname || ' ' || format_type(atttypid, atttypmod) from pg_attribute
       where attrelid = '${table}'::regclass and attnum > 0 order by attnum`,
      'app',
    );
  const indexOf = (table: string) =>
    server.query(`select indexdef from pg_indexes where tablename = '${table}' and indexdef like '%hnsw%'`, 'app');

  beforeAll(async () => {
    await server.start(['--auth=scram-sha-256'], []);
    server.query(`create role app login password '${password}'`);
    server.query('create database app owner app');
    server.query('create extension vector', 'app');
  }, 60_000);
  afterAll(() => server.stop());

  test('creates the table and its index, and does so again in peace', () => {
    for (const _ of ['first', 'second']) {
      const { status, stderr } = bootstrap({});
      expect([status, stderr]).toEqual([0, '']);
    }
    expect(columns('documents')).toEqual(['id uuid', 'content text', 'metadata jsonb', 'embedding vector(3)']);
    expect(indexOf('documents')).toEqual([
      expect.stringContaining("USING hnsw (embedding vector_cosine_ops) WITH (m='16', ef_construction='64')"),
    ]);
  });

  test('keeps what is in the table', () => {
    bootstrap({ table: 'kept' });
    server.query("insert into kept (content, embedding) values ('a', '[1,2,3]')", 'app');
    expect(bootstrap({ table: 'kept' }).status).toBe(0);
    expect(server.query('select content, metadata from kept', 'app')).toEqual(['a|{}']);
  });

  test('fails for a model of another size, says why, and changes nothing', () => {
    bootstrap({ table: 'fixed' });
    const { status, stderr } = bootstrap({ table: 'fixed', model: model(4) });
    expect(status).toBe(3);
    expect(stderr).toContain(
      'column embedding of table fixed is vector(3), but the vectors of acme/model are vector(4)',
    );
    expect(stderr).toContain('the vectors of another model need another table; nothing was changed');
    expect(columns('fixed')).toContain('embedding vector(3)');
  });

  test('fails for another model of the same size, says why, and leaves the table to the first', () => {
    const comment = () => server.query("select obj_description('marked'::regclass, 'pg_class')", 'app');
    bootstrap({ table: 'marked' });
    expect(comment()).toEqual(['cdk8s-rag/model=acme/model']);
    const { status, stderr } = bootstrap({ table: 'marked', model: model(3, Distance.COSINE, 'acme/other') });
    expect(status).toBe(3);
    expect(stderr).toContain(
      'table marked has the comment cdk8s-rag/model=acme/model, but the vectors are of acme/other',
    );
    expect(comment()).toEqual(['cdk8s-rag/model=acme/model']);
    expect(bootstrap({ table: 'marked' }).status).toBe(0);
  });

  test('keeps the comment that somebody else has given to the table', () => {
    bootstrap({ table: 'described' });
    server.query("comment on table described is 'for the search'", 'app');
    expect(bootstrap({ table: 'described' }).stderr).toBe('');
    expect(server.query("select obj_description('described'::regclass, 'pg_class')", 'app')).toEqual([
      'for the search',
    ]);
  });

  test('fails for a table of somebody else', () => {
    server.query('create table foreign_one (id int)', 'app');
    const { status, stderr } = bootstrap({ table: 'foreign_one' });
    expect(status).toBe(3);
    expect(stderr).toContain('is missing');
    expect(columns('foreign_one')).toEqual(['id integer']);
  });

  test.each<[string, Distance, string, string]>([
    ['by_cosine', Distance.COSINE, 'vector_cosine_ops', '<=>'],
    ['by_dot', Distance.DOT, 'vector_ip_ops', '<#>'],
    ['by_euclid', Distance.EUCLID, 'vector_l2_ops', '<->'],
    ['by_manhattan', Distance.MANHATTAN, 'vector_l1_ops', '<+>'],
  ])('has an index %s that serves its operator', (table, distance, opclass, operator) => {
    expect(bootstrap({ table, model: model(3, distance), m: 8, efConstruction: 32 }).stderr).toBe('');
    expect(indexOf(table)).toEqual([expect.stringContaining(`${opclass}) WITH (m='8', ef_construction='32')`)]);
    const plan = server.query(
      `set enable_seqscan = off; explain select id from ${table} order by embedding ${operator} '[1,2,3]' limit 1`,
      'app',
    );
    expect(plan.join('\n')).toContain(`Index Scan using ${table}_embedding_`);
  });

  test('takes half precision for vectors that are too long for an index otherwise', () => {
    expect(bootstrap({ table: 'long', model: model(3072) }).stderr).toBe('');
    expect(columns('long')).toContain('embedding halfvec(3072)');
    expect(indexOf('long')).toEqual([expect.stringContaining('halfvec_cosine_ops')]);
  });

  test('takes a name that is a word of SQL', () => {
    expect(bootstrap({ table: 'order' }).stderr).toBe('');
    expect(bootstrap({ table: 'order' }).stderr).toBe('');
  });
});
