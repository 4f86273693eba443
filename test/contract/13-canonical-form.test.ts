import type { Json } from '../../constructs/rules/output';
import { EACH_ENVIRONMENT } from '../support/environments';

const MAPS = ['requests', 'limits'];

/** Every quantity among some objects, with the path to it. */
function quantities(value: Json, path: string): [string, unknown][] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return Object.entries(value).flatMap(([key, child]): [string, unknown][] => {
    const at = `${path}.${key}`;
    if (MAPS.includes(key)) {
      return Object.entries(child as object).map(([name, quantity]) => [`${at}.${name}`, quantity]);
    }
    return ['sizeLimit', 'averageValue'].includes(key) ? [[at, child]] : quantities(child, at);
  });
}

/** The form in which Kubernetes serializes a quantity (apimachinery, resource.Quantity.CanonicalizeBytes). */
function canonical(quantity: string): string {
  const [, amount, suffix = ''] = /^(\d+)([mkMGT]|[KMGTP]i|)$/.exec(quantity) as unknown as [string, string, string];
  const [step, units] = suffix.endsWith('i')
    ? [1024, ['Ki', 'Mi', 'Gi', 'Ti', 'Pi']]
    : [1000, ['m', '', 'k', 'M', 'G', 'T']];
  let [value, unit] = [Number(amount), units.indexOf(suffix)];
  while (unit < units.length - 1 && value % step === 0 && value > 0) {
    value /= step;
    unit += 1;
  }
  return value === 0 ? '0' : `${value}${units[unit]}`;
}

describe.each(EACH_ENVIRONMENT)('%s: values are written as they are read back', (_, { objects }) => {
  test('quantities are canonical texts', () => {
    const found = objects.flatMap((object) => quantities(object, `${object.kind}/${object.metadata.name}`));
    expect(found.length).toBeGreaterThan(10);
    for (const [path, quantity] of found) {
      expect([path, quantity]).toEqual([path, canonical(String(quantity))]);
    }
  });

  test('claim templates are complete', () => {
    for (const claim of objects.flatMap(({ spec }) => spec?.volumeClaimTemplates ?? [])) {
      expect(Object.keys(claim).sort()).toEqual(['apiVersion', 'kind', 'metadata', 'spec']);
      expect(claim).toMatchObject({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        spec: { volumeMode: 'Filesystem' },
      });
    }
  });

  test('the CPU metric of an autoscaler comes last', () => {
    for (const { spec } of objects.filter(({ kind }) => kind === 'HorizontalPodAutoscaler')) {
      const cpu = spec.metrics.findIndex(({ resource }: Json) => resource?.name === 'cpu');
      expect(cpu).toBe(spec.metrics.length - 1);
    }
  });

  test('nothing is empty that the API server would drop', () => {
    const empty = objects.flatMap((object) => emptyFields(object, `${object.kind}/${object.metadata.name}`));
    // The selector of the policy for every pod is empty and required.
    expect(empty).toEqual(['NetworkPolicy/default-deny.spec.podSelector']);
  });
});

/** Paths of null, empty maps and empty lists. */
function emptyFields(value: Json, path: string): string[] {
  if (typeof value !== 'object') {
    return [];
  }
  const entries = Object.entries(value ?? {});
  return entries.length === 0 ? [path] : entries.flatMap(([key, child]) => emptyFields(child, `${path}.${key}`));
}
