import { parse } from 'yaml';
import { manifestText } from '../../charts/manifest-text';

/** The line of a text in a ConfigMap. */
function lineOf(value: string): string {
  return manifestText(configMap({ value })).split('data:\n  value: ')[1] as string;
}

function configMap(data: { [key: string]: string }) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data };
}

// What go-yaml itself makes of these and many more is seen in test/oracle/go-yaml.test.ts.
describe('a text that go-yaml cannot read as it is', () => {
  test.each([
    ['doesn\u0092t', '"doesn\\u0092t"\n'],
    ['a\u0085b', '"a\\u0085b"\n'],
    ['a\u2028b\u2029c', '"a\\u2028b\\u2029c"\n'],
    ['\ufeffa', '"\\ufeffa"\n'],
    ['a\ufffe', '"a\\ufffe"\n'],
    ['a\u007f', '"a\\u007f"\n'],
    ['a\rb', '"a\\rb"\n'],
    ['\tid\n\t1\n', '"\\tid\\n\\t1\\n"\n'],
    ['\n \tid\n', '"\\n \\tid\\n"\n'],
    [' \n', '" \\n"\n'],
    ['#!/bin/sh\necho doesn\u0092t\n', '"#!/bin/sh\\necho doesn\\u0092t\\n"\n'],
  ])('is in double quotes, escaped: %j', (text, line) => {
    expect(lineOf(text)).toBe(line);
    expect(parse(`value: ${line}`).value).toBe(text);
  });

  test.each(['0X1F', '0B1', '-0o7', '0b+1', '9e_9', '_1', '+_1', '<<', '='])('is in double quotes: %s', (text) => {
    expect(lineOf(text)).toBe(`"${text}"\n`);
    expect(manifestText(configMap({ [text]: 'x' }))).toContain(`\n  "${text}": x\n`);
  });
});

test.each([
  ['a\tb', 'a\tb\n'],
  ['first\n\tsecond\n', '|\n    first\n    \tsecond\n'],
  ['é 😀', 'é 😀\n'],
  ['1Gi', '1Gi\n'],
  ['10.0.0.0/8', '10.0.0.0/8\n'],
  ['1.2.3', '1.2.3\n'],
])('a text that every reader understands stays as readable as it is: %j', (text, line) => {
  expect(lineOf(text)).toBe(line);
});
