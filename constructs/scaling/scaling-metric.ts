import type { k8s } from 'cdk8s-plus-28';
import { decimalQuantity } from '../rules/quantity';
import { UsageError } from '../rules/usage-error';
import { checkWholeNumber } from '../rules/whole-number';

/** What a HorizontalPodAutoscaler looks at. */
export class ScalingMetric {
  /** CPU used, in percent of what the pods request. */
  public static cpu(percent: number): ScalingMetric {
    return ScalingMetric.utilization('cpu', percent);
  }

  /** Memory used, in percent of what the pods request. Useful only where memory is given back when load goes. */
  public static memory(percent: number): ScalingMetric {
    return ScalingMetric.utilization('memory', percent);
  }

  /** CPU used by one container of the pods, in percent of its request: sidecars do not blur it. */
  public static containerCpu(container: string, percent: number): ScalingMetric {
    checkPercent(percent);
    return new ScalingMetric('containerCpu', {
      type: 'ContainerResource',
      containerResource: { name: 'cpu', container, target: { type: 'Utilization', averageUtilization: percent } },
    });
  }

  /**
   * A metric of the pods, as an adapter serves it under `custom.metrics.k8s.io`.
   *
   * @param name name of the metric
   * @param perPod value per pod that is aimed at
   */
  public static pods(name: string, perPod: number): ScalingMetric {
    return new ScalingMetric('pods', {
      type: 'Pods',
      pods: { metric: { name }, target: { type: 'AverageValue', averageValue: quantity(perPod) } },
    });
  }

  /**
   * A metric from outside the cluster, as an adapter serves it under `external.metrics.k8s.io`. KEDA is that
   * adapter where it is installed; then use its triggers instead.
   *
   * @param name name of the metric
   * @param perPod value per pod that is aimed at
   * @param labels labels that select the series
   */
  public static external(name: string, perPod: number, labels?: { readonly [label: string]: string }): ScalingMetric {
    const selector = labels === undefined ? undefined : { matchLabels: { ...labels } };
    return new ScalingMetric('external', {
      type: 'External',
      external: { metric: { name, selector }, target: { type: 'AverageValue', averageValue: quantity(perPod) } },
    });
  }

  private static utilization(name: 'cpu' | 'memory', percent: number): ScalingMetric {
    checkPercent(percent);
    return new ScalingMetric(name, {
      type: 'Resource',
      resource: { name, target: { type: 'Utilization', averageUtilization: percent } },
    });
  }

  private constructor(
    private readonly order: keyof typeof ORDER,
    private readonly spec: k8s.MetricSpecV2,
  ) {}

  /**
   * The metrics in the order in which the API server returns them: stored as autoscaling/v1, the CPU metric
   * is a field of its own and comes back last (kubernetes/kubernetes #74099).
   * @internal
   */
  public static _render(metrics: ScalingMetric[]): k8s.MetricSpecV2[] {
    return [...metrics].sort((a, b) => ORDER[a.order] - ORDER[b.order]).map((metric) => metric.spec);
  }
}

const ORDER = { memory: 0, containerCpu: 1, pods: 2, external: 3, cpu: 4 };

function checkPercent(percent: number): void {
  if (!Number.isInteger(percent) || percent < 1) {
    throw new UsageError(`is ${percent}, but must be a whole percentage from 1`, { property: 'scaling.metrics' });
  }
  checkWholeNumber('scaling.metrics', percent, 1);
}

/** In thousandths, the finest that Kubernetes knows, and as the API server writes it back. */
function quantity(value: number): k8s.Quantity {
  const thousandths = Math.round(value * 1000);
  if (!(thousandths >= 1) || !Number.isFinite(value)) {
    throw new UsageError(`is ${value}, but must be at least 0.001`, { property: 'scaling.metrics' });
  }
  return decimalQuantity(thousandths);
}
