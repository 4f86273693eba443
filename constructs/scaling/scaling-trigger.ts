import { isIP } from 'node:net';
import type { Construct } from 'constructs';
import type { Endpoint } from '../network/endpoint';
import type { ClusterPrometheus, ClusterService } from '../placement/cluster';
import { cronProblem } from '../rules/cron-fields';
import { isTimeZone } from '../rules/time-span';
import { refuse, UsageError } from '../rules/usage-error';
import { checkWholeNumber } from '../rules/whole-number';
import type { SecretKey } from '../secrets/secret-key';

/** A list in Redis that fills when workers are behind. */
export interface RedisListProps {
  /** Address of Redis. */
  readonly endpoint: Endpoint;

  /** Key of the list. */
  readonly list: string;

  /** Waiting entries that one pod can take on. */
  readonly perReplica: number;

  /**
   * The user that asks. It needs `+ping +eval +type +llen` on the key.
   * @default - the user `default`
   */
  readonly user?: string;

  /**
   * Password of the user.
   * @default - Redis asks for none
   */
  readonly password?: SecretKey;

  /**
   * Whether the connection is encrypted.
   * @default false
   */
  readonly tls?: boolean;

  /**
   * Authority of Redis's certificate.
   * @default - one that the KEDA operator knows
   */
  readonly authority?: SecretKey;

  /**
   * Number of the database.
   * @default 0
   */
  readonly database?: number;
}

/** A query to Prometheus. */
export interface PrometheusQueryProps {
  /** PromQL that returns one element. */
  readonly query: string;

  /** Value per pod that is aimed at. */
  readonly perReplica: number;

  /**
   * Value above which the first pod starts, when scaled to zero.
   * @default 0
   */
  readonly activation?: number;
}

/** A time of day at which a number of pods is wanted whatever else happens. */
export interface CronWindowProps {
  /** IANA time zone: `Europe/Berlin`. */
  readonly timeZone: string;

  /** When the window opens: five cron fields. */
  readonly start: string;

  /** When it closes: five cron fields, other than those of `start`. */
  readonly end: string;

  /** Pods that are wanted in between, at most `max`. */
  readonly replicas: number;
}

/** The identity of the KEDA operator in a cloud (KEDA docs, "Authentication"). */
export enum TriggerIdentity {
  /** A role of AWS, by IRSA or EKS Pod Identity. */
  AWS = 'aws',

  /** A managed identity of Azure, by Workload Identity. */
  AZURE = 'azure-workload',
}

/** A trigger as KEDA knows it. */
export interface ScalingTriggerProps {
  /** KEDA's name of the scaler: `rabbitmq`, `aws-sqs-queue`. */
  readonly type: string;

  /** Its settings, all of them text. Nothing secret belongs here: it would stand in the output. */
  readonly metadata: { readonly [key: string]: string };

  /**
   * Keys of Secrets by KEDA's name of the parameter.
   * @default - the scaler asks for nothing secret
   */
  readonly secrets?: { readonly [parameter: string]: SecretKey };

  /**
   * Texts by KEDA's name of the parameter, for what the scaler takes from a TriggerAuthentication alone and is no
   * secret: `{ tls: 'enable' }`. They come into a ConfigMap.
   * @default - none
   */
  readonly parameters?: { readonly [parameter: string]: string };

  /**
   * Whose word the cloud takes instead of a key: the KEDA operator's own.
   * @default - the scaler needs no identity, or has it from `secrets`
   */
  readonly identity?: TriggerIdentity;

  /**
   * What the KEDA operator asks, where that is a workload of this output: its pods let it in then.
   * @default - something that our policies do not guard
   */
  readonly endpoint?: Endpoint;
}

/**
 * What KEDA scales on.
 *
 * Source: KEDA 2.20 docs, "Scalers": Redis Lists, Prometheus, Cron.
 */
export class ScalingTrigger {
  /**
   * Any scaler of KEDA, as its page describes it (KEDA docs, "Scalers").
   *
   * @throws UsageError when the type or the metadata is empty, or a value of the metadata is no text
   */
  public static of(props: ScalingTriggerProps): ScalingTrigger {
    checkTrigger(props);
    return new ScalingTrigger(() => props);
  }

  /**
   * A trigger that depends on the cluster and on where the KEDA operator is.
   * @internal
   */
  public static _rendered(render: (scope: Construct, keda: ClusterService) => ScalingTriggerProps): ScalingTrigger {
    return new ScalingTrigger(render);
  }

  /** Entries waiting in a list in Redis, such as the queue of Celery. */
  public static redisList(props: RedisListProps): ScalingTrigger {
    checkPerReplica(props.perReplica);
    checkWhole('database', props.database ?? 0, 0);
    const { endpoint, user, password, authority } = props;
    checkFilled('backlog.list', props.list);
    return new ScalingTrigger((scope, keda) => ({
      type: 'redis',
      metadata: {
        address: addressOf(endpoint, scope, keda),
        ...(user === undefined ? {} : { username: user }),
        listName: props.list,
        listLength: String(props.perReplica),
        databaseIndex: String(props.database ?? 0),
        ...(props.tls === true ? { enableTLS: 'true' } : {}),
      },
      secrets: {
        ...(password === undefined ? {} : { password }),
        ...(authority === undefined ? {} : { ca: authority }),
      },
      endpoint,
    }));
  }

  /** The result of a query to the cluster's Prometheus. */
  public static prometheus(props: PrometheusQueryProps): ScalingTrigger {
    checkFilled('prometheus.query', props.query);
    if (!(props.perReplica > 0)) {
      throw new UsageError(`is ${props.perReplica}, but must be above 0`, { property: 'scaling.perReplica' });
    }
    return new ScalingTrigger((scope, _keda, prometheus) => {
      if (prometheus?.url === undefined) {
        throw new UsageError('needs the URL of Prometheus; set prometheus.url in the cluster', {
          scope,
          property: 'scaling',
        });
      }
      return {
        type: 'prometheus',
        metadata: {
          serverAddress: prometheus.url,
          query: props.query,
          threshold: String(props.perReplica),
          activationThreshold: String(props.activation ?? 0),
          // A missing series counts as a failure, so that the fallback takes over instead of zero pods.
          ignoreNullValues: 'false',
        },
      };
    });
  }

  /** A number of pods between two times of day. */
  public static cron(props: CronWindowProps): ScalingTrigger {
    const { timeZone, start, end, replicas } = props;
    checkCron(props);
    const metadata = { timezone: timeZone, start, end, desiredReplicas: String(replicas) };
    return new ScalingTrigger(() => ({ type: 'cron', metadata }), replicas);
  }

  private constructor(
    private readonly render: (
      scope: Construct,
      keda: ClusterService,
      prometheus: ClusterPrometheus | undefined,
    ) => ScalingTriggerProps,
    /** Pods that it asks for; undefined when that depends on what it sees. */
    public readonly replicas?: number,
  ) {}

  /**
   * The trigger in this cluster.
   * @internal
   */
  public _render(scope: Construct, keda: ClusterService, prometheus?: ClusterPrometheus): ScalingTriggerProps {
    return this.render(scope, keda, prometheus);
  }
}

/** Work that waits somewhere and that more pods would get through sooner. */
export interface IBacklog {
  /**
   * What to scale on.
   *
   * @param perReplica waiting items that one pod can take on
   */
  trigger(perReplica: number): ScalingTrigger;
}

/** Address of an endpoint as the KEDA operator reaches it. */
function addressOf(endpoint: Endpoint, scope: Construct, keda: ClusterService): string {
  const host = endpoint.hostFrom(scope, keda.namespace);
  return `${isIP(host) === 6 ? `[${host}]` : host}:${endpoint.port.number}`;
}

/** Refuses a share of waiting items that no pod can have. */
export function checkPerReplica(perReplica: number): void {
  checkWhole('perReplica', perReplica, 1);
}

function checkFilled(property: string, text: string): void {
  if (text.trim() === '') {
    throw new UsageError('is empty, so KEDA could read nothing; say what to look at', {
      property: `scaling.${property}`,
    });
  }
}

function checkWhole(property: string, value: number, least: number): void {
  checkWholeNumber(`scaling.${property}`, value, least);
}

/** What KEDA's cron scaler would refuse (KEDA 2.20, pkg/scalers/cron_scaler.go). */
function checkCron(props: CronWindowProps): void {
  const { timeZone, start, end } = props;
  checkWhole('cron.replicas', props.replicas, 1);
  if (!isTimeZone(timeZone)) {
    throw new UsageError(`is "${timeZone}", but must be an IANA name, such as Europe/Berlin`, {
      property: 'scaling.cron.timeZone',
    });
  }
  for (const [name, text] of Object.entries({ start, end })) {
    refuse(cronProblem(text), { property: `scaling.cron.${name}` });
  }
  if (start === end) {
    throw new UsageError(`is "${end}", when the window opens; let it close at another time`, {
      property: 'scaling.cron.end',
    });
  }
}

function checkTrigger({ type, metadata }: ScalingTriggerProps): void {
  if (type === '') {
    throw new UsageError('is empty; name the scaler as KEDA does: rabbitmq', { property: 'scaling.trigger.type' });
  }
  const property = 'scaling.trigger.metadata';
  if (Object.keys(metadata).length === 0) {
    throw new UsageError('is empty, so the scaler would not know what to ask; set what its page requires', {
      property,
    });
  }
  // Values are not repeated: one may be a secret that somebody wrote there.
  for (const [key, value] of Object.entries<unknown>(metadata)) {
    if (typeof value !== 'string') {
      throw new UsageError(`is a ${typeof value}, but KEDA takes texts only; put it in quotes`, {
        property: `${property}.${key}`,
      });
    }
  }
}
