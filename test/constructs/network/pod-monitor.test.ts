import { PodSet } from '../../../constructs/network/peer';
import { PodMonitor, type PodMonitorProps } from '../../../constructs/network/pod-monitor';
import { PodNetworkPolicy } from '../../../constructs/network/pod-network-policy';
import type { ClusterPrometheus } from '../../../constructs/placement/cluster';
import { find, namesOf, render, testChart } from '../../support/manifests';

const METRICS = { name: 'metrics', number: 9187 };
const PROMETHEUS: ClusterPrometheus = { namespace: 'monitoring', monitorLabels: { release: 'prometheus' } };

function scraped(prometheus: ClusterPrometheus | undefined, props: Partial<PodMonitorProps> = {}) {
  const chart = testChart({ prometheus });
  const pods = new PodSet('test', 'db', { db: 'db' }, ['pooler']);
  const metadata = { labels: { part: 'db' }, annotations: { wave: '10' } };
  const policy = new PodNetworkPolicy(chart, 'Policy', { pods, metadata });
  const construct = new PodMonitor(chart, 'Monitor', { pods, policy, ports: [METRICS], metadata, ...props });
  return { construct, objects: render(chart) };
}

test('Prometheus is let in, and its operator is told by the labels of the cluster', () => {
  const { construct, objects } = scraped(PROMETHEUS);
  expect(find(objects, 'PodMonitor', 'db')).toEqual({
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: {
      name: 'db',
      namespace: 'test',
      labels: { part: 'db', release: 'prometheus' },
      annotations: { wave: '10' },
    },
    spec: {
      selector: { matchLabels: { db: 'db' }, matchExpressions: [{ key: 'pooler', operator: 'DoesNotExist' }] },
      podMetricsEndpoints: [{ port: 'metrics', path: '/metrics', scheme: 'http' }],
    },
  });
  expect(construct.monitor?.name).toBe('db');
  expect(find(objects, 'NetworkPolicy', 'db').spec.ingress).toEqual([
    {
      from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
      ports: [{ port: 9187, protocol: 'TCP' }],
    },
  ]);
});

test('without such labels it is let in only', () => {
  const { construct, objects } = scraped({ namespace: 'monitoring' });
  expect(namesOf(objects, 'PodMonitor')).toEqual([]);
  expect(construct.monitor).toBeUndefined();
  expect(find(objects, 'NetworkPolicy', 'db').spec.ingress).toHaveLength(1);
});

test('where there is none, nothing is opened', () => {
  const { construct, objects } = scraped(undefined);
  expect(namesOf(objects, 'PodMonitor')).toEqual([]);
  expect(construct.monitor).toBeUndefined();
  expect(find(objects, 'NetworkPolicy', 'db').spec).not.toHaveProperty('ingress');
});

test('ports of one name are one endpoint', () => {
  const ports = [{ name: 'healthcheck', number: 8080 }, { name: 'healthcheck', number: 8081 }, METRICS];
  const { objects } = scraped(PROMETHEUS, { ports });
  const { podMetricsEndpoints } = find(objects, 'PodMonitor', 'db').spec;
  expect(podMetricsEndpoints.map(({ port }: { port: string }) => port)).toEqual(['healthcheck', 'metrics']);
  const [{ ports: opened }] = find(objects, 'NetworkPolicy', 'db').spec.ingress;
  expect(opened.map(({ port }: { port: number }) => port)).toEqual([8080, 8081, 9187]);
});

test('encrypted pods are known by a name, as their addresses are in no certificate', () => {
  const endpointOf = (tls: PodMonitorProps['tls']) =>
    find(scraped(PROMETHEUS, { tls }).objects, 'PodMonitor', 'db').spec.podMetricsEndpoints[0];
  expect(endpointOf({ serverName: 'db.test.svc', authority: { secret: 'db-tls', key: 'ca.crt' } })).toEqual({
    port: 'metrics',
    path: '/metrics',
    scheme: 'https',
    tlsConfig: { serverName: 'db.test.svc', ca: { secret: { name: 'db-tls', key: 'ca.crt' } } },
  });
  expect(endpointOf({ serverName: 'db.test.svc' }).tlsConfig).toEqual({ serverName: 'db.test.svc' });
});
