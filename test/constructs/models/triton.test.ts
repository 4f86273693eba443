import { Duration, Size } from 'cdk8s';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { ModelProfile } from '../../../constructs/models/model-profile';
import { TextEmbeddingsInference } from '../../../constructs/models/text-embeddings-inference';
import { Triton, type TritonProps } from '../../../constructs/models/triton';
import { Accelerator } from '../../../constructs/placement/accelerator';
import { SharedVolume } from '../../../constructs/workload/shared-volume';
import { find, mainContainer, render, templateOf, testChart } from '../../support/manifests';
import { IMAGE } from '../../support/values';

function triton(props: Partial<TritonProps> = {}, shared = false) {
  const chart = testChart({ storage: { shared: 'nfs' } });
  const repository = shared ? new SharedVolume(chart, 'repository', { size: Size.gibibytes(50) }) : undefined;
  const construct = new Triton(chart, 'triton', { model: EmbeddingModel.BGE_M3, image: IMAGE, repository, ...props });
  const objects = render(chart);
  return { chart, construct, objects, object: find(objects, 'Deployment', 'triton') };
}

describe('the container', () => {
  const { objects, object } = triton();
  const container = mainContainer(object);

  test('runs the server on the repository of its image', () => {
    expect(container.image).toBe('ghcr.io/acme/program:1.2.3');
    expect(container.command).toEqual(['tritonserver']);
    expect(container.args).toEqual(['--model-repository=/models', '--exit-timeout-secs=60']);
    expect(container.env).toEqual([{ name: 'HOME', value: '/tmp' }]);
  });

  test('takes further arguments', () => {
    const { args } = mainContainer(triton({ args: ['--log-verbose=1'] }).object);
    expect(args.slice(2)).toEqual(['--log-verbose=1']);
  });

  test('listens for HTTP, gRPC and Prometheus, and the Service leads to the first two', () => {
    expect(container.ports).toEqual([
      { name: 'http', containerPort: 8000, protocol: 'TCP' },
      { name: 'grpc', containerPort: 8001, protocol: 'TCP' },
      { name: 'metrics', containerPort: 8002, protocol: 'TCP' },
    ]);
    expect(find(objects, 'Service', 'triton').spec.ports).toEqual([
      { name: 'http', port: 8000, targetPort: 8000, protocol: 'TCP', appProtocol: 'http' },
      { name: 'grpc', port: 8001, targetPort: 8001, protocol: 'TCP', appProtocol: 'grpc' },
    ]);
  });

  test('lives when the server does, and is ready when every model is', () => {
    expect(container.livenessProbe.httpGet).toMatchObject({ path: '/v2/health/live', port: 8000 });
    expect(container.startupProbe.httpGet).toMatchObject({ path: '/v2/health/live', port: 8000 });
    expect(container.readinessProbe.httpGet).toMatchObject({ path: '/v2/health/ready', port: 8000 });
  });

  test('runs as the user of the image, with memory that its backends share', () => {
    const { spec } = templateOf(object);
    expect(spec.securityContext).toMatchObject({ runAsUser: 1000, runAsGroup: 1000 });
    expect(spec.securityContext).not.toHaveProperty('fsGroup');
    expect(container.volumeMounts).toEqual([
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'shm', mountPath: '/dev/shm' },
    ]);
    expect(spec.volumes).toContainEqual({ name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } });
  });

  test('opens no connection', () => {
    expect(find(objects, 'NetworkPolicy', 'triton').spec).not.toHaveProperty('egress');
  });
});

test('a repository in a volume is read only, and applied with the server', () => {
  const { chart, construct, object } = triton({}, true);
  const { volumes, securityContext } = templateOf(object).spec;
  expect(volumes).toContainEqual({
    name: 'models',
    persistentVolumeClaim: { claimName: 'repository', readOnly: true },
  });
  expect(mainContainer(object).volumeMounts).toContainEqual({
    name: 'models',
    mountPath: '/models',
    readOnly: true,
  });
  expect(securityContext).not.toHaveProperty('fsGroup');
  construct.workload.uses(new TextEmbeddingsInference(chart, 'embedder', { model: EmbeddingModel.BGE_M3 }));
  for (const [kind, name] of [
    ['Deployment', 'triton'],
    ['PersistentVolumeClaim', 'repository'],
  ] as const) {
    expect(find(render(chart), kind, name).metadata.annotations?.['argocd.argoproj.io/sync-wave']).toBe('10');
  }
});

test('what is under way has the time of the longest request to end, less than the pod has', () => {
  const { object } = triton({ longestRequest: Duration.minutes(3) });
  expect(mainContainer(object).args).toContain('--exit-timeout-secs=180');
  expect(templateOf(object).spec.terminationGracePeriodSeconds).toBe(10 + 180 + 15);
});

test('a model that the GPU has no room for is refused', () => {
  const model = EmbeddingModel.of({
    id: 'large',
    dimensions: 8,
    maxTokens: 512,
    profile: ModelProfile.of({ parametersBillions: 8 }),
  });
  expect(() => triton({ model, accelerator: Accelerator.NVIDIA_T4 })).toThrow(
    'rag/triton: accelerator is 1 × nvidia-t4, which gives 16.0 GB (1 × 16 GB × 1), but large needs 16.0 GB for weights',
  );
  expect(() => triton({ model, accelerator: Accelerator.NVIDIA_T4.shared() })).not.toThrow();
});
