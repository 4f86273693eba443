import { noSecretValues } from '../../../constructs/rules/no-secret-values';
import type { Json, ManifestObject } from '../../../constructs/rules/output';
import { container, manifest, POD_KINDS, problemsOf, workload } from '../../support/output';

const ADVICE = 'refer to the key of a Secret instead';

const problemsOfContainer = (changes: Json) =>
  problemsOf(noSecretValues, [workload('Deployment', { pod: { containers: [container(changes)] } })]);

const problemsOfVariable = (name: string, value: string) => problemsOfContainer({ env: [{ name, value }] });

const CONTAINER_PATH = 'spec.template.spec.containers.0';

const valued = (what: string, name: string) =>
  `Deployment test/api: container api has the ${what} ${name} with a value; ${ADVICE}`;

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
    'PGPASSWORD',
    'DB_PASSWD',
    'MYSQL_PWD',
    'RABBITMQ_DEFAULT_PASS',
    'PASS',
    'REDISCLI_AUTH',
    'SSH_PASSPHRASE',
    'TOKEN',
    'FRIEND_TOKEN',
    'X-API-KEY',
    'client-secret',
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
    'openaiApiKey',
    'clientSecret',
    'awsSecretAccessKey',
    'AZURE_STORAGE_ACCOUNT_KEY',
    'JWT_SIGNING_KEY',
  ])('called %s has no value', (name) => {
    expect(problemsOfVariable(name, 'hunter2')).toEqual([valued('variable', name)]);
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
    ['GOOGLE_APPLICATION_CREDENTIALS', '/etc/google-credentials/gcs/key.json'],
    ['MONKEY', 'banana'],
    ['BYPASS', 'cache'],
    ['COMPASS', 'north'],
    ['PWD', '/app'],
    ['AUTH', 'oidc'],
    ['KEY', 'documents'],
    ['PARTITION_KEY', 'tenant'],
    ['QDRANT_URL', 'http://qdrant:6333'],
    ['HTTPS_PROXY', 'http://proxy.acme.example:3128/'],
    ['IMAGE', 'ghcr.io/acme/api@sha256:0123'],
    ['COLLECTION', 'risk-assessment-documents-of-the-year'],
    ['MAX_NUM_BATCHED_TOKENS', 'auto'],
    ['PASSAGE_INSTRUCTION', 'passage'],
    ['PASSAGES_PER_ANSWER', 'few'],
    ['RERANK_SECOND_PASSAGE', 'title'],
    ['TOKENIZER_MODE', 'mistral'],
    ['SPLIT_BY', 'token'],
    ['TOKENS_PER_CHUNK', 'auto'],
    ['COUNT_TOKENS_WITH', 'tiktoken'],
    ['FIM_PREFIX_TOKEN', '<fim_prefix>'],
    ['TURN_TOKEN', '<|im_end|>'],
    ['CLASSIFIER_TOKEN', '[CLS]'],
    ['TOOL_CALL_TOKEN', 'tool'],
    ['KEYWORD', 'secret'],
    ['topKey', 'documents'],
    ['nextTokens', 'many'],
  ])('called %s may be "%s"', (name, value) => {
    expect(problemsOfVariable(name, value)).toEqual([]);
  });

  test.each([
    ['GOOGLE_APPLICATION_CREDENTIALS', '{"type":"service_account"}'],
    ['GOOGLE_APPLICATION_CREDENTIALS', 'key.json'],
    ['MY_GOOGLE_APPLICATION_CREDENTIALS', '/etc/key.json'],
    ['API_KEY', '/etc/key.json'],
  ])('called %s is no path with "%s"', (name, value) => {
    expect(problemsOfVariable(name, value)).toEqual([valued('variable', name)]);
  });

  test.each(['', '0', '16384', '0.5', 'true', 'false', 'False', 'none', '$(QDRANT_KEY)', `\${QDRANT_KEY}`])(
    'called like a credential may be "%s", which is none',
    (value) => {
      expect(problemsOfVariable('API_KEY', value)).toEqual([]);
    },
  );

  test.each(['$(QDRANT_KEY)x', 'Bearer $(QDRANT_KEY)', '1.2a'])('called like a credential cannot be "%s"', (value) => {
    expect(problemsOfVariable('API_KEY', value)).toEqual([valued('variable', 'API_KEY')]);
  });

  test.each(['BOS', 'EOS', 'PAD', 'MASK', 'SEP', 'CLS', 'UNK', 'START', 'STOP', 'END', 'IMAGE', 'SPECIAL'])(
    "may say what a language model's %s token is",
    (what) => {
      for (const name of [`${what}_TOKEN`, `MODEL_${what}_TOKEN`, `${what}_TOKEN`.toLowerCase()]) {
        expect(problemsOfVariable(name, '<|token|>')).toEqual([]);
      }
      expect(problemsOfVariable(`${what}_TOKEN_SECRET`, '<|token|>')).toEqual([
        valued('variable', `${what}_TOKEN_SECRET`),
      ]);
    },
  );

  test('may refer to a Secret whatever it is called', () => {
    const valueFrom = { secretKeyRef: { name: 'hugging-face', key: 'token' } };
    expect(problemsOfContainer({ env: [{ name: 'HF_TOKEN', valueFrom }] })).toEqual([]);
  });

  test.each([
    'redis://:$(REDIS_PASSWORD)@queue:6379/0',
    'redis://:$$(REDIS_PASSWORD)@queue:6379/0',
    'postgres://$(PGUSER):$(PGPASSWORD)@db:5432/rag',
    'postgresql+asyncpg://rag:$(DB_PASSWORD)@db/rag?ssl=require',
    'redis://queue:6379/0',
    'amqp://rag@broker:5672/',
    'https://qdrant:6333/collections/a:b@c',
  ])('may be the URL %s', (value) => {
    expect(problemsOfVariable('URL', value)).toEqual([]);
  });
});

describe('an option', () => {
  test.each<[string, Json]>([
    ['api-key', { args: ['serve', '--api-key=hunter2'] }],
    ['api-key', { args: ['serve', '--api-key', 'hunter2'] }],
    ['api-key', { command: ['serve', '--api-key', 'hunter2', '--verbose'] }],
    ['api-key', { command: ['serve', '--api-key'], args: ['hunter2'] }],
    ['api_key', { args: ['--api_key=hunter2'] }],
    ['password', { args: ['-password', 'hunter2'] }],
    ['hf-token', { args: ['--hf-token=line one\nline two'] }],
    ['db-pass', { args: ['--db-pass=a=b'] }],
  ])('called %s has no value: %j', (name, changes) => {
    expect(problemsOfContainer(changes)).toEqual([valued('option', name)]);
  });

  test.each<[string, string[]]>([
    ['a reference', ['--api-key=$(API_KEY)', '--token', '$(HF_TOKEN)']],
    ['nothing', ['--api-key', '--verbose']],
    ['nothing at the end', ['serve', '--api-key']],
    ['an empty text', ['--api-key=', '--token', '']],
    ['a switch', ['--use-token=true', '--token', 'false']],
    ['a number', ['--token', '16384']],
  ])('called like a credential may have %s', (_, args) => {
    expect(problemsOfContainer({ args })).toEqual([]);
  });

  test.each<[string, string[]]>([
    ['is called otherwise', ['--api-key-file=/run/key', '--max-batch-tokens', 'many', '--token-url=https://x.example']],
    [
      "is a language model's",
      ['--eos_token=</s>', '--model_pad_token', '<pad>', '--eos-token', 'end', '--turn-token=<|im_end|>'],
    ],
    [
      'counts tokens',
      ['--max-num-batched-tokens', 'auto', '--max-batch-tokens=many', '--tokenizer=a', '--passage', 'b'],
    ],
    ['is none', ['api-key', 'hunter2', 'api-key=hunter2', '+api-key=hunter2']],
  ])('that %s may have any value', (_, args) => {
    expect(problemsOfContainer({ args })).toEqual([]);
  });
});

describe('a command line', () => {
  test.each([
    ['sh', '-c', 'export HF_TOKEN=hunter2; serve'],
    ['sh', '-c', "set -e && HF_TOKEN='hunter2' serve"],
  ])('sets no credential: %s %s %s', (...command) => {
    expect(problemsOfContainer({ command })).toEqual([valued('assignment', 'HF_TOKEN')]);
  });

  test.each([
    ['sh', '-c', 'export HF_TOKEN="$(cat /run/token)"; serve'],
    ['sh', '-c', 'export HF_TOKEN=$TOKEN MAX_BATCH_TOKENS=many; serve'],
    ['sh', '-c', 'while read TOKEN; do echo "$TOKEN"; done'],
    ['sh', '-c', 'export EOS_TOKEN=end; test "$TOKEN" = x'],
  ])('may refer to one, or set something else: %s %s %s', (...command) => {
    expect(problemsOfContainer({ command })).toEqual([]);
  });
});

describe('an annotation', () => {
  const annotated = (annotations: Json) => workload('Deployment', { metadata: { annotations } });

  test.each(['acme.example/api-key', 'acme.example/password', 'token', 'acme.example/clientSecret'])(
    'called %s has no value',
    (name) => {
      expect(problemsOf(noSecretValues, [annotated({ [name]: 'Hunter2!' })])).toEqual([
        `Deployment test/api: has the annotation ${name} with a value; ${ADVICE}`,
      ]);
    },
  );

  test('of pods has none either', () => {
    const object = workload('Deployment');
    object.spec.template.metadata = { ...object.spec.template.metadata, annotations: { password: 'hunter2' } };
    expect(problemsOf(noSecretValues, [object])).toEqual([
      `Deployment test/api: has the annotation password with a value; ${ADVICE}`,
    ]);
  });

  test.each([
    ['nginx.ingress.kubernetes.io/auth-secret', 'basic-auth'],
    ['nginx.ingress.kubernetes.io/auth-tls-secret', 'rag/clients'],
    ['azure.workload.identity/service-account-token-expiration', 'one hour'],
    ['secret.reloader.stakater.com/reload', 'qdrant,queue'],
    ['acme.example/max-tokens', 'many'],
    ['acme.example/passage', 'first'],
    ['acme.example/token', 'true'],
  ])('%s may be "%s"', (name, value) => {
    expect(problemsOf(noSecretValues, [annotated({ [name]: value })])).toEqual([]);
  });
});

describe('a file in a ConfigMap', () => {
  const problemsOfFile = (file: string, text: string) =>
    problemsOf(noSecretValues, [manifest('ConfigMap', 'api', { data: { [file]: text } })]);

  test.each<[string, string, string]>([
    ['settings.yaml', 'first: 1\nservice:\n  api_key: hunter2\n', 'api_key'],
    ['settings.yaml', 'service: { port: 80, apiKey: "hunter2" }', 'apiKey'],
    ['settings.json', '{"first":1,"client_secret":"hunter2","last":2}', 'client_secret'],
    ['app.env', 'PORT=80\nexport REDIS_PASSWORD=hunter2\n', 'REDIS_PASSWORD'],
    ['app.properties', 'spring.datasource.password = hunter2', 'spring.datasource.password'],
    ['app.toml', "[db]\npassword = 'hunter2'\n", 'password'],
    ['settings', 'token: hunter2', 'token'],
  ])('%s has no credential: %j', (file, text, name) => {
    expect(problemsOfFile(file, text)).toEqual([
      `ConfigMap test/api: has in ${file} the setting ${name} with a value; ${ADVICE}`,
    ]);
  });

  test.each<[string, string]>([
    ['tokenizer_config.json', '{"bos_token":"<s>","eos_token":"</s>","pad_token":"[PAD]","add_bos_token":true}'],
    [
      'tokenizer_config.json',
      '{"unk_token": {"content": "<unk>"}, "model_max_length": 512, "tokenizer_class": "Bert"}',
    ],
    ['settings.yaml', 'max_batch_tokens: many\ntokenizer: word\nsplit_by: token\npassage: first\ntoken_limit: high'],
    ['settings.yaml', `api_key: \${API_KEY}\npassword: $PASSWORD\ntoken: os.environ/HF_TOKEN\nsecret: env:SECRET`],
    ['settings.yaml', 'apiKey: { secret: qdrant, key: api-key }\npassword: /run/secrets/password\ntoken: ~\n'],
    ['settings.yaml', 'password: ""\ntoken: null\nsecret:\n  name: qdrant\napi_key: false\npass: 2\n'],
    ['prompts.yaml', 'password: "Never tell the user a password."\ntoken: "One piece of a text"\n'],
    ['prompts.md', 'The token: hunter2 is an example.'],
    ['client.py', 'api_key = read("/run/key")\ntoken = next(tokens)\n'],
    ['start.sh', 'PASSWORD=hunter2\n'],
    ['chat.jinja', "{% set eos_token = '</s>' %}{{ bos_token + message }}"],
  ])('%s may have %j', (file, text) => {
    expect(problemsOfFile(file, text)).toEqual([]);
  });

  test.each([
    ['a password of Redis', 'redis.conf', 'port 6379\nrequirepass hunter2\n'],
    ['a password of Redis', 'redis.conf', '  masterauth "hunter2"'],
    ['a password of PostgreSQL', 'roles.sql', "CREATE ROLE rag LOGIN PASSWORD 'hunter2';"],
  ])('has the form of no credential: %s', (what, file, text) => {
    expect(problemsOfFile(file, text)).toEqual([`ConfigMap test/api: data.${file} looks like ${what}; ${ADVICE}`]);
  });

  test.each([
    ['redis.conf', 'requirepass ""\n# requirepass is in the ACL file\nmasterauth $PASSWORD\n'],
    ['roles.sql', "ALTER ROLE rag PASSWORD :'password'; ALTER ROLE rag PASSWORD '';"],
    ['start.sh', 'psql -c "ALTER ROLE rag PASSWORD \'$PASSWORD\'"'],
  ])('%s may be without one: %j', (file, text) => {
    expect(problemsOfFile(file, text)).toEqual([]);
  });
});

describe('an entry of a ConfigMap', () => {
  const problemsOfData = (data: Json, kind = 'ConfigMap') =>
    problemsOf(noSecretValues, [manifest(kind, 'api', { data })]);

  test.each(['API_KEY', 'REDIS_PASSWORD', 'api-key', 'token'])('called %s has no value', (name) => {
    expect(problemsOfData({ first: '1', [name]: 'hunter2' })).toEqual([
      `ConfigMap test/api: has the entry ${name} with a value; ${ADVICE}`,
    ]);
  });

  test('may have another name, or say what is no credential', () => {
    expect(
      problemsOfData({ 'settings.yaml': 'a: 1', EOS_TOKEN: '</s>', TOKEN: 'true', API_KEY: '', SECRET: '7' }),
    ).toEqual([]);
  });

  test('is one of a ConfigMap only', () => {
    expect(problemsOfData({ API_KEY: 'hunter2' }, 'Other')).toEqual([]);
  });
});

describe('a setting of a trigger', () => {
  const problemsOfTriggers = (triggers: Json, kind = 'ScaledObject') =>
    problemsOf(noSecretValues, [manifest(kind, 'api', { spec: { triggers } })]);

  test.each(['password', 'saslPassword', 'apiKey', 'token'])('called %s has no value', (name) => {
    expect(problemsOfTriggers([{ type: 'cpu' }, { type: 'redis', metadata: { [name]: 'hunter2' } }])).toEqual([
      `ScaledObject test/api: has the trigger setting ${name} with a value; ${ADVICE}`,
    ]);
  });

  test('may name the variable that holds it', () => {
    const metadata = { address: 'queue:6379', passwordFromEnv: 'REDIS_PASSWORD', enableTLS: 'true', listLength: '5' };
    expect(problemsOfTriggers([{ type: 'redis', metadata }])).toEqual([]);
    expect(problemsOfTriggers(undefined)).toEqual([]);
  });

  test('is one of a ScaledObject only', () => {
    expect(problemsOfTriggers([{ metadata: { token: 'hunter2' } }], 'Other')).toEqual([]);
  });
});

/** Texts that have the form of a credential and are none. */
const FORMS: [string, string][] = [
  ['a private key', `-----BEGIN ${'RSA '}PRIVATE KEY-----\nMIIE`],
  ['a private key', `-----BEGIN ${''}PRIVATE KEY-----`],
  ['a URL with a password', 'redis://:hunter2@queue:6379/0'],
  ['a URL with a password', 'redis://:$$$(hunter2)@queue:6379/0'],
  ['a URL with a password', 'redis://:$$hunter2@queue:6379/0'],
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
  ['an Azure key', `DefaultEndpointsProtocol=https;AccountKey=${'x'.repeat(86)}==`],
  ['an Azure key', `Endpoint=sb://a/;SharedAccessKey=${'x'.repeat(43)}=`],
  ['a GitLab token', `glpat-${'x'.repeat(20)}`],
  ['a Groq key', `gsk_${'x'.repeat(52)}`],
  ['a Slack token', `xoxb-${'1'.repeat(24)}`],
  ['a bearer token', `Authorization: Bearer ${'x'.repeat(32)}`],
  ['a JSON web token', `eyJ${'x'.repeat(10)}.eyJ${'x'.repeat(10)}.${'x'.repeat(10)}`],
];

describe.each(FORMS)('%s', (what, text) => {
  test(`is found in a variable of any name: ${text.slice(0, 12)}`, () => {
    expect(problemsOfVariable('SETTING', text)).toEqual([
      `Deployment test/api: ${CONTAINER_PATH}.env.0.value looks like ${what}; ${ADVICE}`,
    ]);
  });

  test.each(['command', 'args'])('is found in %s', (field) => {
    expect(problemsOfContainer({ [field]: ['serve', `--with=${text}`] })).toEqual([
      `Deployment test/api: ${CONTAINER_PATH}.${field}.1 looks like ${what}; ${ADVICE}`,
    ]);
  });

  test('is found in a ConfigMap', () => {
    const data = { 'settings.yaml': `first: 1\nsecond: "${text}"\n`, other: 'nothing' };
    expect(problemsOf(noSecretValues, [manifest('ConfigMap', 'api', { data })])).toEqual([
      `ConfigMap test/api: data.settings.yaml looks like ${what}; ${ADVICE}`,
    ]);
  });
});

describe('a credential that its form gives away', () => {
  const token = `hf_${'9'.repeat(34)}`;
  const header = { httpGet: { httpHeaders: [{ name: 'Authorization', value: `Bearer ${token}` }] } };

  test.each<[string, ManifestObject, string]>([
    [
      'an annotation',
      workload('Deployment', { metadata: { annotations: { note: `old: ${token}` } } }),
      'metadata.annotations.note',
    ],
    ['a label', manifest('ConfigMap', 'api', { metadata: { labels: { note: token } } }), 'metadata.labels.note'],
    [
      'the header of a probe',
      workload('Deployment', { pod: { containers: [container({ livenessProbe: header })] } }),
      `${CONTAINER_PATH}.livenessProbe.httpGet.httpHeaders.0.value`,
    ],
    [
      'an init container',
      workload('Job', { pod: { initContainers: [container({ args: [token] })] } }),
      'spec.template.spec.initContainers.0.args.0',
    ],
    [
      'a trigger',
      manifest('ScaledObject', 'api', { spec: { triggers: [{ type: 'cpu' }, { metadata: { query: token } }] } }),
      'spec.triggers.1.metadata.query',
    ],
    ['a kind that nobody knows', manifest('Other', 'api', { items: [[{ deep: token }]] }), 'items.0.0.deep'],
  ])('is found in %s', (_, object, path) => {
    expect(problemsOf(noSecretValues, [object])).toEqual([
      `${object.kind} test/api: ${path} looks like a Hugging Face token; ${ADVICE}`,
    ]);
  });

  test('is found beside a name that gives it away too', () => {
    expect(problemsOfVariable('HF_TOKEN', token)).toEqual([
      valued('variable', 'HF_TOKEN'),
      `Deployment test/api: ${CONTAINER_PATH}.env.0.value looks like a Hugging Face token; ${ADVICE}`,
    ]);
  });

  test('is none in what is no text', () => {
    const fields = { count: 7, on: true, nothing: null, list: [], map: {} };
    expect(problemsOf(noSecretValues, [manifest('Other', 'api', fields)])).toEqual([]);
  });
});

test.each([`AKIA${'X'.repeat(15)}`, `hf_${'x'.repeat(10)}`, 'sk-learn', `risk-${'x'.repeat(48)}`, 'eyJ.eyJ.x'])(
  '%s is no credential',
  (text) => {
    expect(problemsOfVariable('SETTING', text)).toEqual([]);
  },
);

test.each([
  ['letters', 'a'],
  ['beginnings of JSON web tokens', 'eyJaaaaaaaaaaa-'],
  ['halves of JSON web tokens', 'eyJaaaaaaaaaaa '],
  ['schemes', 'a://'],
  ['addresses', 'a://b:'],
  ['beginnings of private keys', '-----BEGIN A'],
  ['beginnings of keys', 'hf_'],
  ['settings', 'a:b '],
  ['names', 'a.'],
  ['quotes', 'a="'],
  ['quotes of two kinds', `a="b='`],
  ['spaces after names', 'a        '],
])('two megabytes of %s are judged', (_, part) => {
  const text = part.repeat(2_000_000 / part.length);
  expect(problemsOf(noSecretValues, [manifest('Other', 'api', { text })])).toEqual([]);
  expect(problemsOf(noSecretValues, [manifest('Other', 'api', { text: `${text} redis://:x@queue` })])).toEqual([
    `Other test/api: text looks like a URL with a password; ${ADVICE}`,
  ]);
});

test('every credential in one text is named', () => {
  expect(problemsOfVariable('SETTING', `redis://:hunter2@queue:6379 hf_${'x'.repeat(34)}`)).toEqual([
    `Deployment test/api: ${CONTAINER_PATH}.env.0.value looks like a URL with a password; ${ADVICE}`,
    `Deployment test/api: ${CONTAINER_PATH}.env.0.value looks like a Hugging Face token; ${ADVICE}`,
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
    manifest('ConfigMap', 'api', { data: { API_KEY: 'x', url: 'redis://:x@queue' } }),
    workload('Deployment', { pod: { containers: [container({ env: [{ name: 'API_KEY', value: 'x' }] })] } }),
  ];
  expect(problemsOf(noSecretValues, [], { besides })).toEqual([]);
});
