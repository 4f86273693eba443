import type { Duration } from 'cdk8s';
import { UsageError } from '../rules/usage-error';
import { checkPace, type ScalingPace } from './scaling-pace';

/** Bounds of an autoscaler. */
export interface ScalingBounds {
  /** Fewest pods. */
  readonly min: number;

  /** Most pods. */
  readonly max: number;

  /**
   * How fast pods may be added.
   * @default - Kubernetes' own
   */
  readonly up?: ScalingPace;

  /**
   * How fast pods may be removed.
   * @default - Kubernetes' own
   */
  readonly down?: ScalingPace;
}

/** How KEDA scales, whatever it scales on. */
export interface EventScalingOptions extends ScalingBounds {
  /**
   * Time without work after which the last pod goes, when `min` is 0.
   * @default Duration.minutes(5), KEDA's own
   */
  readonly cooldown?: Duration;

  /**
   * Pods while a trigger cannot be read three times in a row.
   * @default - the number of pods stays what it is
   */
  readonly fallbackReplicas?: number;
}

/** Refuses bounds that a HorizontalPodAutoscaler would refuse. */
export function checkHorizontalScaling(bounds: ScalingBounds): void {
  checkBounds(bounds, 1);
}

/** Refuses options that KEDA would refuse. */
export function checkEventScaling(options: EventScalingOptions): void {
  checkBounds(options, 0);
  if (options.fallbackReplicas !== undefined) {
    checkCount('scaling.fallbackReplicas', options.fallbackReplicas, 0);
  }
}

/** Refuses what is no number of pods. */
export function checkCount(property: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new UsageError(`is ${value}, but must be a whole number from ${least}`, { property });
  }
}

function checkBounds({ min, max, up, down }: ScalingBounds, least: number): void {
  checkPace('scaling.up', up);
  checkPace('scaling.down', down);
  checkCount('scaling.min', min, least);
  checkCount('scaling.max', max, 1);
  if (min > max) {
    throw new UsageError(`is ${min}, above max, which is ${max}; lower min or raise max`, { property: 'scaling.min' });
  }
}
