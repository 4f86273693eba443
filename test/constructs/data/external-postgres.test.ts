import { ExternalPostgres, type ExternalPostgresProps } from '../../../constructs/data/external-postgres';
import { PostgresTls } from '../../../constructs/data/postgres-tls';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Deployment } from '../../../constructs/workload/deployment';
import { env, find, mainContainer, render, templateOf, testChart } from '../../support/manifests';
import { CONTAINER } from '../../support/workloads';

const PROPS: ExternalPostgresProps = {
  host: 'rag.abc.eu-west-1.rds.amazonaws.com',
  database: 'rag',
  user: 'rag_api',
  password: SecretKey.of('rds', 'password'),
  tls: PostgresTls.verified(SecretKey.of('rds-ca', 'global-bundle.pem')),
};

function client(props: Partial<ExternalPostgresProps> = {}, prefix?: string) {
  const chart = testChart();
  const database = new ExternalPostgres({ ...PROPS, ...props });
  const provider = prefix === undefined ? database : database.named(prefix);
  new Deployment(chart, 'api', { component: 'api', container: CONTAINER }).uses(provider);
  return render(chart);
}

const names = (props: Partial<ExternalPostgresProps>) =>
  mainContainer(find(client(props), 'Deployment', 'api')).env.map(({ name }: { name: string }) => name);

describe('a database whose certificate is verified', () => {
  const objects = client({ cidrs: ['10.1.0.0/16'] });
  const deployment = find(objects, 'Deployment', 'api');

  test('is told to clients as one in the cluster is, with the authority', () => {
    expect(mainContainer(deployment).env).toEqual([
      { name: 'PGHOST', value: PROPS.host },
      { name: 'PGPORT', value: '5432' },
      { name: 'PGDATABASE', value: 'rag' },
      { name: 'PGUSER', value: 'rag_api' },
      { name: 'PGPASSWORD', valueFrom: { secretKeyRef: { name: 'rds', key: 'password' } } },
      { name: 'PGSSLMODE', value: 'verify-full' },
      { name: 'PGSSLROOTCERT', value: '/etc/postgresql-ca/rds-ca/global-bundle.pem' },
      {
        name: 'DATABASE_URL',
        value: `postgresql://rag_api:$(PGPASSWORD)@${PROPS.host}:5432/rag?sslmode=verify-full&sslrootcert=/etc/postgresql-ca/rds-ca/global-bundle.pem`,
      },
    ]);
    expect(mainContainer(deployment).volumeMounts).toEqual([
      { name: 'secret-rds-ca', mountPath: '/etc/postgresql-ca/rds-ca', readOnly: true },
    ]);
    expect(templateOf(deployment).spec.volumes[0].secret).toEqual({
      secretName: 'rds-ca',
      items: [{ key: 'global-bundle.pem', path: 'global-bundle.pem' }],
    });
  });

  test('is reached at its addresses alone', () => {
    expect(find(objects, 'NetworkPolicy', 'api').spec.egress[0]).toEqual({
      to: [{ ipBlock: { cidr: '10.1.0.0/16' } }],
      ports: [{ port: 5432, protocol: 'TCP' }],
    });
  });

  test('has other names beside another database', () => {
    const deployment = find(client({}, 'VECTORS'), 'Deployment', 'api');
    expect(env(deployment, 'VECTORS_SSLROOTCERT')).toBe('/etc/postgresql-ca/rds-ca/global-bundle.pem');
    expect(env(deployment, 'VECTORS_URL')).toContain('$(VECTORS_PASSWORD)@');
    expect(env(deployment, 'PGHOST')).toBeUndefined();
  });
});

test('an authority that the system knows needs no file', () => {
  const objects = client({ tls: PostgresTls.publicAuthority() });
  const deployment = find(objects, 'Deployment', 'api');
  expect(env(deployment, 'PGSSLROOTCERT')).toBe('system');
  expect(env(deployment, 'DATABASE_URL')).toContain('?sslmode=verify-full&sslrootcert=system');
  expect(mainContainer(deployment).volumeMounts).toBeUndefined();
});

test.each<[string, PostgresTls, string]>([
  ['encrypted without trust', PostgresTls.unverified(), 'require'],
  ['not encrypted', PostgresTls.none(), 'disable'],
])('%s', (_, tls, mode) => {
  expect(env(find(client({ tls }), 'Deployment', 'api'), 'PGSSLMODE')).toBe(mode);
  expect(names({ tls })).not.toContain('PGSSLROOTCERT');
});

test('names are escaped in the URL, and an IPv6 address is in brackets', () => {
  const deployment = find(
    client({ host: 'fd00::5', port: 6432, user: 'app@tenant', database: 'a/b', tls: PostgresTls.none() }),
    'Deployment',
    'api',
  );
  expect(env(deployment, 'DATABASE_URL')).toBe(
    'postgresql://app%40tenant:$(PGPASSWORD)@[fd00::5]:6432/a%2Fb?sslmode=disable',
  );
  expect(env(deployment, 'PGUSER')).toBe('app@tenant');
  expect(env(deployment, 'PGHOST')).toBe('fd00::5');
});

test.each<[string, Partial<ExternalPostgresProps>, string]>([
  ['a URL for a host', { host: 'postgres://db' }, 'externalPostgres.host is "postgres://db", but must be a DNS name'],
  ['a port out of range', { port: 0 }, 'externalPostgres.port is 0, but must be from 1 to 65535'],
  ['no database', { database: '' }, 'externalPostgres.database is "", but must be 1 to 63 characters'],
  ['a user with a quote', { user: "a'b" }, 'externalPostgres.user is "a\'b", but must be'],
  ['no range', { cidrs: ['10.0.0.0'] }, 'externalPostgres.cidrs has "10.0.0.0"'],
])('%s is refused', (_, props, message) => {
  expect(() => new ExternalPostgres({ ...PROPS, ...props })).toThrow(message);
});

test.each([
  ['', 'named.prefix is empty, and variables would be named like _HOST; give it a name'],
  [
    '2ND DB',
    'named.prefix is "2ND DB", but the name of a variable consists of letters, digits, "-", "_" and ".", and does not ' +
      'begin with a digit',
  ],
])('the prefix %j for other names is refused', (prefix, message) => {
  expect(() => client({}, prefix)).toThrow(new Error(message));
});
