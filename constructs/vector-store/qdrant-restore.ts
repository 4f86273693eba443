import type { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { UsageError } from '../rules/usage-error';
import { EnvValue } from '../workload/env-value';
import { Job, type LibraryJobOptions } from '../workload/job';
import type { IProvider, Offer } from '../workload/provider';
import { type Qdrant, SNAPSHOT_DIRECTORY } from './qdrant';
import { QdrantProgram } from './qdrant-program';

/** What is brought back. */
export interface QdrantRestoreProps extends LibraryJobOptions {
  /** The database. Without `snapshots`, the snapshots on the volumes of its nodes are restored. */
  readonly store: Qdrant;

  /**
   * Name of the Job, a DNS label.
   * @default - the database's, with "-restore"
   */
  readonly name?: string;

  /**
   * Names of the collections. They must exist, empty: Qdrant lists the snapshots of a collection only while it
   * does. Where a `QdrantCollection` creates it, have the Job wait: `restore.job.uses(documents.administration)`.
   * @default - all that exist and have snapshots
   */
  readonly collections?: string[];

  /**
   * Point in time, ISO 8601 with a time zone: `2026-03-01T06:00:00Z`. The newest snapshots from before it are
   * restored.
   * @default - the newest snapshots; refused when the collection had far fewer points at their time than at an earlier
   * one, because points may have been lost before they were taken
   */
  readonly before?: string;

  /**
   * Whether collections that have points are restored too. What was written since then is lost. It needs `before`, and
   * each value of that is restored once, so later syncs do not overwrite again.
   * @default false; a collection that has points is left alone
   */
  readonly overwrite?: boolean;

  /**
   * Time that the Job may take.
   * @default Duration.hours(6)
   */
  readonly deadline?: Duration;
}

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/**
 * Brings collections back from snapshots. Add it when something is lost, and take it away when it is back: its
 * Job runs at every sync as long as it is there. Running again does no harm: collections that have points are
 * left alone, and a run that broke off is finished by the next.
 *
 * Each node restores its own snapshot; one on its volume in place, one in an object store through the Job.
 * Clients that must not start before use it: `api.uses(restore)`. Aliases are in no snapshot; collections of
 * this library get theirs at every sync.
 *
 * Source: Qdrant 1.19 docs, "Snapshots".
 */
export class QdrantRestore extends Construct implements IProvider {
  /** The Job. */
  public readonly job: Job;

  public constructor(scope: Construct, id: string, props: QdrantRestoreProps) {
    super(scope, id);
    this.check(props);
    const { store, name = `${store.workload.name}-restore`, deadline } = props;
    const program = QdrantProgram.forEveryNode(store, 'restore-snapshots.mjs');
    this.job = new Job(this, 'Resource', {
      ...props,
      name,
      container: program.streamingContainer(environmentOf(props)),
      ...program.jobProps(deadline),
    });
    program.addTo(this.job);
  }

  /** Nothing but the order: whoever uses it starts when the collections are back. */
  public offerTo(): Offer {
    return { endpoints: [], env: {}, after: [this.job.pods] };
  }

  private check({ collections, before, overwrite }: QdrantRestoreProps): void {
    checkCollections(this, collections);
    if (before !== undefined && !isTime(before)) {
      throw new UsageError(`is "${before}", but must be a time that exists, such as 2026-03-01T06:00:00Z`, {
        scope: this,
        property: 'before',
      });
    }
    if (overwrite === true && before === undefined) {
      throw new UsageError(
        'is true without before, so every sync would go back to the newest snapshots again; say from before when',
        { scope: this, property: 'overwrite' },
      );
    }
  }
}

/** Whether it is a time on a day that exists: JavaScript takes 30 February for 2 March. */
function isTime(text: string): boolean {
  const [date] = text.split('T') as [string];
  return (
    ISO.test(text) && Number.isFinite(Date.parse(text)) && new Date(`${date}T00:00Z`).toISOString().startsWith(date)
  );
}

/** What restore-snapshots.mjs reads. */
function environmentOf({ store, collections, before, overwrite }: QdrantRestoreProps): { [name: string]: EnvValue } {
  return {
    SNAPSHOT_STORAGE: EnvValue.of(store.snapshotStore === undefined ? 'local' : 's3'),
    SNAPSHOT_DIRECTORY: EnvValue.of(`file://${SNAPSHOT_DIRECTORY}`),
    SNAPSHOTS_TOLERANCE_PERCENT: EnvValue.of(String(store.snapshotTolerance)),
    ...(collections === undefined ? {} : { QDRANT_COLLECTIONS: EnvValue.of(collections.join(',')) }),
    ...(before === undefined ? {} : { RESTORE_BEFORE: EnvValue.of(before) }),
    ...(overwrite === true ? { RESTORE_OVERWRITE: EnvValue.of('true') } : {}),
  };
}

/** Refuses a list of collections that means nothing. */
export function checkCollections(scope: Construct, collections: string[] | undefined): void {
  if (collections?.length === 0) {
    throw new UsageError('is empty; leave it out for all collections', { scope, property: 'collections' });
  }
  const wrong = collections?.find((name) => name === '' || name.includes(','));
  if (wrong !== undefined) {
    throw new UsageError(`has "${wrong}", but a name has at least one letter and no ","`, {
      scope,
      property: 'collections',
    });
  }
}
