import { isDeepStrictEqual } from 'node:util';
import { type ChangeRule, type Step, stepsOf } from '../rules/change-rule';
import { type Json, nameOf } from '../rules/output';
import { shrinkProblem, storageClassProblem } from '../rules/volume-change';

const ANOTHER =
  'create another RabbitMq of another name, point those who send at it, let the workers of this one empty its queues, ' +
  'point them at the other, and remove this one';

/**
 * What a RabbitmqCluster cannot become: its operator reports an error and leaves everything as it is.
 *
 * Source: RabbitMQ cluster operator 2.22, `internal/controller`: scaleDown; `internal/scaling`: Scale;
 * `internal/resource`: StatefulSetBuilder, which sets the class of the claims when it makes them.
 */
const clustersStay: ChangeRule = {
  name: 'clusters of RabbitMQ keep their nodes and their volumes',
  check: (before, after) =>
    stepsOf('rabbitmq.com', 'RabbitmqCluster', before, after).flatMap((step) =>
      [...nodesProblem(step), ...volumeProblems(step)].map((problem) => `${nameOf(step.to)}: ${problem}`),
    ),
};

/** What a queue is for as long as it is there, with what the API server or RabbitMQ take where nothing is said. */
const QUEUE_FIELDS: { readonly [field: string]: Json } = {
  vhost: '/',
  type: undefined,
  durable: false,
  autoDelete: false,
  arguments: {},
};

/**
 * What a queue cannot become: the operator refuses it, and RabbitMQ refuses other arguments.
 *
 * Source: rabbitmq/messaging-topology-operator, `api/v1beta1`: Queue.ValidateUpdate; RabbitMQ docs, "Queues".
 */
const queuesStay: ChangeRule = {
  name: 'queues of RabbitMQ stay what they are',
  check: (before, after) =>
    stepsOf('rabbitmq.com', 'Queue', before, after).flatMap((step) =>
      Object.entries(QUEUE_FIELDS).flatMap(([field, absent]) => queueProblem(field, absent, step)),
    ),
};

/** What a RabbitMQ and its queues cannot become from one render to the next. */
export const rabbitMqChanges: readonly ChangeRule[] = [clustersStay, queuesStay];

function queueProblem(field: string, absent: Json, { from, to }: Step): string[] {
  const [was, becomes] = [from, to].map(({ spec }) => spec?.[field] ?? absent);
  const named = (value: Json) => (value === undefined ? 'nothing' : JSON.stringify(value));
  return isDeepStrictEqual(was, becomes)
    ? []
    : [
        `${nameOf(to)}: spec.${field} goes from ${named(was)} to ${named(becomes)}, but a queue stays what it is; keep ` +
          `${named(was)}, or make a queue of another name, point those who send at it, and remove this one when it is empty`,
      ];
}

function nodesProblem({ from, to }: Step): string[] {
  const [was, becomes] = [from.spec?.replicas, to.spec?.replicas];
  return becomes < was
    ? [
        `spec.replicas goes from ${was} to ${becomes}, but nodes are never taken away, because queues are on them; keep ` +
          `${was}, or ${ANOTHER}`,
      ]
    : [];
}

function volumeProblems({ from, to }: Step): string[] {
  const change = (part: string) => ({
    field: `spec.persistence.${part}`,
    from: from.spec?.persistence?.[part],
    to: to.spec?.persistence?.[part],
  });
  return [...shrinkProblem(change('storage'), ANOTHER), ...storageClassProblem(change('storageClassName'), ANOTHER)];
}
