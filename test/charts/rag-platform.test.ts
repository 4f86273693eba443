import { App, Size } from 'cdk8s';
import {
  type PlatformApiProps,
  type PlatformWorkersProps,
  RagPlatform,
  type RagPlatformProps,
} from '../../charts/rag-platform';
import { ExternalService } from '../../constructs/data/external-service';
import type { IQueue } from '../../constructs/data/queue';
import { Redis } from '../../constructs/data/redis';
import { Gateway } from '../../constructs/edge/gateway';
import { Ingress, IngressController } from '../../constructs/edge/ingress';
import { Cluster } from '../../constructs/placement/cluster';
import type { Json, ManifestObject } from '../../constructs/rules/output';
import { Scaling } from '../../constructs/scaling/scaling';
import { ScalingTrigger } from '../../constructs/scaling/scaling-trigger';
import { ExternalSecrets } from '../../constructs/secrets/external-secrets';
import { SecretKey } from '../../constructs/secrets/secret-key';
import { SecretStore } from '../../constructs/secrets/secret-store';
import { EnvValue } from '../../constructs/workload/env-value';
import { PodSecurityException } from '../../constructs/workload/pod-security';
import { env, find, namesOf } from '../support/manifests';
import { IMAGE, RESOURCES } from '../support/values';

const NAMESPACE = 'rag-test';
const API: PlatformApiProps = { image: IMAGE };
const WORKERS: PlatformWorkersProps = { image: IMAGE };
const QDRANT: RagPlatformProps['qdrant'] = {
  resources: RESOURCES,
  storage: Size.gibibytes(10),
  apiKey: SecretKey.of('qdrant', 'api-key'),
};

/** Every optional part. */
const PARTS: Partial<RagPlatformProps> = {
  queue: (scope) => new Redis(scope, 'queue', { password: SecretKey.of('queue', 'password') }),
  embeddingWorkers: WORKERS,
  route: {
    host: 'rag.acme.example',
    via: Gateway.dedicated({ className: 'envoy', proxies: { namespace: 'envoy-gateway-system' } }),
  },
};

const CRON = ScalingTrigger.cron({ timeZone: 'Europe/Berlin', start: '0 7 * * *', end: '0 19 * * *', replicas: 2 });
const KEDA = new Cluster({ keda: { namespace: 'keda' } });

function platform(props: Partial<RagPlatformProps> = {}): RagPlatform {
  return new RagPlatform(new App(), 'rag', { namespace: NAMESPACE, qdrant: QDRANT, api: API, ...props });
}

function objectsOf(props: Partial<RagPlatformProps> = {}): ManifestObject[] {
  return platform(props).toJson();
}

/** Objects that belong to a part, by its label. */
function partOf(objects: ManifestObject[], name: string): string[] {
  return objects
    .filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/name'] === name)
    .map(({ kind }) => kind)
    .sort();
}

function pods(name: string): Json {
  return { podSelector: { matchLabels: { 'app.kubernetes.io/name': name, 'app.kubernetes.io/instance': 'rag' } } };
}

/** Who may open connections to a part, and on which ports. */
function ingressOf(objects: ManifestObject[], name: string): Json[] {
  const rules: Json[] = find(objects, 'NetworkPolicy', name).spec.ingress ?? [];
  return rules.map(({ from, ports }) => [from, portsOf(ports)]);
}

/** To whom a part may open connections, DNS apart. */
function egressOf(objects: ManifestObject[], name: string): Json[] {
  const rules: Json[] = find(objects, 'NetworkPolicy', name).spec.egress ?? [];
  return rules.map(({ to, ports }) => [to, portsOf(ports)]).filter(([, ports]) => !ports.includes(53));
}

function portsOf(ports: Json[]): number[] {
  return ports.map(({ port }) => port);
}

function waveOf(object: ManifestObject): string | undefined {
  return object.metadata.annotations?.['argocd.argoproj.io/sync-wave'];
}

describe('the namespace', () => {
  test('admits restricted pods only, as the version of the cluster defines them', () => {
    const namespace = find(objectsOf({ cluster: new Cluster({ kubernetesVersion: '1.33' }) }), 'Namespace', NAMESPACE);
    expect(namespace.metadata.labels).toEqual({
      'app.kubernetes.io/instance': 'rag',
      'app.kubernetes.io/managed-by': 'cdk8s',
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/enforce-version': 'v1.33',
      'pod-security.kubernetes.io/audit': 'restricted',
      'pod-security.kubernetes.io/audit-version': 'v1.33',
      'pod-security.kubernetes.io/warn': 'restricted',
      'pod-security.kubernetes.io/warn-version': 'v1.33',
    });
  });

  test('admits pods as the version of the cluster defines that is attached to the app', () => {
    const app = new App();
    new Cluster({ kubernetesVersion: '1.34' }).attachTo(app);
    const objects = new RagPlatform(app, 'rag', { namespace: NAMESPACE, qdrant: QDRANT, api: API }).toJson();
    expect(find(objects, 'Namespace', NAMESPACE).metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce-version': 'v1.34',
    });
  });

  test('of a cluster of which nothing is known is pinned to the oldest version', () => {
    const { labels } = find(objectsOf(), 'Namespace', NAMESPACE).metadata;
    expect(labels?.['pod-security.kubernetes.io/enforce-version']).toBe('v1.28');
  });

  test('is in no namespace, and everything else is in it', () => {
    const objects = objectsOf(PARTS);
    expect(find(objects, 'Namespace', NAMESPACE).metadata).not.toHaveProperty('namespace');
    const others = objects.filter(({ kind }) => kind !== 'Namespace');
    expect(others.length).toBeGreaterThan(20);
    expect([...new Set(others.map(({ metadata }) => metadata.namespace))]).toEqual([NAMESPACE]);
  });

  test('goes only when a person agrees', () => {
    expect(find(objectsOf(), 'Namespace', NAMESPACE).metadata.annotations).toEqual({
      'argocd.argoproj.io/sync-options': 'Delete=confirm,Prune=confirm,PruneLast=true',
      'argocd.argoproj.io/sync-wave': '-20',
    });
  });

  test.each([
    ['baseline', 'user 0', PodSecurityException.runAsRoot('the image starts as root')],
    ['baseline', 'CHOWN', PodSecurityException.addCapability('CHOWN', 'the image owns its files')],
    ['privileged', 'IPC_LOCK', PodSecurityException.addCapability('IPC_LOCK', 'NCCL pins memory')],
    ['restricted', 'NET_BIND_SERVICE', PodSecurityException.addCapability('NET_BIND_SERVICE', 'it serves port 80')],
  ])('enforces %s for an exception of %s, and still warns', (level, _, exception) => {
    const objects = objectsOf({ api: { ...API, podSecurityExceptions: [exception] } });
    expect(find(objects, 'Namespace', NAMESPACE).metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': level,
      'pod-security.kubernetes.io/audit': 'restricted',
      'pod-security.kubernetes.io/warn': 'restricted',
    });
    expect(find(objects, 'Deployment', 'api').metadata.annotations).toMatchObject({
      'cdk8s-rag/pod-security-exceptions': expect.stringContaining(exception.reason),
    });
  });

  test('is lowered as far as the exception that needs most, whichever part has it', () => {
    const objects = objectsOf({
      ...PARTS,
      api: { ...API, podSecurityExceptions: [PodSecurityException.runAsRoot('the image starts as root')] },
      embeddingWorkers: {
        ...WORKERS,
        podSecurityExceptions: [PodSecurityException.addCapability('IPC_LOCK', 'NCCL pins memory')],
      },
    });
    const { labels } = find(objects, 'Namespace', NAMESPACE).metadata;
    expect(labels?.['pod-security.kubernetes.io/enforce']).toBe('privileged');
  });
});

describe('the name of the system', () => {
  test('is part of every selector', () => {
    const objects = objectsOf({ ...PARTS, name: 'assistant' });
    const selectors = objects
      .filter(({ kind }) => ['Deployment', 'StatefulSet'].includes(kind))
      .map(({ spec }) => spec.selector.matchLabels['app.kubernetes.io/instance']);
    expect(selectors).toEqual(['assistant', 'assistant', 'assistant', 'assistant']);
  });

  test('is rag unless told otherwise', () => {
    expect(find(objectsOf(), 'Deployment', 'api').spec.selector.matchLabels).toEqual({
      'app.kubernetes.io/name': 'api',
      'app.kubernetes.io/instance': 'rag',
    });
  });
});

describe('the default', () => {
  test('is to deny every pod every connection', () => {
    expect(find(objectsOf(), 'NetworkPolicy', 'default-deny').spec).toEqual({
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    });
  });
});

describe('who uses whom', () => {
  const objects = objectsOf({
    ...PARTS,
    api: { ...API, externals: [new ExternalService({ host: 'api.openai.com', cidrs: ['203.0.113.0/24'] })] },
    embeddingWorkers: {
      ...WORKERS,
      externals: [new ExternalService({ host: 's3.acme.example', port: 8443, cidrs: ['198.51.100.7/32'] })],
    },
  });

  test('the API uses the database, the queue and its own externals', () => {
    expect(egressOf(objects, 'api')).toEqual([
      [[{ ipBlock: { cidr: '203.0.113.0/24' } }], [443]],
      [[pods('qdrant')], [6333, 6334]],
      [[pods('queue')], [6379]],
    ]);
    const api = find(objects, 'Deployment', 'api');
    expect(env(api, 'QDRANT_URL')).toBe('http://qdrant:6333');
    expect(env(api, 'CELERY_BROKER_URL')).toBe('redis://:$(REDIS_PASSWORD)@queue:6379/0');
    expect(env(api, 'REDIS_PASSWORD')).toEqual({ secretKeyRef: { name: 'queue', key: 'password' } });
  });

  test('the workers use the database, the queue and their own externals', () => {
    expect(egressOf(objects, 'embedding-workers')).toEqual([
      [[{ ipBlock: { cidr: '198.51.100.7/32' } }], [8443]],
      [[pods('qdrant')], [6333, 6334]],
      [[pods('queue')], [6379]],
    ]);
    const workers = find(objects, 'Deployment', 'embedding-workers');
    expect(env(workers, 'QDRANT_URL')).toBe('http://qdrant:6333');
    expect(env(workers, 'CELERY_BROKER_URL')).toBe('redis://:$(REDIS_PASSWORD)@queue:6379/0');
  });

  test('the database accepts both and its own nodes', () => {
    expect(ingressOf(objects, 'qdrant')).toEqual([
      [[pods('api')], [6333, 6334]],
      [[pods('embedding-workers')], [6333, 6334]],
      [[pods('qdrant')], [6333, 6334, 6335]],
    ]);
    expect(egressOf(objects, 'qdrant')).toEqual([[[pods('qdrant')], [6333, 6334, 6335]]]);
  });

  test('the queue accepts both and uses nobody', () => {
    expect(ingressOf(objects, 'queue')).toEqual([
      [[pods('api')], [6379]],
      [[pods('embedding-workers')], [6379]],
    ]);
    expect(find(objects, 'NetworkPolicy', 'queue').spec).not.toHaveProperty('egress');
  });

  test('the API accepts the proxy of the route alone', () => {
    expect(ingressOf(objects, 'api')).toEqual([
      [[{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'envoy-gateway-system' } } }], [8000]],
    ]);
  });

  test('the workers accept nobody, and have no Service', () => {
    expect(ingressOf(objects, 'embedding-workers')).toEqual([]);
    expect(namesOf(objects, 'Service').sort()).toEqual(['api', 'qdrant', 'qdrant-headless', 'queue']);
  });

  test('the route leads to the API, under the name public', () => {
    const { spec } = find(objects, 'HTTPRoute', 'public');
    expect(spec.hostnames).toEqual(['rag.acme.example']);
    expect(spec.rules[0].backendRefs).toEqual([{ group: '', kind: 'Service', name: 'api', port: 8000, weight: 1 }]);
  });
});

describe('workers that nobody gives tasks to', () => {
  const problem =
    'rag: embeddingWorkers has no queue to take tasks from; set queue, or name in externals where else its tasks come from';

  test.each([undefined, Scaling.fixed(3), Scaling.onEvents({ min: 0, max: 2, triggers: [CRON] })])(
    'are refused, however they are scaled',
    (scaling) => {
      for (const externals of [undefined, []]) {
        const embeddingWorkers = { ...WORKERS, scaling, externals };
        expect(() => objectsOf({ cluster: KEDA, queue: undefined, embeddingWorkers })).toThrow(new Error(problem));
      }
    },
  );

  test('are none of a platform whose queue is another provider', () => {
    const queue = new ExternalService({ host: 'tasks.acme.example' });
    expect(namesOf(objectsOf({ queue, embeddingWorkers: WORKERS }), 'Deployment')).toContain('embedding-workers');
  });
});

describe('a part that is left out', () => {
  test('leaves the least that is a platform: the database and the API', () => {
    const least = platform();
    const objects: ManifestObject[] = least.toJson();
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`).sort()).toEqual([
      'ConfigMap qdrant',
      'Deployment api',
      `Namespace ${NAMESPACE}`,
      'NetworkPolicy api',
      'NetworkPolicy default-deny',
      'NetworkPolicy qdrant',
      'PodDisruptionBudget api',
      'PodDisruptionBudget qdrant',
      'Service api',
      'Service qdrant',
      'Service qdrant-headless',
      'ServiceAccount api',
      'ServiceAccount qdrant',
      'StatefulSet qdrant',
    ]);
    expect([least.data.queue, least.embeddingWorkers, least.route]).toEqual([undefined, undefined, undefined]);
  });

  test('the queue: nobody is told of one, and nobody may connect to one', () => {
    const embeddingWorkers = { ...WORKERS, externals: [{ offerTo: () => ({ endpoints: [], env: {} }) }] };
    const objects = objectsOf({ ...PARTS, queue: undefined, embeddingWorkers });
    expect(partOf(objects, 'queue')).toEqual([]);
    for (const name of ['api', 'embedding-workers']) {
      const deployment = find(objects, 'Deployment', name);
      expect(env(deployment, 'CELERY_BROKER_URL')).toBeUndefined();
      expect(env(deployment, 'REDIS_PASSWORD')).toBeUndefined();
      expect(egressOf(objects, name)).toEqual([[[pods('qdrant')], [6333, 6334]]]);
    }
    expect(namesOf(objects, 'NetworkPolicy').sort()).toEqual(['api', 'default-deny', 'embedding-workers', 'qdrant']);
  });

  test('the workers: the database and the queue accept the API alone', () => {
    const objects = objectsOf({ ...PARTS, embeddingWorkers: undefined });
    expect(partOf(objects, 'embedding-workers')).toEqual([]);
    expect(namesOf(objects, 'Deployment')).toEqual(['api']);
    expect(ingressOf(objects, 'queue')).toEqual([[[pods('api')], [6379]]]);
    expect(ingressOf(objects, 'qdrant')).toEqual([
      [[pods('api')], [6333, 6334]],
      [[pods('qdrant')], [6333, 6334, 6335]],
    ]);
    expect(namesOf(objects, 'NetworkPolicy').sort()).toEqual(['api', 'default-deny', 'qdrant', 'queue']);
  });

  test('the route: nothing leads in, and the API accepts nobody', () => {
    const objects = objectsOf({ ...PARTS, route: undefined });
    expect(['HTTPRoute', 'Gateway', 'Ingress', 'Certificate'].flatMap((kind) => namesOf(objects, kind))).toEqual([]);
    expect(ingressOf(objects, 'api')).toEqual([]);
    expect(namesOf(objects, 'NetworkPolicy').sort()).toEqual([
      'api',
      'default-deny',
      'embedding-workers',
      'qdrant',
      'queue',
    ]);
  });

  test('is there when it is not left out', () => {
    const whole = platform(PARTS);
    const objects: ManifestObject[] = whole.toJson();
    expect(partOf(objects, 'queue')).toEqual([
      'ConfigMap',
      'NetworkPolicy',
      'Service',
      'ServiceAccount',
      'StatefulSet',
    ]);
    expect(partOf(objects, 'embedding-workers')).toEqual(['Deployment', 'NetworkPolicy', 'ServiceAccount']);
    expect(whole.route?.host).toBe('rag.acme.example');
  });
});

describe('the keys of the database', () => {
  test('are one for all when there is no other', () => {
    const objects = objectsOf(PARTS);
    const key = { secretKeyRef: { name: 'qdrant', key: 'api-key' } };
    expect(env(find(objects, 'Deployment', 'api'), 'QDRANT_API_KEY')).toEqual(key);
    expect(env(find(objects, 'Deployment', 'embedding-workers'), 'QDRANT_API_KEY')).toEqual(key);
  });

  test('are two when one can only read: the API gets that, and the workers write', () => {
    const objects = objectsOf({
      ...PARTS,
      qdrant: { ...QDRANT, readOnlyApiKey: SecretKey.of('qdrant', 'read-only-api-key') },
    });
    const api = find(objects, 'Deployment', 'api');
    expect(env(api, 'QDRANT_API_KEY')).toEqual({ secretKeyRef: { name: 'qdrant', key: 'read-only-api-key' } });
    expect(JSON.stringify(api)).not.toContain('"api-key"');
    expect(env(find(objects, 'Deployment', 'embedding-workers'), 'QDRANT_API_KEY')).toEqual({
      secretKeyRef: { name: 'qdrant', key: 'api-key' },
    });
    expect(egressOf(objects, 'api')[0]).toEqual([[pods('qdrant')], [6333, 6334]]);
  });

  test('are with tokens of its own Jobs alone', () => {
    const objects = objectsOf({
      ...PARTS,
      qdrant: {
        ...QDRANT,
        clientToken: SecretKey.of('qdrant', 'client-token'),
        readOnlyToken: SecretKey.of('qdrant', 'read-only-token'),
      },
    });
    for (const [name, token] of [
      ['api', 'read-only-token'],
      ['embedding-workers', 'client-token'],
    ] as const) {
      const client = find(objects, 'Deployment', name);
      expect(env(client, 'QDRANT_API_KEY')).toEqual({ secretKeyRef: { name: 'qdrant', key: token } });
      expect(JSON.stringify(client)).not.toContain('"api-key"');
    }
  });
});

describe("a database that is not the platform's", () => {
  const vectors = new ExternalService({
    host: 'acme.cloud.qdrant.io',
    port: 6333,
    env: { QDRANT_URL: EnvValue.of('https://acme.cloud.qdrant.io:6333') },
  });

  test('is used by the API and the workers, and there is no other', () => {
    const own = platform({ ...PARTS, qdrant: undefined, vectors });
    const objects: ManifestObject[] = own.toJson();
    expect(own.qdrant).toBeUndefined();
    expect(namesOf(objects, 'StatefulSet')).toEqual(['queue']);
    for (const name of ['api', 'embedding-workers']) {
      const { containers } = find(objects, 'Deployment', name).spec.template.spec;
      expect(containers[0].env).toContainEqual({ name: 'QDRANT_URL', value: 'https://acme.cloud.qdrant.io:6333' });
      expect(egressOf(objects, name).map(([, ports]) => ports)).toContainEqual([6333]);
    }
  });

  test('is there, or the platform has one, and not both', () => {
    expect(() => platform({ qdrant: undefined })).toThrow(
      new Error('rag: qdrant is missing; describe the database, or give what has the vectors instead as vectors'),
    );
    expect(() => platform({ vectors })).toThrow(
      new Error('rag: vectors is set together with qdrant, but vectors are in one place; keep one of the two'),
    );
  });

  test('has no collection of the platform', () => {
    expect(() => platform({ qdrant: undefined, vectors, collection: {} as never })).toThrow(
      new Error('rag: collection is set, but only qdrant has collections of the platform; remove it, or set qdrant'),
    );
  });
});

describe("a queue that is not the platform's", () => {
  const managed = new ExternalService({ host: 'redis.acme.example', port: 6380 });
  const trigger = ScalingTrigger.of({ type: 'redis', metadata: { address: 'redis.acme.example:6380', listName: 'l' } });
  const scaling = (queue: IQueue) => Scaling.onBacklog(queue.list('l'), { min: 0, max: 2, perReplica: 1 });

  test('is used by the API and the workers, and there is no other', () => {
    const own = platform({ ...PARTS, queue: managed });
    const objects: ManifestObject[] = own.toJson();
    expect(own.data.queue).toBe(managed);
    expect(namesOf(objects, 'StatefulSet')).toEqual(['qdrant']);
    for (const name of ['api', 'embedding-workers']) {
      expect(egressOf(objects, name).map(([, ports]) => ports)).toContainEqual([6380]);
    }
  });

  test('can be scaled on when it has a list', () => {
    const queue: IQueue = { offerTo: () => managed.offerTo(), list: () => ({ trigger: () => trigger }) };
    const objects = objectsOf({ ...PARTS, cluster: KEDA, queue, embeddingWorkers: { ...WORKERS, scaling } });
    expect(find(objects, 'ScaledObject', 'embedding-workers').spec.triggers).toEqual([
      { type: 'redis', metadata: { address: 'redis.acme.example:6380', listName: 'l' } },
    ]);
  });

  test('cannot be scaled on otherwise', () => {
    expect(() => platform({ ...PARTS, queue: managed, embeddingWorkers: { ...WORKERS, scaling } })).toThrow(
      new Error(
        'rag: embeddingWorkers.scaling asks for the queue, but it has no list; give it one, or scale on something else',
      ),
    );
  });
});

describe('scaling on the queue', () => {
  const onCelery = (queue: IQueue) => Scaling.onBacklog(queue.list('celery'), { min: 0, max: 8, perReplica: 20 });
  const scaled = (scaling: PlatformWorkersProps['scaling'], cluster = KEDA) =>
    objectsOf({ ...PARTS, cluster, embeddingWorkers: { ...WORKERS, scaling } });

  test('looks at a list in it, with its password', () => {
    const objects = scaled(onCelery);
    const { spec } = find(objects, 'ScaledObject', 'embedding-workers');
    expect(spec).toMatchObject({ minReplicaCount: 0, maxReplicaCount: 8 });
    expect(spec.triggers).toEqual([
      {
        type: 'redis',
        metadata: {
          address: `queue.${NAMESPACE}.svc.cluster.local:6379`,
          listName: 'celery',
          listLength: '20',
          databaseIndex: '0',
        },
        authenticationRef: { name: 'embedding-workers' },
      },
    ]);
    expect(find(objects, 'TriggerAuthentication', 'embedding-workers').spec).toEqual({
      secretTargetRef: [{ parameter: 'password', name: 'queue', key: 'password' }],
    });
  });

  test('owns the number of workers', () => {
    const objects = scaled(onCelery);
    expect(find(objects, 'Deployment', 'embedding-workers').spec).not.toHaveProperty('replicas');
    expect(namesOf(objects, 'ScaledObject')).toEqual(['embedding-workers']);
    expect(namesOf(objects, 'HorizontalPodAutoscaler')).toEqual([]);
  });

  test('lets KEDA into the queue and nowhere else', () => {
    const objects = scaled(onCelery);
    const keda = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'keda' } } };
    expect(ingressOf(objects, 'queue')).toContainEqual([[keda], [6379]]);
    for (const name of ['api', 'embedding-workers', 'qdrant']) {
      expect(ingressOf(objects, name)).not.toContainEqual([[keda], expect.anything()]);
    }
  });

  test('looks at another list, and at whatever else is given, after it', () => {
    const objects = scaled((queue) =>
      Scaling.onEvents({ min: 0, max: 8, triggers: [queue.list('embeddings').trigger(5), CRON] }),
    );
    const [redis, ...others] = find(objects, 'ScaledObject', 'embedding-workers').spec.triggers;
    expect(redis.metadata).toMatchObject({ listName: 'embeddings', listLength: '5' });
    expect(others.map(({ type }: { type: string }) => type)).toEqual(['cron']);
  });

  test("is a function that gets the platform's queue, once", () => {
    const scaling = jest.fn(onCelery);
    const { queue } = platform({ ...PARTS, cluster: KEDA, embeddingWorkers: { ...WORKERS, scaling } }).data;
    expect(scaling).toHaveBeenCalledTimes(1);
    expect(scaling.mock.calls[0]?.[0]).toBe(queue);
    expect(queue).toBeInstanceOf(Redis);
  });

  test('is left to the function, which can do without it, and without KEDA then', () => {
    const objects = scaled(() => Scaling.fixed(4), Cluster.GENERIC);
    expect(find(objects, 'Deployment', 'embedding-workers').spec.replicas).toBe(4);
    expect(namesOf(objects, 'ScaledObject')).toEqual([]);
  });

  test('needs a queue, whatever the function does with it', () => {
    const scaling = jest.fn(() => Scaling.fixed(4));
    expect(() => platform({ embeddingWorkers: { ...WORKERS, scaling }, cluster: KEDA })).toThrow(
      new Error(
        'rag: embeddingWorkers.scaling asks for the queue, but the platform has none; add queue, or scale on something ' +
          'else',
      ),
    );
    expect(scaling).not.toHaveBeenCalled();
  });

  test('needs KEDA', () => {
    expect(() => scaled(onCelery, Cluster.GENERIC)).toThrow(
      new Error(
        'rag/embedding-workers/Resource: scaling is event-driven, but the cluster declares no KEDA; set keda in the ' +
          'cluster or scale on CPU',
      ),
    );
  });

  test('is not what happens when the number is given, and needs no queue', () => {
    const scaling = Scaling.fixed(3);
    const externals = [new ExternalService({ host: 'tasks.acme.example' })];
    const embeddingWorkers = { ...WORKERS, scaling, externals };
    const objects = objectsOf({ ...PARTS, queue: undefined, embeddingWorkers });
    expect(find(objects, 'Deployment', 'embedding-workers').spec.replicas).toBe(3);
    expect(namesOf(objects, 'ScaledObject')).toEqual([]);
    expect(namesOf(objects, 'TriggerAuthentication')).toEqual([]);
  });

  test('is not what happens when nothing is said: there is one worker', () => {
    const objects = objectsOf(PARTS);
    expect(find(objects, 'Deployment', 'embedding-workers').spec.replicas).toBe(1);
    expect(namesOf(objects, 'ScaledObject')).toEqual([]);
  });
});

describe('the order in which things are applied', () => {
  const secrets = new ExternalSecrets(SecretStore.existing('vault'));
  const objects = objectsOf({
    ...PARTS,
    qdrant: { ...QDRANT, apiKey: secrets.key('qdrant', 'api-key') },
    queue: (scope) => new Redis(scope, 'queue', { password: secrets.key('queue', 'password') }),
  });

  test.each([
    ['the namespace', 'Namespace', NAMESPACE, '-20'],
    ['the default', 'NetworkPolicy', 'default-deny', '-20'],
    ['Secrets', 'ExternalSecret', 'qdrant', '-10'],
    ['the API', 'Deployment', 'api', '10'],
    ['the policy of the API', 'NetworkPolicy', 'api', '10'],
    ['the workers', 'Deployment', 'embedding-workers', '10'],
    ['the route', 'HTTPRoute', 'public', '1000'],
  ])('%s: %s/%s in wave %s', (_, kind, name, wave) => {
    expect(waveOf(find(objects, kind, name))).toBe(wave);
  });

  test('what uses nobody is in wave 0, which needs no annotation', () => {
    expect(waveOf(find(objects, 'StatefulSet', 'qdrant'))).toBeUndefined();
    expect(waveOf(find(objects, 'StatefulSet', 'queue'))).toBeUndefined();
  });

  test('has no other waves', () => {
    expect([...new Set(objects.map(waveOf))].sort()).toEqual(['-10', '-20', '10', '1000', undefined]);
  });
});

describe('two platforms in one app', () => {
  test('have nothing to do with each other', () => {
    const app = new App();
    const [one, other] = ['one', 'other'].map(
      (id) => new RagPlatform(app, id, { ...PARTS, namespace: `rag-${id}`, qdrant: QDRANT, api: API }),
    );
    const namespaces = (chart: RagPlatform | undefined) =>
      [...new Set(((chart?.toJson() ?? []) as ManifestObject[]).map(({ metadata }) => metadata.namespace))].sort();
    expect(namespaces(one)).toEqual(['rag-one', undefined]);
    expect(namespaces(other)).toEqual(['rag-other', undefined]);
    expect(ingressOf(one?.toJson() ?? [], 'queue')).toEqual([
      [[pods('api')], [6379]],
      [[pods('embedding-workers')], [6379]],
    ]);
  });
});

test('the namespace says what its way in needs', () => {
  const via = Ingress.ofClass('alb', { controller: IngressController.ALB, proxyCidrs: ['10.0.0.0/16'] });
  const labels = (props: Partial<RagPlatformProps>) => find(objectsOf(props), 'Namespace', NAMESPACE).metadata.labels;
  const label = 'elbv2.k8s.aws/pod-readiness-gate-inject';
  expect(labels({ route: { host: 'rag.acme.example', via } })?.[label]).toBe('enabled');
  expect(labels({})?.[label]).toBeUndefined();
});
