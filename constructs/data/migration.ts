import { Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { Image } from '../workload/image';
import { Job, type JobTries } from '../workload/job';
import type { PodUser } from '../workload/pod-template';
import type { IProvider, Offer } from '../workload/provider';
import type { Resources } from '../workload/resources';
import { Volume } from '../workload/volume';
import type { ProgramOptions } from '../workload/workload';
import type { IPostgres, PostgresLogin } from './postgres-access';

/** What brings the schema of a database to what a release of the API expects. */
export interface MigrationProps extends ProgramOptions, JobTries {
  /**
   * The database whose schema it is: a {@link Postgres}, a {@link PostgresCluster}, an {@link ExternalPostgres}. Not
   * the way through PgBouncer: most programs take a lock for a session, so that no two migrate at a time.
   */
  readonly database: IPostgres;

  /**
   * Who migrates: a user who may change the schema, so that clients can be one who may not.
   * @default - the same as clients
   */
  readonly login?: PostgresLogin;

  /** What runs; as a rule the image of the API, so that both are of one release. */
  readonly image: Image;

  /**
   * Program and first arguments: `['alembic', 'upgrade', 'head']`. It runs at every sync, so it must find out by
   * itself that nothing is to be done, and must go on after a run that broke off.
   */
  readonly command: string[];

  /**
   * Arguments.
   * @default - none
   */
  readonly args?: string[];

  /**
   * Time after which it is stopped and has failed. A sync is not over before it ends.
   * @default Duration.minutes(15)
   */
  readonly deadline?: Duration;

  /**
   * What it asks for.
   * @default - 100m CPU and 256 MiB
   */
  readonly resources?: Resources;

  /**
   * Space for temporary files at `/tmp`; the image itself is read-only.
   * @default Size.mebibytes(256)
   */
  readonly temporaryStorage?: Size;

  /**
   * User and group of the process.
   * @default - user and group 10001
   */
  readonly user?: PodUser;
}

/**
 * A migration of a schema: a Job at every sync, after the database and before whoever uses it, `api.uses(migration)`.
 * The new schema is there while pods of the last release still run, and stays when the release is rolled back, so
 * both releases must get along with it.
 *
 * Source: Argo CD docs, "Resource Hooks".
 */
export class Migration extends Construct implements IProvider {
  /** The Job. */
  public readonly job: Job;

  public constructor(scope: Construct, id: string, props: MigrationProps) {
    super(scope, id);
    const { database, image, command, args, deadline, resources, temporaryStorage = Size.mebibytes(256) } = props;
    this.job = new Job(this, 'Resource', {
      ...props,
      component: 'migration',
      container: {
        image,
        command,
        args,
        resources: resources ?? { cpu: Cpu.millis(100), memory: Size.mebibytes(256) },
        mounts: [{ volume: Volume.scratch('tmp', temporaryStorage), path: '/tmp' }],
      },
      deadline: deadline ?? Duration.minutes(15),
    });
    this.job.uses(props.login === undefined ? database : database.as(props.login));
  }

  /** Lets it use these providers besides the database. */
  public uses(...providers: IProvider[]): void {
    this.job.uses(...providers);
  }

  /** Clients wait for it. What they need to connect is the database's to give, so they use that too. */
  public offerTo(): Offer {
    return { endpoints: [], env: {}, after: [this.job.pods] };
  }
}
