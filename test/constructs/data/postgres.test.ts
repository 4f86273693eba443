import { Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { Postgres, type PostgresProps } from '../../../constructs/data/postgres';
import { DefaultImages } from '../../../constructs/default-images';
import type { Json } from '../../../constructs/rules/output';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Deployment } from '../../../constructs/workload/deployment';
import { env, find, mainContainer, namesOf, render, templateOf, testChart } from '../../support/manifests';
import { RESOURCES } from '../../support/values';
import { CONTAINER } from '../../support/workloads';

const PASSWORD = SecretKey.of('db', 'password');

function postgres(props: Partial<PostgresProps> = {}) {
  const chart = testChart();
  const construct = new Postgres(chart, 'db', { password: PASSWORD, ...props });
  return { chart, construct, objects: () => render(chart) };
}

describe('the server', () => {
  const objects = postgres().objects();
  const statefulSet = find(objects, 'StatefulSet', 'db');
  const container = mainContainer(statefulSet);

  test('is one pod with a volume', () => {
    expect(statefulSet.spec.replicas).toBe(1);
    expect(statefulSet.spec.volumeClaimTemplates[0].spec.resources.requests.storage).toBe('10Gi');
    expect(namesOf(objects, 'PodDisruptionBudget')).toEqual([]);
    expect(templateOf(statefulSet).metadata.labels['app.kubernetes.io/component']).toBe('database');
  });

  test('runs as the user of the image, and writes to its volumes alone', () => {
    expect(templateOf(statefulSet).spec.securityContext).toMatchObject({
      runAsUser: 999,
      runAsGroup: 999,
      fsGroup: 999,
    });
    expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
    const writable = container.volumeMounts.map(({ mountPath }: Json) => mountPath);
    expect(writable).toEqual(['/var/lib/postgresql/data', '/var/run/postgresql', '/dev/shm', '/tmp']);
  });

  test('keeps its data below the mount, which is not empty when it is new', () => {
    expect(env(statefulSet, 'PGDATA')).toBe('/var/lib/postgresql/data/pgdata');
  });

  test('has shared memory as large as its shared pages, within its memory', () => {
    const { volumes } = templateOf(statefulSet).spec;
    const shm = volumes.find(({ name }: Json) => name === 'shared-memory');
    expect(shm.emptyDir).toEqual({ medium: 'Memory', sizeLimit: '128Mi' });
    expect(container.args).toContain('shared_buffers=128MB');
    expect(container.resources.limits.memory).toBe('512Mi');
  });

  test('gets its settings as arguments, in a fixed order', () => {
    expect(container.args).toEqual([
      '-c',
      'effective_cache_size=384MB',
      '-c',
      'maintenance_work_mem=32MB',
      '-c',
      'max_connections=100',
      '-c',
      'password_encryption=scram-sha-256',
      '-c',
      'shared_buffers=128MB',
    ]);
    expect(container).not.toHaveProperty('command');
  });

  test('has its password by reference, and trusts nobody without', () => {
    expect(env(statefulSet, 'POSTGRES_PASSWORD')).toEqual({ secretKeyRef: { name: 'db', key: 'password' } });
    expect(env(statefulSet, 'POSTGRES_INITDB_ARGS')).toContain('--auth=scram-sha-256');
    expect(env(statefulSet, 'POSTGRES_HOST_AUTH_METHOD')).toBeUndefined();
  });

  test('is ready when it answers by TCP, which it does not while the image prepares it', () => {
    const command = ['pg_isready', '-h', '127.0.0.1', '-U', 'app', '-d', 'app', '-q'];
    const { startupProbe, readinessProbe } = container;
    expect([startupProbe, readinessProbe].map(({ exec }) => exec.command)).toEqual([command, command]);
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBe(600);
  });

  test('lives while it recovers and refuses everybody', () => {
    expect(container.livenessProbe.tcpSocket).toEqual({ port: 5432 });
    expect(container.livenessProbe).not.toHaveProperty('exec');
  });

  test('has time for a fast shutdown', () => {
    expect(templateOf(statefulSet).spec.terminationGracePeriodSeconds).toBe(120);
    expect(container).not.toHaveProperty('lifecycle');
  });

  test('opens no connections', () => {
    expect(find(objects, 'NetworkPolicy', 'db').spec).not.toHaveProperty('egress');
  });
});

test('settings follow from the memory, and can be changed', () => {
  const resources = { cpu: Cpu.units(1), memory: Size.gibibytes(4) };
  const { objects } = postgres({
    resources,
    maxConnections: 300,
    settings: { work_mem: '16MB', shared_buffers: '2GB' },
  });
  expect(
    mainContainer(find(objects(), 'StatefulSet', 'db')).args.filter((argument: string) => argument !== '-c'),
  ).toEqual([
    'effective_cache_size=3072MB',
    'maintenance_work_mem=256MB',
    'max_connections=300',
    'password_encryption=scram-sha-256',
    'shared_buffers=2GB',
    'work_mem=16MB',
  ]);
});

test.each([
  ['a port', 'port', 'has port, but where the server listens'],
  ['addresses', 'listen_addresses', 'has listen_addresses, but where the server listens'],
  ['another directory', 'data_directory', 'has data_directory, but where the server listens'],
  ['TLS', 'ssl', 'has ssl, but where the server listens'],
  ['a certificate', 'ssl_cert_file', 'has ssl_cert_file, but where the server listens'],
  [
    'what maxConnections says',
    'max_connections',
    'has max_connections, which follows from maxConnections; set maxConnections',
  ],
  [
    'the same in capitals',
    'Max_Connections',
    'has Max_Connections, which follows from maxConnections; set maxConnections',
  ],
  [
    'weak passwords',
    'password_encryption',
    'has password_encryption, which is scram-sha-256, the only one that is safe',
  ],
  [
    'no name',
    'work mem',
    'has "work mem", but names of settings have letters, digits and "_", and those of extensions a "."',
  ],
  ['a second setting', 'work_mem=1MB -c port', 'has "work_mem=1MB -c port", but names of settings have letters'],
  ['nothing', '', 'has "", but names of settings have letters'],
])('settings with %s are refused', (_, name, message) => {
  expect(() => postgres({ settings: { [name]: '1' } })).toThrow(`rag/db: settings ${message}`);
});

test('settings of extensions are taken, and those with capitals', () => {
  const { objects } = postgres({ settings: { 'pg_stat_statements.max': '5000', TimeZone: 'UTC', sslish: 'on' } });
  expect(mainContainer(find(objects(), 'StatefulSet', 'db')).args).toEqual(
    expect.arrayContaining(['pg_stat_statements.max=5000', 'TimeZone=UTC', 'sslish=on']),
  );
});

describe('a client', () => {
  const { chart, construct, objects: rendered } = postgres({ database: 'rag', user: 'rag_api' });
  new Deployment(chart, 'api', { component: 'api', container: CONTAINER }).uses(construct);
  const objects = rendered();

  test('gets what libpq reads, and the same as a URL after the password', () => {
    expect(mainContainer(find(objects, 'Deployment', 'api')).env).toEqual([
      { name: 'PGHOST', value: 'db' },
      { name: 'PGPORT', value: '5432' },
      { name: 'PGDATABASE', value: 'rag' },
      { name: 'PGUSER', value: 'rag_api' },
      { name: 'PGPASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } },
      { name: 'DATABASE_URL', value: 'postgresql://rag_api:$(PGPASSWORD)@db:5432/rag' },
    ]);
    expect(mainContainer(find(objects, 'Deployment', 'api')).volumeMounts).toBeUndefined();
  });

  test('may connect, and nobody else', () => {
    const labels = { 'app.kubernetes.io/name': 'api', 'app.kubernetes.io/instance': 'rag' };
    expect(find(objects, 'NetworkPolicy', 'db').spec.ingress).toEqual([
      { from: [{ podSelector: { matchLabels: labels } }], ports: [{ port: 5432, protocol: 'TCP' }] },
    ]);
    const [egress] = find(objects, 'NetworkPolicy', 'api').spec.egress;
    expect(egress.ports).toEqual([{ port: 5432, protocol: 'TCP' }]);
  });

  test('starts after it', () => {
    expect(find(objects, 'Deployment', 'api').metadata.annotations?.['argocd.argoproj.io/sync-wave']).toBe('10');
  });
});

test('a client of two databases has one of them under other names', () => {
  const { chart, construct, objects } = postgres();
  const vectors = new Postgres(chart, 'vectors', { password: SecretKey.of('vectors', 'password') });
  new Deployment(chart, 'api', { component: 'api', container: CONTAINER }).uses(construct, vectors.named('VECTORS'));
  const deployment = find(objects(), 'Deployment', 'api');
  expect(env(deployment, 'PGHOST')).toBe('db');
  expect(env(deployment, 'VECTORS_HOST')).toBe('vectors');
  expect(env(deployment, 'VECTORS_PASSWORD')).toEqual({ secretKeyRef: { name: 'vectors', key: 'password' } });
  expect(env(deployment, 'VECTORS_URL')).toBe('postgresql://app:$(VECTORS_PASSWORD)@vectors:5432/app');
});

test.each<[string, Partial<PostgresProps>, string]>([
  ['a database in capitals', { database: 'Rag' }, 'rag/db: database is "Rag", but must be 1 to 63 lower-case letters'],
  ['a user with a dash', { user: 'rag-api' }, 'rag/db: user is "rag-api", but must be'],
  [
    'too many connections',
    { maxConnections: 9000 },
    'maxConnections is 9000, but must be a whole number from 10 to 5000',
  ],
  [
    'too little memory',
    { resources: { cpu: Cpu.millis(100), memory: Size.mebibytes(64) } },
    'resources.memory is 64Mi, but PostgreSQL needs at least 128 MiB',
  ],
  ['a network file system', { storageClass: 'efs-sc' }, 'storageClass is "efs-sc", a network file system (efs)'],
])('%s is refused', (_, props, message) => {
  expect(() => postgres(props)).toThrow(message);
});

describe('vectors', () => {
  test('need another image than the official one', () => {
    expect(() => postgres().construct.ensureExtension('vector')).toThrow(
      'rag/db: image is docker.io/library/postgres, which does not have the extension "vector"; set it to one that has, ' +
        `such as docker.io/pgvector/pgvector with the tag ${DefaultImages.PGVECTOR.tag}, which is DefaultImages.PGVECTOR`,
    );
  });

  test('go with the image that has them, and with one of the user', () => {
    expect(() => postgres({ image: DefaultImages.PGVECTOR }).construct.ensureExtension('vector')).not.toThrow();
    expect(() => postgres({ resources: RESOURCES }).construct.ensureExtension('pg_trgm')).not.toThrow();
  });
});
