import { Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { Kafka, type KafkaProps } from '../../../constructs/data/kafka';
import type { KafkaTopicProps } from '../../../constructs/data/kafka-topic';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { Registry } from '../../../constructs/placement/registry';
import { ExternalReferences } from '../../../constructs/rules/external-references';
import type { Json } from '../../../constructs/rules/output';
import { Scaling } from '../../../constructs/scaling/scaling';
import { Deployment } from '../../../constructs/workload/deployment';
import { Image } from '../../../constructs/workload/image';
import { env, find, mainContainer, namesOf, render, testChart } from '../../support/manifests';
import { ClusterSchemas, SCHEMAS_PRESENT } from '../../support/schemas';
import { CONTAINER } from '../../support/workloads';

const OPERATOR: ClusterProps = {
  strimzi: { namespace: 'strimzi' },
  apiServer: { cidrs: ['10.0.0.0/28'], port: 6443 },
};
const NODES = { 'strimzi.io/cluster': 'events', 'strimzi.io/name': 'events-kafka' };
const ENTITY_OPERATOR = { 'strimzi.io/cluster': 'events', 'strimzi.io/name': 'events-entity-operator' };

function kafka(props: KafkaProps = {}, facts: ClusterProps = {}) {
  const chart = testChart({ ...OPERATOR, ...facts });
  const construct = new Kafka(chart, 'events', props);
  return { chart, construct, objects: () => render(chart) };
}

const spec = (props: KafkaProps = {}, facts: ClusterProps = {}): Json =>
  find(kafka(props, facts).objects(), 'Kafka', 'events').spec;
const nodes = (props: KafkaProps = {}, facts: ClusterProps = {}): Json =>
  find(kafka(props, facts).objects(), 'KafkaNodePool', 'events-nodes').spec;

/** Workers that use a topic and scale on it, with what KEDA and Prometheus need. */
function used(props: KafkaProps = {}) {
  const { chart, construct, objects } = kafka(props, {
    keda: { namespace: 'keda' },
    prometheus: { namespace: 'monitoring' },
  });
  const documents = construct.topic('documents');
  const scaling = Scaling.onBacklog(documents.lag('embedders'), { perReplica: 50, min: 0, max: 12 });
  new Deployment(chart, 'workers', { component: 'ingestion', container: CONTAINER, scaling }).uses(construct);
  return objects();
}

const namespace = (name: string) => ({ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } });
const pods = (labels: object) => ({ podSelector: { matchLabels: labels } });
const tcp = (...ports: number[]) => ports.map((port) => ({ port, protocol: 'TCP' }));
const notDns = (rules: Json[]) => rules.filter(({ ports }) => ports[0].port !== 53);

describe('the nodes', () => {
  test('are three brokers and controllers on three nodes of Kubernetes, with guaranteed resources', () => {
    expect(nodes()).toMatchObject({
      replicas: 3,
      roles: ['controller', 'broker'],
      resources: { requests: { cpu: '1', memory: '4Gi' }, limits: { cpu: '1', memory: '4Gi' } },
    });
    const hosts = nodes().template.pod.topologySpreadConstraints[1];
    expect(hosts).toMatchObject({ topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' });
    expect(hosts.labelSelector.matchLabels).toEqual(NODES);
  });

  test('have volumes that stay when the cluster goes', () => {
    expect(nodes({ storage: Size.gibibytes(200), storageClass: 'gp3' }).storage).toEqual({
      type: 'jbod',
      volumes: [
        { id: 0, type: 'persistent-claim', size: '200Gi', class: 'gp3', deleteClaim: false, kraftMetadata: 'shared' },
      ],
    });
    expect(nodes().storage.volumes[0]).not.toHaveProperty('class');
  });

  test('belong to the cluster', () => {
    const pool = find(kafka().objects(), 'KafkaNodePool', 'events-nodes');
    expect(pool.metadata.labels).toMatchObject({ 'strimzi.io/cluster': 'events' });
  });

  test('keep the level restricted, and run where they are told to', () => {
    const facts: ClusterProps = {
      nodePools: [{ name: 'data', nodes: 3, nodeSelector: { pool: 'data' }, taints: [{ key: 'data' }] }],
    };
    const { pod, kafkaContainer } = nodes({ nodePool: 'data', priorityClassName: 'high' }, facts).template;
    expect(pod.securityContext).toEqual({
      runAsNonRoot: true,
      fsGroup: 0,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(kafkaContainer.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.priorityClassName).toBe('high');
    expect(pod.tolerations).toEqual([{ key: 'data', operator: 'Exists', effect: 'NoSchedule' }]);
    expect(pod.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms).toEqual([
      { matchExpressions: [{ key: 'pool', operator: 'In', values: ['data'] }] },
    ]);
  });

  test('run anywhere otherwise', () => {
    for (const field of ['affinity', 'tolerations', 'priorityClassName', 'imagePullSecrets']) {
      expect(nodes().template.pod).not.toHaveProperty(field);
    }
    expect(nodes({ replicas: 1 }).template.pod).not.toHaveProperty('topologySpreadConstraints');
  });
});

describe('the cluster', () => {
  test('has every message on two nodes before it counts, and creates no topic by accident', () => {
    expect(spec().kafka.config).toEqual({
      'auto.create.topics.enable': false,
      'default.replication.factor': 3,
      'min.insync.replicas': 2,
      'offsets.topic.replication.factor': 3,
      'transaction.state.log.replication.factor': 3,
      'transaction.state.log.min.isr': 2,
    });
  });

  test('of one node asks for no second one', () => {
    const { config } = spec({ replicas: 1 }).kafka;
    expect(config).toMatchObject({ 'default.replication.factor': 1, 'min.insync.replicas': 1 });
    expect(config['offsets.topic.replication.factor']).toBe(1);
  });

  test.each([
    ['asks who comes', {}, 'plain', 9092, false, { type: 'scram-sha-512' }],
    ['encrypts', { tls: true }, 'tls', 9093, true, { type: 'scram-sha-512' }],
    ['lets in whom policies let in', { authentication: false }, 'plain', 9092, false, undefined],
  ] as [string, KafkaProps, string, number, boolean, object | undefined][])(
    '%s',
    (_, props, name, port, tls, authentication) => {
      expect(spec(props).kafka.listeners).toEqual([
        {
          name,
          port,
          type: 'internal',
          tls,
          ...(authentication === undefined ? {} : { authentication }),
          networkPolicyPeers: [{ podSelector: { matchLabels: NODES } }],
        },
      ]);
    },
  );

  test('has a user who reads and writes, and administers nothing', () => {
    const objects = kafka().objects();
    expect(find(objects, 'Kafka', 'events').spec.kafka.authorization).toEqual({ type: 'simple' });
    const user = find(objects, 'KafkaUser', 'events-client');
    expect(user.apiVersion).toBe('kafka.strimzi.io/v1');
    expect(user.metadata.labels).toMatchObject({ 'strimzi.io/cluster': 'events' });
    expect(user.spec.authentication).toEqual({ type: 'scram-sha-512' });
    expect(user.spec.authorization.acls.map(({ resource, operations }: Json) => [resource.type, operations])).toEqual([
      ['topic', ['Describe', 'DescribeConfigs', 'Read', 'Write']],
      ['group', ['Describe', 'Read']],
    ]);
  });

  test('has no users without authentication', () => {
    const objects = kafka({ authentication: false }).objects();
    expect(namesOf(objects, 'KafkaUser')).toEqual([]);
    const { kafka: brokers, entityOperator } = find(objects, 'Kafka', 'events').spec;
    expect(brokers).not.toHaveProperty('authorization');
    expect(entityOperator).not.toHaveProperty('userOperator');
    expect(entityOperator.template).not.toHaveProperty('userOperatorContainer');
  });

  test('looks after topics and users by pods that keep the level restricted, with guaranteed resources', () => {
    const { topicOperator, userOperator, template } = spec().entityOperator;
    for (const { resources } of [topicOperator, userOperator]) {
      expect(resources.requests).toEqual(resources.limits);
      expect(resources.limits).toMatchObject({ cpu: '250m', memory: '512Mi' });
    }
    expect(template.pod.securityContext).toMatchObject({ runAsNonRoot: true });
    expect(template.topicOperatorContainer).toEqual(template.userOperatorContainer);
    expect(template.topicOperatorContainer.securityContext).toMatchObject({ allowPrivilegeEscalation: false });
  });

  test('serves metrics where somebody reads them', () => {
    expect(spec().kafka).not.toHaveProperty('metricsConfig');
    expect(spec({}, { prometheus: { namespace: 'monitoring' } }).kafka.metricsConfig).toEqual({
      type: 'strimziMetricsReporter',
    });
  });

  test('comes from the registry of the cluster', () => {
    const registry = new Registry({ mirror: 'registry.acme.example/mirror', pullSecrets: ['pull'] });
    const images = {
      image: Image.of('quay.io/strimzi/kafka', { tag: '1.2.0-kafka-4.3.1' }),
      operatorImage: Image.of('quay.io/strimzi/operator', { tag: '1.2.0' }),
    };
    const mirrored = spec(images, { registry });
    expect(mirrored.kafka.image).toBe('registry.acme.example/mirror/strimzi/kafka:1.2.0-kafka-4.3.1');
    expect(mirrored.entityOperator.topicOperator.image).toBe('registry.acme.example/mirror/strimzi/operator:1.2.0');
    expect(mirrored.entityOperator.userOperator.image).toBe('registry.acme.example/mirror/strimzi/operator:1.2.0');
    expect(nodes(images, { registry }).template.pod.imagePullSecrets).toEqual([{ name: 'pull' }]);
    expect(spec().kafka).not.toHaveProperty('image');
  });
});

describe('clients', () => {
  test('are the user of the cluster', () => {
    expect(mainContainer(find(used(), 'Deployment', 'workers')).env).toEqual([
      { name: 'KAFKA_BOOTSTRAP_SERVERS', value: 'events-kafka-bootstrap:9092' },
      { name: 'KAFKA_SECURITY_PROTOCOL', value: 'SASL_PLAINTEXT' },
      { name: 'KAFKA_SASL_MECHANISM', value: 'SCRAM-SHA-512' },
      { name: 'KAFKA_SASL_USERNAME', value: 'events-client' },
      { name: 'KAFKA_SASL_PASSWORD', valueFrom: { secretKeyRef: { name: 'events-client', key: 'password' } } },
    ]);
  });

  test('know the authority with TLS', () => {
    const workers = find(used({ tls: true }), 'Deployment', 'workers');
    expect(env(workers, 'KAFKA_BOOTSTRAP_SERVERS')).toBe('events-kafka-bootstrap:9093');
    expect(env(workers, 'KAFKA_SECURITY_PROTOCOL')).toBe('SASL_SSL');
    expect(env(workers, 'KAFKA_SSL_CA_LOCATION')).toBe('/etc/kafka-ca/events-cluster-ca-cert/ca.crt');
    expect(mainContainer(workers).volumeMounts).toEqual([
      {
        name: 'secret-events-cluster-ca-cert',
        mountPath: '/etc/kafka-ca/events-cluster-ca-cert',
        readOnly: true,
      },
    ]);
  });

  test('are told nothing of users where there are none', () => {
    expect(mainContainer(find(used({ authentication: false }), 'Deployment', 'workers')).env).toEqual([
      { name: 'KAFKA_BOOTSTRAP_SERVERS', value: 'events-kafka-bootstrap:9092' },
      { name: 'KAFKA_SECURITY_PROTOCOL', value: 'PLAINTEXT' },
    ]);
  });

  test('come after it', () => {
    const { annotations } = find(used(), 'Deployment', 'workers').metadata;
    expect(annotations?.['argocd.argoproj.io/sync-wave']).toBe('10');
  });
});

describe('the network', () => {
  const objects = used();
  const { spec: policy } = find(objects, 'NetworkPolicy', 'events');
  const { spec: besides } = find(objects, 'NetworkPolicy', 'events-entity-operator');

  test('lets everybody in where they have to be', () => {
    expect(policy.podSelector).toEqual({ matchLabels: NODES });
    expect(policy.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(policy.ingress).toHaveLength(6);
    for (const rule of [
      { from: [namespace('strimzi')], ports: tcp(8443, 9090, 9091) },
      { from: [pods(NODES)], ports: tcp(9090, 9091) },
      { from: [pods(ENTITY_OPERATOR)], ports: tcp(9091) },
      { from: [namespace('monitoring')], ports: tcp(9404) },
      { from: [namespace('keda')], ports: tcp(9092) },
      {
        from: [pods(expect.objectContaining({ 'app.kubernetes.io/name': 'workers' }))],
        ports: tcp(9092),
      },
    ]) {
      expect(policy.ingress).toContainEqual(rule);
    }
  });

  test('lets nodes out to one another only', () => {
    expect(notDns(policy.egress)).toEqual([{ to: [pods(NODES)], ports: tcp(9090, 9091) }]);
  });

  test('lets the pod beside them out to them and to the API server, and only Prometheus in', () => {
    expect(besides.podSelector).toEqual({ matchLabels: ENTITY_OPERATOR });
    expect(notDns(besides.egress)).toHaveLength(2);
    expect(besides.egress).toContainEqual({ to: [pods(NODES)], ports: tcp(9091) });
    expect(besides.egress).toContainEqual({ to: [{ ipBlock: { cidr: '10.0.0.0/28' } }], ports: tcp(6443) });
    expect(besides.ingress).toEqual([{ from: [namespace('monitoring')], ports: tcp(8080, 8081) }]);
  });

  test('lets clients out to the nodes', () => {
    expect(find(objects, 'NetworkPolicy', 'workers').spec.egress).toContainEqual({
      to: [pods(NODES)],
      ports: tcp(9092),
    });
  });

  test('has another port with TLS', () => {
    const { ingress } = find(used({ tls: true }), 'NetworkPolicy', 'events').spec;
    expect(ingress).toContainEqual({ from: [namespace('keda')], ports: tcp(9093) });
    expect(JSON.stringify(ingress)).not.toContain('9092');
  });

  test('knows the API server by itself on Cilium', () => {
    const cilium = kafka({}, { cilium: true, apiServer: undefined }).objects();
    expect(find(cilium, 'CiliumNetworkPolicy', 'events-entity-operator-api-server').spec).toEqual({
      endpointSelector: { matchLabels: ENTITY_OPERATOR },
      egress: [{ toEntities: ['kube-apiserver'] }],
    });
  });

  test('names pods of the operator, which are declared', () => {
    const external = ExternalReferences.of(kafka().chart);
    for (const part of ['kafka', 'entity-operator']) {
      const name = `strimzi.io/cluster=events,strimzi.io/name=events-${part}`;
      expect(external.includes({ kind: 'Pod', namespace: 'test', name })).toBe(true);
    }
  });
});

describe('a backlog', () => {
  test('is counted by KEDA as the same user, whose name its scaler takes from a TriggerAuthentication only', () => {
    const objects = used();
    expect(find(objects, 'ScaledObject', 'workers').spec.triggers).toEqual([
      {
        type: 'kafka',
        metadata: {
          bootstrapServers: 'events-kafka-bootstrap.test.svc.cluster.local:9092',
          topic: 'documents',
          consumerGroup: 'embedders',
          lagThreshold: '50',
          version: '2.1.0',
          sasl: 'scram_sha512',
        },
        authenticationRef: { name: 'workers' },
      },
    ]);
    expect(find(objects, 'TriggerAuthentication', 'workers').spec).toEqual({
      secretTargetRef: [{ parameter: 'password', name: 'events-client', key: 'password' }],
      configMapTargetRef: [{ parameter: 'username', name: 'workers-keda', key: 'username' }],
    });
    expect(find(objects, 'ConfigMap', 'workers-keda').data).toEqual({ username: 'events-client' });
  });

  test('is counted with the authority with TLS', () => {
    const objects = used({ tls: true });
    expect(find(objects, 'ScaledObject', 'workers').spec.triggers[0].metadata.tls).toBe('enable');
    expect(find(objects, 'TriggerAuthentication', 'workers').spec.secretTargetRef).toContainEqual({
      parameter: 'ca',
      name: 'events-cluster-ca-cert',
      key: 'ca.crt',
    });
  });

  test('needs nobody without authentication', () => {
    const objects = used({ authentication: false });
    expect(find(objects, 'ScaledObject', 'workers').spec.triggers[0]).not.toHaveProperty('authenticationRef');
    expect(namesOf(objects, 'TriggerAuthentication')).toEqual([]);
  });

  test('has a group and a whole share', () => {
    const { construct } = kafka();
    const lag = (consumerGroup: string) => construct.lag({ topic: 'documents', consumerGroup });
    expect(() => lag('')).toThrow(new Error('kafka.consumerGroup is empty; name the group as the workers do'));
    expect(() => lag('a').trigger(0)).toThrow('scaling.perReplica is 0, but must be a whole number from 1');
  });
});

describe('a topic', () => {
  function topic(props: KafkaTopicProps = {}, name = 'documents', owner: KafkaProps = {}) {
    const { construct, objects } = kafka(owner);
    construct.topic(name, props);
    return find(objects(), 'KafkaTopic', name);
  }

  test('has partitions for twelve workers, on three nodes, for a week', () => {
    const { metadata, spec: rendered } = topic();
    expect(metadata.labels).toMatchObject({ 'strimzi.io/cluster': 'events' });
    expect(metadata.annotations).toMatchObject({ 'argocd.argoproj.io/sync-options': 'Delete=confirm,Prune=confirm' });
    expect(rendered).toEqual({
      partitions: 12,
      replicas: 3,
      config: { 'retention.ms': 604800000, 'min.insync.replicas': 2 },
    });
  });

  test('takes what is asked for', () => {
    expect(topic({ partitions: 3, replicas: 1, retention: Duration.hours(1) }).spec).toEqual({
      partitions: 3,
      replicas: 1,
      config: { 'retention.ms': 3600000, 'min.insync.replicas': 1 },
    });
  });

  test('of one node is on one', () => {
    expect(topic({}, 'documents', { replicas: 1 }).spec).toMatchObject({ replicas: 1 });
  });

  test.each([
    [{ partitions: 0 }, 'documents', 'partitions is 0, but must be a whole number from 1'],
    [{ replicas: 4 }, 'documents', 'replicas is 4, but must be a whole number from 1 to 3, the number of brokers'],
    [{ replicas: 0 }, 'documents', 'replicas is 0, but must be a whole number from 1 to 3, the number of brokers'],
    [{ retention: Duration.millis(0) }, 'documents', 'retention is 0 ms, but must be above 0'],
  ] as [KafkaTopicProps, string, string][])('is refused with %j as %s', (props, name, message) => {
    expect(() => topic(props, name)).toThrow(`rag/events/Topics/${name}: topic.${message}`);
  });

  test('is refused a second time', () => {
    const { construct } = kafka();
    construct.topic('documents');
    expect(() => construct.topic('documents', { partitions: 3 })).toThrow(
      new Error('rag/events: topic.name is "documents", which there is already; keep what topic("documents") gave'),
    );
  });

  test.each(['', 'Documents', 'a_b', 'a/b', 'a'.repeat(250)])('is refused under the name %j', (name) => {
    expect(() => topic({}, name)).toThrow(
      `rag/events: topic.name is "${name}", but must be 1 to 249 lower-case letters, digits, "-" and "."`,
    );
  });
});

describe('monitoring', () => {
  const prometheus = { namespace: 'monitoring', monitorLabels: { release: 'prometheus' } };

  test('has a monitor for the nodes, and one for what looks after topics and users', () => {
    const { construct, objects } = kafka({}, { prometheus });
    expect(construct.podMonitor?.name).toBe('events');
    expect(find(objects(), 'PodMonitor', 'events').spec).toEqual({
      selector: { matchLabels: NODES },
      podMetricsEndpoints: [{ port: 'tcp-prometheus', path: '/metrics', scheme: 'http' }],
    });
    expect(find(objects(), 'PodMonitor', 'events-entity-operator').spec).toEqual({
      selector: { matchLabels: ENTITY_OPERATOR },
      podMetricsEndpoints: [{ port: 'healthcheck', path: '/metrics', scheme: 'http' }],
    });
    expect(find(objects(), 'PodMonitor', 'events').metadata.labels).toMatchObject({ release: 'prometheus' });
  });

  test('has none where the cluster has no labels for it', () => {
    expect(namesOf(kafka({}, { prometheus: { namespace: 'monitoring' } }).objects(), 'PodMonitor')).toEqual([]);
    expect(kafka().construct.podMonitor).toBeUndefined();
  });
});

describe('mistakes', () => {
  test.each([
    [{ name: 'Events' }, {}, 'rag/events: name is "Events", but must be a DNS label'],
    [{ name: '1events' }, {}, 'rag/events: name is "1events", but the name of a Service begins with a letter'],
    [{ name: 'a'.repeat(26) }, {}, '(26 characters), but at most 25 are allowed; shorten it'],
    [
      { replicas: 2 },
      {},
      'rag/events: replicas is 2, but must be 1, or a whole number from 3: one of two is no majority',
    ],
    [{ replicas: 0 }, {}, 'rag/events: replicas is 0, but must be 1, or a whole number from 3'],
    [{ replicas: 3.5 }, {}, 'rag/events: replicas is 3.5, but must be 1, or a whole number from 3'],
    [
      { resources: { cpu: Cpu.units(1), memory: Size.mebibytes(512) } },
      {},
      'rag/events: resources.memory is 512Mi, but Kafka needs at least 1Gi',
    ],
    [{ storageClass: 'GP3' }, {}, 'rag/events: storageClass is "GP3", but must be DNS labels joined by dots'],
    [{ priorityClassName: 'very high' }, {}, 'rag/events: priorityClassName is "very high", but must be DNS labels'],
    [{ storageClass: 'efs-sc' }, {}, 'rag/events: storageClass is "efs-sc", a network file system (efs)'],
    [
      { resources: { cpu: Cpu.units(1), memory: Size.gibibytes(1), memoryLimit: Size.gibibytes(2) } },
      {},
      'rag/events: resources.memoryLimit is given, but limits of what is run here are equal',
    ],
    [
      {},
      { strimzi: undefined },
      'rag/events: is run by Strimzi, which the cluster does not declare; set strimzi in the cluster, or use ExternalKafka',
    ],
    [{}, { apiServer: undefined }, 'needs the API server, but the cluster does not say where it is'],
    [
      {},
      { registry: new Registry({ requireDigest: true }) },
      'rag/events: image is missing, but what the operator chooses would come from where it likes; name it, so that it ' +
        "comes from the cluster's registry",
    ],
  ] as [KafkaProps, ClusterProps, string][])('%j in a cluster with %j', (props, facts, message) => {
    expect(() => kafka(props, facts)).toThrow(message);
  });
});

(SCHEMAS_PRESENT ? describe : describe.skip)('the operator', () => {
  const schemas = SCHEMAS_PRESENT ? new ClusterSchemas('1.28') : undefined;
  // The schema of KafkaUser is not among those at hand.
  const errorsOf = (props: KafkaProps) =>
    used(props)
      .filter(({ kind }) => kind !== 'KafkaUser')
      .flatMap((object) => schemas?.errors(object) ?? []);

  test.each([
    ['nothing', {}],
    ['one node', { replicas: 1 }],
    ['TLS', { tls: true }],
    ['no authentication', { authentication: false }],
    ['everything else', { storageClass: 'gp3', priorityClassName: 'high', storage: Size.tebibytes(1) }],
  ] as [string, KafkaProps][])('takes a cluster of which %s is said', (_, props) => {
    expect(errorsOf(props)).toEqual([]);
  });
});
