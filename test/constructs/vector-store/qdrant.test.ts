import { App, Chart, Duration, Size } from 'cdk8s';
import { parse } from 'yaml';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { ExternalReferences } from '../../../constructs/rules/external-references';
import type { Json } from '../../../constructs/rules/output';
import { CertificateIssuer } from '../../../constructs/secrets/certificate-issuer';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { ServerCertificate } from '../../../constructs/secrets/server-certificate';
import { Qdrant, type QdrantProps } from '../../../constructs/vector-store/qdrant';
import { Deployment } from '../../../constructs/workload/deployment';
import { EnvValue } from '../../../constructs/workload/env-value';
import type { IProvider } from '../../../constructs/workload/provider';
import { SecretRotation } from '../../../constructs/workload/secret-rotation';
import { isCovered, urlsOf } from '../../support/certificate-names';
import { env, find, mainContainer, namesOf, render, templateOf, testChart } from '../../support/manifests';
import { IMAGE, RESOURCES } from '../../support/values';

const CLIENT = { image: IMAGE, resources: RESOURCES };
const RELOAD = 'secret.reloader.stakater.com/reload';
const PROPS: QdrantProps = {
  resources: RESOURCES,
  storage: Size.gibibytes(50),
  apiKey: SecretKey.of('qdrant', 'api-key'),
};

function qdrant(props: Partial<QdrantProps> = {}, cluster: ClusterProps = {}) {
  const chart = testChart(cluster);
  const construct = new Qdrant(chart, 'qdrant', { ...PROPS, ...props });
  return { chart, construct, objects: () => render(chart) };
}

function configOf(objects: ReturnType<typeof render>) {
  return parse(find(objects, 'ConfigMap', 'qdrant').data['production.yaml']);
}

/** Names of the ports of a Service with what they speak. */
function protocolsOf(objects: ReturnType<typeof render>, service: string) {
  return find(objects, 'Service', service).spec.ports.map(
    ({ name, appProtocol }: { name: string; appProtocol?: string }) => [name, appProtocol],
  );
}

/** The container that decides how a node starts. */
function findClusterOf(objects: ReturnType<typeof render>): Json {
  const [container, ...others] = templateOf(find(objects, 'StatefulSet', 'qdrant')).spec.initContainers;
  expect([container.name, others]).toEqual(['find-cluster', []]);
  return container;
}

/** Variables of a container by name. */
function variablesOf({ env: variables }: Json): Json {
  return Object.fromEntries(variables.map(({ name, value, valueFrom }: Json) => [name, value ?? valueFrom]));
}

/** The address of each of three nodes at a port, as they are told. */
function addresses(scheme: string, port: number): string {
  return [0, 1, 2].map((node) => `${scheme}://qdrant-${node}.qdrant-headless.test.svc.cluster.local:${port}`).join(',');
}

/** How strictly nodes are kept apart, by what. */
function spreadOf(objects: ReturnType<typeof render>) {
  const constraints = templateOf(find(objects, 'StatefulSet', 'qdrant')).spec.topologySpreadConstraints;
  return constraints.map((constraint: Record<string, unknown>) => [
    constraint.topologyKey,
    constraint.whenUnsatisfiable,
    constraint.minDomains,
  ]);
}

describe('a cluster', () => {
  const objects = qdrant().objects();
  const statefulSet = find(objects, 'StatefulSet', 'qdrant');

  test('has three nodes that start together', () => {
    expect(statefulSet.spec.replicas).toBe(3);
    expect(statefulSet.spec.podManagementPolicy).toBe('Parallel');
    expect(statefulSet.spec.serviceName).toBe('qdrant-headless');
  });

  test('gives each node a name before it is ready, and clients a Service without p2p', () => {
    const headless = find(objects, 'Service', 'qdrant-headless').spec;
    expect(headless).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
    expect(headless.ports.map(({ port }: { port: number }) => port)).toEqual([6333, 6334, 6335]);
    const service = find(objects, 'Service', 'qdrant').spec;
    expect(service.ports.map(({ port }: { port: number }) => port)).toEqual([6333, 6334]);
    expect(service.clusterIP).toBeUndefined();
    expect(service.publishNotReadyAddresses).toBeUndefined();
  });

  test('says what its ports speak', () => {
    const clients = [
      ['http', 'http'],
      ['grpc', 'grpc'],
    ];
    expect(protocolsOf(objects, 'qdrant')).toEqual(clients);
    expect(protocolsOf(objects, 'qdrant-headless')).toEqual([...clients, ['p2p', undefined]]);
  });

  test('starts by a script, with the arguments that were decided before', () => {
    const { command, volumeMounts } = mainContainer(statefulSet);
    expect(command).toEqual(['bash', '/qdrant/start/qdrant-start.sh']);
    expect(find(objects, 'ConfigMap', 'qdrant').data['qdrant-start.sh']).toContain('exec ./qdrant');
    expect(env(statefulSet, 'QDRANT_START_FILE')).toBe('/qdrant/init/arguments');
    expect(env(statefulSet, 'QDRANT_STORAGE')).toBe('/qdrant/storage');
    expect(volumeMounts).toContainEqual({ name: 'init', mountPath: '/qdrant/init' });
    expect(templateOf(statefulSet).spec.volumes).toContainEqual({
      name: 'init',
      emptyDir: { medium: 'Memory', sizeLimit: '1Mi' },
    });
    for (const name of ['POD_NAME', 'QDRANT_NODE_URLS', 'QDRANT_PEER_URIS', 'QDRANT_API_KEY']) {
      expect(env(statefulSet, name)).toBeUndefined();
    }
    expect(JSON.stringify(volumeMounts)).not.toContain('.mjs');
  });

  test('decides before Qdrant starts how a node does, by a program that knows the nodes', () => {
    const { command, image, resources, ...container } = findClusterOf(objects);
    expect(command).toEqual(['node', '/opt/program/find-cluster.mjs']);
    expect(image).toMatch(/^docker\.io\/library\/node:.*@sha256:/);
    expect(variablesOf(container)).toEqual({
      POD_NAME: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } },
      QDRANT_STORAGE: '/qdrant/storage',
      QDRANT_START_FILE: '/qdrant/init/arguments',
      QDRANT_API_KEY: { secretKeyRef: { name: 'qdrant', key: 'api-key' } },
      QDRANT_NODE_URLS: addresses('http', 6333),
      QDRANT_PEER_URIS: addresses('http', 6335),
    });
    expect(resources.requests).toMatchObject({ cpu: '50m', memory: '128Mi' });
    expect(resources.limits).toMatchObject({ memory: '128Mi' });
    // None of these is allowed where a container ends before the others start.
    for (const field of ['lifecycle', 'ports', 'startupProbe', 'readinessProbe', 'livenessProbe', 'restartPolicy']) {
      expect(container).not.toHaveProperty(field);
    }
  });

  test('has that program only read the data, and gives it its files', () => {
    const files = ['find-cluster', 'qdrant-client', 'qdrant-cluster', 'qdrant-collections', 'qdrant-shards'];
    const mounts: Json[] = findClusterOf(objects).volumeMounts;
    expect(mounts.filter(({ name }) => name !== 'config')).toEqual([
      { name: 'storage', mountPath: '/qdrant/storage', readOnly: true },
      { name: 'init', mountPath: '/qdrant/init' },
    ]);
    const programs = mounts.filter(({ name }) => name === 'config');
    expect(programs.map(({ mountPath }) => mountPath).sort()).toEqual(files.map((name) => `/opt/program/${name}.mjs`));
    expect(programs.every(({ readOnly }) => readOnly)).toBe(true);
    const { data } = find(objects, 'ConfigMap', 'qdrant');
    expect(programs.filter(({ subPath }) => data[subPath] === undefined)).toEqual([]);
  });

  test('asks for the key, and sends nothing home', () => {
    expect(env(statefulSet, 'QDRANT__SERVICE__API_KEY')).toEqual({ secretKeyRef: { name: 'qdrant', key: 'api-key' } });
    expect(env(statefulSet, 'QDRANT__SERVICE__READ_ONLY_API_KEY')).toBeUndefined();
    expect(configOf(objects)).toMatchObject({
      telemetry_disabled: true,
      cluster: { enabled: true, p2p: { port: 6335 } },
      service: {
        enable_cors: false,
        enable_snapshot_url_recovery: false,
        enforce_internal_auth: true,
        metrics_port: 6336,
      },
      storage: {
        collection: { replication_factor: 2 },
        quotas: { enabled: true, max_disk_usage_percent: 90 },
        // On the volume for snapshots, not on that of the data.
        temp_path: './snapshots/tmp',
      },
    });
  });

  test('keeps data and snapshots on volumes of their own, and never gives them up', () => {
    expect(statefulSet.spec.persistentVolumeClaimRetentionPolicy).toEqual({
      whenDeleted: 'Retain',
      whenScaled: 'Retain',
    });
    const claims = statefulSet.spec.volumeClaimTemplates;
    expect(claims.map((claim: { metadata: object }) => claim.metadata)).toEqual([
      { name: 'storage' },
      { name: 'snapshots' },
    ]);
    expect(claims[0]).toEqual({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'storage' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '50Gi' } }, volumeMode: 'Filesystem' },
    });
    const mounts = mainContainer(statefulSet).volumeMounts;
    expect(mounts).toContainEqual({ name: 'storage', mountPath: '/qdrant/storage' });
    expect(mounts).toContainEqual({ name: 'snapshots', mountPath: '/qdrant/snapshots' });
  });

  test('is probed so that loading, serving and living are told apart', () => {
    const { startupProbe, readinessProbe, livenessProbe } = mainContainer(statefulSet);
    expect(startupProbe.httpGet).toEqual({ path: '/livez', port: 6333, scheme: 'HTTP' });
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBe(600);
    expect(readinessProbe.httpGet.path).toBe('/readyz');
    expect(livenessProbe.httpGet.path).toBe('/livez');
    expect(livenessProbe.failureThreshold).toBeGreaterThan(readinessProbe.timeoutSeconds);
  });

  test('runs the unprivileged image as its user', () => {
    expect(mainContainer(statefulSet).image).toMatch(
      /^docker\.io\/qdrant\/qdrant:v1\.\d+\.\d+-unprivileged@sha256:[0-9a-f]{64}$/,
    );
    expect(templateOf(statefulSet).spec.securityContext).toMatchObject({
      runAsUser: 1000,
      runAsGroup: 1000,
      fsGroup: 1000,
    });
  });

  test('keeps its quorum over evictions and nodes, over zones where it can, and is scaled by nobody', () => {
    expect(find(objects, 'PodDisruptionBudget', 'qdrant').spec).toMatchObject({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'IfHealthyBudget',
    });
    expect(spreadOf(objects)).toEqual([
      ['topology.kubernetes.io/zone', 'ScheduleAnyway', undefined],
      ['kubernetes.io/hostname', 'DoNotSchedule', 3],
    ]);
    expect(namesOf(objects, 'HorizontalPodAutoscaler')).toEqual([]);
    expect(namesOf(objects, 'ScaledObject')).toEqual([]);
  });

  test.each([
    [1, 'ScheduleAnyway', undefined],
    [2, 'DoNotSchedule', 2],
    [3, 'DoNotSchedule', 3],
    [4, 'DoNotSchedule', 3],
  ])('in %s zones is spread over them by %s, and over nodes in any case', (zones, overZones, leastZones) => {
    expect(spreadOf(qdrant({}, { zones }).objects())).toEqual([
      ['topology.kubernetes.io/zone', overZones, leastZones],
      ['kubernetes.io/hostname', 'DoNotSchedule', 3],
    ]);
  });

  test('opens p2p to its own nodes and to nobody else', () => {
    const own = { podSelector: { matchLabels: statefulSet.spec.selector.matchLabels } };
    const { ingress, egress } = find(objects, 'NetworkPolicy', 'qdrant').spec;
    const withP2p = [...ingress, ...egress].filter(({ ports }) =>
      ports.some(({ port }: { port: number }) => port === 6335),
    );
    expect(withP2p.map((rule) => rule.from ?? rule.to)).toEqual([[own], [own]]);
  });
});

describe('a single node', () => {
  const objects = qdrant({ nodes: 1 }).objects();
  const statefulSet = find(objects, 'StatefulSet', 'qdrant');

  test('is no cluster', () => {
    expect(statefulSet.spec.replicas).toBe(1);
    expect(statefulSet.spec.podManagementPolicy).toBe('Parallel');
    expect(configOf(objects).cluster).toBeUndefined();
    expect(configOf(objects).storage.collection).toBeUndefined();
    expect(Object.keys(find(objects, 'ConfigMap', 'qdrant').data)).toEqual(['production.yaml']);
  });

  test('runs Qdrant itself: the entrypoint of the image would end before Qdrant at SIGTERM', () => {
    expect(mainContainer(statefulSet).command).toEqual(['./qdrant']);
    expect(mainContainer(statefulSet).args).toBeUndefined();
  });

  test('has nothing to decide before it starts', () => {
    expect(templateOf(statefulSet).spec.initContainers).toBeUndefined();
  });

  test('is connected to by nobody, itself included', () => {
    expect(find(objects, 'NetworkPolicy', 'qdrant').spec).not.toHaveProperty('ingress');
  });

  test('connects to nobody, and resolves no names', () => {
    expect(find(objects, 'NetworkPolicy', 'qdrant').spec).not.toHaveProperty('egress');
  });

  test('knows no peers', () => {
    for (const name of ['QDRANT_START_FILE', 'QDRANT_STORAGE', 'QDRANT_NODE_URLS', 'QDRANT_PEER_URIS']) {
      expect(env(statefulSet, name)).toBeUndefined();
    }
  });

  test('has no p2p port, no budget and nothing to be kept apart from', () => {
    expect(mainContainer(statefulSet).ports.map(({ name }: { name: string }) => name)).toEqual([
      'http',
      'grpc',
      'metrics',
    ]);
    expect(namesOf(objects, 'PodDisruptionBudget')).toEqual([]);
    expect(templateOf(statefulSet).spec.topologySpreadConstraints).toBeUndefined();
  });

  test('still needs the key', () => {
    expect(env(statefulSet, 'QDRANT__SERVICE__API_KEY')).toBeDefined();
  });
});

describe('a client', () => {
  test('gets the address and the key', () => {
    const { chart, construct, objects } = qdrant();
    new Deployment(chart, 'client', { component: 'client', container: { image: IMAGE, resources: RESOURCES } }).uses(
      construct,
    );
    const client = find(objects(), 'Deployment', 'client');
    expect(env(client, 'QDRANT_URL')).toBe('http://qdrant:6333');
    expect(env(client, 'QDRANT_GRPC_PORT')).toBe('6334');
    expect(env(client, 'QDRANT_API_KEY')).toEqual({ secretKeyRef: { name: 'qdrant', key: 'api-key' } });
    expect(env(client, 'QDRANT_CA_FILE')).toBeUndefined();
  });

  const READ_ONLY_KEY = SecretKey.of('qdrant', 'read');
  const READ_ONLY_TOKEN = SecretKey.of('qdrant', 'read-only-token');
  const CLIENT_TOKEN = SecretKey.of('qdrant', 'client-token');

  /** The key of the Secret `qdrant` that a client gets who uses what is chosen of the database. */
  function keyOf(props: Partial<QdrantProps>, choose: (store: Qdrant) => IProvider): string {
    const { chart, construct, objects } = qdrant(props);
    new Deployment(chart, 'client', { component: 'client', container: CLIENT }).uses(choose(construct));
    const reference = env(find(objects(), 'Deployment', 'client'), 'QDRANT_API_KEY');
    expect(reference).toEqual({ secretKeyRef: { name: 'qdrant', key: expect.any(String) } });
    return reference.secretKeyRef.key;
  }

  test('gets the token instead of the key, and the programs that administer the database keep the key', () => {
    const tokens = { clientToken: CLIENT_TOKEN };
    expect(keyOf(tokens, (store) => store)).toBe('client-token');
    expect(keyOf(tokens, (store) => store.administration)).toBe('api-key');
    expect(keyOf(tokens, (store) => store.everyNode)).toBe('api-key');
    expect(keyOf({}, (store) => store.administration)).toBe('api-key');
  });

  test('that only searches gets the read-only token, or else the read-only key', () => {
    const readOnly = (store: Qdrant) => store.readOnly;
    expect(keyOf({ readOnlyApiKey: READ_ONLY_KEY }, readOnly)).toBe('read');
    expect(keyOf({ readOnlyToken: READ_ONLY_TOKEN }, readOnly)).toBe('read-only-token');
    expect(keyOf({ readOnlyApiKey: READ_ONLY_KEY, readOnlyToken: READ_ONLY_TOKEN }, readOnly)).toBe('read-only-token');
    expect(keyOf({ readOnlyApiKey: READ_ONLY_KEY, clientToken: CLIENT_TOKEN }, readOnly)).toBe('read');
  });

  test('has a token that no node has: nodes only check who has signed it', () => {
    const { objects } = qdrant({ clientToken: CLIENT_TOKEN, readOnlyToken: READ_ONLY_TOKEN });
    const { env: variables } = mainContainer(find(objects(), 'StatefulSet', 'qdrant'));
    expect(variables.flatMap(({ valueFrom }: Json) => valueFrom?.secretKeyRef?.key ?? [])).toEqual(['api-key']);
  });

  test.each([{}, { clientToken: CLIENT_TOKEN }])(
    'can change to a token and back without a rollout of the nodes',
    (props) => {
      expect(configOf(qdrant(props).objects()).service.jwt_rbac).toBe(true);
    },
  );

  test('is told in messages which view of it was used', () => {
    const { construct } = qdrant({ readOnlyApiKey: READ_ONLY_KEY });
    const views = [construct.readOnly, construct.administration, construct.everyNode];
    expect(views.map(({ description }) => description)).toEqual([
      'qdrant.readOnly',
      'qdrant.administration',
      'qdrant.everyNode',
    ]);
  });

  test('cannot be kept to reading when there is neither token nor key for that', () => {
    expect(() => qdrant({ clientToken: CLIENT_TOKEN }).construct.readOnly).toThrow(
      'rag/qdrant: readOnlyToken is missing, so no client can be given read-only access; set it, or readOnlyApiKey',
    );
  });

  test('of two databases tells them apart by their prefixes', () => {
    const { chart, construct, objects } = qdrant();
    const archive = new Qdrant(chart, 'archive', { ...PROPS, nodes: 1, envPrefix: 'ARCHIVE' });
    const client = new Deployment(chart, 'client', {
      component: 'client',
      container: { image: IMAGE, resources: RESOURCES },
    });
    client.uses(construct, archive);
    expect(env(find(objects(), 'Deployment', 'client'), 'ARCHIVE_URL')).toBe('http://archive:6333');
  });
});

describe('TLS', () => {
  const issuer = CertificateIssuer.cluster('internal');
  const tls = { tls: ServerCertificate.issuedBy(issuer) };

  test('covers clients, nodes and probes with one certificate', () => {
    const objects = qdrant(tls, { reloader: true }).objects();
    const config = configOf(objects);
    expect(config.service.enable_tls).toBe(true);
    expect(config.cluster.p2p.enable_tls).toBe(true);
    expect(config.tls).toEqual({
      cert: '/qdrant/tls/tls.crt',
      key: '/qdrant/tls/tls.key',
      ca_cert: '/qdrant/tls/ca.crt',
    });
    const statefulSet = find(objects, 'StatefulSet', 'qdrant');
    expect(mainContainer(statefulSet).readinessProbe.httpGet.scheme).toBe('HTTPS');
    expect(variablesOf(findClusterOf(objects))).toMatchObject({
      QDRANT_NODE_URLS: addresses('https', 6333),
      QDRANT_PEER_URIS: addresses('https', 6335),
    });
    expect(find(objects, 'Certificate', 'qdrant-tls').spec).toMatchObject({
      secretName: 'qdrant-tls',
      issuerRef: { kind: 'ClusterIssuer', name: 'internal', group: 'cert-manager.io' },
      usages: ['server auth', 'client auth'],
    });
  });

  test('gives the program that runs before Qdrant the authority, and no private key', () => {
    const container = findClusterOf(qdrant(tls, { reloader: true }).objects());
    expect(variablesOf(container).NODE_EXTRA_CA_CERTS).toBe('/qdrant/tls/ca.crt');
    expect(container.volumeMounts.filter(({ name }: Json) => name === 'tls')).toEqual([
      { name: 'tls', mountPath: '/qdrant/tls/ca.crt', subPath: 'ca.crt', readOnly: true },
    ]);
    expect(variablesOf(findClusterOf(qdrant().objects()))).not.toHaveProperty('NODE_EXTRA_CA_CERTS');
  });

  test('is what its ports speak then', () => {
    const objects = qdrant(tls, { reloader: true }).objects();
    const clients = [
      ['http', 'https'],
      ['grpc', 'https'],
    ];
    expect(protocolsOf(objects, 'qdrant')).toEqual(clients);
    expect(protocolsOf(objects, 'qdrant-headless')).toEqual([...clients, ['p2p', undefined]]);
  });

  test('names every form by which server and nodes are addressed', () => {
    const objects = qdrant(tls, { reloader: true, domain: 'k8s.acme.example' }).objects();
    expect(find(objects, 'Certificate', 'qdrant-tls').spec.dnsNames).toEqual([
      'qdrant',
      'qdrant.test.svc',
      'qdrant.test.svc.k8s.acme.example',
      '*.qdrant-headless.test.svc',
      '*.qdrant-headless.test.svc.k8s.acme.example',
    ]);
  });

  test.each([
    ['in the cluster as it comes', {}, 3],
    ['with another domain', { domain: 'k8s.acme.example' }, 3],
    ['with more nodes', {}, 5],
  ])('covers every address of every node %s', (_, cluster, nodes) => {
    const { chart, construct, objects } = qdrant({ ...tls, nodes }, { reloader: true, ...cluster });
    const client = new Deployment(chart, 'client', { component: 'client', container: CLIENT });
    client.uses(construct.everyNode);
    const rendered = objects();
    const { dnsNames } = find(rendered, 'Certificate', 'qdrant-tls').spec;
    // Nodes reach each other at both ports.
    const own = urlsOf([find(rendered, 'StatefulSet', 'qdrant')]);
    const urls = urlsOf([find(rendered, 'Deployment', 'client')]);
    expect([own.length, urls.length]).toEqual([2 * nodes, nodes + 1]);
    for (const { protocol, hostname } of [...own, ...urls]) {
      expect([hostname, protocol, isCovered(hostname, dnsNames)]).toEqual([hostname, 'https:', true]);
    }
  });

  test('covers the addresses that clients of other namespaces use', () => {
    const { chart, construct } = qdrant(tls, { reloader: true });
    const other = new Chart(App.of(chart), 'other', { namespace: 'elsewhere' });
    const client = new Deployment(other, 'client', { component: 'client', container: CLIENT });
    client.uses(construct.everyNode);
    ExternalReferences.of(chart).declare({ kind: 'Secret', namespace: 'elsewhere', name: 'qdrant-tls' });
    const { dnsNames } = find(render(chart), 'Certificate', 'qdrant-tls').spec;
    const urls = urlsOf([find(render(other), 'Deployment', 'client')]);
    expect(urls).toHaveLength(4);
    expect(urls.filter(({ hostname }) => !isCovered(hostname, dnsNames))).toEqual([]);
  });

  test('has no wildcard that covers nothing', () => {
    const { dnsNames } = find(qdrant(tls, { reloader: true }).objects(), 'Certificate', 'qdrant-tls').spec;
    const wildcards = dnsNames.filter((name: string) => name.startsWith('*'));
    expect(wildcards).toHaveLength(2);
    for (const wildcard of wildcards) {
      expect(isCovered(wildcard.replace('*', 'qdrant-0'), [wildcard])).toBe(true);
    }
  });

  test('gives clients the authority, and the https address', () => {
    const { chart, construct, objects } = qdrant(tls, { reloader: true });
    new Deployment(chart, 'client', { component: 'client', container: { image: IMAGE, resources: RESOURCES } }).uses(
      construct,
    );
    const client = find(objects(), 'Deployment', 'client');
    // The authority outlives the certificate beside it, so its Secret restarts no client.
    expect(client.metadata.annotations).not.toHaveProperty([RELOAD]);
    expect(env(client, 'QDRANT_URL')).toBe('https://qdrant:6333');
    expect(env(client, 'QDRANT_CA_FILE')).toBe('/etc/qdrant-ca/ca.crt');
    expect(templateOf(client).spec.volumes).toEqual([
      {
        name: 'secret-qdrant-tls',
        secret: { secretName: 'qdrant-tls', items: [{ key: 'ca.crt', path: 'ca.crt' }] },
      },
    ]);
    expect(mainContainer(client).volumeMounts).toEqual([
      { name: 'secret-qdrant-tls', mountPath: '/etc/qdrant-ca', readOnly: true },
    ]);
  });

  test('that is renewed needs something that restarts the nodes', () => {
    expect(() => qdrant(tls)).toThrow(
      /^rag\/qdrant: tls is renewed by cert-manager, but Qdrant reads .* declare reloader/,
    );
    const secretRotation = SecretRotation.revision('1');
    expect(() => qdrant({ ...tls, secretRotation }, { reloader: true })).toThrow(
      'rag/qdrant: secretRotation is revision, but the certificate is renewed when nobody renders, and is read only at ' +
        'start; leave it out, so that Reloader restarts the nodes',
    );
    expect(() => qdrant({ tls: ServerCertificate.existing('qdrant-certificate'), secretRotation })).not.toThrow();
    const objects = qdrant(tls, { reloader: true }).objects();
    expect(find(objects, 'StatefulSet', 'qdrant').metadata.annotations).toEqual({ [RELOAD]: 'qdrant-tls' });
  });

  test('from a Secret that exists needs neither', () => {
    const objects = qdrant({ tls: ServerCertificate.existing('qdrant-certificate') }).objects();
    expect(namesOf(objects, 'Certificate')).toEqual([]);
    expect(find(objects, 'StatefulSet', 'qdrant').metadata.annotations).toBeUndefined();
  });
});

describe('every node', () => {
  const everyNode = (props: Partial<QdrantProps> = {}) => {
    const { chart, construct, objects } = qdrant(props);
    new Deployment(chart, 'client', { component: 'client', container: CLIENT }).uses(construct.everyNode);
    return find(objects(), 'Deployment', 'client');
  };

  test('is addressed by its own long name, in the order of the nodes', () => {
    expect(env(everyNode(), 'QDRANT_NODE_URLS')).toBe(
      [0, 1, 2].map((node) => `http://qdrant-${node}.qdrant-headless.test.svc.cluster.local:6333`).join(','),
    );
    expect(env(everyNode({ nodes: 1, name: 'store' }), 'QDRANT_NODE_URLS')).toBe(
      'http://store-0.store-headless.test.svc.cluster.local:6333',
    );
  });

  test('is offered with all else that a client gets, under its prefix', () => {
    const client = everyNode({ envPrefix: 'STORE' });
    const names = mainContainer(client).env.map(({ name }: { name: string }) => name);
    expect(names.sort()).toEqual(['STORE_API_KEY', 'STORE_GRPC_PORT', 'STORE_NODE_URLS', 'STORE_URL']);
    expect(env(client, 'STORE_URL')).toBe('http://qdrant:6333');
  });

  test('is nothing to an ordinary client', () => {
    const { chart, construct, objects } = qdrant();
    new Deployment(chart, 'client', { component: 'client', container: CLIENT }).uses(construct);
    expect(env(find(objects(), 'Deployment', 'client'), 'QDRANT_NODE_URLS')).toBeUndefined();
  });

  test('is one provider, used once', () => {
    const { construct } = qdrant();
    expect(construct.everyNode).toBe(construct.everyNode);
  });
});

describe('the keys', () => {
  const ALTERNATIVE = SecretKey.of('qdrant-next', 'api-key');
  const reloaded = (props: Partial<QdrantProps> = {}) =>
    find(qdrant(props, { reloader: true }).objects(), 'StatefulSet', 'qdrant').metadata.annotations;

  test('can be two while one replaces the other, and clients get the first', () => {
    const { chart, construct, objects } = qdrant({ alternativeApiKey: ALTERNATIVE });
    new Deployment(chart, 'client', { component: 'client', container: CLIENT }).uses(construct);
    const statefulSet = find(objects(), 'StatefulSet', 'qdrant');
    expect(env(statefulSet, 'QDRANT__SERVICE__API_KEY')).toEqual({ secretKeyRef: { name: 'qdrant', key: 'api-key' } });
    expect(env(statefulSet, 'QDRANT__SERVICE__ALT_API_KEY')).toEqual({
      secretKeyRef: { name: 'qdrant-next', key: 'api-key' },
    });
    expect(env(find(objects(), 'Deployment', 'client'), 'QDRANT_API_KEY')).toEqual({
      secretKeyRef: { name: 'qdrant', key: 'api-key' },
    });
  });

  test('are one otherwise', () => {
    const statefulSet = find(qdrant().objects(), 'StatefulSet', 'qdrant');
    expect(env(statefulSet, 'QDRANT__SERVICE__ALT_API_KEY')).toBeUndefined();
    expect(env(statefulSet, 'QDRANT__SERVICE__READ_ONLY_API_KEY')).toBeUndefined();
  });

  test('restart no node when they change, which would shut the others out', () => {
    expect(reloaded()).toBeUndefined();
    expect(
      reloaded({ alternativeApiKey: ALTERNATIVE, readOnlyApiKey: SecretKey.of('qdrant', 'read') }),
    ).toBeUndefined();
  });

  test('leave it to other Secrets to restart nodes', () => {
    const other = (key: string) => ({ env: { OTHER: EnvValue.fromSecret(SecretKey.of('qdrant', key)) } });
    expect(reloaded(other('other'))).toEqual({ [RELOAD]: 'qdrant' });
    expect(reloaded(other('api-key'))).toBeUndefined();
  });

  test.each([{}, { clientToken: SecretKey.of('qdrant', 'token') }, { readOnlyApiKey: SecretKey.of('qdrant', 'read') }])(
    'and tokens restart no client when they change, and other keys of the same Secret do',
    (props) => {
      const { chart, construct, objects } = qdrant(props, { reloader: true });
      const views = [construct, construct.administration, ...('readOnlyApiKey' in props ? [construct.readOnly] : [])];
      const own = { OWN: EnvValue.fromSecret(SecretKey.of('qdrant', 'own')) };
      const names = views.flatMap((view, index) =>
        [{}, own].map((env) => {
          const name = `client-${index}${'OWN' in env ? '-own' : ''}`;
          new Deployment(chart, name, { component: 'client', container: CLIENT, env }).uses(view);
          return name;
        }),
      );
      for (const name of names) {
        const { annotations } = find(objects(), 'Deployment', name).metadata;
        expect([name, annotations?.[RELOAD]]).toEqual([name, name.endsWith('-own') ? 'qdrant' : undefined]);
      }
    },
  );
});

describe('settings', () => {
  test('reach the output', () => {
    const { objects } = qdrant({
      nodes: 5,
      snapshotStorage: Size.gibibytes(10),
      storageClass: 'fast',
      replicationFactor: 3,
      startupBudget: Duration.minutes(30),
      readOnlyApiKey: SecretKey.of('qdrant', 'read'),
    });
    const statefulSet = find(objects(), 'StatefulSet', 'qdrant');
    expect(statefulSet.spec.replicas).toBe(5);
    const [storage, snapshots] = statefulSet.spec.volumeClaimTemplates;
    expect(storage.spec.storageClassName).toBe('fast');
    expect(snapshots.spec.resources.requests.storage).toBe('10Gi');
    expect(configOf(objects()).storage.collection.replication_factor).toBe(3);
    expect(mainContainer(statefulSet).startupProbe.failureThreshold).toBe(180);
    expect(env(statefulSet, 'QDRANT__SERVICE__READ_ONLY_API_KEY')).toEqual({
      secretKeyRef: { name: 'qdrant', key: 'read' },
    });
  });
});

describe('mistakes', () => {
  test('two nodes', () => {
    expect(() => qdrant({ nodes: 2 })).toThrow(
      'rag/qdrant: nodes is 2, but two nodes lose their quorum when either is away, so no update or node drain would ' +
        'be safe; use 1, or 3 or more',
    );
  });

  test.each([0, -1, 2.5])('%s nodes', (nodes) => {
    expect(() => qdrant({ nodes })).toThrow(`rag/qdrant: nodes is ${nodes}, but must be 1, or 3 or more`);
  });

  test('more copies than nodes', () => {
    expect(() => qdrant({ replicationFactor: 4 })).toThrow(
      'rag/qdrant: replicationFactor is 4, but must be from 1 to the number of nodes, which is 3',
    );
  });

  test.each(['nfs-client', 'efs-sc', 'azurefile-premium', 'standard-rwx', 'my-cephfs'])(
    'the file system %s',
    (storageClass) => {
      expect(() => qdrant({ storageClass })).toThrow(
        /storageClass is ".*", a network file system \(.*\); use a class of block volumes/,
      );
    },
  );

  test("the cluster's class for shared files, whatever it is called", () => {
    expect(() => qdrant({ storageClass: 'models' }, { storage: { block: 'gp3', shared: 'models' } })).toThrow(
      'storageClass is "models", the cluster\'s class for shared files; use a class of block volumes, such as gp3',
    );
  });
});
