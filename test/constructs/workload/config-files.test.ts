import fc from 'fast-check';
import { ConfigFiles } from '../../../constructs/workload/config-files';
import { find, render, testChart } from '../../support/manifests';

function configFiles(files: { [path: string]: string }) {
  const chart = testChart();
  const construct = new ConfigFiles(chart, 'config', { metadata: { name: 'api' }, files });
  return { construct, object: () => find(render(chart), 'ConfigMap', 'api') };
}

describe('configuration files', () => {
  const { construct, object } = configFiles({ '/etc/app/b.yaml': 'b: 1\n', '/a.txt': 'a' });

  test('stand in a ConfigMap under their names', () => {
    expect(object().data).toEqual({ 'a.txt': 'a', 'b.yaml': 'b: 1\n' });
    expect(construct.name).toBe('api');
  });

  test('are listed by their sorted paths', () => {
    expect(construct.paths).toEqual(['/a.txt', '/etc/app/b.yaml']);
  });
});

describe('the checksum', () => {
  test('does not depend on the order in which files are named', () => {
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
});

describe('mistakes', () => {
  test('a relative path', () => {
    expect(() => configFiles({ 'etc/a': '' })).toThrow('rag/config: files has the path "etc/a"; paths are absolute');
  });

  test('two files of one name', () => {
    expect(() => configFiles({ '/etc/one/a': '', '/etc/two/a': '' })).toThrow(
      'rag/config: files has two files named "a"; rename one',
    );
  });
});
