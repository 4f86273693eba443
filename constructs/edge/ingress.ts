import type { Duration } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { ExternalReferences } from '../rules/external-references';
import { checkAnnotations } from '../rules/label';
import { dnsSubdomainProblem } from '../rules/object-name';
import { refuse, UsageError } from '../rules/usage-error';
import { CertificateUsage, type ServerCertificate } from '../secrets/server-certificate';
import { EdgeProxy, type ProxiedRoute, type ProxyOrigin } from './edge-proxy';

/** What is peculiar to a controller. */
interface IngressControllerDetails {
  /** The annotation that names the certificate. */
  readonly certificateAnnotation?: string;
  /** The annotation that names the path at which it asks pods. */
  readonly readinessAnnotation?: string;
  /** Labels that the namespace of the pods needs. */
  readonly namespaceLabels?: { readonly [label: string]: string };
}

/**
 * The program behind an IngressClass. An Ingress has no field for timeouts; each controller reads its own
 * annotations.
 *
 * Source: ingress-nginx docs, "Annotations"; AWS Load Balancer Controller docs, "Ingress annotations";
 * AGIC docs, "Annotations"; Traefik docs, "EntryPoints".
 */
export class IngressController {
  /** ingress-nginx, which gets no releases since March 2026; for clusters that still run it. */
  public static readonly NGINX = new IngressController('nginx', (seconds) => ({
    'nginx.ingress.kubernetes.io/proxy-read-timeout': seconds,
    'nginx.ingress.kubernetes.io/proxy-send-timeout': seconds,
    // An answer that failed half-way must not be generated a second time.
    'nginx.ingress.kubernetes.io/proxy-next-upstream': 'off',
  }));

  /** AWS Load Balancer Controller, with pods as targets. It takes certificates from ACM, not from Secrets. */
  public static readonly ALB = new IngressController(
    'alb',
    (seconds) => ({
      'alb.ingress.kubernetes.io/target-type': 'ip',
      'alb.ingress.kubernetes.io/load-balancer-attributes': `idle_timeout.timeout_seconds=${seconds}`,
    }),
    {
      certificateAnnotation: 'alb.ingress.kubernetes.io/certificate-arn',
      readinessAnnotation: 'alb.ingress.kubernetes.io/healthcheck-path',
      // A pod is ready only when the load balancer sends to it, so that no rollout is ahead of it (AWS Load Balancer
      // Controller docs, "Pod readiness gate").
      namespaceLabels: { 'elbv2.k8s.aws/pod-readiness-gate-inject': 'enabled' },
    },
  );

  /** Azure Application Gateway ingress controller. */
  public static readonly AZURE_APPLICATION_GATEWAY = new IngressController(
    'azure-application-gateway',
    (seconds) => ({ 'appgw.ingress.kubernetes.io/request-timeout': seconds }),
    { readinessAnnotation: 'appgw.ingress.kubernetes.io/health-probe-path' },
  );

  /** Traefik, which waits for an answer as long as it takes. */
  public static readonly TRAEFIK = new IngressController('traefik', () => ({}));

  /** The controller of this name: `nginx`, `alb`, `azure-application-gateway` or `traefik`. */
  public static named(name: string): IngressController {
    const known = [
      IngressController.NGINX,
      IngressController.ALB,
      IngressController.AZURE_APPLICATION_GATEWAY,
      IngressController.TRAEFIK,
    ];
    const found = known.find((controller) => controller.name === name);
    if (found === undefined) {
      throw new UsageError(`is "${name}"; use one of ${known.map((controller) => controller.name).join(', ')}`, {
        property: 'controller',
      });
    }
    return found;
  }

  private constructor(
    /** Name of the controller in environment files. */
    public readonly name: string,
    private readonly annotationsFor: (seconds: string) => { [annotation: string]: string },
    private readonly details: IngressControllerDetails = {},
  ) {}

  /** The annotation that names the certificate, where the controller does not read TLS Secrets. */
  public get certificateAnnotation(): string | undefined {
    return this.details.certificateAnnotation;
  }

  /** Labels that the namespace of the pods needs. */
  public get namespaceLabels(): { readonly [label: string]: string } {
    return this.details.namespaceLabels ?? {};
  }

  /** Annotations that have the controller ask pods at this path; none where it goes by their readiness anyway. */
  public readinessAnnotations(path: string | undefined): { [annotation: string]: string } {
    const { readinessAnnotation } = this.details;
    return path === undefined || readinessAnnotation === undefined ? {} : { [readinessAnnotation]: path };
  }

  /** Annotations that make the controller wait this long for an answer. */
  public timeoutAnnotations(timeout: Duration): { [annotation: string]: string } {
    return this.annotationsFor(String(timeout.toSeconds()));
  }
}

/** How an Ingress controller is used. */
export interface IngressProps extends ProxyOrigin {
  /** The program behind the class. */
  readonly controller: IngressController;

  /**
   * Certificate of the host.
   * @default - plain HTTP
   */
  readonly certificate?: ServerCertificate;

  /**
   * Annotations of the Ingress besides those for timeouts.
   * @default - none
   */
  readonly annotations?: { readonly [annotation: string]: string };
}

/** An Ingress controller, for clusters without the Gateway API. */
export class Ingress extends EdgeProxy {
  /** The controller behind an IngressClass that exists in the cluster. */
  public static ofClass(className: string, props: IngressProps): Ingress {
    return new Ingress(className, props);
  }

  /** The certificate of the host. */
  public readonly certificate: ServerCertificate | undefined;

  private constructor(
    private readonly className: string,
    private readonly props: IngressProps,
  ) {
    super(props, 'ingress');
    refuse(dnsSubdomainProblem(className), { property: 'ingress.className' });
    checkAnnotations(undefined, 'ingress.annotations', props.annotations ?? {});
    this.certificate = props.certificate;
    const { controller, certificate } = props;
    if (certificate !== undefined && controller.certificateAnnotation !== undefined) {
      throw new UsageError(
        `is set, but ${controller.name} reads no TLS Secrets; set the annotation ${controller.certificateAnnotation}`,
        { property: 'ingress.certificate' },
      );
    }
  }

  public override get namespaceLabels(): { readonly [label: string]: string } {
    return this.props.controller.namespaceLabels;
  }

  /**
   * Creates the objects of a route.
   * @internal
   */
  public _bind(scope: Construct, route: ProxiedRoute): void {
    const { controller, certificate } = this.props;
    const { metadata, host } = route;
    const secret = certificate?._bind(scope, metadata, [host], [CertificateUsage.SERVER_AUTH]).certificate.secret;
    ExternalReferences.of(scope).declare({ kind: 'IngressClass', name: this.className });
    new k8s.KubeIngress(scope, 'Ingress', {
      metadata: {
        ...metadata,
        annotations: {
          ...metadata.annotations,
          ...controller.timeoutAnnotations(route.timeout),
          ...controller.readinessAnnotations(route.readinessPath),
          ...this.props.annotations,
        },
      },
      spec: {
        ingressClassName: this.className,
        tls: secret === undefined ? undefined : [{ hosts: [host], secretName: secret }],
        rules: [
          {
            host,
            http: {
              paths: [
                {
                  path: route.path,
                  pathType: 'Prefix',
                  backend: { service: { name: route.service, port: { number: route.port } } },
                },
              ],
            },
          },
        ],
      },
    });
  }
}
