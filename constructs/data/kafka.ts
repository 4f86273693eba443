import { ApiObject, Size } from 'cdk8s';
import { Cpu, type k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import {
  KafkaSpecKafkaListenersAuthenticationType as Authentication,
  KafkaSpecKafkaAuthorizationType as Authorization,
  KafkaNodePool,
  KafkaNodePoolSpecStorageVolumesKraftMetadata as KraftMetadata,
  type KafkaSpecKafkaListeners as Listener,
  KafkaSpecKafkaListenersType as ListenerType,
  KafkaSpecKafkaMetricsConfigType as Metrics,
  KafkaNodePoolSpecRoles as NodeRole,
  KafkaNodePoolSpecResourcesLimits as PoolLimit,
  KafkaNodePoolSpecResourcesRequests as PoolRequest,
  KafkaNodePoolSpecStorageType as StorageType,
  Kafka as StrimziKafka,
  type KafkaSpecEntityOperator as StrimziOperators,
  KafkaSpecEntityOperatorTopicOperatorResourcesLimits as TopicOperatorLimit,
  KafkaSpecEntityOperatorTopicOperatorResourcesRequests as TopicOperatorRequest,
  KafkaSpecEntityOperatorUserOperatorResourcesLimits as UserOperatorLimit,
  KafkaSpecEntityOperatorUserOperatorResourcesRequests as UserOperatorRequest,
  KafkaNodePoolSpecStorageVolumesType as VolumeType,
} from '../../imports/kafka.strimzi.io';
import type { PodMonitor as Monitor } from '../../imports/monitoring.coreos.com';
import { ApiServerAccess } from '../network/api-server-access';
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
import { UsageError } from '../rules/usage-error';
import type { IBacklog } from '../scaling/scaling-trigger';
import { SecretKey } from '../secrets/secret-key';
import type { Image } from '../workload/image';
import type { IClient, Offer } from '../workload/provider';
import type { Resources } from '../workload/resources';
import { declaredOperator } from './cluster-operator';
import { type IKafka, KafkaAccess, type KafkaLagProps, KafkaMechanism } from './kafka-access';
import { kafkaChanges } from './kafka-changes';
import { checkTopicName, KafkaTopic, type KafkaTopicProps } from './kafka-topic';
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
import { ServerTls } from './server-tls';

/** A Kafka, run by Strimzi. */
export interface KafkaProps {
  /**
   * Name of the cluster, a DNS label of at most 25 characters.
   * @default - the construct's id
   */
  readonly name?: string;

  /**
   * Nodes, each a broker and a controller: 1, or from 3. From 3 on a message is on two nodes before it counts. The number
   * is final, because controllers vote and their number is part of the vote.
   * @default 3
   */
  readonly replicas?: number;

  /**
   * Volume of each node. It can grow later, and never shrink; it stays when the cluster goes.
   * @default Size.gibibytes(50)
   */
  readonly storage?: Size;

  /**
   * Storage class of the volumes.
   * @default - the cluster's class for block volumes
   */
  readonly storageClass?: string;

  /**
   * What each node asks for, from 1 GiB; limits are equal. Half of the memory is for Java, the rest for the cache of files.
   * @default - 1 CPU and 4 GiB
   */
  readonly resources?: Resources;

  /**
   * Whether connections are encrypted, by certificates of Strimzi's own authority.
   * @default false
   */
  readonly tls?: boolean;

  /**
   * Whether clients are asked who they are. They are then the user `<name>-client`, who may read and write every topic
   * and whose password Strimzi makes.
   * @default true
   */
  readonly authentication?: boolean;

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
   * What brokers run, of the release of Strimzi that is installed: `quay.io/strimzi/kafka`.
   * @default - what the operator chooses; refused where images are mirrored or need a digest
   */
  readonly image?: Image;

  /**
   * What looks after topics and users runs, of the same release: `quay.io/strimzi/operator`.
   * @default - as for `image`
   */
  readonly operatorImage?: Image;
}

const PLAIN: Port = { name: 'kafka', number: 9092 };
const ENCRYPTED: Port = { name: 'kafka-tls', number: 9093 };

/** Controllers among themselves, brokers among themselves, and the agent that tells the operator of a broker's state. */
const CONTROL: Port = { name: 'control', number: 9090 };
const REPLICATION: Port = { name: 'replication', number: 9091 };
const AGENT: Port = { name: 'agent', number: 8443 };
const METRICS: Port = { name: 'tcp-prometheus', number: 9404 };

/** Where the operators of topics and users tell how they are, each in a container of its own. */
const TOPIC_OPERATOR: Port = { name: 'healthcheck', number: 8080 };
const USER_OPERATOR: Port = { name: 'healthcheck', number: 8081 };

/** Leaves room for what Strimzi appends, twice in the name of a pod. */
const LONGEST_NAME = 25;

/** With 512 MiB, of which Java gets half, a broker is killed before it has started (cozystack/cozystack #2537). */
const LEAST_MEMORY = Size.gibibytes(1);

const OPERATOR_RESOURCES: Resources = { cpu: Cpu.millis(250), memory: Size.mebibytes(512) };

const RESTRICTED = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };

/**
 * Kafka, run by Strimzi, without ZooKeeper. Pods, Services, certificates, passwords and the disruption budget are the
 * operator's work; policies for the pods are here. The operator writes policies as well, and policies add up: those for
 * metrics are open to all, so it should run with `STRIMZI_NETWORK_POLICY_GENERATION=false`.
 *
 * Source: Strimzi 1.2 docs, "Configuring Kafka", "Configuring node pools", "Network policies", "Securing access".
 */
export class Kafka extends Construct implements IKafka {
  /** The Kafka. */
  public readonly kafka: StrimziKafka;
  /** Its nodes. */
  public readonly nodes: KafkaNodePool;
  /** The pods of the nodes, as policies select them. */
  public readonly pods: PodSet;
  /** The network policy of the nodes. */
  public readonly networkPolicy: PodNetworkPolicy;
  /** The PodMonitor of the nodes; none where the cluster has no labels for it. */
  public readonly podMonitor?: Monitor;
  /** The KafkaUser that clients are; none without authentication. */
  public readonly user?: ApiObject;

  private readonly props: KafkaProps;
  private readonly name: string;
  private readonly replicas: number;
  private readonly placement: Placement;
  private readonly access: KafkaAccess;
  /** What topics are in, whose names are those of their constructs. */
  private readonly topics: Construct;

  public constructor(scope: Construct, id: string, props: KafkaProps = {}) {
    super(scope, id);
    this.props = props;
    this.name = props.name ?? id;
    this.replicas = props.replicas ?? 3;
    this.checkProps();
    const operator = this.operator();
    this.placement = Placement.resolve(this, { nodePool: props.nodePool });
    this.pods = this.declarePods('kafka', this.name);
    this.networkPolicy = new PodNetworkPolicy(this, 'NetworkPolicy', { pods: this.pods, metadata: this.metadata() });
    this.podMonitor = this.connectNodes(operator);
    this.connectEntityOperator();
    this.nodes = this.createNodes();
    this.kafka = this.createKafka();
    this.user = this.authenticated ? this.createUser() : undefined;
    this.access = this.createAccess();
    this.topics = new Construct(this, 'Topics');
    this.addChangeRules();
    OutputRules.attach(this);
  }

  public offerTo(client: IClient): Offer {
    return this.access.offerTo(client);
  }

  public lag(props: KafkaLagProps): IBacklog {
    return this.access.lag(props);
  }

  /** A topic, under its name. Clients create none. */
  public topic(name: string, props: KafkaTopicProps = {}): KafkaTopic {
    const others = this.topics.node.children.map(({ node }) => node.id);
    checkTopicName(this, name, others);
    const metadata = {
      ...this.metadata(),
      annotations: SyncWave.of(this, this.pods).annotationsConfirmingDeletion,
    };
    return new KafkaTopic(this.topics, name, props, { kafka: this, name: this.name, brokers: this.replicas, metadata });
  }

  private addChangeRules(): void {
    for (const rule of kafkaChanges) {
      ChangeRules.of(this).add(rule);
    }
  }

  private get authenticated(): boolean {
    return this.props.authentication ?? true;
  }

  private get encrypted(): boolean {
    return this.props.tls ?? false;
  }

  private checkProps(): void {
    const problem = dnsLabelProblem(this.name, LONGEST_NAME);
    if (problem !== undefined) {
      throw this.misuse('name', problem);
    }
    checkObjectName(this, this.name, 'Service');
    if (!Number.isInteger(this.replicas) || this.replicas < 1 || this.replicas === 2) {
      throw this.misuse(
        'replicas',
        `is ${this.replicas}, but must be 1, or a whole number from 3: one of two is no majority`,
      );
    }
  }

  private misuse(property: string, problem: string): UsageError {
    return new UsageError(problem, { scope: this, property });
  }

  private operator(): ClusterService {
    return declaredOperator(this, { setting: 'strimzi', name: 'Strimzi', instead: 'ExternalKafka' });
  }

  private declarePods(part: string, name: string): PodSet {
    const labels = { 'strimzi.io/cluster': this.name, 'strimzi.io/name': `${this.name}-${part}` };
    return declaredPods(this, name, labels);
  }

  private metadata(): k8s.ObjectMeta {
    return metadataOf(this, this.pods, 'broker');
  }

  private connectNodes(operator: ClusterService): Monitor | undefined {
    const { pods, networkPolicy: policy } = this;
    this.networkPolicy.allowFrom({ from: Peer.service(operator), ports: [CONTROL, REPLICATION, AGENT] });
    this.networkPolicy.allowTo({ to: this.pods, ports: [CONTROL, REPLICATION] });
    return new PodMonitor(this, 'Monitor', { pods, policy, ports: [METRICS], metadata: this.metadata() }).monitor;
  }

  /** The pod that makes topics and users of the objects that stand for them. */
  private connectEntityOperator(): void {
    const pods = this.declarePods('entity-operator', `${this.name}-entity-operator`);
    const metadata = this.metadata();
    const policy = new PodNetworkPolicy(this, 'EntityOperatorPolicy', { pods, metadata });
    policy.allowTo({ to: this.pods, ports: [REPLICATION] });
    new ApiServerAccess(this, 'ApiServer', {
      policy,
      labels: pods.labels,
      metadata: { ...metadata, name: `${pods.name}-api-server` },
    });
    const ports = this.authenticated ? [TOPIC_OPERATOR, USER_OPERATOR] : [TOPIC_OPERATOR];
    new PodMonitor(this, 'EntityOperatorMonitor', { pods, policy, ports, metadata });
  }

  private createNodes(): KafkaNodePool {
    const metadata = this.metadata();
    const resources = this.props.resources ?? { cpu: Cpu.units(1), memory: Size.gibibytes(4) };
    const asked = guaranteedResources(this, resources);
    checkLeastMemory(this, resources, LEAST_MEMORY, 'Kafka');
    return new KafkaNodePool(this, 'Nodes', {
      metadata: {
        ...metadata,
        name: `${this.name}-nodes`,
        labels: { ...metadata.labels, 'strimzi.io/cluster': this.name },
      },
      spec: {
        replicas: this.replicas,
        roles: [NodeRole.CONTROLLER, NodeRole.BROKER],
        storage: {
          type: StorageType.JBOD,
          volumes: [
            {
              id: 0,
              type: VolumeType.PERSISTENT_HYPHEN_CLAIM,
              size: String(sizeQuantity(this.props.storage ?? Size.gibibytes(50)).value),
              class: storageClassFor(this, this.props.storageClass),
              deleteClaim: false,
              kraftMetadata: KraftMetadata.SHARED,
            },
          ],
        },
        resources: requestsAndLimits(asked, PoolRequest, PoolLimit),
        template: {
          pod: {
            ...this.podTemplate(),
            topologySpreadConstraints:
              this.replicas === 1
                ? undefined
                : Spread.REQUIRED._constraints(this.pods.selector, this.placement, this.replicas, false),
          },
          kafkaContainer: { securityContext: RESTRICTED },
        },
      },
    });
  }

  private createKafka(): StrimziKafka {
    const copies = Math.min(3, this.replicas);
    const inSync = this.replicas === 1 ? 1 : 2;
    return new StrimziKafka(this, 'Resource', {
      metadata: this.metadata(),
      spec: {
        kafka: {
          image: operatorsImage(this, 'image', this.props.image),
          listeners: [this.listener()],
          authorization: this.authenticated ? { type: Authorization.SIMPLE } : undefined,
          config: {
            'auto.create.topics.enable': false,
            'default.replication.factor': copies,
            'min.insync.replicas': inSync,
            'offsets.topic.replication.factor': copies,
            'transaction.state.log.replication.factor': copies,
            'transaction.state.log.min.isr': inSync,
          },
          metricsConfig:
            Cluster.of(this).prometheus === undefined ? undefined : { type: Metrics.STRIMZI_METRICS_REPORTER },
        },
        entityOperator: this.entityOperator(),
      },
    });
  }

  private listener(): Listener {
    return {
      name: this.encrypted ? 'tls' : 'plain',
      port: this.port.number,
      type: ListenerType.INTERNAL,
      tls: this.encrypted,
      authentication: this.authenticated ? { type: Authentication.SCRAM_HYPHEN_SHA_HYPHEN_512 } : undefined,
      // Without any peer the operator's own policy would let in everybody; those of the graph come on top.
      networkPolicyPeers: [{ podSelector: { matchLabels: { ...this.pods.labels } } }],
    };
  }

  private entityOperator(): StrimziOperators {
    const image = operatorsImage(this, 'operatorImage', this.props.operatorImage);
    const asked = guaranteedResources(this, OPERATOR_RESOURCES);
    return {
      topicOperator: { image, resources: requestsAndLimits(asked, TopicOperatorRequest, TopicOperatorLimit) },
      userOperator: this.authenticated
        ? { image, resources: requestsAndLimits(asked, UserOperatorRequest, UserOperatorLimit) }
        : undefined,
      template: {
        pod: this.podTemplate(),
        topicOperatorContainer: { securityContext: RESTRICTED },
        userOperatorContainer: this.authenticated ? { securityContext: RESTRICTED } : undefined,
      },
    };
  }

  /** What the operator leaves open: the level "restricted", and where pods run. Its images run as group 0. */
  private podTemplate(): object {
    const { nodeSelector, nodeTerms, tolerations } = this.placement;
    const labels = Object.entries(nodeSelector).map(([key, value]) => ({ key, operator: 'In', values: [value] }));
    const nodeSelectorTerms = labels.length === 0 ? nodeTerms : [{ matchExpressions: labels }];
    return {
      enableServiceLinks: false,
      securityContext: { runAsNonRoot: true, fsGroup: 0, seccompProfile: { type: 'RuntimeDefault' } },
      imagePullSecrets: pullSecretsFor(this),
      priorityClassName: priorityClassFor(this, this.props.priorityClassName),
      tolerations: tolerations.length === 0 ? undefined : tolerations,
      affinity:
        nodeSelectorTerms.length === 0
          ? undefined
          : { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
    };
  }

  private get userName(): string {
    return `${this.name}-client`;
  }

  /** Its kind is in no import: the schema of KafkaUser is not among those at hand. */
  private createUser(): ApiObject {
    const metadata = this.metadata();
    const everything = (type: string, operations: string[]) => ({
      resource: { type, name: '*', patternType: 'literal' },
      operations,
      host: '*',
      type: 'allow',
    });
    return new ApiObject(this, 'User', {
      apiVersion: 'kafka.strimzi.io/v1',
      kind: 'KafkaUser',
      metadata: {
        ...metadata,
        name: this.userName,
        labels: { ...metadata.labels, 'strimzi.io/cluster': this.name },
      },
      spec: {
        authentication: { type: 'scram-sha-512' },
        authorization: {
          type: 'simple',
          acls: [
            everything('topic', ['Describe', 'DescribeConfigs', 'Read', 'Write']),
            everything('group', ['Describe', 'Read']),
          ],
        },
      },
    });
  }

  private get port(): Port {
    return this.encrypted ? ENCRYPTED : PLAIN;
  }

  private createAccess(): KafkaAccess {
    const authority = SecretKey.of(`${this.name}-cluster-ca-cert`, 'ca.crt');
    return new KafkaAccess({
      bootstrap: [Endpoint.service(this.pods, `${this.name}-kafka-bootstrap`, this.port)],
      client: this.authenticated
        ? {
            mechanism: KafkaMechanism.SCRAM_SHA_512,
            user: this.userName,
            password: SecretKey.of(this.userName, 'password'),
          }
        : undefined,
      tls: this.encrypted ? ServerTls.signedBy(authority) : ServerTls.NONE,
    });
  }
}
