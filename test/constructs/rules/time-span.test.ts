import { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { secondsOf } from '../../../constructs/rules/time-span';
import { testChart } from '../../support/manifests';

const scope = new Construct(testChart(), 'api');

test('a time is whole seconds', () => {
  expect(secondsOf(Duration.minutes(2), {})).toBe(120);
  expect(secondsOf(Duration.millis(3000), { scope, property: 'gracePeriod' })).toBe(3);
  expect(secondsOf(Duration.seconds(0), {}, 0)).toBe(0);
});

test('a time has room in 32 bits', () => {
  expect(secondsOf(Duration.seconds(2147483647), {})).toBe(2147483647);
  expect(() => secondsOf(Duration.seconds(2147483648), { scope, property: 'deadline' })).toThrow(
    new Error('rag/api: deadline is 2147483648 seconds, but must be at most 2147483647'),
  );
});

test('a time that is none names its construct and property', () => {
  expect(() => secondsOf(Duration.millis(1500), { scope, property: 'gracePeriod' })).toThrow(
    new Error('rag/api: gracePeriod is 1500 ms, but must be whole seconds, at least one'),
  );
  expect(() => secondsOf(Duration.seconds(0), { property: 'refresh' })).toThrow(
    new Error('refresh is 0 ms, but must be whole seconds, at least one'),
  );
  expect(() => secondsOf(Duration.millis(1), { property: 'cooldown' }, 0)).toThrow(
    new Error('cooldown is 1 ms, but must be whole seconds'),
  );
});
