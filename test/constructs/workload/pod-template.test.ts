import { type Chart, Duration, Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import type { Port } from '../../../constructs/network/port';
import { Accelerator } from '../../../constructs/placement/accelerator';
import { Registry } from '../../../constructs/placement/registry';
import { ExternalReferences } from '../../../constructs/rules/external-references';
import { LateChecks } from '../../../constructs/rules/late-checks';
import { UsageError } from '../../../constructs/rules/usage-error';
import { checkPace } from '../../../constructs/scaling/scaling-pace';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import type { ContainerProps } from '../../../constructs/workload/container';
import { EnvValue } from '../../../constructs/workload/env-value';
import { Image } from '../../../constructs/workload/image';
import { PodSecurityException } from '../../../constructs/workload/pod-security';
import { Probe } from '../../../constructs/workload/probe';
import { SharedVolume } from '../../../constructs/workload/shared-volume';
import { StatefulSet } from '../../../constructs/workload/stateful-set';
import { Volume } from '../../../constructs/workload/volume';
import { env, find, mainContainer, render, templateOf, testChart } from '../../support/manifests';
import { DIGEST, IMAGE, KEY, RESOURCES } from '../../support/values';
import { CONTAINER, deployed } from '../../support/workloads';

const PORT = { name: 'http', number: 8080 };

function another(name: string, props: Partial<ContainerProps> = {}): ContainerProps {
  return { name, image: IMAGE, resources: RESOURCES, ...props };
}

describe('pods', () => {
  test('of which little is said have that, the hardening, and nothing else', () => {
    const { spec, metadata } = deployed().template();
    const { containers, topologySpreadConstraints, ...rest } = spec;
    expect(containers).toHaveLength(1);
    expect(topologySpreadConstraints).toHaveLength(2);
    expect(rest).toEqual({
      serviceAccountName: 'api',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 10001,
        runAsGroup: 10001,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      terminationGracePeriodSeconds: 30,
    });
    expect(metadata.annotations).toBeUndefined();
  });

  test('run as the user and group that the image needs', () => {
    const { securityContext } = deployed({ user: { uid: 999, gid: 1000 } }).template().spec;
    expect(securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 999, runAsGroup: 1000 });
  });

  test('get the time to end that they need', () => {
    expect(deployed({ gracePeriod: Duration.minutes(5) }).template().spec.terminationGracePeriodSeconds).toBe(300);
  });

  test('carry the annotations that they are given', () => {
    expect(deployed({ podAnnotations: { 'acme.example/team': 'search' } }).template().metadata.annotations).toEqual({
      'acme.example/team': 'search',
    });
  });

  test('name what the cluster must have, and declare it', () => {
    const cluster = { registry: new Registry({ pullSecrets: ['one', 'two'] }), gpuRuntimeClass: 'nvidia' };
    const { chart, template } = deployed({ priorityClassName: 'high', accelerator: Accelerator.NVIDIA_L4 }, cluster);
    expect(template().spec).toMatchObject({
      imagePullSecrets: [{ name: 'one' }, { name: 'two' }],
      priorityClassName: 'high',
      runtimeClassName: 'nvidia',
    });
    expect(ExternalReferences.of(chart).all).toEqual([
      { kind: 'PriorityClass', name: 'high' },
      { kind: 'RuntimeClass', name: 'nvidia' },
      { kind: 'Secret', namespace: 'test', name: 'one' },
      { kind: 'Secret', namespace: 'test', name: 'two' },
    ]);
  });

  test('that need none of this declare nothing', () => {
    expect(ExternalReferences.of(deployed().chart).all).toEqual([]);
  });
});

describe('the group of the files', () => {
  test('is set on the volumes of claims', () => {
    const chart = testChart();
    const mounts = [{ volume: Volume.claim('data'), path: '/data' }];
    const store = new StatefulSet(chart, 'store', {
      component: 'store',
      container: { ...CONTAINER, ports: [PORT], mounts },
      replicas: 1,
      claims: [{ name: 'data', size: Size.gibibytes(1) }],
      serviceName: 'store',
      user: { uid: 999, gid: 1000 },
    });
    store.addService({ ports: [PORT] });
    expect(templateOf(find(render(chart), 'StatefulSet', 'store')).spec.securityContext).toMatchObject({
      fsGroup: 1000,
      fsGroupChangePolicy: 'OnRootMismatch',
    });
  });

  const shared = (chart: Chart) => new SharedVolume(chart, 'files', { size: Size.gibibytes(1), storageClass: 'nfs' });

  test('is one for all who write to a shared volume, and none for those who read', () => {
    const writing = deployed();
    writing.construct.addVolume({ volume: Volume.shared('v', shared(writing.chart)), path: '/v' });
    expect(writing.template().spec.securityContext).toMatchObject({
      runAsGroup: 10001,
      fsGroup: 1000,
      fsGroupChangePolicy: 'OnRootMismatch',
    });
    const reading = deployed();
    reading.construct.addVolume({ volume: Volume.sharedReadOnly('v', shared(reading.chart)), path: '/v' });
    expect(reading.template().spec.securityContext).not.toHaveProperty('fsGroup');
    expect(reading.template().spec.securityContext).not.toHaveProperty('fsGroupChangePolicy');
  });

  test('is their own when they have a volume of their own too', () => {
    const chart = testChart();
    const mounts = [
      { volume: Volume.shared('v', shared(chart)), path: '/v' },
      { volume: Volume.claim('data'), path: '/data' },
    ];
    const store = new StatefulSet(chart, 'store', {
      component: 'store',
      container: { ...CONTAINER, ports: [PORT], mounts },
      replicas: 1,
      claims: [{ name: 'data', size: Size.gibibytes(1) }],
      serviceName: 'store',
      user: { uid: 999, gid: 999 },
    });
    store.addService({ ports: [PORT] });
    expect(templateOf(find(render(chart), 'StatefulSet', 'store')).spec.securityContext.fsGroup).toBe(999);
  });

  test.each([
    ['scratch space', Volume.scratch('v', Size.mebibytes(1))],
    ['memory', Volume.memory('v', Size.mebibytes(1))],
    ['Secrets', Volume.secret('v', [KEY])],
  ])('is not set on %s', (_, volume) => {
    const { construct, template } = deployed();
    construct.addVolume({ volume, path: '/v' });
    expect(template().spec.securityContext).not.toHaveProperty('fsGroup');
    expect(template().spec.securityContext).not.toHaveProperty('fsGroupChangePolicy');
  });
});

describe('scratch space', () => {
  const scratch = Volume.scratch('scratch', Size.gibibytes(1));

  test('is counted once into the disk of the main container, whoever mounts it', () => {
    const { construct, template } = deployed();
    construct.addVolume({ volume: scratch, path: '/one' });
    construct.addVolume({ volume: scratch, path: '/two' });
    construct.addContainer(
      another('sidecar', {
        mounts: [
          { volume: scratch, path: '/one' },
          { volume: Volume.scratch('own', Size.mebibytes(256)), path: '/own' },
        ],
      }),
    );
    const [main, sidecar] = template().spec.containers;
    expect(main.resources.requests['ephemeral-storage']).toBe('1536Mi');
    expect(main.resources.limits['ephemeral-storage']).toBe('1536Mi');
    expect(sidecar.resources.limits['ephemeral-storage']).toBe('256Mi');
  });

  test('in memory is not counted into the disk', () => {
    const { construct, object } = deployed();
    construct.addVolume({ volume: Volume.memory('memory', Size.gibibytes(1)), path: '/memory' });
    expect(mainContainer(object()).resources.limits['ephemeral-storage']).toBe('256Mi');
  });
});

describe('the volume of a Secret', () => {
  function volumesOf(...secrets: string[]) {
    const { construct, template } = deployed();
    construct.uses({
      offerTo: () => ({
        endpoints: [],
        env: {},
        files: secrets.map((secret) => ({ source: SecretKey.of(secret, 'ca.crt'), directory: `/etc/${secret}` })),
      }),
    });
    const { volumes, containers } = template().spec;
    const names = volumes.map(({ name }: { name: string }) => name);
    expect(containers[0].volumeMounts.map(({ name }: { name: string }) => name)).toEqual(names);
    expect(volumes.map(({ secret }: { secret: { secretName: string } }) => secret.secretName)).toEqual(secrets);
    return names;
  }

  // The digests are the first eight digits that `printf %s <secret> | sha256sum` writes.
  test.each([
    ['has the name of the Secret', 'db-tls', 'secret-db-tls'],
    ['has the longest name that needs no digest', 'a'.repeat(56), `secret-${'a'.repeat(56)}`],
    ['has a digest when the name is too long', 'a'.repeat(57), `secret-${'a'.repeat(47)}-f13b2d72`],
    ['has a digest when the name has dots', 'db.acme.example', 'secret-db-acme-example-d82cdea1'],
  ])('%s', (_, secret, name) => {
    expect(volumesOf(secret)).toEqual([name]);
    expect(name.length).toBeLessThanOrEqual(63);
  });

  test.each([
    ['differ in what is cut off', `${'a'.repeat(60)}b`, `${'a'.repeat(60)}c`],
    ['differ in dots and dashes', 'db.acme', 'db-acme'],
    ['differ in where the dots are', 'a.b-c', 'a-b.c'],
  ])('is one of its own when names %s', (_, one, other) => {
    expect(new Set(volumesOf(one, other)).size).toBe(2);
  });

  test('has a name that is one, whatever that of the Secret', () => {
    for (const secret of [`${'a'.repeat(46)}.b${'c'.repeat(20)}`, `${'a'.repeat(200)}.b`, 'a.b', '0']) {
      const [name] = volumesOf(secret);
      expect(name).toMatch(/^secret-[a-z0-9-]{0,55}[a-z0-9]$/);
    }
  });
});

describe('the checksum of configuration', () => {
  function checksum(files: { [path: string]: string } | undefined, props: Parameters<typeof deployed>[0] = {}) {
    const { construct, template } = deployed(props);
    if (files !== undefined) {
      construct.addConfigFiles(files);
    }
    return template().metadata.annotations?.['checksum/config'];
  }

  test('is there when there is configuration, beside other annotations', () => {
    expect(checksum({ '/etc/a': '1' }, { podAnnotations: { other: 'x' } })).toMatch(/^[0-9a-f]{64}$/);
    expect(checksum(undefined, { podAnnotations: { other: 'x' } })).toBeUndefined();
  });

  test.each([
    ['the content of a file', { '/etc/a': '2' }],
    ['the name of a file', { '/etc/b': '1' }],
    ['the number of files', { '/etc/a': '1', '/etc/b': '' }],
  ])('changes with %s', (_, files) => {
    expect(checksum(files)).not.toBe(checksum({ '/etc/a': '1' }));
  });

  test('changes with nothing else', () => {
    const container = { ...CONTAINER, args: ['x'], env: { A: EnvValue.of('1') } };
    const props = { container, priorityClassName: 'high', podLabels: { team: 'search' } };
    expect(checksum({ '/etc/a': '1' }, props)).toBe(checksum({ '/etc/a': '1' }));
  });
});

describe('a text with references', () => {
  const url = { URL: EnvValue.template('http://$(USER)') };

  test('is refused when a variable is missing', () => {
    const { objects } = deployed({ env: url });
    expect(objects).toThrow(
      'rag/api: env.URL refers to $(USER), which the container does not have, so that the text would stay as it is; ' +
        'refer to one of its variables, of which it has none, or write $$(USER) for the text itself',
    );
  });

  test('is refused when a variable refers to it in turn, through others too', () => {
    const { objects } = deployed({
      env: { ...url, USER: EnvValue.template('$(NAME)'), NAME: EnvValue.template('$(URL)') },
    });
    expect(objects).toThrow('rag/api: env.URL refers to $(USER), which refers to it in turn, so that the text');
  });

  test('finds no variables of other containers', () => {
    const { construct, objects } = deployed({ env: { USER: EnvValue.of('main') } });
    construct.addContainer(another('sidecar', { env: url }));
    expect(objects).toThrow('rag/api: env.URL refers to $(USER), which the container does not have, so that the text');
  });

  test('that only look like references needs no variables', () => {
    const { object } = deployed({ env: { URL: EnvValue.template('http://$$(USER)'), TEXT: EnvValue.of('$(USER)') } });
    expect(mainContainer(object()).env).toEqual([
      { name: 'URL', value: 'http://$$(USER)' },
      { name: 'TEXT', value: '$$(USER)' },
    ]);
  });

  test.each([
    ['a plain value', EnvValue.of('n')],
    ['a Secret', EnvValue.fromSecret(KEY)],
    ['a field of the pod', EnvValue.fromPod('metadata.name')],
    ['a text without references', EnvValue.template('n')],
  ])('may refer to %s, which stands before it', (_, value) => {
    const { object } = deployed({ env: { ...url, USER: value } });
    expect(mainContainer(object()).env.map(({ name }: { name: string }) => name)).toEqual(['USER', 'URL']);
  });

  test('of a provider stands after the variables of all the others', () => {
    const { construct, object } = deployed({ env: { URL: EnvValue.template('http://$(HOST)') } });
    construct.uses({
      offerTo: () => ({ endpoints: [], env: { DSN: EnvValue.template('$(HOST):1'), HOST: EnvValue.of('h') } }),
    });
    expect(mainContainer(object()).env).toEqual([
      { name: 'HOST', value: 'h' },
      { name: 'URL', value: 'http://$(HOST)' },
      { name: 'DSN', value: '$(HOST):1' },
    ]);
  });
});

describe('other containers', () => {
  const mirror = new Registry({ mirror: 'registry.acme.example' });

  function withOthers() {
    const exceptions = [PodSecurityException.addCapability('NET_BIND_SERVICE', 'port 80')];
    const { construct, object } = deployed(
      { podSecurityExceptions: exceptions, env: { MAIN: EnvValue.of('1') } },
      { registry: mirror },
    );
    construct.addContainer(another('sidecar'));
    construct.addInitContainer(another('before'));
    construct.addVolume({ volume: Volume.scratch('main', Size.mebibytes(1)), path: '/main' });
    const { containers, initContainers } = templateOf(object()).spec;
    return { main: containers[0], others: [...containers.slice(1), ...initContainers] };
  }

  test('stand beside and before the main one', () => {
    const { main, others } = withOthers();
    expect(main.name).toBe('api');
    expect(others.map(({ name }) => name)).toEqual(['sidecar', 'before']);
  });

  test('are hardened and pulled like the main one', () => {
    const { main, others } = withOthers();
    for (const { securityContext, image, imagePullPolicy, resources } of others) {
      expect(securityContext).toEqual(main.securityContext);
      expect(image).toBe('registry.acme.example/acme/program:1.2.3');
      expect(imagePullPolicy).toBe('IfNotPresent');
      expect(resources.limits).toEqual({ memory: '1Gi', 'ephemeral-storage': '256Mi' });
    }
  });

  test('see no variable and no volume of the main one', () => {
    for (const other of withOthers().others) {
      expect(other).not.toHaveProperty('env');
      expect(other).not.toHaveProperty('volumeMounts');
    }
  });

  test('have variables and volumes of their own', () => {
    const { construct, object, chart } = deployed();
    const secret = SecretKey.of('own', 'token');
    const volume = Volume.memory('own', Size.mebibytes(1));
    construct.addInitContainer(
      another('before', { env: { TOKEN: EnvValue.fromSecret(secret) }, mounts: [{ volume, path: '/own' }] }),
    );
    const { spec } = templateOf(object());
    expect(spec.initContainers[0].env).toEqual([
      { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'own', key: 'token' } } },
    ]);
    expect(spec.initContainers[0].volumeMounts).toEqual([{ name: 'own', mountPath: '/own' }]);
    expect(spec.volumes).toEqual([{ name: 'own', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }]);
    expect(spec.containers[0]).not.toHaveProperty('env');
    expect(spec.containers[0]).not.toHaveProperty('volumeMounts');
    expect(ExternalReferences.of(chart).all).toEqual([
      { kind: 'Secret', namespace: 'test', name: 'own', key: 'token' },
    ]);
  });

  test('are refused without a digest where the registry requires one', () => {
    const image = Image.of('ghcr.io/acme/program', { tag: '1.2.3', digest: DIGEST });
    const props = { container: { ...CONTAINER, image } };
    const { construct, object } = deployed(props, { registry: new Registry({ requireDigest: true }) });
    expect(mainContainer(object()).image).toBe(`ghcr.io/acme/program:1.2.3@${DIGEST}`);
    for (const add of [() => construct.addInitContainer(another('a')), () => construct.addContainer(another('b'))]) {
      expect(add).toThrow(
        new Error(
          'rag/api: image.digest is ghcr.io/acme/program:1.2.3, but this registry requires digests; add the digest of ' +
            'that tag',
        ),
      );
    }
  });
});

describe('times that Kubernetes does not count', () => {
  const odd = Duration.millis(1500);
  const problem = 'is 1500 ms, but must be whole seconds';

  test('name their property', () => {
    expect(() => deployed({ gracePeriod: odd })).toThrow(new Error(`rag/api: gracePeriod ${problem}, at least one`));
    expect(() => deployed({ longestWork: odd })).toThrow(new Error(`rag/api: longestWork ${problem}, at least one`));
    expect(() => deployed({ container: { ...CONTAINER, preStopDelay: odd } })).toThrow(
      new Error(`rag/api: container.preStopDelay ${problem}`),
    );
    expect(() => Probe.tcp(PORT, { period: odd })).toThrow(
      new Error('probe.period is 1.5, but must be a whole number from 1'),
    );
    expect(() => checkPace('scaling.up', { pods: 1, period: odd })).toThrow(new Error(`scaling.up.period ${problem}`));
  });

  test('are none for the grace period', () => {
    expect(() => deployed({ gracePeriod: Duration.seconds(0) })).toThrow(
      new Error('rag/api: gracePeriod is 0 ms, but must be whole seconds, at least one'),
    );
  });
});

describe('ports of a pod', () => {
  const port = { name: 'http', number: 8000 };
  const main = { container: { ...CONTAINER, ports: [port] } };

  test.each([
    [{ name: 'http', number: 8001 }, 'ports.name is http twice; give one of the two another'],
    [{ name: 'proxy', number: 8000 }, 'ports.number is 8000 twice; give one of the two another'],
  ])('differ in name and number in all containers: %j', (taken, problem) => {
    const { construct } = deployed(main);
    expect(() => construct.addContainer({ ...another('proxy'), ports: [taken] })).toThrow(
      new Error(`rag/api: ${problem}`),
    );
  });

  test('may be those of an init container, which has ended', () => {
    const { construct, template } = deployed(main);
    construct.addInitContainer({ ...another('prepare'), ports: [port] });
    construct.addContainer({ ...another('proxy'), ports: [{ name: 'proxy', number: 8001 }] });
    expect(template().spec.containers).toHaveLength(2);
  });
});

test('what is done to the lists of a container after it was added changes nothing', () => {
  const [ports, env]: [Port[], { [name: string]: EnvValue }] = [[], {}];
  const mounts = [{ volume: Volume.memory('one', Size.mebibytes(1)), path: '/one' }];
  const { construct, template } = deployed();
  construct.addContainer({ ...another('sidecar'), ports, env, mounts });
  ports.push({ name: 'http', number: 80 });
  env.PASSWORD = EnvValue.of('x');
  mounts.pop();
  const [, sidecar] = template().spec.containers;
  expect(sidecar).not.toHaveProperty('ports');
  expect(sidecar).not.toHaveProperty('env');
  expect(sidecar.volumeMounts).toHaveLength(1);
});

describe('names that are taken', () => {
  test.each([
    ['a sidecar like the main container', ['api'], []],
    ['two sidecars', ['x', 'x'], []],
    ['two init containers', [], ['x', 'x']],
    ['a sidecar and an init container', ['x'], ['x']],
    ['an init container like the main container', [], ['api']],
  ])('%s', (_, sidecars, before) => {
    const { construct } = deployed();
    const add = () => {
      for (const name of sidecars) {
        construct.addContainer(another(name));
      }
      for (const name of before) {
        construct.addInitContainer(another(name));
      }
    };
    expect(add).toThrow(`rag/api: has two containers named "${sidecars[0] ?? before[0]}"; rename one`);
  });

  test('two volumes', () => {
    const { construct, objects } = deployed();
    construct.addVolume({ volume: Volume.scratch('data', Size.mebibytes(1)), path: '/one' });
    construct.addVolume({ volume: Volume.memory('data', Size.mebibytes(1)), path: '/two' });
    expect(objects).toThrow('rag/api: volume.name is data twice; give one of the two another');
    expect(LateChecks.of(construct).mistakes).toEqual([
      new UsageError('is data twice; give one of the two another', { scope: construct, property: 'volume.name' }),
    ]);
  });

  test('but one volume may be mounted twice', () => {
    const { construct, template } = deployed();
    const volume = Volume.memory('data', Size.mebibytes(1));
    construct.addVolume({ volume, path: '/one' });
    construct.addVolume({ volume, path: '/two' });
    const { volumes, containers } = template().spec;
    expect(volumes).toHaveLength(1);
    expect(containers[0].volumeMounts.map(({ mountPath }: { mountPath: string }) => mountPath)).toEqual([
      '/one',
      '/two',
    ]);
  });
});

test('pods of a chart are rendered alike however often they are asked for', () => {
  const { chart } = deployed({ env: { A: EnvValue.of('1') } });
  expect(render(chart)).toEqual(render(chart));
  expect(find(render(chart), 'Deployment', 'api').spec.template.spec.containers).toHaveLength(1);
});

describe('mistakes', () => {
  const withPort = (name: string, number: number) =>
    deployed({ container: { ...CONTAINER, ports: [{ name, number }] } });

  test.each(['', 'Sidecar', 'side_car', 'side.car', '-a', 'a-'])('a container named "%s"', (name) => {
    const { construct } = deployed();
    const message =
      `rag/api: container.name is "${name}", but must be a DNS label: lower-case letters, digits and "-", beginning ` +
      'and ending with a letter or digit';
    expect(() => construct.addContainer(another(name))).toThrow(new Error(message));
    expect(() => construct.addInitContainer(another(name))).toThrow(new Error(message));
  });

  test('a container with too long a name', () => {
    const { construct } = deployed();
    construct.addContainer(another('a'.repeat(63)));
    expect(() => construct.addContainer(another('a'.repeat(64)))).toThrow(
      new Error(
        `rag/api: container.name is "${'a'.repeat(64)}" (64 characters), but at most 63 are allowed; shorten it`,
      ),
    );
  });

  test.each(['', 'HTTP', 'my_port', 'a.b', '-a', 'a-', 'a--b', '8080', 'a'.repeat(16)])('a port named "%s"', (name) => {
    expect(() => withPort(name, 8080)).toThrow(
      new Error(`rag/api: ports.name is "${name}", but must be at most 15 lower-case letters, digits and "-"`),
    );
  });

  test.each([0, 80, 1023, 65536, -1, 8080.5])('the port number %s', (number) => {
    expect(() => withPort('http', number)).toThrow(
      new Error(
        `rag/api: ports.number is ${number}, but must be from 1024 to 65535: containers run without privileges`,
      ),
    );
  });

  test('a port number that is no number', () => {
    expect(() => withPort('http', Number.NaN)).toThrow(/^rag\/api: ports\.number is NaN/);
  });

  test.each([
    ['name', 'http', [PORT, { name: 'http', number: 9090 }]],
    ['number', 8080, [PORT, { name: 'metrics', number: 8080 }]],
  ])('two ports with one %s', (property, value, ports) => {
    expect(() => deployed({ container: { ...CONTAINER, ports } })).toThrow(
      new Error(`rag/api: ports.${property} is ${value} twice; give one of the two another`),
    );
  });

  test('a port of another container', () => {
    const { construct } = deployed();
    expect(() => construct.addContainer(another('sidecar', { ports: [{ name: 'http', number: 80 }] }))).toThrow(
      'rag/api: ports.number is 80, but must be from 1024 to 65535: containers run without privileges',
    );
  });

  test.each([
    ['a', 1024],
    ['a1-b2-c3', 65535],
    ['fifteen-letters', 8080],
  ])('but the port %s of number %s is none', (name, number) => {
    expect(mainContainer(withPort(name, number).object()).ports).toEqual([
      { name, containerPort: number, protocol: 'TCP' },
    ]);
  });

  test.each(['data', './data', ''])('a mount at the relative path "%s"', (path) => {
    const { construct, objects } = deployed();
    construct.addVolume({ volume: Volume.memory('data', Size.mebibytes(1)), path });
    expect(objects).toThrow(`rag/api: mounts.path is "${path}", but must be absolute`);
  });

  test('two mounts at one path, whoever adds them', () => {
    const mounts = [{ volume: Volume.memory('one', Size.mebibytes(1)), path: '/data' }];
    const { construct, objects } = deployed({ container: { ...CONTAINER, mounts } });
    expect(objects()).toHaveLength(3);
    construct.addVolume({ volume: Volume.memory('two', Size.mebibytes(1)), path: '/data' });
    expect(objects).toThrow('rag/api: mounts.path is /data twice; give one of the two another');
  });

  test('mounts of another container', () => {
    const volume = Volume.memory('data', Size.mebibytes(1));
    const { construct, objects } = deployed();
    construct.addVolume({ volume, path: '/data' });
    construct.addContainer(another('sidecar', { mounts: [{ volume, path: '/data' }] }));
    expect(objects()).toHaveLength(3);
    construct.addInitContainer(another('before', { mounts: [{ volume, path: 'data' }] }));
    expect(objects).toThrow('rag/api: mounts.path is "data", but must be absolute');
  });

  test('limits of another container', () => {
    const { construct } = deployed();
    const resources = { ...RESOURCES, cpuLimit: Cpu.millis(100) };
    expect(() => construct.addInitContainer(another('before', { resources }))).toThrow(
      new Error('rag/api: resources.cpuLimit is 100m, below cpu, which is 500m; raise it, or leave it out'),
    );
  });
});

describe('user and group', () => {
  const running = (uid: number, gid: number) => () => deployed({ user: { uid, gid } }).template().spec.securityContext;

  test('may be any that Kubernetes knows, except user 0', () => {
    expect(running(1, 0)()).toMatchObject({ runAsUser: 1, runAsGroup: 0 });
    expect(running(2147483647, 2147483647)()).toMatchObject({ runAsUser: 2147483647, runAsGroup: 2147483647 });
  });

  test.each([0, -1, 1000.5, 2147483648, Number.NaN])('a user cannot be %s', (uid) => {
    expect(running(uid, 1)).toThrow(
      new Error(`rag/api: user.uid is ${uid}, but must be a whole number from 1 to 2147483647`),
    );
  });

  test.each([-1, 0.5, 2147483648])('a group cannot be %s', (gid) => {
    expect(running(1, gid)).toThrow(
      new Error(`rag/api: user.gid is ${gid}, but must be a whole number from 0 to 2147483647`),
    );
  });
});

describe('the home of a program', () => {
  const mounts = [{ volume: Volume.scratch('tmp', Size.mebibytes(64)), path: '/tmp' }];
  const homeOf = (props: Parameters<typeof deployed>[0]) => env(deployed(props).object(), 'HOME');

  test('is where it has temporary files', () => {
    expect(homeOf({ container: { ...CONTAINER, mounts } })).toBe('/tmp');
  });

  test('is where somebody says', () => {
    expect(homeOf({ container: { ...CONTAINER, mounts }, env: { HOME: EnvValue.of('/data') } })).toBe('/data');
    expect(homeOf({ container: { ...CONTAINER, mounts, env: { HOME: EnvValue.of('/home/app') } } })).toBe('/home/app');
  });

  test('is not said where it has none', () => {
    expect(homeOf({ container: CONTAINER })).toBeUndefined();
    const elsewhere = [{ volume: Volume.scratch('tmp', Size.mebibytes(64)), path: '/scratch' }];
    expect(homeOf({ container: { ...CONTAINER, mounts: elsewhere } })).toBeUndefined();
  });
});
