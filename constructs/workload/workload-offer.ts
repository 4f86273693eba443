import type { Duration } from 'cdk8s';
import type { Endpoint } from '../network/endpoint';
import type { Port } from '../network/port';
import { EnvValue } from './env-value';
import type { IClient, IProvider, Offer } from './provider';

/** What a workload offers to others. */
export interface WorkloadOfferProps {
  /** Port that clients connect to; the Service has it. */
  readonly port: Port;

  /**
   * Variables that clients get besides `<NAME>_HOST` and `<NAME>_PORT`, after the name of the workload. They may
   * refer to those: `{ UI_URL: EnvValue.template('http://$(UI_HOST):$(UI_PORT)') }`.
   * @default - none
   */
  readonly env?: { readonly [name: string]: EnvValue };

  /**
   * Name of the Service, which {@link Workload.addService} creates.
   * @default - the name of the workload
   */
  readonly service?: string;
}

/** A workload as others use it: a provider for `uses`, and something that a Route can lead to. */
export class WorkloadOffer implements IProvider {
  public constructor(
    /** Name of the workload. */
    public readonly name: string,
    /** Address of the Service. */
    public readonly endpoint: Endpoint,
    /** Time after which the edge gives up on an answer: as long as a pod that is told to stop can still give one. */
    public readonly edgeTimeout: Duration,
    private readonly env: { readonly [name: string]: EnvValue },
  ) {}

  public offerTo(client: IClient): Offer {
    const { endpoint, env } = this;
    const prefix = this.name.toUpperCase().replaceAll('-', '_').replace(/^\d/, '_$&');
    return {
      endpoints: [endpoint],
      env: {
        [`${prefix}_HOST`]: EnvValue.of(endpoint.hostFrom(client, client.namespace)),
        [`${prefix}_PORT`]: EnvValue.of(String(endpoint.port.number)),
        ...env,
      },
    };
  }
}
