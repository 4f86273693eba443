import { isIP } from 'node:net';
import type { IConstruct } from 'constructs';
import { Cluster, type ClusterService } from '../placement/cluster';
import type { HttpProxy } from '../placement/http-proxy';
import { checkHostForm, namespaceOfService } from '../rules/host-name';
import { Peer, type PodSet } from './peer';
import { checkPortNumber, type Port } from './port';

/** An address that clients connect to, with the peer that policies name for it. */
export class Endpoint {
  /** A port of pods behind a Service of the cluster. */
  public static service(pods: PodSet, service: string, port: Port): Endpoint {
    const hostFor = (scope: IConstruct, namespace: string) =>
      namespace === pods.namespace ? service : `${service}.${pods.namespace}.svc.${Cluster.of(scope).domain}`;
    return new Endpoint(pods, port, hostFor, service);
  }

  /**
   * A port of a host outside the cluster.
   *
   * @param host DNS name or address
   * @param port the port, TCP
   * @param cidrs addresses behind the name, where they are known and stable; without them a policy names
   *   the host (Cilium) or the whole internet without private ranges
   */
  public static host(host: string, port: Port, cidrs: string[] = []): Endpoint {
    // Agents of clouds answer at link-local addresses.
    checkHostForm(host, 'host');
    const known = isIP(host) === 0 ? cidrs : [`${host}/${isIP(host) === 4 ? 32 : 128}`];
    return new Endpoint(known.length > 0 ? Peer.cidrs(...known) : Peer.host(host), port, () => host);
  }

  /**
   * A port of a host outside the cluster to which clients speak HTTP or HTTPS: through the proxy of the cluster, where it
   * has one and the addresses of the host are not known.
   *
   * @param host DNS name or address
   * @param port the port, TCP
   * @param cidrs addresses behind the name, where they are known and stable
   */
  public static web(host: string, port: Port, cidrs: string[] = []): Endpoint {
    const { peer } = Endpoint.host(host, port, cidrs);
    return new Endpoint(peer, port, () => host, undefined, peer.fqdn);
  }

  /** The HTTP proxy of a cluster. */
  public static proxy({ host, port: number, cidrs }: HttpProxy): Endpoint {
    const port = { name: 'proxy', number };
    const namespace = namespaceOfService(host);
    return namespace === undefined
      ? Endpoint.host(host, port, [...cidrs])
      : Endpoint.foreignService({ namespace }, host, port);
  }

  /**
   * A port of pods in the cluster that this output does not create.
   *
   * @param service where the pods run
   * @param host name by which clients reach them
   * @param port the port, TCP; the same on the pods as on their Service
   */
  public static foreignService(service: ClusterService, host: string, port: Port): Endpoint {
    return new Endpoint(Peer.service(service), port, () => host);
  }

  private constructor(
    /** What a network policy names. */
    public readonly peer: Peer,
    /** The port. */
    public readonly port: Port,
    private readonly hostFor: (scope: IConstruct, namespace: string) => string,
    /** The Service in front of the pods; undefined outside the cluster. */
    public readonly service?: string,
    /** The host outside to which clients speak HTTP, where its addresses are not known; undefined for all others. */
    public readonly webHost?: string,
  ) {
    checkPortNumber(port.number, 'port');
  }

  /**
   * Host name by which a client in this namespace reaches the endpoint: short inside the namespace, because
   * every label more costs a search-path lookup; fully qualified across namespaces.
   */
  public hostFrom(scope: IConstruct, namespace: string): string {
    return this.hostFor(scope, namespace);
  }
}
