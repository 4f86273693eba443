import { Chart } from 'cdk8s';
import { parse } from 'yaml';
import type { Json } from '../../../constructs/rules/output';
import { Scaling } from '../../../constructs/scaling/scaling';
import { ScalingTrigger } from '../../../constructs/scaling/scaling-trigger';
import { type AzureKeyVaultProps, SecretsStoreCsi } from '../../../constructs/secrets/secrets-store-csi';
import { Deployment, type DeploymentProps } from '../../../constructs/workload/deployment';
import { EnvValue } from '../../../constructs/workload/env-value';
import { Volume } from '../../../constructs/workload/volume';
import { find, namesOf, render, templateOf, testChart } from '../../support/manifests';
import { ClusterSchemas, SCHEMAS_PRESENT } from '../../support/schemas';
import { CONTAINER } from '../../support/workloads';

const PROPS: AzureKeyVaultProps = {
  vault: 'acme-rag',
  tenantId: '66666666-7777-8888-9999-000000000000',
  clientId: '11111111-2222-3333-4444-555555555555',
};
const SECRETS = SecretsStoreCsi.azureKeyVault(PROPS);
const API_KEY = EnvValue.fromSecret(SECRETS.key('qdrant', 'api-key'));

/** A workload "api" that reads Secrets from the vault, and what the chart renders to. */
function reading(props: Partial<DeploymentProps>, change: (deployment: Deployment) => void = () => {}) {
  const chart = testChart({ keda: { namespace: 'keda' } });
  change(new Deployment(chart, 'api', { component: 'api', container: CONTAINER, ...props }));
  const objects = render(chart);
  const { spec } = templateOf(find(objects, 'Deployment', 'api'));
  const classes = (spec.volumes ?? []).map(({ csi }: Json) => csi?.volumeAttributes.secretProviderClass);
  return { objects, spec, classes };
}

const READ_KEY = EnvValue.fromSecret(SECRETS.key('qdrant', 'read-key'));

describe('a SecretProviderClass', () => {
  const { objects } = reading({ env: { B: READ_KEY, A: API_KEY } });
  const object = find(objects, 'SecretProviderClass', 'qdrant--api-key');

  test('is that of one key, which it reads from its entry, with the identity, and no older kind of one', () => {
    const { objects: entries, ...parameters } = object.spec.parameters;
    expect(parameters).toEqual({
      usePodIdentity: 'false',
      clientID: PROPS.clientId,
      keyvaultName: 'acme-rag',
      tenantID: PROPS.tenantId,
    });
    expect(parse(entries).array.map((text: string) => parse(text))).toEqual([
      { objectName: 'qdrant--api-key', objectType: 'secret', objectAlias: 'api-key' },
    ]);
  });

  test('makes a Secret of it, under the name by which containers know the key', () => {
    expect(object.spec.provider).toBe('azure');
    expect(object.spec.secretObjects).toEqual([
      { secretName: 'qdrant--api-key', type: 'Opaque', data: [{ objectName: 'api-key', key: 'api-key' }] },
    ]);
  });

  test('has a name without capitals, which the entry has', () => {
    const key = EnvValue.fromSecret(SECRETS.key('qdrant', 'ApiKey'));
    const { spec } = find(reading({ env: { A: key } }).objects, 'SecretProviderClass', 'qdrant--apikey');
    expect(parse(parse(spec.parameters.objects).array[0])).toMatchObject({
      objectName: 'qdrant--ApiKey',
      objectAlias: 'ApiKey',
    });
    expect(spec.secretObjects[0]).toMatchObject({ secretName: 'qdrant--apikey', data: [{ key: 'ApiKey' }] });
  });

  test('is applied before the pods, in their namespace, and removed when the pods that mounted it have gone', () => {
    expect(object.metadata).toMatchObject({
      namespace: 'test',
      annotations: {
        'argocd.argoproj.io/sync-wave': '-10',
        'argocd.argoproj.io/sync-options': 'PruneLast=true',
      },
    });
  });

  test('leaves the Secret itself to the driver', () => {
    expect(namesOf(objects, 'Secret')).toEqual([]);
    expect(namesOf(objects, 'SecretProviderClass').sort()).toEqual(['qdrant--api-key', 'qdrant--read-key']);
  });

  (SCHEMAS_PRESENT ? test : test.skip)('is one that the API server accepts, down to the last field', () => {
    const schemas = new ClusterSchemas('1.28');
    expect(objects.flatMap((candidate) => schemas.errors(candidate))).toEqual([]);
    const wrong = structuredClone(object) as Json;
    wrong.spec.secretObject = [];
    expect(schemas.errors(wrong)).toHaveLength(1);
  });
});

describe('a pod that reads a Secret mounts its class, because without it there is no Secret', () => {
  test('for a variable', () => {
    const { spec } = reading({ env: { A: API_KEY } });
    expect(spec.volumes).toEqual([
      {
        name: 'secrets-store-qdrant--api-key',
        csi: {
          driver: 'secrets-store.csi.k8s.io',
          readOnly: true,
          volumeAttributes: { secretProviderClass: 'qdrant--api-key' },
        },
      },
    ]);
    expect(spec.containers[0].volumeMounts).toEqual([
      {
        name: 'secrets-store-qdrant--api-key',
        mountPath: '/mnt/secrets-store/qdrant--api-key',
        readOnly: true,
      },
    ]);
    expect(spec.containers[0].env[0].valueFrom.secretKeyRef).toEqual({ name: 'qdrant--api-key', key: 'api-key' });
  });

  test('for a variable of an init container or of a sidecar, in the main container', () => {
    const more = { ...CONTAINER, name: 'more', env: { A: API_KEY } };
    for (const add of [
      (deployment: Deployment) => deployment.addInitContainer(more),
      (deployment: Deployment) => deployment.addContainer(more),
    ]) {
      const { spec, classes } = reading({}, add);
      expect(classes).toEqual(['qdrant--api-key']);
      expect(spec.containers[0].volumeMounts).toHaveLength(1);
    }
  });

  test('for a file', () => {
    const volume = Volume.secret('key', [SECRETS.key('qdrant', 'api-key')]);
    const { classes } = reading({}, (deployment) => deployment.addVolume({ volume, path: '/run/key' }));
    expect(classes).toEqual([undefined, 'qdrant--api-key']);
  });

  test('for what a provider gives', () => {
    const files = [{ source: SECRETS.key('ca', 'authority'), directory: '/etc/ca' }];
    const { classes } = reading({}, (deployment) =>
      deployment.uses({ offerTo: () => ({ endpoints: [], env: { A: API_KEY }, files }) }),
    );
    expect(classes).toEqual([undefined, 'ca--authority', 'qdrant--api-key']);
  });

  test('once, however often it reads the key, and each of several', () => {
    const env = { A: API_KEY, AGAIN: API_KEY, B: READ_KEY, C: EnvValue.fromSecret(SECRETS.key('broker', 'password')) };
    expect(reading({ env }).classes).toEqual(['broker--password', 'qdrant--api-key', 'qdrant--read-key']);
  });

  test('and not that of a key of the same Secret that only another pod reads', () => {
    const chart = testChart();
    new Deployment(chart, 'reader', { component: 'api', container: CONTAINER, env: { A: READ_KEY } });
    new Deployment(chart, 'writer', { component: 'api', container: CONTAINER, env: { A: API_KEY } });
    const objects = render(chart);
    expect(JSON.stringify(find(objects, 'Deployment', 'reader'))).not.toContain('qdrant--api-key');
    expect(JSON.stringify(find(objects, 'Deployment', 'writer'))).not.toContain('qdrant--read-key');
  });

  test('for files of several keys in one volume, or in the directory of a provider', () => {
    const keys = ['certificate', 'key'].map((key) => SECRETS.key('client', key));
    const sources = ['certificate', 'key'].map((key) => ({
      secret: { name: `client--${key}`, items: [{ key, path: key }] },
    }));
    const own = reading({}, (deployment) => deployment.addVolume({ volume: Volume.secret('own', keys), path: '/own' }));
    expect(own.spec.volumes[0]).toEqual({ name: 'own', projected: { sources } });
    const files = keys.map((source) => ({ source, directory: '/etc/client' }));
    const given = reading({}, (deployment) => deployment.uses({ offerTo: () => ({ endpoints: [], env: {}, files }) }));
    const volume = given.spec.volumes.find(({ projected }: Json) => projected !== undefined);
    expect(volume.projected).toEqual({ sources });
    expect(given.spec.containers[0].volumeMounts).toContainEqual({
      name: volume.name,
      mountPath: '/etc/client',
      readOnly: true,
    });
    for (const { classes } of [own, given]) {
      expect(classes.filter(Boolean)).toEqual(['client--certificate', 'client--key']);
    }
  });

  test('and no other pod does', () => {
    expect(reading({}).spec).not.toHaveProperty('volumes');
  });
});

describe('a Secret that something else reads', () => {
  const scaling = () =>
    Scaling.onEvents({
      min: 0,
      max: 2,
      triggers: [
        ScalingTrigger.of({
          type: 'rabbitmq',
          metadata: { queueName: 'documents', mode: 'QueueLength', value: '5' },
          secrets: { host: SECRETS.key('broker', 'url') },
        }),
      ],
    });

  test('is there while a pod mounts it', () => {
    const env = { URL: EnvValue.fromSecret(SECRETS.key('broker', 'url')) };
    expect(namesOf(reading({ scaling: scaling(), env }).objects, 'TriggerAuthentication')).toHaveLength(1);
  });

  test('is missed where no pod does', () => {
    expect(() => reading({ scaling: scaling() })).toThrow(
      /refers to Secret broker--url key url, which exists only while its pods mount SecretProviderClass broker--url; mount it there/,
    );
  });
});

test('a key comes from one vault', () => {
  const other = SecretsStoreCsi.azureKeyVault({ ...PROPS, vault: 'acme-other' });
  const env = { A: API_KEY, B: EnvValue.fromSecret(other.key('qdrant', 'api-key')) };
  expect(() => reading({ env })).toThrow(
    'rag: secret qdrant--api-key comes from the vault acme-rag and from acme-other; one Secret comes from one vault, so ' +
      'give one of them another name',
  );
});

test.each([
  ['qdrant', 'API-KEY'],
  ['qdrant--api', 'KEY'],
])('two keys are not one entry: %s, %s', (secret, key) => {
  const env = {
    A: EnvValue.fromSecret(SECRETS.key('qdrant', secret === 'qdrant' ? 'api-key' : 'api--key')),
    B: EnvValue.fromSecret(SECRETS.key(secret, key)),
  };
  expect(() => reading({ env })).toThrow(
    /^rag: secret qdrant--api-{1,2}key is the entry of key api-{1,2}key and of key (API-)?KEY, and entries of a vault are told apart by/,
  );
});

test('two charts have classes of their own', () => {
  const chart = testChart();
  const second = new Chart(chart, 'second', { namespace: 'second' });
  for (const scope of [chart, second]) {
    new Deployment(scope, 'api', { component: 'api', container: CONTAINER, env: { A: API_KEY } });
  }
  expect(namesOf(render(chart), 'SecretProviderClass')).toEqual(['qdrant--api-key']);
  expect(namesOf(render(second), 'SecretProviderClass')).toEqual(['qdrant--api-key']);
});

describe('mistakes', () => {
  test.each(['', 'ab', '1rag', 'acme--rag', 'acme-rag-', 'a'.repeat(25), 'acme-rag.vault.azure.net'])(
    'the vault "%s"',
    (vault) => {
      expect(() => SecretsStoreCsi.azureKeyVault({ ...PROPS, vault })).toThrow(
        `secrets.vault is "${vault}", but must be 3 to 24 letters, digits and "-", beginning with a letter, without a domain`,
      );
    },
  );

  test.each(['tenantId', 'clientId'])('a %s that is no UUID', (property) => {
    expect(() => SecretsStoreCsi.azureKeyVault({ ...PROPS, [property]: 'acme' })).toThrow(
      `secrets.${property} is "acme", but must be a UUID in lower case: 8, 4, 4, 4 and 12 hexadecimal digits`,
    );
  });

  test.each([
    ['qdrant', 'api_key'],
    ['qdrant', 'tls.crt'],
    ['qdrant.eu', 'key'],
    ['qdrant', 'key-'],
    ['a'.repeat(100), 'b'.repeat(26)],
  ])('a key that no vault has: %s %s', (secret, key) => {
    expect(() => SECRETS.key(secret, key)).toThrow(
      `secret.key is "${key}", so the entry in the vault would be "${secret}--${key}", but there names are at most 127 ` +
        'letters, digits and "-", with a letter or digit at the end; name the Secret and the key so',
    );
  });
});
