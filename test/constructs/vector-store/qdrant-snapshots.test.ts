import { Cron, Duration, Size } from 'cdk8s';
import { parse } from 'yaml';
import { ObjectStore } from '../../../constructs/data/object-store';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { ServerCertificate } from '../../../constructs/secrets/server-certificate';
import { Qdrant, type QdrantProps } from '../../../constructs/vector-store/qdrant';
import { SnapshotSchedule } from '../../../constructs/vector-store/snapshot-schedule';
import { hostsOf } from '../../support/egress';
import { env, find, mainContainer, namesOf, render, templateOf, testChart } from '../../support/manifests';
import { RESOURCES } from '../../support/values';

const KEYS = { accessKey: SecretKey.of('s3', 'id'), secretKey: SecretKey.of('s3', 'secret') };
const BUCKET = { bucket: 'acme-rag', region: 'eu-west-1' };

function objectsOf(props: Partial<QdrantProps>, cluster: ClusterProps = {}) {
  const chart = testChart(cluster);
  new Qdrant(chart, 'qdrant', {
    resources: RESOURCES,
    storage: Size.gibibytes(50),
    apiKey: SecretKey.of('qdrant', 'api-key'),
    ...props,
  });
  return render(chart);
}

const local = SnapshotSchedule.daily({ hour: 2, keep: 14 });

function configOf(objects: ReturnType<typeof render>) {
  return parse(find(objects, 'ConfigMap', 'qdrant').data['production.yaml']);
}

test('without a schedule there is nothing of it', () => {
  const objects = objectsOf({});
  expect(namesOf(objects, 'CronJob')).toEqual([]);
  expect(configOf(objects).storage.snapshots_config).toBeUndefined();
});

describe('the CronJob', () => {
  const objects = objectsOf({ snapshots: local });
  const cronJob = find(objects, 'CronJob', 'qdrant-snapshots');

  test('runs when it should, never twice at once, and is not repeated', () => {
    expect(cronJob.spec).toMatchObject({ schedule: '0 2 * * *', timeZone: 'Etc/UTC', concurrencyPolicy: 'Forbid' });
    expect(cronJob.spec.jobTemplate.spec).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 6 * 3600 });
    expect(templateOf(cronJob).spec.restartPolicy).toBe('Never');
  });

  test('runs the program, with every module that it imports', () => {
    expect(mainContainer(cronJob).command).toEqual(['node', '/opt/program/take-snapshots.mjs']);
    expect(mainContainer(cronJob).image).toMatch(/^docker\.io\/library\/node:.*@sha256:/);
    expect(Object.keys(find(objects, 'ConfigMap', 'qdrant-snapshots').data)).toEqual([
      'qdrant-client.mjs',
      'qdrant-cluster.mjs',
      'qdrant-collections.mjs',
      'qdrant-snapshot-files.mjs',
      'take-snapshots.mjs',
    ]);
  });

  test('is told every node, the number to keep, and the key as a reference', () => {
    expect(env(cronJob, 'SNAPSHOTS_KEEP')).toBe('14');
    expect(env(cronJob, 'SNAPSHOTS_TOLERANCE_PERCENT')).toBe('10');
    expect(env(cronJob, 'SNAPSHOT_STORAGE')).toBe('local');
    expect(env(cronJob, 'SNAPSHOTS_MAY_SHRINK')).toBeUndefined();
    expect(env(cronJob, 'QDRANT_PEER_URIS')).toBeUndefined();
    expect(env(cronJob, 'QDRANT_NODE_URLS').split(',')).toEqual(
      [0, 1, 2].map((node) => `http://qdrant-${node}.qdrant-headless.test.svc.cluster.local:6333`),
    );
    expect(env(cronJob, 'QDRANT_API_KEY')).toEqual({ secretKeyRef: { name: 'qdrant', key: 'api-key' } });
    expect(env(cronJob, 'NODE_EXTRA_CA_CERTS')).toBeUndefined();
  });

  test('may speak to the nodes, and to nobody else', () => {
    const { egress, ingress } = find(objects, 'NetworkPolicy', 'qdrant-snapshots').spec;
    const nodes = { podSelector: { matchLabels: find(objects, 'StatefulSet', 'qdrant').spec.selector.matchLabels } };
    expect(ingress).toBeUndefined();
    expect(egress.map(({ to, ports }: { to: object[]; ports: { port: number }[] }) => [to[0], ports[0]?.port])).toEqual(
      [
        [nodes, 6333],
        [expect.anything(), 53],
      ],
    );
    const own = { podSelector: { matchLabels: templateOf(cronJob).metadata.labels } };
    const [name, instance] = ['app.kubernetes.io/name', 'app.kubernetes.io/instance'];
    expect(find(objects, 'NetworkPolicy', 'qdrant').spec.ingress).toContainEqual(
      expect.objectContaining({
        from: [
          {
            podSelector: {
              matchLabels: {
                [name]: own.podSelector.matchLabels[name],
                [instance]: own.podSelector.matchLabels[instance],
              },
            },
          },
        ],
      }),
    );
  });

  test('leaves where snapshots are kept as Qdrant has it', () => {
    expect(configOf(objects).storage.snapshots_config).toBeUndefined();
    expect(configOf(objects).storage.snapshots_path).toBeUndefined();
    expect(
      find(objects, 'NetworkPolicy', 'qdrant').spec.egress.flatMap(({ to }: { to: object[] }) => to),
    ).not.toContainEqual(expect.objectContaining({ ipBlock: expect.anything() }));
  });

  test('of a database with another prefix and with TLS gets the names that it reads, and trusts the authority', () => {
    const tls = ServerCertificate.existing('qdrant-certificate');
    const job = find(objectsOf({ snapshots: local, envPrefix: 'ARCHIVE', tls }), 'CronJob', 'qdrant-snapshots');
    expect(env(job, 'ARCHIVE_NODE_URLS')).toBeUndefined();
    expect(env(job, 'QDRANT_NODE_URLS')).toContain('https://qdrant-0.');
    expect(env(job, 'QDRANT_CA_FILE')).toBe('/etc/qdrant-ca/ca.crt');
    expect(env(job, 'NODE_EXTRA_CA_CERTS')).toBe('$(QDRANT_CA_FILE)');
    const names = mainContainer(job).env.map(({ name }: { name: string }) => name);
    expect(names.indexOf('QDRANT_CA_FILE')).toBeLessThan(names.indexOf('NODE_EXTRA_CA_CERTS'));
  });

  test('is told that snapshots may shrink, and that they are in a bucket', () => {
    const to = ObjectStore.s3(BUCKET);
    const snapshots = SnapshotSchedule.daily({ hour: 2, keep: 14, to, mayShrink: true });
    const job = find(objectsOf({ snapshots }), 'CronJob', 'qdrant-snapshots');
    expect(env(job, 'SNAPSHOTS_MAY_SHRINK')).toBe('true');
    expect(env(job, 'SNAPSHOT_STORAGE')).toBe('s3');
  });

  test('follows the other settings of the schedule', () => {
    const snapshots = SnapshotSchedule.every(Cron.hourly(), {
      keep: 1,
      tolerance: 0,
      timeZone: 'Europe/Berlin',
      deadline: Duration.minutes(50),
    });
    const job = find(objectsOf({ snapshots, name: 'vectors' }), 'CronJob', 'vectors-snapshots');
    expect(job.spec).toMatchObject({ schedule: '0 * * * *', timeZone: 'Europe/Berlin' });
    expect(job.spec.jobTemplate.spec.activeDeadlineSeconds).toBe(3000);
    expect(env(job, 'SNAPSHOTS_TOLERANCE_PERCENT')).toBe('0');
  });
});

describe('snapshots in a bucket', () => {
  const inBucket = (store: ObjectStore) => ({ snapshots: SnapshotSchedule.daily({ hour: 2, keep: 14, to: store }) });

  test('are sent there by the nodes, with keys as references', () => {
    const objects = objectsOf(inBucket(ObjectStore.s3({ ...BUCKET, ...KEYS })));
    expect(configOf(objects).storage.snapshots_config).toEqual({
      snapshots_storage: 's3',
      s3_config: { bucket: 'acme-rag', region: 'eu-west-1' },
    });
    expect(configOf(objects).storage.snapshots_path).toBeUndefined();
    const statefulSet = find(objects, 'StatefulSet', 'qdrant');
    const s3 = 'QDRANT__STORAGE__SNAPSHOTS_CONFIG__S3_CONFIG';
    expect(env(statefulSet, `${s3}__ACCESS_KEY`)).toEqual({ secretKeyRef: { name: 's3', key: 'id' } });
    expect(env(statefulSet, `${s3}__SECRET_KEY`)).toEqual({ secretKeyRef: { name: 's3', key: 'secret' } });
    expect(env(statefulSet, 'AWS_ACCESS_KEY_ID')).toBeUndefined();
  });

  test('have the path and the endpoint of the bucket', () => {
    const endpoint = 'http://minio.storage.svc:9000';
    const store = ObjectStore.s3({ ...BUCKET, ...KEYS, endpoint, prefix: 'rag/production' });
    const { storage } = configOf(objectsOf(inBucket(store)));
    expect(storage.snapshots_config.s3_config.endpoint_url).toBe(endpoint);
    expect(storage.snapshots_path).toBe('./snapshots/rag/production');
  });

  test('open the bucket to the nodes, and not to the CronJob, which only asks the nodes', () => {
    const objects = objectsOf(inBucket(ObjectStore.s3({ ...BUCKET, ...KEYS })), { cilium: true });
    const policy = JSON.stringify(find(objects, 'CiliumNetworkPolicy', 'qdrant').spec);
    expect(policy).toContain('"matchName":"s3.eu-west-1.amazonaws.com"');
    expect(policy).not.toContain('sts.');
    expect(namesOf(objects, 'CiliumNetworkPolicy')).toEqual(['qdrant']);
  });

  test('without keys take the identity of the nodes', () => {
    const role = { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/qdrant' };
    const props = { ...inBucket(ObjectStore.s3(BUCKET)), serviceAccountAnnotations: role };
    const objects = objectsOf(props, { cilium: true });
    expect(
      env(find(objects, 'StatefulSet', 'qdrant'), 'QDRANT__STORAGE__SNAPSHOTS_CONFIG__S3_CONFIG__ACCESS_KEY'),
    ).toBe(undefined);
    expect(find(objects, 'ServiceAccount', 'qdrant').metadata.annotations).toMatchObject(role);
    expect(JSON.stringify(find(objects, 'CiliumNetworkPolicy', 'qdrant').spec)).toContain(
      'sts.eu-west-1.amazonaws.com',
    );
  });

  test('change no volume, because a claim cannot be changed', () => {
    const claims = (props: Partial<QdrantProps>) =>
      find(objectsOf(props), 'StatefulSet', 'qdrant').spec.volumeClaimTemplates;
    expect(claims(inBucket(ObjectStore.s3(BUCKET)))).toEqual(claims({}));
  });
});

test.each([
  [ObjectStore.gcs({ bucket: 'acme-rag' }), '"acme-rag" of Google Cloud Storage'],
  [ObjectStore.azureBlob({ account: 'acmerag', container: 'snapshots' }), '"snapshots" of Azure Blob Storage'],
])('a store that speaks no S3 is refused: %#', (to, what) => {
  expect(() => objectsOf({ snapshots: SnapshotSchedule.daily({ hour: 2, keep: 14, to }) })).toThrow(
    `rag/qdrant: snapshots.to is ${what}, but Qdrant writes snapshots to S3 and to stores that speak its protocol; ` +
      "Google Cloud Storage does with HMAC keys: ObjectStore.s3({ endpoint: 'https://storage.googleapis.com', " +
      "region: 'auto', … })",
  );
});

test('a bucket of Google Cloud is one of S3 with the keys that speak it', () => {
  const to = ObjectStore.s3({
    ...KEYS,
    bucket: 'acme-rag',
    region: 'auto',
    endpoint: 'https://storage.googleapis.com',
  });
  const objects = objectsOf({ snapshots: SnapshotSchedule.daily({ hour: 2, keep: 14, to }) }, { cilium: true });
  expect(configOf(objects).storage.snapshots_config.s3_config).toEqual({
    bucket: 'acme-rag',
    region: 'auto',
    endpoint_url: 'https://storage.googleapis.com',
  });
  expect(hostsOf(objects, 'qdrant')).toEqual(['storage.googleapis.com:443']);
});
