import { Duration, Size } from 'cdk8s';
import type { RagPlatformProps } from '../../charts/rag-platform';
import { ChatModel } from '../../constructs/models/chat-model';
import { EmbeddingModel } from '../../constructs/models/embedding-model';
import { ExternalModel } from '../../constructs/models/external-model';
import { ModelSource } from '../../constructs/models/model-source';
import { RerankModel } from '../../constructs/models/rerank-model';
import { Accelerator } from '../../constructs/placement/accelerator';
import { SecretKey } from '../../constructs/secrets/secret-key';
import { find, mainContainer, namesOf, templateOf } from '../support/manifests';
import { IMAGE } from '../support/values';
import { argument, objectsOf, platform, reachedBy, SHARING, variables, waveOf } from './platforms';

const BGE = EmbeddingModel.BGE_M3;
const WORKERS: RagPlatformProps['embeddingWorkers'] = { image: IMAGE };
const ON_GPU: RagPlatformProps['embeddingWorkers'] = { image: IMAGE, accelerator: Accelerator.NVIDIA_L4 };
const RERANKER = { model: RerankModel.BGE_RERANKER_V2_M3 };
const LLM = { model: ChatModel.QWEN2_5_7B, accelerator: Accelerator.NVIDIA_L4 };
const KEY = SecretKey.of('openai', 'api-key');
const CIDRS = ['203.0.113.0/24'];
const VOLUME = { volume: { size: Size.gibibytes(100) } };

/** A hosted model, at a known address. */
function hosted(_: unknown, model: EmbeddingModel): ExternalModel {
  return ExternalModel.openAi({ model, apiKey: KEY, cidrs: CIDRS });
}

/** The variables of API or workers that begin like this. */
function told(props: Partial<RagPlatformProps>, name: string, prefix: string): { [name: string]: unknown } {
  const all = Object.entries(variables(objectsOf(props), 'Deployment', name));
  return Object.fromEntries(all.filter(([variable]) => variable.startsWith(prefix)));
}

/** The commit that the catalogue names. */
const COMMIT = '5617a9f61b028005a4858fdac845db406aefb181';

const FACTS = {
  EMBEDDING_MODEL: 'BAAI/bge-m3',
  EMBEDDING_REVISION: COMMIT,
  EMBEDDING_DIMENSIONS: '1024',
  EMBEDDING_MAX_TOKENS: '8192',
  EMBEDDING_NORMALISED: 'true',
};

describe('the API uses', () => {
  test('nothing but the database, when nothing is said of models', () => {
    expect(reachedBy(objectsOf(), 'api')).toEqual(['qdrant']);
    expect(told({}, 'api', 'EMBEDDING')).toEqual({});
  });

  test('nobody for a model that it computes with itself, of which it knows the facts', () => {
    expect(reachedBy(objectsOf({ embeddingModel: BGE }), 'api')).toEqual(['qdrant']);
    expect(told({ embeddingModel: BGE }, 'api', 'EMBEDDING')).toEqual(FACTS);
  });

  test('the servers of questions, ranks and answers, and not that of documents', () => {
    const props = { embeddingModel: BGE, embedder: {}, ingestionEmbedder: {}, reranker: RERANKER, llm: LLM };
    const objects = objectsOf(props);
    expect(reachedBy(objects, 'api').sort()).toEqual(['embedder', 'llm', 'qdrant', 'reranker']);
    const env = variables(objects, 'Deployment', 'api');
    expect(env).toMatchObject({
      ...FACTS,
      EMBEDDING_URL: 'http://embedder:8080/v1',
      RERANKER_URL: 'http://reranker:8080/rerank',
      RERANKER_MODEL: 'BAAI/bge-reranker-v2-m3',
      RERANKER_SERVER_URL: 'http://reranker:8080',
      LLM_URL: 'http://llm:8000/v1',
      LLM_SERVER_URL: 'http://llm:8000',
      LLM_MODEL: 'Qwen/Qwen2.5-7B-Instruct',
      LLM_CONTEXT_TOKENS: '8192',
    });
  });

  test('hosted models, from functions', () => {
    const objects = objectsOf({
      embeddingModel: EmbeddingModel.OPENAI_3_SMALL,
      embedder: hosted,
      llm: () => ExternalModel.compatible({ model: ChatModel.QWEN3_8B, url: 'https://llm.acme.example/v1' }),
      reranker: () =>
        ExternalModel.voyage({ model: RerankModel.of({ id: 'rerank-2.5', maxTokens: 32000 }), apiKey: KEY }),
    });
    expect(reachedBy(objects, 'api')).toContain('203.0.113.0/24');
    expect(variables(objects, 'Deployment', 'api')).toMatchObject({
      EMBEDDING_URL: 'https://api.openai.com/v1',
      EMBEDDING_MODEL: 'text-embedding-3-small',
      EMBEDDING_DIMENSIONS: '1536',
      EMBEDDING_API_KEY: { secretKeyRef: { name: 'openai', key: 'api-key' } },
      LLM_URL: 'https://llm.acme.example/v1',
      RERANKER_URL: 'https://api.voyageai.com/v1',
    });
    expect(namesOf(objects, 'Deployment')).toEqual(['api']);
  });

  test('what functions make with the scope of the platform and its model, once', () => {
    const embedder = jest.fn(hosted);
    const model = EmbeddingModel.OPENAI_3_LARGE;
    const made = platform({ embeddingModel: model, embedder });
    expect(embedder.mock.calls).toEqual([[made, model]]);
    expect(made.models.embedder).toBe(embedder.mock.results[0]?.value);
  });

  test('servers that are ready before it starts', () => {
    const objects = objectsOf({ embeddingModel: BGE, embedder: {} });
    expect(waveOf(objects, 'Deployment', 'api')).toBeGreaterThan(waveOf(objects, 'Deployment', 'embedder'));
  });
});

describe('the workers use', () => {
  const make = (props: Partial<RagPlatformProps>) =>
    objectsOf({ embeddingModel: BGE, embeddingWorkers: WORKERS, ...props });

  test('nobody and know the facts, when there is no server', () => {
    const objects = make({});
    expect(reachedBy(objects, 'embedding-workers')).toEqual(['qdrant']);
    expect(variables(objects, 'Deployment', 'embedding-workers')).toMatchObject(FACTS);
    expect(variables(objects, 'Deployment', 'embedding-workers')).not.toHaveProperty('HF_HOME');
  });

  test('the server of questions, when there is no other', () => {
    const objects = make({ embedder: {} });
    expect(reachedBy(objects, 'embedding-workers').sort()).toEqual(['embedder', 'qdrant']);
    expect(variables(objects, 'Deployment', 'embedding-workers')).toMatchObject({
      ...FACTS,
      EMBEDDING_URL: 'http://embedder:8080/v1',
    });
  });

  test('the server of documents, when there is one, and never that of ranks and answers', () => {
    const objects = make({ embedder: {}, ingestionEmbedder: {}, reranker: RERANKER, llm: LLM });
    expect(reachedBy(objects, 'embedding-workers').sort()).toEqual(['ingestion-embedder', 'qdrant']);
    const env = variables(objects, 'Deployment', 'embedding-workers');
    expect(env.EMBEDDING_URL).toBe('http://ingestion-embedder:8080/v1');
    expect(Object.keys(env).filter((name) => /^(LLM|RERANKER)_/.test(name))).toEqual([]);
  });

  test('their own accelerator, with the model from the hub', () => {
    const objects = make({ embedder: {}, embeddingWorkers: ON_GPU });
    expect(reachedBy(objects, 'embedding-workers')).not.toContain('embedder');
    const env = variables(objects, 'Deployment', 'embedding-workers');
    expect(env).toMatchObject({ ...FACTS, HF_HOME: '/models' });
    expect(env).not.toHaveProperty('EMBEDDING_URL');
    expect(env).not.toHaveProperty('EMBEDDING_MODEL_PATH');
  });

  test('their own accelerator, with the model from the volume, after its download', () => {
    const objects = make({ embedder: {}, embeddingWorkers: ON_GPU, models: VOLUME, cluster: SHARING });
    const env = variables(objects, 'Deployment', 'embedding-workers');
    expect(env).toMatchObject({ ...FACTS, EMBEDDING_MODEL_PATH: `/models/BAAI/bge-m3@${COMMIT}`, HF_HUB_OFFLINE: '1' });
    expect(reachedBy(objects, 'embedding-workers')).toEqual(['qdrant']);
    const download = waveOf(objects, 'Job', 'download-bge-m3');
    expect(waveOf(objects, 'Deployment', 'embedding-workers')).toBeGreaterThan(download);
    expect(namesOf(objects, 'Job')).toEqual(['download-bge-m3']);
  });

  test('a server for documents rather than their own accelerator, and download nothing then', () => {
    const objects = make({ ingestionEmbedder: {}, embeddingWorkers: ON_GPU });
    expect(reachedBy(objects, 'embedding-workers').sort()).toEqual(['ingestion-embedder', 'qdrant']);
    expect(variables(objects, 'Deployment', 'embedding-workers')).not.toHaveProperty('HF_HOME');
    const { volumes } = templateOf(find(objects, 'Deployment', 'embedding-workers')).spec;
    expect(volumes.map(({ name }: { name: string }) => name)).not.toContain('models');
  });

  test('what their image has, when nobody knows how large the model is', () => {
    const embeddingModel = EmbeddingModel.of({ id: 'acme/embed', dimensions: 8, maxTokens: 8 });
    const env = variables(make({ embeddingModel, embeddingWorkers: ON_GPU }), 'Deployment', 'embedding-workers');
    expect(env.EMBEDDING_MODEL).toBe('acme/embed');
    expect(env).not.toHaveProperty('HF_HOME');
  });

  test('the service of a model that is only hosted, whatever accelerator they have', () => {
    const objects = make({
      embeddingModel: EmbeddingModel.OPENAI_3_SMALL,
      embedder: hosted,
      embeddingWorkers: ON_GPU,
    });
    expect(variables(objects, 'Deployment', 'embedding-workers')).toMatchObject({
      EMBEDDING_MODEL: 'text-embedding-3-small',
      EMBEDDING_URL: 'https://api.openai.com/v1',
    });
  });

  test('a model of their own, when they say so', () => {
    const own = { ...ON_GPU, modelSource: ModelSource.IMAGE };
    const env = variables(make({ embeddingWorkers: own }), 'Deployment', 'embedding-workers');
    expect(env).toMatchObject(FACTS);
    expect(env).not.toHaveProperty('HF_HOME');
  });
});

describe('models', () => {
  const both = { embeddingModel: BGE, embedder: {}, ingestionEmbedder: {} };

  test('come from huggingface.co to every pod, unless told otherwise', () => {
    const objects = objectsOf(both);
    expect(variables(objects, 'Deployment', 'embedder').HF_HOME).toBe('/models');
    expect(argument(objects, 'embedder', '--model-id')).toBe('BAAI/bge-m3');
    expect(namesOf(objects, 'Job')).toEqual([]);
    expect(namesOf(objects, 'PersistentVolumeClaim')).toEqual([]);
  });

  test('come from another hub', () => {
    const token = SecretKey.of('hub', 'token');
    const objects = objectsOf({
      ...both,
      models: { hub: { url: 'https://models.acme.example', cidrs: CIDRS, token } },
    });
    for (const name of ['embedder', 'ingestion-embedder']) {
      expect(variables(objects, 'Deployment', name)).toMatchObject({
        HF_ENDPOINT: 'https://models.acme.example',
        HF_TOKEN: { secretKeyRef: { name: 'hub', key: 'token' } },
      });
      expect(reachedBy(objects, name)).toEqual(CIDRS);
    }
  });

  test('of two servers are downloaded once into the volume, before both start', () => {
    const objects = objectsOf({
      ...both,
      cluster: SHARING,
      models: { ...VOLUME, hub: { url: 'https://m.acme.example', cidrs: CIDRS } },
    });
    expect(namesOf(objects, 'Job')).toEqual(['download-bge-m3']);
    expect(variables(objects, 'Job', 'download-bge-m3')).toMatchObject({
      MODEL_ID: 'BAAI/bge-m3',
      MODEL_REVISION: COMMIT,
      HF_ENDPOINT: 'https://m.acme.example',
    });
    expect(reachedBy(objects, 'download-bge-m3')).toEqual(CIDRS);
    for (const name of ['embedder', 'ingestion-embedder']) {
      expect(argument(objects, name, '--model-id')).toBe(`/models/BAAI/bge-m3@${COMMIT}`);
      expect(reachedBy(objects, name)).toEqual([]);
      expect(waveOf(objects, 'Deployment', name)).toBeGreaterThan(waveOf(objects, 'Job', 'download-bge-m3'));
    }
    const claim = find(objects, 'PersistentVolumeClaim', 'models');
    expect(claim.spec).toMatchObject({
      accessModes: ['ReadWriteMany'],
      storageClassName: 'files',
      resources: { requests: { storage: '100Gi' } },
    });
  });

  test('of a server that has a source of its own are not downloaded', () => {
    const embedder = { source: ModelSource.IMAGE };
    const objects = objectsOf({ embeddingModel: BGE, embedder, models: VOLUME, cluster: SHARING });
    expect(namesOf(objects, 'Job')).toEqual([]);
  });

  test('of all servers have a Job each, named like them', () => {
    const objects = objectsOf({ ...both, reranker: RERANKER, llm: LLM, models: VOLUME, cluster: SHARING });
    expect(namesOf(objects, 'Job').sort()).toEqual([
      'download-bge-m3',
      'download-bge-reranker-v2-m3',
      'download-qwen2-5-7b-instruct',
    ]);
  });

  test('of one name by two authors have two Jobs', () => {
    const model = ChatModel.of({ id: 'Acme_AI/bge-m3', contextTokens: 2048, profile: BGE.profile });
    const objects = objectsOf({
      embeddingModel: BGE,
      embedder: {},
      llm: { ...LLM, model },
      models: VOLUME,
      cluster: SHARING,
    });
    expect(namesOf(objects, 'Job').sort()).toEqual(['download-acme-ai-bge-m3', 'download-bge-m3']);
    expect(mainContainer(find(objects, 'Deployment', 'llm')).args[0]).toBe('/models/Acme_AI/bge-m3');
  });

  test('of very long names have Jobs with names that are not too long', () => {
    const id = `acme/${'long-'.repeat(20)}name`;
    const embeddingModel = EmbeddingModel.of({ id, dimensions: 8, maxTokens: 8, profile: BGE.profile });
    const objects = objectsOf({ embeddingModel, embedder: {}, models: VOLUME, cluster: SHARING });
    expect(namesOf(objects, 'Job')).toEqual([`download-${'long-'.repeat(10).slice(0, -1)}`]);
  });

  test('of one name at two commits have two Jobs, and each server its own', () => {
    const next = { name: 'new', model: BGE.at('c0ffee') };
    const collection = { aliases: ['documents'], name: 'old', next };
    const objects = objectsOf({ ...both, collection, models: VOLUME, cluster: SHARING });
    const jobs = namesOf(objects, 'Job').filter((name) => name.startsWith('download-'));
    expect(jobs.map((name) => variables(objects, 'Job', name).MODEL_REVISION)).toEqual([COMMIT, 'c0ffee']);
    const [present, coming] = ['embedder', 'next-embedder'].map((name) => argument(objects, name, '--model-id'));
    expect(present).toBe(argument(objects, 'ingestion-embedder', '--model-id'));
    expect(coming).not.toBe(present);
  });

  test('of one name by two authors, one of them at two commits, have three Jobs', () => {
    const llm = { ...LLM, model: ChatModel.of({ id: 'acme/bge-m3', contextTokens: 2048, profile: BGE.profile }) };
    const next = { name: 'new', model: BGE.at('c0ffee') };
    const collection = { aliases: ['documents'], name: 'old', next };
    const objects = objectsOf({ ...both, llm, collection, models: VOLUME, cluster: SHARING });
    const jobs = namesOf(objects, 'Job').filter((name) => name.startsWith('download-'));
    expect(new Set(jobs.map((name) => variables(objects, 'Job', name).MODEL_ID))).toEqual(
      new Set(['BAAI/bge-m3', 'acme/bge-m3']),
    );
    expect(jobs).toHaveLength(3);
  });

  test('at a commit are asked for at that commit, by Jobs and by servers without volume', () => {
    const embeddingModel = BGE.at('c0ffee');
    const shared = objectsOf({ embeddingModel, embedder: {}, models: VOLUME, cluster: SHARING });
    expect(variables(shared, 'Job', 'download-bge-m3').MODEL_REVISION).toBe('c0ffee');
    expect(argument(shared, 'embedder', '--revision')).toBeUndefined();
    const alone = objectsOf({ embeddingModel, embedder: {} });
    expect(argument(alone, 'embedder', '--revision')).toBe('c0ffee');
  });

  test('that need a token are refused without one, downloaded or not', () => {
    const llm = { ...LLM, model: ChatModel.LLAMA_3_1_8B };
    const problem =
      'has no token, but meta-llama/Llama-3.1-8B-Instruct is given to accounts that have accepted its licence only; ' +
      "give it a token of the hub's, as ModelSource.hub({ token }) does";
    expect(() => platform({ llm })).toThrow(new Error(`rag/llm: source ${problem}`));
    expect(() => platform({ llm, models: VOLUME, cluster: SHARING })).toThrow(new Error(`rag: models.hub ${problem}`));
    const token = SecretKey.of('hub', 'token');
    expect(() => objectsOf({ llm, models: { hub: { token } } })).not.toThrow();
  });
});

describe('a model that is only hosted', () => {
  const model = EmbeddingModel.OPENAI_3_SMALL;
  const lack = (setting: string, state = 'is missing') =>
    `rag: ${setting} ${state}, but nothing here can compute with text-embedding-3-small, which is only hosted; name the ` +
    `service that has it, ${setting}.external in an environment file and a function that makes an ExternalModel ` +
    'elsewhere, or take another model';

  test.each<[string, Partial<RagPlatformProps>, string]>([
    ['left to the API', {}, lack('embedder')],
    ['left to workers', { ingestionEmbedder: hosted, embeddingWorkers: ON_GPU }, lack('embedder')],
    ['of a server', { embedder: {} }, lack('embedder', 'is a server in the cluster')],
    [
      'of a server of documents',
      { embedder: hosted, ingestionEmbedder: {} },
      lack('ingestionEmbedder', 'is a server in the cluster'),
    ],
  ])('%s is refused', (_, props, problem) => {
    expect(() => platform({ embeddingModel: model, ...props })).toThrow(new Error(problem));
  });

  test('that takes over needs its service too', () => {
    const collection = { name: 'old', aliases: ['documents'], next: { name: 'new', model } };
    const lacking = lack('collection.next.embedder');
    expect(() => platform({ embeddingModel: BGE, collection })).toThrow(new Error(lacking));
    expect(() => platform({ embeddingModel: BGE, embedder: {}, collection })).toThrow(new Error(lacking));
    const next = { ...collection.next, embedder: {} };
    expect(() => platform({ embeddingModel: BGE, embedder: {}, collection: { ...collection, next } })).toThrow(
      new Error(lack('collection.next.embedder', 'is a server in the cluster')),
    );
  });
});

test('a model that a service refuses is refused where it is named', () => {
  expect(() => platform({ embeddingModel: BGE, embedder: hosted })).toThrow(
    /^rag: embeddingModel is BAAI\/bge-m3, the name of a model in a hub, but OpenAI has its own/,
  );
  const next = { name: 'new', model: BGE, embedder: hosted };
  const collection = { name: 'old', aliases: ['documents'], next };
  expect(() => platform({ embeddingModel: EmbeddingModel.BGE_SMALL_EN_V1_5, collection })).toThrow(
    /^rag: collection\.next\.model is BAAI\/bge-m3, the name of a model in a hub/,
  );
});

describe('a server without a model', () => {
  test.each<[string, Partial<RagPlatformProps>]>([
    ['of questions', { embedder: {} }],
    ['of documents', { ingestionEmbedder: {} }],
    ['of questions from a function', { embedder: hosted }],
  ])('%s is refused', (_, props) => {
    expect(() => platform(props)).toThrow(
      new Error('rag: embeddingModel is missing, so nobody knows what to serve; name the model'),
    );
  });
});

describe('the longest request of the server of answers', () => {
  const served = (props: Partial<RagPlatformProps>) => {
    const objects = objectsOf({ llm: LLM, ...props });
    const { terminationGracePeriodSeconds: grace } = templateOf(find(objects, 'Deployment', 'llm')).spec;
    return [argument(objects, 'llm', '--shutdown-timeout'), grace];
  };

  test('is its own 4 minutes when nothing is said', () => {
    expect(served({})).toEqual(['240', 265]);
  });

  test('is the longest answer of the API', () => {
    expect(served({ api: { image: IMAGE, longestAnswer: Duration.minutes(10) } })).toEqual(['600', 625]);
    expect(served({ api: { image: IMAGE, longestAnswer: Duration.seconds(45) } })).toEqual(['45', 70]);
  });

  test('is what a function is told, where it is said', () => {
    const llm = jest.fn(() =>
      ExternalModel.compatible({ model: ChatModel.QWEN3_8B, url: 'https://llm.acme.example/v1' }),
    );
    const longestAnswer = Duration.minutes(10);
    objectsOf({ llm });
    objectsOf({ llm, api: { image: IMAGE, longestAnswer } });
    expect(llm.mock.calls).toEqual([
      [expect.anything(), undefined],
      [expect.anything(), longestAnswer],
    ]);
  });

  test('is what is said of it', () => {
    const llm = { ...LLM, longestRequest: Duration.minutes(2) };
    expect(served({ llm, api: { image: IMAGE, longestAnswer: Duration.minutes(10) } })).toEqual(['120', 145]);
  });
});
