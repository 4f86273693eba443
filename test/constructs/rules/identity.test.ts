import { identity } from '../../../constructs/rules/identity';
import { LABELS, manifest, POD_KINDS, problemsOf, workload } from '../../support/output';

const DNS_LABELS =
  'must be DNS labels joined by dots: lower-case letters, digits and "-", beginning and ending with a letter or digit';

const deployment = workload('Deployment', { spec: { selector: { matchLabels: LABELS } } });
const service = manifest('Service', 'api', { spec: { selector: LABELS } });
const namespace = manifest('Namespace', 'test', { metadata: { namespace: undefined } });

test('objects of one name differ by kind, group or namespace', () => {
  const objects = [
    deployment,
    service,
    namespace,
    manifest('Service', 'api', { metadata: { namespace: 'other' } }),
    { ...manifest('Service', 'api'), apiVersion: 'serving.knative.dev/v1' },
    manifest('Deployment', 'api-2'),
  ];
  expect(problemsOf(identity, objects)).toEqual([]);
});

describe('duplicates', () => {
  test('are counted within their group', () => {
    expect(problemsOf(identity, [deployment, deployment])).toEqual([
      '2 objects are apps Deployment test/api; give all but one another name',
    ]);
    expect(problemsOf(identity, [service, service, service])).toEqual([
      '3 objects are Service test/api; give all but one another name',
    ]);
    expect(problemsOf(identity, [namespace, namespace])).toEqual([
      '2 objects are Namespace test; give all but one another name',
    ]);
  });

  test('are duplicates in whatever version of their group', () => {
    const older = { ...deployment, apiVersion: 'apps/v1beta1' };
    expect(problemsOf(identity, [deployment, older])).toEqual([
      '2 objects are apps Deployment test/api; give all but one another name',
    ]);
  });

  test("are found among the chart's other objects too", () => {
    expect(problemsOf(identity, [service], { besides: [manifest('Service', 'api')] })).toEqual([
      '2 objects are Service test/api; give all but one another name',
    ]);
  });

  test('are found in other charts of the app too', () => {
    expect(problemsOf(identity, [service], { elsewhere: [manifest('Service', 'api')] })).toEqual([
      '2 objects are Service test/api; give all but one another name',
    ]);
  });

  test("among the chart's other objects alone are not ours to judge", () => {
    const twice = [manifest('ConfigMap', 'other'), manifest('ConfigMap', 'other')];
    expect(problemsOf(identity, [service], { besides: twice })).toEqual([]);
    expect(problemsOf(identity, [service], { besides: [...twice, manifest('Service', 'api')] })).toEqual([
      '2 objects are Service test/api; give all but one another name',
    ]);
  });
});

describe('names', () => {
  test.each(['API', 'a_b', '-a', 'a-', 'a b', 'ä', '', '.a', 'a.', 'a..b', 'a.-b'])('"%s" is refused', (name) => {
    expect(problemsOf(identity, [manifest('ConfigMap', name)])).toEqual([
      `ConfigMap: metadata.name is "${name}", but ${DNS_LABELS}`,
    ]);
  });

  test.each(['a', '0', 'qdrant-headless', 'a--b', 'rag.acme.example', '0.0'])('"%s" is accepted', (name) => {
    expect(problemsOf(identity, [manifest('ConfigMap', name)])).toEqual([]);
  });

  test.each([
    ['CronJob', 52],
    ['StatefulSet', 52],
    ['ScaledObject', 54],
    ['Deployment', 63],
    ['Job', 63],
    ['Service', 63],
    ['ConfigMap', 253],
    ['HTTPRoute', 253],
  ])('of a %s have at most %i characters', (kind, longest) => {
    expect(problemsOf(identity, [manifest(kind, 'a'.repeat(longest))])).toEqual([]);
    const name = 'a'.repeat(longest + 1);
    expect(problemsOf(identity, [manifest(kind, name)])).toEqual([
      `${kind}: metadata.name is "${name}" (${longest + 1} characters), but at most ${longest} are allowed; shorten it`,
    ]);
  });

  test('of a Service begin with a letter', () => {
    expect(problemsOf(identity, [manifest('Service', 'a0')])).toEqual([]);
    expect(problemsOf(identity, [manifest('Service', '0a')])).toEqual([
      'Service: metadata.name is "0a", but the name of a Service begins with a letter',
    ]);
    expect(problemsOf(identity, [manifest('Deployment', '0a')])).toEqual([]);
  });

  test('of other objects in the chart are not judged', () => {
    expect(problemsOf(identity, [service], { besides: [manifest('ConfigMap', 'Not_Ours')] })).toEqual([]);
  });
});

describe('namespaces', () => {
  test.each([...POD_KINDS, 'Service', 'NetworkPolicy', 'SecretStore', 'Issuer'])('a %s needs one', (kind) => {
    expect(problemsOf(identity, [manifest(kind, 'api', { metadata: { namespace: undefined } })])).toEqual([
      `${kind} api: metadata.namespace is missing; set it on the chart`,
    ]);
  });

  test.each([
    'Namespace',
    'ClusterRole',
    'ClusterRoleBinding',
    'StorageClass',
    'PriorityClass',
    'RuntimeClass',
    'IngressClass',
    'PersistentVolume',
    'CustomResourceDefinition',
    'GatewayClass',
    'ClusterIssuer',
    'ClusterSecretStore',
    'ClusterExternalSecret',
    'ClusterTriggerAuthentication',
    'VolumeSnapshotClass',
  ])('a %s has none', (kind) => {
    expect(problemsOf(identity, [manifest(kind, 'api', { metadata: { namespace: undefined } })])).toEqual([]);
    expect(problemsOf(identity, [manifest(kind, 'api')])).toEqual([
      `${kind} test/api: is cluster-scoped and must have no namespace`,
    ]);
  });
});

describe('selectors', () => {
  const changing = { ...LABELS, 'app.kubernetes.io/version': '1.2.3', team: 'search' };
  const advice = 'select by app.kubernetes.io/name and app.kubernetes.io/instance only';

  test.each(['Deployment', 'StatefulSet', 'Rollout', 'PodDisruptionBudget'])(
    'of a %s hold no label that may change',
    (kind) => {
      expect(problemsOf(identity, [manifest(kind, 'api', { spec: { selector: { matchLabels: LABELS } } })])).toEqual(
        [],
      );
      expect(problemsOf(identity, [manifest(kind, 'api', { spec: { selector: { matchLabels: changing } } })])).toEqual([
        `${kind} test/api: selects by app.kubernetes.io/version; ${advice}`,
        `${kind} test/api: selects by team; ${advice}`,
      ]);
    },
  );

  test('of a budget are those of an operator for pods that it creates, which are declared', () => {
    const budget = (labels: object) =>
      manifest('PodDisruptionBudget', 'db', { spec: { selector: { matchLabels: labels } } });
    const operated = { 'cnpg.io/poolerName': 'db-pooler' };
    const external = [{ kind: 'Pod', namespace: 'test', name: 'cnpg.io/poolerName=db-pooler' }];
    const refused = [`PodDisruptionBudget test/db: selects by cnpg.io/poolerName; ${advice}`];
    expect(problemsOf(identity, [budget(operated)], { external })).toEqual([]);
    expect(problemsOf(identity, [budget(operated)])).toEqual(refused);
    expect(problemsOf(identity, [budget({ ...operated, 'cnpg.io/poolerName': 'other' })], { external })).toEqual(
      refused,
    );
    const deployment = manifest('Deployment', 'db', { spec: { selector: { matchLabels: operated } } });
    expect(problemsOf(identity, [deployment], { external })).toEqual([
      `Deployment test/db: selects by cnpg.io/poolerName; ${advice}`,
    ]);
  });

  test('of a Service hold no label that may change', () => {
    expect(problemsOf(identity, [manifest('Service', 'api', { spec: { selector: changing } })])).toEqual([
      `Service test/api: selects by app.kubernetes.io/version; ${advice}`,
      `Service test/api: selects by team; ${advice}`,
    ]);
  });

  test('of a monitor are those of the pods, whoever labels them', () => {
    const selector = { matchLabels: { 'cnpg.io/cluster': 'db' } };
    expect(problemsOf(identity, [manifest('PodMonitor', 'db', { spec: { selector } })])).toEqual([]);
  });

  test('may be written only where the kind has one', () => {
    expect(problemsOf(identity, [manifest('ServiceMonitor', 'api', { spec: { selector: changing } })])).toEqual([]);
  });
});

test('claim templates have no labels, because they cannot change later', () => {
  const claims = (metadata: object) =>
    workload('StatefulSet', { spec: { volumeClaimTemplates: [{ metadata: { name: 'storage', ...metadata } }] } });
  expect(problemsOf(identity, [claims({})])).toEqual([]);
  expect(problemsOf(identity, [claims({ labels: LABELS })])).toEqual([
    'StatefulSet test/api: claim template storage has labels; it cannot change later',
  ]);
});
