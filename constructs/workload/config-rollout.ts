/**
 * What happens to the ConfigMap of a workload when its content changes. Either way the pods are replaced then, as those of
 * any other change are.
 */
export enum ConfigRollout {
  /**
   * One ConfigMap, named like the workload, is changed in place, and a checksum among the annotations of the pods replaces
   * them. A pod of the last revision that starts meanwhile reads the new content.
   */
  CHECKSUM = 'Checksum',

  /**
   * Each content is a ConfigMap of its own, which is immutable and has a hash of the content after its name. Each revision
   * reads what it was made for, also when the new one never gets ready. Argo CD removes the old ConfigMap at the end of a
   * sync, when everything else is healthy (`PruneLast`).
   *
   * What that does not protect: `kubectl rollout undo` after that end, because the old ConfigMap is gone; take the change
   * back in Git instead. A sync whose options say otherwise, or another tool: Flux removes what is no longer rendered
   * before the rollout has ended. The first step from `CHECKSUM`, whose ConfigMap says nothing about its removal.
   *
   * Source: Argo CD docs, "Sync Options" and "Sync Phases and Waves"; fluxcd/flux2, issue 3378.
   */
  IMMUTABLE = 'Immutable',
}
