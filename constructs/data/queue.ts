import type { IBacklog } from '../scaling/scaling-trigger';
import type { IProvider } from '../workload/provider';

/** A queue between API and workers: something to use, and to scale on. */
export interface IQueue extends IProvider {
  /** A list in it that fills when workers are behind. */
  list(name: string): IBacklog;
}
