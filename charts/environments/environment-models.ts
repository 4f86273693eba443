import { z } from 'zod';
import { ChatModel } from '../../constructs/models/chat-model';
import { Distance, EmbeddingModel } from '../../constructs/models/embedding-model';
import { ExternalModel, ModelService } from '../../constructs/models/external-model';
import { type IModel, ModelRole } from '../../constructs/models/model';
import { CHAT_MODELS, EMBEDDING_MODELS, RERANK_MODELS } from '../../constructs/models/model-catalogue';
import { ModelProfile } from '../../constructs/models/model-profile';
import { Ollama } from '../../constructs/models/ollama';
import { Precision } from '../../constructs/models/precision';
import { RerankModel } from '../../constructs/models/rerank-model';
import { UsageError } from '../../constructs/rules/usage-error';
import type { SecretKey } from '../../constructs/secrets/secret-key';
import type { ISecretSource } from '../../constructs/secrets/secret-source';
import type { PlatformModelsProps } from '../platform-models';
import { accelerator } from './environment-cluster';
import { scaling } from './environment-scaling';
import { count, duration, image, made, resources, secretKey, shown, size } from './environment-values';
import { libraryJobFields, workloadFields } from './environment-workload';

const PRECISIONS = {
  fp32: Precision.FP32,
  bf16: Precision.BF16,
  fp16: Precision.FP16,
  fp8: Precision.FP8,
  int8: Precision.INT8,
  int4: Precision.INT4,
  q4_K_M: Precision.Q4_K_M,
};

const DISTANCES = {
  cosine: Distance.COSINE,
  dot: Distance.DOT,
  euclid: Distance.EUCLID,
  manhattan: Distance.MANHATTAN,
};

const precision = z
  .enum(['fp32', 'bf16', 'fp16', 'fp8', 'int8', 'int4', 'q4_K_M'])
  .transform((name) => PRECISIONS[name]);

/** What is said where a model is none of its forms. */
function modelMessage({ input }: { readonly input?: unknown }): string {
  return input === undefined
    ? 'is missing'
    : `is ${shown(input)}, but must be a name of the catalogue, or a map with the facts of a model`;
}

const profile = made(
  z
    .strictObject({
      weights: size.optional().describe('size of the weight files, where nothing else is known'),
      parametersBillions: z.number().optional().describe('parameters, in billions'),
      precision: precision
        .optional()
        .describe('number format of the weights; by default bf16, and of Ollama that of the tag'),
      filePrecision: precision.optional().describe('number format of the files; by default that of the weights'),
      attention: z
        .strictObject({
          layers: count.describe('num_hidden_layers in config.json'),
          keyValueHeads: count.describe('num_key_value_heads'),
          headDimension: count.describe('head_dim'),
        })
        .optional()
        .describe('attention of a model that generates text'),
    })
    .refine(({ weights, parametersBillions }) => (weights === undefined) !== (parametersBillions === undefined), {
      message: 'needs either weights or parametersBillions, and not both',
    }),
  ({ weights, parametersBillions, ...rest }) =>
    weights === undefined
      ? ModelProfile.of({ parametersBillions: parametersBillions as number, ...rest })
      : ModelProfile.ofWeights(weights),
);

const known = {
  id: z.string().describe('name in its hub or at its service: BAAI/bge-m3'),
  revision: z.string().optional().describe('commit in its hub'),
  profile: profile.optional().describe('how large it is'),
};

/** A name of the catalogue; editors suggest those that there are. */
function catalogueId(models: { readonly [name: string]: { readonly id: string } }) {
  return z.string().meta({ examples: Object.values(models).map(({ id }) => id) });
}

/** The model whose vectors the platform stores: a name of the catalogue, or the facts. */
export const embeddingModel = made(
  z.union(
    [
      catalogueId(EMBEDDING_MODELS),
      z.strictObject({
        ...known,
        dimensions: count.optional().describe("numbers in a vector; by default the catalogue's"),
        maxTokens: count.optional().describe("tokens that it reads of a text; by default the catalogue's"),
        distance: z
          .enum(['cosine', 'dot', 'euclid', 'manhattan'])
          .transform((name) => DISTANCES[name])
          .optional()
          .describe('how vectors are compared; by default cosine'),
        normalised: z.boolean().optional().describe('whether its vectors have length 1; by default true'),
        queryPrefix: z.string().optional().describe('what stands before a text that is searched for'),
        documentPrefix: z.string().optional().describe('what stands before a text that is stored'),
      }),
    ],
    { error: modelMessage },
  ),
  (input) => {
    if (typeof input === 'string') {
      return EmbeddingModel.named(input);
    }
    const { dimensions, maxTokens, ...rest } = input;
    if (dimensions === undefined || maxTokens === undefined) {
      return catalogued(EmbeddingModel.named(input.id), input, ['dimensions', 'maxTokens']);
    }
    return EmbeddingModel.of({ ...rest, dimensions, maxTokens });
  },
);

const chatModel = made(
  z.union(
    [
      catalogueId(CHAT_MODELS),
      z.strictObject({
        ...known,
        contextTokens: count.optional().describe("tokens that it can attend to; by default the catalogue's"),
        gated: z.boolean().optional().describe('whether its hub asks for a token'),
      }),
    ],
    { error: modelMessage },
  ),
  (input) => {
    if (typeof input === 'string') {
      return ChatModel.named(input);
    }
    const { contextTokens, ...rest } = input;
    return contextTokens === undefined
      ? catalogued(ChatModel.named(input.id), input, ['contextTokens'])
      : ChatModel.of({ ...rest, contextTokens });
  },
);

const rerankModel = made(
  z.union(
    [
      catalogueId(RERANK_MODELS),
      z.strictObject({
        ...known,
        maxTokens: count.optional().describe("tokens that it reads; by default the catalogue's"),
      }),
    ],
    { error: modelMessage },
  ),
  (input) => {
    if (typeof input === 'string') {
      return RerankModel.named(input);
    }
    const { maxTokens, ...rest } = input;
    return maxTokens === undefined
      ? catalogued(RerankModel.named(input.id), input, ['maxTokens'])
      : RerankModel.of({ ...rest, maxTokens });
  },
);

/** A model of the catalogue, at a commit if one is said; whoever changes a fact has to say all of them. */
function catalogued<Model extends { at(revision: string): Model }>(
  model: Model,
  input: { readonly id: string; readonly revision?: string },
  missing: string[],
): Model {
  const other = Object.keys(input).find((key) => key !== 'id' && key !== 'revision');
  if (other !== undefined) {
    throw new UsageError(`is set without ${missing.join(' and ')}; a model with facts of its own needs all of them`, {
      property: `model.${other}`,
    });
  }
  return input.revision === undefined ? model : model.at(input.revision);
}

/** A hosted service, as what makes a model of it. */
function external(secrets: ISecretSource, role: ModelRole) {
  return made(
    z.strictObject({
      service: z.enum(['openai', 'azure-openai', 'voyage', 'compatible']).describe('who serves it'),
      url: z.string().optional().describe('base URL of a compatible service: https://api.acme.example/v1'),
      resource: z.string().optional().describe('name of the Azure OpenAI resource'),
      apiKey: secretKey(secrets).optional().describe('key of the service'),
      cidrs: z.array(z.string()).optional().describe('its addresses, where they are known and stable'),
    }),
    (input) => {
      checkService(input, role);
      const make = (model: IModel) => externalModel(model, input);
      try {
        // Which model it is, is known later; whatever else is wrong is found here, where its line is known.
        make(SAMPLES.get(role) as IModel);
      } catch (error) {
        throw error instanceof UsageError
          ? new UsageError(error.problem, { property: `external.${error.property}` })
          : error;
      }
      return make;
    },
  );
}

/** A model for each purpose that every service of that purpose takes. */
const SAMPLES = new Map<ModelRole, IModel>([
  [ModelRole.EMBEDDING, EmbeddingModel.OPENAI_3_SMALL],
  [ModelRole.CHAT, ChatModel.of({ id: 'sample', contextTokens: 1 })],
  [ModelRole.RERANK, RerankModel.of({ id: 'sample', maxTokens: 1 })],
]);

/** The services that do not have models for everything. */
const SERVICES = {
  openai: ModelService.OPEN_AI,
  'azure-openai': ModelService.AZURE_OPEN_AI,
  voyage: ModelService.VOYAGE,
  compatible: undefined,
};

interface External {
  readonly service: 'openai' | 'azure-openai' | 'voyage' | 'compatible';
  readonly url?: string;
  readonly resource?: string;
  readonly apiKey?: SecretKey;
  readonly cidrs?: string[];
}

function checkService({ service, url, resource }: External, role: ModelRole): void {
  const able = Object.entries(SERVICES).filter(([, { roles } = { roles: [role] }]) => roles.includes(role));
  if (able.every(([name]) => name !== service)) {
    throw new UsageError(
      `is "${service}", which has no models ${role.purpose}; take ${able.map(([name]) => name).join(' or ')}`,
      { property: 'external.service' },
    );
  }
  const wanted = { openai: undefined, voyage: undefined, 'azure-openai': 'resource', compatible: 'url' }[service];
  for (const [name, value] of Object.entries({ url, resource })) {
    if ((value !== undefined) !== (wanted === name)) {
      throw new UsageError(
        wanted === name ? `is missing; ${service} needs it` : `means nothing to ${service}; remove it`,
        { property: `external.${name}` },
      );
    }
  }
}

function externalModel(model: IModel, { service, url, resource, apiKey, cidrs }: External): ExternalModel {
  // Services that need a key refuse to do without one.
  const props = { model, apiKey: apiKey as SecretKey, cidrs };
  switch (service) {
    case 'openai':
      return ExternalModel.openAi(props);
    case 'voyage':
      return ExternalModel.voyage(props);
    case 'azure-openai':
      return ExternalModel.azureOpenAi({ ...props, resource: resource as string });
    default:
      return ExternalModel.compatible({ ...props, url: url as string });
  }
}

/** Settings of a server in the cluster. */
function serverFields(secrets: ISecretSource) {
  return {
    accelerator: accelerator.optional().describe('GPU of each server: nvidia-l4; without it they compute on the CPU'),
    scaling: scaling.optional().describe('how many servers there are, and who decides; by default 1'),
    resources: resources.optional().describe('what each server asks for; by default from the size of the model'),
    startupBudget: duration.optional().describe('time that a server may take to start, its download included'),
    longestRequest: duration.optional().describe('time that the longest request takes'),
    apiKey: secretKey(secrets).optional().describe('key that clients have to show'),
    image: image.optional().describe('what runs; by default the release that the library knows'),
    ...workloadFields(secrets),
  };
}

function teiFields(secrets: ISecretSource) {
  return {
    ...serverFields(secrets),
    maxBatchTokens: count
      .optional()
      .describe('tokens that are computed at once, and the most of one text; by default 16384, and 2048 on the CPU'),
    maxClientBatchSize: count.optional().describe('texts that one request may hold; by default 32'),
    maxConcurrentRequests: count.optional().describe('requests that may be under way; by default 512'),
    tokenizationWorkers: count
      .optional()
      .describe('threads that cut texts into tokens; by default as many as the CPUs that it asks for'),
  };
}

/** A server of the embedding model, or a hosted service that has it. */
export function embedder(secrets: ISecretSource) {
  return made(
    z.strictObject({
      ...teiFields(secrets),
      external: external(secrets, ModelRole.EMBEDDING)
        .optional()
        .describe('a hosted service, instead of a server in the cluster'),
    }),
    ({ external: hosted, ...server }): PlatformModelsProps['embedder'] => {
      if (hosted === undefined) {
        return server;
      }
      checkAlone('external', server);
      return (_, model) => hosted(model);
    },
  );
}

/** A server that ranks passages. */
export function reranker(secrets: ISecretSource) {
  return made(
    z.strictObject({
      model: rerankModel.describe('what it ranks with: BAAI/bge-reranker-v2-m3'),
      ...teiFields(secrets),
      external: external(secrets, ModelRole.RERANK)
        .optional()
        .describe('a hosted service, instead of a server in the cluster'),
    }),
    ({ external: hosted, model, ...server }): PlatformModelsProps['reranker'] => {
      if (hosted === undefined) {
        return { ...server, model };
      }
      checkAlone('external', server);
      const provider = hostedAs('reranker', () => hosted(model));
      return () => provider;
    },
  );
}

/** What generates answers. */
export function llm(secrets: ISecretSource) {
  return made(
    z.strictObject({
      model: chatModel.describe('what it generates with: Qwen/Qwen2.5-7B-Instruct'),
      ...serverFields(secrets),
      accelerators: count.optional().describe('GPUs of each server; by default as few as the model fits'),
      contextTokens: count.optional().describe('tokens of the longest request; by default at most 8192'),
      memoryUtilization: z.number().optional().describe("part of each GPU's memory that it takes; by default 0.92"),
      cachePrecision: z
        .enum(['bf16', 'fp8'])
        .transform((name) => PRECISIONS[name])
        .optional()
        .describe('number format of the key-value cache; by default bf16'),
      args: z.array(z.string()).optional().describe('further arguments of vllm serve'),
      ollama: z
        .strictObject({
          accelerator: accelerator.optional().describe('GPU of the server; without it it computes on the CPU'),
          resources: resources.optional().describe('what it asks for; by default from the size of the model'),
          parallel: count.optional().describe('requests that are answered at once; by default 1'),
        })
        .optional()
        .describe('a small server, instead of vLLM'),
      external: external(secrets, ModelRole.CHAT)
        .optional()
        .describe('a hosted service, instead of a server in the cluster'),
    }),
    ({ external: hosted, ollama, model, ...server }): PlatformModelsProps['llm'] => {
      if (hosted !== undefined) {
        checkAlone('external', { ...server, ollama });
        const provider = hostedAs('llm', () => hosted(model));
        return () => provider;
      }
      if (ollama !== undefined) {
        checkAlone('ollama', server);
        return (scope, longestRequest) => new Ollama(scope, 'llm', { ...ollama, model, longestRequest });
      }
      if (server.accelerator === undefined) {
        throw new UsageError('is missing; vLLM needs a GPU, ollama and external do not', {
          property: 'llm.accelerator',
        });
      }
      return { ...server, model, accelerator: server.accelerator };
    },
  );
}

/** What a service refuses, at the setting that has the service and the model. */
function hostedAs(setting: string, make: () => ExternalModel): ExternalModel {
  try {
    return make();
  } catch (error) {
    throw error instanceof UsageError
      ? new UsageError(error.problem, { property: `${setting}.${error.property}` })
      : error;
  }
}

function checkAlone(kind: string, server: { readonly [setting: string]: unknown }): void {
  const other = Object.keys(server).find((setting) => server[setting] !== undefined);
  if (other !== undefined) {
    throw new UsageError(`is set together with ${kind}; keep one of the two`, { property: `server.${other}` });
  }
}

/** Where servers have their models from. */
export function modelStore(secrets: ISecretSource) {
  return z.strictObject({
    hub: z
      .strictObject({
        token: secretKey(secrets).optional().describe('token of an account, for models behind a licence'),
        url: z.string().optional().describe('URL of a mirror, port and path included; by default huggingface.co'),
        authority: secretKey(secrets).optional().describe('who has signed its certificate, where images do not know'),
        cidrs: z.array(z.string()).optional().describe('its addresses, where they are known and stable'),
      })
      .optional()
      .describe('the hub; by default huggingface.co'),
    volume: z
      .strictObject({
        size: size.describe('size of the volume, for all models'),
        storageClass: z.string().optional().describe("class of the volume; by default the cluster's shared one"),
      })
      .optional()
      .describe('a volume into which every model is downloaded once, before its servers start'),
    downloads: z
      .strictObject({
        deadline: duration.optional().describe('time that a download may take; by default 2h'),
        ...libraryJobFields(),
      })
      .optional()
      .describe('how the Jobs are run that download into the volume'),
  });
}
