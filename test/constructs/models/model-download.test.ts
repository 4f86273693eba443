import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Duration, Size } from 'cdk8s';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { ModelDownload, type ModelDownloadProps } from '../../../constructs/models/model-download';
import { TextEmbeddingsInference } from '../../../constructs/models/text-embeddings-inference';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import type { Json, ManifestObject } from '../../../constructs/rules/output';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Deployment } from '../../../constructs/workload/deployment';
import { SharedVolume } from '../../../constructs/workload/shared-volume';
import { env, find, mainContainer, namesOf, render, templateOf, testChart } from '../../support/manifests';
import { CONTAINER } from '../../support/workloads';

const MODEL = EmbeddingModel.BGE_M3;
const WAVE = 'argocd.argoproj.io/sync-wave';

function download(props: Partial<ModelDownloadProps> = {}, cluster: ClusterProps = {}) {
  const chart = testChart({ storage: { shared: 'nfs' }, ...cluster });
  const volume = new SharedVolume(chart, 'models', { size: Size.gibibytes(20) });
  const construct = new ModelDownload(chart, 'bge-m3', { model: MODEL, volume, ...props });
  return { chart, construct, objects: () => render(chart), job: () => find(render(chart), 'Job', 'bge-m3') };
}

const waveOf = (object: ManifestObject) => object.metadata.annotations?.[WAVE];

describe('the Job', () => {
  const objects = download().objects();
  const job = find(objects, 'Job', 'bge-m3');

  test('runs the program that this library brings, at every sync', () => {
    const script = readFileSync(resolve(__dirname, '../../../constructs/models/download-model.mjs'), 'utf8');
    expect(mainContainer(job).command).toEqual(['node', '/opt/program/download-model.mjs']);
    expect(mainContainer(job).image).toMatch(/\/node:\d+\.\d+\.\d+-alpine[\d.]+@sha256:[0-9a-f]{64}$/);
    expect(Object.values(find(objects, 'ConfigMap', 'bge-m3').data)).toEqual([script]);
    expect(job.metadata.annotations).toMatchObject({
      'argocd.argoproj.io/hook': 'Sync',
      'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
    });
    expect(job.metadata.labels?.['app.kubernetes.io/component']).toBe('model-download');
  });

  test('knows the model, its commit and where to put it', () => {
    expect(env(job, 'MODEL_ID')).toBe('BAAI/bge-m3');
    expect(env(job, 'MODEL_REVISION')).toBe('5617a9f61b028005a4858fdac845db406aefb181');
    expect(env(job, 'HF_HOME')).toBeUndefined();
    const [mount] = mainContainer(job).volumeMounts;
    expect(mount).toEqual({ name: 'models', mountPath: '/models' });
    expect(templateOf(job).spec.volumes).toContainEqual({
      name: 'models',
      persistentVolumeClaim: { claimName: 'models' },
    });
    expect(templateOf(job).spec.securityContext).toMatchObject({ runAsUser: 1000, runAsGroup: 1000, fsGroup: 1000 });
  });

  test('knows neither mirror nor token unless told', () => {
    expect(env(job, 'HF_ENDPOINT')).toBeUndefined();
    expect(env(job, 'HF_TOKEN')).toBeUndefined();
  });

  test('has memory for what a slow volume keeps waiting', () => {
    expect(mainContainer(job).resources).toMatchObject({
      requests: { cpu: '50m', memory: '256Mi' },
      limits: { memory: '256Mi' },
    });
  });

  test('has two hours, or what it is given', () => {
    expect(job.spec.activeDeadlineSeconds).toBe(7200);
    expect(download({ deadline: Duration.minutes(30) }).job().spec.activeDeadlineSeconds).toBe(1800);
  });

  test('connects to the hub, and accepts nobody', () => {
    const { egress, ingress } = find(objects, 'NetworkPolicy', 'bge-m3').spec;
    expect(ingress).toBeUndefined();
    expect(egress.filter(({ to }: Json) => to[0].ipBlock?.cidr === '0.0.0.0/0')).toHaveLength(1);
  });
});

test('the pinned commit is downloaded', () => {
  expect(env(download({ model: MODEL.at('5617a9f6') }).job(), 'MODEL_REVISION')).toBe('5617a9f6');
});

test('a mirror is asked with its token, by name on Cilium', () => {
  const hub = { url: 'https://models.acme.example', token: SecretKey.of('mirror', 'token') };
  const { objects, job } = download({ hub }, { cilium: true });
  expect(env(job(), 'HF_ENDPOINT')).toBe('https://models.acme.example');
  expect(env(job(), 'HF_TOKEN')).toEqual({ secretKeyRef: { name: 'mirror', key: 'token' } });
  expect(find(objects(), 'CiliumNetworkPolicy', 'bge-m3').spec.egress[0]).toEqual({
    toFQDNs: [{ matchName: 'models.acme.example' }],
    toPorts: [{ ports: [{ port: '443', protocol: 'TCP' }] }],
  });
});

describe('servers of what was downloaded', () => {
  const { chart, construct } = download({ model: MODEL.at('5617a9f6') }, { cilium: true });
  const server = new TextEmbeddingsInference(chart, 'embedder', {
    model: MODEL.at('5617a9f6'),
    source: construct.source,
  });
  const client = new Deployment(chart, 'api', { component: 'api', container: CONTAINER });
  client.uses(server);
  const objects = render(chart);
  const embedder = find(objects, 'Deployment', 'embedder');

  test('are of the model that was downloaded', () => {
    const other = () => new TextEmbeddingsInference(chart, 'other', { model: MODEL, source: construct.source });
    expect(other).toThrow(
      'rag/other: source has BAAI/bge-m3 at 5617a9f6, but this serves BAAI/bge-m3 at 5617a9f61b028005a4858fdac845db406aefb181; use the same model in both',
    );
  });

  test('read it where the Job has put it, and open no connection', () => {
    const { args, volumeMounts } = mainContainer(embedder);
    const job = find(objects, 'Job', 'bge-m3');
    expect(args[1]).toBe(env(job, 'MODEL_DIRECTORY'));
    expect(volumeMounts[0]).toEqual({ name: 'models', mountPath: '/models', readOnly: true });
    expect(find(objects, 'NetworkPolicy', 'embedder').spec).not.toHaveProperty('egress');
    expect(namesOf(objects, 'CiliumNetworkPolicy')).toEqual(['bge-m3']);
  });

  test('start after the Job, and their clients after them; the volume is there before all', () => {
    expect(waveOf(find(objects, 'PersistentVolumeClaim', 'models'))).toBeUndefined();
    expect(waveOf(find(objects, 'Job', 'bge-m3'))).toBeUndefined();
    expect(waveOf(embedder)).toBe('10');
    expect(waveOf(find(objects, 'Service', 'embedder'))).toBe('10');
    expect(waveOf(find(objects, 'Deployment', 'api'))).toBe('20');
  });
});
