import fc from 'fast-check';
import type { GcsProps } from '../../../constructs/data/gcs-bucket';
import { ObjectStore } from '../../../constructs/data/object-store';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { hostsOf, rangesOf } from '../../support/egress';
import { env, mainContainer, templateOf } from '../../support/manifests';
import { deployed } from '../../support/workloads';

const KEY_FILE = SecretKey.of('gcs', 'key.json');

const store = (props: Partial<GcsProps> = {}) => ObjectStore.gcs({ bucket: 'acme-rag', ...props });

function client(props: Partial<GcsProps> = {}, cluster: ClusterProps = {}) {
  const { construct, object, objects } = deployed({}, cluster);
  construct.uses(store(props));
  return { construct, object, objects };
}

describe('a bucket of Google Cloud Storage', () => {
  test('is told to clients as its libraries read it, the key as a file', () => {
    const deployment = client({ credentials: KEY_FILE, prefix: 'rag/production', project: 'acme-prod' }).object();
    expect(mainContainer(deployment).env).toEqual([
      { name: 'GCS_BUCKET', value: 'acme-rag' },
      { name: 'GCS_PREFIX', value: 'rag/production' },
      { name: 'GOOGLE_CLOUD_PROJECT', value: 'acme-prod' },
      { name: 'GOOGLE_APPLICATION_CREDENTIALS', value: '/etc/google-credentials/gcs/key.json' },
    ]);
    const [mount] = mainContainer(deployment).volumeMounts;
    expect(mount).toMatchObject({ mountPath: '/etc/google-credentials/gcs', readOnly: true });
    expect(templateOf(deployment).spec.volumes).toEqual([
      {
        name: mount.name,
        secret: expect.objectContaining({ secretName: 'gcs', items: [{ key: 'key.json', path: 'key.json' }] }),
      },
    ]);
  });

  test('without a key, a prefix and a project is told without them', () => {
    const deployment = client().object();
    expect(mainContainer(deployment).env).toEqual([{ name: 'GCS_BUCKET', value: 'acme-rag' }]);
    expect(templateOf(deployment).spec).not.toHaveProperty('volumes');
  });

  test('with a key is reached beside what changes the key into a token, and nothing else is', () => {
    const { objects } = client({ credentials: KEY_FILE }, { cilium: true });
    expect(hostsOf(objects(), 'api')).toEqual(['oauth2.googleapis.com:443', 'storage.googleapis.com:443']);
    expect(rangesOf(objects(), 'api')).toEqual([]);
  });

  test('without a key needs the metadata server', () => {
    const { objects } = client({}, { cilium: true });
    expect(hostsOf(objects(), 'api')).toEqual(['storage.googleapis.com:443']);
    expect(rangesOf(objects(), 'api').sort()).toEqual(['169.254.169.252/32:988', '169.254.169.254/32:80']);
  });

  test('behind known addresses is reached at these only', () => {
    const { objects } = client({ credentials: KEY_FILE, cidrs: ['199.36.153.8/30'] });
    expect(rangesOf(objects(), 'api')).toEqual(['199.36.153.8/30:443']);
  });

  test('may stand beside another client of the same Secret', () => {
    const { construct, object } = client({ credentials: KEY_FILE });
    construct.uses(
      ObjectStore.azureBlob({ account: 'acmerag', container: 'x-1', accountKey: SecretKey.of('gcs', 'azure') }),
    );
    expect(env(object(), 'AZURE_STORAGE_ACCOUNT_KEY')).toEqual({ secretKeyRef: { name: 'gcs', key: 'azure' } });
  });

  test('says what it is, and speaks no S3', () => {
    expect(store({ prefix: 'rag' })).toMatchObject({
      bucket: 'acme-rag',
      prefix: 'rag',
      kind: 'Google Cloud Storage',
      description: 'acme-rag',
    });
    expect(store().s3).toBeUndefined();
  });
});

describe('mistakes', () => {
  test.each([
    '',
    'ab',
    'Acme',
    '-acme',
    'acme-',
    'acme_',
    '.acme',
    'a..b',
    'acme.',
    '192.168.5.4',
    'goog-rag',
    'my-google-rag',
    'a'.repeat(64),
    `${'a'.repeat(64)}.b`,
    'gs://acme',
  ])('the bucket "%s"', (bucket) => {
    expect(() => store({ bucket })).toThrow(
      `objectStore.bucket is "${bucket}", but must be 3 to 63 lower-case letters, digits, "-" and "_", or several of ` +
        'these with "." between them, beginning and ending with a letter or digit; it is no address, does not begin ' +
        'with "goog" and has no "google" in it',
    );
  });

  test.each(['abc', 'acme_rag', 'rag.acme.example', '1.2.3', 'a'.repeat(63), `${'a'.repeat(63)}.${'b'.repeat(63)}`])(
    'the bucket "%s" is none',
    (bucket) => {
      expect(() => store({ bucket })).not.toThrow();
    },
  );

  test.each(['', 'acme', '1acme-prod', 'acme-prod-', 'Acme-prod', 'a'.repeat(31)])('the project "%s"', (project) => {
    expect(() => store({ project })).toThrow(
      `objectStore.project is "${project}", but must be the id of a project: 6 to 30 lower-case letters, digits and ` +
        '"-", beginning with a letter',
    );
  });

  test.each(['acme-prod', 'acme.example:acme-prod'])('the project "%s" is none', (project) => {
    expect(() => store({ project })).not.toThrow();
  });

  test('a path with "/" at its end', () => {
    expect(() => store({ prefix: 'rag/' })).toThrow('objectStore.prefix is "rag/", but must be a path of letters');
  });

  test('addresses that are none', () => {
    expect(() => store({ cidrs: ['10.0.0.0'] })).toThrow('objectStore.cidrs has "10.0.0.0"');
  });
});

/** The rules as Google's documentation lists them, one by one. */
test('names of buckets are taken exactly when every rule holds', () => {
  const part = fc.string({ unit: fc.constantFrom(...'ago1-_'), minLength: 0, maxLength: 66 });
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 5 }), (parts) => {
      const bucket = parts.join('.');
      const good =
        bucket.length >= 3 &&
        bucket.length <= 222 &&
        parts.every(({ length }) => length >= 1 && length <= 63) &&
        /^[a-z0-9]/.test(bucket) &&
        /[a-z0-9]$/.test(bucket) &&
        !bucket.startsWith('goog') &&
        !(parts.length === 4 && parts.every((number) => /^\d+$/.test(number)));
      return taken(bucket) === good;
    }),
    { numRuns: 1000 },
  );
});

function taken(bucket: string): boolean {
  try {
    store({ bucket });
    return true;
  } catch {
    return false;
  }
}
