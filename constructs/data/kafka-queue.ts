import { UsageError } from '../rules/usage-error';
import type { IBacklog } from '../scaling/scaling-trigger';
import { EnvValue } from '../workload/env-value';
import type { IClient, Offer } from '../workload/provider';
import type { IKafka } from './kafka-access';
import type { IQueue } from './queue';

/** A topic as a queue. */
export interface KafkaQueueProps {
  /** The Kafka that has the topic: a {@link Kafka}, an {@link ExternalKafka}. */
  readonly kafka: IKafka;

  /** Name of the topic, which exists. */
  readonly topic: string;

  /**
   * Group of consumers that the workers are, which share the partitions of the topic among themselves.
   * @default "embedding-workers"
   */
  readonly consumerGroup?: string;
}

/**
 * A topic that one group of consumers takes tasks from. Clients are told which it is, and so are those who scale: in
 * addition to the variables of the Kafka they get `KAFKA_TOPIC` and `KAFKA_CONSUMER_GROUP`.
 */
export class KafkaQueue implements IQueue {
  private readonly consumerGroup: string;

  public constructor(private readonly props: KafkaQueueProps) {
    this.consumerGroup = props.consumerGroup ?? 'embedding-workers';
    for (const [name, value] of Object.entries({ topic: props.topic, consumerGroup: this.consumerGroup })) {
      if (value === '') {
        throw new UsageError('is empty; give it a name', { property: `kafkaQueue.${name}` });
      }
    }
  }

  /** How messages name it. */
  public get description(): string {
    return `topic ${this.props.topic}`;
  }

  public offerTo(client: IClient): Offer {
    const { kafka, topic } = this.props;
    const offer = kafka.offerTo(client);
    const own = { KAFKA_TOPIC: EnvValue.of(topic), KAFKA_CONSUMER_GROUP: EnvValue.of(this.consumerGroup) };
    return { ...offer, env: { ...offer.env, ...own } };
  }

  /** Messages in the topic that the group is behind; of another topic the Kafka tells by its `lag`. */
  public list(topic: string = this.props.topic): IBacklog {
    if (topic !== this.props.topic) {
      throw new UsageError(
        `is "${topic}", but the queue is the topic "${this.props.topic}" and has no others; leave the name out, or scale on ` +
          'what lag({ topic, consumerGroup }) of the Kafka gives',
        { property: 'kafkaQueue.list' },
      );
    }
    return this.props.kafka.lag({ topic, consumerGroup: this.consumerGroup });
  }
}
