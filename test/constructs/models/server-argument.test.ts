import { ChatModel } from '../../../constructs/models/chat-model';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { TextEmbeddingsInference } from '../../../constructs/models/text-embeddings-inference';
import { Triton } from '../../../constructs/models/triton';
import { Vllm } from '../../../constructs/models/vllm';
import { Accelerator } from '../../../constructs/placement/accelerator';
import { EnvValue } from '../../../constructs/workload/env-value';
import { find, mainContainer, render, testChart } from '../../support/manifests';
import { IMAGE } from '../../support/values';

const vllm = (args: string[], env?: { [name: string]: EnvValue }) => {
  const chart = testChart();
  new Vllm(chart, 'server', { model: ChatModel.QWEN2_5_7B, accelerator: Accelerator.NVIDIA_L4, args, env });
  return mainContainer(find(render(chart), 'Deployment', 'server'));
};
const tei = (env: { [name: string]: EnvValue }) => {
  const chart = testChart();
  new TextEmbeddingsInference(chart, 'server', { model: EmbeddingModel.BGE_M3, env });
  return mainContainer(find(render(chart), 'Deployment', 'server'));
};
const triton = (args: string[]) =>
  new Triton(testChart(), 'server', { model: EmbeddingModel.BGE_M3, image: IMAGE, args });

test.each([
  [['--tensor-parallel-size', '2'], '--tensor-parallel-size', 'accelerators'],
  [['--tensor_parallel_size=2'], '--tensor_parallel_size=2', 'accelerators'],
  [['-tp', '2'], '-tp', 'accelerators'],
  [['--enable-auto-tool-choice', '-pp=2'], '-pp=2', 'accelerators'],
  [['--data-parallel-size', '2'], '--data-parallel-size', 'accelerators'],
  [['--max-model-len', '4096'], '--max-model-len', 'contextTokens'],
  [['--model', 'a/b'], '--model', 'model'],
  [['--revision', 'main'], '--revision', 'model'],
  [['--served-model-name', 'a'], '--served-model-name', 'model'],
  [['--runner', 'pooling'], '--runner', 'model'],
  [['--gpu-memory-utilization=0.5'], '--gpu-memory-utilization=0.5', 'memoryUtilization'],
  [['--kv-cache-dtype', 'fp8'], '--kv-cache-dtype', 'cachePrecision'],
  [['--shutdown-timeout', '1'], '--shutdown-timeout', 'longestRequest'],
  [['--api-key', 'a'], '--api-key', 'apiKey'],
])('vLLM is not told by args %j what follows from a setting', (args, word, setting) => {
  expect(() => vllm(args)).toThrow(
    new Error(`rag/server: args has ${word}, which the library derives; say it with ${setting}`),
  );
});

test('vLLM listens where the Service leads', () => {
  expect(() => vllm(['--port', '9000'])).toThrow(
    new Error('rag/server: args has --port, which the library derives; leave it out'),
  );
});

test('vLLM takes other arguments, and values that look like the names of those', () => {
  const args = [
    '--enable-auto-tool-choice',
    '--tool-call-parser',
    'hermes',
    '--dtype',
    'half',
    '--chat-template',
    'port',
  ];
  expect(vllm(args).args.slice(-args.length)).toEqual(args);
});

test.each([
  ['MAX_CLIENT_BATCH_SIZE', '--max-client-batch-size', 'say it with maxClientBatchSize'],
  ['MAX_BATCH_TOKENS', '--max-batch-tokens', 'say it with maxBatchTokens'],
  ['MAX_CONCURRENT_REQUESTS', '--max-concurrent-requests', 'say it with maxConcurrentRequests'],
  ['TOKENIZATION_WORKERS', '--tokenization-workers', 'say it with tokenizationWorkers'],
  ['MODEL_ID', '--model-id', 'say it with model'],
  ['REVISION', '--revision', 'say it with model'],
  ['PORT', '--port', 'leave it out'],
  ['PROMETHEUS_PORT', '--prometheus-port', 'leave it out'],
  ['HOSTNAME', '--hostname', 'leave it out'],
])('Text Embeddings Inference is not told by %s what it gets as an argument', (name, flag, wayOut) => {
  expect(() => tei({ [name]: EnvValue.of('1') })).toThrow(
    new Error(`rag/server: env.${name} says what the library derives as ${flag}; ${wayOut}`),
  );
});

test('Text Embeddings Inference takes other variables', () => {
  expect(tei({ POOLING: EnvValue.of('mean') }).env).toContainEqual({ name: 'POOLING', value: 'mean' });
});

test.each([
  ['Text Embeddings Inference', 'API_KEY', () => tei({ API_KEY: EnvValue.of('a') })],
  ['vLLM', 'VLLM_API_KEY', () => vllm([], { VLLM_API_KEY: EnvValue.of('a') })],
])('%s gets its key where clients do', (_, name, make) => {
  expect(make).toThrow(
    new Error(
      `rag/server: env.${name} is the key that clients have to show, and they would not get it; say it with apiKey`,
    ),
  );
});

test('Triton is not told what follows from a setting', () => {
  expect(() => triton(['--model-repository=/other'])).toThrow('which the library derives; say it with repository');
  expect(() => triton(['--exit-timeout-secs=1'])).toThrow('which the library derives; say it with longestRequest');
  expect(() => triton(['--http-port', '80'])).toThrow('args has --http-port, which the library derives; leave it out');
  expect(() => triton(['--log-verbose=1'])).not.toThrow();
});
