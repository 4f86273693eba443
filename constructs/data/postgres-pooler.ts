import { Size } from 'cdk8s';
import { Cpu, type k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { PodMonitor } from '../../imports/monitoring.coreos.com';
import {
  Pooler,
  PoolerSpecType as PoolerType,
  PoolerSpecPgbouncerPoolMode as PoolMode,
} from '../../imports/postgresql.cnpg.io';
import { DefaultImages } from '../default-images';
import { Endpoint } from '../network/endpoint';
import type { PodSet } from '../network/peer';
import type { Port } from '../network/port';
import { Cluster } from '../placement/cluster';
import type { Placement } from '../placement/placement';
import { Spread } from '../placement/spread';
import { UsageError } from '../rules/usage-error';
import { DisruptionBudget } from '../scaling/disruption-budget';
import type { Image } from '../workload/image';
import type { Resources } from '../workload/resources';
import { CloudNativePgPods } from './cloud-native-pg-pods';
import { pullSecretsFor, statelessResources } from './operated-pods';

/** PgBouncer in front of a cluster. */
export interface PostgresPoolerProps {
  /**
   * Pods.
   * @default 2
   */
  readonly instances?: number;

  /**
   * Connections of clients to each pod.
   * @default 1000
   */
  readonly maxClientConnections?: number;

  /**
   * Connections from each pod to the database; with all pods together below the cluster's `maxConnections`.
   * @default 20
   */
  readonly poolSize?: number;

  /**
   * What each pod asks for. All connections go through one process with one thread, so a limit of the CPU, which is
   * {@link Resources.cpuLimit}, slows down every query at once; more than 1 CPU is never used.
   * @default - 100m CPU and 128 MiB, without a limit of the CPU
   */
  readonly resources?: Resources;

  /**
   * What runs.
   * @default DefaultImages.PGBOUNCER
   */
  readonly image?: Image;
}

/** What a pooler stands in front of. */
export interface PostgresPoolerTarget {
  /** Name of the cluster. */
  readonly cluster: string;
  /** Pods of the cluster. */
  readonly pods: PodSet;
  /** Port of the cluster. */
  readonly port: Port;
  /** Connections that the cluster takes. */
  readonly maxConnections: number;
  /** Where the pods run. */
  readonly placement: Placement;
  /** PriorityClass of the pods, which is declared already. */
  readonly priorityClassName?: string;
}

/** What the pods of a pooler are known by, among all of their cluster (CloudNativePG docs, "Labels and Annotations"). */
export const POOLER_LABEL = 'cnpg.io/poolerName';

const METRICS: Port = { name: 'metrics', number: 9127 };

/** Connections that are left for superusers, migrations and whoever comes without a pooler. */
const RESERVED = 20;

/**
 * PgBouncer in front of a cluster: a connection of the database belongs to a client for a transaction only, so a
 * thousand clients need few of them.
 *
 * Source: CloudNativePG 1.30 docs, "Connection pooling"; PgBouncer docs, "Features".
 */
export class PostgresPooler extends Construct {
  /** The Pooler. */
  public readonly pooler: Pooler;
  /** The PodMonitor of its pods; none where the cluster has no labels for it. */
  public readonly podMonitor?: PodMonitor;
  /** The disruption budget, which the operator makes for instances only; none for a single pod. */
  public readonly disruptionBudget?: k8s.KubePodDisruptionBudget;
  /** Where clients reach it. */
  public readonly endpoint: Endpoint;

  private readonly pooled: CloudNativePgPods;

  /** @internal */
  public constructor(scope: Construct, id: string, props: PostgresPoolerProps, target: PostgresPoolerTarget) {
    super(scope, id);
    const { cluster, pods, port } = target;
    this.check(props, target);
    this.pooled = new CloudNativePgPods(this, 'Pods', {
      name: `${cluster}-pooler`,
      label: POOLER_LABEL,
      metricsPort: METRICS,
    });
    this.podMonitor = this.pooled.monitor.monitor;
    this.pooled.policy.allowTo({ to: pods, ports: [port], ordered: true });
    this.pooler = this.createPooler(props, target);
    this.disruptionBudget = this.createBudget(props);
    this.endpoint = Endpoint.service(this.pooled.pods, `${cluster}-pooler`, port);
  }

  private check(props: PostgresPoolerProps, { maxConnections }: PostgresPoolerTarget): void {
    const { instances = 2, maxClientConnections = 1000, poolSize = 20 } = props;
    for (const [property, value] of Object.entries({ instances, maxClientConnections, poolSize })) {
      if (!Number.isInteger(value) || value < 1) {
        throw new UsageError(`is ${value}, but must be a whole number from 1`, { scope: this, property });
      }
    }
    const most = maxConnections - RESERVED;
    if (instances * poolSize > most) {
      throw new UsageError(
        `is ${poolSize} in ${instances} pods, ${instances * poolSize} in all, but of maxConnections, which is ` +
          `${maxConnections}, ${RESERVED} are not for clients; lower it, or raise maxConnections`,
        { scope: this, property: 'poolSize' },
      );
    }
  }

  private createPooler(props: PostgresPoolerProps, target: PostgresPoolerTarget): Pooler {
    const { instances = 2, maxClientConnections = 1000, poolSize = 20, image = DefaultImages.PGBOUNCER } = props;
    return new Pooler(this, 'Resource', {
      metadata: this.pooled.metadata(),
      spec: {
        cluster: { name: target.cluster },
        type: PoolerType.RW,
        instances,
        pgbouncer: {
          image: image.in(Cluster.of(this).registry, this),
          poolMode: PoolMode.TRANSACTION,
          parameters: {
            default_pool_size: String(poolSize),
            max_client_conn: String(maxClientConnections),
          },
        },
        template: { spec: this.podSpec(props, target) },
      },
    });
  }

  private createBudget({ instances = 2 }: PostgresPoolerProps): k8s.KubePodDisruptionBudget | undefined {
    return DisruptionBudget.STATELESS._bind(this, this.pooled.pods, this.pooled.metadata(), instances);
  }

  /** The part of the pods that is ours; the operator adds the rest, security included. */
  private podSpec(
    { instances = 2, resources }: PostgresPoolerProps,
    { placement, priorityClassName }: PostgresPoolerTarget,
  ): object {
    const asked = statelessResources(this, resources ?? { cpu: Cpu.millis(100), memory: Size.mebibytes(128) });
    const { nodeSelector, nodeAffinity, tolerations } = placement;
    return {
      containers: [{ name: 'pgbouncer', resources: asked }],
      // It copies the manager into the pod; without a word it would ask for nothing.
      initContainers: [{ name: 'bootstrap-controller', resources: asked }],
      nodeSelector: Object.keys(nodeSelector).length === 0 ? undefined : nodeSelector,
      affinity: nodeAffinity && { nodeAffinity },
      tolerations: tolerations.length === 0 ? undefined : tolerations,
      imagePullSecrets: pullSecretsFor(this),
      priorityClassName,
      topologySpreadConstraints:
        instances === 1
          ? undefined
          : Spread.PREFERRED._constraints(this.pooled.pods.selector, placement, instances, false),
    };
  }
}
