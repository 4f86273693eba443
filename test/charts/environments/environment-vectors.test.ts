import { Environment } from '../../../charts/environments/environment';
import type { Json, ManifestObject } from '../../../constructs/rules/output';
import { EnvironmentFolder } from '../../support/environment-folder';
import { expectRefusals, refusalsOf } from '../../support/environment-refusals';
import { env, find, mainContainer, namesOf, templateOf } from '../../support/manifests';
import { refusalOf } from '../../support/refusal';
import { variables } from '../platforms';

const folder = new EnvironmentFolder();
afterAll(() => folder.remove());

/** The first six lines of every file; settings of the database begin in line 7. */
const LEAST = [
  'namespace: rag-test',
  'embeddingModel: BAAI/bge-m3',
  'api: { image: { repository: ghcr.io/acme/rag-api, tag: 1.8.2 } }',
  'queue: { redis: {} }',
  'embeddingWorkers: { image: { repository: ghcr.io/acme/rag-workers, tag: 1.8.2 } }',
  'qdrant:',
];
const BY_HAND = '  resources: { cpu: 100m, memory: 512Mi }';
const STORAGE = '  storage: 1Gi';
/** Lines 7 and 8 of a database without sizing. */
const SMALL = [BY_HAND, STORAGE];

function objectsOf(...lines: string[]): ManifestObject[] {
  folder.write({ 'test.yaml': `${[...LEAST, ...lines].join('\n')}\n` });
  return Environment.read(folder.pathOf('test.yaml')).render('test.yaml').objects;
}

/** What is said about the lines, without the name of the file. */
function refused(...lines: string[]): string[] {
  return refusalsOf(folder, () => objectsOf(...lines));
}

describe('the sizing', () => {
  const sizingOf = (text: string, ...lines: string[]) =>
    find(objectsOf(`  sizing: ${text}`, ...lines), 'StatefulSet', 'qdrant').metadata.annotations?.['cdk8s-rag/sizing'];

  test('counts what it is told', () => {
    expect(sizingOf('{ count: 3000000 }', '  nodes: 3')).toContain('3,000,000 vectors × (1024 dimensions × 4 B × 1.5');
    expect(sizingOf('{ count: 3000000, growth: 1.5 }')).toContain('3,000,000 vectors × 1.5 growth');
    expect(sizingOf('{ count: 10, quantization: scalar }')).toContain('1024 dimensions × 1 B scalar');
    expect(sizingOf('{ count: 10, quantization: binary }')).toContain('B binary');
    expect(sizingOf('{ count: 10, quantization: scalar, onDisk: false }')).toContain(
      '(1024 dimensions × 4 B × 1.5 + 1024',
    );
    expect(sizingOf('{ count: 10, payloadBytes: 777 }')).toContain('777 B payload');
    expect(sizingOf('{ count: 10, indexedPayloadBytes: 99 }')).toContain('99 B indexed payload');
  });

  test('gives resources and storage where these are not said', () => {
    const qdrant = find(
      objectsOf('  sizing: { count: 3000000 }', '  resources: { cpu: 750m }'),
      'StatefulSet',
      'qdrant',
    );
    const { requests, limits } = mainContainer(qdrant).resources;
    expect(requests.cpu).toBe('750m');
    expect(requests.memory).toMatch(/^\d+Gi$/);
    expect(limits.memory).toBe(requests.memory);
    expect(qdrant.spec.volumeClaimTemplates[0].spec.resources.requests.storage).toMatch(/^\d+Gi$/);
  });

  test('holds for the collection too', () => {
    const objects = objectsOf('  sizing: { count: 10, quantization: scalar, onDisk: true }', 'collection: {}');
    const { collections } = JSON.parse(find(objects, 'ConfigMap', 'collection-bootstrap').data['collection.json']);
    expect(collections[0].parameters.quantization_config.scalar.type).toBe('int8');
    expect(collections[0].parameters.vectors.on_disk).toBe(true);
  });

  expectRefusals(refused, [
    ['without a count', ['  sizing: { growth: 2 }'], '7:3 qdrant.sizing.count: is missing'],
    [
      'of half a vector',
      ['  sizing: { count: 0.5 }'],
      '7:13 qdrant.sizing.count: is 0.5, but must be a whole number from 1',
    ],
    [
      'that shrinks',
      ['  sizing: { count: 10, growth: 0.5 }'],
      '7:24 qdrant.sizing.growth: is 0.5, but must be a number from 1',
    ],
    [
      'with more in indexes than there is',
      ['  sizing: { count: 10, payloadBytes: 10, indexedPayloadBytes: 11 }'],
      '7:42 qdrant.sizing.indexedPayloadBytes: is 11, but is a part of payloadBytes, which is 10',
    ],
    [
      'with a quantization that there is not',
      ['  sizing: { count: 10, quantization: product }'],
      '7:24 qdrant.sizing.quantization: is "product", but must be one of none, scalar, binary',
    ],
    [
      'on two nodes',
      ['  sizing: { count: 10 }', '  nodes: 2'],
      '8:3 qdrant.nodes: is 2, but two nodes lose their quorum when either is away, so no update or node drain would be ' +
        'safe; use 1, or 3 or more',
    ],
  ]);

  test('refuses memory and storage that are too small for it, at their lines', () => {
    const [memory, ...more] = refused('  sizing: { count: 3000000 }', '  resources: { memory: 4Gi }');
    expect(memory).toMatch(
      /^8:16 qdrant\.resources\.memory: is 4Gi, but a node needs \d+Gi: 3,000,000 vectors × .*; raise it, or leave it out$/,
    );
    expect(more).toEqual([]);
    const [storage] = refused('  sizing: { count: 3000000 }', '  storage: 4Gi');
    expect(storage).toMatch(
      /^8:3 qdrant\.storage: is 4Gi, but a node needs \d+Gi: 3,000,000 vectors × .*; raise it, or leave it out$/,
    );
  });

  test('needs a model', () => {
    const [, , ...rest] = LEAST;
    folder.write({ 'other.yaml': ['namespace: rag-test', ...rest, '  sizing: { count: 10 }', ''].join('\n') });
    const error = refusalOf(() => Environment.read(folder.pathOf('other.yaml')).render('other.yaml'));
    expect(error.message).toBe(
      `${folder.shown('other.yaml')}:1:1 embeddingModel: is missing, but qdrant.sizing needs to know how large its ` +
        'vectors are; name the model',
    );
  });
});

describe('snapshots', () => {
  test('are taken as it is said', () => {
    const objects = objectsOf(
      ...SMALL,
      '  snapshots:',
      '    daily: "23:05"',
      '    keep: 9',
      '    timeZone: Europe/Berlin',
      '    deadline: 2h',
      '    mayShrink: true',
    );
    const cronJob = find(objects, 'CronJob', 'qdrant-snapshots');
    expect(cronJob.spec).toMatchObject({ schedule: '5 23 * * *', timeZone: 'Europe/Berlin' });
    expect(cronJob.spec.jobTemplate.spec.activeDeadlineSeconds).toBe(7200);
    expect(env(cronJob, 'SNAPSHOTS_KEEP')).toBe('9');
    expect(env(cronJob, 'SNAPSHOTS_MAY_SHRINK')).toBe('true');
  });

  test('go into a bucket', () => {
    const objects = objectsOf(
      ...SMALL,
      '  snapshots:',
      '    daily: "02:30"',
      '    keep: 1',
      '    s3:',
      '      bucket: acme',
      '      region: eu-west-1',
      '      endpoint: https://s3.acme.example',
      '      accessKey: { secret: s3, key: id }',
      '      secretKey: { secret: s3, key: secret }',
      '      cidrs: [203.0.113.9/32]',
    );
    const qdrant = variables(objects, 'StatefulSet', 'qdrant');
    const references = Object.values(qdrant).filter((value) => value?.secretKeyRef?.name === 's3');
    expect(references).toEqual(
      expect.arrayContaining([
        { secretKeyRef: { name: 's3', key: 'id' } },
        { secretKeyRef: { name: 's3', key: 'secret' } },
      ]),
    );
    const text = JSON.stringify([find(objects, 'ConfigMap', 'qdrant').data, qdrant]);
    for (const part of ['acme', 'eu-west-1', 'https://s3.acme.example']) {
      expect(text).toContain(part);
    }
    const egress: Json[] = find(objects, 'NetworkPolicy', 'qdrant').spec.egress;
    expect(egress.flatMap(({ to }) => to)).toContainEqual({ ipBlock: { cidr: '203.0.113.9/32' } });
  });

  const snapshots = (text: string) => [...SMALL, `  snapshots: ${text}`];

  expectRefusals(refused, [
    [
      'at no time of the day',
      snapshots('{ daily: "24:00", keep: 1 }'),
      '9:16 qdrant.snapshots.daily: is "24:00", but must be a time of the day, such as "02:30"',
    ],
    [
      'at a time that YAML reads as a number',
      snapshots('{ daily: 230, keep: 1 }'),
      '9:16 qdrant.snapshots.daily: is 230, but must be a time of the day, such as "02:30"',
    ],
    ['at a time that is not said', snapshots('{ keep: 1 }'), '9:3 qdrant.snapshots.daily: is missing'],
    [
      'of which none is kept',
      snapshots('{ daily: "02:30", keep: 0 }'),
      '9:32 qdrant.snapshots.keep: is 0, but must be a whole number from 1',
    ],
    [
      'in a bucket without region',
      snapshots('{ daily: "02:30", keep: 1, s3: { bucket: acme } }'),
      '9:41 qdrant.snapshots.s3.region: is missing',
    ],
    [
      'in a bucket with half a key',
      snapshots('{ daily: "02:30", keep: 1, s3: { bucket: acme, region: a, accessKey: { secret: a, key: b } } }'),
      "9:41 qdrant.snapshots.s3.secretKey: is missing, but accessKey is given; set both, or none for the pod's own identity",
    ],
  ]);
});

describe('a rehearsal', () => {
  const SNAPSHOTS = '  snapshots: { daily: "02:30", keep: 1 }';
  const rehearsal = (text: string) => [...SMALL, SNAPSHOTS, `  rehearsal: ${text}`];

  test('runs as it is said', () => {
    const objects = objectsOf(
      ...rehearsal(
        '{ cron: "7 5 * * 0", storage: 9Gi, storageClass: fast, timeZone: Asia/Tokyo, tolerance: 3, allowEmpty: true, ' +
          'resources: { cpu: 2, memory: 3Gi }, deadline: 90m }',
      ),
    );
    const cronJob = find(objects, 'CronJob', 'qdrant-rehearsal');
    expect(cronJob.spec).toMatchObject({ schedule: '7 5 * * 0', timeZone: 'Asia/Tokyo' });
    expect(cronJob.spec.jobTemplate.spec.activeDeadlineSeconds).toBe(5400);
    expect(env(cronJob, 'REHEARSAL_TOLERANCE_PERCENT')).toBe('3');
    const { containers, volumes } = templateOf(cronJob).spec;
    expect(containers[1].resources.requests).toMatchObject({ cpu: '2', memory: '3Gi' });
    const { ephemeral } = volumes.find(({ name }: Json) => name === 'storage');
    expect(ephemeral.volumeClaimTemplate.spec).toMatchObject({
      storageClassName: 'fast',
      resources: { requests: { storage: '9Gi' } },
    });
    expect(env(cronJob, 'REHEARSAL_ALLOW_EMPTY')).toBe('true');
  });

  expectRefusals(refused, [
    [
      'at no time',
      rehearsal('{ cron: weekly, storage: 1Gi }'),
      '10:16 qdrant.rehearsal.cron: is "weekly", but must be five fields: minute, hour, day, month, weekday',
    ],
    [
      'at a time with seconds',
      rehearsal('{ cron: "0 0 5 * * 0", storage: 1Gi }'),
      '10:16 qdrant.rehearsal.cron: is "0 0 5 * * 0", but must be five fields: minute, hour, day, month, weekday',
    ],
    [
      'that tolerates everything',
      rehearsal('{ cron: "0 5 * * 0", storage: 1Gi, tolerance: 101 }'),
      '10:49 qdrant.rehearsal.tolerance: is 101, but must be from 0 to 100',
    ],
    [
      'of snapshots that nobody takes',
      [...SMALL, '  rehearsal: { cron: "0 5 * * 0", storage: 1Gi }'],
      '9:3 qdrant.rehearsal.of: is qdrant, which takes no snapshots; set its snapshots',
    ],
  ]);
});

describe('a restoration', () => {
  test('is told what it needs', () => {
    const text = '{ before: 2026-03-01T06:00:00Z, overwrite: true, collections: [a, b] }';
    const objects = objectsOf(...SMALL, `  restore: ${text}`);
    expect(variables(objects, 'Job', 'qdrant-restore')).toMatchObject({
      RESTORE_BEFORE: '2026-03-01T06:00:00Z',
      RESTORE_OVERWRITE: 'true',
      QDRANT_COLLECTIONS: 'a,b',
    });
  });

  const restore = (text: string) => [...SMALL, `  restore: ${text}`];

  expectRefusals(refused, [
    [
      'to no time',
      restore('{ before: yesterday }'),
      '9:14 qdrant.restore.before: is "yesterday", but must be a time that exists, such as 2026-03-01T06:00:00Z',
    ],
    [
      'over what is there, again and again',
      restore('{ overwrite: true }'),
      '9:14 qdrant.restore.overwrite: is true without before, so every sync would go back to the newest snapshots ' +
        'again; say from before when',
    ],
    [
      'of nothing',
      restore('{ collections: [] }'),
      '9:14 qdrant.restore.collections: is empty; leave it out for all collections',
    ],
  ]);
});

describe('a drain', () => {
  test('keeps the nodes that it is told', () => {
    const objects = objectsOf(...SMALL, '  nodes: 5', '  drain: { to: 3 }');
    expect(namesOf(objects, 'Job')).toEqual(['qdrant-drain']);
    expect(JSON.stringify(variables(objects, 'Job', 'qdrant-drain'))).toContain('"3"');
    expect(find(objects, 'StatefulSet', 'qdrant').spec.replicas).toBe(5);
  });

  expectRefusals(refused, [
    [
      'to as many as there are',
      [...SMALL, '  nodes: 3', '  drain: { to: 3 }'],
      '10:12 qdrant.drain.to: is 3, but must be at least 1 and less than the number of nodes, which is 3',
    ],
    [
      'to two',
      [...SMALL, '  nodes: 3', '  drain: { to: 2 }'],
      '10:12 qdrant.drain.to: is 2, but two nodes lose their quorum when either is away; keep 1, or 3 or more',
    ],
  ]);
});

describe('a collection', () => {
  const described = (...settings: string[]) => {
    const objects = objectsOf(...SMALL, 'collection:', ...settings.map((setting) => `  ${setting}`));
    const desired = JSON.parse(find(objects, 'ConfigMap', 'collection-bootstrap').data['collection.json']);
    return { objects, desired, first: desired.collections[0] };
  };

  test('gets every setting', () => {
    const { objects, desired, first } = described(
      'name: texts',
      'shards: 7',
      'replicationFactor: 3',
      'writeConsistencyFactor: 2',
      'quantization: binary',
      'onDisk: true',
      'aliases: [documents, passages]',
      'deadline: 45m',
    );
    expect(first).toMatchObject({
      name: 'texts',
      parameters: {
        vectors: { size: 1024, distance: 'Cosine', on_disk: true },
        shard_number: 7,
        replication_factor: 3,
        write_consistency_factor: 2,
        quantization_config: { binary: expect.anything() },
      },
    });
    expect(desired.aliases).toEqual({ documents: ['texts'], passages: ['texts'] });
    expect(find(objects, 'Job', 'collection-bootstrap').spec.activeDeadlineSeconds).toBe(2700);
    expect(variables(objects, 'Deployment', 'api').COLLECTION_NAME).toBe('texts');
  });

  test('has indexes of every kind', () => {
    const kinds = ['keyword', 'tenant', 'integer', 'float', 'bool', 'datetime', 'text', 'uuid', 'geo'];
    const { first } = described('payloadIndexes:', ...kinds.map((kind) => `  a.${kind}: ${kind}`));
    const typeOf = (kind: string) => first.payload_indexes[`a.${kind}`].type ?? first.payload_indexes[`a.${kind}`];
    expect(kinds.map(typeOf)).toEqual(kinds.map((kind) => (kind === 'tenant' ? 'keyword' : kind)));
    expect(first.payload_indexes['a.tenant']).toMatchObject({ type: 'keyword', is_tenant: true });
  });

  test('is strict in every way', () => {
    const { first } = described(
      'strictMode:',
      '  enabled: false',
      '  maxQueryLimit: 1',
      '  maxTimeout: 62s',
      '  unindexedFilteringRetrieve: false',
      '  unindexedFilteringUpdate: true',
      '  searchAllowExact: false',
      '  upsertMaxBatchsize: 3',
      '  readRateLimit: 4',
      '  writeRateLimit: 5',
      '  filterMaxConditions: 6',
      '  maxPointsCount: 7',
    );
    expect(first.parameters.strict_mode_config).toEqual({
      enabled: false,
      max_query_limit: 1,
      max_timeout: 62,
      unindexed_filtering_retrieve: false,
      unindexed_filtering_update: true,
      search_allow_exact: false,
      upsert_max_batchsize: 3,
      read_rate_limit: 4,
      write_rate_limit: 5,
      filter_max_conditions: 6,
      max_points_count: 7,
    });
  });

  test('gets a successor, and what fills it', () => {
    const { objects } = described(
      'name: old',
      'aliases: [documents]',
      'next:',
      '  name: new',
      '  model: BAAI/bge-small-en-v1.5',
      '  backfill:',
      '    image: { repository: ghcr.io/acme/backfill, tag: 1.0.0 }',
      '    command: [python]',
      '    args: [fill.py]',
      '    env: { BATCH: 64, TOKEN: { secret: a, key: b } }',
      '    deadline: 5h',
      '    resources: { cpu: 2, memory: 3Gi }',
    );
    const job = find(objects, 'Job', 'collection-backfill');
    expect(job.spec.activeDeadlineSeconds).toBe(18000);
    expect(mainContainer(job)).toMatchObject({
      image: 'ghcr.io/acme/backfill:1.0.0',
      command: ['python'],
      args: ['fill.py'],
      resources: { requests: { cpu: '2', memory: '3Gi' } },
    });
    expect(variables(objects, 'Job', 'collection-backfill')).toMatchObject({
      BATCH: '64',
      TOKEN: { secretKeyRef: { name: 'a', key: 'b' } },
      TARGET_COLLECTION: 'new',
      EMBEDDING_MODEL: 'BAAI/bge-small-en-v1.5',
    });
  });

  const collection = (text: string) => [...SMALL, `collection: ${text}`];

  expectRefusals(refused, [
    [
      'with a name that is none',
      collection('{ name: "a/b" }'),
      '9:15 collection.name: is "a/b", but must be 1 to 255 letters, digits, "-", "_" and ".", not only dots',
    ],
    [
      'with more copies than nodes',
      collection('{ replicationFactor: 4 }'),
      '9:15 collection.replicationFactor: is 4, but must be a whole number from 1 to 3, the number of nodes',
    ],
    [
      'with an index that there is not',
      collection('{ payloadIndexes: { a: date } }'),
      '9:33 collection.payloadIndexes.a: is "date", but must be one of keyword, tenant, integer, float, bool, datetime, ' +
        'text, uuid, geo',
    ],
    [
      'with a setting of strict mode that there is not',
      collection('{ strictMode: { maxQueryLimits: 1 } }'),
      '9:29 collection.strictMode.maxQueryLimits: is not a setting; did you mean maxQueryLimit?',
    ],
    [
      'with an alias of its own name',
      collection('{ aliases: [documents] }'),
      '9:15 collection.aliases: has "documents", which is the name of a collection; give the alias another',
    ],
    [
      'with a successor of its name',
      collection('{ name: a, aliases: [b], next: { name: a, model: BAAI/bge-m3 } }'),
      '9:46 collection.next.name: is "a", the name of the present collection; give the new one another',
    ],
    [
      'with a successor and no alias',
      collection('{ next: { name: a, model: BAAI/bge-m3 } }'),
      '9:1 collection.aliases: is empty, but next needs one: where it points to says which collection has taken over',
    ],
    [
      'with a successor of a model that is unknown',
      collection('{ aliases: [b], next: { name: a, model: { id: BAAI/bge-m3, maxTokens: 1 } } }'),
      '9:72 collection.next.model.maxTokens: is set without dimensions and maxTokens; a model with facts of its own needs all of them',
    ],
    [
      'with a backfill that may take for ever',
      collection(
        '{ aliases: [b], next: { name: a, model: BAAI/bge-m3, backfill: { image: { repository: a/b, tag: v1 } } } }',
      ),
      '9:66 collection.next.backfill.deadline: is missing',
    ],
  ]);
});
