import { Chart, Duration, Size } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { stringify } from 'yaml';
import type { ObjectStore } from '../data/object-store';
import type { S3Bucket } from '../data/s3-bucket';
import { DefaultImages } from '../default-images';
import type { Port } from '../network/port';
import { Cluster } from '../placement/cluster';
import { ChangeRules } from '../rules/change-rules';
import { describeParts } from '../rules/described-parts';
import { refuse, UsageError } from '../rules/usage-error';
import type { SecretKey } from '../secrets/secret-key';
import { type CertificateKeys, CertificateUsage, type ServerCertificate } from '../secrets/server-certificate';
import type { MainContainerProps } from '../workload/container';
import { EnvValue } from '../workload/env-value';
import type { Image } from '../workload/image';
import { NodeProgram } from '../workload/node-program';
import { Probe } from '../workload/probe';
import type { IClient, IProvider, Offer } from '../workload/provider';
import type { Resources } from '../workload/resources';
import { scriptFile } from '../workload/script-file';
import { SecretRotation } from '../workload/secret-rotation';
import { StatefulSet } from '../workload/stateful-set';
import { Volume } from '../workload/volume';
import type { WorkloadOptions } from '../workload/workload';
import { AUDIT_DIRECTORY, auditConfig, type QdrantAudit } from './qdrant-audit';
import { QdrantCapacity, type QdrantResources } from './qdrant-capacity';
import { qdrantChanges } from './qdrant-changes';
import { type DrainProps, QdrantDrain } from './qdrant-drain';
import { KEY_VARIABLES, keysOverlap } from './qdrant-key-changes';
import { checkKeys } from './qdrant-keys';
import { QdrantRepair, type RepairProps } from './qdrant-repair';
import { MAX_DISK_PERCENT, type QdrantSizing } from './qdrant-sizing';
import { QdrantSnapshots } from './qdrant-snapshots';
import { TLS_VOLUME, tlsStays } from './qdrant-tls-changes';
import { variableProblem } from './qdrant-variables';
import { DEFAULT_TOLERANCE, type SnapshotSchedule } from './snapshot-schedule';
import { snapshotAccess, snapshotBucket, snapshotSettings } from './snapshot-storage';

/** A Qdrant vector database. */
export interface QdrantProps extends WorkloadOptions {
  /**
   * Nodes of the cluster: 1, or 3 and more. Two nodes lose their quorum when either is away, for an update
   * too, and are refused. Before there are fewer, {@link drain} moves the shards off those that go.
   * @default - those of the sizing; 3 without one
   */
  readonly nodes?: number;

  /**
   * What the nodes hold: gives how many there are, their resources and their storage, where these do not say it.
   * Other numbers give other volumes, which a StatefulSet cannot change: once the database runs, write its
   * `storage` beside the sizing, which is checked against it from then on.
   * @default - unknown; `resources` and `storage` are required
   */
  readonly sizing?: QdrantSizing;

  /**
   * What each node asks for; memory is both request and limit.
   * @default - CPU and memory of the sizing; required without one
   */
  readonly resources?: QdrantResources;

  /**
   * Volume of each node for vectors, payload and log. Block storage; it cannot be changed later in place. However little
   * it holds, a copy of a shard can take 1 GiB: 3Gi for the two of a single node, 5Gi for the four of each of three.
   * @default - that of the sizing; required without one
   */
  readonly storage?: Size;

  /**
   * Volume of each node for snapshots, apart from the data so that a snapshot cannot fill its disk. It stays when
   * snapshots go to an object store, which they are sent to from here: a StatefulSet's claims cannot be changed.
   * Snapshots that stay here must fit, those that are kept and the one that is being taken; a snapshot is as large
   * as the sizing says, else half of `storage`.
   * @default - as large as they need; as large as `storage` when none stay here
   */
  readonly snapshotStorage?: Size;

  /**
   * When the database takes snapshots, how many it keeps and where. With an object store and no keys, the nodes
   * use the cloud identity of their ServiceAccount.
   * @default - it takes none
   */
  readonly snapshots?: SnapshotSchedule;

  /**
   * Storage class of the volumes.
   * @default - the cluster's class for block volumes
   */
  readonly storageClass?: string;

  /**
   * Key with all permissions, and the secret with which tokens are signed: 32 characters or more. Nodes show it to each
   * other, and the library's own programs have it. Clients have it unless there is {@link clientToken}. A value that
   * is changed in place restarts no pod, and pods that start later are refused by those that started before: refer to
   * another key instead, with {@link alternativeApiKey}. A step that would cut off nodes or clients is refused.
   */
  readonly apiKey: SecretKey;

  /**
   * A second key with all permissions, while one replaces the other: put the new key here and sync, exchange the
   * two and sync, then remove this and sync. Tokens that are signed with it are accepted too.
   * Source: Qdrant 1.19 docs, "Security", "Rolling key rotation".
   * @default - none
   */
  readonly alternativeApiKey?: SecretKey;

  /**
   * Token that clients that write get instead of {@link apiKey}: a JSON Web Token, signed with `apiKey` or
   * `alternativeApiKey`, whose claims say which collections they may write to. Without such claims it may do everything.
   * Any number of tokens is valid at a time, so one is replaced by a reference to another. A value that is changed in
   * place restarts no pod.
   * Source: Qdrant 1.19 docs, "Security", "Granular access control with JWT".
   * @default - clients that write get apiKey
   */
  readonly clientToken?: SecretKey;

  /**
   * Key that can read everything, snapshots too. Nodes accept one only, so it cannot be replaced while clients use it:
   * {@link readOnlyToken} can.
   * @default - none
   */
  readonly readOnlyApiKey?: SecretKey;

  /**
   * Token that clients that only search get, as {@link clientToken}; it goes before {@link readOnlyApiKey}, which the nodes
   * accept as well.
   * @default - clients that only search get readOnlyApiKey
   */
  readonly readOnlyToken?: SecretKey;

  /**
   * Logs what clients ask, and who asked, on a volume of its own.
   * @default - there is no such log
   */
  readonly audit?: QdrantAudit;

  /**
   * Certificate for REST, gRPC, metrics and the protocol between nodes. A cluster that runs cannot begin or stop to use TLS
   * without an outage of all nodes, so the render refuses that.
   * @default - no TLS
   */
  readonly tls?: ServerCertificate;

  /**
   * Copies of each shard, for collections that do not say it themselves. At most the number of nodes.
   * @default - that of the sizing; without one 2, and 1 on a single node
   */
  readonly replicationFactor?: number;

  /**
   * Time that a node may take to load its collections.
   * @default Duration.minutes(10)
   */
  readonly startupBudget?: Duration;

  /**
   * Empties the nodes that are to go, before `nodes` is lowered: set it, sync, wait for the Job `<name>-drain`,
   * and then lower `nodes` to this number and remove it.
   * @default - every node stays
   */
  readonly drain?: DrainProps;

  /**
   * Brings back nodes that lost their volume, and gives every shard as many copies as its collection wants, spread evenly
   * over the nodes: missing copies are made, surplus ones are dropped. Set it, sync, wait for the Job `<name>-repair`, and
   * remove it. Not together with `drain`.
   * @default - a node without its volume waits, and copies stay as few as they are
   */
  readonly repair?: RepairProps;

  /**
   * Beginning of the names of the variables that clients get.
   * @default "QDRANT"
   */
  readonly envPrefix?: string;

  /**
   * What runs.
   * @default DefaultImages.QDRANT
   */
  readonly image?: Image;
}

const HTTP: Port = { name: 'http', number: 6333, appProtocol: 'http' };
const GRPC: Port = { name: 'grpc', number: 6334, appProtocol: 'grpc' };
/** With TLS both speak HTTPS; a mesh that took them for plain HTTP or gRPC would break every connection. */
const HTTP_OVER_TLS: Port = { ...HTTP, appProtocol: 'https' };
const GRPC_OVER_TLS: Port = { ...GRPC, appProtocol: 'https' };
const P2P: Port = { name: 'p2p', number: 6335 };
/** Qdrant's listener for metrics alone; it asks for no key, so only Prometheus may reach it. */
const METRICS: Port = { name: 'metrics', number: 6336, appProtocol: 'http' };

/** Tells how the size of the nodes came about. */
const SIZING_ANNOTATION = 'cdk8s-rag/sizing';

const HOME = '/qdrant';
const STORAGE = `${HOME}/storage`;
/** Where Qdrant keeps snapshots on the volume, however the object store names them. */
export const SNAPSHOT_DIRECTORY = `${HOME}/snapshots`;
const START_PATH = `${HOME}/start/qdrant-start.sh`;
const START = scriptFile(__dirname, 'qdrant-start.sh');
/** Arguments that the node is started with; they are decided anew for each pod. */
const START_DIRECTORY = `${HOME}/init`;
const START_FILE = `${START_DIRECTORY}/arguments`;
const FIND_CLUSTER = NodeProgram.of(__dirname, 'find-cluster.mjs');
const TLS_DIRECTORY = `${HOME}/tls`;

/**
 * Qdrant, as its operators run it: a cluster that starts together, knows its members by name, keeps its
 * quorum, and stores on block volumes; or a single node for small systems.
 *
 * Source: Qdrant 1.19 docs, "Configuration", "Distributed deployment", "Security", "Installation";
 * qdrant/qdrant-helm.
 */
export class Qdrant extends Construct implements IProvider {
  /** The StatefulSet and what belongs to it. */
  public readonly workload: StatefulSet;
  /** Number of nodes. */
  public readonly nodes: number;
  /** Copies of each shard, for collections that do not say it themselves. */
  public readonly replicationFactor: number;
  /** Service for clients. */
  public readonly service: k8s.KubeService;
  /** Service that gives each node a DNS name, ready or not. */
  public readonly headlessService: k8s.KubeService;
  /** What takes the snapshots. */
  public readonly snapshots?: QdrantSnapshots;
  /** The Job that empties the nodes that are to go. */
  public readonly drain?: QdrantDrain;
  /** The Job that brings back nodes without a volume, and the copies of shards. */
  public readonly repair?: QdrantRepair;

  private readonly props: QdrantProps;
  private readonly capacity: QdrantCapacity;
  private readonly name: string;
  private readonly certificate?: CertificateKeys;
  private readonly storageVolume = Volume.claim('storage');
  /** What is known of a node for as long as its pod lives. */
  private readonly initVolume = Volume.memory('init', Size.mebibytes(1));
  private tlsVolume?: Volume;
  private readOnlyView?: IProvider;
  private administrationView?: IProvider;
  private everyNodeView?: IProvider;
  private everyPeerView?: IProvider;

  public constructor(scope: Construct, id: string, props: QdrantProps) {
    super(scope, id);
    this.props = props;
    describeParts(this, { Snapshots: 'snapshots', Drain: 'drain', Repair: 'repair' });
    for (const name of Object.keys(props.env ?? {})) {
      refuse(variableProblem(name), { scope: this, property: 'env' });
    }
    checkKeys(this, props);
    this.name = props.name ?? id;
    this.capacity = new QdrantCapacity(this, props);
    this.nodes = this.capacity.nodes;
    this.replicationFactor = this.capacity.replicationFactor;
    this.workload = this.createStatefulSet();
    this.certificate = this.createCertificate();
    this.service = this.workload.addService({ ports: this.clientPorts });
    this.headlessService = this.createHeadlessService();
    this.addConfig();
    this.addMembership();
    this.connectNodes();
    this.snapshots = this.createSnapshots();
    this.drain = this.createDrain();
    this.repair = this.createRepair();
    this.addChangeRules();
  }

  public offerTo(client: IClient): Offer {
    const { clientToken, apiKey } = this.props;
    return this.offer(client, clientToken ?? apiKey);
  }

  /** The same database for clients that only search; they get the token or the key that can only read. */
  public get readOnly(): IProvider {
    const { readOnlyToken, readOnlyApiKey } = this.props;
    const credential = readOnlyToken ?? readOnlyApiKey;
    if (credential === undefined) {
      throw new UsageError('is missing, so no client can be given read-only access; set it, or readOnlyApiKey', {
        scope: this,
        property: 'readOnlyToken',
      });
    }
    this.readOnlyView ??= {
      description: `${this.node.id}.readOnly`,
      offerTo: (client) => this.offer(client, credential),
    };
    return this.readOnlyView;
  }

  /** The same database for programs that create collections, move shards or take snapshots; they get the full key. */
  public get administration(): IProvider {
    this.administrationView ??= {
      description: `${this.node.id}.administration`,
      offerTo: (client) => this.offer(client, this.props.apiKey),
    };
    return this.administrationView;
  }

  /**
   * Every node under its own name, for programs that have to speak to each: the offer of {@link administration}, and
   * `QDRANT_NODE_URLS`, one URL for each node in the order of their ordinals, separated by commas.
   */
  public get everyNode(): IProvider {
    this.everyNodeView ??= {
      description: `${this.node.id}.everyNode`,
      offerTo: (client) => {
        const offer = this.administration.offerTo(client);
        return { ...offer, env: { ...offer.env, [`${this.envPrefix}_NODE_URLS`]: this.nodeUrls(HTTP) } };
      },
    };
    return this.everyNodeView;
  }

  /**
   * Every node under its own name, also on the port of the nodes' own protocol: the offer of {@link everyNode}, and
   * `QDRANT_PEER_URIS`, one URI for each node.
   * @internal
   */
  public get everyPeer(): IProvider {
    this.everyPeerView ??= {
      description: `${this.node.id}.everyPeer`,
      offerTo: (client) => {
        const offer = this.everyNode.offerTo(client);
        return {
          ...offer,
          // Whether nodes wait for their cluster is asked while the StatefulSet is not healthy.
          unordered: true,
          endpoints: [...offer.endpoints, this.workload.endpoint(P2P, this.headlessName)],
          env: { ...offer.env, [`${this.envPrefix}_PEER_URIS`]: this.nodeUrls(P2P) },
        };
      },
    };
    return this.everyPeerView;
  }

  /** The address of each node at a port, in the order of their ordinals. */
  private nodeUrls({ number }: Port): EnvValue {
    const hosts = Array.from({ length: this.nodes }, (_, ordinal) => `${this.name}-${ordinal}.${this.peerDomain}`);
    return EnvValue.of(hosts.map((host) => `${this.scheme}://${host}:${number}`).join(','));
  }

  /** What the nodes hold, for as many nodes and copies as there are; undefined when nobody knows. */
  public get sizing(): QdrantSizing | undefined {
    return this.capacity.sizing;
  }

  /** What each node runs. */
  public get image(): Image {
    return this.props.image ?? DefaultImages.QDRANT;
  }

  /** What each node asks for. */
  public get resources(): Resources {
    return this.capacity.resources;
  }

  /** Snapshot of what a node holds, at most. */
  public get snapshotSize(): Size {
    return this.capacity.snapshot;
  }

  /** Where snapshots are kept; undefined for the snapshot volume of each node. */
  public get snapshotStore(): ObjectStore | undefined {
    return this.props.snapshots?.to;
  }

  /** How many percent of its points a collection may have lost since an older snapshot. */
  public get snapshotTolerance(): number {
    return this.props.snapshots?.tolerance ?? DEFAULT_TOLERANCE;
  }

  private get bucket(): S3Bucket | undefined {
    return this.snapshotStore && snapshotBucket(this, this.snapshotStore);
  }

  /** Beginning of the names of the variables that clients get. */
  public get envPrefix(): string {
    return this.props.envPrefix ?? 'QDRANT';
  }

  private offer(client: IClient, key: SecretKey): Offer {
    const http = this.workload.endpoint(HTTP);
    const grpc = this.workload.endpoint(GRPC);
    const prefix = this.envPrefix;
    const url = `${this.scheme}://${http.hostFrom(client, client.namespace)}:${HTTP.number}`;
    const env = {
      [`${prefix}_URL`]: EnvValue.of(url),
      [`${prefix}_GRPC_PORT`]: EnvValue.of(String(GRPC.number)),
      [`${prefix}_API_KEY`]: EnvValue.fromSecret(key),
    };
    const offer = { endpoints: [http, grpc], env, unwatchedKeys: [key] };
    if (this.certificate === undefined) {
      return offer;
    }
    const { authority } = this.certificate;
    // A client of two databases has two authorities.
    const directory = `/etc/${this.name}-ca`;
    return {
      ...offer,
      env: { ...env, [`${prefix}_CA_FILE`]: EnvValue.of(`${directory}/${authority.key}`) },
      files: [{ source: authority, directory }],
    };
  }

  private get distributed(): boolean {
    return this.nodes > 1;
  }

  private get clientPorts(): Port[] {
    return this.props.tls === undefined ? [HTTP, GRPC] : [HTTP_OVER_TLS, GRPC_OVER_TLS];
  }

  /** Whether clients speak TLS to it; they then get `QDRANT_CA_FILE`. */
  public get tls(): boolean {
    return this.props.tls !== undefined;
  }

  private get scheme(): string {
    return this.props.tls === undefined ? 'http' : 'https';
  }

  /** Domain of the nodes' own names. */
  private get peerDomain(): string {
    return `${this.headlessName}.${Chart.of(this).namespace}.svc.${Cluster.of(this).domain}`;
  }

  private get headlessName(): string {
    return `${this.name}-headless`;
  }

  private createStatefulSet(): StatefulSet {
    const { storage, snapshotStorage, sizing } = this.capacity;
    const { storageClass, audit } = this.props;
    const workload = new StatefulSet(this, 'Resource', {
      ...this.props,
      component: 'vector-store',
      container: this.container(),
      user: { uid: 1000, gid: 1000 },
      replicas: this.nodes,
      serviceName: this.headlessName,
      // Ordered start would wait for ever: a node is ready only when its peers are there.
      parallel: this.distributed,
      quorum: this.distributed,
      claims: [
        { name: 'storage', size: storage, storageClass },
        { name: 'snapshots', size: snapshotStorage, storageClass },
        ...(audit === undefined ? [] : [{ name: AUDIT_DIRECTORY, size: audit.storage, storageClass }]),
      ],
      // Segments are flushed and consensus state is written before the process ends.
      gracePeriod: Duration.minutes(2),
      metricsPort: METRICS,
      // Nodes know one another by the key: pods that restart one by one with a new one would shut the rest out.
      unwatchedKeys: this.keys.map(([, key]) => key),
    });
    if (sizing !== undefined) {
      workload.statefulSet.metadata.addAnnotation(SIZING_ANNOTATION, sizing.formula);
    }
    return workload;
  }

  private container(): MainContainerProps {
    const tls = this.props.tls !== undefined;
    const alive = Probe.http('/livez', HTTP, { tls, timeout: Duration.seconds(5), failures: 6 });
    return {
      image: this.image,
      // Not the image's entrypoint, which ends at SIGTERM before Qdrant has: the process that gets the signal is Qdrant.
      command: this.distributed ? ['bash', START_PATH] : ['./qdrant'],
      env: this.containerEnv(),
      ports: [HTTP, GRPC, ...(this.distributed ? [P2P] : []), METRICS],
      resources: this.capacity.resources,
      // Loading collections can take minutes, and a node that is restarted while it loads begins again.
      startup: alive.within(this.props.startupBudget ?? Duration.minutes(10)),
      readiness: Probe.http('/readyz', HTTP, { tls, period: Duration.seconds(5), failures: 6 }),
      liveness: alive,
      preStopDelay: Duration.seconds(5),
      mounts: [
        { volume: this.storageVolume, path: STORAGE },
        { volume: Volume.claim('snapshots'), path: SNAPSHOT_DIRECTORY },
        ...(this.props.audit === undefined
          ? []
          : [{ volume: Volume.claim(AUDIT_DIRECTORY), path: `${HOME}/${AUDIT_DIRECTORY}` }]),
        { volume: this.initVolume, path: START_DIRECTORY },
      ],
    };
  }

  private containerEnv(): { [name: string]: EnvValue } {
    return {
      ...Object.fromEntries(this.keys.map(([variable, key]) => [variable, EnvValue.fromSecret(key)])),
      // Qdrant writes a marker when it has started; the image's working directory is read-only.
      QDRANT_INIT_FILE_PATH: EnvValue.of(`${START_DIRECTORY}/.qdrant-initialized`),
      ...(this.distributed ? this.startEnv() : {}),
    };
  }

  /** The keys that the nodes accept, by the variables that they have them from. */
  private get keys(): [string, SecretKey][] {
    return Object.entries(KEY_VARIABLES).flatMap(([property, variable]): [string, SecretKey][] => {
      const key = this.props[property as keyof typeof KEY_VARIABLES];
      return key === undefined ? [] : [[variable, key]];
    });
  }

  /** What qdrant-start.sh reads. */
  private startEnv(): { [name: string]: EnvValue } {
    return { QDRANT_STORAGE: EnvValue.of(STORAGE), QDRANT_START_FILE: EnvValue.of(START_FILE) };
  }

  /** Lets a node find out how it starts before Qdrant does; find-cluster.mjs says why that takes a program. */
  private addMembership(): void {
    if (!this.distributed) {
      return;
    }
    const authority = `${TLS_DIRECTORY}/${this.certificate?.authority.key}`;
    const trust: { [name: string]: EnvValue } = this.tls ? { NODE_EXTRA_CA_CERTS: EnvValue.of(authority) } : {};
    const name = 'find-cluster';
    const program = FIND_CLUSTER.container(DefaultImages.NODE, {
      ...this.startEnv(),
      POD_NAME: EnvValue.fromPod('metadata.name'),
      QDRANT_API_KEY: EnvValue.fromSecret(this.props.apiKey),
      QDRANT_NODE_URLS: this.nodeUrls(HTTP),
      QDRANT_PEER_URIS: this.nodeUrls(P2P),
      ...trust,
    });
    const mounts = [
      { volume: this.storageVolume, path: STORAGE, readOnly: true },
      { volume: this.initVolume, path: START_DIRECTORY },
      ...(this.tlsVolume === undefined
        ? []
        : [{ volume: this.tlsVolume, path: authority, subPath: this.certificate?.authority.key }]),
    ];
    this.workload.addInitContainer({ ...program, name, mounts });
    this.workload.addConfigFiles(FIND_CLUSTER.files, name);
  }

  private createCertificate(): CertificateKeys | undefined {
    if (this.props.tls === undefined) {
      return undefined;
    }
    const { tls, secretRotation = SecretRotation.RELOADER } = this.props;
    if (tls.renewed && secretRotation !== SecretRotation.RELOADER) {
      throw new UsageError(
        `is ${secretRotation.name}, but the certificate is renewed when nobody renders, and is read only at start; leave ` +
          'it out, so that Reloader restarts the nodes',
        { scope: this, property: 'secretRotation' },
      );
    }
    if (tls.renewed && !Cluster.of(this).reloader) {
      throw new UsageError(
        'is renewed by cert-manager, but Qdrant reads the certificate of gRPC and of its own protocol only at start, ' +
          'so the cluster would fall apart when the first one expires; declare reloader in the cluster, or use a ' +
          'Secret that exists',
        { scope: this, property: 'tls' },
      );
    }
    const keys = tls._bindServer(this, this.workload.metadata(), this.dnsNames(), [
      CertificateUsage.SERVER_AUTH,
      // Nodes are clients of one another.
      CertificateUsage.CLIENT_AUTH,
    ]);
    this.tlsVolume = Volume.secret(TLS_VOLUME, [keys.certificate, keys.privateKey, keys.authority]);
    this.workload.addVolume({ volume: this.tlsVolume, path: TLS_DIRECTORY });
    return keys;
  }

  /** Every name by which clients and nodes address the server. */
  private dnsNames(): string[] {
    const suffix = `${this.workload.namespace}.svc`;
    const qualified = [suffix, `${suffix}.${Cluster.of(this).domain}`];
    // A wildcard with a single label after it matches nothing, so nodes are addressed by longer names.
    return [
      this.name,
      ...qualified.map((end) => `${this.name}.${end}`),
      ...qualified.map((end) => `*.${this.headlessName}.${end}`),
    ];
  }

  private createHeadlessService(): k8s.KubeService {
    return this.workload.addService({
      name: this.headlessName,
      ports: [...this.clientPorts, ...(this.distributed ? [P2P] : [])],
      headless: true,
      // Nodes find one another before any of them is ready.
      publishNotReadyAddresses: true,
    });
  }

  private addConfig(): void {
    this.workload.addConfigFiles({
      [`${HOME}/config/production.yaml`]: stringify(this.config(), { sortMapEntries: true }),
      ...(this.distributed ? { [START_PATH]: START } : {}),
    });
  }

  /** Settings that differ from Qdrant's own; the image's config.yaml has the others. */
  private config(): object {
    const { audit } = this.props;
    const tls = this.props.tls !== undefined;
    return {
      telemetry_disabled: true,
      ...(audit === undefined ? {} : { audit: auditConfig(this, audit) }),
      service: {
        metrics_port: METRICS.number,
        // Only browsers need it, and none should reach a database.
        enable_cors: false,
        // It would fetch any URL that a client with the key names.
        enable_snapshot_url_recovery: false,
        // A person who can sign a token has the key. Nodes that accept tokens before there are any, and after, let clients
        // change from the key to a token and back without a rollout of the nodes.
        jwt_rbac: true,
        ...(tls ? { enable_tls: true } : {}),
        ...(this.distributed ? { enforce_internal_auth: true } : {}),
      },
      ...(tls ? { tls: this.tlsConfig() } : {}),
      ...(this.distributed
        ? {
            cluster: { enabled: true, p2p: { port: P2P.number, ...(tls ? { enable_tls: true } : {}) } },
          }
        : {}),
      storage: {
        // Writes are refused while the disk still has room for a merge of segments; a full disk stops the node.
        quotas: { enabled: true, max_disk_usage_percent: MAX_DISK_PERCENT },
        // Where snapshots are built and unpacked; Qdrant's own choice is on the volume of the data and could fill it.
        temp_path: './snapshots/tmp',
        ...(this.distributed ? { collection: { replication_factor: this.replicationFactor } } : {}),
        ...(this.bucket === undefined ? {} : snapshotSettings(this.bucket)),
      },
    };
  }

  private tlsConfig(): object {
    return {
      cert: `${TLS_DIRECTORY}/tls.crt`,
      key: `${TLS_DIRECTORY}/tls.key`,
      ca_cert: `${TLS_DIRECTORY}/ca.crt`,
    };
  }

  private addChangeRules(): void {
    const { namespace, name } = this.workload;
    const store = { namespace, name };
    for (const rule of [...qdrantChanges(store), keysOverlap(store), tlsStays(store)]) {
      ChangeRules.of(this).add(rule);
    }
  }

  private createDrain(): QdrantDrain | undefined {
    const { drain } = this.props;
    if (drain === undefined) {
      return undefined;
    }
    const construct = new QdrantDrain(this, 'Drain', { store: this, name: this.name, nodes: this.nodes, drain });
    this.capacity.checkDrain(construct.to);
    return construct;
  }

  private createRepair(): QdrantRepair | undefined {
    const { repair } = this.props;
    if (repair !== undefined && !this.distributed) {
      throw new UsageError('is set, but a single node is in no cluster; restore its snapshots instead', {
        scope: this,
        property: 'repair',
      });
    }
    if (repair !== undefined && this.drain !== undefined) {
      throw new UsageError(
        'is set together with drain, but a repair waits until every node is a member, and a drain removes some; finish the ' +
          'drain and lower nodes first',
        { scope: this, property: 'repair' },
      );
    }
    return repair && new QdrantRepair(this, 'Repair', { store: this, name: `${this.name}-repair`, repair });
  }

  private createSnapshots(): QdrantSnapshots | undefined {
    const { snapshots: schedule } = this.props;
    if (this.bucket !== undefined) {
      this.workload.uses(snapshotAccess(this.bucket));
    }
    return schedule === undefined
      ? undefined
      : new QdrantSnapshots(this, 'Snapshots', { store: this, schedule, name: `${this.name}-snapshots` });
  }

  /** Nodes exchange consensus messages on the p2p port, and whole shards by REST and gRPC. */
  private connectNodes(): void {
    if (this.distributed) {
      this.workload.networkPolicy.allowTo({ to: this.workload.pods, ports: [HTTP, GRPC, P2P] });
    }
  }
}
