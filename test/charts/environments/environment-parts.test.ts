import { Environment } from '../../../charts/environments/environment';
import { EnvironmentFolder } from '../../support/environment-folder';
import { expectRefusals, refusalsOf } from '../../support/environment-refusals';

const folder = new EnvironmentFolder();
afterAll(() => folder.remove());

/** The first three lines of every file. */
const LEAST = [
  'namespace: rag-test',
  'embeddingModel: BAAI/bge-m3',
  'api: { image: { repository: ghcr.io/acme/rag-api, tag: 1.8.2 } }',
];
/** The operator that PostgreSQL with a pooler needs. */
const OPERATOR = 'cluster: { cloudNativePg: { namespace: cnpg-system }, apiServer: { cidrs: [203.0.113.9/32] } }';
/** Lines 4 and 5 of files whose database is Qdrant. */
const QDRANT = ['qdrant:', '  sizing: { count: 10 }'];

/** What is said about the lines, without the name of the file. */
function refused(...lines: string[]): string[] {
  folder.write({ 'test.yaml': `${[...LEAST, ...lines].join('\n')}\n` });
  return refusalsOf(folder, () => Environment.read(folder.pathOf('test.yaml')).render('test.yaml'));
}

const NO_POOL = 'is "gone", but the cluster declares no node pools; declare it in the cluster';
const LABEL = 'has app.kubernetes.io/name, which the library sets itself; leave it out';

/** A Job of a construct is described by settings inside those of the construct. */
describe('what a Job is refused for is said where the Job is described', () => {
  const jobs: [job: string, line: string, setting: string][] = [
    ['snapshots', '  snapshots: { daily: "23:05", keep: 2, JOB }', 'qdrant.snapshots'],
    ['drain', '  drain: { to: 1, JOB }', 'qdrant.drain'],
    ['repair', '  repair: { JOB }', 'qdrant.repair'],
    ['collection', 'collection: { jobs: { JOB } }', 'collection.jobs'],
    [
      'backfill',
      'collection: { aliases: [a], next: { name: b, model: BAAI/bge-small-en-v1.5, ' +
        'backfill: { image: { repository: ghcr.io/acme/fill, tag: 1.0.0 }, deadline: 1h, JOB } } }',
      'collection.next.backfill',
    ],
    [
      'downloads',
      'models: { volume: { size: 10Gi, storageClass: shared }, downloads: { JOB } }\nembedder: {}',
      'models.downloads',
    ],
  ];
  const settings: [setting: string, text: string, problem: string, of?: string][] = [
    ['nodePool', 'nodePool: gone', NO_POOL],
    ['podLabels', 'podLabels: { app.kubernetes.io/name: x }', LABEL],
    ['podAnnotations', 'podAnnotations: { "a b": x }', 'has the key "a b"'],
    ['priorityClassName', 'priorityClassName: A_B', 'is "A_B"'],
    ['retries', 'retries: -1', 'is -1'],
    ['cpuLimit', 'cpuLimit: 1m', 'is 1m, below cpu, which is'],
  ];
  for (const [job, line, setting] of jobs) {
    for (const [name, text, problem] of settings.filter(([one]) => job !== 'backfill' || one !== 'cpuLimit')) {
      test(`${job}: ${name}`, () => {
        const lines = [...QDRANT, line.replace('JOB', text)];
        const column = line.split('\n')[0]?.indexOf('JOB') as number;
        const [first, ...more] = refused(...lines);
        expect(first).toContain(`6:${column + 1} ${setting}.${name}: `);
        expect(first).toContain(problem);
        expect(more).toEqual([]);
      });
    }
  }

  expectRefusals(refused, [
    [
      'the time zone of snapshots',
      [...QDRANT, '  snapshots: { daily: "23:05", keep: 2, timeZone: Mars/North }'],
      '6:41 qdrant.snapshots.timeZone: is "Mars/North", but must be an IANA name, such as Europe/Berlin',
    ],
    [
      'the CPU of a pooler',
      [
        ...QDRANT,
        OPERATOR,
        'database: { postgresCluster: { storage: 1Gi, pooler: { resources: { cpu: 1, memory: 1Gi, cpuLimit: 1m } } } }',
      ],
      '7:90 database.postgresCluster.pooler.resources.cpuLimit: is 1m, below cpu, which is 1000m; raise it, or leave it out',
    ],
    [
      'the pods of a pooler',
      [...QDRANT, OPERATOR, 'database: { postgresCluster: { storage: 1Gi, pooler: { poolSize: 99 } } }'],
      '7:56 database.postgresCluster.pooler.poolSize: is 99 in 2 pods, 198 in all, but of maxConnections, which is 100, ' +
        '20 are not for clients; lower it, or raise maxConnections',
    ],
  ]);
});

/** What is given the image of another program has none of its own to correct. */
describe('an image without digest is refused where the image is said', () => {
  const WITHOUT = '{ repository: ghcr.io/acme/rag, tag: 1.8.2 }';
  const WITH = `{ repository: ghcr.io/acme/rag, tag: 1.8.2, digest: "sha256:${'a'.repeat(64)}" }`;
  const file = (api: string, ...lines: string[]) => [
    'namespace: rag-test',
    'embeddingModel: BAAI/bge-m3',
    'cluster: { registry: { requireDigest: true } }',
    ...QDRANT,
    `api: { image: ${api} }`,
    ...lines,
  ];
  const WORKERS = [`embeddingWorkers: { image: ${WITHOUT} }`, 'queue: { externalRedis: { host: redis.acme.example } }'];
  const MIGRATION = [
    'migration: { command: [a] }',
    'database: { externalPostgres: { host: db.acme.example, password: { secret: a, key: b }, tls: public } }',
  ];

  test.each([
    ['a migration', file(WITHOUT, ...MIGRATION), 'api'],
    ['an index', file(WITHOUT, 'index: { command: [a] }'), 'api'],
    ['a sync', file(WITHOUT, 'syncs: { s: { command: [a], cron: "0 1 * * *" } }'), 'api'],
    ['an index beside workers', file(WITH, ...WORKERS, 'index: { command: [a] }'), 'embeddingWorkers'],
    ['an index with an image of its own', file(WITH, `index: { image: ${WITHOUT}, command: [a] }`), 'index'],
  ])('%s', (_, lines, place) => {
    folder.write({ 'test.yaml': `${lines.join('\n')}\n` });
    const problems = refusalsOf(folder, () => Environment.read(folder.pathOf('test.yaml')).render('test.yaml'));
    expect(problems).toEqual([
      expect.stringMatching(
        new RegExp(
          `^\\d+:\\d+ ${place}\\.image\\.digest: is ghcr\\.io/acme/rag:1\\.8\\.2, but this registry requires digests`,
        ),
      ),
    ]);
  });
});
