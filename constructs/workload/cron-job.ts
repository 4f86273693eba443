import { type Cron, Duration, Lazy } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { SyncWave } from '../network/sync-wave';
import { cronProblem } from '../rules/cron-fields';
import { isTimeZone, secondsOf } from '../rules/time-span';
import { refuse, UsageError } from '../rules/usage-error';
import { type JobRunProps, jobSpec } from './job';
import { Workload, type WorkloadProps } from './workload';

/** Work that is done again and again. */
export interface CronJobProps extends WorkloadProps, JobRunProps {
  /** When it is done. */
  readonly schedule: Cron;

  /**
   * Time zone of the schedule, an IANA name.
   * @default "Etc/UTC"
   */
  readonly timeZone?: string;

  /**
   * How late a run may start, after the controller was down or the last run took too long.
   * @default Duration.minutes(10)
   */
  readonly startingDeadline?: Duration;

  /**
   * Time that a run is kept after its end, with its logs and with volumes that go with its pod.
   * @default - until three more have succeeded, or failed like it
   */
  readonly keptFor?: Duration;

  /**
   * Whether a run may start while the last one is still going.
   * @default false
   */
  readonly overlap?: boolean;
}

/** A CronJob with its ServiceAccount and network policy. */
export class CronJob extends Workload {
  /** The CronJob. */
  public readonly cronJob: k8s.KubeCronJob;

  public constructor(scope: Construct, id: string, props: CronJobProps) {
    super(scope, id, 'CronJob', { ...props, restartPolicy: 'Never' });
    this.claimAccelerators(1);
    const { timeZone = 'Etc/UTC' } = props;
    refuse(cronProblem(props.schedule.expressionString), { scope: this, property: 'schedule' });
    checkTimeZone(this, timeZone);
    const metadata = this.workloadMetadata();
    this.cronJob = new k8s.KubeCronJob(this, 'Resource', {
      metadata: { ...metadata, annotations: { ...metadata.annotations, ...SyncWave.LAST.annotations } },
      spec: {
        schedule: props.schedule.expressionString,
        timeZone,
        concurrencyPolicy: props.overlap === true ? 'Allow' : 'Forbid',
        startingDeadlineSeconds: secondsOf(props.startingDeadline ?? Duration.minutes(10), {
          scope: this,
          property: 'startingDeadline',
        }),
        successfulJobsHistoryLimit: 3,
        failedJobsHistoryLimit: 3,
        jobTemplate: { spec: this.runSpec(props) },
      },
    });
  }

  private runSpec(props: CronJobProps): k8s.JobSpec {
    const spec = jobSpec(this, props, Lazy.any({ produce: () => this.template.render() }));
    const { keptFor } = props;
    return keptFor === undefined
      ? spec
      : { ...spec, ttlSecondsAfterFinished: secondsOf(keptFor, { scope: this, property: 'keptFor' }) };
  }
}

function checkTimeZone(scope: Construct, timeZone: string): void {
  if (!isTimeZone(timeZone)) {
    throw new UsageError(`is "${timeZone}", but must be an IANA name, such as Europe/Berlin`, {
      scope,
      property: 'timeZone',
    });
  }
}
