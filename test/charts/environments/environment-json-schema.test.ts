import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Ajv2020 from 'ajv/dist/2020';
import { parse } from 'yaml';
import { EnvironmentFile } from '../../../charts/environments/environment-file';
import { allowedKeys, environmentJsonSchema } from '../../../charts/environments/environment-json-schema';
import { Redis } from '../../../constructs/data/redis';
import type { Json } from '../../../constructs/rules/output';
import { find, mainContainer } from '../../support/manifests';
import { IMAGE, KEY } from '../../support/values';
import { objectsOf } from '../platforms';

const SHIPPED = resolve(__dirname, '..', '..', '..', 'charts', 'environments');
const ODD = resolve(__dirname, '..', '..', 'environments');

const ajv = new Ajv2020({ allErrors: true, strictTypes: false, validateFormats: false });
const schema = environmentJsonSchema();
const validate = ajv.compile(schema);

/**
 * What an editor that knows the schema marks in a file: where, and what. That a setting could also be null, or
 * have one of several forms, is no more than a part of why it is marked.
 */
function marksOf(content: unknown): string[] {
  validate(content);
  return (validate.errors ?? [])
    .filter(({ keyword, params }) => !['if', 'anyOf'].includes(keyword) && params.type !== 'null')
    .map(({ instancePath, message, params }) =>
      [instancePath, message, params.additionalProperty].filter((part) => part !== undefined && part !== '').join(' '),
    );
}

const LEAST = {
  namespace: 'rag-test',
  qdrant: { resources: { cpu: '1', memory: '4Gi' }, storage: '50Gi' },
  api: { image: { repository: 'ghcr.io/acme/rag-api', tag: '1.8.2' } },
};

describe('the schema', () => {
  test('that is committed is what the code generates', () => {
    const committed = readFileSync(join(SHIPPED, 'environment.schema.json'), 'utf8');
    expect(committed).toBe(`${JSON.stringify(environmentJsonSchema(), undefined, 2)}\n`);
  });

  test.each(['dev', 'staging', 'production'])('accepts the file of %s', (name) => {
    expect(marksOf(parse(readFileSync(join(SHIPPED, `${name}.yaml`), 'utf8')))).toEqual([]);
  });

  test.each(['dev', 'staging', 'production'])('accepts %s with what it extends, as a file of its own', (name) => {
    const { value } = EnvironmentFile.read(join(SHIPPED, `${name}.yaml`));
    expect(value).not.toHaveProperty('extends');
    expect(marksOf(value)).toEqual([]);
  });

  test('accepts the file that is only there to be extended', () => {
    expect(marksOf(parse(readFileSync(join(SHIPPED, '_base.yaml'), 'utf8')))).toEqual([]);
  });

  test.each(['air-gapped', 'everything', 'managed', 'no-gpu', 'smallest'])('accepts the file of %s', (name) => {
    expect(marksOf(parse(readFileSync(join(ODD, `${name}.yaml`), 'utf8')))).toEqual([]);
  });

  test('accepts the least that an environment says', () => {
    expect(marksOf(LEAST)).toEqual([]);
  });

  test('accepts every form of a variable', () => {
    const env = { A: 'text', B: 1, C: true, D: { secret: 'openai', key: 'api-key' } };
    expect(marksOf({ ...LEAST, api: { ...LEAST.api, env } })).toEqual([]);
    expect(marksOf({ extends: '_base.yaml', api: { env } })).toEqual([]);
  });

  test.each<[string, object]>([
    ['a part', { queue: null, route: null, embeddingWorkers: null }],
    ['a setting', { api: { scaling: null, longestAnswer: null } }],
    ['a setting that a whole file must have', { namespace: null, qdrant: { storage: null } }],
    ['a setting in a map in a map', { api: { image: { digest: null } }, cluster: { registry: { mirror: null } } }],
  ])('lets a file that extends another take %s away', (_, content) => {
    expect(marksOf({ extends: '_base.yaml', ...content })).toEqual([]);
  });

  test.each<[string, object]>([
    ['a part', { ...LEAST, queue: null, route: null, embeddingWorkers: null }],
    ['a setting', { ...LEAST, api: { ...LEAST.api, scaling: null, longestAnswer: null } }],
    ['a setting in a map in a map', { ...LEAST, cluster: { registry: { mirror: null } } }],
    ['a variable', { ...LEAST, api: { ...LEAST.api, env: { LOG_LEVEL: null } } }],
    [
      'a setting in an entry of a list',
      { ...LEAST, api: { ...LEAST.api, externals: [{ host: 'a.example', port: null }] } },
    ],
    ['what it might extend', { ...LEAST, extends: null }],
  ])('lets a file of its own take %s away', (_, content) => {
    expect(marksOf(content)).toEqual([]);
  });

  test('says what every setting is', () => {
    const { then: whole, else: part } = schema as { then: Schema; else: Schema };
    for (const settings of [settingsOf(whole), settingsOf(part)]) {
      expect(settings.length).toBeGreaterThan(100);
      expect(settings.filter(([, setting]) => descriptionOf(setting).length < 5).map(([path]) => path)).toEqual([]);
    }
  });
});

interface Schema {
  readonly description?: string;
  readonly properties?: { readonly [key: string]: Schema };
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: Schema[];
}

/** What is said about a setting; what can also be null says it where it is not. */
function descriptionOf({ description, anyOf = [] }: Schema): string {
  return description ?? anyOf.map(descriptionOf).join('');
}

/** Every setting below a schema, by its path. */
function settingsOf(
  { properties = {}, items, additionalProperties, anyOf = [] }: Schema,
  path = '',
): [string, Schema][] {
  const values = typeof additionalProperties === 'object' ? [additionalProperties] : [];
  return [
    ...Object.entries(properties).flatMap(([key, child]): [string, Schema][] => [
      [`${path}.${key}`, child],
      ...settingsOf(child, `${path}.${key}`),
    ]),
    ...[...(items === undefined ? [] : [items]), ...values, ...anyOf].flatMap((child) =>
      settingsOf(child, `${path}.*`),
    ),
  ];
}

describe('settings of models and vectors', () => {
  const MODEL = { id: 'acme/embed', dimensions: 8, maxTokens: 8 };

  test.each<[string, object]>([
    ['a model by its name', { embeddingModel: 'BAAI/bge-m3' }],
    ['a model by its facts', { embeddingModel: { ...MODEL, distance: 'dot', profile: { parametersBillions: 1 } } }],
    ['a model of the catalogue at a commit', { embeddingModel: { id: 'BAAI/bge-m3', revision: 'c0ffee' } }],
    ['a server with its defaults', { embeddingModel: 'BAAI/bge-m3', embedder: {} }],
    ['a hosted model', { llm: { model: 'Qwen/Qwen3-8B', external: { service: 'openai' } } }],
    ['a small server', { llm: { model: { id: 'qwen2.5:3b', contextTokens: 8 }, ollama: {} } }],
    ['a database that is sized', { qdrant: { sizing: { count: 1000 } } }],
  ])('allow %s', (_, content) => {
    expect(marksOf({ ...LEAST, ...content })).toEqual([]);
    expect(marksOf({ extends: '_base.yaml', ...content })).toEqual([]);
  });

  test.each<[string, object, string]>([
    [
      'a service that there is not',
      { embedder: { external: { service: 'cohere' } } },
      '/embedder/external/service must be equal to one of the allowed values',
    ],
    [
      'a value where a key belongs',
      { llm: { model: 'Qwen/Qwen3-8B', apiKey: 'hunter2' } },
      '/llm/apiKey must be object',
    ],
    ['half a shard', { collection: { shards: 1.5 } }, '/collection/shards must be integer'],
    [
      'an index that there is not',
      { collection: { payloadIndexes: { a: 'date' } } },
      '/collection/payloadIndexes/a must be equal to one of the allowed values',
    ],
    [
      'a time that is none',
      { qdrant: { ...LEAST.qdrant, snapshots: { daily: 230, keep: 1 } } },
      '/qdrant/snapshots/daily must be string',
    ],
    [
      'a time of the day that is none',
      { qdrant: { ...LEAST.qdrant, snapshots: { daily: '24:00', keep: 1 } } },
      '/qdrant/snapshots/daily must match pattern "^([01]\\d|2[0-3]):([0-5]\\d)$"',
    ],
    [
      'a setting of a server that there is not',
      { reranker: { model: 'BAAI/bge-reranker-large', replicas: 2 } },
      '/reranker must NOT have additional properties replicas',
    ],
    [
      'a limit of memory for a node of the database',
      { qdrant: { ...LEAST.qdrant, resources: { memoryLimit: '1Gi' } } },
      '/qdrant/resources must NOT have additional properties memoryLimit',
    ],
  ])('do not allow %s', (_, content, mark) => {
    expect(marksOf({ ...LEAST, ...content })).toEqual([mark]);
    expect(marksOf({ extends: '_base.yaml', ...content })).toEqual([mark]);
  });

  test('do not allow a model of which nothing is said', () => {
    expect(marksOf({ ...LEAST, reranker: {} })).toEqual(["/reranker must have required property 'model'"]);
    expect(marksOf({ ...LEAST, models: { volume: {} } })).toEqual([
      "/models/volume must have required property 'size'",
    ]);
    expect(marksOf({ ...LEAST, embeddingModel: { revision: 'c0ffee' } })).toContain(
      "/embeddingModel must have required property 'id'",
    );
  });
});

describe('the schema marks', () => {
  test.each<[string, object, string]>([
    ['at the top', { ...LEAST, rout: {} }, 'must NOT have additional properties rout'],
    [
      'in a map',
      { ...LEAST, api: { ...LEAST.api, longestAnser: '4m' } },
      '/api must NOT have additional properties longestAnser',
    ],
    [
      'in an entry of a list',
      { ...LEAST, cluster: { nodePools: [{ name: 'a', nodes: 1, taint: [] }] } },
      '/cluster/nodePools/0 must NOT have additional properties taint',
    ],
  ])('a key that is no setting, %s, whether the file extends another or not', (_, content, mark) => {
    expect(marksOf(content)).toEqual([mark]);
    expect(marksOf({ extends: '_base.yaml', ...content })).toEqual([mark]);
  });

  test.each<[string, object, string]>([
    ['a text for a number', { ...LEAST, qdrant: { ...LEAST.qdrant, nodes: 'three' } }, '/qdrant/nodes must be integer'],
    ['a number for a text', { ...LEAST, namespace: 5 }, '/namespace must be string'],
    [
      'a tag that is a number',
      { ...LEAST, api: { image: { repository: 'a/b', tag: 1.1 } } },
      '/api/image/tag must be string',
    ],
    [
      'none of those that there are',
      { ...LEAST, cluster: { cloud: 'aws' } },
      '/cluster/cloud must be equal to one of the allowed values',
    ],
    ['too small a number', { ...LEAST, api: { ...LEAST.api, port: 80 } }, '/api/port must be >= 1024'],
    [
      'a number that must be above its bound',
      {
        ...LEAST,
        api: { ...LEAST.api, scaling: { min: 0, max: 1, prometheus: [{ query: 'up', perReplica: 0 }] } },
      },
      '/api/scaling/prometheus/0/perReplica must be > 0',
    ],
    [
      'a backlog with no task for a worker',
      { ...LEAST, embeddingWorkers: { ...LEAST.api, scaling: { min: 0, max: 1, backlog: { perReplica: 0 } } } },
      '/embeddingWorkers/scaling/backlog/perReplica must be >= 1',
    ],
    [
      'a backlog where it once was',
      { ...LEAST, embeddingWorkers: { ...LEAST.api, backlog: { perReplica: 20, min: 0, max: 1 } } },
      '/embeddingWorkers must NOT have additional properties backlog',
    ],
    [
      'a backlog of the API, which has none',
      { ...LEAST, api: { ...LEAST.api, scaling: { min: 0, max: 1, backlog: { perReplica: 20 } } } },
      '/api/scaling must NOT have additional properties backlog',
    ],
    [
      'a value where a reference to a Secret belongs',
      { ...LEAST, qdrant: { ...LEAST.qdrant, apiKey: 'hunter2' } },
      '/qdrant/apiKey must be object',
    ],
  ])('%s, whether the file extends another or not', (_, content, mark) => {
    expect(marksOf(content)).toEqual([mark]);
    expect(marksOf({ extends: '_base.yaml', ...content })).toEqual([mark]);
  });

  test('what is missing in a file that extends nothing', () => {
    const { api, ...rest } = LEAST;
    expect(marksOf(rest)).toEqual(["must have required property 'api'"]);
    expect(marksOf({ ...LEAST, api: {} })).toEqual(["/api must have required property 'image'"]);
    expect(marksOf({ ...rest, api: { image: { repository: api.image.repository } } })).toEqual([
      "/api/image must have required property 'tag'",
    ]);
  });

  test('what is missing in a backlog', () => {
    const embeddingWorkers = { ...LEAST.api, scaling: { min: 0, max: 1, backlog: { list: 'celery' } } };
    expect(marksOf({ ...LEAST, embeddingWorkers })).toEqual([
      "/embeddingWorkers/scaling/backlog must have required property 'perReplica'",
    ]);
    expect(marksOf({ extends: '_base.yaml', embeddingWorkers })).toEqual([]);
  });

  test('null in the place of what a file of its own must have', () => {
    expect(marksOf({ ...LEAST, namespace: null })).toEqual(['/namespace must be string']);
    expect(marksOf({ ...LEAST, api: { image: null } })).toEqual(['/api/image must be object']);
  });

  test('null in the place of an entry of a list, which it would not take away', () => {
    const api = { ...LEAST.api, args: ['--workers', null] };
    expect(marksOf({ ...LEAST, api })).toEqual(['/api/args/1 must be string']);
    expect(marksOf({ extends: '_base.yaml', api })).toEqual(['/api/args/1 must be string']);
  });

  test('nothing that is missing in a file without namespace, for another may extend it', () => {
    expect(marksOf({})).toEqual([]);
    expect(marksOf({ api: { image: { repository: 'acme/api' } }, qdrant: { resources: {} } })).toEqual([]);
  });

  test('what is wrong in a file without namespace all the same', () => {
    expect(marksOf({ rout: {}, api: { port: 80 } })).toEqual([
      'must NOT have additional properties rout',
      '/api/port must be >= 1024',
    ]);
  });

  test('nothing that is missing in a file that extends another, for that one may say it', () => {
    expect(marksOf({ extends: '_base.yaml' })).toEqual([]);
    expect(marksOf({ extends: '_base.yaml', api: { image: { tag: '1.8.2' } }, qdrant: { resources: {} } })).toEqual([]);
  });

  test('what is missing in an entry of a list even there, for lists are replaced as a whole', () => {
    expect(marksOf({ extends: '_base.yaml', cluster: { nodePools: [{ name: 'a' }] } })).toEqual([
      "/cluster/nodePools/0 must have required property 'nodes'",
    ]);
  });
});

describe('the settings at a place', () => {
  test.each<[string, (string | number)[], string[]]>([
    ['of a map are known', ['queue', 'redis', 'password'], ['key', 'secret']],
    ['of an entry of a list are known', ['api', 'externals', 3], ['cidrs', 'env', 'host', 'http', 'port']],
    ['of a backlog are known', ['embeddingWorkers', 'scaling', 'backlog'], ['list', 'perReplica']],
    ['of the backlog that the API does not have are none', ['api', 'scaling', 'backlog'], []],
    ['of a map that becomes something else are known', ['cluster', 'storage'], ['block', 'shared']],
    ['of one form among others are known', ['reranker', 'model'], ['id', 'maxTokens', 'profile', 'revision']],
    [
      'below one form among others are known',
      ['llm', 'model', 'profile', 'attention'],
      ['headDimension', 'keyValueHeads', 'layers'],
    ],
    ['where any name is allowed are none in particular', ['api', 'podLabels'], []],
    ['below a single value are none', ['namespace', 'x'], []],
    ['that there is none of are none', ['nowhere', 'at', 'all'], []],
  ])('%s', (_, path, keys) => {
    expect(allowedKeys(path)).toEqual(keys);
  });
});

describe('what editors are told of a setting', () => {
  /** The place in the schema of a file that is whole, at a path. */
  function at(...path: string[]): { readonly [keyword: string]: unknown } {
    return path.reduce<Json>(
      (place, step) => formsIn(place).find(({ properties }) => properties?.[step])?.properties[step],
      {
        anyOf: [(schema as Json).then],
      },
    );
  }

  function formsIn(place: Json): Json[] {
    return place.anyOf === undefined ? [place] : place.anyOf.flatMap(formsIn);
  }

  test.each<[string[], string]>([
    [['api', 'resources'], '250m CPU and 1Gi'],
    [['api', 'startupBudget'], '2m'],
    [['api', 'temporaryStorage'], '256Mi'],
    [['embeddingWorkers', 'resources'], '1 CPU and 4Gi'],
    [['embeddingWorkers', 'startupBudget'], '10m'],
    [['embeddingWorkers', 'temporaryStorage'], '2Gi'],
    [['queue', 'redis', 'resources'], '100m CPU and 512Mi'],
  ])('has what is there where nothing is said: %s', (path, usual) => {
    expect(at(...path).description).toMatch(new RegExp(`; by default ${usual}$`));
  });

  test.each([
    [['qdrant', 'snapshots', 'keep']],
    [['qdrant', 'nodes']],
    [['qdrant', 'sizing', 'count']],
    [['qdrant', 'drain', 'to']],
    [['collection', 'shards']],
    [['llm', 'accelerators']],
    [['embedder', 'maxClientBatchSize']],
  ])('has the least of a number of things: %s', (path) => {
    expect(formsIn(at(...path)).map(({ minimum }) => minimum)).toContain(1);
  });

  test('has examples of names', () => {
    const examples = (...path: string[]) => formsIn(at(...path)).flatMap((form) => form.examples ?? []);
    expect(examples('embeddingModel')).toContain('BAAI/bge-m3');
    expect(examples('llm', 'model')).toContain('Qwen/Qwen3-8B');
    expect(examples('reranker', 'model')).toContain('BAAI/bge-reranker-v2-m3');
    expect(examples('embeddingWorkers', 'accelerator')).toContain('nvidia-l4');
  });
});

test('what the schema says of defaults is what is rendered', () => {
  const image = { image: IMAGE };
  const objects = objectsOf({
    api: image,
    queue: (scope) => new Redis(scope, 'queue', { password: KEY }),
    embeddingWorkers: image,
  });
  const requests = (kind: string, name: string) => mainContainer(find(objects, kind, name)).resources.requests;
  expect(requests('Deployment', 'api')).toMatchObject({ cpu: '250m', memory: '1Gi' });
  expect(requests('Deployment', 'embedding-workers')).toMatchObject({ cpu: '1', memory: '4Gi' });
  expect(requests('StatefulSet', 'queue')).toMatchObject({ cpu: '100m', memory: '512Mi' });
});
