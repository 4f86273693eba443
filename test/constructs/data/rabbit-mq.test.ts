import { Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { RabbitMq, type RabbitMqProps } from '../../../constructs/data/rabbit-mq';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { Registry } from '../../../constructs/placement/registry';
import { ExternalReferences } from '../../../constructs/rules/external-references';
import type { Json } from '../../../constructs/rules/output';
import { Scaling } from '../../../constructs/scaling/scaling';
import { CertificateIssuer } from '../../../constructs/secrets/certificate-issuer';
import { ServerCertificate } from '../../../constructs/secrets/server-certificate';
import { Deployment } from '../../../constructs/workload/deployment';
import { Image } from '../../../constructs/workload/image';
import { env, find, mainContainer, namesOf, render, testChart } from '../../support/manifests';
import { ClusterSchemas, SCHEMAS_PRESENT } from '../../support/schemas';
import { CONTAINER } from '../../support/workloads';

const OPERATOR: ClusterProps = { rabbitMq: { namespace: 'rabbitmq-system' } };
const LABELS = { 'app.kubernetes.io/name': 'queue' };
const SETUP_AMOUNTS = { cpu: '100m', memory: '128Mi', 'ephemeral-storage': '256Mi' };
const SETUP = { requests: SETUP_AMOUNTS, limits: SETUP_AMOUNTS };
/** What Celery up to 5.6 needs of RabbitMQ from 4.3 on. */
const PERMITTED = 'deprecated_features.permit.transient_nonexcl_queues = true\n';
const TLS = ServerCertificate.existing('queue-tls');

function rabbitMq(props: RabbitMqProps = {}, facts: ClusterProps = {}) {
  const chart = testChart({ ...OPERATOR, ...facts });
  const construct = new RabbitMq(chart, 'queue', props);
  return { chart, construct, objects: () => render(chart) };
}

function spec(props: RabbitMqProps = {}, facts: ClusterProps = {}): Json {
  return find(rabbitMq(props, facts).objects(), 'RabbitmqCluster', 'queue').spec;
}

const podSpec = (props: RabbitMqProps = {}, facts: ClusterProps = {}): Json =>
  spec(props, facts).override.statefulSet.spec.template.spec;

/** A client and scaled workers, with what KEDA and Prometheus need. */
function used(props: RabbitMqProps = {}) {
  const { chart, construct, objects } = rabbitMq(props, {
    keda: { namespace: 'keda' },
    prometheus: { namespace: 'monitoring' },
  });
  const scaling = Scaling.onBacklog(construct.list('celery'), { perReplica: 20, min: 0, max: 4 });
  new Deployment(chart, 'workers', { component: 'ingestion', container: CONTAINER, scaling }).uses(construct);
  return objects();
}

const namespace = (name: string) => ({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } });

describe('the cluster', () => {
  test('has three nodes on three nodes of Kubernetes, with a volume each, and guaranteed resources', () => {
    expect(spec()).toMatchObject({
      replicas: 3,
      persistence: { storage: '10Gi' },
      resources: {
        requests: { cpu: '1', memory: '2Gi', 'ephemeral-storage': '256Mi' },
        limits: { cpu: '1', memory: '2Gi', 'ephemeral-storage': '256Mi' },
      },
    });
    const hosts = podSpec().topologySpreadConstraints[1];
    expect(hosts).toMatchObject({ topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' });
    expect(hosts.labelSelector.matchLabels).toEqual(LABELS);
  });

  test('keeps queues on several nodes, and lets one of them be away', () => {
    const objects = rabbitMq().objects();
    const { additionalConfig } = find(objects, 'RabbitmqCluster', 'queue').spec.rabbitmq;
    expect(additionalConfig).toBe(`${PERMITTED}default_queue_type = quorum\n`);
    expect(find(objects, 'PodDisruptionBudget', 'queue').spec).toEqual({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'IfHealthyBudget',
      selector: { matchLabels: LABELS },
    });
  });

  test('of one node has classic queues, no budget and nothing to spread', () => {
    const objects = rabbitMq({ replicas: 1 }).objects();
    const single = find(objects, 'RabbitmqCluster', 'queue').spec;
    expect(single.rabbitmq).toEqual({ additionalConfig: PERMITTED });
    expect(namesOf(objects, 'PodDisruptionBudget')).toEqual([]);
    expect(podSpec({ replicas: 1 })).not.toHaveProperty('topologySpreadConstraints');
  });

  test('takes what is asked for', () => {
    const asked = spec(
      {
        replicas: 5,
        storage: Size.gibibytes(50),
        storageClass: 'gp3',
        resources: { cpu: Cpu.millis(500), memory: Size.gibibytes(4) },
        deliveryTimeout: Duration.hours(2),
        image: Image.of('rabbitmq', { tag: '4.3.0-management' }),
      },
      {},
    );
    expect(asked).toMatchObject({
      replicas: 5,
      image: 'docker.io/library/rabbitmq:4.3.0-management',
      persistence: { storage: '50Gi', storageClassName: 'gp3' },
      resources: { requests: { cpu: '500m', memory: '4Gi' } },
    });
    expect(asked.rabbitmq.additionalConfig).toBe(
      `${PERMITTED}default_queue_type = quorum\nconsumer_timeout = 7200000\n`,
    );
  });

  test.each<[string, RabbitMqProps, string]>([
    ['a short task', { longestTask: Duration.minutes(20) }, ''],
    ['a longer one, for 10 minutes more', { longestTask: Duration.minutes(21) }, 'consumer_timeout = 1860000\n'],
    [
      'a longer one, as long as it is told',
      { longestTask: Duration.hours(1), deliveryTimeout: Duration.hours(3) },
      'consumer_timeout = 10800000\n',
    ],
    ['a time of its own', { deliveryTimeout: Duration.minutes(5) }, 'consumer_timeout = 300000\n'],
    ['what it waits for by itself', { deliveryTimeout: Duration.minutes(30) }, ''],
  ])('waits for %s', (_, props, timeout) => {
    expect(spec(props).rabbitmq.additionalConfig).toBe(`${PERMITTED}default_queue_type = quorum\n${timeout}`);
  });

  test('leaves to the operator what nobody asks for', () => {
    for (const field of ['image', 'imagePullSecrets', 'tls', 'tolerations']) {
      expect(spec()).not.toHaveProperty(field);
    }
    expect(spec().persistence).not.toHaveProperty('storageClassName');
  });

  test('keeps the level restricted, and reads no variables of Services', () => {
    const { securityContext, enableServiceLinks, containers, initContainers } = podSpec();
    expect(enableServiceLinks).toBe(false);
    expect(securityContext).toEqual({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    const restricted = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
    expect(containers).toEqual([{ name: 'rabbitmq', securityContext: restricted }]);
    expect(initContainers).toEqual([{ name: 'setup-container', securityContext: restricted, resources: SETUP }]);
  });

  test('bounds what its nodes keep on the disks of Kubernetes', () => {
    expect(podSpec().volumes).toEqual([
      { name: 'rabbitmq-erlang-cookie', emptyDir: { sizeLimit: '64Mi' } },
      { name: 'rabbitmq-plugins', emptyDir: { sizeLimit: '1Mi' } },
    ]);
  });

  test('runs where it is told to', () => {
    const facts: ClusterProps = {
      nodePools: [{ name: 'data', nodes: 3, nodeSelector: { pool: 'data' }, taints: [{ key: 'data' }] }],
    };
    const props = { nodePool: 'data', priorityClassName: 'high' };
    expect(podSpec(props, facts)).toMatchObject({ nodeSelector: { pool: 'data' }, priorityClassName: 'high' });
    expect(spec(props, facts).tolerations).toEqual([{ key: 'data', operator: 'Exists', effect: 'NoSchedule' }]);
  });

  test('comes from the registry of the cluster', () => {
    const registry = new Registry({ mirror: 'registry.acme.example/mirror', pullSecrets: ['pull'] });
    const image = Image.of('rabbitmq', { tag: '4.3.0-management' });
    const mirrored = spec({ image }, { registry });
    expect(mirrored.image).toBe('registry.acme.example/mirror/library/rabbitmq:4.3.0-management');
    expect(mirrored.imagePullSecrets).toEqual([{ name: 'pull' }]);
  });
});

describe('clients', () => {
  test('are the user whom the operator made', () => {
    expect(mainContainer(find(used(), 'Deployment', 'workers')).env).toEqual([
      { name: 'RABBITMQ_HOST', value: 'queue' },
      { name: 'RABBITMQ_PORT', value: '5672' },
      {
        name: 'RABBITMQ_USERNAME',
        valueFrom: { secretKeyRef: { name: 'queue-default-user', key: 'username' } },
      },
      {
        name: 'RABBITMQ_PASSWORD',
        valueFrom: { secretKeyRef: { name: 'queue-default-user', key: 'password' } },
      },
      { name: 'RABBITMQ_VHOST', value: '/' },
      { name: 'CELERY_BROKER_URL', value: 'amqp://$(RABBITMQ_USERNAME):$(RABBITMQ_PASSWORD)@queue:5672/%2F' },
    ]);
  });

  test('come after it', () => {
    const wave = find(used(), 'Deployment', 'workers').metadata.annotations?.['argocd.argoproj.io/sync-wave'];
    expect(wave).toBe('10');
  });
});

describe('the network', () => {
  const objects = used();
  const { spec: policy } = find(objects, 'NetworkPolicy', 'queue');

  test('lets in the operator, Prometheus, KEDA, clients and peers, each where it has to be', () => {
    expect(policy.podSelector).toEqual({ matchLabels: LABELS });
    expect(policy.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(policy.ingress).toHaveLength(5);
    for (const [peer, ...ports] of [
      [namespace('rabbitmq-system'), 15672],
      [namespace('monitoring'), 15692],
      [namespace('keda'), 5672],
      [{ podSelector: { matchLabels: LABELS } }, 4369, 25672],
      [{ podSelector: { matchLabels: expect.objectContaining({ 'app.kubernetes.io/name': 'workers' }) } }, 5672],
    ] as [object, ...number[]][]) {
      expect(policy.ingress).toContainEqual({
        from: [peer],
        ports: ports.map((port) => ({ port, protocol: 'TCP' })),
      });
    }
  });

  test('lets nodes out to their peers and DNS only', () => {
    expect(policy.egress).toHaveLength(2);
    expect(policy.egress[0]).toEqual({
      to: [{ podSelector: { matchLabels: LABELS } }],
      ports: [
        { port: 4369, protocol: 'TCP' },
        { port: 25672, protocol: 'TCP' },
      ],
    });
    expect(policy.egress[1].ports.map(({ port }: Json) => port)).toEqual([53, 53]);
  });

  test('lets clients out to it', () => {
    expect(find(objects, 'NetworkPolicy', 'workers').spec.egress).toContainEqual({
      to: [{ podSelector: { matchLabels: LABELS } }],
      ports: [{ port: 5672, protocol: 'TCP' }],
    });
  });

  test('is closed to Prometheus where there is none', () => {
    const { ingress } = find(rabbitMq().objects(), 'NetworkPolicy', 'queue').spec;
    expect(ingress).toHaveLength(2);
  });

  test('names pods of the operator, which are declared', () => {
    const { chart } = rabbitMq();
    const name = 'app.kubernetes.io/name=queue';
    expect(ExternalReferences.of(chart).includes({ kind: 'Pod', namespace: 'test', name })).toBe(true);
  });
});

describe('a backlog', () => {
  test('is counted by KEDA as the same user', () => {
    const objects = used();
    expect(find(objects, 'ScaledObject', 'workers').spec.triggers).toEqual([
      {
        type: 'rabbitmq',
        metadata: {
          host: 'amqp://queue.test.svc.cluster.local:5672/',
          vhostName: '/',
          queueName: 'celery',
          mode: 'QueueLength',
          value: '20',
        },
        authenticationRef: { name: 'workers' },
      },
    ]);
    expect(find(objects, 'TriggerAuthentication', 'workers').spec).toEqual({
      secretTargetRef: [
        { parameter: 'username', name: 'queue-default-user', key: 'username' },
        { parameter: 'password', name: 'queue-default-user', key: 'password' },
      ],
    });
    expect(namesOf(objects, 'ConfigMap')).toEqual([]);
  });

  test('is shared by whole numbers', () => {
    const { construct } = rabbitMq();
    expect(() => construct.list('celery').trigger(0)).toThrow(
      'scaling.perReplica is 0, but must be a whole number from 1',
    );
  });
});

describe('with TLS', () => {
  const objects = used({ tls: TLS });

  test('nobody comes without', () => {
    expect(find(objects, 'RabbitmqCluster', 'queue').spec.tls).toEqual({
      secretName: 'queue-tls',
      caSecretName: 'queue-tls',
      disableNonTLSListeners: true,
    });
    const { ingress } = find(objects, 'NetworkPolicy', 'queue').spec;
    const ports = ingress.flatMap((rule: Json) => rule.ports.map(({ port }: Json) => port));
    expect(ports.sort()).toEqual([15671, 15691, 25672, 4369, 5671, 5671]);
  });

  test('clients know the authority', () => {
    const workers = find(objects, 'Deployment', 'workers');
    const file = '/etc/rabbitmq-ca/queue-tls/ca.crt';
    expect(env(workers, 'RABBITMQ_CA_FILE')).toBe(file);
    expect(env(workers, 'CELERY_BROKER_URL')).toBe(`amqps://$(RABBITMQ_USERNAME):$(RABBITMQ_PASSWORD)@queue:5671/%2F`);
    expect(mainContainer(workers).volumeMounts).toEqual([
      { name: 'secret-queue-tls', mountPath: '/etc/rabbitmq-ca/queue-tls', readOnly: true },
    ]);
  });

  test('so does KEDA, which has to be told that it shall look', () => {
    expect(find(objects, 'ScaledObject', 'workers').spec.triggers[0].metadata.host).toBe(
      'amqps://queue.test.svc.cluster.local:5671/',
    );
    const authentication = find(objects, 'TriggerAuthentication', 'workers').spec;
    expect(authentication.secretTargetRef).toContainEqual({ parameter: 'ca', name: 'queue-tls', key: 'ca.crt' });
    expect(authentication.configMapTargetRef).toEqual([{ parameter: 'tls', name: 'workers-keda', key: 'tls' }]);
    expect(find(objects, 'ConfigMap', 'workers-keda').data).toEqual({ tls: 'enable' });
  });

  test('a certificate is for the Service, and for each node, which the operator asks', () => {
    const tls = ServerCertificate.issuedBy(CertificateIssuer.cluster('internal'));
    const issued = rabbitMq({ tls }).objects();
    expect(find(issued, 'Certificate', 'queue-tls').metadata.annotations?.['argocd.argoproj.io/sync-wave']).toBe('-10');
    expect(find(issued, 'Certificate', 'queue-tls').spec.dnsNames).toEqual([
      'queue',
      'queue.test.svc',
      'queue.test.svc.cluster.local',
      '*.queue-nodes.test.svc',
    ]);
    expect(find(issued, 'RabbitmqCluster', 'queue').spec.tls.secretName).toBe('queue-tls');
  });
});

describe('monitoring', () => {
  const prometheus = { namespace: 'monitoring', monitorLabels: { release: 'prometheus' } };
  const endpoints = (props: RabbitMqProps) =>
    find(rabbitMq(props, { prometheus }).objects(), 'PodMonitor', 'queue').spec.podMetricsEndpoints;

  test('has a monitor for the port of the nodes that has metrics', () => {
    const monitor = find(rabbitMq({}, { prometheus }).objects(), 'PodMonitor', 'queue');
    expect(monitor.metadata.labels).toMatchObject({ release: 'prometheus', 'app.kubernetes.io/name': 'queue' });
    expect(monitor.spec.selector).toEqual({ matchLabels: LABELS });
    expect(endpoints({})).toEqual([{ port: 'prometheus', path: '/metrics', scheme: 'http' }]);
  });

  test('asks encrypted nodes under the name of the Service', () => {
    expect(endpoints({ tls: TLS })).toEqual([
      {
        port: 'prometheus-tls',
        path: '/metrics',
        scheme: 'https',
        tlsConfig: { serverName: 'queue.test.svc', ca: { secret: { name: 'queue-tls', key: 'ca.crt' } } },
      },
    ]);
  });

  test('has none where the cluster has no labels for it', () => {
    expect(namesOf(rabbitMq({}, { prometheus: { namespace: 'monitoring' } }).objects(), 'PodMonitor')).toEqual([]);
    expect(rabbitMq().construct.podMonitor).toBeUndefined();
    expect(rabbitMq({}, { prometheus }).construct.podMonitor?.name).toBe('queue');
  });
});

describe('mistakes', () => {
  test('a queue without a name', () => {
    expect(() => rabbitMq().construct.list('')).toThrow(
      new Error('rabbitMq.list is empty; name the queue as the workers do, or leave it out'),
    );
  });

  test.each([
    [{ name: 'Queue' }, {}, 'rag/queue: name is "Queue", but must be a DNS label'],
    [{ name: '1queue' }, {}, 'rag/queue: name is "1queue", but the name of a Service begins with a letter'],
    [{ name: 'a'.repeat(41) }, {}, 'rag/queue: name is "'],
    [
      { replicas: 2 },
      {},
      'rag/queue: replicas is 2, but must be 1, or an odd number from 3: of an even number half are no majority',
    ],
    [{ replicas: 0 }, {}, 'rag/queue: replicas is 0, but must be 1, or an odd number from 3'],
    [{ replicas: 1.5 }, {}, 'rag/queue: replicas is 1.5, but must be 1, or an odd number from 3'],
    [
      { deliveryTimeout: Duration.seconds(0) },
      {},
      'rag/queue: deliveryTimeout is 0 ms, but must be whole seconds, at least one',
    ],
    [
      { longestTask: Duration.millis(1500) },
      {},
      'rag/queue: longestTask is 1500 ms, but must be whole seconds, at least one',
    ],
    [
      { longestTask: Duration.hours(1), deliveryTimeout: Duration.hours(1) },
      {},
      'rag/queue: deliveryTimeout is 3600s, but the longest task takes 3600s and would be done twice; raise it, or lower ' +
        'embeddingWorkers.longestTask',
    ],
    [
      { resources: { cpu: Cpu.units(1), memory: Size.mebibytes(255) } },
      {},
      'rag/queue: resources.memory is 255Mi, but RabbitMQ needs at least 256Mi',
    ],
    [{ storageClass: 'GP3' }, {}, 'rag/queue: storageClass is "GP3", but must be DNS labels joined by dots'],
    [{ priorityClassName: 'very high' }, {}, 'rag/queue: priorityClassName is "very high", but must be DNS labels'],
    [{ storageClass: 'efs-sc' }, {}, 'rag/queue: storageClass is "efs-sc", a network file system (efs)'],
    [
      { resources: { cpu: Cpu.units(1), memory: Size.gibibytes(1), memoryLimit: Size.gibibytes(2) } },
      {},
      'rag/queue: resources.memoryLimit is given, but limits of what is run here are equal to what it asks for; leave it out',
    ],
    [
      {},
      { rabbitMq: undefined },
      'rag/queue: is run by the RabbitMQ cluster operator, which the cluster does not declare; set rabbitMq in the cluster, ' +
        'or use ExternalRabbitMq',
    ],
    [
      {},
      { registry: new Registry({ requireDigest: true }) },
      'rag/queue: image is missing, but what the operator chooses would come from where it likes; name it, so that it ' +
        "comes from the cluster's registry",
    ],
  ] as [RabbitMqProps, ClusterProps, string][])('%j in a cluster with %j', (props, facts, message) => {
    expect(() => rabbitMq(props, facts)).toThrow(message);
  });
});

(SCHEMAS_PRESENT ? describe : describe.skip)('the operator', () => {
  const schemas = SCHEMAS_PRESENT ? new ClusterSchemas('1.28') : undefined;

  test.each([
    ['nothing', {}],
    ['one node', { replicas: 1 }],
    ['TLS', { tls: TLS }],
    ['everything else', { deliveryTimeout: Duration.hours(1), storageClass: 'gp3', priorityClassName: 'high' }],
  ] as [string, RabbitMqProps][])('takes a cluster of which %s is said', (_, props) => {
    expect(used(props).flatMap((object) => schemas?.errors(object) ?? [])).toEqual([]);
  });
});
