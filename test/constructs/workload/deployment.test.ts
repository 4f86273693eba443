import { Duration } from 'cdk8s';
import { Accelerator } from '../../../constructs/placement/accelerator';
import { Cloud } from '../../../constructs/placement/cloud';
import { Scaling } from '../../../constructs/scaling/scaling';
import { ScalingMetric } from '../../../constructs/scaling/scaling-metric';
import { Probe } from '../../../constructs/workload/probe';
import { UpdateStrategy } from '../../../constructs/workload/update-strategy';
import { find, mainContainer, namesOf } from '../../support/manifests';
import { IMAGE, RESOURCES } from '../../support/values';
import { CONTAINER, deployed } from '../../support/workloads';

const SELECTOR = { 'app.kubernetes.io/name': 'api', 'app.kubernetes.io/instance': 'rag' };

function horizontal(min: number, max: number) {
  return Scaling.horizontal({ min, max, metrics: [ScalingMetric.cpu(70)] });
}

describe('a Deployment', () => {
  const { construct, objects, object } = deployed();

  test('has one pod, replaced without a gap, and says nothing that Kubernetes would decide as well', () => {
    const { template, ...spec } = object().spec;
    expect(spec).toEqual({
      replicas: 1,
      selector: { matchLabels: SELECTOR },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      progressDeadlineSeconds: 630,
    });
    expect(template.spec.containers).toHaveLength(1);
    expect(template.spec.restartPolicy).toBeUndefined();
  });

  test('is spread over zones and nodes, each revision for itself', () => {
    const constraint = {
      maxSkew: 1,
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: SELECTOR },
      matchLabelKeys: ['pod-template-hash'],
      nodeTaintsPolicy: 'Honor',
    };
    expect(object().spec.template.spec.topologySpreadConstraints).toEqual([
      { topologyKey: 'topology.kubernetes.io/zone', ...constraint },
      { topologyKey: 'kubernetes.io/hostname', ...constraint },
    ]);
  });

  test('comes with its ServiceAccount and policy, and with no autoscaler and no budget', () => {
    expect(
      objects()
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(['Deployment', 'NetworkPolicy', 'ServiceAccount']);
    expect(construct.disruptionBudget).toBeUndefined();
  });

  test('keeps as many old revisions as it is told', () => {
    expect(deployed({ revisionHistoryLimit: 2 }).object().spec.revisionHistoryLimit).toBe(2);
  });

  test('is updated as it is told', () => {
    expect(deployed({ update: UpdateStrategy.RECREATE }).object().spec.strategy).toEqual({ type: 'Recreate' });
  });
});

describe('a rollout counts as stuck', () => {
  test('after the grace period, ten minutes for the image, and the startup budget', () => {
    const startup = Probe.exec(['true']).within(Duration.minutes(5));
    const { object } = deployed({ gracePeriod: Duration.minutes(2), container: { ...CONTAINER, startup } });
    expect(object().spec.progressDeadlineSeconds).toBe(120 + 600 + 300);
  });
});

describe('the number of pods', () => {
  test('belongs to the Deployment when it is fixed', () => {
    const { construct, object, objects } = deployed({ scaling: Scaling.fixed(3) });
    expect(object().spec.replicas).toBe(3);
    expect(construct.scaling.max).toBe(3);
    expect(namesOf(objects(), 'HorizontalPodAutoscaler')).toEqual([]);
  });

  test('belongs to the autoscaler when there is one', () => {
    const { object, objects } = deployed({ scaling: horizontal(2, 5) });
    expect(object().spec).not.toHaveProperty('replicas');
    expect(find(objects(), 'HorizontalPodAutoscaler', 'api').spec).toMatchObject({ minReplicas: 2, maxReplicas: 5 });
  });
});

describe('the disruption budget', () => {
  test.each([
    ['of no pod', Scaling.fixed(0)],
    ['of one pod', Scaling.fixed(1)],
    ['of what may be scaled down to one pod', horizontal(1, 9)],
  ])('%s does not exist', (_, scaling) => {
    const { construct, objects } = deployed({ scaling });
    expect(namesOf(objects(), 'PodDisruptionBudget')).toEqual([]);
    expect(construct.disruptionBudget).toBeUndefined();
  });

  test.each([
    ['of two pods', Scaling.fixed(2)],
    ['of what always has two pods', horizontal(2, 9)],
  ])('%s allows one eviction, and those of broken pods', (_, scaling) => {
    const { construct, objects } = deployed({ scaling });
    expect(find(objects(), 'PodDisruptionBudget', 'api').spec).toEqual({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: SELECTOR },
    });
    expect(construct.disruptionBudget?.name).toBe('api');
  });
});

describe('with an accelerator', () => {
  const gpu = { accelerator: Accelerator.NVIDIA_L4 };

  test('an update needs no second GPU', () => {
    expect(deployed(gpu).object().spec.strategy.rollingUpdate).toEqual({ maxSurge: 0, maxUnavailable: 1 });
  });

  test('an update can still be told to need one', () => {
    const { object } = deployed({ ...gpu, update: UpdateStrategy.SURGE_ONE });
    expect(object().spec.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
  });

  test('the main container gets whole devices, and no other container any', () => {
    const { construct, template } = deployed({ ...gpu, accelerators: 2 });
    construct.addContainer({ name: 'sidecar', image: IMAGE, resources: RESOURCES });
    construct.addInitContainer({ name: 'before', image: IMAGE, resources: RESOURCES });
    const { containers, initContainers } = template().spec;
    expect(containers[0].resources.requests['nvidia.com/gpu']).toBe('2');
    expect(containers[0].resources.limits['nvidia.com/gpu']).toBe('2');
    for (const { resources } of [containers[1], initContainers[0]]) {
      expect(Object.keys(resources.limits)).toEqual(['ephemeral-storage', 'memory']);
    }
  });

  test('pods run where the GPU is', () => {
    const { spec } = deployed(gpu, { cloud: Cloud.EKS, gpuRuntimeClass: 'nvidia' }).template();
    expect(spec).not.toHaveProperty('nodeSelector');
    const { nodeSelectorTerms } = spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution;
    expect(nodeSelectorTerms).toEqual(
      [
        ['karpenter.k8s.aws/instance-gpu-name', 'l4'],
        ['eks.amazonaws.com/instance-gpu-name', 'l4'],
        ['nvidia.com/gpu.product', 'NVIDIA-L4'],
      ].map(([key, value]) => ({ matchExpressions: [{ key, operator: 'In', values: [value] }] })),
    );
    expect(spec.tolerations).toEqual([{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }]);
    expect(spec.runtimeClassName).toBe('nvidia');
  });

  test('without one, pods run anywhere', () => {
    const { spec } = deployed({}, { cloud: Cloud.EKS, gpuRuntimeClass: 'nvidia' }).template();
    expect(spec).not.toHaveProperty('nodeSelector');
    expect(spec).not.toHaveProperty('affinity');
    expect(spec).not.toHaveProperty('tolerations');
    expect(spec).not.toHaveProperty('runtimeClassName');
    expect(mainContainer(deployed().object()).resources.limits).not.toHaveProperty(['nvidia.com/gpu']);
  });

  test('the pool must hold the largest scale and the surge of an update', () => {
    const pools = { nodePools: [{ name: 'gpu', nodes: 3, accelerator: Accelerator.NVIDIA_L4 }] };
    expect(deployed({ ...gpu, scaling: horizontal(1, 3) }, pools).objects()).toHaveLength(4);
    const { objects } = deployed({ ...gpu, scaling: horizontal(1, 3), update: UpdateStrategy.SURGE_ONE }, pools);
    expect(objects).toThrow(
      'node pool "gpu" has at most 3 × 1 = 3 nvidia-l4, but rag/api 4 pods × 1 = 4 can be asked for at once; ' +
        'lower the largest scale or enlarge the pool',
    );
  });
});

test.each([-1, 1.5, Number.NaN])('%s old ReplicaSets cannot be kept', (revisionHistoryLimit) => {
  expect(() => deployed({ revisionHistoryLimit })).toThrow(
    new Error(`rag/api: revisionHistoryLimit is ${revisionHistoryLimit}, but must be a whole number from 0`),
  );
});
