import { Duration, Size } from 'cdk8s';
import { Cpu, type k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { DefaultImages } from '../default-images';
import type { Port } from '../network/port';
import { ChangeRules } from '../rules/change-rules';
import { UsageError } from '../rules/usage-error';
import type { SecretKey } from '../secrets/secret-key';
import type { MainContainerProps } from '../workload/container';
import { EnvValue } from '../workload/env-value';
import type { Image } from '../workload/image';
import { Probe } from '../workload/probe';
import type { IClient, IProvider, Offer } from '../workload/provider';
import type { Resources } from '../workload/resources';
import { StatefulSet } from '../workload/stateful-set';
import { Volume } from '../workload/volume';
import type { WorkloadOptions } from '../workload/workload';
import { checkIdentifier, type IPostgres, PostgresAccess, type PostgresLogin } from './postgres-access';
import { postgresChanges } from './postgres-changes';
import { PostgresSettings } from './postgres-settings';

/** A PostgreSQL of one pod. */
export interface PostgresProps extends WorkloadOptions {
  /**
   * Password of the user, which External Secrets may give any characters; from other sources letters, digits, `-` and
   * `_`, because it stands in a URL. It is set when the volume is empty; who changes it later changes it in the database
   * as well.
   */
  readonly password: SecretKey;

  /**
   * Name of the database, which is created with the volume: lower-case letters, digits and `_`.
   * @default "app"
   */
  readonly database?: string;

  /**
   * The user, who may do everything: lower-case letters, digits and `_`.
   * @default "app"
   */
  readonly user?: string;

  /**
   * What it asks for, from 128 MiB; a quarter of the memory is for shared pages.
   * @default - 250m CPU and 512 MiB
   */
  readonly resources?: Resources;

  /**
   * Volume for the data.
   * @default Size.gibibytes(10)
   */
  readonly storage?: Size;

  /**
   * Storage class of the volume.
   * @default - the cluster's class for block volumes
   */
  readonly storageClass?: string;

  /**
   * Connections at the same time, from 10 to 5000.
   * @default 100
   */
  readonly maxConnections?: number;

  /**
   * More settings of the server, by name: `{ work_mem: '16MB' }`; none that says where it listens or where its data is.
   * @default - those that follow from the memory
   */
  readonly settings?: { readonly [setting: string]: string };

  /**
   * What runs, built like the official image for Debian; `DefaultImages.PGVECTOR` for vectors. Another major release
   * does not read the data of the last.
   * @default DefaultImages.POSTGRES
   */
  readonly image?: Image;
}

const PORT: Port = { name: 'postgres', number: 5432 };
const VOLUME = '/var/lib/postgresql/data';
const SOCKETS = '/var/run/postgresql';

/**
 * A single PostgreSQL, for development and for data that may be lost: nothing backs it up, and it is down while its
 * node is replaced. A {@link PostgresCluster} or a managed one takes its place.
 *
 * Source: docker-library/postgres; PostgreSQL docs, "initdb", "pg_isready", "Shutting Down the Server".
 */
export class Postgres extends Construct implements IPostgres {
  /** The StatefulSet and what belongs to it. */
  public readonly workload: StatefulSet;
  /** Service for clients. */
  public readonly service: k8s.KubeService;

  private readonly props: PostgresProps;
  private readonly database: string;
  private readonly user: string;
  private readonly resources: Resources;
  private readonly settings: PostgresSettings;
  private readonly access: PostgresAccess;

  public constructor(scope: Construct, id: string, props: PostgresProps) {
    super(scope, id);
    const { database = 'app', user = 'app', maxConnections = 100, settings = {} } = props;
    checkIdentifier(this, 'database', database);
    checkIdentifier(this, 'user', user);
    this.props = props;
    this.database = database;
    this.user = user;
    this.resources = props.resources ?? { cpu: Cpu.millis(250), memory: Size.mebibytes(512) };
    this.settings = new PostgresSettings(this, { memory: this.resources.memory, maxConnections, settings, fixed });
    this.workload = this.createStatefulSet();
    this.service = this.workload.addService({ ports: [PORT] });
    ChangeRules.of(this).add(postgresChanges(this.workload));
    this.access = new PostgresAccess({
      endpoint: this.workload.endpoint(PORT),
      database,
      user,
      password: props.password,
    });
  }

  public offerTo(client: IClient): Offer {
    return this.access.offerTo(client);
  }

  public get clientAccess(): IProvider {
    return this;
  }

  public named(prefix: string): IProvider {
    return this.access.named(prefix);
  }

  public as(login: PostgresLogin): IProvider {
    return this.access.as(login);
  }

  public ensureExtension(name: string): void {
    // Its user may create what the image has; the official one has what comes with PostgreSQL.
    if (name === 'vector' && this.image.repository === DefaultImages.POSTGRES.repository) {
      const { repository, tag } = DefaultImages.PGVECTOR;
      throw new UsageError(
        `is ${this.image.repository}, which does not have the extension "vector"; set it to one that has, ` +
          `such as ${repository} with the tag ${tag}, which is DefaultImages.PGVECTOR`,
        { scope: this, property: 'image' },
      );
    }
  }

  private get image(): Image {
    return this.props.image ?? DefaultImages.POSTGRES;
  }

  private createStatefulSet(): StatefulSet {
    const { storage = Size.gibibytes(10), storageClass } = this.props;
    return new StatefulSet(this, 'Resource', {
      ...this.props,
      component: 'database',
      container: this.container(),
      user: { uid: 999, gid: 999 },
      replicas: 1,
      serviceName: this.props.name ?? this.node.id,
      claims: [{ name: 'data', size: storage, storageClass }],
      // The image's signal to stop is SIGINT, at which connections are cut off and a checkpoint is written.
      gracePeriod: Duration.minutes(2),
    });
  }

  private container(): MainContainerProps {
    // While the image creates the database, a server answers on the socket alone: only TCP counts.
    const ready = Probe.exec(['pg_isready', '-h', '127.0.0.1', '-U', this.user, '-d', this.database, '-q'], {
      timeout: Duration.seconds(5),
    });
    return {
      image: this.image,
      args: Object.entries(this.settings.all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      env: {
        POSTGRES_DB: EnvValue.of(this.database),
        POSTGRES_USER: EnvValue.of(this.user),
        POSTGRES_PASSWORD: EnvValue.fromSecret(this.props.password),
        // The image would trust everybody in the pod.
        POSTGRES_INITDB_ARGS: EnvValue.of('--auth=scram-sha-256 --data-checksums'),
        // A new volume is not empty: it has lost+found, and initdb refuses it.
        PGDATA: EnvValue.of(`${VOLUME}/pgdata`),
      },
      ports: [PORT],
      resources: this.resources,
      // Recovery after a crash takes as long as there is log to replay.
      startup: ready.within(Duration.minutes(10)),
      readiness: ready,
      // After a crash of one process the server refuses everybody until it has recovered; a restart would start over.
      liveness: Probe.tcp(PORT, { failures: 6 }),
      mounts: [
        { volume: Volume.claim('data'), path: VOLUME },
        { volume: Volume.memory('sockets', Size.mebibytes(1)), path: SOCKETS },
        { volume: Volume.memory('shared-memory', this.settings.sharedMemory), path: '/dev/shm' },
        { volume: Volume.scratch('tmp', Size.mebibytes(64)), path: '/tmp' },
      ],
    };
  }
}

/** What is wrong with a setting that clients, probes and the volume rely on. */
function fixed(setting: string): string | undefined {
  return /^(port|listen_addresses|data_directory|ssl|ssl_.*)$/.test(setting)
    ? `has ${setting}, but where the server listens, whether connections are encrypted and where its data is are settled; ` +
        'leave it out'
    : undefined;
}
