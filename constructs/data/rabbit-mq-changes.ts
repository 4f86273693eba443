import { type ChangeRule, type Step, stepsOf } from '../rules/change-rule';
import { nameOf } from '../rules/output';
import { shrinkProblem, storageClassProblem } from './volume-changes';

const ANOTHER =
  'create another RabbitMq of another name, point those who send at it, let the workers of this one empty its queues, ' +
  'point them at the other, and remove this one';

/**
 * What a RabbitmqCluster cannot become: its operator reports an error and leaves everything as it is.
 *
 * Source: RabbitMQ cluster operator 2.22, `internal/controller`: scaleDown; `internal/scaling`: Scale;
 * `internal/resource`: StatefulSetBuilder, which sets the class of the claims when it makes them.
 */
export const rabbitMqChanges: ChangeRule = {
  name: 'clusters of RabbitMQ keep their nodes and their volumes',
  check: (before, after) =>
    stepsOf('rabbitmq.com', 'RabbitmqCluster', before, after).flatMap((step) =>
      [...nodesProblem(step), ...volumeProblems(step)].map((problem) => `${nameOf(step.to)}: ${problem}`),
    ),
};

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
