import { z } from 'zod';
import { Gateway } from '../../constructs/edge/gateway';
import { Ingress, IngressController } from '../../constructs/edge/ingress';
import { pathProblem } from '../../constructs/edge/route';
import { certificate, clusterService, judged, made, texts } from './environment-values';

const proxyOrigin = {
  proxies: clusterService.optional().describe('pods of the proxy, which connect to the API'),
  proxyCidrs: z.array(z.string()).optional().describe('addresses of a proxy that is no pod'),
};

const gateway = made(
  z
    .strictObject({
      name: z.string().optional().describe('a Gateway that exists'),
      namespace: z.string().optional().describe('its namespace'),
      listener: z.string().optional().describe('its listener; by default https'),
      className: z.string().optional().describe('GatewayClass of a Gateway of its own, instead of a name'),
      certificate: certificate.optional().describe('certificate of a Gateway of its own'),
      ...proxyOrigin,
    })
    .refine(({ name, namespace, className }) => (className === undefined ? name && namespace : !name && !namespace), {
      message: 'needs either name and namespace of a Gateway that exists, or className of one of its own',
    })
    .refine(({ className, certificate: own }) => className !== undefined || own === undefined, {
      message: 'is set, but the owner of a Gateway that exists terminates TLS; remove it, or set className',
      path: ['certificate'],
    })
    .refine(({ className, listener }) => className === undefined || listener === undefined, {
      message: 'is set, but a Gateway of its own has listeners of its own; remove it',
      path: ['listener'],
    }),
  ({ name, namespace, className, ...props }) =>
    className === undefined
      ? Gateway.named(name as string, { ...props, namespace: namespace as string })
      : Gateway.dedicated({ ...props, className }),
);

const ingress = made(
  z.strictObject({
    className: z.string().describe('IngressClass'),
    controller: made(
      z.enum(['nginx', 'alb', 'azure-application-gateway', 'traefik']),
      IngressController.named,
    ).describe('the program behind the class'),
    certificate: certificate.optional().describe('certificate of the host'),
    annotations: texts.optional().describe('annotations of the Ingress'),
    ...proxyOrigin,
  }),
  ({ className, ...props }) => Ingress.ofClass(className, props),
);

/** The way in from outside. */
export const route = z
  .strictObject({
    host: z.string().describe('name of the host: rag.acme.example'),
    path: judged(pathProblem).optional().describe('beginning of the paths; by default /'),
    gateway: gateway.optional().describe('a Gateway of the Gateway API'),
    ingress: ingress.optional().describe('an Ingress controller, instead of a Gateway'),
  })
  .refine((input) => (input.gateway === undefined) !== (input.ingress === undefined), {
    message: 'needs either gateway or ingress, and not both',
  })
  .transform(({ host, path, gateway: viaGateway, ingress: viaIngress }) => ({
    host,
    path,
    via: (viaGateway ?? viaIngress) as Gateway | Ingress,
  }));
