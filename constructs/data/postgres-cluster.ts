import { Lazy, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { PodMonitor } from '../../imports/monitoring.coreos.com';
import {
  type ClusterSpecBootstrapInitdb,
  type ClusterSpecStorage,
  ClusterSpecPostgresqlSynchronousDataDurability as Durability,
  ClusterSpecResourcesLimits as LimitQuantity,
  ClusterSpecPostgresqlSynchronousMethod as Method,
  Cluster as PostgresqlCluster,
  ClusterSpecResourcesRequests as RequestQuantity,
  ClusterSpecEphemeralVolumesSizeLimitShm as ShmLimit,
  ClusterSpecEphemeralVolumesSizeLimitTemporaryData as TemporaryDataLimit,
  ClusterSpecPrimaryUpdateStrategy as UpdateStrategy,
} from '../../imports/postgresql.cnpg.io';
import { DefaultImages } from '../default-images';
import { Endpoint } from '../network/endpoint';
import { Peer, type PodSet } from '../network/peer';
import type { Port } from '../network/port';
import { SyncWave } from '../network/sync-wave';
import { Cluster, type ClusterService } from '../placement/cluster';
import { Placement } from '../placement/placement';
import { Spread } from '../placement/spread';
import { ChangeRules } from '../rules/change-rules';
import { describeParts } from '../rules/described-parts';
import { checkAnnotations } from '../rules/label';
import { checkObjectName, dnsLabelProblem } from '../rules/object-name';
import { OutputRules } from '../rules/output-rules';
import { kibibytesOf, sizeQuantity, sizeText } from '../rules/quantity';
import { UsageError } from '../rules/usage-error';
import type { CloudIdentity, IIdentified } from '../secrets/cloud-identity';
import { SecretKey } from '../secrets/secret-key';
import type { Image } from '../workload/image';
import type { IClient, IProvider, Offer } from '../workload/provider';
import type { Resources } from '../workload/resources';
import { CloudNativePgPods } from './cloud-native-pg-pods';
import { declaredOperator } from './cluster-operator';
import {
  guaranteedResources,
  priorityClassFor,
  pullSecretsFor,
  requestsAndLimits,
  storageClassFor,
} from './operated-pods';
import { checkIdentifier, type IPostgres, PostgresAccess, type PostgresLogin } from './postgres-access';
import { PostgresArchive } from './postgres-archive';
import type { PostgresBackups } from './postgres-backups';
import { postgresClusterChanges } from './postgres-cluster-changes';
import { fixedByOperator } from './postgres-cluster-settings';
import { POOLER_LABEL, PostgresPooler, type PostgresPoolerProps } from './postgres-pooler';
import { PostgresSettings } from './postgres-settings';
import { PostgresTls } from './postgres-tls';

/** Name and password of the owner, in one Secret. */
export interface PostgresCredentials {
  /** Its key `username`; the value must be the name of the owner. */
  readonly username: SecretKey;

  /**
   * Its key `password`, which External Secrets may give any characters; from other sources letters, digits, `-` and `_`,
   * because it stands in URLs.
   */
  readonly password: SecretKey;
}

/** A cluster of PostgreSQL, run by CloudNativePG. */
export interface PostgresClusterProps {
  /**
   * Name of the cluster, a DNS label of at most 50 characters.
   * @default - the construct's id
   */
  readonly name?: string;

  /**
   * Instances: 1 without failover, 2 and more with it. From 3 on they are kept on different nodes and zones.
   * @default 3
   */
  readonly instances?: number;

  /**
   * Replicas that must have a change before it counts, from 0 to all of them. With fewer of them alive, writes wait.
   * @default - 1 with 3 instances and more, otherwise 0: a failover can then lose the last changes
   */
  readonly synchronousReplicas?: number;

  /**
   * Volume of each instance for the data. It can grow later, and never shrink.
   * @default Size.gibibytes(20)
   */
  readonly storage?: Size;

  /**
   * Volume of each instance for the log of changes, at least 2 GiB, so that the log cannot fill the one with the data.
   * It cannot be taken away again. Up to half of it is kept for a replica that is away.
   * @default Size.gibibytes(5)
   */
  readonly walStorage?: Size;

  /**
   * Storage class of both volumes.
   * @default - the cluster's class for block volumes
   */
  readonly storageClass?: string;

  /**
   * What each instance asks for, from 128 MiB; limits are equal. A quarter of the memory is for shared pages.
   * @default - 1 CPU and 2 GiB
   */
  readonly resources?: Resources;

  /**
   * Name of the database, which is created with the cluster: lower-case letters, digits and `_`.
   * @default "app"
   */
  readonly database?: string;

  /**
   * Its owner, as which clients come: lower-case letters, digits and `_`.
   * @default "app"
   */
  readonly owner?: string;

  /**
   * Name and password of the owner.
   * @default - the operator thinks of a password, and keeps it in the Secret `<name>-app`
   */
  readonly credentials?: PostgresCredentials;

  /**
   * Extensions of the database, which the image must have: `vector`. Only a new cluster gets them; in one that exists,
   * a superuser has to create them.
   * @default - those that something like a {@link Pgvector} asks for
   */
  readonly extensions?: string[];

  /**
   * Connections at the same time, from 10 to 5000.
   * @default 100
   */
  readonly maxConnections?: number;

  /**
   * More settings of the server, by name: `{ work_mem: '16MB' }`; none that CloudNativePG sets by itself.
   * @default - those that follow from the memory, and `max_slot_wal_keep_size` from `walStorage`
   */
  readonly settings?: { readonly [setting: string]: string };

  /**
   * PgBouncer in front of it, for clients that use `pooled`.
   * @default - none
   */
  readonly pooler?: PostgresPoolerProps;

  /**
   * Backups, by the Barman Cloud plugin, which must be installed beside the operator.
   * @default - none: what is lost is lost
   */
  readonly backups?: PostgresBackups;

  /**
   * Name of the node pool to run on.
   * @default - any node
   */
  readonly nodePool?: string;

  /**
   * PriorityClass of the pods, those of PgBouncer too; it must exist in the cluster.
   * @default - the cluster's default
   */
  readonly priorityClassName?: string;

  /**
   * Who the pods are to a cloud: what backups use there without keys, they use as this. The cloud trusts the
   * ServiceAccount that the operator creates, `system:serviceaccount:<namespace>:<name of the cluster>`.
   * @default - nobody
   */
  readonly identity?: CloudIdentity;

  /**
   * Annotations of the ServiceAccount besides those of {@link identity}.
   * @default - none
   */
  readonly serviceAccountAnnotations?: { readonly [annotation: string]: string };

  /**
   * What runs, built for CloudNativePG. Another major release upgrades the data, which stops the cluster meanwhile.
   * @default DefaultImages.POSTGRES_CLUSTER
   */
  readonly image?: Image;
}

const PORT: Port = { name: 'postgres', number: 5432 };
/** The manager in each pod, which the operator and the other instances ask for its state. */
const STATUS: Port = { name: 'status', number: 8000 };
const METRICS: Port = { name: 'metrics', number: 9187 };

/** Space on the node for sorts that do not fit into memory. */
const TEMPORARY = Size.gibibytes(1);

/** Log that PostgreSQL keeps between checkpoints is 1 GiB; the operator refuses a volume that cannot hold more. */
const LEAST_LOG = Size.gibibytes(2);

/** Longest name that the operator accepts (CloudNativePG, `internal/webhook/v1`: validateName). */
const LONGEST_NAME = 50;

const RESERVED_DATABASES = ['postgres', 'template0', 'template1'];
const RESERVED_ROLES = /^(postgres|streaming_replica|cnpg_pooler_pgbouncer|pg_.*)$/;
const EXTENSION = /^[a-z_][a-z0-9_-]{0,62}$/;

/**
 * PostgreSQL with failover, run by CloudNativePG: one instance takes writes, the others follow it and can be read.
 * Its pods, Services, Secrets and disruption budget are the operator's work; policies for the pods are here, and hold
 * for the Jobs that create an instance too.
 *
 * Source: CloudNativePG 1.30 docs, "Bootstrap", "Replication", "Storage", "Service Management", "Certificates",
 * "Networking", "Resource management".
 */
export class PostgresCluster extends Construct implements IPostgres, IIdentified {
  /** The Cluster. */
  public readonly cluster: PostgresqlCluster;
  /** The pods, as policies select them. */
  public readonly pods: PodSet;
  /** Who the pods are to a cloud; undefined where nothing is declared. */
  public readonly identity?: CloudIdentity;
  /** The PodMonitor of the instances; none where the cluster has no labels for it. */
  public readonly podMonitor?: PodMonitor;
  /** PgBouncer in front of it. */
  public readonly pooler?: PostgresPooler;
  /** Where backups and the log of changes are kept. */
  public readonly archive?: PostgresArchive;

  private readonly props: PostgresClusterProps;
  private readonly name: string;
  private readonly instances: number;
  private readonly database: string;
  private readonly owner: string;
  private readonly resources: Resources;
  private readonly settings: PostgresSettings;
  private readonly placement: Placement;
  private readonly operated: CloudNativePgPods;
  private readonly extensions: Set<string>;
  private readonly primary: PostgresAccess;
  private readonly views = new Map<string, PostgresAccess>();

  public constructor(scope: Construct, id: string, props: PostgresClusterProps = {}) {
    super(scope, id);
    this.props = props;
    describeParts(this, { Archive: 'backups', Pooler: 'pooler' });
    this.identity = props.identity;
    this.name = props.name ?? id;
    this.instances = props.instances ?? 3;
    this.database = props.database ?? 'app';
    this.owner = props.owner ?? 'app';
    this.checkNames();
    this.checkNumbers();
    this.checkCredentials();
    this.resources = props.resources ?? { cpu: Cpu.units(1), memory: Size.gibibytes(2) };
    this.settings = this.createSettings();
    this.placement = Placement.resolve(this, { nodePool: props.nodePool });
    this.extensions = new Set();
    for (const extension of props.extensions ?? []) {
      this.ensureExtension(extension);
    }
    const operator = this.operator();
    this.operated = new CloudNativePgPods(this, 'Pods', {
      name: this.name,
      label: 'cnpg.io/cluster',
      // The pods of PgBouncer have the label of their cluster too.
      without: [POOLER_LABEL],
      metricsPort: METRICS,
    });
    this.pods = this.operated.pods;
    this.podMonitor = this.operated.monitor.monitor;
    this.connectPods(operator);
    this.bindIdentity();
    this.archive = this.createArchive();
    this.cluster = this.createCluster();
    this.pooler = this.createPooler();
    this.primary = this.accessBy(this.endpointOf('rw'));
    ChangeRules.of(this).add(postgresClusterChanges);
    OutputRules.attach(this);
  }

  public offerTo(client: IClient): Offer {
    return this.primary.offerTo(client);
  }

  public get clientAccess(): IProvider {
    return this.pooler === undefined ? this : this.pooled;
  }

  public named(prefix: string): IProvider {
    return this.primary.named(prefix);
  }

  public as(login: PostgresLogin): IProvider {
    return this.primary.as(login);
  }

  /** The instances that follow, for clients that only read; what they read may be a moment old. */
  public get readOnly(): PostgresAccess {
    if (this.instances === 1) {
      throw new UsageError('is 1, so there is no other to read from; set it to 2 or more', {
        scope: this,
        property: 'instances',
      });
    }
    return this.view('ro', () => this.endpointOf('ro'));
  }

  /**
   * The way through PgBouncer, for clients with many connections. Each of its connections is a client's for one
   * transaction: what a session keeps, such as advisory locks and LISTEN, does not work.
   */
  public get pooled(): PostgresAccess {
    const { pooler } = this;
    if (pooler === undefined) {
      throw new UsageError('is missing, so there is no way through it; set it: pooler: {}', {
        scope: this,
        property: 'pooler',
      });
    }
    return this.view('pooler', () => pooler.endpoint);
  }

  public ensureExtension(name: string): void {
    if (!EXTENSION.test(name)) {
      throw new UsageError(`has "${name}", but names of extensions have lower-case letters, digits, "_" and "-"`, {
        scope: this,
        property: 'extensions',
      });
    }
    this.extensions.add(name);
  }

  private view(key: string, endpoint: () => Endpoint): PostgresAccess {
    const known = this.views.get(key) ?? this.accessBy(endpoint());
    this.views.set(key, known);
    return known;
  }

  private accessBy(endpoint: Endpoint): PostgresAccess {
    return new PostgresAccess({
      endpoint,
      database: this.database,
      user: this.owner,
      password: this.props.credentials?.password ?? SecretKey.of(`${this.name}-app`, 'password'),
      tls: PostgresTls.verified(SecretKey.of(`${this.name}-ca`, 'ca.crt')),
    });
  }

  private endpointOf(role: string): Endpoint {
    return Endpoint.service(this.pods, `${this.name}-${role}`, PORT);
  }

  private createSettings(): PostgresSettings {
    return new PostgresSettings(this, {
      memory: this.resources.memory,
      maxConnections: this.maxConnections,
      settings: this.props.settings ?? {},
      fixed: fixedByOperator,
      log: this.instances === 1 ? undefined : this.walStorage,
    });
  }

  private get walStorage(): Size {
    return this.props.walStorage ?? Size.gibibytes(5);
  }

  private get maxConnections(): number {
    return this.props.maxConnections ?? 100;
  }

  private get synchronousReplicas(): number {
    return this.props.synchronousReplicas ?? (this.instances >= 3 ? 1 : 0);
  }

  private checkNames(): void {
    const problem = dnsLabelProblem(this.name, LONGEST_NAME);
    if (problem !== undefined) {
      this.refuse('name', problem);
    }
    checkObjectName(this, this.name, 'Service');
    checkIdentifier(this, 'database', this.database);
    checkIdentifier(this, 'owner', this.owner);
    if (RESERVED_DATABASES.includes(this.database)) {
      this.refuse('database', `is "${this.database}", which is PostgreSQL's own; give it another name`);
    }
    if (RESERVED_ROLES.test(this.owner)) {
      this.refuse('owner', `is "${this.owner}", which is the operator's or PostgreSQL's own; give it another name`);
    }
    checkAnnotations(this, 'serviceAccountAnnotations', this.props.serviceAccountAnnotations ?? {});
    this.identity?._checkOwn(this, this.props);
  }

  private checkNumbers(): void {
    const replicas = this.instances - 1;
    this.checkNumber('instances', this.instances, 1, 20, '');
    this.checkNumber('synchronousReplicas', this.synchronousReplicas, 0, replicas, ', the number of replicas');
    const { walStorage } = this;
    if (kibibytesOf(walStorage) < kibibytesOf(LEAST_LOG)) {
      this.refuse('walStorage', `is ${sizeText(walStorage)}, but must be at least ${sizeText(LEAST_LOG)}`);
    }
  }

  private checkNumber(property: string, value: number, least: number, most: number, meaning: string): void {
    if (!Number.isInteger(value) || value < least || value > most) {
      this.refuse(property, `is ${value}, but must be a whole number from ${least} to ${most}${meaning}`);
    }
  }

  /** The operator reads both keys of a Secret of the type `kubernetes.io/basic-auth` by these names. */
  private checkCredentials(): void {
    const { credentials } = this.props;
    if (credentials === undefined) {
      return;
    }
    const { username, password } = credentials;
    username._bindForOperator(this, 'credentials');
    password._bindForOperator(this, 'credentials');
    if (username.secret !== password.secret || username.key !== 'username' || password.key !== 'password') {
      this.refuse(
        'credentials',
        `is key ${username.key} of Secret ${username.secret} and key ${password.key} of Secret ${password.secret}, but ` +
          'must be the keys username and password of one Secret',
      );
    }
  }

  private refuse(property: string, problem: string): never {
    throw new UsageError(problem, { scope: this, property });
  }

  private operator(): ClusterService {
    return declaredOperator(this, {
      setting: 'cloudNativePg',
      name: 'CloudNativePG',
      instead: 'Postgres or ExternalPostgres',
    });
  }

  private connectPods(operator: ClusterService): void {
    const { policy } = this.operated;
    policy.allowFrom({ from: Peer.service(operator), ports: [PORT, STATUS] });
    // New instances copy another one before they follow it, so a single one has company at times too.
    policy.allowTo({ to: this.pods, ports: [PORT, STATUS] });
  }

  private bindIdentity(): void {
    const { pods, policy } = this.operated;
    this.identity?._bind(this, { pods, policy, labels: this.operated.metadata().labels ?? {} });
  }

  private createArchive(): PostgresArchive | undefined {
    const { backups } = this.props;
    return backups === undefined
      ? undefined
      : new PostgresArchive(this, 'Archive', {
          backups,
          cluster: this.name,
          pods: this.pods,
          identity: this.identity,
          policy: this.operated.policy,
          metadata: this.operated.metadata(),
        });
  }

  private createPooler(): PostgresPooler | undefined {
    const { pooler } = this.props;
    return pooler === undefined
      ? undefined
      : new PostgresPooler(this, 'Pooler', pooler, {
          cluster: this.name,
          pods: this.pods,
          port: PORT,
          maxConnections: this.maxConnections,
          placement: this.placement,
          priorityClassName: this.props.priorityClassName,
        });
  }

  private createCluster(): PostgresqlCluster {
    const { image = DefaultImages.POSTGRES_CLUSTER, storage, priorityClassName } = this.props;
    const { registry } = Cluster.of(this);
    return new PostgresqlCluster(this, 'Resource', {
      // The operator deletes the volumes with it.
      metadata: {
        ...this.operated.metadata(),
        annotations: SyncWave.of(this, this.pods).annotationsConfirmingDeletion,
      },
      spec: {
        instances: this.instances,
        imageName: image.in(registry, this),
        imagePullSecrets: pullSecretsFor(this),
        primaryUpdateStrategy: UpdateStrategy.UNSUPERVISED,
        enableSuperuserAccess: false,
        bootstrap: { initdb: this.initdb() },
        storage: this.volume(storage ?? Size.gibibytes(20)),
        walStorage: this.volume(this.walStorage),
        resources: this.askedFor(),
        ephemeralVolumesSizeLimit: {
          shm: ShmLimit.fromString(String(sizeQuantity(this.settings.sharedMemory).value)),
          temporaryData: TemporaryDataLimit.fromString(String(sizeQuantity(TEMPORARY).value)),
        },
        postgresql: {
          parameters: this.settings.all,
          synchronous:
            this.synchronousReplicas === 0
              ? undefined
              : { method: Method.ANY, number: this.synchronousReplicas, dataDurability: Durability.REQUIRED },
        },
        certificates: this.certificates(),
        ...this.scheduling(),
        priorityClassName: priorityClassFor(this, priorityClassName),
        inheritedMetadata: this.inherited(),
        serviceAccountTemplate: this.serviceAccount(),
        plugins: this.archive === undefined ? undefined : [this.archive.plugin],
      },
    });
  }

  private initdb(): ClusterSpecBootstrapInitdb {
    const { credentials } = this.props;
    const statements = () =>
      this.extensions.size === 0
        ? undefined
        : [...this.extensions].sort().map((name) => `CREATE EXTENSION IF NOT EXISTS "${name}"`);
    return {
      database: this.database,
      owner: this.owner,
      secret: credentials === undefined ? undefined : { name: credentials.password.secret },
      dataChecksums: true,
      // A superuser runs them; what needs an extension may be composed after the cluster.
      postInitApplicationSql: Lazy.any({ produce: statements }),
    };
  }

  private volume(size: Size): ClusterSpecStorage {
    return { size: String(sizeQuantity(size).value), storageClass: storageClassFor(this, this.props.storageClass) };
  }

  private askedFor() {
    return requestsAndLimits(guaranteedResources(this, this.resources, [TEMPORARY]), RequestQuantity, LimitQuantity);
  }

  /** The operator issues the certificate for the Services of the cluster; PgBouncer shows the same one. */
  private certificates() {
    if (this.props.pooler === undefined) {
      return undefined;
    }
    const name = `${this.name}-pooler`;
    const suffix = `${this.pods.namespace}.svc`;
    return { serverAltDnsNames: [name, `${name}.${suffix}`, `${name}.${suffix}.${Cluster.of(this).domain}`] };
  }

  /**
   * Constraints as for every member of a quorum, instead of the operator's own preference. The Jobs that make an instance
   * have them too, and where one of them runs, its volumes are bound and the instance stays: so the Jobs are counted as
   * the instances are, with what they have in common (CloudNativePG 1.30, `pkg/specs/jobs.go`).
   */
  private scheduling() {
    const { nodeSelector, nodeAffinity, tolerations } = this.placement;
    const spread = this.instances >= 3 ? Spread.REQUIRED : Spread.PREFERRED;
    return {
      affinity: {
        enablePodAntiAffinity: false,
        nodeSelector: Object.keys(nodeSelector).length === 0 ? undefined : nodeSelector,
        nodeAffinity,
        tolerations: tolerations.length === 0 ? undefined : tolerations,
      },
      topologySpreadConstraints:
        this.instances === 1
          ? undefined
          : spread._constraints(this.pods.selector, this.placement, this.instances, false),
    };
  }

  /** Labels of the pods cannot be set for themselves; everything that the operator creates gets them. */
  private inherited() {
    const labels = { ...this.identity?.podLabels };
    return Object.keys(labels).length === 0 ? undefined : { labels };
  }

  private serviceAccount() {
    const annotations = { ...this.identity?.serviceAccountAnnotations, ...this.props.serviceAccountAnnotations };
    return Object.keys(annotations).length === 0 ? undefined : { metadata: { annotations } };
  }
}
