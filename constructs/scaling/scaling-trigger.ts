import type { Construct } from 'constructs';
import type { Endpoint } from '../network/endpoint';
import type { ClusterPrometheus, ClusterService } from '../placement/cluster';
import { UsageError } from '../rules/usage-error';
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
   * Password of the user that asks. The user needs `+eval +type +llen` on the key.
   * @default - Redis asks for none
   */
  readonly password?: SecretKey;

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
  readonly timezone: string;

  /** When the window opens: five cron fields. */
  readonly start: string;

  /** When it closes: five cron fields. */
  readonly end: string;

  /** Pods that are wanted in between. */
  readonly replicas: number;
}

/** What a trigger comes to in a cluster. */
export interface RenderedTrigger {
  /** KEDA's name of the scaler. */
  readonly type: string;
  /** Its metadata, all of it text. */
  readonly metadata: { readonly [key: string]: string };
  /** Secrets by KEDA's name of the parameter. */
  readonly secrets?: { readonly [parameter: string]: SecretKey };
  /** What the KEDA operator must reach. */
  readonly endpoint?: Endpoint;
}

/**
 * What KEDA scales on.
 *
 * Source: KEDA 2.20 docs, "Scalers": Redis Lists, Prometheus, Cron.
 */
export class ScalingTrigger {
  /** Entries waiting in a list in Redis, such as the queue of Celery. */
  public static redisList(props: RedisListProps): ScalingTrigger {
    checkWhole('perReplica', props.perReplica, 1);
    checkWhole('database', props.database ?? 0, 0);
    return new ScalingTrigger((scope, keda) => ({
      type: 'redis',
      metadata: {
        address: `${props.endpoint.hostFrom(scope, keda.namespace)}:${props.endpoint.port.number}`,
        listName: props.list,
        listLength: String(props.perReplica),
        databaseIndex: String(props.database ?? 0),
      },
      secrets: props.password === undefined ? undefined : { password: props.password },
      endpoint: props.endpoint,
    }));
  }

  /** The result of a query to the cluster's Prometheus. */
  public static prometheus(props: PrometheusQueryProps): ScalingTrigger {
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
    checkWhole('replicas', props.replicas, 1);
    return new ScalingTrigger(() => ({
      type: 'cron',
      metadata: {
        timezone: props.timezone,
        start: props.start,
        end: props.end,
        desiredReplicas: String(props.replicas),
      },
    }));
  }

  private constructor(
    private readonly render: (
      scope: Construct,
      keda: ClusterService,
      prometheus: ClusterPrometheus | undefined,
    ) => RenderedTrigger,
  ) {}

  /**
   * The trigger in this cluster.
   * @internal
   */
  public _render(scope: Construct, keda: ClusterService, prometheus?: ClusterPrometheus): RenderedTrigger {
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

function checkWhole(property: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new UsageError(`is ${value}, but must be a whole number from ${least}`, { property: `scaling.${property}` });
  }
}
