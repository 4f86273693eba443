import { ChatModel } from '../../../constructs/models/chat-model';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { TextEmbeddingsInference } from '../../../constructs/models/text-embeddings-inference';
import { Triton } from '../../../constructs/models/triton';
import { Vllm } from '../../../constructs/models/vllm';
import { Accelerator } from '../../../constructs/placement/accelerator';
import { Registry } from '../../../constructs/placement/registry';
import { EnvValue } from '../../../constructs/workload/env-value';
import { Image } from '../../../constructs/workload/image';
import { find, mainContainer, render, testChart } from '../../support/manifests';
import { DIGEST, IMAGE } from '../../support/values';

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

test.each([
  ['--tensor=2', 'accelerators'],
  ['-t=2', 'accelerators'],
  ['--max_model=4096', 'contextTokens'],
  ['--kv-cache-dt=fp8', 'cachePrecision'],
])('vLLM is not told by the beginning of a name: %s', (word, setting) => {
  expect(() => vllm([word])).toThrow(
    new Error(`rag/server: args has ${word}, which the library derives; say it with ${setting}`),
  );
});

test.each(['--host', '--uds', '--ssl-keyfile', '--ssl-certfile', '--root-path', '--ssl_key', '--ho'])(
  'vLLM is reached where the Service leads, whatever %s says',
  (flag) => {
    expect(() => vllm([flag, 'value'])).toThrow(
      new Error(
        `rag/server: args has ${flag}, but Services, probes and clients use plain HTTP at port 8000 on every address; leave ` +
          'it out',
      ),
    );
  },
);

test('vLLM reads no file of arguments', () => {
  expect(() => vllm(['--config', 'a.yaml'])).toThrow(
    new Error('rag/server: args has --config, a file that may say what the library derives, unchecked; leave it out'),
  );
  expect(() => vllm(['--config-format', 'hf'])).not.toThrow();
});

test.each([[['--load-format=dummy']], [['--load-format', 'dummy']], [['--load_f=dummy']]])(
  'vLLM loads the weights of the model: %j',
  (args) => {
    expect(() => vllm(args)).toThrow(
      new Error(`rag/server: args has ${args[0]}, which makes up the weights; leave it out`),
    );
    expect(() => vllm(args.map((word) => word.replace('dummy', 'runai_streamer')))).not.toThrow();
  },
);

test.each([
  [['a/b']],
  [['--dtype=half', 'a/b']],
  [['--enable-prefix-caching', 'a/b']],
  [['--dtype', 'half', '--', 'a/b']],
  [['--dtype', 'half', '-']],
])('vLLM is told of no other model: %j', (args) => {
  expect(() => vllm(args)).toThrow(
    'which follows no argument that takes a value, so that the server may take it for a model; leave it out',
  );
});

test.each(['--max-model-len 4096', '--dtype half', '-O 3'])('name and value are two words, not "%s"', (word) => {
  expect(() => vllm([word])).toThrow(
    new Error(
      `rag/server: args has "${word}", in which name and value are one word; make two of it, or put "=" between them`,
    ),
  );
});

test('no argument is empty, and values may have spaces', () => {
  expect(() => vllm(['--dtype', ''])).toThrow(new Error('rag/server: args has an empty argument; leave it out'));
  expect(() => vllm(['--chat-template={{ a b }}', '--hf-overrides', '{"a": 1}'])).not.toThrow();
  expect(() => vllm(['--lora-modules', 'a=b', 'c=d'])).not.toThrow();
});

describe('where images need digests', () => {
  const COMMIT = '0123456789abcdef0123456789abcdef01234567';
  const strict = (args: string[], requireDigest = true) => {
    const chart = testChart({ registry: new Registry({ requireDigest }) });
    const image = Image.of('ghcr.io/acme/vllm', { tag: 'v1', digest: DIGEST });
    return new Vllm(chart, 'server', { model: ChatModel.QWEN2_5_7B, accelerator: Accelerator.NVIDIA_L4, image, args });
  };

  test.each(['--tokenizer-revision', '--code-revision'])('%s is a commit', (flag) => {
    expect(() => strict([flag, 'main'])).toThrow(
      new Error(
        `rag/server: args has ${flag}, but registry.requireDigest wants a commit there, 40 hexadecimal digits; leave it out`,
      ),
    );
    expect(() => strict([`${flag}=main`])).toThrow('requireDigest');
    expect(() => strict([flag, COMMIT])).not.toThrow();
    expect(() => strict([flag, 'main'], false)).not.toThrow();
  });

  test('another tokenizer is taken', () => {
    expect(() => strict(['--tokenizer', 'a/b'])).not.toThrow();
  });
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
  ['UDS_PATH', '--uds-path', 'leave it out'],
  ['HUGGINGFACE_HUB_CACHE', '--huggingface-hub-cache', 'leave it out'],
  ['DTYPE', '--dtype', 'leave it out'],
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
  expect(() => triton(['--model-rep=/other'])).toThrow('which the library derives; say it with repository');
  expect(() => triton(['--log-verbose=1'])).not.toThrow();
});
