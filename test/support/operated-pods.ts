import type { Json, ManifestObject } from '../../constructs/rules/output';
import type { Pods } from './pods';

/**
 * Pods that operators make of some objects, as far as the objects decide what they are: what an operator chooses by
 * itself, such as the image of what it puts beside the server, is left out. Each kind follows the source of its operator.
 */
export function operatedPods(objects: ManifestObject[]): Pods[] {
  return objects.flatMap((object) => OPERATORS[object.kind]?.(object, objects) ?? []);
}

const OPERATORS: { readonly [kind: string]: (object: ManifestObject, objects: ManifestObject[]) => Pods[] } = {
  Cluster: (cluster, objects) => [instancesOf(cluster, objects), jobsOf(cluster)],
  Pooler: (pooler) => [poolersOf(pooler)],
  RabbitmqCluster: (cluster) => [rabbitMqNodesOf(cluster)],
  KafkaNodePool: (pool, objects) => [kafkaNodesOf(pool, kafkaOf(pool, objects))],
  Kafka: (kafka) => [entityOperatorOf(kafka)],
};

/** What CloudNativePG gives every container (`pkg/specs`: GetSecurityContext). */
const RESTRICTED = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  privileged: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

/** And every pod, for its user (`pkg/specs`: GetPodSecurityContext). */
const securityFor = (user: number, group: number) => ({
  runAsNonRoot: true,
  runAsUser: user,
  runAsGroup: group,
  fsGroup: group,
  seccompProfile: { type: 'RuntimeDefault' },
});

/** CloudNativePG 1.30, `pkg/specs/pods.go`. */
function instancesOf(cluster: ManifestObject, objects: ManifestObject[]): Pods {
  const { metadata, spec } = cluster;
  return pods(cluster, metadata.name, {
    labels: {
      'cnpg.io/cluster': metadata.name,
      'cnpg.io/instanceName': `${metadata.name}-1`,
      'cnpg.io/podRole': 'instance',
      'app.kubernetes.io/name': 'postgresql',
    },
    spec: databasePod(cluster),
    init: [bootstrap(spec.resources)],
    containers: [
      {
        name: 'postgres',
        image: spec.imageName,
        resources: spec.resources,
        securityContext: RESTRICTED,
        ports: listening({ postgresql: 5432, status: 8000, metrics: 9187 }),
      },
      ...archivers(cluster, objects),
    ],
  });
}

/** The Jobs that make an instance: `pkg/specs/jobs.go`. */
function jobsOf(cluster: ManifestObject): Pods {
  const { metadata, spec } = cluster;
  return pods(cluster, metadata.name, {
    labels: {
      'cnpg.io/cluster': metadata.name,
      'cnpg.io/instanceName': `${metadata.name}-1`,
      'cnpg.io/jobRole': 'initdb',
      'app.kubernetes.io/name': 'postgresql',
    },
    spec: databasePod(cluster),
    init: [bootstrap(spec.resources)],
    containers: [{ name: 'initdb', image: spec.imageName, resources: spec.resources, securityContext: RESTRICTED }],
  });
}

function databasePod({ metadata, spec }: ManifestObject): Json {
  return {
    serviceAccountName: metadata.name,
    securityContext: securityFor(26, 26),
    imagePullSecrets: spec.imagePullSecrets,
    nodeSelector: spec.affinity?.nodeSelector,
    affinity: spec.affinity?.nodeAffinity && { nodeAffinity: spec.affinity.nodeAffinity },
    tolerations: spec.affinity?.tolerations,
    topologySpreadConstraints: spec.topologySpreadConstraints,
    priorityClassName: spec.priorityClassName,
    volumes: [
      { name: 'scratch-data', emptyDir: { sizeLimit: spec.ephemeralVolumesSizeLimit?.temporaryData } },
      { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: spec.ephemeralVolumesSizeLimit?.shm } },
    ],
    claims: [spec.storage, spec.walStorage].map(({ storageClass }) => storageClass),
  };
}

/** Copies the manager into the pod, from the image of the operator itself. */
function bootstrap(resources: Json): Json {
  return { name: 'bootstrap-controller', resources, securityContext: RESTRICTED };
}

/** The container that the Barman Cloud plugin puts beside the server, from an image of its own. */
function archivers({ spec }: ManifestObject, objects: ManifestObject[]): Json[] {
  const plugins: Json[] = spec.plugins ?? [];
  return plugins.map(({ parameters }) => {
    const store = objects.find(
      ({ kind, metadata }) => kind === 'ObjectStore' && metadata.name === parameters.barmanObjectName,
    );
    return {
      name: 'plugin-barman-cloud',
      env: [],
      resources: store?.spec.instanceSidecarConfiguration.resources,
      securityContext: RESTRICTED,
    };
  });
}

/** CloudNativePG 1.30, `pkg/specs/pgbouncer/deployments.go`. The volume for its sockets has no size of its own. */
function poolersOf(pooler: ManifestObject): Pods {
  const { metadata, spec } = pooler;
  const template = spec.template.spec;
  const named = (containers: Json[], name: string) => containers.find((container) => container.name === name);
  return pods(pooler, metadata.name, {
    labels: {
      'cnpg.io/cluster': spec.cluster.name,
      'cnpg.io/podRole': 'pooler',
      'cnpg.io/poolerName': metadata.name,
      'app.kubernetes.io/name': 'postgresql',
    },
    spec: { ...template, serviceAccountName: metadata.name, securityContext: securityFor(998, 996) },
    init: [bootstrap(named(template.initContainers ?? [], 'bootstrap-controller')?.resources)],
    containers: [
      {
        ...named(template.containers, 'pgbouncer'),
        image: spec.pgbouncer.image,
        securityContext: RESTRICTED,
        ports: listening({ pgbouncer: 5432, metrics: 9127 }),
      },
    ],
  });
}

/** RabbitMQ cluster operator 2.22, `internal/resource/statefulset.go`; the override is merged by names. */
function rabbitMqNodesOf(cluster: ManifestObject): Pods {
  const { metadata, spec } = cluster;
  const override = spec.override.statefulSet.spec.template.spec;
  const merged = (own: Json[], others: Json[] = []) =>
    own.map((part) => ({ ...part, ...others.find(({ name }) => name === part.name) }));
  const ports: Ports =
    spec.tls?.disableNonTLSListeners === true
      ? { amqps: 5671, 'management-tls': 15671, 'prometheus-tls': 15691 }
      : { amqp: 5672, management: 15672, prometheus: 15692 };
  // Nodes reach one another on 25672, which the operator does not name in the container.
  const nodePorts = [...listening({ epmd: 4369, ...ports }), { containerPort: 25672 }];
  const setup = { cpu: '100m', memory: '500Mi' };
  return pods(cluster, metadata.name, {
    labels: {
      'app.kubernetes.io/name': metadata.name,
      'app.kubernetes.io/component': 'rabbitmq',
      'app.kubernetes.io/part-of': 'rabbitmq',
    },
    spec: {
      ...override,
      serviceAccountName: `${metadata.name}-server`,
      securityContext: { fsGroup: 0, runAsUser: 999, ...override.securityContext },
      imagePullSecrets: spec.imagePullSecrets,
      tolerations: spec.tolerations,
      volumes: merged(
        ['rabbitmq-erlang-cookie', 'rabbitmq-plugins'].map((name) => ({ name, emptyDir: {} })),
        override.volumes,
      ),
      claims: [spec.persistence.storageClassName],
    },
    init: merged(
      [{ name: 'setup-container', image: spec.image, resources: { requests: setup, limits: setup } }],
      override.initContainers,
    ),
    containers: merged(
      [{ name: 'rabbitmq', image: spec.image, resources: spec.resources, ports: nodePorts }],
      override.containers,
    ),
  });
}

function kafkaOf(pool: ManifestObject, objects: ManifestObject[]): ManifestObject {
  return objects.find(
    ({ kind, metadata }) => kind === 'Kafka' && metadata.name === pool.metadata.labels?.['strimzi.io/cluster'],
  ) as ManifestObject;
}

/** Strimzi 1.2, `io.strimzi.operator.cluster.model`: KafkaCluster, KafkaPool. */
function kafkaNodesOf(pool: ManifestObject, kafka: ManifestObject): Pods {
  const { name } = kafka.metadata;
  const { template, storage, resources } = pool.spec;
  const { image, listeners, metricsConfig } = kafka.spec.kafka;
  const metrics: Ports = metricsConfig === undefined ? {} : { 'tcp-prometheus': 9404 };
  const clients: Ports = Object.fromEntries(listeners.map((one: Json) => [`tcp-${one.name}`, one.port]));
  return pods(pool, name, {
    labels: {
      'strimzi.io/cluster': name,
      'strimzi.io/kind': 'Kafka',
      'strimzi.io/name': `${name}-kafka`,
      'strimzi.io/pool-name': pool.metadata.name,
      'app.kubernetes.io/name': 'kafka',
    },
    spec: {
      ...template.pod,
      serviceAccountName: `${name}-kafka`,
      claims: storage.volumes.map((volume: Json) => volume.class),
    },
    init: [],
    containers: [
      {
        name: 'kafka',
        image,
        resources,
        securityContext: template.kafkaContainer.securityContext,
        ports: listening({
          'tcp-ctrlplane': 9090,
          'tcp-replication': 9091,
          'tcp-kafkaagent': 8443,
          ...clients,
          ...metrics,
        }),
      },
    ],
  });
}

/** Strimzi 1.2, the same: EntityOperator. */
function entityOperatorOf(kafka: ManifestObject): Pods {
  const { name } = kafka.metadata;
  const { template, topicOperator, userOperator } = kafka.spec.entityOperator;
  const users = {
    name: 'user-operator',
    ...userOperator,
    securityContext: template.userOperatorContainer?.securityContext,
    ports: listening({ healthcheck: 8081 }),
  };
  return pods(kafka, `${name}-entity-operator`, {
    labels: {
      'strimzi.io/cluster': name,
      'strimzi.io/kind': 'Kafka',
      'strimzi.io/name': `${name}-entity-operator`,
      'app.kubernetes.io/name': 'entity-operator',
    },
    spec: { ...template.pod, serviceAccountName: `${name}-entity-operator` },
    init: [],
    containers: [
      {
        name: 'topic-operator',
        ...topicOperator,
        securityContext: template.topicOperatorContainer.securityContext,
        ports: listening({ healthcheck: 8080 }),
      },
      ...(userOperator === undefined ? [] : [users]),
    ],
  });
}

interface Made {
  readonly labels: { readonly [label: string]: string };
  readonly spec: Json;
  readonly init: Json[];
  readonly containers: Json[];
}

function pods(owner: ManifestObject, name: string, { labels, spec, init, containers }: Made): Pods {
  return {
    owner,
    name,
    title: `${owner.kind}/${name}`,
    labels,
    annotations: {},
    spec: { ...spec, initContainers: init, containers },
    containers: [...init, ...containers],
  };
}

interface Ports {
  readonly [name: string]: number;
}

function listening(ports: Ports): Json[] {
  return Object.entries(ports).map(([name, containerPort]) => ({ name, containerPort }));
}
