import { type ChangeRule, COMPARE_NOTHING, type Step, stepsOf } from '../rules/change-rule';
import { type Json, type ManifestObject, nameOf } from '../rules/output';
import { shrinkProblem, storageClassProblem } from '../rules/volume-change';
import { type PostgresRelease, postgresRelease } from './postgres-release';

const ANOTHER =
  'create another PostgresCluster of another name, copy the data with pg_dump and pg_restore, point the clients at it, ' +
  'and remove this one';

/** CloudNativePG docs, "Storage", "Re-creating storage". */
const MOVE_VOLUMES =
  `move them: ${COMPARE_NOTHING}, delete the claims and the pod of one replica, wait for its successor, do the same with ` +
  'the next, and at last with the primary, once kubectl cnpg promote has made another one of a successor';

/**
 * What a Cluster of CloudNativePG cannot become, or can only at a loss.
 *
 * Source: CloudNativePG 1.30, `internal/webhook/v1`: ValidateChanges; docs, "Storage", "Bootstrap", "PostgreSQL
 * upgrades".
 */
export const postgresClusterChanges: ChangeRule = {
  name: 'clusters of PostgreSQL keep their volumes, their database and their data',
  check: (before, after) =>
    stepsOf('postgresql.cnpg.io', 'Cluster', before, after).flatMap((step) =>
      [
        ...['storage', 'walStorage'].flatMap((field) => volumeProblems(field, step)),
        ...['database', 'owner'].flatMap((field) => bootstrapProblem(field, step)),
        ...releaseProblem(step, before, after),
      ].map((problem) => `${nameOf(step.to)}: ${problem}`),
    ),
};

function volumeProblems(field: string, { from, to }: Step): string[] {
  const [was, becomes] = [from.spec?.[field], to.spec?.[field]];
  if (was === undefined) {
    return [];
  }
  if (becomes === undefined) {
    return [`spec.${field} goes away, but a volume that exists cannot be taken away; keep it, or ${ANOTHER}`];
  }
  const change = (part: string) => ({ field: `spec.${field}.${part}`, from: was[part], to: becomes[part] });
  return [...shrinkProblem(change('size'), ANOTHER), ...storageClassProblem(change('storageClass'), MOVE_VOLUMES)];
}

/** How a cluster began is never looked at again, but clients are told what stands there. */
function bootstrapProblem(field: string, { from, to }: Step): string[] {
  const [was, becomes] = [from, to].map(({ spec }) => spec?.bootstrap?.initdb?.[field]);
  return was === undefined || becomes === undefined || was === becomes
    ? []
    : [
        `spec.bootstrap.initdb.${field} goes from ${was} to ${becomes}, but only a new cluster is made with it, and ` +
          `clients would come for a ${field} that is not there; keep ${was}, or ${ANOTHER}`,
      ];
}

function releaseProblem(step: Step, before: readonly ManifestObject[], after: readonly ManifestObject[]): string[] {
  const [from, to] = [step.from, step.to].map(({ spec }) => postgresRelease(spec?.imageName));
  if (from === undefined || to === undefined || from.major === to.major) {
    return [];
  }
  const change = `spec.imageName goes from PostgreSQL ${from.major} to ${to.major}`;
  if (to.major < from.major) {
    return [
      `${change}, but an older release does not read the data of a newer one; keep ${from.major}; where an upgrade ` +
        `has failed and the data is still of ${to.major}, ${COMPARE_NOTHING}`,
    ];
  }
  return [
    ...distributionProblem(change, from, to),
    ...archiveProblem(change, archiveOf(step.from, before), archiveOf(step.to, after)),
  ];
}

function distributionProblem(change: string, from: PostgresRelease, to: PostgresRelease): string[] {
  return from.distribution === undefined || to.distribution === undefined || from.distribution === to.distribution
    ? []
    : [
        `${change}, and from Debian ${from.distribution} to ${to.distribution}, but data is upgraded on one ` +
          `distribution only; take an image of ${to.major} on ${from.distribution}`,
      ];
}

/** A new major release counts its log from the start: files of the same names, in the same place. */
function archiveProblem(change: string, from: string | undefined, to: string | undefined): string[] {
  return from === undefined || from !== to
    ? []
    : [
        `${change}, but its log would overwrite that of the old release in ${to}, and no backup there could be ` +
          'restored; take a backup, and set another prefix in backups.to in the same step',
      ];
}

/** Where the log of changes is kept: the place in the bucket, and the name of the server in it. */
function archiveOf({ metadata, spec }: ManifestObject, among: readonly ManifestObject[]): string | undefined {
  const plugins: Json[] = spec?.plugins ?? [];
  const archiver = plugins.find(({ enabled, isWALArchiver }) => enabled !== false && isWALArchiver === true);
  const { barmanObjectName, serverName = metadata.name } = archiver?.parameters ?? {};
  const store = among.find(
    (object) =>
      object.kind === 'ObjectStore' &&
      object.metadata.name === barmanObjectName &&
      object.metadata.namespace === metadata.namespace,
  );
  return store === undefined ? undefined : `${store.spec?.configuration?.destinationPath}/${serverName}`;
}
