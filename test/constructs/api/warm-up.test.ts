import { Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { RagApi, type RagApiProps, type WarmUp } from '../../../constructs/api/rag-api';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { EnvValue } from '../../../constructs/workload/env-value';
import { Image } from '../../../constructs/workload/image';
import { find, mainContainer, render, templateOf, testChart } from '../../support/manifests';
import { IMAGE } from '../../support/values';

const WARM_UP: WarmUp = { command: ['python', '-m', 'rag.warm_up'], budget: Duration.minutes(7) };

function api(props: Partial<RagApiProps> = {}) {
  const chart = testChart();
  const construct = new RagApi(chart, 'api', { image: IMAGE, ...props });
  const object = () => find(render(chart), 'Deployment', 'api');
  return { construct, object, warmUp: () => templateOf(object()).spec.initContainers?.[0] };
}

describe('what is done before the API starts', () => {
  test('runs in the image of the API, asks for no more than the API, and is ended when its time is over', () => {
    const { object, warmUp } = api({ warmUp: WARM_UP });
    expect(warmUp()).toMatchObject({
      name: 'warm-up',
      image: 'ghcr.io/acme/program:1.2.3',
      command: ['timeout', '420', 'python', '-m', 'rag.warm_up'],
    });
    expect(warmUp().resources.requests).toMatchObject({ cpu: '250m', memory: '1Gi' });
    expect(warmUp().securityContext).toEqual(mainContainer(object()).securityContext);
    for (const field of ['args', 'ports', 'startupProbe', 'readinessProbe', 'livenessProbe', 'lifecycle']) {
      expect(warmUp()).not.toHaveProperty(field);
    }
  });

  test('may have an image of its own, and grows with the API', () => {
    const image = Image.of('ghcr.io/acme/loader', { tag: '2.0.0' });
    const resources = { cpu: Cpu.units(2), memory: Size.gibibytes(8) };
    const { warmUp } = api({ warmUp: { ...WARM_UP, image }, resources });
    expect(warmUp().image).toBe('ghcr.io/acme/loader:2.0.0');
    expect(warmUp().resources.limits.memory).toBe('8Gi');
  });

  test('knows all that the API knows, and leaves it what it writes', () => {
    const { construct, object, warmUp } = api({ warmUp: WARM_UP, env: { LOG_LEVEL: EnvValue.of('info') } });
    const authority = SecretKey.of('ca', 'ca.crt');
    construct.uses({
      offerTo: () => ({
        endpoints: [],
        env: { QDRANT_API_KEY: EnvValue.fromSecret(SecretKey.of('qdrant', 'api-key')) },
        files: [{ source: authority, directory: '/etc/ca' }],
      }),
    });
    construct.workload.addConfigFiles({ '/etc/app/settings.yaml': 'a: 1' });
    expect(warmUp().env).toEqual(mainContainer(object()).env);
    expect(warmUp().env.map(({ name }: { name: string }) => name)).toEqual([
      'LONGEST_ANSWER_SECONDS',
      'LOG_LEVEL',
      'QDRANT_API_KEY',
      'HOME',
    ]);
    expect(warmUp().volumeMounts).toEqual(mainContainer(object()).volumeMounts);
    const { volumes } = templateOf(object()).spec;
    const names = volumes.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['tmp', 'config', 'secret-ca']);
  });

  test('is waited for by a rollout, and takes nothing from the time to start', () => {
    const deadlines = (props: Partial<RagApiProps>) => api(props).object().spec.progressDeadlineSeconds;
    expect(deadlines({ warmUp: WARM_UP }) - deadlines({})).toBe(420);
    expect(mainContainer(api({ warmUp: WARM_UP }).object()).startupProbe).toEqual(
      mainContainer(api().object()).startupProbe,
    );
  });

  test('is nothing by default', () => {
    expect(templateOf(api().object()).spec).not.toHaveProperty('initContainers');
  });

  test.each<[Partial<WarmUp>, string]>([
    [{ command: [] }, 'rag/api: warmUp.command is empty; name a program'],
    [{ budget: Duration.millis(1500) }, 'rag/api: warmUp.budget '],
    [{ budget: Duration.seconds(0) }, 'rag/api: warmUp.budget '],
  ])('is refused with %j', (change, problem) => {
    expect(() => api({ warmUp: { ...WARM_UP, ...change } })).toThrow(problem);
  });
});

test('another init container knows nothing of the API', () => {
  const { construct, warmUp } = api({ env: { LOG_LEVEL: EnvValue.of('info') } });
  construct.workload.addInitContainer({
    name: 'prepare',
    image: IMAGE,
    resources: { cpu: Cpu.millis(10), memory: Size.mebibytes(16) },
  });
  expect(warmUp()).not.toHaveProperty('env');
  expect(warmUp()).not.toHaveProperty('volumeMounts');
});
