import { ApiObject, App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { ExternalReferences } from '../../../constructs/rules/external-references';
import { type Json, type ManifestObject, nameOf } from '../../../constructs/rules/output';
import { OutputRules } from '../../../constructs/rules/output-rules';
import type { Rule } from '../../../constructs/rules/rule';
import { container, LABELS, manifest, workload } from '../../support/output';

/** A chart, with a part whose objects are under the rules. */
function chartWithPart(app = new App(), id = 'rag') {
  const chart = new Chart(app, id, { namespace: 'test' });
  const part = new Construct(chart, 'part');
  OutputRules.attach(part);
  return { app, chart, part };
}

function add(scope: Construct, ...objects: ManifestObject[]): void {
  for (const object of objects) {
    new ApiObject(scope, `${object.kind}-${object.metadata.name}`, object);
  }
}

/** What keeps a chart from being synthesized. */
function problemsOf(chart: Chart): string[] {
  try {
    chart.toJson();
    return [];
  } catch (error) {
    const [title, ...problems] = (error as Error).message.split('\n');
    expect(title).toBe('Validation failed with the following errors:');
    return problems.map((problem) => problem.trim());
  }
}

const secret = manifest('Secret', 'qdrant', { stringData: { 'api-key': 'x' } });
const secretProblem =
  'Secret test/qdrant: holds values; refer to a Secret that exists, or create it with ExternalSecrets';
const policy = manifest('NetworkPolicy', 'api', {
  spec: { podSelector: { matchLabels: LABELS }, policyTypes: ['Ingress', 'Egress'] },
});
const deployment = (pod: Json = {}, spec: Json = { replicas: 2 }) => workload('Deployment', { pod, spec });
const withContainer = (changes: Json) => deployment({ containers: [container(changes)] });

describe('every rule holds', () => {
  test('for objects that break none', () => {
    const { chart, part } = chartWithPart();
    add(part, deployment(), policy);
    expect(problemsOf(chart)).toEqual([]);
    expect(chart.toJson()).toHaveLength(2);
  });

  test.each<[string, Json, string]>([
    [
      'identity',
      deployment({}, { replicas: 2, selector: { matchLabels: { team: 'search' } } }),
      'Deployment test/api: selects by team; select by app.kubernetes.io/name and app.kubernetes.io/instance only',
    ],
    ['pod security', deployment({ hostNetwork: true }), 'Deployment test/api: sets hostNetwork'],
    ['replica ownership', deployment({}, {}), 'Deployment test/api: nobody owns the number of replicas'],
    [
      'resources',
      withContainer({ resources: { ...container().resources, limits: { memory: '1Gi' } } }),
      'Deployment test/api: container api has no ephemeral-storage limit',
    ],
    [
      'network isolation',
      workload('Job', { labels: { job: 'load' } }),
      'Job test/api: no NetworkPolicy isolates its pods for ingress',
    ],
    [
      'no secret values',
      withContainer({ env: [{ name: 'API_KEY', value: 'hunter2' }] }),
      'Deployment test/api: container api has the variable API_KEY with a value; refer to the key of a Secret instead',
    ],
    [
      'references',
      deployment({ serviceAccountName: 'rag' }),
      'Deployment test/api: refers to ServiceAccount rag, which is neither in the output nor declared; create it, or ' +
        'declare it with ExternalReferences.of(chart).declare(…)',
    ],
    [
      'drain chain',
      withContainer({ lifecycle: { preStop: { exec: { command: ['sleep', '60'] } } } }),
      'Deployment test/api: container api sleeps 60 s before it stops, but is killed after 30 s; lengthen the grace period',
    ],
    [
      'images',
      withContainer({ image: 'ghcr.io/acme/api:latest' }),
      'Deployment test/api: container api runs ghcr.io/acme/api:latest; name the registry and a tag that does not move',
    ],
    [
      'canonical form',
      deployment({ volumes: [{ name: 'tmp', emptyDir: { sizeLimit: '1024Mi' } }] }),
      'Deployment test/api: spec.template.spec.volumes.0.emptyDir.sizeLimit is "1024Mi", which the API server writes otherwise; write it in the largest unit in which it is whole: 1Gi for 1024Mi, 2 for 2000m',
    ],
  ])('and stops the synthesis: %s', (_, object, problem) => {
    const { chart, part } = chartWithPart();
    add(part, object, policy);
    expect(problemsOf(chart)[0]).toBe(`[rag] ${problem}`);
  });

  test('and all that is wrong is said at once', () => {
    const { chart, part } = chartWithPart();
    add(part, secret, deployment({ hostNetwork: true, hostPID: true }), policy);
    expect(problemsOf(chart)).toEqual([
      '[rag] Deployment test/api: sets hostNetwork',
      '[rag] Deployment test/api: sets hostPID',
      `[rag] ${secretProblem}`,
    ]);
  });

  test('for the whole app, whichever of its charts is rendered', () => {
    const { app, part } = chartWithPart();
    const other = new Chart(app, 'other');
    add(part, secret);
    expect(problemsOf(other)).toEqual([`[rag] ${secretProblem}`]);
  });
});

describe('other objects of the chart', () => {
  test('are not judged', () => {
    const { chart } = chartWithPart();
    add(chart, secret, deployment({ hostNetwork: true }, {}));
    add(new Construct(chart, 'neighbour'), workload('Job', { pod: { hostPID: true } }));
    expect(problemsOf(chart)).toEqual([]);
  });

  test('are what references may lead to', () => {
    const { chart, part } = chartWithPart();
    add(part, deployment({ serviceAccountName: 'rag' }));
    expect(problemsOf(chart)).toHaveLength(3);
    add(chart, manifest('ServiceAccount', 'rag'), policy);
    expect(problemsOf(chart)).toEqual([]);
  });

  test('cannot have the name of one of ours', () => {
    const { chart, part } = chartWithPart();
    add(part, manifest('ConfigMap', 'rag'));
    add(chart, manifest('ConfigMap', 'rag'));
    expect(problemsOf(chart)).toEqual(['[rag] 2 objects are ConfigMap test/rag; give all but one another name']);
  });

  test('come under the rules with the construct that they are put below', () => {
    const { chart, part } = chartWithPart();
    add(new Construct(part, 'inner'), secret);
    expect(problemsOf(chart)).toEqual([`[rag] ${secretProblem}`]);
  });
});

describe('attaching', () => {
  test('another part judges both, once each', () => {
    const { chart, part } = chartWithPart();
    const second = new Construct(chart, 'second');
    OutputRules.attach(second);
    add(part, secret);
    add(second, manifest('Secret', 'redis', { data: {} }));
    expect(problemsOf(chart)).toEqual([`[rag] ${secretProblem}`, `[rag] ${secretProblem.replace('qdrant', 'redis')}`]);
  });

  test('a part again, or a part of it, judges nothing twice', () => {
    const { chart, part } = chartWithPart();
    const inner = new Construct(part, 'inner');
    OutputRules.attach(inner);
    OutputRules.attach(part);
    add(inner, secret);
    expect(problemsOf(chart)).toEqual([`[rag] ${secretProblem}`]);
  });

  test('a chart judges everything in it', () => {
    const chart = new Chart(new App(), 'rag', { namespace: 'test' });
    OutputRules.attach(chart);
    add(chart, secret);
    expect(problemsOf(chart)).toEqual([`[rag] ${secretProblem}`]);
  });

  test('nothing judges nothing', () => {
    const chart = new Chart(new App(), 'rag', { namespace: 'test' });
    add(chart, secret);
    expect(problemsOf(chart)).toEqual([]);
  });
});

describe("a rule of one's own", () => {
  const named: Rule = {
    name: 'everything is named after its team',
    check: (output) =>
      output.own
        .filter(({ metadata }) => !metadata.name.startsWith('search-'))
        .map((object) => `${nameOf(object)}: begins with no team`),
  };

  test('holds for what the library renders in the app, and is asked once', () => {
    const { app, chart, part } = chartWithPart();
    OutputRules.add(app, named);
    OutputRules.add(part, named);
    add(part, manifest('ConfigMap', 'api'), manifest('ConfigMap', 'search-api'));
    add(chart, manifest('ConfigMap', 'other'));
    expect(problemsOf(chart)).toEqual(['[rag] ConfigMap test/api: begins with no team']);
  });

  test('may come before the first chart, and does not hold in other apps', () => {
    const app = new App();
    OutputRules.add(app, named);
    const { chart, part } = chartWithPart(app);
    add(part, manifest('ConfigMap', 'api'));
    expect(problemsOf(chart)).toHaveLength(1);
    const other = chartWithPart();
    add(other.part, manifest('ConfigMap', 'api'));
    expect(problemsOf(other.chart)).toEqual([]);
  });
});

test('every object is rendered once for each look at the app, however many charts there are', () => {
  const one = chartWithPart(new App(), 'one');
  const two = chartWithPart(one.app, 'two');
  add(one.part, manifest('ConfigMap', 'one'));
  const object = new ApiObject(two.part, 'object', manifest('ConfigMap', 'two'));
  const rendering = jest.spyOn(object, 'toJson');
  expect(one.app.node.findAll().flatMap(({ node }) => node.validate())).toEqual([]);
  expect(rendering).toHaveBeenCalledTimes(1);
});

test('a chart that is validated by itself is judged as it is then', () => {
  const { chart, part } = chartWithPart();
  expect(chart.node.validate()).toEqual([]);
  add(part, secret);
  expect(chart.node.validate()).toEqual([secretProblem]);
});

describe('several charts in one app', () => {
  test('are judged each for its own objects', () => {
    const one = chartWithPart(new App(), 'one');
    const two = chartWithPart(one.app, 'two');
    add(one.part, secret);
    add(two.part, manifest('Secret', 'redis', { data: {} }));
    expect(problemsOf(one.chart)).toEqual([
      `[one] ${secretProblem}`,
      `[two] ${secretProblem.replace('qdrant', 'redis')}`,
    ]);
  });

  test('leave alone a chart that nobody attached', () => {
    const { app, chart } = chartWithPart();
    add(new Chart(app, 'foreign', { namespace: 'test' }), secret, deployment({ hostNetwork: true }));
    expect(problemsOf(chart)).toEqual([]);
  });

  test('may refer to one another', () => {
    const { app, chart, part } = chartWithPart();
    add(part, deployment({ serviceAccountName: 'rag' }));
    add(new Chart(app, 'foundation', { namespace: 'test' }), manifest('ServiceAccount', 'rag'), policy);
    expect(problemsOf(chart)).toEqual([]);
  });

  test('share their declarations', () => {
    const { app, chart, part } = chartWithPart();
    add(part, deployment({ serviceAccountName: 'rag' }), policy);
    const reference = { kind: 'ServiceAccount', name: 'rag', namespace: 'test' };
    ExternalReferences.of(new Chart(app, 'other')).declare(reference);
    expect(problemsOf(chart)).toEqual([]);
  });

  test('inside one another are two charts', () => {
    const { chart } = chartWithPart();
    const inner = new Chart(chart, 'inner', { namespace: 'test' });
    const part = new Construct(inner, 'part');
    OutputRules.attach(part);
    add(part, secret);
    expect(problemsOf(chart)).toEqual([`[rag/inner] ${secretProblem}`]);
  });
});
