import type { Duration } from 'cdk8s';
import { UsageError, type UsageErrorSite } from '../rules/usage-error';
import type { IClient } from '../workload/provider';

/** Time that a task has beyond what it is said to take, where a message proposes one. */
const MARGIN_SECONDS = 300;

/** When a queue hands a task that was taken and not acknowledged to another worker. */
export interface Redelivery {
  /** Time after which it does so. */
  readonly after: Duration;
  /** The longest such time that the queue can have; undefined where there is no limit worth a check. */
  readonly most?: Duration;
  /** Says what to do: `raise it to at least <time>`. */
  readonly wayOut: (least: string) => string;
  /** The property that says the time. */
  readonly site: UsageErrorSite;
}

/**
 * Refuses a client whose longest task takes longer than the queue waits for it, so that it would run several times.
 *
 * @param client who takes tasks; one that only sends them has no longest task
 */
export function checkRedelivery(client: IClient, { after, most, wayOut, site }: Redelivery): void {
  const { longestTask } = client;
  if (longestTask === undefined || longestTask.toSeconds() < after.toSeconds()) {
    return;
  }
  const least = longestTask.toSeconds() + MARGIN_SECONDS;
  const seconds = `${longestTask.toSeconds()}s`;
  if (most !== undefined && least > most.toSeconds()) {
    throw new UsageError(
      `can be at most ${most.toSeconds()}s, but a task takes up to ${seconds} and would run several times; take another ` +
        'queue, or divide the task and lower longestTask',
      site,
    );
  }
  throw new UsageError(
    `is ${after.toSeconds()}s, but a task takes up to ${seconds} and would run several times; ` +
      `${wayOut(`${least}s`)}, or lower longestTask`,
    site,
  );
}
