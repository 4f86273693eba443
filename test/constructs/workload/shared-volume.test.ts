import { App, Chart, Size } from 'cdk8s';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { ExternalReferences } from '../../../constructs/rules/external-references';
import { Deployment } from '../../../constructs/workload/deployment';
import { SharedVolume, type SharedVolumeProps } from '../../../constructs/workload/shared-volume';
import { find, render, testChart } from '../../support/manifests';
import { CONTAINER } from '../../support/workloads';

const WAVE = 'argocd.argoproj.io/sync-wave';
const SHARED: ClusterProps = { storage: { shared: 'nfs' } };

function shared(props: Partial<SharedVolumeProps> = {}, cluster = SHARED) {
  const chart = testChart(cluster);
  const construct = new SharedVolume(chart, 'models', { size: Size.gibibytes(20), ...props });
  return { chart, construct, claim: () => find(render(chart), 'PersistentVolumeClaim', props.name ?? 'models') };
}

/** Deployments of which each uses the one before it, so that each has a wave of its own. */
function chain(chart: Chart, ...ids: string[]): Deployment[] {
  const port = { name: 'http', number: 8080 };
  const deployments = ids.map((id) => {
    const container = { ...CONTAINER, ports: [port] };
    const deployment = new Deployment(chart, id, { component: id, container });
    deployment.addService({ ports: [port] });
    return deployment;
  });
  for (const [index, deployment] of deployments.slice(1).entries()) {
    const before = deployments[index] as Deployment;
    deployment.uses({ offerTo: () => ({ endpoints: [before.endpoint(port)], env: {} }) });
  }
  return deployments;
}

test('a claim is one that pods on several nodes mount, written as it reads back', () => {
  expect(shared().claim().spec).toEqual({
    accessModes: ['ReadWriteMany'],
    resources: { requests: { storage: '20Gi' } },
    storageClassName: 'nfs',
    volumeMode: 'Filesystem',
  });
  expect(shared().claim().metadata.namespace).toBe('test');
});

test('a claim has the name that it is given', () => {
  const { construct, claim } = shared({ name: 'model-cache' });
  expect(construct.name).toBe('model-cache');
  expect(claim().metadata.name).toBe('model-cache');
});

test('a name that no claim can have is refused', () => {
  expect(() => shared({ name: 'Models' })).toThrow('rag/models: name is "Models"');
});

describe('the storage class', () => {
  test('is the one that is said', () => {
    expect(shared({ storageClass: 'efs' }).claim().spec.storageClassName).toBe('efs');
    expect(shared({ storageClass: 'efs' }, {}).claim().spec.storageClassName).toBe('efs');
  });

  test('is missing where neither the volume nor the cluster names one', () => {
    expect(() => shared({}, { storage: { block: 'gp3' } })).toThrow(
      new Error(
        'rag/models: storageClass is missing, and the cluster declares no class for shared volumes; set storage.shared in ' +
          'the cluster',
      ),
    );
  });

  test('has to be in the cluster', () => {
    const { chart } = shared();
    expect(ExternalReferences.of(chart).all).toContainEqual({ kind: 'StorageClass', name: 'nfs' });
  });
});

describe('the wave', () => {
  test('is the first one of a volume that nobody mounts', () => {
    expect(shared().claim().metadata.annotations ?? {}).not.toHaveProperty([WAVE]);
  });

  test('is that of the pods that mount it', () => {
    const { chart, construct, claim } = shared();
    const [, , last] = chain(chart, 'first', 'second', 'third') as [Deployment, Deployment, Deployment];
    construct.mountedBy(last.pods);
    expect(claim().metadata.annotations?.[WAVE]).toBe('20');
  });

  test('is that of the first of several, in whatever order they come', () => {
    const { chart, construct, claim } = shared();
    const [, second, third] = chain(chart, 'first', 'second', 'third') as [Deployment, Deployment, Deployment];
    construct.mountedBy(third.pods);
    construct.mountedBy(second.pods);
    expect(claim().metadata.annotations?.[WAVE]).toBe('10');
  });

  test('follows a user that turns out to come later', () => {
    const { chart, construct, claim } = shared();
    const [first, second] = chain(chart, 'first', 'second') as [Deployment, Deployment];
    construct.mountedBy(second.pods);
    expect(claim().metadata.annotations?.[WAVE]).toBe('10');
    construct.mountedBy(first.pods);
    expect(claim().metadata.annotations ?? {}).not.toHaveProperty([WAVE]);
  });
});

test('a volume outside any cluster that was described has no class to take', () => {
  const chart = new Chart(new App(), 'rag', { namespace: 'test' });
  expect(() => new SharedVolume(chart, 'models', { size: Size.gibibytes(1) })).toThrow('storageClass is missing');
});
