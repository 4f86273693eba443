import { RabbitMq, type RabbitMqProps } from '../../../constructs/data/rabbit-mq';
import type { RabbitMqQueueProps } from '../../../constructs/data/rabbit-mq-queue';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import type { Json } from '../../../constructs/rules/output';
import { Scaling } from '../../../constructs/scaling/scaling';
import { ServerCertificate } from '../../../constructs/secrets/server-certificate';
import { Deployment } from '../../../constructs/workload/deployment';
import { find, namesOf, render, testChart } from '../../support/manifests';
import { CONTAINER } from '../../support/workloads';

const OPERATORS: ClusterProps = {
  rabbitMq: { namespace: 'rabbitmq-system', podLabels: { 'app.kubernetes.io/name': 'rabbitmq-cluster-operator' } },
  rabbitMqTopology: {
    namespace: 'rabbitmq-system',
    podLabels: { 'app.kubernetes.io/name': 'messaging-topology-operator' },
  },
};

function queueOf(props: RabbitMqQueueProps = {}, cluster: RabbitMqProps = {}, facts: ClusterProps = {}) {
  const chart = testChart({ ...OPERATORS, ...facts });
  const rabbitMq = new RabbitMq(chart, 'queue', cluster);
  const queue = rabbitMq.queue('celery', props);
  return { chart, rabbitMq, queue, objects: () => render(chart) };
}

/** Ports that the topology operator may reach. */
function opened(objects: Json[]): number[] {
  const { ingress } = find(objects, 'NetworkPolicy', 'queue').spec;
  const name = OPERATORS.rabbitMqTopology?.podLabels;
  return ingress
    .filter(({ from }: Json) => JSON.stringify(from[0].podSelector?.matchLabels) === JSON.stringify(name))
    .flatMap(({ ports }: Json) => ports.map(({ port }: Json) => port));
}

test('is an object of the topology operator, applied when the nodes are ready', () => {
  expect(find(queueOf().objects(), 'Queue', 'queue-celery')).toEqual({
    apiVersion: 'rabbitmq.com/v1beta1',
    kind: 'Queue',
    metadata: {
      name: 'queue-celery',
      namespace: 'test',
      labels: expect.objectContaining({ 'app.kubernetes.io/name': 'queue' }),
      annotations: {
        'argocd.argoproj.io/sync-options': 'Delete=confirm,Prune=confirm',
        'argocd.argoproj.io/sync-wave': '5',
      },
    },
    spec: {
      name: 'celery',
      vhost: '/',
      type: 'quorum',
      durable: true,
      rabbitmqClusterReference: { name: 'queue' },
    },
  });
});

test('is of the type that clients get who name none', () => {
  for (const [replicas, type] of [
    [1, 'classic'],
    [3, 'quorum'],
    [5, 'quorum'],
  ] as const) {
    const objects = queueOf({}, { replicas }).objects();
    expect(find(objects, 'Queue', 'queue-celery').spec.type).toBe(type);
    const { additionalConfig } = find(objects, 'RabbitmqCluster', 'queue').spec.rabbitmq;
    expect(additionalConfig.includes('default_queue_type = quorum\n')).toBe(type === 'quorum');
  }
});

test('has the arguments that it is given', () => {
  const given = { 'x-delivery-limit': 5, 'x-single-active-consumer': true, 'x-overflow': 'reject-publish' };
  expect(find(queueOf({ arguments: given }).objects(), 'Queue', 'queue-celery').spec.arguments).toEqual(given);
  expect(find(queueOf({ arguments: {} }).objects(), 'Queue', 'queue-celery').spec).not.toHaveProperty('arguments');
});

test('is of the cluster by its name', () => {
  const objects = queueOf({}, { name: 'broker' }).objects();
  expect(find(objects, 'Queue', 'broker-celery').spec.rabbitmqClusterReference).toEqual({ name: 'broker' });
});

test('may have a name that no object can have', () => {
  const { rabbitMq, objects } = queueOf();
  const name = 'Documents.to_embed';
  rabbitMq.queue(name);
  expect(find(objects(), 'Queue', 'queue-documents-to-embed').spec.name).toBe(name);
  expect(namesOf(objects(), 'Queue')).toEqual(['queue-celery', 'queue-documents-to-embed']);
});

test('may be named like a part of the cluster', () => {
  const { rabbitMq, objects } = queueOf();
  for (const part of ['Resource', 'NetworkPolicy', 'Monitor', 'Queues']) {
    rabbitMq.queue(part);
  }
  expect(namesOf(objects(), 'Queue').sort()).toEqual([
    'queue-celery',
    'queue-monitor',
    'queue-networkpolicy',
    'queue-queues',
    'queue-resource',
  ]);
});

test('is what workers scale on', () => {
  const { chart, queue, rabbitMq, objects } = queueOf({}, {}, { keda: { namespace: 'keda' } });
  const scaling = Scaling.onBacklog(queue, { perReplica: 20, min: 0, max: 4 });
  new Deployment(chart, 'workers', { component: 'ingestion', container: CONTAINER, scaling }).uses(rabbitMq);
  const [trigger] = find(objects(), 'ScaledObject', 'workers').spec.triggers;
  expect(trigger).toMatchObject({ type: 'rabbitmq', metadata: { queueName: 'celery', value: '20' } });
  // Whoever uses the nodes comes after the queue.
  const waves = ['Queue/queue-celery', 'ScaledObject/workers'].map((one) => {
    const [kind, name] = one.split('/') as [string, string];
    return Number(find(objects(), kind, name).metadata.annotations?.['argocd.argoproj.io/sync-wave'] ?? 0);
  });
  expect(waves[0]).toBeLessThan(waves[1] as number);
});

describe('the topology operator', () => {
  test('reaches the management of the nodes, where there is a queue', () => {
    expect(opened(queueOf().objects())).toEqual([15672]);
    const chart = testChart(OPERATORS);
    new RabbitMq(chart, 'queue');
    expect(opened(render(chart))).toEqual([]);
  });

  test('comes encrypted where everybody does', () => {
    expect(opened(queueOf({}, { tls: ServerCertificate.existing('queue-tls') }).objects())).toEqual([15671]);
  });

  test('must be declared', () => {
    expect(() => queueOf({}, {}, { rabbitMqTopology: undefined })).toThrow(
      'rag/queue: queue("celery") is made by the messaging topology operator, which the cluster does not declare; set ' +
        'rabbitMqTopology in the cluster, or have clients declare it, and scale on list("celery")',
    );
  });
});

describe('mistakes', () => {
  test.each(['', 'amq.celery', '-celery', 'cel ery', 'a/b', 'a'.repeat(201)])('the name %j', (name) => {
    expect(() => queueOf().rabbitMq.queue(name)).toThrow(
      `queue.name is "${name}", but must be 1 to 200 letters, digits, "-", "_" and ".", and not begin with "amq."`,
    );
  });

  test('a second one of the same name', () => {
    expect(() => queueOf().rabbitMq.queue('celery')).toThrow(
      new Error('rag/queue: queue.name is "celery", which there is already; keep what queue("celery") gave'),
    );
  });

  test.each([
    ['a_b', 'a-b'],
    ['a.b', 'a_b'],
    ['A-B', 'a-b'],
  ])('the names %j and %j, of which objects have the same', (name, other) => {
    const { rabbitMq } = queueOf();
    rabbitMq.queue(other);
    expect(() => rabbitMq.queue(name)).toThrow(
      new Error(
        `rag/queue: queue.name is "${name}", whose object would be named like that of "${other}"; give one of them ` +
          'another name',
      ),
    );
  });

  test('arguments that are none, or not for here', () => {
    expect(() => queueOf({ arguments: { 'x-queue-type': 'stream' } })).toThrow(
      'rag/queue/Queues/celery: queue.arguments has x-queue-type, which follows from the number of nodes: quorum from 3 on; ' +
        'leave it out',
    );
    expect(() => queueOf({ arguments: { deliveryLimit: 5 } })).toThrow(
      'rag/queue/Queues/celery: queue.arguments has "deliveryLimit", but arguments of queues are named like x-delivery-limit',
    );
  });
});
