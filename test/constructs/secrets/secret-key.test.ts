import fc from 'fast-check';
import { ExternalReferences } from '../../../constructs/rules/external-references';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { testChart } from '../../support/manifests';

describe('a key of a Secret', () => {
  test('is the name of the Secret and the key, never a value', () => {
    expect(SecretKey.of('qdrant', 'api-key')).toMatchObject({ secret: 'qdrant', key: 'api-key' });
  });

  test.each(['a', 'my-secret', 'my.secret.name', `${'a'.repeat(63)}.${'b'.repeat(63)}`])('can be of "%s"', (secret) => {
    expect(SecretKey.of(secret, 'key').secret).toBe(secret);
  });

  test('can be anything that Kubernetes takes', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^(?:[A-Za-z0-9_-]|\.[A-Za-z0-9_-])[-._A-Za-z0-9]{0,40}$/), (key) => {
        expect(SecretKey.of('secret', key).key).toBe(key);
      }),
    );
  });

  test('must exist in the namespace of whoever uses it, and only then', () => {
    const chart = testChart();
    const key = SecretKey.of('qdrant', 'api-key');
    expect(ExternalReferences.of(chart).all).toEqual([]);
    key._bind(chart);
    key._bind(chart);
    expect(ExternalReferences.of(chart).all).toEqual([
      { kind: 'Secret', namespace: 'test', name: 'qdrant', key: 'api-key' },
    ]);
  });

  test('that the output creates need not exist', () => {
    const chart = testChart();
    const bound: [string, string][] = [];
    const key = SecretKey._provided('made', 'key', (scope, made) => {
      bound.push([scope.node.path, `${made.secret}/${made.key}`]);
    });
    key._bind(chart);
    expect(bound).toEqual([['rag', 'made/key']]);
    expect(ExternalReferences.of(chart).all).toEqual([]);
  });
});

describe('a key that an operator reads', () => {
  test('must exist as any other', () => {
    const chart = testChart();
    SecretKey.of('db', 'password')._bindForOperator(chart, 'credentials');
    expect(ExternalReferences.of(chart).all).toEqual([
      { kind: 'Secret', namespace: 'test', name: 'db', key: 'password' },
    ]);
  });

  test('is not of a Secret that is there only while pods mount it', () => {
    const provide = jest.fn();
    const key = SecretKey._provided('db', 'password', provide, { providerClass: 'db' });
    expect(() => key._bindForOperator(testChart(), 'credentials')).toThrow(
      new Error(
        'rag: credentials has key password of Secret db, which there is only while pods mount it, and the operator that ' +
          'reads it mounts nothing; take it from ExternalSecrets, or from a Secret that exists',
      ),
    );
    expect(provide).not.toHaveBeenCalled();
  });
});

describe('the form of a key in URLs', () => {
  test('is the key itself, unless the Secret has another', () => {
    const key = SecretKey.of('queue', 'password');
    expect(key._inUrl).toBe(key);
    expect(SecretKey._provided('queue', 'password', () => {}, { inUrl: () => key })._inUrl).toBe(key);
  });
});

describe('mistakes', () => {
  test.each(['', 'Secret', 'my_secret', '-a', 'a-', 'a..b', '.a', 'a/b'])('the Secret "%s"', (secret) => {
    expect(() => SecretKey.of(secret, 'key')).toThrow(
      new Error(
        `secret.secret is "${secret}", but must be DNS labels joined by dots: lower-case letters, digits and "-", ` +
          'beginning and ending with a letter or digit',
      ),
    );
  });

  test('a Secret with too long a name', () => {
    const secret = `${'a'.repeat(60)}.`.repeat(5).slice(0, 254);
    expect(() => SecretKey.of(secret, 'key')).toThrow(
      `secret.secret is "${secret}" (254 characters), but at most 253 are allowed; shorten it`,
    );
  });

  test.each(['', 'a key', 'a/b', 'ä', 'a:b', '.', '..', '..data', '...'])('the key "%s"', (key) => {
    expect(() => SecretKey.of('secret', key)).toThrow(
      new Error(
        `secret.key is "${key}", but must consist of letters, digits, "-", "_" and ".", and not begin with ".."`,
      ),
    );
  });
});
