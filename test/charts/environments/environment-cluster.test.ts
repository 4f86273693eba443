import { Environment } from '../../../charts/environments/environment';
import { Cluster } from '../../../constructs/placement/cluster';
import { EnvironmentFolder } from '../../support/environment-folder';
import { refusalOf } from '../../support/refusal';

const folder = new EnvironmentFolder();
afterAll(() => folder.remove());

/** What an environment says of its cluster, in line 8. */
function clusterOf(text: string): Cluster {
  const lines = [
    'namespace: rag-test',
    'qdrant:',
    '  nodes: 1',
    '  resources: { cpu: 100m, memory: 512Mi }',
    '  storage: 1Gi',
    'api:',
    '  image: { repository: ghcr.io/acme/rag-api, tag: 1.8.2 }',
    `cluster: ${text}`,
  ];
  folder.write({ 'test.yaml': `${lines.join('\n')}\n` });
  const clusters: Cluster[] = [];
  const environment = Environment.read(folder.pathOf('test.yaml'));
  environment.render('test', (platform) => clusters.push(Cluster.of(platform)));
  return clusters[0] as Cluster;
}

test('says where the operators of data services run', () => {
  const cluster = clusterOf(
    '{ rabbitMq: { namespace: rabbitmq-system }, strimzi: { namespace: strimzi }, cloudNativePg: { namespace: cnpg }, ' +
      'rabbitMqTopology: { namespace: rabbitmq-system, podLabels: { app.kubernetes.io/name: messaging-topology-operator } } }',
  );
  expect(cluster.rabbitMq).toEqual({ namespace: 'rabbitmq-system' });
  expect(cluster.strimzi).toEqual({ namespace: 'strimzi' });
  expect(cluster.cloudNativePg).toEqual({ namespace: 'cnpg' });
  expect(cluster.rabbitMqTopology).toEqual({
    namespace: 'rabbitmq-system',
    podLabels: { 'app.kubernetes.io/name': 'messaging-topology-operator' },
  });
});

test('says by which labels monitors are found', () => {
  expect(clusterOf('{ prometheus: { namespace: monitoring, monitorLabels: { release: stack } } }').prometheus).toEqual({
    namespace: 'monitoring',
    monitorLabels: { release: 'stack' },
  });
  expect(clusterOf('{ prometheus: { namespace: monitoring } }').prometheus).toEqual({ namespace: 'monitoring' });
});

test.each([
  [
    '{ prometheus: { namespace: m, monitorLabels: { release: 1 } } }',
    /8:\d+ cluster\.prometheus\.monitorLabels\.release: /,
  ],
  [
    '{ prometheus: { namespace: m, monitorLabels: { release: a b } } }',
    /monitorLabels\.release: is "a b", but the value/,
  ],
  ['{ rabbitMqTopology: { namespace: a.b } }', /rabbitMqTopology\.namespace: is "a\.b", but must be a DNS label/],
  [
    '{ apiServer: { cidrs: [10.0.0.1] } }',
    /8:\d+ cluster\.apiServer\.cidrs: has "10\.0\.0\.1", but must have address ranges/,
  ],
  ['{ apiServer: { cidrs: [] } }', /8:\d+ cluster\.apiServer\.cidrs: is empty/],
  [
    '{ proxy: { url: "http://proxy.acme.example:3128", cidrs: [10.0.0.1] } }',
    /8:\d+ cluster\.proxy\.cidrs: has "10\.0\.0\.1", but must have address ranges/,
  ],
  ['{ proxy: { url: "http://proxy:3128" } }', /8:\d+ cluster\.proxy\.url: is "proxy", but must be a DNS name/],
  [
    '{ nodePools: [{ name: cpu, nodes: 3, acceleratorsPerNode: 4 }] }',
    /8:\d+ cluster\.nodePools\.0\.acceleratorsPerNode: is 4, but the pool has no accelerator; say which, or leave it out/,
  ],
  [
    '{ nodePools: [{ name: "gpu l4", nodes: 3 }] }',
    /8:\d+ cluster\.nodePools\.0\.name: is "gpu l4", but must be a name without spaces/,
  ],
  [
    '{ registry: { mirrors: { index.docker.io: registry.acme.example/hub } } }',
    /8:\d+ cluster\.registry\.mirrors: has "index\.docker\.io", which no image is named by; write docker\.io/,
  ],
  ['{ rabbitMqTopology: rabbitmq-system }', /8:\d+ cluster\.rabbitMqTopology: /],
])('%s is refused', (text, message) => {
  expect(refusalOf(() => clusterOf(text)).message).toMatch(message);
});
