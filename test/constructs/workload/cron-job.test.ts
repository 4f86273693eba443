import { Cron, Duration } from 'cdk8s';
import { CronJob, type CronJobProps } from '../../../constructs/workload/cron-job';
import { Probe } from '../../../constructs/workload/probe';
import { find, mainContainer, render, templateOf, testChart } from '../../support/manifests';
import { CONTAINER } from '../../support/workloads';

function cronJob(props: Partial<CronJobProps> = {}) {
  const chart = testChart();
  new CronJob(chart, 'snapshot', {
    component: 'backup',
    container: CONTAINER,
    schedule: Cron.daily(),
    deadline: Duration.hours(1),
    ...props,
  });
  return find(render(chart), 'CronJob', 'snapshot');
}

describe('a CronJob', () => {
  const object = cronJob();

  test('runs by the schedule in UTC, one at a time, and not much too late', () => {
    const { jobTemplate, ...spec } = object.spec;
    expect(spec).toEqual({
      schedule: '0 0 * * *',
      timeZone: 'Etc/UTC',
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: 600,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 3,
    });
    const { template, ...job } = jobTemplate.spec;
    expect(job).toEqual({
      backoffLimit: 3,
      activeDeadlineSeconds: 3600,
      podFailurePolicy: {
        rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }],
      },
    });
    expect(template.spec.containers).toHaveLength(1);
  });

  test('never restarts a container in its pod', () => {
    expect(templateOf(object).spec.restartPolicy).toBe('Never');
  });

  test('is no hook of a sync, and in the last wave, because a run that failed makes it Degraded', () => {
    expect(object.metadata.annotations).toEqual({ 'argocd.argoproj.io/sync-wave': '1000' });
  });

  test('has pods like every other workload', () => {
    const { metadata, spec } = templateOf(object);
    expect(metadata.labels).toMatchObject({
      'app.kubernetes.io/name': 'snapshot',
      'app.kubernetes.io/instance': 'rag',
    });
    expect(spec.serviceAccountName).toBe('snapshot');
    expect(spec.securityContext.runAsNonRoot).toBe(true);
    expect(spec.topologySpreadConstraints).toBeUndefined();
  });
});

describe('settings', () => {
  test('reach the output', () => {
    const { spec } = cronJob({
      schedule: Cron.schedule({ minute: '30', hour: '2' }),
      timeZone: 'Europe/Berlin',
      startingDeadline: Duration.minutes(1),
      overlap: true,
      deadline: Duration.minutes(5),
      retries: 0,
      container: { ...CONTAINER, liveness: Probe.exec(['true']) },
    });
    expect(spec).toMatchObject({
      schedule: '30 2 * * *',
      timeZone: 'Europe/Berlin',
      concurrencyPolicy: 'Allow',
      startingDeadlineSeconds: 60,
    });
    expect(spec.jobTemplate.spec).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 300 });
    expect(spec.jobTemplate.spec.template.spec.containers[0].livenessProbe.exec.command).toEqual(['true']);
  });

  test('have a run kept for a time, so that what goes with its pod goes', () => {
    expect(cronJob({ keptFor: Duration.hours(2) }).spec.jobTemplate.spec).toMatchObject({
      backoffLimit: 3,
      activeDeadlineSeconds: 3600,
      ttlSecondsAfterFinished: 7200,
    });
    expect(() => cronJob({ keptFor: Duration.millis(1) })).toThrow('rag/snapshot: keptFor is 1 ms, but must be');
  });

  test('that forbid overlap say the same as none', () => {
    expect(cronJob({ overlap: false }).spec.concurrencyPolicy).toBe('Forbid');
  });
});

test('the main container is named like the CronJob', () => {
  expect(mainContainer(cronJob()).name).toBe('snapshot');
});

describe('mistakes', () => {
  test.each([-1, 0.5])('%s retries', (retries) => {
    expect(() => cronJob({ retries })).toThrow(
      `rag/snapshot: retries is ${retries}, but must be a whole number from 0`,
    );
  });

  test('no time to run', () => {
    expect(() => cronJob({ deadline: Duration.seconds(0) })).toThrow(
      'rag/snapshot: deadline is 0 ms, but must be whole seconds, at least one',
    );
  });
});

test.each(['Berlin', 'etc/utc', '+01:00', ''])('no time zone is "%s"', (timeZone) => {
  expect(() => cronJob({ timeZone })).toThrow(
    new Error(`rag/snapshot: timeZone is "${timeZone}", but must be an IANA name, such as Europe/Berlin`),
  );
});

test('a schedule that no clock shows is refused', () => {
  expect(() => cronJob({ schedule: Cron.schedule({ minute: '61', hour: '25' }) })).toThrow(
    new Error(
      'rag/snapshot: schedule is "61 25 * * *", whose minute is "61", but must be *, or 0 to 59, as values, ranges, ' +
        'lists and steps: "5", "1-5", "1,3", "*/2"',
    ),
  );
});
