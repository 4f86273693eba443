import { Duration } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { Port } from '../network/port';
import { UsageError } from '../rules/usage-error';
import { checkWholeNumber } from '../rules/whole-number';

/** How often a probe runs and how patient it is. */
export interface ProbeTiming {
  /**
   * Time between two runs.
   * @default Duration.seconds(10)
   */
  readonly period?: Duration;

  /**
   * Time after which a run counts as failed.
   * @default Duration.seconds(3)
   */
  readonly timeout?: Duration;

  /**
   * Failures in a row that count.
   * @default 3
   */
  readonly failures?: number;
}

/** How an HTTP probe connects. */
export interface HttpProbeProps extends ProbeTiming {
  /**
   * Whether the port speaks TLS.
   * @default false
   */
  readonly tls?: boolean;
}

/** A question that the kubelet asks a container. */
export class Probe {
  /** GET on a path; every status from 200 to 399 is a success. */
  public static http(path: string, port: Port, props: HttpProbeProps = {}): Probe {
    const httpGet = { path, port: numberOf(port), scheme: props.tls === true ? 'HTTPS' : 'HTTP' };
    return new Probe({ httpGet }, props);
  }

  /** A TCP connection that is accepted. */
  public static tcp(port: Port, timing: ProbeTiming = {}): Probe {
    return new Probe({ tcpSocket: { port: numberOf(port) } }, timing);
  }

  /** A command in the container that exits with 0. It starts a process each time, so it must be cheap. */
  public static exec(command: string[], timing: ProbeTiming = {}): Probe {
    return new Probe({ exec: { command } }, timing);
  }

  /** The gRPC health protocol, `grpc.health.v1.Health/Check`, without TLS. */
  public static grpc(port: Port, timing: ProbeTiming = {}): Probe {
    return new Probe({ grpc: { port: port.number } }, timing);
  }

  private constructor(
    private readonly handler: k8s.Probe,
    private readonly timing: ProbeTiming,
  ) {
    const { period, timeout, failures } = timing;
    for (const [property, value] of Object.entries({
      period: inSeconds(period),
      timeout: inSeconds(timeout),
      failures,
    })) {
      checkWholeNumber(`probe.${property}`, value ?? 1, 1);
    }
  }

  /**
   * The same question as a startup probe: the container has this long to answer it for the first time,
   * and until then no other probe runs.
   */
  public within(budget: Duration): Probe {
    const period = this.timing.period ?? Duration.seconds(10);
    const failures = Math.ceil(budget.toMilliseconds() / period.toMilliseconds());
    if (failures < 1) {
      throw new UsageError(`is ${budget.toHumanString()}, but must be at least one probe period`, {
        property: 'startupBudget',
      });
    }
    return new Probe(this.handler, { ...this.timing, period, failures });
  }

  /** Time until a container that never answers is given up. */
  public get patience(): Duration {
    const { period = Duration.seconds(10), failures = 3 } = this.timing;
    return Duration.seconds(period.toSeconds() * failures);
  }

  /**
   * The probe in a container.
   * @internal
   */
  public _render(): k8s.Probe {
    const { period = Duration.seconds(10), timeout = Duration.seconds(3), failures = 3 } = this.timing;
    return {
      ...this.handler,
      periodSeconds: period.toSeconds(),
      timeoutSeconds: timeout.toSeconds(),
      failureThreshold: failures,
    };
  }
}

function inSeconds(time: Duration | undefined): number | undefined {
  return time && time.toMilliseconds() / 1000;
}

function numberOf(port: Port): k8s.IntOrString {
  return k8s.IntOrString.fromNumber(port.number);
}
