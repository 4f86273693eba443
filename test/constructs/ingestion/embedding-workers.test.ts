import { dirname } from 'node:path';
import { Duration, Size } from 'cdk8s';
import { EmbeddingWorkers, type EmbeddingWorkersProps } from '../../../constructs/ingestion/embedding-workers';
import { Accelerator } from '../../../constructs/placement/accelerator';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { Scaling } from '../../../constructs/scaling/scaling';
import { ScalingTrigger } from '../../../constructs/scaling/scaling-trigger';
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
    expect(mainContainer(deployment).lifecycle).not.toHaveProperty('preStop');
  });

  test('forget the heartbeat of the container before them', () => {
    const { lifecycle, volumeMounts } = mainContainer(deployment);
    const file = env(deployment, 'WORKER_HEARTBEAT_FILE');
    expect(lifecycle).toEqual({ postStart: { exec: { command: ['rm', '-f', file] } } });
    expect(volumeMounts).toContainEqual({ name: 'heartbeat', mountPath: dirname(file) });
  });

  test('live as long as their file is touched, and ask no broker', () => {
    const { startupProbe, livenessProbe } = mainContainer(deployment);
    expect(env(deployment, 'WORKER_HEARTBEAT_FILE')).toBe('/run/worker/heartbeat');
    expect(livenessProbe.exec.command).toEqual(['sh', '-c', 'test -n "$(find /run/worker/heartbeat -mmin -2)"']);
    expect(livenessProbe).toMatchObject({ periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 3 });
    expect(startupProbe.exec.command).toEqual(['test', '-e', '/run/worker/heartbeat']);
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBe(600);
  });

  test('have room for documents, and their models in the image', () => {
    expect(env(deployment, 'HF_HOME')).toBeUndefined();
    expect(templateOf(deployment).spec.volumes).toEqual([
      { name: 'tmp', emptyDir: { sizeLimit: '2Gi' } },
      { name: 'heartbeat', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    ]);
    expect(mainContainer(deployment).volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath)).toEqual([
      '/tmp',
      '/run/worker',
    ]);
    expect(mainContainer(deployment).resources.limits['ephemeral-storage']).toBe('2304Mi');
  });

  test('have room for models that they download, when told so', () => {
    const caching = find(workers({ modelCache: Size.gibibytes(40) }), 'Deployment', 'workers');
    expect(env(caching, 'HF_HOME')).toBe('/var/cache/models');
    expect(templateOf(caching).spec.volumes).toContainEqual({ name: 'models', emptyDir: { sizeLimit: '40Gi' } });
    expect(mainContainer(caching).volumeMounts).toContainEqual({ name: 'models', mountPath: '/var/cache/models' });
    expect(mainContainer(caching).resources.limits['ephemeral-storage']).toBe('43264Mi');
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

describe('scaling', () => {
  const TRIGGER = ScalingTrigger.cron({ timezone: 'Etc/UTC', start: '0 8 * * *', end: '0 18 * * *', replicas: 3 });
  const specOf = (min: number, cooldown?: Duration, longestTask?: Duration) => {
    const scaling = Scaling.onEvents({ min, max: 5, triggers: [TRIGGER], cooldown });
    const objects = workers({ scaling, longestTask }, { keda: { namespace: 'keda' } });
    return find(objects, 'ScaledObject', 'workers').spec;
  };

  test.each([
    ['10 minutes, which is the default', undefined, 1200],
    ['30 minutes', Duration.minutes(30), 2400],
    ['5 seconds', Duration.seconds(5), 605],
  ])('to none waits until lost tasks of %s come back', (_, longestTask, seconds) => {
    expect(specOf(0, undefined, longestTask).cooldownPeriod).toBe(seconds);
  });

  test('to none may wait longer, and just as long', () => {
    expect(specOf(0, Duration.minutes(45), Duration.minutes(30)).cooldownPeriod).toBe(2700);
    expect(specOf(0, Duration.minutes(40), Duration.minutes(30)).cooldownPeriod).toBe(2400);
  });

  test('to none may not wait less', () => {
    expect(() => specOf(0, Duration.minutes(39), Duration.minutes(30))).toThrow(
      new Error(
        'rag/workers/Resource: scaling.cooldown is 39 minutes, but work that a pod lost may come back for 40 minutes and ' +
          'needs a pod to take it; raise it to that, or set min to 1',
      ),
    );
    expect(() => specOf(0, Duration.seconds(1199))).toThrow('but work that a pod lost may come back for 20 minutes');
  });

  test('to one knows no cooldown unless one is given, of any length', () => {
    expect(specOf(1)).not.toHaveProperty('cooldownPeriod');
    expect(specOf(1, Duration.minutes(1), Duration.minutes(30)).cooldownPeriod).toBe(60);
  });
});

test.each([0, 999, 1500])('the longest task cannot take %s ms', (milliseconds) => {
  const longestTask = Duration.millis(milliseconds);
  expect(() => new EmbeddingWorkers(testChart(), 'workers', { image: IMAGE, longestTask })).toThrow(
    new Error(`rag/workers: longestTask is ${milliseconds} ms, but must be whole seconds, at least one`),
  );
});
