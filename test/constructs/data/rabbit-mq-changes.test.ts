import { Size } from 'cdk8s';
import { RabbitMq, type RabbitMqProps } from '../../../constructs/data/rabbit-mq';
import type { RabbitMqQueueProps } from '../../../constructs/data/rabbit-mq-queue';
import { render, testChart } from '../../support/manifests';
import { changed, problemsOfStep } from '../../support/steps';

const OPERATOR = { namespace: 'rabbitmq-system' };

function chartWith(props: RabbitMqProps = {}) {
  const chart = testChart({ rabbitMq: OPERATOR });
  new RabbitMq(chart, 'queue', props);
  return chart;
}

const step = (from: RabbitMqProps, to: RabbitMqProps) => problemsOfStep(render(chartWith(from)), chartWith(to));

const ANOTHER =
  'create another RabbitMq of another name, point those who send at it, let the workers of this one empty its queues, ' +
  'point them at the other, and remove this one';

test.each([
  ['nothing', {}, {}],
  ['more nodes', { replicas: 1 }, { replicas: 3 }],
  ['larger volumes', { storage: Size.gibibytes(10) }, { storage: Size.gibibytes(20) }],
  ['another unit', { storage: Size.gibibytes(1) }, { storage: Size.mebibytes(1024) }],
])('%s may change', (_, from, to) => {
  expect(step(from, to)).toEqual([]);
});

test('the first render follows none', () => {
  expect(problemsOfStep([], chartWith())).toEqual([]);
});

test('nodes are not taken away', () => {
  expect(step({ replicas: 5 }, { replicas: 3 })).toEqual([
    'RabbitmqCluster test/queue: spec.replicas goes from 5 to 3, but nodes are never taken away, because queues are on ' +
      `them; keep 5, or ${ANOTHER}`,
  ]);
});

test('volumes do not become smaller', () => {
  expect(step({ storage: Size.gibibytes(2) }, { storage: Size.mebibytes(2047) })).toEqual([
    'RabbitmqCluster test/queue: spec.persistence.storage goes from 2Gi to 2047Mi, but a volume never becomes smaller; ' +
      `keep 2Gi, or ${ANOTHER}`,
  ]);
});

test.each([
  [{ storageClass: 'fast' }, { storageClass: 'slow' }, 'fast to slow', 'fast'],
  [{}, { storageClass: 'slow' }, "the cluster's default to slow", "the cluster's default"],
  [{ storageClass: 'fast' }, {}, "fast to the cluster's default", 'fast'],
])('volumes keep their class: %j to %j', (from, to, change, keep) => {
  expect(step(from, to)).toEqual([
    `RabbitmqCluster test/queue: spec.persistence.storageClassName goes from ${change}, but volumes that exist stay what ` +
      `they are; keep ${keep}, or ${ANOTHER}`,
  ]);
});

describe('a queue', () => {
  const queueStep = (change: Parameters<typeof changed>[3], props: RabbitMqQueueProps = {}) => {
    const chart = testChart({ rabbitMq: OPERATOR, rabbitMqTopology: OPERATOR });
    new RabbitMq(chart, 'queue').queue('celery', props);
    return problemsOfStep(changed(render(chart), 'Queue', 'queue-celery', change), chart);
  };
  const REPLACE = 'make a queue of another name, point those who send at it, and remove this one when it is empty';

  test('may stay, in whatever words', () => {
    expect(queueStep(() => {})).toEqual([]);
    expect(
      queueStep(({ spec }) => {
        delete spec.vhost;
        Object.assign(spec, { autoDelete: false, arguments: {} });
      }),
    ).toEqual([]);
  });

  test.each([
    ['type', 'classic', '"classic" to "quorum"', '"classic"'],
    ['type', undefined, 'nothing to "quorum"', 'nothing'],
    ['vhost', 'rag', '"rag" to "/"', '"rag"'],
    ['durable', undefined, 'false to true', 'false'],
    ['autoDelete', true, 'true to false', 'true'],
    ['arguments', { 'x-delivery-limit': 5 }, '{"x-delivery-limit":5} to {}', '{"x-delivery-limit":5}'],
  ])('keeps its %s, which was %j', (field, was, change, keep) => {
    expect(
      queueStep(({ spec }) => {
        spec[field] = was;
      }),
    ).toEqual([
      `Queue test/queue-celery: spec.${field} goes from ${change}, but a queue stays what it is; keep ${keep}, or ${REPLACE}`,
    ]);
  });

  test('becomes another one with another number of nodes', () => {
    const chartOf = (replicas: number) => {
      const chart = testChart({ rabbitMq: OPERATOR, rabbitMqTopology: OPERATOR });
      new RabbitMq(chart, 'queue', { replicas }).queue('celery');
      return chart;
    };
    expect(problemsOfStep(render(chartOf(1)), chartOf(3))).toEqual([
      expect.stringContaining('spec.type goes from "classic" to "quorum"'),
    ]);
  });
});

test('a cluster is compared with itself, whatever the version of its API', () => {
  const before = render(chartWith({ replicas: 5 }));
  const otherwise = (change: Parameters<typeof changed>[3]) =>
    problemsOfStep(changed(before, 'RabbitmqCluster', 'queue', change), chartWith());
  expect(
    otherwise((object) => {
      object.apiVersion = 'rabbitmq.com/v1';
    }),
  ).toHaveLength(1);
  expect(
    otherwise((object) => {
      object.apiVersion = 'rabbitmq.acme.example/v1beta1';
    }),
  ).toEqual([]);
  expect(
    otherwise(({ metadata }) => {
      metadata.name = 'other';
    }),
  ).toEqual([]);
  expect(
    otherwise(({ metadata }) => {
      metadata.namespace = 'other';
    }),
  ).toEqual([expect.stringMatching(/^namespace goes from other to test, where RabbitmqCluster queue /)]);
});

test('what somebody removed by hand is not compared', () => {
  const before = changed(render(chartWith({ replicas: 5 })), 'RabbitmqCluster', 'queue', (object) => {
    delete object.spec;
  });
  expect(problemsOfStep(before, chartWith())).toEqual([]);
});
