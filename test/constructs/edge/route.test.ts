import { Duration } from 'cdk8s';
import { RagApi } from '../../../constructs/api/rag-api';
import type { EdgeProxy } from '../../../constructs/edge/edge-proxy';
import { Gateway } from '../../../constructs/edge/gateway';
import { Ingress, IngressController } from '../../../constructs/edge/ingress';
import { Route, type RouteProps } from '../../../constructs/edge/route';
import { Endpoint } from '../../../constructs/network/endpoint';
import { CertificateIssuer } from '../../../constructs/secrets/certificate-issuer';
import { ServerCertificate } from '../../../constructs/secrets/server-certificate';
import { Deployment } from '../../../constructs/workload/deployment';
import { find, namesOf, render, testChart } from '../../support/manifests';
import { refusalOf } from '../../support/refusal';
import { IMAGE } from '../../support/values';
import { CONTAINER } from '../../support/workloads';

const UI = { name: 'http', number: 3000 };
const PROXIES = { namespace: 'proxies', podLabels: { app: 'proxy' } };
const CERTIFICATE = ServerCertificate.issuedBy(CertificateIssuer.cluster('letsencrypt', { http01: true }));
const FROM_PROXIES = {
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'proxies' } },
  podSelector: { matchLabels: { app: 'proxy' } },
};

function route(via: EdgeProxy, props: Partial<RouteProps> = {}) {
  const chart = testChart();
  const api = new RagApi(chart, 'api', { image: IMAGE, longestAnswer: Duration.minutes(4) });
  new Route(chart, 'public', { to: api, host: 'rag.acme.example', via, ...props });
  return render(chart);
}

describe('through a Gateway that exists', () => {
  const objects = route(Gateway.named('shared', { namespace: 'gateways', proxies: PROXIES }));

  test('an HTTPRoute at its TLS listener', () => {
    expect(find(objects, 'HTTPRoute', 'public').spec).toEqual({
      hostnames: ['rag.acme.example'],
      parentRefs: [
        {
          group: 'gateway.networking.k8s.io',
          kind: 'Gateway',
          name: 'shared',
          namespace: 'gateways',
          sectionName: 'https',
        },
      ],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          backendRefs: [{ group: '', kind: 'Service', name: 'api', port: 8000, weight: 1 }],
          timeouts: { request: '245s', backendRequest: '245s' },
        },
      ],
    });
  });

  test('no Gateway and no certificate of our own', () => {
    expect(namesOf(objects, 'Gateway')).toEqual([]);
    expect(namesOf(objects, 'Certificate')).toEqual([]);
    expect(namesOf(objects, 'HTTPRoute')).toEqual(['public']);
  });

  test('metrics on a port of their own are not part of what it leads to', () => {
    const chart = testChart();
    const api = new RagApi(chart, 'api', { image: IMAGE, metricsPort: 9000 });
    const via = Gateway.named('shared', { namespace: 'gateways', proxies: PROXIES });
    new Route(chart, 'public', { to: api, host: 'rag.acme.example', via });
    expect(find(render(chart), 'HTTPRoute', 'public').spec.rules[0].backendRefs[0].port).toBe(8000);
    expect(find(render(chart), 'NetworkPolicy', 'api').spec.ingress).toEqual([
      { from: [FROM_PROXIES], ports: [{ port: 8000, protocol: 'TCP' }] },
    ]);
  });

  test('its proxies may connect to the API', () => {
    expect(find(objects, 'NetworkPolicy', 'api').spec.ingress).toEqual([
      { from: [FROM_PROXIES], ports: [{ port: 8000, protocol: 'TCP' }] },
    ]);
  });

  test('they run beside the Gateway unless it is said otherwise', () => {
    const beside = route(Gateway.named('shared', { namespace: 'gateways' }));
    expect(find(beside, 'NetworkPolicy', 'api').spec.ingress[0].from).toEqual([
      { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'gateways' } } },
    ]);
  });

  test('the listener can be another', () => {
    const other = route(Gateway.named('shared', { namespace: 'gateways', listener: 'internal' }));
    expect(find(other, 'HTTPRoute', 'public').spec.parentRefs[0].sectionName).toBe('internal');
  });
});

describe('through a Gateway of its own', () => {
  const objects = route(Gateway.dedicated({ className: 'envoy', certificate: CERTIFICATE, proxies: PROXIES }));

  test('HTTP and HTTPS for the host', () => {
    const { gatewayClassName, listeners } = find(objects, 'Gateway', 'public').spec;
    expect(gatewayClassName).toBe('envoy');
    expect(listeners).toEqual([
      {
        name: 'http',
        port: 80,
        protocol: 'HTTP',
        hostname: 'rag.acme.example',
        allowedRoutes: { namespaces: { from: 'Same' } },
      },
      {
        name: 'https',
        port: 443,
        protocol: 'HTTPS',
        hostname: 'rag.acme.example',
        allowedRoutes: { namespaces: { from: 'Same' } },
        tls: { mode: 'Terminate', certificateRefs: [{ group: '', kind: 'Secret', name: 'public-tls' }] },
      },
    ]);
  });

  test('a certificate for the host', () => {
    expect(find(objects, 'Certificate', 'public-tls').spec).toEqual({
      secretName: 'public-tls',
      dnsNames: ['rag.acme.example'],
      issuerRef: { group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'letsencrypt' },
      privateKey: { rotationPolicy: 'Always' },
      usages: ['server auth'],
    });
  });

  test('HTTP is redirected, HTTPS leads to the API', () => {
    expect(find(objects, 'HTTPRoute', 'public').spec.parentRefs[0]).toMatchObject({
      name: 'public',
      sectionName: 'https',
    });
    const redirect = find(objects, 'HTTPRoute', 'public-redirect').spec;
    expect(redirect.parentRefs[0].sectionName).toBe('http');
    expect(redirect.rules[0].filters).toEqual([
      { type: 'RequestRedirect', requestRedirect: { scheme: 'https', statusCode: 301 } },
    ]);
    expect(redirect.rules[0].backendRefs).toBeUndefined();
  });

  test('the challenge of the issuer is let through to its solver', () => {
    expect(find(objects, 'NetworkPolicy', 'acme-http01-solver').spec).toMatchObject({
      podSelector: { matchLabels: { 'acme.cert-manager.io/http01-solver': 'true' } },
      ingress: [{ from: [FROM_PROXIES], ports: [{ port: 8089, protocol: 'TCP' }] }],
    });
  });

  test('without a certificate there is HTTP alone', () => {
    const plain = route(Gateway.dedicated({ className: 'envoy', proxies: PROXIES }));
    expect(find(plain, 'Gateway', 'public').spec.listeners.map(({ name }: { name: string }) => name)).toEqual(['http']);
    expect(find(plain, 'HTTPRoute', 'public').spec.parentRefs[0].sectionName).toBe('http');
    expect(namesOf(plain, 'HTTPRoute')).toEqual(['public']);
    expect(namesOf(plain, 'NetworkPolicy')).not.toContain('acme-http01-solver');
  });

  test('an issuer that needs no challenge in the cluster opens nothing', () => {
    const certificate = ServerCertificate.issuedBy(CertificateIssuer.namespaced('internal'));
    const internal = route(Gateway.dedicated({ className: 'envoy', certificate, proxies: PROXIES }));
    expect(namesOf(internal, 'NetworkPolicy')).toEqual(['api']);
    expect(find(internal, 'Certificate', 'public-tls').spec.issuerRef.kind).toBe('Issuer');
  });
});

describe('through an Ingress', () => {
  test.each([
    [
      IngressController.NGINX,
      {
        'nginx.ingress.kubernetes.io/proxy-read-timeout': '245',
        'nginx.ingress.kubernetes.io/proxy-send-timeout': '245',
        'nginx.ingress.kubernetes.io/proxy-next-upstream': 'off',
      },
    ],
    [
      IngressController.ALB,
      {
        'alb.ingress.kubernetes.io/target-type': 'ip',
        'alb.ingress.kubernetes.io/load-balancer-attributes': 'idle_timeout.timeout_seconds=245',
        'alb.ingress.kubernetes.io/healthcheck-path': '/health/ready',
      },
    ],
    [
      IngressController.AZURE_APPLICATION_GATEWAY,
      {
        'appgw.ingress.kubernetes.io/request-timeout': '245',
        'appgw.ingress.kubernetes.io/health-probe-path': '/health/ready',
      },
    ],
    [IngressController.TRAEFIK, {}],
  ])('each controller waits in its own words', (controller, annotations) => {
    const objects = route(Ingress.ofClass('class', { controller, proxies: PROXIES }));
    const { 'argocd.argoproj.io/sync-wave': _, ...own } = find(objects, 'Ingress', 'public').metadata.annotations ?? {};
    expect(own).toEqual({ ...annotations, 'argocd.argoproj.io/sync-options': 'PruneLast=true' });
  });

  test('the class is a field, and TLS comes from the certificate', () => {
    const objects = route(
      Ingress.ofClass('nginx', { controller: IngressController.NGINX, certificate: CERTIFICATE, proxies: PROXIES }),
      { path: '/v1' },
    );
    expect(find(objects, 'Ingress', 'public').spec).toEqual({
      ingressClassName: 'nginx',
      tls: [{ hosts: ['rag.acme.example'], secretName: 'public-tls' }],
      rules: [
        {
          host: 'rag.acme.example',
          http: {
            paths: [{ path: '/v1', pathType: 'Prefix', backend: { service: { name: 'api', port: { number: 8000 } } } }],
          },
        },
      ],
    });
    expect(namesOf(objects, 'Certificate')).toEqual(['public-tls']);
    expect(namesOf(objects, 'HTTPRoute')).toEqual([]);
  });

  test('a TLS Secret that exists is used as it is', () => {
    const certificate = ServerCertificate.existing('wildcard');
    const objects = route(
      Ingress.ofClass('nginx', { controller: IngressController.NGINX, certificate, proxies: PROXIES }),
    );
    expect(find(objects, 'Ingress', 'public').spec.tls).toEqual([
      { hosts: ['rag.acme.example'], secretName: 'wildcard' },
    ]);
    expect(namesOf(objects, 'Certificate')).toEqual([]);
  });

  test('whose target says no path is asked as the controller does by itself', () => {
    const chart = testChart();
    const ui = new Deployment(chart, 'ui', { component: 'ui', container: { ...CONTAINER, ports: [UI] } });
    ui.addService({ ports: [UI] });
    const via = Ingress.ofClass('alb', { controller: IngressController.ALB, proxyCidrs: ['10.0.0.0/16'] });
    new Route(chart, 'public', { to: ui.offer({ port: UI }), host: 'ui.acme.example', via });
    expect(find(render(chart), 'Ingress', 'public').metadata.annotations).not.toHaveProperty([
      'alb.ingress.kubernetes.io/healthcheck-path',
    ]);
  });

  test('an ALB has the pods wait for it, others do not', () => {
    const labelsOf = (controller: IngressController) =>
      Ingress.ofClass('class', { controller, proxyCidrs: ['10.0.0.0/16'] }).namespaceLabels;
    expect(labelsOf(IngressController.ALB)).toEqual({ 'elbv2.k8s.aws/pod-readiness-gate-inject': 'enabled' });
    expect(labelsOf(IngressController.NGINX)).toEqual({});
    expect(Gateway.dedicated({ className: 'envoy', proxies: PROXIES }).namespaceLabels).toEqual({});
  });

  test('annotations of the user come on top', () => {
    const annotations = { 'alb.ingress.kubernetes.io/scheme': 'internal' };
    const objects = route(
      Ingress.ofClass('alb', { controller: IngressController.ALB, annotations, proxyCidrs: ['10.0.0.0/16'] }),
    );
    expect(find(objects, 'Ingress', 'public').metadata.annotations).toMatchObject(annotations);
    expect(find(objects, 'NetworkPolicy', 'api').spec.ingress[0].from).toEqual([{ ipBlock: { cidr: '10.0.0.0/16' } }]);
  });
});

describe('mistakes', () => {
  const via = Gateway.named('shared', { namespace: 'gateways' });

  test.each(['', 'https://rag.acme.example', 'rag.acme.example/v1', 'rag', 'Rag.acme.example', '10.0.0.1', '1.2.3'])(
    'the host "%s"',
    (host) => {
      expect(() => route(via, { host })).toThrow(
        `rag/public: host is "${host}", but must be a DNS name such as rag.acme.example`,
      );
    },
  );

  test('a way to the outside', () => {
    const to = {
      endpoint: Endpoint.host('acme.example', { name: 'https', number: 443 }),
      edgeTimeout: Duration.minutes(1),
    };
    expect(() => route(via, { to })).toThrow(
      'rag/public: to leads to a host outside the cluster; a route leads to a Service',
    );
  });

  test('a proxy that is nowhere', () => {
    const problem =
      'is missing; say where the proxy runs, with the namespace of its pods or its address ranges, or the pods behind ' +
      'it would let nobody in';
    expect(() => Gateway.dedicated({ className: 'envoy' })).toThrow(new Error(`gateway.proxies ${problem}`));
    expect(() => Gateway.named('shared', { namespace: 'gateways', proxyCidrs: [] })).toThrow(
      new Error(`gateway.proxies ${problem}`),
    );
    expect(() => Ingress.ofClass('nginx', { controller: IngressController.NGINX })).toThrow(
      new Error(`ingress.proxies ${problem}`),
    );
  });

  test('a proxy with addresses that are none', () => {
    expect(() => route(Gateway.dedicated({ className: 'envoy', proxyCidrs: ['10.0.0.0'] }))).toThrow(
      'has "10.0.0.0", but must have address ranges such as 10.0.0.0/16',
    );
  });

  test('a certificate for a controller that reads none', () => {
    expect(() =>
      Ingress.ofClass('alb', { controller: IngressController.ALB, certificate: CERTIFICATE, proxies: PROXIES }),
    ).toThrow(
      'ingress.certificate is set, but alb reads no TLS Secrets; set the annotation alb.ingress.kubernetes.io/certificate-arn',
    );
  });

  test('a controller that is not known', () => {
    expect(() => IngressController.named('haproxy')).toThrow(
      'controller is "haproxy"; use one of nginx, alb, azure-application-gateway, traefik',
    );
  });
});

test.each(['/', '/v1', '/v1/', "/a-b_c.d~e!$&'()*+,;=:@", '/caf%C3%A9', '/...', `/${'a'.repeat(1023)}`])(
  'paths can begin with "%s"',
  (path) => {
    expect(() => route(Gateway.named('shared', { namespace: 'gateways' }), { path })).not.toThrow();
  },
);

test.each(['//', '/a//b', '/./a', '/a/..', '/a/../b', '/a%2fb', '/a%2Fb', '/a?b', '/a#b', '/a b', '/a%', '/é', '/{a}'])(
  'paths cannot be as the Gateway API has none: "%s"',
  (path) => {
    expect(() => route(Gateway.named('shared', { namespace: 'gateways' }), { path })).toThrow(
      `rag/public: path is "${path}", but must be a path of letters, digits, "-", "_", "." and the like, without "//", `,
    );
  },
);

test('paths cannot be longer than 1024 characters', () => {
  expect(() => route(Gateway.named('shared', { namespace: 'gateways' }), { path: `/${'a'.repeat(1024)}` })).toThrow(
    new Error('rag/public: path has 1025 characters, but at most 1024 are allowed; shorten it'),
  );
});

test.each<[string, () => unknown]>([
  ['gateway.name is "Shared"', () => Gateway.named('Shared', { namespace: 'gateways' })],
  ['gateway.namespace is "a.b"', () => Gateway.named('shared', { namespace: 'a.b', proxyCidrs: ['10.0.0.0/8'] })],
  ['gateway.listener is "HTTPS"', () => Gateway.named('shared', { namespace: 'gateways', listener: 'HTTPS' })],
  ['gateway.className is "a b"', () => Gateway.dedicated({ className: 'a b', proxies: { namespace: 'e' } })],
  ['gateway.proxies.namespace is "E"', () => Gateway.dedicated({ className: 'a', proxies: { namespace: 'E' } })],
  [
    'gateway.proxies.podLabels has the key "a b"',
    () => Gateway.dedicated({ className: 'a', proxies: { namespace: 'e', podLabels: { 'a b': 'c' } } }),
  ],
  [
    'ingress.className is "Nginx"',
    () => Ingress.ofClass('Nginx', { controller: IngressController.NGINX, proxies: { namespace: 'e' } }),
  ],
  [
    'ingress.annotations has the key "a b"',
    () =>
      Ingress.ofClass('nginx', {
        controller: IngressController.NGINX,
        proxies: { namespace: 'e' },
        annotations: { 'a b': 'c' },
      }),
  ],
])('names that nothing in a cluster has are refused: %s', (problem, create) => {
  expect(refusalOf(create).message.startsWith(`${problem}, but `)).toBe(true);
});

test.each(['v1', '', 'https://rag.acme.example/'])('paths cannot begin with "%s"', (path) => {
  expect(() => route(Gateway.named('shared', { namespace: 'gateways' }), { path })).toThrow(
    new Error(`rag/public: path is "${path}", but must be a path that begins with "/"`),
  );
});
