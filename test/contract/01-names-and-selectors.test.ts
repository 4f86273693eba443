import { EACH_ENVIRONMENT, ENVIRONMENTS } from '../support/environments';
import { operatedPods } from '../support/operated-pods';
import { matches, podsOf } from '../support/pods';

const SELECTOR = ['app.kubernetes.io/instance', 'app.kubernetes.io/name'];

describe.each(EACH_ENVIRONMENT)('%s: names are chosen and selectors never change', (_, { objects }) => {
  test('names are DNS labels without a hash of the construct path', () => {
    for (const { kind, metadata } of objects) {
      expect(metadata.name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
      expect(metadata.name).not.toMatch(/-c[0-9a-f]{7}$/);
      expect(metadata.name.length).toBeLessThanOrEqual(kind === 'CronJob' || kind === 'StatefulSet' ? 52 : 63);
    }
  });

  test('workloads, Services and budgets select by name and instance, and by nothing else', () => {
    const operated = operatedPods(objects);
    const selectors = objects.flatMap(({ kind, spec }) => {
      switch (kind) {
        case 'Deployment':
        case 'StatefulSet':
          return [spec.selector.matchLabels];
        case 'PodDisruptionBudget':
          // Pods that an operator makes have the operator's labels.
          return operated.some(({ labels }) => matches(labels, spec.selector)) ? [] : [spec.selector.matchLabels];
        case 'Service':
          return [spec.selector];
        default:
          return [];
      }
    });
    expect(selectors.length).toBeGreaterThan(3);
    for (const selector of selectors) {
      expect(Object.keys(selector).sort()).toEqual(SELECTOR);
    }
  });

  test('a selector takes the pods of one workload', () => {
    const pods = podsOf(objects);
    for (const { owner } of pods.filter(({ owner: { kind } }) => ['Deployment', 'StatefulSet'].includes(kind))) {
      const selected = pods.filter(({ labels }) => matches(labels, owner.spec.selector));
      expect(selected.map(({ title }) => title)).toEqual([`${owner.kind}/${owner.metadata.name}`]);
    }
  });

  test('Jobs have no selector: the API server gives them one of its own', () => {
    const jobs = objects.filter(({ kind }) => ['Job', 'CronJob'].includes(kind));
    expect(jobs.map(({ spec }) => spec.selector ?? spec.jobTemplate?.spec.selector)).toEqual(jobs.map(() => undefined));
  });

  test('claim templates carry a name and nothing else', () => {
    const claims = objects.flatMap(({ spec }) => spec?.volumeClaimTemplates ?? []);
    for (const { metadata } of claims) {
      expect(Object.keys(metadata)).toEqual(['name']);
    }
  });

  test('everything says which system it belongs to', () => {
    const instances = new Set(objects.map(({ metadata }) => metadata.labels?.['app.kubernetes.io/instance']));
    expect(instances.size).toBe(1);
    expect(instances.has(undefined)).toBe(false);
  });
});

test('there are claim templates', () => {
  const claims = ENVIRONMENTS.flatMap(({ objects }) => objects.flatMap(({ spec }) => spec?.volumeClaimTemplates ?? []));
  expect(claims.length).toBeGreaterThan(10);
});
