import { Environment } from '../../../charts/environments/environment';
import type { ManifestObject } from '../../../constructs/rules/output';
import { EnvironmentFolder } from '../../support/environment-folder';
import { expectRefusals, refusalsOf } from '../../support/environment-refusals';
import { env, find, mainContainer, namesOf, templateOf } from '../../support/manifests';

const folder = new EnvironmentFolder();
afterAll(() => folder.remove());

/** The first lines of every file; settings of the API begin in line 6. */
const LEAST = [
  'namespace: rag-test',
  'qdrant: { resources: { cpu: 1, memory: 1Gi }, storage: 1Gi }',
  'cluster: { reloader: true }',
  'api:',
  '  image: { repository: ghcr.io/acme/api, tag: 1.0.0 }',
];

function rendered(...lines: string[]): ManifestObject[] {
  folder.write({ 'test.yaml': [...LEAST, ...lines].join('\n') });
  return Environment.read(folder.pathOf('test.yaml')).render('test.yaml').objects;
}

const refused = (...lines: string[]) => refusalsOf(folder, () => rendered(...lines));
const api = (...lines: string[]) => find(rendered(...lines), 'Deployment', 'api');

describe('configuration files', () => {
  const FILES = ['  files:', '    /etc/rag/prompts/answer.txt: |', '      Answer from the passages alone.'];

  test('are where they are wanted, and change the pods with their content', () => {
    const objects = rendered(...FILES);
    expect(find(objects, 'ConfigMap', 'api').data).toEqual({ 'answer.txt': 'Answer from the passages alone.\n' });
    expect(mainContainer(find(objects, 'Deployment', 'api')).volumeMounts).toContainEqual({
      name: 'config',
      mountPath: '/etc/rag/prompts/answer.txt',
      subPath: 'answer.txt',
      readOnly: true,
    });
    const checksum = (...lines: string[]) => templateOf(api(...lines)).metadata.annotations['checksum/config'];
    expect(checksum(...FILES)).not.toBe(checksum(...FILES, '      In one sentence.'));
  });

  test('are none unless they are asked for', () => {
    expect(namesOf(rendered(), 'ConfigMap')).not.toContain('api');
    expect(templateOf(api()).metadata).not.toHaveProperty('annotations');
  });

  test('may be in a ConfigMap for each content', () => {
    const names = namesOf(rendered(...FILES, '  configRollout: immutable'), 'ConfigMap');
    expect(names.filter((name) => /^api-[0-9a-f]{10}$/.test(name))).toHaveLength(1);
    expect(names).not.toContain('api');
    expect(namesOf(rendered(...FILES, '  configRollout: checksum'), 'ConfigMap')).toContain('api');
  });

  expectRefusals(refused, [
    [
      'at a relative path',
      ['  files: { prompts/answer.txt: a }'],
      '6:3 api.files: has the path "prompts/answer.txt"; paths are absolute',
    ],
    [
      'with a credential in them',
      ['  files: { /etc/rag/keys.env: "OPENAI_API_KEY=sk-proj-abcdefghijklmnopqrstuvwxyz0123456789" }'],
      'test.yaml ConfigMap rag-test/api: has in keys.env the setting OPENAI_API_KEY with a value; refer to the key of a ' +
        'Secret instead',
      'test.yaml ConfigMap rag-test/api: data.keys.env looks like an OpenAI or Anthropic key; refer to the key of a ' +
        'Secret instead',
    ],
  ]);
});

describe('values of Secrets', () => {
  const KEY = '  env: { OPENAI_API_KEY: { secret: openai, key: key } }';

  test.each([
    ['env', true, false],
    ['files', false, true],
    ['both', true, true],
  ])('come by %s', (delivery, variable, file) => {
    const deployment = api(KEY, `  secretDelivery: ${delivery}`);
    expect(env(deployment, 'OPENAI_API_KEY') !== undefined).toBe(variable);
    expect(env(deployment, 'OPENAI_API_KEY_FILE')).toBe(file ? '/run/secrets/cdk8s-rag/OPENAI_API_KEY' : undefined);
  });

  test('restart the pods when they change, unless something else is said', () => {
    const watched = (...lines: string[]) =>
      api(KEY, ...lines).metadata.annotations?.['secret.reloader.stakater.com/reload'];
    expect(watched()).toBe('openai');
    expect(watched('  secretRotation: reloader')).toBe('openai');
    expect(watched('  secretRotation: reread', '  secretDelivery: files')).toBeUndefined();
    expect(watched('  secretRotation: { revision: "2026-11-28" }')).toBeUndefined();
  });

  test('restart the pods with a text that changes with them', () => {
    const revision = (text: string) =>
      templateOf(api(KEY, `  secretRotation: { revision: "${text}" }`)).metadata.annotations;
    expect(revision('2026-11-28')).toEqual({ 'cdk8s-rag/secrets-revision': '2026-11-28' });
  });

  expectRefusals(refused, [
    [
      'that are delivered otherwise',
      ['  secretDelivery: mail'],
      '6:3 api.secretDelivery: is "mail", but must be one of env, files, both',
    ],
    [
      'that are rotated otherwise',
      ['  secretRotation: never'],
      '6:3 api.secretRotation: must be reloader, reread, or { revision: text } whose text is changed with the Secret',
    ],
    [
      'that are read again from variables',
      ['  secretRotation: reread'],
      expect.stringMatching(/^6:3 api\.secretRotation: is REREAD, but /) as unknown as string,
    ],
  ]);
});

describe('a JVM', () => {
  test('has its heap from the memory limit, and its options', () => {
    const deployment = api('  jvm: { heap: 60, processors: 2, options: ["-XX:+UseZGC"] }');
    const options = env(deployment, 'JAVA_TOOL_OPTIONS');
    expect(options).toContain('-XX:MaxRAMPercentage=60');
    expect(options).toContain('-XX:ActiveProcessorCount=2');
    expect(options).toContain('-XX:+UseZGC');
    expect(options).not.toContain('HeapDump');
  });

  test('may keep a dump of its heap', () => {
    const deployment = api('  jvm: { heapDumps: true }');
    expect(env(deployment, 'JAVA_TOOL_OPTIONS')).toContain('-XX:+HeapDumpOnOutOfMemoryError');
    expect(templateOf(deployment).spec.volumes.map(({ name }: { name: string }) => name)).toContain('heap-dumps');
  });

  expectRefusals(refused, [
    [
      'with all of the memory for its heap',
      ['  jvm: { heap: 99 }'],
      '6:10 api.jvm.heap: is 99, but must be a whole number of percent from 10 to 90',
    ],
  ]);
});

test('an image leads its pods to nodes of its architecture', () => {
  folder.write({
    'test.yaml': [
      ...LEAST.slice(0, 4),
      '  image: { repository: ghcr.io/acme/api, tag: 1.0.0, architectures: [arm64] }',
    ].join('\n'),
  });
  const objects = Environment.read(folder.pathOf('test.yaml')).render('test.yaml').objects;
  expect(templateOf(find(objects, 'Deployment', 'api')).spec.nodeSelector).toEqual({ 'kubernetes.io/arch': 'arm64' });
});

test('queues of RabbitMQ are declared', () => {
  folder.write({
    'test.yaml': [
      ...LEAST.slice(0, 2),
      'cluster: { rabbitMq: { namespace: rabbitmq-system }, rabbitMqTopology: { namespace: rabbitmq-system } }',
      ...LEAST.slice(3),
      'queue: { rabbitMq: { queues: [celery, images] } }',
    ].join('\n'),
  });
  const objects = Environment.read(folder.pathOf('test.yaml')).render('test.yaml').objects;
  expect(namesOf(objects, 'Queue').sort()).toEqual(['queue-celery', 'queue-images']);
});

describe('variables that refer to others', () => {
  const CACHE = ['cache: { redis: {} }'];
  const variable = (text: string, ...more: string[]) =>
    (
      mainContainer(api(`  env: { FIRST: plain, TEXT: '${text}' }`, ...more)).env as { name: string; value?: string }[]
    ).find(({ name }) => name === 'TEXT')?.value;

  test('are completed by the kubelet from the variables before them', () => {
    const object = api("  env: { RESULTS_URL: 'redis://:$(CACHE_PASSWORD)@cache:6379/1' }", ...CACHE);
    const names = mainContainer(object).env.map(({ name }: { name: string }) => name);
    expect(env(object, 'RESULTS_URL')).toBe('redis://:$(CACHE_PASSWORD)@cache:6379/1');
    expect(names.indexOf('RESULTS_URL')).toBeGreaterThan(names.indexOf('CACHE_PASSWORD'));
    expect(names).toContain('CACHE_PASSWORD');
  });

  // The kubelet makes $ of $$, and the value of FIRST of $(FIRST).
  test.each([
    ['$(FIRST)', '$(FIRST)'],
    ['$$(FIRST)', '$$(FIRST)'],
    ['$$(NOTHING)', '$$(NOTHING)'],
    ['$$$(FIRST)', '$$$(FIRST)'],
    ['$FIRST', '$FIRST'],
    ['a$$b', 'a$$$b'],
    ['a$$$', 'a$$$$$'],
    ['$$ $(FIRST)', '$$$ $(FIRST)'],
  ])('%s is written as %s', (text, value) => {
    expect(variable(text)).toBe(value);
  });

  test('are in an order in which the kubelet completes all', () => {
    const object = api("  env: { A: '$(B)', B: '$(C.d-e)/x', C.d-e: '$(FIRST)', FIRST: plain }");
    const names = mainContainer(object).env.map(({ name }: { name: string }) => name);
    expect(names.filter((name: string) => ['A', 'B', 'C.d-e', 'FIRST'].includes(name))).toEqual([
      'FIRST',
      'C.d-e',
      'B',
      'A',
    ]);
    expect(env(object, 'A')).toBe('$(B)');
  });

  test('may be in commands and arguments', () => {
    const container = mainContainer(
      api('  env: { FIRST: plain }', '  command: [run, $(QDRANT_URL)]', '  args: [--x=$(FIRST), --y=$$(NOPE)]'),
    );
    expect(container.command).toEqual(['run', '$(QDRANT_URL)']);
    expect(container.args).toEqual(['--x=$(FIRST)', '--y=$$(NOPE)']);
  });

  const OTHERS = 'HOME, LONGEST_ANSWER_SECONDS, QDRANT_API_KEY, QDRANT_GRPC_PORT, QDRANT_URL';
  const missing = (name: string, others: string) =>
    `refers to $(${name}), which the container does not have, so that the text would stay as it is; refer to one of ` +
    `${others}, or write $$(${name}) for the text itself`;

  expectRefusals(refused, [
    [
      'that are not there',
      ["  env: { FIRST: plain, TEXT: '$(SECOND)' }"],
      `6:24 api.env.TEXT: ${missing('SECOND', `FIRST, ${OTHERS}`)}`,
    ],
    [
      'with a dot that are not there',
      ["  env: { TEXT: '$(a.b-c)' }"],
      `6:10 api.env.TEXT: ${missing('a.b-c', OTHERS)}`,
    ],
    ['in arguments that are not there', ['  args: [a, --x=$(NOPE)]'], `6:13 api.args.1: ${missing('NOPE', OTHERS)}`],
    ['in commands that are not there', ['  command: [a, $(NOPE)]'], `6:16 api.command.1: ${missing('NOPE', OTHERS)}`],
    [
      'in the command of a warm-up that are not there',
      ['  warmUp: { command: [a, $(NOPE)], budget: 1m }'],
      `4:1 api: has the container warm-up, whose command ${missing('NOPE', OTHERS)}`,
    ],
    [
      'to the variable itself',
      ["  env: { A: '$(A)' }"],
      '6:10 api.env.A: refers to itself, so that the text would stay as it is; refer to other variables, or write $$(A) ' +
        'for the text itself',
    ],
    [
      'in a circle',
      ["  env: { A: '$(B)', B: '$(A)' }"],
      '6:10 api.env.A: refers to $(B), which refers to it in turn, so that the text would stay as it is; refer to other ' +
        'variables, or write $$(B) for the text itself',
    ],
  ]);
});
