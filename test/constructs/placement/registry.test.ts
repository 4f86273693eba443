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

describe('images that are on the mirror already', () => {
  test.each(['registry.acme.example', 'registry.acme.example/mirror', 'registry.acme.example/mirror/'])(
    'stay as they are with the mirror %s',
    (mirror) => {
      const registry = new Registry({ mirror });
      for (const path of ['mirror/acme/rag-api', 'acme/rag-api', 'mirrored/rag-api']) {
        expect(registry.locate('registry.acme.example', path)).toBe(`registry.acme.example/${path}`);
      }
      expect(registry.locate('registry.acme.example:5000', 'rag-api')).toMatch(
        /^registry\.acme\.example\/(mirror\/)?rag-api$/,
      );
    },
  );

  test('stay as they are beside mirrors of single registries', () => {
    const mirrors = { 'docker.io': 'registry.acme.example/docker-hub' };
    expect(new Registry({ mirrors }).locate('registry.acme.example', 'rag/api')).toBe('registry.acme.example/rag/api');
    const both = new Registry({ mirrors, mirror: 'other.acme.example/all' });
    expect(both.locate('registry.acme.example', 'rag/api')).toBe('registry.acme.example/rag/api');
  });
});

describe('mirrors by registry', () => {
  const mirrors = { 'docker.io': 'registry.acme.example/docker-hub/', 'ghcr.io': 'ghcr.io/acme' };

  test('replace the registry that they stand for, and leave others', () => {
    const registry = new Registry({ mirrors });
    expect(registry.locate('docker.io', 'library/redis')).toBe('registry.acme.example/docker-hub/library/redis');
    expect(registry.locate('quay.io', 'strimzi/kafka')).toBe('quay.io/strimzi/kafka');
  });

  test('win over the mirror of all others', () => {
    const registry = new Registry({ mirrors, mirror: 'registry.acme.example/rest' });
    expect(registry.locate('docker.io', 'library/redis')).toBe('registry.acme.example/docker-hub/library/redis');
    expect(registry.locate('quay.io', 'strimzi/kafka')).toBe('registry.acme.example/rest/strimzi/kafka');
  });

  test('may be on the registry itself, where what is below stays', () => {
    const registry = new Registry({ mirrors });
    expect(registry.locate('ghcr.io', 'huggingface/tei')).toBe('ghcr.io/acme/huggingface/tei');
    expect(registry.locate('ghcr.io', 'acme/rag-api')).toBe('ghcr.io/acme/rag-api');
  });

  test.each(['', 'ghcr.io/acme', 'https://ghcr.io', 'GHCR.io'])('cannot be for "%s"', (host) => {
    expect(() => new Registry({ mirrors: { [host]: 'registry.acme.example' } })).toThrow(
      new Error(`registry.mirrors has "${host}"; name registries by their hosts alone: docker.io, ghcr.io`),
    );
  });

  test('have the form of a mirror', () => {
    expect(() => new Registry({ mirrors: { 'ghcr.io': 'https://registry.acme.example' } })).toThrow(
      new Error(
        'registry.mirrors.ghcr.io is "https://registry.acme.example"; write host and path without scheme: ' +
          'registry.acme.example/mirror',
      ),
    );
  });
});
