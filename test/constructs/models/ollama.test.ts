import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Size } from 'cdk8s';
import { ChatModel } from '../../../constructs/models/chat-model';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { ModelProfile } from '../../../constructs/models/model-profile';
import { Ollama, type OllamaProps } from '../../../constructs/models/ollama';
import { Precision } from '../../../constructs/models/precision';
import { Accelerator } from '../../../constructs/placement/accelerator';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import type { Json } from '../../../constructs/rules/output';
import { SharedVolume } from '../../../constructs/workload/shared-volume';
import { env, find, mainContainer, namesOf, render, templateOf, testChart } from '../../support/manifests';

const MODEL = ChatModel.QWEN2_5_7B.withProfile(
  'qwen2.5:7b',
  ChatModel.QWEN2_5_7B.profile as NonNullable<typeof ChatModel.QWEN2_5_7B.profile>,
);

function ollama(props: Partial<OllamaProps> = {}, cluster: ClusterProps = {}, shared = false) {
  const chart = testChart({ storage: { shared: 'nfs' }, ...cluster });
  const volume = shared ? new SharedVolume(chart, 'models', { size: Size.gibibytes(50) }) : undefined;
  new Ollama(chart, 'ollama', { model: MODEL, volume, ...props });
  const objects = render(chart);
  return { objects, object: find(objects, 'Deployment', 'ollama') };
}

describe('the container', () => {
  const { objects, object } = ollama();
  const container = mainContainer(object);

  test('runs the script that pulls the model', () => {
    expect(container.image).toMatch(/^docker\.io\/ollama\/ollama:\d+\.\d+\.\d+@sha256:[0-9a-f]{64}$/);
    expect(container.command).toEqual(['sh', '/opt/ollama/ollama-start.sh']);
    expect(container.args).toBeUndefined();
    const script = readFileSync(resolve(__dirname, '../../../constructs/models/ollama-start.sh'), 'utf8');
    expect(Object.values(find(objects, 'ConfigMap', 'ollama').data)).toEqual([script]);
    expect(container.volumeMounts).toContainEqual({
      name: 'config',
      mountPath: '/opt/ollama/ollama-start.sh',
      subPath: 'ollama-start.sh',
      readOnly: true,
    });
  });

  test('knows its model, and where everything is without root', () => {
    const variables = Object.fromEntries(container.env.map(({ name, value }: Json) => [name, value]));
    expect(variables).toEqual({
      OLLAMA_HOST: '0.0.0.0:11434',
      OLLAMA_MODELS: '/models',
      OLLAMA_MODEL: 'qwen2.5:7b',
      OLLAMA_READY: '/run/ollama/ready',
      OLLAMA_NUM_PARALLEL: '1',
      OLLAMA_CONTEXT_LENGTH: '8192',
      OLLAMA_KEEP_ALIVE: '-1',
      OLLAMA_NOPRUNE: '1',
      HOME: '/tmp',
    });
    expect(templateOf(object).spec.securityContext).toMatchObject({ runAsUser: 10001, runAsNonRoot: true });
  });

  test('is ready when the model is there, and lives when the server answers', () => {
    expect(container.readinessProbe.exec.command).toEqual(['test', '-e', env(object, 'OLLAMA_READY')]);
    expect(container.readinessProbe).not.toHaveProperty('httpGet');
    expect(container.livenessProbe.httpGet).toMatchObject({ path: '/api/version', port: 11434 });
    expect(container.startupProbe.httpGet).toMatchObject({ path: '/api/version', port: 11434 });
  });

  test('has room for the model, and for the file that says that it is there', () => {
    expect(container.volumeMounts.slice(0, 3)).toEqual([
      { name: 'models', mountPath: '/models' },
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'ready', mountPath: '/run/ollama' },
    ]);
    expect(templateOf(object).spec.volumes).toEqual(
      expect.arrayContaining([
        { name: 'models', emptyDir: { sizeLimit: '9Gi' } },
        { name: 'ready', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
      ]),
    );
  });
});

describe('the registry', () => {
  test('is reached by name on Cilium, and nothing else is', () => {
    const { objects } = ollama({}, { cilium: true });
    const rules: Json[] = find(objects, 'CiliumNetworkPolicy', 'ollama').spec.egress;
    const names = rules.flatMap(({ toFQDNs = [] }: Json) => toFQDNs.map(({ matchName }: Json) => matchName));
    expect(names).toContain('registry.ollama.ai');
    expect(names).not.toContain('huggingface.co');
    expect(find(objects, 'NetworkPolicy', 'ollama').spec).not.toHaveProperty('egress');
  });

  test('is reached among the public addresses elsewhere', () => {
    const { objects } = ollama();
    const rules: Json[] = find(objects, 'NetworkPolicy', 'ollama').spec.egress;
    const open = rules.filter(({ to }) => to[0].ipBlock?.cidr === '0.0.0.0/0');
    expect(open.length).toBeGreaterThan(0);
    expect(open.every(({ ports }) => JSON.stringify(ports) === '[{"port":443,"protocol":"TCP"}]')).toBe(true);
    expect(namesOf(objects, 'CiliumNetworkPolicy')).toEqual([]);
  });
});

test('pods can share what they pull, and can write to it', () => {
  const { object } = ollama({}, {}, true);
  const { spec } = templateOf(object);
  expect(spec.volumes).toContainEqual({ name: 'models', persistentVolumeClaim: { claimName: 'models' } });
  expect(mainContainer(object).volumeMounts).toContainEqual({ name: 'models', mountPath: '/models' });
  expect(spec.securityContext.fsGroup).toBe(1000);
});

describe('the context', () => {
  test('is what is said, and what a shorter model can attend to', () => {
    expect(env(ollama({ contextTokens: 16384 }).object, 'OLLAMA_CONTEXT_LENGTH')).toBe('16384');
    const model = EmbeddingModel.BGE_LARGE_EN_V1_5;
    expect(env(ollama({ model }).object, 'OLLAMA_CONTEXT_LENGTH')).toBe('512');
  });

  test.each([0, 32769, 1.5])('of %s tokens is refused', (contextTokens) => {
    expect(() => ollama({ contextTokens })).toThrow(
      new Error(
        `rag/ollama: contextTokens is ${contextTokens}, but must be from 1 to 32768, what qwen2.5:7b can attend to`,
      ),
    );
  });

  test('needs room on the GPU for each of the parallel requests', () => {
    const accelerator = Accelerator.NVIDIA_L4;
    // (24 - 2 - 4.72) GB / 57344 bytes is room for 36 requests of 8192 tokens.
    expect(() => ollama({ accelerator, parallel: 36 })).not.toThrow();
    expect(() => ollama({ accelerator, parallel: 37 })).toThrow(
      'rag/ollama: accelerator is 1 × nvidia-l4, which gives 24.0 GB (1 × 24 GB × 1), but qwen2.5:7b needs 4.7 GB for ' +
        'weights (7.62 billion parameters × 0.62 bytes (q4_K_M)), 2.0 GB for activations, 17.4 GB for a request of 303104 tokens',
    );
    expect(env(ollama({ parallel: 4 }).object, 'OLLAMA_NUM_PARALLEL')).toBe('4');
  });

  test.each([0, 1.5])('of %s requests at once is refused', (parallel) => {
    expect(() => ollama({ parallel })).toThrow(
      new Error(`rag/ollama: parallel is ${parallel}, but must be a whole number above 0`),
    );
  });
});

describe('the weights of a model that generates text', () => {
  const memoryOf = (id: string, precision?: Precision) => {
    const profile = ModelProfile.of({ parametersBillions: 8, precision });
    const { object } = ollama({ model: ChatModel.of({ id, contextTokens: 8192, profile }) });
    const { volumes } = templateOf(object).spec;
    const space = volumes.find(({ name }: Json) => name === 'models').emptyDir.sizeLimit;
    return [mainContainer(object).resources.requests.memory, space];
  };

  // 2 GiB beside the weights; half as much again on disk, and 1 GiB.
  test.each<[string, string, Precision | undefined, string, string]>([
    ['in 4 bits, where the tag says nothing', 'llama3.1:8b', undefined, '7Gi', '9Gi'],
    ['in 4 bits, where the tag says so', 'llama3.1:8b-instruct-q4_K_M', undefined, '7Gi', '9Gi'],
    ['in 8 bits', 'llama3.1:8b-instruct-q8_0', undefined, '10Gi', '13Gi'],
    ['in 16 bits', 'llama3.1:8b-instruct-fp16', undefined, '18Gi', '25Gi'],
    ['as the profile says', 'acme/legal:8b', Precision.BF16, '18Gi', '25Gi'],
  ])('are %s', (_, id, precision, memory, space) => {
    expect(memoryOf(id, precision)).toEqual([memory, space]);
  });

  test('of an embedding model are what its profile says', () => {
    const model = EmbeddingModel.of({
      id: 'bge-m3',
      dimensions: 1024,
      maxTokens: 8192,
      profile: EmbeddingModel.BGE_M3.profile,
    });
    expect(mainContainer(ollama({ model }).object).resources.requests.memory).toBe('4Gi');
  });

  test('decide whether a GPU has room for them', () => {
    const profile = ModelProfile.of({ parametersBillions: 14 });
    const model = (id: string) => ChatModel.of({ id, contextTokens: 8192, profile });
    const accelerator = Accelerator.NVIDIA_T4;
    expect(() => ollama({ model: model('qwen2.5:14b'), accelerator })).not.toThrow();
    expect(() => ollama({ model: model('qwen2.5:14b-instruct-fp16'), accelerator })).toThrow(
      'needs 28.0 GB for weights (14 billion parameters × 2 bytes (fp16))',
    );
  });
});
