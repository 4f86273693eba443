import { ExternalRabbitMq, type ExternalRabbitMqProps } from '../../../constructs/data/external-rabbit-mq';
import { ServerTls } from '../../../constructs/data/server-tls';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { Scaling } from '../../../constructs/scaling/scaling';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Deployment } from '../../../constructs/workload/deployment';
import { env, find, mainContainer, namesOf, render, testChart } from '../../support/manifests';
import { ClusterSchemas, SCHEMAS_PRESENT } from '../../support/schemas';
import { CONTAINER } from '../../support/workloads';

const HOST = 'b-1a2b.mq.eu-west-1.amazonaws.com';
const PASSWORD = SecretKey.of('amazon-mq', 'password');
const AUTHORITY = SecretKey.of('mq-ca', 'ca.pem');

const rabbitMq = (props: Partial<ExternalRabbitMqProps> = {}) =>
  new ExternalRabbitMq({ host: HOST, user: 'rag', password: PASSWORD, ...props });

/** Workers that use it, and scale on a queue of it. */
function workers(props: Partial<ExternalRabbitMqProps> = {}, cluster: ClusterProps = {}) {
  const chart = testChart({ keda: { namespace: 'keda' }, ...cluster });
  const queue = rabbitMq(props);
  const scaling = Scaling.onBacklog(queue.list('celery'), { perReplica: 20, min: 0, max: 4 });
  new Deployment(chart, 'workers', { component: 'ingestion', container: CONTAINER, scaling }).uses(queue);
  return render(chart);
}

const url = (props: Partial<ExternalRabbitMqProps>) =>
  env(find(workers(props), 'Deployment', 'workers'), 'CELERY_BROKER_URL');

describe('clients', () => {
  test('get the variables of one in the cluster, encrypted unless told otherwise', () => {
    expect(mainContainer(find(workers(), 'Deployment', 'workers')).env).toEqual([
      { name: 'RABBITMQ_HOST', value: HOST },
      { name: 'RABBITMQ_PORT', value: '5671' },
      { name: 'RABBITMQ_USERNAME', value: 'rag' },
      { name: 'RABBITMQ_PASSWORD', valueFrom: { secretKeyRef: { name: 'amazon-mq', key: 'password' } } },
      { name: 'RABBITMQ_VHOST', value: '/' },
      {
        name: 'CELERY_BROKER_URL',
        value: `amqps://rag:$(RABBITMQ_PASSWORD)@${HOST}:5671/%2F`,
      },
    ]);
  });

  test.each([
    ['not encrypted', { tls: ServerTls.NONE }, `amqp://rag:$(RABBITMQ_PASSWORD)@${HOST}:5672/%2F`],
    [
      'with an authority of its own',
      { tls: ServerTls.signedBy(AUTHORITY) },
      `amqps://rag:$(RABBITMQ_PASSWORD)@${HOST}:5671/%2F`,
    ],
    [
      'in a virtual host, on another port, with an unusual user',
      { tls: ServerTls.NONE, virtualHost: 'rag/prod', port: 5673, user: 'a@b' },
      `amqp://a%40b:$(RABBITMQ_PASSWORD)@${HOST}:5673/rag%2Fprod`,
    ],
    [
      'at an address of IPv6',
      { tls: ServerTls.NONE, host: '2001:db8::1' },
      'amqp://rag:$(RABBITMQ_PASSWORD)@[2001:db8::1]:5672/%2F',
    ],
  ])('reach one %s', (_, props, expected) => {
    expect(url(props)).toBe(expected);
  });

  test('may go to its addresses, and nobody comes in', () => {
    const { egress, ingress } = find(workers({ cidrs: ['10.3.0.0/24'] }), 'NetworkPolicy', 'workers').spec;
    expect(ingress).toBeUndefined();
    expect(egress[0]).toEqual({
      to: [{ ipBlock: { cidr: '10.3.0.0/24' } }],
      ports: [{ port: 5671, protocol: 'TCP' }],
    });
  });

  test('may go to its name on Cilium', () => {
    expect(find(workers({}, { cilium: true }), 'CiliumNetworkPolicy', 'workers').spec.egress[0]).toEqual({
      toFQDNs: [{ matchName: HOST }],
      toPorts: [{ ports: [{ port: '5671', protocol: 'TCP' }] }],
    });
  });
});

describe('a backlog', () => {
  test('is counted by KEDA, whose scaler takes a name from a TriggerAuthentication only', () => {
    const objects = workers();
    expect(find(objects, 'ScaledObject', 'workers').spec.triggers).toEqual([
      {
        type: 'rabbitmq',
        metadata: {
          host: `amqps://${HOST}:5671/`,
          vhostName: '/',
          queueName: 'celery',
          mode: 'QueueLength',
          value: '20',
        },
        authenticationRef: { name: 'workers' },
      },
    ]);
    expect(find(objects, 'TriggerAuthentication', 'workers').spec).toEqual({
      secretTargetRef: [{ parameter: 'password', name: 'amazon-mq', key: 'password' }],
      configMapTargetRef: [{ parameter: 'username', name: 'workers-keda', key: 'username' }],
    });
    expect(find(objects, 'ConfigMap', 'workers-keda').data).toEqual({ username: 'rag' });
    expect(namesOf(objects, 'NetworkPolicy')).toEqual(['workers']);
  });

  test('is counted by KEDA with the authority', () => {
    const objects = workers({ tls: ServerTls.signedBy(AUTHORITY) });
    expect(find(objects, 'TriggerAuthentication', 'workers').spec.secretTargetRef).toContainEqual({
      parameter: 'ca',
      name: 'mq-ca',
      key: 'ca.pem',
    });
    expect(find(objects, 'ConfigMap', 'workers-keda').data).toEqual({ username: 'rag', tls: 'enable' });
  });

  (SCHEMAS_PRESENT ? test : test.skip)('is what KEDA takes', () => {
    const schemas = new ClusterSchemas('1.28');
    expect(workers({ tls: ServerTls.signedBy(AUTHORITY) }).flatMap((object) => schemas.errors(object))).toEqual([]);
  });
});

describe('mistakes', () => {
  test.each([
    [{ host: 'amqps://mq' }, 'externalRabbitMq.host is "amqps://mq", but must be a DNS name or an address'],
    [{ port: 70000 }, 'externalRabbitMq.port is 70000, but must be from 1 to 65535'],
    [{ cidrs: ['10.0.0.0'] }, 'externalRabbitMq.cidrs has "10.0.0.0", but must have address ranges'],
    [{ user: '' }, 'externalRabbitMq.user is empty; name it as the broker does'],
    [{ virtualHost: '' }, 'externalRabbitMq.virtualHost is empty; name it as the broker does'],
  ])('%j', (props, message) => {
    expect(() => rabbitMq(props)).toThrow(message);
  });
});
