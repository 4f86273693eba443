import { ExternalKafka } from '../../../constructs/data/external-kafka';
import { KafkaQueue, type KafkaQueueProps } from '../../../constructs/data/kafka-queue';
import { ServerTls } from '../../../constructs/data/server-tls';
import { Scaling } from '../../../constructs/scaling/scaling';
import { Deployment } from '../../../constructs/workload/deployment';
import { env, find, render, testChart } from '../../support/manifests';
import { IMAGE, RESOURCES } from '../../support/values';

const kafka = new ExternalKafka({ bootstrapHosts: ['kafka.acme.example'], tls: ServerTls.NONE });

/** Workers that use the queue, and scale on it, by its name or without one. */
function workers(props: Partial<KafkaQueueProps> = {}, topic?: string) {
  const chart = testChart({ keda: { namespace: 'keda' } });
  const queue = new KafkaQueue({ kafka, topic: 'documents', ...props });
  const deployment = new Deployment(chart, 'workers', {
    component: 'ingestion',
    container: { image: IMAGE, resources: RESOURCES },
    scaling: Scaling.onBacklog(queue.list(topic), { perReplica: 20, min: 0, max: 4 }),
  });
  deployment.uses(queue);
  return render(chart);
}

const triggerOf = (objects: ReturnType<typeof workers>) => find(objects, 'ScaledObject', 'workers').spec.triggers[0];

test('clients are told of the Kafka, the topic and the group', () => {
  const deployment = find(workers(), 'Deployment', 'workers');
  expect(env(deployment, 'KAFKA_BOOTSTRAP_SERVERS')).toBe('kafka.acme.example:9092');
  expect(env(deployment, 'KAFKA_TOPIC')).toBe('documents');
  expect(env(deployment, 'KAFKA_CONSUMER_GROUP')).toBe('embedding-workers');
  expect(env(find(workers({ consumerGroup: 'rag' }), 'Deployment', 'workers'), 'KAFKA_CONSUMER_GROUP')).toBe('rag');
});

test('its backlog is what the group is behind in the topic', () => {
  expect(triggerOf(workers())).toMatchObject({
    type: 'kafka',
    metadata: { topic: 'documents', consumerGroup: 'embedding-workers', lagThreshold: '20' },
  });
  expect(triggerOf(workers({ consumerGroup: 'rag' })).metadata.consumerGroup).toBe('rag');
});

test('is one topic, and no other', () => {
  expect(triggerOf(workers({}, 'documents')).metadata.topic).toBe('documents');
  expect(() => workers({}, 'celery')).toThrow(
    new Error(
      'kafkaQueue.list is "celery", but the queue is the topic "documents" and has no others; leave the name out, or scale ' +
        'on what lag({ topic, consumerGroup }) of the Kafka gives',
    ),
  );
});

test('messages name it by its topic', () => {
  expect(new KafkaQueue({ kafka, topic: 'documents' }).description).toBe('topic documents');
});

test.each([
  [{ topic: '' }, 'kafkaQueue.topic is empty; give it a name'],
  [{ consumerGroup: '' }, 'kafkaQueue.consumerGroup is empty; give it a name'],
])('%j is refused', (props, problem) => {
  expect(() => workers(props)).toThrow(new Error(problem));
});
