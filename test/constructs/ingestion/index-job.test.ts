import { Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { IndexJob, type IndexJobProps } from '../../../constructs/ingestion/index-job';
import { EnvValue } from '../../../constructs/workload/env-value';
import { Job } from '../../../constructs/workload/job';
import type { IProvider } from '../../../constructs/workload/provider';
import { find, mainContainer, namesOf, render, templateOf } from '../../support/manifests';
import { IMAGE } from '../../support/values';
import { CONTAINER, deployed } from '../../support/workloads';

const COMMAND = ['python', '-m', 'rag.index'];
const WAVE = 'argocd.argoproj.io/sync-wave';

function index(props: Partial<IndexJobProps> = {}) {
  const { chart, construct: api } = deployed();
  const construct = new IndexJob(chart, 'index', { image: IMAGE, command: COMMAND, ...props });
  return { chart, api, construct, objects: () => render(chart), object: () => find(render(chart), 'Job', 'index') };
}

describe('an index job', () => {
  const object = index().object();

  test('runs at every sync, once, for an hour at most', () => {
    expect(object.metadata.annotations).toEqual({
      'argocd.argoproj.io/hook': 'Sync',
      'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
    });
    expect(object.spec).toMatchObject({ backoffLimit: 3, activeDeadlineSeconds: 3600 });
    expect(templateOf(object).spec.restartPolicy).toBe('Never');
    expect(templateOf(object).metadata.labels).toMatchObject({ 'app.kubernetes.io/component': 'ingestion' });
  });

  test('runs its program, with space for temporary files and nothing else', () => {
    expect(mainContainer(object)).toMatchObject({ name: 'index', command: COMMAND });
    expect(mainContainer(object)).not.toHaveProperty('args');
    expect(mainContainer(object).env).toEqual([{ name: 'HOME', value: '/tmp' }]);
    expect(mainContainer(object).resources.requests).toMatchObject({ cpu: '250m', memory: '512Mi' });
    expect(templateOf(object).spec.volumes).toEqual([{ name: 'tmp', emptyDir: { sizeLimit: '1Gi' } }]);
  });

  test('takes what is said of it', () => {
    const changed = index({
      args: ['--all'],
      env: { SOURCE: EnvValue.of('wiki') },
      deadline: Duration.hours(3),
      retries: 0,
      resources: { cpu: Cpu.units(2), memory: Size.gibibytes(4) },
      temporaryStorage: Size.gibibytes(20),
      user: { uid: 2000, gid: 3000 },
      name: 'first-index',
    }).objects();
    const job = find(changed, 'Job', 'first-index');
    expect(job.spec).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 10800 });
    expect(mainContainer(job)).toMatchObject({
      args: ['--all'],
      env: [
        { name: 'SOURCE', value: 'wiki' },
        { name: 'HOME', value: '/tmp' },
      ],
    });
    expect(mainContainer(job).resources.limits).toMatchObject({ memory: '4Gi' });
    expect(templateOf(job).spec).toMatchObject({
      securityContext: { runAsUser: 2000, runAsGroup: 3000 },
      volumes: [{ name: 'tmp', emptyDir: { sizeLimit: '20Gi' } }],
    });
  });

  test('comes after what it uses and before who uses it, and nobody connects to it', () => {
    const { chart, api, construct, objects } = index();
    const bootstrap = new Job(chart, 'bootstrap', {
      component: 'first',
      container: CONTAINER,
      deadline: Duration.minutes(1),
    });
    const collection: IProvider = {
      offerTo: () => ({ endpoints: [], env: { COLLECTION_NAME: EnvValue.of('a') }, after: [bootstrap.pods] }),
    };
    construct.uses(collection);
    api.uses(construct);
    const waves = ['bootstrap', 'index'].map((name) => find(objects(), 'Job', name).metadata.annotations?.[WAVE]);
    expect(waves).toEqual([undefined, '10']);
    expect(find(objects(), 'Deployment', 'api').metadata.annotations).toEqual({ [WAVE]: '20' });
    expect(mainContainer(find(objects(), 'Job', 'index')).env).toEqual([
      { name: 'COLLECTION_NAME', value: 'a' },
      { name: 'HOME', value: '/tmp' },
    ]);
    expect(mainContainer(find(objects(), 'Deployment', 'api'))).not.toHaveProperty('env');
    for (const name of ['index', 'api']) {
      const { ingress, egress } = find(objects(), 'NetworkPolicy', name).spec;
      expect([ingress, egress]).toEqual([undefined, undefined]);
    }
    expect(namesOf(objects(), 'Service')).toEqual([]);
  });

  test.each<[Partial<IndexJobProps>, string]>([
    [{ deadline: Duration.millis(1500) }, 'deadline '],
    [{ retries: -1 }, 'retries is -1, but must be a whole number from 0'],
    [{ name: 'Index' }, 'name is "Index"'],
  ])('refuses %j', (props, problem) => {
    expect(() => index(props)).toThrow(problem);
  });
});
