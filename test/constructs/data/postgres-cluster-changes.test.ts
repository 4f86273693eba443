import { Size } from 'cdk8s';
import { ObjectStore } from '../../../constructs/data/object-store';
import { PostgresBackups } from '../../../constructs/data/postgres-backups';
import { PostgresCluster, type PostgresClusterProps } from '../../../constructs/data/postgres-cluster';
import type { Json } from '../../../constructs/rules/output';
import { Image } from '../../../constructs/workload/image';
import { render, testChart } from '../../support/manifests';
import { changed, problemsOfStep } from '../../support/steps';

function chartWith(props: PostgresClusterProps = {}) {
  const chart = testChart({ cloudNativePg: { namespace: 'cnpg-system' }, apiServer: { cidrs: ['10.0.0.1/32'] } });
  new PostgresCluster(chart, 'db', props);
  return chart;
}

const step = (from: PostgresClusterProps, to: PostgresClusterProps) =>
  problemsOfStep(render(chartWith(from)), chartWith(to));

/** The step from a cluster that somebody changed by hand. */
const stepFrom = (change: (cluster: Json) => void) =>
  problemsOfStep(changed(render(chartWith()), 'Cluster', 'db', change), chartWith());

const image = (tag: string) => ({ image: Image.of('ghcr.io/cloudnative-pg/postgresql', { tag }) });

const backups = (prefix?: string) => ({
  backups: PostgresBackups.daily({
    hour: 2,
    keepDays: 30,
    to: ObjectStore.s3({ bucket: 'acme-backups', region: 'eu-west-1', prefix }),
  }),
});

const ANOTHER =
  'create another PostgresCluster of another name, copy the data with pg_dump and pg_restore, point the clients at it, ' +
  'and remove this one';

const RENDER_ANEW = 'remove the file of its last render so that there is nothing to compare, render again and sync';

test.each([
  ['nothing', {}, {}],
  ['more instances', { instances: 1 }, { instances: 3 }],
  ['fewer instances', { instances: 5 }, { instances: 3 }],
  ['larger volumes', {}, { storage: Size.gibibytes(200), walStorage: Size.gibibytes(10) }],
])('%s may change', (_, from, to) => {
  expect(step(from, to)).toEqual([]);
});

test('the first render follows none', () => {
  expect(problemsOfStep([], chartWith())).toEqual([]);
});

describe('volumes', () => {
  test.each([
    ['storage', { storage: Size.gibibytes(40) }, { storage: Size.gibibytes(20) }, '40Gi', '20Gi'],
    ['walStorage', { walStorage: Size.gibibytes(3) }, { walStorage: Size.mebibytes(2500) }, '3Gi', '2500Mi'],
  ])('%s does not become smaller', (field, from, to, was, becomes) => {
    expect(step(from, to)).toEqual([
      `Cluster test/db: spec.${field}.size goes from ${was} to ${becomes}, but a volume never becomes smaller; keep ${was}, ` +
        `or ${ANOTHER}`,
    ]);
  });

  test('of another class would come for new instances only, and the message says how to move the others', () => {
    const problem = (field: string) =>
      `Cluster test/db: spec.${field}.storageClass goes from fast to slow, but volumes that exist stay what they are; keep ` +
      `fast, or move them: ${RENDER_ANEW}, delete the claims and the pod of one replica, wait for its successor, do the ` +
      'same with the next, and at last with the primary, once kubectl cnpg promote has made another one of a successor';
    expect(step({ storageClass: 'fast' }, { storageClass: 'slow' })).toEqual([
      problem('storage'),
      problem('walStorage'),
    ]);
  });

  test('for the log stay where there was one', () => {
    const chart = chartWith();
    const after = changed(render(chart), 'Cluster', 'db', ({ spec }) => {
      delete spec.walStorage;
    });
    expect(problemsOfStep(render(chart), chart, after)).toEqual([
      `Cluster test/db: spec.walStorage goes away, but a volume that exists cannot be taken away; keep it, or ${ANOTHER}`,
    ]);
  });

  test('for the log may be added', () => {
    expect(
      stepFrom(({ spec }) => {
        delete spec.walStorage;
      }),
    ).toEqual([]);
  });
});

test.each([
  ['database', { database: 'rag' }],
  ['owner', { owner: 'rag' }],
])('the %s stays', (field, to) => {
  expect(step({}, to)).toEqual([
    `Cluster test/db: spec.bootstrap.initdb.${field} goes from app to rag, but only a new cluster is made with it, and ` +
      `clients would come for a ${field} that is not there; keep app, or ${ANOTHER}`,
  ]);
});

describe('the release', () => {
  test.each([
    ['17.10-standard-bookworm', '17.11-standard-trixie'],
    ['17.10-standard-bookworm', '18.1-minimal-bookworm'],
    ['16', '18.1-minimal-trixie'],
    ['15.3', '18'],
    ['our-own', '18'],
    ['18', 'our-own'],
  ])('may go from %s to %s', (from, to) => {
    expect(step(image(from), image(to))).toEqual([]);
  });

  test('may not go back', () => {
    expect(step(image('18.1'), image('17.11-standard-bookworm'))).toEqual([
      'Cluster test/db: spec.imageName goes from PostgreSQL 18 to 17, but an older release does not read the data of a newer ' +
        `one; keep 18; where an upgrade has failed and the data is still of 17, ${RENDER_ANEW}`,
    ]);
  });

  test('does not change together with the distribution', () => {
    expect(step(image('17.11-standard-bookworm'), image('18.1-standard-trixie'))).toEqual([
      'Cluster test/db: spec.imageName goes from PostgreSQL 17 to 18, and from Debian bookworm to trixie, but data is ' +
        'upgraded on one distribution only; take an image of 18 on bookworm',
    ]);
  });

  test('needs another place in the archive', () => {
    expect(step({ ...image('17'), ...backups('db') }, { ...image('18'), ...backups('db') })).toEqual([
      'Cluster test/db: spec.imageName goes from PostgreSQL 17 to 18, but its log would overwrite that of the old release in ' +
        's3://acme-backups/db/db, and no backup there could be restored; take a backup, and set another prefix in ' +
        'backups.to in the same step',
    ]);
    expect(step({ ...image('17'), ...backups('db') }, { ...image('18'), ...backups('db-18') })).toEqual([]);
    expect(step({ ...image('17'), ...backups('db') }, { ...image('17.2'), ...backups('db') })).toEqual([]);
    expect(step(image('17'), { ...image('18'), ...backups('db') })).toEqual([]);
  });

  test('needs none where the archive is another one by the name of the server', () => {
    const before = changed(render(chartWith({ ...image('17'), ...backups() })), 'Cluster', 'db', ({ spec }) => {
      spec.plugins[0].parameters.serverName = 'db-17';
    });
    expect(problemsOfStep(before, chartWith({ ...image('18'), ...backups() }))).toEqual([]);
  });
});

test('what somebody removed by hand is not compared', () => {
  expect(
    stepFrom((cluster) => {
      delete cluster.spec;
    }),
  ).toEqual([]);
});
