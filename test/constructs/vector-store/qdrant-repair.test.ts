import { Duration, Size } from 'cdk8s';
import type { Json, ManifestObject } from '../../../constructs/rules/output';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { ServerCertificate } from '../../../constructs/secrets/server-certificate';
import { Qdrant, type QdrantProps } from '../../../constructs/vector-store/qdrant';
import { env, find, mainContainer, namesOf, render, templateOf, testChart } from '../../support/manifests';
import { refusalOf } from '../../support/refusal';
import { RESOURCES } from '../../support/values';

const WAVE = 'argocd.argoproj.io/sync-wave';
const LABELS = ['app.kubernetes.io/name', 'app.kubernetes.io/instance'] as const;

function qdrant(props: Partial<QdrantProps>) {
  const chart = testChart();
  const construct = new Qdrant(chart, 'qdrant', {
    resources: RESOURCES,
    storage: Size.gibibytes(50),
    apiKey: SecretKey.of('qdrant', 'api-key'),
    ...props,
  });
  return { construct, objects: () => render(chart) };
}

/** The ports of those rules of a network policy that are about these pods. */
function portsBetween(rules: Json[], pods: ManifestObject): number[] {
  const labels = templateOf(pods).metadata.labels;
  const names = LABELS.map((label) => labels[label]);
  return rules
    .filter(({ from, to }) =>
      [...(from ?? []), ...(to ?? [])].some(({ podSelector }) =>
        LABELS.every((label, index) => podSelector?.matchLabels?.[label] === names[index]),
      ),
    )
    .flatMap(({ ports }) => ports.map(({ port }: Json) => port));
}

describe('a repair', () => {
  const { construct, objects } = qdrant({ repair: {} });
  const rendered = objects();
  const job = find(rendered, 'Job', 'qdrant-repair');
  const statefulSet = find(rendered, 'StatefulSet', 'qdrant');

  test('is a Job that runs at every sync, and can run again', () => {
    expect(job.metadata.annotations).toMatchObject({
      'argocd.argoproj.io/hook': 'Sync',
      'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
    });
    expect(job.spec).toMatchObject({ activeDeadlineSeconds: 6 * 3600, backoffLimit: 3 });
    expect(construct.repair?.job.name).toBe('qdrant-repair');
  });

  test('does not wait for the database, which is not healthy before', () => {
    const waveOf = (object: ManifestObject) => object.metadata.annotations?.[WAVE];
    expect(waveOf(job)).toBe(waveOf(statefulSet));
    const drain = find(qdrant({ nodes: 5, drain: { to: 3 } }).objects(), 'Job', 'qdrant-drain');
    expect(Number(waveOf(drain))).toBeGreaterThan(Number(waveOf(job) ?? 0));
  });

  test('knows every node at both ports, and accepts no loss', () => {
    const addresses = (port: number) =>
      [0, 1, 2].map((node) => `http://qdrant-${node}.qdrant-headless.test.svc.cluster.local:${port}`).join(',');
    expect(env(job, 'QDRANT_NODE_URLS')).toBe(addresses(6333));
    expect(env(job, 'QDRANT_PEER_URIS')).toBe(addresses(6335));
    expect(env(job, 'QDRANT_API_KEY')).toEqual({ secretKeyRef: { name: 'qdrant', key: 'api-key' } });
    for (const name of ['REPAIR_ACCEPT_LOSS', 'REPAIR_PATIENCE', 'NODE_EXTRA_CA_CERTS']) {
      expect(env(job, name)).toBeUndefined();
    }
  });

  test('runs its program, with every module that it imports', () => {
    expect(mainContainer(job).command).toEqual(['node', '/opt/program/repair-cluster.mjs']);
    expect(Object.keys(find(rendered, 'ConfigMap', 'qdrant-repair').data).sort()).toEqual([
      'qdrant-client.mjs',
      'qdrant-cluster.mjs',
      'qdrant-collections.mjs',
      'qdrant-shards.mjs',
      'repair-cluster.mjs',
    ]);
  });

  test('may ask the nodes at the port where a node with a new volume says so, as no other client may', () => {
    const { egress, ingress } = find(rendered, 'NetworkPolicy', 'qdrant-repair').spec;
    expect(ingress).toBeUndefined();
    expect(portsBetween(egress, statefulSet).sort()).toEqual([6333, 6334, 6335]);
    const nodes = find(rendered, 'NetworkPolicy', 'qdrant').spec;
    expect(portsBetween(nodes.ingress, job).sort()).toEqual([6333, 6334, 6335]);
    const drained = qdrant({ nodes: 5, drain: { to: 3 } }).objects();
    const drain = find(drained, 'Job', 'qdrant-drain');
    expect(portsBetween(find(drained, 'NetworkPolicy', 'qdrant').spec.ingress, drain)).not.toContain(6335);
  });

  test('changes nothing about the nodes', () => {
    expect(statefulSet).toEqual(find(qdrant({}).objects(), 'StatefulSet', 'qdrant'));
  });
});

test('a repair does what it is told', () => {
  const repair = { acceptLoss: true, deadline: Duration.hours(1) };
  const job = find(qdrant({ name: 'vectors', repair }).objects(), 'Job', 'vectors-repair');
  expect(env(job, 'REPAIR_ACCEPT_LOSS')).toBe('true');
  expect(job.spec.activeDeadlineSeconds).toBe(3600);
  const refusing = find(qdrant({ repair: { acceptLoss: false } }).objects(), 'Job', 'qdrant-repair');
  expect(env(refusing, 'REPAIR_ACCEPT_LOSS')).toBeUndefined();
});

test('a repair speaks TLS when the database does, under whatever names that gives', () => {
  const tls = ServerCertificate.existing('qdrant-tls');
  const job = find(qdrant({ tls, envPrefix: 'VECTORS', repair: {} }).objects(), 'Job', 'qdrant-repair');
  expect(env(job, 'QDRANT_NODE_URLS')).toMatch(/^https:/);
  expect(env(job, 'QDRANT_PEER_URIS')).toMatch(/^https:/);
  expect(env(job, 'NODE_EXTRA_CA_CERTS')).toBe('$(QDRANT_CA_FILE)');
  expect(env(job, 'VECTORS_PEER_URIS')).toBeUndefined();
});

test('without a repair there is no Job', () => {
  const { construct, objects } = qdrant({});
  expect(construct.repair).toBeUndefined();
  expect(namesOf(objects(), 'Job')).toEqual([]);
});

test('a single node has no cluster to repair', () => {
  expect(refusalOf(() => qdrant({ nodes: 1, repair: {} })).message).toBe(
    'rag/qdrant: repair is set, but a single node is in no cluster; restore its snapshots instead',
  );
});
