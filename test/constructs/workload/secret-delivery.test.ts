import { type Chart, Cron } from 'cdk8s';
import { RagApi } from '../../../constructs/api/rag-api';
import { Migration } from '../../../constructs/data/migration';
import type { IPostgres } from '../../../constructs/data/postgres-access';
import { CronSync } from '../../../constructs/ingestion/cron-sync';
import { EmbeddingWorkers } from '../../../constructs/ingestion/embedding-workers';
import { IndexJob } from '../../../constructs/ingestion/index-job';
import { Scheduler } from '../../../constructs/ingestion/scheduler';
import { ExternalReferences } from '../../../constructs/rules/external-references';
import type { Json } from '../../../constructs/rules/output';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { SecretsStoreCsi } from '../../../constructs/secrets/secrets-store-csi';
import type { DeploymentProps } from '../../../constructs/workload/deployment';
import { EnvValue } from '../../../constructs/workload/env-value';
import type { IProvider } from '../../../constructs/workload/provider';
import { SecretDelivery } from '../../../constructs/workload/secret-delivery';
import type { ProgramOptions, Workload } from '../../../constructs/workload/workload';
import { render, testChart } from '../../support/manifests';
import { podsOf } from '../../support/pods';
import { RESOURCES } from '../../support/values';
import { CONTAINER, deployed } from '../../support/workloads';

const { ENV, FILES, BOTH } = SecretDelivery;
const DIRECTORY = '/run/secrets/cdk8s-rag';
const PASSWORD = SecretKey.of('queue', 'password');
const URL = 'redis://:$(REDIS_PASSWORD)@$(REDIS_HOST):6379/0';

const QUEUE: IProvider = {
  offerTo: () => ({
    endpoints: [],
    env: {
      REDIS_HOST: EnvValue.of('queue'),
      REDIS_PASSWORD: EnvValue.fromSecret(PASSWORD),
      CELERY_BROKER_URL: EnvValue.template(URL),
    },
  }),
};

/** A client of the queue, and what its main container gets. */
function client(props: Partial<DeploymentProps>, more: (workload: ReturnType<typeof deployed>) => void = () => {}) {
  const made = deployed(props);
  made.construct.uses(QUEUE);
  more(made);
  const spec = () => made.template().spec;
  const variables = (container: Json = spec().containers[0]): Json =>
    Object.fromEntries((container.env ?? []).map(({ name, value, valueFrom }: Json) => [name, value ?? valueFrom]));
  return { ...made, spec, variables };
}

const REFERENCE = { secretKeyRef: { name: 'queue', key: 'password' } };

describe('variables', () => {
  test.each([undefined, ENV])('are what a program gets unless it says otherwise', (secretDelivery) => {
    const { spec, variables } = client({ secretDelivery });
    expect(variables()).toEqual({ REDIS_HOST: 'queue', REDIS_PASSWORD: REFERENCE, CELERY_BROKER_URL: URL });
    expect(spec()).not.toHaveProperty('volumes');
  });
});

describe('files', () => {
  const own = { OWN: EnvValue.fromSecret(SecretKey.of('app', 'own.key')), PLAIN: EnvValue.of('x') };

  test('take the place of variables, those of the user and those of providers', () => {
    const { spec, variables } = client({ secretDelivery: FILES, env: own });
    expect(variables()).toEqual({
      PLAIN: 'x',
      REDIS_HOST: 'queue',
      OWN_FILE: `${DIRECTORY}/OWN`,
      REDIS_PASSWORD_FILE: `${DIRECTORY}/REDIS_PASSWORD`,
      CELERY_BROKER_URL_TEMPLATE: 'redis://:$$(REDIS_PASSWORD)@$(REDIS_HOST):6379/0',
    });
    expect(spec().volumes).toEqual([
      {
        name: 'delivered-secrets',
        projected: {
          sources: [
            { secret: { name: 'app', items: [{ key: 'own.key', path: 'OWN' }] } },
            { secret: { name: 'queue', items: [{ key: 'password', path: 'REDIS_PASSWORD' }] } },
          ],
        },
      },
    ]);
    // Not by subPath, which the kubelet would never update.
    expect(spec().containers[0].volumeMounts).toEqual([
      { name: 'delivered-secrets', mountPath: DIRECTORY, readOnly: true },
    ]);
  });

  test('leave nothing of a Secret in any variable', () => {
    const { spec } = client({ secretDelivery: FILES, env: own });
    expect(JSON.stringify(spec().containers)).not.toContain('secretKeyRef');
  });

  test('come after what the text of a template refers to', () => {
    const names = client({ secretDelivery: FILES })
      .spec()
      .containers[0].env.map(({ name }: Json) => name);
    expect(names.indexOf('REDIS_HOST')).toBeLessThan(names.indexOf('CELERY_BROKER_URL_TEMPLATE'));
  });

  test('are beside the variables when both are asked for', () => {
    const { spec, variables } = client({ secretDelivery: BOTH });
    expect(variables()).toEqual({
      REDIS_HOST: 'queue',
      REDIS_PASSWORD: REFERENCE,
      CELERY_BROKER_URL: URL,
      REDIS_PASSWORD_FILE: `${DIRECTORY}/REDIS_PASSWORD`,
    });
    expect(spec().volumes).toHaveLength(1);
  });

  test('are no volume where there is no Secret', () => {
    const { template } = deployed({ secretDelivery: FILES, env: { PLAIN: EnvValue.of('x') } });
    expect(template().spec).not.toHaveProperty('volumes');
    expect(template().spec.containers[0].env).toEqual([{ name: 'PLAIN', value: 'x' }]);
  });

  test('are the same whatever is used first', () => {
    const other: IProvider = {
      offerTo: () => ({ endpoints: [], env: { API_KEY: EnvValue.fromSecret(SecretKey.of('llm', 'key')) } }),
    };
    const volumes = (...providers: IProvider[]) => {
      const { construct, template } = deployed({ secretDelivery: FILES });
      construct.uses(...providers);
      return template().spec.volumes;
    };
    expect(volumes(QUEUE, other)).toEqual(volumes(other, QUEUE));
  });

  test('are for the main container and what prepares for it, and for no other', () => {
    const part = { image: CONTAINER.image, resources: RESOURCES };
    const { spec, variables } = client({ secretDelivery: FILES }, ({ construct }) => {
      construct.addContainer({ ...part, name: 'sidecar', env: { TOKEN: EnvValue.fromSecret(PASSWORD) } });
      construct.addInitContainer({ ...part, name: 'other' });
      construct.addPreparation({ ...part, name: 'warm-up' });
    });
    const [main, sidecar] = spec().containers;
    const [other, preparation] = spec().initContainers;
    expect(variables(preparation)).toEqual(variables(main));
    expect(preparation.volumeMounts).toEqual(main.volumeMounts);
    expect(variables(sidecar)).toEqual({ TOKEN: REFERENCE });
    for (const container of [sidecar, other]) {
      expect(container).not.toHaveProperty('volumeMounts');
    }
    expect(other).not.toHaveProperty('env');
  });

  test('must be in the cluster like any other key', () => {
    const { chart } = client({ secretDelivery: FILES });
    const key = { kind: 'Secret', namespace: 'test', name: 'queue', key: 'password' };
    expect(ExternalReferences.of(chart).all).toContainEqual(key);
  });

  test('come from the Secret that the CSI driver makes, whose class the pod mounts as well', () => {
    const secrets = SecretsStoreCsi.azureKeyVault({
      vault: 'acme-rag',
      tenantId: '11111111-2222-3333-4444-555555555555',
      clientId: '66666666-7777-8888-9999-000000000000',
    });
    const env = { API_KEY: EnvValue.fromSecret(secrets.key('llm', 'api-key')) };
    const { volumes } = deployed({ secretDelivery: FILES, env }).template().spec;
    expect(volumes.map(({ name }: Json) => name)).toEqual(['delivered-secrets', 'secrets-store-llm--api-key']);
    expect(volumes[0].projected.sources).toEqual([
      { secret: { name: 'llm--api-key', items: [{ key: 'api-key', path: 'API_KEY' }] } },
    ]);
  });
});

describe('the names', () => {
  test('follow those that the image expects', () => {
    const { spec, variables } = client({
      secretDelivery: FILES,
      envNames: { REDIS_PASSWORD: 'BROKER_PW', CELERY_BROKER_URL: 'BROKER_URL' },
    });
    expect(variables()).toEqual({
      REDIS_HOST: 'queue',
      BROKER_PW_FILE: `${DIRECTORY}/BROKER_PW`,
      BROKER_URL_TEMPLATE: 'redis://:$$(BROKER_PW)@$(REDIS_HOST):6379/0',
    });
    expect(spec().volumes[0].projected.sources[0].secret.items).toEqual([{ key: 'password', path: 'BROKER_PW' }]);
  });

  test('may be others than those', () => {
    const { variables } = client({
      secretDelivery: FILES,
      envNames: {
        REDIS_PASSWORD: 'BROKER_PW',
        REDIS_PASSWORD_FILE: 'BROKER_PW_PATH',
        CELERY_BROKER_URL_TEMPLATE: 'HOW',
      },
    });
    expect(Object.keys(variables())).toEqual(['REDIS_HOST', 'BROKER_PW_PATH', 'HOW']);
  });

  test.each<[string, SecretDelivery, string]>([
    ['REDIS_PASSWORD_FILE', ENV, 'CELERY_BROKER_URL, REDIS_HOST, REDIS_PASSWORD'],
    ['CELERY_BROKER_URL_TEMPLATE', BOTH, 'CELERY_BROKER_URL, REDIS_HOST, REDIS_PASSWORD, REDIS_PASSWORD_FILE'],
    ['REDIS_HOST_FILE', BOTH, 'CELERY_BROKER_URL, REDIS_HOST, REDIS_PASSWORD, REDIS_PASSWORD_FILE'],
  ])('of what is not given cannot be changed: %s', (name, secretDelivery, given) => {
    const { objects } = client({ secretDelivery, envNames: { [name]: 'X' } });
    expect(objects).toThrow(`rag/api: envNames.${name} renames a variable that no provider gives; given are ${given}`);
  });

  test.each([FILES, BOTH])('must be free', (secretDelivery) => {
    const taken = { REDIS_PASSWORD_FILE: EnvValue.of('/etc/x') };
    expect(client({ secretDelivery, env: taken }).objects).toThrow(
      'rag/api: env.REDIS_PASSWORD_FILE is set already, but secretDelivery gives REDIS_PASSWORD under this name; drop ' +
        'one, or rename what is given with envNames: { REDIS_PASSWORD_FILE: … }',
    );
    const renamed = client({ secretDelivery, env: taken, envNames: { REDIS_PASSWORD_FILE: 'PASSWORD_PATH' } });
    expect(renamed.variables()).toMatchObject({
      REDIS_PASSWORD_FILE: '/etc/x',
      PASSWORD_PATH: `${DIRECTORY}/REDIS_PASSWORD`,
    });
  });

  test('must be free for templates as well, and are free to take without files', () => {
    const env = { CELERY_BROKER_URL_TEMPLATE: EnvValue.of('x') };
    expect(client({ secretDelivery: FILES, env }).objects).toThrow(
      'rag/api: env.CELERY_BROKER_URL_TEMPLATE is set already, but secretDelivery gives CELERY_BROKER_URL under this name',
    );
    expect(client({ secretDelivery: BOTH, env }).objects).not.toThrow();
    expect(client({ env: { REDIS_PASSWORD_FILE: EnvValue.of('x') } }).objects).not.toThrow();
  });
});

describe('arguments', () => {
  const args = ['serve', '--url=$(CELERY_BROKER_URL)'];

  test('cannot refer to what is in a file', () => {
    const refusal = (name: string) =>
      `rag/api: container.args refers to $(${name}), which secretDelivery gives as a file, so the text would stay as ` +
      'it is; read the file, or choose SecretDelivery.BOTH';
    expect(client({ secretDelivery: FILES, container: { ...CONTAINER, args } }).objects).toThrow(
      refusal('CELERY_BROKER_URL'),
    );
    const command = ['redis-cli', '-a', '$(REDIS_PASSWORD)'];
    expect(client({ secretDelivery: FILES, container: { ...CONTAINER, command } }).objects).toThrow(
      refusal('REDIS_PASSWORD'),
    );
  });

  test('can refer to what is in a variable', () => {
    expect(client({ secretDelivery: BOTH, container: { ...CONTAINER, args } }).objects).not.toThrow();
    const others = ['$(REDIS_HOST)', '$$(REDIS_PASSWORD)', '$$(UNKNOWN)'];
    expect(client({ secretDelivery: FILES, container: { ...CONTAINER, args: others } }).objects).not.toThrow();
  });
});

const IMAGE_AND_COMMAND = { image: CONTAINER.image, command: ['run'] };

/** Every construct that runs a program of the user's own, and its workload. */
const DATABASE: IPostgres = {
  ...QUEUE,
  clientAccess: QUEUE,
  named: () => QUEUE,
  as: () => QUEUE,
  ensureExtension: () => {},
};

const PROGRAMS: [string, (scope: Chart, props: ProgramOptions) => Workload][] = [
  ['RagApi', (scope, props) => new RagApi(scope, 'it', { ...IMAGE_AND_COMMAND, ...props }).workload],
  [
    'EmbeddingWorkers',
    (scope, props) => new EmbeddingWorkers(scope, 'it', { ...IMAGE_AND_COMMAND, ...props }).workload,
  ],
  ['IndexJob', (scope, props) => new IndexJob(scope, 'it', { ...IMAGE_AND_COMMAND, ...props }).job],
  [
    'CronSync',
    (scope, props) => new CronSync(scope, 'it', { ...IMAGE_AND_COMMAND, schedule: Cron.daily(), ...props }).cronJob,
  ],
  ['Scheduler', (scope, props) => new Scheduler(scope, 'it', { ...IMAGE_AND_COMMAND, ...props }).workload],
  [
    'Migration',
    (scope, props) => new Migration(scope, 'it', { ...IMAGE_AND_COMMAND, database: DATABASE, ...props }).job,
  ],
];

test.each(PROGRAMS)('a program of the user gets files in %s', (_, create) => {
  const chart = testChart();
  const workload = create(chart, { secretDelivery: FILES });
  workload.uses(QUEUE);
  const [env] = podsOf(render(chart)).map(({ containers }) => containers[0].env);
  expect(env).toContainEqual({ name: 'REDIS_PASSWORD_FILE', value: `${DIRECTORY}/REDIS_PASSWORD` });
  expect(JSON.stringify(env)).not.toContain('secretKeyRef');
});
