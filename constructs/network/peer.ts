import type { k8s } from 'cdk8s-plus-28';
import type { Cluster, ClusterService } from '../placement/cluster';
import { checkCidrs } from '../rules/address-range';
import { isHostName, refuseClusterName } from '../rules/host-name';
import { UsageError } from '../rules/usage-error';

/** Label that the API server puts on every namespace (Kubernetes docs, "Automatic labelling"). */
const NAMESPACE_LABEL = 'kubernetes.io/metadata.name';

/**
 * Private, shared and link-local ranges (RFC 1918, 6598, 3927, 4193, 4291, 6890) with the metadata services of the clouds
 * among them, and the one that Azure has at a public address (Azure docs, "What is IP address 168.63.129.16?"): never part
 * of "the internet".
 */
const PRIVATE_V4 = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
];
const PRIVATE_V6 = ['fc00::/7', 'fe80::/10'];

/** One end of a connection, as a network policy can name it. */
export abstract class Peer {
  /** The pods that a service in the cluster runs as, seen from outside this output. */
  public static service(service: ClusterService): Peer {
    return new ServicePeer(service);
  }

  /** The addresses of these ranges, of which there is at least one. */
  public static cidrs(...cidrs: string[]): Peer {
    if (cidrs.length === 0) {
      throw new UsageError('has no range, so a rule with it would allow nobody or everybody; name at least one', {
        property: 'cidrs',
      });
    }
    checkCidrs(cidrs, 'cidrs');
    return new CidrPeer(cidrs);
  }

  /** Every address that is not private, link-local or a metadata service. */
  public static internet(): Peer {
    return new InternetPeer();
  }

  /**
   * A host outside the cluster that pods connect to, by its DNS name; only Cilium can enforce it, elsewhere it
   * widens to {@link Peer.internet}.
   */
  public static host(host: string): Peer {
    if (!isHostName(host)) {
      throw new UsageError(
        `is "${host}", but must be a DNS name, without scheme, port or path; name an address with Peer.cidrs`,
        { property: 'host' },
      );
    }
    refuseClusterName(host, { property: 'host' });
    return new HostPeer(host);
  }

  /** Identity of the peer; peers with one key are the same peer. */
  public abstract readonly key: string;

  /** The host name, when the peer is one. */
  public abstract readonly fqdn: string | undefined;

  /** How messages name the peer. */
  public abstract describe(): string;

  /** The peers of a NetworkPolicy rule in this namespace of this cluster. */
  public abstract in(namespace: string, cluster: Cluster): k8s.NetworkPolicyPeer[];
}

/** The pods of a workload: both an end of connections and the subject of a policy. */
export class PodSet extends Peer {
  public readonly key: string;
  public readonly fqdn = undefined;

  public constructor(
    /** Namespace of the pods. */
    public readonly namespace: string,
    /** Name of the workload. */
    public readonly name: string,
    /** Labels that select the pods. */
    public readonly labels: { readonly [label: string]: string },
    /** Labels of which the pods have none, where others have the same labels otherwise. */
    public readonly without: readonly string[] = [],
  ) {
    super();
    this.key = `pods/${namespace}/${name}`;
  }

  /** Selects the pods and no others. */
  public get selector(): {
    matchLabels: { [label: string]: string };
    matchExpressions?: { readonly key: string; readonly operator: 'DoesNotExist' }[];
  } {
    const matchLabels = { ...this.labels };
    const missing = this.without.map((key) => ({ key, operator: 'DoesNotExist' }) as const);
    return missing.length === 0 ? { matchLabels } : { matchLabels, matchExpressions: missing };
  }

  public describe(): string {
    return this.name;
  }

  public in(namespace: string): k8s.NetworkPolicyPeer[] {
    const podSelector = this.selector;
    return [namespace === this.namespace ? { podSelector } : { ...namespaceOf(this.namespace), podSelector }];
  }
}

class ServicePeer extends Peer {
  public readonly key: string;
  public readonly fqdn = undefined;

  public constructor(private readonly service: ClusterService) {
    super();
    this.key = `service/${service.namespace}/${JSON.stringify(service.podLabels ?? {})}`;
  }

  public describe(): string {
    return `namespace ${this.service.namespace}`;
  }

  public in(): k8s.NetworkPolicyPeer[] {
    const { namespace, podLabels } = this.service;
    const podSelector = podLabels === undefined ? undefined : { matchLabels: { ...podLabels } };
    return [{ ...namespaceOf(namespace), podSelector }];
  }
}

class CidrPeer extends Peer {
  public readonly key: string;
  public readonly fqdn = undefined;

  public constructor(private readonly ranges: string[]) {
    super();
    this.key = `cidrs/${ranges.join(',')}`;
  }

  public describe(): string {
    return this.ranges.join(', ');
  }

  public in(): k8s.NetworkPolicyPeer[] {
    return this.ranges.map((cidr) => ({ ipBlock: { cidr } }));
  }
}

class InternetPeer extends Peer {
  public readonly key = 'internet';
  public readonly fqdn = undefined;

  public describe(): string {
    return 'the internet';
  }

  public in(_namespace: string, { ipv6 }: Cluster): k8s.NetworkPolicyPeer[] {
    const v4 = { ipBlock: { cidr: '0.0.0.0/0', except: PRIVATE_V4 } };
    return ipv6 ? [v4, { ipBlock: { cidr: '::/0', except: PRIVATE_V6 } }] : [v4];
  }
}

class HostPeer extends Peer {
  public readonly key: string;

  public constructor(public readonly fqdn: string) {
    super();
    this.key = `host/${fqdn}`;
  }

  public describe(): string {
    return this.fqdn;
  }

  public in(namespace: string, cluster: Cluster): k8s.NetworkPolicyPeer[] {
    // On Cilium a policy of its own allows exactly this name.
    return cluster.cilium ? [] : Peer.internet().in(namespace, cluster);
  }
}

function namespaceOf(name: string): { namespaceSelector: k8s.LabelSelector } {
  return { namespaceSelector: { matchLabels: { [NAMESPACE_LABEL]: name } } };
}
