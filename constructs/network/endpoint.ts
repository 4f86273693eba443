import { isIP } from 'node:net';
import type { IConstruct } from 'constructs';
import { Cluster, type ClusterService } from '../placement/cluster';
import { checkHost } from './host-name';
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
    checkHost(host, 'host');
    const known = isIP(host) === 0 ? cidrs : [`${host}/${isIP(host) === 4 ? 32 : 128}`];
    return new Endpoint(known.length > 0 ? Peer.cidrs(...known) : Peer.host(host), port, () => host);
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
