import { Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import type { RagPlatformProps } from '../../charts/rag-platform';
import { Redis } from '../../constructs/data/redis';
import { ChatModel } from '../../constructs/models/chat-model';
import { EmbeddingModel } from '../../constructs/models/embedding-model';
import { Ollama } from '../../constructs/models/ollama';
import { RerankModel } from '../../constructs/models/rerank-model';
import { Triton } from '../../constructs/models/triton';
import { Accelerator } from '../../constructs/placement/accelerator';
import { Cluster } from '../../constructs/placement/cluster';
import { SecretKey } from '../../constructs/secrets/secret-key';
import { Image } from '../../constructs/workload/image';
import { SharedVolume } from '../../constructs/workload/shared-volume';

const RESOURCES = { cpu: Cpu.units(1), memory: Size.gibibytes(2) };
const TRITON_IMAGE = Image.of('nvcr.io/nvidia/tritonserver', { tag: '25.06-py3' });

/** Servers that environment files do not know, from functions: Triton with its models in a volume and in its image. */
export const TRITON: RagPlatformProps = {
  namespace: 'rag-triton',
  cluster: new Cluster({
    nodePools: [
      { name: 'general', nodes: 5 },
      { name: 'gpu', nodes: 3, accelerator: Accelerator.NVIDIA_A10G },
    ],
    storage: { block: 'fast', shared: 'files' },
    prometheus: { namespace: 'monitoring' },
  }),
  qdrant: { resources: RESOURCES, storage: Size.gibibytes(20), apiKey: SecretKey.of('qdrant', 'api-key') },
  embeddingModel: EmbeddingModel.MULTILINGUAL_E5_LARGE,
  collection: {},
  embedder: (scope, model) =>
    new Triton(scope, 'embedder', {
      model,
      image: TRITON_IMAGE,
      accelerator: Accelerator.NVIDIA_A10G,
      repository: new SharedVolume(scope, 'repository', { size: Size.gibibytes(20) }),
      args: ['--log-verbose=1'],
    }),
  reranker: (scope) =>
    new Triton(scope, 'reranker', {
      model: RerankModel.BGE_RERANKER_LARGE,
      image: Image.of('registry.acme.example/triton-reranker', { tag: '1.0.0' }),
      accelerator: Accelerator.NVIDIA_A10G,
      longestRequest: Duration.seconds(20),
    }),
  llm: (scope) =>
    new Ollama(scope, 'llm', {
      model: ChatModel.of({ id: 'qwen2.5:3b', contextTokens: 32768 }),
      resources: { cpu: Cpu.units(4), memory: Size.gibibytes(8) },
    }),
  api: { image: Image.of('ghcr.io/acme/rag-api', { tag: '1.8.2' }) },
  queue: (scope) => new Redis(scope, 'queue', { password: SecretKey.of('queue', 'password') }),
  embeddingWorkers: { image: Image.of('ghcr.io/acme/rag-workers', { tag: '1.8.2' }) },
};
