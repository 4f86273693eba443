import { UsageError } from '../../../constructs/rules/usage-error';
import { checkWholeNumber } from '../../../constructs/rules/whole-number';
import { refusalOf } from '../../support/refusal';

describe('a whole number', () => {
  test.each([
    [0, 0],
    [1, 0],
    [1, 1],
    [5, 1],
    [2147483647, 0],
  ])('of %s is one from %s', (value, least) => {
    expect(() => checkWholeNumber('scaling.min', value, least)).not.toThrow();
  });

  test.each([
    [-1, 0],
    [0, 1],
    [1.5, 0],
    [Number.NaN, 0],
    [Number.POSITIVE_INFINITY, 0],
  ])('of %s is none from %s', (value, least) => {
    const refusal = refusalOf(() => checkWholeNumber('some.property', value, least));
    expect(refusal).toBeInstanceOf(UsageError);
    expect(refusal).toMatchObject({
      constructPath: '',
      property: 'some.property',
      problem: `is ${value}, but must be a whole number from ${least}`,
    });
  });

  test('has room in 32 bits', () => {
    expect(() => checkWholeNumber('replicas', 2147483648, 0)).toThrow(
      new Error('replicas is 2147483648, but must be at most 2147483647'),
    );
  });
});
