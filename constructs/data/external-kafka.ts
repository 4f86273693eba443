import { Endpoint } from '../network/endpoint';
import { checkPortNumber } from '../network/port';
import { checkCidrsOf } from '../rules/address-range';
import { checkHost } from '../rules/host-name';
import { UsageError } from '../rules/usage-error';
import type { IBacklog } from '../scaling/scaling-trigger';
import type { SecretKey } from '../secrets/secret-key';
import type { IClient, Offer } from '../workload/provider';
import { type IKafka, KafkaAccess, type KafkaLagProps, type KafkaMechanism } from './kafka-access';
import { ServerTls } from './server-tls';

/** Who clients of a Kafka outside are. */
export interface ExternalKafkaUser {
  /** How they prove it. */
  readonly mechanism: KafkaMechanism;

  /** Name of the user, or id of the API key. */
  readonly username: SecretKey;

  /** Its password, or the secret of the API key. */
  readonly password: SecretKey;
}

/** A Kafka that somebody else runs: Amazon MSK, Confluent Cloud. */
export interface ExternalKafkaProps {
  /** Servers that clients ask first, by DNS name or address: `b-1.rag.abc123.c2.kafka.eu-west-1.amazonaws.com`. */
  readonly bootstrapHosts: string[];

  /**
   * Hosts that clients are sent to, where they are others than those asked first. What is missing here cannot be
   * reached, unless `cidrs` has it.
   * @default - none
   */
  readonly brokerHosts?: string[];

  /**
   * Port of all of them, TCP. Amazon MSK uses 9096 for SCRAM.
   * @default 9092
   */
  readonly port?: number;

  /**
   * How far clients trust the servers.
   * @default ServerTls.PUBLIC
   */
  readonly tls?: ServerTls;

  /**
   * Who clients are.
   * @default - nobody in particular
   */
  readonly user?: ExternalKafkaUser;

  /**
   * Addresses behind the names, where they are known and stable, such as the subnets of the brokers. Without them a
   * policy names the hosts on Cilium, and elsewhere every public address: private ranges are then closed.
   * @default - unknown
   */
  readonly cidrs?: string[];
}

const PROPERTY = 'externalKafka';

/** A Kafka that somebody else runs. Clients get the same variables as from one in the cluster. */
export class ExternalKafka implements IKafka {
  public readonly description: string;

  private readonly access: KafkaAccess;

  public constructor(props: ExternalKafkaProps) {
    const { bootstrapHosts, brokerHosts = [], port = 9092, tls = ServerTls.PUBLIC, user, cidrs = [] } = props;
    if (bootstrapHosts.length === 0) {
      throw new UsageError('is empty; name at least one server', { property: `${PROPERTY}.bootstrapHosts` });
    }
    for (const [name, hosts] of Object.entries({ bootstrapHosts, brokerHosts })) {
      for (const host of hosts) {
        checkHost(host, `${PROPERTY}.${name}`);
      }
    }
    checkPortNumber(port, `${PROPERTY}.port`);
    checkCidrsOf([...bootstrapHosts, ...brokerHosts], cidrs, `${PROPERTY}.cidrs`);
    this.description = bootstrapHosts.join(', ');
    const endpointOf = (host: string) => Endpoint.host(host, { name: 'kafka', number: port }, cidrs);
    this.access = new KafkaAccess({
      bootstrap: bootstrapHosts.map(endpointOf),
      brokers: brokerHosts.map(endpointOf),
      client: user === undefined ? undefined : { ...user, user: user.username },
      tls,
    });
  }

  public offerTo(client: IClient): Offer {
    return this.access.offerTo(client);
  }

  /** Messages that a group of consumers is behind. KEDA reaches the servers from where its operator runs. */
  public lag(props: KafkaLagProps): IBacklog {
    return this.access.lag(props);
  }
}
