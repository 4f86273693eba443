import { Size } from 'cdk8s';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { ExternalVectorStore } from '../../../constructs/vector-store/external-vector-store';
import { Qdrant } from '../../../constructs/vector-store/qdrant';
import { QdrantCollection } from '../../../constructs/vector-store/qdrant-collection';
import { Deployment } from '../../../constructs/workload/deployment';
import type { IProvider } from '../../../constructs/workload/provider';
import { find, mainContainer, render, testChart } from '../../support/manifests';
import { RESOURCES } from '../../support/values';
import { CONTAINER } from '../../support/workloads';

const KEY = SecretKey.of('store', 'api-key');
const URL = 'https://xyz.eu-central.aws.cloud.qdrant.io:6333';

function client(provider: IProvider, cidrs = false) {
  const chart = testChart({ cilium: !cidrs });
  new Deployment(chart, 'api', { component: 'api', container: CONTAINER }).uses(provider);
  const objects = render(chart);
  return { objects, env: mainContainer(find(objects, 'Deployment', 'api')).env as { name: string; value?: string }[] };
}

describe('Qdrant Cloud', () => {
  const collection = { name: 'documents', model: EmbeddingModel.BGE_M3 };
  const store = ExternalVectorStore.qdrant({ url: URL, apiKey: KEY, collection });

  test('gives the same variables as a collection in the cluster', () => {
    const chart = testChart();
    const qdrant = new Qdrant(chart, 'qdrant', {
      nodes: 1,
      resources: RESOURCES,
      storage: Size.gibibytes(5),
      apiKey: KEY,
    });
    const inside = new QdrantCollection(chart, 'documents', { store: qdrant, model: EmbeddingModel.BGE_M3 });
    const api = new Deployment(chart, 'api', { component: 'api', container: CONTAINER });
    api.uses(inside);
    const names = (env: { name: string }[]) => env.map(({ name }) => name);
    expect(names(client(store).env)).toEqual(names(mainContainer(find(render(chart), 'Deployment', 'api')).env));
  });

  test('is told with its key by reference', () => {
    const { env } = client(store);
    expect(env.slice(0, 4)).toEqual([
      { name: 'QDRANT_URL', value: URL },
      { name: 'QDRANT_GRPC_PORT', value: '6334' },
      { name: 'QDRANT_API_KEY', valueFrom: { secretKeyRef: { name: 'store', key: 'api-key' } } },
      { name: 'COLLECTION_NAME', value: 'documents' },
    ]);
  });

  test('is reached by REST and gRPC, and nothing else is', () => {
    const { egress } = find(client(store).objects, 'CiliumNetworkPolicy', 'api').spec;
    expect(egress[0]).toEqual({
      toFQDNs: [{ matchName: 'xyz.eu-central.aws.cloud.qdrant.io' }],
      toPorts: [{ ports: ['6333', '6334'].map((port) => ({ port, protocol: 'TCP' })) }],
    });
    expect(egress).toHaveLength(2);
  });
});

test.each<[string, (props: { url: string; apiKey: SecretKey }) => ExternalVectorStore, string]>([
  ['Chroma', ExternalVectorStore.chroma, 'https://api.trychroma.com'],
  ['Elasticsearch', ExternalVectorStore.elasticsearch, 'https://acme.es.eu-west-1.aws.elastic.cloud:9243'],
  ['Azure AI Search', ExternalVectorStore.azureAiSearch, 'https://acme.search.windows.net'],
])('%s is told by URL and key', (_, of, url) => {
  expect(client(of({ url, apiKey: KEY })).env).toEqual([
    { name: 'VECTOR_STORE_URL', value: url },
    { name: 'VECTOR_STORE_API_KEY', valueFrom: { secretKeyRef: { name: 'store', key: 'api-key' } } },
  ]);
});

test('a store without key, under another name, at known addresses', () => {
  const store = ExternalVectorStore.chroma({
    url: 'https://chroma.acme.example',
    cidrs: ['10.2.0.0/24'],
    envPrefix: 'CHROMA',
  });
  const { env, objects } = client(store, true);
  expect(env).toEqual([{ name: 'CHROMA_URL', value: 'https://chroma.acme.example' }]);
  expect(find(objects, 'NetworkPolicy', 'api').spec.egress[0]).toEqual({
    to: [{ ipBlock: { cidr: '10.2.0.0/24' } }],
    ports: [{ port: 443, protocol: 'TCP' }],
  });
});

test.each([
  ['plain HTTP', 'http://store.acme.example', 'externalVectorStore.url must be a URL with https'],
  ['a query', 'https://store.acme.example?key=1', 'externalVectorStore.url must be a URL with https'],
  ['a slash at the end', 'https://store.acme.example/', 'leave out the slash at the end'],
  ['no URL', 'store.acme.example', 'externalVectorStore.url must be a URL with https'],
])('%s is refused', (_, url, message) => {
  expect(() => ExternalVectorStore.chroma({ url })).toThrow(message);
});

test('a password in the URL is refused and not repeated', () => {
  const refused = () => ExternalVectorStore.elasticsearch({ url: 'https://user:secret-word@store.acme.example' });
  expect(refused).toThrow('externalVectorStore.url must be');
  expect(refused).not.toThrow('secret-word');
});

test('a collection without a name is refused', () => {
  const collection = { name: '', model: EmbeddingModel.BGE_M3 };
  expect(() => ExternalVectorStore.qdrant({ url: URL, collection })).toThrow('collection.name is empty');
});
