import fc from 'fast-check';
import { UpdateStrategy } from '../../../constructs/workload/update-strategy';
import { deployed } from '../../support/workloads';

function rendered(update: UpdateStrategy) {
  return deployed({ update }).object().spec.strategy;
}

describe('an update', () => {
  test.each([
    ['surges by one', UpdateStrategy.SURGE_ONE, { maxSurge: 1, maxUnavailable: 0 }, 1],
    ['makes room first', UpdateStrategy.IN_PLACE, { maxSurge: 0, maxUnavailable: 1 }, 0],
  ])('that %s is a rolling one', (_, update, rollingUpdate, surge) => {
    expect(rendered(update)).toEqual({ type: 'RollingUpdate', rollingUpdate });
    expect(update.surge).toBe(surge);
  });

  test('that never has two versions at once has no bounds', () => {
    expect(rendered(UpdateStrategy.RECREATE)).toEqual({ type: 'Recreate' });
    expect(UpdateStrategy.RECREATE.surge).toBe(0);
  });

  test('keeps to any bounds that let it move', () => {
    const count = fc.nat({ max: 1000 });
    const bounds = fc
      .record({ maxSurge: count, maxUnavailable: count })
      .filter(({ maxSurge, maxUnavailable }) => maxSurge + maxUnavailable > 0);
    fc.assert(
      fc.property(bounds, (rollingUpdate) => {
        const update = UpdateStrategy.rolling(rollingUpdate);
        expect(rendered(update)).toEqual({ type: 'RollingUpdate', rollingUpdate });
        expect(update.surge).toBe(rollingUpdate.maxSurge);
      }),
      { numRuns: 20 },
    );
  });
});

describe('mistakes', () => {
  test('bounds that never let it move', () => {
    expect(() => UpdateStrategy.rolling({ maxSurge: 0, maxUnavailable: 0 })).toThrow(
      'maxSurge and maxUnavailable are both 0, so no pod could ever be replaced; raise one',
    );
  });

  test.each([
    ['maxSurge', -1],
    ['maxSurge', 0.5],
    ['maxUnavailable', -1],
    ['maxUnavailable', 1.5],
  ])('%s of %s', (property, value) => {
    expect(() => UpdateStrategy.rolling({ maxSurge: 1, maxUnavailable: 1, [property]: value })).toThrow(
      `${property} is ${value}, but must be a whole number from 0`,
    );
  });
});
