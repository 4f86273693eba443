import { Registry } from '../../../constructs/placement/registry';

test('images come from where they are published', () => {
  expect(Registry.PUBLIC.locate('ghcr.io', 'acme/rag-api')).toBe('ghcr.io/acme/rag-api');
  expect(Registry.PUBLIC.locate('registry.acme.example:5000', 'rag-api')).toBe('registry.acme.example:5000/rag-api');
});

test('pods pull without Secrets and without digests when nothing is said', () => {
  expect(Registry.PUBLIC.pullSecrets).toEqual([]);
  expect(Registry.PUBLIC.requireDigest).toBe(false);
});

test('pull Secrets are those that were given, whatever becomes of the list', () => {
  const pullSecrets = ['mirror'];
  const registry = new Registry({ pullSecrets });
  pullSecrets.push('Not a name');
  expect(registry.pullSecrets).toEqual(['mirror']);
});

test.each(['registry.acme.example', 'registry.acme.example/'])(
  'the mirror %s replaces the host of every image',
  (mirror) => {
    const registry = new Registry({ mirror });
    expect(registry.locate('ghcr.io', 'acme/rag-api')).toBe('registry.acme.example/acme/rag-api');
    expect(registry.locate('docker.io', 'library/redis')).toBe('registry.acme.example/library/redis');
  },
);

test('a mirror may have a port and a path', () => {
  const registry = new Registry({ mirror: 'registry.acme.example:5000/mirror/rag/' });
  expect(registry.locate('ghcr.io', 'acme/rag-api')).toBe('registry.acme.example:5000/mirror/rag/acme/rag-api');
});

test.each(['', '/', 'https://registry.acme.example', 'registry.acme.example//', 'Registry', 'a b', 'a:port', '-a'])(
  'a mirror cannot be "%s"',
  (mirror) => {
    expect(() => new Registry({ mirror })).toThrow(
      new Error(`registry.mirror is "${mirror}"; write host and path without scheme: registry.acme.example/mirror`),
    );
  },
);

test('pull secrets have names that a Secret can have', () => {
  const pullSecrets = ['pull.acme.example', 'a'.repeat(253)];
  expect(new Registry({ pullSecrets }).pullSecrets).toEqual(pullSecrets);
  expect(() => new Registry({ pullSecrets: ['pull', 'Pull_Secret'] })).toThrow(
    new Error(
      'registry.pullSecrets is "Pull_Secret", but must be DNS labels joined by dots: lower-case letters, digits and "-", ' +
        'beginning and ending with a letter or digit',
    ),
  );
  const name = 'a'.repeat(254);
  expect(() => new Registry({ pullSecrets: [name] })).toThrow(
    new Error(`registry.pullSecrets is "${name}" (254 characters), but at most 253 are allowed; shorten it`),
  );
});

test('pull secrets and the demand for digests are kept', () => {
  const registry = new Registry({ pullSecrets: ['one', 'two'], requireDigest: true });
  expect(registry.pullSecrets).toEqual(['one', 'two']);
  expect(registry.requireDigest).toBe(true);
  expect(registry.locate('ghcr.io', 'acme/rag-api')).toBe('ghcr.io/acme/rag-api');
});
