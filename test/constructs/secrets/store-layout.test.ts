import { StoreLayout } from '../../../constructs/secrets/store-layout';

describe.each([
  [
    'paths',
    StoreLayout.PATHS,
    { key: 'qdrant', property: 'api-key' },
    { key: 'rag/production/qdrant', property: 'api-key' },
  ],
  [
    'AWS Parameter Store',
    StoreLayout.AWS_PARAMETER_STORE,
    { key: 'qdrant', property: 'api-key' },
    { key: '/rag/production/qdrant', property: 'api-key' },
  ],
  [
    'Google Secret Manager',
    StoreLayout.GOOGLE_SECRET_MANAGER,
    { key: 'qdrant', property: 'api-key' },
    { key: 'rag--production--qdrant', property: 'api-key' },
  ],
  [
    'Azure Key Vault',
    StoreLayout.AZURE_KEY_VAULT,
    { key: 'qdrant--api-key' },
    { key: 'rag--production--qdrant--api-key' },
  ],
])('a key in %s', (_, layout, top, below) => {
  test('is in an entry at the top', () => {
    expect(layout._entry(undefined, 'qdrant', 'api-key')).toEqual(top);
  });

  test('is in an entry below a path', () => {
    expect(layout._entry('rag/production', 'qdrant', 'api-key')).toEqual(below);
    expect(() => layout._checkPath('rag/production')).not.toThrow();
    expect(() => layout._checkPath(undefined)).not.toThrow();
  });

  test.each(['', '/', '/rag', 'rag/', 'rag//production', 'rag production'])('is below no path "%s"', (path) => {
    expect(() => layout._checkPath(path)).toThrow(
      new Error(`secrets.path is "${path}", but must be names joined by "/", with none at its ends: rag/production`),
    );
  });
});

const PARAMETERS = 'parameters are at most 900 letters, digits, "-", "_" and ".", and do not begin with "aws" or "ssm"';
const GOOGLE = 'names in Google Secret Manager are at most 255 letters, digits, "-" and "_"';
const AZURE = 'names in Azure Key Vault are at most 127 letters, digits and "-"';

test.each([
  [StoreLayout.AWS_PARAMETER_STORE, undefined, 'aws-keys', 'key', 'aws-keys', PARAMETERS],
  [StoreLayout.AWS_PARAMETER_STORE, 'SSM', 'qdrant', 'key', '/SSM/qdrant', PARAMETERS],
  [StoreLayout.GOOGLE_SECRET_MANAGER, 'rag', 'a.b', 'key', 'rag--a.b', GOOGLE],
  [StoreLayout.GOOGLE_SECRET_MANAGER, undefined, 'a'.repeat(253), 'tls.key', undefined, GOOGLE],
  [StoreLayout.GOOGLE_SECRET_MANAGER, 'rag', 'a'.repeat(251), 'key', `rag--${'a'.repeat(251)}`, GOOGLE],
  [StoreLayout.AZURE_KEY_VAULT, undefined, 'tls', 'tls.key', 'tls--tls.key', AZURE],
  [StoreLayout.AZURE_KEY_VAULT, 'rag', 'qdrant', 'api_key', 'rag--qdrant--api_key', AZURE],
  [StoreLayout.AZURE_KEY_VAULT, undefined, 'a'.repeat(100), 'b'.repeat(25), undefined, AZURE],
  [
    StoreLayout.AZURE_KEY_VAULT,
    undefined,
    'a'.repeat(100),
    'b'.repeat(26),
    `${'a'.repeat(100)}--${'b'.repeat(26)}`,
    AZURE,
  ],
])('an entry has a name that the store takes', (layout, path, secret, key, refused, rule) => {
  const entry = () => layout._entry(path, secret, key);
  if (refused === undefined) {
    expect(entry).not.toThrow();
  } else {
    expect(entry).toThrow(
      new Error(
        `secret.key is "${key}" of the Secret ${secret}, so its entry in the store would be "${refused}", but ${rule}; ` +
          'name the Secret and the key so',
      ),
    );
  }
});

test.each([
  [StoreLayout.AWS_PARAMETER_STORE, 'aws/rag', PARAMETERS],
  [StoreLayout.AWS_PARAMETER_STORE, 'rag@production', PARAMETERS],
  [StoreLayout.GOOGLE_SECRET_MANAGER, 'rag.production', GOOGLE],
  [StoreLayout.AZURE_KEY_VAULT, 'rag_production', AZURE],
])('a path has a name that the store takes', (layout, path, rule) => {
  expect(() => layout._checkPath(path)).toThrow(new Error(`secrets.path is "${path}", but ${rule}; name it so`));
});

test('paths in Vault and Secrets Manager are theirs to judge', () => {
  expect(() => StoreLayout.PATHS._checkPath('aws/rag@production')).not.toThrow();
  expect(StoreLayout.PATHS._entry('a.b', 'c.d', 'e_f')).toEqual({ key: 'a.b/c.d', property: 'e_f' });
});
