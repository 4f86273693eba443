import { Duration, JsonPatch } from 'cdk8s';
import { EnvValue } from '../../../constructs/workload/env-value';
import { Job, type JobProps } from '../../../constructs/workload/job';
import { PodSecurityException } from '../../../constructs/workload/pod-security';
import { find, namesOf, render, templateOf, testChart } from '../../support/manifests';
import { CONTAINER } from '../../support/workloads';

function job(props: Partial<JobProps> = {}) {
  const chart = testChart();
  const construct = new Job(chart, 'migrate', {
    component: 'migration',
    container: CONTAINER,
    deadline: Duration.minutes(10),
    ...props,
  });
  return { chart, construct, objects: () => render(chart), object: () => find(render(chart), 'Job', 'migrate') };
}

describe('a Job', () => {
  const object = job().object();

  test('runs at every sync, in place of the last one', () => {
    expect(object.metadata.annotations).toEqual({
      'argocd.argoproj.io/hook': 'Sync',
      'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
    });
  });

  test('runs after what it uses', () => {
    const { chart, construct } = job();
    const provider = new Job(chart, 'first', {
      component: 'first',
      container: { ...CONTAINER, ports: [{ name: 'http', number: 8080 }] },
      deadline: Duration.minutes(1),
    });
    provider.addService({ ports: [{ name: 'http', number: 8080 }] });
    construct.uses({ offerTo: () => ({ endpoints: [provider.endpoint({ name: 'http', number: 8080 })], env: {} }) });
    const objects = render(chart);
    expect(find(objects, 'Job', 'migrate').metadata.annotations).toMatchObject({
      'argocd.argoproj.io/hook': 'Sync',
      'argocd.argoproj.io/sync-wave': '10',
    });
    expect(find(objects, 'Job', 'first').metadata.annotations).not.toHaveProperty(['argocd.argoproj.io/sync-wave']);
  });

  test('keeps the annotations of every workload beside those of the hook', () => {
    const exceptions = [PodSecurityException.addCapability('NET_BIND_SERVICE', 'port 80')];
    expect(job({ podSecurityExceptions: exceptions }).object().metadata.annotations).toEqual({
      'argocd.argoproj.io/hook': 'Sync',
      'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
      'cdk8s-rag/pod-security-exceptions': 'capabilities NET_BIND_SERVICE: port 80',
    });
  });

  describe('has a checksum on its ServiceAccount, which Argo CD compares', () => {
    const annotations = (made: ReturnType<typeof job>) =>
      find(made.objects(), 'ServiceAccount', 'migrate').metadata.annotations ?? {};
    const checksum = (props: Partial<JobProps> = {}) => annotations(job(props))['checksum/job'];

    test('which is no hook', () => {
      expect(annotations(job())).toEqual({ 'checksum/job': expect.stringMatching(/^[0-9a-f]{64}$/) });
      expect(object.metadata.annotations).not.toHaveProperty(['checksum/job']);
    });

    test('and changes with the specification alone', () => {
      expect(checksum({ serviceAccountAnnotations: { 'acme.example/owner': 'search' } })).toBe(checksum());
      const changes: Partial<JobProps>[] = [
        { env: { BEFORE: EnvValue.of('2026-01-01') } },
        { retries: 5 },
        { deadline: Duration.minutes(11) },
        { files: { '/etc/a': '1' } },
        { files: { '/etc/a': '2' } },
      ];
      expect(new Set([{}, ...changes].map((props) => checksum(props))).size).toBe(changes.length + 1);
    });

    test('and with a variable that a provider gives, and a patch of the object', () => {
      const used = job();
      used.construct.uses({ offerTo: () => ({ endpoints: [], env: { GIVEN: EnvValue.of('1') } }) });
      expect(annotations(used)['checksum/job']).not.toBe(checksum());
      const patched = job();
      patched.construct.job.addJsonPatch(JsonPatch.replace('/spec/backoffLimit', 9));
      expect(annotations(patched)['checksum/job']).not.toBe(checksum());
    });
  });

  test('may fail three times but for disruptions, ends at its deadline, and says nothing else', () => {
    const { template, ...spec } = object.spec;
    expect(spec).toEqual({
      backoffLimit: 3,
      activeDeadlineSeconds: 600,
      podFailurePolicy: {
        rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }],
      },
    });
    expect(template.spec.restartPolicy).toBe('Never');
  });

  test('has no disruption budget and nothing to be kept apart from', () => {
    expect(namesOf(job().objects(), 'PodDisruptionBudget')).toEqual([]);
    expect(templateOf(object).spec.topologySpreadConstraints).toBeUndefined();
  });

  test('may have as little as a second', () => {
    expect(job({ deadline: Duration.seconds(1) }).object().spec.activeDeadlineSeconds).toBe(1);
  });

  test('may be forbidden to fail at all', () => {
    expect(job({ retries: 0 }).object().spec.backoffLimit).toBe(0);
  });
});

describe('mistakes', () => {
  test.each([-1, 1.5, Number.NaN])('%s retries', (retries) => {
    expect(() => job({ retries })).toThrow(`rag/migrate: retries is ${retries}, but must be a whole number from 0`);
  });

  test('no time to run', () => {
    expect(() => job({ deadline: Duration.seconds(0) })).toThrow(
      'rag/migrate: deadline is 0 ms, but must be whole seconds, at least one',
    );
  });
});
