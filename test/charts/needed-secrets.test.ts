import { join } from 'node:path';
import { App, Chart } from 'cdk8s';
import { Environment } from '../../charts/environments/environment';
import { neededSecrets } from '../../charts/needed-secrets';
import { RenderedEnvironment } from '../../charts/rendered-environment';
import { Cluster } from '../../constructs/placement/cluster';
import { Registry } from '../../constructs/placement/registry';
import { ExternalSecrets } from '../../constructs/secrets/external-secrets';
import { SecretKey } from '../../constructs/secrets/secret-key';
import { Deployment } from '../../constructs/workload/deployment';
import { EnvValue } from '../../constructs/workload/env-value';
import { CONTAINER } from '../support/workloads';

/** What a workload needs that reads these keys. */
function neededFor(keys: { readonly [name: string]: SecretKey }, cluster = new Cluster()): string[] {
  const app = new App();
  const chart = new Chart(app, 'rag', { namespace: 'test' });
  cluster.attachTo(chart);
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
  const store = new ExternalSecrets({ store: 'acme', path: 'rag/test' });
  const own = new ExternalSecrets({ store: 'own', clusterStore: false });
  expect(neededFor({ A: store.key('one', 'b'), B: store.key('one', 'a'), C: own.key('two', 'c') })).toEqual([
    'ClusterSecretStore acme, rag/test/one: a, b',
    'SecretStore own, two: c',
  ]);
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
    'vault acme-rag, qdrant--read-only-api-key',
  ]);
});
