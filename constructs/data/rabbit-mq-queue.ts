import { ApiObject } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-28';
import { Construct, type IConstruct } from 'constructs';
import { UsageError } from '../rules/usage-error';
import type { IBacklog, ScalingTrigger } from '../scaling/scaling-trigger';
import type { IQueue } from './queue';

/** A queue of a RabbitMQ. */
export interface RabbitMqQueueProps {
  /**
   * Arguments besides the type: `{ 'x-delivery-limit': 5 }`. Who declares the queue as well must give the very same, or is
   * refused with PRECONDITION_FAILED, and they never change. What a policy of RabbitMQ can set is better set there.
   * @default - none
   */
  readonly arguments?: { readonly [argument: string]: string | number | boolean };
}

/** What a queue is part of. */
export interface RabbitMqQueueOwner {
  /** The RabbitMQ. */
  readonly rabbitMq: IQueue;
  /** Name of its cluster. */
  readonly name: string;
  /** Virtual host. */
  readonly virtualHost: string;
  /** Type of its queues. */
  readonly type: 'quorum' | 'classic';
  /** Metadata of an object that is applied when its nodes are ready and holds data, without the name. */
  readonly metadata: k8s.ObjectMeta;
}

/** Names that the name of an object can be made of; RabbitMQ takes every text up to 255 bytes. */
const NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,198}[A-Za-z0-9])?$/;

const ARGUMENT = /^x-[a-z0-9-]+$/;

/**
 * A queue, which the messaging topology operator of RabbitMQ declares: it is there before the first client, so that KEDA
 * can count it from the start. Who takes the object away takes the queue away, with what is in it.
 *
 * Its type is the one that the nodes have by default, which a declaration without a type means too: clients may leave it
 * out. Celery does, unless `task_default_queue_type` is `quorum`, as it has to be with three nodes and more.
 *
 * Source: RabbitMQ docs, "Using the RabbitMQ Kubernetes Operators: Messaging Topology Operator", "Queues: Property
 * Equivalence"; rabbitmq/rabbitmq-server #12114; rabbitmq/messaging-topology-operator, `api/v1beta1`: Queue.
 */
export class RabbitMqQueue extends Construct implements IBacklog {
  /** The Queue. Its kind is in no import: its schema is not among those at hand. */
  public readonly queue: ApiObject;

  public constructor(
    scope: Construct,
    id: string,
    props: RabbitMqQueueProps,
    private readonly owner: RabbitMqQueueOwner,
  ) {
    super(scope, id);
    const { name, virtualHost, type, metadata } = owner;
    const given = props.arguments ?? {};
    this.check(given);
    this.queue = new ApiObject(this, 'Resource', {
      apiVersion: 'rabbitmq.com/v1beta1',
      kind: 'Queue',
      metadata: { ...metadata, name: `${name}-${objectNameOf(id)}` },
      spec: {
        name: id,
        vhost: virtualHost,
        type,
        durable: true,
        arguments: Object.keys(given).length === 0 ? undefined : { ...given },
        rabbitmqClusterReference: { name },
      },
    });
  }

  /** Scales on the messages that are ready in it; those that a worker has taken are no longer among them. */
  public trigger(perReplica: number): ScalingTrigger {
    return this.owner.rabbitMq.list(this.node.id).trigger(perReplica);
  }

  private check(given: object): void {
    for (const argument of Object.keys(given)) {
      if (argument === 'x-queue-type') {
        throw this.misuse('has x-queue-type, which follows from the number of nodes: quorum from 3 on; leave it out');
      }
      if (!ARGUMENT.test(argument)) {
        throw this.misuse(`has "${argument}", but arguments of queues are named like x-delivery-limit`);
      }
    }
  }

  private misuse(problem: string): UsageError {
    return new UsageError(problem, { scope: this, property: 'queue.arguments' });
  }
}

/** Refuses a name before there is a construct of it: ids of constructs are not all that they are given. */
export function checkQueueName(scope: IConstruct, name: string, others: readonly string[]): void {
  const site = { scope, property: 'queue.name' };
  if (!NAME.test(name) || name.startsWith('amq.')) {
    throw new UsageError(
      `is "${name}", but must be 1 to 200 letters, digits, "-", "_" and ".", and not begin with "amq."`,
      site,
    );
  }
  if (others.includes(name)) {
    throw new UsageError(`is "${name}", which there is already; keep what queue("${name}") gave`, site);
  }
  const same = others.find((other) => objectNameOf(other) === objectNameOf(name));
  if (same !== undefined) {
    throw new UsageError(
      `is "${name}", whose object would be named like that of "${same}"; give one of them another name`,
      site,
    );
  }
}

/** The part of an object's name that is the queue's. */
function objectNameOf(queue: string): string {
  return queue.toLowerCase().replace(/[._]/g, '-');
}
