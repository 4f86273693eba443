import { Duration, Size } from 'cdk8s';
import { EmbeddingWorkers, type EmbeddingWorkersProps } from '../../../constructs/ingestion/embedding-workers';
import { Accelerator } from '../../../constructs/placement/accelerator';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { Scaling } from '../../../constructs/scaling/scaling';
import { env, find, mainContainer, namesOf, render, templateOf, testChart } from '../../support/manifests';
import { IMAGE, RESOURCES } from '../../support/values';

function workers(props: Partial<EmbeddingWorkersProps> = {}, cluster: ClusterProps = {}) {
  const chart = testChart(cluster);
  new EmbeddingWorkers(chart, 'workers', { image: IMAGE, ...props });
  return render(chart);
}

describe('workers', () => {
  const objects = workers({ longestTask: Duration.minutes(15) });
  const deployment = find(objects, 'Deployment', 'workers');

  test('are connected to by nobody', () => {
    expect(namesOf(objects, 'Service')).toEqual([]);
    expect(mainContainer(deployment).ports).toBeUndefined();
    expect(mainContainer(deployment).readinessProbe).toBeUndefined();
    expect(find(objects, 'NetworkPolicy', 'workers').spec).not.toHaveProperty('ingress');
  });

  test('finish the task at hand', () => {
    expect(env(deployment, 'LONGEST_TASK_SECONDS')).toBe('900');
    expect(templateOf(deployment).spec.terminationGracePeriodSeconds).toBe(930);
    expect(mainContainer(deployment).lifecycle).toBeUndefined();
  });

  test('live as long as their file is touched, and ask no broker', () => {
    const { startupProbe, livenessProbe } = mainContainer(deployment);
    expect(env(deployment, 'WORKER_HEARTBEAT_FILE')).toBe('/run/worker/heartbeat');
    expect(livenessProbe.exec.command).toEqual(['sh', '-c', 'test -n "$(find /run/worker/heartbeat -mmin -2)"']);
    expect(livenessProbe).toMatchObject({ periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 3 });
    expect(startupProbe.exec.command).toEqual(['test', '-e', '/run/worker/heartbeat']);
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBe(600);
  });

  test('have room for models and documents', () => {
    expect(env(deployment, 'HF_HOME')).toBe('/var/cache/models');
    expect(templateOf(deployment).spec.volumes).toEqual([
      { name: 'tmp', emptyDir: { sizeLimit: '2Gi' } },
      { name: 'models', emptyDir: { sizeLimit: '10Gi' } },
      { name: 'heartbeat', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    ]);
    expect(mainContainer(deployment).resources.limits['ephemeral-storage']).toBe('12544Mi');
  });

  test('without a GPU ask for none, and are updated with a surge', () => {
    expect(Object.keys(mainContainer(deployment).resources.limits)).toEqual(['ephemeral-storage', 'memory']);
    expect(templateOf(deployment).spec.tolerations).toBeUndefined();
    expect(templateOf(deployment).spec.nodeSelector).toBeUndefined();
    expect(deployment.spec.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
  });
});

describe('workers on GPUs', () => {
  const pools = [{ name: 'gpu', nodes: 2, accelerator: Accelerator.NVIDIA_L4, acceleratorsPerNode: 4 }];
  const objects = workers(
    { accelerator: Accelerator.NVIDIA_L4, accelerators: 2, sharedMemory: Size.gibibytes(1), scaling: Scaling.fixed(4) },
    { nodePools: pools, gpuRuntimeClass: 'nvidia' },
  );
  const deployment = find(objects, 'Deployment', 'workers');

  test('ask for whole ones', () => {
    const { requests, limits } = mainContainer(deployment).resources;
    expect(requests['nvidia.com/gpu']).toBe('2');
    expect(limits['nvidia.com/gpu']).toBe('2');
  });

  test('go where they are', () => {
    expect(templateOf(deployment).spec).toMatchObject({
      nodeSelector: { 'nvidia.com/gpu.product': 'NVIDIA-L4' },
      tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }],
      runtimeClassName: 'nvidia',
    });
  });

  test('need no spare one for an update', () => {
    expect(deployment.spec.strategy.rollingUpdate).toEqual({ maxSurge: 0, maxUnavailable: 1 });
  });

  test('share memory between their processes', () => {
    expect(templateOf(deployment).spec.volumes).toContainEqual({
      name: 'shm',
      emptyDir: { medium: 'Memory', sizeLimit: '1Gi' },
    });
    expect(mainContainer(deployment).volumeMounts).toContainEqual({ name: 'shm', mountPath: '/dev/shm' });
  });

  test('cannot be more than the pool holds', () => {
    const scaling = Scaling.fixed(5);
    expect(() =>
      workers({ accelerator: Accelerator.NVIDIA_L4, accelerators: 2, scaling }, { nodePools: pools }),
    ).toThrow(
      'node pool "gpu" has at most 2 × 4 = 8 nvidia-l4, but rag/workers/Resource 5 pods × 2 = 10 can be asked for at ' +
        'once; lower the largest scale or enlarge the pool',
    );
  });

  test('need a pool that has them', () => {
    expect(() => workers({ accelerator: Accelerator.NVIDIA_H100 }, { nodePools: pools })).toThrow(
      'accelerator is nvidia-h100, but no node pool of the cluster has it; pools: gpu (nvidia-l4); add such a pool to ' +
        'the cluster or choose an accelerator that it has',
    );
  });
});

describe('shared memory', () => {
  const memoryOf = (props: Partial<EmbeddingWorkersProps>) => {
    const { volumes } = templateOf(find(workers(props), 'Deployment', 'workers')).spec;
    return volumes.find(({ name }: { name: string }) => name === 'shm')?.emptyDir.sizeLimit;
  };

  test('is what container runtimes give unless told otherwise', () => {
    expect(memoryOf({})).toBeUndefined();
  });

  test('may be almost all the memory', () => {
    expect(memoryOf({ sharedMemory: Size.mebibytes(4095) })).toBe('4095Mi');
    const resources = { ...RESOURCES, memory: Size.gibibytes(16) };
    expect(memoryOf({ sharedMemory: Size.gibibytes(15), resources })).toBe('15Gi');
  });

  test('leaves some of the memory to the process', () => {
    expect(() => workers({ sharedMemory: Size.gibibytes(4) })).toThrow(
      new Error('rag/workers: sharedMemory is 4Gi, but is part of the memory, which is 4Gi; raise resources.memory'),
    );
    expect(() => workers({ sharedMemory: Size.gibibytes(2), resources: RESOURCES })).toThrow(
      new Error('rag/workers: sharedMemory is 2Gi, but is part of the memory, which is 1Gi; raise resources.memory'),
    );
  });
});
