import type { Duration } from 'cdk8s';
import { secondsOf } from '../rules/time-span';
import { UsageError } from '../rules/usage-error';
import { checkWholeNumber } from '../rules/whole-number';
import { checkPace, type ScalingPace } from './scaling-pace';
import type { ScalingTrigger } from './scaling-trigger';

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
   * @default - 5 minutes, KEDA's own; for workers whose lost tasks come back later, that time
   */
  readonly cooldown?: Duration;

  /**
   * Pods while a trigger cannot be read three times in a row, at most `max`. Workers that are there become so many; that
   * KEDA starts the first one then is not certain (kedacore/keda #7239), so with a `min` of 0 it may change nothing.
   * @default - the number of pods stays what it is
   */
  readonly fallbackReplicas?: number;
}

/** Refuses bounds that a HorizontalPodAutoscaler would refuse. */
export function checkHorizontalScaling(bounds: ScalingBounds): void {
  checkBounds(bounds, 1);
}

/** Refuses options that KEDA would refuse, and numbers of pods that `max` would not let it reach. */
export function checkEventScaling(options: EventScalingOptions, triggers: readonly ScalingTrigger[] = []): void {
  checkBounds(options, 0);
  const { cooldown, fallbackReplicas = 0, max } = options;
  if (cooldown !== undefined) {
    secondsOf(cooldown, { property: 'scaling.cooldown' }, 0);
  }
  checkWholeNumber('scaling.fallbackReplicas', fallbackReplicas, 0);
  checkWithin('scaling.fallbackReplicas', fallbackReplicas, max);
  for (const { replicas = 0 } of triggers) {
    checkWithin('scaling.cron.replicas', replicas, max);
  }
}

function checkWithin(property: string, value: number, max: number): void {
  if (value > max) {
    throw new UsageError(`is ${value}, above max, which is ${max}; lower it or raise max`, { property });
  }
}

function checkBounds({ min, max, up, down }: ScalingBounds, least: number): void {
  checkPace('scaling.up', up);
  checkPace('scaling.down', down);
  checkWholeNumber('scaling.min', min, least);
  checkWholeNumber('scaling.max', max, 1);
  if (min > max) {
    throw new UsageError(`is ${min}, above max, which is ${max}; lower min or raise max`, { property: 'scaling.min' });
  }
}
