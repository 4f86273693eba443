import { autoscalersTakeTurns, replicasAreHandedOver } from '../../../constructs/rules/autoscaler-changes';
import type { ManifestObject } from '../../../constructs/rules/output';
import { manifest } from '../../support/output';

const scaled = (kind: string, name = 'api') =>
  manifest(kind, name, { spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' } } });

const deployment = (replicas?: number) => manifest('Deployment', 'api', { spec: { replicas } });

const HPA = scaled('HorizontalPodAutoscaler');
const KEDA = scaled('ScaledObject');

describe('from a HorizontalPodAutoscaler to KEDA', () => {
  const problems = (before: ManifestObject[], after: ManifestObject[]) =>
    autoscalersTakeTurns.check([deployment(), ...before], [deployment(), ...after]);

  test('is refused, because KEDA refuses it, with the steps', () => {
    expect(problems([HPA], [KEDA])).toEqual([
      'ScaledObject test/api: comes for HorizontalPodAutoscaler test/api, but KEDA refuses it while that is there, and the ' +
        'sync stops before it prunes; keep horizontal scaling, or switch off self-healing in the Application, run kubectl ' +
        '-n test delete hpa api, which keeps the number of pods, remove the file of its last render so that there is ' +
        'nothing to compare, render again and sync',
    ]);
  });

  test('is accepted the other way round, for another workload, and when it is done', () => {
    expect(problems([KEDA], [HPA])).toEqual([]);
    expect(problems([], [KEDA])).toEqual([]);
    expect(problems([HPA, KEDA], [KEDA])).toEqual([]);
    const other = manifest('HorizontalPodAutoscaler', 'other', {
      spec: { scaleTargetRef: { kind: 'Deployment', name: 'other' } },
    });
    expect(problems([other], [KEDA])).toEqual([]);
  });
});

describe('from a number of pods to an autoscaler', () => {
  const warnings = (before: ManifestObject[], after: ManifestObject[]) => replicasAreHandedOver.warn?.(before, after);

  test.each([HPA, KEDA])('is warned of, with the way to keep the pods: $kind', (autoscaler) => {
    expect(warnings([deployment(4)], [deployment(), autoscaler])).toEqual([
      `Deployment test/api: spec.replicas, which is 4, goes to ${autoscaler.kind} test/api, and until that has decided ` +
        'there is 1 pod; to keep 4, before the sync run kubectl -n test apply edit-last-applied deployment/api and remove ' +
        'replicas, or where Argo CD applies server-side, apply spec.replicas alone as another manager: kubectl -n test ' +
        'apply --server-side --validate=false --field-manager=hand-over -f <file>',
    ]);
    expect(replicasAreHandedOver.check([deployment(4)], [deployment(), autoscaler])).toEqual([]);
  });

  test('costs nothing with one pod or none, and where no autoscaler comes or none was missing', () => {
    for (const replicas of [0, 1, undefined]) {
      expect(warnings([deployment(replicas)], [deployment(), HPA])).toEqual([]);
    }
    expect(warnings([deployment(4)], [deployment(3)])).toEqual([]);
    expect(warnings([deployment(4)], [deployment()])).toEqual([]);
    expect(warnings([], [deployment(), HPA])).toEqual([]);
  });
});
