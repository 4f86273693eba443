import { Scheduler, type SchedulerProps } from '../../../constructs/ingestion/scheduler';
import { Scaling } from '../../../constructs/scaling/scaling';
import { EnvValue } from '../../../constructs/workload/env-value';
import { UpdateStrategy } from '../../../constructs/workload/update-strategy';
import { env, find, mainContainer, namesOf, render, templateOf, testChart } from '../../support/manifests';
import { IMAGE } from '../../support/values';

const COMMAND = ['celery', '-A', 'rag', 'beat', '--schedule=$(SCHEDULE_FILE)', '--pidfile='];

function scheduler(props: Partial<SchedulerProps> = {}) {
  const chart = testChart({ keda: { namespace: 'keda' } });
  const construct = new Scheduler(chart, 'beat', { image: IMAGE, command: COMMAND, ...props });
  return { construct, objects: () => render(chart), object: () => find(render(chart), 'Deployment', 'beat') };
}

describe('a scheduler', () => {
  test('is one pod, whose successor waits for its end', () => {
    const { spec } = scheduler().object();
    expect(spec.replicas).toBe(1);
    expect(spec.strategy).toEqual({ type: 'Recreate' });
  });

  test('has no autoscaler, and no budget that would keep a node from being drained', () => {
    const kinds = scheduler()
      .objects()
      .map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(['Deployment', 'NetworkPolicy', 'ServiceAccount']);
  });

  test('stays one, whatever it is asked for', () => {
    const more: object = { scaling: Scaling.fixed(2), update: UpdateStrategy.SURGE_ONE };
    const { objects, object } = scheduler({ ...more });
    expect(object().spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
    expect(namesOf(objects(), 'HorizontalPodAutoscaler')).toEqual([]);
  });

  test('notes the last runs in a file that it can write, and is told which', () => {
    const object = scheduler().object();
    expect(env(object, 'SCHEDULE_FILE')).toBe('/var/lib/scheduler/schedule');
    expect(mainContainer(object).command).toEqual(COMMAND);
    expect(mainContainer(object).volumeMounts).toEqual([
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'schedule', mountPath: '/var/lib/scheduler' },
    ]);
    expect(templateOf(object).spec.volumes).toContainEqual({ name: 'schedule', emptyDir: { sizeLimit: '16Mi' } });
  });

  test('uses the queue, and nobody connects to it', () => {
    const { construct, objects, object } = scheduler();
    construct.uses({ offerTo: () => ({ endpoints: [], env: { CELERY_BROKER_URL: EnvValue.of('redis://queue') } }) });
    expect(env(object(), 'CELERY_BROKER_URL')).toBe('redis://queue');
    expect(find(objects(), 'NetworkPolicy', 'beat').spec).not.toHaveProperty('ingress');
    expect(namesOf(objects(), 'Service')).toEqual([]);
  });

  test('cannot be told another file by a variable', () => {
    expect(() => scheduler({ env: { SCHEDULE_FILE: EnvValue.of('/tmp/x') } })).toThrow(
      'rag/beat/Resource: env.SCHEDULE_FILE is a variable that the library sets itself',
    );
  });
});
