import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { ApiObject, App, Chart } from 'cdk8s';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { GENERATED_MARK, OutputFolder, type Rendered } from '../../charts/output-folder';
import { RenderedEnvironment } from '../../charts/rendered-environment';
import type { ManifestObject } from '../../constructs/rules/output';
import { contentOf, writtenAt } from '../support/folder-content';

let home: string;
let path: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'output-'));
  path = join(home, 'dist');
});
afterEach(() => rmSync(home, { recursive: true }));

/** A file that begins as rendered ones do. */
function marked(text: string): string {
  return `${GENERATED_MARK} a.yaml. Do not edit.\n${text}\n`;
}

/** A rendered file, with an object that holds this text. */
function rendered(text: string): string {
  return marked(stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { text } }));
}

/** Files that are a safe step from whatever was there before. */
function safe(files: Map<string, string>): Rendered {
  return { files, objectIn: () => undefined, changeProblems: () => [], changeWarnings: () => [] };
}

const ONE = safe(
  new Map([
    ['dev/api.service.yaml', rendered('api')],
    ['dev/qdrant.service.yaml', rendered('qdrant')],
    ['production/api.service.yaml', rendered('production')],
  ]),
);

const OTHER = safe(
  new Map([
    ['dev/api.service.yaml', rendered('api, changed')],
    ['dev/qdrant.service.yaml', rendered('qdrant')],
    ['dev/queue.service.yaml', rendered('queue')],
  ]),
);

/** Why a folder with these files is not replaced. */
function foreign(...files: string[]): Error {
  return new Error(
    `${shown('')} is replaced as a whole, but ${files.map(shown).join(', ')} ` +
      (files.length === 1
        ? 'was not rendered by this project; move it '
        : 'were not rendered by this project; move them ') +
      'to another folder, or delete what is not needed',
  );
}

function put(file: string, text: string): void {
  mkdirSync(dirname(join(home, file)), { recursive: true });
  writeFileSync(join(home, file), text);
}

/** The folder as messages name it. */
function shown(file: string): string {
  return join(relative(process.cwd(), path), file);
}

describe('a folder', () => {
  test('is created with the files in it, each below its own folder', () => {
    expect(new OutputFolder(path).replace(ONE)).toEqual({
      written: ['dev/api.service.yaml', 'dev/qdrant.service.yaml', 'production/api.service.yaml'],
      removed: [],
    });
    expect(contentOf(path)).toEqual(Object.fromEntries(ONE.files));
  });

  test('loses what is no longer rendered, empty folders too', () => {
    new OutputFolder(path).replace(ONE);
    expect(new OutputFolder(path).replace(OTHER)).toEqual({
      written: ['dev/api.service.yaml', 'dev/queue.service.yaml'],
      removed: ['production/api.service.yaml'],
    });
    expect(contentOf(path)).toEqual(Object.fromEntries(OTHER.files));
    expect(readdirSync(path)).toEqual(['dev']);
  });

  test('leaves nothing beside it', () => {
    new OutputFolder(path).replace(ONE);
    new OutputFolder(path).replace(OTHER);
    expect(readdirSync(home)).toEqual(['dist']);
  });

  test('is not touched when nothing changes', () => {
    new OutputFolder(path).replace(ONE);
    const before = writtenAt(path);
    expect(new OutputFolder(path).replace(ONE)).toEqual({ written: [], removed: [] });
    expect(writtenAt(path)).toEqual(before);
    expect(Object.keys(before)).toHaveLength(3);
  });

  test('is not touched by a comparison, which says the same as the replacement', () => {
    new OutputFolder(path).replace(ONE);
    const before = writtenAt(path);
    const expected = new OutputFolder(path).compare(OTHER);
    expect(writtenAt(path)).toEqual(before);
    expect(new OutputFolder(path).replace(OTHER)).toEqual(expected);
  });

  test('that is not there is not created by a comparison', () => {
    expect(new OutputFolder(path).compare(ONE).written).toEqual([...ONE.files.keys()]);
    expect(readdirSync(home)).toEqual([]);
  });

  test('that is empty is filled', () => {
    mkdirSync(path);
    new OutputFolder(path).replace(ONE);
    expect(contentOf(path)).toEqual(Object.fromEntries(ONE.files));
  });

  test('holds exactly what was rendered last, whatever was in it', () => {
    const files = fc
      .uniqueArray(fc.tuple(fc.constantFrom('a', 'b/c', 'b/d'), fc.constantFrom('x', 'y', 'z'), fc.string()), {
        minLength: 1,
        maxLength: 6,
        selector: ([folder, name]) => `${folder}/${name}`,
      })
      .map((some) => new Map(some.map(([folder, name, text]) => [`${folder}/${name}.yaml`, rendered(text)])));
    fc.assert(
      fc.property(files, files, (first, second) => {
        new OutputFolder(path).replace(safe(first));
        const { written, removed } = new OutputFolder(path).replace(safe(second));
        expect(contentOf(path)).toEqual(Object.fromEntries(second));
        expect(written).toEqual([...second.keys()].filter((file) => first.get(file) !== second.get(file)).sort());
        expect(removed).toEqual([...first.keys()].filter((file) => !second.has(file)).sort());
        rmSync(path, { recursive: true });
      }),
      { numRuns: 50 },
    );
  });
});

describe('what operating systems and editors leave in a folder', () => {
  const LITTER = [
    '.DS_Store',
    'Thumbs.db',
    'desktop.ini',
    '.gitkeep',
    'dev/._api.service.yaml',
    'dev/.api.service.yaml.swp',
    'dev/api.service.yaml~',
    'dev/#api.service.yaml#',
    'dev/.nfs000000000123abcd',
    'gone/.DS_Store',
  ];

  beforeEach(() => {
    new OutputFolder(path).replace(ONE);
    for (const file of LITTER) {
      put(`dist/${file}`, '\u0000');
    }
    symlinkSync('me@host.4711', join(path, 'dev', '.#api.service.yaml'));
    mkdirSync(join(path, 'empty'));
  });

  test('is no difference, and stays while nothing changes', () => {
    expect(new OutputFolder(path).compare(ONE)).toEqual({ written: [], removed: [] });
    expect(new OutputFolder(path).replace(ONE)).toEqual({ written: [], removed: [] });
    expect(Object.keys(contentOf(path))).toEqual([...ONE.files.keys(), ...LITTER].sort());
  });

  test('is gone with the next change, and no change of its own', () => {
    const expected = {
      written: ['dev/api.service.yaml', 'dev/queue.service.yaml'],
      removed: ['production/api.service.yaml'],
    };
    expect(new OutputFolder(path).compare(OTHER)).toEqual(expected);
    expect(new OutputFolder(path).replace(OTHER)).toEqual(expected);
    expect(contentOf(path)).toEqual(Object.fromEntries(OTHER.files));
    expect(readdirSync(path)).toEqual(['dev']);
  });
});

test('line endings that Git wrote into a clone are no difference', () => {
  new OutputFolder(path).replace(ONE);
  for (const [file, text] of ONE.files) {
    put(`dist/${file}`, text.replaceAll('\n', '\r\n'));
  }
  expect(new OutputFolder(path).compare(ONE)).toEqual({ written: [], removed: [] });
  expect(new OutputFolder(path).compare(OTHER).written).toEqual(['dev/api.service.yaml', 'dev/queue.service.yaml']);
  new OutputFolder(path).replace(OTHER);
  expect(contentOf(path)).toEqual(Object.fromEntries(OTHER.files));
});

describe('a folder is left as it was', () => {
  test('when nothing was rendered', () => {
    new OutputFolder(path).replace(ONE);
    const before = writtenAt(path);
    expect(() => new OutputFolder(path).replace(safe(new Map()))).toThrow(
      new Error(`refusing to empty ${shown('')}: nothing was rendered`),
    );
    expect(writtenAt(path)).toEqual(before);
  });

  test('when a file would be overwritten that was not rendered', () => {
    new OutputFolder(path).replace(ONE);
    put('dist/dev/queue.service.yaml', 'kind: Service\n');
    const before = [contentOf(path), writtenAt(path)];
    expect(() => new OutputFolder(path).replace(OTHER)).toThrow(foreign('dev/queue.service.yaml'));
    expect([contentOf(path), writtenAt(path)]).toEqual(before);
    expect(readdirSync(home)).toEqual(['dist']);
  });

  test('when a file would be removed that was not rendered', () => {
    new OutputFolder(path).replace(ONE);
    put('dist/README.md', 'Notes.\n');
    const before = [contentOf(path), writtenAt(path)];
    expect(() => new OutputFolder(path).replace(ONE)).toThrow(foreign('README.md'));
    expect([contentOf(path), writtenAt(path)]).toEqual(before);
  });

  test('when a file has the mark of another generator', () => {
    new OutputFolder(path).replace(ONE);
    put('dist/dev/other.yaml', '# Generated from other.json by somebody else\n');
    expect(() => new OutputFolder(path).replace(ONE)).toThrow(foreign('dev/other.yaml'));
    expect(contentOf(path)['dev/other.yaml']).toBe('# Generated from other.json by somebody else\n');
  });

  test('with all such files named', () => {
    put('dist/dev/api.service.yaml', 'kind: Service\n');
    put('dist/dev/empty.yaml', '');
    put('dist/dev/indented.yaml', `\n${GENERATED_MARK} a.yaml\n`);
    expect(() => new OutputFolder(path).replace(ONE)).toThrow(
      foreign('dev/api.service.yaml', 'dev/empty.yaml', 'dev/indented.yaml'),
    );
  });

  test('with a folder named that holds nothing else, and said by a comparison alike', () => {
    new OutputFolder(path).replace(ONE);
    put('dist/.idea/workspace.xml', '<x/>');
    put('dist/.idea/shelf/change.patch', '');
    put('dist/dev/notes/a.md', 'Notes.\n');
    put('dist/dev/a.md', 'Notes.\n');
    const before = [contentOf(path), writtenAt(path)];
    const problem = foreign('.idea', 'dev/a.md', 'dev/notes');
    expect(() => new OutputFolder(path).replace(ONE)).toThrow(problem);
    expect(() => new OutputFolder(path).compare(ONE)).toThrow(problem);
    expect([contentOf(path), writtenAt(path)]).toEqual(before);
  });

  test.each([
    ['a file', 'notes.txt'],
    ['a folder', 'notes'],
    ['nothing', 'nowhere'],
  ])('when there is a symbolic link in it, to %s', (_, target) => {
    new OutputFolder(path).replace(ONE);
    put('notes.txt', rendered('looks rendered'));
    put('notes/a.yaml', rendered('looks rendered'));
    symlinkSync(join(home, target), join(path, 'dev', 'link.yaml'));
    const before = [contentOf(path), writtenAt(path)];
    expect(() => new OutputFolder(path).compare(ONE)).toThrow(foreign('dev/link.yaml'));
    expect(() => new OutputFolder(path).replace(ONE)).toThrow(foreign('dev/link.yaml'));
    expect([contentOf(path), writtenAt(path)]).toEqual(before);
    expect(readlinkSync(join(path, 'dev', 'link.yaml'))).toBe(join(home, target));
  });

  test('when a symbolic link is in the place of a file', () => {
    new OutputFolder(path).replace(ONE);
    put('elsewhere.yaml', rendered('queue'));
    symlinkSync(join(home, 'elsewhere.yaml'), join(path, 'dev', 'queue.service.yaml'));
    expect(() => new OutputFolder(path).replace(OTHER)).toThrow(foreign('dev/queue.service.yaml'));
    expect(contentOf(home)['elsewhere.yaml']).toBe(rendered('queue'));
  });

  test('when writing fails half-way', () => {
    new OutputFolder(path).replace(ONE);
    const before = [contentOf(path), writtenAt(path)];
    const impossible = new Map([
      ['dev/api', rendered('a file')],
      ['dev/api/service.yaml', rendered('a file below a file')],
    ]);
    expect(() => new OutputFolder(path).replace(safe(impossible))).toThrow(
      /^cannot write .*: (EEXIST|ENOTDIR): .*; it is as it was; /,
    );
    expect([contentOf(path), writtenAt(path)]).toEqual(before);
    expect(new OutputFolder(path).replace(OTHER).written).toContain('dev/queue.service.yaml');
    expect(contentOf(path)).toEqual(Object.fromEntries(OTHER.files));
  });
});

describe('a run that was interrupted', () => {
  /** Process ids are below 2^22 on Linux, so no process has this one. */
  const LEFT_OVER = '.dist-99999999-a1B2c3';

  test('between the two renames gets its old content back, and the next run goes on from there', () => {
    new OutputFolder(path).replace(ONE);
    mkdirSync(join(home, LEFT_OVER));
    renameSync(path, join(home, LEFT_OVER, 'previous'));
    put(`${LEFT_OVER}/next/dev/api.service.yaml`, rendered('of the interrupted run'));
    const folder = new OutputFolder(path);
    expect(contentOf(path)).toEqual(Object.fromEntries(ONE.files));
    expect(readdirSync(home)).toEqual(['dist']);
    expect(folder.replace(OTHER).removed).toEqual(['production/api.service.yaml']);
    expect(contentOf(path)).toEqual(Object.fromEntries(OTHER.files));
  });

  test('while it wrote leaves a folder that the next run does not mix with its own', () => {
    new OutputFolder(path).replace(ONE);
    put(`${LEFT_OVER}/next/dev/api.service.yaml`, rendered('of the interrupted run'));
    put(`${LEFT_OVER}/next/old/left-over.yaml`, rendered('of the interrupted run'));
    new OutputFolder(path).replace(OTHER);
    expect(contentOf(path)).toEqual(Object.fromEntries(OTHER.files));
    expect(readdirSync(home)).toEqual(['dist']);
  });

  test('after the new content was in its place does not get the old one back', () => {
    new OutputFolder(path).replace(OTHER);
    put(`${LEFT_OVER}/previous/dev/api.service.yaml`, rendered('api'));
    expect(new OutputFolder(path).compare(OTHER)).toEqual({ written: [], removed: [] });
    expect(contentOf(path)).toEqual(Object.fromEntries(OTHER.files));
    expect(readdirSync(home)).toEqual(['dist']);
  });
});

describe('what is beside the folder', () => {
  test.each([
    ['of another name', 'dist.previous/notes.txt'],
    ['of a similar name', '.dist-old/next/notes.txt'],
    ['that looks like a leftover, with something else in it', '.dist-99999999-a1B2c3/notes.txt'],
    ['of a run that is still going', `.dist-${process.pid}-a1B2c3/next/dev/api.service.yaml`],
    ['of another folder', '.dist-2-99999999-a1B2c3/next/dev/api.service.yaml'],
  ])('is left alone: a folder %s', (_, file) => {
    put(file, 'kept\n');
    new OutputFolder(path).replace(ONE);
    new OutputFolder(path).replace(OTHER);
    expect(contentOf(home)[file]).toBe('kept\n');
  });

  test('is left alone while another run has taken the old content away', () => {
    put(`.dist-${process.pid}-a1B2c3/previous/dev/api.service.yaml`, rendered('api'));
    new OutputFolder(path);
    expect(existsSync(path)).toBe(false);
  });
});

test('content that another run puts there between the two renames is replaced too', () => {
  new OutputFolder(path).replace(ONE);
  const rename = fs.renameSync;
  const spy = jest.spyOn(fs, 'renameSync').mockImplementationOnce((from, to) => {
    rename(from, to);
    put('dist/dev/other.service.yaml', rendered('of another run'));
  });
  new OutputFolder(path).replace(OTHER);
  expect(spy).toHaveBeenCalledTimes(4);
  spy.mockRestore();
  expect(contentOf(path)).toEqual(Object.fromEntries(OTHER.files));
  expect(readdirSync(home)).toEqual(['dist']);
});

describe('a folder that is a symbolic link', () => {
  test('is written where it leads, and stays a link', () => {
    mkdirSync(join(home, 'elsewhere', 'rendered'), { recursive: true });
    symlinkSync(join('elsewhere', 'rendered'), path);
    new OutputFolder(path).replace(ONE);
    new OutputFolder(path).replace(OTHER);
    expect(readlinkSync(path)).toBe(join('elsewhere', 'rendered'));
    expect(contentOf(join(home, 'elsewhere', 'rendered'))).toEqual(Object.fromEntries(OTHER.files));
    expect(readdirSync(home).sort()).toEqual(['dist', 'elsewhere']);
    expect(readdirSync(join(home, 'elsewhere'))).toEqual(['rendered']);
  });

  test.each([
    ['a file', () => put('dist', 'notes\n')],
    ['a link to a file', () => [put('notes.txt', 'notes\n'), symlinkSync('notes.txt', path)]],
    ['a link that leads nowhere', () => symlinkSync('nowhere', path)],
    ['a link to itself', () => symlinkSync('dist', path)],
  ])('is refused when it is %s', (_, create) => {
    create();
    const before = readdirSync(home);
    expect(() => new OutputFolder(path)).toThrow(
      new Error(
        `${shown('').replace(/\/$/, '')} is a file, or a link that does not lead to a folder, but rendered files go ` +
          'into a folder of that name; move it away',
      ),
    );
    expect(readdirSync(home)).toEqual(before);
  });
});

describe('a folder that cannot be written', () => {
  test.each(['writeFileSync', 'renameSync'] as const)('is as it was, with nothing beside it, when %s fails', (call) => {
    new OutputFolder(path).replace(ONE);
    const before = [contentOf(path), writtenAt(path)];
    const original = fs[call] as (...args: unknown[]) => void;
    let calls = 0;
    const spy = jest.spyOn(fs, call).mockImplementation((...args: unknown[]) => {
      calls += 1;
      if (calls === 2) {
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      }
      original(...args);
    });
    const replace = () => new OutputFolder(path).replace(OTHER);
    expect(replace).toThrow(
      new Error(
        `cannot write ${relative(process.cwd(), path)}: ENOSPC: no space left on device; it is as it was; mend that ` +
          'and run this again',
      ),
    );
    spy.mockRestore();
    expect([contentOf(path), writtenAt(path)]).toEqual(before);
    expect(readdirSync(home)).toEqual(['dist']);
  });
});

describe('the objects of the last render', () => {
  const service = (name: string) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, data: { on: 'yes' } });
  const text = (name: string) => marked(stringify(service(name), { version: '1.1', compat: 'core' }));

  /** What renders in these folders are compared with. */
  function comparedWith(...folders: string[]): { readonly [folder: string]: readonly ManifestObject[] } {
    const seen: { [folder: string]: readonly ManifestObject[] } = {};
    const listening = (folder: string): Rendered => ({
      files: new Map([['a.yaml', rendered(folder)]]),
      objectIn: () => undefined,
      changeProblems: (before) => {
        seen[folder] = before;
        return [];
      },
      changeWarnings: () => [],
    });
    new OutputFolder(path).changeProblems(new Map(folders.map((folder) => [folder, listening(folder)])));
    return seen;
  }

  test('are those of the folder that is asked for, and of those below it', () => {
    put('dist/dev/api.service.yaml', text('api'));
    put('dist/dev/more/queue.service.yaml', text('queue'));
    put('dist/production/api.service.yaml', text('production'));
    put('dist/dev.service.yaml', text('beside'));
    put('dist/dev-2/api.service.yaml', text('another'));
    const before = writtenAt(path);
    expect(comparedWith('dev', 'dev-2', 'new')).toEqual({
      dev: [service('api'), service('queue')],
      'dev-2': [service('another')],
      new: [],
    });
    expect(writtenAt(path)).toEqual(before);
  });

  test('are all where there is one render for the folder', () => {
    put('dist/api.service.yaml', text('api'));
    put('dist/more/queue.service.yaml', text('queue'));
    const seen: (readonly ManifestObject[])[] = [];
    const changeProblems = (before: readonly ManifestObject[]) => {
      seen.push(before);
      return [];
    };
    new OutputFolder(path).compare({
      files: new Map(),
      objectIn: () => undefined,
      changeProblems,
      changeWarnings: () => [],
    });
    expect(seen).toEqual([[service('api'), service('queue')]]);
  });

  test('are none where nothing was rendered', () => {
    expect(comparedWith('dev').dev).toEqual([]);
    put('dist/production/api.service.yaml', text('production'));
    expect(comparedWith('dev').dev).toEqual([]);
    expect(readdirSync(home)).toEqual(['dist']);
  });

  test("leave out a file that is somebody's own", () => {
    put('dist/dev/api.service.yaml', stringify(service('api')));
    put('dist/dev/queue.service.yaml', text('queue'));
    expect(comparedWith('dev').dev).toEqual([service('queue')]);
  });

  const unreadable = (file: string) =>
    `${shown(file)} is not as it was rendered and cannot be compared with what is rendered now; restore it from ` +
    'version control, then render';

  test.each([
    ['is no longer YAML', `${text('api')}<<<<<<< HEAD\n`],
    ['holds more than one document', `${text('api')}---\n${stringify(service('api'))}`],
    ['holds no object', marked('just a text')],
    ['is empty but for the mark', marked('')],
    ['has an object without name', marked(stringify({ ...service('api'), metadata: { name: 3 } }))],
    ['has an object without kind', marked(stringify({ ...service('api'), kind: undefined }))],
  ])('are not compared without a file that %s', (_, content) => {
    put('dist/dev/api.service.yaml', content);
    put('dist/dev/queue.service.yaml', text('queue'));
    const before = contentOf(path);
    expect(() => comparedWith('dev')).toThrow(unreadable('dev/api.service.yaml'));
    const next = new Map([['dev', safe(new Map([['queue.service.yaml', text('queue')]]))]]);
    expect(() => new OutputFolder(path).replace(next)).toThrow(unreadable('dev/api.service.yaml'));
    expect(contentOf(path)).toEqual(before);
  });

  test('name the file in which a field is no list any more', () => {
    const workload = (containers: unknown) => stringify({ ...service('api'), spec: { containers } });
    const reading: Rendered = {
      ...ONE,
      changeProblems: (before) =>
        before.flatMap(({ spec }) => (spec?.containers ?? []).map(({ name }: { name: string }) => `${name} changes`)),
    };
    put('dist/dev/queue.service.yaml', text('queue'));
    put('dist/dev/api.service.yaml', marked(workload([{ name: 'main' }])));
    const problems = new OutputFolder(path).changeProblems(new Map([['dev', reading]]));
    expect(problems).toEqual([expect.stringMatching(/^main changes; /)]);
    put('dist/dev/api.service.yaml', marked(workload(7)));
    expect(() => new OutputFolder(path).changeProblems(new Map([['dev', reading]]))).toThrow(
      unreadable('dev/api.service.yaml'),
    );
  });

  test('leave out a symbolic link', () => {
    put('elsewhere.yaml', text('elsewhere'));
    put('dist/dev/queue.service.yaml', text('queue'));
    symlinkSync(join(home, 'elsewhere.yaml'), join(path, 'dev', 'api.service.yaml'));
    expect(comparedWith('dev').dev).toEqual([service('queue')]);
  });
});

test('a step that costs something is warned of, and taken', () => {
  const costly: Rendered = { ...ONE, changeWarnings: () => ['fewer pods for a while'] } as Rendered;
  const folder = new OutputFolder(path);
  const content = new Map([
    ['dev', costly],
    ['staging', safe(new Map())],
  ]);
  expect(folder.changeWarnings(content)).toEqual(['fewer pods for a while']);
  expect(folder.changeWarnings(costly)).toEqual(['fewer pods for a while']);
  expect(new OutputFolder(path).replace(costly).written).toHaveLength(3);
});

describe('a step that is not safe', () => {
  const unsafe = (...problems: string[]): Rendered => ({
    files: new Map([['api.service.yaml', rendered('new')]]),
    objectIn: () => undefined,
    changeProblems: () => problems,
    changeWarnings: () => [],
  });
  const remedy = (folder: string) =>
    `; if the last render was never applied, restore ${folder} from version control, or delete it if it was never committed`;
  const dist = () => shown('').replace(/\/$/, '');

  test.each(['compare', 'replace'] as const)(
    'is refused by %s with everything that is wrong, and nothing is written',
    (call) => {
      new OutputFolder(path).replace(ONE);
      const before = [contentOf(path), writtenAt(path)];
      const content = new Map([
        ['dev', unsafe('shards would be lost', 'a field cannot change')],
        ['staging', unsafe()],
        ['production', unsafe('vectors would be lost')],
      ]);
      const problems = [
        `shards would be lost${remedy(shown('dev'))}`,
        `a field cannot change${remedy(shown('dev'))}`,
        `vectors would be lost${remedy(shown('production'))}`,
      ];
      expect(new OutputFolder(path).changeProblems(content)).toEqual(problems);
      expect(() => new OutputFolder(path)[call](content)).toThrow(new Error(problems.join('\n')));
      expect([contentOf(path), writtenAt(path)]).toEqual(before);
    },
  );

  test('names the folder itself where it holds one render', () => {
    expect(() => new OutputFolder(path).replace(unsafe('shards would be lost'))).toThrow(
      new Error(`shards would be lost${remedy(dist())}`),
    );
    expect(() => new OutputFolder('.').compare(unsafe('shards would be lost'))).toThrow(
      new Error(`shards would be lost${remedy('.')}`),
    );
  });

  test('is one of an app too, which needs nobody to ask', () => {
    const app = (storage: string) => {
      const made = new App();
      const spec = { serviceName: 'db', volumeClaimTemplates: [{ spec: { resources: { requests: { storage } } } }] };
      new ApiObject(new Chart(made, 'db'), 'db', {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'db' },
        spec,
      });
      return new RenderedEnvironment(made, 'main.ts');
    };
    new OutputFolder(path).replace(app('1Gi'));
    const before = contentOf(path);
    expect(() => new OutputFolder(path).replace(app('2Gi'))).toThrow(
      /^main\.ts StatefulSet db: spec\.volumeClaimTemplates changes at .* from "1Gi" to "2Gi"/,
    );
    expect(contentOf(path)).toEqual(before);
    expect(new OutputFolder(path).replace(app('1Gi'))).toEqual({ written: [], removed: [] });
  });
});

test('several renders are each in the folder of their name', () => {
  const content = new Map([
    ['dev', safe(new Map([['api.service.yaml', rendered('api')]]))],
    ['production', safe(new Map([['api.service.yaml', rendered('production')]]))],
  ]);
  expect(new OutputFolder(path).replace(content).written).toEqual([
    'dev/api.service.yaml',
    'production/api.service.yaml',
  ]);
  expect(contentOf(path)).toEqual({
    'dev/api.service.yaml': rendered('api'),
    'production/api.service.yaml': rendered('production'),
  });
});
