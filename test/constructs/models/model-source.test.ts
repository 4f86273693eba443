import { Size } from 'cdk8s';
import { EmbeddingWorkers } from '../../../constructs/ingestion/embedding-workers';
import { ChatModel } from '../../../constructs/models/chat-model';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import type { IModel } from '../../../constructs/models/model';
import { ModelDownload } from '../../../constructs/models/model-download';
import { ModelProfile } from '../../../constructs/models/model-profile';
import { ModelSource } from '../../../constructs/models/model-source';
import { Ollama } from '../../../constructs/models/ollama';
import { Precision } from '../../../constructs/models/precision';
import { TextEmbeddingsInference } from '../../../constructs/models/text-embeddings-inference';
import { Vllm } from '../../../constructs/models/vllm';
import { Accelerator } from '../../../constructs/placement/accelerator';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { Registry } from '../../../constructs/placement/registry';
import type { Json, ManifestObject } from '../../../constructs/rules/output';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Deployment } from '../../../constructs/workload/deployment';
import { Image } from '../../../constructs/workload/image';
import { SharedVolume } from '../../../constructs/workload/shared-volume';
import { env, find, mainContainer, namesOf, render, templateOf, testChart } from '../../support/manifests';
import { RESOURCES } from '../../support/values';
import { CONTAINER } from '../../support/workloads';

const MODEL = EmbeddingModel.BGE_M3.at('5617a9f6');
const TOKEN = SecretKey.of('hugging-face', 'token');
const MIRROR = 'models.acme.example';

/** A server whose weights come from a source that may need a volume. */
function server(sourceOf: (volume: SharedVolume) => ModelSource | undefined, cluster: ClusterProps = {}) {
  const chart = testChart({ storage: { shared: 'nfs' }, ...cluster });
  const volume = new SharedVolume(chart, 'models', { size: Size.gibibytes(100) });
  const construct = new TextEmbeddingsInference(chart, 'server', { model: MODEL, source: sourceOf(volume) });
  const objects = render(chart);
  return { construct, objects, object: find(objects, 'Deployment', 'server') };
}

const argument = (object: ManifestObject, name: string) => {
  const { args } = mainContainer(object);
  return args.includes(name) ? args[args.indexOf(name) + 1] : undefined;
};

const egressOf = (objects: ManifestObject[]): Json[] => find(objects, 'NetworkPolicy', 'server').spec.egress ?? [];

/** Names that a Cilium policy lets the server connect to. */
function hostsOf(objects: ManifestObject[]): string[] {
  const rules: Json[] = find(objects, 'CiliumNetworkPolicy', 'server').spec.egress;
  return rules.flatMap(({ toFQDNs = [] }) => toFQDNs.map(({ matchName }: Json) => matchName));
}

/** Rules beside that for DNS, which everybody has who connects to anything. */
const withoutDns = (rules: Json[]) => rules.filter(({ ports }) => ports[0].port !== 53);

describe('huggingface.co', () => {
  const { objects, object } = server(() => undefined);

  test('is where models are from, unless told otherwise', () => {
    expect(argument(object, '--model-id')).toBe('BAAI/bge-m3');
    expect(argument(object, '--revision')).toBe('5617a9f6');
    expect(env(object, 'HF_ENDPOINT')).toBeUndefined();
    expect(env(object, 'HF_TOKEN')).toBeUndefined();
    expect(env(object, 'HF_HUB_OFFLINE')).toBeUndefined();
  });

  test('is asked by a program that keeps what it gets in a volume', () => {
    const [models] = mainContainer(object).volumeMounts;
    expect(models).toEqual({ name: 'models', mountPath: '/models' });
    expect(env(object, 'HF_HOME')).toBe('/models');
    expect(env(object, 'HUGGINGFACE_HUB_CACHE')).toBe('/models/hub');
    expect(env(object, 'HF_HUB_DISABLE_TELEMETRY')).toBe('1');
  });

  test('is among the public addresses where policies know no names, and said once', () => {
    expect(withoutDns(egressOf(objects))).toEqual([
      {
        to: [{ ipBlock: { cidr: '0.0.0.0/0', except: expect.arrayContaining(['10.0.0.0/8', '169.254.0.0/16']) } }],
        ports: [{ port: 443, protocol: 'TCP' }],
      },
    ]);
  });

  test('is reached by name on Cilium, with the hosts that it redirects to', () => {
    const onCilium = server(() => ModelSource.HUGGING_FACE, { cilium: true }).objects;
    const hosts = hostsOf(onCilium);
    expect(hosts).toEqual(expect.arrayContaining(['huggingface.co', 'cdn-lfs.hf.co', 'us.aws.cdn.hf.co']));
    expect(hosts.filter((host) => !/(^|\.)(huggingface\.co|hf\.co)$/.test(host))).toEqual([]);
    expect(new Set(hosts).size).toBe(hosts.length);
    expect(egressOf(onCilium)).toEqual([]);
  });
});

describe('a mirror', () => {
  test('is asked instead, with a token by reference', () => {
    const { objects, object } = server(() => ModelSource.hub({ url: `https://${MIRROR}`, token: TOKEN }), {
      cilium: true,
    });
    expect(env(object, 'HF_ENDPOINT')).toBe('https://models.acme.example');
    expect(env(object, 'HF_TOKEN')).toEqual({ secretKeyRef: { name: 'hugging-face', key: 'token' } });
    expect(hostsOf(objects)).toEqual([MIRROR]);
  });

  test('is reached at its addresses where they are known', () => {
    const source = ModelSource.hub({ url: `https://${MIRROR}`, cidrs: ['10.9.0.0/24'] });
    const { objects } = server(() => source);
    expect(withoutDns(egressOf(objects))).toEqual([
      { to: [{ ipBlock: { cidr: '10.9.0.0/24' } }], ports: [{ port: 443, protocol: 'TCP' }] },
    ]);
  });
});

describe('the URL of a mirror', () => {
  const URLS: [string, string, number][] = [
    ['https://models.acme.example', 'https://models.acme.example', 443],
    ['https://models.acme.example:8443/', 'https://models.acme.example:8443', 8443],
    [
      'https://models.acme.example/api/huggingfaceml/models',
      'https://models.acme.example/api/huggingfaceml/models',
      443,
    ],
    ['http://models.acme.example', 'http://models.acme.example', 80],
    ['http://models.acme.example:8080/hf', 'http://models.acme.example:8080/hf', 8080],
  ];

  test.each(URLS)('%s is given to clients as %s, and opened at port %s', (url, given, port) => {
    const { objects, object } = server(() => ModelSource.hub({ url, cidrs: ['10.9.0.0/24'] }));
    expect(env(object, 'HF_ENDPOINT')).toBe(given);
    expect(withoutDns(egressOf(objects))).toEqual([
      { to: [{ ipBlock: { cidr: '10.9.0.0/24' } }], ports: [{ port, protocol: 'TCP' }] },
    ]);
  });

  test.each([
    'models.acme.example',
    'ftp://models.acme.example',
    'https://u:p@models.acme.example',
    'https://m?x=1',
    '',
  ])('cannot be "%s", which is not repeated', (url) => {
    expect(() => ModelSource.hub({ url })).toThrow(
      new Error('hub.url must be a URL with https or http, host and path alone: https://models.acme.example'),
    );
  });

  test.each(['http://hub.models.svc:8080', 'https://hub.models.svc.cluster.local'])(
    'cannot be in the cluster: %s',
    (url) => {
      expect(() => ModelSource.sharedCache(undefined as never, { url })).toThrow(
        /^hub\.url is "hub\.models\.svc.*", a name in the cluster/,
      );
    },
  );

  test('has no token where it would be read', () => {
    expect(() => ModelSource.hub({ url: 'http://models.acme.example', token: TOKEN })).toThrow(
      'hub.url is "http://models.acme.example", where the token would be read on the way; use https, or leave the token out',
    );
  });
});

describe('the authority of a mirror', () => {
  const VARIABLES = ['SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS'];

  test('is a file that clients of every kind are told of', () => {
    const authority = SecretKey.of('hub', 'ca.pem');
    const { object } = server(() => ModelSource.hub({ url: `https://${MIRROR}`, authority }));
    for (const name of VARIABLES) {
      expect(env(object, name)).toBe('/etc/model-hub/ca.pem');
    }
    const { volumes } = templateOf(object).spec;
    const volume = volumes.find(({ secret }: { secret?: { secretName: string } }) => secret?.secretName === 'hub');
    expect(volume.secret.items).toEqual([expect.objectContaining({ key: 'ca.pem', path: 'ca.pem' })]);
    expect(mainContainer(object).volumeMounts).toContainEqual(
      expect.objectContaining({ name: volume.name, mountPath: '/etc/model-hub' }),
    );
  });

  test('is none unless it is given', () => {
    const { object } = server(() => ModelSource.hub({ url: `https://${MIRROR}` }));
    for (const name of VARIABLES) {
      expect(env(object, name)).toBeUndefined();
    }
  });
});

describe('a shared cache', () => {
  const { objects, object } = server((volume) => ModelSource.sharedCache(volume, { token: TOKEN }));

  test('is written to by the pods that use it', () => {
    expect(mainContainer(object).volumeMounts[0]).toEqual({ name: 'models', mountPath: '/models' });
    expect(templateOf(object).spec.volumes).toContainEqual({
      name: 'models',
      persistentVolumeClaim: { claimName: 'models' },
    });
    // One group for all, whatever their users are.
    expect(templateOf(object).spec.securityContext).toMatchObject({ runAsGroup: 10001, fsGroup: 1000 });
    expect(mainContainer(object).resources.limits['ephemeral-storage']).toBe('1280Mi');
  });

  test('is filled from the hub', () => {
    expect(argument(object, '--model-id')).toBe('BAAI/bge-m3');
    expect(argument(object, '--revision')).toBe('5617a9f6');
    expect(env(object, 'HF_TOKEN')).toEqual({ secretKeyRef: { name: 'hugging-face', key: 'token' } });
    expect(withoutDns(egressOf(objects))).toHaveLength(1);
  });
});

describe('a prepared volume', () => {
  const { objects, object } = server((volume) => ModelSource.prepared(volume), { cilium: true });

  test('is read, and never written to', () => {
    expect(mainContainer(object).volumeMounts[0]).toEqual({ name: 'models', mountPath: '/models', readOnly: true });
    expect(argument(object, '--model-id')).toBe('/models/BAAI/bge-m3@5617a9f6');
    expect(templateOf(object).spec.volumes).toContainEqual({
      name: 'models',
      persistentVolumeClaim: { claimName: 'models', readOnly: true },
    });
  });

  test('keeps the group that its files have, for the kubelet changes it nowhere', () => {
    expect(templateOf(object).spec.securityContext).not.toHaveProperty('fsGroup');
    expect(templateOf(object).spec.securityContext).not.toHaveProperty('fsGroupChangePolicy');
  });

  test('has the commit that it has', () => {
    expect(argument(object, '--revision')).toBeUndefined();
  });

  test('needs no connection at all', () => {
    expect(find(objects, 'NetworkPolicy', 'server').spec).not.toHaveProperty('egress');
    expect(namesOf(objects, 'CiliumNetworkPolicy')).toEqual([]);
    expect(env(object, 'HF_HUB_OFFLINE')).toBe('1');
    expect(env(object, 'HF_HOME')).toBeUndefined();
  });

  test('waits for nobody, unless told so', () => {
    expect(object.metadata.annotations ?? {}).toEqual({});
  });

  test('is filled by those whom it is told of, and there when its servers are', () => {
    const chart = testChart({ storage: { shared: 'nfs' } });
    const volume = new SharedVolume(chart, 'models', { size: Size.gibibytes(100) });
    const filler = new Deployment(chart, 'filler', { component: 'filler', container: CONTAINER });
    const source = ModelSource.prepared(volume, [filler.pods]);
    new TextEmbeddingsInference(chart, 'server', { model: MODEL, source });
    const waves = (kind: string, name: string) =>
      find(render(chart), kind, name).metadata.annotations?.['argocd.argoproj.io/sync-wave'];
    expect(waves('Deployment', 'server')).toBe('10');
    expect(waves('PersistentVolumeClaim', 'models')).toBe('10');
  });

  test('leaves the name that clients ask for', () => {
    const chart = testChart({ storage: { shared: 'nfs' } });
    const volume = new SharedVolume(chart, 'models', { size: Size.gibibytes(100) });
    const accelerator = Accelerator.NVIDIA_L4;
    new Vllm(chart, 'llm', { model: ChatModel.QWEN3_8B, accelerator, source: ModelSource.prepared(volume) });
    const llm = find(render(chart), 'Deployment', 'llm');
    expect(mainContainer(llm).args[0]).toBe('/models/Qwen/Qwen3-8B@b968826d9c46dd6066d109eabc6255188de91218');
    expect(argument(llm, '--served-model-name')).toBe('Qwen/Qwen3-8B');
  });
});

describe('a model in the image', () => {
  const { objects, object } = server(() => ModelSource.IMAGE);

  test('needs no volume, no connection and no commit', () => {
    expect(mainContainer(object).volumeMounts).toEqual([{ name: 'tmp', mountPath: '/tmp' }]);
    expect(find(objects, 'NetworkPolicy', 'server').spec).not.toHaveProperty('egress');
    expect(argument(object, '--model-id')).toBe('BAAI/bge-m3');
    expect(argument(object, '--revision')).toBeUndefined();
  });
});

describe('space of its own', () => {
  const sizeOf = (model: IModel) => {
    const [mount] = ModelSource.HUGGING_FACE.mounts(model);
    return mount?.volume.scratchSize?.toGibibytes();
  };
  const embedding = (profile?: ModelProfile) =>
    EmbeddingModel.of({ id: 'acme/x', dimensions: 8, maxTokens: 512, profile });

  test.each([
    ['10 GB, half as much again and one', embedding(ModelProfile.of({ parametersBillions: 5 })), 16],
    [
      'files that are larger than the weights',
      embedding(ModelProfile.of({ parametersBillions: 5, filePrecision: Precision.FP32 })),
      31,
    ],
    ['a tiny model', embedding(ModelProfile.of({ parametersBillions: 0.01 })), 2],
    ['a model of unknown size', embedding(), 16],
  ])('has room for %s', (_, model, gibibytes) => {
    expect(sizeOf(model)).toBe(gibibytes);
  });
});

describe('a gated model', () => {
  const model = ChatModel.LLAMA_3_1_8B;
  const problem = (path: string, property: string) =>
    new Error(
      `${path}: ${property} has no token, but meta-llama/Llama-3.1-8B-Instruct is given to accounts that have accepted ` +
        "its licence only; give it a token of the hub's, as ModelSource.hub({ token }) does",
    );
  const creating = (sourceOf: (volume: SharedVolume) => ModelSource | undefined) => () => {
    const chart = testChart({ storage: { shared: 'nfs' } });
    const volume = new SharedVolume(chart, 'models', { size: Size.gibibytes(100) });
    return new Vllm(chart, 'llm', { model, accelerator: Accelerator.NVIDIA_L4, source: sourceOf(volume) });
  };

  test.each<[string, (volume: SharedVolume) => ModelSource | undefined]>([
    ['where nothing is said', () => undefined],
    ['from the hub', () => ModelSource.hub()],
    ['into a shared cache', (volume) => ModelSource.sharedCache(volume)],
  ])('%s is refused without a token', (_, sourceOf) => {
    expect(creating(sourceOf)).toThrow(problem('rag/llm', 'source'));
  });

  test.each<[string, (volume: SharedVolume) => ModelSource]>([
    ['from the hub with a token', () => ModelSource.hub({ token: TOKEN })],
    ['into a shared cache with a token', (volume) => ModelSource.sharedCache(volume, { token: TOKEN })],
    ['in a prepared volume', (volume) => ModelSource.prepared(volume)],
    ['in the image', () => ModelSource.IMAGE],
  ])('%s is served', (_, sourceOf) => {
    expect(creating(sourceOf)).not.toThrow();
  });

  test('is not downloaded without a token either', () => {
    const downloading = (hub?: { token: SecretKey }) => () => {
      const chart = testChart({ storage: { shared: 'nfs' } });
      const volume = new SharedVolume(chart, 'models', { size: Size.gibibytes(100) });
      new ModelDownload(chart, 'download', { model, volume, hub });
    };
    expect(downloading()).toThrow(problem('rag/download', 'hub'));
    expect(downloading({ token: TOKEN })).not.toThrow();
  });
});

test('weights come faster from a volume than from a hub', () => {
  const chart = testChart({ storage: { shared: 'nfs' } });
  const volume = new SharedVolume(chart, 'models', { size: Size.gibibytes(100) });
  const budgetOf = (id: string, source: ModelSource) => {
    const accelerator = Accelerator.NVIDIA_H200;
    new Vllm(chart, id, { model: ChatModel.QWEN2_5_32B, accelerator, source, resources: RESOURCES });
    const { periodSeconds, failureThreshold } = mainContainer(find(render(chart), 'Deployment', id)).startupProbe;
    return periodSeconds * failureThreshold;
  };
  // (65.52 GB / 0.1 GB/s + 300 s) × 2 and (65.52 GB / 0.3 GB/s + 300 s) × 2, in whole minutes.
  expect(budgetOf('from-hub', ModelSource.HUGGING_FACE)).toBe(1920);
  expect(budgetOf('from-volume', ModelSource.prepared(volume))).toBe(1080);
});

describe('where images need digests, weights need a commit', () => {
  const cluster = { registry: new Registry({ requireDigest: true }), storage: { shared: 'nfs' } };
  const known = { id: 'acme/legal', dimensions: 768, maxTokens: 512, profile: EmbeddingModel.BGE_M3.profile };
  const UNPINNED = EmbeddingModel.of(known);

  function serve(model: EmbeddingModel, sourceOf: (volume: SharedVolume) => ModelSource): void {
    const chart = testChart(cluster);
    const volume = new SharedVolume(chart, 'models', { size: Size.gibibytes(100) });
    new TextEmbeddingsInference(chart, 'server', { model, source: sourceOf(volume) });
  }
  const problem = (where: string, state: string) =>
    new Error(
      `${where} is acme/legal ${state}, but registry.requireDigest wants weights that stay the same as well; name the ` +
        'commit in its hub, 40 hexadecimal digits, as revision',
    );

  test.each<[string, (volume: SharedVolume) => ModelSource]>([
    ['from the hub', () => ModelSource.HUGGING_FACE],
    ['into a shared cache', (volume) => ModelSource.sharedCache(volume)],
  ])('%s', (_, sourceOf) => {
    expect(() => serve(UNPINNED, sourceOf)).toThrow(problem('rag/server: model', 'without a revision'));
    expect(() => serve(UNPINNED.at('main'), sourceOf)).toThrow(problem('rag/server: model', 'at revision "main"'));
    expect(() => serve(UNPINNED.at('c'.repeat(40)), sourceOf)).not.toThrow();
    expect(() => serve(EmbeddingModel.BGE_M3, sourceOf)).not.toThrow();
  });

  test('also of a download, and of workers that compute themselves', () => {
    const chart = testChart(cluster);
    const volume = new SharedVolume(chart, 'models', { size: Size.gibibytes(100) });
    const image = Image.of('ghcr.io/acme/rag-workers', { tag: '1.8.2', digest: `sha256:${'a'.repeat(64)}` });
    expect(() => new ModelDownload(chart, 'download', { model: UNPINNED, volume })).toThrow(
      problem('rag/download: model', 'without a revision'),
    );
    expect(() => new EmbeddingWorkers(chart, 'workers', { image, embeddingModel: UNPINNED })).toThrow(
      problem('rag/workers: embeddingModel', 'without a revision'),
    );
  });

  test('not where nothing is downloaded', () => {
    expect(() => serve(UNPINNED, (volume) => ModelSource.prepared(volume))).not.toThrow();
    expect(() => serve(UNPINNED, () => ModelSource.IMAGE)).not.toThrow();
  });

  test("and Ollama's tags have none", () => {
    const model = ChatModel.of({ id: 'qwen2.5:7b', contextTokens: 8192, profile: ChatModel.QWEN2_5_7B.profile });
    expect(() => new Ollama(testChart(cluster), 'llm', { model })).toThrow(
      new Error(
        "rag/llm: model is qwen2.5:7b, a tag of Ollama's registry, behind which weights may change, but " +
          'registry.requireDigest wants weights that stay the same; take vLLM with a commit, or do without requireDigest',
      ),
    );
  });
});
