import { ExternalRedis, type ExternalRedisProps } from '../../../constructs/data/external-redis';
import { RedisRole } from '../../../constructs/data/redis-role';
import { ServerTls } from '../../../constructs/data/server-tls';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { Scaling } from '../../../constructs/scaling/scaling';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Deployment } from '../../../constructs/workload/deployment';
import { env, find, mainContainer, namesOf, render, testChart } from '../../support/manifests';
import { ClusterSchemas, SCHEMAS_PRESENT } from '../../support/schemas';
import { IMAGE, RESOURCES } from '../../support/values';

const HOST = 'rag.abc123.euw1.cache.amazonaws.com';
const PASSWORD = SecretKey.of('elasticache', 'password');
const AUTHORITY = SecretKey.of('redis-ca', 'ca.pem');

function redis(props: Partial<ExternalRedisProps> = {}) {
  return new ExternalRedis({ host: HOST, ...props });
}

function client(providers: ExternalRedis[], cluster: ClusterProps = {}) {
  const chart = testChart(cluster);
  const deployment = new Deployment(chart, 'client', {
    component: 'client',
    container: { image: IMAGE, resources: RESOURCES },
  });
  deployment.uses(...providers);
  return render(chart);
}

function scaled(props: Partial<ExternalRedisProps>) {
  const chart = testChart({ keda: { namespace: 'keda' } });
  new Deployment(chart, 'workers', {
    component: 'ingestion',
    container: { image: IMAGE, resources: RESOURCES },
    scaling: Scaling.onBacklog(redis(props).list('celery'), { perReplica: 20, min: 0, max: 4 }),
  });
  return render(chart);
}

describe('a broker', () => {
  test('is told to clients like one in the cluster, encrypted unless told otherwise', () => {
    const objects = client([redis({ user: 'rag', password: PASSWORD })]);
    expect(mainContainer(find(objects, 'Deployment', 'client')).env).toEqual([
      { name: 'REDIS_PASSWORD', valueFrom: { secretKeyRef: { name: 'elasticache', key: 'password' } } },
      {
        name: 'CELERY_BROKER_URL',
        value: `rediss://rag:$(REDIS_PASSWORD)@${HOST}:6379/0?ssl_cert_reqs=required`,
      },
    ]);
  });

  test.each([
    [
      'with a password alone',
      { password: PASSWORD },
      `rediss://:$(REDIS_PASSWORD)@${HOST}:6379/0?ssl_cert_reqs=required`,
    ],
    ['without a password', {}, `rediss://${HOST}:6379/0?ssl_cert_reqs=required`],
    ['not encrypted', { tls: ServerTls.NONE }, `redis://${HOST}:6379/0`],
    [
      'on another port and in another database',
      { tls: ServerTls.NONE, port: 6380, database: 3 },
      `redis://${HOST}:6380/3`,
    ],
    ['at an address of IPv6', { tls: ServerTls.NONE, host: '2001:db8::1' }, 'redis://[2001:db8::1]:6379/0'],
    [
      'as a user with an unusual name',
      { user: 'a@b', password: PASSWORD, tls: ServerTls.NONE },
      `redis://a%40b:$(REDIS_PASSWORD)@${HOST}:6379/0`,
    ],
  ])('%s', (_, props, url) => {
    expect(env(find(client([redis(props)]), 'Deployment', 'client'), 'CELERY_BROKER_URL')).toBe(url);
  });

  test('with an authority of its own gives that to clients as a file', () => {
    const deployment = find(client([redis({ tls: ServerTls.signedBy(AUTHORITY) })]), 'Deployment', 'client');
    expect(env(deployment, 'CELERY_BROKER_URL')).toBe(
      `rediss://${HOST}:6379/0?ssl_cert_reqs=required&ssl_ca_certs=/etc/redis-ca/redis-ca/ca.pem`,
    );
    expect(mainContainer(deployment).volumeMounts).toEqual([
      { name: 'secret-redis-ca', mountPath: '/etc/redis-ca/redis-ca', readOnly: true },
    ]);
    expect(deployment.spec.template.spec.volumes).toEqual([
      { name: 'secret-redis-ca', secret: { secretName: 'redis-ca', items: [{ key: 'ca.pem', path: 'ca.pem' }] } },
    ]);
  });

  test('opens its port to its addresses, and nothing else', () => {
    const { egress, ingress } = find(client([redis({ cidrs: ['10.3.0.0/24'] })]), 'NetworkPolicy', 'client').spec;
    expect(ingress).toBeUndefined();
    expect(egress.filter(({ ports }: { ports: { port: number }[] }) => ports[0]?.port !== 53)).toEqual([
      { to: [{ ipBlock: { cidr: '10.3.0.0/24' } }], ports: [{ port: 6379, protocol: 'TCP' }] },
    ]);
  });

  test('opens its name on Cilium', () => {
    const { egress } = find(client([redis()], { cilium: true }), 'CiliumNetworkPolicy', 'client').spec;
    expect(egress[0]).toEqual({
      toFQDNs: [{ matchName: HOST }],
      toPorts: [{ ports: [{ port: '6379', protocol: 'TCP' }] }],
    });
  });
});

test('a cache is told as a cache', () => {
  const deployment = find(client([redis({ role: RedisRole.CACHE, password: PASSWORD })]), 'Deployment', 'client');
  expect(env(deployment, 'CACHE_URL')).toBe(`rediss://:$(CACHE_PASSWORD)@${HOST}:6379/0?ssl_cert_reqs=required`);
  expect(env(deployment, 'CELERY_BROKER_URL')).toBeUndefined();
});

test('variables can have another beginning', () => {
  const deployment = find(client([redis({ envPrefix: 'TASKS', password: PASSWORD })]), 'Deployment', 'client');
  expect(env(deployment, 'TASKS_URL')).toContain('$(TASKS_PASSWORD)');
  expect(env(deployment, 'TASKS_PASSWORD')).toEqual({ secretKeyRef: { name: 'elasticache', key: 'password' } });
});

describe('scaling on a list', () => {
  test('asks as clients do, encrypted, and opens nothing in the namespace', () => {
    const objects = scaled({ user: 'rag', password: PASSWORD, database: 2, tls: ServerTls.signedBy(AUTHORITY) });
    expect(find(objects, 'ScaledObject', 'workers').spec.triggers).toEqual([
      {
        type: 'redis',
        metadata: {
          address: `${HOST}:6379`,
          username: 'rag',
          databaseIndex: '2',
          listLength: '20',
          listName: 'celery',
          enableTLS: 'true',
        },
        authenticationRef: { name: 'workers' },
      },
    ]);
    expect(find(objects, 'TriggerAuthentication', 'workers').spec.secretTargetRef).toEqual([
      { parameter: 'password', name: 'elasticache', key: 'password' },
      { parameter: 'ca', name: 'redis-ca', key: 'ca.pem' },
    ]);
    expect(namesOf(objects, 'NetworkPolicy')).toEqual(['workers']);
  });

  test('asks as a user of its own, where there is one', () => {
    const keda = { user: 'counter', password: SecretKey.of('counter', 'password') };
    const objects = scaled({ user: 'rag', password: PASSWORD, keda });
    expect(find(objects, 'ScaledObject', 'workers').spec.triggers[0].metadata.username).toBe('counter');
    expect(find(objects, 'TriggerAuthentication', 'workers').spec.secretTargetRef).toEqual([
      { parameter: 'password', name: 'counter', key: 'password' },
    ]);
  });

  test('needs no authentication where nobody asks for a password', () => {
    const objects = scaled({ tls: ServerTls.NONE });
    expect(find(objects, 'ScaledObject', 'workers').spec.triggers[0]).toEqual({
      type: 'redis',
      metadata: { address: `${HOST}:6379`, databaseIndex: '0', listLength: '20', listName: 'celery' },
    });
    expect(namesOf(objects, 'TriggerAuthentication')).toEqual([]);
  });

  (SCHEMAS_PRESENT ? test : test.skip)('is what KEDA takes', () => {
    const schemas = new ClusterSchemas('1.28');
    const objects = scaled({ user: 'rag', password: PASSWORD, tls: ServerTls.signedBy(AUTHORITY) });
    expect(objects.flatMap((object) => schemas.errors(object))).toEqual([]);
  });

  test('is refused of a cache', () => {
    expect(() => redis({ role: RedisRole.CACHE }).list('celery')).toThrow(
      new Error(
        'externalRedis.list is "celery" in a cache, which evicts keys and forgets all of them when it restarts; keep ' +
          'tasks in a Redis with RedisRole.BROKER',
      ),
    );
  });
});

describe('one Redis in two roles', () => {
  const broker = redis();

  test('is refused, whatever its databases are', () => {
    expect(() => client([broker, redis({ role: RedisRole.CACHE, database: 1 })])).toThrow(
      new Error(
        `externalRedis.role is cache, but ${HOST}:6379 is a broker already; a broker must keep what a cache must evict, ` +
          'so use a Redis for each',
      ),
    );
  });

  test('is two on other ports and hosts', () => {
    expect(() =>
      client([broker, redis({ role: RedisRole.CACHE, port: 6380 }), redis({ host: 'b.example', envPrefix: 'OTHER' })]),
    ).not.toThrow();
  });

  test('is one in two databases of one role', () => {
    expect(() => client([broker, redis({ database: 1, envPrefix: 'OTHER' })])).not.toThrow();
  });

  test('is no matter of another app', () => {
    client([broker]);
    expect(() => client([redis({ role: RedisRole.CACHE })])).not.toThrow();
  });
});

describe('mistakes', () => {
  test.each([
    [{ host: 'https://redis' }, 'externalRedis.host is "https://redis", but must be a DNS name or an address'],
    [{ port: 0 }, 'externalRedis.port is 0, but must be from 1 to 65535'],
    [{ cidrs: ['10.0.0.0'] }, 'externalRedis.cidrs has "10.0.0.0", but must have address ranges'],
    [{ database: -1 }, 'externalRedis.database is -1, but must be a whole number from 0'],
    [{ user: 'rag' }, 'externalRedis.user is "rag", but without a password; set password as well'],
    [{ envPrefix: '1ST' }, 'externalRedis.envPrefix is "1ST", but the name of a variable'],
  ])('%j', (props, message) => {
    expect(() => redis(props)).toThrow(message);
  });
});
