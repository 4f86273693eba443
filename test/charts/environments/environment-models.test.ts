import { Environment } from '../../../charts/environments/environment';
import type { Json, ManifestObject } from '../../../constructs/rules/output';
import { EnvironmentFolder } from '../../support/environment-folder';
import { expectRefusals, refusalsOf } from '../../support/environment-refusals';
import { find, mainContainer, namesOf, templateOf } from '../../support/manifests';
import { argument, reachedBy, variables } from '../platforms';

const folder = new EnvironmentFolder();
afterAll(() => folder.remove());

/** The first seven lines of every file; what is tested begins in line 8. */
const LEAST = [
  'namespace: rag-test',
  'cluster: { storage: { shared: files } }',
  'qdrant: { nodes: 1, resources: { cpu: 100m, memory: 512Mi }, storage: 1Gi }',
  'api: { image: { repository: ghcr.io/acme/rag-api, tag: 1.8.2 } }',
  'queue: { redis: {} }',
  'embeddingWorkers:',
  '  image: { repository: ghcr.io/acme/rag-workers, tag: 1.8.2 }',
];

/** The objects of a file with these lines from 8 on; a cluster before them is put into line 2. */
function objectsOf(...lines: string[]): ManifestObject[] {
  const [first = ''] = lines;
  const all = first.startsWith('cluster:') ? [...LEAST.with(1, first), ...lines.slice(1)] : [...LEAST, ...lines];
  folder.write({ 'test.yaml': `${all.join('\n')}\n` });
  return Environment.read(folder.pathOf('test.yaml')).render('test.yaml').objects;
}

/** What is said about the lines from 8 on, without the name of the file. */
function refused(...lines: string[]): string[] {
  return refusalsOf(folder, () => objectsOf(...lines));
}

const SERVED = ['embeddingModel: BAAI/bge-m3', 'embedder: {}'];
const EMBEDDING_MODELS =
  'BAAI/bge-m3, BAAI/bge-large-en-v1.5, BAAI/bge-small-en-v1.5, intfloat/multilingual-e5-large, ' +
  'nomic-ai/nomic-embed-text-v1.5, Qwen/Qwen3-Embedding-0.6B, sentence-transformers/all-MiniLM-L6-v2, ' +
  'text-embedding-3-small, text-embedding-3-large';

/** Settings of every server, and where they arrive. */
const SERVER = [
  'resources: { cpu: "3", cpuLimit: "6", memory: 20Gi }',
  'startupBudget: 20m',
  'longestRequest: 90s',
  'apiKey: { secret: server, key: token }',
  'image: { repository: ghcr.io/acme/server, tag: 2.0.0 }',
  'scaling: { replicas: 3 }',
  'priorityClassName: high',
  'podLabels: { team: search }',
  'podAnnotations: { acme.example/owner: search }',
  'serviceAccountAnnotations: { acme.example/role: models }',
  'env: { RUST_LOG: warn }',
];

function below(part: string, ...settings: string[]): string[] {
  return [`${part}:`, ...settings.map((setting) => `  ${setting}`)];
}

function expectServer(objects: ManifestObject[], name: string, keyVariable: string): void {
  const deployment = find(objects, 'Deployment', name);
  const { metadata, spec } = templateOf(deployment);
  const container = mainContainer(deployment);
  expect(container.resources).toMatchObject({
    requests: { cpu: '3', memory: '20Gi' },
    limits: { cpu: '6', memory: '20Gi' },
  });
  expect(container.startupProbe.periodSeconds * container.startupProbe.failureThreshold).toBe(1200);
  expect(spec.terminationGracePeriodSeconds).toBe(10 + 90 + 15);
  expect(container.image).toBe('ghcr.io/acme/server:2.0.0');
  expect(deployment.spec.replicas).toBe(3);
  expect(spec.priorityClassName).toBe('high');
  expect(metadata.labels.team).toBe('search');
  expect(metadata.annotations['acme.example/owner']).toBe('search');
  expect(find(objects, 'ServiceAccount', name).metadata.annotations).toMatchObject({ 'acme.example/role': 'models' });
  const key = { secretKeyRef: { name: 'server', key: 'token' } };
  expect(variables(objects, 'Deployment', name)).toMatchObject({ RUST_LOG: 'warn', [keyVariable]: key });
}

describe('the embedding model', () => {
  const facts = (...lines: string[]) => variables(objectsOf(...lines), 'Deployment', 'api');

  test('is a name of the catalogue', () => {
    expect(facts('embeddingModel: intfloat/multilingual-e5-large')).toMatchObject({
      EMBEDDING_MODEL: 'intfloat/multilingual-e5-large',
      EMBEDDING_DIMENSIONS: '1024',
      EMBEDDING_QUERY_PREFIX: 'query: ',
    });
  });

  test('is a name of the catalogue at a commit', () => {
    expect(facts('embeddingModel: { id: BAAI/bge-small-en-v1.5, revision: c0ffee }')).toMatchObject({
      EMBEDDING_MODEL: 'BAAI/bge-small-en-v1.5',
      EMBEDDING_REVISION: 'c0ffee',
      EMBEDDING_DIMENSIONS: '384',
    });
  });

  test('is whatever its facts say', () => {
    const objects = objectsOf(
      ...below(
        'embeddingModel',
        'id: acme/embed',
        'revision: c0ffee',
        'dimensions: 128',
        'maxTokens: 300',
        'distance: manhattan',
        'normalised: false',
        'queryPrefix: "q: "',
        'documentPrefix: "d: "',
        'profile: { weights: 3Gi }',
      ),
      'embedder: { resources: { cpu: 500m, memory: 8Gi } }',
      'collection: {}',
    );
    expect(variables(objects, 'Deployment', 'embedding-workers')).toMatchObject({
      EMBEDDING_MODEL: 'acme/embed',
      EMBEDDING_REVISION: 'c0ffee',
      EMBEDDING_DIMENSIONS: '128',
      EMBEDDING_MAX_TOKENS: '300',
      EMBEDDING_NORMALISED: 'false',
      EMBEDDING_QUERY_PREFIX: 'q: ',
      EMBEDDING_DOCUMENT_PREFIX: 'd: ',
    });
    const { collections } = JSON.parse(find(objects, 'ConfigMap', 'collection-bootstrap').data['collection.json']);
    expect(collections[0].parameters.vectors).toMatchObject({ size: 128, distance: 'Manhattan' });
    // Half as much again as 3 GiB, which is 3.2 GB, and one more.
    expect(templateOf(find(objects, 'Deployment', 'embedder')).spec.volumes).toContainEqual({
      name: 'models',
      emptyDir: { sizeLimit: '6Gi' },
    });
  });

  const profile = (text: string) => [
    `embeddingModel: { id: a/b, dimensions: 8, maxTokens: 8, profile: ${text} }`,
    'embedder: {}',
  ];

  test.each([
    ['{ parametersBillions: 2 }', '10Gi'],
    ['{ parametersBillions: 2, precision: fp32 }', '18Gi'],
    ['{ parametersBillions: 2, precision: int8 }', '6Gi'],
    ['{ weights: 1Gi }', '5Gi'],
  ])('with a profile of %s has a server of %s', (text, memory) => {
    const objects = objectsOf(...profile(text));
    expect(mainContainer(find(objects, 'Deployment', 'embedder')).resources.requests.memory).toBe(memory);
  });

  expectRefusals(refused, [
    [
      'that is unknown, with the one that was probably meant',
      ['embeddingModel: BAAI/bge-m4'],
      '8:1 embeddingModel: is "BAAI/bge-m4", which is not in the catalogue; did you mean BAAI/bge-m3? otherwise say id, ' +
        'dimensions and maxTokens',
    ],
    [
      'that is unknown, with a part of its facts',
      ['embeddingModel: { id: acme/embed, dimensions: 8 }'],
      `8:1 embeddingModel: is "acme/embed", which is not in the catalogue (${EMBEDDING_MODELS}); say id, dimensions ` +
        'and maxTokens',
    ],
    [
      'of the catalogue, with a part of its facts',
      ['embeddingModel: { id: BAAI/bge-m3, dimensions: 512 }'],
      '8:36 embeddingModel.dimensions: is set without dimensions and maxTokens; a model with facts of its own needs ' +
        'all of them',
    ],
    [
      'of the catalogue, with a prefix',
      ['embeddingModel: { id: BAAI/bge-m3, queryPrefix: "q: " }'],
      '8:36 embeddingModel.queryPrefix: is set without dimensions and maxTokens; a model with facts of its own needs ' +
        'all of them',
    ],
    [
      'without dimensions',
      ['embeddingModel: { id: a/b, dimensions: 0, maxTokens: 8 }'],
      '8:28 embeddingModel.dimensions: is 0, but must be a whole number from 1 to 65536',
    ],
    [
      'compared by something else',
      ['embeddingModel: { id: a/b, dimensions: 8, maxTokens: 8, distance: hamming }'],
      '8:57 embeddingModel.distance: is "hamming", but must be one of cosine, dot, euclid, manhattan',
    ],
    ['without a name', ['embeddingModel: { dimensions: 8, maxTokens: 8 }'], '8:1 embeddingModel.id: is missing'],
    [
      'of two sizes',
      profile('{ weights: 1Gi, parametersBillions: 1 }').slice(0, 1),
      '8:57 embeddingModel.profile: needs either weights or parametersBillions, and not both',
    ],
    [
      'of no size',
      profile('{ parametersBillions: 0 }').slice(0, 1),
      '8:68 embeddingModel.profile.parametersBillions: is 0, but must be above 0',
    ],
    [
      'that nobody named, with a server',
      ['embedder: {}'],
      '1:1 embeddingModel: is missing, so nobody knows what to serve; name the model',
    ],
  ]);
});

describe('a server of vectors', () => {
  test.each(['embedder', 'ingestionEmbedder'])('%s gets every setting', (setting) => {
    const own = ['maxBatchTokens: 1000', 'maxClientBatchSize: 7', 'maxConcurrentRequests: 99'];
    const objects = objectsOf('embeddingModel: BAAI/bge-m3', ...below(setting, ...SERVER, ...own));
    const name = setting === 'embedder' ? 'embedder' : 'ingestion-embedder';
    expectServer(objects, name, 'API_KEY');
    expect(argument(objects, name, '--max-batch-tokens')).toBe('1000');
    expect(argument(objects, name, '--max-client-batch-size')).toBe('7');
    expect(argument(objects, name, '--max-concurrent-requests')).toBe('99');
  });

  test('gets a kind of GPU, and a pool', () => {
    const pools = '{ name: a, nodes: 1 }, { name: b, nodes: 1, accelerator: nvidia-l4, nodeSelector: { pool: b } }';
    const server = 'embedder: { accelerator: nvidia-l4, nodePool: b }';
    const objects = objectsOf(`cluster: { nodePools: [${pools}] }`, 'embeddingModel: BAAI/bge-m3', server);
    const deployment = find(objects, 'Deployment', 'embedder');
    expect(templateOf(deployment).spec.nodeSelector).toEqual({ pool: 'b' });
    expect(mainContainer(deployment).resources.limits['nvidia.com/gpu']).toBe('1');
  });

  expectRefusals(refused, [
    [
      'with a setting that there is not',
      [...SERVED.slice(0, 1), 'embedder: { accelerators: 2 }'],
      '9:13 embedder.accelerators: is not a setting; did you mean accelerator?',
    ],
    [
      'with a fact of its model that there is not',
      ['embeddingModel: { id: BAAI/bge-m3, revison: c0ffee }'],
      '8:36 embeddingModel.revison: is not a setting; did you mean revision?',
    ],
    [
      'for no text at once',
      [...SERVED.slice(0, 1), 'embedder: { maxClientBatchSize: 0 }'],
      '9:13 embedder.maxClientBatchSize: is 0, but must be a whole number above 0',
    ],
    [
      'whose model does not fit',
      [
        'embeddingModel: { id: a/b, dimensions: 8, maxTokens: 8, profile: { parametersBillions: 20 } }',
        'embedder:',
        '  accelerator: nvidia-l4',
      ],
      '10:3 embedder.accelerator: is 1 × nvidia-l4, which gives 24.0 GB (1 × 24 GB × 1), but a/b needs 40.0 GB for ' +
        'weights (20 billion parameters × 2 bytes (bf16)), 2.0 GB for activations; the smallest that would do: 1 × ' +
        'nvidia-l40s',
    ],
    [
      'of which nobody knows how much it takes',
      ['embeddingModel: { id: acme/embed, dimensions: 8, maxTokens: 8 }', 'embedder: {}'],
      "9:1 embedder.resources: is missing, and the size of acme/embed is unknown; set it, or the model's " + 'profile',
    ],
  ]);
});

describe('a server that ranks', () => {
  test('gets every setting', () => {
    const objects = objectsOf(
      ...below('reranker', 'model: BAAI/bge-reranker-large', ...SERVER, 'maxClientBatchSize: 7'),
    );
    expectServer(objects, 'reranker', 'API_KEY');
    expect(argument(objects, 'reranker', '--max-client-batch-size')).toBe('7');
    expect(variables(objects, 'Deployment', 'api')).toMatchObject({
      RERANKER_MODEL: 'BAAI/bge-reranker-large',
      RERANKER_API_KEY: { secretKeyRef: { name: 'server', key: 'token' } },
    });
  });

  test('serves a model of which the facts are said', () => {
    const model = 'model: { id: acme/rank, revision: c0ffee, maxTokens: 300, profile: { parametersBillions: 0.5 } }';
    const objects = objectsOf(...below('reranker', model));
    expect(argument(objects, 'reranker', '--model-id')).toBe('acme/rank');
    expect(argument(objects, 'reranker', '--revision')).toBe('c0ffee');
  });

  expectRefusals(refused, [
    [
      'with a model that is unknown',
      ['reranker: { model: acme/rank }'],
      '8:13 reranker.model: is "acme/rank", which is not in the catalogue (BAAI/bge-reranker-v2-m3, ' +
        'BAAI/bge-reranker-large); say id and maxTokens, and profile unless it is external',
    ],
    [
      'with a model of the catalogue, in part',
      ['reranker: { model: { id: BAAI/bge-reranker-large, profile: { weights: 1Gi } } }'],
      '8:51 reranker.model.profile: is set without maxTokens; a model with facts of its own needs all of them',
    ],
    ['with none', ['reranker: {}'], '8:1 reranker.model: is missing'],
    [
      'with a number for a model',
      ['reranker: { model: 5 }'],
      '8:13 reranker.model: is 5, but must be a name of the catalogue, or a map with the facts of a model',
    ],
  ]);
});

describe('a server of answers', () => {
  const MODEL = 'model: Qwen/Qwen2.5-7B-Instruct';
  test('gets every setting', () => {
    const objects = objectsOf(
      ...below(
        'llm',
        MODEL,
        'accelerator: nvidia-l4',
        'accelerators: 2',
        'contextTokens: 4096',
        'memoryUtilization: 0.8',
        'cachePrecision: fp8',
        'args: [--enable-prefix-caching]',
        ...SERVER,
      ),
    );
    expectServer(objects, 'llm', 'VLLM_API_KEY');
    expect(mainContainer(find(objects, 'Deployment', 'llm')).resources.limits['nvidia.com/gpu']).toBe('2');
    expect(argument(objects, 'llm', '--max-model-len')).toBe('4096');
    expect(argument(objects, 'llm', '--gpu-memory-utilization')).toBe('0.8');
    expect(argument(objects, 'llm', '--kv-cache-dtype')).toBe('fp8');
    expect(argument(objects, 'llm', '--tensor-parallel-size')).toBe('2');
    expect(argument(objects, 'llm', '--shutdown-timeout')).toBe('90');
    expect(mainContainer(find(objects, 'Deployment', 'llm')).args).toContain('--enable-prefix-caching');
    expect(variables(objects, 'Deployment', 'api').LLM_CONTEXT_TOKENS).toBe('4096');
  });

  test('can be a small one', () => {
    const objects = objectsOf(
      ...below(
        'llm',
        'model: { id: "qwen2.5:3b", contextTokens: 32768, profile: { parametersBillions: 3 } }',
        'ollama: { parallel: 3, accelerator: nvidia-t4, resources: { cpu: "2", memory: 8Gi } }',
      ),
    );
    // The API's longest answer is 2 minutes unless it is said, and then Ollama has 4.
    expect(templateOf(find(objects, 'Deployment', 'llm')).spec.terminationGracePeriodSeconds).toBe(265);
    expect(variables(objects, 'Deployment', 'llm')).toMatchObject({
      OLLAMA_MODEL: 'qwen2.5:3b',
      OLLAMA_NUM_PARALLEL: '3',
    });
    expect(mainContainer(find(objects, 'Deployment', 'llm')).resources.requests).toMatchObject({
      cpu: '2',
      memory: '8Gi',
      'nvidia.com/gpu': '1',
    });
  });

  const attention = 'attention: { layers: 80, keyValueHeads: 8, headDimension: 128 }';

  expectRefusals(refused, [
    [
      'with a model that is unknown',
      ['llm: { model: gpt-4.1 }'],
      '8:8 llm.model: is "gpt-4.1", which is not in the catalogue (meta-llama/Llama-3.1-8B-Instruct, ' +
        'meta-llama/Llama-3.3-70B-Instruct, mistralai/Mistral-7B-Instruct-v0.3, Qwen/Qwen2.5-7B-Instruct, ' +
        'Qwen/Qwen2.5-14B-Instruct, Qwen/Qwen2.5-32B-Instruct, Qwen/Qwen3-8B); say id and contextTokens, and profile ' +
        'unless it is external',
    ],
    [
      'with a model of the catalogue, in part',
      ['llm: { model: { id: Qwen/Qwen3-8B, gated: true }, accelerator: nvidia-l4 }'],
      '8:36 llm.model.gated: is set without contextTokens; a model with facts of its own needs all of them',
    ],
    [
      'without a GPU',
      below('llm', MODEL),
      '8:1 llm.accelerator: is missing; vLLM needs a GPU, ollama and external do not',
    ],
    [
      'whose model does not fit, at its line',
      below(
        'llm',
        `model: { id: a/70b, contextTokens: 8192, profile: { parametersBillions: 70, ${attention} } }`,
        'accelerators: 2',
        'accelerator: nvidia-l4',
      ),
      '11:3 llm.accelerator: is 2 × nvidia-l4, which gives 44.2 GB (2 × 24 GB × 0.92), but a/70b needs 140.0 GB for ' +
        'weights (70 billion parameters × 2 bytes (bf16)), 4.0 GB for activations, 2.7 GB for a request of 8192 tokens ' +
        '(× 327680 bytes); the smallest that would do: 2 × nvidia-a100-80',
    ],
    [
      'on three GPUs',
      below('llm', MODEL, 'accelerator: nvidia-l4', 'accelerators: 3'),
      '11:3 llm.accelerators: is 3, but weights are divided among 1, 2, 4, 8',
    ],
    [
      'for longer requests than its model takes',
      below('llm', MODEL, 'accelerator: nvidia-l4', 'contextTokens: 40000'),
      '11:3 llm.contextTokens: is 40000, but must be from 1 to 32768, what Qwen/Qwen2.5-7B-Instruct can attend to',
    ],
    [
      'that takes more memory than there is',
      below('llm', MODEL, 'accelerator: nvidia-l4', 'memoryUtilization: 1.5'),
      '11:3 llm.memoryUtilization: is 1.5, but must be above 0 and at most 1',
    ],
    [
      'of two kinds',
      below('llm', 'accelerator: nvidia-l4', MODEL, 'ollama: {}'),
      '9:3 llm.accelerator: is set together with ollama; keep one of the two',
    ],
    [
      'in the cluster and outside',
      below(
        'llm',
        'ollama: {}',
        'model: { id: a, contextTokens: 8 }',
        'external: { service: compatible, url: "https://a.b" }',
      ),
      '9:3 llm.ollama: is set together with external; keep one of the two',
    ],
    [
      'whose hub wants a token, which is a matter of models',
      below('llm', 'accelerator: nvidia-l4', 'model: meta-llama/Llama-3.1-8B-Instruct'),
      '8:1 llm.source: has no token, but meta-llama/Llama-3.1-8B-Instruct is given to accounts that have accepted its ' +
        "licence only; give it a token of the hub's, as ModelSource.hub({ token }) does",
    ],
  ]);
});

describe('where images need digests', () => {
  const DIGEST = `sha256:${'a'.repeat(64)}`;
  const pinned = (line: string) => line.replace('tag: 1.8.2', `tag: 1.8.2, digest: "${DIGEST}"`);
  const OWN = '{ id: acme/legal, dimensions: 768, maxTokens: 512, profile: { parametersBillions: 0.3 } }';
  const PROBLEM =
    'is acme/legal without a revision, but registry.requireDigest wants weights that stay the same as well; name the ' +
    'commit in its hub, 40 hexadecimal digits, as revision';

  /** The refusals of a cluster that needs digests. */
  function refusedThere(...lines: string[]): string[] {
    const least = LEAST.with(1, 'cluster: { storage: { shared: files }, registry: { requireDigest: true } }').map(
      pinned,
    );
    folder.write({ 'test.yaml': `${[...least, ...lines].join('\n')}\n` });
    return refusalsOf(folder, () => Environment.read(folder.pathOf('test.yaml')).render('test.yaml'));
  }

  test.each([
    ['of a server', 'embedder: {}'],
    ['of its download', 'models: { volume: { size: 10Gi } }', 'embedder: {}'],
    ['of workers that compute themselves', '  accelerator: nvidia-l4'],
  ])('a model without commit is refused where it is named: %s', (_, ...lines) => {
    const inWorkers = lines.filter((line) => line.startsWith(' '));
    const others = lines.filter((line) => !line.startsWith(' '));
    const line = 8 + inWorkers.length;
    expect(refusedThere(...inWorkers, `embeddingModel: ${OWN}`, ...others)).toEqual([
      `${line}:1 embeddingModel: ${PROBLEM}`,
    ]);
  });

  test('so is a reranker', () => {
    const model = '{ id: acme/legal, maxTokens: 512, profile: { parametersBillions: 0.3 } }';
    expect(refusedThere('reranker:', `  model: ${model}`)).toEqual([`9:3 reranker.model: ${PROBLEM}`]);
  });
});

describe('a hosted model', () => {
  const KEY = ', apiKey: { secret: hosted, key: token }';
  const embedder = (text: string) => ['embeddingModel: text-embedding-3-small', `embedder: { external: ${text} }`];

  test.each<[string, string]>([
    [`{ service: openai${KEY} }`, 'https://api.openai.com/v1'],
    [`{ service: voyage${KEY} }`, 'https://api.voyageai.com/v1'],
    [`{ service: azure-openai, resource: acme-rag${KEY} }`, 'https://acme-rag.openai.azure.com/openai/v1'],
    ['{ service: compatible, url: "https://llm.acme.example/v1" }', 'https://llm.acme.example/v1'],
  ])('of %s is at %s', (text, url) => {
    const objects = objectsOf(...embedder(text));
    for (const name of ['api', 'embedding-workers']) {
      expect(variables(objects, 'Deployment', name).EMBEDDING_URL).toBe(url);
    }
    expect(namesOf(objects, 'Deployment').sort()).toEqual(['api', 'embedding-workers']);
  });

  test('has a key and addresses', () => {
    const text = '{ service: openai, apiKey: { secret: openai, key: token }, cidrs: [203.0.113.0/24] }';
    const objects = objectsOf(...embedder(text));
    expect(reachedBy(objects, 'api')).toContain('203.0.113.0/24');
    expect(variables(objects, 'Deployment', 'api').EMBEDDING_API_KEY).toEqual({
      secretKeyRef: { name: 'openai', key: 'token' },
    });
  });

  test('makes the vectors of the next collection, while a server makes the present ones', () => {
    const next = `{ name: new, model: text-embedding-3-small, switched: true, embedder: { external: { service: openai${KEY} } } }`;
    const objects = objectsOf(...SERVED, `collection: { name: old, aliases: [documents], next: ${next} }`);
    for (const name of ['api', 'embedding-workers']) {
      expect(variables(objects, 'Deployment', name)).toMatchObject({
        EMBEDDING_MODEL: 'text-embedding-3-small',
        EMBEDDING_URL: 'https://api.openai.com/v1',
      });
    }
    expect(argument(objects, 'embedder', '--model-id')).toBe('BAAI/bge-m3');
  });

  test('ranks and answers', () => {
    const objects = objectsOf(
      ...below('reranker', 'model: { id: rerank-2.5, maxTokens: 32000 }', `external: { service: voyage${KEY} }`),
      ...below('llm', 'model: { id: gpt-4.1, contextTokens: 100 }', `external: { service: openai${KEY} }`),
    );
    expect(variables(objects, 'Deployment', 'api')).toMatchObject({
      RERANKER_MODEL: 'rerank-2.5',
      RERANKER_URL: 'https://api.voyageai.com/v1',
      LLM_MODEL: 'gpt-4.1',
      LLM_CONTEXT_TOKENS: '100',
    });
  });

  expectRefusals(refused, [
    [
      'together with a server',
      ['embeddingModel: BAAI/bge-m3', 'embedder:', `  external: { service: openai${KEY} }`, '  accelerator: nvidia-l4'],
      '11:3 embedder.accelerator: is set together with external; keep one of the two',
    ],
    [
      'that ranks, together with a server',
      below(
        'reranker',
        'model: BAAI/bge-reranker-large',
        `external: { service: voyage${KEY} }`,
        'scaling: { replicas: 2 }',
      ),
      '11:3 reranker.scaling: is set together with external; keep one of the two',
    ],
    [
      'of a service that there is not',
      embedder('{ service: cohere }'),
      '9:25 embedder.external.service: is "cohere", but must be one of openai, azure-openai, voyage, compatible',
    ],
    [
      'of OpenAI without a key',
      embedder('{ service: openai }'),
      '9:13 embedder.external.apiKey: is missing, but OpenAI answers nobody without a key; name the Secret that has it',
    ],
    [
      'of Voyage without a key',
      below('reranker', 'model: { id: rerank-2.5, maxTokens: 32000 }', 'external: { service: voyage }'),
      '10:3 reranker.external.apiKey: is missing, but Voyage answers nobody without a key; name the Secret that has it',
    ],
    [
      'of Azure without a key',
      embedder('{ service: azure-openai, resource: acme-rag }'),
      '9:13 embedder.external.apiKey: is missing, but Azure OpenAI answers nobody without a key; name the Secret that ' +
        'has it',
    ],
    [
      'that ranks, of OpenAI',
      below('reranker', 'model: { id: rerank-2.5, maxTokens: 32000 }', `external: { service: openai${KEY} }`),
      '10:15 reranker.external.service: is "openai", which has no models to rank passages; take voyage or compatible',
    ],
    [
      'that answers, of Voyage',
      below('llm', 'model: { id: gpt-4.1, contextTokens: 100 }', `external: { service: voyage${KEY} }`),
      '10:15 llm.external.service: is "voyage", which has no models to generate text; take openai or azure-openai or ' +
        'compatible',
    ],
    [
      'of a hub, that answers, of OpenAI',
      below('llm', 'model: Qwen/Qwen3-8B', `external: { service: openai${KEY} }`),
      '9:3 llm.model: is Qwen/Qwen3-8B, the name of a model in a hub, but OpenAI has its own: text-embedding-3-small, ' +
        'gpt-4.1, voyage-3.5; take one of them, or a server in the cluster',
    ],
    [
      'of a hub, of Azure',
      ['embeddingModel: BAAI/bge-m3', `embedder: { external: { service: azure-openai, resource: acme${KEY} } }`],
      '8:1 embeddingModel: is BAAI/bge-m3, the name of a model in a hub, but Azure OpenAI has its own: ' +
        'text-embedding-3-small, gpt-4.1, voyage-3.5; take one of them, or a server in the cluster',
    ],
    [
      'without a service',
      ['embeddingModel: text-embedding-3-small', 'embedder: {}'],
      '9:1 embedder: is a server in the cluster, but nothing here can compute with text-embedding-3-small, which is ' +
        'only hosted; name the service that has it, embedder.external in an environment file and a function that makes ' +
        'an ExternalModel elsewhere, or take another model',
    ],
    [
      'for the next collection, of a service that has the present one',
      [
        ...embedder(`{ service: openai${KEY} }`),
        'collection: { name: old, aliases: [documents], next: { name: new, model: BAAI/bge-m3 } }',
      ],
      '10:48 collection.next.embedder: is missing, but embedder is no server of the platform and may not have ' +
        'BAAI/bge-m3; say what makes vectors with it',
    ],
    [
      'of Azure without a resource',
      embedder('{ service: azure-openai }'),
      '9:13 embedder.external.resource: is missing; azure-openai needs it',
    ],
    [
      'of an API without its URL',
      embedder('{ service: compatible }'),
      '9:13 embedder.external.url: is missing; compatible needs it',
    ],
    [
      'of OpenAI with a URL',
      embedder('{ service: openai, url: "https://a.example/v1" }'),
      '9:42 embedder.external.url: means nothing to openai; remove it',
    ],
    [
      'of Voyage with a resource',
      embedder('{ service: voyage, resource: acme }'),
      '9:42 embedder.external.resource: means nothing to voyage; remove it',
    ],
    [
      'at a URL that is none',
      embedder('{ service: compatible, url: llm.acme.example }'),
      '9:46 embedder.external.url: must be a URL with https or http, host and path alone: https://api.acme.example/v1',
    ],
    [
      'of a resource with its domain',
      embedder(`{ service: azure-openai, resource: acme.openai.azure.com${KEY} }`),
      '9:48 embedder.external.resource: is "acme.openai.azure.com", but must be the name of an Azure resource, without ' +
        'its domain',
    ],
    [
      'with a value for its key',
      embedder('{ service: openai, apiKey: hunter2 }'),
      '9:42 embedder.external.apiKey: must be a reference to a Secret, { secret: name, key: name }; a value does not ' +
        'belong into this file',
    ],
    [
      'that answers, at a URL that is none',
      below('llm', 'model: { id: a, contextTokens: 8 }', 'external: { service: compatible, url: nowhere }'),
      '10:36 llm.external.url: must be a URL with https or http, host and path alone: https://api.acme.example/v1',
    ],
    [
      'that answers, at addresses that are none',
      below(
        'llm',
        'model: { id: a, contextTokens: 8 }',
        'external: { service: openai, cidrs: [10.0.0.1], apiKey: { secret: a, key: b } }',
      ),
      '10:32 llm.external.cidrs: has "10.0.0.1", but must have address ranges such as 10.0.0.0/16',
    ],
  ]);
});

test('threads that cut texts are a setting, and named by the message that asks for it', () => {
  const objects = objectsOf('embeddingModel: BAAI/bge-m3', 'embedder: { tokenizationWorkers: 3 }');
  expect(mainContainer(find(objects, 'Deployment', 'embedder')).args).toContain('3');
  const [problem] = refused('embeddingModel: BAAI/bge-m3', 'embedder: { env: { TOKENIZATION_WORKERS: "3" } }');
  expect(problem).toMatch(/embedder\.env\.TOKENIZATION_WORKERS: .*tokenizationWorkers/);
});

describe('where models are from', () => {
  test('gets every setting', () => {
    const objects = objectsOf(
      ...SERVED,
      ...below(
        'models',
        'hub: { token: { secret: hub, key: token }, url: "https://m.acme.example", cidrs: [10.0.0.1/32] }',
        'volume: { size: 30Gi, storageClass: slow }',
      ),
    );
    expect(find(objects, 'PersistentVolumeClaim', 'models').spec).toMatchObject({
      storageClassName: 'slow',
      resources: { requests: { storage: '30Gi' } },
    });
    expect(variables(objects, 'Job', 'download-bge-m3')).toMatchObject({
      HF_ENDPOINT: 'https://m.acme.example',
      HF_TOKEN: { secretKeyRef: { name: 'hub', key: 'token' } },
    });
    expect(reachedBy(objects, 'download-bge-m3')).toEqual(['10.0.0.1/32']);
  });

  test("is a volume of the cluster's class for shared ones", () => {
    const objects: Json = find(
      objectsOf(...SERVED, 'models: { volume: { size: 30Gi } }'),
      'PersistentVolumeClaim',
      'models',
    );
    expect(objects.spec.storageClassName).toBe('files');
  });

  expectRefusals(refused, [
    ['without a size', [...SERVED, 'models: { volume: {} }'], '10:11 models.volume.size: is missing'],
    [
      'without a class for it',
      ['cluster: {}', ...SERVED, 'models: { volume: { size: 1Gi } }'],
      '10:11 models.volume.storageClass: is missing, and the cluster declares no class for shared volumes; set ' +
        'storage.shared in the cluster',
    ],
  ]);
});

describe('the server of the model that comes next', () => {
  const next = (facts: string) => `collection: { name: a, aliases: [b], next: { name: c, model: ${facts} } }`;
  const LARGE = '{ id: a/b, dimensions: 8, maxTokens: 8, profile: { parametersBillions: 20 } }';

  expectRefusals(refused, [
    [
      'whose model does not fit is refused where its server is described',
      ['embeddingModel: BAAI/bge-m3', 'embedder: { accelerator: nvidia-l4 }', next(LARGE)],
      '9:13 embedder.accelerator: is 1 × nvidia-l4, which gives 24.0 GB (1 × 24 GB × 1), but a/b needs 40.0 GB for ' +
        'weights (20 billion parameters × 2 bytes (bf16)), 2.0 GB for activations; the smallest that would do: 1 × ' +
        'nvidia-l40s',
    ],
    [
      'whose model does not fit where documents have a server of their own',
      ['embeddingModel: BAAI/bge-m3', 'embedder: {}', 'ingestionEmbedder:', '  accelerator: nvidia-l4', next(LARGE)],
      '11:3 ingestionEmbedder.accelerator: is 1 × nvidia-l4, which gives 24.0 GB (1 × 24 GB × 1), but a/b needs 40.0 GB ' +
        'for weights (20 billion parameters × 2 bytes (bf16)), 2.0 GB for activations; the smallest that would do: 1 × ' +
        'nvidia-l40s',
    ],
  ]);
});

describe('the download of a model', () => {
  expectRefusals(refused, [
    [
      'that needs a token is refused where the hub is described',
      [
        'models:',
        '  volume: { size: 30Gi }',
        '  hub: { url: "https://m.acme.example" }',
        ...below('llm', 'accelerator: nvidia-l4', 'model: meta-llama/Llama-3.1-8B-Instruct'),
      ],
      '10:3 models.hub: has no token, but meta-llama/Llama-3.1-8B-Instruct is given to accounts that have accepted its ' +
        "licence only; give it a token of the hub's, as ModelSource.hub({ token }) does",
    ],
  ]);
});
