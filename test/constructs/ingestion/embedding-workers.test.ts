import { dirname } from 'node:path';
import { Duration, Size } from 'cdk8s';
import { EmbeddingWorkers, type EmbeddingWorkersProps } from '../../../constructs/ingestion/embedding-workers';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { ModelProfile } from '../../../constructs/models/model-profile';
import { ModelSource } from '../../../constructs/models/model-source';
import { Accelerator } from '../../../constructs/placement/accelerator';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import type { Json, ManifestObject } from '../../../constructs/rules/output';
import { Scaling } from '../../../constructs/scaling/scaling';
import { ScalingTrigger } from '../../../constructs/scaling/scaling-trigger';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { SharedVolume } from '../../../constructs/workload/shared-volume';
import { UpdateStrategy } from '../../../constructs/workload/update-strategy';
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
      'node pool "gpu" has at most 2 × 4 = 8 nvidia-l4, but rag/workers 5 pods × 2 = 10 can be asked for at ' +
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

describe('workers with a model of their own', () => {
  const MODEL = EmbeddingModel.BGE_LARGE_EN_V1_5;
  const deploymentOf = (objects: ManifestObject[]) => find(objects, 'Deployment', 'workers');
  const variables = (objects: ManifestObject[]) =>
    Object.fromEntries(
      mainContainer(deploymentOf(objects)).env.map(({ name, value, valueFrom }: Json) => [name, value ?? valueFrom]),
    );
  const volumeOf = (objects: ManifestObject[]) =>
    templateOf(deploymentOf(objects)).spec.volumes.find(({ name }: Json) => name === 'models');
  const mountOf = (objects: ManifestObject[]) =>
    mainContainer(deploymentOf(objects)).volumeMounts.find(({ name }: Json) => name === 'models');
  const egressOf = (objects: ManifestObject[]) => find(objects, 'NetworkPolicy', 'workers').spec.egress ?? [];

  test('know it, download it when they start, and have room for it', () => {
    const objects = workers({ embeddingModel: MODEL.at('d4aa6901d3a41ba39fb536a557fa166f842b0e09') });
    expect(variables(objects)).toMatchObject({
      EMBEDDING_MODEL: 'BAAI/bge-large-en-v1.5',
      EMBEDDING_REVISION: 'd4aa6901d3a41ba39fb536a557fa166f842b0e09',
      EMBEDDING_DIMENSIONS: '1024',
      EMBEDDING_MAX_TOKENS: '512',
      EMBEDDING_NORMALISED: 'true',
      EMBEDDING_QUERY_PREFIX: 'Represent this sentence for searching relevant passages: ',
      HF_HOME: '/models',
    });
    expect(variables(objects)).not.toHaveProperty('EMBEDDING_MODEL_PATH');
    expect(volumeOf(objects)).toEqual({ name: 'models', emptyDir: { sizeLimit: '4Gi' } });
    expect(mountOf(objects)).toEqual({ name: 'models', mountPath: '/models' });
    expect(mainContainer(deploymentOf(objects)).resources.limits['ephemeral-storage']).toBe('6400Mi');
    expect(egressOf(objects)[0].ports).toEqual([{ port: 443, protocol: 'TCP' }]);
  });

  test('of unknown size have room for one of 10 GB', () => {
    const embeddingModel = EmbeddingModel.of({ id: 'acme/embed', dimensions: 256, maxTokens: 512 });
    expect(volumeOf(workers({ embeddingModel })).emptyDir.sizeLimit).toBe('16Gi');
    const profile = ModelProfile.ofWeights(Size.gibibytes(4));
    const known = EmbeddingModel.of({ id: 'acme/embed', dimensions: 256, maxTokens: 512, profile });
    expect(volumeOf(workers({ embeddingModel: known })).emptyDir.sizeLimit).toBe('8Gi');
  });

  test('ask the hub that they are told of, with its token', () => {
    const token = SecretKey.of('hub', 'token');
    const modelSource = ModelSource.hub({ url: 'https://models.acme.example', cidrs: ['10.9.0.0/24'], token });
    const objects = workers({ embeddingModel: MODEL, modelSource });
    expect(variables(objects)).toMatchObject({
      HF_ENDPOINT: 'https://models.acme.example',
      HF_TOKEN: { secretKeyRef: { name: 'hub', key: 'token' } },
    });
    expect(egressOf(objects)[0].to).toEqual([{ ipBlock: { cidr: '10.9.0.0/24' } }]);
  });

  test('find it in a volume, and open no connection then', () => {
    const chart = testChart({ storage: { shared: 'efs' } });
    const modelSource = ModelSource.prepared(new SharedVolume(chart, 'models', { size: Size.gibibytes(20) }));
    new EmbeddingWorkers(chart, 'workers', { image: IMAGE, embeddingModel: MODEL, modelSource });
    const objects = render(chart);
    expect(variables(objects)).toMatchObject({
      EMBEDDING_MODEL: 'BAAI/bge-large-en-v1.5',
      EMBEDDING_MODEL_PATH: '/models/BAAI/bge-large-en-v1.5@d4aa6901d3a41ba39fb536a557fa166f842b0e09',
      HF_HUB_OFFLINE: '1',
    });
    expect(volumeOf(objects)).toEqual({
      name: 'models',
      persistentVolumeClaim: { claimName: 'models', readOnly: true },
    });
    expect(mountOf(objects)).toEqual({ name: 'models', mountPath: '/models', readOnly: true });
    expect(egressOf(objects)).toEqual([]);
  });

  test('that is in their image need nothing but its facts', () => {
    const objects = workers({ embeddingModel: MODEL, modelSource: ModelSource.IMAGE });
    expect(variables(objects)).toMatchObject({ EMBEDDING_MODEL: 'BAAI/bge-large-en-v1.5' });
    expect(variables(objects)).not.toHaveProperty('EMBEDDING_MODEL_PATH');
    expect(variables(objects)).not.toHaveProperty('HF_HOME');
    expect([volumeOf(objects), mountOf(objects)]).toEqual([undefined, undefined]);
    expect(egressOf(objects)).toEqual([]);
  });

  test('are those who say so: a source alone brings nothing', () => {
    const objects = workers({ modelSource: ModelSource.HUGGING_FACE });
    expect(variables(objects)).toEqual({
      HOME: '/tmp',
      LONGEST_TASK_SECONDS: '600',
      WORKER_HEARTBEAT_FILE: '/run/worker/heartbeat',
    });
    expect(volumeOf(objects)).toBeUndefined();
    expect(egressOf(objects)).toEqual([]);
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
  const TRIGGER = ScalingTrigger.cron({ timeZone: 'Etc/UTC', start: '0 8 * * *', end: '0 18 * * *', replicas: 3 });
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

test('workers are replaced as told, and as many old ReplicaSets are kept', () => {
  const chart = testChart();
  new EmbeddingWorkers(chart, 'workers', { image: IMAGE, update: UpdateStrategy.RECREATE, revisionHistoryLimit: 2 });
  expect(find(render(chart), 'Deployment', 'workers').spec).toMatchObject({
    strategy: { type: 'Recreate' },
    revisionHistoryLimit: 2,
  });
});

test('workers with a port for metrics are scraped there, and others nowhere', () => {
  const of = (metricsPort?: number) => {
    const chart = testChart({ prometheus: { namespace: 'monitoring' } });
    new EmbeddingWorkers(chart, 'workers', { image: IMAGE, metricsPort });
    const objects = render(chart);
    return {
      ports: mainContainer(find(objects, 'Deployment', 'workers')).ports,
      ingress: find(objects, 'NetworkPolicy', 'workers').spec.ingress,
    };
  };
  expect(of()).toEqual({ ports: undefined, ingress: undefined });
  expect(of(9100)).toEqual({
    ports: [{ name: 'metrics', containerPort: 9100, protocol: 'TCP' }],
    ingress: [
      {
        from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
        ports: [{ port: 9100, protocol: 'TCP' }],
      },
    ],
  });
});
