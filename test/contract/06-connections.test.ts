import { ConnectionGraph } from '../../constructs/network/connection-graph';
import { Peer, PodSet } from '../../constructs/network/peer';
import { Cluster } from '../../constructs/placement/cluster';
import type { Json } from '../../constructs/rules/output';
import { Connectivity, podsByName } from '../support/connectivity';
import { EACH_ENVIRONMENT } from '../support/environments';
import { operatedPods } from '../support/operated-pods';
import { matches, type Pods } from '../support/pods';

describe.each(EACH_ENVIRONMENT)(
  '%s: exactly the connections of the graph are allowed',
  (_, { objects, platform, app }) => {
    const connectivity = new Connectivity(objects);
    const pods = podsByName(objects);
    const connections = ConnectionGraph.of(app).connections;
    const cluster = Cluster.of(platform);
    const namespace = platform.namespace as string;

    /** Whether the graph lets one workload connect to another. */
    function inGraph(from: string, to: string, port: number): boolean {
      return connections.some(
        (edge) =>
          edge.from instanceof PodSet &&
          edge.to instanceof PodSet &&
          edge.from.name === from &&
          edge.to.name === to &&
          edge.ports.some(({ number }) => number === port),
      );
    }

    test('the namespace is closed in both directions', () => {
      const closed = objects.filter(
        ({ kind, spec }) => kind === 'NetworkPolicy' && Object.keys(spec.podSelector).length === 0,
      );
      expect(closed.map(({ spec }) => [spec.policyTypes, spec.ingress, spec.egress])).toEqual([
        [['Ingress', 'Egress'], undefined, undefined],
      ]);
    });

    test('between workloads: what the graph has and nothing else, on every port that anything listens on', () => {
      let compared = 0;
      for (const [from, source] of pods) {
        for (const [to, target] of pods) {
          const ports = target.containers.flatMap(({ ports: open = [] }) => open);
          for (const { containerPort } of ports) {
            const actual = [from, to, containerPort, connectivity.allowed(source, target, containerPort)];
            expect(actual).toEqual([from, to, containerPort, inGraph(from, to, containerPort)]);
            compared += 1;
          }
        }
      }
      expect(compared).toBeGreaterThan(0);
    });

    test('whatever operators make for a workload has its policies', () => {
      for (const made of operatedPods(objects)) {
        for (const direction of ['ingress', 'egress'] as const) {
          const own = connectivity.rulesOf(pods.get(made.name) as Pods, direction);
          expect([made.title, connectivity.rulesOf(made, direction)]).toEqual([made.title, own]);
        }
      }
    });

    test('monitors select pods that have their ports, and Prometheus gets through to each', () => {
      const monitors = objects.filter(({ kind }) => kind === 'PodMonitor');
      const [prometheus] =
        cluster.prometheus === undefined ? [] : Peer.service(cluster.prometheus).in(namespace, cluster);
      for (const { metadata, spec } of monitors) {
        const selected = [...pods.values()].filter(({ labels }) => matches(labels, spec.selector));
        expect(selected.map(({ name }) => name)).toEqual([metadata.name]);
        const open = (selected[0] as Pods).containers.flatMap(({ ports = [] }) => ports);
        for (const { port } of spec.podMetricsEndpoints) {
          const named = open.filter(({ name }: Json) => name === port);
          expect([metadata.name, port, named.length > 0]).toEqual([metadata.name, port, true]);
          for (const { containerPort } of named) {
            expect(connectivity.allowsIn(selected[0] as Pods, prometheus, containerPort)).toBe(true);
          }
        }
      }
      const labels = cluster.prometheus?.monitorLabels ?? {};
      expect(monitors.filter(({ metadata }) => !matches(metadata.labels ?? {}, { matchLabels: labels }))).toEqual([]);
    });

    test('to the outside: every connection of the graph has a rule', () => {
      const outward = connections.filter(({ from, to }) => from instanceof PodSet && !(to instanceof PodSet));
      for (const { from, to, ports } of outward) {
        const source = pods.get((from as PodSet).name) as Pods;
        for (const { number } of ports) {
          expect(to.in(namespace, cluster).filter((peer) => !connectivity.allowsOut(source, peer, number))).toEqual([]);
        }
      }
    });

    test('from the outside: every connection of the graph has a rule', () => {
      const inward = connections.filter(
        ({ from, to }) => !(from instanceof PodSet) && to instanceof PodSet && pods.has(to.name),
      );
      for (const { from, to, ports } of inward) {
        const target = pods.get((to as PodSet).name) as Pods;
        for (const { number } of ports) {
          expect(from.in(namespace, cluster).filter((peer) => !connectivity.allowsIn(target, peer, number))).toEqual(
            [],
          );
        }
      }
    });

    test('no rule is without a connection, but for DNS', () => {
      for (const [name, workload] of pods) {
        const own = connections.filter(({ from }) => from instanceof PodSet && from.name === name);
        const accepted = connections.filter(({ to }) => to instanceof PodSet && to.name === name);
        const known = (edges: typeof own, side: 'from' | 'to') =>
          edges.flatMap((edge) =>
            edge[side].in(namespace, cluster).flatMap((peer) => edge.ports.map(({ number }) => key(peer, number))),
          );
        const egress = connectivity.rulesOf(workload, 'egress').filter(({ port }) => port !== (cluster.dns.port ?? 53));
        expect(new Set(egress.map(({ peer, port }) => key(peer, port)))).toEqual(new Set(known(own, 'to')));
        const ingress = connectivity.rulesOf(workload, 'ingress').map(({ peer, port }) => key(peer, port));
        expect(new Set(ingress)).toEqual(new Set(known(accepted, 'from')));
      }
    });

    test('who opens a connection resolves names, over UDP and TCP, and nobody else does', () => {
      const { namespace: dnsNamespace, podLabels, port = 53 } = cluster.dns;
      const dns = {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': dnsNamespace } },
        podSelector: { matchLabels: podLabels },
      };
      for (const [name, workload] of pods) {
        const connects = connections.some(({ from }) => from instanceof PodSet && from.name === name);
        const byName = objects.some(({ kind, metadata }) => kind === 'CiliumNetworkPolicy' && metadata.name === name);
        for (const protocol of ['UDP', 'TCP']) {
          expect([name, connectivity.allowsOut(workload, dns, port, protocol)]).toEqual([name, connects && !byName]);
        }
        if (!connects) {
          expect([name, connectivity.rulesOf(workload, 'egress')]).toEqual([name, []]);
        }
      }
    });

    test('the internet has IPv6 addresses exactly where pods have', () => {
      const ranges = objects
        .filter(({ kind }) => kind === 'NetworkPolicy')
        .flatMap(({ spec }) => [...(spec.ingress ?? []), ...(spec.egress ?? [])])
        .flatMap(({ from = [], to = [] }: Json) => [...from, ...to])
        .flatMap(({ ipBlock }: Json) => ipBlock?.cidr ?? []);
      const wide = (version: RegExp) => ranges.some((range: string) => version.test(range));
      expect(wide(/:/)).toBe(cluster.ipv6 && wide(/^0\.0\.0\.0\/0$/));
    });

    test('ports that are opened are ports that something listens on', () => {
      for (const [name, workload] of pods) {
        const open = workload.containers.flatMap(({ ports = [] }) =>
          ports.map(({ containerPort }: Json) => containerPort),
        );
        const accepted = connectivity.rulesOf(workload, 'ingress').map(({ port }) => port);
        expect([name, accepted.filter((port) => !open.includes(port))]).toEqual([name, []]);
      }
    });

    test('Services have the ports of the containers behind them', () => {
      const services = objects.filter(({ kind }) => kind === 'Service');
      expect(services.length).toBeGreaterThan(0);
      for (const { spec } of services) {
        const behind = pods.get(spec.selector['app.kubernetes.io/name']);
        const open = behind?.containers.flatMap(({ ports = [] }) =>
          ports.map(({ containerPort }: Json) => containerPort),
        );
        for (const { port, targetPort } of spec.ports) {
          expect(targetPort).toBe(port);
          expect(open).toContain(port);
        }
      }
    });
  },
);

/** A peer and a port as text; rendered and unrendered peers differ in nothing but the order of keys. */
function key(peer: Json, port: number): string {
  const { ipBlock, namespaceSelector, podSelector } = peer;
  return JSON.stringify([
    ipBlock?.cidr,
    namespaceSelector?.matchLabels,
    Object.entries(podSelector?.matchLabels ?? {}).sort(),
    port,
  ]);
}
