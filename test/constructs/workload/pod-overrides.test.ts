import { JsonPatch, Size } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import { ExternalReferences } from '../../../constructs/rules/external-references';
import { EnvValue } from '../../../constructs/workload/env-value';
import { mergeOverride } from '../../../constructs/workload/pod-overrides';
import { Volume } from '../../../constructs/workload/volume';
import { refusalOf } from '../../support/refusal';
import { KEY, RESOURCES } from '../../support/values';
import { CONTAINER, deployed } from '../../support/workloads';

describe('merging', () => {
  test('leaves everything as it is where the override says nothing', () => {
    const base = { a: { b: 1 }, list: [1], env: [{ name: 'X', value: '1' }] };
    expect(mergeOverride(base, undefined)).toBe(base);
    expect(mergeOverride(base, {})).toEqual(base);
    expect(mergeOverride(base, { a: { b: undefined }, list: undefined, env: [] })).toEqual(base);
  });

  test('merges maps by key, however deep', () => {
    const base = { one: { two: { kept: 1, changed: 2 } }, other: 3 };
    expect(mergeOverride(base, { one: { two: { changed: 20, added: 30 } } })).toEqual({
      one: { two: { kept: 1, changed: 20, added: 30 } },
      other: 3,
    });
  });

  test.each([
    ['containers', 'name', 'a', 'b', 'c'],
    ['initContainers', 'name', 'a', 'b', 'c'],
    ['env', 'name', 'a', 'b', 'c'],
    ['imagePullSecrets', 'name', 'a', 'b', 'c'],
    ['volumeMounts', 'mountPath', '/a', '/b', '/c'],
    ['ports', 'containerPort', 1, 2, 3],
    ['hostAliases', 'ip', '1.1.1.1', '2.2.2.2', '3.3.3.3'],
    ['topologySpreadConstraints', 'topologyKey', 'zone', 'host', 'rack'],
  ])('merges %s entry by entry, by their %s', (list, key, kept, changed, added) => {
    const base = {
      [list]: [
        { [key]: kept, x: 1 },
        { [key]: changed, x: 1, y: 1 },
      ],
    };
    const override = {
      [list]: [
        { [key]: added, x: 3 },
        { [key]: changed, x: 2 },
      ],
    };
    expect(mergeOverride(base, override)).toEqual({
      [list]: [
        { [key]: kept, x: 1 },
        { [key]: changed, x: 2, y: 1 },
        { [key]: added, x: 3 },
      ],
    });
  });

  test('merges volumes by their name, and their sources as long as it is the same one', () => {
    const volumes = [
      { name: 'kept', emptyDir: { sizeLimit: '1Gi' } },
      { name: 'larger', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
      { name: 'other', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
      { name: 'named', configMap: { name: 'api' } },
    ];
    const override = {
      volumes: [
        { name: 'added', hostPath: { path: '/data' } },
        { name: 'larger', emptyDir: { sizeLimit: '2Gi' } },
        { name: 'other', csi: { driver: 'files.acme.example' } },
        { name: 'named' },
      ],
    };
    expect(mergeOverride({ volumes }, override)).toEqual({
      volumes: [
        { name: 'kept', emptyDir: { sizeLimit: '1Gi' } },
        { name: 'larger', emptyDir: { medium: 'Memory', sizeLimit: '2Gi' } },
        { name: 'other', csi: { driver: 'files.acme.example' } },
        { name: 'named', configMap: { name: 'api' } },
        { name: 'added', hostPath: { path: '/data' } },
      ],
    });
  });

  test.each(['command', 'args', 'tolerations', 'add', 'drop'])('replaces the list %s', (list) => {
    expect(mergeOverride({ [list]: ['a', 'b'] }, { [list]: ['c'] })).toEqual({ [list]: ['c'] });
  });

  test.each([
    ['a Quantity', k8s.Quantity.fromString('1Gi'), k8s.Quantity.fromString('2Gi')],
    ['an IntOrString', k8s.IntOrString.fromNumber(80), k8s.IntOrString.fromString('http')],
  ])('takes %s as one value', (_, old, fresh) => {
    expect(mergeOverride({ value: old }, { value: fresh }).value).toBe(fresh);
    expect(mergeOverride({ value: old }, { other: 1 }).value).toBe(old);
  });

  test('changes neither of the two', () => {
    const base = { volumes: [{ name: 'a', emptyDir: { medium: 'Memory' } }] };
    const override = { volumes: [{ name: 'a', emptyDir: { medium: '' } }, { name: 'b' }] };
    const copies = structuredClone([base, override]);
    mergeOverride(base, override);
    expect([base, override]).toEqual(copies);
  });
});

describe('of what there can be only one', () => {
  const secretKeyRef = { name: 'existing', key: 'key' };

  test.each([
    ['env', { value: 'a' }, { valueFrom: { secretKeyRef } }],
    ['env', { valueFrom: { secretKeyRef } }, { value: 'a' }],
    ['env', { valueFrom: { secretKeyRef } }, { valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
  ])('in %s the one in the override stays', (list, old, fresh) => {
    const base = { [list]: [{ name: 'X', ...old }] };
    expect(mergeOverride(base, { [list]: [{ name: 'X', ...fresh }] })).toEqual({ [list]: [{ name: 'X', ...fresh }] });
    expect(mergeOverride(base, { [list]: [{ name: 'X' }] })).toEqual(base);
  });

  test('a reference is merged with one of its kind', () => {
    const env = (ref: object) => ({ env: [{ name: 'X', valueFrom: { secretKeyRef: ref } }] });
    expect(mergeOverride(env(secretKeyRef), env({ key: 'other' }))).toEqual(env({ name: 'existing', key: 'other' }));
  });

  test.each(['startupProbe', 'readinessProbe', 'livenessProbe', 'preStop', 'postStart'])(
    'a %s asks in one way, and its timing stays',
    (probe) => {
      const base = { [probe]: { httpGet: { path: '/a', port: 1 }, periodSeconds: 5 } };
      for (const handler of [{ exec: { command: ['true'] } }, { tcpSocket: { port: 1 } }, { grpc: { port: 1 } }]) {
        expect(mergeOverride(base, { [probe]: handler })).toEqual({ [probe]: { ...handler, periodSeconds: 5 } });
      }
      expect(mergeOverride(base, { [probe]: { httpGet: { path: '/b' } } })).toEqual({
        [probe]: { httpGet: { path: '/b', port: 1 }, periodSeconds: 5 },
      });
      expect(mergeOverride(base, { [probe]: { periodSeconds: 9 } })).toEqual({
        [probe]: { httpGet: { path: '/a', port: 1 }, periodSeconds: 9 },
      });
    },
  );
});

describe('an override of pods', () => {
  test('changes what it names in the main container, and nothing else', () => {
    const props = { container: { ...CONTAINER, args: ['--a'], env: { A: EnvValue.of('1'), B: EnvValue.of('2') } } };
    const plain = deployed(props).template();
    const changed = deployed({
      ...props,
      podOverrides: {
        containers: [
          {
            name: 'api',
            args: ['--b'],
            env: [
              { name: 'B', value: '3' },
              { name: 'C', value: '4' },
            ],
            resources: { limits: { memory: k8s.Quantity.fromString('2Gi') } },
          },
        ],
      },
    }).template();
    const [before] = plain.spec.containers;
    expect(changed).toEqual({
      ...plain,
      spec: {
        ...plain.spec,
        containers: [
          {
            ...before,
            args: ['--b'],
            env: [
              { name: 'A', value: '1' },
              { name: 'B', value: '3' },
              { name: 'C', value: '4' },
            ],
            resources: { ...before.resources, limits: { ...before.resources.limits, memory: '2Gi' } },
          },
        ],
      },
    });
  });

  test('adds fields, containers and volumes, and changes the size of a volume', () => {
    const { construct, template } = deployed({
      podOverrides: {
        hostAliases: [{ ip: '10.0.0.1', hostnames: ['db'] }],
        containers: [],
        volumes: [
          { name: 'data', emptyDir: { sizeLimit: k8s.Quantity.fromString('2Gi') } },
          { name: 'more', emptyDir: { sizeLimit: k8s.Quantity.fromString('1Gi') } },
        ],
      },
    });
    construct.addVolume({ volume: Volume.memory('data', Size.gibibytes(1)), path: '/data' });
    const { spec } = template();
    expect(spec.hostAliases).toEqual([{ ip: '10.0.0.1', hostnames: ['db'] }]);
    expect(spec.volumes).toEqual([
      { name: 'data', emptyDir: { medium: 'Memory', sizeLimit: '2Gi' } },
      { name: 'more', emptyDir: { sizeLimit: '1Gi' } },
    ]);
    expect(spec.containers).toHaveLength(1);
  });

  test('puts another source in the place of that of a volume, whose mounts stay', () => {
    const { construct, template } = deployed({
      podOverrides: { containers: [], volumes: [{ name: 'data', csi: { driver: 'files.acme.example' } }] },
    });
    construct.addVolume({ volume: Volume.scratch('data', Size.gibibytes(1)), path: '/data' });
    const { volumes, containers } = template().spec;
    expect(volumes).toEqual([{ name: 'data', csi: { driver: 'files.acme.example' } }]);
    expect(containers[0].volumeMounts).toEqual([{ name: 'data', mountPath: '/data' }]);
  });

  test('changes a mount by its path', () => {
    const { construct, template } = deployed({
      podOverrides: {
        containers: [{ name: 'api', volumeMounts: [{ name: 'data', mountPath: '/one', readOnly: true }] }],
      },
    });
    const volume = Volume.memory('data', Size.gibibytes(1));
    construct.addVolume({ volume, path: '/one' });
    construct.addVolume({ volume, path: '/two' });
    expect(template().spec.containers[0].volumeMounts).toEqual([
      { name: 'data', mountPath: '/one', readOnly: true },
      { name: 'data', mountPath: '/two' },
    ]);
  });

  test('reaches containers that are added later', () => {
    const { construct, template } = deployed({ podOverrides: { containers: [{ name: 'sidecar', tty: true }] } });
    construct.addContainer({ name: 'sidecar', image: CONTAINER.image, resources: RESOURCES });
    const [main, sidecar] = template().spec.containers;
    expect(sidecar).toMatchObject({ tty: true, imagePullPolicy: 'IfNotPresent' });
    expect(main).not.toHaveProperty('tty');
  });

  test('is still held to the rules', () => {
    const { objects } = deployed({ podOverrides: { containers: [], hostNetwork: true } });
    expect(objects).toThrow('Deployment test/api: sets hostNetwork');
  });
});

describe('a container in an override', () => {
  test('without an image is one of the pod', () => {
    const { construct, objects } = deployed({ podOverrides: { containers: [{ name: 'apl', tty: true }] } });
    construct.addContainer({ name: 'sidecar', image: CONTAINER.image, resources: RESOURCES });
    expect(objects).toThrow(
      'rag/api: podOverrides.containers has "apl" without an image, but the containers of the pod are api, sidecar; ' +
        'correct the name, or give it an image',
    );
  });

  test('that is none of the pod is one mistake, and not all that comes of it', () => {
    const { objects } = deployed({ podOverrides: { containers: [{ name: 'apl', tty: true }], hostNetwork: true } });
    const { message } = refusalOf(objects);
    expect(message).toContain('rag/api: podOverrides.containers has "apl" without an image');
    // The rules begin with the object.
    expect(message).not.toContain('Deployment test/api');
  });

  test('that runs first is one of those that do', () => {
    const { objects } = deployed({ podOverrides: { containers: [], initContainers: [{ name: 'api', tty: true }] } });
    expect(objects).toThrow(
      'rag/api: podOverrides.initContainers has "api" without an image, but the init containers of the pod are none; ' +
        'correct the name, or give it an image',
    );
  });
});

describe('Secrets in an override', () => {
  const watched = (podOverrides: k8s.PodSpec) => {
    const { chart, object } = deployed(
      { env: { PASSWORD: EnvValue.fromSecret(KEY) }, podOverrides },
      { reloader: true },
    );
    for (const name of ['one', 'two', 'three', 'four']) {
      ExternalReferences.of(chart).declare({ kind: 'Secret', namespace: 'test', name });
    }
    return object().metadata.annotations?.['secret.reloader.stakater.com/reload'];
  };

  test('restart the pods when they change', () => {
    const secretKeyRef = { name: 'one', key: 'key' };
    expect(
      watched({
        containers: [
          { name: 'api', env: [{ name: 'A', valueFrom: { secretKeyRef } }], envFrom: [{ secretRef: { name: 'two' } }] },
        ],
        volumes: [
          { name: 'three', secret: { secretName: 'three' } },
          { name: 'four', projected: { sources: [{ secret: { name: 'four' } }] } },
        ],
      }),
    ).toBe('existing,four,one,three,two');
  });

  test('take the place of those that they replace', () => {
    const env = (value: object): k8s.PodSpec => ({
      containers: [{ name: 'api', env: [{ name: 'PASSWORD', ...value }] }],
    });
    expect(watched({ containers: [] })).toBe('existing');
    expect(watched(env({ valueFrom: { secretKeyRef: { name: 'one', key: 'key' } } }))).toBe('one');
    expect(watched(env({ valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }))).toBeUndefined();
  });
});

test('what an override cannot take away, a patch can', () => {
  const { construct, template } = deployed({ priorityClassName: 'high' });
  expect(template().spec.priorityClassName).toBe('high');
  construct.deployment.addJsonPatch(JsonPatch.remove('/spec/template/spec/priorityClassName'));
  expect(template().spec).not.toHaveProperty('priorityClassName');
});
