import { Cron, Duration } from 'cdk8s';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { CronJob } from '../../../constructs/workload/cron-job';
import type { DeploymentProps } from '../../../constructs/workload/deployment';
import { EnvValue } from '../../../constructs/workload/env-value';
import { Job } from '../../../constructs/workload/job';
import { SecretDelivery } from '../../../constructs/workload/secret-delivery';
import { SecretRotation } from '../../../constructs/workload/secret-rotation';
import { find, render, templateOf, testChart } from '../../support/manifests';
import { KEY } from '../../support/values';
import { CONTAINER, deployed } from '../../support/workloads';

const { RELOADER, REREAD } = SecretRotation;
const { FILES, BOTH, ENV } = SecretDelivery;
const RELOAD = 'secret.reloader.stakater.com/reload';
const REVISION = 'cdk8s-rag/secrets-revision';
const VARIABLES = { A: EnvValue.fromSecret(KEY) };

function workload(props: Partial<DeploymentProps>, cluster: ClusterProps = { reloader: true }) {
  const made = deployed({ env: VARIABLES, ...props }, cluster);
  const annotations = () => made.object().metadata.annotations ?? {};
  const podAnnotations = () => made.template().metadata.annotations ?? {};
  return { ...made, annotations, podAnnotations };
}

describe('with Reloader', () => {
  test.each([undefined, RELOADER])('pods restart when a Secret changes', (secretRotation) => {
    const { annotations, podAnnotations } = workload({ secretRotation });
    expect(annotations()).toEqual({ [RELOAD]: 'existing' });
    expect(podAnnotations()).toEqual({});
  });

  test.each([ENV, FILES, BOTH])('it is the same Secret, whichever way the program gets it', (secretDelivery) => {
    expect(workload({ secretDelivery }).annotations()).toEqual({ [RELOAD]: 'existing' });
  });

  test('which the cluster must have', () => {
    expect(() => workload({ secretRotation: RELOADER }, {})).toThrow(
      'rag/api: secretRotation is RELOADER, but the cluster declares no Reloader; set reloader of the cluster, or ' +
        'restart the pods with SecretRotation.revision',
    );
  });
});

test('without Reloader nothing restarts them', () => {
  const { annotations, podAnnotations } = workload({}, {});
  expect(annotations()).toEqual({});
  expect(podAnnotations()).toEqual({});
});

describe('files that are read again', () => {
  test.each([true, false])('restart nothing, whether Reloader runs or not: %s', (reloader) => {
    const { annotations, podAnnotations } = workload({ secretRotation: REREAD, secretDelivery: FILES }, { reloader });
    expect(annotations()).toEqual({});
    expect(podAnnotations()).toEqual({});
  });

  test('are those of a directory of their own as well', () => {
    const { construct, annotations } = workload({ secretRotation: REREAD, env: {} });
    construct.addSecretFiles('/etc/keys', [SecretKey.of('signing', 'key')]);
    expect(annotations()).toEqual({});
  });

  test('do not make a variable of another container change', () => {
    const { construct, annotations } = workload({ secretRotation: REREAD, secretDelivery: FILES });
    construct.addContainer({
      ...CONTAINER,
      name: 'proxy',
      env: { TOKEN: EnvValue.fromSecret(SecretKey.of('proxy', 'token')) },
    });
    expect(annotations()).toEqual({ [RELOAD]: 'proxy' });
  });

  test.each([undefined, ENV, BOTH])('cannot be what the program has as variables', (secretDelivery) => {
    const { objects } = workload({ secretRotation: REREAD, secretDelivery });
    expect(objects).toThrow(
      'rag/api: secretRotation is REREAD, but the variable A never changes in a container that runs; set ' +
        'secretDelivery to SecretDelivery.FILES, or choose another rotation',
    );
  });
});

describe('a revision', () => {
  const revised = (text: string, cluster?: ClusterProps) =>
    workload({ secretRotation: SecretRotation.revision(text), podAnnotations: { team: 'search' } }, cluster);

  test.each([true, false])('is what restarts the pods, and alone: with Reloader %s', (reloader) => {
    const { annotations, podAnnotations } = revised('2026-11-28', { reloader });
    expect(podAnnotations()).toEqual({ team: 'search', [REVISION]: '2026-11-28' });
    expect(annotations()).toEqual({});
  });

  test('that is another makes other pods and changes nothing else', () => {
    const [before, after] = ['1', '2'].map((text) => revised(text).objects()) as [object[], object[]];
    const changed = after.filter((object, index) => JSON.stringify(object) !== JSON.stringify(before[index]));
    expect(changed).toEqual([expect.objectContaining({ kind: 'Deployment' })]);
  });

  test('is nothing for Jobs and CronJobs, whose pods are new ones', () => {
    const chart = testChart();
    const props = {
      component: 'part',
      container: CONTAINER,
      env: VARIABLES,
      deadline: Duration.minutes(1),
      secretRotation: SecretRotation.revision('1'),
    };
    new Job(chart, 'job', props);
    new CronJob(chart, 'cron-job', { ...props, schedule: Cron.daily() });
    const objects = render(chart);
    for (const object of [find(objects, 'Job', 'job'), find(objects, 'CronJob', 'cron-job')]) {
      expect(templateOf(object).metadata).not.toHaveProperty('annotations');
      expect(object.metadata.annotations ?? {}).not.toHaveProperty([RELOAD]);
    }
  });

  test.each(['', ' ', 'a\nb', 'x'.repeat(64)])('is one short line: %j', (text) => {
    expect(() => SecretRotation.revision(text)).toThrow(
      `secretRotation.revision has ${text.length} characters, but must be one line of 1 to 63 that tells this value ` +
        'from the last, such as a date',
    );
  });

  test('has no control characters', () => {
    expect(() => SecretRotation.revision('a\u0000')).toThrow(/^secretRotation\.revision has control characters/);
  });

  test('is not said with an annotation', () => {
    expect(() => workload({ podAnnotations: { [REVISION]: '1' } })).toThrow(
      `rag/api: podAnnotations has ${REVISION}; say so with SecretRotation.revision`,
    );
  });
});

describe('files of Secrets at a place of their own', () => {
  const [crt, key] = ['tls.crt', 'tls.key'].map((name) => SecretKey.of('signing', name)) as [SecretKey, SecretKey];

  test('are named like their keys, and the pods restart when one changes', () => {
    const { construct, template, annotations } = workload({ env: {} });
    construct.addSecretFiles('/etc/keys', [key, crt, SecretKey.of('another', 'ca.crt')]);
    const { volumes, containers } = template().spec;
    expect(volumes).toEqual([
      {
        name: expect.stringMatching(/^secrets-at-etc-keys-[0-9a-f]{8}$/),
        projected: {
          sources: [
            { secret: { name: 'another', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            {
              secret: {
                name: 'signing',
                items: [
                  { key: 'tls.crt', path: 'tls.crt' },
                  { key: 'tls.key', path: 'tls.key' },
                ],
              },
            },
          ],
        },
      },
    ]);
    expect(containers[0].volumeMounts).toEqual([{ name: volumes[0].name, mountPath: '/etc/keys', readOnly: true }]);
    expect(containers[0]).not.toHaveProperty('env');
    expect(annotations()).toEqual({ [RELOAD]: 'another,signing' });
  });

  test('can be for another container, which may come later, and in several directories', () => {
    const { construct, template } = workload({ env: {} });
    construct.addSecretFiles('/keys', [crt], 'proxy');
    construct.addSecretFiles('/keys', [key], 'api');
    construct.addSecretFiles('/keys_2', [key]);
    construct.addContainer({ ...CONTAINER, name: 'proxy' });
    const { volumes, containers } = template().spec;
    const mounts = containers.map(({ volumeMounts }: { volumeMounts: { mountPath: string }[] }) =>
      volumeMounts.map(({ mountPath }) => mountPath),
    );
    expect(mounts).toEqual([['/keys', '/keys_2'], ['/keys']]);
    expect(new Set(volumes.map(({ name }: { name: string }) => name)).size).toBe(3);
  });

  test('are some, of different names, in a directory that has no others', () => {
    const { construct, objects } = workload({ env: {} });
    expect(() => construct.addSecretFiles('/etc/keys', [])).toThrow(
      'rag/api: secretFiles are none for "/etc/keys"; name at least one',
    );
    expect(() => construct.addSecretFiles('/etc/keys', [crt, SecretKey.of('other', 'tls.crt')])).toThrow(
      'rag/api: secretFiles has "tls.crt" twice for "/etc/keys", and files are named like the keys; put one into ' +
        'another directory',
    );
    construct.addSecretFiles('/etc/keys', [crt]);
    construct.addSecretFiles('/etc/keys', [key]);
    expect(objects).toThrow('rag/api: mounts.path is /etc/keys twice; give one of the two another');
  });

  test('are at an absolute path', () => {
    const { construct, objects } = workload({ env: {} });
    construct.addSecretFiles('keys', [crt]);
    expect(objects).toThrow('rag/api: mounts.path is "keys", but must be absolute');
  });
});

test.each([RELOADER, REREAD])(
  'pods of Jobs are new ones in any case, so that no rotation is too much for them: %o',
  (secretRotation) => {
    const chart = testChart();
    new Job(chart, 'job', {
      component: 'ingestion',
      container: CONTAINER,
      deadline: Duration.minutes(5),
      env: { A: EnvValue.fromSecret(KEY) },
      secretRotation,
    });
    expect(find(render(chart), 'Job', 'job').metadata.annotations).not.toHaveProperty([
      'secret.reloader.stakater.com/reload',
    ]);
  },
);
