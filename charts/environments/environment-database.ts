import type { Construct } from 'constructs';
import { z } from 'zod';
import { ExternalPostgres } from '../../constructs/data/external-postgres';
import { Postgres } from '../../constructs/data/postgres';
import type { IPostgres } from '../../constructs/data/postgres-access';
import { PostgresBackups } from '../../constructs/data/postgres-backups';
import { PostgresCluster } from '../../constructs/data/postgres-cluster';
import { PostgresTls } from '../../constructs/data/postgres-tls';
import { SecretKey } from '../../constructs/secrets/secret-key';
import type { ISecretSource } from '../../constructs/secrets/secret-source';
import { describedBy } from '../described-by';
import { oneOf } from './environment-kinds';
import { objectStore } from './environment-object-store';
import {
  command,
  count,
  cpu,
  duration,
  guaranteed,
  identity,
  image,
  made,
  resources,
  secretKey,
  size,
  texts,
  timeOfDay,
  usualKey,
} from './environment-values';
import { programFields, retriesField, workloadFields } from './environment-workload';

const maxConnections = count.optional().describe('connections at the same time; by default 100');
const settings = texts.optional().describe('more settings of the server: work_mem: 16MB');
const databaseName = z.string().optional().describe('name of the database; by default app');
const dataClass = z.string().optional().describe("class of its volumes; by default the cluster's for block volumes");

function postgres(secrets: ISecretSource) {
  return z
    .strictObject({
      password: usualKey(secrets, 'database', 'password'),
      database: databaseName,
      user: z.string().optional().describe('who clients are; by default app'),
      resources: resources.optional().describe('what it asks for; by default 250m CPU and 512Mi'),
      storage: size.optional().describe('volume for the data; by default 10Gi'),
      storageClass: dataClass,
      maxConnections,
      settings,
      image: image.optional().describe('what runs; by default the release that the library knows'),
      ...workloadFields(secrets),
    })
    .transform(
      (props) =>
        (scope: Construct): IPostgres =>
          describedBy(scope, 'database.postgres', () => new Postgres(scope, 'database', props)),
    );
}

function backups(secrets: ISecretSource) {
  return made(
    z.strictObject({
      daily: timeOfDay.describe('when: "02:30", in the time zone of the operator'),
      keepDays: count.describe('days for which every moment can be restored'),
      to: objectStore(secrets).describe('where they are kept'),
      resources: z
        .strictObject({
          cpu: cpu.describe('CPU that the scheduler reserves: 200m'),
          memory: size.describe('memory, request and limit: 1Gi'),
        })
        .optional()
        .describe('what the container in each instance asks for that writes them; by default 200m CPU and 1Gi'),
    }),
    ({ daily, ...props }) => PostgresBackups.daily({ ...props, ...daily }),
  );
}

const pooler = z.strictObject({
  instances: count.optional().describe('pods; by default 2'),
  maxClientConnections: count.optional().describe('connections of clients to each pod; by default 1000'),
  poolSize: count.optional().describe('connections from each pod to the database; by default 20'),
  resources: resources.optional().describe('what each pod asks for; by default 100m CPU and 128Mi'),
  image: image.optional().describe('what runs; by default the release that the library knows'),
});

function postgresCluster(secrets: ISecretSource) {
  return z
    .strictObject({
      instances: count.optional().describe('instances, from 2 on with failover; by default 3'),
      synchronousReplicas: z
        .int32()
        .min(0)
        .optional()
        .describe('replicas that must have a change before it counts; by default 1 with 3 instances and more'),
      storage: size.optional().describe('volume of each instance for the data; by default 20Gi'),
      walStorage: size.optional().describe('volume of each instance for the log of changes; by default 5Gi'),
      storageClass: dataClass,
      resources: guaranteed.optional().describe('what each instance asks for, limits too; by default 1 CPU and 2Gi'),
      database: databaseName,
      owner: z.string().optional().describe('who clients are; by default app'),
      credentials: z
        .strictObject({
          username: secretKey(secrets).describe('key username of the Secret'),
          password: secretKey(secrets).describe('key password of the same Secret'),
        })
        .optional()
        .describe("name and password of the owner; by default the operator's own"),
      extensions: z.array(z.string()).optional().describe('extensions of the database: vector'),
      maxConnections,
      settings,
      pooler: pooler.optional().describe('PgBouncer, for everybody but the migration; by default none'),
      backups: backups(secrets).optional().describe('backups; by default none'),
      nodePool: z.string().optional().describe('node pool to run on'),
      priorityClassName: z.string().optional().describe('PriorityClass, which exists'),
      serviceAccountAnnotations: texts.optional().describe('annotations of the ServiceAccount'),
      identity: identity.optional().describe('who the instances are to a cloud, for backups'),
      image: image.optional().describe('what runs; by default the release that the library knows'),
    })
    .transform(
      (props) =>
        (scope: Construct): IPostgres =>
          describedBy(scope, 'database.postgresCluster', () => new PostgresCluster(scope, 'database', props)),
    );
}

/** How far a client of PostgreSQL trusts the server. */
function postgresTls(secrets: ISecretSource) {
  return z
    .union([z.enum(['public', 'unverified', 'none']), secretKey(secrets)], {
      error: ({ input }) =>
        `${input === undefined ? 'is missing; it ' : ''}must be public, unverified, none, or ` +
        '{ secret: name, key: name } of the authority that signs its certificate',
    })
    .transform((input) => {
      if (input instanceof SecretKey) {
        return PostgresTls.verified(input);
      }
      return {
        public: PostgresTls.publicAuthority(),
        unverified: PostgresTls.unverified(),
        none: PostgresTls.none(),
      }[input];
    });
}

function externalPostgres(secrets: ISecretSource) {
  return made(
    z.strictObject({
      host: z.string().describe('its DNS name or address'),
      port: z.int32().min(1).max(65535).optional().describe('by default 5432'),
      database: z.string().optional().describe('name of the database, which exists; by default app'),
      user: z.string().optional().describe('who clients are; by default app'),
      password: usualKey(secrets, 'database', 'password'),
      tls: postgresTls(secrets).describe('how far it is trusted: public, or the Secret with its authority'),
      cidrs: z.array(z.string()).optional().describe('its addresses, where they are known and stable'),
    }),
    (props) => {
      const external = new ExternalPostgres(props);
      return (): IPostgres => external;
    },
  );
}

/** The database of the API and the ingestion. */
export function database(secrets: ISecretSource) {
  return oneOf({
    postgres: postgres(secrets).optional().describe('one pod, for development'),
    postgresCluster: postgresCluster(secrets).optional().describe('instances with failover, by CloudNativePG'),
    externalPostgres: externalPostgres(secrets).optional().describe('a PostgreSQL that somebody else runs'),
  });
}

/** What brings the schema of the database up to date. */
export function migration(secrets: ISecretSource) {
  return z.strictObject({
    image: image.optional().describe('what runs; by default the image of the API'),
    login: z
      .strictObject({
        user: z.string().describe('name of the user, who exists'),
        password: secretKey(secrets).describe('its password'),
      })
      .optional()
      .describe('who may change the schema; by default the same as clients'),
    command: command.min(1, 'is empty; name a program').describe('program and first arguments'),
    deadline: duration.optional().describe('time after which it has failed; by default 15m'),
    retries: retriesField(),
    ...programFields(secrets, { resources: '100m CPU and 256Mi', temporaryStorage: '256Mi' }),
  });
}
