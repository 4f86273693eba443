import { isIP } from 'node:net';
import type { IConstruct } from 'constructs';
import { checkCidrs } from '../rules/address-range';
import { checkLabels } from '../rules/label';
import { dnsLabelProblem, dnsSubdomainProblem } from '../rules/object-name';
import { refuse, UsageError } from '../rules/usage-error';
import { checkWholeNumber } from '../rules/whole-number';
import { Cloud } from './cloud';
import type { HttpProxy } from './http-proxy';
import { checkNodePools, type NodePool } from './node-pool';
import { Registry } from './registry';
import { blockStorageProblem, sharedStorageProblem } from './storage-class';

/** Software in the cluster that talks to our pods or that our pods talk to, known by where its pods run. */
export interface ClusterService {
  /** Namespace in which its pods run. */
  readonly namespace: string;

  /**
   * Labels of its pods.
   * @default - every pod of the namespace
   */
  readonly podLabels?: { readonly [label: string]: string };
}

/** How pods resolve names. */
export interface ClusterDns extends ClusterService {
  /**
   * Port that the DNS pods listen on, which may differ from that of their Service.
   * @default 53
   */
  readonly port?: number;

  /**
   * Addresses that NodeLocal DNSCache listens on: `169.254.20.10`, and with kube-proxy in iptables mode the
   * cluster IP of kube-dns as well; of either family. Its pods use the host network, so no label selects them.
   * Source: Kubernetes docs, "Using NodeLocal DNSCache in Kubernetes Clusters".
   * @default - the cluster runs no NodeLocal DNSCache
   */
  readonly nodeLocal?: string[];
}

/** The API server as pods reach it, behind the Service `kubernetes`. */
export interface ClusterApiServer {
  /** Its addresses: those that `kubectl get endpoints kubernetes` shows, or the range that they come from. */
  readonly cidrs: string[];

  /**
   * Port behind the Service; clusters of kubeadm use 6443.
   * @default 443
   */
  readonly port?: number;
}

/** Names of the storage classes by what they can do. */
export interface ClusterStorage {
  /**
   * Class of ReadWriteOnce block volumes, for databases and vectors.
   * @default - the cluster's default class
   */
  readonly block?: string;

  /**
   * Class of ReadWriteMany file volumes, for model caches only. A class of block volumes is refused.
   * @default - the cluster has none
   */
  readonly shared?: string;
}

/** Prometheus, as it reaches pods and as others reach it. */
export interface ClusterPrometheus extends ClusterService {
  /**
   * URL of its HTTP API, for autoscalers: `http://prometheus-operated.monitoring.svc:9090`.
   * @default - autoscaling on Prometheus queries is refused
   */
  readonly url?: string;

  /**
   * Labels by which its operator finds monitors: `{ release: 'kube-prometheus-stack' }`, the name of the release, where
   * that chart installed it. Data services that operators run then have a PodMonitor each.
   * @default - no monitors are made; who scrapes is told in another way
   */
  readonly monitorLabels?: { readonly [label: string]: string };
}

/** What is true of a cluster, whoever deploys to it. */
export interface ClusterProps {
  /**
   * Minor version of the API server; pins the Pod Security level of the namespace.
   * @default "1.28"
   */
  readonly kubernetesVersion?: string;

  /**
   * Where the cluster runs.
   * @default Cloud.GENERIC
   */
  readonly cloud?: Cloud;

  /**
   * Region of the cloud that it runs in: `eu-west-1`.
   * @default - unknown; identities of AWS by IRSA are refused
   */
  readonly region?: string;

  /**
   * Zones that its nodes are in, by the label `topology.kubernetes.io/zone`.
   * @default - unknown; members of a quorum are spread over zones where possible, and over nodes in any case
   */
  readonly zones?: number;

  /**
   * Whether pods have IPv6 addresses beside those of IPv4. IPv4 must be the first family of the cluster: Services are given
   * one address, of the first family, and some servers listen on IPv4 alone. Clusters whose pods have only IPv6, such as
   * those of Amazon EKS with `ipFamily: ipv6`, are not supported.
   * @default false; nothing is opened to IPv6 addresses then
   */
  readonly ipv6?: boolean;

  /**
   * Domain of Service names.
   * @default "cluster.local"
   */
  readonly domain?: string;

  /**
   * Whether the network plugin is Cilium. It can allow egress by host name; others only by address.
   * @default false
   */
  readonly cilium?: boolean;

  /**
   * The DNS that pods use.
   * @default - pods labelled `k8s-app: kube-dns` in `kube-system`, port 53
   */
  readonly dns?: ClusterDns;

  /**
   * Node pools. When given, they are all there is: a GPU that no pool has is a mistake.
   * @default - unknown; workloads are not checked against pools
   */
  readonly nodePools?: NodePool[];

  /**
   * RuntimeClass of GPU pods, `nvidia` where NVIDIA's runtime is not the default one.
   * @default - none
   */
  readonly gpuRuntimeClass?: string;

  /**
   * Storage classes.
   * @default - the cluster's default class
   */
  readonly storage?: ClusterStorage;

  /**
   * The KEDA operator, which must reach what it scales on.
   * @default - none; event-driven scaling is refused
   */
  readonly keda?: ClusterService;

  /**
   * The operator of CloudNativePG, which must reach the instances that it runs.
   * @default - none; a {@link PostgresCluster} is refused
   */
  readonly cloudNativePg?: ClusterService;

  /**
   * The RabbitMQ cluster operator, which must reach the nodes that it runs.
   * @default - none; a {@link RabbitMq} is refused
   */
  readonly rabbitMq?: ClusterService;

  /**
   * The messaging topology operator of RabbitMQ, which must reach the nodes whose queues it makes. Often it runs in the
   * namespace of the cluster operator, as other pods: those with the label
   * `app.kubernetes.io/name: messaging-topology-operator`.
   * @default - none; {@link RabbitMq.queue} is refused
   */
  readonly rabbitMqTopology?: ClusterService;

  /**
   * The cluster operator of Strimzi, which must reach the nodes of Kafka that it runs.
   * @default - none; a {@link Kafka} is refused
   */
  readonly strimzi?: ClusterService;

  /**
   * The API server, for the few pods that talk to it. Cilium knows it by itself.
   * @default - unknown; what needs it is refused without Cilium
   */
  readonly apiServer?: ClusterApiServer;

  /**
   * Prometheus, which must reach what it scrapes.
   * @default - nothing scrapes; no pod accepts connections to its metrics port
   */
  readonly prometheus?: ClusterPrometheus;

  /**
   * Whether Stakater Reloader runs: it restarts the pods of a workload when a Secret that they use changes.
   * @default false
   */
  readonly reloader?: boolean;

  /**
   * Where images are pulled from.
   * @default Registry.PUBLIC
   */
  readonly registry?: Registry;

  /**
   * The HTTP proxy through which pods reach hosts outside by HTTP and HTTPS. Their policies then lead to it instead, and
   * they get `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`, the same in lower case, and `NODE_USE_ENV_PROXY`. Databases and
   * brokers outside are reached directly.
   * @default - none: pods reach hosts outside directly
   */
  readonly proxy?: HttpProxy;
}

/** A minor version, as Pod Security labels name it after a "v". */
const KUBERNETES_VERSION = /^1\.[1-9]\d$/;

const REGION = /^[a-z0-9]+(-[a-z0-9]+)*$/;

const CONTEXT_KEY = 'cdk8s-rag/cluster';

/** Scopes that a cluster was attached to. */
const ATTACHED = new WeakSet<IConstruct>();

/**
 * The cluster that a chart is rendered for. Attached once to an app or chart; every construct below it
 * reads its facts from here, so none is typed twice and none is in code.
 */
export class Cluster {
  /** A cluster of which nothing is known but that it is a conforming Kubernetes with kube-dns. */
  public static readonly GENERIC = new Cluster();

  /** The cluster attached to the nearest scope above, or {@link Cluster.GENERIC}. */
  public static of(scope: IConstruct): Cluster {
    return scope.node.tryGetContext(CONTEXT_KEY) ?? Cluster.GENERIC;
  }

  /** Minor version of the API server. */
  public readonly kubernetesVersion: string;
  /** Where the cluster runs. */
  public readonly cloud: Cloud;
  /** Region of the cloud that it runs in; undefined when unknown. */
  public readonly region?: string;
  /** Zones that its nodes are in; undefined when unknown. */
  public readonly zones?: number;
  /** Whether pods have IPv6 addresses beside those of IPv4. */
  public readonly ipv6: boolean;
  /** Domain of Service names. */
  public readonly domain: string;
  /** Whether the network plugin is Cilium. */
  public readonly cilium: boolean;
  /** The DNS that pods use. */
  public readonly dns: ClusterDns;
  /** Node pools; undefined when unknown. */
  public readonly nodePools?: NodePool[];
  /** RuntimeClass of GPU pods. */
  public readonly gpuRuntimeClass?: string;
  /** Storage classes. */
  public readonly storage: ClusterStorage;
  /** The KEDA operator. */
  public readonly keda?: ClusterService;
  /** The operator of CloudNativePG. */
  public readonly cloudNativePg?: ClusterService;
  /** The RabbitMQ cluster operator. */
  public readonly rabbitMq?: ClusterService;
  /** The messaging topology operator of RabbitMQ. */
  public readonly rabbitMqTopology?: ClusterService;
  /** The cluster operator of Strimzi. */
  public readonly strimzi?: ClusterService;
  /** The API server. */
  public readonly apiServer?: ClusterApiServer;
  /** Prometheus. */
  public readonly prometheus?: ClusterPrometheus;
  /** Whether Stakater Reloader runs. */
  public readonly reloader: boolean;
  /** Where images are pulled from. */
  public readonly registry: Registry;
  /** The HTTP proxy through which pods reach hosts outside. */
  public readonly proxy?: HttpProxy;

  public constructor(props: ClusterProps = {}) {
    this.kubernetesVersion = checkedVersion(props.kubernetesVersion ?? '1.28');
    this.cloud = props.cloud ?? Cloud.GENERIC;
    this.region = checkedRegion(props.region);
    this.zones = checkedZones(props.zones);
    this.ipv6 = props.ipv6 ?? false;
    this.domain = checkedDomain(props.domain ?? 'cluster.local');
    this.cilium = props.cilium ?? false;
    this.dns = checkedDns(props.dns ?? { namespace: 'kube-system', podLabels: { 'k8s-app': 'kube-dns' } }, this.cilium);
    checkNodePools(props.nodePools ?? []);
    this.nodePools = props.nodePools;
    checkNames(props);
    this.gpuRuntimeClass = props.gpuRuntimeClass;
    this.storage = checkedStorage(props.storage ?? {});
    this.keda = props.keda;
    this.cloudNativePg = props.cloudNativePg;
    this.rabbitMq = props.rabbitMq;
    this.rabbitMqTopology = props.rabbitMqTopology;
    this.strimzi = props.strimzi;
    this.apiServer = props.apiServer && checkedApiServer(props.apiServer);
    this.prometheus = props.prometheus;
    this.reloader = props.reloader ?? false;
    this.registry = props.registry ?? Registry.PUBLIC;
    this.proxy = props.proxy;
  }

  /** Attaches the cluster to an app or chart; call it once, before the first construct is created below. */
  public attachTo(scope: IConstruct): void {
    if (ATTACHED.has(scope)) {
      throw new UsageError('is attached already; attach one cluster to each app or chart', {
        scope,
        property: 'cluster',
      });
    }
    if (scope.node.children.length > 0) {
      throw new UsageError('must be attached before the first construct is created in this scope', {
        scope,
        property: 'cluster',
      });
    }
    scope.node.setContext(CONTEXT_KEY, this);
    ATTACHED.add(scope);
  }
}

/** Refuses a service whose pods no policy could select. */
export function checkClusterService(property: string, { namespace, podLabels }: ClusterService): void {
  refuse(dnsLabelProblem(namespace), { property: `${property}.namespace` });
  checkLabels(undefined, `${property}.podLabels`, podLabels ?? {});
}

/** Names of what exists in the cluster. */
function checkNames(props: ClusterProps): void {
  const { gpuRuntimeClass, storage = {}, prometheus } = props;
  const { dns, keda, cloudNativePg, rabbitMq, rabbitMqTopology, strimzi } = props;
  const services = { dns, keda, cloudNativePg, rabbitMq, rabbitMqTopology, strimzi, prometheus };
  for (const [name, service] of Object.entries(services)) {
    if (service !== undefined) {
      checkClusterService(`cluster.${name}`, service);
    }
  }
  checkLabels(undefined, 'cluster.prometheus.monitorLabels', prometheus?.monitorLabels ?? {});
  const { block, shared } = storage;
  const classes = { gpuRuntimeClass, 'storage.block': block, 'storage.shared': shared };
  for (const [property, name] of Object.entries(classes)) {
    refuse(name === undefined ? undefined : dnsSubdomainProblem(name), { property: `cluster.${property}` });
  }
  const url = prometheus?.url;
  if (url !== undefined && !(URL.canParse(url) && /^https?:$/.test(new URL(url).protocol))) {
    throw new UsageError(`is "${url}", but must be a URL such as http://prometheus-operated.monitoring.svc:9090`, {
      property: 'cluster.prometheus.url',
    });
  }
}

function checkedStorage(storage: ClusterStorage): ClusterStorage {
  const { block, shared } = storage;
  refuse(block === undefined ? undefined : blockStorageProblem(block, shared), { property: 'cluster.storage.block' });
  refuse(shared === undefined ? undefined : sharedStorageProblem(shared), { property: 'cluster.storage.shared' });
  return storage;
}

function checkedVersion(version: string): string {
  if (!KUBERNETES_VERSION.test(version)) {
    throw new UsageError(`is "${version}", but must be a minor version, such as "1.31"`, {
      property: 'cluster.kubernetesVersion',
    });
  }
  return version;
}

function checkedApiServer(apiServer: ClusterApiServer): ClusterApiServer {
  const property = 'cluster.apiServer.cidrs';
  if (apiServer.cidrs.length === 0) {
    throw new UsageError('is empty, so no pod could reach the API server; name its addresses, or leave apiServer out', {
      property,
    });
  }
  checkCidrs(apiServer.cidrs, property);
  return apiServer;
}

function checkedRegion(region: string | undefined): string | undefined {
  if (region !== undefined && !REGION.test(region)) {
    throw new UsageError(`is "${region}", but must be a region such as eu-west-1`, { property: 'cluster.region' });
  }
  return region;
}

function checkedZones(zones: number | undefined): number | undefined {
  checkWholeNumber('cluster.zones', zones ?? 1, 1);
  return zones;
}

function checkedDomain(domain: string): string {
  const problem = dnsSubdomainProblem(domain);
  if (problem !== undefined) {
    throw new UsageError(problem, { property: 'cluster.domain' });
  }
  return domain;
}

function checkedDns(dns: ClusterDns, cilium: boolean): ClusterDns {
  const { port = 53, nodeLocal = [] } = dns;
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new UsageError(`is ${port}, but must be from 1 to 65535`, { property: 'cluster.dns.port' });
  }
  if (cilium && nodeLocal.length > 0) {
    throw new UsageError(
      `is ${nodeLocal.join(', ')}, but Cilium policies cannot select a node's own address; run NodeLocal DNSCache ` +
        'behind a CiliumLocalRedirectPolicy and select its pods with dns.podLabels',
      { property: 'cluster.dns.nodeLocal' },
    );
  }
  for (const [index, address] of nodeLocal.entries()) {
    if (isIP(address) === 0 || address.includes('%')) {
      throw new UsageError(`is "${address}", but must be an IPv4 or IPv6 address`, {
        property: `cluster.dns.nodeLocal.${index}`,
      });
    }
  }
  return dns;
}
