import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Size } from 'cdk8s';
import { ChatModel } from '../../../constructs/models/chat-model';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { Ollama, type OllamaProps } from '../../../constructs/models/ollama';
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
        { name: 'models', emptyDir: { sizeLimit: '24Gi' } },
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
    // (24 - 2 - 15.24) GB / 57344 bytes is room for 14 requests of 8192 tokens.
    expect(() => ollama({ accelerator, parallel: 14 })).not.toThrow();
    expect(() => ollama({ accelerator, parallel: 15 })).toThrow(
      'rag/ollama: accelerator is 1 × nvidia-l4, which gives 24.0 GB (1 × 24 GB × 1), but qwen2.5:7b needs 15.2 GB for ' +
        'weights (7.62 billion parameters × 2 bytes (bf16)), 2.0 GB for activations, 7.0 GB for a request of 122880 tokens',
    );
    expect(env(ollama({ parallel: 4 }).object, 'OLLAMA_NUM_PARALLEL')).toBe('4');
  });

  test.each([0, 1.5])('of %s requests at once is refused', (parallel) => {
    expect(() => ollama({ parallel })).toThrow(
      new Error(`rag/ollama: parallel is ${parallel}, but must be a whole number above 0`),
    );
  });
});
