import type { Duration } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-28';
import { Construct, type IConstruct } from 'constructs';
import { KafkaTopic as Topic } from '../../imports/kafka.strimzi.io';
import { UsageError } from '../rules/usage-error';
import type { IBacklog } from '../scaling/scaling-trigger';
import type { IKafka } from './kafka-access';

/** A topic. */
export interface KafkaTopicProps {
  /**
   * Partitions, of which each is read by one consumer of a group: the most workers that can share the work. They can
   * become more, and never fewer.
   * @default 12
   */
  readonly partitions?: number;

  /**
   * Brokers that have each partition, at most all of them.
   * @default - 3, and fewer where there are fewer
   */
  readonly replicas?: number;

  /**
   * Time after which a message goes, whether it was read or not.
   * @default Duration.days(7)
   */
  readonly retention?: Duration;
}

/** What a topic is part of. */
export interface KafkaTopicOwner {
  /** The Kafka. */
  readonly kafka: IKafka;
  /** Name of the Kafka. */
  readonly name: string;
  /** Brokers. */
  readonly brokers: number;
  /** Metadata of an object that belongs to it and holds data, without the name. */
  readonly metadata: k8s.ObjectMeta;
}

/** Names of topics that need no other name as objects (Strimzi docs, "Topic names"). */
const NAME = /^[a-z0-9]([a-z0-9-]{0,251}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,251}[a-z0-9])?)*$/;

/** A topic, which the topic operator of Strimzi creates. */
export class KafkaTopic extends Construct {
  /** The KafkaTopic. */
  public readonly topic: Topic;

  public constructor(
    scope: Construct,
    id: string,
    props: KafkaTopicProps,
    private readonly owner: KafkaTopicOwner,
  ) {
    super(scope, id);
    const { partitions = 12, replicas = Math.min(3, owner.brokers), retention } = props;
    this.check('partitions', isFrom1(partitions), `is ${partitions}, but must be a whole number from 1`);
    this.check(
      'replicas',
      isFrom1(replicas) && replicas <= owner.brokers,
      `is ${replicas}, but must be a whole number from 1 to ${owner.brokers}, the number of brokers`,
    );
    const milliseconds = (retention?.toMilliseconds() ?? 7 * 24 * 60 * 60 * 1000).toString();
    this.check('retention', Number(milliseconds) > 0, `is ${milliseconds} ms, but must be above 0`);
    this.topic = new Topic(this, 'Resource', {
      metadata: {
        ...owner.metadata,
        name: id,
        labels: { ...owner.metadata.labels, 'strimzi.io/cluster': owner.name },
      },
      spec: {
        partitions,
        replicas,
        config: {
          'retention.ms': Number(milliseconds),
          // One of three may be away while messages still come in.
          'min.insync.replicas': replicas >= 3 ? 2 : 1,
        },
      },
    });
  }

  /** Messages in it that a group of consumers is behind. */
  public lag(consumerGroup: string): IBacklog {
    return this.owner.kafka.lag({ topic: this.node.id, consumerGroup });
  }

  private check(property: string, right: boolean, problem: string): void {
    if (!right) {
      throw new UsageError(problem, { scope: this, property: `topic.${property}` });
    }
  }
}

/** Refuses a name before there is a construct of it: ids of constructs are not all that they are given. */
export function checkTopicName(scope: IConstruct, name: string, others: readonly string[]): void {
  const site = { scope, property: 'topic.name' };
  if (!NAME.test(name) || name.length > 249) {
    throw new UsageError(`is "${name}", but must be 1 to 249 lower-case letters, digits, "-" and "."`, site);
  }
  if (others.includes(name)) {
    throw new UsageError(`is "${name}", which there is already; keep what topic("${name}") gave`, site);
  }
}

function isFrom1(value: number): boolean {
  return Number.isInteger(value) && value >= 1;
}
