import type { Duration } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-28';

/** What an autoscaler scales. */
export interface ScaleTarget {
  /** Kind of the workload, in `apps/v1`. */
  readonly kind: string;
  /** Name of the workload. */
  readonly name: string;
  /** Metadata of an object that is applied with the workload. */
  readonly metadata: k8s.ObjectMeta;
  /**
   * Time in which work that a pod has lost comes back, unseen by triggers until then.
   * @default - triggers see all work
   */
  readonly longestWork?: Duration;
}
