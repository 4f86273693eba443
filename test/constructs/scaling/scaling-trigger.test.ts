import { Redis } from '../../../constructs/data/redis';
import { RedisRole } from '../../../constructs/data/redis-role';
import { ConnectionGraph } from '../../../constructs/network/connection-graph';
import { Endpoint } from '../../../constructs/network/endpoint';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { ExternalReferences } from '../../../constructs/rules/external-references';
import { Scaling } from '../../../constructs/scaling/scaling';
import { type RedisListProps, ScalingTrigger, TriggerIdentity } from '../../../constructs/scaling/scaling-trigger';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Deployment } from '../../../constructs/workload/deployment';
import { find, namesOf, render, testChart } from '../../support/manifests';
import { CONTAINER } from '../../support/workloads';

const KEDA = { keda: { namespace: 'keda', podLabels: { app: 'keda-operator' } } };
const PASSWORD = SecretKey.of('queue', 'password');
const PORT = { name: 'redis', number: 6379 };

type TriggersOf = (queue: Redis) => ScalingTrigger[];

function scaled(triggersOf: TriggersOf, cluster: ClusterProps = KEDA) {
  const chart = testChart(cluster);
  const queue = new Redis(chart, 'queue', { role: RedisRole.BROKER, password: PASSWORD });
  const scaling = Scaling.onEvents({ min: 0, max: 5, triggers: triggersOf(queue) });
  new Deployment(chart, 'workers', { component: 'workers', container: CONTAINER, scaling });
  const objects = render(chart);
  return { chart, objects, triggers: find(objects, 'ScaledObject', 'workers').spec.triggers };
}

function list(queue: Redis, props: Partial<RedisListProps> = {}) {
  return ScalingTrigger.redisList({
    endpoint: queue.workload.endpoint(PORT),
    list: 'celery',
    perReplica: 20,
    ...props,
  });
}

const WINDOW = { timeZone: 'Europe/Berlin', start: '0 8 * * 1-5', end: '0 18 * * 1-5', replicas: 4 };
const CRON = ScalingTrigger.cron(WINDOW);

describe('a list in Redis', () => {
  test('is asked for by an address that KEDA can resolve, as text', () => {
    expect(scaled((queue) => [list(queue)]).triggers).toEqual([
      {
        type: 'redis',
        metadata: {
          address: 'queue.test.svc.cluster.local:6379',
          listName: 'celery',
          listLength: '20',
          databaseIndex: '0',
        },
      },
    ]);
  });

  test.each([
    ['in the domain of the cluster', { ...KEDA, domain: 'k8s.acme.example' }, 'queue.test.svc.k8s.acme.example:6379'],
    ['by its short name where KEDA is beside it', { keda: { namespace: 'test' } }, 'queue:6379'],
  ])('is found %s', (_, cluster, address) => {
    expect(scaled((queue) => [list(queue)], cluster).triggers[0].metadata.address).toBe(address);
  });

  test('can be in any database', () => {
    expect(scaled((queue) => [list(queue, { database: 3 })]).triggers[0].metadata.databaseIndex).toBe('3');
  });

  test('is asked for without password when there is none', () => {
    const { objects, triggers } = scaled((queue) => [list(queue)]);
    expect(triggers[0]).not.toHaveProperty('authenticationRef');
    expect(namesOf(objects, 'TriggerAuthentication')).toEqual([]);
  });

  test('is asked for with the password, by reference', () => {
    const password = SecretKey.of('scaler', 'password');
    const { chart, objects, triggers } = scaled((queue) => [list(queue, { password })]);
    expect(triggers[0].authenticationRef).toEqual({ name: 'workers' });
    const authentication = find(objects, 'TriggerAuthentication', 'workers');
    expect(authentication.spec).toEqual({
      secretTargetRef: [{ parameter: 'password', name: 'scaler', key: 'password' }],
    });
    expect(authentication.metadata.labels).toMatchObject({ 'app.kubernetes.io/name': 'workers' });
    expect(ExternalReferences.of(chart).all).toContainEqual({
      kind: 'Secret',
      namespace: 'test',
      name: 'scaler',
      key: 'password',
    });
  });

  test('lets the KEDA operator in, and opens nothing for the workers', () => {
    const { objects } = scaled((queue) => [list(queue)]);
    expect(find(objects, 'NetworkPolicy', 'queue').spec.ingress).toEqual([
      {
        from: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'keda' } },
            podSelector: { matchLabels: { app: 'keda-operator' } },
          },
        ],
        ports: [{ port: 6379, protocol: 'TCP' }],
      },
    ]);
    const { spec } = find(objects, 'NetworkPolicy', 'workers');
    expect(spec).not.toHaveProperty('ingress');
    expect(spec).not.toHaveProperty('egress');
  });

  test('is an edge of the graph ', () => {
    const { chart } = scaled((queue) => [list(queue)]);
    const edges = ConnectionGraph.of(chart).connections.map(({ from, to }) => [from.describe(), to.describe()]);
    expect(edges).toEqual([['namespace keda', 'queue']]);
  });

  test('makes the workers wait for nothing', () => {
    const { objects } = scaled((queue) => [list(queue)]);
    expect(find(objects, 'Deployment', 'workers').metadata.annotations).toBeUndefined();
  });

  test('of a queue of this library needs its name only', () => {
    const { triggers } = scaled((queue) => [queue.list('documents').trigger(5)]);
    expect(triggers).toEqual([
      {
        type: 'redis',
        metadata: {
          address: 'queue.test.svc.cluster.local:6379',
          listName: 'documents',
          listLength: '5',
          databaseIndex: '0',
        },
        authenticationRef: { name: 'workers' },
      },
    ]);
  });
});

describe('a query to Prometheus', () => {
  const URL = 'http://prometheus-operated.monitoring.svc:9090';
  const cluster = { ...KEDA, prometheus: { namespace: 'monitoring', url: URL } };

  test('asks the Prometheus of the cluster, and counts a missing series as a failure', () => {
    const { objects, triggers } = scaled(
      () => [ScalingTrigger.prometheus({ query: 'sum(x)', perReplica: 2.5 })],
      cluster,
    );
    expect(triggers).toEqual([
      {
        type: 'prometheus',
        metadata: {
          serverAddress: URL,
          query: 'sum(x)',
          threshold: '2.5',
          activationThreshold: '0',
          ignoreNullValues: 'false',
        },
      },
    ]);
    expect(find(objects, 'NetworkPolicy', 'queue').spec).not.toHaveProperty('ingress');
  });

  test('can start the first pod later', () => {
    const trigger = ScalingTrigger.prometheus({ query: 'sum(x)', perReplica: 2, activation: 5 });
    expect(scaled(() => [trigger], cluster).triggers[0].metadata.activationThreshold).toBe('5');
  });

  test.each([
    ['no Prometheus', KEDA],
    ['a Prometheus without URL', { ...KEDA, prometheus: { namespace: 'monitoring' } }],
  ])('is refused where there is %s', (_, where) => {
    const trigger = ScalingTrigger.prometheus({ query: 'sum(x)', perReplica: 1 });
    expect(() => scaled(() => [trigger], where)).toThrow(
      new Error('rag/workers: scaling needs the URL of Prometheus; set prometheus.url in the cluster'),
    );
  });
});

describe('any scaler of KEDA', () => {
  const metadata = { queueName: 'documents', mode: 'QueueLength', value: '20' };

  test('is written as its page describes it', () => {
    expect(scaled(() => [ScalingTrigger.of({ type: 'rabbitmq', metadata })]).triggers).toEqual([
      { type: 'rabbitmq', metadata },
    ]);
  });

  test('reads what is secret from a Secret', () => {
    const secrets = { host: SecretKey.of('rabbitmq', 'url') };
    const { triggers, objects } = scaled(() => [ScalingTrigger.of({ type: 'rabbitmq', metadata, secrets })]);
    expect(triggers).toEqual([{ type: 'rabbitmq', metadata, authenticationRef: { name: 'workers' } }]);
    expect(find(objects, 'TriggerAuthentication', 'workers').spec).toEqual({
      secretTargetRef: [{ parameter: 'host', name: 'rabbitmq', key: 'url' }],
    });
  });

  test('reads what is no secret, but is taken from nowhere else, from a ConfigMap of its own', () => {
    const { triggers, objects } = scaled(() => [
      CRON,
      ScalingTrigger.of({ type: 'rabbitmq', metadata, parameters: { tls: 'enable' } }),
    ]);
    expect(triggers[1].authenticationRef).toEqual({ name: 'workers-2' });
    expect(find(objects, 'TriggerAuthentication', 'workers-2').spec).toEqual({
      configMapTargetRef: [{ parameter: 'tls', name: 'workers-2-keda', key: 'tls' }],
    });
    expect(find(objects, 'ConfigMap', 'workers-2-keda').data).toEqual({ tls: 'enable' });
  });

  test.each([
    [TriggerIdentity.AWS, 'aws'],
    [TriggerIdentity.AZURE, 'azure-workload'],
  ])('takes the identity of the operator for %s, without any key', (identity, provider) => {
    const { triggers, objects } = scaled(() => [ScalingTrigger.of({ type: 'aws-sqs-queue', metadata, identity })]);
    expect(triggers[0].authenticationRef).toEqual({ name: 'workers' });
    expect(find(objects, 'TriggerAuthentication', 'workers').spec).toEqual({ podIdentity: { provider } });
  });

  test('opens nothing to what is not in the output', () => {
    const endpoint = Endpoint.host('rabbitmq.acme.example', PORT, ['10.1.0.0/28']);
    const { chart } = scaled(() => [ScalingTrigger.of({ type: 'rabbitmq', metadata, endpoint })]);
    expect(ConnectionGraph.of(chart).connections.filter(({ to }) => to.key === endpoint.peer.key)).toEqual([]);
  });

  test('is let in by the workload that it asks', () => {
    const trigger = (endpoint?: Endpoint) => ScalingTrigger.of({ type: 'redis-streams', metadata, endpoint });
    const ingressOf = (triggersOf: TriggersOf) =>
      find(scaled(triggersOf).objects, 'NetworkPolicy', 'queue').spec.ingress;
    expect(ingressOf(() => [trigger()])).toBeUndefined();
    expect(ingressOf((queue) => [trigger(queue.workload.endpoint(PORT))])).toEqual([
      {
        from: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'keda' } },
            podSelector: { matchLabels: { app: 'keda-operator' } },
          },
        ],
        ports: [{ port: 6379, protocol: 'TCP' }],
      },
    ]);
  });
});

test('a time of day is a trigger, all of it text', () => {
  expect(scaled(() => [CRON]).triggers).toEqual([
    {
      type: 'cron',
      metadata: { timezone: 'Europe/Berlin', start: '0 8 * * 1-5', end: '0 18 * * 1-5', desiredReplicas: '4' },
    },
  ]);
});

test('several triggers keep their order, and each has the authentication that it needs', () => {
  const [one, two] = ['one', 'two'].map((secret) => SecretKey.of(secret, 'password'));
  const { objects, triggers } = scaled((queue) => [
    list(queue, { password: one }),
    CRON,
    list(queue, { list: 'other', password: two }),
  ]);
  expect(
    triggers.map(({ type, authenticationRef }: { type: string; authenticationRef?: object }) => [
      type,
      authenticationRef,
    ]),
  ).toEqual([
    ['redis', { name: 'workers' }],
    ['cron', undefined],
    ['redis', { name: 'workers-3' }],
  ]);
  expect(namesOf(objects, 'TriggerAuthentication')).toEqual(['workers', 'workers-3']);
  expect(find(objects, 'TriggerAuthentication', 'workers-3').spec.secretTargetRef[0].name).toBe('two');
});

describe('mistakes', () => {
  const endpoint = new Redis(testChart(), 'queue', { role: RedisRole.BROKER, password: PASSWORD }).workload.endpoint(
    PORT,
  );

  test.each([0, -1, 2.5, Number.NaN])('%s entries of a list per pod', (perReplica) => {
    expect(() => ScalingTrigger.redisList({ endpoint, list: 'celery', perReplica })).toThrow(
      new Error(`scaling.perReplica is ${perReplica}, but must be a whole number from 1`),
    );
  });

  test.each([-1, 0.5, Number.NaN])('the database %s', (database) => {
    expect(() => ScalingTrigger.redisList({ endpoint, list: 'celery', perReplica: 1, database })).toThrow(
      new Error(`scaling.database is ${database}, but must be a whole number from 0`),
    );
  });

  test.each([0, -1, Number.NaN])('a value of %s per pod', (perReplica) => {
    expect(() => ScalingTrigger.prometheus({ query: 'x', perReplica })).toThrow(
      new Error(`scaling.perReplica is ${perReplica}, but must be above 0`),
    );
  });

  test.each([0, -1, 1.5, Number.NaN])('%s pods at a time of day', (replicas) => {
    expect(() => ScalingTrigger.cron({ timeZone: 'Etc/UTC', start: '0 8 * * *', end: '0 9 * * *', replicas })).toThrow(
      new Error(`scaling.cron.replicas is ${replicas}, but must be a whole number from 1`),
    );
  });

  test.each([
    ['timeZone', 'Berlin'],
    ['timeZone', 'europe/berlin'],
    ['timeZone', '+02:00'],
    ['timeZone', ''],
  ])('a %s that is "%s"', (_, timeZone) => {
    expect(() => ScalingTrigger.cron({ ...WINDOW, timeZone })).toThrow(
      new Error(`scaling.cron.timeZone is "${timeZone}", but must be an IANA name, such as Europe/Berlin`),
    );
  });

  test.each(['', '@daily', '8 * * *', '0 8 * * * *', '0 8  * * *'])('a time "%s"', (text) => {
    for (const name of ['start', 'end']) {
      expect(() => ScalingTrigger.cron({ ...WINDOW, [name]: text })).toThrow(
        new Error(`scaling.cron.${name} is "${text}", but must be five cron fields, such as "0 7 * * 1-5"`),
      );
    }
  });

  test.each(['99 99 * * *', '0 8 * * mon;tue'])('a time "%s" with a field that is none', (text) => {
    for (const name of ['start', 'end']) {
      expect(() => ScalingTrigger.cron({ ...WINDOW, [name]: text })).toThrow(
        `scaling.cron.${name} is "${text}", whose `,
      );
    }
  });

  test('a window that closes when it opens', () => {
    expect(() => ScalingTrigger.cron({ ...WINDOW, end: WINDOW.start })).toThrow(
      new Error('scaling.cron.end is "0 8 * * 1-5", when the window opens; let it close at another time'),
    );
  });

  test('a scaler without a name or settings', () => {
    expect(() => ScalingTrigger.of({ type: '', metadata: { a: 'b' } })).toThrow(
      new Error('scaling.trigger.type is empty; name the scaler as KEDA does: rabbitmq'),
    );
    expect(() => ScalingTrigger.of({ type: 'rabbitmq', metadata: {} })).toThrow(
      new Error(
        'scaling.trigger.metadata is empty, so the scaler would not know what to ask; set what its page requires',
      ),
    );
  });

  test('a setting of a scaler that is no text, and its value is not repeated', () => {
    const metadata = { queueName: 'documents', queueLength: 424242 } as never;
    expect(() => ScalingTrigger.of({ type: 'rabbitmq', metadata })).toThrow(
      new Error('scaling.trigger.metadata.queueLength is a number, but KEDA takes texts only; put it in quotes'),
    );
  });
});

test.each(['', ' '])('a query and a list are not empty: "%s"', (text) => {
  expect(() => ScalingTrigger.prometheus({ query: text, perReplica: 1 })).toThrow(
    new Error('scaling.prometheus.query is empty, so KEDA could read nothing; say what to look at'),
  );
  const endpoint = Endpoint.host('queue.acme.example', { name: 'redis', number: 6379 });
  expect(() => ScalingTrigger.redisList({ endpoint, list: text, perReplica: 1 })).toThrow(
    new Error('scaling.backlog.list is empty, so KEDA could read nothing; say what to look at'),
  );
});
