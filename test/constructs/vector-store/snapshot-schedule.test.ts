import { Cron, Duration } from 'cdk8s';
import { ObjectStore } from '../../../constructs/data/object-store';
import { SnapshotSchedule } from '../../../constructs/vector-store/snapshot-schedule';

test('daily is once a day', () => {
  expect(SnapshotSchedule.daily({ hour: 2, keep: 14 }).cron.expressionString).toBe('0 2 * * *');
  expect(SnapshotSchedule.daily({ hour: 23, minute: 59, keep: 1 }).cron.expressionString).toBe('59 23 * * *');
  expect(SnapshotSchedule.daily({ hour: 0, minute: 0, keep: 1 }).cron.expressionString).toBe('0 0 * * *');
});

test('every is what it is told, and the rest is kept', () => {
  const to = ObjectStore.s3({ bucket: 'acme-rag', region: 'eu-west-1' });
  const deadline = Duration.hours(1);
  const cron = Cron.schedule({ minute: '0', hour: '0-23/4' });
  const schedule = SnapshotSchedule.every(cron, { keep: 3, to, timeZone: 'Europe/Berlin', deadline });
  expect(schedule).toMatchObject({ keep: 3, to, timeZone: 'Europe/Berlin', deadline });
  expect(schedule.cron).toBe(cron);
});

test('a collection may have lost a tenth of its points, unless told otherwise', () => {
  expect(SnapshotSchedule.daily({ hour: 2, keep: 14 })).toMatchObject({ tolerance: 10, mayShrink: false });
  for (const tolerance of [0, 0.5, 100]) {
    expect(SnapshotSchedule.every(Cron.hourly(), { keep: 3, tolerance }).tolerance).toBe(tolerance);
  }
});

describe('mistakes', () => {
  test.each([-1, 24, 1.5, Number.NaN])('the hour %s', (hour) => {
    expect(() => SnapshotSchedule.daily({ hour, keep: 1 })).toThrow(
      `snapshots.hour is ${hour}, but must be a whole number from 0 to 23`,
    );
  });

  test.each([-1, 60, 0.5])('the minute %s', (minute) => {
    expect(() => SnapshotSchedule.daily({ hour: 0, minute, keep: 1 })).toThrow(
      `snapshots.minute is ${minute}, but must be a whole number from 0 to 59`,
    );
  });

  // Plain JavaScript can say null.
  test.each([-1, 100.5, Number.NaN, Number.POSITIVE_INFINITY, null as never])('a tolerance of %s %%', (tolerance) => {
    const message = `snapshots.tolerance is ${tolerance}, but must be from 0 to 100`;
    expect(() => SnapshotSchedule.daily({ hour: 0, keep: 1, tolerance })).toThrow(message);
    expect(() => SnapshotSchedule.every(Cron.hourly(), { keep: 1, tolerance })).toThrow(message);
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('keeping %s', (keep) => {
    const message = `snapshots.keep is ${keep}, but must be a whole number from 1`;
    expect(() => SnapshotSchedule.daily({ hour: 0, keep })).toThrow(message);
    expect(() => SnapshotSchedule.every(Cron.hourly(), { keep })).toThrow(message);
  });
});
