import { Size } from 'cdk8s';
import { Environment } from '../../../charts/environments/environment';
import { EnvironmentError } from '../../../charts/environments/environment-file';
import { RagPlatform } from '../../../charts/rag-platform';
import { Redis } from '../../../constructs/data/redis';
import { Accelerator } from '../../../constructs/placement/accelerator';
import type { ManifestObject } from '../../../constructs/rules/output';
import { UsageError } from '../../../constructs/rules/usage-error';
import type { ContainerProps } from '../../../constructs/workload/container';
import { Deployment } from '../../../constructs/workload/deployment';
import { EnvValue } from '../../../constructs/workload/env-value';
import { Image } from '../../../constructs/workload/image';
import { Volume } from '../../../constructs/workload/volume';
import { EnvironmentFolder } from '../../support/environment-folder';
import { env, find, mainContainer, namesOf, templateOf } from '../../support/manifests';
import { refusalOf } from '../../support/refusal';
import { DIGEST, RESOURCES } from '../../support/values';

const folder = new EnvironmentFolder();
afterAll(() => folder.remove());

/** The least that an environment says, line by line. */
const LEAST: readonly string[] = [
  /* 1 */ 'namespace: rag-test',
  /* 2 */ 'qdrant:',
  /* 3 */ '  nodes: 1',
  /* 4 */ '  resources: { cpu: 100m, memory: 512Mi }',
  /* 5 */ '  storage: 1Gi',
  /* 6 */ 'api:',
  /* 7 */ '  image: { repository: ghcr.io/acme/rag-api, tag: 1.8.2 }',
];

/** The same with one line put otherwise; the others keep their numbers. */
function put(line: number, text: string): string[] {
  return LEAST.map((present, index) => (index === line - 1 ? text : present));
}

/** The same with more lines, from line 8 on; the first ones may still belong to the API. */
function add(...lines: string[]): string[] {
  return [...LEAST, ...lines];
}

/** Workers in lines 8 to 10, and more of their settings from line 11 on. */
function addWorkers(...lines: string[]): string[] {
  return add(
    'queue: { redis: {} }',
    'embeddingWorkers:',
    '  image: { repository: ghcr.io/acme/w, tag: 1.0.0 }',
    ...lines,
  );
}

/** A route in lines 8 and 9, and more of its settings from line 10 on. */
function addRoute(...lines: string[]): string[] {
  return add('route:', '  host: rag.acme.example', ...lines);
}

function write(lines: string[]): string {
  folder.write({ 'test.yaml': `${lines.join('\n')}\n` });
  return folder.pathOf('test.yaml');
}

/** The objects of an environment file. */
function objectsOf(lines: string[]): ManifestObject[] {
  return objectsOfFile(write(lines));
}

function objectsOfFile(path: string): ManifestObject[] {
  return Environment.read(path).render('test.yaml').objects;
}

/** What is said about an environment file: the places are those of test.yaml. */
function refused(lines: string[]): string[] {
  const error = refusalOf(() => objectsOf(lines));
  expect(error).toBeInstanceOf(EnvironmentError);
  const { problems } = error as EnvironmentError;
  expect(error.message).toBe(problems.join('\n'));
  const beginning = `${folder.shown('test.yaml')}:`;
  expect(problems.map((problem) => problem.slice(0, beginning.length))).toEqual(problems.map(() => beginning));
  return problems.map((problem) => problem.slice(beginning.length));
}

type Mistake = [mistake: string, lines: string[], ...problems: string[]];

function expectRefusals(mistakes: Mistake[]): void {
  test.each(mistakes.map(([mistake, lines, ...problems]) => ({ mistake, lines, problems })))(
    '$mistake',
    ({ lines, problems }) => {
      expect(refused(lines)).toEqual(problems);
    },
  );
}

const API =
  'args, command, configRollout, env, envNames, externals, files, identity, image, jvm, longestAnswer, metricsPort, ' +
  'nodePool, podAnnotations, podLabels, port, priorityClassName, resources, scaling, secretDelivery, secretRotation, ' +
  'serviceAccountAnnotations, startupBudget, temporaryStorage, user, warmUp';
const WORKERS =
  'accelerator, accelerators, args, command, configRollout, env, envNames, externals, files, identity, image, jvm, ' +
  'longestTask, nodePool, podAnnotations, podLabels, priorityClassName, resources, scaling, secretDelivery, ' +
  'secretRotation, serviceAccountAnnotations, sharedMemory, startupBudget, temporaryStorage, user';
const SCALING = 'cooldown, cpu, cron, down, fallbackReplicas, max, memory, min, prometheus, replicas, up';
const TOP =
  'api, cache, cluster, collection, database, documentStore, embedder, embeddingModel, embeddingWorkers, extends, index, ' +
  'ingestionEmbedder, llm, migration, models, name, namespace, qdrant, queue, reranker, route, scheduler, secrets, syncs, ' +
  'vectors';
/** All that there are, as the library says it; which they are is tested there. */
const ACCELERATORS = refusalOf(() => Accelerator.named('none')).message.split('; use one of ')[1];

test('the accelerators that there are are several', () => {
  expect(ACCELERATORS).toMatch(
    /^nvidia-t4, nvidia-l4, .*nvidia-h200, with a MIG profile or "shared" after a "\/" if wanted$/,
  );
});

test('the least that an environment says is enough', () => {
  expect(namesOf(objectsOf([...LEAST]), 'Deployment')).toEqual(['api']);
});

describe('a key that is no setting', () => {
  expectRefusals([
    ['with the one that was meant', add('rout: {}'), '8:1 rout: is not a setting; did you mean route?'],
    [
      'with another capital',
      add('embeddingworkers: {}'),
      '8:1 embeddingworkers: is not a setting; did you mean embeddingWorkers?',
    ],
    [
      'with all that there are, when none is like it',
      add('observability: {}'),
      `8:1 observability: is not a setting; the settings here are ${TOP}`,
    ],
    ['in a map', add('  longestAnser: 4m'), '8:3 api.longestAnser: is not a setting; did you mean longestAnswer?'],
    [
      'in a map, with all that there are in it',
      put(3, '  sharding: custom'),
      '3:3 qdrant.sharding: is not a setting; the settings here are alternativeApiKey, apiKey, audit, clientToken, configRollout, drain, env, envNames, identity, ' +
        'image, nodePool, nodes, podAnnotations, podLabels, priorityClassName, readOnlyApiKey, readOnlyToken, rehearsal, repair, ' +
        'replicationFactor, resources, restore, secretRotation, serviceAccountAnnotations, sizing, snapshotStorage, snapshots, ' +
        'startupBudget, storage, storageClass, tls',
    ],
    [
      'in a map in braces',
      add('  resources: { cpu: 100m, memory: 512Mi, memoryLimits: 1Gi }'),
      '8:42 api.resources.memoryLimits: is not a setting; did you mean memoryLimit?',
    ],
    [
      'in an entry of a list',
      add('cluster:', '  nodePools:', '    - { name: a, nodes: 1 }', '    - { name: b, nodes: 1, taint: [] }'),
      '11:28 cluster.nodePools.1.taint: is not a setting; did you mean taints?',
    ],
    [
      'in an entry of a list, with all that there are in it',
      add('cluster:', '  nodePools:', '    - { name: a, nodes: 1, spotPrice: 2 }'),
      '10:28 cluster.nodePools.0.spotPrice: is not a setting; the settings here are accelerator, ' +
        'acceleratorsPerNode, name, nodeSelector, nodes, taints',
    ],
    [
      'deep in something that is made of it',
      addRoute(
        '  gateway:',
        '    className: envoy',
        '    certificate: { issuer: a, htp01: true }',
        '    proxies: { namespace: e }',
      ),
      '12:31 route.gateway.certificate.htp01: is not a setting; did you mean http01?',
    ],
    [
      'beside a reference to a Secret',
      add('  env:', '    OPENAI_API_KEY: { secret: openai, key: api-key, version: 2 }'),
      '9:53 api.env.OPENAI_API_KEY.version: is not a setting; the settings here are key, secret',
    ],
    [
      'two of them',
      add('  ports: 8080', 'rout: {}'),
      '8:3 api.ports: is not a setting; did you mean port?',
      '9:1 rout: is not a setting; did you mean route?',
    ],
  ]);
});

describe('a value of the wrong type', () => {
  expectRefusals([
    ['a number for a text', add('name: 12'), '8:1 name: is 12, but must be a text; put it in quotes'],
    ['a text for a number', put(3, '  nodes: three'), '3:3 qdrant.nodes: is "three", but must be a number'],
    ['a number in quotes', put(3, '  nodes: "3"'), '3:3 qdrant.nodes: is "3", but must be a number'],
    ['a fraction for a whole number', put(3, '  nodes: 1.5'), '3:3 qdrant.nodes: is 1.5, but must be a whole number'],
    [
      'a list for a map',
      ['namespace: rag-test', 'qdrant: [1]', ...LEAST.slice(5)],
      '2:1 qdrant: is a list, but must be a map of settings',
    ],
    ['a text for a map', add('queue: redis'), '8:1 queue: is a text, but must be a map of settings'],
    ['a number for a map', add('route: 5'), '8:1 route: is a number, but must be a map of settings'],
    ['true for a map', add('queue: true'), '8:1 queue: is a boolean, but must be a map of settings'],
    ['nothing for a map, which is then missing', [...LEAST.slice(0, 5), 'api:'], '6:1 api: is missing'],
    ['a map for a list', add('  args: { a: b }'), '8:3 api.args: is a map, but must be a list'],
    ['a text for a list', add('  command: uvicorn'), '8:3 api.command: is a text, but must be a list'],
    ['a map for a text', add('name: { a: b }'), '8:1 name: is a map, but must be a text; put it in quotes'],
    ['a list for a number', put(3, '  nodes: [3]'), '3:3 qdrant.nodes: is a list, but must be a number'],
    [
      'a map for true',
      add('cluster: { cilium: { enabled: true } }'),
      '8:12 cluster.cilium: is a map, but must be true or false',
    ],
    [
      'a number in a list of texts',
      add('  args: [--workers, 4]'),
      '8:21 api.args.1: is 4, but must be a text; put it in quotes',
    ],
    ['yes for true', add('cluster: { cilium: yes }'), '8:12 cluster.cilium: is "yes", but must be true or false'],
    [
      'a number for labels',
      add('  podLabels: 5'),
      '8:3 api.podLabels: is a number, but must be a map of names and values',
    ],
    [
      'a text for variables',
      add('  env: LOG_LEVEL=info'),
      '8:3 api.env: is a text, but must be a map of names and values',
    ],
    [
      'a number for a label',
      add('  podLabels: { cost-center: 4711 }'),
      '8:16 api.podLabels.cost-center: is 4711, but must be a text; put it in quotes',
    ],
    [
      'a number for a label that is called by a number',
      add('  podLabels: { 5: x, 6: 7 }'),
      '8:22 api.podLabels.6: is 7, but must be a text; put it in quotes',
    ],
    [
      'nothing in a list of texts',
      add('  args: [--workers, null]'),
      '8:21 api.args.1: is null, but must be a text; put it in quotes',
    ],
    [
      'a version that lost its zero for want of quotes',
      add('cluster: { kubernetesVersion: 1.30 }'),
      '8:12 cluster.kubernetesVersion: is 1.3, but must be a text; put it in quotes',
    ],
    [
      'a version with a prefix',
      add('cluster: { kubernetesVersion: v1.31 }'),
      '8:12 cluster.kubernetesVersion: is "v1.31", but must be a minor version, such as "1.31"',
    ],
    [
      'a version with a patch',
      add('cluster: { kubernetesVersion: 1.31.2 }'),
      '8:12 cluster.kubernetesVersion: is "1.31.2", but must be a minor version, such as "1.31"',
    ],
    [
      'a domain that is none',
      add('cluster: { domain: Cluster.local }'),
      '8:12 cluster.domain: is "Cluster.local", but must be DNS labels joined by dots: lower-case letters, digits and "-", ' +
        'beginning and ending with a letter or digit',
    ],
    [
      'a key of a taint that is none',
      add(
        'cluster:',
        '  nodePools:',
        '    - { name: a, nodes: 1 }',
        '    - { name: b, nodes: 1, taints: [{ key: a b }] }',
      ),
      '11:39 cluster.nodePools.1.taints.0.key: is "a b", but the key of a taint has the form of a label\'s: nvidia.com/gpu',
    ],
    [
      'more pods in a failure than there may be',
      add(
        '  scaling: { min: 1, max: 3, fallbackReplicas: 4, cron: [{ timeZone: Etc/UTC, start: 0 8 * * *, end: 0 9 * * *, replicas: 3 }] }',
      ),
      '8:30 api.scaling.fallbackReplicas: is 4, above max, which is 3; lower it or raise max',
    ],
    [
      'a time zone that is none',
      add('  scaling: { min: 1, max: 3, cron: [{ timeZone: Berlin, start: 0 8 * * *, end: 0 9 * * *, replicas: 3 }] }'),
      '8:30 api.scaling.cron.timeZone: is "Berlin", but must be an IANA name, such as Europe/Berlin',
    ],
    [
      'a name for an address',
      add('cluster: { dns: { namespace: d, nodeLocal: [169.254.20.10, dns.local] } }'),
      '8:60 cluster.dns.nodeLocal.1: is "dns.local", but must be an IPv4 or IPv6 address',
    ],
    [
      'one address where a list is due',
      add('cluster: { dns: { namespace: d, nodeLocal: 169.254.20.10 } }'),
      '8:33 cluster.dns.nodeLocal: is a text, but must be a list',
    ],
    [
      'a path that does not begin at the root',
      addRoute('  path: v1', '  ingress: { className: n, controller: nginx, proxies: { namespace: n } }'),
      '10:3 route.path: is "v1", but must be a path that begins with "/"',
    ],
  ]);
});

describe('a duration', () => {
  const what = 'but must be a duration with its unit, such as 30s, 4m or 2h';
  expectRefusals([
    ['without unit', add('  longestAnswer: 240'), `8:3 api.longestAnswer: is 240, ${what}`],
    ['without unit, in quotes', add('  longestAnswer: "240"'), `8:3 api.longestAnswer: is "240", ${what}`],
    ['of no time', add('  longestAnswer: 0s'), `8:3 api.longestAnswer: is "0s", ${what}`],
    ['below nothing', add('  longestAnswer: -4m'), `8:3 api.longestAnswer: is "-4m", ${what}`],
    ['of a fraction', add('  longestAnswer: 1.5m'), `8:3 api.longestAnswer: is "1.5m", ${what}`],
    ['in words', add('  longestAnswer: four minutes'), `8:3 api.longestAnswer: is "four minutes", ${what}`],
    ['that is a map', add('  longestAnswer: { m: 4 }'), `8:3 api.longestAnswer: is a map, ${what}`],
    ['that is a list', add('  longestAnswer: [4m]'), `8:3 api.longestAnswer: is a list, ${what}`],
  ]);

  test.each([
    ['30s', 30],
    ['4m', 240],
    ['2h', 7200],
    ['1d', 86400],
  ])('of %s has %s seconds', (text, seconds) => {
    const api = find(objectsOf(add(`  longestAnswer: ${text}`)), 'Deployment', 'api');
    expect(env(api, 'LONGEST_ANSWER_SECONDS')).toBe(String(seconds));
  });
});

describe('a size', () => {
  const what = 'but must be a size with its unit, such as 512Mi or 100Gi';
  expectRefusals([
    ['without unit', put(5, '  storage: 10'), `5:3 qdrant.storage: is 10, ${what}`],
    ['of nothing', put(5, '  storage: 0Gi'), `5:3 qdrant.storage: is "0Gi", ${what}`],
    ['in decimal units', put(5, '  storage: 10GB'), `5:3 qdrant.storage: is "10GB", ${what}`],
    ['in units that are too small', put(5, '  storage: 512Ki'), `5:3 qdrant.storage: is "512Ki", ${what}`],
    ['of a fraction', put(5, '  storage: 1.5Gi'), `5:3 qdrant.storage: is "1.5Gi", ${what}`],
    ['with a blank', put(5, '  storage: 10 Gi'), `5:3 qdrant.storage: is "10 Gi", ${what}`],
    ['that is a map', put(5, '  storage: { size: 1Gi }'), `5:3 qdrant.storage: is a map, ${what}`],
  ]);
});

describe('an amount of CPU', () => {
  const cpu = (amount: string) => put(4, `  resources: { cpu: ${amount}, memory: 512Mi }`);
  const what = 'but must be an amount of CPU such as 500m or 2';
  expectRefusals([
    ['of nothing', cpu('"0"'), `4:16 qdrant.resources.cpu: is "0", ${what}`],
    ['of no thousandth', cpu('0m'), `4:16 qdrant.resources.cpu: is "0m", ${what}`],
    ['of nothing with a point', cpu('"0.00"'), `4:16 qdrant.resources.cpu: is "0.00", ${what}`],
    ['below nothing', cpu('"-1"'), `4:16 qdrant.resources.cpu: is "-1", ${what}`],
    ['below a thousandth', cpu('"0.0004"'), `4:16 qdrant.resources.cpu: is "0.0004", ${what}`],
    ['in cores', cpu('2 cores'), `4:16 qdrant.resources.cpu: is "2 cores", ${what}`],
    ['that is a map', cpu('{ cores: 2 }'), `4:16 qdrant.resources.cpu: is a map, ${what}`],
    ['that is a list', cpu('[2]'), `4:16 qdrant.resources.cpu: is a list, ${what}`],
    ['that is true', cpu('true'), `4:16 qdrant.resources.cpu: is true, ${what}`],
  ]);

  test.each([
    ['500m', '500m'],
    ['0.5', '500m'],
    ['"0.5"', '500m'],
    ['2', '2'],
    ['"2"', '2'],
    ['0.001', '1m'],
    ['1.25', '1250m'],
  ])('of %s is %s', (amount, quantity) => {
    const { requests } = mainContainer(find(objectsOf(cpu(amount)), 'StatefulSet', 'qdrant')).resources;
    expect(requests.cpu).toBe(quantity);
  });
});

describe('resources', () => {
  expectRefusals([
    [
      'with less memory allowed than asked for',
      add('  resources: { cpu: 100m, memory: 512Mi, memoryLimit: 256Mi }'),
      '8:42 api.resources.memoryLimit: is 256Mi, below memory, which is 512Mi; raise it, or leave it out',
    ],
    [
      'with a limit of memory for a node of the database, which gets what it may use',
      put(4, '  resources: { cpu: 100m, memory: 512Mi, memoryLimit: 1Gi }'),
      '4:42 qdrant.resources.memoryLimit: is not a setting; the settings here are cpu, cpuLimit, memory',
    ],
    [
      'with less CPU allowed than asked for',
      add('  resources: { cpu: 500m, memory: 1Gi, cpuLimit: 250m }'),
      '8:40 api.resources.cpuLimit: is 250m, below cpu, which is 500m; raise it, or leave it out',
    ],
    [
      'whose memory is shared memory as a whole',
      addWorkers('  resources: { cpu: 1, memory: 512Mi }', '  sharedMemory: 512Mi'),
      '12:3 embeddingWorkers.sharedMemory: is 512Mi, but is part of the memory, which is 512Mi; raise resources.memory',
    ],
  ]);
});

describe('a value that is missing', () => {
  expectRefusals([
    ['at the top', put(1, ''), '2:1 namespace: is missing'],
    ['a whole part', LEAST.slice(0, 5), '1:1 api: is missing'],
    [
      'in a map, at the map',
      put(5, ''),
      '2:1 qdrant.storage: is missing; set it, or say with sizing what the nodes hold',
    ],
    [
      'in a map in a map, at the inner one',
      put(4, '  resources: { cpu: 100m }'),
      '4:3 qdrant.resources.memory: is missing; set it, or say with sizing what the nodes hold',
    ],
    [
      'CPU',
      put(4, '  resources: { memory: 512Mi }'),
      '4:3 qdrant.resources.cpu: is missing; set it, or say with sizing what the nodes hold',
    ],
    [
      'CPU that is null, at its key',
      put(4, '  resources: { cpu: null, memory: 512Mi }'),
      '4:16 qdrant.resources.cpu: is missing; set it, or say with sizing what the nodes hold',
    ],
    ['an image', put(7, '  port: 8000'), '6:1 api.image: is missing'],
    [
      'in an entry of a list, at the entry',
      add('cluster:', '  nodePools:', '    - { name: a, nodes: 1 }', '    - { name: b }'),
      '11:7 cluster.nodePools.1.nodes: is missing',
    ],
    [
      'the host of a route',
      add('route:', '  ingress: { className: n, controller: nginx, proxies: { namespace: n } }'),
      '8:1 route.host: is missing',
    ],
  ]);
});

describe('a value that is out of bounds', () => {
  expectRefusals([
    ['too small', put(3, '  nodes: 0'), '3:3 qdrant.nodes: is 0, but must be at least 1'],
    ['no zones', add('cluster: { zones: 0 }'), '8:12 cluster.zones: is 0, but must be at least 1'],
    [
      'that must be above its bound',
      add('  scaling: { min: 1, max: 2, prometheus: [{ query: up, perReplica: 0 }] }'),
      '8:56 api.scaling.prometheus.0.perReplica: is 0, but must be above 0',
    ],
    [
      'too big',
      add('cluster: { dns: { namespace: d, port: 70000 } }'),
      '8:33 cluster.dns.port: is 70000, but must be at most 65535',
    ],
    ['a port that needs privileges', add('  port: 80'), '8:3 api.port: is 80, but must be at least 1024'],
    [
      'a port of metrics that needs privileges',
      add('  metricsPort: 90'),
      '8:3 api.metricsPort: is 90, but must be at least 1024',
    ],
    ['user 0', add('  user: { uid: 0, gid: 1 }'), '8:11 api.user.uid: is 0, but must be at least 1'],
    [
      'none of those that there are',
      add('cluster: { cloud: aws }'),
      '8:12 cluster.cloud: is "aws", but must be one of eks, gke, aks, generic',
    ],
    [
      'a port outside the cluster',
      add('  externals: [{ host: api.openai.com, port: 0 }]'),
      '8:39 api.externals.0.port: is 0, but must be from 1 to 65535',
    ],
    [
      'a host outside the cluster that is a URL',
      add('  externals:', '    - { host: https://api.openai.com }'),
      '9:9 api.externals.0.host: is "https://api.openai.com", but must be a DNS name or an address, without scheme, ' +
        'port or path',
    ],
  ]);
});

describe('ranges of addresses', () => {
  const what = 'but must have address ranges such as 10.0.0.0/16';
  expectRefusals([
    [
      'of a host outside the cluster, one of them an address',
      add('  externals:', '    - { host: api.openai.com, cidrs: [203.0.113.0/24, 203.0.113.7] }'),
      `9:31 api.externals.0.cidrs: has "203.0.113.7", ${what}`,
    ],
    [
      'of a host outside the cluster, longer than an address',
      add('  externals:', '    - { host: api.openai.com, cidrs: ["2001:db8::/129"] }'),
      `9:31 api.externals.0.cidrs: has "2001:db8::/129", ${what}`,
    ],
    [
      'of the proxies of a Gateway',
      addRoute('  gateway: { className: envoy, proxyCidrs: [10.0.0.0] }'),
      `10:32 route.gateway.proxyCidrs: has "10.0.0.0", ${what}`,
    ],
    [
      'of the proxies of an Ingress',
      addRoute('  ingress: { className: a, controller: alb, proxyCidrs: [10.0.0.0/33] }'),
      `10:45 route.ingress.proxyCidrs: has "10.0.0.0/33", ${what}`,
    ],
  ]);
});

describe('labels and annotations', () => {
  expectRefusals([
    [
      'with a value that is none',
      add('  podLabels: { team: search and ranking }'),
      '8:16 api.podLabels.team: is "search and ranking", but the value of a label has at most 63 letters, digits, "-", ' +
        '"_" and ".", beginning and ending with a letter or digit',
    ],
    [
      'with a key that is none',
      add('  podAnnotations: { cost center: x }'),
      '8:3 api.podAnnotations: has the key "cost center", but a key has at most 63 letters, digits, "-", "_" and ".", ' +
        'beginning and ending with a letter or digit, after a domain and "/" or without',
    ],
  ]);
});

describe('an image', () => {
  const image = (version: string) => put(7, `  image: { repository: ghcr.io/acme/rag-api${version} }`);
  expectRefusals([
    ['without tag', image(''), '7:3 api.image.tag: is missing; pin a release, such as 1.8.2'],
    [
      'with the tag latest',
      image(', tag: latest'),
      '7:46 api.image.tag: is "latest", which moves, so nothing could be rolled back; pin a release, such as 1.8.2',
    ],
    [
      'with a tag that lost its zero for want of quotes',
      image(', tag: 1.10'),
      '7:46 api.image.tag: is 1.1, but must be text; put it in quotes',
    ],
    ['with an empty tag', image(', tag: ""'), '7:46 api.image.tag: is empty; pin a release, such as 1.8.2'],
    [
      'with a tag that is none',
      image(', tag: 1.8.2 final'),
      '7:46 api.image.tag: is "1.8.2 final", which is no image tag; pin a release, such as 1.8.2',
    ],
    [
      'with a digest that is none',
      image(', tag: 1.8.2, digest: sha256:6d2b'),
      '7:58 api.image.digest: is "sha256:6d2b", but must be "sha256:" and 64 lower-case hexadecimal digits',
    ],
    [
      'with the tag in the repository',
      image(':1.8.2, tag: 1.8.2'),
      '7:12 api.image.repository: is "ghcr.io/acme/rag-api:1.8.2"; write host and path in lower case, without tag or digest: ' +
        'ghcr.io/acme/rag-api',
    ],
    [
      'without the digest that the registry requires, at the image',
      [...image(', tag: 1.8.2'), 'cluster: { registry: { requireDigest: true } }'],
      '7:3 api.image.digest: is ghcr.io/acme/rag-api:1.8.2, but this registry requires digests; add the digest of that ' +
        'tag',
    ],
    [
      'of workers without the digest that the registry requires',
      [
        ...image(`, tag: 1.8.2, digest: ${DIGEST}`),
        'embeddingWorkers:',
        '  image: { repository: acme/w, tag: 1.0.0 }',
        'cluster: { registry: { requireDigest: true } }',
      ],
      '9:3 embeddingWorkers.image.digest: is docker.io/acme/w:1.0.0, but this registry requires digests; add the ' +
        'digest of that tag',
    ],
  ]);
});

describe('the cluster', () => {
  expectRefusals([
    [
      'with a network file system for blocks',
      add('cluster: { storage: { block: nfs-client } }'),
      '8:23 cluster.storage.block: is "nfs-client", a network file system (nfs); use a class of block volumes, such as ' +
        'gp3 or premium-rwo',
    ],
    [
      'with one class for blocks and shared files',
      add('cluster: { storage: { block: models, shared: models } }'),
      '8:23 cluster.storage.block: is "models", the cluster\'s class for shared files; use a class of block volumes, ' +
        'such as gp3 or premium-rwo',
    ],
    [
      'with Cilium and the address of a DNS cache',
      add('cluster: { cilium: true, dns: { namespace: d, nodeLocal: [169.254.20.10, 10.0.0.10] } }'),
      "8:47 cluster.dns.nodeLocal: is 169.254.20.10, 10.0.0.10, but Cilium policies cannot select a node's own address; run " +
        'NodeLocal DNSCache behind a CiliumLocalRedirectPolicy and select its pods with dns.podLabels',
    ],
    [
      'with two pools of one name',
      add('cluster:', '  nodePools: [{ name: a, nodes: 1 }, { name: a, nodes: 2 }]'),
      '9:3 cluster.nodePools: has two pools named "a"; rename one',
    ],
    [
      'with a mirror that is a URL',
      add('cluster: { registry: { mirror: https://registry.acme.example } }'),
      '8:24 cluster.registry.mirror: is "https://registry.acme.example"; write host and path without scheme: ' +
        'registry.acme.example/mirror',
    ],
  ]);

  const constraintsOf = (objects: ManifestObject[]) =>
    templateOf(find(objects, 'StatefulSet', 'qdrant')).spec.topologySpreadConstraints.map(
      ({ whenUnsatisfiable }: { whenUnsatisfiable: string }) => whenUnsatisfiable,
    );

  test('that has several zones spreads the database over them', () => {
    const lines = put(3, '  nodes: 3');
    expect(constraintsOf(objectsOf([...lines, 'cluster: { zones: 3 }']))).toEqual(['DoNotSchedule', 'DoNotSchedule']);
    expect(constraintsOf(objectsOf([...lines, 'cluster: { zones: 1 }']))).toEqual(['ScheduleAnyway', 'DoNotSchedule']);
    expect(constraintsOf(objectsOf(lines))).toEqual(['ScheduleAnyway', 'DoNotSchedule']);
  });

  test('has IPv6 addresses only when that is said', () => {
    const rangesOf = (cluster: string) => {
      const objects = objectsOf(add('  externals: [{ host: api.openai.com }]', cluster));
      const peers = find(objects, 'NetworkPolicy', 'api').spec.egress.flatMap(({ to }: { to: object[] }) => to);
      return peers.flatMap(({ ipBlock }: { ipBlock?: { cidr: string } }) => ipBlock?.cidr ?? []);
    };
    expect(rangesOf('cluster: { ipv6: true }')).toEqual(['0.0.0.0/0', '::/0']);
    expect(rangesOf('cluster: { ipv6: false }')).toEqual(['0.0.0.0/0']);
    expect(rangesOf('cluster: {}')).toEqual(['0.0.0.0/0']);
  });
});

describe('scaling', () => {
  const api = (scaling: string) => add(`  scaling: { ${scaling} }`);
  const cron = 'cron: [{ timeZone: Etc/UTC, start: 0 7 * * *, end: 0 9 * * *, replicas: 2 }]';
  const query = 'prometheus: [{ query: up, perReplica: 1 }]';
  expectRefusals([
    [
      'from more than to',
      api('min: 3, max: 2, cpu: 70'),
      '8:14 api.scaling.min: is 3, above max, which is 2; lower min or raise max',
    ],
    [
      'to nothing without KEDA',
      api('min: 0, max: 2, cpu: 70'),
      '8:14 api.scaling.min: is 0, but must be a whole number from 1',
    ],
    [
      'by us and an autoscaler',
      api('replicas: 3, min: 2, max: 4, cpu: 70'),
      '8:14 api.scaling.replicas: is set together with min, max, cpu, but replicas have one owner; keep replicas, or ' +
        'the autoscaler',
    ],
    [
      'by the HorizontalPodAutoscaler and KEDA',
      api(`min: 0, max: 2, cpu: 70, ${query}`),
      '8:30 api.scaling.cpu: is read by the HorizontalPodAutoscaler, and prometheus by KEDA, but replicas have one ' +
        'owner; keep one of the two',
    ],
    [
      'by the HorizontalPodAutoscaler and KEDA, on everything that there is',
      api(`min: 0, max: 2, memory: 70, ${query}, ${cron}`),
      '8:30 api.scaling.memory: is read by the HorizontalPodAutoscaler, and prometheus and cron by KEDA, but replicas ' +
        'have one owner; keep one of the two',
    ],
    [
      'on nothing',
      api('min: 1, max: 2'),
      '8:3 api.scaling: has min and max, but nothing to scale on; add cpu, memory, prometheus or cron',
    ],
    [
      'by the HorizontalPodAutoscaler with a cooldown, which only KEDA has',
      api('min: 1, max: 2, cpu: 70, cooldown: 5m'),
      '8:39 api.scaling.cooldown: is read by KEDA, but nothing here scales by KEDA; remove it',
    ],
    [
      'by the HorizontalPodAutoscaler with a number for bad times, which only KEDA has',
      api('min: 1, max: 2, cpu: 70, fallbackReplicas: 2'),
      '8:39 api.scaling.fallbackReplicas: is read by KEDA, but nothing here scales by KEDA; remove it',
    ],
    [
      'in too long a period',
      api('min: 1, max: 2, cpu: 70, up: { pods: 1, period: 31m }'),
      '8:54 api.scaling.up.period: is 31 minutes, but must be from 1 to 1800 seconds',
    ],
    [
      'in a period of no time',
      api('min: 1, max: 2, cpu: 70, up: { pods: 1, period: 0s }'),
      '8:54 api.scaling.up.period: is "0s", but must be a duration with its unit, such as 30s, 4m or 2h',
    ],
    [
      'at a pace that limits nothing',
      api('min: 1, max: 2, cpu: 70, up: { period: 1m }'),
      '8:39 api.scaling.up: limits nothing; set pods or percent, which count per period, or stabilization alone',
    ],
    [
      'after too long a look back',
      api('min: 1, max: 2, cpu: 70, down: { stabilization: 61m }'),
      '8:47 api.scaling.down.stabilization: is 1 hour 1 minute, but must be from 0 to 3600 seconds',
    ],
    [
      'by no pod at a time',
      api('min: 1, max: 2, cpu: 70, down: { pods: 0 }'),
      '8:47 api.scaling.down.pods: is 0, but must be at least 1',
    ],
    [
      'on a backlog, which the API does not have',
      api(`min: 0, max: 2, ${cron}, backlog: { perReplica: 20 }`),
      `8:108 api.scaling.backlog: is not a setting; the settings here are ${SCALING}`,
    ],
    [
      'on a backlog beside it, which the API does not have either',
      add('  backlog: { perReplica: 20, min: 0, max: 2 }'),
      `8:3 api.backlog: is not a setting; the settings here are ${API}`,
    ],
    [
      'without bounds',
      api('cpu: 70'),
      '8:3 api.scaling: needs either replicas, or min and max with something to scale on',
    ],
    [
      'by nobody',
      add('  scaling: {}'),
      '8:3 api.scaling: needs either replicas, or min and max with something to scale on',
    ],
    [
      'by KEDA on a cluster without it',
      api(`min: 0, max: 2, ${cron}`),
      '8:3 api.scaling: is event-driven, but the cluster declares no KEDA; set keda in the cluster or scale on CPU',
    ],
    [
      'on queries to a Prometheus whose address nobody knows',
      add(
        '  scaling: { min: 1, max: 2, prometheus: [{ query: up, perReplica: 1 }] }',
        'cluster: { keda: { namespace: k } }',
      ),
      '8:3 api.scaling: needs the URL of Prometheus; set prometheus.url in the cluster',
    ],
  ]);

  test('can look at the present alone', () => {
    const objects = objectsOf(api('min: 1, max: 2, cpu: 70, up: { stabilization: 0s }'));
    const { behavior } = find(objects, 'HorizontalPodAutoscaler', 'api').spec;
    expect(behavior).toEqual({ scaleUp: { stabilizationWindowSeconds: 0 } });
  });
});

describe('scaling on a backlog', () => {
  const keda = 'cluster: { keda: { namespace: keda } }';
  const workers = (scaling: string) => addWorkers(`  scaling: { ${scaling} }`, keda);
  const scaledObject = (objects: ManifestObject[]) => find(objects, 'ScaledObject', 'embedding-workers').spec;

  test("looks at Celery's list in the queue", () => {
    const objects = objectsOf(workers('min: 0, max: 8, backlog: { perReplica: 20 }'));
    const { triggers, ...spec } = scaledObject(objects);
    expect(spec).toEqual({
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'embedding-workers' },
      minReplicaCount: 0,
      maxReplicaCount: 8,
      // The longest task, and ten minutes.
      cooldownPeriod: 1200,
    });
    expect(triggers).toHaveLength(1);
    expect(triggers[0].metadata).toMatchObject({ listName: 'celery', listLength: '20' });
    expect(find(objects, 'Deployment', 'embedding-workers').spec).not.toHaveProperty('replicas');
  });

  test('can look at another list and at more, and has a pace, a cooldown and a number for bad times', () => {
    const objects = objectsOf(
      addWorkers(
        '  scaling:',
        '    min: 1',
        '    max: 8',
        '    backlog: { list: embeddings, perReplica: 5 }',
        '    cron: [{ timeZone: Etc/UTC, start: 0 7 * * *, end: 0 9 * * *, replicas: 2 }]',
        '    prometheus: [{ query: up, perReplica: 1 }]',
        '    cooldown: 15m',
        '    fallbackReplicas: 3',
        '    down: { pods: 1, period: 2m }',
        'cluster: { keda: { namespace: keda }, prometheus: { namespace: monitoring, url: "http://prometheus:9090" } }',
      ),
    );
    const { triggers, ...spec } = scaledObject(objects);
    expect(triggers.map(({ type }: { type: string }) => type)).toEqual(['redis', 'prometheus', 'cron']);
    expect(triggers[0].metadata).toMatchObject({ listName: 'embeddings', listLength: '5' });
    expect(spec).toMatchObject({
      minReplicaCount: 1,
      maxReplicaCount: 8,
      cooldownPeriod: 900,
      fallback: { failureThreshold: 3, replicas: 3, behavior: 'currentReplicasIfHigher' },
      advanced: {
        horizontalPodAutoscalerConfig: {
          behavior: { scaleDown: { policies: [{ type: 'Pods', value: 1, periodSeconds: 120 }] } },
        },
      },
    });
  });

  test('is gone when it is null, and the rest of the scaling stays', () => {
    const objects = objectsOf(workers('min: 1, max: 2, cpu: 70, backlog: null'));
    expect(namesOf(objects, 'ScaledObject')).toEqual([]);
    expect(namesOf(objects, 'HorizontalPodAutoscaler')).toEqual(['embedding-workers']);
  });

  expectRefusals([
    [
      'of which nothing is said',
      workers('min: 0, max: 2, backlog: {}'),
      '11:30 embeddingWorkers.scaling.backlog.perReplica: is missing',
    ],
    [
      'without bounds',
      workers('backlog: { perReplica: 20 }'),
      '11:3 embeddingWorkers.scaling: needs either replicas, or min and max with something to scale on',
    ],
    [
      'with no task for a worker',
      workers('min: 0, max: 2, backlog: { perReplica: 0 }'),
      '11:41 embeddingWorkers.scaling.backlog.perReplica: is 0, but must be at least 1',
    ],
    [
      'from more than to',
      workers('min: 3, max: 2, backlog: { perReplica: 20 }'),
      '11:14 embeddingWorkers.scaling.min: is 3, above max, which is 2; lower min or raise max',
    ],
    [
      'in too long a period',
      workers('min: 0, max: 2, backlog: { perReplica: 20 }, up: { pods: 1, period: 31m }'),
      '11:74 embeddingWorkers.scaling.up.period: is 31 minutes, but must be from 1 to 1800 seconds',
    ],
    [
      'and by us',
      workers('replicas: 2, backlog: { perReplica: 20 }'),
      '11:14 embeddingWorkers.scaling.replicas: is set together with backlog, but replicas have one owner; keep ' +
        'replicas, or the autoscaler',
    ],
    [
      'and by the HorizontalPodAutoscaler',
      workers('min: 0, max: 2, cpu: 70, backlog: { perReplica: 20 }'),
      '11:30 embeddingWorkers.scaling.cpu: is read by the HorizontalPodAutoscaler, and backlog by KEDA, but replicas ' +
        'have one owner; keep one of the two',
    ],
    [
      'of which nothing is said',
      workers('min: 0, max: 2'),
      '11:3 embeddingWorkers.scaling: has min and max, but nothing to scale on; add backlog, cpu, memory, prometheus or ' +
        'cron',
    ],
    [
      'without a queue',
      add(
        'embeddingWorkers:',
        '  image: { repository: ghcr.io/acme/w, tag: 1.0.0 }',
        '  scaling: { min: 0, max: 2, backlog: { perReplica: 20 } }',
        keda,
      ),
      '10:3 embeddingWorkers.scaling: asks for the queue, but the platform has none; add queue, or scale on something ' +
        'else',
    ],
    [
      'on a cluster without KEDA',
      addWorkers('  scaling: { min: 0, max: 2, backlog: { perReplica: 20 } }'),
      '11:3 embeddingWorkers.scaling: is event-driven, but the cluster declares no KEDA; set keda in the cluster or ' +
        'scale on CPU',
    ],
    [
      'where it once was',
      addWorkers('  backlog: { perReplica: 20, min: 0, max: 2 }', keda),
      `11:3 embeddingWorkers.backlog: is not a setting; the settings here are ${WORKERS}`,
    ],
  ]);
});

describe('the database', () => {
  expectRefusals([
    [
      'with two nodes',
      put(3, '  nodes: 2'),
      '3:3 qdrant.nodes: is 2, but two nodes lose their quorum when either is away, so no update or node drain would ' +
        'be safe; use 1, or 3 or more',
    ],
    [
      'with more copies than nodes',
      put(3, '  replicationFactor: 4'),
      '3:3 qdrant.replicationFactor: is 4, but must be from 1 to the number of nodes, which is 3',
    ],
    [
      'on a network file system',
      put(3, '  storageClass: nfs-client'),
      '3:3 qdrant.storageClass: is "nfs-client", a network file system (nfs); use a class of block volumes, such as ' +
        'gp3 or premium-rwo',
    ],
    [
      "on the cluster's class for shared files",
      [...put(3, '  storageClass: models'), 'cluster: { storage: { block: gp3, shared: models } }'],
      '3:3 qdrant.storageClass: is "models", the cluster\'s class for shared files; use a class of block volumes, ' +
        'such as gp3',
    ],
    [
      'with a certificate that is renewed and nothing that restarts it',
      put(3, '  tls: { issuer: acme-internal }'),
      '3:3 qdrant.tls: is renewed by cert-manager, but Qdrant reads the certificate of gRPC and of its own protocol ' +
        'only at start, so the cluster would fall apart when the first one expires; declare reloader in the cluster, ' +
        'or use a Secret that exists',
    ],
    [
      'with two certificates',
      put(3, '  tls: { issuer: acme-internal, secret: qdrant-tls }'),
      '3:3 qdrant.tls: needs either issuer or secret, and not both',
    ],
  ]);
});

describe('a GPU', () => {
  const pools = (...lines: string[]) => ['cluster:', '  nodePools:', '    - { name: general, nodes: 3 }', ...lines];
  expectRefusals([
    [
      'that no node pool has',
      addWorkers('  accelerator: nvidia-l4', ...pools('    - { name: big, nodes: 1, accelerator: nvidia-h100 }')),
      '11:3 embeddingWorkers.accelerator: is nvidia-l4, but no node pool of the cluster has it; pools: general (no ' +
        'GPU), big (nvidia-h100); add such a pool to the cluster or choose an accelerator that it has',
    ],
    [
      'that nobody knows',
      addWorkers('  accelerator: nvidia-l5'),
      `11:3 embeddingWorkers.accelerator: is "nvidia-l5", which is not a known accelerator; use one of ${ACCELERATORS}`,
    ],
    [
      'that nobody knows, in a node pool',
      add(...pools('    - { name: gpu, nodes: 1, accelerator: nvidia-l5 }')),
      '11:30 cluster.nodePools.1.accelerator: is "nvidia-l5", which is not a known accelerator; use one of ' +
        ACCELERATORS,
    ],
    [
      'cut into slices that it does not have',
      addWorkers('  accelerator: nvidia-a100-80/9g.10gb'),
      '11:3 embeddingWorkers.accelerator: is nvidia-a100-80, which has no MIG profile "9g.10gb"; allowed: 1g.10gb, ' +
        '1g.20gb, 2g.20gb, 3g.40gb, 4g.40gb, 7g.80gb',
    ],
    [
      'that cannot be cut',
      addWorkers('  accelerator: nvidia-l4/1g.10gb'),
      '11:3 embeddingWorkers.accelerator: is nvidia-l4, which has no MIG profile "1g.10gb"; allowed: none, it cannot be ' +
        'partitioned',
    ],
    [
      'of which only the number is said',
      addWorkers('  accelerators: 2'),
      '11:3 embeddingWorkers.accelerators: is 2, but no accelerator is set; set accelerator as well',
    ],
    [
      'looked for in a pool without it',
      addWorkers('  accelerator: nvidia-l4', '  nodePool: general', ...pools()),
      '12:3 embeddingWorkers.nodePool: is "general", but it has no nvidia-l4; pools: general (no GPU)',
    ],
    [
      'or anything else, in a pool that is not there',
      addWorkers('  nodePool: spot', ...pools()),
      '11:3 embeddingWorkers.nodePool: is "spot", but the cluster has no such pool; pools: general (no GPU)',
    ],
  ]);
});

describe('a name', () => {
  const label =
    'but must be a DNS label: lower-case letters, digits and "-", beginning and ending with a letter or digit';
  expectRefusals([
    ['of a namespace in capitals', put(1, 'namespace: RAG'), `1:1 namespace: is "RAG", ${label}`],
    ['of a namespace with an underscore', put(1, 'namespace: rag_test'), `1:1 namespace: is "rag_test", ${label}`],
    [
      'of a namespace that is too long',
      put(1, `namespace: ${'r'.repeat(64)}`),
      `1:1 namespace: is "${'r'.repeat(64)}" (64 characters), but at most 63 are allowed; shorten it`,
    ],
    ['of the system with a blank', add('name: my rag'), `8:1 name: is "my rag", ${label}`],
  ]);

  test('of a namespace may have 63 characters', () => {
    expect(namesOf(objectsOf(put(1, `namespace: ${'r'.repeat(63)}`)), 'Namespace')).toEqual(['r'.repeat(63)]);
  });
});

describe('a route', () => {
  const gateway = '  gateway: { className: envoy, proxies: { namespace: envoy } }';
  const ingress = '  ingress: { className: nginx, controller: nginx, proxies: { namespace: nginx } }';
  const either = 'needs either name and namespace of a Gateway that exists, or className of one of its own';
  const nowhere =
    'is missing; say where the proxy runs, with the namespace of its pods or its address ranges, or the pods behind it ' +
    'would let nobody in';
  expectRefusals([
    ['through two proxies', addRoute(gateway, ingress), '8:1 route: needs either gateway or ingress, and not both'],
    ['through none', addRoute(), '8:1 route: needs either gateway or ingress, and not both'],
    [
      'through a Gateway that exists and does not',
      addRoute('  gateway: { className: envoy, name: public, namespace: g }'),
      `10:3 route.gateway: ${either}`,
    ],
    ['through a Gateway in no namespace', addRoute('  gateway: { name: public }'), `10:3 route.gateway: ${either}`],
    [
      'through a Gateway of which nothing is said',
      addRoute('  gateway: { proxies: { namespace: g } }'),
      `10:3 route.gateway: ${either}`,
    ],
    [
      'through a Gateway of its own, with the listener of another',
      addRoute('  gateway: { className: envoy, listener: https, proxies: { namespace: g } }'),
      '10:32 route.gateway.listener: is set, but a Gateway of its own has listeners of its own; remove it',
    ],
    [
      'through a Gateway that exists, with a certificate',
      addRoute('  gateway: { name: public, namespace: g, certificate: { issuer: a } }'),
      '10:42 route.gateway.certificate: is set, but the owner of a Gateway that exists terminates TLS; remove it, or ' +
        'set className',
    ],
    [
      'with a certificate of no origin',
      addRoute('  gateway: { className: envoy, certificate: {}, proxies: { namespace: g } }'),
      '10:32 route.gateway.certificate: needs either issuer or secret, and not both',
    ],
    [
      'with a certificate that exists, and the kind of an issuer',
      addRoute(
        '  gateway: { className: e, certificate: { secret: s, issuerKind: Issuer }, proxies: { namespace: g } }',
      ),
      '10:28 route.gateway.certificate: has issuerKind or http01, which say something about an issuer, but no issuer; ' +
        'remove them',
    ],
    [
      'with a certificate that exists, and a challenge',
      addRoute('  gateway: { className: e, certificate: { secret: s, http01: false }, proxies: { namespace: g } }'),
      '10:28 route.gateway.certificate: has issuerKind or http01, which say something about an issuer, but no issuer; ' +
        'remove them',
    ],
    [
      'through a Gateway whose proxies are nowhere',
      addRoute('  gateway: { className: envoy }'),
      `10:3 route.gateway.proxies: ${nowhere}`,
    ],
    [
      'through a Gateway that exists, whose proxies have no address',
      addRoute('  gateway: { name: public, namespace: g, proxyCidrs: [] }'),
      `10:3 route.gateway.proxies: ${nowhere}`,
    ],
    [
      'through an Ingress whose proxies are nowhere',
      addRoute('  ingress: { className: nginx, controller: nginx }'),
      `10:3 route.ingress.proxies: ${nowhere}`,
    ],
    [
      'through a controller that nobody knows',
      addRoute('  ingress: { className: n, controller: ngnix, proxies: { namespace: n } }'),
      '10:28 route.ingress.controller: is "ngnix", but must be one of nginx, alb, azure-application-gateway, traefik',
    ],
    [
      'with a certificate for a controller that reads none',
      addRoute(
        '  ingress:',
        '    className: a',
        '    controller: alb',
        '    certificate: { issuer: a }',
        '    proxyCidrs: [10.0.0.0/8]',
      ),
      '13:5 route.ingress.certificate: is set, but alb reads no TLS Secrets; set the annotation ' +
        'alb.ingress.kubernetes.io/certificate-arn',
    ],
    [
      'with a URL for a host',
      add('route:', '  host: https://rag.acme.example', gateway),
      '9:3 route.host: is "https://rag.acme.example", but must be a DNS name such as rag.acme.example',
    ],
  ]);
});

describe('a secret', () => {
  const reference =
    'must be a reference to a Secret, { secret: name, key: name }; a value does not belong into this file';

  test.each([
    ['qdrant.apiKey', '3:3', put(3, '  apiKey: hunter2-hunter2')],
    ['qdrant.apiKey', '3:3', put(3, '  apiKey: [hunter2-hunter2]')],
    ['qdrant.readOnlyApiKey', '3:3', put(3, '  readOnlyApiKey: hunter2-hunter2')],
    ['queue.redis.password', '8:19', add('queue: { redis: { password: hunter2-hunter2 } }')],
  ])('written where its reference belongs is refused and not repeated: %s', (path, place, lines) => {
    const problems = refused(lines);
    expect(problems).toEqual([`${place} ${path}: ${reference}`]);
    expect(problems.join()).not.toContain('hunter2');
  });

  test('written in the place of its name is not repeated either', () => {
    const problems = refused(put(3, '  apiKey: { value: hunter2-hunter2 }'));
    expect(problems).toEqual([
      '3:3 qdrant.apiKey.secret: is missing',
      '3:3 qdrant.apiKey.key: is missing',
      '3:13 qdrant.apiKey.value: is not a setting; the settings here are key, secret',
    ]);
    expect(problems.join()).not.toContain('hunter2');
  });

  test.each([
    [
      'a variable named like a credential',
      'OPENAI_API_KEY: sk-short',
      'container api has the variable OPENAI_API_KEY with a value; refer to the key of a Secret instead',
    ],
    [
      'a variable that is called something else',
      'MODEL_SETTING: sk-abcdefghijklmnopqrstuvwx',
      'spec.template.spec.containers.0.env.1.value looks like an OpenAI or Anthropic key; refer to the key of a Secret ' +
        'instead',
    ],
    [
      'a URL with a password',
      'DATABASE_URL: postgres://rag:sk-abc@db.acme.example/rag',
      'spec.template.spec.containers.0.env.1.value looks like a URL with a password; refer to the key of a Secret ' +
        'instead',
    ],
  ])('written as %s is refused by the rule and not repeated', (_, variable, problem) => {
    const { message } = refusalOf(() => objectsOf(add('  env:', `    ${variable}`)));
    expect(message).toBe(`test.yaml Deployment rag-test/api: ${problem}`);
    expect(message).not.toContain('sk-');
  });

  test.each([
    [
      '2:1 qdrant: is a text, but must be a map of settings',
      ['namespace: rag-test', 'qdrant: hunter2-hunter2', ...LEAST.slice(5)],
    ],
    ['8:1 queue: is a list, but must be a map of settings', add('queue: [hunter2-hunter2]')],
    ['8:1 secrets: is a text, but must be a map of settings', add('secrets: hunter2-hunter2')],
    ['8:3 api.env: is a list, but must be a map of names and values', add('  env: [OPENAI_API_KEY=hunter2-hunter2]')],
    ['8:3 api.env: is a text, but must be a map of names and values', add('  env: OPENAI_API_KEY=hunter2-hunter2')],
    ['8:3 api.command: is a text, but must be a list', add('  command: server --key=hunter2-hunter2')],
    ['8:3 api.args: is a map, but must be a list', add('  args: { --key: hunter2-hunter2 }')],
    [
      '7:46 api.image.tag: is a map, but must be text; put it in quotes',
      put(7, '  image: { repository: ghcr.io/acme/rag-api, tag: { a: hunter2-hunter2 } }'),
    ],
    [
      '8:3 api.longestAnswer: is a list, but must be a duration with its unit, such as 30s, 4m or 2h',
      add('  longestAnswer: [hunter2-hunter2]'),
    ],
  ])('in the place of something of another form is not repeated: %s', (problem, lines) => {
    const problems = refused(lines);
    expect(problems).toEqual([problem]);
    expect(problems.join()).not.toContain('hunter2');
  });

  expectRefusals([
    ['whose reference lacks the key', put(3, '  apiKey: { secret: qdrant }'), '3:3 qdrant.apiKey.key: is missing'],
    [
      'whose reference is no name',
      put(3, '  apiKey: { secret: Qdrant, key: api-key }'),
      '3:13 qdrant.apiKey.secret: is "Qdrant", but must be DNS labels joined by dots: lower-case letters, digits and ' +
        '"-", beginning and ending with a letter or digit',
    ],
    [
      'whose key is no key',
      put(3, '  apiKey: { secret: qdrant, key: api key }'),
      '3:29 qdrant.apiKey.key: is "api key", but must consist of letters, digits, "-", "_" and ".", and not begin with ' +
        '".."',
    ],
    [
      'whose reference is made of numbers',
      put(3, '  apiKey: { secret: 5, key: 7 }'),
      '3:13 qdrant.apiKey.secret: is 5, but must be a text; put it in quotes',
      '3:24 qdrant.apiKey.key: is 7, but must be a text; put it in quotes',
    ],
    [
      'from a store that has no name',
      add('secrets: { path: rag/test }'),
      '8:1 secrets: does not say where Secrets come from; set one of store, aws, vault, azure, gcp, csi',
    ],
    [
      'from a version that there is none of',
      add('secrets: { store: acme, version: v2 }'),
      '8:25 secrets.version: is "v2", but must be one of v1, v1beta1',
    ],
  ]);
});

describe('a variable', () => {
  expectRefusals([
    [
      'that is a list',
      add('  env:', '    HOSTS: [a, b]'),
      '9:5 api.env.HOSTS: must be a text, a number, true or false, or { secret: name, key: name }',
    ],
    [
      'whose name is none',
      add('  env:', '    LOG_LEVEL: info', '    LOG=LEVEL: info'),
      '10:5 api.env.LOG=LEVEL: is "LOG=LEVEL", but the name of a variable consists of letters, digits, "-", "_" and ".", ' +
        'and does not begin with a digit',
    ],
    [
      'that begins with a digit',
      add('  env:', '    2ND: x'),
      '9:5 api.env.2ND: is "2ND", but the name of a variable consists of letters, digits, "-", "_" and ".", and does ' +
        'not begin with a digit',
    ],
    [
      'that the platform sets itself',
      add('  env: { LONGEST_ANSWER_SECONDS: 5 }'),
      '8:10 api.env.LONGEST_ANSWER_SECONDS: is a variable that the library sets itself, because its programs and ' +
        'probes rely on the value; leave it out of env',
    ],
    [
      'with half a reference to a Secret',
      add('  env:', '    OPENAI_API_KEY: { secret: openai }'),
      '9:5 api.env.OPENAI_API_KEY.key: is missing',
    ],
    [
      'with a reference to a Secret that can be none',
      add('  env:', '    OPENAI_API_KEY: { secret: OpenAI, key: api-key }'),
      '9:23 api.env.OPENAI_API_KEY.secret: is "OpenAI", but must be DNS labels joined by dots: lower-case letters, ' +
        'digits and "-", beginning and ending with a letter or digit',
    ],
    [
      'with a secret in the place of the reference, which is not repeated',
      add('  env:', '    OPENAI_API_KEY: { value: hunter2 }'),
      '9:5 api.env.OPENAI_API_KEY.secret: is missing',
      '9:5 api.env.OPENAI_API_KEY.key: is missing',
      '9:23 api.env.OPENAI_API_KEY.value: is not a setting; the settings here are key, secret',
    ],
    [
      'that is renamed, and that nobody gives',
      add('  envNames:', '    QDRANT_URL: VECTOR_DB_URL', '    QDRANT_URI: VECTOR_DB_URL'),
      '10:5 api.envNames.QDRANT_URI: renames a variable that no provider gives; given are QDRANT_API_KEY, ' +
        'QDRANT_GRPC_PORT, QDRANT_URL',
    ],
    [
      'of the queue, to which nobody gives any, that is renamed',
      add('queue:', '  redis: { envNames: { QDRANT_URL: VECTOR_DB_URL } }'),
      '9:24 queue.redis.envNames.QDRANT_URL: renames a variable that no provider gives; given are nothing',
    ],
  ]);

  test('that the platform gives already is refused, with who gives it', () => {
    const problems = refused(add('  env:', '    QDRANT_URL: http://elsewhere:6333'));
    expect(problems).toEqual([
      '9:5 api.env.QDRANT_URL: is set by env and given by uses(qdrant); rename what is given with envNames, or drop one ' +
        'of the two',
    ]);
  });

  test('that the platform gives already is refused without a word of its value, which may be a secret', () => {
    const problems = refused(add('  env:', '    QDRANT_API_KEY: hunter2-hunter2'));
    expect(problems).toEqual([
      '9:5 api.env.QDRANT_API_KEY: is set by env and given by uses(qdrant); rename what is given with envNames, or drop ' +
        'one of the two',
    ]);
  });
});

describe('an alias', () => {
  test('says what its anchor says', () => {
    const objects = objectsOf([...put(4, '  resources: &small { cpu: 100m, memory: 512Mi }'), '  resources: *small']);
    const requests = { cpu: '100m', memory: '512Mi' };
    expect(mainContainer(find(objects, 'StatefulSet', 'qdrant')).resources.requests).toMatchObject(requests);
    expect(mainContainer(find(objects, 'Deployment', 'api')).resources.requests).toMatchObject(requests);
  });

  expectRefusals([
    [
      'of a mistake is one too, at each place',
      [...put(4, '  resources: &small { cpu: 100m, memory: 512 }'), '  resources: *small'],
      '4:34 qdrant.resources.memory: is 512, but must be a size with its unit, such as 512Mi or 100Gi',
      '8:3 api.resources.memory: is 512, but must be a size with its unit, such as 512Mi or 100Gi',
    ],
    ['of nothing', add('  env: *common'), '8:8 is not valid YAML: no anchor above it is named &common'],
    [
      'of what it stands in',
      add('  env: &common { LOG_LEVEL: *common }'),
      '8:29 is not valid YAML: *common stands inside of what it refers to',
    ],
  ]);
});

describe('several mistakes', () => {
  test('are all reported, each at its place', () => {
    const problems = refused([
      ...put(3, '  nodes: three'),
      '  command: uvicorn',
      'rout: {}',
      'cluster: { cloud: aws }',
      'name: My RAG',
    ]);
    expect([...problems].sort()).toEqual([
      '10:12 cluster.cloud: is "aws", but must be one of eks, gke, aks, generic',
      '11:1 name: is "My RAG", but must be a DNS label: lower-case letters, digits and "-", beginning and ending with ' +
        'a letter or digit',
      '3:3 qdrant.nodes: is "three", but must be a number',
      '8:3 api.command: is a text, but must be a list',
      '9:1 rout: is not a setting; did you mean route?',
    ]);
  });

  test('are reported in the file in which they are', () => {
    folder.write({
      'test.yaml': 'extends: base.yaml\nnamespace: RAG\napi:\n  port: 80\n',
      'base.yaml': `${put(3, '  nodes: three').slice(1).join('\n')}\n`,
    });
    const [own, base] = ['test.yaml', 'base.yaml'].map((name) => folder.shown(name));
    const error = refusalOf(() => Environment.read(folder.pathOf('test.yaml')));
    expect(error.message.split('\n')).toEqual([
      `${own}:2:1 namespace: is "RAG", but must be a DNS label: lower-case letters, digits and "-", beginning and ` +
        'ending with a letter or digit',
      `${base}:2:3 qdrant.nodes: is "three", but must be a number`,
      `${own}:4:3 api.port: is 80, but must be at least 1024`,
    ]);
  });
});

describe('what the constructs refuse', () => {
  test('is reported in the file in which it is', () => {
    folder.write({
      'test.yaml': 'extends: base.yaml\nnamespace: rag-test\nqdrant:\n  storage: 2Gi\n',
      'base.yaml': `${put(3, '  nodes: 2').slice(1).join('\n')}\n`,
    });
    expect(refusalOf(() => objectsOfFile(folder.pathOf('test.yaml'))).message).toBe(
      `${folder.shown('base.yaml')}:2:3 qdrant.nodes: is 2, but two nodes lose their quorum when either is away, so ` +
        'no update or node drain would be safe; use 1, or 3 or more',
    );
  });

  test('is found whatever the system is called', () => {
    expect(refused([...put(3, '  nodes: 2'), 'name: assistant'])).toEqual([
      '3:3 qdrant.nodes: is 2, but two nodes lose their quorum when either is away, so no update or node drain would ' +
        'be safe; use 1, or 3 or more',
    ]);
  });
});

describe('rendering', () => {
  const ui = (platform: RagPlatform, container: Partial<ContainerProps> = {}, id = 'ui') =>
    new Deployment(platform, id, {
      component: 'ui',
      container: { image: Image.of('ghcr.io/acme/ui', { tag: '2.1.0' }), resources: RESOURCES, ...container },
    });
  const environment = () => Environment.read(write([...LEAST]));
  const keysOf = (objects: ManifestObject[]) => objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);

  test('names the file in what it writes', () => {
    const texts = [...environment().render('charts/environments/test.yaml').files.values()];
    expect(texts.length).toBeGreaterThan(10);
    expect([...new Set(texts.map((text) => text.split('\n')[0]))]).toEqual([
      '# Generated by cdk8s-rag from charts/environments/test.yaml. Do not edit.',
    ]);
  });

  test('adds what the file cannot say', () => {
    const { objects, files } = environment().render('test.yaml', (platform) => ui(platform).uses(platform.api));
    const without = keysOf(environment().render('test.yaml').objects);
    expect(keysOf(objects)).toEqual([...without, 'ServiceAccount/ui', 'NetworkPolicy/ui', 'Deployment/ui']);
    expect(files.get('ui.deployment.yaml')).toContain('image: ghcr.io/acme/ui:2.1.0');
    const [rule] = find(objects, 'NetworkPolicy', 'api').spec.ingress;
    expect(rule.from).toEqual([
      {
        podSelector: { matchLabels: { 'app.kubernetes.io/name': 'ui', 'app.kubernetes.io/instance': 'rag' } },
      },
    ]);
  });

  test('gives the platform of the file, once', () => {
    const extend = jest.fn<void, [RagPlatform]>();
    Environment.read(write(add('queue: { redis: {} }', 'name: assistant'))).render('test.yaml', extend);
    expect(extend).toHaveBeenCalledTimes(1);
    const platform = extend.mock.calls[0]?.[0];
    expect(platform).toBeInstanceOf(RagPlatform);
    expect(platform?.node.path).toBe('assistant');
    expect(platform?.data.queue).toBeInstanceOf(Redis);
    expect(platform?.embeddingWorkers).toBeUndefined();
  });

  test('begins anew each time: what was added once is not there the next time', () => {
    const one = environment();
    const before = keysOf(one.render('test.yaml').objects);
    expect(keysOf(one.render('test.yaml', (platform) => ui(platform)).objects)).toContain('Deployment/ui');
    expect(keysOf(one.render('test.yaml').objects)).toEqual(before);
  });

  test('holds what is added to the rules', () => {
    expect(() =>
      environment().render('test.yaml', (platform) =>
        ui(platform, { env: { OPENAI_API_KEY: EnvValue.of('sk-short') } }),
      ),
    ).toThrow(
      new Error(
        'test.yaml Deployment rag-test/ui: container ui has the variable OPENAI_API_KEY with a value; refer to the key ' +
          'of a Secret instead',
      ),
    );
  });

  const extending = (extend: (platform: RagPlatform) => void) =>
    refusalOf(() => environment().render('test.yaml', extend));

  test('does not report what is wrong with what is added at a line of the file', () => {
    const proxy = { name: 'Proxy', image: Image.of('ghcr.io/acme/proxy', { tag: '1.0.0' }), resources: RESOURCES };
    const error = extending(({ api }) => api.workload.addContainer(proxy));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toBe(
      'rag/api/Resource: container.name is "Proxy", but must be a DNS label: lower-case letters, digits and "-", ' +
        'beginning and ending with a letter or digit',
    );
  });

  test('reports what nobody could know before the end at its line, but not that of added parts, and all at once', () => {
    const path = write(put(7, `${LEAST[6]}\n  envNames: { QDRANT_URI: VECTORS }`));
    const error = refusalOf(() =>
      Environment.read(path).render('test.yaml', (platform) => {
        ui(platform, { mounts: [{ volume: Volume.memory('x', Size.mebibytes(1)), path: 'relative' }] });
        ui(platform, { env: { OPENAI_API_KEY: EnvValue.of('sk-short') } }, 'other');
      }),
    );
    expect(error).toBeInstanceOf(EnvironmentError);
    expect((error as EnvironmentError).problems).toEqual([
      'test.yaml Deployment rag-test/other: container other has the variable OPENAI_API_KEY with a value; refer to ' +
        'the key of a Secret instead',
      `${folder.shown('test.yaml')}:8:15 api.envNames.QDRANT_URI: renames a variable that no provider gives; given are ` +
        'QDRANT_API_KEY, QDRANT_GRPC_PORT, QDRANT_URL',
      'test.yaml rag/ui: mounts.path is "relative", but must be absolute',
    ]);
  });

  test('passes on whatever else goes wrong as it is', () => {
    const problem = new Error('there is no file prompts.yaml');
    expect(
      extending(() => {
        throw problem;
      }),
    ).toBe(problem);
  });
});

describe('an environment', () => {
  test.each(['production.yaml', 'production.yml'])('in the file %s is called production', (name) => {
    folder.write({ [name]: LEAST.join('\n') });
    expect(Environment.read(folder.pathOf(name)).name).toBe('production');
  });

  test('gets the defaults', () => {
    const objects = objectsOf([
      ...put(3, ''),
      'queue: { redis: {} }',
      'embeddingWorkers: { image: { repository: a/w, tag: 1.0.0 } }',
    ]);
    expect(find(objects, 'StatefulSet', 'qdrant').spec.replicas).toBe(3);
    const api = find(objects, 'Deployment', 'api');
    expect(api.spec.replicas).toBe(2);
    expect(api.metadata.labels?.['app.kubernetes.io/instance']).toBe('rag');
    expect(mainContainer(api).ports).toEqual([{ name: 'http', containerPort: 8000, protocol: 'TCP' }]);
    expect(env(api, 'LONGEST_ANSWER_SECONDS')).toBe('120');
    expect(mainContainer(api).resources.requests).toMatchObject({ cpu: '250m', memory: '1Gi' });
    const workers = find(objects, 'Deployment', 'embedding-workers');
    expect(workers.spec.replicas).toBe(1);
    expect(env(workers, 'LONGEST_TASK_SECONDS')).toBe('600');
    expect(mainContainer(workers).image).toBe('docker.io/a/w:1.0.0');
    const [data] = find(objects, 'StatefulSet', 'queue').spec.volumeClaimTemplates;
    expect(data.spec.resources.requests.storage).toBe('4Gi');
    expect(data.spec).not.toHaveProperty('storageClassName');
  });

  test('gets what it asks for', () => {
    const objects = objectsOf([
      'name: assistant',
      'namespace: rag-test',
      'qdrant: { nodes: 5, resources: { cpu: 0.5, memory: 2048Mi }, storage: 1Ti, snapshotStorage: 512Mi }',
      'api:',
      '  image: { repository: ghcr.io/acme/rag-api, tag: "1.10" }',
      '  port: 8080',
      '  metricsPort: 9000',
      '  longestAnswer: 1h',
      '  scaling: { replicas: 7 }',
      '  user: { uid: 2000, gid: 3000 }',
    ]);
    const qdrant = find(objects, 'StatefulSet', 'qdrant');
    expect(qdrant.spec.replicas).toBe(5);
    expect(mainContainer(qdrant).resources.requests).toMatchObject({ cpu: '500m', memory: '2Gi' });
    const sizes = qdrant.spec.volumeClaimTemplates.map(
      (claim: { spec: { resources: { requests: { storage: string } } } }) => claim.spec.resources.requests.storage,
    );
    expect(sizes).toEqual(['1Ti', '512Mi']);
    const api = find(objects, 'Deployment', 'api');
    expect(mainContainer(api).image).toBe('ghcr.io/acme/rag-api:1.10');
    expect(mainContainer(api).ports[0].containerPort).toBe(8080);
    expect(env(api, 'LONGEST_ANSWER_SECONDS')).toBe('3600');
    expect(api.spec.replicas).toBe(7);
    expect(mainContainer(api).ports[1]).toEqual({ name: 'metrics', containerPort: 9000, protocol: 'TCP' });
    expect(templateOf(api).spec.securityContext).toMatchObject({ runAsUser: 2000, runAsGroup: 3000 });
    expect(api.metadata.labels?.['app.kubernetes.io/instance']).toBe('assistant');
  });

  test('reads the registry, the storage class and the versions of its cluster', () => {
    const objects = objectsOf(
      add(
        'cluster:',
        '  kubernetesVersion: "1.31"',
        '  storage: { block: gp3 }',
        '  registry: { mirror: registry.acme.example/mirror, pullSecrets: [registry] }',
      ),
    );
    expect(find(objects, 'Namespace', 'rag-test').metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce-version': 'v1.31',
    });
    const api = find(objects, 'Deployment', 'api');
    expect(mainContainer(api).image).toBe('registry.acme.example/mirror/acme/rag-api:1.8.2');
    expect(templateOf(api).spec.imagePullSecrets).toEqual([{ name: 'registry' }]);
    expect(find(objects, 'StatefulSet', 'qdrant').spec.volumeClaimTemplates[0].spec.storageClassName).toBe('gp3');
  });
});

describe('null', () => {
  test('takes a setting away, in a file of its own too', () => {
    const objects = objectsOf(
      add(
        '  scaling: null',
        '  env: { LOG_LEVEL: null, REGION: eu }',
        '  externals: [{ host: api.openai.com, port: null }]',
        'queue: null',
        'route: ~',
        'cluster: { kubernetesVersion: null, storage: { block: } }',
      ),
    );
    expect(namesOf(objects, 'StatefulSet')).toEqual(['qdrant']);
    const api = find(objects, 'Deployment', 'api');
    expect(api.spec.replicas).toBe(2);
    expect(env(api, 'REGION')).toBe('eu');
    expect(env(api, 'LOG_LEVEL')).toBeUndefined();
    expect(find(objects, 'NetworkPolicy', 'api').spec.egress[0].ports).toEqual([{ port: 443, protocol: 'TCP' }]);
  });

  test('takes away what the base says', () => {
    folder.write({
      'test.yaml': 'extends: base.yaml\nqueue: null\napi: { env: { LOG_LEVEL: null } }\n',
      'base.yaml': `${add('  env: { LOG_LEVEL: info, REGION: eu }', 'queue: { redis: {} }').join('\n')}\n`,
    });
    const objects = objectsOfFile(folder.pathOf('test.yaml'));
    expect(namesOf(objects, 'StatefulSet')).toEqual(['qdrant']);
    const api = find(objects, 'Deployment', 'api');
    expect(env(api, 'REGION')).toBe('eu');
    expect(env(api, 'LOG_LEVEL')).toBeUndefined();
  });
});

describe('variables', () => {
  test('become texts, whatever they are', () => {
    const api = find(
      objectsOf(
        add(
          '  env:',
          '    MAX_BATCH_TOKENS: 16384',
          '    TEMPERATURE: 0.7',
          '    STREAMING: true',
          '    CACHE: false',
          '    RELEASE: "1.10"',
          '    EMPTY: ""',
          '    ANSWER: yes',
        ),
      ),
      'Deployment',
      'api',
    );
    expect(mainContainer(api).env).toEqual(
      expect.arrayContaining([
        { name: 'MAX_BATCH_TOKENS', value: '16384' },
        { name: 'TEMPERATURE', value: '0.7' },
        { name: 'STREAMING', value: 'true' },
        { name: 'CACHE', value: 'false' },
        { name: 'RELEASE', value: '1.10' },
        { name: 'EMPTY', value: '' },
        { name: 'ANSWER', value: 'yes' },
      ]),
    );
  });

  test('can be keys of Secrets, and never have a value then', () => {
    const api = find(
      objectsOf(add('  env:', '    OPENAI_API_KEY: { secret: openai, key: api-key }')),
      'Deployment',
      'api',
    );
    expect(mainContainer(api).env).toContainEqual({
      name: 'OPENAI_API_KEY',
      valueFrom: { secretKeyRef: { name: 'openai', key: 'api-key' } },
    });
  });
});

describe('Secrets', () => {
  const lines = [...LEAST, '  env: { OPENAI_API_KEY: { secret: openai, key: api-key } }', 'queue: { redis: {} }'];

  test('exist unless told otherwise: nothing creates them', () => {
    const objects = objectsOf(lines);
    expect(namesOf(objects, 'ExternalSecret')).toEqual([]);
    expect(namesOf(objects, 'Secret')).toEqual([]);
    expect(env(find(objects, 'StatefulSet', 'qdrant'), 'QDRANT__SERVICE__API_KEY')).toEqual({
      secretKeyRef: { name: 'qdrant', key: 'api-key' },
    });
    expect(env(find(objects, 'StatefulSet', 'queue'), 'REDISCLI_AUTH')).toEqual({
      secretKeyRef: { name: 'queue', key: 'password' },
    });
  });

  test('come from a store, one entry for each, with the keys that are asked for', () => {
    const objects = objectsOf([...lines, 'secrets: { store: acme, path: rag/test, refresh: 15m }']);
    expect(namesOf(objects, 'Secret')).toEqual([]);
    expect(namesOf(objects, 'ExternalSecret').sort()).toEqual(['openai', 'qdrant', 'queue']);
    const { apiVersion, spec } = find(objects, 'ExternalSecret', 'qdrant');
    expect(apiVersion).toBe('external-secrets.io/v1');
    expect(spec).toMatchObject({
      refreshInterval: '15m0s',
      secretStoreRef: { name: 'acme', kind: 'ClusterSecretStore' },
      target: { name: 'qdrant' },
    });
    expect(spec.data).toMatchObject([
      { secretKey: 'api-key', remoteRef: { key: 'rag/test/qdrant', property: 'api-key' } },
    ]);
  });

  test('come from a store of the namespace, and of an older version, when that is said', () => {
    const objects = objectsOf([...lines, 'secrets: { store: vault, clusterStore: false, version: v1beta1 }']);
    const { apiVersion, spec } = find(objects, 'ExternalSecret', 'queue');
    expect(apiVersion).toBe('external-secrets.io/v1beta1');
    expect(spec.secretStoreRef).toEqual({ name: 'vault', kind: 'SecretStore' });
    expect(spec.data[0].remoteRef).toMatchObject({ key: 'queue', property: 'password' });
  });

  test('have the names and keys that are given', () => {
    const objects = objectsOf(put(3, '  apiKey: { secret: vectors, key: admin }'));
    expect(env(find(objects, 'Deployment', 'api'), 'QDRANT_API_KEY')).toEqual({
      secretKeyRef: { name: 'vectors', key: 'admin' },
    });
  });
});

describe('what no cluster has or takes, at its line', () => {
  const LABEL =
    ', but must be a DNS label: lower-case letters, digits and "-", beginning and ending with a letter or digit';
  const NAME =
    ', but must be DNS labels joined by dots: lower-case letters, digits and "-", beginning and ending with a letter or digit';
  const KUBERNETES =
    'which belongs to Kubernetes or to everybody, but the platform closes its namespace and lets Argo CD delete it; give ' +
    'it one of its own';
  const tls = (text: string) => put(3, `  nodes: 1\n  tls: ${text}`);
  expectRefusals([
    ['a namespace of Kubernetes', put(1, 'namespace: kube-system'), `1:1 namespace: is "kube-system", ${KUBERNETES}`],
    ['the namespace of everybody', put(1, 'namespace: default'), `1:1 namespace: is "default", ${KUBERNETES}`],
    ['a storage class', put(5, '  storage: 1Gi\n  storageClass: A_B'), `6:3 qdrant.storageClass: is "A_B"${NAME}`],
    ['an issuer', tls('{ issuer: A_B }'), `4:10 qdrant.tls.issuer: is "A_B"${NAME}`],
    ['a Secret with a certificate', tls('{ secret: A_B }'), `4:10 qdrant.tls.secret: is "A_B"${NAME}`],
    ['a store of Secrets', add('secrets: { store: A B }'), `8:12 secrets.store: is "A B"${NAME}`],
    ['a PriorityClass', add('  priorityClassName: A_B'), `8:3 api.priorityClassName: is "A_B"${NAME}`],
    [
      'the namespace of a service',
      add('cluster: { keda: { namespace: Keda } }'),
      `8:20 cluster.keda.namespace: is "Keda"${LABEL}`,
    ],
    ['a Gateway', addRoute('  gateway: { name: A, namespace: b }'), `10:14 route.gateway.name: is "A"${NAME}`],
    [
      'a number of more than 32 bits',
      add('  scaling: { replicas: 9999999999 }'),
      '8:14 api.scaling.replicas: is 9999999999, but must be at most 2147483647',
    ],
    [
      'a size of more than 63 bits',
      put(5, '  storage: 99999999999Ti'),
      '5:3 qdrant.storage: is more than the 7 EiB that Kubernetes can count; lower it',
    ],
    [
      'CPU of more than 32 bits',
      put(4, '  resources: { cpu: 99999999999, memory: 512Mi }'),
      '4:16 qdrant.resources.cpu: is more than 2147483647m; lower it',
    ],
    [
      'a time of more than 32 bits',
      add('  startupBudget: 99999999999h'),
      '8:3 api.startupBudget: is longer than 2147483647 seconds; shorten it',
    ],
    [
      'an answer that a Gateway could not wait for',
      add('  longestAnswer: 2d'),
      '8:3 api.longestAnswer: is 172800 seconds, but must be at most 86400',
    ],
    [
      'a text that no program is handed',
      add('  env: { A: "a\\0b" }', '  args: ["\\e[0m"]'),
      '8:10 api.env.A: has control characters, which no program is handed as they are; remove them',
    ],
    [
      'a text of that kind among the arguments',
      add('  args: ["\\e[0m"]'),
      '8:3 api.args: has control characters, which no program is handed as they are; remove them',
    ],
    [
      'an empty list',
      addWorkers('  scaling: { min: 0, max: 1, backlog: { list: "", perReplica: 1 } }'),
      '11:41 embeddingWorkers.scaling.backlog.list: is empty; say what to look at',
    ],
    [
      'a value with several lines, on one line',
      add('  podLabels: { a: "b\\nc" }'),
      '8:16 api.podLabels.a: is "b\\nc", but the value of a label has at most 63 letters, digits, "-", "_" and ".", ' +
        'beginning and ending with a letter or digit',
    ],
  ]);
});
