import { similarTo } from '../rules/similar';
import { UsageError } from '../rules/usage-error';
import { ModelProfile } from './model-profile';
import { Precision } from './precision';

// Facts about well-known models, as their model cards and config.json files on Hugging Face state them.
// The commit of each is one under which public projects pin the model; another one is named with `at`.
// A model that is not here is described with `EmbeddingModel.of`, `ChatModel.of` or `RerankModel.of`.

/**
 * The facts about the model of this id.
 *
 * @param needed what to say of a model that is not listed
 */
export function catalogued<T extends { readonly id: string }>(models: readonly T[], id: string, needed: string): T {
  const found = models.find((model) => model.id === id);
  if (found === undefined) {
    const ids = models.map((model) => model.id);
    const meant = meantBy(id, ids);
    const instead = meant === undefined ? ` (${ids.join(', ')}); say` : `; did you mean ${meant}? otherwise say`;
    throw new UsageError(`is "${id}", which is not in the catalogue${instead} ${needed}`, { property: 'model' });
  }
  return found;
}

/** The id that was probably meant, written wrong or without its author. */
function meantBy(id: string, ids: readonly string[]): string | undefined {
  const lastOf = (whole: string) => (whole.split('/').at(-1) as string).toLowerCase();
  return similarTo(id, ids) ?? ids.find((candidate) => lastOf(candidate) === lastOf(id));
}

/** Whether only its maker has the weights of this model, so that nothing in a cluster can compute with it. */
export function isHostedOnly({ id }: { readonly id: string }): boolean {
  return Object.values(EMBEDDING_MODELS).some((model) => model.id === id && !('profile' in model));
}

/** A model without a key-value cache, computed in 16 bits, and published in 32 unless told otherwise. */
function encoder(parametersBillions: number, filePrecision: Precision = Precision.FP32): ModelProfile {
  return ModelProfile.of({ parametersBillions, precision: Precision.FP16, filePrecision });
}

/** A model that generates text. */
function decoder(parametersBillions: number, layers: number, keyValueHeads: number, headDimension = 128): ModelProfile {
  return ModelProfile.of({ parametersBillions, attention: { layers, keyValueHeads, headDimension } });
}

/** Embedding models. */
export const EMBEDDING_MODELS = {
  BGE_M3: {
    id: 'BAAI/bge-m3',
    revision: '5617a9f61b028005a4858fdac845db406aefb181',
    dimensions: 1024,
    maxTokens: 8192,
    profile: encoder(0.568),
  },
  BGE_LARGE_EN_V1_5: {
    id: 'BAAI/bge-large-en-v1.5',
    revision: 'd4aa6901d3a41ba39fb536a557fa166f842b0e09',
    dimensions: 1024,
    maxTokens: 512,
    queryPrefix: 'Represent this sentence for searching relevant passages: ',
    profile: encoder(0.335),
  },
  BGE_SMALL_EN_V1_5: {
    id: 'BAAI/bge-small-en-v1.5',
    revision: '5c38ec7c405ec4b44b94cc5a9bb96e735b38267a',
    dimensions: 384,
    maxTokens: 512,
    queryPrefix: 'Represent this sentence for searching relevant passages: ',
    profile: encoder(0.033),
  },
  MULTILINGUAL_E5_LARGE: {
    id: 'intfloat/multilingual-e5-large',
    revision: '3d7cfbdacd47fdda877c5cd8a79fbcc4f2a574f3',
    dimensions: 1024,
    maxTokens: 512,
    queryPrefix: 'query: ',
    documentPrefix: 'passage: ',
    profile: encoder(0.56),
  },
  NOMIC_EMBED_TEXT_V1_5: {
    id: 'nomic-ai/nomic-embed-text-v1.5',
    revision: 'e9b6763023c676ca8431644204f50c2b100d9aab',
    dimensions: 768,
    maxTokens: 8192,
    queryPrefix: 'search_query: ',
    documentPrefix: 'search_document: ',
    profile: encoder(0.137),
  },
  QWEN3_EMBEDDING_0_6B: {
    id: 'Qwen/Qwen3-Embedding-0.6B',
    revision: 'c54f2e6e80b2d7b7de06f51cec4959f6b3e03418',
    dimensions: 1024,
    maxTokens: 32768,
    queryPrefix: 'Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:',
    profile: encoder(0.596, Precision.BF16),
  },
  ALL_MINILM_L6_V2: {
    id: 'sentence-transformers/all-MiniLM-L6-v2',
    revision: 'c9745ed1d9f207416be6d2e6f8de32d1f16199bf',
    dimensions: 384,
    maxTokens: 256,
    profile: encoder(0.023),
  },
  OPENAI_3_SMALL: { id: 'text-embedding-3-small', dimensions: 1536, maxTokens: 8191 },
  OPENAI_3_LARGE: { id: 'text-embedding-3-large', dimensions: 3072, maxTokens: 8191 },
};

/** Models that rank passages by how well they answer a question. */
export const RERANK_MODELS = {
  BGE_RERANKER_V2_M3: {
    id: 'BAAI/bge-reranker-v2-m3',
    revision: '953dc6f6f85a1b2dbfca4c34a2796e7dde08d41e',
    maxTokens: 8192,
    profile: encoder(0.568),
  },
  BGE_RERANKER_LARGE: {
    id: 'BAAI/bge-reranker-large',
    revision: '55611d7bca2a7133960a6d3b71e083071bbfc312',
    maxTokens: 512,
    profile: encoder(0.56),
  },
};

/** Models that generate text. */
export const CHAT_MODELS = {
  LLAMA_3_1_8B: {
    id: 'meta-llama/Llama-3.1-8B-Instruct',
    revision: '0e9e39f249a16976918f6564b8830bc894c89659',
    contextTokens: 131072,
    gated: true,
    profile: decoder(8.03, 32, 8),
  },
  LLAMA_3_3_70B: {
    id: 'meta-llama/Llama-3.3-70B-Instruct',
    revision: '6f6073b423013f6a7d4d9f39144961bfbfbc386b',
    contextTokens: 131072,
    gated: true,
    profile: decoder(70.55, 80, 8),
  },
  MISTRAL_7B_V0_3: {
    id: 'mistralai/Mistral-7B-Instruct-v0.3',
    revision: 'c170c708c41dac9275d15a8fff4eca08d52bab71',
    contextTokens: 32768,
    profile: decoder(7.25, 32, 8),
  },
  QWEN2_5_7B: {
    id: 'Qwen/Qwen2.5-7B-Instruct',
    revision: 'a09a35458c702b33eeacc393d103063234e8bc28',
    contextTokens: 32768,
    profile: decoder(7.62, 28, 4),
  },
  QWEN2_5_14B: {
    id: 'Qwen/Qwen2.5-14B-Instruct',
    revision: 'cf98f3b3bbb457ad9e2bb7baf9a0125b6b88caa8',
    contextTokens: 32768,
    profile: decoder(14.77, 48, 8),
  },
  QWEN2_5_32B: {
    id: 'Qwen/Qwen2.5-32B-Instruct',
    revision: '5ede1c97bbab6ce5cda5812749b4c0bdf79b18dd',
    contextTokens: 32768,
    profile: decoder(32.76, 64, 8),
  },
  QWEN3_8B: {
    id: 'Qwen/Qwen3-8B',
    revision: 'b968826d9c46dd6066d109eabc6255188de91218',
    contextTokens: 32768,
    profile: decoder(8.19, 36, 8),
  },
};
