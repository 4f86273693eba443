import { ExternalPostgres } from '../../../constructs/data/external-postgres';
import { ExternalRabbitMq } from '../../../constructs/data/external-rabbit-mq';
import { ExternalRedis } from '../../../constructs/data/external-redis';
import { PostgresTls } from '../../../constructs/data/postgres-tls';
import { RabbitMqAccess } from '../../../constructs/data/rabbit-mq-access';
import { Redis } from '../../../constructs/data/redis';
import { RedisRole } from '../../../constructs/data/redis-role';
import { ServerTls } from '../../../constructs/data/server-tls';
import { UrlCredential } from '../../../constructs/data/url-credential';
import { Endpoint } from '../../../constructs/network/endpoint';
import type { Json } from '../../../constructs/rules/output';
import { Scaling } from '../../../constructs/scaling/scaling';
import { ExternalSecrets } from '../../../constructs/secrets/external-secrets';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { SecretStore } from '../../../constructs/secrets/secret-store';
import { SecretsStoreCsi } from '../../../constructs/secrets/secrets-store-csi';
import { Deployment } from '../../../constructs/workload/deployment';
import type { IProvider } from '../../../constructs/workload/provider';
import { env, find, mainContainer, render, testChart } from '../../support/manifests';
import { CONTAINER } from '../../support/workloads';

const STORE = new ExternalSecrets(SecretStore.existing('acme'));
const TENANT = '66666666-7777-8888-9999-000000000000';
const VAULT = SecretsStoreCsi.azureKeyVault({ vault: 'acme-rag', tenantId: TENANT, clientId: TENANT });

/** A client of something, and what is rendered with it. */
function client(provider: IProvider, envNames?: { readonly [name: string]: string }) {
  const chart = testChart();
  new Deployment(chart, 'api', { component: 'api', container: CONTAINER, envNames }).uses(provider);
  const objects = render(chart);
  return { objects, deployment: find(objects, 'Deployment', 'api') };
}

const secretRef = (name: string, key: string) => ({ secretKeyRef: { name, key } });

describe('a secret in a variable and in a URL', () => {
  test('is one variable, where its source has no form for URLs', () => {
    for (const key of [SecretKey.of('db', 'password'), VAULT.key('db', 'password')]) {
      const credential = new UrlCredential('PGPASSWORD', key);
      expect(Object.keys(credential.env)).toEqual(['PGPASSWORD']);
      expect(credential.reference).toBe('$(PGPASSWORD)');
    }
  });

  test('is two variables, where External Secrets fills the form for URLs too', () => {
    const credential = new UrlCredential('PGPASSWORD', STORE.key('db', 'password'));
    const variables = Object.entries(credential.env).map(([name, value]) => value._render(name));
    expect(variables).toEqual([
      { name: 'PGPASSWORD', valueFrom: secretRef('db', 'password') },
      { name: 'PGPASSWORD_URLENCODED', valueFrom: secretRef('db', 'password.urlencoded') },
    ]);
    expect(credential.reference).toBe('$(PGPASSWORD_URLENCODED)');
  });
});

describe('a client of PostgreSQL', () => {
  const database = new ExternalPostgres({
    host: 'db.acme.example',
    database: 'rag',
    user: 'rag',
    password: STORE.key('rds', 'password'),
    tls: PostgresTls.none(),
  });

  test('gets the password as it is, and in the URL in percent-encoding', () => {
    const { deployment } = client(database);
    expect(env(deployment, 'PGPASSWORD')).toEqual(secretRef('rds', 'password'));
    expect(env(deployment, 'PGPASSWORD_URLENCODED')).toEqual(secretRef('rds', 'password.urlencoded'));
    expect(env(deployment, 'DATABASE_URL')).toContain(
      'postgresql://rag:$(PGPASSWORD_URLENCODED)@db.acme.example:5432/rag',
    );
  });

  test('finds the form before the URL that it completes', () => {
    const names = mainContainer(client(database).deployment).env.map(({ name }: Json) => name);
    expect(names.indexOf('PGPASSWORD_URLENCODED')).toBeLessThan(names.indexOf('DATABASE_URL'));
    expect(names.indexOf('PGPASSWORD_URLENCODED')).toBeGreaterThan(-1);
  });

  test('of two databases has it under another name', () => {
    const { deployment } = client(database.named('VECTORS'));
    expect(env(deployment, 'VECTORS_PASSWORD_URLENCODED')).toEqual(secretRef('rds', 'password.urlencoded'));
    expect(env(deployment, 'VECTORS_URL')).toContain(':$(VECTORS_PASSWORD_URLENCODED)@');
    expect(env(deployment, 'PGPASSWORD_URLENCODED')).toBeUndefined();
  });

  test('may call it what it likes', () => {
    const { deployment } = client(database, { PGPASSWORD_URLENCODED: 'DB_PASSWORD_IN_URL' });
    expect(env(deployment, 'DATABASE_URL')).toContain(':$(DB_PASSWORD_IN_URL)@');
  });

  test('is what makes the Secret have it', () => {
    const { target } = find(client(database).objects, 'ExternalSecret', 'rds').spec;
    expect(Object.keys(target.template.data)).toEqual(['password.urlencoded']);
  });
});

describe('a client of Redis', () => {
  test('finds the password in the URL in percent-encoding', () => {
    const redis = new ExternalRedis({
      host: 'redis.acme.example',
      user: 'rag',
      password: STORE.key('redis', 'password'),
    });
    const { deployment } = client(redis);
    expect(env(deployment, 'REDIS_PASSWORD')).toEqual(secretRef('redis', 'password'));
    expect(env(deployment, 'REDIS_PASSWORD_URLENCODED')).toEqual(secretRef('redis', 'password.urlencoded'));
    expect(env(deployment, 'CELERY_BROKER_URL')).toContain('rediss://rag:$(REDIS_PASSWORD_URLENCODED)@redis.acme');
  });

  test('of two has each under its own name', () => {
    const password = STORE.key('cache', 'password');
    const cache = new ExternalRedis({ host: 'cache.acme.example', role: RedisRole.CACHE, password });
    const { deployment } = client(cache);
    expect(env(deployment, 'CACHE_PASSWORD_URLENCODED')).toEqual(secretRef('cache', 'password.urlencoded'));
    expect(env(deployment, 'CACHE_URL')).toContain(':$(CACHE_PASSWORD_URLENCODED)@');
  });

  test('alone gets the form; the server and KEDA get the password', () => {
    const chart = testChart({ keda: { namespace: 'keda' } });
    const queue = new Redis(chart, 'queue', { role: RedisRole.BROKER, password: STORE.key('queue', 'password') });
    const scaling = Scaling.onBacklog(queue.list('celery'), { perReplica: 20, min: 0, max: 4 });
    new Deployment(chart, 'workers', { component: 'workers', container: CONTAINER, scaling }).uses(queue);
    const others = render(chart).filter(({ kind }) => ['StatefulSet', 'TriggerAuthentication'].includes(kind));
    expect(others.map(({ kind }) => kind).sort()).toEqual(['StatefulSet', 'TriggerAuthentication']);
    for (const object of others) {
      expect(JSON.stringify(object)).toContain('"key":"password"');
      expect(JSON.stringify(object)).not.toContain('urlencoded');
    }
  });
});

describe('a client of RabbitMQ', () => {
  const password = STORE.key('mq', 'password');

  test('finds the password in the URL in percent-encoding', () => {
    const { deployment } = client(
      new ExternalRabbitMq({ host: 'mq.acme.example', user: 'rag', password, tls: ServerTls.NONE }),
    );
    expect(env(deployment, 'RABBITMQ_PASSWORD')).toEqual(secretRef('mq', 'password'));
    expect(env(deployment, 'RABBITMQ_PASSWORD_URLENCODED')).toEqual(secretRef('mq', 'password.urlencoded'));
    expect(env(deployment, 'RABBITMQ_USERNAME')).toBe('rag');
    expect(env(deployment, 'RABBITMQ_USERNAME_URLENCODED')).toBeUndefined();
    expect(env(deployment, 'CELERY_BROKER_URL')).toBe(
      'amqp://rag:$(RABBITMQ_PASSWORD_URLENCODED)@mq.acme.example:5672/%2F',
    );
  });

  test('finds a name from a Secret there in the same form', () => {
    const endpoint = Endpoint.host('mq.acme.example', { name: 'amqp', number: 5672 });
    const user = STORE.key('mq', 'username');
    const { deployment } = client(
      new RabbitMqAccess({ endpoint, user, password, virtualHost: 'rag', tls: ServerTls.NONE }),
    );
    expect(env(deployment, 'RABBITMQ_USERNAME')).toEqual(secretRef('mq', 'username'));
    expect(env(deployment, 'CELERY_BROKER_URL')).toBe(
      'amqp://$(RABBITMQ_USERNAME_URLENCODED):$(RABBITMQ_PASSWORD_URLENCODED)@mq.acme.example:5672/rag',
    );
  });
});
