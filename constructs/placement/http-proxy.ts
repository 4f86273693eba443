import { checkCidrsOf } from '../rules/address-range';
import { checkHost, namespaceOfService } from '../rules/host-name';
import { UsageError } from '../rules/usage-error';

/** The HTTP proxy through which pods reach what is outside the cluster. */
export interface HttpProxyProps {
  /**
   * Its URL, of scheme `http`, host and port alone: `http://proxy.acme.example:3128`. TLS to the hosts behind it is
   * tunneled. In the cluster it is named with its namespace, `http://proxy.egress.svc:3128`, and the port of the Service
   * must be that of the pods. A proxy that asks for a password is not supported: it would stand in the output.
   */
  readonly url: string;

  /**
   * Addresses of a proxy outside the cluster, where they are known and stable. Without them a policy names the host on
   * Cilium, and elsewhere every public address: a proxy at a private address needs them.
   * @default - unknown
   */
  readonly cidrs?: readonly string[];

  /**
   * Hosts outside that are reached without it, each with all names below: `acme.example`. Policies then allow a
   * connection to each, and `NO_PROXY` names it.
   * @default - none; connections to hosts with known addresses, such as private endpoints, and those that are no HTTP, are direct
   */
  readonly direct?: readonly string[];
}

const URL_FORM = /^http:\/\/([a-z0-9]([a-z0-9.-]*[a-z0-9])?)(:(\d{1,5}))?\/?$/;
const DOMAIN = /^\.?([a-z0-9]([a-z0-9-]*[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/** The HTTP proxy of a cluster. */
export class HttpProxy {
  /** Its URL, with its port: libcurl takes 1080 where none is said. */
  public readonly url: string;
  /** Its host. */
  public readonly host: string;
  /** Its port. */
  public readonly port: number;
  /** Its addresses; none where they are unknown. */
  public readonly cidrs: readonly string[];

  private readonly direct: readonly string[];

  public constructor({ url, cidrs = [], direct = [] }: HttpProxyProps) {
    const [, host, , , port = '80'] = URL_FORM.exec(url) ?? [];
    if (host === undefined || Number(port) < 1 || Number(port) > 65535) {
      throw new UsageError('must be a URL of scheme http, host and port alone: http://proxy.acme.example:3128', {
        property: 'proxy.url',
      });
    }
    const wrong = direct.find((domain) => !DOMAIN.test(domain));
    if (wrong !== undefined) {
      throw new UsageError(`has "${wrong}", but must have DNS names: acme.example`, { property: 'proxy.direct' });
    }
    // A proxy in the cluster is named with its namespace.
    if (namespaceOfService(host) === undefined) {
      checkHost(host, 'proxy.url');
    }
    checkCidrsOf([host], cidrs, 'proxy.cidrs');
    this.url = `http://${host}:${Number(port)}`;
    this.host = host;
    this.port = Number(port);
    this.cidrs = [...cidrs];
    this.direct = direct.map((domain) => domain.replace(/^\./, ''));
  }

  /** Whether a host outside is reached through it. */
  public carries(host: string): boolean {
    return !this.direct.some((domain) => host === domain || host.endsWith(`.${domain}`));
  }
}
