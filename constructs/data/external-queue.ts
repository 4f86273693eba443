import { Duration } from 'cdk8s';
import { AWS_DOMAINS } from '../network/aws-host';
import { Endpoint } from '../network/endpoint';
import type { Port } from '../network/port';
import { checkCidrs } from '../rules/address-range';
import { secondsOf } from '../rules/time-span';
import { UsageError } from '../rules/usage-error';
import { checkPerReplica, type IBacklog, ScalingTrigger, TriggerIdentity } from '../scaling/scaling-trigger';
import { CloudIdentity } from '../secrets/cloud-identity';
import type { SecretKey } from '../secrets/secret-key';
import { EnvValue } from '../workload/env-value';
import type { IClient, Offer } from '../workload/provider';
import { regionVariables } from './aws-region';
import type { IQueue } from './queue';
import { checkRedelivery } from './redelivery';

/** A queue of Amazon SQS. */
export interface SqsProps {
  /**
   * URL of the queue: `https://sqs.eu-west-1.amazonaws.com/123456789012/documents`. The queue must exist, with a visibility
   * timeout above the longest task of the workers: see {@link visibilityTimeout}.
   */
  readonly url: string;

  /**
   * Visibility timeout of the queue, up to 12 hours: SQS hands a task that is not acknowledged by then to another worker.
   * It is an attribute of the queue, set where the queue is created; this setting only says which value it has, so that
   * workers with a longer task are refused. `visibility_timeout` of Celery has no effect on a queue that exists. For workers
   * that extend the time themselves, name the time up to which they do.
   * @default Duration.seconds(30), that of a queue for which nothing else was said
   */
  readonly visibilityTimeout?: Duration;

  /**
   * Id of the access key. Given together with `secretKey`.
   * @default - the pod's own identity on AWS, `identity` of the client. KEDA comes with the identity of its operator
   */
  readonly accessKey?: SecretKey;

  /**
   * Secret of the access key.
   * @default - as for `accessKey`
   */
  readonly secretKey?: SecretKey;

  /**
   * Addresses of SQS, where they are known and stable, such as those of a private endpoint.
   * @default - unknown; a policy names the host on Cilium, and elsewhere every public address
   */
  readonly cidrs?: string[];
}

/** A queue of Azure Service Bus. */
export interface ServiceBusProps {
  /** Name of the namespace, without a domain: `acme-rag`. */
  readonly namespace: string;

  /**
   * Name of the queue, which must exist. The lock of a task lasts as long as the queue says, five minutes at most, so
   * workers with longer tasks must renew it: Celery does with `use_lock_renewal` (docs/queues.md, "Celery").
   */
  readonly queue: string;

  /**
   * Connection string of a shared access policy.
   * @default - the pod's own identity on Azure, `identity` of the client. KEDA comes with the identity of its operator
   */
  readonly connectionString?: SecretKey;

  /**
   * Connection string that KEDA counts with; its policy needs the right `Manage`.
   * @default - the same as of clients
   */
  readonly kedaConnectionString?: SecretKey;

  /**
   * Addresses of the namespace, where they are known and stable, such as those of a private endpoint.
   * @default - unknown; a policy names the host on Cilium, and elsewhere every public address
   */
  readonly cidrs?: string[];
}

/**
 * A queue that a cloud keeps: something to use, and to scale on. Clients get the variables that the SDKs of the cloud
 * and their examples use.
 */
export abstract class ExternalQueue implements IQueue, IBacklog {
  /**
   * A queue of Amazon SQS. Clients get `SQS_QUEUE_URL`, `SQS_QUEUE_NAME`, the region and the keys as the AWS SDKs read
   * them, and `CELERY_BROKER_URL`, with which Celery comes as the SDK does.
   */
  public static sqs(props: SqsProps): ExternalQueue {
    return new SqsQueue(props);
  }

  /**
   * A queue of Azure Service Bus. Clients get `SERVICEBUS_FULLY_QUALIFIED_NAMESPACE`, `SERVICEBUS_QUEUE_NAME` and, where
   * there is one, `SERVICEBUS_CONNECTION_STRING`; without one they get `CELERY_BROKER_URL`, with which Celery comes as
   * their identity. Celery declares the queues that it uses, so that needs the right to manage.
   */
  public static serviceBus(props: ServiceBusProps): ExternalQueue {
    return new ServiceBusQueue(props);
  }

  public abstract readonly description: string;

  public abstract offerTo(client?: IClient): Offer;

  public abstract trigger(perReplica: number): ScalingTrigger;

  /** Itself: there is one queue behind it. */
  public list(name: string = this.description): IBacklog {
    if (name !== this.description) {
      throw new UsageError(
        `is "${name}", but the queue is "${this.description}" and has no others; leave the name out`,
        {
          property: 'externalQueue.list',
        },
      );
    }
    return this;
  }
}

/** How long SQS hides a message that was taken (Amazon SQS docs, "Visibility timeout"). */
const VISIBILITY_TIMEOUT = Duration.seconds(30);
const LONGEST_VISIBILITY_TIMEOUT = Duration.hours(12);
const VISIBILITY = { property: 'externalQueue.visibilityTimeout' };

/** Names of queues (Amazon SQS docs, "Queue and message identifiers"). */
const SQS_URL = new RegExp(
  `^https://((?:[a-z0-9-]+\\.)?sqs\\.([a-z0-9-]+)\\.(?:vpce\\.)?(?:${AWS_DOMAINS.join('|').replaceAll('.', '\\.')}))` +
    '/\\d{12}/([\\w-]{1,75}\\.fifo|[\\w-]{1,80})$',
);

/**
 * A queue of SQS. What is in flight counts, too, so a worker that is at work keeps its pod.
 *
 * Source: KEDA 2.20 docs, "AWS SQS Queue"; Celery 5.6 docs, "Using Amazon SQS".
 */
class SqsQueue extends ExternalQueue {
  public readonly description: string;

  private readonly host: string;
  private readonly region: string;

  public constructor(private readonly props: SqsProps) {
    super();
    const [, host, region, name] = SQS_URL.exec(props.url) ?? [];
    if (host === undefined || region === undefined || name === undefined) {
      throw new UsageError(
        `is "${props.url}", but must be a URL such as https://sqs.eu-west-1.amazonaws.com/123456789012/documents`,
        { property: 'externalQueue.url' },
      );
    }
    checkKeys(props);
    checkVisibility(this.visibilityTimeout);
    checkCidrs(props.cidrs ?? [], 'externalQueue.cidrs');
    this.host = host;
    this.region = region;
    this.description = name;
  }

  public offerTo(client?: IClient): Offer {
    if (client !== undefined) {
      checkRedelivery(client, {
        after: this.visibilityTimeout,
        most: LONGEST_VISIBILITY_TIMEOUT,
        wayOut: (least) => `raise the visibility timeout of the queue to at least ${least}, and say so here`,
        site: VISIBILITY,
      });
    }
    const { url, accessKey, secretKey, cidrs } = this.props;
    const identity =
      accessKey === undefined ? CloudIdentity._onAws(client, this.region, `queue ${this.description}`) : [];
    return {
      endpoints: [Endpoint.web(this.host, { name: 'sqs', number: 443 }, cidrs), ...identity],
      env: {
        SQS_QUEUE_URL: EnvValue.of(url),
        SQS_QUEUE_NAME: EnvValue.of(this.description),
        ...regionVariables(this.region),
        ...(accessKey === undefined ? {} : { AWS_ACCESS_KEY_ID: EnvValue.fromSecret(accessKey) }),
        ...(secretKey === undefined ? {} : { AWS_SECRET_ACCESS_KEY: EnvValue.fromSecret(secretKey) }),
        // Without credentials in it, Celery leaves them to the SDK, which reads the variables or takes the identity.
        CELERY_BROKER_URL: EnvValue.of('sqs://'),
      },
      withoutEnv: accessKey === undefined ? ['AWS_ACCESS_KEY_ID'] : [],
    };
  }

  private get visibilityTimeout(): Duration {
    return this.props.visibilityTimeout ?? VISIBILITY_TIMEOUT;
  }

  public trigger(perReplica: number): ScalingTrigger {
    checkPerReplica(perReplica);
    const { url, accessKey, secretKey } = this.props;
    const metadata = { queueURL: url, queueLength: String(perReplica), awsRegion: this.region };
    return accessKey === undefined || secretKey === undefined
      ? ScalingTrigger.of({ type: 'aws-sqs-queue', metadata, identity: TriggerIdentity.AWS })
      : ScalingTrigger.of({
          type: 'aws-sqs-queue',
          metadata,
          secrets: { awsAccessKeyID: accessKey, awsSecretAccessKey: secretKey },
        });
  }
}

/** Names of namespaces and queues (Azure docs, "Naming rules and restrictions", Microsoft.ServiceBus). */
const NAMESPACE = /^(?=.{6,50}$)[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*$/;
const QUEUE = /^(?=.{1,260}$)[A-Za-z0-9]([\w./-]*[A-Za-z0-9])?$/;

/** AMQP over TLS, and its detour through WebSockets and management by HTTPS. */
const SERVICE_BUS_PORTS: Port[] = [
  { name: 'amqps', number: 5671 },
  { name: 'https', number: 443 },
];

/**
 * A queue of Service Bus.
 *
 * Source: Azure docs, "Azure Service Bus frequently asked questions", on ports; KEDA 2.20 docs, "Azure Service Bus";
 * Kombu 5.6 docs, "Azure Service Bus Transport".
 */
class ServiceBusQueue extends ExternalQueue {
  public readonly description: string;

  private readonly host: string;

  public constructor(private readonly props: ServiceBusProps) {
    super();
    const { namespace, queue, connectionString, kedaConnectionString } = props;
    checkName('namespace', namespace, NAMESPACE, '6 to 50 letters, digits and "-", beginning with a letter');
    checkName('queue', queue, QUEUE, '1 to 260 letters, digits, ".", "-", "_" and "/"');
    checkCidrs(props.cidrs ?? [], 'externalQueue.cidrs');
    if (connectionString === undefined && kedaConnectionString !== undefined) {
      throw new UsageError('is given, but connectionString is missing; set both, or none for identities', {
        property: 'externalQueue.kedaConnectionString',
      });
    }
    this.host = `${namespace.toLowerCase()}.servicebus.windows.net`;
    this.description = queue;
  }

  public offerTo(client?: IClient): Offer {
    const { queue, connectionString, cidrs } = this.props;
    return {
      endpoints: [
        ...SERVICE_BUS_PORTS.map((port) => Endpoint.host(this.host, port, cidrs)),
        ...(connectionString === undefined ? CloudIdentity._onAzure(client, `queue ${queue}`) : []),
      ],
      env: {
        SERVICEBUS_FULLY_QUALIFIED_NAMESPACE: EnvValue.of(this.host),
        SERVICEBUS_QUEUE_NAME: EnvValue.of(queue),
        ...(connectionString === undefined
          ? { CELERY_BROKER_URL: EnvValue.of(`azureservicebus://DefaultAzureCredential@${this.host}`) }
          : { SERVICEBUS_CONNECTION_STRING: EnvValue.fromSecret(connectionString) }),
      },
    };
  }

  public trigger(perReplica: number): ScalingTrigger {
    checkPerReplica(perReplica);
    const { namespace, queue, connectionString, kedaConnectionString = connectionString } = this.props;
    const metadata = { queueName: queue, messageCount: String(perReplica) };
    return kedaConnectionString === undefined
      ? ScalingTrigger.of({
          type: 'azure-servicebus',
          metadata: { ...metadata, namespace },
          identity: TriggerIdentity.AZURE,
        })
      : ScalingTrigger.of({ type: 'azure-servicebus', metadata, secrets: { connection: kedaConnectionString } });
  }
}

function checkKeys({ accessKey, secretKey }: SqsProps): void {
  if ((accessKey === undefined) !== (secretKey === undefined)) {
    const [missing, given] = accessKey === undefined ? ['accessKey', 'secretKey'] : ['secretKey', 'accessKey'];
    throw new UsageError(`is missing, but ${given} is given; set both, or none for the pod's own identity`, {
      property: `externalQueue.${missing}`,
    });
  }
}

function checkVisibility(time: Duration): void {
  const seconds = secondsOf(time, VISIBILITY, 0);
  if (seconds > LONGEST_VISIBILITY_TIMEOUT.toSeconds()) {
    throw new UsageError(
      `is ${seconds}s, but a queue has at most ${LONGEST_VISIBILITY_TIMEOUT.toSeconds()}s`,
      VISIBILITY,
    );
  }
}

function checkName(property: string, name: string, form: RegExp, allowed: string): void {
  if (!form.test(name)) {
    throw new UsageError(`is "${name}", but must be ${allowed}`, { property: `externalQueue.${property}` });
  }
}
