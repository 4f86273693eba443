import { Duration } from 'cdk8s';
import { ChatModel } from '../../../constructs/models/chat-model';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { ModelProfile } from '../../../constructs/models/model-profile';
import { ModelSource } from '../../../constructs/models/model-source';
import { Precision } from '../../../constructs/models/precision';
import { Vllm, type VllmProps } from '../../../constructs/models/vllm';
import { Accelerator } from '../../../constructs/placement/accelerator';
import { env, find, mainContainer, render, templateOf, testChart } from '../../support/manifests';
import { KEY, RESOURCES } from '../../support/values';

const H100 = Accelerator.NVIDIA_H100;
const SMALL = ChatModel.QWEN2_5_7B;
const LARGE = ChatModel.LLAMA_3_3_70B;
const SOURCE = ModelSource.hub({ token: KEY });
const PROPS: VllmProps = { model: SMALL, accelerator: Accelerator.NVIDIA_L4 };

function server(props: Partial<VllmProps> = {}) {
  const chart = testChart();
  const construct = new Vllm(chart, 'llm', { ...PROPS, ...props });
  return { construct, object: find(render(chart), 'Deployment', 'llm') };
}

const argsOf = (props: Partial<VllmProps> = {}): string[] => mainContainer(server(props).object).args;

/** What stands after an argument. */
function argument(props: Partial<VllmProps>, name: string): string | undefined {
  const args = argsOf(props);
  return args.includes(name) ? args[args.indexOf(name) + 1] : undefined;
}

describe('the arguments', () => {
  test('are all that it needs, by its own names', () => {
    const container = mainContainer(server().object);
    expect(container.command).toBeUndefined();
    expect(container.args).toEqual([
      'Qwen/Qwen2.5-7B-Instruct',
      '--revision',
      'a09a35458c702b33eeacc393d103063234e8bc28',
      '--served-model-name',
      'Qwen/Qwen2.5-7B-Instruct',
      '--port',
      '8000',
      '--max-model-len',
      '8192',
      '--gpu-memory-utilization',
      '0.92',
      '--shutdown-timeout',
      '240',
    ]);
  });

  test('are what is said', () => {
    const props = {
      contextTokens: 16384,
      memoryUtilization: 0.8,
      cachePrecision: Precision.FP8,
      args: ['--enable-auto-tool-choice', '--tool-call-parser', 'hermes'],
    };
    expect(argument(props, '--max-model-len')).toBe('16384');
    expect(argument(props, '--gpu-memory-utilization')).toBe('0.8');
    expect(argument(props, '--kv-cache-dtype')).toBe('fp8');
    expect(argsOf(props).slice(-3)).toEqual(props.args);
  });

  test('name the commit of the model where one is pinned', () => {
    const unpinned = ChatModel.of({ id: 'acme/legal', contextTokens: 4096, profile: SMALL.profile });
    expect(argument({ model: unpinned }, '--revision')).toBeUndefined();
    expect(argument({ model: SMALL.at('a09a3545') }, '--revision')).toBe('a09a3545');
  });

  test('of an embedding model ask for embeddings', () => {
    const props = { model: EmbeddingModel.QWEN3_EMBEDDING_0_6B };
    expect(argument(props, '--runner')).toBe('pooling');
    expect(argument(props, '--convert')).toBe('embed');
    expect(argument({}, '--runner')).toBeUndefined();
  });

  test('take what a shorter model can attend to', () => {
    expect(argument({ model: EmbeddingModel.BGE_LARGE_EN_V1_5 }, '--max-model-len')).toBe('512');
  });

  test.each([
    ['float16 on a T4, which has no bfloat16', Accelerator.NVIDIA_T4, 'float16'],
    ['its own format on an L4', Accelerator.NVIDIA_L4, undefined],
    ['its own format on an A100', Accelerator.NVIDIA_A100_80, undefined],
    [
      'its own format where nothing is known',
      Accelerator.of({ name: 'acme-x', memoryGb: 24, products: ['Acme-X'] }),
      undefined,
    ],
  ])('compute in %s', (_, accelerator, dtype) => {
    expect(argument({ model: EmbeddingModel.BGE_M3, accelerator }, '--dtype')).toBe(dtype);
  });
});

describe('answers that are under way', () => {
  test.each([
    ['4 minutes, unless told otherwise', {}, 240],
    ['10 minutes', { longestRequest: Duration.minutes(10) }, 600],
    ['one minute for embeddings', { model: EmbeddingModel.BGE_M3 }, 60],
  ])('have %s to end, less than the pod has', (_, props: Partial<VllmProps>, seconds) => {
    const { object } = server(props);
    const { args, lifecycle } = mainContainer(object);
    const preStop = Number(lifecycle.preStop.exec.command[1]);
    const shutdown = Number(args[args.indexOf('--shutdown-timeout') + 1]);
    expect(shutdown).toBe(seconds);
    expect(preStop).toBe(10);
    expect(templateOf(object).spec.terminationGracePeriodSeconds).toBe(preStop + shutdown + 15);
  });
});

describe('the GPUs', () => {
  const gpusOf = (props: Partial<VllmProps>) => {
    const { object } = server({ source: SOURCE, ...props });
    const { args, resources } = mainContainer(object);
    const parallel = args.includes('--tensor-parallel-size')
      ? args[args.indexOf('--tensor-parallel-size') + 1]
      : undefined;
    return [resources.limits['nvidia.com/gpu'], parallel];
  };

  test.each([
    ['one for a small model', {}, ['1', undefined]],
    ['two of 80 GB would not do for 70 billion parameters: four', { model: LARGE, accelerator: H100 }, ['4', '4']],
    ['two of 141 GB', { model: LARGE, accelerator: Accelerator.NVIDIA_H200 }, ['2', '2']],
    ['as many as are said', { accelerators: 2 }, ['2', '2']],
  ])('are %s', (_, props: Partial<VllmProps>, expected) => {
    expect(gpusOf(props)).toEqual(expected);
  });

  test('have more shared memory when they are several', () => {
    const sharedMemory = (accelerators: number) => {
      const { volumes, containers } = templateOf(server({ accelerators }).object).spec;
      expect(containers[0].volumeMounts).toContainEqual({ name: 'shm', mountPath: '/dev/shm' });
      return volumes.find(({ name }: { name: string }) => name === 'shm').emptyDir;
    };
    expect(sharedMemory(1)).toEqual({ medium: 'Memory', sizeLimit: '2Gi' });
    expect(sharedMemory(2)).toEqual({ medium: 'Memory', sizeLimit: '8Gi' });
  });

  test('have the memory of the host that the weights and the shared memory need', () => {
    const memory = (accelerators: number) => mainContainer(server({ accelerators }).object).resources.limits.memory;
    // 15.24 GB of weights.
    expect(memory(1)).toBe('22Gi');
    expect(memory(2)).toBe('28Gi');
  });

  test.each([0, 3, 6, 16, 1.5])('are never %s', (accelerators) => {
    expect(() => server({ accelerators })).toThrow(
      new Error(`rag/llm: accelerators is ${accelerators}, but weights are divided among 1, 2, 4, 8`),
    );
  });
});

describe('the fit', () => {
  const FIT = 'cdk8s-rag/model-fit';

  test('is written where a reader finds it', () => {
    const { construct, object } = server();
    expect(construct.fit?.accelerators).toBe(1);
    expect(object.metadata.annotations?.[FIT]).toBe(construct.fit?.summary);
    expect(object.metadata.annotations?.[FIT]).toMatch(
      /^1 × nvidia-l4: 15\.2 GB of weights, 4\.8 GB left; \d+ tokens in the key-value cache, \d+ requests of 8192 tokens at once$/,
    );
    expect(templateOf(object).metadata.annotations ?? {}).not.toHaveProperty([FIT]);
  });

  test('counts the cache in the format that it has', () => {
    const tokens = (cachePrecision?: Precision) => server({ cachePrecision }).construct.fit?.cacheTokens ?? 0;
    expect(tokens(Precision.FP8)).toBeGreaterThan(1.99 * tokens());
  });

  test('of a model on GPUs too small is refused, with the arithmetic', () => {
    expect(() => server({ accelerator: Accelerator.NVIDIA_T4, accelerators: 1 })).toThrow(
      new Error(
        'rag/llm: accelerator is 1 × nvidia-t4, which gives 14.7 GB (1 × 16 GB × 0.92), but Qwen/Qwen2.5-7B-Instruct ' +
          'needs 15.2 GB for weights (7.62 billion parameters × 2 bytes (bf16)), 2.0 GB for activations, 0.5 GB for a ' +
          'request of 8192 tokens (× 57344 bytes); the smallest that would do: 1 × nvidia-l4',
      ),
    );
  });

  test('of a model that even eight have no room for is refused', () => {
    const source = SOURCE;
    expect(() => server({ model: LARGE, source, accelerator: Accelerator.NVIDIA_T4 })).toThrow(
      'rag/llm: accelerator is 8 × nvidia-t4, which gives 117.8 GB (8 × 16 GB × 0.92), but ' +
        'meta-llama/Llama-3.3-70B-Instruct needs 141.1 GB for weights',
    );
  });

  test('of a model of unknown size is unknown, and one GPU is asked for', () => {
    const model = ChatModel.of({ id: 'acme/unknown', contextTokens: 4096 });
    const { construct, object } = server({ model, resources: RESOURCES });
    expect(construct.fit).toBeUndefined();
    expect(object.metadata.annotations ?? {}).not.toHaveProperty([FIT]);
    expect(mainContainer(object).resources.limits['nvidia.com/gpu']).toBe('1');
    expect(mainContainer(server({ model, resources: RESOURCES, accelerators: 4 }).object).args).toContain(
      '--tensor-parallel-size',
    );
  });
});

describe('a GPU that others share', () => {
  const shared = Accelerator.NVIDIA_L4.shared();

  test('has to be divided by its user', () => {
    expect(() => server({ accelerator: shared })).toThrow(
      new Error(
        'rag/llm: memoryUtilization is missing, but nvidia-l4/shared has its memory in common with others, so nobody else ' +
          'knows how much is left for this server; say the part that it may take',
      ),
    );
  });

  test('is taken in the part that is said', () => {
    const props = { model: EmbeddingModel.BGE_M3, accelerator: shared, memoryUtilization: 0.3 };
    expect(argument(props, '--gpu-memory-utilization')).toBe('0.3');
    expect(mainContainer(server(props).object).resources.limits['nvidia.com/gpu.shared']).toBe('1');
  });

  test('has to have room in that part', () => {
    expect(() => server({ accelerator: shared, memoryUtilization: 0.3, accelerators: 1 })).toThrow(
      'accelerator is 1 × nvidia-l4/shared, which gives 7.2 GB (1 × 24 GB × 0.3)',
    );
  });
});

test.each([0, -0.1, 1.01, Number.NaN])('a part of %s of the memory is refused', (memoryUtilization) => {
  expect(() => server({ memoryUtilization })).toThrow(
    new Error(`rag/llm: memoryUtilization is ${memoryUtilization}, but must be above 0 and at most 1`),
  );
});

test('all of the memory can be taken', () => {
  expect(argument({ memoryUtilization: 1 }, '--gpu-memory-utilization')).toBe('1');
});

test.each([0, 32769, 0.5])('a context of %s tokens is refused', (contextTokens) => {
  expect(() => server({ contextTokens })).toThrow(
    new Error(
      `rag/llm: contextTokens is ${contextTokens}, but must be from 1 to 32768, what Qwen/Qwen2.5-7B-Instruct can attend to`,
    ),
  );
});

test('a context of all that the model can attend to needs room in the cache', () => {
  const model = ChatModel.of({
    id: 'acme/long',
    contextTokens: 131072,
    profile: ModelProfile.of({
      parametersBillions: 7,
      attention: { layers: 32, keyValueHeads: 8, headDimension: 128 },
    }),
  });
  expect(() => server({ model, accelerators: 1, contextTokens: 131072 })).toThrow(
    '17.2 GB for a request of 131072 tokens (× 131072 bytes)',
  );
  expect(argument({ model, contextTokens: 131072 }, '--tensor-parallel-size')).toBe('2');
});

describe('the pod', () => {
  const { object } = server();
  const { spec } = templateOf(object);
  const container = mainContainer(object);

  test('runs as the user of the image, which is not root', () => {
    expect(container.image).toMatch(/^docker\.io\/vllm\/vllm-openai:v\d+\.\d+\.\d+@sha256:[0-9a-f]{64}$/);
    expect(spec.securityContext).toMatchObject({ runAsUser: 2000, runAsGroup: 0, runAsNonRoot: true });
    expect(env(object, 'HOME')).toBe('/home/vllm');
    // Triton compiles kernels into ~/.triton otherwise, where nothing can be written.
    expect(env(object, 'TRITON_CACHE_DIR')).toBe('/home/vllm/.cache/triton');
  });

  test('keeps model, compiled graphs and shared memory in volumes that it can write to', () => {
    expect(container.volumeMounts).toEqual([
      { name: 'models', mountPath: '/models' },
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'cache', mountPath: '/home/vllm/.cache' },
      { name: 'shm', mountPath: '/dev/shm' },
    ]);
    expect(spec.volumes).toEqual([
      // 15.24 GB of weights, half as much again, and one.
      { name: 'models', emptyDir: { sizeLimit: '24Gi' } },
      { name: 'tmp', emptyDir: { sizeLimit: '1Gi' } },
      { name: 'cache', emptyDir: { sizeLimit: '5Gi' } },
      { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: '2Gi' } },
    ]);
  });

  test('tells nobody how it is used, and takes no setting from Services', () => {
    expect(env(object, 'VLLM_NO_USAGE_STATS')).toBe('1');
    expect(env(object, 'VLLM_PORT')).toBeUndefined();
    expect(spec.enableServiceLinks).toBe(false);
  });

  test('serves requests and metrics on one port', () => {
    expect(container.ports).toEqual([{ name: 'http', containerPort: 8000, protocol: 'TCP' }]);
  });

  test('is asked at /health, which answers when the weights are loaded', () => {
    const httpGet = { path: '/health', port: 8000, scheme: 'HTTP' };
    expect(container.startupProbe.httpGet).toEqual(httpGet);
    expect(container.livenessProbe.httpGet).toEqual(httpGet);
    expect(container.readinessProbe).toMatchObject({ httpGet, periodSeconds: 5, timeoutSeconds: 5 });
  });
});
