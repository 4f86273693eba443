import type { Duration } from 'cdk8s';
import type { Construct } from 'constructs';
import { Migration, type MigrationProps } from '../constructs/data/migration';
import type { IPostgres } from '../constructs/data/postgres-access';
import { LONGEST_TASK } from '../constructs/ingestion/embedding-workers';
import { UsageError } from '../constructs/rules/usage-error';
import type { Image } from '../constructs/workload/image';
import type { IProvider } from '../constructs/workload/provider';
import { describedBy, withImageOf } from './described-by';

/** What brings the database of a platform to what a release of the API expects. */
export interface PlatformMigrationProps extends Omit<MigrationProps, 'database' | 'image' | 'name'> {
  /**
   * What runs.
   * @default - the image of the API
   */
  readonly image?: Image;

  /**
   * Hosts outside the cluster that it uses.
   * @default - none
   */
  readonly externals?: IProvider[];
}

/** What stands around the API and the vectors of a platform. Whatever runs it, its clients use it the same way. */
export interface PlatformDataProps {
  /**
   * The database of the API and of the ingestion. A function makes one in the platform:
   * `(scope) => new PostgresCluster(scope, 'database', { pooler: {} })`. With a pooler everything but the migration goes
   * through it.
   * @default - none
   */
  readonly database?: IPostgres | ((scope: Construct) => IPostgres);

  /**
   * What brings the schema of the database to what the API expects, at every sync, before its clients start.
   * @default - none
   */
  readonly migration?: PlatformMigrationProps;

  /**
   * The queue between API and workers: a provider that both use, such as a managed one. A function makes one in the
   * platform: `(scope) => new Redis(scope, 'queue', { password })`; it is given the time that the longest task takes.
   * @default - none
   */
  readonly queue?: IProvider | ((scope: Construct, longestTask: Duration) => IProvider);

  /**
   * What keeps what can be computed again, for the API and for the ingestion, which takes out what is no longer true.
   * A function makes one in the platform:
   * `(scope) => new Redis(scope, 'cache', { role: RedisRole.CACHE, password })`.
   * @default - none
   */
  readonly cache?: IProvider | ((scope: Construct) => IProvider);

  /**
   * Where the documents are: `ObjectStore.s3({ bucket, region })`. The ingestion reads them, and the API hands them out.
   * @default - none
   */
  readonly documentStore?: IProvider;
}

/** The services around a platform's API and vectors, each named like the setting that describes it. */
export class PlatformData {
  /** The database. */
  public readonly database?: IPostgres;
  /** The queue. */
  public readonly queue?: IProvider;
  /** What keeps what can be computed again. */
  public readonly cache?: IProvider;
  /** Where the documents are. */
  public readonly documentStore?: IProvider;
  /** What migrates the database. */
  public readonly migration?: Migration;

  public constructor(
    private readonly scope: Construct,
    props: PlatformDataProps,
    image: Image,
    longestTask: Duration = LONGEST_TASK,
  ) {
    const { database, queue, cache } = props;
    this.database = typeof database === 'function' ? database(scope) : database;
    this.queue = typeof queue === 'function' ? queue(scope, longestTask) : queue;
    this.cache = typeof cache === 'function' ? cache(scope) : cache;
    this.documentStore = props.documentStore;
    this.migration = this.createMigration(props.migration, image);
  }

  /** The way to the database that whoever has many connections takes. */
  public get databaseAccess(): IProvider | undefined {
    return this.database?.clientAccess;
  }

  /** What the API uses, and so does every program of the ingestion. */
  public get forPrograms(): IProvider[] {
    const { queue, databaseAccess, migration, cache, documentStore } = this;
    return [queue, databaseAccess, migration, cache, documentStore].filter((provider) => provider !== undefined);
  }

  private createMigration(props: PlatformMigrationProps | undefined, image: Image): Migration | undefined {
    const { scope, database } = this;
    if (props === undefined) {
      return undefined;
    }
    if (database === undefined) {
      throw new UsageError(
        'is set, but there is no database whose schema it could change; set database, or remove it',
        {
          scope,
          property: 'migration',
        },
      );
    }
    const setting = props.image === undefined ? withImageOf('api', 'migration') : 'migration';
    return describedBy(scope, setting, () => {
      const migration = new Migration(scope, 'migration', { image, ...props, database });
      migration.uses(...(props.externals ?? []));
      return migration;
    });
  }
}
