import fc from 'fast-check';
import { Scaling } from '../../../constructs/scaling/scaling';
import { ScalingMetric } from '../../../constructs/scaling/scaling-metric';
import { find } from '../../support/manifests';
import { deployed } from '../../support/workloads';

function rendered(...metrics: ScalingMetric[]) {
  const { objects } = deployed({ scaling: Scaling.horizontal({ min: 1, max: 2, metrics }) });
  return find(objects(), 'HorizontalPodAutoscaler', 'api').spec.metrics;
}

describe('a metric', () => {
  test.each([
    [
      'of CPU is a share of the request',
      ScalingMetric.cpu(70),
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } },
    ],
    [
      'of memory is a share of the request',
      ScalingMetric.memory(80),
      { type: 'Resource', resource: { name: 'memory', target: { type: 'Utilization', averageUtilization: 80 } } },
    ],
    [
      'of the CPU of a container looks at that one',
      ScalingMetric.containerCpu('api', 150),
      {
        type: 'ContainerResource',
        containerResource: { name: 'cpu', container: 'api', target: { type: 'Utilization', averageUtilization: 150 } },
      },
    ],
    [
      'of the pods is a value per pod',
      ScalingMetric.pods('requests_in_flight', 8),
      {
        type: 'Pods',
        pods: { metric: { name: 'requests_in_flight' }, target: { type: 'AverageValue', averageValue: '8' } },
      },
    ],
    [
      'from outside is a value per pod',
      ScalingMetric.external('messages', 30),
      {
        type: 'External',
        external: { metric: { name: 'messages' }, target: { type: 'AverageValue', averageValue: '30' } },
      },
    ],
    [
      'from outside can be of some series',
      ScalingMetric.external('messages', 30, { queue: 'documents' }),
      {
        type: 'External',
        external: {
          metric: { name: 'messages', selector: { matchLabels: { queue: 'documents' } } },
          target: { type: 'AverageValue', averageValue: '30' },
        },
      },
    ],
  ])('%s', (_, metric, expected) => {
    expect(rendered(metric)).toEqual([expected]);
  });

  test('can aim at any whole share from one percent', () => {
    expect(rendered(ScalingMetric.cpu(1))[0].resource.target.averageUtilization).toBe(1);
  });

  test.each([
    [0.001, '1m'],
    [0.25, '250m'],
    [0.0014, '1m'],
    [1.5, '1500m'],
    [2.9999, '3'],
    [1000, '1k'],
    [1500, '1500'],
    [2_000_000, '2M'],
  ])('of %s is written as %s, as it is read back', (value, text) => {
    expect(rendered(ScalingMetric.pods('busy', value))[0].pods.target.averageValue).toBe(text);
    expect(rendered(ScalingMetric.external('busy', value))[0].external.target.averageValue).toBe(text);
  });
});

describe('metrics', () => {
  const ALL = {
    memory: ScalingMetric.memory(80),
    ContainerResource: ScalingMetric.containerCpu('api', 70),
    Pods: ScalingMetric.pods('a', 1),
    External: ScalingMetric.external('b', 1),
    cpu: ScalingMetric.cpu(70),
  };

  test('stand in the order in which they are read back, however they are given', () => {
    const order = Object.keys(ALL);
    fc.assert(
      fc.property(fc.shuffledSubarray(Object.entries(ALL), { minLength: 1 }), (some) => {
        const metrics: { type: string; resource?: { name: string } }[] = rendered(...some.map(([, metric]) => metric));
        const names = metrics.map(({ type, resource }) => resource?.name ?? type);
        expect(names).toEqual(order.filter((name) => some.some(([given]) => given === name)));
      }),
      { numRuns: 50 },
    );
  });

  test('of one kind keep their order', () => {
    const metrics = rendered(ScalingMetric.pods('z', 1), ScalingMetric.cpu(70), ScalingMetric.pods('a', 1));
    expect(metrics.map(({ pods }: { pods?: { metric: { name: string } } }) => pods?.metric.name)).toEqual([
      'z',
      'a',
      undefined,
    ]);
  });
});

describe('mistakes', () => {
  const percentages: [string, (percent: number) => ScalingMetric][] = [
    ['CPU', ScalingMetric.cpu],
    ['memory', ScalingMetric.memory],
    ['CPU of a container', (percent) => ScalingMetric.containerCpu('api', percent)],
  ];

  test.each(percentages)('a share of %s that is none', (_, metric) => {
    for (const percent of [0, -5, 70.5, Number.NaN]) {
      expect(() => metric(percent)).toThrow(
        new Error(`scaling.metrics is ${percent}, but must be a whole percentage from 1`),
      );
    }
  });

  const values: [string, (value: number) => ScalingMetric][] = [
    ['the pods', (value) => ScalingMetric.pods('m', value)],
    ['outside', (value) => ScalingMetric.external('m', value)],
  ];

  test.each(values)('a value from %s that nothing could reach', (_, metric) => {
    for (const value of [0, -1, 0.0004, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => metric(value)).toThrow(new Error(`scaling.metrics is ${value}, but must be at least 0.001`));
    }
  });
});
