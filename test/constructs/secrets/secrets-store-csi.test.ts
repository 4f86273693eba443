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

describe('a SecretProviderClass', () => {
  const { objects } = reading({ env: { B: EnvValue.fromSecret(SECRETS.key('qdrant', 'read-key')), A: API_KEY } });
  const object = find(objects, 'SecretProviderClass', 'qdrant');

  test('reads each key from an entry of its own, with the identity, and no older kind of one', () => {
    const { objects: entries, ...parameters } = object.spec.parameters;
    expect(parameters).toEqual({
      usePodIdentity: 'false',
      clientID: PROPS.clientId,
      keyvaultName: 'acme-rag',
      tenantID: PROPS.tenantId,
    });
    expect(parse(entries).array.map((text: string) => parse(text))).toEqual([
      { objectName: 'qdrant--api-key', objectType: 'secret', objectAlias: 'api-key' },
      { objectName: 'qdrant--read-key', objectType: 'secret', objectAlias: 'read-key' },
    ]);
  });

  test('makes a Secret of them, under the names by which containers know them', () => {
    expect(object.spec.provider).toBe('azure');
    expect(object.spec.secretObjects).toEqual([
      {
        secretName: 'qdrant',
        type: 'Opaque',
        data: [
          { objectName: 'api-key', key: 'api-key' },
          { objectName: 'read-key', key: 'read-key' },
        ],
      },
    ]);
  });

  test('is applied before the pods, in their namespace', () => {
    expect(object.metadata).toMatchObject({
      namespace: 'test',
      annotations: { 'argocd.argoproj.io/sync-wave': '-10' },
    });
  });

  test('leaves the Secret itself to the driver', () => {
    expect(namesOf(objects, 'Secret')).toEqual([]);
    expect(namesOf(objects, 'SecretProviderClass')).toEqual(['qdrant']);
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
        name: 'secrets-store-qdrant',
        csi: {
          driver: 'secrets-store.csi.k8s.io',
          readOnly: true,
          volumeAttributes: { secretProviderClass: 'qdrant' },
        },
      },
    ]);
    expect(spec.containers[0].volumeMounts).toEqual([
      { name: 'secrets-store-qdrant', mountPath: '/mnt/secrets-store/qdrant', readOnly: true },
    ]);
    expect(spec.containers[0].env[0].valueFrom.secretKeyRef).toEqual({ name: 'qdrant', key: 'api-key' });
  });

  test('for a variable of an init container or of a sidecar, in the main container', () => {
    const more = { ...CONTAINER, name: 'more', env: { A: API_KEY } };
    for (const add of [
      (deployment: Deployment) => deployment.addInitContainer(more),
      (deployment: Deployment) => deployment.addContainer(more),
    ]) {
      const { spec, classes } = reading({}, add);
      expect(classes).toEqual(['qdrant']);
      expect(spec.containers[0].volumeMounts).toHaveLength(1);
    }
  });

  test('for a file', () => {
    const volume = Volume.secret('key', [SECRETS.key('qdrant', 'api-key')]);
    const { classes } = reading({}, (deployment) => deployment.addVolume({ volume, path: '/run/key' }));
    expect(classes).toEqual([undefined, 'qdrant']);
  });

  test('for what a provider gives', () => {
    const files = [{ source: SECRETS.key('ca', 'authority'), directory: '/etc/ca' }];
    const { classes } = reading({}, (deployment) =>
      deployment.uses({ offerTo: () => ({ endpoints: [], env: { A: API_KEY }, files }) }),
    );
    expect(classes).toEqual([undefined, 'ca', 'qdrant']);
  });

  test('once, however many keys it reads, and each of several', () => {
    const env = {
      A: API_KEY,
      B: EnvValue.fromSecret(SECRETS.key('qdrant', 'read-key')),
      C: EnvValue.fromSecret(SECRETS.key('broker', 'password')),
    };
    expect(reading({ env }).classes).toEqual(['broker', 'qdrant']);
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
      /refers to Secret broker key url, which exists only while its pods mount SecretProviderClass broker; mount it there/,
    );
  });
});

test('one Secret comes from one vault', () => {
  const other = SecretsStoreCsi.azureKeyVault({ ...PROPS, vault: 'acme-other' });
  const env = { A: API_KEY, B: EnvValue.fromSecret(other.key('qdrant', 'read-key')) };
  expect(() => reading({ env })).toThrow(
    'rag: secret qdrant has keys from the vault acme-rag and from acme-other; one Secret comes from one vault, so give ' +
      'one of them another name',
  );
});

test('two charts have classes of their own', () => {
  const chart = testChart();
  const second = new Chart(chart, 'second', { namespace: 'second' });
  for (const scope of [chart, second]) {
    new Deployment(scope, 'api', { component: 'api', container: CONTAINER, env: { A: API_KEY } });
  }
  expect(namesOf(render(chart), 'SecretProviderClass')).toEqual(['qdrant']);
  expect(namesOf(render(second), 'SecretProviderClass')).toEqual(['qdrant']);
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
    ['a'.repeat(100), 'b'.repeat(26)],
  ])('a key that no vault has: %s %s', (secret, key) => {
    expect(() => SECRETS.key(secret, key)).toThrow(
      `secret.key is "${key}", so the entry in the vault would be "${secret}--${key}", but there names are at most 127 ` +
        'letters, digits and "-"; name the Secret and the key so',
    );
  });
});
