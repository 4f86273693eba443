import { isIP } from 'node:net';
import { Duration } from 'cdk8s';
import type { Endpoint } from '../network/endpoint';
import { UsageError } from '../rules/usage-error';
import { checkPerReplica, type IBacklog, ScalingTrigger } from '../scaling/scaling-trigger';
import { SecretKey } from '../secrets/secret-key';
import { EnvValue } from '../workload/env-value';
import type { IClient, Offer } from '../workload/provider';
import { CELERY_QUEUE, type IQueue } from './queue';
import type { ServerTls } from './server-tls';
import { UrlCredential } from './url-credential';

/** A way into a RabbitMQ. */
export interface RabbitMqAccessProps {
  /** Where it is reached. */
  readonly endpoint: Endpoint;

  /** Who clients are: the name, or a reference to it. */
  readonly user: string | SecretKey;

  /**
   * Password of the user, which External Secrets may give any characters; from other sources letters, digits, `-` and
   * `_`, because it stands in a URL.
   */
  readonly password: SecretKey;

  /** Name of the virtual host. */
  readonly virtualHost: string;

  /** How connections are encrypted. */
  readonly tls: ServerTls;
}

/** What RabbitMQ waits by itself (RabbitMQ docs, "Consumers", on the acknowledgement timeout). */
export const DELIVERY_TIMEOUT = Duration.minutes(30);

/** Where clients find certificate authorities. */
const AUTHORITIES = '/etc/rabbitmq-ca';

/**
 * A way into a RabbitMQ, as clients and KEDA use it.
 *
 * Source: Celery docs, "Using RabbitMQ", "broker_use_ssl"; celery/kombu 5.7, `utils/url.py`: parse_url; celery/py-amqp 5.4,
 * `transport.py`: SSLTransport; RabbitMQ docs, "URI Specification"; KEDA 2.20 docs, "RabbitMQ Queue".
 */
export class RabbitMqAccess implements IQueue {
  public constructor(private readonly props: RabbitMqAccessProps) {}

  public offerTo(client: IClient): Offer {
    const { endpoint, user, virtualHost, tls } = this.props;
    const host = endpoint.hostFrom(client, client.namespace);
    const file = tls.fileIn(AUTHORITIES);
    const name = user instanceof SecretKey ? new UrlCredential('RABBITMQ_USERNAME', user) : undefined;
    const password = new UrlCredential('RABBITMQ_PASSWORD', this.props.password);
    const login = `${name?.reference ?? encodeURIComponent(String(user))}:${password.reference}`;
    const path = `${addressOf(host, endpoint)}/${encodeURIComponent(virtualHost)}`;
    return {
      endpoints: [endpoint],
      env: {
        RABBITMQ_HOST: EnvValue.of(host),
        RABBITMQ_PORT: EnvValue.of(String(endpoint.port.number)),
        ...(name?.env ?? { RABBITMQ_USERNAME: EnvValue.of(String(user)) }),
        ...password.env,
        RABBITMQ_VHOST: EnvValue.of(virtualHost),
        ...(file === undefined ? {} : { RABBITMQ_CA_FILE: EnvValue.of(file) }),
        // The name that Celery reads by itself. Of TLS a URL of AMQP can say nothing more: what stands after "?" goes to
        // py-amqp under names that it does not know, so the program says which authority it trusts.
        CELERY_BROKER_URL: EnvValue.template(`${this.scheme}://${login}@${path}`),
      },
      files: tls.filesIn(AUTHORITIES),
    };
  }

  /** Messages that are ready in a queue; those that a worker has taken are not. KEDA fails while there is no such queue. */
  public list(name = CELERY_QUEUE): IBacklog {
    if (name === '') {
      throw new UsageError('is empty; name the queue as the workers do, or leave it out', {
        property: 'rabbitMq.list',
      });
    }
    return {
      trigger: (perReplica) => {
        checkPerReplica(perReplica);
        const { endpoint } = this.props;
        return ScalingTrigger._rendered((scope, keda) => ({
          ...this.triggerFor(name, perReplica, endpoint.hostFrom(scope, keda.namespace)),
          endpoint,
        }));
      },
    };
  }

  private triggerFor(queueName: string, perReplica: number, host: string) {
    const { endpoint, user, password, virtualHost, tls } = this.props;
    const named = user instanceof SecretKey;
    return {
      type: 'rabbitmq',
      metadata: {
        host: `${this.scheme}://${addressOf(host, endpoint)}/`,
        vhostName: virtualHost,
        queueName,
        mode: 'QueueLength',
        value: String(perReplica),
      },
      secrets: {
        ...(named ? { username: user } : {}),
        password,
        ...(tls.authority === undefined ? {} : { ca: tls.authority }),
      },
      parameters: {
        ...(named ? {} : { username: user }),
        // KEDA looks at an authority only when it is told so, and by a TriggerAuthentication only.
        ...(tls.authority === undefined ? {} : { tls: 'enable' }),
      },
    };
  }

  private get scheme(): string {
    return this.props.tls.encrypted ? 'amqps' : 'amqp';
  }
}

function addressOf(host: string, { port }: Endpoint): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port.number}`;
}
