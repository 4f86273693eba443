import { isIP } from 'node:net';
import { Lazy } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import {
  CiliumNetworkPolicy,
  type CiliumNetworkPolicySpec,
  CiliumNetworkPolicySpecEndpointSelectorMatchExpressionsOperator as CiliumOperator,
  CiliumNetworkPolicySpecEgressToPortsPortsProtocol as CiliumProtocol,
} from '../../imports/cilium.io';
import { Cluster } from '../placement/cluster';
import { refuseClusterName } from '../rules/host-name';
import { UsageError } from '../rules/usage-error';
import { type Connection, ConnectionGraph } from './connection-graph';
import { Endpoint } from './endpoint';
import { Peer, type PodSet } from './peer';
import type { Port } from './port';

/** Variable with the address of the API server, which every container has without saying so. */
export const API_SERVER_HOST = 'KUBERNETES_SERVICE_HOST';

/** What the policies of some pods need besides the graph. */
export interface PodNetworkPolicyProps {
  /** The pods. */
  readonly pods: PodSet;

  /** Metadata of the policies, without the name. */
  readonly metadata: k8s.ObjectMeta;
}

/**
 * The network policies of one workload: both directions closed, then exactly its connections, plus DNS.
 *
 * Ports are those of the containers, because policies act after a Service's address is translated.
 */
export class PodNetworkPolicy extends Construct {
  /** The policy that every network plugin enforces. */
  public readonly networkPolicy: k8s.KubeNetworkPolicy;

  private readonly pods: PodSet;
  private readonly metadata: k8s.ObjectMeta;
  private fqdnPolicy?: CiliumNetworkPolicy;
  /** Names of what the pods reach without the proxy of the cluster. */
  private readonly direct = new Set<string>();
  private proxied = false;

  public constructor(scope: Construct, id: string, props: PodNetworkPolicyProps) {
    super(scope, id);
    this.pods = props.pods;
    this.metadata = { ...props.metadata, name: props.pods.name };
    this.networkPolicy = new k8s.KubeNetworkPolicy(this, 'Resource', {
      metadata: this.metadata,
      spec: Lazy.any({ produce: () => this.toSpec() }),
    });
  }

  /**
   * Allows these pods to open connections to an endpoint; to a host outside that is spoken to by HTTP, through the proxy
   * of the cluster, where it has one.
   *
   * @param ordered whether the pods wait until the endpoint is ready
   */
  public allowToEndpoint(endpoint: Endpoint, ordered: boolean = false): void {
    const { proxy } = Cluster.of(this);
    const { webHost } = endpoint;
    const carried = proxy !== undefined && webHost !== undefined && proxy.carries(webHost);
    const { peer, port } = carried ? Endpoint.proxy(proxy) : endpoint;
    this.proxied ||= carried;
    if (!carried) {
      this.direct.add(endpoint.hostFrom(this, this.pods.namespace));
    }
    this.connectTo({ to: peer, ports: [port], ordered });
  }

  /**
   * Variables that lead the programs in these pods to the proxy of the cluster, and to what they reach without it; none
   * where nothing goes through it. Complete when everything is connected.
   *
   * Sources: requests, urllib, Go `httpproxy` and curl read them in one case or the other; Node.js 24 docs, "Command-line
   * API", on `NODE_USE_ENV_PROXY`.
   */
  public get proxyVariables(): { readonly [name: string]: string } {
    const { proxy, domain } = Cluster.of(this);
    if (proxy === undefined || !this.proxied) {
      return {};
    }
    // The kubelet puts the address of the API server in place of the reference, in every container.
    const always = ['localhost', '127.0.0.1', '.svc', `.${domain}`, `$(${API_SERVER_HOST})`];
    const without = [...always, ...[...this.direct].filter((host) => !always.includes(host)).sort()].join(',');
    const variables = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, NO_PROXY: without };
    const lowerCase = Object.entries(variables).map(([name, value]) => [name.toLowerCase(), value]);
    return { ...variables, ...Object.fromEntries(lowerCase), NODE_USE_ENV_PROXY: '1' };
  }

  /** Allows these pods to open connections to a peer, on both sides where both are ours. */
  public allowTo(connection: Omit<Connection, 'from'>): void {
    const { fqdn } = connection.to;
    if (fqdn !== undefined) {
      this.direct.add(fqdn);
    }
    this.connectTo(connection);
  }

  private connectTo(connection: Omit<Connection, 'from'>): void {
    const { fqdn } = connection.to;
    const { cilium, domain } = Cluster.of(this);
    if (fqdn !== undefined) {
      refuseClusterName(fqdn, { scope: this, property: 'to' }, domain);
    }
    ConnectionGraph.of(this).connect({ ...connection, from: this.pods });
    if (fqdn !== undefined && cilium) {
      this.ensureFqdnPolicy();
    }
  }

  /** Allows a peer to open connections to these pods; a host outside is known by its addresses only. */
  public allowFrom(connection: Omit<Connection, 'to'>): void {
    const { fqdn } = connection.from;
    if (fqdn !== undefined) {
      throw new UsageError(
        `is the host ${fqdn}, but no policy admits a host by its name, and without one it would be the whole ` +
          'internet; name its addresses with Peer.cidrs',
        { scope: this, property: 'from' },
      );
    }
    ConnectionGraph.of(this).connect({ ...connection, to: this.pods });
  }

  private toSpec(): k8s.NetworkPolicySpec {
    const cluster = Cluster.of(this);
    const graph = ConnectionGraph.of(this);
    const { namespace, selector } = this.pods;
    const ingress = byPeer(graph.to(this.pods), (connection) => connection.from);
    const egress = byPeer(graph.from(this.pods), (connection) => connection.to);
    // A rule with an empty list of peers would allow every peer.
    const ingressRules = once(
      ingress.map(([peer, ports]) => ({ from: peer.in(namespace, cluster), ports: tcp(ports) })),
    ).filter((rule) => rule.from.length > 0);
    const egressRules = [
      ...once(egress.map(([peer, ports]) => ({ to: peer.in(namespace, cluster), ports: tcp(ports) }))).filter(
        (rule) => rule.to.length > 0,
      ),
      // Who opens no connection resolves no name. A policy by host name has the rule itself, with the inspection
      // that it needs.
      ...(egress.length > 0 && this.fqdnPolicy === undefined ? [dnsRule(cluster)] : []),
    ];
    return {
      podSelector: selector,
      policyTypes: ['Ingress', 'Egress'],
      // The API server drops empty lists; the types alone close a direction.
      ingress: ingressRules.length === 0 ? undefined : ingressRules,
      egress: egressRules.length === 0 ? undefined : egressRules,
    };
  }

  private ensureFqdnPolicy(): void {
    this.fqdnPolicy ??= new CiliumNetworkPolicy(this, 'Fqdn', {
      metadata: this.metadata,
      spec: Lazy.any({ produce: () => this.toFqdnSpec() }),
    });
  }

  private toFqdnSpec(): CiliumNetworkPolicySpec {
    const { dns } = Cluster.of(this);
    const hosts = byPeer(ConnectionGraph.of(this).from(this.pods), (connection) => connection.to).filter(
      ([peer]) => peer.fqdn !== undefined,
    );
    const dnsPort = String(dns.port ?? 53);
    // Cilium learns the addresses of a name from the answers that pass its DNS proxy, and only the queries
    // of pods with a DNS rule pass it (Cilium docs, "DNS based").
    const toPorts = [
      { ports: [{ port: dnsPort, protocol: CiliumProtocol.ANY }], rules: { dns: [{ matchPattern: '*' }] } },
    ];
    const { labels, without } = this.pods;
    const missing = without.map((key) => ({ key, operator: CiliumOperator.DOES_NOT_EXIST }));
    const dnsLabels = { 'k8s:io.kubernetes.pod.namespace': dns.namespace, ...prefixed(dns.podLabels) };
    return {
      endpointSelector: { matchLabels: labels, matchExpressions: missing.length === 0 ? undefined : missing },
      egress: [
        ...hosts.map(([peer, ports]) => ({
          toFqdNs: [{ matchName: peer.fqdn }],
          toPorts: [{ ports: ports.map((port) => ({ port: String(port.number), protocol: CiliumProtocol.TCP })) }],
        })),
        { toEndpoints: [{ matchLabels: dnsLabels }], toPorts },
      ],
    };
  }
}

/** Connections folded to one entry per peer, sorted, each with its ports in ascending order. */
function byPeer(connections: Connection[], peerOf: (connection: Connection) => Peer): [Peer, Port[]][] {
  const peers = new Map<string, [Peer, Map<number, Port>]>();
  for (const connection of connections) {
    const peer = peerOf(connection);
    const [, ports] = peers.get(peer.key) ?? [peer, new Map<number, Port>()];
    for (const port of connection.ports) {
      ports.set(port.number, port);
    }
    peers.set(peer.key, [peer, ports]);
  }
  return [...peers.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, [peer, ports]]) => [peer, [...ports.values()].sort((a, b) => a.number - b.number)]);
}

/** Hosts that no policy can name are all the same public addresses. */
function once<Rule>(rules: Rule[]): Rule[] {
  return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}

function tcp(ports: Port[]): k8s.NetworkPolicyPort[] {
  return ports.map((port) => ({ port: k8s.IntOrString.fromNumber(port.number), protocol: 'TCP' }));
}

function dnsRule(cluster: Cluster): k8s.NetworkPolicyEgressRule {
  const { dns } = cluster;
  const { nodeLocal: addresses = [] } = dns;
  const cidrs = addresses.map((address) => `${address}/${isIP(address) === 6 ? 128 : 32}`);
  const nodeLocal = cidrs.length === 0 ? [] : Peer.cidrs(...cidrs).in('', cluster);
  const port = k8s.IntOrString.fromNumber(dns.port ?? 53);
  return {
    to: [...Peer.service(dns).in('', cluster), ...nodeLocal],
    // Answers that do not fit a datagram are asked again over TCP.
    ports: ['UDP', 'TCP'].map((protocol) => ({ port, protocol })),
  };
}

function prefixed(labels: { readonly [label: string]: string } = {}): { [label: string]: string } {
  return Object.fromEntries(Object.entries(labels).map(([label, value]) => [`k8s:${label}`, value]));
}
