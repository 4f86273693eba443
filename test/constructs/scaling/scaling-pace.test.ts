import { Duration } from 'cdk8s';
import { paceRules } from '../../../constructs/scaling/scaling-pace';

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
