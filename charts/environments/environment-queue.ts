import type { Duration } from 'cdk8s';
import type { Construct } from 'constructs';
import { z } from 'zod';
import { ExternalKafka } from '../../constructs/data/external-kafka';
import { ExternalQueue } from '../../constructs/data/external-queue';
import { ExternalRabbitMq } from '../../constructs/data/external-rabbit-mq';
import { ExternalRedis } from '../../constructs/data/external-redis';
import { Kafka } from '../../constructs/data/kafka';
import { KafkaMechanism } from '../../constructs/data/kafka-access';
import { KafkaQueue } from '../../constructs/data/kafka-queue';
import type { IQueue } from '../../constructs/data/queue';
import { RabbitMq } from '../../constructs/data/rabbit-mq';
import { Redis } from '../../constructs/data/redis';
import { RedisRole } from '../../constructs/data/redis-role';
import { ServerTls } from '../../constructs/data/server-tls';
import { UsageError } from '../../constructs/rules/usage-error';
import { SecretKey } from '../../constructs/secrets/secret-key';
import type { ISecretSource } from '../../constructs/secrets/secret-source';
import { describedBy } from '../described-by';
import { oneOf } from './environment-kinds';
import {
  certificate,
  count,
  duration,
  guaranteed,
  image,
  made,
  resources,
  secretKey,
  size,
  usualKey,
} from './environment-values';
import { workloadFields } from './environment-workload';

/** A part of the platform that is made when there is one. */
type Made<Part> = (scope: Construct, longestTask: Duration) => Part;

const cidrs = z.array(z.string()).optional().describe('its addresses, where they are known and stable');
const port = z.int32().min(1).max(65535).optional();

/** Whether connections are encrypted, and whose word for the server clients take. */
function serverTls(secrets: ISecretSource) {
  return z
    .union([z.enum(['public', 'none']), secretKey(secrets)], {
      error: 'must be public, none, or { secret: name, key: name } of the authority that signs its certificate',
    })
    .transform((input) => {
      if (input instanceof SecretKey) {
        return ServerTls.signedBy(input);
      }
      return { public: ServerTls.PUBLIC, none: ServerTls.NONE }[input];
    });
}

/** Settings of a Redis in either role. */
function redisFields(secrets: ISecretSource, secret: string) {
  return {
    password: usualKey(secrets, secret, 'password'),
    resources: resources.optional().describe('what it asks for; by default 100m CPU and 512Mi'),
    image: image.optional().describe('what runs; by default the release that the library knows'),
    ...workloadFields(secrets),
  };
}

function externalRedisFields(secrets: ISecretSource) {
  return {
    host: z.string().describe('its DNS name or address'),
    port: port.describe('by default 6379'),
    tls: serverTls(secrets).optional().describe('how far it is trusted; by default public'),
    user: z.string().optional().describe('who clients are; by default the user default'),
    password: secretKey(secrets).optional().describe('password of the user; by default it asks for none'),
    database: z.int32().min(0).optional().describe('number of the database; by default 0'),
    cidrs,
  };
}

function brokerOfRedis(secrets: ISecretSource) {
  return z
    .strictObject({
      ...redisFields(secrets, 'queue'),
      kedaPassword: secretKey(secrets).optional().describe('password of a user who can only count, for KEDA'),
      storage: size.optional().describe('volume for the append-only file; by default 4Gi'),
      storageClass: z.string().optional().describe("class of the volume; by default the cluster's for block volumes"),
    })
    .transform(
      (props): Made<IQueue> =>
        (scope) =>
          describedBy(scope, 'queue.redis', () => new Redis(scope, 'queue', { ...props, role: RedisRole.BROKER })),
    );
}

function externalBrokerOfRedis(secrets: ISecretSource) {
  return made(
    z.strictObject({
      ...externalRedisFields(secrets),
      keda: z
        .strictObject({
          user: z.string().optional().describe('by default the user default'),
          password: secretKey(secrets).describe('its password'),
        })
        .optional()
        .describe('who KEDA is; by default the same as clients'),
    }),
    (props): Made<IQueue> => outside('queue.externalRedis', new ExternalRedis({ ...props, role: RedisRole.BROKER })),
  );
}

function rabbitMq() {
  return z
    .strictObject({
      replicas: count.optional().describe('nodes: 1, or an odd number from 3; by default 3'),
      storage: size.optional().describe('volume of each node; by default 10Gi'),
      storageClass: z.string().optional().describe("class of the volumes; by default the cluster's for block volumes"),
      resources: guaranteed.optional().describe('what each node asks for, limits too; by default 1 CPU and 2Gi'),
      queues: z.array(z.string()).optional().describe('queues that are declared as objects: celery; by default none'),
      deliveryTimeout: duration
        .optional()
        .describe(
          'time after which an unanswered task goes to another worker; by default 30m, or 10m after the longest',
        ),
      tls: certificate.optional().describe('certificate of the nodes'),
      nodePool: z.string().optional().describe('node pool to run on'),
      priorityClassName: z.string().optional().describe('PriorityClass, which exists'),
      image: image.optional().describe('what runs; by default what the operator chooses'),
    })
    .transform(
      ({ queues = [], ...props }): Made<IQueue> =>
        (scope, longestTask) =>
          describedBy(scope, 'queue.rabbitMq', () => {
            const rabbitMq = new RabbitMq(scope, 'queue', { ...props, longestTask });
            for (const name of queues) {
              rabbitMq.queue(name);
            }
            return rabbitMq;
          }),
    );
}

function externalRabbitMq(secrets: ISecretSource) {
  return made(
    z.strictObject({
      host: z.string().describe('its DNS name or address'),
      port: port.describe('by default 5671, and 5672 without TLS'),
      tls: serverTls(secrets).optional().describe('how far it is trusted; by default public'),
      user: z.string().describe('who clients are'),
      password: usualKey(secrets, 'queue', 'password'),
      virtualHost: z.string().optional().describe('by default /'),
      deliveryTimeout: duration
        .optional()
        .describe('time after which it hands an unanswered task to another worker; by default 30m'),
      cidrs,
    }),
    (props): Made<IQueue> => outside('queue.externalRabbitMq', new ExternalRabbitMq(props)),
  );
}

const topicFields = {
  topic: z.string().optional().describe('topic that tasks are in; by default documents'),
  consumerGroup: z.string().optional().describe('group that the workers are; by default embedding-workers'),
};

const DEFAULT_TOPIC = 'documents';

function kafka() {
  return z
    .strictObject({
      ...topicFields,
      partitions: count.optional().describe('partitions of the topic, the most workers that share it; by default 12'),
      retention: duration.optional().describe('time after which a message goes; by default 7d'),
      replicas: count.optional().describe('nodes: 1, or from 3, for good; by default 3'),
      storage: size.optional().describe('volume of each node; by default 50Gi'),
      storageClass: z.string().optional().describe("class of the volumes; by default the cluster's for block volumes"),
      resources: guaranteed.optional().describe('what each node asks for, limits too; by default 1 CPU and 4Gi'),
      tls: z.boolean().optional().describe('whether connections are encrypted; by default false'),
      authentication: z.boolean().optional().describe('whether clients are asked who they are; by default true'),
      nodePool: z.string().optional().describe('node pool to run on'),
      priorityClassName: z.string().optional().describe('PriorityClass, which exists'),
      image: image.optional().describe('what brokers run; by default what the operator chooses'),
      operatorImage: image.optional().describe('what looks after the topic runs; by default as for image'),
    })
    .transform(
      ({ topic = DEFAULT_TOPIC, consumerGroup, partitions, retention, ...props }): Made<IQueue> =>
        (scope) =>
          describedBy(scope, 'queue.kafka', () => {
            const cluster = new Kafka(scope, 'queue', props);
            cluster.topic(topic, { partitions, retention });
            return new KafkaQueue({ kafka: cluster, topic, consumerGroup });
          }),
    );
}

const MECHANISMS = {
  plain: KafkaMechanism.PLAIN,
  'scram-sha-256': KafkaMechanism.SCRAM_SHA_256,
  'scram-sha-512': KafkaMechanism.SCRAM_SHA_512,
};

function externalKafka(secrets: ISecretSource) {
  return made(
    z.strictObject({
      ...topicFields,
      bootstrapHosts: z.array(z.string()).describe('servers that clients ask first'),
      brokerHosts: z.array(z.string()).optional().describe('hosts that they are sent to, where these are others'),
      port: port.describe('by default 9092'),
      tls: serverTls(secrets).optional().describe('how far they are trusted; by default public'),
      user: z
        .strictObject({
          mechanism: z
            .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
            .transform((name) => MECHANISMS[name])
            .describe('how clients prove who they are'),
          username: usualKey(secrets, 'queue', 'username'),
          password: usualKey(secrets, 'queue', 'password'),
        })
        .optional()
        .describe('who clients are; by default nobody in particular'),
      cidrs,
    }),
    ({ topic = DEFAULT_TOPIC, consumerGroup, ...props }): Made<IQueue> =>
      constant(new KafkaQueue({ kafka: new ExternalKafka(props), topic, consumerGroup })),
  );
}

function sqs(secrets: ISecretSource) {
  return made(
    z.strictObject({
      url: z.string().describe('https://sqs.eu-west-1.amazonaws.com/123456789012/documents'),
      visibilityTimeout: duration
        .optional()
        .describe('time after which the queue hands an unanswered task to another worker; by default 30s'),
      accessKey: secretKey(secrets).optional().describe("id of the access key; by default the pod's own identity"),
      secretKey: secretKey(secrets).optional().describe('secret of the access key'),
      cidrs,
    }),
    (props): Made<IQueue> => outside('queue.sqs', ExternalQueue.sqs(props)),
  );
}

function serviceBus(secrets: ISecretSource) {
  return made(
    z.strictObject({
      namespace: z.string().describe('name of the namespace, without a domain'),
      queue: z.string().describe('name of the queue'),
      connectionString: secretKey(secrets).optional().describe("by default the pod's own identity"),
      kedaConnectionString: secretKey(secrets).optional().describe('by default the same as of clients'),
      cidrs,
    }),
    (props): Made<IQueue> => constant(ExternalQueue.serviceBus(props)),
  );
}

/** The queue between API and workers. */
export function queue(secrets: ISecretSource) {
  return oneOf({
    redis: brokerOfRedis(secrets).optional().describe('a Redis in the cluster'),
    externalRedis: externalBrokerOfRedis(secrets).optional().describe('a Redis that somebody else runs'),
    rabbitMq: rabbitMq().optional().describe('a RabbitMQ in the cluster, by its operator'),
    externalRabbitMq: externalRabbitMq(secrets).optional().describe('a RabbitMQ that somebody else runs'),
    kafka: kafka().optional().describe('a Kafka in the cluster, by Strimzi'),
    externalKafka: externalKafka(secrets).optional().describe('a Kafka that somebody else runs'),
    sqs: sqs(secrets).optional().describe('a queue of Amazon SQS'),
    serviceBus: serviceBus(secrets).optional().describe('a queue of Azure Service Bus'),
  });
}

/** What keeps what can be computed again. */
export function cache(secrets: ISecretSource) {
  return oneOf({
    redis: z
      .strictObject(redisFields(secrets, 'cache'))
      .transform(
        (props) => (scope: Construct) =>
          describedBy(scope, 'cache.redis', () => new Redis(scope, 'cache', { ...props, role: RedisRole.CACHE })),
      )
      .optional()
      .describe('a Redis in the cluster'),
    externalRedis: made(z.strictObject(externalRedisFields(secrets)), (props) =>
      outside('cache.externalRedis', new ExternalRedis({ ...props, role: RedisRole.CACHE })),
    )
      .optional()
      .describe('a Redis that somebody else runs'),
  });
}

/** What is known already needs nothing of the platform. */
function constant<Part>(part: Part): () => Part {
  return () => part;
}

/** A queue outside; what is found out only when it is used is refused at the setting that describes it. */
function outside(setting: string, queue: IQueue): (scope: Construct) => IQueue {
  return (scope) => ({
    description: queue.description,
    offerTo: (client) => {
      try {
        return queue.offerTo(client);
      } catch (error) {
        if (!(error instanceof UsageError)) {
          throw error;
        }
        const [, ...below] = error.property.split('.');
        throw new UsageError(error.problem, { scope, property: [setting, ...below].join('.') });
      }
    },
    list: (name) => queue.list(name),
  });
}
