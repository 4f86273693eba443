import { createHash } from 'node:crypto';
import { Environment } from '../../charts/environments/environment';
import type { ManifestObject } from '../../constructs/rules/output';
import { EnvironmentFolder } from '../support/environment-folder';
import { EACH_ENVIRONMENT, ENVIRONMENTS } from '../support/environments';
import { find, templateOf } from '../support/manifests';

const isHook = ({ metadata }: ManifestObject) => metadata.annotations?.['argocd.argoproj.io/hook'] !== undefined;
const isJob = ({ kind }: { kind: string }) => kind === 'Job' || kind === 'CronJob';

const folder = new EnvironmentFolder();
afterAll(() => folder.remove());

describe.each(EACH_ENVIRONMENT)('%s', (_, { objects }) => {
  test('pods of Jobs that have to make room are replaced, and do not count as failed', () => {
    for (const { kind, spec } of objects.filter(isJob)) {
      const job = kind === 'Job' ? spec : spec.jobTemplate.spec;
      expect(job.podFailurePolicy).toEqual({
        rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }],
      });
      // Kubernetes refuses the policy for containers that are restarted in their pods.
      expect(job.template.spec.restartPolicy).toBe('Never');
    }
  });
});

// Argo CD does not compare hooks: what is compared must change with them, or automated sync does not begin.
describe.each(EACH_ENVIRONMENT)('%s', (_, { objects }) => {
  test('something that Argo CD compares carries the checksum of every hook', () => {
    for (const { kind, metadata, spec } of objects.filter(isHook)) {
      expect(kind).toBe('Job');
      const account = find(objects, 'ServiceAccount', spec.template.spec.serviceAccountName);
      expect(isHook(account)).toBe(false);
      const checksum = createHash('sha256').update(JSON.stringify(spec)).digest('hex');
      expect([metadata.name, account.metadata.annotations?.['checksum/job']]).toEqual([metadata.name, checksum]);
    }
  });

  test('and nothing else has one', () => {
    const hooks = objects.filter(isHook).map(({ metadata }) => metadata.name);
    const carriers = objects.filter(({ metadata }) => metadata.annotations?.['checksum/job'] !== undefined);
    expect(carriers.map(({ metadata }) => metadata.name).sort()).toEqual(hooks.sort());
  });
});

test('there are Jobs and CronJobs', () => {
  const kinds = ENVIRONMENTS.flatMap(({ objects }) => objects.filter(isJob)).map(({ kind }) => kind);
  expect(new Set(kinds)).toEqual(new Set(['Job', 'CronJob']));
});

describe('the Jobs of the library take the settings of other workloads', () => {
  const settings = `
      nodePool: batch
      priorityClassName: batch
      podLabels: { acme.example/cost: batch }
      podAnnotations: { acme.example/scrape: "no" }
      serviceAccountAnnotations: { acme.example/owner: search }
      identity: { gcpServiceAccount: rag-batch@acme-rag.iam.gserviceaccount.com }
      retries: 7`;
  const limited = `${settings}
      cpuLimit: "2"`;
  const file = (qdrant: string, collection: string) => `
namespace: search
cluster:
  cloud: gke
  nodePools:
    - { name: batch, nodes: 3, nodeSelector: { pool: batch }, taints: [{ key: batch, effect: NoSchedule }] }
    - { name: general, nodes: 5, nodeSelector: { pool: general } }
  storage: { shared: files }
embeddingModel: BAAI/bge-m3
embedder: {}
qdrant:
  nodes: 5
  resources: { cpu: 500m, memory: 2Gi }
  storage: 10Gi
${qdrant}
collection:
  name: documents-1
  aliases: [documents]
  jobs: {${flow(limited)}}
${collection}
models:
  volume: { size: 50Gi }
  downloads: { deadline: 3h, ${flow(limited)} }
api:
  image: { repository: ghcr.io/acme/rag-api, tag: 1.8.2 }
`;

  /** Lines of settings in one line. */
  function flow(lines: string): string {
    return lines
      .trim()
      .split('\n')
      .map((line) => line.trim())
      .join(', ');
  }

  function objectsOf(qdrant: string, collection: string) {
    folder.write({ 'jobs.yaml': file(qdrant, collection) });
    return Environment.read(folder.pathOf('jobs.yaml')).render('jobs.yaml').objects;
  }

  const image = 'image: { repository: ghcr.io/acme/backfill, tag: 1.8.2 }';
  const filling = objectsOf(
    `  snapshots: { daily: "02:00", keep: 3, ${flow(limited)} }
  rehearsal: { cron: "0 5 * * 0", ${flow(limited)} }
  restore: { ${flow(limited)} }
  drain: { to: 3, ${flow(limited)} }`,
    `  next: { name: documents-2, model: BAAI/bge-small-en-v1.5, backfill: { ${image}, deadline: 12h, ${flow(settings)} } }`,
  );
  const switched = objectsOf('', '  next: { name: documents-2, model: BAAI/bge-small-en-v1.5, switched: true }');

  test.each([
    ['CronJob', 'qdrant-snapshots', filling],
    ['CronJob', 'qdrant-rehearsal', filling],
    ['Job', 'qdrant-restore', filling],
    ['Job', 'qdrant-drain', filling],
    ['Job', 'collection-bootstrap', filling],
    ['Job', 'collection-backfill', filling],
    ['Job', 'download-bge-m3', filling],
    ['Job', 'collection-switch', switched],
  ])('%s %s', (kind, name, objects) => {
    const object = find(objects, kind, name);
    const { metadata, spec } = templateOf(object);
    expect(spec.nodeSelector).toEqual({ pool: 'batch' });
    expect(spec.tolerations).toEqual([{ key: 'batch', operator: 'Exists', effect: 'NoSchedule' }]);
    expect(spec.priorityClassName).toBe('batch');
    expect(metadata.labels).toMatchObject({ 'acme.example/cost': 'batch' });
    expect(metadata.annotations).toMatchObject({ 'acme.example/scrape': 'no' });
    expect(find(objects, 'ServiceAccount', name).metadata.annotations).toMatchObject({
      'acme.example/owner': 'search',
      'iam.gke.io/gcp-service-account': 'rag-batch@acme-rag.iam.gserviceaccount.com',
    });
    expect((kind === 'Job' ? object.spec : object.spec.jobTemplate.spec).backoffLimit).toBe(7);
    const limit = name === 'collection-backfill' ? undefined : '2';
    expect(spec.containers[0].resources.limits.cpu).toBe(limit);
  });

  test('but a limit below what the program reserves is refused', () => {
    expect(() => objectsOf('  drain: { to: 3, cpuLimit: 10m }', '')).toThrow(
      /is 10m, below cpu, which is 50m; raise it, or leave it out/,
    );
  });

  test('and downloads are refused where nothing is downloaded', () => {
    folder.write({ 'none.yaml': file('', '').replace('  volume: { size: 50Gi }\n', '') });
    expect(() => Environment.read(folder.pathOf('none.yaml')).render('none.yaml')).toThrow(
      /models\.downloads: is set, but nothing is downloaded before servers start; set models\.volume, or leave it out/,
    );
  });
});
