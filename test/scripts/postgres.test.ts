import { Postgres } from '../../constructs/data/postgres';
import type { Json } from '../../constructs/rules/output';
import { Deployment } from '../../constructs/workload/deployment';
import { env, find, mainContainer, render, testChart } from '../support/manifests';
import { hasPostgres, PostgresServer } from '../support/postgres-server';
import { KEY } from '../support/values';
import { CONTAINER } from '../support/workloads';

const suite = hasPostgres() ? describe : describe.skip;

suite('a real PostgreSQL', () => {
  const password = 'correct-horse_battery';
  const server = new PostgresServer('app', password);
  const chart = testChart();
  const database = new Postgres(chart, 'db', { password: KEY, settings: { work_mem: '8MB' } });
  new Deployment(chart, 'api', { component: 'api', container: CONTAINER }).uses(database);
  const objects = render(chart);
  const statefulSet = find(objects, 'StatefulSet', 'db');
  const container = mainContainer(statefulSet);

  /** The client's variables as the kubelet completes them, with this server's address. */
  function clientEnv(secret = password): { [name: string]: string } {
    const variables: Json[] = mainContainer(find(objects, 'Deployment', 'api')).env;
    const plain = Object.fromEntries(variables.map(({ name, value }) => [name, value ?? secret]));
    const url = plain.DATABASE_URL.replace('$(PGPASSWORD)', secret).replace('@db:5432', `@127.0.0.1:${server.port}`);
    return { ...plain, PGHOST: '127.0.0.1', PGPORT: String(server.port), DATABASE_URL: url };
  }

  beforeAll(async () => {
    await server.start(env(statefulSet, 'POSTGRES_INITDB_ARGS').split(' '), container.args);
    // The image creates the database after initdb.
    server.query('create database app');
  }, 60_000);
  afterAll(() => server.stop());

  test.each([
    ['shared_buffers', '128MB'],
    ['effective_cache_size', '384MB'],
    ['maintenance_work_mem', '32MB'],
    ['max_connections', '100'],
    ['password_encryption', 'scram-sha-256'],
    ['work_mem', '8MB'],
    ['data_checksums', 'on'],
  ])('takes the setting %s', (name, value) => {
    expect(server.query(`show ${name}`)).toEqual([value]);
  });

  test('keeps no password but as SCRAM', () => {
    expect(server.query("select left(rolpassword, 13) from pg_authid where rolname = 'app'")).toEqual([
      'SCRAM-SHA-256',
    ]);
  });

  test('trusts nobody without a password, on the socket neither', () => {
    expect(server.query('select distinct auth_method from pg_hba_file_rules')).toEqual(['scram-sha-256']);
    expect(server.run('psql', ['-w', '-c', 'select 1'], clientEnv('wrong')).stderr).toContain('authentication failed');
  });

  test('lets a client in by its variables alone', () => {
    const { DATABASE_URL, ...variables } = clientEnv();
    const { stdout } = server.run('psql', ['-w', '-XAtc', 'select current_database(), current_user'], variables);
    expect(stdout).toBe('app|app\n');
  });

  test('lets a client in by the URL alone', () => {
    const { stdout, stderr } = server.run('psql', ['-w', '-XAtc', 'select 1', clientEnv().DATABASE_URL as string]);
    expect([stdout, stderr]).toEqual(['1\n', '']);
  });

  test('answers the probe', () => {
    const [program, ...args]: [string, ...string[]] = container.readinessProbe.exec.command;
    const ask = (port: number) => server.run(program, [...args, '-p', String(port)]).status;
    expect(ask(server.port)).toBe(0);
    expect(ask(1)).not.toBe(0);
  });
});
