import { Duration, Size } from 'cdk8s';
import { ObjectStore } from '../../../constructs/data/object-store';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { ServerCertificate } from '../../../constructs/secrets/server-certificate';
import { Qdrant, type QdrantProps } from '../../../constructs/vector-store/qdrant';
import { QdrantRestore, type QdrantRestoreProps } from '../../../constructs/vector-store/qdrant-restore';
import { SnapshotSchedule } from '../../../constructs/vector-store/snapshot-schedule';
import { Deployment } from '../../../constructs/workload/deployment';
import { env, find, mainContainer, render, templateOf, testChart } from '../../support/manifests';
import { IMAGE, RESOURCES } from '../../support/values';

function restore(props: Partial<QdrantRestoreProps> = {}, storeProps: Partial<QdrantProps> = {}) {
  const chart = testChart();
  const store = new Qdrant(chart, 'qdrant', {
    resources: RESOURCES,
    storage: Size.gibibytes(50),
    apiKey: SecretKey.of('qdrant', 'api-key'),
    ...storeProps,
  });
  const construct = new QdrantRestore(chart, 'bring-back', { store, ...props });
  return { chart, construct, job: () => find(render(chart), 'Job', props.name ?? 'qdrant-restore') };
}

test('is a Job of the sync, after the database', () => {
  const job = restore().job();
  expect(job.metadata.annotations).toMatchObject({
    'argocd.argoproj.io/hook': 'Sync',
    'argocd.argoproj.io/sync-wave': '10',
  });
  expect(job.spec.activeDeadlineSeconds).toBe(6 * 3600);
  expect(mainContainer(job).command).toEqual(['node', '/opt/program/restore-snapshots.mjs']);
  // Snapshots pass through it.
  expect(mainContainer(job).resources.limits.memory).toBe('256Mi');
});

test('restores everything, the newest, and overwrites nothing, unless told otherwise', () => {
  const job = restore().job();
  expect(env(job, 'SNAPSHOT_STORAGE')).toBe('local');
  // Where the nodes have them, as Qdrant wants to be told.
  expect(env(job, 'SNAPSHOT_DIRECTORY')).toBe('file:///qdrant/snapshots');
  expect(env(job, 'SNAPSHOTS_TOLERANCE_PERCENT')).toBe('10');
  for (const name of [
    'QDRANT_COLLECTIONS',
    'QDRANT_PEER_URIS',
    'RESTORE_BEFORE',
    'RESTORE_OVERWRITE',
    'RESTORE_SETTLE',
    'NODE_EXTRA_CA_CERTS',
  ]) {
    expect(env(job, name)).toBeUndefined();
  }
  expect(env(job, 'QDRANT_NODE_URLS').split(',')).toHaveLength(3);
  expect(env(job, 'QDRANT_API_KEY')).toEqual({ secretKeyRef: { name: 'qdrant', key: 'api-key' } });
});

test('passes on what it is told', () => {
  const { job } = restore({
    name: 'second-try',
    collections: ['documents', 'tickets'],
    before: '2026-03-01T06:00:00Z',
    overwrite: true,
    deadline: Duration.hours(1),
  });
  expect(env(job(), 'QDRANT_COLLECTIONS')).toBe('documents,tickets');
  expect(env(job(), 'RESTORE_BEFORE')).toBe('2026-03-01T06:00:00Z');
  expect(env(job(), 'RESTORE_OVERWRITE')).toBe('true');
  expect(job().spec.activeDeadlineSeconds).toBe(3600);
});

test('knows whether the snapshots are in a bucket, to which only the nodes are let', () => {
  const to = ObjectStore.s3({ bucket: 'acme-rag', region: 'eu-west-1' });
  const { chart, job } = restore({}, { snapshots: SnapshotSchedule.daily({ hour: 2, keep: 3, to }) });
  expect(env(job(), 'SNAPSHOT_STORAGE')).toBe('s3');
  const { egress } = find(render(chart), 'NetworkPolicy', 'qdrant-restore').spec;
  expect(JSON.stringify(egress)).not.toContain('ipBlock');
});

test('judges snapshots as their schedule does', () => {
  const { job } = restore({}, { snapshots: SnapshotSchedule.daily({ hour: 2, keep: 3, tolerance: 25 }) });
  expect(env(job(), 'SNAPSHOTS_TOLERANCE_PERCENT')).toBe('25');
});

test('trusts the authority of a database with TLS', () => {
  const { job } = restore({}, { tls: ServerCertificate.existing('qdrant-certificate') });
  expect(env(job(), 'NODE_EXTRA_CA_CERTS')).toBe('$(QDRANT_CA_FILE)');
});

test('has those who use it wait until it is done, and gives them nothing', () => {
  const { chart, construct } = restore();
  const api = new Deployment(chart, 'api', { component: 'api', container: { image: IMAGE, resources: RESOURCES } });
  api.uses(construct);
  const deployment = find(render(chart), 'Deployment', 'api');
  expect(deployment.metadata.annotations).toMatchObject({ 'argocd.argoproj.io/sync-wave': '20' });
  expect(mainContainer(deployment).env).toBeUndefined();
  expect(templateOf(deployment).spec.volumes).toBeUndefined();
});

describe('mistakes', () => {
  test.each([
    '2026-02-30T06:00:00Z',
    '2025-02-29T06:00:00+02:00',
    'yesterday',
    '2026-03-01',
    '2026-03-01T06:00:00',
    '2026-13-01T06:00:00Z',
    '2026-02-30T25:00:00Z',
    '',
  ])('the time "%s"', (before) => {
    expect(() => restore({ before })).toThrow(
      `rag/bring-back: before is "${before}", but must be a time that exists, such as 2026-03-01T06:00:00Z`,
    );
  });

  test.each([
    '2026-03-01T06:00Z',
    '2024-02-29T06:00:00Z',
    '2026-03-01T00:30:00+02:00',
    '2026-02-28T23:30:00-02:00',
    '2026-03-01T06:00:00.5+02:00',
  ])('the time "%s" is none', (before) => {
    expect(() => restore({ before })).not.toThrow();
  });

  test('to overwrite with what is newest', () => {
    expect(() => restore({ overwrite: true })).toThrow(
      'rag/bring-back: overwrite is true without before, so every sync would go back to the newest snapshots again; ' +
        'say from before when',
    );
  });

  test('no collection', () => {
    expect(() => restore({ collections: [] })).toThrow(
      'rag/bring-back: collections is empty; leave it out for all collections',
    );
  });

  test.each(['', 'a,b'])('the collection "%s"', (name) => {
    expect(() => restore({ collections: ['documents', name] })).toThrow(
      `rag/bring-back: collections has "${name}", but a name has at least one letter and no ","`,
    );
  });
});
