import type { Duration } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-28';

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
