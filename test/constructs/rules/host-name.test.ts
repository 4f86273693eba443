import { ExternalKafka } from '../../../constructs/data/external-kafka';
import { ExternalPostgres } from '../../../constructs/data/external-postgres';
import { ExternalRabbitMq } from '../../../constructs/data/external-rabbit-mq';
import { ExternalRedis } from '../../../constructs/data/external-redis';
import { ExternalService } from '../../../constructs/data/external-service';
import { PostgresTls } from '../../../constructs/data/postgres-tls';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { ExternalModel } from '../../../constructs/models/external-model';
import { Endpoint } from '../../../constructs/network/endpoint';
import { Peer } from '../../../constructs/network/peer';
import { checkCidrsOf } from '../../../constructs/rules/address-range';
import { checkHost, namespaceOfService } from '../../../constructs/rules/host-name';
import { ExternalVectorStore } from '../../../constructs/vector-store/external-vector-store';
import { Deployment } from '../../../constructs/workload/deployment';
import { testChart } from '../../support/manifests';
import { refusalOf } from '../../support/refusal';
import { IMAGE, KEY, RESOURCES } from '../../support/values';

const IN_CLUSTER = [
  'db.data.svc',
  'db.data.svc.cluster.local',
  'db-0.db-nodes.data.svc.cluster.local',
  'db.data.svc.k8s.acme.example',
  '10-1-2-3.data.pod.cluster.local',
];

/** Everything that takes a host outside the cluster, with the property that it names. */
const PLACES: [string, (host: string) => unknown][] = [
  ['external.host', (host) => new ExternalService({ host })],
  ['externalPostgres.host', (host) => new ExternalPostgres({ host, password: KEY, tls: PostgresTls.unverified() })],
  ['externalRedis.host', (host) => new ExternalRedis({ host })],
  ['externalRabbitMq.host', (host) => new ExternalRabbitMq({ host, user: 'app', password: KEY })],
  ['externalKafka.bootstrapHosts', (host) => new ExternalKafka({ bootstrapHosts: [host] })],
  [
    'externalKafka.brokerHosts',
    (host) => new ExternalKafka({ bootstrapHosts: ['kafka.acme.example'], brokerHosts: [host] }),
  ],
  ['externalVectorStore.url', (host) => ExternalVectorStore.qdrant({ url: `https://${host}:6333` })],
  ['url', (host) => ExternalModel.compatible({ model: EmbeddingModel.BGE_M3, url: `http://${host}:8000/v1` })],
  ['host', (host) => Endpoint.host(host, { name: 'https', number: 443 })],
  ['host', (host) => Endpoint.host(host, { name: 'https', number: 443 }, ['10.0.0.0/8'])],
  ['host', (host) => Peer.host(host)],
];

describe.each(PLACES)('%s', (property, make) => {
  test.each(IN_CLUSTER)('refuses %s, with a way to what is in the cluster', (host) => {
    expect(refusalOf(() => make(host))).toMatchObject({ property, problem: expect.stringContaining(host) });
    expect(refusalOf(() => make(host)).message).toMatch(
      /a name in the cluster, but hosts outside are meant here.*Endpoint\.foreignService in TypeScript$/,
    );
  });

  test.each(['svc.acme.example', 'data.acme.example', 'a.svc-1.example', 'cluster.local.acme.example'])(
    'takes %s',
    (host) => {
      expect(() => make(host)).not.toThrow();
    },
  );
});

test('what the domain of the cluster makes a name in it is refused at use, where that is known', () => {
  const use = (domain?: string) => () => {
    const client = new Deployment(testChart({ domain }), 'client', {
      component: 'client',
      container: { image: IMAGE, resources: RESOURCES },
    });
    client.uses(new ExternalService({ host: 'db.data.k8s.acme.example' }));
  };
  expect(use()).not.toThrow();
  expect(refusalOf(use('k8s.acme.example'))).toMatchObject({
    property: 'to',
    problem: expect.stringContaining('is "db.data.k8s.acme.example", a name in the cluster'),
  });
});

test('the namespace of a Service is read from every form of its name', () => {
  expect(IN_CLUSTER.map(namespaceOfService)).toEqual(['data', 'data', 'data', 'data', undefined]);
  expect(namespaceOfService('svc.acme.example')).toBeUndefined();
});

test('names and addresses outside are hosts', () => {
  for (const host of ['api.openai.com', '203.0.113.7', '2001:db8::1']) {
    expect(() => checkHost(host, 'host')).not.toThrow();
  }
  expect(() => checkHost('redis', 'host')).toThrow(
    'host is "redis", but must be a DNS name or an address, without scheme, port or path',
  );
});

test.each(['127.0.0.1', '127.9.0.1', '::1', '0.0.0.0', '169.254.169.254', 'fe80::1', 'febf::1', '::ffff:127.0.0.1'])(
  '%s is no host outside',
  (host) => {
    expect(() => checkHost(host, 'host')).toThrow(
      `host is "${host}", an address of the pod or of its node alone, but hosts outside are meant here`,
    );
  },
);

test.each(['128.0.0.1', '169.253.0.1', '10.0.0.1', 'fec0::1', 'fd00::1'])('%s may be a host outside', (host) => {
  expect(() => checkHost(host, 'host')).not.toThrow();
});

test('ranges beside an address are refused, and beside a name they are not', () => {
  const cidrs = ['10.0.0.0/24'];
  expect(() => checkCidrsOf(['203.0.113.7'], cidrs, 'cidrs')).toThrow(
    'cidrs is 10.0.0.0/24, but 203.0.113.7 is an address already, which is what policies name; leave it out',
  );
  expect(() => checkCidrsOf(['203.0.113.7', 'kafka.acme.example'], cidrs, 'cidrs')).not.toThrow();
  expect(() => checkCidrsOf(['203.0.113.7'], [], 'cidrs')).not.toThrow();
  expect(() => new ExternalService({ host: '203.0.113.7', cidrs })).toThrow('external.cidrs is 10.0.0.0/24, but');
});
