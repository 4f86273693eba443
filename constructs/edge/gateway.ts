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
import { dnsLabelProblem, dnsSubdomainProblem } from '../rules/object-name';
import { refuse } from '../rules/usage-error';
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
export class Gateway extends EdgeProxy {
  /** A Gateway that exists; its owner terminates TLS. By default its proxies run beside it. */
  public static named(name: string, props: NamedGatewayProps): Gateway {
    refuse(dnsSubdomainProblem(name), { property: 'gateway.name' });
    refuse(dnsLabelProblem(props.namespace), { property: 'gateway.namespace' });
    refuse(dnsSubdomainProblem(props.listener ?? HTTPS), { property: 'gateway.listener' });
    const beside = props.proxies === undefined && props.proxyCidrs === undefined;
    const origin = beside ? { proxies: { namespace: props.namespace } } : props;
    return new Gateway(origin, undefined, (scope, route) => bindNamed(scope, route, name, props));
  }

  /** A Gateway of its own, named like the route. */
  public static dedicated(props: DedicatedGatewayProps): Gateway {
    refuse(dnsSubdomainProblem(props.className), { property: 'gateway.className' });
    return new Gateway(props, props.certificate, (scope, route) => bindDedicated(scope, route, props));
  }

  private constructor(
    origin: ProxyOrigin,
    /** The certificate of the host; undefined where the owner of the Gateway terminates TLS. */
    public readonly certificate: ServerCertificate | undefined,
    private readonly bind: (scope: Construct, route: ProxiedRoute) => void,
  ) {
    super(origin, 'gateway');
  }

  /**
   * Creates the objects of a route.
   * @internal
   */
  public _bind(scope: Construct, route: ProxiedRoute): void {
    this.bind(scope, route);
  }
}

function bindNamed(scope: Construct, route: ProxiedRoute, name: string, props: NamedGatewayProps): void {
  const { namespace, listener = HTTPS } = props;
  ExternalReferences.of(scope).declare({ kind: 'Gateway', name, namespace });
  createRoute(scope, route, { name, namespace, sectionName: listener });
}

function bindDedicated(scope: Construct, route: ProxiedRoute, props: DedicatedGatewayProps): void {
  const { className, certificate } = props;
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
