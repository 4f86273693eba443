import { Construct } from 'constructs';
import { CronJob } from '../workload/cron-job';
import { EnvValue } from '../workload/env-value';
import { type QdrantAccess, QdrantProgram } from './qdrant-program';
import type { SnapshotSchedule } from './snapshot-schedule';

/** Which database takes snapshots, and when. */
export interface QdrantSnapshotsProps {
  /** The database. */
  readonly store: QdrantAccess;
  /** When, and what becomes of them. */
  readonly schedule: SnapshotSchedule;
  /** Name of the CronJob. */
  readonly name: string;
}

/**
 * Has every node take a snapshot of every collection, and deletes those beyond the number to keep when all of
 * them have. A run that failed is not repeated, because each try would take more space; the next one is. The collection
 * remembers in its metadata how many points it had at each run. When there are far fewer than before, points may have
 * been lost: the run fails and deletes nothing.
 *
 * Source: Qdrant 1.19 docs, "Snapshots".
 */
export class QdrantSnapshots extends Construct {
  /** The CronJob. */
  public readonly cronJob: CronJob;

  public constructor(scope: Construct, id: string, props: QdrantSnapshotsProps) {
    super(scope, id);
    const { store, schedule, name } = props;
    const program = QdrantProgram.forEveryNode(store, 'take-snapshots.mjs');
    this.cronJob = new CronJob(this, 'Resource', {
      ...schedule.job,
      name,
      schedule: schedule.cron,
      timeZone: schedule.timeZone,
      container: program.container({
        SNAPSHOTS_KEEP: EnvValue.of(String(schedule.keep)),
        SNAPSHOTS_TOLERANCE_PERCENT: EnvValue.of(String(schedule.tolerance)),
        SNAPSHOT_STORAGE: EnvValue.of(schedule.to === undefined ? 'local' : 's3'),
        ...(schedule.mayShrink ? { SNAPSHOTS_MAY_SHRINK: EnvValue.of('true') } : {}),
      }),
      ...program.jobProps(schedule.deadline),
      retries: schedule.job.retries ?? 0,
    });
    program.addTo(this.cronJob);
  }
}
