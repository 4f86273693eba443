import { join } from 'node:path';
import { ApiObject, App, Chart } from 'cdk8s';
import { Environment } from '../../charts/environments/environment';
import { neededSecrets } from '../../charts/needed-secrets';
import { RenderedEnvironment } from '../../charts/rendered-environment';
import { Cluster } from '../../constructs/placement/cluster';
import { Registry } from '../../constructs/placement/registry';
import { CertificateAuthority } from '../../constructs/secrets/certificate-authority';
import { ExternalSecrets } from '../../constructs/secrets/external-secrets';
import { SecretKey } from '../../constructs/secrets/secret-key';
import { SecretStore } from '../../constructs/secrets/secret-store';
import { StoreLayout } from '../../constructs/secrets/store-layout';
import { Deployment } from '../../constructs/workload/deployment';
import { EnvValue } from '../../constructs/workload/env-value';
import { CONTAINER } from '../support/workloads';

/** What a workload needs that reads these keys. */
function neededFor(
  keys: { readonly [name: string]: SecretKey },
  cluster = new Cluster(),
  extend: (chart: Chart) => void = () => {},
): string[] {
  const app = new App();
  const chart = new Chart(app, 'rag', { namespace: 'test' });
  cluster.attachTo(chart);
  extend(chart);
  const env = Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, EnvValue.fromSecret(key)]));
  new Deployment(chart, 'api', { component: 'api', container: { ...CONTAINER, env } });
  return neededSecrets(new RenderedEnvironment(app, 'main.ts'));
}

test('Secrets that are to exist are named with all keys that something reads', () => {
  expect(neededFor({ A: SecretKey.of('one', 'b'), B: SecretKey.of('one', 'a'), C: SecretKey.of('two', 'c') })).toEqual([
    'Secret test/one: a, b',
    'Secret test/two: c',
  ]);
});

test('entries of a store are named instead of the Secrets that they fill', () => {
  const store = new ExternalSecrets(SecretStore.existing('acme'), { path: 'rag/test' });
  const own = new ExternalSecrets(SecretStore.existing('own', { clusterStore: false }));
  expect(neededFor({ A: store.key('one', 'b'), B: store.key('one', 'a'), C: own.key('two', 'c') })).toEqual([
    'ClusterSecretStore acme, rag/test/one: a, b',
    'SecretStore own, two: c',
  ]);
});

const TENANT = '66666666-7777-8888-9999-000000000000';

test.each([
  [
    SecretStore.awsSecretsManager({ region: 'eu-west-1' }),
    ['AWS Secrets Manager in eu-west-1, rag/test/one: a, b', 'AWS Secrets Manager in eu-west-1, rag/test/two: c'],
  ],
  [
    SecretStore.awsParameterStore({ region: 'eu-west-1' }),
    ['AWS Parameter Store in eu-west-1, /rag/test/one: a, b', 'AWS Parameter Store in eu-west-1, /rag/test/two: c'],
  ],
  [
    SecretStore.vault({
      server: 'https://vault.acme.example',
      path: 'kv',
      role: 'rag',
      authority: CertificateAuthority.secret('vault-ca', 'ca.crt'),
    }),
    [
      'Secret test/vault-ca: ca.crt',
      'Vault https://vault.acme.example, kv/rag/test/one: a, b',
      'Vault https://vault.acme.example, kv/rag/test/two: c',
    ],
  ],
  [
    SecretStore.azureKeyVault({ vault: 'acme-rag', tenantId: TENANT, clientId: TENANT }),
    ['vault acme-rag, rag--test--one--a', 'vault acme-rag, rag--test--one--b', 'vault acme-rag, rag--test--two--c'],
  ],
  [
    SecretStore.googleSecretManager({ project: 'acme-test' }),
    [
      'Google Secret Manager of acme-test, rag--test--one: a, b',
      'Google Secret Manager of acme-test, rag--test--two: c',
    ],
  ],
  [
    SecretStore.existing('acme', { layout: StoreLayout.AZURE_KEY_VAULT }),
    [
      'ClusterSecretStore acme, rag--test--one--a',
      'ClusterSecretStore acme, rag--test--one--b',
      'ClusterSecretStore acme, rag--test--two--c',
    ],
  ],
])('entries of a store of the chart are named where they are', (store, needed) => {
  const secrets = new ExternalSecrets(store, { path: 'rag/test' });
  expect(neededFor({ A: secrets.key('one', 'b'), B: secrets.key('one', 'a'), C: secrets.key('two', 'c') })).toEqual(
    needed,
  );
});

test('the form of a key for URLs needs no entry', () => {
  const key = new ExternalSecrets(SecretStore.existing('acme')).key('one', 'a');
  expect(neededFor({ A: key, B: key._inUrl })).toEqual(['ClusterSecretStore acme, one: a']);
});

test('a store that somebody else puts into the output is named as it is called', () => {
  const spec = { provider: { fake: { data: [] } } };
  const store = new ExternalSecrets(SecretStore.existing('acme', { clusterStore: false }));
  const needed = neededFor({ A: store.key('one', 'a') }, new Cluster(), (chart) => {
    new ApiObject(chart, 'store', {
      apiVersion: 'external-secrets.io/v1',
      kind: 'SecretStore',
      metadata: { name: 'acme' },
      spec,
    });
  });
  expect(needed).toEqual(['SecretStore acme, one: a']);
});

test('the Secret of a registry is named without a key', () => {
  const registry = new Registry({ pullSecrets: ['registry'] });
  expect(neededFor({}, new Cluster({ registry }))).toEqual(['Secret test/registry']);
});

test('nothing is needed where nothing is read', () => {
  expect(neededFor({})).toEqual([]);
});

test('entries of a vault are named one by one, and what exists is not asked for', () => {
  const file = join(__dirname, '..', '..', 'examples', 'environments', 'azure.yaml');
  expect(neededSecrets(Environment.read(file).render('azure'))).toEqual([
    'vault acme-rag, azure--api-key',
    'vault acme-rag, cache--password',
    'vault acme-rag, database--password',
    'vault acme-rag, qdrant--api-key',
    'vault acme-rag, qdrant--client-token',
    'vault acme-rag, qdrant--read-only-token',
  ]);
});

test('what operators make of objects of the output is not asked for', () => {
  const file = join(__dirname, '..', '..', 'examples', 'environments', 'in-cluster.yaml');
  const { objects, references } = Environment.read(file).render('in-cluster');
  const declared = references.filter(({ kind }) => kind === 'Secret').map(({ name }) => name);
  expect(declared).toEqual(expect.arrayContaining(['database-app', 'database-ca', 'queue-default-user']));
  const needed = neededSecrets({ objects, references } as RenderedEnvironment);
  expect(needed.length).toBeGreaterThan(0);
  expect(needed.join('\n')).not.toMatch(/database-app|database-ca|default-user/);
});
