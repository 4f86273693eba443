import { isIP } from 'node:net';
import type { IConstruct } from 'constructs';
import type { Endpoint } from '../network/endpoint';
import type { ClusterService } from '../placement/cluster';
import { UsageError } from '../rules/usage-error';
import { checkPerReplica, type IBacklog, ScalingTrigger, type ScalingTriggerProps } from '../scaling/scaling-trigger';
import { SecretKey } from '../secrets/secret-key';
import { EnvValue } from '../workload/env-value';
import type { IClient, IProvider, Offer } from '../workload/provider';
import type { ServerTls } from './server-tls';

/** How clients of Kafka prove who they are. */
export class KafkaMechanism {
  /** The password as it is, which only TLS protects: Confluent Cloud. */
  public static readonly PLAIN = new KafkaMechanism('PLAIN', 'plaintext');

  /** A challenge by SHA-256. */
  public static readonly SCRAM_SHA_256 = new KafkaMechanism('SCRAM-SHA-256', 'scram_sha256');

  /** A challenge by SHA-512: Strimzi, Amazon MSK. */
  public static readonly SCRAM_SHA_512 = new KafkaMechanism('SCRAM-SHA-512', 'scram_sha512');

  private constructor(
    /** The mechanism as Kafka calls it. */
    public readonly name: string,
    /** The mechanism as KEDA calls it. */
    public readonly kedaName: string,
  ) {}
}

/** A user of Kafka. */
export interface KafkaUser {
  /** How it proves who it is. */
  readonly mechanism: KafkaMechanism;

  /** Its name, or a reference to that. */
  readonly user: string | SecretKey;

  /** Its password. */
  readonly password: SecretKey;
}

/** What waits in a topic for a group of consumers. */
export interface KafkaLagProps {
  /** Name of the topic. */
  readonly topic: string;

  /** Name of the group of consumers, as the workers have it. */
  readonly consumerGroup: string;
}

/** A Kafka, whoever runs it. */
export interface IKafka extends IProvider {
  /** Messages that a group of consumers is behind. More pods than partitions have nothing to do, so KEDA starts none. */
  lag(props: KafkaLagProps): IBacklog;
}

/** A way into a Kafka. */
export interface KafkaAccessProps {
  /** Servers that clients ask first. */
  readonly bootstrap: Endpoint[];

  /**
   * Servers that clients are sent to, where they are others.
   * @default - none
   */
  readonly brokers?: Endpoint[];

  /**
   * Who clients are.
   * @default - nobody in particular
   */
  readonly client?: KafkaUser;

  /** How connections are encrypted. */
  readonly tls: ServerTls;
}

/** Where clients find certificate authorities. */
const AUTHORITIES = '/etc/kafka-ca';

/** Oldest protocol that Kafka 4 speaks (Kafka KIP-896), which releases before it know as well. */
const PROTOCOL_VERSION = '2.1.0';

/**
 * A way into a Kafka, as clients and KEDA use it.
 *
 * Source: Kafka docs, "Security"; KEDA 2.20 docs, "Apache Kafka".
 */
export class KafkaAccess implements IKafka {
  public constructor(private readonly props: KafkaAccessProps) {}

  public offerTo(client: IClient): Offer {
    const { bootstrap, brokers = [], tls } = this.props;
    const file = tls.fileIn(AUTHORITIES);
    return {
      endpoints: [...bootstrap, ...brokers],
      env: {
        KAFKA_BOOTSTRAP_SERVERS: EnvValue.of(addressesOf(bootstrap, client, client.namespace)),
        KAFKA_SECURITY_PROTOCOL: EnvValue.of(this.protocol),
        ...(file === undefined ? {} : { KAFKA_SSL_CA_LOCATION: EnvValue.of(file) }),
        ...this.login(),
      },
      files: tls.filesIn(AUTHORITIES),
    };
  }

  public lag({ topic, consumerGroup }: KafkaLagProps): IBacklog {
    checkConsumerGroup(consumerGroup);
    return {
      trigger: (perReplica) => {
        checkPerReplica(perReplica);
        return ScalingTrigger._rendered((scope, keda) =>
          this.triggerFor(topic, consumerGroup, perReplica, scope, keda),
        );
      },
    };
  }

  private triggerFor(
    topic: string,
    consumerGroup: string,
    perReplica: number,
    scope: IConstruct,
    keda: ClusterService,
  ): ScalingTriggerProps {
    const { bootstrap, client, tls } = this.props;
    const user = client?.user;
    return {
      type: 'kafka',
      metadata: {
        bootstrapServers: addressesOf(bootstrap, scope, keda.namespace),
        topic,
        consumerGroup,
        lagThreshold: String(perReplica),
        version: PROTOCOL_VERSION,
        ...(client === undefined ? {} : { sasl: client.mechanism.kedaName }),
        ...(tls.encrypted ? { tls: 'enable' } : {}),
      },
      secrets: {
        ...(user instanceof SecretKey ? { username: user } : {}),
        ...(client === undefined ? {} : { password: client.password }),
        ...(tls.authority === undefined ? {} : { ca: tls.authority }),
      },
      parameters: typeof user === 'string' ? { username: user } : {},
      endpoint: bootstrap[0],
    };
  }

  private get protocol(): string {
    const encryption = this.props.tls.encrypted ? 'SSL' : 'PLAINTEXT';
    return this.props.client === undefined ? encryption : `SASL_${encryption}`;
  }

  private login(): { [name: string]: EnvValue } {
    const { client } = this.props;
    if (client === undefined) {
      return {};
    }
    const { mechanism, user, password } = client;
    return {
      KAFKA_SASL_MECHANISM: EnvValue.of(mechanism.name),
      KAFKA_SASL_USERNAME: user instanceof SecretKey ? EnvValue.fromSecret(user) : EnvValue.of(user),
      KAFKA_SASL_PASSWORD: EnvValue.fromSecret(password),
    };
  }
}

function addressesOf(endpoints: Endpoint[], scope: IConstruct, namespace: string): string {
  return endpoints
    .map((endpoint) => {
      const host = endpoint.hostFrom(scope, namespace);
      return `${isIP(host) === 6 ? `[${host}]` : host}:${endpoint.port.number}`;
    })
    .join(',');
}

function checkConsumerGroup(consumerGroup: string): void {
  if (consumerGroup === '') {
    throw new UsageError('is empty; name the group as the workers do', { property: 'kafka.consumerGroup' });
  }
}
