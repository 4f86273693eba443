import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { EnvironmentError, EnvironmentFile } from '../../../charts/environments/environment-file';
import { EnvironmentFolder } from '../../support/environment-folder';
import { refusalOf } from '../../support/refusal';

const folder = new EnvironmentFolder();
afterAll(() => folder.remove());

/** Reads the first of these files. */
function read(files: { readonly [name: string]: string }): EnvironmentFile {
  folder.write(files);
  return EnvironmentFile.read(folder.pathOf(Object.keys(files)[0] as string));
}

/** What is wrong with the first of these files, as place and problem. */
function problemsOf(files: { readonly [name: string]: string }): string[] {
  const error = refusalOf(() => read(files));
  expect(error).toBeInstanceOf(EnvironmentError);
  const { problems } = error as EnvironmentError;
  expect(error.message).toBe(problems.join('\n'));
  return problems;
}

/** A place in a file, as messages give it. */
function at(place: string): string {
  return folder.shown(place);
}

describe('a file that extends nothing', () => {
  test('is what it says', () => {
    const file = read({ 'dev.yaml': 'a: 1\nb: { c: [x, y], d: true }\ne: "1.10"\n' });
    expect(file.value).toEqual({ a: 1, b: { c: ['x', 'y'], d: true }, e: '1.10' });
    expect(file.name).toBe(at('dev.yaml'));
  });

  test('is read as YAML 1.2: yes, 012 and 12:30 are what they look like', () => {
    expect(read({ 'dev.yaml': 'a: yes\nb: 012\nc: 12:30\nd: 2026-01-31\n' }).value).toEqual({
      a: 'yes',
      b: 12,
      c: '12:30',
      d: '2026-01-31',
    });
  });
});

describe('a file whose lines end with carriage returns', () => {
  const lines = [
    'a: |',
    '  first',
    '  second',
    'b: "one \\',
    '  two"',
    "c: 'one",
    "  two'",
    'd: [x,',
    '  y] # text',
    'e: >',
    '  one',
    '',
    '  two',
    '',
  ];

  test('says the same as one whose lines do not', () => {
    const { value } = read({ 'dev.yaml': lines.join('\n') });
    expect(value).toMatchObject({ a: 'first\nsecond\n', b: 'one two', c: 'one two', e: 'one\ntwo\n' });
    expect(read({ 'dev.yaml': lines.join('\r\n') }).value).toEqual(value);
  });

  test('keeps those that are written as escapes', () => {
    expect(read({ 'dev.yaml': 'a: "first\\r\\nsecond"\r\n' }).value).toEqual({ a: 'first\r\nsecond' });
  });

  test('has the same places in messages', () => {
    expect(read({ 'dev.yaml': lines.join('\r\n') }).locate(['d', 1])).toBe(at('dev.yaml:9:3'));
  });
});

describe('an alias', () => {
  test('repeats what has its anchor, of whichever form it is', () => {
    expect(
      read({ 'dev.yaml': 'a: &a { x: 1 }\nb: &b [y]\nc: &c z\nd: { a: *a, b: *b, c: [*c, *c] }\n' }).value,
    ).toEqual({ a: { x: 1 }, b: ['y'], c: 'z', d: { a: { x: 1 }, b: ['y'], c: ['z', 'z'] } });
  });

  test('repeats the last of several that have one name', () => {
    expect(read({ 'dev.yaml': 'a: &a 1\nb: *a\nc: &a 2\nd: *a\n' }).value).toEqual({ a: 1, b: 1, c: 2, d: 2 });
  });

  test('is merged with what the base says, as if it were written down', () => {
    expect(
      read({
        'dev.yaml': 'extends: base.yaml\na: &a { x: 1 }\nb: *a\n',
        'base.yaml': 'a: { y: 2 }\nb: { z: 3 }\n',
      }).value,
    ).toEqual({ a: { x: 1, y: 2 }, b: { x: 1, z: 3 } });
  });
});

describe('null', () => {
  test('takes a setting away, in a file that extends nothing too', () => {
    const { value } = read({ 'dev.yaml': 'a: null\nb: ~\nc:\nd: { e: null, f: 1 }\ng: [{ h: null, i: 1 }]\n' });
    expect(value).toEqual({ d: { f: 1 }, g: [{ i: 1 }] });
    expect(Object.keys(value as object)).toEqual(['d', 'g']);
  });

  test('in a list is an entry, for others would change their places', () => {
    expect(read({ 'dev.yaml': 'a: [x, null, z]\n' }).value).toEqual({ a: ['x', null, 'z'] });
  });

  test('of the base is nothing that a file must take away', () => {
    expect(read({ 'dev.yaml': 'extends: base.yaml\na: { x: 1 }\n', 'base.yaml': 'a: null\nb: null\n' }).value).toEqual({
      a: { x: 1 },
    });
  });

  test('takes away what the base extends', () => {
    expect(
      read({
        'dev.yaml': 'extends: small.yaml\n',
        'small.yaml': 'extends: base.yaml\na: null\n',
        'base.yaml': 'a: 1\nb: 2\n',
      }).value,
    ).toEqual({ b: 2 });
  });

  test('can stand for the file that is extended', () => {
    expect(read({ 'dev.yaml': 'extends: null\na: 1\n' }).value).toEqual({ a: 1 });
  });
});

describe('names that every map has', () => {
  test.each(['constructor', 'toString', 'hasOwnProperty'])('are names like others: %s', (name) => {
    expect(read({ 'dev.yaml': 'extends: base.yaml\na: 1\n', 'base.yaml': `${name}: { x: 1 }\n` }).value).toEqual({
      a: 1,
      [name]: { x: 1 },
    });
  });
});

describe('what would be read otherwise than it looks is refused', () => {
  test.each([
    ['a tag', 'a: !vault x\n', '1:4 has the tag !vault, which nothing here resolves; remove it'],
    ['a tag of a map', 'a: 1\nb: !ref { c: 1 }\n', '2:4 has the tag !ref, which nothing here resolves; remove it'],
    ['a version', '# a\n%YAML 1.1\n---\na: yes\n', '2:1 has the directive %YAML 1.1; remove it, files are YAML 1.2'],
    ['a prefix of tags', '%TAG ! x\n---\na: 1\n', '1:1 has the directive %TAG ! x; remove it, files are YAML 1.2'],
    ['an unknown directive', '%FOO\n---\na: 1\n', '1:1 is not valid YAML: unknown directive %FOO'],
    [
      'a merge key',
      'a: &a { x: 1 }\nb:\n  <<: *a\n',
      '3:3 merge keys are not supported; put what files have in common into a file that they extend',
    ],
    [
      'a list as a key',
      'a:\n  ? [b, c]\n  : 1\n',
      '2:5 a list or a map cannot be the name of anything here; write a text',
    ],
    ['a map as a key', 'a: { { b: c }: 1 }\n', '1:6 a list or a map cannot be the name of anything here; write a text'],
    ...[
      ['12345678901234567890', '12345678901234567000'],
      ['1.10', '1.1'],
      ['00123', '123'],
      ['1e3', '1000'],
      ['0o17', '15'],
      ['True', 'true'],
    ].map(([text, read]): [string, string, string] => [
      `a variable ${text}`,
      `api:\n  env: { A: ${text} }\n`,
      `2:10 api.env.A: is ${text}, which YAML reads as ${read}; put it in quotes`,
    ]),
    [
      'a variable behind an alias',
      'a: &a 1.10\nlist: [{ env: { B: 1, A: *a } }]\n',
      '2:23 list.0.env.A: is 1.10, which YAML reads as 1.1; put it in quotes',
    ],
    [
      'the name of a prototype',
      'a:\n  __proto__: 1\n',
      '2:3 __proto__ cannot be the name of anything here; choose another',
    ],
  ])('%s', (_, text, problem) => {
    expect(problemsOf({ 'dev.yaml': text })).toEqual([`${at('dev.yaml')}:${problem}`]);
  });

  test('but not a percent sign within', () => {
    expect(read({ 'dev.yaml': 'a: |\n  %x\nb: "%YAML"\n' }).value).toEqual({ a: '%x\n', b: '%YAML' });
  });
});

test('variables that are texts, or numbers and switches that stay as they stand, are read', () => {
  const env = '{ A: "1.10", B: 1.5, C: -3, D: true, E: 0, F: 0.1, G: [1.10], H: { secret: a, key: b } }';
  expect(read({ 'dev.yaml': `api:\n  env: ${env}\n  cpu: 1.0\n` }).value).toMatchObject({
    api: { env: { A: '1.10', B: 1.5, C: -3, D: true, E: 0, F: 0.1 }, cpu: 1 },
  });
});

describe('what no program could read is refused by the file', () => {
  test('deep nesting', () => {
    const levels = 50_000;
    const deep = ' is nested more than 100 levels deep; no setting is';
    expect(problemsOf({ 'dev.yaml': `a: ${'['.repeat(levels)}${']'.repeat(levels)}\n` })).toEqual([
      at('dev.yaml') + deep,
    ]);
    expect(problemsOf({ 'dev.yaml': `a:\n  ${'- '.repeat(levels)}x\n` })).toEqual([at('dev.yaml') + deep]);
    expect(read({ 'dev.yaml': `a: ${'['.repeat(40)}${']'.repeat(40)}\n` }).value).toHaveProperty('a');
  });

  test('aliases of aliases', () => {
    const level = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(of).join(', ')}]`;
    const bomb = [level('a', 'x'), level('b', '*a'), level('c', '*b'), level('d', '*c')].join('\n');
    expect(refusalOf(() => read({ 'dev.yaml': bomb }).value)).toEqual(
      new EnvironmentError([`${at('dev.yaml')} has aliases that repeat too much; write out what they stand for`]),
    );
  });

  test('what is not UTF-8', () => {
    writeFileSync(folder.pathOf('dev.yaml'), Buffer.from([0x61, 0x3a, 0x20, 0xff, 0x0a]));
    expect(refusalOf(() => EnvironmentFile.read(folder.pathOf('dev.yaml'))).message).toBe(
      `${at('dev.yaml')} is not UTF-8 text; save it as UTF-8`,
    );
  });

  test.each([
    ['a folder', (path: string) => mkdirSync(path), 'is a folder; move it away, or give it another name'],
    [
      'a link to itself',
      (path: string) => symlinkSync('odd.yaml', path),
      'is a symbolic link that leads to itself; replace it by a file',
    ],
    [
      'a link that leads nowhere',
      (path: string) => symlinkSync('nowhere.yaml', path),
      'does not exist, or is a link that leads nowhere; give the path of an environment file',
    ],
  ])('%s', (_, create, problem) => {
    const path = folder.pathOf('odd.yaml');
    create(path);
    expect(refusalOf(() => EnvironmentFile.read(path))).toEqual(new EnvironmentError([`${at('odd.yaml')} ${problem}`]));
    rmSync(path, { recursive: true });
  });
});

describe('the name of a file', () => {
  test.each(['..yaml', '.hidden.yaml', 'a b.yaml', 'Dev.yaml', '-dev.yaml', 'dev_2.yml', 'dev.old.yaml'])(
    'is that of a folder and an application, so it is refused: %s',
    (name) => {
      const [problem, ...rest] = problemsOf({ [name]: 'a: 1\n' });
      expect(rest).toEqual([]);
      expect(problem).toMatch(/ its name without extension is ".*", but must be a DNS label: lower-case letters, /);
      expect(problem?.startsWith(`${at(name)} its name`)).toBe(true);
    },
  );

  test('may be any for a file that is only extended', () => {
    expect(read({ 'dev.yaml': 'extends: _All Of Us.yaml\n', '_All Of Us.yaml': 'a: 1\n' }).value).toEqual({ a: 1 });
  });
});

describe('a file that extends another', () => {
  test('changes single values and keeps the others', () => {
    expect(read({ 'dev.yaml': 'extends: base.yaml\nb: 3\n', 'base.yaml': 'a: 1\nb: 2\n' }).value).toEqual({
      a: 1,
      b: 3,
    });
  });

  test('is merged with it map by map, however deep', () => {
    const value = read({
      'dev.yaml': 'extends: base.yaml\napi: { image: { tag: 1.9.0 }, env: { LOG_LEVEL: debug } }\n',
      'base.yaml': 'api: { image: { repository: acme/api, tag: 1.8.2 }, env: { LOG_LEVEL: info, REGION: eu } }\n',
    }).value;
    expect(value).toEqual({
      api: { image: { repository: 'acme/api', tag: '1.9.0' }, env: { LOG_LEVEL: 'debug', REGION: 'eu' } },
    });
  });

  test('replaces lists as a whole', () => {
    expect(
      read({ 'dev.yaml': 'extends: base.yaml\na: [z]\nb: []\n', 'base.yaml': 'a: [x, y]\nb: [x]\nc: [x]\n' }).value,
    ).toEqual({ a: ['z'], b: [], c: ['x'] });
  });

  test('removes what it sets to null', () => {
    const value = read({
      'dev.yaml': 'extends: base.yaml\nqueue: null\nroute: { path: ~ }\n',
      'base.yaml': 'queue: { storage: 4Gi }\nroute: { host: a.example, path: / }\n',
    }).value;
    expect(value).toEqual({ route: { host: 'a.example' } });
    expect(value).not.toHaveProperty('queue');
    expect(value).not.toHaveProperty('route.path');
  });

  test('can put something of another form in the place of what there is', () => {
    expect(
      read({ 'dev.yaml': 'extends: base.yaml\na: 1\nb: { x: 1 }\n', 'base.yaml': 'a: { x: 1 }\nb: [1]\n' }).value,
    ).toEqual({ a: 1, b: { x: 1 } });
  });

  test('can extend a file that extends another', () => {
    const value = read({
      'dev.yaml': 'extends: small.yaml\nd: dev\n',
      'small.yaml': 'extends: base.yaml\nb: small\nc: small\nd: small\n',
      'base.yaml': 'a: base\nb: base\nc: base\n',
    }).value;
    expect(value).toEqual({ a: 'base', b: 'small', c: 'small', d: 'dev' });
  });

  test('does not pass on that it does', () => {
    expect(read({ 'dev.yaml': 'extends: base.yaml\n', 'base.yaml': 'a: 1\n' }).value).not.toHaveProperty('extends');
  });

  test('names the other from where it stands itself', () => {
    folder.write({ 'base.yaml': 'a: 1\n', 'dev.yaml': 'extends: ./base.yaml\n' });
    const before = process.cwd();
    try {
      process.chdir('/');
      expect(EnvironmentFile.read(folder.pathOf('dev.yaml')).value).toEqual({ a: 1 });
    } finally {
      process.chdir(before);
    }
  });
});

describe('a file is refused', () => {
  test('when what it extends is not there', () => {
    expect(problemsOf({ 'dev.yaml': 'namespace: dev\nextends: nowhere.yaml\n' })).toEqual([
      `${at('dev.yaml')}:2:1 extends: there is no file "nowhere.yaml" beside this one`,
    ]);
  });

  test('when what its base extends is not there, at the line of the base', () => {
    expect(
      problemsOf({ 'dev.yaml': 'extends: base.yaml\n', 'base.yaml': 'a: 1\nb: 2\nextends: nowhere.yaml\n' }),
    ).toEqual([`${at('base.yaml')}:3:1 extends: there is no file "nowhere.yaml" beside this one`]);
  });

  test.each(['.', '""', './'])('when it extends the folder %s', (base) => {
    expect(problemsOf({ 'dev.yaml': `namespace: dev\nextends: ${base}\n` })).toEqual([
      `${at('dev.yaml')}:2:1 extends: there is no file ${base === '""' ? base : `"${base}"`} beside this one`,
    ]);
  });

  test('when it extends itself', () => {
    expect(problemsOf({ 'dev.yaml': 'extends: dev.yaml\n' })).toEqual([
      `${at('dev.yaml')}:1:1 extends: the file extends itself; remove one of the extends`,
    ]);
  });

  test('when it is extended by what it extends, at the line that closes the circle', () => {
    expect(problemsOf({ 'dev.yaml': 'extends: base.yaml\n', 'base.yaml': 'a: 1\nextends: dev.yaml\n' })).toEqual([
      `${at('base.yaml')}:2:1 extends: the file extends itself; remove one of the extends`,
    ]);
  });

  test('when there is a circle in what it extends', () => {
    expect(
      problemsOf({
        'dev.yaml': 'extends: one.yaml\n',
        'one.yaml': 'extends: two.yaml\n',
        'two.yaml': '# nothing new\nextends: ./one.yaml\n',
      }),
    ).toEqual([`${at('two.yaml')}:2:1 extends: the file extends itself; remove one of the extends`]);
  });

  test.each([['5'], ['[base.yaml]'], ['{ file: base.yaml }'], ['true']])('when it extends %s', (base) => {
    expect(problemsOf({ 'dev.yaml': `namespace: dev\nextends: ${base}\n` })).toEqual([
      `${at('dev.yaml')}:2:1 extends: must be the name of a file beside this one`,
    ]);
  });

  test.each([
    ['empty', ''],
    ['a comment', '# nothing yet\n'],
    ['a list', '- a\n'],
    ['a text', 'hello\n'],
  ])('when it is %s', (_, text) => {
    expect(problemsOf({ 'dev.yaml': text })).toEqual([`${at('dev.yaml')}:1:1 must be a map of settings`]);
  });

  test('when its base is no map', () => {
    expect(problemsOf({ 'dev.yaml': 'extends: base.yaml\n', 'base.yaml': '- a\n' })).toEqual([
      `${at('base.yaml')}:1:1 must be a map of settings`,
    ]);
  });

  test('when it is not valid YAML, with line and column', () => {
    expect(problemsOf({ 'dev.yaml': 'a: 1\nb: "two\n' })).toEqual([
      `${at('dev.yaml')}:3:1 is not valid YAML: missing closing "quote`,
    ]);
    expect(problemsOf({ 'dev.yaml': 'a:\n  b: 1\n\tc: 2\n' })).toEqual([
      `${at('dev.yaml')}:3:1 is not valid YAML: tabs are not allowed as indentation`,
    ]);
  });

  test('when it holds two documents, at the second one', () => {
    expect(problemsOf({ 'dev.yaml': 'a: 1\n---\nb: 2\n' })).toEqual([
      `${at('dev.yaml')}:2:1 is not valid YAML: a second document begins here; a file holds one`,
    ]);
  });

  test.each([
    ['nowhere', 'a: 1\nb: *c\n', '2:4', 'c'],
    ['only below', 'b: *c\na: &c 1\n', '1:4', 'c'],
    ['nowhere, first of two', 'a: *x\nb: *y\n', '1:4', 'x'],
    ['nowhere, deep in it', 'api:\n  externals:\n    - host: *openai\n', '3:13', 'openai'],
    ['nowhere, in what it extends', 'extends: *base\n', '1:10', 'base'],
  ])('when it repeats something that is %s', (_, text, place, name) => {
    expect(problemsOf({ 'dev.yaml': text })).toEqual([
      `${at('dev.yaml')}:${place} is not valid YAML: no anchor above it is named &${name}`,
    ]);
  });

  test('when its base repeats something that only the file itself has', () => {
    expect(problemsOf({ 'dev.yaml': 'extends: base.yaml\na: &c 1\n', 'base.yaml': 'a: 1\nb: *c\n' })).toEqual([
      `${at('base.yaml')}:2:4 is not valid YAML: no anchor above it is named &c`,
    ]);
  });

  test.each([
    ['a map', 'a: &a { b: *a }\n', '1:12', 'a'],
    ['a list', 'api:\n  args: &args [x, *args]\n', '2:19', 'args'],
    ['a map, far below', 'a: &a\n  b:\n    - c: *a\n', '3:10', 'a'],
    ['the whole file', '&all\na: *all\n', '2:4', 'all'],
    ['a map that has the name of one above', 'a: &a { x: 1 }\nb: &a { y: *a }\n', '2:12', 'a'],
  ])('when it repeats %s inside of itself', (_, text, place, name) => {
    expect(problemsOf({ 'dev.yaml': text })).toEqual([
      `${at('dev.yaml')}:${place} is not valid YAML: *${name} stands inside of what it refers to`,
    ]);
  });

  test('when a key is there twice, at the second one', () => {
    expect(problemsOf({ 'dev.yaml': 'api:\n  port: 1\n  port: 2\n' })).toEqual([
      `${at('dev.yaml')}:3:3 is not valid YAML: map keys must be unique`,
    ]);
  });

  test('with everything that is not valid, in whichever file it is', () => {
    expect(problemsOf({ 'dev.yaml': 'extends: base.yaml\n', 'base.yaml': 'a: 1\na: 2\nb: 1\nb: 2\n' })).toEqual([
      `${at('base.yaml')}:2:1 is not valid YAML: map keys must be unique`,
      `${at('base.yaml')}:4:1 is not valid YAML: map keys must be unique`,
    ]);
  });

  test('when it is not there at all', () => {
    expect(() => EnvironmentFile.read(folder.pathOf('none.yaml'))).toThrow(
      new EnvironmentError([
        `${at('none.yaml')} does not exist, or is a link that leads nowhere; give the path of an environment file`,
      ]),
    );
    const home = dirname(folder.pathOf('none.yaml'));
    expect(() => EnvironmentFile.read(home)).toThrow(
      new EnvironmentError([`${relative(process.cwd(), home)} is a folder; move it away, or give it another name`]),
    );
  });
});

describe('the place of a value', () => {
  const file = () =>
    read({
      'dev.yaml': [
        'extends: base.yaml',
        'api:',
        '  image: { tag: 1.9.0 }',
        'pools:',
        '  - name: general',
        '    nodes: 3',
        '  - { name: gpu }',
        '',
      ].join('\n'),
      'base.yaml': [
        'api:',
        '  port: 8000',
        '  image:',
        '    repository: acme/api',
        'args:',
        '  - one',
        '  - two',
        '',
      ].join('\n'),
    });

  test.each<[string, (string | number)[], string, string]>([
    ['a value of the file itself', ['api', 'image', 'tag'], 'dev.yaml', '3:12'],
    ['a map that both have', ['api'], 'dev.yaml', '2:1'],
    ['a value of the base', ['api', 'port'], 'base.yaml', '2:3'],
    ['a value of the base in a map that both have', ['api', 'image', 'repository'], 'base.yaml', '4:5'],
    ['an entry of a list', ['pools', 0], 'dev.yaml', '5:5'],
    ['a value in an entry of a list', ['pools', 0, 'nodes'], 'dev.yaml', '6:5'],
    ['a value in an entry in braces', ['pools', 1, 'name'], 'dev.yaml', '7:7'],
    ['an entry of a list of the base', ['args', 1], 'base.yaml', '7:5'],
    ['a value that is missing: the map around it', ['api', 'image', 'digest'], 'dev.yaml', '3:3'],
    ['a value missing in an entry of a list: the entry', ['pools', 1, 'nodes'], 'dev.yaml', '7:5'],
    ['a value missing in an entry of the base that is no map', ['args', 0, 'x'], 'base.yaml', '6:5'],
    ['a map that is missing: the beginning', ['route', 'host'], 'dev.yaml', '1:1'],
    ['the whole', [], 'dev.yaml', '1:1'],
  ])('%s', (_, path, name, place) => {
    expect(file().locate(path)).toBe(`${at(name)}:${place}`);
  });

  test('in a list is in the file that has the list last, and nowhere in the lists below it', () => {
    const layers = read({
      'dev.yaml': 'extends: base.yaml\npools:\n  - { name: a }\n',
      'base.yaml': 'pools:\n  - { name: b, nodes: 1 }\n  - { name: c, nodes: 2 }\n',
    });
    expect(layers.locate(['pools', 0, 'name'])).toBe(`${at('dev.yaml')}:3:7`);
    expect(layers.locate(['pools', 0, 'nodes'])).toBe(`${at('dev.yaml')}:3:5`);
    expect(layers.locate(['pools', 1, 'nodes'])).toBe(`${at('dev.yaml')}:2:1`);
  });

  test('below a single value is that, and nowhere in the maps below it', () => {
    const layers = read({
      'dev.yaml': 'extends: base.yaml\n\napi: 5\n',
      'base.yaml': 'api:\n  image: { tag: 1.8.2 }\n',
    });
    expect(layers.locate(['api', 'image', 'tag'])).toBe(`${at('dev.yaml')}:3:1`);
  });

  test('in a list of the base is there, when no other file has the list', () => {
    const layers = read({
      'dev.yaml': 'extends: base.yaml\napi: { port: 1 }\n',
      'base.yaml': 'api:\n  externals:\n    - { host: a }\n',
    });
    expect(layers.locate(['api', 'externals', 0, 'host'])).toBe(`${at('base.yaml')}:3:9`);
  });

  test('in what an alias repeats is the alias', () => {
    const file = read({ 'dev.yaml': 'a: &a\n  x: 1\nb:\n  c: *a\n' });
    expect(file.locate(['a', 'x'])).toBe(`${at('dev.yaml')}:2:3`);
    expect(file.locate(['b', 'c', 'x'])).toBe(`${at('dev.yaml')}:4:3`);
  });

  test('is found by a key that is a number', () => {
    const labels = read({ 'dev.yaml': 'labels:\n  5: x\n  0644: y\n  1.5: z\n' });
    expect(labels.locate(['labels', '5'])).toBe(`${at('dev.yaml')}:2:3`);
    expect(labels.locate(['labels', 5])).toBe(`${at('dev.yaml')}:2:3`);
    expect(labels.locate(['labels', '1.5'])).toBe(`${at('dev.yaml')}:4:3`);
  });

  test('is where the settings begin, when a comment stands before them', () => {
    expect(read({ 'dev.yaml': '# one\n# two\nnamespace: dev\n' }).locate(['api'])).toBe(`${at('dev.yaml')}:3:1`);
  });
});

/** Values that stand in environment files; none of them null, which removes. */
const scalar = fc.oneof(fc.boolean(), fc.integer(), fc.string(), fc.constantFrom('yes', '0644', '1e3', '~', ''));
const key = fc.stringMatching(/^[a-z][a-zA-Z]{0,4}$/).filter((name) => name !== 'extends');
const { settings } = fc.letrec<{ settings: Record<string, unknown>; value: unknown }>((tie) => ({
  settings: fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  value: fc.oneof({ depthSize: 'small' }, scalar, fc.array(scalar, { maxLength: 3 }), tie('settings')),
}));

/** Settings of which each has one form wherever it stands: what begins with m is a map, with l a list. */
const { formed } = fc.letrec<{ formed: Record<string, unknown> }>((tie) => ({
  formed: fc
    .record(
      {
        ma: fc.oneof({ depthSize: 'small' }, fc.constant({}), tie('formed')),
        mb: fc.oneof({ depthSize: 'small' }, fc.constant({}), tie('formed')),
        la: fc.array(scalar, { maxLength: 2 }),
        sa: scalar,
        sb: scalar,
      },
      { requiredKeys: [], noNullPrototype: true },
    )
    .map((some) => some as Record<string, unknown>),
}));

/** Content of a file that extends another. */
function extending(name: string, content: Record<string, unknown>): string {
  return stringify({ extends: name, ...content });
}

/** The value of an overlay over a base. */
function merged(overlay: Record<string, unknown>, base: Record<string, unknown>): Record<string, unknown> {
  return read({ 'overlay.yaml': extending('base.yaml', overlay), 'base.yaml': stringify(base) }).value as Record<
    string,
    unknown
  >;
}

/** The single values and lists of settings by their paths. */
function leaves(value: unknown, path: string[] = []): [string[], unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value).flatMap(([name, child]) => leaves(child, [...path, name]))
    : [[path, value]];
}

function valueAt(value: unknown, path: string[]): unknown {
  return path.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], value);
}

describe('merging', () => {
  test('with an empty overlay changes nothing', () => {
    fc.assert(fc.property(settings, (base) => expect(merged({}, base)).toEqual(base)));
  });

  test('with an empty base changes nothing', () => {
    fc.assert(fc.property(settings, (overlay) => expect(merged(overlay, {})).toEqual(overlay)));
  });

  test('lets every value of the overlay win', () => {
    fc.assert(
      fc.property(settings, settings, (overlay, base) => {
        const value = merged(overlay, base);
        for (const [path, leaf] of leaves(overlay)) {
          expect(valueAt(value, path)).toEqual(leaf);
        }
      }),
    );
  });

  test('keeps what the overlay says nothing about', () => {
    fc.assert(
      fc.property(settings, settings, (overlay, base) => {
        const value = merged(overlay, base);
        const kept = Object.keys(base).filter((name) => !(name in overlay));
        expect(kept.map((name) => value[name])).toEqual(kept.map((name) => base[name]));
        expect(Object.keys(value).sort()).toEqual([...new Set([...Object.keys(base), ...Object.keys(overlay)])].sort());
      }),
    );
  });

  test('of three layers is the same whichever two are merged first', () => {
    fc.assert(
      fc.property(formed, formed, formed, (top, middle, bottom) => {
        const chain = read({
          'top.yaml': extending('middle.yaml', top),
          'middle.yaml': extending('bottom.yaml', middle),
          'bottom.yaml': stringify(bottom),
        }).value;
        expect(merged(top, merged(middle, bottom))).toEqual(chain);
        expect(merged(merged(top, middle), bottom)).toEqual(chain);
      }),
    );
  });

  test('lets nobody change what was read, and changes no file', () => {
    fc.assert(
      fc.property(settings, settings, (overlay, base) => {
        const texts = { 'overlay.yaml': extending('base.yaml', overlay), 'base.yaml': stringify(base) };
        const file = read(texts);
        const first = file.value;
        const copy = structuredClone(first);
        spoil(first);
        expect(file.value).toEqual(copy);
        for (const [name, text] of Object.entries(texts)) {
          expect(readFileSync(folder.pathOf(name), 'utf8')).toBe(text);
        }
      }),
    );
  });
});

/** Changes every map and list in a value. */
function spoil(value: unknown): void {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(spoil);
    Object.assign(value, Array.isArray(value) ? [...value, 'spoiled'] : { spoiled: true });
  }
}
