import type { Duration } from 'cdk8s';
import { Endpoint } from '../network/endpoint';
import { checkPortNumber } from '../network/port';
import { checkCidrsOf } from '../rules/address-range';
import { checkHost } from '../rules/host-name';
import { secondsOf } from '../rules/time-span';
import { UsageError } from '../rules/usage-error';
import type { IBacklog } from '../scaling/scaling-trigger';
import type { SecretKey } from '../secrets/secret-key';
import type { IClient, Offer } from '../workload/provider';
import type { IQueue } from './queue';
import { DELIVERY_TIMEOUT, RabbitMqAccess } from './rabbit-mq-access';
import { checkRedelivery } from './redelivery';
import { ServerTls } from './server-tls';

/** A RabbitMQ that somebody else runs: Amazon MQ, CloudAMQP. */
export interface ExternalRabbitMqProps {
  /** DNS name or address: `b-1a2b3c4d.mq.eu-west-1.amazonaws.com`. */
  readonly host: string;

  /**
   * Port, TCP.
   * @default - 5671, and 5672 without TLS
   */
  readonly port?: number;

  /**
   * How far clients trust the server.
   * @default ServerTls.PUBLIC
   */
  readonly tls?: ServerTls;

  /** Who clients are. */
  readonly user: string;

  /**
   * Password of the user, which External Secrets may give any characters; from other sources letters, digits, `-` and
   * `_`, because it stands in a URL.
   */
  readonly password: SecretKey;

  /**
   * Name of the virtual host.
   * @default "/"
   */
  readonly virtualHost?: string;

  /**
   * Time after which the server hands a message that a worker has taken, and not yet answered, to another one:
   * `consumer_timeout` of its configuration. It must be above the longest task of the workers.
   * @default Duration.minutes(30), RabbitMQ's own
   */
  readonly deliveryTimeout?: Duration;

  /**
   * Addresses behind the name, where they are known and stable, such as the subnets of the broker. Without them a
   * policy names the host on Cilium, and elsewhere every public address: private ranges are then closed.
   * @default - unknown
   */
  readonly cidrs?: string[];
}

const PROPERTY = 'externalRabbitMq';
const DELIVERY = `${PROPERTY}.deliveryTimeout`;

/** A RabbitMQ that somebody else runs. Clients get the same variables as from one in the cluster. */
export class ExternalRabbitMq implements IQueue {
  public readonly description: string;

  private readonly access: RabbitMqAccess;

  public constructor(private readonly props: ExternalRabbitMqProps) {
    const { host, tls = ServerTls.PUBLIC, user, password, virtualHost = '/', cidrs = [] } = props;
    const { port = tls.encrypted ? 5671 : 5672 } = props;
    checkHost(host, `${PROPERTY}.host`);
    checkPortNumber(port, `${PROPERTY}.port`);
    checkCidrsOf([host], cidrs, `${PROPERTY}.cidrs`);
    secondsOf(this.deliveryTimeout, { property: DELIVERY });
    for (const [name, text] of Object.entries({ user, virtualHost })) {
      if (text === '') {
        throw new UsageError('is empty; name it as the broker does', { property: `${PROPERTY}.${name}` });
      }
    }
    this.description = host;
    const endpoint = Endpoint.host(host, { name: 'amqp', number: port }, cidrs);
    this.access = new RabbitMqAccess({ endpoint, user, password, virtualHost, tls });
  }

  public offerTo(client: IClient): Offer {
    checkRedelivery(client, {
      after: this.deliveryTimeout,
      wayOut: (least) => `raise consumer_timeout of the server to at least ${least}, and say so here`,
      site: { property: DELIVERY },
    });
    return this.access.offerTo(client);
  }

  /** Messages that are ready in a queue. KEDA reaches it from where its operator runs. */
  public list(name?: string): IBacklog {
    return this.access.list(name);
  }

  private get deliveryTimeout(): Duration {
    return this.props.deliveryTimeout ?? DELIVERY_TIMEOUT;
  }
}
