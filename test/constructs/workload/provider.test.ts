import { ExternalService } from '../../../constructs/data/external-service';
import { Redis } from '../../../constructs/data/redis';
import { RedisRole } from '../../../constructs/data/redis-role';
import { ConnectionGraph } from '../../../constructs/network/connection-graph';
import { Endpoint } from '../../../constructs/network/endpoint';
import { ExternalReferences } from '../../../constructs/rules/external-references';
import { LateChecks } from '../../../constructs/rules/late-checks';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Deployment, type DeploymentProps } from '../../../constructs/workload/deployment';
import { EnvValue } from '../../../constructs/workload/env-value';
import type { IProvider, Offer } from '../../../constructs/workload/provider';
import { env, find, mainContainer, render, templateOf, testChart } from '../../support/manifests';
import { refusalOf } from '../../support/refusal';
import { CONTAINER } from '../../support/workloads';

const PORT = { name: 'redis', number: 6379, appProtocol: 'redis' };
const PASSWORD = SecretKey.of('queue', 'password');

function client(props: Partial<DeploymentProps> = {}) {
  const chart = testChart();
  const queue = new Redis(chart, 'queue', { role: RedisRole.BROKER, password: PASSWORD });
  const construct = new Deployment(chart, 'api', { component: 'api', container: CONTAINER, ...props });
  return { chart, queue, construct, object: () => find(render(chart), 'Deployment', 'api') };
}

function offering(offer: Partial<Offer>): IProvider {
  return { offerTo: () => ({ endpoints: [], env: {}, ...offer }) };
}

describe('using a provider', () => {
  const { chart, queue, construct, object } = client();
  construct.uses(queue);

  test('tells the client how', () => {
    expect(mainContainer(object()).env).toEqual([
      { name: 'REDIS_PASSWORD', valueFrom: { secretKeyRef: { name: 'queue', key: 'password' } } },
      { name: 'CELERY_BROKER_URL', value: 'redis://:$(REDIS_PASSWORD)@queue:6379/0' },
    ]);
  });

  test('opens the connection on both sides, and no other', () => {
    const objects = render(chart);
    const [from, to] = ['api', 'queue'].map((name) => find(objects, 'NetworkPolicy', name).spec);
    const podSelector = (name: string) => ({
      podSelector: { matchLabels: { 'app.kubernetes.io/name': name, 'app.kubernetes.io/instance': 'rag' } },
    });
    const ports = [{ port: 6379, protocol: 'TCP' }];
    expect(from.egress[0]).toEqual({ to: [podSelector('queue')], ports });
    expect(to.ingress).toEqual([{ from: [podSelector('api')], ports }]);
    expect(from).not.toHaveProperty('ingress');
    // The other rule is the one for DNS, which only the side that opens connections needs.
    expect(from.egress).toHaveLength(2);
    expect(to).not.toHaveProperty('egress');
  });

  test('is an edge of the graph that says what it is for', () => {
    const edges = ConnectionGraph.of(chart).connections;
    expect(edges).toEqual([{ from: construct.pods, to: queue.workload.pods, ports: [PORT], ordered: true }]);
  });

  test('makes the client wait for it, and is pruned when the client has moved', () => {
    expect(object().metadata.annotations).toEqual({ 'argocd.argoproj.io/sync-wave': '10' });
    expect(find(render(chart), 'StatefulSet', 'queue').metadata.annotations).toEqual({
      'argocd.argoproj.io/sync-options': 'PruneLast=true',
    });
  });

  test('twice changes nothing', () => {
    const before = render(chart);
    construct.uses(queue, queue);
    construct.uses(queue);
    expect(render(chart)).toEqual(before);
  });
});

describe('a provider', () => {
  test('learns who uses it', () => {
    const { construct } = client();
    const clients: string[] = [];
    construct.uses({
      offerTo: ({ namespace, node }) => {
        clients.push(`${namespace}/${node.id}`);
        return { endpoints: [], env: {} };
      },
    });
    expect(clients).toEqual(['test/api']);
  });

  test('outside the cluster is one that nobody waits for', () => {
    const { chart, construct, object } = client();
    construct.uses(
      new ExternalService({
        host: 'db.acme.example',
        port: 5432,
        cidrs: ['10.1.2.3/32'],
        env: { PGHOST: EnvValue.of('db.acme.example') },
      }),
    );
    expect(env(object(), 'PGHOST')).toBe('db.acme.example');
    expect(object().metadata.annotations).toBeUndefined();
    expect(find(render(chart), 'NetworkPolicy', 'api').spec.egress[0]).toEqual({
      to: [{ ipBlock: { cidr: '10.1.2.3/32' } }],
      ports: [{ port: 5432, protocol: 'TCP' }],
    });
  });

  test('can give files, which only the main container finds', () => {
    const { construct, object } = client();
    construct.addContainer({ ...CONTAINER, name: 'sidecar' });
    construct.uses(offering({ files: [{ source: SecretKey.of('db-tls', 'ca.crt'), directory: '/etc/db-ca' }] }));
    const { volumes, containers } = templateOf(object()).spec;
    expect(volumes).toEqual([
      { name: 'secret-db-tls', secret: { secretName: 'db-tls', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    ]);
    expect(containers[0].volumeMounts).toEqual([{ name: 'secret-db-tls', mountPath: '/etc/db-ca', readOnly: true }]);
    expect(containers[1]).not.toHaveProperty('volumeMounts');
    expect(containers[1]).not.toHaveProperty('env');
  });
});

describe('files of providers', () => {
  const [ca, crt] = ['ca.crt', 'tls.crt'].map((key) => SecretKey.of('db-tls', key)) as [SecretKey, SecretKey];

  test('of one Secret are in one volume, wherever they are wanted and whoever gives them', () => {
    const { construct, object } = client();
    construct.uses(
      offering({
        files: [
          { source: ca, directory: '/etc/db-ca' },
          { source: crt, directory: '/etc/db-ca' },
        ],
      }),
      offering({ files: [{ source: SecretKey.of('db-tls', 'ca.crt'), directory: '/etc/other' }] }),
    );
    const { volumes, containers } = templateOf(object()).spec;
    expect(volumes).toEqual([
      {
        name: 'secret-db-tls',
        secret: {
          secretName: 'db-tls',
          items: [
            { key: 'ca.crt', path: 'ca.crt' },
            { key: 'tls.crt', path: 'tls.crt' },
          ],
        },
      },
    ]);
    expect(containers[0].volumeMounts).toEqual([
      { name: 'secret-db-tls', mountPath: '/etc/db-ca', readOnly: true },
      { name: 'secret-db-tls', mountPath: '/etc/other', readOnly: true },
    ]);
  });

  test('of several Secrets are in one volume each', () => {
    const { construct, object } = client();
    construct.uses(
      offering({
        files: [
          { source: ca, directory: '/etc/db-ca' },
          { source: SecretKey.of('other', 'ca.crt'), directory: '/etc/other' },
        ],
      }),
    );
    const items = [{ key: 'ca.crt', path: 'ca.crt' }];
    const { volumes, containers } = templateOf(object()).spec;
    expect(volumes).toEqual([
      { name: 'secret-db-tls', secret: { secretName: 'db-tls', items } },
      { name: 'secret-other', secret: { secretName: 'other', items } },
    ]);
    expect(containers[0].volumeMounts).toEqual([
      { name: 'secret-db-tls', mountPath: '/etc/db-ca', readOnly: true },
      { name: 'secret-other', mountPath: '/etc/other', readOnly: true },
    ]);
  });

  test('must be in the namespace', () => {
    const { chart, construct } = client();
    construct.uses(offering({ files: [{ source: crt, directory: '/etc/db' }] }));
    expect(ExternalReferences.of(chart).all).toContainEqual({
      kind: 'Secret',
      namespace: 'test',
      name: 'db-tls',
      key: 'tls.crt',
    });
  });

  test('of two Secrets and of one name cannot be in one directory', () => {
    const { chart, construct } = client();
    const directory = '/etc/ca';
    construct.uses(
      offering({ files: [{ source: ca, directory }] }),
      offering({ files: [{ source: SecretKey.of('other', 'ca.crt'), directory }] }),
    );
    expect(() => render(chart)).toThrow('rag/api: mounts.path is /etc/ca twice; give one of the two another');
  });
});

describe('the names that the image expects', () => {
  test('replace those that the provider gives, inside of texts as well', () => {
    const { queue, construct, object } = client({
      envNames: { REDIS_PASSWORD: 'BROKER_PASSWORD', CELERY_BROKER_URL: 'BROKER_URL' },
    });
    construct.uses(queue);
    expect(mainContainer(object()).env).toEqual([
      { name: 'BROKER_PASSWORD', valueFrom: { secretKeyRef: { name: 'queue', key: 'password' } } },
      { name: 'BROKER_URL', value: 'redis://:$(BROKER_PASSWORD)@queue:6379/0' },
    ]);
  });

  test('leave all others as they are', () => {
    const { queue, construct, object } = client({ envNames: { REDIS_PASSWORD: 'BROKER_PASSWORD' } });
    construct.uses(queue);
    expect(env(object(), 'CELERY_BROKER_URL')).toBe('redis://:$(BROKER_PASSWORD)@queue:6379/0');
    expect(env(object(), 'REDIS_PASSWORD')).toBeUndefined();
  });

  test.each([
    ['a name with a slip', { REDIS_PASSWORT: 'X' }, 'REDIS_PASSWORT'],
    ['a name of another provider', { QDRANT_URL: 'X' }, 'QDRANT_URL'],
    ['one among names that are given', { REDIS_PASSWORD: 'X', QDRANT_URL: 'Y' }, 'QDRANT_URL'],
    ['the first of several', { QDRANT_URL: 'X', REDIS_PASSWORT: 'Y' }, 'QDRANT_URL'],
    ['a new name', { REDIS_PASSWORD: 'X', X: 'Y' }, 'X'],
  ])('are refused when no provider gives them, with those that are given: %s', (_, envNames, unused) => {
    const { chart, queue, construct } = client({ envNames });
    construct.uses(queue);
    const [refusal] = LateChecks.of(chart).mistakes;
    expect(() => render(chart)).toThrow(refusal?.message);
    expect(refusal).toMatchObject({
      constructPath: 'rag/api',
      property: `envNames.${unused}`,
      problem: 'renames a variable that no provider gives; given are CELERY_BROKER_URL, REDIS_PASSWORD',
    });
  });

  test('are refused when nothing is given', () => {
    const { chart } = client({ envNames: { REDIS_PASSWORD: 'BROKER_PASSWORD' } });
    expect(() => render(chart)).toThrow(
      'rag/api: envNames.REDIS_PASSWORD renames a variable that no provider gives; given are nothing',
    );
  });

  test('are not those of variables that the client sets itself', () => {
    const { chart } = client({ env: { LEVEL: EnvValue.of('1') }, envNames: { LEVEL: 'LOG_LEVEL' } });
    expect(() => render(chart)).toThrow(
      'rag/api: envNames.LEVEL renames a variable that no provider gives; given are nothing',
    );
  });

  test('may be used by a provider that comes later', () => {
    const { chart, queue, construct, object } = client({ envNames: { REDIS_PASSWORD: 'BROKER_PASSWORD' } });
    expect(() => render(chart)).toThrow('envNames.REDIS_PASSWORD renames a variable that no provider gives');
    construct.uses(queue);
    expect(env(object(), 'BROKER_PASSWORD')).toEqual({ secretKeyRef: { name: 'queue', key: 'password' } });
  });

  test('do not touch what the client sets itself', () => {
    const { queue, construct, object } = client({
      envNames: { REDIS_PASSWORD: 'BROKER_PASSWORD' },
      env: { REDIS_PASSWORD: EnvValue.of('1') },
    });
    construct.uses(queue);
    expect(env(object(), 'REDIS_PASSWORD')).toBe('1');
    expect(env(object(), 'BROKER_PASSWORD')).toEqual({ secretKeyRef: { name: 'queue', key: 'password' } });
  });
});

describe('a fact that two providers tell', () => {
  const model = () => offering({ env: { EMBEDDING_MODEL: EnvValue.of('BAAI/bge-m3') } });

  test('is given once when both tell the same', () => {
    const { construct, object } = client();
    construct.uses(model(), model());
    expect(mainContainer(object()).env).toEqual([{ name: 'EMBEDDING_MODEL', value: 'BAAI/bge-m3' }]);
  });

  test('may be a key of a Secret', () => {
    const { construct, object } = client();
    const key = () => offering({ env: { TOKEN: EnvValue.fromSecret(SecretKey.of('hub', 'token')) } });
    construct.uses(key(), key());
    expect(mainContainer(object()).env).toEqual([
      { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'hub', key: 'token' } } },
    ]);
  });

  test('is the same fact under the name that the image expects', () => {
    const { construct, object } = client({ envNames: { EMBEDDING_MODEL: 'MODEL' } });
    construct.uses(model(), model());
    expect(mainContainer(object()).env).toEqual([{ name: 'MODEL', value: 'BAAI/bge-m3' }]);
  });

  test('is none that the client may tell too', () => {
    const { construct } = client({ env: { EMBEDDING_MODEL: EnvValue.of('BAAI/bge-m3') } });
    expect(() => construct.uses(model())).toThrow(
      'rag/api: env.EMBEDDING_MODEL is set by env and given by uses(provider);',
    );
  });
});

describe('pods that must have done their work', () => {
  const waves = (object: { metadata: { annotations?: object } }) => object.metadata.annotations;
  const wave = (number: number) => ({ 'argocd.argoproj.io/sync-wave': String(number) });

  test('come before the client, and are connected to by nobody', () => {
    const { chart, construct, object } = client();
    const job = new Deployment(chart, 'collections', { component: 'setup', container: CONTAINER });
    construct.uses(offering({ after: [job.pods] }));
    expect(waves(object())).toEqual(wave(10));
    expect(waves(find(render(chart), 'Deployment', 'collections'))).toBeUndefined();
    expect(ConnectionGraph.of(chart).connections).toEqual([]);
    for (const name of ['api', 'collections']) {
      expect(find(render(chart), 'NetworkPolicy', name).spec).not.toHaveProperty('ingress');
      expect(find(render(chart), 'NetworkPolicy', name).spec).not.toHaveProperty('egress');
    }
  });

  test('come after what they use themselves', () => {
    const { chart, queue, construct, object } = client();
    const job = new Deployment(chart, 'collections', { component: 'setup', container: CONTAINER });
    construct.uses(offering({ after: [job.pods] }));
    job.uses(queue);
    expect(waves(find(render(chart), 'Deployment', 'collections'))).toEqual(wave(10));
    expect(waves(object())).toEqual(wave(20));
  });
});

describe('a variable that would be set twice', () => {
  const advice = 'rename what is given with envNames, or drop one of the two';

  test('by two providers', () => {
    const { queue, construct } = client();
    expect(() => construct.uses(offering({ env: { CELERY_BROKER_URL: EnvValue.of('x') } }), queue)).toThrow(
      `rag/api: env.CELERY_BROKER_URL is "x" from uses(provider), but "redis://:$(REDIS_PASSWORD)@queue:6379/0" from uses(queue); ${advice}`,
    );
  });

  test.each<[string, () => IProvider]>([
    ['api.openai.com', () => new ExternalService({ host: 'api.openai.com', env: { PGHOST: EnvValue.of('x') } })],
    [
      'db.acme.example',
      () => new ExternalService({ host: 'db.acme.example', cidrs: ['10.0.0.0/8'], env: { PGHOST: EnvValue.of('x') } }),
    ],
    [
      '10.0.0.0/8, a.example',
      () => ({
        offerTo: () => ({
          endpoints: [
            Endpoint.host('b.example', PORT, ['10.0.0.0/8']),
            Endpoint.host('a.example', PORT),
            Endpoint.host('a.example', PORT),
          ],
          env: { PGHOST: EnvValue.of('x') },
        }),
      }),
    ],
    ['the database', () => ({ ...offering({ env: { PGHOST: EnvValue.of('x') } }), description: 'the database' })],
  ])('by a provider that is named: %s', (description, provider) => {
    const { construct } = client({ env: { PGHOST: EnvValue.of('mine') } });
    expect(() => construct.uses(provider())).toThrow(
      `rag/api: env.PGHOST is set by env and given by uses(${description}); ${advice}`,
    );
  });

  test('by the client and a provider', () => {
    const { construct } = client({ env: { PGHOST: EnvValue.of('mine') } });
    expect(() => construct.uses(offering({ env: { PGHOST: EnvValue.of('theirs') } }))).toThrow(
      `rag/api: env.PGHOST is set by env and given by uses(provider); ${advice}`,
    );
  });

  test('by the client, whose value may be a secret and is not repeated', () => {
    const { construct } = client({ env: { PGPASSWORD: EnvValue.of('hunter2') } });
    const { message } = refusalOf(() => construct.uses(offering({ env: { PGPASSWORD: EnvValue.of('theirs') } })));
    expect(message).toContain('env.PGPASSWORD is set by env');
    expect(message).not.toContain('hunter2');
    expect(message).not.toContain('theirs');
  });

  test('by the container itself and a provider', () => {
    const { construct } = client({ container: { ...CONTAINER, env: { PGHOST: EnvValue.of('hunter2') } } });
    expect(() => construct.uses(offering({ env: { PGHOST: EnvValue.of('theirs') } }))).toThrow(
      new Error(`rag/api: env.PGHOST is set by env and given by uses(provider); ${advice}`),
    );
  });

  test('by two given names that became one', () => {
    const { queue, construct } = client({ envNames: { REDIS_PASSWORD: 'X', CELERY_BROKER_URL: 'X' } });
    expect(() => construct.uses(queue)).toThrow(
      `rag/api: env.X is key password of Secret queue from uses(queue), but "redis://:$(X)@queue:6379/0" from uses(queue); ${advice}`,
    );
  });
});

describe('a provider that is asked without keys', () => {
  const KEYS = offering({ env: { AWS_ACCESS_KEY_ID: EnvValue.fromSecret(SecretKey.of('minio', 'id')) } });
  const KEYLESS: IProvider = {
    description: 'documents',
    offerTo: () => ({ endpoints: [], env: {}, withoutEnv: ['AWS_ACCESS_KEY_ID'] }),
  };
  const problem =
    /rag\/api: env\.AWS_ACCESS_KEY_ID is set by (uses\(.*\)|env), and uses\(documents\) comes without keys, so that it would be asked with these; give it keys of its own under other names, or have neither use keys$/;

  test.each([
    ['before', [KEYLESS, KEYS]],
    ['after', [KEYS, KEYLESS]],
  ])('is refused beside one that comes with them %s', (_, providers) => {
    const { chart, construct } = client();
    construct.uses(...providers);
    expect(() => render(chart)).toThrow(problem);
  });

  test('is refused where the user sets them', () => {
    const { chart, construct } = client({ env: { AWS_ACCESS_KEY_ID: EnvValue.fromSecret(PASSWORD) } });
    construct.uses(KEYLESS);
    expect(() => render(chart)).toThrow(problem);
  });

  test('is fine beside keys under another name', () => {
    const { chart, construct } = client({ envNames: { AWS_ACCESS_KEY_ID: 'MINIO_ACCESS_KEY_ID' } });
    construct.uses(KEYLESS, KEYS);
    expect(env(find(render(chart), 'Deployment', 'api'), 'MINIO_ACCESS_KEY_ID')).toEqual({
      secretKeyRef: { name: 'minio', key: 'id' },
    });
  });
});
