import { type Chart, Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { ChatModel } from '../../../constructs/models/chat-model';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { ExternalModel } from '../../../constructs/models/external-model';
import { ModelProfile } from '../../../constructs/models/model-profile';
import type { ModelServer, ModelServerOptions } from '../../../constructs/models/model-server';
import { ModelSource } from '../../../constructs/models/model-source';
import { Ollama } from '../../../constructs/models/ollama';
import { Precision } from '../../../constructs/models/precision';
import { RerankModel } from '../../../constructs/models/rerank-model';
import { TextEmbeddingsInference } from '../../../constructs/models/text-embeddings-inference';
import { Triton } from '../../../constructs/models/triton';
import { Vllm } from '../../../constructs/models/vllm';
import { Accelerator } from '../../../constructs/placement/accelerator';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import type { Json, ManifestObject } from '../../../constructs/rules/output';
import { Scaling } from '../../../constructs/scaling/scaling';
import { ScalingMetric } from '../../../constructs/scaling/scaling-metric';
import { Deployment } from '../../../constructs/workload/deployment';
import type { IProvider } from '../../../constructs/workload/provider';
import { SharedVolume } from '../../../constructs/workload/shared-volume';
import { UpdateStrategy } from '../../../constructs/workload/update-strategy';
import { env, find, mainContainer, namesOf, render, templateOf, testChart } from '../../support/manifests';
import { IMAGE, KEY, RESOURCES } from '../../support/values';
import { CONTAINER } from '../../support/workloads';

type Options = Omit<ModelServerOptions, 'source' | 'apiKey'>;
type Model = EmbeddingModel | ChatModel;

const L4 = Accelerator.NVIDIA_L4;
const EMBEDDING = EmbeddingModel.BGE_M3;
const CHAT = ChatModel.QWEN2_5_7B;

const tei = (chart: Chart, options: Options = {}, model: EmbeddingModel | RerankModel = EMBEDDING) =>
  new TextEmbeddingsInference(chart, 'server', { model, ...options });
const vllm = (chart: Chart, options: Options = {}, model: Model = EMBEDDING) =>
  new Vllm(chart, 'server', { model, accelerator: L4, ...options });
const triton = (chart: Chart, options: Options = {}, model: Model = EMBEDDING) =>
  new Triton(chart, 'server', { model, image: IMAGE, ...options });
const ollama = (chart: Chart, options: Options = {}, model: Model = EMBEDDING) =>
  new Ollama(chart, 'server', { model, ...options });

const SERVERS: [string, (chart: Chart, options?: Options) => ModelServer][] = [
  ['TextEmbeddingsInference', tei],
  ['Vllm', vllm],
  ['Triton', triton],
  ['Ollama', ollama],
];

function objectsOf(
  create: (chart: Chart, options?: Options) => ModelServer,
  options: Options = {},
  cluster: ClusterProps = {},
): ManifestObject[] {
  const chart = testChart(cluster);
  create(chart, options);
  return render(chart);
}

const serverOf = (...args: Parameters<typeof objectsOf>) => find(objectsOf(...args), 'Deployment', 'server');

/** A client that uses what is created in its chart. */
function clientOf(create: (chart: Chart) => IProvider): ManifestObject {
  const chart = testChart();
  const client = new Deployment(chart, 'client', { component: 'client', container: CONTAINER });
  client.uses(create(chart));
  return find(render(chart), 'Deployment', 'client');
}

const namesGiven = (client: ManifestObject): string[] => mainContainer(client).env.map(({ name }: Json) => name);

describe.each(SERVERS)('%s', (_, create) => {
  test('is one pod that listens where its Service does', () => {
    const objects = objectsOf(create);
    const server = find(objects, 'Deployment', 'server');
    const { ports } = mainContainer(server);
    const service = find(objects, 'Service', 'server').spec;
    expect(server.spec.replicas).toBe(1);
    expect(server.metadata.labels?.['app.kubernetes.io/component']).toBe('model-server');
    expect(service.selector).toEqual(server.spec.selector.matchLabels);
    for (const { port, targetPort } of service.ports) {
      expect(targetPort).toBe(port);
      expect(ports.map(({ containerPort }: Json) => containerPort)).toContain(port);
    }
  });

  test('takes the scaling, image and resources that it is given', () => {
    const server = serverOf(create, { scaling: Scaling.fixed(3), image: IMAGE, resources: RESOURCES });
    expect(server.spec.replicas).toBe(3);
    expect(mainContainer(server).image).toBe('ghcr.io/acme/program:1.2.3');
    expect(mainContainer(server).resources.requests).toMatchObject({ cpu: '500m', memory: '1Gi' });
  });

  test('is asked whether it lives and is ready, on its port', () => {
    const { startupProbe, livenessProbe, readinessProbe, ports } = mainContainer(serverOf(create));
    const asked = ({ httpGet, exec }: Json) => ({ httpGet, exec });
    expect(asked(startupProbe)).toEqual(asked(livenessProbe));
    expect(startupProbe.httpGet.port).toBe(ports[0].containerPort);
    expect(livenessProbe).toMatchObject({ periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 });
    expect(readinessProbe).toMatchObject({ periodSeconds: 5, failureThreshold: 3 });
  });

  test('finishes what is under way before it is killed', () => {
    const server = serverOf(create, { longestRequest: Duration.minutes(10) });
    expect(mainContainer(server).lifecycle.preStop.exec.command).toEqual(['sleep', '10']);
    expect(templateOf(server).spec.terminationGracePeriodSeconds).toBe(625);
  });

  test('may be told how long its start takes, and the rollout waits for it', () => {
    const server = serverOf(create, { startupBudget: Duration.minutes(45) });
    const { periodSeconds, failureThreshold } = mainContainer(server).startupProbe;
    expect(periodSeconds * failureThreshold).toBe(2700);
    const grace = templateOf(server).spec.terminationGracePeriodSeconds;
    expect(server.spec.progressDeadlineSeconds).toBe(2700 + grace + 600);
  });

  test('on a GPU is replaced in its place, and needs no spare one', () => {
    const server = serverOf(create, { accelerator: L4 });
    expect(server.spec.strategy.rollingUpdate).toEqual({ maxSurge: 0, maxUnavailable: 1 });
    expect(mainContainer(server).resources.limits['nvidia.com/gpu']).toBe('1');
    expect(templateOf(server).spec.tolerations).toEqual([
      { key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' },
    ]);
  });

  test('keeps as many old ReplicaSets as it is told', () => {
    expect(serverOf(create, { revisionHistoryLimit: 2 }).spec.revisionHistoryLimit).toBe(2);
    expect(serverOf(create).spec).not.toHaveProperty('revisionHistoryLimit');
  });

  test('is replaced as it is told', () => {
    const server = serverOf(create, { accelerator: L4, update: UpdateStrategy.RECREATE });
    expect(server.spec.strategy).toEqual({ type: 'Recreate' });
  });

  test('accepts its clients, and nobody else', () => {
    const chart = testChart({ prometheus: { namespace: 'monitoring' } });
    const server = create(chart);
    const client = new Deployment(chart, 'client', { component: 'client', container: CONTAINER });
    client.uses(server);
    const { ingress } = find(render(chart), 'NetworkPolicy', 'server').spec;
    const fromClient = ingress.filter(({ from }: Json) => from[0].podSelector?.matchLabels !== undefined);
    expect(fromClient).toHaveLength(1);
    expect(fromClient[0].from).toEqual([{ podSelector: { matchLabels: client.pods.labels } }]);
    const served = find(render(chart), 'Service', 'server').spec.ports.map(({ port }: Json) => port);
    expect(fromClient[0].ports.map(({ port }: Json) => port)).toEqual(served);
  });

  test('has to be told its resources when the size of its model is unknown', () => {
    const unknown = EmbeddingModel.of({ id: 'acme/unknown', dimensions: 8, maxTokens: 512 });
    const creating = (options: Options) => () =>
      (create as (chart: Chart, options: Options, model: EmbeddingModel) => ModelServer)(testChart(), options, unknown);
    expect(creating({})).toThrow(
      new Error(
        "rag/server: resources is missing, and the size of acme/unknown is unknown; set it, or the model's profile",
      ),
    );
    expect(creating({ resources: RESOURCES })).not.toThrow();
  });

  test('has room of its own for temporary files', () => {
    const server = serverOf(create);
    expect(mainContainer(server).volumeMounts).toContainEqual({ name: 'tmp', mountPath: '/tmp' });
    expect(templateOf(server).spec.volumes).toContainEqual({ name: 'tmp', emptyDir: { sizeLimit: '1Gi' } });
    expect(mainContainer(server).securityContext.readOnlyRootFilesystem).toBe(true);
  });

  test('is scaled by what it is told, within its pool', () => {
    const nodePools = [{ name: 'gpu', nodes: 2, accelerator: L4 }];
    const options = { accelerator: L4, scaling: Scaling.fixed(2) };
    expect(() => objectsOf(create, options, { nodePools })).not.toThrow();
    expect(() => objectsOf(create, { ...options, scaling: Scaling.fixed(3) }, { nodePools })).toThrow(
      'node pool "gpu" has at most 2 × 1 = 2 nvidia-l4, but rag/server 3 pods × 1 = 3 can be asked for at once',
    );
  });
});

describe('the time that the longest request takes', () => {
  test.each([
    ['embeddings from TextEmbeddingsInference', tei, EMBEDDING, 85],
    ['embeddings from vLLM', vllm, EMBEDDING, 85],
    ['answers from vLLM', vllm, CHAT, 265],
    ['answers from Triton', triton, CHAT, 85],
    ['embeddings from Ollama', ollama, EMBEDDING, 85],
    ['answers from Ollama', ollama, CHAT, 265],
  ])('of %s is part of the grace period', (_, create, model, seconds) => {
    const chart = testChart();
    (create as (chart: Chart, options: Options, model: Model) => ModelServer)(chart, {}, model);
    const { terminationGracePeriodSeconds, containers } = templateOf(find(render(chart), 'Deployment', 'server')).spec;
    expect(terminationGracePeriodSeconds).toBe(seconds);
    const sleep = Number(containers[0].lifecycle.preStop.exec.command[1]);
    expect(terminationGracePeriodSeconds).toBeGreaterThan(sleep + (seconds - 25));
  });
});

describe('the startup budget', () => {
  const budgetOf = (create: (chart: Chart) => ModelServer) => {
    const chart = testChart();
    create(chart);
    const { periodSeconds, failureThreshold } = mainContainer(find(render(chart), 'Deployment', 'server')).startupProbe;
    return periodSeconds * failureThreshold;
  };

  test.each([
    // 2.3 GB / 0.1 GB/s + 60 s, twice, is below the least.
    ['a small model', (chart: Chart) => tei(chart), 300],
    // 15.24 GB / 0.1 GB/s + 300 s, twice, in whole minutes.
    ['a larger one, with its compilation', (chart: Chart) => vllm(chart, {}, CHAT), 960],
    // 14.77 billion parameters of 0.62 bytes, 9.16 GB / 0.1 GB/s + 60 s, twice, in whole minutes.
    ['a larger one in 4 bits, without compilation', (chart: Chart) => ollama(chart, {}, ChatModel.QWEN2_5_14B), 360],
    // 2.3 GB / 0.3 GB/s + 120 s, twice.
    ['one in the image', (chart: Chart) => triton(chart), 300],
  ])('of %s is twice the estimate in whole minutes, and at least 5', (_, create, seconds) => {
    expect(budgetOf(create)).toBe(seconds);
  });

  test('grows with the weights', () => {
    const create = (chart: Chart) =>
      new Vllm(chart, 'server', {
        model: ChatModel.QWEN2_5_32B,
        accelerator: Accelerator.NVIDIA_H100,
        accelerators: 2,
      });
    // (65.52 GB / 0.1 GB/s + 300 s) × 2 = 1910.4 s.
    expect(budgetOf(create)).toBe(1920);
  });

  test('of a model of unknown size is that of 10 GB', () => {
    const model = EmbeddingModel.of({ id: 'acme/unknown', dimensions: 8, maxTokens: 512 });
    expect(budgetOf((chart) => tei(chart, { resources: RESOURCES }, model))).toBe(360);
  });

  test.each([
    // (100 GB / 0.1 GB/s + 60 s) × 2, for each of them alone.
    ['from a hub does not depend on how many there are', (_: SharedVolume) => ModelSource.HUGGING_FACE, [2160, 2160]],
    // (100 GB × 1 or 4 / 0.3 GB/s + 60 s) × 2.
    ['from a volume is that of all at once', (volume: SharedVolume) => ModelSource.prepared(volume), [840, 2820]],
    // Both.
    ['from a shared cache is for both', (volume: SharedVolume) => ModelSource.sharedCache(volume), [2820, 4800]],
  ])('%s', (_, sourceOf, seconds) => {
    const model = EmbeddingModel.of({
      id: 'acme/large',
      dimensions: 8,
      maxTokens: 512,
      profile: ModelProfile.of({ parametersBillions: 50 }),
    });
    const budgets = [Scaling.fixed(1), Scaling.horizontal({ min: 1, max: 4, metrics: [ScalingMetric.cpu(70)] })].map(
      (scaling) =>
        budgetOf((chart) => {
          const volume = new SharedVolume(chart, 'models', { size: Size.gibibytes(100), storageClass: 'nfs' });
          return new TextEmbeddingsInference(chart, 'server', { model, scaling, source: sourceOf(volume) });
        }),
    );
    expect(budgets).toEqual(seconds);
  });

  test('is for the files, which may be larger than the weights', () => {
    const of = (filePrecision?: Precision) =>
      budgetOf((chart) =>
        tei(
          chart,
          {},
          EmbeddingModel.of({
            id: 'acme/large',
            dimensions: 8,
            maxTokens: 512,
            profile: ModelProfile.of({ parametersBillions: 50, filePrecision }),
          }),
        ),
      );
    expect([of(), of(Precision.FP32)]).toEqual([2160, 4140]);
  });

  test('shorter than one question is refused', () => {
    expect(() => tei(testChart(), { startupBudget: Duration.seconds(0) })).toThrow(
      'startupBudget is 0 seconds, but must be at least one probe period',
    );
  });
});

describe('metrics', () => {
  const monitoring = { prometheus: { namespace: 'monitoring', podLabels: { app: 'prometheus' } } };
  const scrapes = (create: (typeof SERVERS)[number][1], cluster: ClusterProps) =>
    (find(objectsOf(create, {}, cluster), 'NetworkPolicy', 'server').spec.ingress ?? []) as Json[];

  test.each([
    ['TextEmbeddingsInference', tei, 9000],
    ['Vllm', vllm, 8000],
    ['Triton', triton, 8002],
  ])('of %s are open to Prometheus alone', (_, create, port) => {
    expect(scrapes(create, monitoring)).toEqual([
      {
        from: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } },
            podSelector: { matchLabels: { app: 'prometheus' } },
          },
        ],
        ports: [{ port, protocol: 'TCP' }],
      },
    ]);
    expect(mainContainer(serverOf(create)).ports).toContainEqual(
      expect.objectContaining({ containerPort: port, protocol: 'TCP' }),
    );
    expect(scrapes(create, {})).toEqual([]);
  });

  test('are not on the Service, unless requests come by the same port', () => {
    const ports = (create: (typeof SERVERS)[number][1]) =>
      find(objectsOf(create), 'Service', 'server').spec.ports.map(({ port }: Json) => port);
    expect(SERVERS.map(([, create]) => ports(create))).toEqual([[8080], [8000], [8000, 8001], [11434]]);
  });

  test('Ollama has none', () => {
    expect(scrapes(ollama, monitoring)).toEqual([]);
    expect(mainContainer(serverOf(ollama)).ports).toHaveLength(1);
  });
});

describe('clients', () => {
  const hosted = (options: { envPrefix?: string; apiKey?: typeof KEY } = {}, model: Model | RerankModel = EMBEDDING) =>
    ExternalModel.compatible({ url: 'https://api.acme.example/v1', model, ...options });

  const EMBEDDING_NAMES = ['URL', 'SERVER_URL', 'MODEL', 'REVISION', 'DIMENSIONS', 'MAX_TOKENS', 'NORMALISED'];
  const named = (prefix: string, names: string[]) => names.map((name) => `${prefix}_${name}`);

  test.each([
    ['TextEmbeddingsInference', (chart: Chart) => tei(chart, { accelerator: L4 }), 'http://server:8080'],
    ['Vllm', (chart: Chart) => vllm(chart), 'http://server:8000'],
    ['Ollama', (chart: Chart) => ollama(chart), 'http://server:11434'],
    ['ExternalModel', () => hosted(), 'https://api.acme.example'],
  ])('of embeddings from %s get the same variables', (_, create, url) => {
    const client = clientOf(create);
    expect(namesGiven(client)).toEqual(named('EMBEDDING', EMBEDDING_NAMES));
    expect(env(client, 'EMBEDDING_URL')).toBe(`${url}/v1`);
    expect(env(client, 'EMBEDDING_SERVER_URL')).toBe(url);
    expect(env(client, 'EMBEDDING_MODEL')).toBe('BAAI/bge-m3');
    expect(env(client, 'EMBEDDING_DIMENSIONS')).toBe('1024');
  });

  test('of Triton get its gRPC port as well', () => {
    const client = clientOf((chart) => triton(chart));
    expect(namesGiven(client).filter((name) => name !== 'EMBEDDING_GRPC_PORT')).toEqual(
      named('EMBEDDING', EMBEDDING_NAMES),
    );
    expect(env(client, 'EMBEDDING_GRPC_PORT')).toBe('8001');
    expect(env(client, 'EMBEDDING_URL')).toBe('http://server:8000/v2');
    expect(env(client, 'EMBEDDING_SERVER_URL')).toBe('http://server:8000');
  });

  test.each([
    ['Vllm', (chart: Chart) => vllm(chart, {}, CHAT)],
    ['Ollama', (chart: Chart) => ollama(chart, {}, CHAT)],
    ['ExternalModel', () => hosted({}, CHAT)],
  ])('of answers from %s get the same variables', (_, create) => {
    const client = clientOf(create);
    expect(namesGiven(client)).toEqual(['LLM_URL', 'LLM_SERVER_URL', 'LLM_MODEL', 'LLM_CONTEXT_TOKENS']);
    expect(env(client, 'LLM_MODEL')).toBe('Qwen/Qwen2.5-7B-Instruct');
  });

  test('are told of the context that the server takes, not of all that the model could attend to', () => {
    const tokens = (create: (chart: Chart) => IProvider) => env(clientOf(create), 'LLM_CONTEXT_TOKENS');
    expect(tokens((chart) => vllm(chart, {}, CHAT))).toBe('8192');
    expect(tokens((chart) => ollama(chart, {}, CHAT))).toBe('8192');
    expect(tokens((chart) => new Vllm(chart, 'server', { model: CHAT, accelerator: L4, contextTokens: 16384 }))).toBe(
      '16384',
    );
    expect(tokens(() => hosted({}, CHAT))).toBe('32768');
  });

  test.each([
    ['TextEmbeddingsInference', (chart: Chart) => tei(chart, { accelerator: L4 }, RerankModel.BGE_RERANKER_V2_M3)],
    ['ExternalModel', () => hosted({}, RerankModel.BGE_RERANKER_V2_M3)],
  ])('of rankings from %s get the same variables', (_, create) => {
    expect(namesGiven(clientOf(create))).toEqual([
      'RERANKER_URL',
      'RERANKER_SERVER_URL',
      'RERANKER_MODEL',
      'RERANKER_MAX_TOKENS',
    ]);
  });

  test('change in values only when one server stands in for another', () => {
    const without = (client: ManifestObject) => {
      const { env: variables, ...container } = mainContainer(client);
      return { container, names: variables.map(({ name }: Json) => name) };
    };
    const [first, ...others] = [
      clientOf((chart) => tei(chart, { accelerator: L4 })),
      clientOf((chart) => vllm(chart)),
      clientOf((chart) => ollama(chart)),
      clientOf(() => hosted()),
    ].map(without);
    for (const other of others) {
      expect(other).toEqual(first);
    }
  });

  test('get other names with another prefix', () => {
    for (const create of [
      (chart: Chart) => tei(chart, { accelerator: L4, envPrefix: 'QUERY' }),
      (chart: Chart) => vllm(chart, { envPrefix: 'QUERY' }),
      (chart: Chart) => ollama(chart, { envPrefix: 'QUERY' }),
      () => hosted({ envPrefix: 'QUERY' }),
    ]) {
      expect(namesGiven(clientOf(create))).toEqual(named('QUERY', EMBEDDING_NAMES));
    }
    const names = namesGiven(clientOf((chart) => triton(chart, { envPrefix: 'QUERY' })));
    expect(names.filter((name) => !name.startsWith('QUERY_'))).toEqual([]);
  });

  test.each([
    [
      'TextEmbeddingsInference',
      (chart: Chart) => new TextEmbeddingsInference(chart, 'server', { model: EMBEDDING, apiKey: KEY }),
      'API_KEY',
    ],
    [
      'Vllm',
      (chart: Chart) => new Vllm(chart, 'server', { model: EMBEDDING, accelerator: L4, apiKey: KEY }),
      'VLLM_API_KEY',
    ],
  ])('of %s get the key that it asks for, both by reference', (_, create, variable) => {
    const chart = testChart();
    const client = new Deployment(chart, 'client', { component: 'client', container: CONTAINER });
    client.uses(create(chart));
    const objects = render(chart);
    const reference = { secretKeyRef: { name: 'existing', key: 'key' } };
    expect(env(find(objects, 'Deployment', 'server'), variable)).toEqual(reference);
    expect(env(find(objects, 'Deployment', 'client'), 'EMBEDDING_API_KEY')).toEqual(reference);
    expect(env(find(objects, 'Deployment', 'server'), 'EMBEDDING_API_KEY')).toBeUndefined();
  });

  test('and servers have no key where none is given', () => {
    for (const [, create] of SERVERS) {
      const names = (mainContainer(serverOf(create)).env ?? []).map(({ name }: Json) => name);
      expect(names.filter((name: string) => name.endsWith('API_KEY'))).toEqual([]);
      expect(namesGiven(clientOf((chart) => create(chart)))).not.toContain('EMBEDDING_API_KEY');
    }
  });

  test.each([
    ['Triton', triton],
    ['Ollama', ollama],
  ])('of %s cannot be asked for a key', (_, create) => {
    expect(() => create(testChart(), { apiKey: KEY } as Options)).toThrow(
      new Error('rag/server: apiKey is set, but this server knows no keys; leave it out'),
    );
  });

  test('in another namespace get the whole name', () => {
    const chart = testChart();
    const server = tei(chart);
    const client = new Deployment(testChart(), 'client', { component: 'client', container: CONTAINER });
    const away = Object.defineProperty(client, 'namespace', { value: 'elsewhere' });
    expect(server.offerTo(away).env.EMBEDDING_URL?.shown).toBe('"http://server.test.svc.cluster.local:8080/v1"');
  });

  test('are applied after the server', () => {
    expect(clientOf((chart) => tei(chart)).metadata.annotations?.['argocd.argoproj.io/sync-wave']).toBe('10');
  });
});

describe('two servers of one model', () => {
  test('serve queries and ingestion, and the model is named once', () => {
    const chart = testChart();
    const model = EMBEDDING;
    const queries = new TextEmbeddingsInference(chart, 'queries', { model });
    const ingestion = new TextEmbeddingsInference(chart, 'ingestion', {
      model,
      accelerator: L4,
      maxClientBatchSize: 256,
    });
    const clients = [
      { id: 'api', server: queries },
      { id: 'workers', server: ingestion },
    ];
    for (const { id, server } of clients) {
      new Deployment(chart, id, { component: id, container: CONTAINER }).uses(server);
    }
    const objects = render(chart);
    const [api, workers] = clients.map(({ id }) => find(objects, 'Deployment', id));
    // On the CPU it reads less of a text, and says so.
    expect(namesGiven(api as ManifestObject)).toEqual([
      ...namesGiven(workers as ManifestObject),
      'EMBEDDING_SERVED_TOKENS',
    ]);
    expect(env(api as ManifestObject, 'EMBEDDING_URL')).toBe('http://queries:8080/v1');
    expect(env(workers as ManifestObject, 'EMBEDDING_URL')).toBe('http://ingestion:8080/v1');
    expect(env(workers as ManifestObject, 'EMBEDDING_MODEL')).toBe(env(api as ManifestObject, 'EMBEDDING_MODEL'));
    expect(namesOf(objects, 'Service')).toEqual(expect.arrayContaining(['queries', 'ingestion']));
  });

  test('cannot both give one client their address under one name', () => {
    const chart = testChart();
    const client = new Deployment(chart, 'client', { component: 'client', container: CONTAINER });
    client.uses(new TextEmbeddingsInference(chart, 'queries', { model: EMBEDDING }));
    expect(() => client.uses(new TextEmbeddingsInference(chart, 'ingestion', { model: EMBEDDING }))).toThrow(
      'env.EMBEDDING_URL is "http://queries:8080/v1" from uses(queries)',
    );
  });

  test('can with prefixes', () => {
    const chart = testChart();
    const client = new Deployment(chart, 'client', { component: 'client', container: CONTAINER });
    client.uses(new TextEmbeddingsInference(chart, 'queries', { model: EMBEDDING, envPrefix: 'QUERY' }));
    client.uses(new TextEmbeddingsInference(chart, 'ingestion', { model: EMBEDDING, envPrefix: 'INGESTION' }));
    const object = find(render(chart), 'Deployment', 'client');
    expect(env(object, 'QUERY_URL')).toBe('http://queries:8080/v1');
    expect(env(object, 'INGESTION_URL')).toBe('http://ingestion:8080/v1');
  });
});

describe('memory of the host', () => {
  const memoryOf = (create: (chart: Chart) => ModelServer) => {
    const chart = testChart();
    create(chart);
    const { requests, limits } = mainContainer(find(render(chart), 'Deployment', 'server')).resources;
    expect(limits.memory).toBe(requests.memory);
    expect(requests.cpu).toBe('2');
    return requests.memory;
  };

  test.each([
    // 1.136 GB in 16 bits.
    ['in 32 bits on a CPU', (chart: Chart) => tei(chart), '5Gi'],
    ['in its own format on a GPU', (chart: Chart) => tei(chart, { accelerator: L4 }), '4Gi'],
    ['beside shared memory', (chart: Chart) => vllm(chart), '8Gi'],
    ['of Triton', (chart: Chart) => triton(chart), '6Gi'],
    ['of Ollama', (chart: Chart) => ollama(chart), '4Gi'],
  ])('holds the weights %s', (_, create, memory) => {
    expect(memoryOf(create)).toBe(memory);
  });

  test('is what is said', () => {
    const resources = { cpu: Cpu.units(2), memory: Size.gibibytes(48) };
    expect(memoryOf((chart) => vllm(chart, { resources }))).toBe('48Gi');
  });
});
