import { isDeepStrictEqual } from 'node:util';
import { Cron, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { ObjectStore } from '../../../constructs/data/object-store';
import { PostgresBackups } from '../../../constructs/data/postgres-backups';
import { PostgresCluster, type PostgresClusterProps } from '../../../constructs/data/postgres-cluster';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { Registry } from '../../../constructs/placement/registry';
import { ExternalReferences } from '../../../constructs/rules/external-references';
import type { Json, ManifestObject } from '../../../constructs/rules/output';
import { CloudIdentity } from '../../../constructs/secrets/cloud-identity';
import { ExternalSecrets } from '../../../constructs/secrets/external-secrets';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { SecretStore } from '../../../constructs/secrets/secret-store';
import { SecretsStoreCsi } from '../../../constructs/secrets/secrets-store-csi';
import { Deployment } from '../../../constructs/workload/deployment';
import { Image } from '../../../constructs/workload/image';
import type { Resources } from '../../../constructs/workload/resources';
import { hostsOf, rangesOf } from '../../support/egress';
import { env, find, mainContainer, namesOf, render, testChart } from '../../support/manifests';
import { ClusterSchemas, SCHEMAS_PRESENT } from '../../support/schemas';
import { CONTAINER } from '../../support/workloads';

const OPERATOR: ClusterProps = {
  cloudNativePg: { namespace: 'cnpg-system', podLabels: { 'app.kubernetes.io/name': 'cloudnative-pg' } },
  apiServer: { cidrs: ['10.0.0.0/28'], port: 6443 },
};
const ROLE = 'arn:aws:iam::123456789012:role/rag-db';
const CLIENT = '11111111-2222-3333-4444-555555555555';
const IRSA = CloudIdentity.awsIrsa(ROLE);
const AZURE = CloudIdentity.azure(CLIENT);
const GKE = CloudIdentity.gke('rag-db@acme.iam.gserviceaccount.com');
const BUCKET = ObjectStore.s3({ bucket: 'acme-rag', region: 'eu-west-1', prefix: 'rag/postgres' });
const BACKUPS = PostgresBackups.daily({ hour: 2, keepDays: 30, to: BUCKET });

function cluster(props: PostgresClusterProps = {}, facts: ClusterProps = {}) {
  const chart = testChart({ ...OPERATOR, ...facts });
  const construct = new PostgresCluster(chart, 'db', props);
  return { chart, construct, objects: () => render(chart) };
}

function spec(props: PostgresClusterProps = {}, facts: ClusterProps = {}): Json {
  return find(cluster(props, facts).objects(), 'Cluster', 'db').spec;
}

/** Where a cluster with backups to a store writes, and whom it may reach for that. */
function archived(to: ObjectStore, props: PostgresClusterProps = {}) {
  const backups = PostgresBackups.daily({ hour: 2, keepDays: 7, to });
  const { chart, objects } = cluster(
    { backups, ...props },
    { cilium: true, apiServer: undefined, region: 'eu-central-1' },
  );
  const rendered = objects();
  const { configuration, instanceSidecarConfiguration } = find(rendered, 'ObjectStore', 'db-archive').spec;
  return {
    configuration,
    sidecar: instanceSidecarConfiguration,
    hosts: hostsOf(rendered, 'db'),
    ranges: rangesOf(rendered, 'db'),
    references: ExternalReferences.of(chart),
  };
}

const wave = (object: ManifestObject) => object.metadata.annotations?.['argocd.argoproj.io/sync-wave'];
const ports = (rule: Json): number[] => rule.ports.map(({ port }: Json) => port);
const pods = (labels: object) => ({ podSelector: { matchLabels: labels } });
/** The instances, and the Jobs that make them, without PgBouncer. */
const INSTANCES = {
  podSelector: {
    matchLabels: { 'cnpg.io/cluster': 'db' },
    matchExpressions: [{ key: 'cnpg.io/poolerName', operator: 'DoesNotExist' }],
  },
};

describe('keys of a Secret that is there only while pods mount it', () => {
  const vault = SecretsStoreCsi.azureKeyVault({
    vault: 'acme-rag',
    tenantId: '11111111-1111-1111-1111-111111111111',
    clientId: '22222222-2222-2222-2222-222222222222',
  });

  test('are no credentials, which the operator reads', () => {
    const credentials = { username: vault.key('owner', 'username'), password: vault.key('owner', 'password') };
    expect(() => cluster({ credentials })).toThrow(
      'rag/db: credentials has key username of Secret owner--username, which there is only while pods mount it',
    );
  });

  test('do not open a bucket to the plugin, which reads them too', () => {
    const to = ObjectStore.s3({
      bucket: 'rag',
      region: 'eu-west-1',
      accessKey: vault.key('minio', 'id'),
      secretKey: vault.key('minio', 'secret'),
    });
    expect(() => cluster({ backups: PostgresBackups.daily({ hour: 2, keepDays: 7, to }) })).toThrow(
      'rag/db: backups.to has key id of Secret minio--id, which there is only while pods mount it',
    );
  });
});

describe('the cluster', () => {
  const rendered = spec();

  test('has three instances on three nodes, and one of them follows every write', () => {
    expect(rendered.instances).toBe(3);
    expect(rendered.postgresql.synchronous).toEqual({ method: 'any', number: 1, dataDurability: 'required' });
    const [, hosts] = rendered.topologySpreadConstraints;
    expect(hosts).toMatchObject({
      topologyKey: 'kubernetes.io/hostname',
      minDomains: 3,
      whenUnsatisfiable: 'DoNotSchedule',
    });
    expect(rendered.affinity).toEqual({ enablePodAntiAffinity: false });
  });

  test('counts the Jobs that make an instance where it spreads, because volumes are bound by them, and no PgBouncer', () => {
    const selectors = rendered.topologySpreadConstraints.map(({ labelSelector }: Json) => labelSelector);
    expect(selectors).toEqual([INSTANCES.podSelector, INSTANCES.podSelector]);
  });

  test('updates itself and has no superuser', () => {
    expect(rendered.primaryUpdateStrategy).toBe('unsupervised');
    expect(rendered.enableSuperuserAccess).toBe(false);
  });

  test('keeps data and log apart', () => {
    expect(rendered.storage).toEqual({ size: '20Gi' });
    expect(rendered.walStorage).toEqual({ size: '5Gi' });
  });

  test('keeps at most half of the volume for a replica that is away, unless it is told otherwise', () => {
    const kept = (props: PostgresClusterProps = {}) => spec(props).postgresql.parameters.max_slot_wal_keep_size;
    expect(kept()).toBe('2560MB');
    expect(kept({ instances: 2, walStorage: Size.gibibytes(20) })).toBe('10240MB');
    expect(kept({ settings: { max_slot_wal_keep_size: '1GB' } })).toBe('1GB');
    expect(kept({ instances: 1 })).toBeUndefined();
  });

  test('takes settings that the operator leaves to others', () => {
    const { parameters } = spec({
      settings: { ssl_min_protocol_version: 'TLSv1.2', 'auto_explain.log_format': 'json' },
    }).postgresql;
    expect(parameters).toMatchObject({ ssl_min_protocol_version: 'TLSv1.2', 'auto_explain.log_format': 'json' });
  });

  test('is guaranteed what it asks for, temporary files included', () => {
    const asked = { cpu: '1', memory: '2Gi', 'ephemeral-storage': '1280Mi' };
    expect(rendered.resources).toEqual({ requests: asked, limits: asked });
    expect(rendered.ephemeralVolumesSizeLimit).toEqual({ shm: '512Mi', temporaryData: '1Gi' });
    expect(rendered.postgresql.parameters).toMatchObject({ shared_buffers: '512MB', max_connections: '100' });
  });

  test('starts with a database and its owner, and nothing that was not asked for', () => {
    expect(rendered.bootstrap).toEqual({ initdb: { database: 'app', owner: 'app', dataChecksums: true } });
    for (const field of [
      'plugins',
      'backup',
      'monitoring',
      'certificates',
      'imagePullSecrets',
      'serviceAccountTemplate',
      'inheritedMetadata',
    ]) {
      expect(rendered).not.toHaveProperty(field);
    }
  });

  test('comes without backups and poolers', () => {
    const objects = cluster().objects();
    expect(objects.map(({ kind }) => kind).sort()).toEqual(['Cluster', 'NetworkPolicy']);
    expect(wave(find(objects, 'Cluster', 'db'))).toBeUndefined();
  });
});

test('a single instance waits for nobody and is spread nowhere', () => {
  const single = spec({ instances: 1 });
  expect(single.postgresql).not.toHaveProperty('synchronous');
  expect(single).not.toHaveProperty('topologySpreadConstraints');
});

test('two instances start where they can', () => {
  const pair = spec({ instances: 2 });
  expect(pair.postgresql).not.toHaveProperty('synchronous');
  expect(pair.topologySpreadConstraints.map(({ whenUnsatisfiable }: Json) => whenUnsatisfiable)).toEqual([
    'ScheduleAnyway',
    'ScheduleAnyway',
  ]);
});

test('what is given is taken', () => {
  const given = spec(
    {
      instances: 5,
      synchronousReplicas: 2,
      storage: Size.gibibytes(100),
      walStorage: Size.gibibytes(20),
      storageClass: 'io2',
      resources: { cpu: Cpu.units(4), memory: Size.gibibytes(16) },
      database: 'rag',
      owner: 'rag_owner',
      extensions: ['vector', 'pg_trgm'],
      settings: { work_mem: '32MB' },
      priorityClassName: 'critical',
      nodePool: 'data',
      serviceAccountAnnotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/db' },
      image: Image.of('ghcr.io/acme/postgresql', { tag: '17.9' }),
    },
    {
      nodePools: [{ name: 'data', nodes: 6, nodeSelector: { pool: 'data' }, taints: [{ key: 'data', value: 'only' }] }],
      registry: new Registry({ mirror: 'registry.acme.example/mirror', pullSecrets: ['pull'] }),
    },
  );
  expect(given).toMatchObject({
    instances: 5,
    imageName: 'registry.acme.example/mirror/acme/postgresql:17.9',
    imagePullSecrets: [{ name: 'pull' }],
    storage: { size: '100Gi', storageClass: 'io2' },
    walStorage: { size: '20Gi', storageClass: 'io2' },
    resources: { limits: { cpu: '4', memory: '16Gi' } },
    priorityClassName: 'critical',
    affinity: {
      nodeSelector: { pool: 'data' },
      tolerations: [{ key: 'data', operator: 'Equal', value: 'only', effect: 'NoSchedule' }],
    },
    serviceAccountTemplate: { metadata: { annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::1:role/db' } } },
  });
  expect(given.postgresql.synchronous.number).toBe(2);
  expect(given.postgresql.parameters).toMatchObject({ shared_buffers: '4096MB', work_mem: '32MB' });
  expect(given.bootstrap.initdb).toMatchObject({
    database: 'rag',
    owner: 'rag_owner',
    postInitApplicationSQL: ['CREATE EXTENSION IF NOT EXISTS "pg_trgm"', 'CREATE EXTENSION IF NOT EXISTS "vector"'],
  });
});

describe('a client', () => {
  const { chart, construct, objects: rendered } = cluster();
  const api = new Deployment(chart, 'api', { component: 'api', container: CONTAINER });
  api.uses(construct);
  const objects = rendered();
  const deployment = find(objects, 'Deployment', 'api');

  test('comes as the owner, to the instance that takes writes, and verifies it', () => {
    expect(mainContainer(deployment).env).toEqual([
      { name: 'PGHOST', value: 'db-rw' },
      { name: 'PGPORT', value: '5432' },
      { name: 'PGDATABASE', value: 'app' },
      { name: 'PGUSER', value: 'app' },
      { name: 'PGPASSWORD', valueFrom: { secretKeyRef: { name: 'db-app', key: 'password' } } },
      { name: 'PGSSLMODE', value: 'verify-full' },
      { name: 'PGSSLROOTCERT', value: '/etc/postgresql-ca/db-ca/ca.crt' },
      {
        name: 'DATABASE_URL',
        value:
          'postgresql://app:$(PGPASSWORD)@db-rw:5432/app?sslmode=verify-full&sslrootcert=/etc/postgresql-ca/db-ca/ca.crt',
      },
    ]);
  });

  test('may connect to the pods of the operator, and starts after them', () => {
    const [egress] = find(objects, 'NetworkPolicy', 'api').spec.egress;
    expect(egress).toEqual({ to: [INSTANCES], ports: [{ port: 5432, protocol: 'TCP' }] });
    expect(wave(deployment)).toBe('10');
  });

  test('relies on Secrets that the operator creates, and the rules know it', () => {
    const references = ExternalReferences.of(chart);
    for (const [name, key] of [
      ['db-app', 'password'],
      ['db-ca', 'ca.crt'],
    ] as const) {
      expect(references.includes({ kind: 'Secret', namespace: 'test', name, key })).toBe(true);
    }
  });

  test('that only reads goes to the others', () => {
    const { chart, construct, objects } = cluster();
    new Deployment(chart, 'api', { component: 'api', container: CONTAINER }).uses(construct.readOnly);
    expect(env(find(objects(), 'Deployment', 'api'), 'PGHOST')).toBe('db-ro');
    expect(construct.readOnly).toBe(construct.readOnly);
  });
});

test('the owner can have a password from elsewhere, with the name beside it', () => {
  const secrets = new ExternalSecrets(SecretStore.existing('vault'));
  const credentials = { username: secrets.key('db', 'username'), password: secrets.key('db', 'password') };
  const { chart, construct, objects } = cluster({ credentials });
  new Deployment(chart, 'api', { component: 'api', container: CONTAINER }).uses(construct);
  const rendered = objects();
  expect(find(rendered, 'Cluster', 'db').spec.bootstrap.initdb.secret).toEqual({ name: 'db' });
  expect(env(find(rendered, 'Deployment', 'api'), 'PGPASSWORD')).toEqual({
    secretKeyRef: { name: 'db', key: 'password' },
  });
  expect(find(rendered, 'ExternalSecret', 'db').spec.data.map(({ secretKey }: Json) => secretKey)).toEqual([
    'password',
    'username',
  ]);
});

describe('the policy of the pods', () => {
  const { ingress, egress, podSelector } = find(cluster().objects(), 'NetworkPolicy', 'db').spec;

  test('selects what the operator labels', () => {
    expect(podSelector).toEqual(INSTANCES.podSelector);
  });

  test('lets instances follow one another', () => {
    expect(ports(ingress.find(({ from }: Json) => isDeepStrictEqual(from, [INSTANCES])))).toEqual([5432, 8000]);
    expect(ports(egress.find(({ to }: Json) => isDeepStrictEqual(to, [INSTANCES])))).toEqual([5432, 8000]);
  });

  test('lets the operator ask for their state', () => {
    const operator = ingress.find(({ from }: Json) => from[0].namespaceSelector !== undefined);
    expect(operator).toEqual({
      from: [
        {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'cnpg-system' } },
          podSelector: { matchLabels: { 'app.kubernetes.io/name': 'cloudnative-pg' } },
        },
      ],
      ports: [5432, 8000].map((port) => ({ port, protocol: 'TCP' })),
    });
    expect(ingress).toHaveLength(2);
  });

  test('lets them report to the API server', () => {
    expect(egress[0]).toEqual({ to: [{ ipBlock: { cidr: '10.0.0.0/28' } }], ports: [{ port: 6443, protocol: 'TCP' }] });
    expect(egress).toHaveLength(3);
  });

  test('opens metrics to Prometheus where there is one', () => {
    const { objects } = cluster({ pooler: {} }, { prometheus: { namespace: 'monitoring' } });
    for (const [name, port] of [
      ['db', 9187],
      ['db-pooler', 9127],
    ] as const) {
      const rules: Json[] = find(objects(), 'NetworkPolicy', name).spec.ingress;
      const scrapes = rules.filter(({ from }) => JSON.stringify(from).includes('monitoring'));
      expect(scrapes.map(ports)).toEqual([[port]]);
    }
  });
});

describe('monitoring', () => {
  const prometheus = { namespace: 'monitoring', monitorLabels: { release: 'prometheus' } };
  const METRICS = [{ port: 'metrics', path: '/metrics', scheme: 'http' }];

  test('has a monitor for the instances, and one for PgBouncer, which has the same label', () => {
    const { construct, objects } = cluster({ pooler: {} }, { prometheus });
    expect([construct.podMonitor?.name, construct.pooler?.podMonitor?.name]).toEqual(['db', 'db-pooler']);
    expect(find(objects(), 'PodMonitor', 'db').spec).toEqual({
      selector: INSTANCES.podSelector,
      podMetricsEndpoints: METRICS,
    });
    expect(find(objects(), 'PodMonitor', 'db-pooler').spec).toEqual({
      selector: { matchLabels: { 'cnpg.io/poolerName': 'db-pooler' } },
      podMetricsEndpoints: METRICS,
    });
    expect(find(objects(), 'PodMonitor', 'db').metadata.labels).toMatchObject({ release: 'prometheus' });
    // What the operator would make by itself goes with one of its next releases.
    expect(find(objects(), 'Cluster', 'db').spec).not.toHaveProperty('monitoring');
  });

  test('has none where the cluster has no labels for it', () => {
    const { objects } = cluster({ pooler: {} }, { prometheus: { namespace: 'monitoring' } });
    expect(namesOf(objects(), 'PodMonitor')).toEqual([]);
    expect(cluster().construct.podMonitor).toBeUndefined();
  });
});

describe('PgBouncer', () => {
  const { chart, construct, objects: rendered } = cluster({ pooler: { poolSize: 30 } });
  const api = new Deployment(chart, 'api', { component: 'api', container: CONTAINER });
  api.uses(construct.pooled);
  const objects = rendered();
  const pooler = find(objects, 'Pooler', 'db-pooler');

  test('lends connections for a transaction', () => {
    expect(pooler.spec).toMatchObject({
      cluster: { name: 'db' },
      type: 'rw',
      instances: 2,
      pgbouncer: { poolMode: 'transaction', parameters: { default_pool_size: '30', max_client_conn: '1000' } },
    });
    expect(pooler.spec.pgbouncer.image).toMatch(/^ghcr\.io\/cloudnative-pg\/pgbouncer:.*@sha256:/);
  });

  test('is guaranteed what it asks for', () => {
    const [container] = pooler.spec.template.spec.containers;
    // Without a limit of the CPU: all connections go through one thread.
    const limits = { memory: '128Mi', 'ephemeral-storage': '256Mi' };
    const resources = { requests: { cpu: '100m', ...limits }, limits };
    expect(container).toEqual({ name: 'pgbouncer', resources });
    expect(pooler.spec.template.spec.initContainers).toEqual([{ name: 'bootstrap-controller', resources }]);
  });

  test('is moved from node to node one pod at a time', () => {
    expect(construct.pooler?.disruptionBudget?.name).toBe('db-pooler');
    expect(find(objects, 'PodDisruptionBudget', 'db-pooler').spec).toEqual({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: { 'cnpg.io/poolerName': 'db-pooler' } },
    });
    const single = cluster({ pooler: { instances: 1 } });
    expect(namesOf(single.objects(), 'PodDisruptionBudget')).toEqual([]);
    expect(single.construct.pooler?.disruptionBudget).toBeUndefined();
  });

  test('is of the priority that the cluster is of', () => {
    expect(pooler.spec.template.spec).not.toHaveProperty('priorityClassName');
    const important = cluster({ pooler: {}, priorityClassName: 'high' }).objects();
    expect(find(important, 'Pooler', 'db-pooler').spec.template.spec.priorityClassName).toBe('high');
  });

  test('stands between the cluster and its clients, in policies and in time', () => {
    expect(env(find(objects, 'Deployment', 'api'), 'PGHOST')).toBe('db-pooler');
    expect([wave(pooler), wave(find(objects, 'Deployment', 'api'))]).toEqual(['10', '20']);
    const { egress, ingress } = find(objects, 'NetworkPolicy', 'db-pooler').spec;
    expect(egress.map(ports)).toEqual([[6443], [5432], [53, 53]]);
    expect(egress[1].to).toEqual([INSTANCES]);
    expect(ingress.map(ports)).toEqual([[5432]]);
    const toApi = find(objects, 'NetworkPolicy', 'api').spec.egress[0];
    expect(toApi.to).toEqual([pods({ 'cnpg.io/poolerName': 'db-pooler' })]);
    expect(find(objects, 'NetworkPolicy', 'db').spec.ingress.map(({ from }: Json) => from[0])).toContainEqual(
      pods({ 'cnpg.io/poolerName': 'db-pooler' }),
    );
  });

  test('is covered by the certificate that clients verify', () => {
    expect(find(objects, 'Cluster', 'db').spec.certificates.serverAltDNSNames).toEqual([
      'db-pooler',
      'db-pooler.test.svc',
      'db-pooler.test.svc.cluster.local',
    ]);
  });
});

describe('backups', () => {
  const objects = cluster({ backups: BACKUPS }).objects();

  test('are the plugin, and not what the operator has built in', () => {
    const { plugins, ...rest } = find(objects, 'Cluster', 'db').spec;
    expect(plugins).toEqual([
      {
        name: 'barman-cloud.cloudnative-pg.io',
        enabled: true,
        isWALArchiver: true,
        parameters: { barmanObjectName: 'db-archive' },
      },
    ]);
    expect(rest).not.toHaveProperty('backup');
  });

  test('go to the bucket by the identity of the pods, and are kept for the days', () => {
    const store = find(objects, 'ObjectStore', 'db-archive');
    expect(store.apiVersion).toBe('barmancloud.cnpg.io/v1');
    expect(store.spec).toMatchObject({
      retentionPolicy: '30d',
      configuration: {
        destinationPath: 's3://acme-rag/rag/postgres',
        s3Credentials: { inheritFromIAMRole: true },
        wal: { compression: 'gzip' },
        data: { compression: 'gzip' },
      },
    });
    expect(store.spec.configuration).not.toHaveProperty('endpointURL');
    expect(store.spec.instanceSidecarConfiguration.env).toEqual([{ name: 'AWS_DEFAULT_REGION', value: 'eu-west-1' }]);
    expect(wave(store)).toBe('-10');
  });

  test('are written by a container that may take what CPU there is, and has memory for itself', () => {
    const { resources } = find(objects, 'ObjectStore', 'db-archive').spec.instanceSidecarConfiguration;
    expect(resources).toEqual({
      requests: { cpu: '200m', memory: '1Gi', 'ephemeral-storage': '256Mi' },
      limits: { memory: '1Gi', 'ephemeral-storage': '256Mi' },
    });
  });

  test('are written by a container that asks for what it is given', () => {
    const amounts = (resources: Resources) => {
      const backups = PostgresBackups.daily({ hour: 2, keepDays: 7, to: BUCKET, resources });
      return find(cluster({ backups }).objects(), 'ObjectStore', 'db-archive').spec.instanceSidecarConfiguration
        .resources;
    };
    const resources = { cpu: Cpu.units(1), cpuLimit: Cpu.units(2), memory: Size.gibibytes(3) };
    expect(amounts(resources)).toMatchObject({
      requests: { cpu: '1', memory: '3Gi' },
      limits: { cpu: '2', memory: '3Gi' },
    });
    expect(() => amounts({ ...resources, memory: Size.kibibytes(0) })).toThrow(
      'rag/db: backups.resources.memory is 0Ki, but must be above 0',
    );
  });

  test('go to another store by its keys, without checksums that it does not know', () => {
    const to = ObjectStore.s3({
      bucket: 'rag',
      region: 'us-east-1',
      endpoint: 'http://minio.storage.svc:9000',
      accessKey: SecretKey.of('minio', 'id'),
      secretKey: SecretKey.of('minio', 'secret'),
    });
    const inside = cluster({ backups: PostgresBackups.daily({ hour: 2, keepDays: 7, to }) }).objects();
    const { configuration, instanceSidecarConfiguration } = find(inside, 'ObjectStore', 'db-archive').spec;
    expect(configuration).toMatchObject({
      destinationPath: 's3://rag',
      endpointURL: 'http://minio.storage.svc:9000',
      s3Credentials: { accessKeyId: { name: 'minio', key: 'id' }, secretAccessKey: { name: 'minio', key: 'secret' } },
    });
    expect(instanceSidecarConfiguration.env.map(({ name }: Json) => name)).toContain(
      'AWS_REQUEST_CHECKSUM_CALCULATION',
    );
    const egress = find(inside, 'NetworkPolicy', 'db').spec.egress.map(ports);
    expect(egress).toContainEqual([9000]);
  });

  test('go to a container of Azure by its connection string, and to nothing else there', () => {
    const to = ObjectStore.azureBlob({
      account: 'acmerag',
      container: 'backups',
      prefix: 'rag/postgres',
      connectionString: SecretKey.of('azure', 'connection'),
    });
    const { configuration, sidecar, hosts, ranges, references } = archived(to);
    expect(configuration).toEqual({
      destinationPath: 'https://acmerag.blob.core.windows.net/backups/rag/postgres',
      azureCredentials: { connectionString: { name: 'azure', key: 'connection' } },
      wal: { compression: 'gzip' },
      data: { compression: 'gzip' },
    });
    expect(sidecar).not.toHaveProperty('env');
    expect(hosts).toEqual(['acmerag.blob.core.windows.net:443']);
    expect(ranges).toEqual([]);
    expect(references.includes({ kind: 'Secret', namespace: 'test', name: 'azure', key: 'connection' })).toBe(true);
  });

  test('go to a container of Azure by the identity of the pods', () => {
    const to = ObjectStore.azureBlob({ account: 'acmerag', container: 'backups' });
    const { configuration, hosts, ranges } = archived(to, { identity: AZURE });
    expect(configuration).toMatchObject({
      destinationPath: 'https://acmerag.blob.core.windows.net/backups',
      azureCredentials: { inheritFromAzureAD: true },
    });
    expect(hosts).toEqual(['acmerag.blob.core.windows.net:443', 'login.microsoftonline.com:443']);
    expect(ranges).toEqual([]);
  });

  test('go to a bucket of Google Cloud by the key of a service account', () => {
    const to = ObjectStore.gcs({
      bucket: 'acme-rag',
      prefix: 'postgres',
      project: 'acme-prod',
      credentials: SecretKey.of('gcs', 'key.json'),
    });
    const { configuration, sidecar, hosts, ranges, references } = archived(to);
    expect(configuration).toEqual({
      destinationPath: 'gs://acme-rag/postgres',
      googleCredentials: { applicationCredentials: { name: 'gcs', key: 'key.json' } },
      wal: { compression: 'gzip' },
      data: { compression: 'gzip' },
    });
    expect(sidecar.env).toEqual([{ name: 'GOOGLE_CLOUD_PROJECT', value: 'acme-prod' }]);
    expect(hosts).toEqual(['oauth2.googleapis.com:443', 'storage.googleapis.com:443']);
    expect(ranges).toEqual([]);
    expect(references.includes({ kind: 'Secret', namespace: 'test', name: 'gcs', key: 'key.json' })).toBe(true);
  });

  test.each([
    ['declared', GKE],
    ['known to Google Cloud alone', undefined],
  ])('go to a bucket of Google Cloud by an identity that is %s', (_, identity) => {
    const { configuration, sidecar, hosts, ranges } = archived(ObjectStore.gcs({ bucket: 'acme-rag' }), { identity });
    expect(configuration).toMatchObject({
      destinationPath: 'gs://acme-rag',
      googleCredentials: { gkeEnvironment: true },
    });
    expect(sidecar).not.toHaveProperty('env');
    expect(hosts).toEqual(['storage.googleapis.com:443']);
    expect(ranges.sort()).toEqual(['169.254.169.252/32:988', '169.254.169.254/32:80']);
  });

  test('go to S3 as the role that is declared, and ask nobody else for it', () => {
    const { configuration, hosts, ranges } = archived(BUCKET, { identity: IRSA });
    expect(configuration.s3Credentials).toEqual({ inheritFromIAMRole: true });
    expect(hosts).toEqual([
      'acme-rag.s3.eu-west-1.amazonaws.com:443',
      's3.eu-west-1.amazonaws.com:443',
      'sts.eu-central-1.amazonaws.com:443',
      'sts.eu-west-1.amazonaws.com:443',
    ]);
    expect(ranges).toEqual([]);
  });

  test('are not written to one cloud as somebody of another', () => {
    expect(() => archived(BUCKET, { identity: AZURE })).toThrow(
      'identity is one of Azure, but the bucket acme-rag, which is used without keys, is on AWS; give that keys, or ' +
        'the client an identity there',
    );
    expect(() => archived(ObjectStore.gcs({ bucket: 'acme-rag' }), { identity: IRSA })).toThrow(
      'identity is one of AWS, but the bucket acme-rag, which is used without keys, is on Google Cloud',
    );
    expect(() => archived(ObjectStore.azureBlob({ account: 'acmerag', container: 'x-1' }), { identity: GKE })).toThrow(
      'identity is one of Google Cloud, but the container x-1, which is used without keys, is on Azure',
    );
  });

  test('with keys go anywhere, whoever the pods are', () => {
    const to = ObjectStore.gcs({ bucket: 'acme-rag', credentials: SecretKey.of('gcs', 'key.json') });
    expect(archived(to, { identity: IRSA }).hosts).toEqual([
      'oauth2.googleapis.com:443',
      'storage.googleapis.com:443',
      'sts.eu-central-1.amazonaws.com:443',
    ]);
  });

  test('do not go to Azure as nobody, nor by a key whose account would be said twice', () => {
    const container = { account: 'acmerag', container: 'backups' };
    expect(() => archived(ObjectStore.azureBlob(container))).toThrow(
      'rag/db: identity is missing, but backups go to Azure Blob Storage without keys; set it to ' +
        'CloudIdentity.azure(…), or give the store connectionString',
    );
    const accountKey = SecretKey.of('azure', 'key');
    expect(() => archived(ObjectStore.azureBlob({ ...container, accountKey }), { identity: AZURE })).toThrow(
      'rag/db: backups.to has accountKey, with which backups need the name of the account from a Secret, too; give ' +
        'the store connectionString instead',
    );
  });

  test('may leave the cluster', () => {
    expect(find(objects, 'NetworkPolicy', 'db').spec.egress.map(ports)).toContainEqual([443]);
    expect(find(cluster().objects(), 'NetworkPolicy', 'db').spec.egress.map(ports)).not.toContainEqual([443]);
  });

  test('are taken at once and then by the hour, with seconds', () => {
    const backup = find(objects, 'ScheduledBackup', 'db-backup');
    expect(backup.spec).toEqual({
      cluster: { name: 'db' },
      schedule: '0 0 2 * * *',
      method: 'plugin',
      pluginConfiguration: { name: 'barman-cloud.cloudnative-pg.io' },
      backupOwnerReference: 'self',
      immediate: true,
    });
    expect(wave(backup)).toBe('5');
    const often = PostgresBackups.every(Cron.schedule({ minute: '30', hour: '0-23/6' }), { keepDays: 7, to: BUCKET });
    expect(often.schedule).toBe('0 30 0-23/6 * * *');
  });

  test.each<[string, object, string]>([
    ['hour', { hour: 24 }, 'backups.hour is 24, but must be a whole number from 0 to 23'],
    ['minute', { minute: 60 }, 'backups.minute is 60'],
    ['days', { keepDays: 0 }, 'backups.keepDays is 0, but must be a whole number from 1 to 3650'],
  ])('have a %s that exists', (_, props, message) => {
    expect(() => PostgresBackups.daily({ hour: 2, keepDays: 30, to: BUCKET, ...props })).toThrow(message);
  });
});

describe('the identity of the pods', () => {
  test('of AWS is the role of their ServiceAccount, and no label', () => {
    const rendered = spec({ identity: IRSA }, { region: 'eu-central-1' });
    expect(rendered.serviceAccountTemplate).toEqual({
      metadata: { annotations: { 'eks.amazonaws.com/role-arn': ROLE } },
    });
    expect(rendered).not.toHaveProperty('inheritedMetadata');
  });

  test('of Azure is a client of their ServiceAccount, and a label that the operator passes on', () => {
    const { construct, objects } = cluster({ identity: AZURE });
    const rendered = find(objects(), 'Cluster', 'db');
    expect(rendered.spec.serviceAccountTemplate).toEqual({
      metadata: { annotations: { 'azure.workload.identity/client-id': CLIENT } },
    });
    expect(rendered.spec.inheritedMetadata).toEqual({ labels: { 'azure.workload.identity/use': 'true' } });
    expect(rendered.metadata.labels).not.toHaveProperty(['azure.workload.identity/use']);
    expect(construct.pods.labels).toEqual({ 'cnpg.io/cluster': 'db' });
    expect(construct.identity).toBe(AZURE);
  });

  test('keeps other annotations', () => {
    const serviceAccountAnnotations = { 'acme.example/owner': 'rag' };
    expect(spec({ identity: GKE, serviceAccountAnnotations }).serviceAccountTemplate.metadata.annotations).toEqual({
      'iam.gke.io/gcp-service-account': 'rag-db@acme.iam.gserviceaccount.com',
      'acme.example/owner': 'rag',
    });
  });

  test('opens who gives it, with and without backups', () => {
    expect(rangesOf(cluster({ identity: GKE }).objects(), 'db')).toEqual([
      '10.0.0.0/28:6443',
      '169.254.169.252/32:988',
      '169.254.169.254/32:80',
    ]);
    expect(rangesOf(cluster().objects(), 'db')).toEqual(['10.0.0.0/28:6443']);
  });

  test('of EKS Pod Identity is the agent of the node, on Cilium too', () => {
    const { objects } = cluster({ identity: CloudIdentity.awsPodIdentity() }, { cilium: true });
    const policy = find(objects(), 'CiliumNetworkPolicy', 'db-identity');
    expect(policy.spec).toEqual({
      endpointSelector: { matchLabels: { 'cnpg.io/cluster': 'db' } },
      egress: [{ toEntities: ['host'], toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }] }] }],
    });
    expect(policy.metadata.labels).toMatchObject({ 'app.kubernetes.io/name': 'db' });
    expect(find(objects(), 'Cluster', 'db').spec).not.toHaveProperty('serviceAccountTemplate');
  });

  test('is said once', () => {
    const serviceAccountAnnotations = { 'eks.amazonaws.com/role-arn': ROLE };
    expect(() => cluster({ identity: IRSA, serviceAccountAnnotations }, { region: 'eu-central-1' })).toThrow(
      'rag/db: serviceAccountAnnotations has eks.amazonaws.com/role-arn, which identity sets; drop one of the two',
    );
  });

  test('of AWS needs to know the region', () => {
    expect(() => cluster({ identity: IRSA })).toThrow(
      'rag/db: identity needs AWS STS in the region of the cluster, but the cluster does not say which that is',
    );
  });
});

describe('the API server', () => {
  test('is an entity for Cilium', () => {
    const objects = cluster({ pooler: {} }, { cilium: true, apiServer: undefined }).objects();
    expect(namesOf(objects, 'CiliumNetworkPolicy')).toEqual(
      expect.arrayContaining(['db-api-server', 'db-pooler-api-server']),
    );
    expect(find(objects, 'CiliumNetworkPolicy', 'db-api-server').spec).toEqual({
      endpointSelector: { matchLabels: { 'cnpg.io/cluster': 'db' } },
      egress: [{ toEntities: ['kube-apiserver'] }],
    });
  });

  test('must be known elsewhere', () => {
    expect(() => cluster({}, { apiServer: undefined })).toThrow(
      'needs the API server, but the cluster does not say where it is; set apiServer in the cluster',
    );
  });

  test('listens on 443 unless told otherwise', () => {
    const { egress } = find(
      cluster({}, { apiServer: { cidrs: ['10.0.0.1/32'] } }).objects(),
      'NetworkPolicy',
      'db',
    ).spec;
    expect(ports(egress[0])).toEqual([443]);
  });
});

test.each<[string, PostgresClusterProps, string]>([
  ['no instance', { instances: 0 }, 'rag/db: instances is 0, but must be a whole number from 1 to 20'],
  [
    'more followers than there are',
    { synchronousReplicas: 3 },
    'synchronousReplicas is 3, but must be a whole number from 0 to 2, the number of replicas',
  ],
  [
    'a setting of the operator',
    { settings: { archive_mode: 'off' } },
    'settings has archive_mode, which CloudNativePG sets by itself; leave it out',
  ],
  [
    'libraries, which follow from other settings',
    { settings: { shared_preload_libraries: 'pgaudit' } },
    'settings has shared_preload_libraries, which CloudNativePG sets by itself; leave it out',
  ],
  [
    'a certificate',
    { settings: { SSL_cert_file: '/tls.crt' } },
    'settings has ssl_cert_file, which CloudNativePG sets by itself; leave it out',
  ],
  [
    'connections twice',
    { settings: { max_connections: '500' } },
    'settings has max_connections, which follows from maxConnections; set maxConnections',
  ],
  ['a small log', { walStorage: Size.gibibytes(1) }, 'walStorage is 1Gi, but must be at least 2Gi'],
  ['a long name', { name: 'a'.repeat(51) }, 'but at most 50 are allowed'],
  ['a name that begins with a digit', { name: '1db' }, 'but the name of a Service begins with a letter'],
  ['a database of the system', { database: 'template1' }, 'database is "template1", which is PostgreSQL\'s own'],
  [
    'an owner of the operator',
    { owner: 'streaming_replica' },
    'owner is "streaming_replica", which is the operator\'s',
  ],
  ['an owner with a dash', { owner: 'rag-api' }, 'owner is "rag-api", but must be 1 to 63 lower-case letters'],
  ['an extension with a quote', { extensions: ['a"b'] }, 'extensions has "a"b", but names of extensions have'],
  [
    'another limit',
    { resources: { cpu: Cpu.units(1), memory: Size.gibibytes(1), cpuLimit: Cpu.units(2) } },
    'resources.cpuLimit is given, but limits of what is run here are equal',
  ],
  ['no name of a class', { storageClass: 'GP3' }, 'storageClass is "GP3", but must be DNS labels joined by dots'],
  ['no name of a PriorityClass', { priorityClassName: '' }, 'priorityClassName is "", but must be DNS labels'],
  ['a network file system', { storageClass: 'azurefile' }, 'storageClass is "azurefile", a network file system'],
  [
    'credentials of two Secrets',
    { credentials: { username: SecretKey.of('a', 'username'), password: SecretKey.of('b', 'password') } },
    'must be the keys username and password of one Secret',
  ],
  [
    'more pooled connections than there are',
    { pooler: { instances: 5 } },
    'pooler.poolSize is 20 in 5 pods, 100 in all',
  ],
  ['a pool of nothing', { pooler: { poolSize: 0 } }, 'pooler.poolSize is 0, but must be a whole number from 1'],
])('%s is refused', (_, props, message) => {
  expect(() => cluster(props)).toThrow(message);
});

test('ways that are not there are refused', () => {
  expect(() => cluster({ instances: 1 }).construct.readOnly).toThrow(
    'instances is 1, so there is no other to read from',
  );
  expect(() => cluster().construct.pooled).toThrow('pooler is missing, so there is no way through it');
});

test('a cluster without the operator is refused', () => {
  expect(() => cluster({}, { cloudNativePg: undefined })).toThrow(
    'rag/db: is run by CloudNativePG, which the cluster does not declare; set cloudNativePg in the cluster',
  );
});

const suite = SCHEMAS_PRESENT ? describe : describe.skip;
suite('the CRDs of CloudNativePG', () => {
  const schemas = SCHEMAS_PRESENT ? new ClusterSchemas('1.28', { useDefaults: true }) : undefined;
  const smallest = cluster({ instances: 1 }, { cilium: true, apiServer: undefined });
  const largest = cluster(
    {
      pooler: {},
      backups: PostgresBackups.daily({
        hour: 2,
        keepDays: 7,
        to: ObjectStore.azureBlob({ account: 'acmerag', container: 'backups' }),
      }),
      extensions: ['vector'],
      storageClass: 'io2',
      serviceAccountAnnotations: { 'acme.example/owner': 'rag' },
      identity: AZURE,
    },
    { registry: new Registry({ pullSecrets: ['pull'] }), zones: 3 },
  );

  test.each([
    ['the smallest', smallest],
    ['the largest', largest],
  ])('know every field of %s, and fill nothing into its lists', (_, { objects }) => {
    const custom = objects().filter(({ apiVersion }) => apiVersion.startsWith('postgresql.cnpg.io/'));
    expect(custom.length).toBeGreaterThan(0);
    for (const object of custom) {
      const defaulted = structuredClone(object) as Json;
      expect([object.kind, schemas?.errors(defaulted)]).toEqual([object.kind, []]);
      expect(defaulted.spec.plugins).toEqual(object.spec.plugins);
      expect(defaulted.spec.template).toEqual(object.spec.template);
      expect(defaulted.spec.topologySpreadConstraints).toEqual(object.spec.topologySpreadConstraints);
    }
  });

  test('would refuse a field that they do not know', () => {
    const object = structuredClone(find(largest.objects(), 'Cluster', 'db')) as Json;
    object.spec.storage.klass = 'io2';
    expect(schemas?.errors(object)).toEqual([expect.stringContaining('klass')]);
  });
});
