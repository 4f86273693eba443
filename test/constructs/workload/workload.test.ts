import { App, Chart, Cron, Duration, Size } from 'cdk8s';
import { Construct } from 'constructs';
import { ConnectionGraph } from '../../../constructs/network/connection-graph';
import { Accelerator } from '../../../constructs/placement/accelerator';
import { Registry } from '../../../constructs/placement/registry';
import { ExternalReferences } from '../../../constructs/rules/external-references';
import type { Json } from '../../../constructs/rules/output';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { CronJob } from '../../../constructs/workload/cron-job';
import { Deployment } from '../../../constructs/workload/deployment';
import { EnvValue } from '../../../constructs/workload/env-value';
import { Image } from '../../../constructs/workload/image';
import { Job } from '../../../constructs/workload/job';
import { StatefulSet } from '../../../constructs/workload/stateful-set';
import { Volume } from '../../../constructs/workload/volume';
import type { Workload, WorkloadProps } from '../../../constructs/workload/workload';
import { find, mainContainer, namesOf, render, templateOf, testChart } from '../../support/manifests';
import { IMAGE, KEY, RESOURCES } from '../../support/values';
import { CONTAINER, deployed } from '../../support/workloads';

const HTTP = { name: 'http', number: 8080, appProtocol: 'http' };
const METRICS = { name: 'metrics', number: 9090 };
const PROPS: WorkloadProps = { component: 'part', container: { ...CONTAINER, ports: [HTTP, METRICS] } };
const RUN = { deadline: Duration.minutes(5) };
const CLAIMS = [{ name: 'data', size: Size.gibibytes(1) }];
const RELOAD = 'secret.reloader.stakater.com/reload';
const PROMETHEUS = { prometheus: { namespace: 'monitoring', podLabels: { app: 'prometheus' } } };

type Create = (scope: Construct, id: string, props?: Partial<WorkloadProps>) => Workload;

/** Every kind, the longest name that it may have, and the pods that there are at once. */
const KINDS: [string, Create, number, number][] = [
  ['Deployment', (scope, id, props) => new Deployment(scope, id, { ...PROPS, ...props }), 63, 1],
  [
    'StatefulSet',
    (scope, id, props) => {
      const name = props?.name ?? id;
      const more = { replicas: 2, claims: CLAIMS, serviceName: name };
      const workload = new StatefulSet(scope, id, { ...PROPS, ...props, ...more });
      workload.addService({ ports: [HTTP] });
      return workload;
    },
    52,
    2,
  ],
  ['Job', (scope, id, props) => new Job(scope, id, { ...PROPS, ...props, ...RUN }), 63, 1],
  [
    'CronJob',
    (scope, id, props) => new CronJob(scope, id, { ...PROPS, ...props, ...RUN, schedule: Cron.daily() }),
    52,
    1,
  ],
];

describe.each(KINDS)('a %s', (kind, create, longest, pods) => {
  test('is named like its construct, and so is what belongs to it', () => {
    const chart = testChart();
    const workload = create(chart, 'api');
    const objects = render(chart);
    expect(workload.name).toBe('api');
    expect(workload.namespace).toBe('test');
    expect(new Set(objects.map(({ metadata }) => metadata.name))).toEqual(new Set(['api']));
    expect(new Set(objects.map(({ metadata }) => metadata.namespace))).toEqual(new Set(['test']));
    expect(mainContainer(find(objects, kind, 'api')).name).toBe('api');
  });

  test('is named otherwise when told so', () => {
    const chart = testChart();
    create(chart, 'api', { name: 'search' });
    const objects = render(chart);
    expect(new Set(objects.map(({ metadata }) => metadata.name))).toEqual(new Set(['search']));
    expect(mainContainer(find(objects, kind, 'search')).name).toBe('search');
  });

  test(`may have a name of ${longest} characters, and no more`, () => {
    const chart = testChart();
    create(chart, 'api', { name: 'a'.repeat(longest) });
    expect(namesOf(render(chart), kind)).toEqual(['a'.repeat(longest)]);
    const name = 'a'.repeat(longest + 1);
    expect(() => create(testChart(), 'api', { name })).toThrow(
      `rag/api: name is "${name}" (${longest + 1} characters), but at most ${longest} are allowed; shorten it`,
    );
  });

  test.each(['Api', '-api', 'api-', 'a.b', 'a_b'])('cannot be named "%s"', (name) => {
    expect(() => create(testChart(), 'api', { name })).toThrow(
      `rag/api: name is "${name}", but must be a DNS label: lower-case letters, digits and "-", beginning and ending ` +
        'with a letter or digit',
    );
  });

  test('labels its objects and pods, and puts labels of the user on the pods alone', () => {
    const chart = testChart();
    create(chart, 'api', { podLabels: { team: 'search' } });
    const labels = {
      'app.kubernetes.io/name': 'api',
      'app.kubernetes.io/instance': 'rag',
      'app.kubernetes.io/component': 'part',
    };
    const objects = render(chart);
    for (const { metadata } of objects) {
      expect(metadata.labels).toEqual({ ...labels, 'app.kubernetes.io/managed-by': 'cdk8s' });
    }
    expect(templateOf(find(objects, kind, 'api')).metadata.labels).toEqual({
      ...labels,
      'app.kubernetes.io/version': '1.2.3',
      team: 'search',
    });
  });

  test.each(['name', 'instance', 'component', 'version'])('refuses a label of the library: %s', (label) => {
    const podLabels = { team: 'search', [`app.kubernetes.io/${label}`]: 'other' };
    expect(() => create(testChart(), 'api', { podLabels })).toThrow(
      new Error(`rag/api: podLabels has app.kubernetes.io/${label}, which the library sets itself; leave it out`),
    );
  });

  test('refuses a PriorityClass of a name that none has', () => {
    expect(() => create(testChart(), 'api', { priorityClassName: 'High Priority' })).toThrow(
      /^rag\/api: priorityClassName is "High Priority", but must be DNS labels joined by dots: /,
    );
  });

  test('needs a chart with a namespace', () => {
    expect(() => create(new Chart(new App(), 'rag'), 'api')).toThrow(
      'rag/api: namespace of chart "rag" is missing; give the chart one: new Chart(app, id, { namespace })',
    );
  });

  test('restarts when one of its Secrets changes, where Reloader runs and its pods stay', () => {
    const annotationsOf = (reloader: boolean, given: { readonly [name: string]: EnvValue }) => {
      const chart = testChart({ reloader });
      create(chart, 'api', { env: given });
      return find(render(chart), kind, 'api').metadata.annotations ?? {};
    };
    const secrets = { A: EnvValue.fromSecret(KEY), B: EnvValue.fromSecret(SecretKey.of('another', 'key')) };
    // Reloader would run Jobs and CronJobs, which read a Secret when they start.
    const lasting = ['Deployment', 'StatefulSet'].includes(kind);
    expect(annotationsOf(true, secrets)[RELOAD]).toBe(lasting ? 'another,existing' : undefined);
    expect(annotationsOf(true, {})).not.toHaveProperty([RELOAD]);
    expect(annotationsOf(false, secrets)).not.toHaveProperty([RELOAD]);
  });

  test('runs as a ServiceAccount of its own, without a token', () => {
    const chart = testChart();
    create(chart, 'api', { serviceAccountAnnotations: { 'eks.amazonaws.com/role-arn': 'arn' } });
    const objects = render(chart);
    expect(templateOf(find(objects, kind, 'api')).spec).toMatchObject({
      serviceAccountName: 'api',
      automountServiceAccountToken: false,
    });
    const account = find(objects, 'ServiceAccount', 'api');
    expect(account.automountServiceAccountToken).toBe(false);
    const { 'checksum/job': checksum, ...annotations } = account.metadata.annotations ?? {};
    expect(annotations).toEqual({ 'eks.amazonaws.com/role-arn': 'arn' });
    expect(checksum !== undefined).toBe(kind === 'Job');
    expect(find(objects, 'NetworkPolicy', 'api').metadata.annotations).toBeUndefined();
  });

  test('is scraped where Prometheus runs, on the port of its metrics', () => {
    const ingressOf = (props: Partial<WorkloadProps>, cluster: object) => {
      const chart = testChart(cluster);
      create(chart, 'api', props);
      return find(render(chart), 'NetworkPolicy', 'api').spec.ingress;
    };
    expect(ingressOf({ metricsPort: METRICS }, PROMETHEUS)).toEqual([
      {
        from: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } },
            podSelector: { matchLabels: { app: 'prometheus' } },
          },
        ],
        ports: [{ port: 9090, protocol: 'TCP' }],
      },
    ]);
    expect(ingressOf({ metricsPort: METRICS }, {})).toBeUndefined();
    expect(ingressOf({}, PROMETHEUS)).toBeUndefined();
  });

  test('is closed in both directions, even where nothing is opened', () => {
    const chart = testChart();
    create(chart, 'api');
    const { spec } = find(render(chart), 'NetworkPolicy', 'api');
    // No rule for DNS either: who opens no connection resolves no name.
    expect(spec).toEqual({
      podSelector: { matchLabels: { 'app.kubernetes.io/name': 'api', 'app.kubernetes.io/instance': 'rag' } },
      policyTypes: ['Ingress', 'Egress'],
    });
  });

  test('has no metrics on a port that no container has', () => {
    const metricsPort = { name: 'metrics', number: 9091 };
    expect(() => create(testChart(), 'api', { metricsPort })).toThrow(
      new Error("rag/api: metricsPort is 9091, which is none of the container's ports; add it to them"),
    );
    expect(() => create(testChart(PROMETHEUS), 'api', { metricsPort: HTTP, container: CONTAINER })).toThrow(
      new Error("rag/api: metricsPort is 8080, which is none of the container's ports; add it to them"),
    );
  });

  test('counts on the GPUs of all its pods in its node pool', () => {
    const onPool = (acceleratorsPerNode: number) => {
      const pool = { name: 'gpu', nodes: 1, accelerator: Accelerator.NVIDIA_L4, acceleratorsPerNode };
      const chart = testChart({ nodePools: [pool] });
      create(chart, 'api', { accelerator: Accelerator.NVIDIA_L4, accelerators: 2 });
      return () => render(chart);
    };
    const needed = pods * 2;
    expect(namesOf(onPool(needed)(), kind)).toEqual(['api']);
    expect(onPool(needed - 1)).toThrow(
      `node pool "gpu" has at most 1 × ${needed - 1} = ${needed - 1} nvidia-l4, but rag/api ${pods} pods × 2 = ` +
        `${needed} can be asked for at once; lower the largest scale or enlarge the pool`,
    );
  });

  test('is refused without a digest where the registry requires one', () => {
    expect(() => create(testChart({ registry: new Registry({ requireDigest: true }) }), 'api')).toThrow(
      new Error(
        'rag/api: image.digest is ghcr.io/acme/program:1.2.3, but this registry requires digests; add the digest of ' +
          'that tag',
      ),
    );
  });

  test('is refused with a limit below what it asks for', () => {
    const resources = { ...RESOURCES, memoryLimit: Size.mebibytes(512) };
    expect(() => create(testChart(), 'api', { container: { ...PROPS.container, resources } })).toThrow(
      new Error('rag/api: resources.memoryLimit is 512Mi, below memory, which is 1Gi; raise it, or leave it out'),
    );
  });
});

test('the GPUs of all workloads on a pool are counted together', () => {
  const accelerator = Accelerator.NVIDIA_L4;
  const onNodes = (nodes: number) => {
    const chart = testChart({ nodePools: [{ name: 'gpu', nodes, accelerator }] });
    for (const [kind, create] of KINDS) {
      create(chart, kind.toLowerCase(), { accelerator });
    }
    return () => render(chart);
  };
  expect(namesOf(onNodes(5)(), 'CronJob')).toEqual(['cronjob']);
  expect(onNodes(4)).toThrow(
    'node pool "gpu" has at most 4 × 1 = 4 nvidia-l4, but rag/deployment 1 pods × 1 + rag/statefulset 2 pods × 1 + ' +
      'rag/job 1 pods × 1 + rag/cronjob 1 pods × 1 = 5 can be asked for at once; lower the largest scale or enlarge ' +
      'the pool',
  );
});

test('a scrape is an edge of the graph that says what it is for', () => {
  const { chart, construct } = deployed({ ...PROPS, metricsPort: METRICS }, PROMETHEUS);
  const [edge, ...others] = ConnectionGraph.of(chart).connections;
  expect(edge).toMatchObject({ to: construct.pods, ports: [METRICS] });
  expect(edge?.ordered).toBeUndefined();
  expect(others).toEqual([]);
});

describe('a name', () => {
  test('is that of the part of the system when the workload is what the part consists of', () => {
    const chart = testChart();
    new Deployment(new Construct(chart, 'queue'), 'Resource', PROPS);
    expect(namesOf(render(chart), 'Deployment')).toEqual(['queue']);
  });

  test('can be had once per chart', () => {
    const chart = testChart();
    new Deployment(chart, 'one', { ...PROPS, name: 'api' });
    new Deployment(chart, 'two', { ...PROPS, name: 'api' });
    expect(() => render(chart)).toThrow('2 objects are apps Deployment test/api; give all but one another name');
  });
});

describe('selectors', () => {
  test('hold the name and the instance, and nothing else', () => {
    const chart = new Chart(new App(), 'rag', { namespace: 'test', labels: { team: 'search' } });
    new StatefulSet(chart, 'store', { ...PROPS, replicas: 2, claims: CLAIMS, serviceName: 'store' }).addService({
      ports: [HTTP],
    });
    const selector = { 'app.kubernetes.io/name': 'store', 'app.kubernetes.io/instance': 'rag' };
    const objects = render(chart);
    expect(find(objects, 'StatefulSet', 'store').spec.selector).toEqual({ matchLabels: selector });
    expect(find(objects, 'PodDisruptionBudget', 'store').spec.selector).toEqual({ matchLabels: selector });
    expect(find(objects, 'NetworkPolicy', 'store').spec.podSelector).toEqual({ matchLabels: selector });
    expect(find(objects, 'Service', 'store').spec.selector).toEqual(selector);
    expect(objects.map(({ metadata }) => metadata.labels?.team)).toEqual(objects.map(() => 'search'));
  });

  test('take the instance from the label of the chart', () => {
    const labels = { 'app.kubernetes.io/instance': 'acme' };
    const chart = new Chart(new App(), 'rag', { namespace: 'test', labels });
    const { pods } = new Deployment(chart, 'api', PROPS);
    expect(pods.labels).toEqual({ 'app.kubernetes.io/name': 'api', 'app.kubernetes.io/instance': 'acme' });
    expect(templateOf(find(render(chart), 'Deployment', 'api')).metadata.labels).toMatchObject(labels);
  });
});

describe('the label with the version', () => {
  test.each(['9', '99', '1.9.3', 'v1_2-x', 'a'.repeat(63)])('is the tag "%s"', (tag) => {
    const { template } = deployed({ container: { ...CONTAINER, image: Image.of('acme/api', { tag }) } });
    expect(template().metadata.labels['app.kubernetes.io/version']).toBe(tag);
  });

  test.each(['1.2.3-', '_1', 'a'.repeat(64)])('is missing when the tag "%s" can be no label', (tag) => {
    const { template } = deployed({ container: { ...CONTAINER, image: Image.of('acme/api', { tag }) } });
    expect(template().metadata.labels).not.toHaveProperty(['app.kubernetes.io/version']);
  });
});

describe('variables', () => {
  test('of the user are added to those of the part', () => {
    const container = { ...CONTAINER, env: { A: EnvValue.of('1'), B: EnvValue.of('2') } };
    const { object } = deployed({ container, env: { C: EnvValue.of('4') } });
    expect(mainContainer(object()).env).toEqual([
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
      { name: 'C', value: '4' },
    ]);
  });

  test('from Secrets say which Secrets must exist', () => {
    const { chart } = deployed({ env: { A: EnvValue.fromSecret(KEY) } });
    expect(ExternalReferences.of(chart).all).toEqual([
      { kind: 'Secret', namespace: 'test', name: 'existing', key: 'key' },
    ]);
  });
});

describe('configuration files of a program', () => {
  test('are put where they are wanted', () => {
    const { objects, object } = deployed({
      files: { '/etc/rag/prompt.txt': 'Answer.', '/etc/rag/flags.yaml': 'a: 1' },
    });
    expect(find(objects(), 'ConfigMap', 'api').data).toEqual({ 'prompt.txt': 'Answer.', 'flags.yaml': 'a: 1' });
    expect(mainContainer(object()).volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath)).toEqual([
      '/etc/rag/prompt.txt',
      '/etc/rag/flags.yaml',
    ]);
  });

  test('are joined by those that are added later', () => {
    const made = deployed({ files: { '/etc/rag/prompt.txt': 'Answer.' } });
    made.construct.addConfigFiles({ '/etc/rag/more.txt': 'More.' });
    expect(Object.keys(find(made.objects(), 'ConfigMap', 'api').data)).toEqual(['more.txt', 'prompt.txt']);
  });

  test('are none unless they are asked for', () => {
    const { objects, template } = deployed();
    expect(objects().some(({ kind }) => kind === 'ConfigMap')).toBe(false);
    expect(template().metadata).not.toHaveProperty('annotations');
  });
});

describe('Secrets that Reloader watches', () => {
  test('are those of every container, of volumes and of providers, each once', () => {
    const { construct, object } = deployed(
      { env: { A: EnvValue.fromSecret(SecretKey.of('b', 'x')) } },
      { reloader: true },
    );
    construct.addVolume({ volume: Volume.secret('v', [SecretKey.of('d', 'x'), SecretKey.of('d', 'y')]), path: '/v' });
    construct.addInitContainer({
      name: 'before',
      image: IMAGE,
      resources: RESOURCES,
      env: { A: EnvValue.fromSecret(SecretKey.of('a', 'x')), B: EnvValue.fromSecret(SecretKey.of('b', 'y')) },
    });
    construct.uses({ offerTo: () => ({ endpoints: [], env: { B: EnvValue.fromSecret(SecretKey.of('c', 'x')) } }) });
    expect(object().metadata.annotations).toEqual({ [RELOAD]: 'a,b,c,d' });
    expect(templateOf(object()).metadata.annotations).toBeUndefined();
  });

  test('are not those of which only keys are read whose change shall restart nobody', () => {
    const [admin, reader, other] = ['admin', 'reader', 'other'].map((key) => SecretKey.of('store', key)) as [
      SecretKey,
      SecretKey,
      SecretKey,
    ];
    const given = (...keys: SecretKey[]) =>
      Object.fromEntries(keys.map((key) => [key.key.toUpperCase(), EnvValue.fromSecret(key)]));
    const annotationOf = (env: { readonly [name: string]: EnvValue }, unwatchedKeys?: SecretKey[]) =>
      deployed({ env, unwatchedKeys }, { reloader: true }).object().metadata.annotations;
    const watched = { [RELOAD]: 'store' };
    expect(annotationOf(given(admin, reader), [admin, reader])).toBeUndefined();
    expect(annotationOf(given(admin), [SecretKey.of('store', 'admin')])).toBeUndefined();
    expect(annotationOf(given(admin, other), [admin, reader])).toEqual(watched);
    expect(annotationOf(given(admin), [SecretKey.of('elsewhere', 'admin')])).toEqual(watched);
    expect(annotationOf(given(admin), [])).toEqual(watched);
    expect(annotationOf(given(admin))).toEqual(watched);
  });

  test('are not those of which a provider says so, as long as nothing else of them is read', () => {
    const { construct, object } = deployed({}, { reloader: true });
    const [key, other] = [SecretKey.of('store', 'key'), SecretKey.of('store', 'other')];
    const offer = { endpoints: [], env: { KEY: EnvValue.fromSecret(key) }, unwatchedKeys: [key] };
    construct.uses({ offerTo: () => offer });
    expect(object().metadata.annotations).toBeUndefined();
    construct.uses({ offerTo: () => ({ endpoints: [], env: { OTHER: EnvValue.fromSecret(other) } }) });
    expect(object().metadata.annotations).toEqual({ [RELOAD]: 'store' });
  });

  test('are not those of which only the file of an authority is used', () => {
    const { construct, object } = deployed({}, { reloader: true });
    const source = SecretKey.of('store-tls', 'ca.crt');
    construct.uses({
      offerTo: () => ({ endpoints: [], env: {}, files: [{ source, directory: '/etc/store-ca' }] }),
    });
    expect(templateOf(object()).spec.volumes).toHaveLength(1);
    expect(object().metadata.annotations).toBeUndefined();
    construct.addVolume({ volume: Volume.secret('own', [SecretKey.of('store-tls', 'tls.crt')]), path: '/own' });
    expect(object().metadata.annotations).toEqual({ [RELOAD]: 'store-tls' });
  });
});

describe('configuration files', () => {
  test('are found at their paths, each by itself, by the main container alone', () => {
    const { construct, objects, object } = deployed();
    construct.addContainer({ name: 'sidecar', image: IMAGE, resources: RESOURCES });
    construct.addConfigFiles({ '/etc/app/b.yaml': 'b: 1', '/opt/a.txt': 'a' });
    expect(find(objects(), 'ConfigMap', 'api').data).toEqual({ 'a.txt': 'a', 'b.yaml': 'b: 1' });
    const { volumes, containers } = templateOf(object()).spec;
    expect(volumes).toEqual([{ name: 'config', configMap: { name: 'api' } }]);
    expect(containers[0].volumeMounts).toEqual([
      { name: 'config', mountPath: '/etc/app/b.yaml', subPath: 'b.yaml', readOnly: true },
      { name: 'config', mountPath: '/opt/a.txt', subPath: 'a.txt', readOnly: true },
    ]);
    expect(containers[1]).not.toHaveProperty('volumeMounts');
  });

  test('can be added several times, and are all in one ConfigMap', () => {
    const { construct, objects, object } = deployed();
    construct.addConfigFiles({ '/etc/app/b.yaml': 'b: 1' });
    const before = templateOf(object()).metadata.annotations['checksum/config'];
    construct.addConfigFiles({ '/opt/a.txt': 'a' });
    expect(namesOf(objects(), 'ConfigMap')).toEqual(['api']);
    expect(find(objects(), 'ConfigMap', 'api').data).toEqual({ 'a.txt': 'a', 'b.yaml': 'b: 1' });
    const { metadata, spec } = templateOf(object());
    expect(spec.volumes).toEqual([{ name: 'config', configMap: { name: 'api' } }]);
    expect(spec.containers[0].volumeMounts).toEqual([
      { name: 'config', mountPath: '/etc/app/b.yaml', subPath: 'b.yaml', readOnly: true },
      { name: 'config', mountPath: '/opt/a.txt', subPath: 'a.txt', readOnly: true },
    ]);
    expect(metadata.annotations['checksum/config']).not.toBe(before);
  });

  test('are none unless they are added', () => {
    const { objects, template } = deployed();
    expect(namesOf(objects(), 'ConfigMap')).toEqual([]);
    expect(template().spec).not.toHaveProperty('volumes');
  });

  test('of one name in two directories are both there', () => {
    const { construct, objects, template } = deployed();
    construct.addConfigFiles({ '/etc/a/config.yaml': 'a' });
    construct.addConfigFiles({ '/etc/b/config.yaml': 'b' });
    expect(find(objects(), 'ConfigMap', 'api').data).toEqual({ 'config.yaml': 'a', 'etc.b.config.yaml': 'b' });
    expect(template().spec.containers[0].volumeMounts).toEqual([
      { name: 'config', mountPath: '/etc/a/config.yaml', subPath: 'config.yaml', readOnly: true },
      { name: 'config', mountPath: '/etc/b/config.yaml', subPath: 'etc.b.config.yaml', readOnly: true },
    ]);
  });

  test('are in the container that they are for, whenever it is added', () => {
    const { construct, objects, template } = deployed();
    construct.addConfigFiles({ '/etc/app.yaml': 'main' });
    construct.addConfigFiles({ '/etc/app.yaml': 'beside' }, 'sidecar');
    construct.addConfigFiles({ '/etc/before.yaml': 'before' }, 'before');
    construct.addConfigFiles({ '/etc/more.yaml': 'more' }, 'api');
    construct.addContainer({ name: 'sidecar', image: IMAGE, resources: RESOURCES });
    construct.addInitContainer({ name: 'before', image: IMAGE, resources: RESOURCES });
    const { containers, initContainers } = template().spec;
    const pathsOf = ({ volumeMounts }: Json) =>
      volumeMounts.map(({ mountPath, subPath }: Json) => `${mountPath} ${subPath}`);
    expect([...containers, ...initContainers].map(pathsOf)).toEqual([
      ['/etc/app.yaml app.yaml', '/etc/more.yaml more.yaml'],
      ['/etc/app.yaml etc.app.yaml'],
      ['/etc/before.yaml before.yaml'],
    ]);
    expect(find(objects(), 'ConfigMap', 'api').data['etc.app.yaml']).toBe('beside');
  });

  test('are for a container that there is', () => {
    const { construct, objects } = deployed();
    construct.addConfigFiles({ '/etc/app.yaml': 'x' }, 'sidecar');
    expect(objects).toThrow('rag/api: files has "/etc/app.yaml" for "sidecar", but the containers of the pod are api');
  });

  test('are there once, whichever call adds them', () => {
    const { construct } = deployed();
    construct.addConfigFiles({ '/etc/one/a': '1' });
    expect(() => construct.addConfigFiles({ '/etc/one/a': '2' })).toThrow(
      new Error('rag/api: files has the file "/etc/one/a" twice; drop one'),
    );
  });

  test('are refused when they are nowhere, or have names that are none', () => {
    const { construct } = deployed();
    expect(() => construct.addConfigFiles({ 'etc/a': '' })).toThrow(
      new Error('rag/api: files has the path "etc/a"; paths are absolute'),
    );
    for (const path of ['/etc/a b', '/etc/..a']) {
      expect(() => construct.addConfigFiles({ [path]: '' })).toThrow(
        new Error(
          `rag/api: files has the path "${path}"; names of files consist of letters, digits, "-", "_" and ".", and do ` +
            'not begin with ".."',
        ),
      );
    }
  });
});

describe('a Service', () => {
  function service(props: Parameters<Workload['addService']>[0]) {
    const { construct, objects } = deployed({ container: PROPS.container });
    construct.addService(props);
    return find(objects(), 'Service', props.name ?? 'api');
  }

  test('leads to the ports of the containers under the same numbers', () => {
    expect(service({ ports: [HTTP, METRICS] }).spec).toEqual({
      type: 'ClusterIP',
      selector: { 'app.kubernetes.io/name': 'api', 'app.kubernetes.io/instance': 'rag' },
      ports: [
        { name: 'http', port: 8080, targetPort: 8080, protocol: 'TCP', appProtocol: 'http' },
        { name: 'metrics', port: 9090, targetPort: 9090, protocol: 'TCP' },
      ],
    });
  });

  test('gives each pod a name when it is headless, even before the pod is ready', () => {
    const { metadata, spec } = service({
      name: 'api-headless',
      ports: [HTTP],
      headless: true,
      publishNotReadyAddresses: true,
    });
    expect(spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
    expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/name': 'api' });
  });

  test('cannot have a name that is none', () => {
    expect(() => service({ name: 'Api', ports: [HTTP] })).toThrow(
      'rag/api: name is "Api", but must be a DNS label: lower-case letters, digits and "-", beginning and ending with a ' +
        'letter or digit',
    );
  });

  test('is the host of an endpoint: short in the namespace, complete elsewhere', () => {
    const { construct } = deployed({}, { domain: 'k8s.acme.example' });
    const endpoint = construct.endpoint(HTTP);
    expect(endpoint.hostFrom(construct, 'test')).toBe('api');
    expect(endpoint.hostFrom(construct, 'other')).toBe('api.test.svc.k8s.acme.example');
    expect(construct.endpoint(HTTP, 'api-read').hostFrom(construct, 'test')).toBe('api-read');
    expect(endpoint).toMatchObject({ peer: construct.pods, port: HTTP, service: 'api' });
  });
});

test('a Service has a port', () => {
  expect(() => deployed().construct.addService({ name: 'empty', ports: [] })).toThrow(
    new Error('rag/api: ports of Service "empty" is empty; name at least one port'),
  );
});
