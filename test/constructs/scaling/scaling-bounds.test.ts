import { Duration } from 'cdk8s';
import { UsageError } from '../../../constructs/rules/usage-error';
import {
  checkEventScaling,
  checkHorizontalScaling,
  type EventScalingOptions,
  type ScalingBounds,
} from '../../../constructs/scaling/scaling-bounds';
import { ScalingTrigger } from '../../../constructs/scaling/scaling-trigger';
import { refusalOf } from '../../support/refusal';

describe.each<[string, (bounds: ScalingBounds) => void, number]>([
  ['a HorizontalPodAutoscaler', checkHorizontalScaling, 1],
  ['KEDA', checkEventScaling, 0],
])('the bounds of %s', (_, check, least) => {
  test.each<[string, ScalingBounds]>([
    ['that are as low as can be', { min: least, max: 1 }],
    ['that are one number', { min: 3, max: 3 }],
    ['with paces', { min: 1, max: 3, up: { pods: 1 }, down: { stabilization: Duration.minutes(1) } }],
  ])('%s are taken', (_, bounds) => {
    expect(() => check(bounds)).not.toThrow();
  });

  test.each([
    ['min', { min: least - 1, max: 3 }, `is ${least - 1}, but must be a whole number from ${least}`],
    ['min', { min: 1.5, max: 3 }, `is 1.5, but must be a whole number from ${least}`],
    ['max', { min: least, max: 0 }, 'is 0, but must be a whole number from 1'],
    ['max', { min: least, max: Number.NaN }, 'is NaN, but must be a whole number from 1'],
    ['min', { min: 4, max: 3 }, 'is 4, above max, which is 3; lower min or raise max'],
    ['up.pods', { min: 1, max: 3, up: { pods: 0 } }, 'is 0, but must be a whole number from 1'],
    ['down.percent', { min: 1, max: 3, down: { percent: 0.5 } }, 'is 0.5, but must be a whole number from 1'],
    [
      'down',
      { min: 1, max: 3, up: { pods: 1 }, down: {} },
      'limits nothing; set pods or percent, which count per period, or stabilization alone',
    ],
  ])('are refused for %s of %j', (property, bounds, problem) => {
    const refusal = refusalOf(() => check(bounds));
    expect(refusal).toBeInstanceOf(UsageError);
    expect(refusal).toMatchObject({ constructPath: '', property: `scaling.${property}`, problem });
  });
});

describe('the options of KEDA', () => {
  const options = (more: Partial<EventScalingOptions>) => () => checkEventScaling({ min: 0, max: 2, ...more });

  test.each([0, 1, 2])('may have %s fallback replicas', (fallbackReplicas) => {
    expect(options({ fallbackReplicas })).not.toThrow();
  });

  test.each([-1, 0.5, Number.NaN])('cannot have %s fallback replicas', (fallbackReplicas) => {
    expect(options({ fallbackReplicas })).toThrow(
      new Error(`scaling.fallbackReplicas is ${fallbackReplicas}, but must be a whole number from 0`),
    );
  });

  test('cannot have more fallback replicas than max', () => {
    expect(options({ fallbackReplicas: 3 })).toThrow(
      new Error('scaling.fallbackReplicas is 3, above max, which is 2; lower it or raise max'),
    );
  });

  test('cannot ask for more pods at a time of day than max', () => {
    const at = (replicas: number) =>
      ScalingTrigger.cron({ timeZone: 'Etc/UTC', start: '0 8 * * *', end: '0 9 * * *', replicas });
    expect(() => checkEventScaling({ min: 0, max: 2 }, [at(1), at(2)])).not.toThrow();
    expect(() => checkEventScaling({ min: 0, max: 2 }, [at(1), at(3)])).toThrow(
      new Error('scaling.cron.replicas is 3, above max, which is 2; lower it or raise max'),
    );
  });

  test('may have a cooldown', () => {
    expect(options({ cooldown: Duration.minutes(5) })).not.toThrow();
  });
});
