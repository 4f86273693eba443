import { k8s } from 'cdk8s-plus-28';
import { UsageError } from '../rules/usage-error';
import { checkWholeNumber } from '../rules/whole-number';

/** How far a rolling update may depart from the wanted number of pods. */
export interface RollingUpdate {
  /** Pods above the wanted number, at most. */
  readonly maxSurge: number;
  /** Pods below the wanted number, at most. */
  readonly maxUnavailable: number;
}

/** How the pods of a Deployment are replaced. */
export class UpdateStrategy {
  /** One new pod at a time, and no old pod goes before its successor is ready. */
  public static readonly SURGE_ONE = UpdateStrategy.rolling({ maxSurge: 1, maxUnavailable: 0 });

  /** One pod at a time goes and makes room for its successor: no node, GPU or volume is needed twice. */
  public static readonly IN_PLACE = UpdateStrategy.rolling({ maxSurge: 0, maxUnavailable: 1 });

  /** All pods go before the first new one starts; never two versions at once. */
  public static readonly RECREATE = new UpdateStrategy(undefined);

  /** A rolling update with these bounds, of which at least one is above 0. */
  public static rolling(bounds: RollingUpdate): UpdateStrategy {
    for (const [property, value] of Object.entries(bounds)) {
      checkWholeNumber(property, value, 0);
    }
    if (bounds.maxSurge === 0 && bounds.maxUnavailable === 0) {
      throw new UsageError('and maxUnavailable are both 0, so no pod could ever be replaced; raise one', {
        property: 'maxSurge',
      });
    }
    return new UpdateStrategy(bounds);
  }

  private constructor(private readonly bounds: RollingUpdate | undefined) {}

  /** Pods above the wanted number that an update can create. */
  public get surge(): number {
    return this.bounds?.maxSurge ?? 0;
  }

  /**
   * The strategy in a Deployment.
   * @internal
   */
  public _render(): k8s.DeploymentStrategy {
    if (this.bounds === undefined) {
      return { type: 'Recreate' };
    }
    return {
      type: 'RollingUpdate',
      rollingUpdate: {
        maxSurge: k8s.IntOrString.fromNumber(this.bounds.maxSurge),
        maxUnavailable: k8s.IntOrString.fromNumber(this.bounds.maxUnavailable),
      },
    };
  }
}
