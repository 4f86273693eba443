import { Size } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import { EnvValue } from '../../../constructs/workload/env-value';
import { mergeOverride } from '../../../constructs/workload/pod-overrides';
import { Volume } from '../../../constructs/workload/volume';
import { RESOURCES } from '../../support/values';
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
