import { ChatModel } from '../../../constructs/models/chat-model';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { ExternalModel, type ExternalModelProps } from '../../../constructs/models/external-model';
import type { IModel } from '../../../constructs/models/model';
import { RerankModel } from '../../../constructs/models/rerank-model';
import { Deployment } from '../../../constructs/workload/deployment';
import { env, find, mainContainer, render, testChart } from '../../support/manifests';
import { refusalOf } from '../../support/refusal';
import { KEY } from '../../support/values';
import { CONTAINER } from '../../support/workloads';

const MODEL = EmbeddingModel.OPENAI_3_SMALL;
const URL_PROBLEM = 'url must be a URL with https or http, host and path alone: https://api.acme.example/v1';
const compatible = (url: string, props: Partial<ExternalModelProps> = {}) =>
  ExternalModel.compatible({ url, model: MODEL, ...props });

function client(model: ExternalModel, cilium = false) {
  const chart = testChart({ cilium });
  new Deployment(chart, 'client', { component: 'client', container: CONTAINER }).uses(model);
  const objects = render(chart);
  return { objects, object: find(objects, 'Deployment', 'client') };
}

describe('a hosted model', () => {
  test.each([
    ['OpenAI', ExternalModel.openAi({ model: MODEL, apiKey: KEY }), 'https://api.openai.com/v1', 'api.openai.com'],
    [
      'Azure OpenAI',
      ExternalModel.azureOpenAi({ model: MODEL, apiKey: KEY, resource: 'acme-rag' }),
      'https://acme-rag.openai.azure.com/openai/v1',
      'acme-rag.openai.azure.com',
    ],
    ['Voyage', ExternalModel.voyage({ model: MODEL, apiKey: KEY }), 'https://api.voyageai.com/v1', 'api.voyageai.com'],
    ['anyone', compatible('https://llm.acme.example/api/v1'), 'https://llm.acme.example/api/v1', 'llm.acme.example'],
  ])('of %s is reached at its URL, and by its name', (_, model, url, host) => {
    const { objects, object } = client(model, true);
    expect(env(object, 'EMBEDDING_URL')).toBe(url);
    expect(env(object, 'EMBEDDING_MODEL')).toBe('text-embedding-3-small');
    expect(find(objects, 'CiliumNetworkPolicy', 'client').spec.egress[0]).toEqual({
      toFQDNs: [{ matchName: host }],
      toPorts: [{ ports: [{ port: '443', protocol: 'TCP' }] }],
    });
  });

  test('is found among the public addresses where names say nothing', () => {
    const [rule] = find(client(ExternalModel.openAi({ model: MODEL, apiKey: KEY })).objects, 'NetworkPolicy', 'client')
      .spec.egress;
    expect(rule.to[0].ipBlock.cidr).toBe('0.0.0.0/0');
    expect(rule.ports).toEqual([{ port: 443, protocol: 'TCP' }]);
  });

  test('is found at its private addresses where they are known', () => {
    const model = compatible('https://llm.acme.example/v1', { cidrs: ['10.1.0.0/28'] });
    const [rule] = find(client(model).objects, 'NetworkPolicy', 'client').spec.egress;
    expect(rule.to).toEqual([{ ipBlock: { cidr: '10.1.0.0/28' } }]);
  });

  test('gives its key by reference, or none', () => {
    const model = ExternalModel.openAi({ model: ChatModel.of({ id: 'gpt-4.1', contextTokens: 1047576 }), apiKey: KEY });
    expect(env(client(model).object, 'LLM_API_KEY')).toEqual({ secretKeyRef: { name: 'existing', key: 'key' } });
    const names = mainContainer(client(compatible('https://llm.acme.example/v1')).object).env.map(
      ({ name }: { name: string }) => name,
    );
    expect(names).not.toContain('EMBEDDING_API_KEY');
  });

  test('says which model it is', () => {
    expect(ExternalModel.openAi({ model: MODEL, apiKey: KEY }).model).toBe(MODEL);
  });
});

describe('what a service cannot serve is refused', () => {
  const CHAT = ChatModel.of({ id: 'gpt-4.1', contextTokens: 1047576 });
  const RERANK = RerankModel.of({ id: 'rerank-2.5', maxTokens: 32000 });
  const make = {
    OpenAI: (props: ExternalModelProps) => ExternalModel.openAi(props),
    'Azure OpenAI': (props: ExternalModelProps) => ExternalModel.azureOpenAi({ ...props, resource: 'acme-rag' }),
    Voyage: (props: ExternalModelProps) => ExternalModel.voyage(props),
  };

  test.each<[keyof typeof make, IModel, IModel[]]>([
    ['OpenAI', RERANK, [MODEL, CHAT]],
    ['Azure OpenAI', RERANK, [MODEL, CHAT]],
    ['Voyage', CHAT, [MODEL, RERANK]],
  ])('by %s: a model of another kind', (name, wrong, right) => {
    const only = right.map(({ role }) => role.purpose).join(' and ');
    expect(() => make[name]({ model: wrong, apiKey: KEY })).toThrow(
      new Error(
        `model is ${wrong.id}, a model ${wrong.role.purpose}, but ${name} has models ${only} only; take another service`,
      ),
    );
    for (const model of right) {
      expect(make[name]({ model, apiKey: KEY }).model).toBe(model);
    }
  });

  test.each(Object.entries(make))('by %s: a model of a hub', (name, create) => {
    expect(() => create({ model: EmbeddingModel.BGE_M3, apiKey: KEY })).toThrow(
      new Error(
        `model is BAAI/bge-m3, the name of a model in a hub, but ${name} has its own: text-embedding-3-small, gpt-4.1, ` +
          'voyage-3.5; take one of them, or a server in the cluster',
      ),
    );
  });

  test.each(Object.entries(make))('by %s without a key', (name, create) => {
    expect(() => create({ model: MODEL } as unknown as ExternalModelProps)).toThrow(
      new Error(`apiKey is missing, but ${name} answers nobody without a key; name the Secret that has it`),
    );
  });

  test.each([EmbeddingModel.BGE_M3, CHAT, RERANK])('but not by one of which nobody knows what it has', (model) => {
    expect(ExternalModel.compatible({ model, url: 'https://llm.acme.example/v1' }).model).toBe(model);
  });
});

describe('the URL', () => {
  test.each([
    ['https://llm.acme.example/v1', 443],
    ['https://llm.acme.example', 443],
    ['http://llm.acme.example/v1', 80],
    ['https://llm.acme.example:8443/v1', 8443],
    ['http://10.1.2.3:8000/v1', 8000],
    ['http://[2001:db8::1]:8000/v1', 8000],
  ])('%s stays as it is, and opens its port', (url, port) => {
    const { objects, object } = client(compatible(url));
    expect(env(object, 'EMBEDDING_URL')).toBe(url);
    expect(find(objects, 'NetworkPolicy', 'client').spec.egress[0].ports).toEqual([{ port, protocol: 'TCP' }]);
  });

  test('of an IPv6 address opens that alone', () => {
    const { objects } = client(compatible('http://[2001:db8::1]:8000/v1'));
    expect(find(objects, 'NetworkPolicy', 'client').spec.egress[0].to).toEqual([
      { ipBlock: { cidr: '2001:db8::1/128' } },
    ]);
  });

  test.each([
    '',
    'llm.acme.example/v1',
    'ftp://llm.acme.example/v1',
    'https:llm.acme.example/v1',
    'https:/llm.acme.example/v1',
    ' https://llm.acme.example/v1',
    'https://llm.acme.example/v1 ',
    'https://llm.acme.example/v1?',
    'https://llm.acme.example/v1#',
    'https://llm.acme.example\\v1',
    'https://llm.acme.example/v1?api-version=1',
    'https://llm.acme.example/v1#top',
    'https://',
  ])('"%s" is refused', (url) => {
    expect(() => compatible(url)).toThrow(new Error(URL_PROBLEM));
  });

  test.each([
    'https://user:s3cret@llm.acme.example/v1',
    'https://user:s3cret@llm.acme.example/v1/',
    'https://:s3cret@llm.acme.example/v1',
    'https://:s3cret@llm.acme.example/v1/',
    'https://s3cret@llm.acme.example/v1/',
    'http://user:s3cret@localhost/v1',
    'https://user:s3cret@llm.acme.example:99999/v1',
    'https://llm.acme.example/v1/?key=s3cret',
    'https://user:s3cret@/v1',
  ])('with a password in it is refused, and the password not repeated: %s', (url) => {
    const { message } = refusalOf(() => compatible(url));
    expect(message).toBe(URL_PROBLEM);
    expect(message).not.toContain('s3cret');
  });

  test.each(['https://llm.acme.example/v1/', 'https://llm.acme.example/'])('%s ends too late', (url) => {
    expect(() => compatible(url)).toThrow(
      new Error(`url is "${url}", but clients add their paths to it; leave out the slash at the end`),
    );
  });

  test('of a host that no policy can name is refused', () => {
    expect(() => compatible('http://localhost:8000/v1')).toThrow(
      'url is "localhost", but must be a DNS name or an address, without scheme, port or path',
    );
  });
});

test.each(['', 'acme.openai.azure.com', 'https://acme', 'Acme', '-acme', 'acme-', 'a/b', 'acme@evil', 'a'.repeat(65)])(
  'the Azure resource "%s" is refused',
  (resource) => {
    expect(() => ExternalModel.azureOpenAi({ model: MODEL, apiKey: KEY, resource })).toThrow(
      new Error(`resource is "${resource}", but must be the name of an Azure resource, without its domain`),
    );
  },
);
