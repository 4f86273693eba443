import type { Duration } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { Peer } from '../network/peer';
import { type ClusterService, checkClusterService } from '../placement/cluster';
import { checkCidrs } from '../rules/address-range';
import { UsageError } from '../rules/usage-error';
import type { ServerCertificate } from '../secrets/server-certificate';

/** Where the connections of a proxy come from. One of the two is needed, or the pods would let nobody in. */
export interface ProxyOrigin {
  /**
   * The pods of the proxy: with Envoy Gateway they run in `envoy-gateway-system`, wherever the Gateway is.
   * @default - the proxy is no pod that a policy could select
   */
  readonly proxies?: ClusterService;

  /**
   * Address ranges of the proxy, for load balancers outside the cluster and for proxies on the host network.
   * @default - none
   */
  readonly proxyCidrs?: string[];
}

/** A route as a proxy needs to know it. */
export interface ProxiedRoute {
  /** Metadata of the objects. */
  readonly metadata: k8s.ObjectMeta;
  /** Name of the host. */
  readonly host: string;
  /** Beginning of the paths. */
  readonly path: string;
  /** Name of the Service. */
  readonly service: string;
  /** Port of the Service. */
  readonly port: number;
  /** Time after which the proxy gives up. */
  readonly timeout: Duration;
  /** Path at which pods say whether they can answer; undefined when nobody knows. */
  readonly readinessPath?: string;
}

/** What carries requests from outside to a Service: a Gateway or an Ingress controller. */
export abstract class EdgeProxy {
  protected constructor(
    private readonly origin: ProxyOrigin,
    setting: string,
  ) {
    const { proxies, proxyCidrs = [] } = origin;
    if (proxies === undefined && proxyCidrs.length === 0) {
      throw new UsageError(
        'is missing; say where the proxy runs, with the namespace of its pods or its address ranges, or the pods ' +
          'behind it would let nobody in',
        { property: `${setting}.proxies` },
      );
    }
    if (proxies !== undefined) {
      checkClusterService(`${setting}.proxies`, proxies);
    }
    checkCidrs(proxyCidrs, `${setting}.proxyCidrs`);
  }

  /** Where connections come from, for policies. */
  public get peers(): Peer[] {
    const { proxies, proxyCidrs = [] } = this.origin;
    return [
      ...(proxies === undefined ? [] : [Peer.service(proxies)]),
      ...(proxyCidrs.length === 0 ? [] : [Peer.cidrs(...proxyCidrs)]),
    ];
  }

  /** Labels by which a namespace says what its pods need to be reached. */
  public get namespaceLabels(): { readonly [label: string]: string } {
    return {};
  }

  /** The certificate of the host, where the proxy has one of its own. */
  public abstract readonly certificate: ServerCertificate | undefined;

  /**
   * Creates the objects of a route.
   * @internal
   */
  public abstract _bind(scope: Construct, route: ProxiedRoute): void;
}
