import { Cron, Duration } from 'cdk8s';
import { CronSync, type CronSyncProps } from '../../../constructs/ingestion/cron-sync';
import { EnvValue } from '../../../constructs/workload/env-value';
import { find, mainContainer, namesOf, render, testChart } from '../../support/manifests';
import { IMAGE } from '../../support/values';

function sync(props: Partial<CronSyncProps> = {}) {
  const chart = testChart();
  const construct = new CronSync(chart, 'sync', {
    image: IMAGE,
    command: ['python', '-m', 'rag.sync'],
    schedule: Cron.schedule({ minute: '15', hour: '*/4' }),
    ...props,
  });
  return { construct, objects: () => render(chart), object: () => find(render(chart), 'CronJob', 'sync') };
}

describe('a scheduled synchronisation', () => {
  test('runs by its schedule, one run at a time, each with an end', () => {
    const { spec } = sync().object();
    expect(spec).toMatchObject({
      schedule: '15 */4 * * *',
      timeZone: 'Etc/UTC',
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: 600,
    });
    expect(spec.jobTemplate.spec).toMatchObject({ backoffLimit: 3, activeDeadlineSeconds: 3600 });
    expect(spec).not.toHaveProperty('suspend');
  });

  test('takes what is said of it, but cannot overlap', () => {
    const { spec } = sync({
      timeZone: 'Europe/Berlin',
      startingDeadline: Duration.hours(2),
      deadline: Duration.minutes(20),
      retries: 1,
      ...{ overlap: true },
    }).object();
    expect(spec).toMatchObject({
      timeZone: 'Europe/Berlin',
      concurrencyPolicy: 'Forbid',
      startingDeadlineSeconds: 7200,
    });
    expect(spec.jobTemplate.spec).toMatchObject({ backoffLimit: 1, activeDeadlineSeconds: 1200 });
  });

  test('uses what it is given, is no hook of a sync, and nobody connects to it', () => {
    const { construct, objects, object } = sync();
    construct.uses({ offerTo: () => ({ endpoints: [], env: { S3_BUCKET: EnvValue.of('documents') } }) });
    expect(mainContainer(object()).env).toEqual([
      { name: 'S3_BUCKET', value: 'documents' },
      { name: 'HOME', value: '/tmp' },
    ]);
    expect(object().metadata.annotations).toEqual({ 'argocd.argoproj.io/sync-wave': '1000' });
    expect(namesOf(objects(), 'Service')).toEqual([]);
    expect(find(objects(), 'NetworkPolicy', 'sync').spec).not.toHaveProperty('ingress');
  });

  test.each<[Partial<CronSyncProps>, string]>([
    [
      { timeZone: 'Berlin' },
      'rag/sync/Resource: timeZone is "Berlin", but must be an IANA name, such as Europe/Berlin',
    ],
    [{ retries: 0.5 }, 'retries is 0.5, but must be a whole number from 0'],
  ])('refuses %j', (props, problem) => {
    expect(() => sync(props)).toThrow(problem);
  });
});
