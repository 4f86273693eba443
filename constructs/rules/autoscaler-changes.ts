import { autoscalersOf } from './autoscalers';
import { type ChangeRule, COMPARE_NOTHING, sameObject, stepsOf } from './change-rule';
import { type ManifestObject, nameOf } from './output';

/** What an autoscaler can own the number of pods of. */
const SCALABLE = ['Deployment', 'StatefulSet'];

/**
 * Another autoscaler takes over when the one before it is gone.
 *
 * Source: KEDA 2.20, `apis/keda/v1alpha1/scaledobject_webhook.go`: verifyHpas.
 */
export const autoscalersTakeTurns: ChangeRule = {
  name: 'KEDA takes over when no other autoscaler is left',
  check: (before, after) =>
    after
      .filter(({ kind }) => SCALABLE.includes(kind))
      .flatMap((workload) => {
        const scaledObject = autoscalersOf(after, workload).find(({ kind }) => kind === 'ScaledObject');
        const autoscaler = autoscalersOf(before, workload).find(({ kind }) => kind === 'HorizontalPodAutoscaler');
        return scaledObject === undefined || autoscaler === undefined || sameObject(before, scaledObject) !== undefined
          ? []
          : [takeOverProblem(scaledObject, autoscaler)];
      }),
};

function takeOverProblem(scaledObject: ManifestObject, autoscaler: ManifestObject): string {
  const { name, namespace } = autoscaler.metadata;
  return (
    `${nameOf(scaledObject)}: comes for ${nameOf(autoscaler)}, but KEDA refuses it while that is there, and the sync ` +
    'stops before it prunes; keep horizontal scaling, or switch off self-healing in the Application, run kubectl ' +
    `-n ${namespace} delete hpa ${name}, which keeps the number of pods, ${COMPARE_NOTHING}`
  );
}

/**
 * A number that is no longer written becomes 1 when it is applied, unless another manager has written it too.
 *
 * Source: Kubernetes docs, "Horizontal Pod Autoscaling", "Migrating Deployments and StatefulSets to horizontal
 * autoscaling"; "Server-Side Apply", "Transferring ownership".
 */
export const replicasAreHandedOver: ChangeRule = {
  name: 'an autoscaler begins with the pods that there are',
  check: () => [],
  warn: (before, after) =>
    SCALABLE.flatMap((kind) => stepsOf('apps', kind, before, after)).flatMap(({ from, to }) => {
      const replicas = from.spec?.replicas;
      const [autoscaler] = autoscalersOf(after, to);
      return replicas > 1 && to.spec?.replicas === undefined && autoscaler !== undefined
        ? [handOver(to, autoscaler, replicas)]
        : [];
    }),
};

function handOver(workload: ManifestObject, autoscaler: ManifestObject, replicas: number): string {
  const { kind, metadata } = workload;
  const name = `${kind.toLowerCase()}/${metadata.name}`;
  return (
    `${nameOf(workload)}: spec.replicas, which is ${replicas}, goes to ${nameOf(autoscaler)}, and until that has decided ` +
    `there is 1 pod; to keep ${replicas}, before the sync run kubectl -n ${metadata.namespace} apply ` +
    `edit-last-applied ${name} and remove replicas, or where Argo CD applies server-side, apply spec.replicas ` +
    `alone as another manager: kubectl -n ${metadata.namespace} apply --server-side --validate=false ` +
    '--field-manager=hand-over -f <file>'
  );
}
