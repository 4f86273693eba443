import { Cpu } from 'cdk8s-plus-28';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { ModelProfile } from '../../../constructs/models/model-profile';
import { RerankModel } from '../../../constructs/models/rerank-model';
import {
  TextEmbeddingsInference,
  type TextEmbeddingsInferenceProps,
} from '../../../constructs/models/text-embeddings-inference';
import { Accelerator } from '../../../constructs/placement/accelerator';
import { find, mainContainer, render, templateOf, testChart } from '../../support/manifests';
import { RESOURCES } from '../../support/values';

function server(props: Partial<TextEmbeddingsInferenceProps> = {}) {
  const chart = testChart();
  const construct = new TextEmbeddingsInference(chart, 'embedder', { model: EmbeddingModel.BGE_M3, ...props });
  return { construct, object: find(render(chart), 'Deployment', 'embedder') };
}

const containerOf = (props: Partial<TextEmbeddingsInferenceProps> = {}) => mainContainer(server(props).object);

/** What stands after an argument. */
function argument(props: Partial<TextEmbeddingsInferenceProps>, name: string): string | undefined {
  const { args } = containerOf(props);
  return args.includes(name) ? args[args.indexOf(name) + 1] : undefined;
}

describe('the image', () => {
  const REPOSITORY = 'ghcr.io/huggingface/text-embeddings-inference';
  const PASCAL = Accelerator.of({ name: 'acme-p40', memoryGb: 24, computeCapability: 6.1 });
  const UNKNOWN = Accelerator.of({ name: 'acme-x', memoryGb: 24, products: ['Acme-X'] });

  test.each([
    ['a CPU', undefined, 'cpu-'],
    ['a T4', Accelerator.NVIDIA_T4, 'cuda-'],
    ['an A10G', Accelerator.NVIDIA_A10G, 'cuda-'],
    ['an A100', Accelerator.NVIDIA_A100_80, 'cuda-'],
    ['a MIG slice of an A100', Accelerator.NVIDIA_A100_80.mig('1g.10gb'), 'cuda-'],
    ['an H100', Accelerator.NVIDIA_H100, 'cuda-'],
    ['an L4', Accelerator.NVIDIA_L4, '89-'],
    ['a share of an L4', Accelerator.NVIDIA_L4.shared(), '89-'],
    ['an L40S', Accelerator.NVIDIA_L40S, '89-'],
    ['a GPU of which nothing is known', UNKNOWN, 'cuda-'],
  ])('for %s is the build that runs on it, by digest', (_, accelerator, variant) => {
    const { image } = containerOf({ accelerator });
    expect(image.startsWith(`${REPOSITORY}:${variant}1.9`)).toBe(true);
    expect(image).toMatch(/@sha256:[0-9a-f]{64}$/);
  });

  test('exists for no GPU before Turing', () => {
    expect(() => server({ accelerator: PASCAL })).toThrow(
      new Error('rag/embedder: accelerator is acme-p40 of compute capability 6.1, but the server needs 7.5 or more'),
    );
  });
});

describe('the arguments', () => {
  test('are all that it needs, by its own names', () => {
    const container = containerOf();
    expect(container.command).toBeUndefined();
    expect(container.args).toEqual([
      '--model-id',
      'BAAI/bge-m3',
      '--revision',
      '5617a9f61b028005a4858fdac845db406aefb181',
      '--served-model-name',
      'BAAI/bge-m3',
      '--hostname',
      '0.0.0.0',
      '--port',
      '8080',
      '--prometheus-port',
      '9000',
      '--max-batch-tokens',
      '2048',
      '--max-client-batch-size',
      '32',
      '--max-concurrent-requests',
      '512',
      '--tokenization-workers',
      '2',
      '--json-output',
    ]);
  });

  test('are what is said', () => {
    const props = { maxBatchTokens: 65536, maxClientBatchSize: 256, maxConcurrentRequests: 64, tokenizationWorkers: 6 };
    expect(argument(props, '--max-batch-tokens')).toBe('65536');
    expect(argument(props, '--max-client-batch-size')).toBe('256');
    expect(argument(props, '--max-concurrent-requests')).toBe('64');
    expect(argument(props, '--tokenization-workers')).toBe('6');
  });

  test('name the commit of the model where one is pinned', () => {
    const { profile } = EmbeddingModel.BGE_M3;
    const unpinned = EmbeddingModel.of({ id: 'acme/legal', dimensions: 768, maxTokens: 512, profile });
    expect(argument({ model: unpinned }, '--revision')).toBeUndefined();
    expect(argument({ model: EmbeddingModel.BGE_M3.at('5617a9f6') }, '--revision')).toBe('5617a9f6');
  });

  test.each([
    ['8', Cpu.units(8), '8'],
    ['2.5', Cpu.millis(2500), '2'],
    ['half a', Cpu.millis(500), '1'],
  ])('start a thread for tokens on each of %s CPUs', (_, cpu, workers) => {
    expect(argument({ resources: { ...RESOURCES, cpu } }, '--tokenization-workers')).toBe(workers);
  });

  test.each(['maxBatchTokens', 'maxClientBatchSize', 'maxConcurrentRequests', 'tokenizationWorkers'])(
    'have no %s below 1, and no half ones',
    (property) => {
      for (const value of [0, -1, 1.5, Number.NaN]) {
        expect(() => server({ [property]: value })).toThrow(
          new Error(`rag/embedder: ${property} is ${value}, but must be a whole number above 0`),
        );
      }
      expect(() => server({ [property]: 1 })).not.toThrow();
    },
  );
});

describe('the pod', () => {
  const { object } = server({ accelerator: Accelerator.NVIDIA_L4 });
  const { spec } = templateOf(object);
  const container = mainContainer(object);

  test('runs as nobody in particular, with the model in space of its own', () => {
    expect(spec.securityContext).toMatchObject({ runAsUser: 10001, runAsGroup: 10001, runAsNonRoot: true });
    expect(spec.securityContext).not.toHaveProperty('fsGroup');
    expect(container.volumeMounts).toEqual([
      { name: 'models', mountPath: '/models' },
      { name: 'tmp', mountPath: '/tmp' },
    ]);
    expect(spec.volumes).toEqual([
      { name: 'models', emptyDir: { sizeLimit: '5Gi' } },
      { name: 'tmp', emptyDir: { sizeLimit: '1Gi' } },
    ]);
    expect(container.resources.limits['ephemeral-storage']).toBe('6400Mi');
  });

  test('listens above the ports of root, for requests and for Prometheus', () => {
    expect(container.ports).toEqual([
      { name: 'http', containerPort: 8080, protocol: 'TCP' },
      { name: 'metrics', containerPort: 9000, protocol: 'TCP' },
    ]);
  });

  test('is asked at /health, which wants no key', () => {
    const httpGet = { path: '/health', port: 8080, scheme: 'HTTP' };
    expect(container.startupProbe.httpGet).toEqual(httpGet);
    expect(container.livenessProbe.httpGet).toEqual(httpGet);
    expect(container.readinessProbe).toMatchObject({ httpGet, periodSeconds: 5, timeoutSeconds: 5 });
  });
});

describe('the tokens of a batch', () => {
  const L4 = Accelerator.NVIDIA_L4;
  const served = (props: Partial<TextEmbeddingsInferenceProps>) => {
    const { construct } = server(props);
    return construct.offerTo(construct.workload).env;
  };

  test('are fewer on a CPU', () => {
    expect(argument({}, '--max-batch-tokens')).toBe('2048');
    expect(argument({ accelerator: L4 }, '--max-batch-tokens')).toBe('16384');
  });

  // Weights of 0.568 billion parameters in 4 bytes in whole GiB, 1 GiB, and 256 bytes for each pair of tokens.
  test.each<[string, Partial<TextEmbeddingsInferenceProps>, string]>([
    ['of 2048 tokens', {}, '5Gi'],
    ['of 8192 tokens', { maxBatchTokens: 8192 }, '20Gi'],
    ['of 16384 tokens in two texts', { maxBatchTokens: 16384 }, '36Gi'],
    ['of short texts', { model: EmbeddingModel.MULTILINGUAL_E5_LARGE, maxBatchTokens: 16384 }, '6Gi'],
    ['on a GPU, which has memory of its own for it', { accelerator: L4, maxBatchTokens: 65536 }, '4Gi'],
  ])('have room in memory: %s', (_, props, memory) => {
    const { requests, limits } = containerOf(props).resources;
    expect([requests.memory, limits.memory]).toEqual([memory, memory]);
  });

  test('are what clients are told, when the model would read more', () => {
    expect(served({}).EMBEDDING_SERVED_TOKENS?.shown).toBe('"2048"');
    expect(served({ maxBatchTokens: 8191 }).EMBEDDING_SERVED_TOKENS?.shown).toBe('"8191"');
    expect(served({ maxBatchTokens: 8192 })).not.toHaveProperty('EMBEDDING_SERVED_TOKENS');
    expect(served({ model: EmbeddingModel.BGE_LARGE_EN_V1_5 })).not.toHaveProperty('EMBEDDING_SERVED_TOKENS');
    expect(served({ accelerator: L4 })).not.toHaveProperty('EMBEDDING_SERVED_TOKENS');
    expect(served({ model: RerankModel.BGE_RERANKER_V2_M3 }).RERANKER_SERVED_TOKENS?.shown).toBe('"2048"');
  });

  test('are where the server cuts off a text, whatever its release does by itself', () => {
    expect(containerOf().env).toContainEqual({ name: 'AUTO_TRUNCATE', value: 'true' });
  });
});

test('a rerank model is reached at its route', () => {
  const { construct } = server({ model: RerankModel.BGE_RERANKER_V2_M3 });
  expect(construct.offerTo(construct.workload).env.RERANKER_URL?.shown).toBe('"http://embedder:8080/rerank"');
});

test('a model that the GPU has no room for is refused, with the arithmetic', () => {
  const model = EmbeddingModel.of({
    id: 'acme/large',
    dimensions: 4096,
    maxTokens: 512,
    profile: ModelProfile.of({ parametersBillions: 8 }),
  });
  expect(() => server({ model, accelerator: Accelerator.NVIDIA_T4 })).toThrow(
    new Error(
      'rag/embedder: accelerator is 1 × nvidia-t4, which gives 16.0 GB (1 × 16 GB × 1), but acme/large needs 16.0 GB for ' +
        'weights (8 billion parameters × 2 bytes (bf16)), 2.0 GB for activations; the smallest that would do: 1 × nvidia-l4',
    ),
  );
  expect(() => server({ model, accelerator: Accelerator.NVIDIA_L4 })).not.toThrow();
  // Of a share nobody knows how much is left.
  expect(() => server({ model, accelerator: Accelerator.NVIDIA_T4.shared() })).not.toThrow();
});
