import type { IBacklog } from '../scaling/scaling-trigger';
import type { IProvider } from '../workload/provider';

/** A queue between API and workers: something to use, and to scale on. */
export interface IQueue extends IProvider {
  /**
   * What waits in it when workers are behind.
   *
   * @param name the list, queue or topic; without it the one that workers take their tasks from, which is `celery`
   * where Celery says so
   */
  list(name?: string): IBacklog;
}

/** The queue that Celery uses unless told otherwise (Celery docs, "Configuration and defaults", `task_default_queue`). */
export const CELERY_QUEUE = 'celery';
