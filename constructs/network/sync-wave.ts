import { Lazy } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { ConnectionGraph } from './connection-graph';
import type { PodSet } from './peer';

/**
 * Annotations of what pods of the last sync may need when they start once more: Argo CD removes it at the end of a sync, when
 * everything else is healthy.
 */
export const PRUNED_LAST = { 'argocd.argoproj.io/sync-options': 'PruneLast=true' };

/** Annotation by which Argo CD orders a sync (Argo CD docs, "Sync Phases and Waves"). */
const ANNOTATION = 'argocd.argoproj.io/sync-wave';

/**
 * When Argo CD applies an object. A wave begins when everything in the waves before it is healthy; within
 * a wave the order is by kind, with custom resources last.
 */
export class SyncWave {
  /** The namespace and what must hold in it before the first pod. */
  public static readonly NAMESPACE = new SyncWave(() => -20);

  /** What Secrets come from: custom resources, of which those that read it need a later wave. */
  public static readonly SECRET_STORES = new SyncWave(() => -15);

  /** What creates Secrets: custom resources, so they need a wave before the pods that mount those. */
  public static readonly SECRETS = new SyncWave(() => -10);

  /** Together with the pods of a workload. */
  public static of(scope: IConstruct, pods: PodSet): SyncWave {
    return new SyncWave(() => ConnectionGraph.of(scope).waveOf(pods));
  }

  /** Together with the first of several workloads, which may still become more. */
  public static first(scope: IConstruct, users: readonly PodSet[]): SyncWave {
    const graph = ConnectionGraph.of(scope);
    return new SyncWave(() => (users.length === 0 ? 0 : Math.min(...users.map((pods) => graph.waveOf(pods)))));
  }

  /** When the pods of a workload are ready, before its clients are applied. */
  public static after(scope: IConstruct, pods: PodSet): SyncWave {
    return new SyncWave(() => ConnectionGraph.of(scope).waveOf(pods) + 5);
  }

  private constructor(private readonly wave: () => number) {}

  /** The annotation, resolved when the graph is complete; wave 0 is the default and needs none. */
  public get annotations(): { [name: string]: string } {
    const produce = () => {
      const wave = this.wave();
      return wave === 0 ? undefined : String(wave);
    };
    return { [ANNOTATION]: Lazy.any({ produce }) };
  }
}
