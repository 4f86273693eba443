import { Size } from 'cdk8s';
import { ExternalPostgres } from '../../../constructs/data/external-postgres';
import { ExternalService } from '../../../constructs/data/external-service';
import { ObjectStore } from '../../../constructs/data/object-store';
import { PostgresBackups } from '../../../constructs/data/postgres-backups';
import { PostgresCluster } from '../../../constructs/data/postgres-cluster';
import { PostgresTls } from '../../../constructs/data/postgres-tls';
import { Redis } from '../../../constructs/data/redis';
import { ChatModel } from '../../../constructs/models/chat-model';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { ExternalModel } from '../../../constructs/models/external-model';
import { ModelDownload } from '../../../constructs/models/model-download';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { HttpProxy, type HttpProxyProps } from '../../../constructs/placement/http-proxy';
import type { Json } from '../../../constructs/rules/output';
import { CloudIdentity } from '../../../constructs/secrets/cloud-identity';
import { Deployment, type DeploymentProps } from '../../../constructs/workload/deployment';
import { EnvValue } from '../../../constructs/workload/env-value';
import type { IProvider } from '../../../constructs/workload/provider';
import { SharedVolume } from '../../../constructs/workload/shared-volume';
import { hostsOf, rangesOf } from '../../support/egress';
import { env, find, mainContainer, render, testChart } from '../../support/manifests';
import { refusalOf } from '../../support/refusal';
import { KEY } from '../../support/values';
import { CONTAINER } from '../../support/workloads';

const PROXY: HttpProxyProps = { url: 'http://proxy.acme.example:3128', cidrs: ['10.9.0.1/32'] };
const OPENAI = ExternalModel.openAi({ model: ChatModel.of({ id: 'gpt-4.1', contextTokens: 128_000 }), apiKey: KEY });
const NAMES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy', 'NODE_USE_ENV_PROXY'];
const ALWAYS = 'localhost,127.0.0.1,.svc,.cluster.local,$(KUBERNETES_SERVICE_HOST)';

function client(
  providers: IProvider[],
  {
    proxy = PROXY,
    facts = {},
    props = {},
  }: { proxy?: HttpProxyProps; facts?: ClusterProps; props?: Partial<DeploymentProps> } = {},
) {
  const chart = testChart({ proxy: new HttpProxy(proxy), ...facts });
  const queue = new Redis(chart, 'queue', { password: KEY });
  new Deployment(chart, 'api', { component: 'api', container: CONTAINER, ...props }).uses(queue, ...providers);
  const objects = render(chart);
  return { objects, deployment: find(objects, 'Deployment', 'api') };
}

test('pods that speak HTTP to the outside reach the proxy, and nothing of the internet', () => {
  const { objects, deployment } = client([OPENAI]);
  expect(rangesOf(objects, 'api')).toEqual(['10.9.0.1/32:3128']);
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy']) {
    expect(env(deployment, name)).toBe('http://proxy.acme.example:3128');
  }
  expect(env(deployment, 'NODE_USE_ENV_PROXY')).toBe('1');
});

test('NO_PROXY names what the pods reach without it', () => {
  const database = new ExternalPostgres({ host: 'db.acme.example', password: KEY, tls: PostgresTls.unverified() });
  const wiki = new ExternalService({ host: 'wiki.acme.example', cidrs: ['10.1.0.0/28'] });
  const { objects, deployment } = client([OPENAI, database, wiki]);
  const without = `${ALWAYS},db.acme.example,queue,wiki.acme.example`;
  expect(env(deployment, 'NO_PROXY')).toBe(without);
  expect(env(deployment, 'no_proxy')).toBe(without);
  expect(rangesOf(objects, 'api').sort()).toEqual(['0.0.0.0/0:5432', '10.1.0.0/28:443', '10.9.0.1/32:3128']);
});

test.each<[string, IProvider[], HttpProxyProps | undefined]>([
  ['speak no HTTP to the outside', [new ExternalService({ host: 'mail.acme.example', port: 587 })], undefined],
  ['stay inside', [], undefined],
  ['reach what is direct alone', [OPENAI], { ...PROXY, direct: ['.openai.com'] }],
])('pods that %s have no variable of it, and no way to it', (_, providers, proxy) => {
  const { objects, deployment } = client(providers, { proxy });
  const names = mainContainer(deployment).env.map(({ name }: Json) => name);
  expect(names.filter((name: string) => NAMES.includes(name))).toEqual([]);
  expect(rangesOf(objects, 'api')).not.toContain('10.9.0.1/32:3128');
});

test('without a proxy nothing has its variables', () => {
  const chart = testChart();
  new Deployment(chart, 'api', { component: 'api', container: CONTAINER }).uses(OPENAI);
  const objects = render(chart);
  const names = (mainContainer(find(objects, 'Deployment', 'api')).env as Json[]).map(({ name }) => name);
  expect(names.filter((name) => NAMES.includes(name))).toEqual([]);
  expect(rangesOf(objects, 'api')).toEqual(['0.0.0.0/0:443']);
});

test('other ports are HTTP where it is said', () => {
  const search = (http?: boolean) => new ExternalService({ host: 'search.acme.example', port: 9200, http });
  expect(rangesOf(client([search(true)]).objects, 'api')).toEqual(['10.9.0.1/32:3128']);
  expect(rangesOf(client([search()]).objects, 'api')).toEqual(['0.0.0.0/0:9200']);
  const plain = new ExternalService({ host: 'mail.acme.example', port: 443, http: false });
  expect(rangesOf(client([plain]).objects, 'api')).toEqual(['0.0.0.0/0:443']);
});

test('on Cilium a proxy is known by its name, and hosts behind it by none', () => {
  const { objects } = client([OPENAI], { proxy: { url: 'http://proxy.acme.example:3128' }, facts: { cilium: true } });
  expect(hostsOf(objects, 'api')).toEqual(['proxy.acme.example:3128']);
});

test('a proxy in the cluster is reached at its pods', () => {
  const { objects } = client([OPENAI], { proxy: { url: 'http://proxy.egress.svc:3128' } });
  expect(find(objects, 'NetworkPolicy', 'api').spec.egress).toContainEqual({
    to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'egress' } } }],
    ports: [{ port: 3128, protocol: 'TCP' }],
  });
});

test('an identity is obtained through it, and from the node without it', () => {
  const bucket = ObjectStore.s3({ bucket: 'acme-rag', region: 'eu-west-1' });
  const { objects, deployment } = client([bucket], { props: { identity: CloudIdentity.awsPodIdentity() } });
  expect(rangesOf(objects, 'api').sort()).toEqual(['10.9.0.1/32:3128', '169.254.170.23/32:80']);
  expect(env(deployment, 'NO_PROXY')).toBe(`${ALWAYS},169.254.170.23,queue`);
});

test('what env says is left', () => {
  const props = { env: { HTTPS_PROXY: EnvValue.of('http://other.acme.example:8080') } };
  const { deployment } = client([OPENAI], { props });
  expect(env(deployment, 'HTTPS_PROXY')).toBe('http://other.acme.example:8080');
  expect(env(deployment, 'HTTP_PROXY')).toBe('http://proxy.acme.example:3128');
});

test('models are downloaded through it', () => {
  const chart = testChart({ proxy: new HttpProxy(PROXY), storage: { shared: 'efs' } });
  const volume = new SharedVolume(chart, 'models', { size: Size.gibibytes(10) });
  new ModelDownload(chart, 'bge-m3', { model: EmbeddingModel.BGE_M3, volume });
  const objects = render(chart);
  expect(rangesOf(objects, 'bge-m3')).toEqual(['10.9.0.1/32:3128']);
  expect(env(find(objects, 'Job', 'bge-m3'), 'NODE_USE_ENV_PROXY')).toBe('1');
});

test('the archive of a PostgresCluster is written through it', () => {
  const chart = testChart({
    proxy: new HttpProxy(PROXY),
    cloudNativePg: { namespace: 'cnpg-system' },
    apiServer: { cidrs: ['10.0.0.0/28'] },
  });
  const to = ObjectStore.s3({ bucket: 'acme-rag', region: 'eu-west-1', accessKey: KEY, secretKey: KEY });
  new PostgresCluster(chart, 'db', { backups: PostgresBackups.daily({ hour: 2, keepDays: 7, to }) });
  const objects = render(chart);
  const variables: Json[] = find(objects, 'ObjectStore', 'db-archive').spec.instanceSidecarConfiguration.env;
  expect(variables).toContainEqual({ name: 'HTTPS_PROXY', value: 'http://proxy.acme.example:3128' });
  expect(variables).toContainEqual({ name: 'NO_PROXY', value: ALWAYS });
  expect(rangesOf(objects, 'db')).toContain('10.9.0.1/32:3128');
  expect(rangesOf(objects, 'db')).not.toContain('0.0.0.0/0:443');
});

test('the port of a proxy is always said, for libcurl would take 1080', () => {
  for (const url of ['http://proxy.acme.example', 'http://proxy.acme.example/', 'http://proxy.acme.example:80']) {
    expect(new HttpProxy({ url })).toMatchObject({ url: 'http://proxy.acme.example:80', port: 80 });
  }
});

describe('a proxy cannot have', () => {
  test.each([
    [{ ...PROXY, cidrs: ['10.9.0.1'] }, 'proxy.cidrs has "10.9.0.1", but must have address ranges such as 10.0.0.0/16'],
    [{ ...PROXY, cidrs: ['10.9.0.1/24'] }, 'proxy.cidrs has "10.9.0.1/24", an address within a range'],
    [{ url: 'http://proxy:3128' }, 'proxy.url is "proxy", but must be a DNS name or an address'],
    [{ url: 'http://proxy.cluster.local:3128' }, 'proxy.url is "proxy.cluster.local", a name in the cluster'],
  ])('%j', (props, message) => {
    expect(refusalOf(() => new HttpProxy(props)).message).toContain(message);
  });

  test.each([
    'https://proxy.acme.example',
    'proxy.acme.example:3128',
    'http://u:p@proxy.acme.example',
    'http://p/x',
    '',
  ])('the URL "%s", which is not repeated', (url) => {
    expect(refusalOf(() => new HttpProxy({ url }))).toMatchObject({
      message: 'proxy.url must be a URL of scheme http, host and port alone: http://proxy.acme.example:3128',
    });
  });

  test('a range or a URL among its direct hosts', () => {
    expect(() => new HttpProxy({ ...PROXY, direct: ['https://a.example'] })).toThrow(
      'proxy.direct has "https://a.example", but must have DNS names: acme.example',
    );
  });
});

test('hosts are carried unless they are direct, with all names below', () => {
  const proxy = new HttpProxy({ ...PROXY, direct: ['acme.example', '.b.example'] });
  const carried = ['acme.example', 'api.acme.example', 'notacme.example', 'b.example', 'x.b.example', 'c.example'];
  expect(carried.filter((host) => proxy.carries(host))).toEqual(['notacme.example', 'c.example']);
});
