import type { Duration } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-28';
import { secondsOf } from '../rules/time-span';
import { UsageError } from '../rules/usage-error';
import { checkWholeNumber } from '../rules/whole-number';

/** How fast the number of pods may change in one direction. */
export interface ScalingPace {
  /**
   * Time over which the autoscaler looks back and takes the most careful value, so that a short dip or peak
   * changes nothing.
   * @default - Kubernetes' own: none upwards, five minutes downwards
   */
  readonly stabilization?: Duration;

  /**
   * Pods that may be added or removed per period.
   * @default - no limit in pods
   */
  readonly pods?: number;

  /**
   * Share of the current pods that may be added or removed per period, in percent.
   * @default - no limit in percent
   */
  readonly percent?: number;

  /**
   * The period that `pods` and `percent` refer to.
   * @default Duration.minutes(1)
   */
  readonly period?: Duration;
}

/** Longest times that the API accepts (Kubernetes API reference, HPAScalingRules, HPAScalingPolicy). */
const LONGEST_PERIOD_SECONDS = 1800;
const LONGEST_STABILIZATION_SECONDS = 3600;

/** Refuses what the API would refuse, and what would change nothing. */
export function checkPace(property: string, pace: ScalingPace | undefined): void {
  if (pace === undefined) {
    return;
  }
  const { pods, percent, period, stabilization } = pace;
  if (pods === undefined && percent === undefined && (stabilization === undefined || period !== undefined)) {
    throw new UsageError('limits nothing; set pods or percent, which count per period, or stabilization alone', {
      property,
    });
  }
  for (const [name, value] of Object.entries({ pods, percent })) {
    checkWholeNumber(`${property}.${name}`, value ?? 1, 1);
  }
  checkTime(`${property}.period`, period, 1, LONGEST_PERIOD_SECONDS);
  checkTime(`${property}.stabilization`, stabilization, 0, LONGEST_STABILIZATION_SECONDS);
}

function checkTime(property: string, time: Duration | undefined, least: number, most: number): void {
  const seconds = time && secondsOf(time, { property }, 0);
  if (time !== undefined && seconds !== undefined && (seconds < least || seconds > most)) {
    throw new UsageError(`is ${time.toHumanString()}, but must be from ${least} to ${most} seconds`, { property });
  }
}

/** The rules of a HorizontalPodAutoscaler for one direction. */
export function paceRules(pace: ScalingPace | undefined): k8s.HpaScalingRulesV2 | undefined {
  if (pace === undefined) {
    return undefined;
  }
  const periodSeconds = pace.period?.toSeconds() ?? 60;
  const policies = [
    ...(pace.pods === undefined ? [] : [{ type: 'Pods', value: pace.pods, periodSeconds }]),
    ...(pace.percent === undefined ? [] : [{ type: 'Percent', value: pace.percent, periodSeconds }]),
  ];
  return {
    stabilizationWindowSeconds: pace.stabilization?.toSeconds(),
    policies: policies.length === 0 ? undefined : policies,
  };
}
