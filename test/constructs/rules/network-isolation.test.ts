import { networkIsolation } from '../../../constructs/rules/network-isolation';
import type { Json } from '../../../constructs/rules/output';
import { container, LABELS, manifest, POD_KINDS, problemsOf, workload } from '../../support/output';

const OTHER = { 'app.kubernetes.io/name': 'other', 'app.kubernetes.io/instance': 'rag' };

const policy = (spec: Json = {}, namespace = 'test') =>
  manifest('NetworkPolicy', 'api', {
    metadata: { namespace },
    spec: { podSelector: { matchLabels: LABELS }, policyTypes: ['Ingress', 'Egress'], ...spec },
  });

const api = workload('Deployment', { pod: { containers: [container({ ports: [{ containerPort: 8000 }] })] } });

describe.each(POD_KINDS)('the pods of a %s', (kind) => {
  const own = [workload(kind)];
  const openFor = (direction: string) => `${kind} test/api: no NetworkPolicy isolates its pods for ${direction}`;

  test('are closed in both directions', () => {
    expect(problemsOf(networkIsolation, [...own, policy()])).toEqual([]);
    expect(problemsOf(networkIsolation, own)).toEqual([openFor('ingress'), openFor('egress')]);
  });

  test('are open where only one direction is closed', () => {
    expect(problemsOf(networkIsolation, [...own, policy({ policyTypes: ['Ingress'] })])).toEqual([openFor('egress')]);
    expect(problemsOf(networkIsolation, [...own, policy({ policyTypes: ['Egress'] })])).toEqual([openFor('ingress')]);
  });
});

describe('a policy', () => {
  test('isolates pods wherever in the app it is written', () => {
    expect(problemsOf(networkIsolation, [api], { besides: [policy()] })).toEqual([]);
    expect(problemsOf(networkIsolation, [api], { elsewhere: [policy({ podSelector: {} })] })).toEqual([]);
  });

  test('may leave each direction to another', () => {
    const halves = [policy({ policyTypes: ['Ingress'] }), policy({ policyTypes: ['Egress'], podSelector: {} })];
    expect(problemsOf(networkIsolation, [api, ...halves])).toEqual([]);
  });

  test.each<[string, Json]>([
    ['other labels', policy({ podSelector: { matchLabels: OTHER } })],
    ['a label more', policy({ podSelector: { matchLabels: { ...LABELS, tier: 'edge' } } })],
    ['another namespace', policy({}, 'other')],
  ])('does not isolate pods of %s', (_, foreign) => {
    expect(problemsOf(networkIsolation, [api], { besides: [foreign] })).toEqual([
      'Deployment test/api: no NetworkPolicy isolates its pods for ingress',
      'Deployment test/api: no NetworkPolicy isolates its pods for egress',
    ]);
  });

  test('that selects by expressions does not count, because nobody works them out', () => {
    const matchExpressions = [{ key: 'tier', operator: 'NotIn', values: ['edge'] }];
    const [some, both] = [{ matchExpressions }, { matchExpressions, matchLabels: LABELS }];
    for (const podSelector of [some, both]) {
      expect(problemsOf(networkIsolation, [api], { besides: [policy({ podSelector })] })).toEqual([
        'Deployment test/api: no NetworkPolicy isolates its pods for ingress',
        'Deployment test/api: no NetworkPolicy isolates its pods for egress',
      ]);
      expect(problemsOf(networkIsolation, [api], { besides: [policy({ podSelector }), policy()] })).toEqual([]);
    }
  });
});

describe.each([
  ['ingress', 'from'],
  ['egress', 'to'],
])('a rule for %s', (direction, side) => {
  const problemsOfRule = (rule: Json) => problemsOf(networkIsolation, [api, policy({ [direction]: [rule] })]);
  const ports = [{ port: 8000, protocol: 'TCP' }];
  const ownPods = { podSelector: { matchLabels: LABELS } };

  test('names its peers and ports', () => {
    expect(problemsOfRule({ [side]: [ownPods], ports })).toEqual([]);
  });

  test.each([undefined, []])('with the peers %j allows every peer', (peers) => {
    expect(problemsOfRule({ [side]: peers, ports })).toEqual([
      'NetworkPolicy test/api: a rule without peers allows every peer',
    ]);
  });

  test.each([undefined, []])('with the ports %j allows every port', (none) => {
    expect(problemsOfRule({ [side]: [ownPods], ports: none })).toEqual([
      'NetworkPolicy test/api: a rule without ports allows every port',
    ]);
  });

  test('that is empty allows everything', () => {
    expect(problemsOfRule({})).toEqual([
      'NetworkPolicy test/api: a rule without peers allows every peer',
      'NetworkPolicy test/api: a rule without ports allows every port',
    ]);
  });

  test('names pods of its own namespace that exist', () => {
    expect(problemsOfRule({ [side]: [ownPods, { podSelector: { matchLabels: OTHER } }], ports })).toEqual([
      `NetworkPolicy test/api: names the pods ${JSON.stringify(OTHER)}, but there are none in the output`,
    ]);
  });

  test('may name pods that an operator is declared to create, by all their labels', () => {
    const operated = { role: 'primary', 'cnpg.io/cluster': 'db' };
    const external = [{ kind: 'Pod', namespace: 'test', name: 'cnpg.io/cluster=db,role=primary' }];
    const rules = { [side]: [{ podSelector: { matchLabels: operated } }], ports };
    const own = [api, policy({ [direction]: [rules] })];
    expect(problemsOf(networkIsolation, own, { external })).toEqual([]);
    expect(
      problemsOf(networkIsolation, own, { external: [{ ...external[0], namespace: 'other' } as never] }),
    ).toHaveLength(1);
  });

  test('may name what runs elsewhere, which is not ours to know', () => {
    const elsewhere = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } };
    const peers = [
      { ...elsewhere, podSelector: { matchLabels: OTHER } },
      elsewhere,
      { ...elsewhere, podSelector: {} },
      { ipBlock: { cidr: '203.0.113.0/24' } },
    ];
    expect(problemsOfRule({ [side]: peers, ports })).toEqual([]);
  });

  test.each<[string, Json]>([
    ['of pods', { podSelector: {} }],
    ['of namespaces', { namespaceSelector: {} }],
    ['of both', { namespaceSelector: {}, podSelector: {} }],
  ])('with an empty selector %s names nobody', (_, peer) => {
    expect(problemsOfRule({ [side]: [ownPods, peer], ports })).toEqual([
      'NetworkPolicy test/api: a rule with an empty selector allows every pod; name the pods',
    ]);
  });
});

describe('a Service', () => {
  const service = (spec: Json, namespace = 'test') =>
    manifest('Service', 'api', {
      metadata: { namespace },
      spec: { selector: LABELS, ports: [{ port: 8000, targetPort: 8000 }], ...spec },
    });
  const problemsOfService = (spec: Json, namespace?: string) =>
    problemsOf(networkIsolation, [api, policy(), service(spec, namespace)]);

  test('has the port of the container', () => {
    expect(problemsOfService({})).toEqual([]);
  });

  test('selects pods of the output', () => {
    expect(problemsOfService({ selector: OTHER })).toEqual(['Service test/api: selects no pods of the output']);
    expect(problemsOfService({}, 'other')).toEqual(['Service other/api: selects no pods of the output']);
  });

  test('without a selector leads to what others say', () => {
    expect(problemsOfService({ selector: undefined })).toEqual([]);
    expect(problemsOfService({ selector: undefined, ports: [{ port: 80, targetPort: 9000 }] })).toEqual([]);
    const external = { type: 'ExternalName', externalName: 'api.acme.example', selector: undefined, ports: undefined };
    expect(problemsOfService(external)).toEqual([]);
  });

  test('has no other number than the container', () => {
    expect(problemsOfService({ ports: [{ port: 80, targetPort: 8000 }] })).toEqual([
      'Service test/api: port 80 leads to 8000; use one number for both',
    ]);
  });

  test('leads to a port that a container opens', () => {
    const ports = [
      { port: 8000, targetPort: 8000 },
      { port: 9000, targetPort: 9000 },
    ];
    expect(problemsOfService({ ports })).toEqual(['Service test/api: port 9000 is no container port of the pods']);
    const sidecar = container({ name: 'sidecar', ports: [{ containerPort: 9000 }] });
    const pods = workload('StatefulSet', { pod: { containers: [container(), sidecar] } });
    expect(problemsOf(networkIsolation, [api, pods, policy(), service({ ports })])).toEqual([]);
  });
});

test('objects that are not ours are not judged', () => {
  const besides = [workload('Deployment'), policy({ ingress: [{}] }), manifest('Service', 'api', { spec: {} })];
  expect(problemsOf(networkIsolation, [], { besides })).toEqual([]);
});
