import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Environment } from '../../charts/environments/environment';
import type { RenderedEnvironment } from '../../charts/rendered-environment';
import type { Json, ManifestObject } from '../../constructs/rules/output';
import { EnvironmentFolder } from '../support/environment-folder';
import { env, find } from '../support/manifests';
import { podsOf } from '../support/pods';

const EXAMPLE = join(resolve(__dirname, '..', '..'), 'examples', 'environments', 'in-cluster.yaml');
const LINES = readFileSync(EXAMPLE, 'utf8').split('\n');

const folder = new EnvironmentFolder();
afterAll(() => folder.remove());

function render(lines: string[]): RenderedEnvironment {
  folder.write({ 'test.yaml': lines.join('\n') });
  return Environment.read(folder.pathOf('test.yaml')).render('test.yaml');
}

/** The example with one setting put otherwise, in one line. */
function swapped(line: string): string[] {
  const setting = line.slice(0, line.indexOf(':') + 1);
  const start = LINES.findIndex((text) => text.startsWith(setting));
  expect(start).toBeGreaterThan(0);
  const below = LINES.slice(start + 1);
  const end = below.findIndex((text) => !text.startsWith('  '));
  return [...LINES.slice(0, start), line, ...below.slice(end)];
}

/** Every way in which a policy, a Service or a budget selects pods, as text. */
function selections(objects: ManifestObject[]): string[] {
  const found = JSON.stringify(objects).matchAll(
    /"(?:podSelector|endpointSelector|selector|matchLabels)":(\{[^{}]*\})/g,
  );
  return [...found].map((match) => match[1] as string);
}

const nameOf = ({ kind, metadata }: ManifestObject) => `${kind}/${metadata.name}`;

/** A part of a platform, by the beginning of the names of its objects, as it is in the cluster and elsewhere. */
const SWAPS: [part: string, inside: string, outside: string][] = [
  [
    'database',
    'database: { postgresCluster: {} }',
    'database: { externalPostgres: { host: db.acme.example, tls: public } }',
  ],
  [
    'database',
    'database: { postgresCluster: { pooler: {} } }',
    'database: { externalPostgres: { host: db.acme.example, tls: public } }',
  ],
  ['database', 'database: { postgres: {} }', 'database: { externalPostgres: { host: db.acme.example, tls: public } }'],
  ['queue', 'queue: { rabbitMq: {} }', 'queue: { externalRabbitMq: { host: mq.acme.example, user: rag } }'],
  ['queue', 'queue: { redis: {} }', 'queue: { externalRedis: { host: r.acme.example } }'],
  ['queue', 'queue: { rabbitMq: {} }', 'queue: { serviceBus: { namespace: acme-rag, queue: documents } }'],
  ['cache', 'cache: { redis: {} }', 'cache: { externalRedis: { host: c.acme.example } }'],
];

describe.each(SWAPS)('%s: from %s to %s', (part, inside, outside) => {
  const before = render(swapped(inside));
  const after = render(swapped(outside));
  const belongs = ({ metadata }: ManifestObject) => new RegExp(`^${part}(-|$)`).test(metadata.name);

  test('is a change of one line', () => {
    const [from, to] = [swapped(inside), swapped(outside)];
    expect(from.filter((line, index) => line !== to[index])).toEqual([inside]);
    expect(to).toHaveLength(from.length);
  });

  test('takes every object of the part with it, and no other', () => {
    expect(before.objects.filter(belongs).length).toBeGreaterThan(0);
    expect(after.objects.filter(belongs)).toEqual([]);
    const others = ({ objects }: RenderedEnvironment) =>
      objects
        .filter((object) => !belongs(object))
        .map(nameOf)
        // A lag or backlog is asked for in another way, with other keys.
        .filter((name) => !/^(TriggerAuthentication|ConfigMap)\/embedding-workers/.test(name))
        .sort();
    expect(others(after)).toEqual(others(before));
  });

  test('leaves no policy that selects what is gone, or lets it in', () => {
    const labels = podsOf(after.objects).map((pods) => pods.labels);
    const own = (selector: Json) =>
      labels.some((candidate) => Object.entries(selector).every(([label, value]) => candidate[label] === value));
    const gone = selections(before.objects).filter((selection) => !selections(after.objects).includes(selection));
    expect(gone.length).toBeGreaterThan(0);
    for (const { spec } of after.objects.filter(({ kind }) => kind === 'NetworkPolicy')) {
      const peers: Json[] = [...(spec.ingress ?? []), ...(spec.egress ?? [])].flatMap(({ from = [], to = [] }) => [
        ...from,
        ...to,
      ]);
      const inside = peers.filter(({ podSelector, namespaceSelector }) => podSelector && !namespaceSelector);
      const text = inside.map(({ podSelector }) => JSON.stringify(podSelector.matchLabels));
      expect(text.filter((selector) => gone.includes(selector))).toEqual([]);
      expect(
        own(spec.podSelector.matchLabels ?? {}) || !gone.includes(JSON.stringify(spec.podSelector.matchLabels)),
      ).toBe(true);
    }
  });

  test('refers to nothing that is gone', () => {
    const names = before.objects
      .filter(belongs)
      .flatMap(({ kind, metadata }) => (kind === 'Service' ? metadata.name : []));
    const hosts = podsOf(after.objects).flatMap(({ containers }) =>
      containers.flatMap(({ env: list = [] }) => list.map(({ value = '' }: Json) => value)),
    );
    for (const name of [...names, `${part}-rw`, `${part}-pooler`]) {
      expect(hosts.filter((value: string) => new RegExp(`(^|[@/])${name}(:\\d|$)`).test(value))).toEqual([]);
    }
  });

  test('asks a person before an operator deletes data', () => {
    const operated = before.objects.filter(
      (object) => belongs(object) && /^(Cluster|RabbitmqCluster|KafkaTopic|Queue)$/.test(object.kind),
    );
    expect(operated.length > 0).toBe(/Cluster|rabbitMq/.test(inside));
    for (const { metadata } of operated) {
      expect(metadata.annotations?.['argocd.argoproj.io/sync-options']).toBe(
        'Delete=confirm,Prune=confirm,PruneLast=true',
      );
    }
  });

  test('keeps what it was until all clients have moved, which Argo CD reads from the objects in the cluster', () => {
    const options = before.objects
      .filter(belongs)
      .map((object) => [nameOf(object), object.metadata.annotations?.['argocd.argoproj.io/sync-options'] ?? '']);
    expect(options.filter(([, value]) => !value?.split(',').includes('PruneLast=true'))).toEqual([]);
  });

  test('can follow the last render', () => {
    expect(after.changeProblems(before.objects)).toEqual([]);
    expect(before.changeProblems(after.objects)).toEqual([]);
  });
});

test('clients find a database and a cache under the same names, whoever runs it', () => {
  const namesIn = (line: string) =>
    (find(render(swapped(line)).objects, 'Deployment', 'api').spec.template.spec.containers[0].env as Json[])
      .map(({ name }) => name)
      .filter((name) => /^(PG|DATABASE|CACHE)/.test(name))
      .sort();
  const external = namesIn(
    'database: { externalPostgres: { host: db.acme.example, tls: { secret: ca, key: ca.pem } } }',
  );
  expect(namesIn('database: { postgresCluster: {} }')).toEqual(external);
  expect(external).toEqual([
    'CACHE_PASSWORD',
    'CACHE_URL',
    'DATABASE_URL',
    'PGDATABASE',
    'PGHOST',
    'PGPASSWORD',
    'PGPORT',
    'PGSSLMODE',
    'PGSSLROOTCERT',
    'PGUSER',
  ]);
});

test('Celery finds its broker under one name, whichever it is', () => {
  const urlOf = (line: string) => env(find(render(swapped(line)).objects, 'Deployment', 'api'), 'CELERY_BROKER_URL');
  expect(urlOf('queue: { redis: {} }')).toMatch(/^redis:/);
  expect(urlOf('queue: { rabbitMq: {} }')).toMatch(/^amqp:/);
  expect(urlOf('queue: { serviceBus: { namespace: acme-rag, queue: documents } }')).toMatch(/^azureservicebus:/);
});
