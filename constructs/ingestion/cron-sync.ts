import { type Cron, Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { CronJob } from '../workload/cron-job';
import type { JobTries } from '../workload/job';
import type { IProvider } from '../workload/provider';
import { type IngestionProgramProps, programContainer } from './ingestion-program';

/** What brings the collection up to date with its sources, and when. */
export interface CronSyncProps extends IngestionProgramProps, JobTries {
  /** When it runs. */
  readonly schedule: Cron;

  /**
   * Time zone of the schedule, an IANA name.
   * @default "Etc/UTC"
   */
  readonly timeZone?: string;

  /**
   * How late a run may start, after the controller was down or the last run took too long. A run that could not start
   * by then is left out, and the next one finds what it would have found.
   * @default Duration.minutes(10)
   */
  readonly startingDeadline?: Duration;

  /**
   * Time after which a run is stopped and has failed. No other run starts while one is going, so without an end a run
   * that hangs would be the last.
   * @default Duration.hours(1)
   */
  readonly deadline?: Duration;
}

/**
 * A look at the sources again and again, for what is new, changed or gone. Two runs at a time would do the same work, and
 * the older one could undo what the newer one did, so they never overlap.
 */
export class CronSync extends Construct {
  /** The CronJob. */
  public readonly cronJob: CronJob;

  public constructor(scope: Construct, id: string, props: CronSyncProps) {
    super(scope, id);
    this.cronJob = new CronJob(this, 'Resource', {
      ...props,
      component: 'ingestion',
      container: programContainer(props),
      deadline: props.deadline ?? Duration.hours(1),
      overlap: false,
    });
  }

  /** Lets it use these providers. */
  public uses(...providers: IProvider[]): void {
    this.cronJob.uses(...providers);
  }
}
