import { type ChangeRule, COMPARE_NOTHING, type Step, stepsOf } from '../rules/change-rule';
import { type Json, type ManifestObject, nameOf } from '../rules/output';
import { shrinkProblem, storageClassProblem } from '../rules/volume-change';

const GROUP = 'kafka.strimzi.io';
const CLUSTER = 'strimzi.io/cluster';

const ANOTHER =
  'create another Kafka of another name, point those who send at it, let the consumers of this one read to the end, point ' +
  'them at the other, and remove this one';

/**
 * What nodes of Kafka cannot become: of storage, Strimzi then ignores every change.
 *
 * Source: Strimzi 1.2 docs, "Configuring node pools", "Limitations with static controller quorums", "Configuring Kafka
 * storage"; `io.strimzi.operator.cluster.model`: StorageDiff.
 */
const nodesStay: ChangeRule = {
  name: 'nodes of Kafka keep their number and their volumes',
  check: (before, after) =>
    stepsOf(GROUP, 'KafkaNodePool', before, after).flatMap((step) =>
      [...nodesProblem(step), ...volumesOf(step.from).flatMap((volume) => volumeProblems(volume, step))].map(
        (problem) => `${nameOf(step.to)}: ${problem}`,
      ),
    ),
};

/**
 * What a topic cannot become: the topic operator reports an error and leaves it as it is.
 *
 * Source: Strimzi 1.2 docs, "Topic Operator", "Changing the replication factor of topics".
 */
const topicsStay: ChangeRule = {
  name: 'topics keep their partitions and copies',
  check: (before, after) =>
    stepsOf(GROUP, 'KafkaTopic', before, after).flatMap((step) =>
      [...partitionsProblem(step), ...copiesProblem(step, after)].map((problem) => `${nameOf(step.to)}: ${problem}`),
    ),
};

/** What a Kafka and its topics cannot become from one render to the next. */
export const kafkaChanges: readonly ChangeRule[] = [nodesStay, topicsStay];

function nodesProblem({ from, to }: Step): string[] {
  const [was, becomes] = [from.spec?.replicas, to.spec?.replicas];
  const votes = [from, to].some(({ spec }) => (spec?.roles ?? []).includes('controller'));
  return was === undefined || becomes === undefined || was === becomes || !votes
    ? []
    : [
        `spec.replicas goes from ${was} to ${becomes}, but controllers vote, and their number is final; keep ${was}, or ` +
          ANOTHER,
      ];
}

function volumeProblems(volume: Json, { to }: Step): string[] {
  const field = `spec.storage.volumes[id=${volume.id}]`;
  const becomes = volumesOf(to).find(({ id }) => id === volume.id);
  if (becomes === undefined) {
    return [`${field} goes away, and with it the partitions that are on it; keep it, or ${ANOTHER}`];
  }
  const change = (part: string) => ({ field: `${field}.${part}`, from: volume[part], to: becomes[part] });
  return [...shrinkProblem(change('size'), ANOTHER), ...storageClassProblem(change('class'), ANOTHER)];
}

function volumesOf({ spec }: ManifestObject): Json[] {
  return spec?.storage?.volumes ?? [];
}

function partitionsProblem({ from, to }: Step): string[] {
  const [was, becomes] = [from.spec?.partitions, to.spec?.partitions];
  return becomes < was
    ? [
        `spec.partitions goes from ${was} to ${becomes}, but a topic never has fewer; keep ${was}, or make a topic of ` +
          'another name, point those who send at it, and remove this one when it was read to the end',
      ]
    : [];
}

/** Only Cruise Control moves copies; a Kafka of somebody else may have it. */
function copiesProblem({ from, to }: Step, after: readonly ManifestObject[]): string[] {
  const [was, becomes] = [from.spec?.replicas, to.spec?.replicas];
  if (was === undefined || becomes === undefined || was === becomes || hasCruiseControl(to, after)) {
    return [];
  }
  return [
    `spec.replicas goes from ${was} to ${becomes}, but the operator does not move copies without Cruise Control; keep ` +
      `${was}, or move them with kafka-reassign-partitions.sh, and then ${COMPARE_NOTHING}`,
  ];
}

function hasCruiseControl({ metadata }: ManifestObject, objects: readonly ManifestObject[]): boolean {
  return objects.some(
    (object) =>
      object.kind === 'Kafka' &&
      object.metadata.name === metadata.labels?.[CLUSTER] &&
      object.metadata.namespace === metadata.namespace &&
      object.spec?.cruiseControl !== undefined,
  );
}
