import { Lazy } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { ConnectionGraph } from './connection-graph';
import type { PodSet } from './peer';

/** Annotation by which Argo CD orders a sync (Argo CD docs, "Sync Phases and Waves"). */
const WAVE = 'argocd.argoproj.io/sync-wave';

/** Annotation of the options of a single object (Argo CD docs, "Sync Options"). */
const OPTIONS = 'argocd.argoproj.io/sync-options';

/** A person is asked before the object is deleted (the same page, "Resource Pruning Confirmation"). */
const CONFIRM_DELETION = ['Delete=confirm', 'Prune=confirm'];

/** The object is pruned in a wave of its own, after the last one (the same page, "Prune Last"). */
const PRUNE_LAST = 'PruneLast=true';

/** Annotations of an object that pods of the last revision read until the last of them is gone. */
export const PRUNED_LAST: { readonly [annotation: string]: string } = { [OPTIONS]: PRUNE_LAST };

/** Far behind every wave that follows from the graph. */
const LAST = 1000;

/**
 * When Argo CD applies an object, and when it prunes it. A wave begins when everything in the waves before it is healthy;
 * within a wave the order is by kind, with custom resources last. What clients still use is pruned last: Argo CD would
 * otherwise prune it before the first of them has moved.
 *
 * Source: argoproj/argo-cd 3.5, `gitops-engine/pkg/sync/sync_context.go`: Sync, getSyncTasks.
 */
export class SyncWave {
  /** The namespace and what must hold in it before the first pod. */
  public static readonly NAMESPACE = new SyncWave(() => -20, inUse);

  /** What Secrets come from: custom resources, of which those that read it need a later wave. */
  public static readonly SECRET_STORES = new SyncWave(() => -15, inUse);

  /** What creates Secrets: custom resources, so they need a wave before what mounts or reads those. */
  public static readonly SECRETS = new SyncWave(() => -10, inUse);

  /**
   * What Argo CD may call Degraded while everything works: a CronJob after a run that failed, an autoscaler without
   * metrics. A wave after it would not begin, so it is in the last one, which has no hooks: such a sync succeeds
   * when its objects are applied.
   */
  public static readonly LAST = new SyncWave(
    () => LAST,
    () => false,
  );

  /** The way in from outside: nothing waits for it, and what comes from outside uses it. */
  public static readonly ROUTES = new SyncWave(() => LAST, inUse);

  /** Together with the pods of a workload. */
  public static of(scope: IConstruct, pods: PodSet): SyncWave {
    const graph = ConnectionGraph.of(scope);
    return new SyncWave(
      () => graph.waveOf(pods),
      () => graph.hasClients(pods),
    );
  }

  /** Together with the first of several workloads, which may still become more. */
  public static first(scope: IConstruct, users: readonly PodSet[]): SyncWave {
    const graph = ConnectionGraph.of(scope);
    return new SyncWave(
      () => (users.length === 0 ? 0 : Math.min(...users.map((pods) => graph.waveOf(pods)))),
      () => users.length > 0,
    );
  }

  /** When the pods of a workload are ready, before its clients are applied. */
  public static after(scope: IConstruct, pods: PodSet): SyncWave {
    const graph = ConnectionGraph.of(scope);
    return new SyncWave(
      () => graph.waveOf(pods) + 5,
      () => graph.hasClients(pods),
    );
  }

  private constructor(
    private readonly wave: () => number,
    private readonly isUsed: () => boolean,
  ) {}

  /** The annotations, resolved when the graph is complete; wave 0 is the default and needs none. */
  public get annotations(): { readonly [annotation: string]: string } {
    return this.annotationsWith([]);
  }

  /** The same for an object with whose removal data is lost: Argo CD asks a person before it deletes it. */
  public get annotationsConfirmingDeletion(): { readonly [annotation: string]: string } {
    return this.annotationsWith(CONFIRM_DELETION);
  }

  private annotationsWith(options: readonly string[]): { readonly [annotation: string]: string } {
    const wave = () => {
      const number = this.wave();
      return number === 0 ? undefined : String(number);
    };
    const all = () => [...options, ...(this.isUsed() ? [PRUNE_LAST] : [])].join(',') || undefined;
    return { [WAVE]: Lazy.any({ produce: wave }), [OPTIONS]: Lazy.any({ produce: all }) };
  }
}

function inUse(): boolean {
  return true;
}
