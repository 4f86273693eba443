import type { ManifestObject } from '../../../constructs/rules/output';
import { secretMakers, secretsMadeBy } from '../../../constructs/rules/secret-makers';
import { problemsOf } from '../../support/output';

const object = (apiVersion: string, kind: string, name: string, spec = {}, namespace = 'test'): ManifestObject => ({
  apiVersion,
  kind,
  metadata: { name, namespace },
  spec,
});
const externalSecret = (name: string, spec = {}, namespace = 'test') =>
  object('external-secrets.io/v1', 'ExternalSecret', name, spec, namespace);
const cluster = object('postgresql.cnpg.io/v1', 'Cluster', 'database');
const withOwn = { bootstrap: { initdb: { secret: { name: 'own' } } } };

test.each<[ManifestObject, string[]]>([
  [cluster, ['database-app', 'database-ca', 'database-server', 'database-replication']],
  [object('postgresql.cnpg.io/v1', 'Cluster', 'db', withOwn), ['db-ca', 'db-server', 'db-replication']],
  [object('rabbitmq.com/v1beta1', 'RabbitmqCluster', 'queue'), ['queue-default-user', 'queue-erlang-cookie']],
  [
    object('kafka.strimzi.io/v1', 'Kafka', 'log'),
    ['log-cluster-ca', 'log-cluster-ca-cert', 'log-clients-ca', 'log-clients-ca-cert'],
  ],
  [object('kafka.strimzi.io/v1', 'KafkaUser', 'rag'), ['rag']],
  [object('cert-manager.io/v1', 'Certificate', 'api', { secretName: 'api-tls' }), ['api-tls']],
  [externalSecret('one'), ['one']],
  [externalSecret('one', { target: { name: 'two' } }), ['two']],
  [externalSecret('one', { target: { name: 'two', creationPolicy: 'Merge' } }), []],
  [
    object('secrets-store.csi.x-k8s.io/v1', 'SecretProviderClass', 'a', { secretObjects: [{ secretName: 'one' }] }),
    ['one'],
  ],
  [object('secrets-store.csi.x-k8s.io/v1', 'SecretProviderClass', 'a'), []],
  [object('v1', 'ConfigMap', 'a'), []],
  [object('cluster.x-k8s.io/v1', 'Cluster', 'a'), []],
])('of %j the Secrets %j are made', (maker, names) => {
  expect(secretsMadeBy(maker)).toEqual(names.map((name) => `test/${name}`));
});

test('a Secret with two makers is refused once', () => {
  expect(problemsOf(secretMakers, [cluster, externalSecret('database-app')])).toEqual([
    'ExternalSecret test/database-app: makes the Secret test/database-app, and so does Cluster test/database; each would ' +
      'overwrite the other, so give one of them another name',
  ]);
});

test('whatever its kind, a maker that is not ours is found', () => {
  expect(problemsOf(secretMakers, [cluster], { besides: [externalSecret('database-app')] })).toEqual([
    expect.stringContaining(
      'Cluster test/database: makes the Secret test/database-app, and so does ExternalSecret test/',
    ),
  ]);
});

test('a Secret of the same name in another namespace, or into which keys are merged, is none of it', () => {
  expect(problemsOf(secretMakers, [cluster, externalSecret('database-app', {}, 'other')])).toEqual([]);
  const merged = externalSecret('database-app', { target: { creationPolicy: 'Merge' } });
  expect(problemsOf(secretMakers, [cluster, merged])).toEqual([]);
});
