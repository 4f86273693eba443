import type { Duration } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-28';
import { UsageError } from '../rules/usage-error';

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

/** Refuses what the API would refuse. */
export function checkPace(property: string, pace: ScalingPace | undefined): void {
  const { pods, percent, period, stabilization } = pace ?? {};
  for (const [name, value] of Object.entries({ pods, percent })) {
    if (value !== undefined && (!Number.isInteger(value) || value < 1)) {
      throw new UsageError(`is ${value}, but must be a whole number from 1`, { property: `${property}.${name}` });
    }
  }
  for (const [name, time, longest] of [
    ['period', period, LONGEST_PERIOD_SECONDS],
    ['stabilization', stabilization, LONGEST_STABILIZATION_SECONDS],
  ] as const) {
    if (time !== undefined && time.toSeconds() > longest) {
      throw new UsageError(`is ${time.toHumanString()}, but must be at most ${longest} seconds`, {
        property: `${property}.${name}`,
      });
    }
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
