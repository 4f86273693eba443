import { join } from 'node:path';
import { App } from 'cdk8s';
import fc from 'fast-check';
import { parse } from 'yaml';
import { manifestText } from '../../charts/manifest-text';
import { RenderedEnvironment } from '../../charts/rendered-environment';
import type { Json, ManifestObject } from '../../constructs/rules/output';
import { EnvValue } from '../../constructs/workload/env-value';
import { EACH_ENVIRONMENT } from '../support/environments';
import { contentOf } from '../support/folder-content';
import { GoYaml } from '../support/go-yaml';
import { ROOT } from '../support/project';
import { CONTAINER, deployed } from '../support/workloads';

const reader = GoYaml.find();
const suite = reader === undefined ? describe.skip : describe;

/** Texts that some reader of YAML refuses, changes, or takes for something else. */
const CHARACTERS = [
  '\t',
  '\r',
  '\u0085',
  '\u2028',
  '\u2029',
  '\ufeff',
  '\ufffe',
  '\uffff',
  '\u0080',
  '\u0092',
  '\u009f',
];
const NASTY = [
  ...CHARACTERS.flatMap((character) => [
    character,
    `${character}text`,
    `doesn${character}t`,
    `text${character}`,
    `first\n${character}second\n`,
    `${character}first\nsecond${character}\n`,
  ]),
  ...['\u0000', '\u0007', '\u001b', '\u007f', '😀', '\u{1fffe}', '\u00a0', '\u3000'],
  ...[
    'id\tname\n1\tone\n',
    '\tid\tname\n\t1\tone\n',
    '\n\tfirst\n',
    '  \n\tfirst\n',
    '\t\n',
    ' \n',
    '\n',
    '\n\n',
    '   first\nsecond\n',
  ],
  ...[
    'first\n\n\n',
    'first\n  ',
    'first  \nsecond',
    'first\r\nsecond\r\n',
    'first\rsecond',
    ' leading',
    'trailing ',
    '',
  ],
  ...[
    '---',
    '---\nfirst',
    'first\n---\nsecond\n',
    '...',
    'first\n...\nsecond',
    '%YAML 1.1',
    '# text',
    'text # text',
    'key: value',
    'key:',
  ],
  ...[
    '- item',
    '-',
    '? text',
    '* text',
    '&text',
    '!text',
    '| text',
    '> text',
    '@text',
    '`text`',
    '{text}',
    '[text',
    ']',
    ',',
    '"',
    "'",
    '\\',
  ],
  ...['y', 'N', 'yes', 'No', 'on', 'OFF', 'true', 'null', '~', 'Null', '=', '<<', '.inf', '-.INF', '.nan', '+.inf'],
  ...[
    '1e3',
    '0o7',
    '-0o7',
    '0O7',
    '0x1F',
    '0X1F',
    '0b1',
    '0B1',
    '0b+1',
    '-0b1',
    '1_000',
    '_1',
    '+_1',
    '9e_9',
    '1e8_',
    '1:30',
    '012',
    '08',
    '.5',
    '5.',
  ],
  ...['2026-01-31', '2026-01-31T00:00:00Z', 'word '.repeat(2000).trim(), `${'x'.repeat(70_000)}\nend\n`],
];

/** An object that has a text in every place that holds texts. */
function objectWith(text: string): ManifestObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', annotations: { 'acme.example/note': text, [text]: 'value' } },
    data: { file: text, [text]: text },
    list: [text, { name: text }, [text], { [text]: [text] }],
  };
}

/** What the reader makes of these objects, and what it should. */
function readings(objects: readonly ManifestObject[]): { read: Json[]; meant: Json[] } {
  return {
    read: reader?.read(objects.map(manifestText)) ?? [],
    meant: objects.map((object) => ({ documents: [object] })),
  };
}

suite('the reader of kubectl and Argo CD', () => {
  test.each(EACH_ENVIRONMENT)('reads every file of %s as it was meant', (_, { objects, files }) => {
    const read = reader?.read([...files.values()]);
    expect(read).toEqual(objects.map((object) => ({ documents: [JSON.parse(JSON.stringify(object))] })));
  });

  test('reads every file in dist as one object, the same that other readers find', () => {
    const texts = Object.values(contentOf(join(ROOT, 'dist')));
    expect(texts.length).toBeGreaterThan(100);
    expect(reader?.read(texts)).toEqual(texts.map((text) => ({ documents: [parse(text, { version: '1.1' })] })));
  });

  test.each(NASTY.map((text) => [JSON.stringify(text).slice(0, 40), text]))('reads %s in every place', (_, text) => {
    const { read, meant } = readings([objectWith(text)]);
    expect(read).toEqual(meant);
  });

  test('reads texts as they were meant, whatever is in them', () => {
    const fragments = fc.array(fc.constantFrom(...NASTY.filter(({ length }) => length < 100)), { maxLength: 4 });
    const numerals = fc.string({ unit: fc.constantFrom(...'00112789+-._eExXoObBaFfiInN: ~'), maxLength: 10 });
    const texts = fc.oneof(
      fragments.map((parts) => parts.join('')),
      numerals,
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(texts, { minLength: 200, maxLength: 200 }), (batch) => {
        const { read, meant } = readings(batch.map(objectWith));
        expect(read).toEqual(meant);
      }),
      { numRuns: 10 },
    );
  });

  test('reads what a user writes into variables, arguments, files and annotations', () => {
    const text = '\tdoesn\u0092t\u2028 end\u0085\n';
    const { chart } = deployed({
      container: { ...CONTAINER, args: ['a\u2028b'], env: { TEXT: EnvValue.of('a\u2029b') } },
      files: { '/etc/api/file': text },
      podAnnotations: { 'acme.example/note': text },
    });
    const environment = new RenderedEnvironment(App.of(chart), 'test');
    const objects = (reader?.read([...environment.files.values()]) ?? []).flatMap(
      ({ documents }) => documents as Json[],
    );
    const deployment = objects.find(({ kind }) => kind === 'Deployment');
    expect(deployment.spec.template.metadata.annotations['acme.example/note']).toBe(text);
    expect(deployment.spec.template.spec.containers[0].args).toEqual(['a\u2028b']);
    expect(deployment.spec.template.spec.containers[0].env).toContainEqual({ name: 'TEXT', value: 'a\u2029b' });
    expect(objects.find(({ kind }) => kind === 'ConfigMap').data.file).toBe(text);
  });

  test('would refuse a file that it cannot read', () => {
    expect(reader?.read(['a: |\n  \tx\n', 'a: doesn\u0092t\n'])).toEqual([
      { documents: [], error: expect.stringContaining('found a tab character') },
      { documents: [], error: expect.stringContaining('control characters are not allowed') },
    ]);
  });
});
