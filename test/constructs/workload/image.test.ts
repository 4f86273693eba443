import fc from 'fast-check';
import { Registry } from '../../../constructs/placement/registry';
import { Image } from '../../../constructs/workload/image';
import { testChart } from '../../support/manifests';
import { DIGEST } from '../../support/values';

const MOVING = ['latest', 'main', 'master', 'stable', 'edge', 'nightly', 'dev'];

const part = fc.stringMatching(/^[a-z0-9]{1,8}(([._]|__|-{1,3})[a-z0-9]{1,8}){0,2}$/);
const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const host = fc.oneof(
  fc.constant('localhost'),
  fc.stringMatching(/^[a-z0-9]{1,8}(-[a-z0-9]{1,8})?\.[a-z]{2,5}(:[1-9][0-9]{1,3})?$/),
  fc.stringMatching(/^[a-z]{1,8}:[1-9][0-9]{1,3}$/),
);
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/).filter((text) => !MOVING.includes(text));
const digest = fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`);

describe('an image', () => {
  test('is pulled by the tag and, when there is one, by the digest', () => {
    fc.assert(
      fc.property(host, path, tag, fc.option(digest, { nil: undefined }), (at, to, version, bytes) => {
        const image = Image.of(`${at}/${to}`, { tag: version, digest: bytes });
        const expected = bytes === undefined ? `${at}/${to}:${version}` : `${at}/${to}:${version}@${bytes}`;
        expect(image.in(Registry.PUBLIC)).toBe(expected);
        expect(image).toMatchObject({ repository: `${at}/${to}`, tag: version, digest: bytes });
      }),
    );
  });

  test('comes from the mirror when there is one, wherever it is published', () => {
    const mirrored = new Registry({ mirror: 'registry.acme.example:5000/mirror/' });
    fc.assert(
      fc.property(host, path, tag, digest, (at, to, version, bytes) => {
        expect(Image.of(`${at}/${to}`, { tag: version, digest: bytes }).in(mirrored)).toBe(
          `registry.acme.example:5000/mirror/${to}:${version}@${bytes}`,
        );
      }),
    );
  });

  test.each([
    ['redis', 'docker.io/library/redis', 'mirror.example/library/redis'],
    ['qdrant/qdrant', 'docker.io/qdrant/qdrant', 'mirror.example/qdrant/qdrant'],
    ['docker.io/redis', 'docker.io/library/redis', 'mirror.example/library/redis'],
    ['docker.io/library/redis', 'docker.io/library/redis', 'mirror.example/library/redis'],
    ['docker.io/qdrant/qdrant', 'docker.io/qdrant/qdrant', 'mirror.example/qdrant/qdrant'],
    ['acme/team/api', 'docker.io/acme/team/api', 'mirror.example/acme/team/api'],
    ['localhost/api', 'localhost/api', 'mirror.example/api'],
    ['registry:5000/api', 'registry:5000/api', 'mirror.example/api'],
    ['ghcr.io/acme/api', 'ghcr.io/acme/api', 'mirror.example/acme/api'],
    ['ghcr.io/api', 'ghcr.io/api', 'mirror.example/api'],
  ])('%s is %s, and %s in a mirror', (repository, complete, mirrored) => {
    const image = Image.of(repository, { tag: '1' });
    expect(image.repository).toBe(complete);
    expect(image.in(Registry.PUBLIC)).toBe(`${complete}:1`);
    expect(image.in(new Registry({ mirror: 'mirror.example' }))).toBe(`${mirrored}:1`);
  });
});

describe('a registry that requires digests', () => {
  const strict = new Registry({ requireDigest: true });

  test('takes an image with one', () => {
    expect(Image.of('redis', { tag: '7.4.9', digest: DIGEST }).in(strict)).toBe(
      `docker.io/library/redis:7.4.9@${DIGEST}`,
    );
  });

  test('refuses an image without', () => {
    expect(() => Image.of('redis', { tag: '7.4.9' }).in(strict)).toThrow(
      new Error(
        'image.digest is docker.io/library/redis:7.4.9, but this registry requires digests; add the digest of that tag',
      ),
    );
  });

  test('says which construct has the image', () => {
    expect(() => Image.of('redis', { tag: '7.4.9' }).in(strict, testChart())).toThrow(
      new Error(
        'rag: image.digest is docker.io/library/redis:7.4.9, but this registry requires digests; add the digest of ' +
          'that tag',
      ),
    );
  });
});

describe('mistakes', () => {
  test.each([
    '',
    ' redis',
    'ghcr.io//api',
    'ghcr.io/api/',
    '/api',
    'https://ghcr.io/acme/api',
    'acme/-api',
    'acme/a b',
    'acme/API',
    'ghcr.io/Acme/api',
    'Redis',
    'registry:5000',
    'localhost:5000',
    'registry:5000/',
    'ghcr.io:port/acme/api',
  ])('the repository "%s"', (repository) => {
    expect(() => Image.of(repository, { tag: '1' })).toThrow(
      `image.repository is "${repository}"; write host and path in lower case, without tag or digest: ghcr.io/acme/rag-api`,
    );
  });

  test.each(['ghcr.io:0/acme/api', 'ghcr.io:65536/acme/api', `ghcr.io/${'a'.repeat(248)}`])(
    'the repository "%s", which no registry could have',
    (repository) => {
      expect(() => Image.of(repository, { tag: '1' })).toThrow(
        `image.repository is "${repository}", but has at most 255 characters, and ports are from 1 to 65535`,
      );
    },
  );

  test.each(['ghcr.io:65535/acme/api', `ghcr.io/${'a'.repeat(247)}`])('but not "%s"', (repository) => {
    expect(() => Image.of(repository, { tag: '1' })).not.toThrow();
  });

  test.each(['Latest', 'HEAD', 'head', 'canary', 'snapshot', 'develop', 'Main'])('the tag %s, which moves', (tag) => {
    expect(() => Image.of('redis', { tag })).toThrow(
      `image.tag is "${tag}", which moves, so nothing could be rolled back`,
    );
  });

  test.each(['1.0.0-SNAPSHOT', 'main-4711', 'v2-edge.1'])('but not the tag %s', (tag) => {
    expect(() => Image.of('redis', { tag })).not.toThrow();
  });

  test('a repository with a tag or a digest', () => {
    const version = fc.oneof(
      tag.map((text) => `:${text}`),
      digest.map((text) => `@${text}`),
    );
    fc.assert(
      fc.property(host, path, version, (at, to, suffix) => {
        expect(() => Image.of(`${at}/${to}${suffix}`, { tag: '1' })).toThrow(
          `image.repository is "${at}/${to}${suffix}"; write host and path in lower case, without tag or digest`,
        );
      }),
    );
  });

  test.each(MOVING)('the tag %s, which moves, whatever the digest', (moving) => {
    expect(() => Image.of('redis', { tag: moving, digest: DIGEST })).toThrow(
      `image.tag is "${moving}", which moves, so nothing could be rolled back; pin a release, such as 1.8.2`,
    );
  });

  test('no tag', () => {
    expect(() => Image.of('redis', { tag: '' })).toThrow('image.tag is empty; pin a release, such as 1.8.2');
  });

  test.each(['-1', '.1', '1 2', '1.2.3+build', 'a/b', 'a:b', 'x'.repeat(129)])('the tag "%s"', (wrong) => {
    expect(() => Image.of('redis', { tag: wrong })).toThrow(
      `image.tag is "${wrong}", which is no image tag; pin a release, such as 1.8.2`,
    );
  });

  test.each([
    ['without its algorithm', 'a'.repeat(64)],
    ['that is too short', `sha256:${'a'.repeat(63)}`],
    ['that is too long', `sha256:${'a'.repeat(65)}`],
    ['in upper case', `sha256:${'A'.repeat(64)}`],
    ['of another algorithm', `sha512:${'a'.repeat(64)}`],
    ['that is empty', ''],
  ])('a digest %s', (_, wrong) => {
    expect(() => Image.of('redis', { tag: '7.4.9', digest: wrong })).toThrow(
      `image.digest is "${wrong}", but must be "sha256:" and 64 lower-case hexadecimal digits`,
    );
  });
});
