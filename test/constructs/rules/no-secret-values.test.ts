import { noSecretValues } from '../../../constructs/rules/no-secret-values';
import type { Json } from '../../../constructs/rules/output';
import { container, manifest, POD_KINDS, problemsOf, workload } from '../../support/output';

const ADVICE = 'refer to the key of a Secret instead';

const problemsOfContainer = (changes: Json) =>
  problemsOf(noSecretValues, [workload('Deployment', { pod: { containers: [container(changes)] } })]);

const problemsOfVariable = (name: string, value: string) => problemsOfContainer({ env: [{ name, value }] });

describe.each(POD_KINDS)('the pods of a %s', (kind) => {
  test('are judged in every container', () => {
    const careless = (name: string) => container({ name, env: [{ name: 'API_KEY', value: 'hunter2' }] });
    const pod = { initContainers: [careless('prepare')], containers: [container(), careless('sidecar')] };
    expect(problemsOf(noSecretValues, [workload(kind, { pod })])).toEqual([
      `${kind} test/api: container prepare has the variable API_KEY with a value; ${ADVICE}`,
      `${kind} test/api: container sidecar has the variable API_KEY with a value; ${ADVICE}`,
    ]);
  });
});

describe('a variable', () => {
  test.each([
    'PASSWORD',
    'REDIS_PASSWORD',
    'DB_PASSWD',
    'SSH_PASSPHRASE',
    'CLIENT_SECRET',
    'HF_TOKEN',
    'HUGGING_FACE_HUB_TOKEN',
    'OPENAI_API_KEY',
    'OPENAI_APIKEY',
    'QDRANT__SERVICE__API_KEY',
    'AWS_SECRET_ACCESS_KEY',
    'LANGFUSE_SECRET_KEY',
    'JWT_PRIVATE_KEY',
    'N8N_ENCRYPTION_KEY',
    'GOOGLE_CREDENTIAL',
    'GOOGLE_CREDENTIALS',
    'openai_api_key',
  ])('called %s has no value', (name) => {
    expect(problemsOfVariable(name, 'hunter2')).toEqual([
      `Deployment test/api: container api has the variable ${name} with a value; ${ADVICE}`,
    ]);
  });

  test.each([
    ['MAX_BATCH_TOKENS', '16384'],
    ['MAX_CLIENT_BATCH_SIZE', '32'],
    ['TOKENIZERS_PARALLELISM', 'false'],
    ['TOKENIZER', 'BAAI/bge-m3'],
    ['TOKEN_URL', 'https://login.acme.example/oauth2/token'],
    ['TOKEN_LIMIT_PER_MINUTE', '90000'],
    ['PASSAGE_PREFIX', 'passage: '],
    ['QUERY_PREFIX', 'query: '],
    ['PASSWORD_MIN_LENGTH', '12'],
    ['SECRET_NAME', 'qdrant'],
    ['API_KEY_FILE', '/run/x'],
    ['API_KEY_HEADER', 'x-api-key'],
    ['GOOGLE_APPLICATION_CREDENTIALS_FILE', '/var/run/gcp/key.json'],
    ['MONKEY', 'banana'],
    ['KEY', 'documents'],
    ['PARTITION_KEY', 'tenant'],
    ['QDRANT_URL', 'http://qdrant:6333'],
    ['HTTPS_PROXY', 'http://proxy.acme.example:3128/'],
    ['IMAGE', 'ghcr.io/acme/api@sha256:0123'],
    ['COLLECTION', 'risk-assessment-documents-of-the-year'],
  ])('called %s may be "%s"', (name, value) => {
    expect(problemsOfVariable(name, value)).toEqual([]);
  });

  test.each(['', '0', '16384', '0.5', 'true', 'false', 'False', '$(QDRANT_KEY)'])(
    'called like a credential may be "%s", which is none',
    (value) => {
      expect(problemsOfVariable('API_KEY', value)).toEqual([]);
    },
  );

  test.each(['$(QDRANT_KEY)x', 'Bearer $(QDRANT_KEY)', '1.2a'])('called like a credential cannot be "%s"', (value) => {
    expect(problemsOfVariable('API_KEY', value)).toEqual([
      `Deployment test/api: container api has the variable API_KEY with a value; ${ADVICE}`,
    ]);
  });

  test('may refer to a Secret whatever it is called', () => {
    const valueFrom = { secretKeyRef: { name: 'hugging-face', key: 'token' } };
    expect(problemsOfContainer({ env: [{ name: 'HF_TOKEN', valueFrom }] })).toEqual([]);
  });

  test.each([
    'redis://:$(REDIS_PASSWORD)@queue:6379/0',
    'postgres://$(PGUSER):$(PGPASSWORD)@db:5432/rag',
    'postgresql+asyncpg://rag:$(DB_PASSWORD)@db/rag?ssl=require',
    'redis://queue:6379/0',
    'amqp://rag@broker:5672/',
    'https://qdrant:6333/collections/a:b@c',
  ])('may be the URL %s', (value) => {
    expect(problemsOfVariable('URL', value)).toEqual([]);
  });
});

/** Texts that have the form of a credential and are none. */
const FORMS: [string, string][] = [
  ['a private key', `-----BEGIN ${'RSA '}PRIVATE KEY-----\nMIIE`],
  ['a private key', `-----BEGIN ${''}PRIVATE KEY-----`],
  ['a URL with a password', 'redis://:hunter2@queue:6379/0'],
  ['a URL with a password', 'postgresql+asyncpg://rag:hunter2@db/rag'],
  ['an AWS access key', `AKIA${'0'.repeat(16)}`],
  ['an AWS access key', `ASIA${'7'.repeat(16)}`],
  ...['ghp', 'gho', 'ghs', 'ghu', 'github_pat'].map((prefix): [string, string] => [
    'a GitHub token',
    `${prefix}_${'x'.repeat(20)}`,
  ]),
  ['a Hugging Face token', `hf_${'9'.repeat(20)}`],
  ['an OpenAI or Anthropic key', `sk-${'x'.repeat(20)}`],
  ['an OpenAI or Anthropic key', `sk-ant-${'x'.repeat(48)}`],
  ['a Google API key', `AIza${'0'.repeat(35)}`],
  ['a JSON web token', `eyJ${'x'.repeat(10)}.eyJ${'x'.repeat(10)}.${'x'.repeat(10)}`],
];

describe.each(FORMS)('%s', (what, text) => {
  test(`is found in a variable of any name: ${text.slice(0, 12)}`, () => {
    expect(problemsOfVariable('SETTING', text)).toEqual([
      `Deployment test/api: container api variable SETTING looks like ${what}; ${ADVICE}`,
    ]);
  });

  test.each(['command', 'args'])('is found in %s', (field) => {
    expect(problemsOfContainer({ [field]: ['serve', `--with=${text}`] })).toEqual([
      `Deployment test/api: container api argument looks like ${what}; ${ADVICE}`,
    ]);
  });

  test('is found in a ConfigMap', () => {
    const data = { 'settings.yaml': `first: 1\nsecond: "${text}"\n`, other: 'nothing' };
    expect(problemsOf(noSecretValues, [manifest('ConfigMap', 'api', { data })])).toEqual([
      `ConfigMap test/api: data.settings.yaml looks like ${what}; ${ADVICE}`,
    ]);
  });
});

test.each([`AKIA${'X'.repeat(15)}`, `hf_${'x'.repeat(10)}`, 'sk-learn', `risk-${'x'.repeat(48)}`, 'eyJ.eyJ.x'])(
  '%s is no credential',
  (text) => {
    expect(problemsOfVariable('SETTING', text)).toEqual([]);
  },
);

test('every credential in one text is named', () => {
  expect(problemsOfVariable('SETTING', `redis://:hunter2@queue:6379 hf_${'x'.repeat(34)}`)).toEqual([
    `Deployment test/api: container api variable SETTING looks like a URL with a password; ${ADVICE}`,
    `Deployment test/api: container api variable SETTING looks like a Hugging Face token; ${ADVICE}`,
  ]);
});

describe('a Secret', () => {
  test.each(['data', 'stringData'])('with %s is in the output only by mistake', (field) => {
    expect(problemsOf(noSecretValues, [manifest('Secret', 'qdrant', { [field]: { 'api-key': 'x' } })])).toEqual([
      'Secret test/qdrant: holds values; refer to a Secret that exists, or create it with ExternalSecrets',
    ]);
  });

  test('without values is harmless, and so are references to it', () => {
    const secret = manifest('Secret', 'qdrant', { type: 'Opaque' });
    const external = manifest('ExternalSecret', 'qdrant', { spec: { data: [{ secretKey: 'api-key' }] } });
    expect(problemsOf(noSecretValues, [secret, external, manifest('ConfigMap', 'empty')])).toEqual([]);
  });
});

test('objects that are not ours are not judged', () => {
  const besides = [
    manifest('Secret', 'qdrant', { data: { 'api-key': 'x' } }),
    workload('Deployment', { pod: { containers: [container({ env: [{ name: 'API_KEY', value: 'x' }] })] } }),
  ];
  expect(problemsOf(noSecretValues, [], { besides })).toEqual([]);
});
