import type { ManifestObject } from './output';

const AUTOSCALERS = ['HorizontalPodAutoscaler', 'ScaledObject'];

/** What owns the number of pods of a workload, among some objects. */
export function autoscalersOf(objects: readonly ManifestObject[], workload: ManifestObject): ManifestObject[] {
  return objects.filter(
    (object) =>
      AUTOSCALERS.includes(object.kind) &&
      object.metadata.namespace === workload.metadata.namespace &&
      object.spec?.scaleTargetRef?.name === workload.metadata.name &&
      (object.spec.scaleTargetRef.kind ?? 'Deployment') === workload.kind,
  );
}
