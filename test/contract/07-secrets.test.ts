import type { Json } from '../../constructs/rules/output';
import { EACH_ENVIRONMENT } from '../support/environments';
import { find } from '../support/manifests';
import { podsOf } from '../support/pods';

const CREDENTIAL = /(PASSWORD|SECRET|TOKEN|API_KEY|ACCESS_KEY)(_URLENCODED)?$|^REDISCLI_AUTH$/;

describe.each(EACH_ENVIRONMENT)('%s: no secret value is in the output', (_, { objects, files }) => {
  test('there is no Secret', () => {
    expect(objects.filter(({ kind }) => kind === 'Secret')).toEqual([]);
  });

  test('variables with credentials refer to a Secret', () => {
    const variables: Json[] = podsOf(objects).flatMap(({ containers }) => containers.flatMap(({ env = [] }) => env));
    const credentials = variables.filter(({ name }) => CREDENTIAL.test(name));
    expect(credentials.length).toBeGreaterThan(0);
    for (const { value, valueFrom } of credentials) {
      expect(value).toBeUndefined();
      expect(valueFrom.secretKeyRef).toEqual({ name: expect.any(String), key: expect.any(String) });
    }
  });

  test('a pod mounts no key that it does not read', () => {
    const classes = objects.filter(({ kind }) => kind === 'SecretProviderClass');
    for (const { spec, containers } of podsOf(objects)) {
      const volumes: Json[] = spec.volumes ?? [];
      const sources = volumes.flatMap(({ secret, projected }) => [
        ...(secret === undefined ? [] : [{ name: secret.secretName, items: secret.items }]),
        ...(projected?.sources ?? []).flatMap((source: Json) => source.secret ?? []),
      ]);
      const read = [
        ...containers.flatMap(({ env = [] }) => env.flatMap(({ valueFrom }: Json) => valueFrom?.secretKeyRef ?? [])),
        ...sources.flatMap(({ name, items }) => items.map(({ key }: Json) => ({ name, key }))),
      ].map(({ name, key }) => `${name}/${key}`);
      const mounted: string[] = volumes.flatMap(({ csi }) => csi?.volumeAttributes.secretProviderClass ?? []);
      const made = classes
        .filter(({ metadata }) => mounted.includes(metadata.name))
        .flatMap(({ spec: { secretObjects } }) => secretObjects)
        .flatMap(({ secretName, data }) => data.map(({ key }: Json) => `${secretName}/${key}`));
      expect(made.filter((key) => !read.includes(key))).toEqual([]);
    }
  });

  test('no file holds anything of the form of a credential', () => {
    const forms = [
      /-----BEGIN [A-Z ]*PRIVATE KEY/,
      /\bsk-[A-Za-z0-9]{16,}/,
      /\bAKIA[0-9A-Z]{16}\b/,
      /:\/\/[^/\s:@]*:(?!\$\$?\()[^@\s]+@/,
    ];
    for (const [name, text] of files) {
      expect([name, forms.filter((form) => form.test(text))]).toEqual([name, []]);
    }
  });
});

test('the API that reads a vault by mounting it has its token, and neither the full key nor what others read', () => {
  const [, azure] = EACH_ENVIRONMENT.find(([name]) => name === 'azure') as (typeof EACH_ENVIRONMENT)[number];
  const api = find(azure.objects, 'Deployment', 'api');
  const mounted = api.spec.template.spec.volumes.flatMap(
    ({ csi }: Json) => csi?.volumeAttributes.secretProviderClass ?? [],
  );
  expect(mounted).toEqual(['azure--api-key', 'cache--password', 'database--password', 'qdrant--read-only-token']);
  expect(JSON.stringify(api)).not.toMatch(/qdrant--(api-key|client-token)/);
  const statefulSet = find(azure.objects, 'StatefulSet', 'qdrant');
  expect(JSON.stringify(statefulSet)).toContain('"secretProviderClass":"qdrant--api-key"');
});
