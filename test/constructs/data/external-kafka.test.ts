import { ExternalKafka, type ExternalKafkaProps } from '../../../constructs/data/external-kafka';
import { KafkaMechanism } from '../../../constructs/data/kafka-access';
import { ServerTls } from '../../../constructs/data/server-tls';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { Scaling } from '../../../constructs/scaling/scaling';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Deployment } from '../../../constructs/workload/deployment';
import { env, find, mainContainer, namesOf, render, testChart } from '../../support/manifests';
import { ClusterSchemas, SCHEMAS_PRESENT } from '../../support/schemas';
import { CONTAINER } from '../../support/workloads';

const HOSTS = ['b-1.kafka.example', 'b-2.kafka.example'];
const USER = {
  mechanism: KafkaMechanism.SCRAM_SHA_512,
  username: SecretKey.of('msk', 'username'),
  password: SecretKey.of('msk', 'password'),
};
const AUTHORITY = SecretKey.of('kafka-ca', 'ca.pem');

const kafka = (props: Partial<ExternalKafkaProps> = {}) => new ExternalKafka({ bootstrapHosts: HOSTS, ...props });

/** Workers that use it, and scale on a topic of it. */
function workers(props: Partial<ExternalKafkaProps> = {}, cluster: ClusterProps = {}) {
  const chart = testChart({ keda: { namespace: 'keda' }, ...cluster });
  const events = kafka(props);
  const lag = events.lag({ topic: 'documents', consumerGroup: 'embedders' });
  const scaling = Scaling.onBacklog(lag, { perReplica: 50, min: 0, max: 12 });
  new Deployment(chart, 'workers', { component: 'ingestion', container: CONTAINER, scaling }).uses(events);
  return render(chart);
}

describe('clients', () => {
  test('get the variables of one in the cluster, encrypted unless told otherwise', () => {
    expect(mainContainer(find(workers({ user: USER, port: 9096 }), 'Deployment', 'workers')).env).toEqual([
      { name: 'KAFKA_BOOTSTRAP_SERVERS', value: 'b-1.kafka.example:9096,b-2.kafka.example:9096' },
      { name: 'KAFKA_SECURITY_PROTOCOL', value: 'SASL_SSL' },
      { name: 'KAFKA_SASL_MECHANISM', value: 'SCRAM-SHA-512' },
      { name: 'KAFKA_SASL_USERNAME', valueFrom: { secretKeyRef: { name: 'msk', key: 'username' } } },
      { name: 'KAFKA_SASL_PASSWORD', valueFrom: { secretKeyRef: { name: 'msk', key: 'password' } } },
    ]);
  });

  test.each([
    ['encrypted, without a user', {}, 'SSL'],
    ['not encrypted', { tls: ServerTls.NONE }, 'PLAINTEXT'],
    ['not encrypted, with a user', { tls: ServerTls.NONE, user: USER }, 'SASL_PLAINTEXT'],
  ])('reach one %s', (_, props, protocol) => {
    const deployment = find(workers(props), 'Deployment', 'workers');
    expect(env(deployment, 'KAFKA_SECURITY_PROTOCOL')).toBe(protocol);
    expect(env(deployment, 'KAFKA_SSL_CA_LOCATION')).toBeUndefined();
  });

  test('know an authority of its own', () => {
    const deployment = find(workers({ tls: ServerTls.signedBy(AUTHORITY) }), 'Deployment', 'workers');
    expect(env(deployment, 'KAFKA_SSL_CA_LOCATION')).toBe('/etc/kafka-ca/kafka-ca/ca.pem');
    expect(mainContainer(deployment).volumeMounts[0].mountPath).toBe('/etc/kafka-ca/kafka-ca');
  });

  test('have addresses of IPv6 in brackets', () => {
    const deployment = find(workers({ bootstrapHosts: ['2001:db8::1'] }), 'Deployment', 'workers');
    expect(env(deployment, 'KAFKA_BOOTSTRAP_SERVERS')).toBe('[2001:db8::1]:9092');
  });

  test('may go to all its hosts on Cilium, those they are sent to as well', () => {
    const objects = workers({ brokerHosts: ['b-3.kafka.example'] }, { cilium: true });
    const { egress } = find(objects, 'CiliumNetworkPolicy', 'workers').spec;
    const names = egress.flatMap(({ toFQDNs = [] }: { toFQDNs?: { matchName: string }[] }) =>
      toFQDNs.map(({ matchName }) => matchName),
    );
    expect(names).toEqual([...HOSTS, 'b-3.kafka.example']);
    expect(env(find(objects, 'Deployment', 'workers'), 'KAFKA_BOOTSTRAP_SERVERS')).not.toContain('b-3');
  });

  test('may go to its addresses, and nobody comes in', () => {
    const { egress, ingress } = find(workers({ cidrs: ['10.3.0.0/24'] }), 'NetworkPolicy', 'workers').spec;
    expect(ingress).toBeUndefined();
    expect(egress[0]).toEqual({
      to: [{ ipBlock: { cidr: '10.3.0.0/24' } }],
      ports: [{ port: 9092, protocol: 'TCP' }],
    });
  });
});

describe('a backlog', () => {
  test.each([
    [KafkaMechanism.PLAIN, 'plaintext'],
    [KafkaMechanism.SCRAM_SHA_256, 'scram_sha256'],
    [KafkaMechanism.SCRAM_SHA_512, 'scram_sha512'],
  ])('is counted by KEDA with %j', (mechanism, sasl) => {
    const objects = workers({ user: { ...USER, mechanism }, tls: ServerTls.signedBy(AUTHORITY) });
    expect(find(objects, 'ScaledObject', 'workers').spec.triggers).toEqual([
      {
        type: 'kafka',
        metadata: {
          bootstrapServers: 'b-1.kafka.example:9092,b-2.kafka.example:9092',
          topic: 'documents',
          consumerGroup: 'embedders',
          lagThreshold: '50',
          version: '2.1.0',
          sasl,
          tls: 'enable',
        },
        authenticationRef: { name: 'workers' },
      },
    ]);
    expect(find(objects, 'TriggerAuthentication', 'workers').spec).toEqual({
      secretTargetRef: [
        { parameter: 'username', name: 'msk', key: 'username' },
        { parameter: 'password', name: 'msk', key: 'password' },
        { parameter: 'ca', name: 'kafka-ca', key: 'ca.pem' },
      ],
    });
    expect(namesOf(objects, 'NetworkPolicy')).toEqual(['workers']);
    expect(namesOf(objects, 'ConfigMap')).toEqual([]);
  });

  (SCHEMAS_PRESENT ? test : test.skip)('is what KEDA takes', () => {
    const schemas = new ClusterSchemas('1.28');
    expect(workers({ user: USER }).flatMap((object) => schemas.errors(object))).toEqual([]);
  });
});

describe('mistakes', () => {
  test.each([
    [{ bootstrapHosts: [] }, 'externalKafka.bootstrapHosts is empty; name at least one server'],
    [
      { bootstrapHosts: ['b-1:9092'] },
      'externalKafka.bootstrapHosts is "b-1:9092", but must be a DNS name or an address',
    ],
    [{ brokerHosts: ['b-1:9092'] }, 'externalKafka.brokerHosts is "b-1:9092", but must be a DNS name or an address'],
    [{ port: 0 }, 'externalKafka.port is 0, but must be from 1 to 65535'],
    [{ cidrs: ['10.0.0.0'] }, 'externalKafka.cidrs has "10.0.0.0", but must have address ranges'],
  ])('%j', (props, message) => {
    expect(() => kafka(props)).toThrow(message);
  });
});
