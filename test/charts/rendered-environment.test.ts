import { ApiObject, App, Chart } from 'cdk8s';
import fc from 'fast-check';
import { parse } from 'yaml';
import { RenderedEnvironment } from '../../charts/rendered-environment';
import { ChangeRules } from '../../constructs/rules/change-rules';
import type { Json } from '../../constructs/rules/output';

const ORIGIN = 'charts/environments/test.yaml';

/** An app with these objects, in a chart with the namespace "test". */
function appOf(...objects: Json[]): App {
  const app = new App();
  const chart = new Chart(app, 'chart', { namespace: 'test' });
  objects.forEach((object, index) => {
    new ApiObject(chart, `object-${index}`, object);
  });
  return app;
}

function configMap(name: string, data: { [key: string]: unknown } = {}, metadata: Json = {}): Json {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data };
}

function rendered(app: App): RenderedEnvironment {
  return new RenderedEnvironment(app, ORIGIN);
}

function namesOf(app: App): string[] {
  return [...rendered(app).files.keys()];
}

/** The text of the only object. */
function textOf(object: Json): string {
  const { files } = rendered(appOf(object));
  expect(files.size).toBe(1);
  return [...files.values()].join();
}

describe('a file', () => {
  test('is named after its object and the kind of it', () => {
    expect(
      namesOf(
        appOf(
          configMap('settings'),
          { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'test' } },
          { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'api' } },
        ),
      ),
    ).toEqual(['settings.configmap.yaml', 'test.namespace.yaml', 'api.horizontalpodautoscaler.yaml']);
  });

  test('is named after its namespace too, when that is another one', () => {
    const app = appOf(
      configMap('settings'),
      configMap('settings', {}, { namespace: 'other' }),
      configMap('more', {}, { namespace: 'test' }),
    );
    expect(namesOf(app)).toEqual(['settings.configmap.yaml', 'settings.configmap.other.yaml', 'more.configmap.yaml']);
    expect([...rendered(app).files.values()].map((text) => parse(text).metadata.namespace)).toEqual([
      'test',
      'other',
      'test',
    ]);
  });

  test('is named after its namespace unless that is the one that most objects are in', () => {
    const other = { namespace: 'other' };
    const app = appOf(
      configMap('first', {}, { namespace: 'test' }),
      configMap('second', {}, other),
      configMap('third', {}, other),
    );
    expect(namesOf(app)).toEqual(['first.configmap.test.yaml', 'second.configmap.yaml', 'third.configmap.yaml']);
  });

  test('is named after its namespace when as many are in that of the first object', () => {
    const app = appOf(configMap('first', {}, { namespace: 'b' }), configMap('second', {}, { namespace: 'a' }));
    expect(namesOf(app)).toEqual(['first.configmap.yaml', 'second.configmap.a.yaml']);
  });

  test('is named after its API group too, when another group has a kind and an object of that name', () => {
    const gateway = (apiVersion: string, name: string) => ({ apiVersion, kind: 'Gateway', metadata: { name } });
    const app = appOf(
      gateway('gateway.networking.k8s.io/v1', 'public'),
      gateway('networking.istio.io/v1', 'public'),
      gateway('networking.istio.io/v1', 'internal'),
    );
    expect(namesOf(app)).toEqual([
      'public.gateway.gateway.networking.k8s.io.yaml',
      'public.gateway.networking.istio.io.yaml',
      'internal.gateway.yaml',
    ]);
  });

  test('is named without a group when the other one is of the core', () => {
    const event = (apiVersion: string) => ({ apiVersion, kind: 'Event', metadata: { name: 'started' } });
    expect(namesOf(appOf(event('v1'), event('events.k8s.io/v1')))).toEqual([
      'started.event.yaml',
      'started.event.events.k8s.io.yaml',
    ]);
  });

  test('is named after group and namespace when both are needed', () => {
    const event = (apiVersion: string, namespace: string) => ({
      apiVersion,
      kind: 'Event',
      metadata: { name: 'started', namespace },
    });
    const app = appOf(configMap('settings'), event('v1', 'other'), event('events.k8s.io/v1', 'other'), configMap('b'));
    expect(namesOf(app).slice(1, 3)).toEqual(['started.event.other.yaml', 'started.event.events.k8s.io.other.yaml']);
  });

  test('says what it was made from, and nothing that changes from run to run', () => {
    expect(textOf(configMap('settings', { key: 'value' }))).toBe(
      [
        '# Generated from charts/environments/test.yaml. Do not edit.',
        'apiVersion: v1',
        'kind: ConfigMap',
        'metadata:',
        '  name: settings',
        '  namespace: test',
        'data:',
        '  key: value',
        '',
      ].join('\n'),
    );
  });

  test('begins with what a reader looks for, and goes on in the order of the alphabet', () => {
    const text = textOf({
      spec: {
        template: {
          spec: {
            volumes: [{ name: 'z', emptyDir: { sizeLimit: '1Mi' } }],
            containers: [
              { resources: { limits: { memory: '1Gi' } }, command: ['z', 'a'], image: 'a/b:1', name: 'api' },
            ],
          },
        },
        replicas: 2,
      },
      metadata: { labels: { z: 'one', a: 'two' }, annotations: { x: 'one' }, name: 'api' },
      kind: 'Deployment',
      apiVersion: 'apps/v1',
    });
    expect(text.split('\n').slice(1)).toEqual([
      'apiVersion: apps/v1',
      'kind: Deployment',
      'metadata:',
      '  name: api',
      '  namespace: test',
      '  annotations:',
      '    x: one',
      '  labels:',
      '    a: two',
      '    z: one',
      'spec:',
      '  replicas: 2',
      '  template:',
      '    spec:',
      '      containers:',
      '        - name: api',
      '          image: a/b:1',
      '          command:',
      '            - z',
      '            - a',
      '          resources:',
      '            limits:',
      '              memory: 1Gi',
      '      volumes:',
      '        - name: z',
      '          emptyDir:',
      '            sizeLimit: 1Mi',
      '',
    ]);
  });

  test('is the same whichever way its object was written', () => {
    const one = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { x: '1', y: '2' } };
    const other = { data: { y: '2', x: '1' }, metadata: { name: 'a' }, kind: 'ConfigMap', apiVersion: 'v1' };
    expect(textOf(one)).toBe(textOf(other));
  });

  test('keeps long lines whole and scripts readable', () => {
    const long = 'word '.repeat(100).trim();
    const text = textOf(configMap('settings', { long, script: '#!/bin/sh\nset -eu\necho "done"\n' }));
    expect(text).toContain(`  long: ${long}\n`);
    expect(text).toContain('  script: |\n    #!/bin/sh\n    set -eu\n    echo "done"\n');
  });
});

describe('a text that YAML 1.1 takes for something else', () => {
  test.each([
    'yes',
    'No',
    'on',
    'y',
    'true',
    'null',
    '~',
    '0644',
    '1e3',
    '12:30',
    '1_000',
    '0x1f',
    '0o17',
    '0b11',
    '1_0.5',
    '+1',
    '.5',
    '.inf',
    '.NaN',
    '2026-01-31',
    '',
  ])('is put in quotes: %p', (value) => {
    const text = textOf(configMap('settings', { value }));
    expect(text).toContain(`\n  value: "${value}"\n`);
    expect(parse(text, { version: '1.1' }).data.value).toBe(value);
    expect(parse(text, { version: '1.2' }).data.value).toBe(value);
  });

  test.each([
    [true, 'true'],
    [5, '5'],
    [0.5, '0.5'],
  ])('is told from what is none: %p', (value, shown) => {
    expect(textOf({ apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a' }, spec: { value } })).toContain(
      `\n  value: ${shown}\n`,
    );
  });

  test.each(['yes', 'on', 'y', 'null', '0o17', '0644'])('is put in quotes as a name too: %p', (name) => {
    const text = textOf(configMap('settings', { [name]: 'x' }));
    expect(text).toContain(`\n  "${name}": x\n`);
    expect(parse(text, { version: '1.1' }).data).toEqual({ [name]: 'x' });
    expect(parse(text, { version: '1.2' }).data).toEqual({ [name]: 'x' });
  });

  test('is read back as it was, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        const text = textOf(configMap('settings', { value }));
        expect(parse(text, { version: '1.1' }).data.value).toBe(value);
        expect(parse(text, { version: '1.2' }).data.value).toBe(value);
      }),
    );
  });
});

describe('the objects', () => {
  test('are in the order in which they were created, in all charts', () => {
    const app = appOf(configMap('b'), configMap('a'));
    new ApiObject(new Chart(app, 'another', { namespace: 'test' }), 'object', configMap('c'));
    expect(rendered(app).objects.map(({ metadata }) => metadata.name)).toEqual(['b', 'a', 'c']);
  });
});

describe('an app is refused', () => {
  test('with two objects of one name', () => {
    expect(() => rendered(appOf(configMap('settings'), configMap('settings'))).files).toThrow(
      new Error(`${ORIGIN} two objects are ConfigMap test/settings; give one another name`),
    );
  });

  test('with two objects of one name in two versions of one group', () => {
    const scaled = (apiVersion: string) => ({
      apiVersion,
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'api' },
    });
    expect(() => rendered(appOf(scaled('autoscaling/v2'), scaled('autoscaling/v1'))).files).toThrow(
      new Error(`${ORIGIN} two objects are HorizontalPodAutoscaler test/api; give one another name`),
    );
  });

  test('with two objects of one name that are in no namespace', () => {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'rag' } };
    const app = new App();
    for (const id of ['one', 'other']) {
      new ApiObject(new Chart(app, id), 'namespace', namespace);
    }
    expect(() => rendered(app).files).toThrow(
      new Error(`${ORIGIN} two objects are Namespace rag; give one another name`),
    );
  });

  test('with everything that its constructs find wrong, and where it was made from', () => {
    const app = appOf(configMap('settings'));
    app.node.addValidation({ validate: () => ['the app is too large'] });
    app.node.children[0]?.node.addValidation({ validate: () => ['one is wrong', 'another is wrong'] });
    expect(() => rendered(app)).toThrow(
      new Error([`${ORIGIN} the app is too large`, `${ORIGIN} one is wrong`, `${ORIGIN} another is wrong`].join('\n')),
    );
  });

  test('without objects', () => {
    expect(() => rendered(appOf())).toThrow(new Error(`${ORIGIN} renders nothing`));
    expect(() => rendered(new App())).toThrow(new Error(`${ORIGIN} renders nothing`));
  });
});

describe('a change since the last render', () => {
  const service = (serviceName: string) => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'qdrant' },
    spec: { serviceName },
  });

  test('is safe when nothing was rendered before, or the same', () => {
    const environment = rendered(appOf(service('one')));
    expect(environment.changeProblems([])).toEqual([]);
    expect(environment.changeProblems(environment.objects)).toEqual([]);
    expect(environment.changeProblems([...environment.files.values()].map((text) => parse(text)))).toEqual([]);
  });

  test('is judged by the rules of the app, and each problem says where it was made', () => {
    const app = appOf(service('other'));
    ChangeRules.of(app).add({ name: 'nothing goes', check: (before) => before.map(() => 'something is gone') });
    const problems = rendered(app).changeProblems(rendered(appOf(service('one'))).objects);
    expect(problems).toEqual([
      expect.stringContaining(`${ORIGIN} StatefulSet test/qdrant: spec.serviceName changes from "one" to "other"`),
      expect.stringMatching(
        /^charts\/environments\/test\.yaml something is gone; if the last render was never applied/,
      ),
    ]);
  });
});
