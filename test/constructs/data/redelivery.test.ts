import { Duration } from 'cdk8s';
import type { Construct } from 'constructs';
import { RagApi } from '../../../constructs/api/rag-api';
import { ExternalQueue } from '../../../constructs/data/external-queue';
import { ExternalRabbitMq } from '../../../constructs/data/external-rabbit-mq';
import { RabbitMq } from '../../../constructs/data/rabbit-mq';
import { EmbeddingWorkers } from '../../../constructs/ingestion/embedding-workers';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import type { IProvider } from '../../../constructs/workload/provider';
import { testChart } from '../../support/manifests';
import { IMAGE } from '../../support/values';

const url = 'https://sqs.eu-west-1.amazonaws.com/123456789012/documents';
const amazonMq = { host: 'mq.acme.example', user: 'rag', password: SecretKey.of('mq', 'password') };

/** Has the workers of a platform use a queue. */
function use(queue: (scope: Construct) => IProvider, longestTask?: Duration): void {
  const chart = testChart({ rabbitMq: { namespace: 'rabbitmq-system' } });
  new EmbeddingWorkers(chart, 'workers', { image: IMAGE, longestTask }).uses(queue(chart));
}

test.each<[string, (scope: Construct) => IProvider, Duration | undefined, string]>([
  [
    'SQS, as it is made',
    () => ExternalQueue.sqs({ url }),
    undefined,
    'externalQueue.visibilityTimeout is 30s, but a task takes up to 600s and would run several times; raise the visibility ' +
      'timeout of the queue to at least 900s, and say so here, or lower longestTask',
  ],
  [
    'SQS that waits as long as the task takes',
    () => ExternalQueue.sqs({ url, visibilityTimeout: Duration.minutes(15) }),
    Duration.minutes(15),
    'externalQueue.visibilityTimeout is 900s, but a task takes up to 900s and would run several times; raise the ' +
      'visibility timeout of the queue to at least 1200s, and say so here, or lower longestTask',
  ],
  [
    'SQS, which never waits so long',
    () => ExternalQueue.sqs({ url, visibilityTimeout: Duration.hours(12) }),
    Duration.hours(12),
    'externalQueue.visibilityTimeout can be at most 43200s, but a task takes up to 43200s and would run several times; ' +
      'take another queue, or divide the task and lower longestTask',
  ],
  [
    'a RabbitMQ',
    (scope) => new RabbitMq(scope, 'queue'),
    Duration.hours(1),
    'rag/queue: deliveryTimeout is 1800s, but a task takes up to 3600s and would run several times; raise it to at least ' +
      '3900s, or lower longestTask',
  ],
  [
    'a RabbitMQ outside',
    () => new ExternalRabbitMq(amazonMq),
    Duration.hours(1),
    'externalRabbitMq.deliveryTimeout is 1800s, but a task takes up to 3600s and would run several times; raise ' +
      'consumer_timeout of the server to at least 3900s, and say so here, or lower longestTask',
  ],
])('workers whose task takes longer are refused by %s', (_, queue, longestTask, message) => {
  expect(() => use(queue, longestTask)).toThrow(new Error(message));
});

test.each<[string, (scope: Construct) => IProvider]>([
  ['SQS', () => ExternalQueue.sqs({ url, visibilityTimeout: Duration.seconds(901) })],
  ['a RabbitMQ', (scope) => new RabbitMq(scope, 'queue', { longestTask: Duration.minutes(15) })],
  ['a RabbitMQ outside', () => new ExternalRabbitMq({ ...amazonMq, deliveryTimeout: Duration.seconds(901) })],
  [
    'a Service Bus, whose lock they renew',
    () => ExternalQueue.serviceBus({ namespace: 'acme-rag', queue: 'documents' }),
  ],
])('workers are not refused by %s that waits longer', (_, queue) => {
  expect(() => use(queue, Duration.minutes(15))).not.toThrow();
});

test('who only sends tasks is not refused', () => {
  const api = new RagApi(testChart(), 'api', { image: IMAGE });
  expect(() => api.uses(ExternalQueue.sqs({ url }))).not.toThrow();
});

test.each<[() => unknown, string]>([
  [
    () => ExternalQueue.sqs({ url, visibilityTimeout: Duration.hours(13) }),
    'externalQueue.visibilityTimeout is 46800s, but a queue has at most 43200s',
  ],
  [
    () => ExternalQueue.sqs({ url, visibilityTimeout: Duration.millis(1500) }),
    'externalQueue.visibilityTimeout is 1500 ms, but must be whole seconds',
  ],
  [
    () => new ExternalRabbitMq({ ...amazonMq, deliveryTimeout: Duration.seconds(0) }),
    'externalRabbitMq.deliveryTimeout is 0 ms, but must be whole seconds, at least one',
  ],
])('a time that cannot be is refused: %#', (make, message) => {
  expect(make).toThrow(new Error(message));
});
