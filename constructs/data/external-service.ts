import { isIP } from 'node:net';
import { Endpoint } from '../network/endpoint';
import { checkCidrs } from '../network/peer';
import { UsageError } from '../rules/usage-error';
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
   * Variables that tell clients how to use it.
   * @default - none
   */
  readonly env?: { readonly [name: string]: EnvValue };
}

/** The last label has a letter: what has none is an address, or a mistyped one. */
const HOST = /^(?=.{1,253}$)([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+(?=[^.]*[a-z])[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** A service outside the cluster that workloads may connect to: a hosted model, an object store, an API. */
export class ExternalService implements IProvider {
  private readonly endpoint: Endpoint;
  private readonly env: { readonly [name: string]: EnvValue };

  public constructor(props: ExternalServiceProps) {
    const { host, port = 443, cidrs = [], env = {} } = props;
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      throw new UsageError(`is ${port}, but must be from 1 to 65535`, { property: 'external.port' });
    }
    if (!HOST.test(host) && isIP(host) === 0) {
      throw new UsageError(`is "${host}", but must be a DNS name or an address, without scheme, port or path`, {
        property: 'external.host',
      });
    }
    checkCidrs(cidrs, 'external.cidrs');
    this.endpoint = Endpoint.host(host, { name: 'external', number: port }, cidrs);
    this.env = env;
  }

  public offerTo(): Offer {
    return { endpoints: [this.endpoint], env: this.env };
  }
}
