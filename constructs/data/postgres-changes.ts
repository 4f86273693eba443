import { type ChangeRule, COMPARE_NOTHING, type Step, stepsOf } from '../rules/change-rule';
import { type Json, type ManifestObject, nameOf } from '../rules/output';
import { postgresRelease } from './postgres-release';

/** Which Postgres of the app a rule is about. */
export interface PostgresIdentity {
  /** Namespace of its StatefulSet. */
  readonly namespace: string;
  /** Name of its StatefulSet, and of the container in its pod. */
  readonly name: string;
}

const ANOTHER =
  'create another Postgres of another name, copy the data with pg_dump and psql, point the clients at it, and remove ' +
  'this one';

/** Variables that the image reads when it makes a database, and never again. */
const VARIABLES = { POSTGRES_DB: 'database', POSTGRES_USER: 'user' };

/**
 * What a single PostgreSQL cannot become: the image makes a database when the volume is empty, and otherwise starts
 * with what is there.
 *
 * Source: docker-library/postgres, `docker-entrypoint.sh`; PostgreSQL docs, "Upgrading a PostgreSQL Cluster".
 */
export function postgresChanges({ namespace, name }: PostgresIdentity): ChangeRule {
  return {
    name: 'a PostgreSQL starts with the data that is there',
    check: (before, after) =>
      stepsOf('apps', 'StatefulSet', before, after)
        .filter(({ to: { metadata } }) => metadata.name === name && (metadata.namespace ?? '') === namespace)
        .flatMap((step) =>
          [
            ...releaseProblem(step),
            ...Object.keys(VARIABLES).flatMap((variable) => beginningProblem(variable, step)),
          ].map((problem) => `${nameOf(step.to)}: ${problem}`),
        ),
  };
}

function releaseProblem({ from, to }: Step): string[] {
  const [was, becomes] = [from, to].map((object) => postgresRelease(mainContainer(object)?.image)?.major);
  return was === undefined || becomes === undefined || was === becomes
    ? []
    : [
        `image goes from PostgreSQL ${was} to ${becomes}, which does not start with the data of ${was}; stay at ${was}, or ` +
          `${ANOTHER}; a volume that may be lost can be deleted instead: ${COMPARE_NOTHING}, and delete the claim and the pod`,
      ];
}

function beginningProblem(variable: string, { from, to }: Step): string[] {
  const [was, becomes] = [from, to].map((object) => variableOf(object, variable));
  const property = VARIABLES[variable as keyof typeof VARIABLES];
  return was === undefined || becomes === undefined || was === becomes
    ? []
    : [
        `${property} goes from ${was} to ${becomes}, but only an empty volume gets it, and clients would come for one ` +
          `that is not there; keep ${was}, or ${ANOTHER}`,
      ];
}

function mainContainer({ metadata, spec }: ManifestObject): Json {
  const containers: Json[] = spec?.template?.spec?.containers ?? [];
  return containers.find(({ name }) => name === metadata.name);
}

function variableOf(object: ManifestObject, variable: string): string | undefined {
  const env: Json[] = mainContainer(object)?.env ?? [];
  return env.find(({ name }) => name === variable)?.value;
}
