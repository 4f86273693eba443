import type { ClusterProps } from '../../../constructs/placement/cluster';
import type { ManifestObject } from '../../../constructs/rules/output';
import type { ApiAccessRule } from '../../../constructs/workload/api-access';
import { find, namesOf } from '../../support/manifests';
import { ClusterSchemas, SCHEMAS_PRESENT } from '../../support/schemas';
import { CONTAINER, deployed } from '../../support/workloads';

const API_SERVER: ClusterProps = { apiServer: { cidrs: ['10.0.0.1/32', '10.0.0.2/32'], port: 6443 } };
const PODS: ApiAccessRule = { apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list', 'watch'] };
const SETTINGS: ApiAccessRule = {
  apiGroups: [''],
  resources: ['configmaps'],
  verbs: ['get', 'patch'],
  resourceNames: ['settings'],
};

const permitted = (rules: ApiAccessRule[], cluster: ClusterProps = API_SERVER) =>
  deployed({ apiAccess: rules }, cluster);

const egressOf = (objects: ManifestObject[]) => find(objects, 'NetworkPolicy', 'api').spec.egress;

describe('a workload that asks the API server', () => {
  const { objects, template } = permitted([PODS, SETTINGS]);

  test('may do in its namespace what it says, and nothing else', () => {
    expect(find(objects(), 'Role', 'api')).toMatchObject({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      metadata: { namespace: 'test' },
    });
    expect(find(objects(), 'Role', 'api').rules).toEqual([
      { apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'patch'], resourceNames: ['settings'] },
    ]);
    expect(namesOf(objects(), 'ClusterRole')).toEqual([]);
  });

  test('is known by its own ServiceAccount', () => {
    const { roleRef, subjects, metadata } = find(objects(), 'RoleBinding', 'api');
    expect(metadata.namespace).toBe('test');
    expect(roleRef).toEqual({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'api' });
    expect(subjects).toEqual([{ kind: 'ServiceAccount', name: 'api', namespace: 'test' }]);
  });

  test('has a token for an hour where clients look for it, and no other one', () => {
    const { spec } = template();
    expect(spec.automountServiceAccountToken).toBe(false);
    expect(find(objects(), 'ServiceAccount', 'api').automountServiceAccountToken).toBe(false);
    expect(spec.volumes).toEqual([
      {
        name: 'api-token',
        projected: {
          sources: [
            { serviceAccountToken: { path: 'token', expirationSeconds: 3600 } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            {
              downwardAPI: {
                items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
              },
            },
          ],
        },
      },
    ]);
    expect(spec.containers[0].volumeMounts).toEqual([
      { name: 'api-token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
    ]);
  });

  test('keeps the token from its other containers', () => {
    const { construct, template: changed } = permitted([PODS]);
    construct.addContainer({ ...CONTAINER, name: 'sidecar' });
    construct.addInitContainer({ ...CONTAINER, name: 'prepare' });
    const { containers, initContainers } = changed().spec;
    expect(containers[1]).not.toHaveProperty('volumeMounts');
    expect(initContainers[0]).not.toHaveProperty('volumeMounts');
  });

  test('reaches the API server, and DNS, and nobody else', () => {
    expect(egressOf(objects())).toEqual([
      {
        to: [{ ipBlock: { cidr: '10.0.0.1/32' } }, { ipBlock: { cidr: '10.0.0.2/32' } }],
        ports: [{ port: 6443, protocol: 'TCP' }],
      },
      { to: expect.anything(), ports: [expect.objectContaining({ port: 53 }), expect.objectContaining({ port: 53 })] },
    ]);
    expect(find(objects(), 'NetworkPolicy', 'api').spec).not.toHaveProperty('ingress');
  });

  test('reaches it on Cilium, which knows it by itself', () => {
    const onCilium = permitted([PODS], { cilium: true }).objects();
    expect(find(onCilium, 'CiliumNetworkPolicy', 'api-api-server').spec).toEqual({
      endpointSelector: { matchLabels: { 'app.kubernetes.io/name': 'api', 'app.kubernetes.io/instance': 'rag' } },
      egress: [{ toEntities: ['kube-apiserver'] }],
    });
    expect(find(onCilium, 'NetworkPolicy', 'api').spec).not.toHaveProperty('egress');
  });

  (SCHEMAS_PRESENT ? test : test.skip)('is one that the API server accepts', () => {
    const schemas = new ClusterSchemas('1.28');
    expect(objects().flatMap((object) => schemas.errors(object))).toEqual([]);
  });
});

test.each([
  ['no rules', undefined],
  ['an empty list of rules', []],
])('with %s there is no permission, no token and no way', (_, apiAccess) => {
  const { objects, template } = deployed({ apiAccess }, API_SERVER);
  expect(namesOf(objects(), 'Role')).toEqual([]);
  expect(namesOf(objects(), 'RoleBinding')).toEqual([]);
  expect(template().spec).not.toHaveProperty('volumes');
  expect(find(objects(), 'NetworkPolicy', 'api').spec).not.toHaveProperty('egress');
});

describe('a rule is refused', () => {
  const WILD = 'has "*", which allows whatever there is and whatever a later release adds; name each that is needed';
  const FORM = 'but must have names in lower case, as kubectl api-resources shows them';

  test.each<[Partial<ApiAccessRule>, string]>([
    [{ apiGroups: ['*'] }, `apiGroups ${WILD}`],
    [{ resources: ['*'] }, `resources ${WILD}`],
    [{ resources: ['pods/*'] }, `resources ${WILD}`],
    [{ verbs: ['get', '*'] }, `verbs ${WILD}`],
    [{ apiGroups: [] }, 'apiGroups is empty; name at least one'],
    [{ resources: [] }, 'resources is empty; name at least one'],
    [{ verbs: [] }, 'verbs is empty; name at least one'],
    [{ apiGroups: ['Apps'] }, `apiGroups has "Apps", ${FORM}`],
    [{ resources: ['Pod'] }, `resources has "Pod", ${FORM}`],
    [{ verbs: ['GET'] }, `verbs has "GET", ${FORM}`],
    [{ resourceNames: [] }, 'resourceNames is empty, which would be every object; name at least one, or leave it out'],
    [{ resourceNames: ['a b'] }, 'resourceNames is "a b", but must be DNS labels joined by dots'],
    [
      { verbs: ['create'], resourceNames: ['settings'] },
      'resourceNames cannot limit create, because what is created has no name yet; make that a rule of its own',
    ],
    ...['bind', 'escalate', 'impersonate'].map((verb): [Partial<ApiAccessRule>, string] => [
      { verbs: ['get', verb] },
      `verbs has ${verb}, with which pods give themselves what others may; leave it out`,
    ]),
    ...['list', 'watch'].map((verb): [Partial<ApiAccessRule>, string] => [
      { resources: ['pods', 'secrets'], verbs: ['get', verb], resourceNames: ['settings'] },
      `verbs has ${verb} for secrets, which hands out the values of all in the namespace; refer to the keys that are ` +
        'needed with SecretKey',
    ]),
    [
      { resources: ['secrets'], verbs: ['get'] },
      'resourceNames is missing, so every Secret of the namespace could be read; name those that are needed',
    ],
  ])('%j', (change, problem) => {
    expect(() => permitted([PODS, { ...PODS, ...change }])).toThrow(`rag/api: apiAccess.1.${problem}`);
  });
});

describe('a rule may', () => {
  test.each<[string, ApiAccessRule]>([
    ['read one Secret by its name', { apiGroups: [''], resources: ['secrets'], verbs: ['get'], resourceNames: ['a'] }],
    ['create Secrets', { apiGroups: [''], resources: ['secrets'], verbs: ['create'] }],
    ['list secrets of another API', { apiGroups: ['acme.example'], resources: ['secrets'], verbs: ['list'] }],
    ['create Jobs', { apiGroups: ['batch'], resources: ['jobs'], verbs: ['create', 'delete'] }],
  ])('%s', (_, rule) => {
    expect(find(permitted([rule]).objects(), 'Role', 'api').rules).toEqual([rule]);
  });
});

test('a cluster whose API server nobody knows is refused', () => {
  expect(() => permitted([PODS], {})).toThrow(
    'needs the API server, but the cluster does not say where it is; set apiServer in the cluster to what kubectl get ' +
      'endpoints kubernetes shows',
  );
});
