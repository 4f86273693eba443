import fc from 'fast-check';
import { ConfigFiles } from '../../../constructs/workload/config-files';
import { find, render, testChart } from '../../support/manifests';

function configFiles(files: { [path: string]: string } = {}) {
  const chart = testChart();
  const construct = new ConfigFiles(chart, 'config', { name: 'api', labels: { team: 'search' } });
  const keys = Object.entries(files).map(([path, content]) => construct.add(path, content));
  return { construct, keys, object: () => find(render(chart), 'ConfigMap', 'api') };
}

describe('configuration files', () => {
  const { construct, keys, object } = configFiles({ '/etc/app/b.yaml': 'b: 1\n', '/a.txt': 'a' });

  test('stand in a ConfigMap under their names, sorted', () => {
    expect(object().data).toEqual({ 'a.txt': 'a', 'b.yaml': 'b: 1\n' });
    expect(Object.keys(object().data)).toEqual(['a.txt', 'b.yaml']);
    expect(object().metadata).toEqual({ name: 'api', namespace: 'test', labels: { team: 'search' } });
    expect(construct.name).toBe('api');
    expect(construct.configMap.name).toBe('api');
  });

  test('are known by their names when they are added', () => {
    expect(keys).toEqual(['b.yaml', 'a.txt']);
  });

  test('can be added as long as nothing is rendered', () => {
    const late = configFiles({ '/etc/one': '1' });
    late.construct.add('/opt/two', '2');
    expect(late.object().data).toEqual({ one: '1', two: '2' });
  });

  test('are kept byte for byte, their line endings too', () => {
    const table = 'id,name\r\n1,one\r\n';
    expect(configFiles({ '/etc/table.csv': table }).object().data).toEqual({ 'table.csv': table });
  });

  test.each(['/a', '/etc/A-b_c.d9', '/etc/.hidden', '/etc/with blank/file', '/..data/file'])(
    'can be found at %s',
    (path) => {
      expect(configFiles({ [path]: 'x' }).object().data).toEqual({ [path.split('/').at(-1) as string]: 'x' });
    },
  );
});

describe('the key of a file', () => {
  test('is its name as long as no other has it, then its path', () => {
    expect(configFiles({ '/etc/a/c': '1', '/etc/b/c': '2', '/d': '3' }).keys).toEqual(['c', 'etc.b.c', 'd']);
  });

  test('is no other one when a path reads like another, or cannot be a key', () => {
    const { keys, object } = configFiles({
      '/c': '1',
      '/etc/a.b/c': '2',
      '/etc/a/b/c': '3',
      '/with blank/c': '4',
    });
    expect(keys).toEqual([
      'c',
      'etc.a.b.c',
      expect.stringMatching(/^[0-9a-f]{8}\.c$/),
      expect.stringMatching(/^[0-9a-f]{8}\.c$/),
    ]);
    expect(Object.keys(object().data)).toHaveLength(4);
  });

  test('is another one for another container', () => {
    const { construct } = configFiles({ '/etc/a': '1' });
    expect(construct.add('/etc/a', '2', 'sidecar')).toBe('etc.a');
    expect(construct.add('/etc/a', '3', 'other')).toMatch(/^[0-9a-f]{8}\.a$/);
  });
});

describe('the size', () => {
  const MEBIBYTE = 1024 * 1024;

  test('is at most what a ConfigMap holds, names and contents together', () => {
    const { construct } = configFiles({ '/etc/a': 'x'.repeat(MEBIBYTE - 4) });
    expect(construct.add('/etc/b', 'yz')).toBe('b');
    expect(() => construct.add('/etc/c', '')).toThrow(
      'rag: files has 1048577 bytes with "/etc/c", but a ConfigMap holds at most 1 MiB (1048576 bytes); put large ' +
        'files into the image or a volume',
    );
  });

  test('is counted in bytes', () => {
    expect(() => configFiles({ '/a': 'ä'.repeat(MEBIBYTE / 2) })).toThrow('files has 1048577 bytes with "/a"');
  });
});

describe('the checksum', () => {
  test('does not depend on the order in which files are added', () => {
    const forward = configFiles({ '/a': '1', '/b': '2' }).construct;
    const backward = configFiles({ '/b': '2', '/a': '1' }).construct;
    expect(forward.checksum).toBe(backward.checksum);
    expect(forward.checksum).toMatch(/^[0-9a-f]{64}$/);
  });

  test('is the same when, and only when, the content is', () => {
    const content = fc.constantFrom('', 'a', 'b', 'ab', '"', ',', '\n');
    fc.assert(
      fc.property(fc.tuple(content, content), fc.tuple(content, content), (one, other) => {
        const [a, b] = [one, other].map(([x, y]) => configFiles({ '/x': x, '/y': y }).construct.checksum);
        expect(a === b).toBe(one[0] === other[0] && one[1] === other[1]);
      }),
    );
  });

  test('changes with the name of a file', () => {
    expect(configFiles({ '/a': '1' }).construct.checksum).not.toBe(configFiles({ '/b': '1' }).construct.checksum);
  });

  test('changes with every file that is added', () => {
    const { construct } = configFiles();
    const checksums = ['/a', '/b', '/c'].map((path) => {
      construct.add(path, '');
      return construct.checksum;
    });
    expect(new Set(checksums).size).toBe(3);
  });
});

describe('mistakes', () => {
  test.each(['etc/a', './a', 'a', ''])('the relative path "%s"', (path) => {
    expect(() => configFiles({ [path]: '' })).toThrow(`rag: files has the path "${path}"; paths are absolute`);
  });

  test.each(['/', '/etc/a b', '/etc/ä', '/etc/a:b', '/etc/$a'])('the path "%s", at whose end is no name', (path) => {
    expect(() => configFiles({ [path]: '' })).toThrow(
      `rag: files has the path "${path}"; names of files consist of letters, digits, "-", "_" and "."`,
    );
  });

  test.each([
    ['/etc//a', '/etc/a'],
    ['//etc/a', '/etc/a'],
    ['/etc/./a', '/etc/a'],
    ['/etc/app/../a', '/etc/a'],
    ['/../a', '/a'],
    ['/etc/a/', '/etc/a'],
  ])('the path "%s", which says %s in other words', (path, normal) => {
    expect(() => configFiles({ [path]: '' })).toThrow(
      `rag: files has the path "${path}", which is ${normal} in other words; write that`,
    );
  });

  test('a path with a colon, and one below /proc', () => {
    expect(() => configFiles({ '/etc/a:b/c': '' })).toThrow(
      'rag: files has the path "/etc/a:b/c", but a path of a mount has no ":"; leave it out',
    );
    expect(() => configFiles({ '/proc/sys/a': '' })).toThrow(
      'rag: files has the path "/proc/sys/a", but nothing can be mounted below /proc; move it',
    );
    expect(() => configFiles({ '/process/a': '' })).not.toThrow();
  });

  test('a file name that no ConfigMap can have as a key', () => {
    const path = `/etc/${'a'.repeat(254)}`;
    expect(() => configFiles({ [path]: '' })).toThrow(
      `rag: files has the path "${path}", whose file name has 254 characters; names of files have at most 253`,
    );
    expect(() => configFiles({ [path.slice(0, -1)]: '' })).not.toThrow();
  });

  test.each([
    ['/etc/a', '/etc/a/b'],
    ['/etc/a/b', '/etc/a'],
    ['/etc', '/etc/a/b'],
  ])('the files %s and %s, of which one would be a folder', (first, second) => {
    expect(() => configFiles({ [first]: '', [second]: '' })).toThrow(
      `rag: files has the files "${second}" and "${first}", of which one would be a folder; move one`,
    );
    const { construct } = configFiles({ [first]: '' });
    expect(() => construct.add(second, '', 'sidecar')).not.toThrow();
    expect(() => construct.add(`${first}-b/c`, '')).not.toThrow();
  });

  test('two files in one place, of which the first one stays', () => {
    const { construct, object } = configFiles({ '/etc/one/a': '1' });
    const { checksum } = construct;
    expect(() => construct.add('/etc/one/a', '2')).toThrow('rag: files has the file "/etc/one/a" twice; drop one');
    expect(construct.checksum).toBe(checksum);
    expect(object().data).toEqual({ a: '1' });
  });
});
