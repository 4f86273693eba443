import { Size } from 'cdk8s';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { ConfigFiles } from '../../../constructs/workload/config-files';
import { SharedVolume } from '../../../constructs/workload/shared-volume';
import { Volume } from '../../../constructs/workload/volume';
import { testChart } from '../../support/manifests';
import { deployed } from '../../support/workloads';

const CONFIG = new ConfigFiles(testChart(), 'config', { name: 'settings' });
const KEYS = [SecretKey.of('certificate', 'tls.crt'), SecretKey.of('certificate', 'tls.key')];
const NOTHING = { scratchSize: undefined, config: undefined, secretKeys: [], owner: undefined };

const SHARED = new SharedVolume(testChart(), 'files', { size: Size.gibibytes(1), storageClass: 'nfs' });

const SCRATCH = Volume.scratch('v', Size.gibibytes(2));

function rendered(volume: Volume) {
  const { chart, construct } = deployed();
  new ConfigFiles(chart, 'settings', { name: 'settings' });
  construct.addVolume({ volume, path: '/v' });
  return construct.deployment.toJson().spec.template.spec.volumes;
}

describe('a volume', () => {
  test.each([
    ['of scratch space has a size', SCRATCH, { emptyDir: { sizeLimit: '2Gi' } }],
    [
      'in memory has a size and the medium',
      Volume.memory('v', Size.mebibytes(64)),
      { emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
    ],
    ['of configuration is a ConfigMap', Volume._config('v', CONFIG), { configMap: { name: 'settings' } }],
    [
      'of Secret keys has these keys and no others, each under its name',
      Volume.secret('v', KEYS),
      {
        secret: {
          secretName: 'certificate',
          items: [
            { key: 'tls.crt', path: 'tls.crt' },
            { key: 'tls.key', path: 'tls.key' },
          ],
        },
      },
    ],
  ])('%s', (_, volume, source) => {
    expect(rendered(volume)).toEqual([{ name: 'v', ...source }]);
  });

  test('of a claim is left to the StatefulSet', () => {
    expect(Volume.claim('v')._render()).toEqual([]);
  });

  test.each([
    ['scratch space', SCRATCH, { scratchSize: Size.gibibytes(2) }],
    ['memory', Volume.memory('v', Size.mebibytes(64)), {}],
    ['configuration', Volume._config('v', CONFIG), { config: CONFIG }],
    ['Secret keys', Volume.secret('v', KEYS), { secretKeys: KEYS }],
    ['an ephemeral volume', Volume.ephemeral('v', Size.gibibytes(1)), { owner: 'pod' }],
    ['a claim', Volume.claim('v'), { owner: 'pod' }],
    ['a shared volume', Volume.shared('v', SHARED), { owner: 1000 }],
    ['a shared volume that is only read', Volume.sharedReadOnly('v', SHARED), {}],
  ])('of %s tells pods what follows from it, and nothing else', (_, volume, facts) => {
    const { name, scratchSize, _configFiles: config, secretKeys, owner } = volume;
    expect(name).toBe('v');
    expect({ scratchSize, config, secretKeys, owner }).toEqual({ ...NOTHING, ...facts });
  });
});

describe('mistakes', () => {
  const kinds: [string, (name: string) => Volume][] = [
    ['scratch space', (name) => Volume.scratch(name, Size.mebibytes(1))],
    ['memory', (name) => Volume.memory(name, Size.mebibytes(1))],
    ['configuration', (name) => Volume._config(name, CONFIG)],
    ['Secret keys', (name) => Volume.secret(name, KEYS)],
    ['a claim', (name) => Volume.claim(name)],
  ];

  test.each(kinds)('a volume of %s whose name is none', (_, volume) => {
    for (const name of ['', 'Data', 'my_data', 'a.b', '-a', 'a-']) {
      expect(() => volume(name)).toThrow(
        new Error(
          `volume.name is "${name}", but must be a DNS label: lower-case letters, digits and "-", beginning and ` +
            'ending with a letter or digit',
        ),
      );
    }
    expect(volume('a'.repeat(63)).name).toBe('a'.repeat(63));
    expect(() => volume('a'.repeat(64))).toThrow(
      new Error(`volume.name is "${'a'.repeat(64)}" (64 characters), but at most 63 are allowed; shorten it`),
    );
  });

  test('two files of one name', () => {
    const [first] = KEYS as [SecretKey];
    expect(() => Volume.secret('v', [...KEYS, SecretKey.of('other', first.key)])).toThrow(
      new Error(`volume v has "${first.key}" twice, and files are named like the keys; put one into another volume`),
    );
  });

  test('a volume of no key', () => {
    expect(() => Volume.secret('v', [])).toThrow(new Error('volume v has no keys; name at least one'));
  });
});
