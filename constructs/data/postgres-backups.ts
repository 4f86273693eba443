import { Cron, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { UsageError } from '../rules/usage-error';
import type { Resources } from '../workload/resources';
import type { ObjectStore } from './object-store';

/** Where backups go and how long they are kept. */
export interface PostgresBackupsProps {
  /** The bucket, of any kind of store. The log of all changes goes there as well, so that any moment can be restored. */
  readonly to: ObjectStore;

  /** Days for which every moment can be restored, a whole number from 1. */
  readonly keepDays: number;

  /**
   * What the container asks for that writes them, beside the server in each instance. With too little memory it is killed
   * while it writes a backup; with too little CPU the log comes faster than it leaves, and its volume fills up.
   * @default - 200m CPU without a limit, and 1 GiB
   */
  readonly resources?: Resources;
}

/** Backups once a day. */
export interface DailyPostgresBackupsProps extends PostgresBackupsProps {
  /** Hour of the day in the operator's time zone, UTC as a rule, 0 to 23. */
  readonly hour: number;

  /**
   * Minute of the hour, 0 to 59.
   * @default 0
   */
  readonly minute?: number;
}

/**
 * Backups of small databases peak at 250 to 300 MiB (cozystack/cozystack #4220), those of large ones at more; how much more is an
 * estimate. What archives the log must be able to take what CPU there is.
 */
const RESOURCES: Resources = { cpu: Cpu.millis(200), memory: Size.gibibytes(1) };

/** When a {@link PostgresCluster} is backed up as a whole; between backups the log of changes is kept. */
export class PostgresBackups {
  /** Once a day. */
  public static daily(props: DailyPostgresBackupsProps): PostgresBackups {
    const { hour, minute = 0 } = props;
    checkWithin('hour', hour, 0, 23);
    checkWithin('minute', minute, 0, 59);
    return new PostgresBackups(Cron.schedule({ hour: String(hour), minute: String(minute) }), props);
  }

  /** Whenever the expression says: `Cron.schedule({ minute: '0', hour: '0-23/6' })`. */
  public static every(cron: Cron, props: PostgresBackupsProps): PostgresBackups {
    return new PostgresBackups(cron, props);
  }

  /** The bucket. */
  public readonly to: ObjectStore;
  /** Days for which every moment can be restored. */
  public readonly keepDays: number;
  /** What the container that writes them asks for. */
  public readonly resources: Resources;

  private constructor(
    private readonly cron: Cron,
    props: PostgresBackupsProps,
  ) {
    checkWithin('keepDays', props.keepDays, 1, 3650);
    this.to = props.to;
    this.keepDays = props.keepDays;
    this.resources = props.resources ?? RESOURCES;
  }

  /** The schedule as CloudNativePG takes it: with seconds before the minutes. */
  public get schedule(): string {
    return `0 ${this.cron.expressionString}`;
  }
}

function checkWithin(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new UsageError(`is ${value}, but must be a whole number from ${least} to ${most}`, {
      property: `backups.${name}`,
    });
  }
}
