import { App, Chart } from 'cdk8s';
import { type Check, LateChecks } from '../../../constructs/rules/late-checks';
import { UsageError } from '../../../constructs/rules/usage-error';

function checked(...checks: Check[]) {
  const chart = new Chart(new App(), 'rag');
  LateChecks.of(chart).add(chart, () => checks);
  return chart;
}

const refusing = (problem: string): Check => {
  return () => {
    throw new UsageError(problem);
  };
};

test('everything that is refused is said at once', () => {
  const chart = checked(refusing('is one'), () => {}, refusing('is two'));
  expect(chart.node.validate()).toEqual(['is one', 'is two']);
  expect(() => chart.toJson()).toThrow('[rag] is one\n  [rag] is two');
  expect(LateChecks.of(App.of(chart)).mistakes).toEqual([new UsageError('is one'), new UsageError('is two')]);
});

test('checks are made anew each time', () => {
  const checks: Check[] = [];
  const chart = new Chart(new App(), 'rag');
  LateChecks.of(chart).add(chart, () => checks);
  expect(chart.node.validate()).toEqual([]);
  checks.push(refusing('is late'));
  expect(chart.node.validate()).toEqual(['is late']);
});

test('what is no misuse is passed on', () => {
  const chart = checked(() => {
    throw new TypeError('broken');
  });
  expect(() => chart.node.validate()).toThrow(new TypeError('broken'));
});

test('apps know nothing of one another', () => {
  checked(refusing('is wrong'));
  expect(LateChecks.of(new App()).mistakes).toEqual([]);
});
