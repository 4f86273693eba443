import { Cron, type Duration } from 'cdk8s';
import type { ObjectStore } from '../data/object-store';
import { UsageError } from '../rules/usage-error';
import type { LibraryJobOptions } from '../workload/job';

/** Percent of the points that may be gone since an older snapshot, where a schedule does not say it. */
export const DEFAULT_TOLERANCE = 10;

/** What happens to snapshots, whenever they are taken. */
export interface SnapshotScheduleProps extends LibraryJobOptions {
  /**
   * Snapshots of each collection that each node keeps, a whole number from 1. Older ones are deleted, but only
   * when every node has a new one.
   */
  readonly keep: number;

  /**
   * Where they are kept, `ObjectStore.s3`: Qdrant speaks no other protocol. Keys in the bucket begin with `snapshots/`, and
   * then the prefix: `snapshots/production/<collection>/<name>`. A snapshot that stays in the cluster does
   * not survive it.
   * @default - the snapshot volume of each node
   */
  readonly to?: ObjectStore;

  /**
   * How many percent fewer points a collection may have than it had when an older snapshot was taken, 0 to 100. With
   * fewer, points may have been lost, so the run fails and deletes nothing: the older snapshots may be the last good ones.
   * @default 10
   */
  readonly tolerance?: number;

  /**
   * Turns off the check of `tolerance`. Set it after points were deleted on purpose, and remove it when the snapshots from
   * before are gone.
   * @default false
   */
  readonly mayShrink?: boolean;

  /**
   * Time zone of the schedule, an IANA name.
   * @default "Etc/UTC"
   */
  readonly timeZone?: string;

  /**
   * Time after which a run has failed.
   * @default Duration.hours(6)
   */
  readonly deadline?: Duration;
}

/** Snapshots once a day. */
export interface DailySnapshotsProps extends SnapshotScheduleProps {
  /** Hour of the day, 0 to 23. */
  readonly hour: number;

  /**
   * Minute of the hour, 0 to 59.
   * @default 0
   */
  readonly minute?: number;
}

/** When a database takes snapshots of itself, and what becomes of them. */
export class SnapshotSchedule {
  /** Once a day. */
  public static daily(props: DailySnapshotsProps): SnapshotSchedule {
    const { hour, minute = 0 } = props;
    checkWithin('hour', hour, 23);
    checkWithin('minute', minute, 59);
    return new SnapshotSchedule(Cron.schedule({ hour: String(hour), minute: String(minute) }), props);
  }

  /** Whenever the expression says: `Cron.schedule({ minute: '0', hour: '0-23/4' })`. */
  public static every(cron: Cron, props: SnapshotScheduleProps): SnapshotSchedule {
    return new SnapshotSchedule(cron, props);
  }

  /** Snapshots of each collection that each node keeps. */
  public readonly keep: number;
  /** Where they are kept; undefined for the snapshot volume of each node. */
  public readonly to?: ObjectStore;
  /** How many percent fewer points a collection may have than when an older snapshot was taken. */
  public readonly tolerance: number;
  /** Whether a collection may have any number of points fewer than before. */
  public readonly mayShrink: boolean;
  /** Time zone of the schedule. */
  public readonly timeZone?: string;
  /** Time after which a run has failed. */
  public readonly deadline?: Duration;
  /** How the pods of a run are run. */
  public readonly job: LibraryJobOptions;

  private constructor(
    /** When they are taken. */
    public readonly cron: Cron,
    props: SnapshotScheduleProps,
  ) {
    if (!Number.isInteger(props.keep) || props.keep < 1) {
      throw new UsageError(`is ${props.keep}, but must be a whole number from 1`, { property: 'snapshots.keep' });
    }
    const { tolerance = DEFAULT_TOLERANCE } = props;
    if (!(Number.isFinite(tolerance) && tolerance >= 0 && tolerance <= 100)) {
      throw new UsageError(`is ${tolerance}, but must be from 0 to 100`, { property: 'snapshots.tolerance' });
    }
    this.keep = props.keep;
    this.to = props.to;
    this.tolerance = tolerance;
    this.mayShrink = props.mayShrink ?? false;
    this.timeZone = props.timeZone;
    this.deadline = props.deadline;
    this.job = props;
  }
}

function checkWithin(name: string, value: number, most: number): void {
  if (!Number.isInteger(value) || value < 0 || value > most) {
    throw new UsageError(`is ${value}, but must be a whole number from 0 to ${most}`, {
      property: `snapshots.${name}`,
    });
  }
}
