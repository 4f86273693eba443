import { ChatModel } from '../../../constructs/models/chat-model';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { CHAT_MODELS, EMBEDDING_MODELS, RERANK_MODELS } from '../../../constructs/models/model-catalogue';
import { RerankModel } from '../../../constructs/models/rerank-model';

/** Id, dimensions, tokens and GB in 16 bits, as the model cards and the documentation of OpenAI state them. */
const EMBEDDINGS: [keyof typeof EMBEDDING_MODELS, string, number, number, number | undefined][] = [
  ['BGE_M3', 'BAAI/bge-m3', 1024, 8192, 1.1],
  ['BGE_LARGE_EN_V1_5', 'BAAI/bge-large-en-v1.5', 1024, 512, 0.7],
  ['BGE_SMALL_EN_V1_5', 'BAAI/bge-small-en-v1.5', 384, 512, 0.1],
  ['MULTILINGUAL_E5_LARGE', 'intfloat/multilingual-e5-large', 1024, 512, 1.1],
  ['NOMIC_EMBED_TEXT_V1_5', 'nomic-ai/nomic-embed-text-v1.5', 768, 8192, 0.3],
  ['QWEN3_EMBEDDING_0_6B', 'Qwen/Qwen3-Embedding-0.6B', 1024, 32768, 1.2],
  ['ALL_MINILM_L6_V2', 'sentence-transformers/all-MiniLM-L6-v2', 384, 256, 0],
  ['OPENAI_3_SMALL', 'text-embedding-3-small', 1536, 8191, undefined],
  ['OPENAI_3_LARGE', 'text-embedding-3-large', 3072, 8191, undefined],
];

/** Id, context, whether it is gated, GB in 16 bits and KiB of a token's keys and values, by config.json. */
const CHATS: [keyof typeof CHAT_MODELS, string, number, boolean, number, number][] = [
  ['LLAMA_3_1_8B', 'meta-llama/Llama-3.1-8B-Instruct', 131072, true, 16, 128],
  ['LLAMA_3_3_70B', 'meta-llama/Llama-3.3-70B-Instruct', 131072, true, 141, 320],
  ['MISTRAL_7B_V0_3', 'mistralai/Mistral-7B-Instruct-v0.3', 32768, false, 15, 128],
  ['QWEN2_5_7B', 'Qwen/Qwen2.5-7B-Instruct', 32768, false, 15, 56],
  ['QWEN2_5_14B', 'Qwen/Qwen2.5-14B-Instruct', 32768, false, 30, 192],
  ['QWEN2_5_32B', 'Qwen/Qwen2.5-32B-Instruct', 32768, false, 66, 256],
  ['QWEN3_8B', 'Qwen/Qwen3-8B', 32768, false, 16, 144],
];

const RERANKERS: [keyof typeof RERANK_MODELS, string, number][] = [
  ['BGE_RERANKER_V2_M3', 'BAAI/bge-reranker-v2-m3', 8192],
  ['BGE_RERANKER_LARGE', 'BAAI/bge-reranker-large', 512],
];

test('every model of the catalogue is in these tests', () => {
  expect(EMBEDDINGS.map(([name]) => name)).toEqual(Object.keys(EMBEDDING_MODELS));
  expect(CHATS.map(([name]) => name)).toEqual(Object.keys(CHAT_MODELS));
  expect(RERANKERS.map(([name]) => name)).toEqual(Object.keys(RERANK_MODELS));
});

test('every model that a server can load names its commit', () => {
  const models = [EMBEDDING_MODELS, CHAT_MODELS, RERANK_MODELS].flatMap((kind) => Object.values<object>(kind));
  const commits = models.filter((model) => 'profile' in model).map((model) => 'revision' in model && model.revision);
  for (const commit of commits) {
    expect(commit).toMatch(/^[0-9a-f]{40}$/);
  }
  expect(new Set(commits).size).toBe(16);
});

test.each(EMBEDDINGS)('EmbeddingModel.%s', (name, id, dimensions, maxTokens, gigabytes) => {
  const model = EmbeddingModel[name];
  expect(model).toMatchObject({ id, dimensions, maxTokens });
  if (gigabytes === undefined) {
    expect(model.profile).toBeUndefined();
  } else {
    expect(model.profile?.weightsGb).toBeCloseTo(gigabytes, 1);
    expect(model.profile?.keyValuesPerToken).toBeUndefined();
  }
  expect(EmbeddingModel.named(id)).toEqual(model);
});

test.each(CHATS)('ChatModel.%s', (name, id, contextTokens, gated, gigabytes, kibibytes) => {
  const model = ChatModel[name];
  expect(model).toMatchObject({ id, contextTokens, gated });
  expect(Math.round(model.profile?.weightsGb ?? 0)).toBe(gigabytes);
  expect(((model.profile?.keyValuesPerToken ?? 0) * 2) / 1024).toBe(kibibytes);
  expect(ChatModel.named(id)).toEqual(model);
});

test.each(RERANKERS)('RerankModel.%s', (name, id, maxTokens) => {
  const model = RerankModel[name];
  expect(model).toMatchObject({ id, maxTokens });
  expect(model.profile?.weightsGb).toBeCloseTo(1.1, 1);
  expect(RerankModel.named(id)).toEqual(model);
});

test('encoders are published in 32 bits, but for those that are not', () => {
  expect(EmbeddingModel.BGE_M3.profile?.filesGb).toBeCloseTo(2.27, 2);
  expect(RerankModel.BGE_RERANKER_V2_M3.profile?.filesGb).toBeCloseTo(2.27, 2);
  expect(EmbeddingModel.QWEN3_EMBEDDING_0_6B.profile?.filesGb).toBeCloseTo(1.19, 2);
  expect(ChatModel.QWEN2_5_7B.profile?.filesGb).toBe(ChatModel.QWEN2_5_7B.profile?.weightsGb);
});

describe('what is put before a text', () => {
  const prefixesOf = (model: EmbeddingModel) => {
    const { X_QUERY_PREFIX: query, X_DOCUMENT_PREFIX: document } = model.env('X');
    return [query, document].map((value) => value?._render('').value);
  };

  test.each([
    ['BGE_M3', undefined, undefined],
    ['BGE_LARGE_EN_V1_5', 'Represent this sentence for searching relevant passages: ', undefined],
    ['BGE_SMALL_EN_V1_5', 'Represent this sentence for searching relevant passages: ', undefined],
    ['MULTILINGUAL_E5_LARGE', 'query: ', 'passage: '],
    ['NOMIC_EMBED_TEXT_V1_5', 'search_query: ', 'search_document: '],
    ['ALL_MINILM_L6_V2', undefined, undefined],
    ['OPENAI_3_SMALL', undefined, undefined],
  ] as const)('for %s is what it was trained with', (name, query, document) => {
    expect(prefixesOf(EmbeddingModel[name])).toEqual([query, document]);
  });
});

describe('a model that is not listed', () => {
  const listed = (models: object) =>
    Object.values(models)
      .map(({ id }) => id)
      .join(', ');

  test.each([
    ['for embeddings', EmbeddingModel, EMBEDDING_MODELS, 'id, dimensions and maxTokens'],
    ['for text', ChatModel, CHAT_MODELS, 'id and contextTokens, and profile unless it is external'],
    ['for ranking', RerankModel, RERANK_MODELS, 'id and maxTokens, and profile unless it is external'],
  ])('%s is refused with those that are, and what to say of it instead', (_, kind, models, needed) => {
    for (const id of ['acme/own', '', 'toString']) {
      expect(() => kind.named(id)).toThrow(
        new Error(`model is "${id}", which is not in the catalogue (${listed(models)}); say ${needed}`),
      );
    }
  });

  test.each([
    ['BAAI/bge-m4', 'BAAI/bge-m3'],
    ['baai/BGE-M3', 'BAAI/bge-m3'],
    ['bge-m3', 'BAAI/bge-m3'],
    ['acme/all-minilm-l6-v2', 'sentence-transformers/all-MiniLM-L6-v2'],
    ['text-embeding-3-small', 'text-embedding-3-small'],
  ])('%s is refused with the one that was probably meant', (id, meant) => {
    expect(() => EmbeddingModel.named(id)).toThrow(
      new Error(
        `model is "${id}", which is not in the catalogue; did you mean ${meant}? otherwise say id, dimensions and maxTokens`,
      ),
    );
  });
});
