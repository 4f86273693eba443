import type { k8s } from 'cdk8s-plus-28';

/**
 * Has Argo CD ask a person before it deletes an object with whose removal data is lost (Argo CD docs, "Sync Options",
 * "Resource Pruning Confirmation").
 */
export const CONFIRM_DELETION: { readonly [annotation: string]: string } = {
  'argocd.argoproj.io/sync-options': 'Delete=confirm,Prune=confirm',
};

/** Metadata of an object with whose removal data is lost. */
export function confirmingDeletion(metadata: k8s.ObjectMeta): k8s.ObjectMeta {
  return { ...metadata, annotations: { ...metadata.annotations, ...CONFIRM_DELETION } };
}
