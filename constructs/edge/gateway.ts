import type { Construct } from 'constructs';
import {
  GatewaySpecListenersAllowedRoutesNamespacesFrom as AllowedFrom,
  HttpRouteSpecRulesFiltersType as FilterType,
  Gateway as GatewayObject,
  type GatewaySpecListeners,
  HttpRoute,
  type HttpRouteSpecParentRefs,
  type HttpRouteSpecRules,
  HttpRouteSpecRulesMatchesPathType as PathType,
  HttpRouteSpecRulesFiltersRequestRedirectScheme as RedirectScheme,
  HttpRouteSpecRulesFiltersRequestRedirectStatusCode as RedirectStatus,
  GatewaySpecListenersTlsMode as TlsMode,
} from '../../imports/gateway.networking.k8s.io';
import { ExternalReferences } from '../rules/external-references';
import { CertificateUsage, type ServerCertificate } from '../secrets/server-certificate';
import { EdgeProxy, type ProxiedRoute, type ProxyOrigin } from './edge-proxy';

/** A Gateway that somebody else runs. */
export interface NamedGatewayProps extends ProxyOrigin {
  /** Namespace of the Gateway. */
  readonly namespace: string;

  /**
   * Name of the listener, which terminates TLS for the host. The Gateway must allow routes from the chart's
   * namespace.
   * @default "https"
   */
  readonly listener?: string;
}

/** A Gateway for one route. */
export interface DedicatedGatewayProps extends ProxyOrigin {
  /** GatewayClass, which exists in the cluster. */
  readonly className: string;

  /**
   * Certificate of the host; plain HTTP is redirected then.
   * @default - plain HTTP
   */
  readonly certificate?: ServerCertificate;
}

const GROUP = 'gateway.networking.k8s.io';
const HTTP = 'http';
const HTTPS = 'https';

/**
 * A Gateway of the Gateway API.
 *
 * Every field that the API server would default inside a list is written out; a list entry without them
 * would never be in sync.
 *
 * Source: Gateway API 1.6, HTTPRoute and Gateway.
 */
export abstract class Gateway extends EdgeProxy {
  /** A Gateway that exists; its owner terminates TLS. By default its proxies run beside it. */
  public static named(name: string, props: NamedGatewayProps): Gateway {
    return new NamedGateway(name, props);
  }

  /** A Gateway of its own, named like the route. */
  public static dedicated(props: DedicatedGatewayProps): Gateway {
    return new DedicatedGateway(props);
  }
}

class NamedGateway extends Gateway {
  public readonly certificate = undefined;

  public constructor(
    private readonly name: string,
    private readonly props: NamedGatewayProps,
  ) {
    super(
      props.proxies === undefined && props.proxyCidrs === undefined
        ? { proxies: { namespace: props.namespace } }
        : props,
      'gateway',
    );
  }

  public _bind(scope: Construct, route: ProxiedRoute): void {
    const { namespace, listener = HTTPS } = this.props;
    ExternalReferences.of(scope).declare({ kind: 'Gateway', name: this.name, namespace });
    createRoute(scope, route, { name: this.name, namespace, sectionName: listener });
  }
}

class DedicatedGateway extends Gateway {
  public readonly certificate: ServerCertificate | undefined;

  public constructor(private readonly props: DedicatedGatewayProps) {
    super(props, 'gateway');
    this.certificate = props.certificate;
  }

  public _bind(scope: Construct, route: ProxiedRoute): void {
    const { className, certificate } = this.props;
    const name = route.metadata.name as string;
    const secret = certificate?._bind(scope, route.metadata, [route.host], [CertificateUsage.SERVER_AUTH]).certificate
      .secret;
    ExternalReferences.of(scope).declare({ kind: 'GatewayClass', name: className });
    new GatewayObject(scope, 'Gateway', {
      metadata: route.metadata,
      spec: {
        gatewayClassName: className,
        listeners: [httpListener(route.host), ...(secret === undefined ? [] : [httpsListener(route.host, secret)])],
      },
    });
    createRoute(scope, route, { name, sectionName: secret === undefined ? HTTP : HTTPS });
    if (secret !== undefined) {
      createRedirect(scope, route, { name, sectionName: HTTP });
    }
  }
}

function httpListener(hostname: string): GatewaySpecListeners {
  return {
    name: HTTP,
    port: 80,
    protocol: 'HTTP',
    hostname,
    allowedRoutes: { namespaces: { from: AllowedFrom.SAME } },
  };
}

function httpsListener(hostname: string, secret: string): GatewaySpecListeners {
  return {
    name: HTTPS,
    port: 443,
    protocol: 'HTTPS',
    hostname,
    tls: { mode: TlsMode.TERMINATE, certificateRefs: [{ group: '', kind: 'Secret', name: secret }] },
    allowedRoutes: { namespaces: { from: AllowedFrom.SAME } },
  };
}

function createRoute(scope: Construct, route: ProxiedRoute, parent: HttpRouteSpecParentRefs): void {
  const timeout = `${route.timeout.toSeconds()}s`;
  createHttpRoute(scope, 'HttpRoute', route, route.metadata.name as string, parent, {
    matches: [{ path: { type: PathType.PATH_PREFIX, value: route.path } }],
    backendRefs: [{ group: '', kind: 'Service', name: route.service, port: route.port, weight: 1 }],
    timeouts: { request: timeout, backendRequest: timeout },
  });
}

function createRedirect(scope: Construct, route: ProxiedRoute, parent: HttpRouteSpecParentRefs): void {
  createHttpRoute(scope, 'Redirect', route, `${route.metadata.name}-redirect`, parent, {
    matches: [{ path: { type: PathType.PATH_PREFIX, value: '/' } }],
    filters: [
      {
        type: FilterType.REQUEST_REDIRECT,
        requestRedirect: { scheme: RedirectScheme.HTTPS, statusCode: RedirectStatus.VALUE_301 },
      },
    ],
  });
}

function createHttpRoute(
  scope: Construct,
  id: string,
  route: ProxiedRoute,
  name: string,
  parent: HttpRouteSpecParentRefs,
  rule: HttpRouteSpecRules,
): void {
  new HttpRoute(scope, id, {
    metadata: { ...route.metadata, name },
    spec: {
      parentRefs: [{ group: GROUP, kind: 'Gateway', ...parent }],
      hostnames: [route.host],
      rules: [rule],
    },
  });
}
