import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Environment } from '../../charts/environments/environment';
import type { Json, ManifestObject } from '../../constructs/rules/output';
import { argument, variables, waveOf } from '../charts/platforms';
import { find, namesOf } from '../support/manifests';
import { Project } from '../support/project';

const PRODUCTION = resolve(__dirname, '..', '..', 'charts', 'environments', 'production.yaml');
const CLIENTS = ['api', 'embedding-workers'];
const SMALL = 'BAAI/bge-small-en-v1.5';

/** Where the download puts them: the commit that the catalogue names has a folder of its own. */
const BGE_FOLDER = '/models/BAAI/bge-m3@5617a9f61b028005a4858fdac845db406aefb181';
const SMALL_FOLDER = `/models/${SMALL}@5c38ec7c405ec4b44b94cc5a9bb96e735b38267a`;

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'model-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Production with more lines; its own lines stay as they are. */
function production(...lines: string[]) {
  const file = join(folder, 'production.yaml');
  writeFileSync(file, [`extends: ${PRODUCTION}`, ...lines, ''].join('\n'));
  return Environment.read(file).render('production.yaml');
}

/** Everything that the model of an environment decides. */
function modelIn(objects: ManifestObject[], jobs = namesOf(objects, 'Job')) {
  const { collections } = JSON.parse(find(objects, 'ConfigMap', 'collection-bootstrap').data['collection.json']);
  const sizing = find(objects, 'StatefulSet', 'qdrant').metadata.annotations?.['cdk8s-rag/sizing'] ?? '';
  const downloads = jobs.filter((name) => name.startsWith('download-'));
  return {
    server: argument(objects, 'embedder', '--model-id'),
    downloads: downloads.map((name) => variables(objects, 'Job', name).MODEL_ID),
    clients: CLIENTS.map((name) => embedding(objects, 'Deployment', name)),
    vectors: collections.map(({ name, parameters }: Json) => [name, parameters.vectors.size]),
    sizing: /(\d+) dimensions/.exec(sizing)?.[1],
  };
}

/** The facts of the model that a client has, apart from where it is served. */
function embedding(objects: ManifestObject[], kind: string, name: string): Json {
  const { EMBEDDING_MODEL, EMBEDDING_DIMENSIONS, EMBEDDING_MAX_TOKENS, EMBEDDING_QUERY_PREFIX, EMBEDDING_MODEL_PATH } =
    variables(objects, kind, name);
  return [EMBEDDING_MODEL, EMBEDDING_DIMENSIONS, EMBEDDING_MAX_TOKENS, EMBEDDING_QUERY_PREFIX, EMBEDDING_MODEL_PATH];
}

const PREFIX = 'Represent this sentence for searching relevant passages: ';
const OTHERS = ['BAAI/bge-reranker-v2-m3', 'Qwen/Qwen2.5-7B-Instruct'];
const before = production().objects;

describe('one line names the embedding model, and everything follows', () => {
  test('in production as it is', () => {
    const { downloads, ...rest } = modelIn(before);
    expect(downloads.sort()).toEqual(['BAAI/bge-m3', ...OTHERS]);
    expect(rest).toEqual({
      server: BGE_FOLDER,
      clients: [
        ['BAAI/bge-m3', '1024', '8192', undefined, undefined],
        ['BAAI/bge-m3', '1024', '8192', undefined, BGE_FOLDER],
      ],
      vectors: [['documents-bge-m3', 1024]],
      sizing: '1024',
    });
  });

  test('when it is another: the server, the download, workers, API, collection and sizing', () => {
    const { downloads, ...rest } = modelIn(production(`embeddingModel: ${SMALL}`).objects);
    expect(downloads.sort()).toEqual([OTHERS[0], SMALL, OTHERS[1]]);
    expect(rest).toEqual({
      server: SMALL_FOLDER,
      clients: [
        [SMALL, '384', '512', PREFIX, undefined],
        [SMALL, '384', '512', PREFIX, SMALL_FOLDER],
      ],
      vectors: [['documents-bge-m3', 384]],
      sizing: '384',
    });
  });

  test('and nothing of the old one is left but the name of the collection', () => {
    const { objects } = production(`embeddingModel: ${SMALL}`, 'collection: { name: documents-small }');
    // Programs may name a model as an example in their comments.
    const named = objects.filter(
      ({ kind, metadata }) => kind !== 'ConfigMap' || metadata.name === 'collection-bootstrap',
    );
    const text = JSON.stringify(named.map(({ data, ...object }) => ({ ...object, data: data?.['collection.json'] })));
    expect(text).not.toMatch(/bge-m3/);
    expect(text).toContain('bge-small-en-v1.5');
  });
});

describe('another model over what is rendered', () => {
  const way =
    'keep the model, set next to a collection of another name with the new model, have it filled, and then set ' +
    'next.switched';

  test('is refused, with the way out', () => {
    const [problem, ...more] = production(`embeddingModel: ${SMALL}`).changeProblems(before);
    expect(more).toEqual([]);
    expect(problem).toMatch(
      /ConfigMap rag-production\/collection-bootstrap: collection "documents-bge-m3" holds vectors of 1024 dimensions compared by Cosine of BAAI\/bge-m3, and the model makes vectors of 384 dimensions compared by Cosine of BAAI\/bge-small-en-v1\.5, which a collection can never change to; /,
    );
    expect(problem).toContain(way);
  });

  test('is refused before a byte is written, by the program that renders', () => {
    const project = new Project();
    try {
      project.changeEnvironment('_base.yaml', 'embeddingModel: BAAI/bge-m3', `embeddingModel: ${SMALL}`);
      const { status, stderr } = project.main();
      expect(status).toBe(1);
      // Each of the three environments has a collection.
      expect(stderr.split(way)).toHaveLength(4);
    } finally {
      project.remove();
    }
  });

  test('is refused when it is of the same size and distance too', () => {
    expect(production('embeddingModel: intfloat/multilingual-e5-large').changeProblems(before)).toEqual([
      expect.stringContaining(
        'of BAAI/bge-m3, and the model makes vectors of 1024 dimensions compared by Cosine of ' +
          'intfloat/multilingual-e5-large, which a collection can never change to',
      ),
    ]);
  });
});

describe('the way to another model', () => {
  const next = (...more: string[]) => [
    // Both models are served for a while, so there are two more GPUs.
    'cluster:',
    '  nodePools:',
    '    - { name: general, nodes: 12 }',
    '    - { name: gpu-ingestion, nodes: 8, accelerator: nvidia-l4 }',
    '    - { name: gpu-serving, nodes: 10, accelerator: nvidia-l4 }',
    'collection:',
    '  next:',
    '    name: documents-small',
    `    model: ${SMALL}`,
    ...more.map((line) => `    ${line}`),
  ];
  const DIGEST = `sha256:${'ab'.repeat(32)}`;
  const BACKFILL = `backfill: { image: { repository: a/b, tag: 1.0.0, digest: ${DIGEST} }, deadline: 6h }`;
  const filling = production(...next(BACKFILL));
  const switched = production(...next(BACKFILL, 'switched: true'));
  const done = production(`embeddingModel: ${SMALL}`, 'collection: { name: documents-small }');

  test('first fills the new collection with a server of its own, and leaves clients alone', () => {
    const { objects } = filling;
    expect(filling.changeProblems(before)).toEqual([]);
    expect(namesOf(objects, 'Job').sort()).toEqual([
      'collection-backfill',
      'collection-bootstrap',
      'download-bge-m3',
      'download-bge-reranker-v2-m3',
      'download-bge-small-en-v1-5',
      'download-qwen2-5-7b-instruct',
      'migration',
    ]);
    expect(argument(objects, 'next-embedder', '--model-id')).toBe(SMALL_FOLDER);
    expect(variables(objects, 'Job', 'collection-backfill')).toMatchObject({
      SOURCE_COLLECTION: 'documents-bge-m3',
      TARGET_COLLECTION: 'documents-small',
      EMBEDDING_MODEL: SMALL,
      EMBEDDING_DIMENSIONS: '384',
      EMBEDDING_URL: 'http://next-embedder:8080/v1',
    });
    expect(modelIn(objects).vectors).toEqual([
      ['documents-bge-m3', 1024],
      ['documents-small', 384],
    ]);
    for (const name of CLIENTS) {
      expect(find(objects, 'Deployment', name).spec).toEqual(find(before, 'Deployment', name).spec);
    }
    expect(find(objects, 'Deployment', 'embedder').spec).toEqual(find(before, 'Deployment', 'embedder').spec);
  });

  test('then switches the alias, and after that the clients', () => {
    const { objects } = switched;
    expect(switched.changeProblems(filling.objects)).toEqual([]);
    expect(namesOf(objects, 'Job')).toContain('collection-switch');
    expect(namesOf(objects, 'Job')).not.toContain('collection-backfill');
    expect(variables(objects, 'Job', 'collection-switch')).toMatchObject({
      SOURCE_COLLECTION: 'documents-bge-m3',
      TARGET_COLLECTION: 'documents-small',
      ALIASES: 'documents',
    });
    const { server, clients } = modelIn(objects);
    // Pods of the last rollout still use the old one.
    expect(server).toBe(BGE_FOLDER);
    expect(argument(objects, 'next-embedder', '--model-id')).toBe(SMALL_FOLDER);
    expect(variables(objects, 'Deployment', 'api').EMBEDDING_URL).toBe('http://next-embedder:8080/v1');
    expect(clients.map(([model, dimensions]: Json) => [model, dimensions])).toEqual([
      [SMALL, '384'],
      [SMALL, '384'],
    ]);
    for (const name of CLIENTS) {
      expect(variables(objects, 'Deployment', name).COLLECTION_NAME).toBe('documents-small');
      expect(waveOf(objects, 'Deployment', name)).toBeGreaterThan(waveOf(objects, 'Job', 'collection-switch'));
    }
  });

  test('and ends where a new platform of that model would begin', () => {
    expect(done.changeProblems(switched.objects)).toEqual([]);
    expect(namesOf(done.objects, 'Job')).not.toContain('collection-switch');
    // But for the server, which has its old name again.
    for (const name of CLIENTS) {
      const [last, first] = [done, switched].map(({ objects }) => variables(objects, 'Deployment', name));
      const elsewhere = { EMBEDDING_URL: undefined, EMBEDDING_SERVER_URL: undefined };
      expect({ ...last, ...elsewhere }).toEqual({ ...first, ...elsewhere });
    }
    expect(variables(done.objects, 'Deployment', 'api').EMBEDDING_URL).toBe('http://embedder:8080/v1');
    expect(argument(done.objects, 'embedder', '--model-id')).toBe(SMALL_FOLDER);
  });
});
