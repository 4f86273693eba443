import { type Cron, Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { Cluster } from '../placement/cluster';
import { blockStorageProblem } from '../placement/storage-class';
import { ExternalReferences } from '../rules/external-references';
import { dnsSubdomainProblem } from '../rules/object-name';
import { kibibytesOf, sizeText } from '../rules/quantity';
import { refuse, UsageError } from '../rules/usage-error';
import type { ContainerProps } from '../workload/container';
import { CronJob } from '../workload/cron-job';
import { EnvValue } from '../workload/env-value';
import type { LibraryJobOptions } from '../workload/job';
import { scriptFile } from '../workload/script-file';
import { Volume } from '../workload/volume';
import type { Qdrant } from './qdrant';
import type { QdrantResources } from './qdrant-capacity';
import { QdrantProgram } from './qdrant-program';
import { checkCollections } from './qdrant-restore';

/** Whose snapshots are tried out, and when. */
export interface QdrantRehearsalProps extends LibraryJobOptions {
  /** The database; it must take snapshots. */
  readonly of: Qdrant;

  /** When it runs. Soon after the snapshots: what is written in between makes the two counts differ. */
  readonly schedule: Cron;

  /**
   * Volume that comes and goes with the pod. It holds the largest collection, all shards of it, and beside that one
   * node's snapshot twice: as it came, and unpacked. Less than a sizing needs for all collections is refused; with
   * `collections`, it may be less.
   * @default - room for all that the database holds, as far as the sizing, or else its storage, says
   */
  readonly storage?: Size;

  /**
   * Storage class of the volume, of block volumes. Its reclaimPolicy must be Delete, or every run leaves a volume.
   * @default - the cluster's class for block volumes; name another one where the volumes of that stay
   */
  readonly storageClass?: string;

  /**
   * Name of the CronJob, a DNS label.
   * @default - the database's, with "-rehearsal"
   */
  readonly name?: string;

  /**
   * Time zone of the schedule, an IANA name.
   * @default "Etc/UTC"
   */
  readonly timeZone?: string;

  /**
   * Names of the collections.
   * @default - all
   */
  readonly collections?: string[];

  /**
   * What the Qdrant that is thrown away asks for. It holds one collection at a time, all shards of it.
   * @default - 1 CPU, and memory of the nodes for one copy of all shards
   */
  readonly resources?: QdrantResources;

  /**
   * Whether collections may have no points. Otherwise that is a failure, because nothing is proved by it, and what
   * there was may be lost.
   * @default false
   */
  readonly allowEmpty?: boolean;

  /**
   * How far the count of what came back may be from the count of what is there, in percent of the latter, 0 to
   * 100: writes go on after a snapshot.
   * @default 5
   */
  readonly tolerance?: number;

  /**
   * Time that a run may take.
   * @default Duration.hours(6)
   */
  readonly deadline?: Duration;
}

/** Time to read what a run has said; its volume is there until then. */
const KEPT = Duration.hours(12);

const PORT = 6333;
const PEER_PORT = 6335;
const STORAGE = '/qdrant/storage';
const RUN = '/run/rehearsal';
const DONE = { REHEARSAL_DONE: EnvValue.of(`${RUN}/done`) };

/**
 * Proves again and again that the snapshots can be restored: brings the newest ones back into a Qdrant of its
 * own, of the same version, counts the points, and fails when they are not as many as the database has. It only
 * reads from the database.
 *
 * One copy of every shard is on one node here, so it takes more memory and disk than a node of the database. The disk
 * is a volume that goes with the pod.
 *
 * Qdrant runs as a plain second container that ends with the program: native sidecars begin with Kubernetes 1.29.
 */
export class QdrantRehearsal extends Construct {
  /** The CronJob. */
  public readonly cronJob: CronJob;

  public constructor(scope: Construct, id: string, props: QdrantRehearsalProps) {
    super(scope, id);
    this.check(props);
    const { of: store, name = `${store.workload.name}-rehearsal` } = props;
    const run = Volume.memory('run', Size.mebibytes(1));
    const program = QdrantProgram.forEveryNode(store, 'rehearse-snapshots.mjs');
    this.cronJob = new CronJob(this, 'Resource', {
      ...props,
      name,
      schedule: props.schedule,
      timeZone: props.timeZone,
      container: { ...program.streamingContainer(environmentOf(props)), mounts: [{ volume: run, path: RUN }] },
      ...program.jobProps(props.deadline),
      keptFor: KEPT,
      retries: props.retries ?? 0,
    });
    program.addTo(this.cronJob);
    const storage = Volume.ephemeral('storage', props.storage ?? neededStorage(store), this.storageClass(props));
    this.cronJob.addContainer(throwAway(props, run, storage));
  }

  private storageClass({ storageClass }: QdrantRehearsalProps): string | undefined {
    const { block, shared } = Cluster.of(this).storage;
    const name = storageClass ?? block;
    if (name === undefined) {
      return undefined;
    }
    refuse(dnsSubdomainProblem(name) ?? blockStorageProblem(name, shared, block), {
      scope: this,
      property: 'storageClass',
    });
    ExternalReferences.of(this).declare({ kind: 'StorageClass', name });
    return name;
  }

  private check({ of: store, collections, storage, tolerance = 5 }: QdrantRehearsalProps): void {
    checkCollections(this, collections);
    this.checkStorage(store, collections === undefined ? storage : undefined);
    if (!(Number.isFinite(tolerance) && tolerance >= 0 && tolerance <= 100)) {
      throw new UsageError(`is ${tolerance}, but must be from 0 to 100`, { scope: this, property: 'tolerance' });
    }
    if (store.snapshots === undefined) {
      throw new UsageError(`is ${store.workload.name}, which takes no snapshots; set its snapshots`, {
        scope: this,
        property: 'of',
      });
    }
  }

  /** A sizing says what there is; without one, half of a node's volume is only a guess. */
  private checkStorage(store: Qdrant, storage: Size | undefined): void {
    const needed = neededStorage(store);
    if (store.sizing === undefined || storage === undefined || kibibytesOf(storage) >= kibibytesOf(needed)) {
      return;
    }
    const { nodes, replicationFactor, snapshotSize } = store;
    throw new UsageError(
      `is ${sizeText(storage)}, but one copy of all shards and twice the snapshot of a node need (${nodes} nodes ÷ ` +
        `${replicationFactor} copies + 2) × ${sizeText(snapshotSize)} = ${sizeText(needed)}; raise it, or leave it out`,
      { scope: this, property: 'storage' },
    );
  }
}

/** What rehearse-snapshots.mjs reads. */
function environmentOf(props: QdrantRehearsalProps): { [name: string]: EnvValue } {
  const { of: store, collections, tolerance = 5, allowEmpty } = props;
  return {
    ...DONE,
    REHEARSAL_URL: EnvValue.of(`http://127.0.0.1:${PORT}`),
    REHEARSAL_TOLERANCE_PERCENT: EnvValue.of(String(tolerance)),
    SNAPSHOT_STORAGE: EnvValue.of(store.snapshotStore === undefined ? 'local' : 's3'),
    ...(collections === undefined ? {} : { QDRANT_COLLECTIONS: EnvValue.of(collections.join(',')) }),
    ...(allowEmpty === true ? { REHEARSAL_ALLOW_EMPTY: EnvValue.of('true') } : {}),
  };
}

/** A cluster of one node that only the program beside it can reach. */
function throwAway({ of: store, resources }: QdrantRehearsalProps, run: Volume, storage: Volume): ContainerProps {
  return {
    name: 'throw-away',
    image: store.image,
    command: ['sh', '-c', scriptFile(__dirname, 'qdrant-throw-away.sh')],
    env: {
      ...DONE,
      // A Qdrant in no cluster refuses the snapshot of a node that does not hold every shard.
      QDRANT__CLUSTER__ENABLED: EnvValue.of('true'),
      QDRANT__CLUSTER__P2P__PORT: EnvValue.of(String(PEER_PORT)),
      REHEARSAL_PEER_URI: EnvValue.of(`http://127.0.0.1:${PEER_PORT}`),
      QDRANT__SERVICE__HOST: EnvValue.of('127.0.0.1'),
      QDRANT__TELEMETRY_DISABLED: EnvValue.of('true'),
      // Beside the data, so that one volume is enough.
      QDRANT__STORAGE__SNAPSHOTS_PATH: EnvValue.of(`${STORAGE}/snapshots`),
      QDRANT_INIT_FILE_PATH: EnvValue.of(`${RUN}/.qdrant-initialized`),
    },
    resources: {
      ...resources,
      cpu: resources?.cpu ?? Cpu.units(1),
      memory: resources?.memory ?? times(store.resources.memory, shareOfOneCopy(store)),
    },
    mounts: [
      { volume: storage, path: STORAGE },
      { volume: run, path: RUN },
    ],
  };
}

/** One copy of every shard, in shares of a node. */
function shareOfOneCopy({ nodes, replicationFactor }: Qdrant): number {
  return nodes / replicationFactor;
}

/** One copy of every shard, and the snapshot of a node as it came and unpacked. */
function neededStorage(store: Qdrant): Size {
  return times(store.snapshotSize, shareOfOneCopy(store) + 2);
}

/** In whole GiB. */
function times(size: Size, factor: number): Size {
  return Size.gibibytes(Math.ceil((kibibytesOf(size) * factor) / 1024 ** 2));
}
