import { Duration } from 'cdk8s';
import { Scaling } from '../../../constructs/scaling/scaling';
import { ScalingMetric } from '../../../constructs/scaling/scaling-metric';
import { checkPace, paceRules, type ScalingPace } from '../../../constructs/scaling/scaling-pace';
import { ScalingTrigger } from '../../../constructs/scaling/scaling-trigger';

describe('a pace', () => {
  test('that nobody gives is left to Kubernetes', () => {
    expect(paceRules(undefined)).toBeUndefined();
  });

  test.each([
    ['of pods is per minute', { pods: 2 }, { policies: [{ type: 'Pods', value: 2, periodSeconds: 60 }] }],
    ['in percent is per minute', { percent: 50 }, { policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }] }],
    [
      'of both is per period, whatever the period',
      { pods: 2, percent: 50, period: Duration.seconds(15) },
      {
        policies: [
          { type: 'Pods', value: 2, periodSeconds: 15 },
          { type: 'Percent', value: 50, periodSeconds: 15 },
        ],
      },
    ],
    ['can be careful without a limit', { stabilization: Duration.minutes(10) }, { stabilizationWindowSeconds: 600 }],
    [
      'can be hasty',
      { stabilization: Duration.seconds(0), pods: 4 },
      { stabilizationWindowSeconds: 0, policies: [{ type: 'Pods', value: 4, periodSeconds: 60 }] },
    ],
  ])('%s', (_, pace, rules) => {
    expect(paceRules(pace)).toEqual(rules);
  });
});

describe('the bounds of the API', () => {
  const check = (pace: ScalingPace | undefined) => () => checkPace('scaling.up', pace);

  test.each<[string, ScalingPace | undefined]>([
    ['no pace', undefined],
    ['a look back alone', { stabilization: Duration.minutes(1) }],
    ['a limit in pods alone', { pods: 1 }],
    ['a limit in percent alone', { percent: 1 }],
    ['the smallest numbers', { pods: 1, percent: 1, period: Duration.seconds(1), stabilization: Duration.seconds(0) }],
    ['the longest times', { pods: 1, period: Duration.minutes(30), stabilization: Duration.hours(1) }],
    ['more than all pods', { percent: 400 }],
  ])('allow %s', (_, pace) => {
    expect(check(pace)).not.toThrow();
  });

  test.each(['pods', 'percent'])('allow no number of %s that is none', (property) => {
    for (const value of [0, -1, 1.5, Number.NaN]) {
      expect(check({ [property]: value })).toThrow(
        new Error(`scaling.up.${property} is ${value}, but must be a whole number from 1`),
      );
    }
  });

  test.each<[string, ScalingPace]>([
    ['that says nothing', {}],
    ['that has a period alone', { period: Duration.minutes(1) }],
    ['that has a period of nothing', { stabilization: Duration.minutes(1), period: Duration.minutes(1) }],
  ])('allow no pace %s', (_, pace) => {
    expect(check(pace)).toThrow(
      new Error('scaling.up limits nothing; set pods or percent, which count per period, or stabilization alone'),
    );
  });

  test.each([
    ['period', '0 seconds', Duration.seconds(0), 'from 1 to 1800 seconds'],
    ['period', '30 minutes 1 second', Duration.seconds(1801), 'from 1 to 1800 seconds'],
    ['period', '31 minutes', Duration.minutes(31), 'from 1 to 1800 seconds'],
    ['stabilization', '1 hour 1 second', Duration.seconds(3601), 'from 0 to 3600 seconds'],
    ['stabilization', '1 hour 5 minutes', Duration.minutes(65), 'from 0 to 3600 seconds'],
  ])('allow no %s of %s', (property, shown, time, allowed) => {
    expect(check({ pods: 1, [property]: time })).toThrow(
      new Error(`scaling.up.${property} is ${shown}, but must be ${allowed}`),
    );
  });

  const cron = { timeZone: 'Etc/UTC', start: '0 8 * * *', end: '0 9 * * *', replicas: 1 };
  const bounds = { min: 1, max: 2 };
  const kinds: [string, (paces: { up?: ScalingPace; down?: ScalingPace }) => Scaling][] = [
    ['horizontal', (paces) => Scaling.horizontal({ ...bounds, ...paces, metrics: [ScalingMetric.cpu(70)] })],
    ['onEvents', (paces) => Scaling.onEvents({ ...bounds, ...paces, triggers: [ScalingTrigger.cron(cron)] })],
    [
      'onBacklog',
      (paces) =>
        Scaling.onBacklog({ trigger: () => ScalingTrigger.cron(cron) }, { ...bounds, ...paces, perReplica: 1 }),
    ],
  ];

  test.each(kinds)('hold for both directions of %s', (_, scaling) => {
    expect(() => scaling({ up: { pods: 0 } })).toThrow(
      new Error('scaling.up.pods is 0, but must be a whole number from 1'),
    );
    expect(() => scaling({ down: { percent: 10, period: Duration.minutes(31) } })).toThrow(
      new Error('scaling.down.period is 31 minutes, but must be from 1 to 1800 seconds'),
    );
  });
});
