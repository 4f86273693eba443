import { type ChangeRule, sameObject } from './change-rule';
import { groupOf, type ManifestObject } from './output';

/** Kinds whose volumes go with their namespace, with the groups of their APIs. */
const HOLDERS: { readonly [kind: string]: string } = {
  StatefulSet: 'apps',
  Cluster: 'postgresql.cnpg.io',
  RabbitmqCluster: 'rabbitmq.com',
  KafkaNodePool: 'kafka.strimzi.io',
};

/** A store of the same name that begins in another namespace, while the old one ends. */
interface Move {
  readonly store: string;
  readonly from: string;
  readonly to: string;
}

/** Volumes do not follow a store into another namespace: it begins anew, and what it had is deleted. */
export const dataStays: ChangeRule = {
  name: 'what holds data stays in its namespace',
  check: (before, after) => {
    const moves = after.flatMap((object) => moveOf(object, before, after));
    const pairs = new Map(moves.map((move) => [`${move.from} ${move.to}`, move]));
    return [...pairs.values()].map(({ from, to }) => {
      const stores = moves.filter((move) => move.from === from && move.to === to).map(({ store }) => store);
      return (
        `namespace goes from ${from} to ${to}, where ${stores.join(' and ')} would begin without data, while Argo CD ` +
        `deletes ${from}, once that is confirmed with its volumes; keep ${from}, or make ${to} another environment ` +
        'beside this one, copy the data, let clients move, and remove this one'
      );
    });
  },
};

function moveOf(object: ManifestObject, before: readonly ManifestObject[], after: readonly ManifestObject[]): Move[] {
  if (!holdsData(object) || sameObject(before, object) !== undefined) {
    return [];
  }
  const left = before.find(
    (other) =>
      other.kind === object.kind &&
      groupOf(other) === groupOf(object) &&
      other.metadata.name === object.metadata.name &&
      holdsData(other) &&
      sameObject(after, other) === undefined,
  );
  const { namespace: from } = left?.metadata ?? {};
  const { name, namespace: to } = object.metadata;
  return from === undefined || to === undefined ? [] : [{ store: `${object.kind} ${name}`, from, to }];
}

function holdsData(object: ManifestObject): boolean {
  const known = HOLDERS[object.kind] === groupOf(object);
  return known && (object.kind !== 'StatefulSet' || (object.spec?.volumeClaimTemplates ?? []).length > 0);
}
