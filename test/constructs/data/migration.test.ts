import { Duration, Size } from 'cdk8s';
import { Migration, type MigrationProps } from '../../../constructs/data/migration';
import { Postgres } from '../../../constructs/data/postgres';
import type { ManifestObject } from '../../../constructs/rules/output';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Deployment } from '../../../constructs/workload/deployment';
import { EnvValue } from '../../../constructs/workload/env-value';
import { env, find, mainContainer, render, templateOf, testChart } from '../../support/manifests';
import { IMAGE, KEY } from '../../support/values';
import { CONTAINER } from '../../support/workloads';

function migration(props: Partial<MigrationProps> = {}) {
  const chart = testChart();
  const database = new Postgres(chart, 'db', { password: KEY });
  const construct = new Migration(chart, 'migration', {
    database,
    image: IMAGE,
    command: ['alembic', 'upgrade', 'head'],
    ...props,
  });
  const api = new Deployment(chart, 'api', { component: 'api', container: CONTAINER });
  api.uses(database, construct);
  return render(chart);
}

const wave = (objects: ManifestObject[], kind: string, name: string) =>
  find(objects, kind, name).metadata.annotations?.['argocd.argoproj.io/sync-wave'];

describe('a migration', () => {
  const objects = migration();
  const job = find(objects, 'Job', 'migration');

  test('runs at every sync, between the database and who uses it', () => {
    expect(job.metadata.annotations).toMatchObject({
      'argocd.argoproj.io/hook': 'Sync',
      'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
    });
    expect(wave(objects, 'StatefulSet', 'db')).toBeUndefined();
    expect(wave(objects, 'Job', 'migration')).toBe('10');
    expect(wave(objects, 'Deployment', 'api')).toBe('20');
  });

  test('runs one pod at a time, ends in time and is tried again', () => {
    expect(job.spec).toMatchObject({ activeDeadlineSeconds: 900, backoffLimit: 3 });
    expect(job.spec).not.toHaveProperty('parallelism');
    expect(templateOf(job).spec.restartPolicy).toBe('Never');
  });

  test('runs the command of the image with the database', () => {
    expect(mainContainer(job).command).toEqual(['alembic', 'upgrade', 'head']);
    expect(mainContainer(job)).not.toHaveProperty('args');
    expect(env(job, 'PGHOST')).toBe('db');
    expect(env(job, 'PGPASSWORD')).toEqual({ secretKeyRef: { name: 'existing', key: 'key' } });
  });

  test('has a place for temporary files', () => {
    expect(mainContainer(job).volumeMounts).toEqual([{ name: 'tmp', mountPath: '/tmp' }]);
    expect(templateOf(job).spec.volumes).toEqual([{ name: 'tmp', emptyDir: { sizeLimit: '256Mi' } }]);
  });

  test('is waited for and not connected to', () => {
    expect(find(objects, 'NetworkPolicy', 'migration').spec.ingress).toBeUndefined();
    const peers = find(objects, 'NetworkPolicy', 'api').spec.egress.flatMap(({ to }: { to: object[] }) => to);
    expect(JSON.stringify(peers)).not.toContain('migration');
  });
});

test('takes time, tries, variables and a user', () => {
  const job = find(
    migration({
      deadline: Duration.hours(1),
      retries: 0,
      env: { LOCK_TIMEOUT: EnvValue.of('5s') },
      args: ['--sql'],
      user: { uid: 1000, gid: 1000 },
      temporaryStorage: Size.gibibytes(1),
    }),
    'Job',
    'migration',
  );
  expect(job.spec).toMatchObject({ activeDeadlineSeconds: 3600, backoffLimit: 0 });
  expect(env(job, 'LOCK_TIMEOUT')).toBe('5s');
  expect(mainContainer(job).args).toEqual(['--sql']);
  expect(templateOf(job).spec.securityContext.runAsUser).toBe(1000);
  expect(templateOf(job).spec.volumes).toEqual([{ name: 'tmp', emptyDir: { sizeLimit: '1Gi' } }]);
});

test('no time at all is refused', () => {
  expect(() => migration({ deadline: Duration.seconds(0) })).toThrow('deadline is 0 ms, but must be whole seconds');
});

describe('who migrates', () => {
  const login = { user: 'owner', password: SecretKey.of('owner', 'password') };

  test('may be somebody else than clients are', () => {
    const objects = migration({ login });
    expect(env(find(objects, 'Job', 'migration'), 'PGUSER')).toBe('owner');
    expect(env(find(objects, 'Job', 'migration'), 'PGPASSWORD')).toEqual({
      secretKeyRef: { name: 'owner', key: 'password' },
    });
    expect(env(find(objects, 'Job', 'migration'), 'DATABASE_URL')).toMatch(/^postgresql:\/\/owner:/);
    expect(env(find(objects, 'Deployment', 'api'), 'PGUSER')).toBe('app');
  });

  test('reaches the same database', () => {
    const peers = find(migration({ login }), 'NetworkPolicy', 'db').spec.ingress;
    expect(JSON.stringify(peers)).toContain('"app.kubernetes.io/name":"migration"');
  });

  test('has a name that a user can have', () => {
    expect(() => migration({ login: { ...login, user: 'a b' } })).toThrow(
      new Error('login.user is "a b", but must be 1 to 63 letters, digits and "_"'),
    );
  });
});
