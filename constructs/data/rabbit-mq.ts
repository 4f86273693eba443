import { Duration, Size } from 'cdk8s';
import { Cpu, type k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { PodMonitor as Monitor } from '../../imports/monitoring.coreos.com';
import {
  RabbitmqClusterSpecResourcesLimits as LimitQuantity,
  RabbitmqCluster,
  RabbitmqClusterSpecResourcesRequests as RequestQuantity,
  RabbitmqClusterSpecPersistenceStorage as StorageQuantity,
} from '../../imports/rabbitmq.com';
import { Endpoint } from '../network/endpoint';
import { Peer, type PodSet } from '../network/peer';
import { PodMonitor } from '../network/pod-monitor';
import { PodNetworkPolicy } from '../network/pod-network-policy';
import type { Port } from '../network/port';
import { SyncWave } from '../network/sync-wave';
import { Cluster, type ClusterService } from '../placement/cluster';
import { Placement } from '../placement/placement';
import { Spread } from '../placement/spread';
import { ChangeRules } from '../rules/change-rules';
import { checkObjectName, dnsLabelProblem } from '../rules/object-name';
import { OutputRules } from '../rules/output-rules';
import { sizeQuantity } from '../rules/quantity';
import { checkSeconds } from '../rules/time-span';
import { UsageError } from '../rules/usage-error';
import { DisruptionBudget } from '../scaling/disruption-budget';
import type { IBacklog } from '../scaling/scaling-trigger';
import { SecretKey } from '../secrets/secret-key';
import { CertificateUsage, type ServerCertificate } from '../secrets/server-certificate';
import type { Image } from '../workload/image';
import type { IClient, Offer } from '../workload/provider';
import type { Resources } from '../workload/resources';
import { declaredOperator } from './cluster-operator';
import {
  checkLeastMemory,
  declaredPods,
  guaranteedResources,
  metadataOf,
  operatorsImage,
  priorityClassFor,
  pullSecretsFor,
  requestsAndLimits,
  storageClassFor,
} from './operated-pods';
import type { IQueue } from './queue';
import { DELIVERY_TIMEOUT, RabbitMqAccess } from './rabbit-mq-access';
import { rabbitMqChanges } from './rabbit-mq-changes';
import { checkQueueName, RabbitMqQueue, type RabbitMqQueueProps } from './rabbit-mq-queue';
import { checkRedelivery } from './redelivery';
import { ServerTls } from './server-tls';

/** A RabbitMQ, run by its cluster operator. */
export interface RabbitMqProps {
  /**
   * Name of the cluster, a DNS label of at most 40 characters.
   * @default - the construct's id
   */
  readonly name?: string;

  /**
   * Nodes: 1, or an odd number from 3. From 3 on queues are quorum queues: they are kept on several nodes and outlive
   * the loss of fewer than half of them. Celery knows them from 5.5 on, with `task_default_queue_type = 'quorum'`. The
   * number can grow, and never shrink.
   * @default 3
   */
  readonly replicas?: number;

  /**
   * Volume of each node. It can grow later, and never shrink.
   * @default Size.gibibytes(10)
   */
  readonly storage?: Size;

  /**
   * Storage class of the volumes.
   * @default - the cluster's class for block volumes
   */
  readonly storageClass?: string;

  /**
   * What each node asks for, from 256 MiB; limits are equal. At six tenths of the memory it takes no more messages until some are
   * gone.
   * @default - 1 CPU and 2 GiB
   */
  readonly resources?: Resources;

  /**
   * Time after which a message that a worker has taken, and not yet answered, goes to another one. It must be above
   * {@link longestTask}.
   * @default - 10 minutes after the longest task, and at least 30 minutes, as RabbitMQ has it
   */
  readonly deliveryTimeout?: Duration;

  /**
   * Time that the longest task takes, as workers have it who answer a message when the task is done.
   * @default - unknown: {@link deliveryTimeout} is what it is
   */
  readonly longestTask?: Duration;

  /**
   * Certificate of the nodes. Clients, the operator and Prometheus then come encrypted, and nobody comes otherwise.
   * @default - connections are not encrypted
   */
  readonly tls?: ServerCertificate;

  /**
   * Name of the node pool to run on.
   * @default - any node
   */
  readonly nodePool?: string;

  /**
   * PriorityClass of the pods; it must exist in the cluster.
   * @default - the cluster's default
   */
  readonly priorityClassName?: string;

  /**
   * What runs: RabbitMQ from 4.1 on, with its management. Another minor release must follow the one before.
   * @default - what the operator chooses; refused where images are mirrored or need a digest
   */
  readonly image?: Image;
}

const VIRTUAL_HOST = '/';

/** Time that a broker waits, after the longest task, before it takes the worker for lost. */
const DELIVERY_MARGIN = Duration.minutes(10);

const AMQP: Port = { name: 'amqp', number: 5672, appProtocol: 'amqp' };
const AMQPS: Port = { name: 'amqps', number: 5671, appProtocol: 'amqps' };

/** Where the operator asks before it scales, and where Prometheus asks; both have another port with TLS. */
const MANAGEMENT: Port = { name: 'management', number: 15672 };
const MANAGEMENT_TLS: Port = { name: 'management-tls', number: 15671 };
const METRICS: Port = { name: 'prometheus', number: 15692 };
const METRICS_TLS: Port = { name: 'prometheus-tls', number: 15691 };

/** How nodes find and reach one another. */
const PEER_PORTS: Port[] = [
  { name: 'epmd', number: 4369 },
  { name: 'distribution', number: 25672 },
];

/** Least memory with which a node starts and still takes messages: an estimate. */
const LEAST_MEMORY = Size.mebibytes(256);

/** What copies the cookie of Erlang and the list of plugins to where the server reads them. */
const SETUP_RESOURCES: Resources = { cpu: Cpu.millis(100), memory: Size.mebibytes(128) };

/** Volumes of the operator's own that are on the disk of the Kubernetes node: the home of the user, and the list of plugins. */
const SCRATCH = { 'rabbitmq-erlang-cookie': Size.mebibytes(64), 'rabbitmq-plugins': Size.mebibytes(1) };

/** Leaves room for what the operator appends: `-server-0`, and the revision as a label value. */
const LONGEST_NAME = 40;

/**
 * RabbitMQ, run by its cluster operator. Pods, Services and the user that clients are come from the operator; the
 * policy of the pods and their disruption budget are here.
 *
 * Source: RabbitMQ docs, "Using RabbitMQ Cluster Kubernetes Operator", "Networking", "Quorum Queues", "Consumers".
 */
export class RabbitMq extends Construct implements IQueue {
  /** The RabbitmqCluster. */
  public readonly cluster: RabbitmqCluster;
  /** The pods, as policies select them. */
  public readonly pods: PodSet;
  /** The network policy of the pods. */
  public readonly networkPolicy: PodNetworkPolicy;
  /** The PodMonitor of the pods; none where the cluster has no labels for it. */
  public readonly podMonitor?: Monitor;
  /** The disruption budget; none for a single node. */
  public readonly disruptionBudget?: k8s.KubePodDisruptionBudget;

  private readonly props: RabbitMqProps;
  private readonly name: string;
  private readonly replicas: number;
  private readonly access: RabbitMqAccess;
  /** What queues are in, whose names are those of their constructs. */
  private readonly queues: Construct;

  public constructor(scope: Construct, id: string, props: RabbitMqProps = {}) {
    super(scope, id);
    this.props = props;
    this.name = props.name ?? id;
    this.replicas = props.replicas ?? 3;
    this.checkProps();
    const operator = this.operator();
    this.pods = declaredPods(this, this.name, { 'app.kubernetes.io/name': this.name });
    this.networkPolicy = new PodNetworkPolicy(this, 'NetworkPolicy', { pods: this.pods, metadata: this.metadata() });
    this.connectPods(operator);
    const tls = this.createCertificate();
    this.cluster = this.createCluster(tls?.authority?.secret);
    this.podMonitor = this.createMonitor(tls);
    this.disruptionBudget = DisruptionBudget.QUORUM._bind(this, this.pods, this.metadata(), this.replicas);
    this.access = this.createAccess(tls ?? ServerTls.NONE);
    this.queues = new Construct(this, 'Queues');
    this.addChangeRules();
    OutputRules.attach(this);
  }

  public offerTo(client: IClient): Offer {
    checkRedelivery(client, {
      after: Duration.seconds(this.deliverySeconds),
      wayOut: (least) => `raise it to at least ${least}`,
      site: { scope: this, property: 'deliveryTimeout' },
    });
    return this.access.offerTo(client);
  }

  /**
   * Messages that are ready in a queue: `celery` is the one that Celery uses unless told otherwise. Those that a worker
   * has taken are no longer among them. KEDA fails until somebody has declared the queue; {@link queue} does.
   */
  public list(name?: string): IBacklog {
    return this.access.list(name);
  }

  /**
   * A queue that is there before anybody declares it, to scale on: `celery` is the one that Celery uses unless told
   * otherwise. With TLS, the operator that makes it must know the authority of the nodes (RabbitMQ docs, "Using the
   * RabbitMQ Messaging Topology Kubernetes Operator with TLS").
   */
  public queue(name: string, props: RabbitMqQueueProps = {}): RabbitMqQueue {
    const { rabbitMqTopology } = Cluster.of(this);
    if (rabbitMqTopology === undefined) {
      throw this.misuse(
        `queue("${name}")`,
        'is made by the messaging topology operator, which the cluster does not declare; set rabbitMqTopology in the ' +
          `cluster, or have clients declare it, and scale on list("${name}")`,
      );
    }
    const others = this.queues.node.children.map(({ node }) => node.id);
    checkQueueName(this, name, others);
    this.networkPolicy.allowFrom({ from: Peer.service(rabbitMqTopology), ports: [this.management] });
    return new RabbitMqQueue(this.queues, name, props, {
      rabbitMq: this,
      name: this.name,
      virtualHost: VIRTUAL_HOST,
      type: this.replicas === 1 ? 'classic' : 'quorum',
      metadata: { ...this.metadata(), annotations: SyncWave.after(this, this.pods).annotationsConfirmingDeletion },
    });
  }

  private addChangeRules(): void {
    for (const rule of rabbitMqChanges) {
      ChangeRules.of(this).add(rule);
    }
  }

  private get management(): Port {
    return this.encrypted ? MANAGEMENT_TLS : MANAGEMENT;
  }

  private get encrypted(): boolean {
    return this.props.tls !== undefined;
  }

  private checkProps(): void {
    const problem = dnsLabelProblem(this.name, LONGEST_NAME);
    if (problem !== undefined) {
      throw this.misuse('name', problem);
    }
    checkObjectName(this, this.name, 'Service');
    if (!Number.isInteger(this.replicas) || this.replicas < 1 || this.replicas % 2 === 0) {
      throw this.misuse(
        'replicas',
        `is ${this.replicas}, but must be 1, or an odd number from 3: of an even number half are no majority`,
      );
    }
    this.checkTimes();
  }

  /** A task that is not answered in time is handed out again, so the time must be above that of the longest task. */
  private checkTimes(): void {
    const { deliveryTimeout, longestTask } = this.props;
    for (const [property, time] of Object.entries({ deliveryTimeout, longestTask })) {
      if (time !== undefined) {
        checkSeconds(this, property, time);
      }
    }
    const [seconds, task] = [this.deliverySeconds, longestTask?.toSeconds() ?? 0];
    if (seconds <= task) {
      throw this.misuse(
        'deliveryTimeout',
        `is ${seconds}s, but the longest task takes ${task}s and would be done twice; raise it, or lower ` +
          'embeddingWorkers.longestTask',
      );
    }
  }

  private get deliverySeconds(): number {
    const { deliveryTimeout, longestTask } = this.props;
    const least = longestTask === undefined ? 0 : longestTask.toSeconds() + DELIVERY_MARGIN.toSeconds();
    return deliveryTimeout?.toSeconds() ?? Math.max(DELIVERY_TIMEOUT.toSeconds(), least);
  }

  private misuse(property: string, problem: string): UsageError {
    return new UsageError(problem, { scope: this, property });
  }

  private operator(): ClusterService {
    return declaredOperator(this, {
      setting: 'rabbitMq',
      name: 'the RabbitMQ cluster operator',
      instead: 'ExternalRabbitMq',
    });
  }

  private metadata(): k8s.ObjectMeta {
    return metadataOf(this, this.pods, 'broker');
  }

  private connectPods(operator: ClusterService): void {
    this.networkPolicy.allowFrom({ from: Peer.service(operator), ports: [this.management] });
    this.networkPolicy.allowTo({ to: this.pods, ports: PEER_PORTS });
  }

  private createCertificate(): ServerTls | undefined {
    const { namespace } = this.pods;
    const service = `${this.name}.${namespace}.svc`;
    const names = [this.name, service, `${service}.${Cluster.of(this).domain}`];
    // The operator asks single nodes.
    const nodes = `*.${this.name}-nodes.${namespace}.svc`;
    const dnsNames = [...names, nodes];
    const keys = this.props.tls?._bindServer(this, this.metadata(), dnsNames, [CertificateUsage.SERVER_AUTH]);
    return keys === undefined ? undefined : ServerTls.signedBy(keys.authority);
  }

  private createMonitor(tls: ServerTls | undefined): Monitor | undefined {
    const { pods, networkPolicy: policy } = this;
    const { monitor } = new PodMonitor(this, 'Monitor', {
      pods,
      policy,
      ports: [this.encrypted ? METRICS_TLS : METRICS],
      tls: tls && { serverName: `${this.name}.${pods.namespace}.svc`, authority: tls.authority },
      metadata: this.metadata(),
    });
    return monitor;
  }

  private createAccess(tls: ServerTls): RabbitMqAccess {
    const secret = `${this.name}-default-user`;
    return new RabbitMqAccess({
      endpoint: Endpoint.service(this.pods, this.name, this.encrypted ? AMQPS : AMQP),
      user: SecretKey.of(secret, 'username'),
      password: SecretKey.of(secret, 'password'),
      virtualHost: VIRTUAL_HOST,
      tls,
    });
  }

  private createCluster(certificate: string | undefined): RabbitmqCluster {
    const placement = Placement.resolve(this, { nodePool: this.props.nodePool });
    return new RabbitmqCluster(this, 'Resource', {
      // The operator deletes the volumes with it.
      metadata: {
        ...this.metadata(),
        annotations: SyncWave.of(this, this.pods).annotationsConfirmingDeletion,
      },
      spec: {
        replicas: this.replicas,
        image: operatorsImage(this, 'image', this.props.image),
        imagePullSecrets: pullSecretsFor(this),
        persistence: {
          storage: StorageQuantity.fromString(String(sizeQuantity(this.props.storage ?? Size.gibibytes(10)).value)),
          storageClassName: storageClassFor(this, this.props.storageClass),
        },
        resources: requestsAndLimits(this.askedFor(), RequestQuantity, LimitQuantity),
        rabbitmq: { additionalConfig: this.config() },
        tls:
          certificate === undefined
            ? undefined
            : { secretName: certificate, caSecretName: certificate, disableNonTlsListeners: true },
        tolerations: placement.tolerations.length === 0 ? undefined : placement.tolerations,
        override: { statefulSet: { spec: { template: { spec: this.podSpec(placement) } } } },
      },
    });
  }

  private askedFor() {
    const resources = this.props.resources ?? { cpu: Cpu.units(1), memory: Size.gibibytes(2) };
    const asked = guaranteedResources(this, resources);
    checkLeastMemory(this, resources, LEAST_MEMORY, 'RabbitMQ');
    return asked;
  }

  private config(): string {
    const seconds = this.deliverySeconds;
    const lines = [
      // Celery up to 5.6 declares the queues of its remote control so, and is refused from RabbitMQ 4.3 on (rabbitmq-server
      // #15459, celery #10290).
      'deprecated_features.permit.transient_nonexcl_queues = true',
      // What somebody declares without a type, as most clients do.
      ...(this.replicas === 1 ? [] : ['default_queue_type = quorum']),
      ...(seconds === DELIVERY_TIMEOUT.toSeconds() ? [] : [`consumer_timeout = ${seconds * 1000}`]),
    ];
    return `${lines.join('\n')}\n`;
  }

  /** What the operator leaves open: the level "restricted", and where pods run. It merges this into its own pods. */
  private podSpec(placement: Placement): object {
    const { nodeSelector, nodeAffinity } = placement;
    const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
    const setup = guaranteedResources(this, SETUP_RESOURCES);
    return {
      // A Service named rabbitmq would otherwise set RABBITMQ_PORT.
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      initContainers: [{ name: 'setup-container', securityContext, resources: { requests: setup, limits: setup } }],
      containers: [{ name: 'rabbitmq', securityContext }],
      volumes: Object.entries(SCRATCH).map(([name, size]) => ({
        name,
        emptyDir: { sizeLimit: String(sizeQuantity(size).value) },
      })),
      nodeSelector: Object.keys(nodeSelector).length === 0 ? undefined : nodeSelector,
      affinity: nodeAffinity && { nodeAffinity },
      priorityClassName: priorityClassFor(this, this.props.priorityClassName),
      topologySpreadConstraints:
        this.replicas === 1
          ? undefined
          : Spread.REQUIRED._constraints(this.pods.selector, placement, this.replicas, false),
    };
  }
}
