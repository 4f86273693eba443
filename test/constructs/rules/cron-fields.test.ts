import { cronProblem } from '../../../constructs/rules/cron-fields';

test.each([
  '* * * * *',
  '0 0 1 1 0',
  '59 23 31 12 6',
  '*/30 * * * *',
  '5/10 8-18/2 1,15 JAN-MAR,jul MON-FRI',
  '0 7 ? * sat',
  '0-59 0-23 1-31 1-12 0-6',
])('"%s" is a schedule', (text) => {
  expect(cronProblem(text)).toBeUndefined();
});

test.each(['', 'hourly', '@daily', '* * * *', '* * * * * *', '* *  * * *'])('"%s" has not five fields', (text) => {
  expect(cronProblem(text)).toBe(`is "${text}", but must be five cron fields, such as "0 7 * * 1-5"`);
});

test.each([
  ['60 * * * *', 'minute is "60", but must be *, or 0 to 59'],
  ['-1 * * * *', 'minute is "-1", but must be *, or 0 to 59'],
  ['*/0 * * * *', 'minute is "*/0", but must be *, or 0 to 59'],
  ['5-1 * * * *', 'minute is "5-1", but must be *, or 0 to 59'],
  ['1-2-3 * * * *', 'minute is "1-2-3", but must be *, or 0 to 59'],
  ['1,,2 * * * *', 'minute is "1,,2", but must be *, or 0 to 59'],
  ['1/2/3 * * * *', 'minute is "1/2/3", but must be *, or 0 to 59'],
  ['1.5 * * * *', 'minute is "1.5", but must be *, or 0 to 59'],
  ['0 24 * * *', 'hour is "24", but must be *, or 0 to 23'],
  ['0 0 0 * *', 'day is "0", but must be *, or 1 to 31'],
  ['0 0 32 * *', 'day is "32", but must be *, or 1 to 31'],
  ['0 0 * 13 *', 'month is "13", but must be *, or 1 to 12 (JAN to DEC)'],
  ['0 0 * MON *', 'month is "MON", but must be *, or 1 to 12 (JAN to DEC)'],
  ['0 0 * * 7', 'weekday is "7", but must be *, or 0 to 6 (SUN to SAT)'],
  ['0 0 * * FRI-MON', 'weekday is "FRI-MON", but must be *, or 0 to 6 (SUN to SAT)'],
  ['a b c d e', 'minute is "a", but must be *, or 0 to 59'],
])('"%s" is refused for its first wrong field', (text, problem) => {
  expect(cronProblem(text)).toBe(
    `is "${text}", whose ${problem}, as values, ranges, lists and steps: "5", "1-5", "1,3", "*/2"`,
  );
});
