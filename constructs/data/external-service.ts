import { Endpoint } from '../network/endpoint';
import { checkPortNumber } from '../network/port';
import { checkCidrsOf } from '../rules/address-range';
import { checkHost } from '../rules/host-name';
import type { EnvValue } from '../workload/env-value';
import type { IProvider, Offer } from '../workload/provider';

/** A service outside the cluster. */
export interface ExternalServiceProps {
  /** DNS name or address: `api.openai.com`. */
  readonly host: string;

  /**
   * Port, TCP.
   * @default 443
   */
  readonly port?: number;

  /**
   * Addresses behind the name, where they are known and stable, such as those of a private endpoint. Without
   * them a policy names the host on Cilium, and elsewhere every public address: private ranges are then closed.
   * @default - unknown
   */
  readonly cidrs?: string[];

  /**
   * Whether clients speak HTTP or HTTPS to it, and so go through the proxy of the cluster where there is one.
   * @default - on the ports 80 and 443
   */
  readonly http?: boolean;

  /**
   * Variables that tell clients how to use it.
   * @default - none
   */
  readonly env?: { readonly [name: string]: EnvValue };
}

/** A service outside the cluster that workloads may connect to: a hosted model, an object store, an API. */
export class ExternalService implements IProvider {
  public readonly description: string;

  private readonly endpoint: Endpoint;
  private readonly env: { readonly [name: string]: EnvValue };

  public constructor(props: ExternalServiceProps) {
    const { host, port = 443, cidrs = [], http = port === 80 || port === 443, env = {} } = props;
    checkPortNumber(port, 'external.port');
    checkHost(host, 'external.host');
    checkCidrsOf([host], cidrs, 'external.cidrs');
    const endpoint = http ? Endpoint.web : Endpoint.host;
    this.endpoint = endpoint(host, { name: 'external', number: port }, cidrs);
    this.env = env;
    this.description = host;
  }

  public offerTo(): Offer {
    return { endpoints: [this.endpoint], env: this.env };
  }
}
