import { Cron, Duration } from 'cdk8s';
import fc from 'fast-check';
import { ChangeRules } from '../../../constructs/rules/change-rules';
import { dnsSubdomainProblem } from '../../../constructs/rules/object-name';
import type { ManifestObject } from '../../../constructs/rules/output';
import { ConfigRollout } from '../../../constructs/workload/config-rollout';
import { CronJob } from '../../../constructs/workload/cron-job';
import { Job } from '../../../constructs/workload/job';
import { StatefulSet } from '../../../constructs/workload/stateful-set';
import { find, namesOf, render, templateOf, testChart } from '../../support/manifests';
import { CONTAINER, deployed } from '../../support/workloads';

const { CHECKSUM, IMMUTABLE } = ConfigRollout;
const SYNC_OPTIONS = 'argocd.argoproj.io/sync-options';

type Files = { readonly [path: string]: string };

function configured(files: Files, configRollout: ConfigRollout | undefined = IMMUTABLE, name = 'api') {
  const made = deployed({ configRollout, name });
  for (const [path, content] of Object.entries(files)) {
    made.construct.addConfigFiles({ [path]: content });
  }
  const objects = made.objects();
  const [configMap] = objects.filter(({ kind }) => kind === 'ConfigMap') as [ManifestObject];
  return { ...made, objects, configMap, template: templateOf(find(objects, 'Deployment', name)) };
}

describe('an immutable ConfigMap', () => {
  const { configMap, objects, template } = configured({ '/etc/app/a.yaml': 'a: 1', '/etc/app/b.yaml': 'b: 1' });

  test('has a hash of its content after its name, and stays until the rollout is over', () => {
    expect(configMap).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: expect.stringMatching(/^api-[0-9a-f]{10}$/),
        namespace: 'test',
        labels: find(objects, 'Deployment', 'api').metadata.labels,
        annotations: { [SYNC_OPTIONS]: 'PruneLast=true' },
      },
      immutable: true,
      data: { 'a.yaml': 'a: 1', 'b.yaml': 'b: 1' },
    });
    expect(namesOf(objects, 'ConfigMap')).toHaveLength(1);
  });

  test('is what the pods refer to, without a checksum besides', () => {
    expect(template.spec.volumes).toEqual([{ name: 'config', configMap: { name: configMap.metadata.name } }]);
    expect(template.metadata).not.toHaveProperty('annotations');
  });

  test('has the whole content in its name, which files may be added to after it was asked for', () => {
    const { construct, template: pods } = deployed({ configRollout: IMMUTABLE });
    construct.addConfigFiles({ '/etc/app/a.yaml': 'a: 1' });
    const before = pods().spec.volumes[0].configMap.name;
    construct.addConfigFiles({ '/etc/app/b.yaml': 'b: 1' });
    expect(before).not.toBe(configMap.metadata.name);
    expect(pods().spec.volumes[0].configMap.name).toBe(configMap.metadata.name);
  });

  // The same digits on every machine: they are computed from nothing but the content.
  test('has this name for this content', () => {
    expect(configMap.metadata.name).toBe('api-b2829b5687');
  });

  test('is the same in whatever order its files come, and another when one character is', () => {
    const contents = fc.dictionary(fc.stringMatching(/^\/etc\/[a-z]{1,8}$/), fc.string(), { minKeys: 1, maxKeys: 4 });
    fc.assert(
      fc.property(contents, (files) => {
        const nameOf = (some: Files) => configured(some).configMap.metadata.name;
        const entries = Object.entries(files);
        const [[path, content] = ['', '']] = entries;
        expect(nameOf(Object.fromEntries([...entries].reverse()))).toBe(nameOf(files));
        expect(nameOf({ ...files, [path]: `${content}x` })).not.toBe(nameOf(files));
        expect(nameOf({ ...files, '/opt/another': '' })).not.toBe(nameOf(files));
      }),
      { numRuns: 20 },
    );
  });

  test('may have the longest name that a workload has', () => {
    const { name } = configured({ '/etc/a': 'a' }, IMMUTABLE, 'a'.repeat(63)).configMap.metadata;
    expect(name).toHaveLength(74);
    expect(dnsSubdomainProblem(name)).toBeUndefined();
  });
});

describe('another content', () => {
  const before = configured({ '/etc/app/a.yaml': 'a: 1' });
  const after = configured({ '/etc/app/a.yaml': 'a: 2' });

  test('is another object, which no rule about changes refuses', () => {
    expect(after.configMap.metadata.name).not.toBe(before.configMap.metadata.name);
    expect(ChangeRules.of(after.chart).check(before.objects, after.objects)).toEqual([]);
  });

  test('makes other pods, and changes nothing but these', () => {
    const same = (objects: ManifestObject[]) =>
      objects.filter(({ kind }) => !['ConfigMap', 'Deployment'].includes(kind));
    expect(same(after.objects)).toEqual(same(before.objects));
    expect(after.template).not.toEqual(before.template);
  });

  test('can come with the step from one rollout to the other', () => {
    const inPlace = configured({ '/etc/app/a.yaml': 'a: 1' }, CHECKSUM);
    for (const [from, to] of [
      [inPlace, after],
      [after, inPlace],
    ] as const) {
      expect(ChangeRules.of(to.chart).check(from.objects, to.objects)).toEqual([]);
    }
  });
});

test.each([undefined, CHECKSUM])('a ConfigMap is changed in place unless it is said otherwise', (configRollout) => {
  const made = deployed({ configRollout });
  made.construct.addConfigFiles({ '/etc/a': 'a' });
  const configMap = find(made.objects(), 'ConfigMap', 'api');
  expect(configMap).not.toHaveProperty('immutable');
  expect(configMap.metadata).not.toHaveProperty('annotations');
  expect(made.template().metadata.annotations).toEqual({ 'checksum/config': expect.stringMatching(/^[0-9a-f]{64}$/) });
});

test('pods of a StatefulSet roll out too, those of Jobs and CronJobs do not', () => {
  const chart = testChart();
  const props = { component: 'part', container: CONTAINER, configRollout: IMMUTABLE, deadline: Duration.minutes(1) };
  const ports = [{ name: 'http', number: 8080 }];
  const set = new StatefulSet(chart, 'set', {
    ...props,
    container: { ...CONTAINER, ports },
    replicas: 1,
    claims: [],
    serviceName: 'set',
  });
  set.addService({ ports });
  const others = [new Job(chart, 'job', props), new CronJob(chart, 'cron-job', { ...props, schedule: Cron.daily() })];
  for (const workload of [set, ...others]) {
    workload.addConfigFiles({ '/etc/a': 'a' });
  }
  const objects = render(chart);
  expect(namesOf(objects, 'ConfigMap')).toEqual([expect.stringMatching(/^set-[0-9a-f]{10}$/), 'job', 'cron-job']);
  for (const name of ['job', 'cron-job']) {
    expect(find(objects, 'ConfigMap', name)).not.toHaveProperty('immutable');
    expect(find(objects, 'ConfigMap', name).metadata.annotations ?? {}).not.toHaveProperty([SYNC_OPTIONS]);
  }
});
