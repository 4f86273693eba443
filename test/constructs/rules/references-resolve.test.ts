import type { ExternalReference } from '../../../constructs/rules/external-references';
import type { Json, ManifestObject } from '../../../constructs/rules/output';
import { referencesResolve } from '../../../constructs/rules/references-resolve';
import { container, LABELS, manifest, POD_KINDS, problemsOf, workload } from '../../support/output';

const unresolved = (subject: string, what: string) =>
  `${subject}: refers to ${what}, which is neither in the output nor declared; create it, or declare it with ` +
  'ExternalReferences.of(chart).declare(…)';

const deployment = (pod: Json) => workload('Deployment', { pod });
const withEnv = (valueFrom: Json) => deployment({ containers: [container({ env: [{ name: 'SETTING', valueFrom }] })] });
const withEnvFrom = (source: Json) => deployment({ containers: [container({ envFrom: [source] })] });
const withVolume = (volume: Json) => deployment({ volumes: [{ name: 'data', ...volume }] });
const withSources = (...sources: Json[]) => withVolume({ projected: { sources } });

interface Case {
  readonly from: ManifestObject;
  readonly to: ExternalReference;
}

const inTest = (kind: string, name: string, key?: string): ExternalReference => ({
  kind,
  name,
  namespace: 'test',
  key,
});
const inCluster = (kind: string, name: string): ExternalReference => ({ kind, name });

const FROM_PODS: [string, Case][] = [
  ['a ConfigMap volume', { from: withVolume({ configMap: { name: 'rag' } }), to: inTest('ConfigMap', 'rag') }],
  [
    'a file of a ConfigMap volume',
    {
      from: withVolume({ configMap: { name: 'rag', items: [{ key: 'a.yaml', path: 'a.yaml' }] } }),
      to: inTest('ConfigMap', 'rag', 'a.yaml'),
    },
  ],
  ['a Secret volume', { from: withVolume({ secret: { secretName: 'tls' } }), to: inTest('Secret', 'tls') }],
  [
    'a file of a Secret volume',
    {
      from: withVolume({ secret: { secretName: 'rag', items: [{ key: 'ca.crt', path: 'ca.crt' }] } }),
      to: inTest('Secret', 'rag', 'ca.crt'),
    },
  ],
  [
    'a claim',
    {
      from: withVolume({ persistentVolumeClaim: { claimName: 'models' } }),
      to: inTest('PersistentVolumeClaim', 'models'),
    },
  ],
  [
    'a variable from a Secret',
    { from: withEnv({ secretKeyRef: { name: 'qdrant', key: 'api-key' } }), to: inTest('Secret', 'qdrant', 'api-key') },
  ],
  [
    'a variable from a ConfigMap',
    { from: withEnv({ configMapKeyRef: { name: 'rag', key: 'model' } }), to: inTest('ConfigMap', 'rag', 'model') },
  ],
  ['variables from a Secret', { from: withEnvFrom({ secretRef: { name: 'qdrant' } }), to: inTest('Secret', 'qdrant') }],
  [
    'variables from a ConfigMap',
    { from: withEnvFrom({ configMapRef: { name: 'rag' } }), to: inTest('ConfigMap', 'rag') },
  ],
  [
    'a projected ConfigMap',
    { from: withSources({ serviceAccountToken: {} }, { configMap: { name: 'rag' } }), to: inTest('ConfigMap', 'rag') },
  ],
  [
    'a file of a projected ConfigMap',
    {
      from: withSources({ configMap: { name: 'rag', items: [{ key: 'a.yaml', path: 'a.yaml' }] } }),
      to: inTest('ConfigMap', 'rag', 'a.yaml'),
    },
  ],
  ['a projected Secret', { from: withSources({ secret: { name: 'tls' } }), to: inTest('Secret', 'tls') }],
  [
    'a file of a projected Secret',
    {
      from: withSources({ secret: { name: 'tls', items: [{ key: 'ca.crt', path: 'ca.crt' }] } }),
      to: inTest('Secret', 'tls', 'ca.crt'),
    },
  ],
  [
    'the SecretProviderClass of a volume',
    {
      from: withVolume({
        csi: { driver: 'secrets-store.csi.k8s.io', volumeAttributes: { secretProviderClass: 'vault' } },
      }),
      to: inTest('SecretProviderClass', 'vault'),
    },
  ],
  ['the ServiceAccount', { from: deployment({ serviceAccountName: 'rag' }), to: inTest('ServiceAccount', 'rag') }],
  ['the RuntimeClass', { from: deployment({ runtimeClassName: 'nvidia' }), to: inCluster('RuntimeClass', 'nvidia') }],
  ['the PriorityClass', { from: deployment({ priorityClassName: 'high' }), to: inCluster('PriorityClass', 'high') }],
  ['a pull secret', { from: deployment({ imagePullSecrets: [{ name: 'pull' }] }), to: inTest('Secret', 'pull') }],
  [
    'the StorageClass of a claim template',
    {
      from: workload('StatefulSet', {
        spec: { volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { storageClassName: 'fast' } }] },
      }),
      to: inCluster('StorageClass', 'fast'),
    },
  ],
  [
    'the Service of a StatefulSet',
    { from: workload('StatefulSet', { spec: { serviceName: 'nodes' } }), to: inTest('Service', 'nodes') },
  ],
];

const route = (spec: Json) => manifest('HTTPRoute', 'public', { spec });
const ingress = (spec: Json) => manifest('Ingress', 'public', { spec });
const gateway = (spec: Json) => manifest('Gateway', 'public', { spec });

const secretStore = (provider: Json) => manifest('SecretStore', 'store', { spec: { provider } });
const LOGIN = { serviceAccountRef: { name: 'store' } };
const LOGINS: { readonly [provider: string]: Json } = {
  aws: { aws: { auth: { jwt: LOGIN } } },
  azurekv: { azurekv: LOGIN },
  gcpsm: { gcpsm: { auth: { workloadIdentity: LOGIN } } },
  vault: { vault: { auth: { kubernetes: LOGIN } } },
};

const FROM_OBJECTS: [string, Case][] = [
  ...['Deployment', 'StatefulSet', 'Rollout'].map((kind): [string, Case] => [
    `the ${kind} of an autoscaler`,
    {
      from: manifest('HorizontalPodAutoscaler', 'scaler', { spec: { scaleTargetRef: { kind, name: 'api' } } }),
      to: inTest(kind, 'api'),
    },
  ]),
  [
    'the target of a ScaledObject without kind',
    {
      from: manifest('ScaledObject', 'scaler', { spec: { scaleTargetRef: { name: 'api' } } }),
      to: inTest('Deployment', 'api'),
    },
  ],
  [
    'the credentials of a trigger',
    {
      from: manifest('ScaledObject', 'scaler', {
        spec: { triggers: [{ type: 'redis' }, { authenticationRef: { name: 'queue' } }] },
      }),
      to: inTest('TriggerAuthentication', 'queue'),
    },
  ],
  [
    'the credentials of a trigger in its namespace',
    {
      from: manifest('ScaledObject', 'scaler', {
        spec: { triggers: [{ authenticationRef: { kind: 'TriggerAuthentication', name: 'queue' } }] },
      }),
      to: inTest('TriggerAuthentication', 'queue'),
    },
  ],
  [
    'the credentials of a trigger for the whole cluster',
    {
      from: manifest('ScaledObject', 'scaler', {
        spec: { triggers: [{ authenticationRef: { kind: 'ClusterTriggerAuthentication', name: 'queue' } }] },
      }),
      to: inCluster('ClusterTriggerAuthentication', 'queue'),
    },
  ],
  [
    'the Secret of a TriggerAuthentication',
    {
      from: manifest('TriggerAuthentication', 'queue', {
        spec: { secretTargetRef: [{ name: 'queue', key: 'password' }] },
      }),
      to: inTest('Secret', 'queue', 'password'),
    },
  ],
  [
    'the Service of an HTTPRoute',
    { from: route({ rules: [{ backendRefs: [{ name: 'api', port: 8000 }] }] }), to: inTest('Service', 'api') },
  ],
  [
    'the Service of an HTTPRoute in another namespace',
    {
      from: route({ rules: [{ backendRefs: [{ name: 'api', namespace: 'tenant', port: 8000 }] }] }),
      to: { kind: 'Service', name: 'api', namespace: 'tenant' },
    },
  ],
  [
    'the backend of an HTTPRoute of another kind',
    {
      from: route({ rules: [{}, { backendRefs: [{ kind: 'InferencePool', name: 'embedder', port: 8000 }] }] }),
      to: inTest('InferencePool', 'embedder'),
    },
  ],
  ['the Gateway of an HTTPRoute', { from: route({ parentRefs: [{ name: 'edge' }] }), to: inTest('Gateway', 'edge') }],
  [
    'the Gateway in another namespace',
    {
      from: route({ parentRefs: [{ name: 'edge', namespace: 'gateways' }] }),
      to: { kind: 'Gateway', name: 'edge', namespace: 'gateways' },
    },
  ],
  [
    'a parent of another kind',
    { from: route({ parentRefs: [{ kind: 'Service', name: 'mesh' }] }), to: inTest('Service', 'mesh') },
  ],
  [
    'the Service of an Ingress',
    {
      from: ingress({
        rules: [{ http: { paths: [{ backend: { service: { name: 'api', port: { number: 8000 } } } }] } }],
      }),
      to: inTest('Service', 'api'),
    },
  ],
  [
    'the default Service of an Ingress',
    {
      from: ingress({ defaultBackend: { service: { name: 'api', port: { number: 8000 } } } }),
      to: inTest('Service', 'api'),
    },
  ],
  [
    'the StorageClass of a claim',
    {
      from: manifest('PersistentVolumeClaim', 'models', { spec: { storageClassName: 'efs' } }),
      to: inCluster('StorageClass', 'efs'),
    },
  ],
  ['the certificate of an Ingress', { from: ingress({ tls: [{ secretName: 'tls' }] }), to: inTest('Secret', 'tls') }],
  ['the IngressClass', { from: ingress({ ingressClassName: 'nginx' }), to: inCluster('IngressClass', 'nginx') }],
  ['the GatewayClass', { from: gateway({ gatewayClassName: 'envoy' }), to: inCluster('GatewayClass', 'envoy') }],
  [
    'the certificate of a listener',
    {
      from: gateway({ listeners: [{ name: 'http' }, { tls: { certificateRefs: [{ name: 'tls' }] } }] }),
      to: inTest('Secret', 'tls'),
    },
  ],
  [
    'the certificate of a listener in another namespace',
    {
      from: gateway({ listeners: [{ tls: { certificateRefs: [{ name: 'tls', namespace: 'certificates' }] } }] }),
      to: { kind: 'Secret', name: 'tls', namespace: 'certificates' },
    },
  ],
  [
    'the certificate of a listener of another kind',
    {
      from: gateway({ listeners: [{ tls: { certificateRefs: [{ kind: 'CertificateBundle', name: 'tls' }] } }] }),
      to: inTest('CertificateBundle', 'tls'),
    },
  ],
  [
    'the SecretStore',
    {
      from: manifest('ExternalSecret', 'qdrant', { spec: { secretStoreRef: { name: 'vault', kind: 'SecretStore' } } }),
      to: inTest('SecretStore', 'vault'),
    },
  ],
  [
    'the ClusterSecretStore',
    {
      from: manifest('ExternalSecret', 'qdrant', {
        spec: { secretStoreRef: { name: 'vault', kind: 'ClusterSecretStore' } },
      }),
      to: inCluster('ClusterSecretStore', 'vault'),
    },
  ],
  ...['aws', 'azurekv', 'gcpsm', 'vault'].map((provider): [string, Case] => [
    `the ServiceAccount that a SecretStore logs in as with ${provider}`,
    { from: secretStore(LOGINS[provider]), to: inTest('ServiceAccount', 'store') },
  ]),
  ...['ConfigMap', 'Secret'].map((kind): [string, Case] => [
    `the authority that a SecretStore trusts, in a ${kind}`,
    {
      from: secretStore({ vault: { caProvider: { type: kind, name: 'ca', key: 'ca.crt' } } }),
      to: inTest(kind, 'ca', 'ca.crt'),
    },
  ]),
  [
    'the Issuer',
    {
      from: manifest('Certificate', 'tls', { spec: { issuerRef: { name: 'internal', kind: 'Issuer' } } }),
      to: inTest('Issuer', 'internal'),
    },
  ],
  [
    'the ClusterIssuer',
    {
      from: manifest('Certificate', 'tls', { spec: { issuerRef: { name: 'internal', kind: 'ClusterIssuer' } } }),
      to: inCluster('ClusterIssuer', 'internal'),
    },
  ],
];

/** An object that a reference resolves to. */
function referent({ kind, name, namespace, key = 'unasked' }: ExternalReference): ManifestObject {
  return kind === 'Secret'
    ? manifest('ExternalSecret', name, { metadata: { namespace }, spec: { data: [{ secretKey: key }] } })
    : manifest(kind, name, { metadata: { namespace }, data: { [key]: '' }, spec: { ports: [{ port: 8000 }] } });
}

describe.each([...FROM_PODS, ...FROM_OBJECTS])('%s', (_, { from, to }) => {
  const { kind, name, key } = to;
  const missing = unresolved(
    `${from.kind} test/${from.metadata.name}`,
    key ? `${kind} ${name} key ${key}` : `${kind} ${name}`,
  );

  test('has to be somewhere', () => {
    expect(problemsOf(referencesResolve, [from])).toEqual([missing]);
  });

  test('may be declared, may be in the chart, may be elsewhere in the app', () => {
    expect(problemsOf(referencesResolve, [from], { external: [to] })).toEqual([]);
    expect(problemsOf(referencesResolve, [from], { besides: [referent(to)] })).toEqual([]);
    expect(problemsOf(referencesResolve, [from], { elsewhere: [referent(to)] })).toEqual([]);
  });

  test('is not what has another name or namespace', () => {
    const others = [
      { ...to, name: 'other' },
      { ...to, namespace: 'other' },
    ];
    const besides = others.map((other) => ({
      ...referent(other),
      metadata: { name: other.name, namespace: other.namespace },
    }));
    expect(problemsOf(referencesResolve, [from], { besides, external: others })).toEqual([missing]);
  });
});

describe.each(POD_KINDS)('the pods of a %s', (kind) => {
  test('are judged in every container', () => {
    const asking = (name: string) =>
      container({ name, env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name, key: 'key' } } }] });
    const pod = { initContainers: [asking('prepare')], containers: [container(), asking('sidecar')] };
    expect(problemsOf(referencesResolve, [workload(kind, { pod })])).toEqual([
      unresolved(`${kind} test/api`, 'Secret prepare key key'),
      unresolved(`${kind} test/api`, 'Secret sidecar key key'),
    ]);
  });

  test('may refer to nothing, and to what they are themselves', () => {
    const env = [
      { name: 'PLAIN', value: 'text' },
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ];
    const pod = { volumes: [{ name: 'tmp', emptyDir: {} }], containers: [container({ env })] };
    expect(problemsOf(referencesResolve, [workload(kind, { pod })])).toEqual([]);
  });
});

describe.each<[string, (source: Json) => ManifestObject, Json, string]>([
  ['a ConfigMap volume', (configMap) => withVolume({ configMap }), { name: 'rag' }, 'ConfigMap rag'],
  ['a Secret volume', (secret) => withVolume({ secret }), { secretName: 'tls' }, 'Secret tls'],
  ['a projected ConfigMap', (configMap) => withSources({ configMap }), { name: 'rag' }, 'ConfigMap rag'],
  ['a projected Secret', (secret) => withSources({ secret }), { name: 'tls' }, 'Secret tls'],
  ['variables from a ConfigMap', (configMapRef) => withEnvFrom({ configMapRef }), { name: 'rag' }, 'ConfigMap rag'],
  ['variables from a Secret', (secretRef) => withEnvFrom({ secretRef }), { name: 'tls' }, 'Secret tls'],
  [
    'a variable from a ConfigMap',
    (configMapKeyRef) => withEnv({ configMapKeyRef }),
    { name: 'rag', key: 'a' },
    'ConfigMap rag key a',
  ],
  [
    'a variable from a Secret',
    (secretKeyRef) => withEnv({ secretKeyRef }),
    { name: 'tls', key: 'a' },
    'Secret tls key a',
  ],
])('%s', (_, asking, source, what) => {
  test('may be missing when it is optional', () => {
    expect(problemsOf(referencesResolve, [asking({ ...source, optional: true })])).toEqual([]);
    expect(problemsOf(referencesResolve, [asking({ ...source, optional: false })])).toEqual([
      unresolved('Deployment test/api', what),
    ]);
  });
});

test('the files of an optional volume may be missing too', () => {
  const items = [{ key: 'a', path: 'a' }];
  for (const optional of [true, false]) {
    const problems = optional ? [] : [unresolved('Deployment test/api', 'ConfigMap rag key a')];
    const configMap = { name: 'rag', items, optional };
    expect(problemsOf(referencesResolve, [withVolume({ configMap })])).toEqual(problems);
    expect(problemsOf(referencesResolve, [withSources({ configMap })])).toEqual(problems);
  }
});

test('a volume of another driver or without a name refers to nothing', () => {
  const csi = { driver: 'ebs.csi.aws.com', volumeAttributes: { fsType: 'ext4' } };
  expect(problemsOf(referencesResolve, [withVolume({ csi }), withVolume({ csi: { driver: 'x' } })])).toEqual([]);
  expect(problemsOf(referencesResolve, [withSources({ downwardAPI: { items: [] } })])).toEqual([]);
});

describe('a key', () => {
  const config = withEnv({ configMapKeyRef: { name: 'rag', key: 'model' } });

  test('has to be in the ConfigMap', () => {
    const besides = [manifest('ConfigMap', 'rag', { data: { other: 'x' } })];
    expect(problemsOf(referencesResolve, [config], { besides })).toEqual([
      unresolved('Deployment test/api', 'ConfigMap rag key model'),
    ]);
  });

  test('is there when the whole object is declared', () => {
    expect(problemsOf(referencesResolve, [config], { external: [inTest('ConfigMap', 'rag')] })).toEqual([]);
  });

  test('is looked for one by one', () => {
    const items = ['a', 'b'].map((key) => ({ key, path: key }));
    const volume = withVolume({ configMap: { name: 'rag', items } });
    expect(problemsOf(referencesResolve, [volume], { external: [inTest('ConfigMap', 'rag', 'a')] })).toEqual([
      unresolved('Deployment test/api', 'ConfigMap rag key b'),
    ]);
  });
});

describe('a Secret', () => {
  const asking = (name: string, key: string) => withEnv({ secretKeyRef: { name, key } });
  const problems = (own: ManifestObject, ...besides: ManifestObject[]) =>
    problemsOf(referencesResolve, [own], { besides });

  test('comes from an ExternalSecret, with the keys that it fills', () => {
    const data = [{ secretKey: 'api-key' }, { secretKey: 'read' }];
    const external = manifest('ExternalSecret', 'qdrant', { spec: { data } });
    expect(problems(asking('qdrant', 'api-key'), external)).toEqual([]);
    expect(problems(asking('qdrant', 'read'), external)).toEqual([]);
    expect(problems(asking('qdrant', 'other'), external)).toEqual([
      unresolved('Deployment test/api', 'Secret qdrant key other'),
    ]);
  });

  test('comes from an ExternalSecret, with the keys that its template makes', () => {
    const target = { template: { data: { 'password.urlencoded': '{{ index . "password" | urlquery }}' } } };
    const external = manifest('ExternalSecret', 'queue', { spec: { target, data: [{ secretKey: 'password' }] } });
    expect(problems(asking('queue', 'password'), external)).toEqual([]);
    expect(problems(asking('queue', 'password.urlencoded'), external)).toEqual([]);
    expect(problems(asking('queue', 'urlencoded'), external)).toEqual([
      unresolved('Deployment test/api', 'Secret queue key urlencoded'),
    ]);
  });

  test('of which a SecretStore needs none', () => {
    expect(problems(secretStore({ aws: { region: 'eu-west-1' } }))).toEqual([]);
    expect(problems(manifest('SecretStore', 'store', { spec: {} }))).toEqual([]);
  });

  test('comes from an ExternalSecret that takes over whole entries, with keys that only the store knows', () => {
    const dataFrom = [{ extract: { key: 'rag/qdrant' } }];
    const external = manifest('ExternalSecret', 'qdrant', { spec: { dataFrom, data: [{ secretKey: 'read' }] } });
    expect(problems(asking('qdrant', 'api-key'), external)).toEqual([]);
    expect(problems(asking('qdrant', 'read'), external)).toEqual([]);
    expect(problems(asking('redis', 'api-key'), external)).toEqual([
      unresolved('Deployment test/api', 'Secret redis key api-key'),
    ]);
  });

  test.each(['data', 'stringData'])('comes from somebody else, with the keys of its %s', (field) => {
    const foreign = manifest('Secret', 'qdrant', { [field]: { 'api-key': 'x' } });
    expect(problems(asking('qdrant', 'api-key'), foreign)).toEqual([]);
    expect(problems(withEnvFrom({ secretRef: { name: 'qdrant' } }), foreign)).toEqual([]);
    expect(problems(asking('qdrant', 'other'), foreign)).toEqual([
      unresolved('Deployment test/api', 'Secret qdrant key other'),
    ]);
    expect(problems(asking('redis', 'api-key'), foreign)).toEqual([
      unresolved('Deployment test/api', 'Secret redis key api-key'),
    ]);
    const away = manifest('Secret', 'qdrant', { metadata: { namespace: 'other' }, [field]: { 'api-key': 'x' } });
    expect(problems(asking('qdrant', 'api-key'), away)).toEqual([
      unresolved('Deployment test/api', 'Secret qdrant key api-key'),
    ]);
  });

  test('has the name of the target', () => {
    const external = manifest('ExternalSecret', 'filled', {
      spec: { target: { name: 'qdrant' }, data: [{ secretKey: 'api-key' }] },
    });
    expect(problems(asking('qdrant', 'api-key'), external)).toEqual([]);
    expect(problems(asking('filled', 'api-key'), external)).toEqual([
      unresolved('Deployment test/api', 'Secret filled key api-key'),
    ]);
  });

  test('comes from a Certificate, with the keys that cert-manager writes', () => {
    const certificate = manifest('Certificate', 'qdrant', { spec: { secretName: 'qdrant-tls' } });
    for (const key of ['tls.crt', 'tls.key', 'ca.crt']) {
      expect(problems(asking('qdrant-tls', key), certificate)).toEqual([]);
    }
    expect(problems(withVolume({ secret: { secretName: 'qdrant-tls' } }), certificate)).toEqual([]);
    expect(problems(asking('qdrant-tls', 'password'), certificate)).toEqual([
      unresolved('Deployment test/api', 'Secret qdrant-tls key password'),
    ]);
    expect(problems(asking('qdrant', 'tls.crt'), certificate)).toEqual([
      unresolved('Deployment test/api', 'Secret qdrant key tls.crt'),
    ]);
  });

  test('is one of its own namespace', () => {
    const metadata = { namespace: 'other' };
    const besides = [
      manifest('ExternalSecret', 'qdrant', { metadata, spec: { data: [{ secretKey: 'tls.crt' }] } }),
      manifest('Certificate', 'qdrant', { metadata, spec: { secretName: 'qdrant' } }),
    ];
    expect(problems(asking('qdrant', 'tls.crt'), ...besides)).toEqual([
      unresolved('Deployment test/api', 'Secret qdrant key tls.crt'),
    ]);
  });
});

describe('a mount', () => {
  const mounting = (kind: string, pod: Json, spec: Json = {}) =>
    workload(kind, {
      spec,
      pod: { containers: [container({ volumeMounts: [{ name: 'data', mountPath: '/data' }] })], ...pod },
    });

  test('is of a volume, or of a claim template', () => {
    const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: {} }];
    expect(problemsOf(referencesResolve, [mounting('Job', { volumes: [{ name: 'data', emptyDir: {} }] })])).toEqual([]);
    expect(problemsOf(referencesResolve, [mounting('StatefulSet', {}, { volumeClaimTemplates })])).toEqual([]);
  });

  test.each(POD_KINDS)('of nothing is found in a %s', (kind) => {
    const initContainers = [container({ name: 'prepare', volumeMounts: [{ name: 'models', mountPath: '/models' }] })];
    const volumes = [{ name: 'other', emptyDir: {} }];
    expect(problemsOf(referencesResolve, [mounting(kind, { initContainers, volumes })])).toEqual([
      `${kind} test/api: mounts models, which is no volume`,
      `${kind} test/api: mounts data, which is no volume`,
    ]);
  });
});

describe.each(['startupProbe', 'readinessProbe', 'livenessProbe'])('a %s', (probe) => {
  const problems = (handler: Json) =>
    problemsOf(referencesResolve, [
      deployment({
        containers: [
          container({ ports: [{ containerPort: 8000 }, { name: 'grpc', containerPort: 8001 }], [probe]: handler }),
        ],
      }),
    ]);

  test.each(['httpGet', 'tcpSocket', 'grpc'])('by %s asks a port of the container', (handler) => {
    expect(problems({ [handler]: { port: 8000 } })).toEqual([]);
    expect(problems({ [handler]: { port: 9000 } })).toEqual([
      `Deployment test/api: ${probe} of container api asks port 9000, which the container does not declare`,
    ]);
  });

  test.each(['httpGet', 'tcpSocket'])('by %s may ask a port by its name', (handler) => {
    expect(problems({ [handler]: { port: 'grpc' } })).toEqual([]);
    expect(problems({ [handler]: { port: 'http' } })).toEqual([
      `Deployment test/api: ${probe} of container api asks port http, which the container does not declare`,
    ]);
  });

  test('by a command asks no port', () => {
    expect(problems({ exec: { command: ['true'] } })).toEqual([]);
  });

  test('does not ask the port of another container', () => {
    const containers = [
      container({ [probe]: { httpGet: { port: 8000 } } }),
      container({ name: 'sidecar', ports: [{ containerPort: 8000 }] }),
    ];
    expect(problemsOf(referencesResolve, [deployment({ containers })])).toEqual([
      `Deployment test/api: ${probe} of container api asks port 8000, which the container does not declare`,
    ]);
  });
});

describe('the port of a backend', () => {
  const ports = [
    { name: 'http', port: 8000 },
    { name: 'grpc', port: 9000 },
  ];
  const service = manifest('Service', 'api', { spec: { ports } });
  const toPort = (port: number): [string, ManifestObject][] => [
    ['HTTPRoute', route({ rules: [{ backendRefs: [{ name: 'api', port }] }] })],
    [
      'Ingress',
      ingress({ rules: [{ http: { paths: [{ backend: { service: { name: 'api', port: { number: port } } } }] } }] }),
    ],
  ];

  test.each(toPort(9000))('of an %s is one of the Service', (_, object) => {
    expect(problemsOf(referencesResolve, [object], { besides: [service] })).toEqual([]);
  });

  test.each(toPort(80))('of an %s cannot be another', (kind, object) => {
    expect(problemsOf(referencesResolve, [object], { besides: [service] })).toEqual([
      `${kind} test/public: leads to port 80 of Service test/api, which has no such port`,
    ]);
  });

  test.each(toPort(80))('of an %s is not ours to know when the Service is declared', (_, object) => {
    expect(problemsOf(referencesResolve, [object], { external: [inTest('Service', 'api')] })).toEqual([]);
  });

  test.each<[string, (port: Json) => Json]>([
    ['a path', (port) => ({ rules: [{ http: { paths: [{ backend: { service: { name: 'api', port } } }] } }] })],
    ['the default', (port) => ({ defaultBackend: { service: { name: 'api', port } } })],
  ])('of %s of an Ingress may be named', (_, specOf) => {
    expect(problemsOf(referencesResolve, [ingress(specOf({ name: 'grpc' }))], { besides: [service] })).toEqual([]);
    expect(problemsOf(referencesResolve, [ingress(specOf({ number: 9000 }))], { besides: [service] })).toEqual([]);
    expect(problemsOf(referencesResolve, [ingress(specOf({ name: 'metrics' }))], { besides: [service] })).toEqual([
      'Ingress test/public: leads to port metrics of Service test/api, which has no such port',
    ]);
    expect(problemsOf(referencesResolve, [ingress(specOf({ number: 80 }))], { besides: [service] })).toEqual([
      'Ingress test/public: leads to port 80 of Service test/api, which has no such port',
    ]);
  });

  test('of another kind than a Service is not ours to know', () => {
    const object = route({ rules: [{ backendRefs: [{ kind: 'InferencePool', name: 'api', port: 80 }] }] });
    const external = [inTest('InferencePool', 'api')];
    expect(problemsOf(referencesResolve, [object], { besides: [service], external })).toEqual([]);
  });

  test('belongs to the Service of the namespace that is named', () => {
    const away = manifest('Service', 'api', { metadata: { namespace: 'tenant' }, spec: { ports: [{ port: 80 }] } });
    const object = route({ rules: [{ backendRefs: [{ name: 'api', namespace: 'tenant', port: 8000 }] }] });
    expect(problemsOf(referencesResolve, [object], { besides: [service, away] })).toEqual([
      'HTTPRoute test/public: leads to port 8000 of Service tenant/api, which has no such port',
    ]);
  });
});

describe('a Secret that exists while pods mount it', () => {
  const secretObjects = [{ secretName: 'qdrant', data: [{ objectName: 'k', key: 'api-key' }] }];
  const besides = [manifest('SecretProviderClass', 'vault', { spec: { secretObjects } })];
  const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 'qdrant', key: 'api-key' } } }];
  const csi = { driver: 'secrets-store.csi.k8s.io', volumeAttributes: { secretProviderClass: 'vault' } };
  const mounted = { volumes: [{ name: 'vault', csi }], containers: [container({ env })] };
  const unmounted = 'which exists only while its pods mount SecretProviderClass vault; mount it there';

  test('is there for pods that do', () => {
    expect(problemsOf(referencesResolve, [workload('Deployment', { pod: mounted })], { besides })).toEqual([]);
  });

  test('is not there for pods that leave it to others', () => {
    const reader = workload('Deployment', { pod: { containers: [container({ env })] } });
    const other = workload('StatefulSet', { pod: mounted });
    expect(problemsOf(referencesResolve, [reader], { besides: [...besides, other] })).toEqual([
      `Deployment test/api: refers to Secret qdrant key api-key, ${unmounted}`,
    ]);
  });

  test('is there for what runs no pods when some pods do', () => {
    const spec = { secretTargetRef: [{ parameter: 'password', name: 'qdrant', key: 'api-key' }] };
    const trigger = manifest('TriggerAuthentication', 'api', { spec });
    expect(problemsOf(referencesResolve, [trigger], { besides })).toEqual([
      `TriggerAuthentication test/api: refers to Secret qdrant key api-key, ${unmounted}`,
    ]);
    const pods = workload('Deployment', { pod: mounted });
    expect(problemsOf(referencesResolve, [trigger], { besides: [...besides, pods] })).toEqual([]);
  });

  test('has the keys of its class only, and is in the namespace of its class', () => {
    const other = [{ name: 'A', valueFrom: { secretKeyRef: { name: 'qdrant', key: 'other' } } }];
    const pods = workload('Deployment', { pod: { ...mounted, containers: [container({ env: other })] } });
    const away = manifest('SecretProviderClass', 'vault', { metadata: { namespace: 'away' }, spec: { secretObjects } });
    expect(problemsOf(referencesResolve, [pods], { besides })).toHaveLength(1);
    expect(problemsOf(referencesResolve, [workload('Deployment', { pod: mounted })], { besides: [away] })).toHaveLength(
      2,
    );
  });
});

describe('a RoleBinding', () => {
  const binding = (roleRef: Json, subjects: Json) => ({
    ...manifest('RoleBinding', 'api'),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', ...roleRef },
    subjects,
  });
  const account = { kind: 'ServiceAccount', name: 'api' };

  test('leads from an account to a Role, both of which there are', () => {
    const besides = [manifest('Role', 'api'), manifest('ServiceAccount', 'api')];
    const own = [binding({ kind: 'Role', name: 'api' }, [account])];
    expect(problemsOf(referencesResolve, own, { besides })).toEqual([]);
    expect(problemsOf(referencesResolve, own)).toEqual([
      expect.stringContaining('RoleBinding test/api: refers to Role api, which is neither in the output nor declared'),
      expect.stringContaining('RoleBinding test/api: refers to ServiceAccount api, which is neither in the output'),
    ]);
  });

  test('may lead to a ClusterRole that is declared, from an account elsewhere', () => {
    const subjects = [
      { ...account, namespace: 'away' },
      { kind: 'Group', name: 'rag' },
    ];
    const external = [
      { kind: 'ClusterRole', name: 'view' },
      { kind: 'ServiceAccount', name: 'api', namespace: 'away' },
    ];
    const own = [binding({ kind: 'ClusterRole', name: 'view' }, subjects)];
    expect(problemsOf(referencesResolve, own, { external })).toEqual([]);
  });
});

describe('a disruption budget', () => {
  const budget = manifest('PodDisruptionBudget', 'api', { spec: { selector: { matchLabels: LABELS } } });

  test('selects pods', () => {
    expect(problemsOf(referencesResolve, [budget, workload('Deployment')])).toEqual([]);
    const other = workload('Deployment', { labels: { 'app.kubernetes.io/name': 'api' } });
    expect(problemsOf(referencesResolve, [budget, other])).toEqual([
      'PodDisruptionBudget test/api: selects no pods of the output',
    ]);
  });

  test('selects pods that an operator is declared to create', () => {
    const declared = (name: string) => ({ external: [{ kind: 'Pod', namespace: 'test', name }] });
    const operated = manifest('PodDisruptionBudget', 'db', {
      spec: { selector: { matchLabels: { 'cnpg.io/cluster': 'db' } } },
    });
    expect(problemsOf(referencesResolve, [operated], declared('cnpg.io/cluster=db'))).toEqual([]);
    expect(problemsOf(referencesResolve, [operated], declared('cnpg.io/cluster=other'))).toEqual([
      'PodDisruptionBudget test/db: selects no pods of the output',
    ]);
  });

  test('that selects by expressions alone is not worked out', () => {
    const selector = { matchExpressions: [{ key: 'app.kubernetes.io/name', operator: 'Exists' }] };
    expect(problemsOf(referencesResolve, [manifest('PodDisruptionBudget', 'api', { spec: { selector } })])).toEqual([]);
  });
});

test('fields of the same names in other kinds are no references', () => {
  const path = { backend: { resource: { apiGroup: 'acme.example', kind: 'Bucket', name: 'static' } } };
  const backendRefs = [{ name: 'missing', port: 80 }];
  const objects = [
    ingress({ rules: [{ host: 'rag.acme.example' }, { http: { paths: [path] } }], defaultBackend: path.backend }),
    manifest('Other', 'rules', { spec: { rules: [{ backendRefs }], tls: [{ secretName: 'missing' }] } }),
    manifest('Other', 'map', { spec: { rules: { first: 1 }, listeners: {}, triggers: 'none', parentRefs: {} } }),
    manifest('Other', 'claim', { spec: { storageClassName: 'missing', defaultBackend: { service: { name: 'x' } } } }),
    manifest('Other', 'empty'),
  ];
  expect(problemsOf(referencesResolve, objects)).toEqual([]);
});

test('objects that are not ours are not judged', () => {
  const besides = [...FROM_PODS, ...FROM_OBJECTS].map(([, { from }]) => from);
  expect(problemsOf(referencesResolve, [], { besides })).toEqual([]);
});
