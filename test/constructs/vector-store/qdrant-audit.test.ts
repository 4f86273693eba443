import { Size } from 'cdk8s';
import { parse } from 'yaml';
import { ObjectStore } from '../../../constructs/data/object-store';
import type { Json } from '../../../constructs/rules/output';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Qdrant, type QdrantProps } from '../../../constructs/vector-store/qdrant';
import { AuditRotation } from '../../../constructs/vector-store/qdrant-audit';
import { SnapshotSchedule } from '../../../constructs/vector-store/snapshot-schedule';
import { find, mainContainer, render, testChart } from '../../support/manifests';
import { RESOURCES } from '../../support/values';

const AUDIT = { storage: Size.gibibytes(20) };

function rendered(props: Partial<QdrantProps>) {
  const chart = testChart();
  new Qdrant(chart, 'qdrant', {
    apiKey: SecretKey.of('qdrant', 'api-key'),
    resources: RESOURCES,
    storage: Size.gibibytes(50),
    ...props,
  });
  const objects = render(chart);
  const statefulSet = find(objects, 'StatefulSet', 'qdrant');
  const config = parse(find(objects, 'ConfigMap', 'qdrant').data['production.yaml']);
  const claims: Json[] = statefulSet.spec.volumeClaimTemplates;
  const snapshots = claims.find(({ metadata }) => metadata.name === 'snapshots')?.spec.resources.requests.storage;
  return { statefulSet, config, snapshots };
}

describe('an audit log', () => {
  test('is none unless one is wanted', () => {
    expect(rendered({}).config).not.toHaveProperty('audit');
  });

  test('is on the snapshot volume, in a directory that no collection has, and the rest is left to Qdrant', () => {
    const { config, statefulSet } = rendered({ audit: AUDIT });
    expect(config.audit).toEqual({ enabled: true, dir: './snapshots/.audit' });
    const mount = mainContainer(statefulSet).volumeMounts.find(({ name }: Json) => name === 'snapshots');
    expect(mount).toEqual({ name: 'snapshots', mountPath: '/qdrant/snapshots' });
  });

  test('has files as often and as many as is said, and addresses from whom is said', () => {
    const audit = { ...AUDIT, rotation: AuditRotation.HOURLY, maxFiles: 48, trustForwardedHeaders: true };
    expect(rendered({ audit }).config.audit).toEqual({
      enabled: true,
      dir: './snapshots/.audit',
      rotation: 'hourly',
      max_log_files: 48,
      trust_forwarded_headers: true,
    });
    expect(rendered({ audit: { ...audit, rotation: AuditRotation.DAILY } }).config.audit.rotation).toBe('daily');
  });

  test.each([0, 1.5, -1, Number.NaN])('does not keep %s files', (maxFiles) => {
    expect(() => rendered({ audit: { ...AUDIT, maxFiles } })).toThrow(
      `rag/qdrant: audit.maxFiles is ${maxFiles}, but must be a whole number from 1`,
    );
  });
});

describe('its room', () => {
  const daily = (keep: number, to?: ObjectStore) => SnapshotSchedule.daily({ hour: 2, keep, to });
  const bucket = ObjectStore.s3({ bucket: 'acme-snapshots', region: 'eu-west-1' });

  test.each<[string, Partial<QdrantProps>, string]>([
    ['without snapshots', {}, '70Gi'],
    // Each is as large as half of the volume, at most.
    ['with snapshots that stay', { snapshots: daily(2) }, '95Gi'],
    ['with snapshots in a bucket', { snapshots: daily(2, bucket) }, '70Gi'],
    ['in a volume that is said by hand', { snapshotStorage: Size.gibibytes(45) }, '45Gi'],
  ])('is part of the snapshot volume %s', (_, props, expected) => {
    expect(rendered({ ...props, audit: AUDIT }).snapshots).toBe(expected);
  });

  test.each<[Partial<QdrantProps>, string]>([
    [
      { snapshotStorage: Size.gibibytes(44) },
      'is 44Gi, but a snapshot that is taken and the audit log need 1 × 25Gi + 20Gi = 45Gi; raise it, or lower audit.storage',
    ],
    [
      { snapshotStorage: Size.gibibytes(94), snapshots: daily(2) },
      'is 94Gi, but the 2 snapshots that are kept and the one that is taken and the audit log need 3 × 25Gi + 20Gi = 95Gi; ' +
        'raise it, keep fewer, or send them to a bucket',
    ],
  ])('is asked for when the volume that is said by hand has too little', (props, problem) => {
    expect(() => rendered({ ...props, audit: AUDIT })).toThrow(`rag/qdrant: snapshotStorage ${problem}`);
    expect(() => rendered({ ...props, snapshots: undefined })).not.toThrow();
  });
});
