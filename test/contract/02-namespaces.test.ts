import { EACH_ENVIRONMENT } from '../support/environments';

describe.each(EACH_ENVIRONMENT)(
  '%s: every object has its place, and none has that of another',
  (_, { objects, platform }) => {
    test('namespaced objects are in the namespace of the chart; the Namespace is in none', () => {
      for (const { kind, metadata } of objects) {
        expect(metadata.namespace).toBe(kind === 'Namespace' ? undefined : platform.namespace);
      }
      expect(objects.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name)).toEqual([
        platform.namespace,
      ]);
    });

    test('no two objects share group, kind, namespace and name', () => {
      const identities = objects.map(({ apiVersion, kind, metadata }) =>
        [apiVersion.includes('/') ? apiVersion.split('/')[0] : '', kind, metadata.namespace, metadata.name].join('|'),
      );
      expect(new Set(identities).size).toBe(identities.length);
    });
  },
);
