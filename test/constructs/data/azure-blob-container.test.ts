import fc from 'fast-check';
import type { AzureBlobProps } from '../../../constructs/data/azure-blob-container';
import { ObjectStore } from '../../../constructs/data/object-store';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { hostsOf, rangesOf } from '../../support/egress';
import { env, mainContainer, templateOf } from '../../support/manifests';
import { deployed } from '../../support/workloads';

const PROPS: AzureBlobProps = { account: 'acmerag', container: 'documents' };
const CONNECTION = SecretKey.of('azure', 'connection');
const ACCOUNT_KEY = SecretKey.of('azure', 'key');

const store = (props: Partial<AzureBlobProps> = {}) => ObjectStore.azureBlob({ ...PROPS, ...props });

function client(props: Partial<AzureBlobProps> = {}, cluster: ClusterProps = {}) {
  const { construct, object, objects } = deployed({}, cluster);
  construct.uses(store(props));
  return { object, objects };
}

describe('a container of Azure', () => {
  test('is told to clients with the connection string, as a reference only', () => {
    expect(mainContainer(client({ connectionString: CONNECTION, prefix: 'rag/production' }).object()).env).toEqual([
      { name: 'AZURE_STORAGE_ACCOUNT_NAME', value: 'acmerag' },
      { name: 'AZURE_CONTAINER_NAME', value: 'documents' },
      { name: 'AZURE_STORAGE_PREFIX', value: 'rag/production' },
      {
        name: 'AZURE_STORAGE_CONNECTION_STRING',
        valueFrom: { secretKeyRef: { name: 'azure', key: 'connection' } },
      },
    ]);
  });

  test('is told to clients with the key of the account', () => {
    const deployment = client({ accountKey: ACCOUNT_KEY }).object();
    expect(env(deployment, 'AZURE_STORAGE_ACCOUNT_KEY')).toEqual({ secretKeyRef: { name: 'azure', key: 'key' } });
    expect(mainContainer(deployment).env).toHaveLength(3);
  });

  test('without keys and prefix is told without them', () => {
    const deployment = client().object();
    expect(mainContainer(deployment).env.map(({ name }: { name: string }) => name)).toEqual([
      'AZURE_STORAGE_ACCOUNT_NAME',
      'AZURE_CONTAINER_NAME',
    ]);
    expect(templateOf(deployment).spec).not.toHaveProperty('volumes');
  });

  test.each<[string, Partial<AzureBlobProps>]>([
    ['a connection string', { connectionString: CONNECTION }],
    ['a key', { accountKey: ACCOUNT_KEY }],
  ])('with %s is reached at the host of its account, and nothing else is', (_, props) => {
    const { objects } = client(props, { cilium: true });
    expect(hostsOf(objects(), 'api')).toEqual(['acmerag.blob.core.windows.net:443']);
    expect(rangesOf(objects(), 'api')).toEqual([]);
  });

  test('without keys needs the login of Azure', () => {
    expect(hostsOf(client({}, { cilium: true }).objects(), 'api')).toEqual([
      'acmerag.blob.core.windows.net:443',
      'login.microsoftonline.com:443',
    ]);
  });

  test('behind known addresses is reached at these only', () => {
    const { objects } = client({ connectionString: CONNECTION, cidrs: ['10.9.0.4/32'] });
    expect(rangesOf(objects(), 'api')).toEqual(['10.9.0.4/32:443']);
  });

  test('says what it is, and speaks no S3', () => {
    expect(store({ prefix: 'rag' })).toMatchObject({
      bucket: 'documents',
      prefix: 'rag',
      kind: 'Azure Blob Storage',
      description: 'documents',
    });
    expect(store().s3).toBeUndefined();
  });
});

describe('mistakes', () => {
  test.each(['', 'ab', 'AcmeRag', 'acme-rag', 'acme.rag', 'a'.repeat(25), 'acmerag.blob.core.windows.net'])(
    'the account "%s"',
    (account) => {
      expect(() => store({ account })).toThrow(
        `objectStore.account is "${account}", but must be 3 to 24 lower-case letters and digits`,
      );
    },
  );

  test.each(['', 'ab', 'Documents', '-documents', 'documents-', 'a--b', 'a_b', '$web', 'a'.repeat(64), 'a/b'])(
    'the container "%s"',
    (container) => {
      expect(() => store({ container })).toThrow(
        `objectStore.container is "${container}", but must be 3 to 63 lower-case letters, digits and single "-" ` +
          'between them',
      );
    },
  );

  test('a path with "/" at its end', () => {
    expect(() => store({ prefix: 'rag/' })).toThrow('objectStore.prefix is "rag/", but must be a path of letters');
  });

  test('two credentials', () => {
    expect(() => store({ connectionString: CONNECTION, accountKey: ACCOUNT_KEY })).toThrow(
      'objectStore.accountKey is given beside connectionString, which has a key itself; drop one of the two',
    );
  });

  test('addresses that are none', () => {
    expect(() => store({ cidrs: ['10.0.0.0'] })).toThrow('objectStore.cidrs has "10.0.0.0"');
  });
});

/** The rules as Azure's documentation lists them, one by one. */
describe('names', () => {
  const text = (letters: string) => fc.string({ unit: fc.constantFrom(...letters), minLength: 0, maxLength: 70 });

  test('of accounts are taken exactly when they have 3 to 24 lower-case letters and digits', () => {
    fc.assert(
      fc.property(text('abz019-A._'), (account) => {
        const good = account.length >= 3 && account.length <= 24 && [...account].every((c) => 'abz019'.includes(c));
        return taken({ account }) === good;
      }),
    );
    fc.assert(
      fc.property(text('abz019'), (account) => taken({ account }) === (account.length > 2 && account.length < 25)),
    );
  });

  test('of containers are taken exactly when they begin, end and have no two dashes as they must', () => {
    fc.assert(
      fc.property(text('ab1-'), (container) => {
        const good =
          container.length >= 3 &&
          container.length <= 63 &&
          !container.startsWith('-') &&
          !container.endsWith('-') &&
          !container.includes('--');
        return taken({ container }) === good;
      }),
      { numRuns: 500 },
    );
  });
});

function taken(props: Partial<AzureBlobProps>): boolean {
  try {
    store(props);
    return true;
  } catch {
    return false;
  }
}
