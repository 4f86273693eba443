import { Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { Redis, type RedisProps } from '../../../constructs/data/redis';
import { RedisRole } from '../../../constructs/data/redis-role';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { Scaling } from '../../../constructs/scaling/scaling';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Deployment } from '../../../constructs/workload/deployment';
import { env, find, mainContainer, namesOf, render, templateOf, testChart } from '../../support/manifests';
import { IMAGE, RESOURCES } from '../../support/values';

const PASSWORD = SecretKey.of('queue', 'password');

function redis(props: Partial<RedisProps> = {}, cluster: ClusterProps = {}) {
  const chart = testChart(cluster);
  const construct = new Redis(chart, 'queue', { password: PASSWORD, ...props });
  return { chart, construct, objects: () => render(chart) };
}

describe('a broker', () => {
  const objects = redis({ resources: { cpu: Cpu.millis(200), memory: Size.gibibytes(2) } }).objects();
  const statefulSet = find(objects, 'StatefulSet', 'queue');
  const config = find(objects, 'ConfigMap', 'queue').data['redis.conf'];

  test('is one pod with a volume', () => {
    expect(statefulSet.spec.replicas).toBe(1);
    expect(statefulSet.spec.volumeClaimTemplates[0].spec.resources.requests.storage).toBe('4Gi');
    expect(namesOf(objects, 'PodDisruptionBudget')).toEqual([]);
  });

  test('writes every task down and evicts none', () => {
    expect(config).toContain('appendonly yes\n');
    expect(config).toContain('maxmemory-policy noeviction\n');
    expect(config).toContain(`maxmemory ${1.5 * 1024 ** 3}\n`);
  });

  test('gets its password from a Secret, and knows it in no file of the output', () => {
    expect(env(statefulSet, 'REDISCLI_AUTH')).toEqual({ secretKeyRef: { name: 'queue', key: 'password' } });
    expect(config).not.toContain('requirepass');
    expect(config).toContain('aclfile /run/redis/users.acl\n');
    expect(mainContainer(statefulSet).command).toEqual(['sh', '/etc/redis/redis-start.sh']);
  });

  test('serves when it answers, and not already when it replies', () => {
    const command = ['sh', '-c', 'test "$(redis-cli ping)" = PONG'];
    const { startupProbe, readinessProbe } = mainContainer(statefulSet);
    expect([startupProbe, readinessProbe].map(({ exec }) => exec.command)).toEqual([command, command]);
    expect([startupProbe, readinessProbe].map(({ timeoutSeconds }) => timeoutSeconds)).toEqual([5, 5]);
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBe(300);
  });

  test('lives as long as it accepts connections, even when it cannot write', () => {
    const { livenessProbe, readinessProbe } = mainContainer(statefulSet);
    expect(livenessProbe.tcpSocket).toEqual({ port: 6379 });
    expect(livenessProbe).not.toHaveProperty('exec');
    expect(livenessProbe).not.toHaveProperty('httpGet');
    expect(livenessProbe.failureThreshold).toBeGreaterThan(readinessProbe.failureThreshold);
  });

  test('is replaced at once, and resolves no names', () => {
    expect(statefulSet.spec.podManagementPolicy).toBe('Parallel');
    expect(find(objects, 'NetworkPolicy', 'queue').spec).not.toHaveProperty('egress');
  });

  test('runs as the user of the image', () => {
    expect(templateOf(statefulSet).spec.securityContext).toMatchObject({
      runAsUser: 999,
      runAsGroup: 1000,
      fsGroup: 1000,
    });
  });
});

test('a client gets the address with the password in it, after the password', () => {
  const { chart, construct, objects } = redis();
  new Deployment(chart, 'client', { component: 'client', container: { image: IMAGE, resources: RESOURCES } }).uses(
    construct,
  );
  expect(mainContainer(find(objects(), 'Deployment', 'client')).env).toEqual([
    { name: 'REDIS_PASSWORD', valueFrom: { secretKeyRef: { name: 'queue', key: 'password' } } },
    { name: 'CELERY_BROKER_URL', value: 'redis://:$(REDIS_PASSWORD)@queue:6379/0' },
  ]);
});

test('a list can be scaled on, and the KEDA operator may ask for its length', () => {
  const { chart, construct, objects } = redis({}, { keda: { namespace: 'keda' } });
  new Deployment(chart, 'workers', {
    component: 'ingestion',
    container: { image: IMAGE, resources: RESOURCES },
    scaling: Scaling.onBacklog(construct.list('celery'), { perReplica: 20, min: 0, max: 4 }),
  });
  expect(find(objects(), 'ScaledObject', 'workers').spec.triggers).toEqual([
    {
      type: 'redis',
      metadata: {
        address: 'queue.test.svc.cluster.local:6379',
        databaseIndex: '0',
        listLength: '20',
        listName: 'celery',
      },
      authenticationRef: { name: 'workers' },
    },
  ]);
  expect(find(objects(), 'TriggerAuthentication', 'workers').spec.secretTargetRef).toEqual([
    { parameter: 'password', name: 'queue', key: 'password' },
  ]);
  expect(find(objects(), 'NetworkPolicy', 'queue').spec.ingress).toEqual([
    {
      from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'keda' } } }],
      ports: [{ port: 6379, protocol: 'TCP' }],
    },
  ]);
});

describe('a cache', () => {
  const cache = redis({ role: RedisRole.CACHE });
  new Deployment(cache.chart, 'client', {
    component: 'client',
    container: { image: IMAGE, resources: RESOURCES },
  }).uses(cache.construct);
  const objects = cache.objects();
  const deployment = find(objects, 'Deployment', 'queue');
  const config = find(objects, 'ConfigMap', 'queue').data['redis.conf'];

  test('keeps nothing but in memory, and evicts what was not used for longest', () => {
    expect(mainContainer(deployment).volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath)).toEqual([
      '/run/redis',
      '/etc/redis/redis.conf',
      '/etc/redis/redis-start.sh',
    ]);
    expect(config).toContain('maxmemory-policy allkeys-lru\n');
    expect(config).toContain('appendonly no\n');
    expect(config).toContain('save ""\n');
    expect(config).not.toContain('noeviction');
  });

  test('is a Deployment, whose successor does not wait for a node that is unreachable', () => {
    expect(namesOf(objects, 'StatefulSet')).toEqual([]);
    expect(deployment.spec).toMatchObject({ replicas: 1, strategy: { type: 'RollingUpdate' } });
    expect(templateOf(deployment).spec.terminationGracePeriodSeconds).toBe(60);
    expect(templateOf(deployment).spec.securityContext).toMatchObject({ runAsUser: 999, runAsGroup: 1000 });
  });

  test('is labelled as one', () => {
    expect(deployment.metadata.labels).toMatchObject({ 'app.kubernetes.io/component': 'cache' });
  });

  test('is told to clients as a cache, and not as a broker', () => {
    expect(mainContainer(find(objects, 'Deployment', 'client')).env).toEqual([
      { name: 'CACHE_PASSWORD', valueFrom: { secretKeyRef: { name: 'queue', key: 'password' } } },
      { name: 'CACHE_URL', value: 'redis://:$(CACHE_PASSWORD)@queue:6379/0' },
    ]);
  });

  test('is no queue', () => {
    expect(() => cache.construct.list('celery')).toThrow(
      new Error(
        'rag/queue: list is "celery" in a cache, which evicts keys and forgets all of them when it restarts; keep tasks ' +
          'in a Redis with RedisRole.BROKER',
      ),
    );
  });

  test.each([
    ['storage', { storage: Size.gibibytes(8) }],
    ['storageClass', { storageClass: 'gp3' }],
    ['kedaPassword', { kedaPassword: SecretKey.of('keda', 'password') }],
  ])('has no use for %s', (property, props) => {
    expect(() => redis({ role: RedisRole.CACHE, ...props })).toThrow(
      new Error(`rag/queue: ${property} is given, but a cache has neither a volume nor queues; leave it out`),
    );
  });

  test('may be larger than a volume of a broker would allow', () => {
    const resources = { cpu: Cpu.units(1), memory: Size.gibibytes(64) };
    expect(() => redis({ role: RedisRole.CACHE, resources })).not.toThrow();
  });
});

describe('names of variables', () => {
  test('can begin otherwise, for clients of two', () => {
    const { chart, construct, objects } = redis({ role: RedisRole.CACHE, envPrefix: 'SESSIONS' });
    const client = new Deployment(chart, 'client', {
      component: 'client',
      container: { image: IMAGE, resources: RESOURCES },
    });
    client.uses(construct, new Redis(chart, 'cache', { role: RedisRole.CACHE, password: PASSWORD }));
    const deployment = find(objects(), 'Deployment', 'client');
    expect(env(deployment, 'SESSIONS_URL')).toBe('redis://:$(SESSIONS_PASSWORD)@queue:6379/0');
    expect(env(deployment, 'SESSIONS_PASSWORD')).toEqual({ secretKeyRef: { name: 'queue', key: 'password' } });
    expect(env(deployment, 'CACHE_URL')).toBe('redis://:$(CACHE_PASSWORD)@cache:6379/0');
  });

  test('are names of variables', () => {
    expect(() => redis({ envPrefix: 'my queue' })).toThrow(
      'rag/queue: envPrefix is "my queue", but the name of a variable',
    );
  });
});

describe('the user of KEDA', () => {
  const { chart, construct, objects } = redis(
    { kedaPassword: SecretKey.of('keda', 'password') },
    { keda: { namespace: 'keda' } },
  );
  new Deployment(chart, 'workers', {
    component: 'ingestion',
    container: { image: IMAGE, resources: RESOURCES },
    scaling: Scaling.onBacklog(construct.list('celery'), { perReplica: 20, min: 0, max: 4 }),
  });

  test('is told to Redis', () => {
    const statefulSet = find(objects(), 'StatefulSet', 'queue');
    expect(env(statefulSet, 'REDIS_KEDA_PASSWORD')).toEqual({ secretKeyRef: { name: 'keda', key: 'password' } });
  });

  test('is who counts', () => {
    expect(find(objects(), 'ScaledObject', 'workers').spec.triggers[0].metadata.username).toBe('keda');
    expect(find(objects(), 'TriggerAuthentication', 'workers').spec).toEqual({
      secretTargetRef: [{ parameter: 'password', name: 'keda', key: 'password' }],
    });
  });

  test('is not there without a password', () => {
    expect(env(find(redis().objects(), 'StatefulSet', 'queue'), 'REDIS_KEDA_PASSWORD')).toBeUndefined();
  });
});

test('its volume is of blocks', () => {
  expect(() => redis({ storageClass: 'efs-sc' })).toThrow('storageClass is "efs-sc", a network file system (efs)');
});

test('a Redis of which nothing is said is a broker', () => {
  const roleOf = (props: Partial<RedisProps>) => find(redis(props).objects(), 'StatefulSet', 'queue').metadata.labels;
  expect(roleOf({})).toMatchObject({ 'app.kubernetes.io/component': 'broker' });
  expect(roleOf({})).toEqual(roleOf({ role: RedisRole.BROKER }));
});

describe('sizes that are too small', () => {
  const sized = (memory: Size, storage?: Size) => () =>
    new Redis(testChart(), 'queue', {
      role: RedisRole.BROKER,
      password: PASSWORD,
      resources: { cpu: Cpu.millis(100), memory },
      storage,
    });

  test('of the memory', () => {
    expect(sized(Size.mebibytes(64))).not.toThrow();
    expect(sized(Size.mebibytes(63))).toThrow(
      new Error('rag/queue: resources.memory is 63Mi, but the process alone needs 64Mi; raise it'),
    );
  });

  test('of the volume, whose files are written anew beside the old ones', () => {
    expect(sized(Size.gibibytes(2), Size.gibibytes(3))).not.toThrow();
    expect(sized(Size.gibibytes(2), Size.gibibytes(2))).toThrow(
      new Error(
        'rag/queue: storage is 2Gi, but must be at least 3Gi, twice the memory for data; raise it, or lower resources.memory',
      ),
    );
    expect(sized(Size.gibibytes(4))).toThrow('rag/queue: storage is 4Gi, but must be at least 6Gi');
  });
});
