import fc from 'fast-check';
import { checkAnnotations, checkLabels, isLabelValue } from '../../../constructs/rules/label';
import { UsageError } from '../../../constructs/rules/usage-error';
import { testChart } from '../../support/manifests';
import { refusalOf } from '../../support/refusal';
import { deployed } from '../../support/workloads';

const SCOPE = testChart();
const CHARACTERS = 'at most 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit';

const ENDS = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'];

/** Texts near to values of labels and far from them. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...'aZ09-._'), maxLength: 66 }),
  fc.string({ unit: fc.constantFrom(...'aZ09-._/ \n'), maxLength: 8 }),
);

/** Whether a text is the value of a label, told by its characters one by one. */
function isValue(value: string): boolean {
  const ends = [value.at(0), value.at(-1)];
  return (
    value === '' ||
    (value.length <= 63 &&
      ends.every((end) => end !== undefined && ENDS.includes(end)) &&
      [...value].every((character) => ENDS.includes(character) || '-_.'.includes(character)))
  );
}

const VALUES = ['', 'a', 'A', '0', 'a-b', 'a_b', 'a.b', 'v1.2.3', 'a--b', 'a._-b', 'a'.repeat(63)];
const NO_VALUES = ['-a', 'a-', '_a', 'a_', '.a', 'a.', ' ', 'a b', 'a/b', 'a:b', 'a\n', 'ä', 'a'.repeat(64)];

const KEYS = [
  'a',
  'team',
  'Team',
  'a-b_c.d',
  'a'.repeat(63),
  'acme/team',
  'acme.example/team',
  'a-b.acme.example/Team_1',
  `acme.example/${'a'.repeat(63)}`,
  `${'a.'.repeat(126)}a/team`,
];
const NO_KEYS = [
  '',
  '-team',
  'team-',
  'the team',
  'team\n',
  'a'.repeat(64),
  '/team',
  'acme.example/',
  'acme.example/-team',
  'acme.example/a/team',
  'Acme.example/team',
  'acme_example/team',
  '-acme.example/team',
  'acme-.example/team',
  'acme..example/team',
  '.acme.example/team',
  'acme.example./team',
  `acme.example/${'a'.repeat(64)}`,
  `${'a.'.repeat(126)}aa/team`,
];

describe('the value of a label', () => {
  test.each(VALUES)('can be "%s"', (value) => {
    expect(isLabelValue(value)).toBe(true);
    expect(() => checkLabels(SCOPE, 'podLabels', { team: value })).not.toThrow();
  });

  test.each(NO_VALUES)('cannot be "%s"', (value) => {
    expect(isLabelValue(value)).toBe(false);
    const refusal = refusalOf(() => checkLabels(SCOPE, 'podLabels', { other: 'a', team: value }));
    expect(refusal).toBeInstanceOf(UsageError);
    expect(refusal).toMatchObject({
      constructPath: 'rag',
      property: 'podLabels.team',
      problem: `is "${value.replace('\n', '\\n')}", but the value of a label has ${CHARACTERS}`,
    });
  });

  test('is what its characters say', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(isLabelValue(value)).toBe(isValue(value));
      }),
      { numRuns: 1000 },
    );
  });
});

describe.each([
  ['labels', checkLabels],
  ['annotations', checkAnnotations],
])('the keys of %s', (_, check) => {
  test.each(KEYS)('can be "%s"', (key) => {
    expect(() => check(SCOPE, 'podLabels', { [key]: 'a' })).not.toThrow();
  });

  test.each(NO_KEYS)('cannot be "%s"', (key) => {
    const refusal = refusalOf(() => check(SCOPE, 'podLabels', { other: 'a', [key]: 'a' }));
    expect(refusal).toBeInstanceOf(UsageError);
    expect(refusal).toMatchObject({
      constructPath: 'rag',
      property: 'podLabels',
      problem: `has the key "${key.replace('\n', '\\n')}", but a key has ${CHARACTERS}, after a domain and "/" or without`,
    });
  });

  test('can be none', () => {
    expect(() => check(SCOPE, 'podLabels', {})).not.toThrow();
  });
});

test.each([...NO_VALUES, 'a text of any length, and in several lines\n'.repeat(10)])(
  'the value of an annotation can be "%s"',
  (value) => {
    expect(() => checkAnnotations(SCOPE, 'podAnnotations', { team: value })).not.toThrow();
  },
);

test('annotations of an object have room for 256 KiB, keys and values together', () => {
  const check = (length: number) => () => checkAnnotations(SCOPE, 'podAnnotations', { team: 'é'.repeat(length / 2) });
  expect(check(262_140)).not.toThrow();
  expect(check(262_142)).toThrow(
    new Error('rag: podAnnotations has 262146 bytes, but an object has room for 262144; shorten it'),
  );
});

describe('a workload', () => {
  test.each(['podLabels', 'podAnnotations', 'serviceAccountAnnotations'])('refuses a wrong key in %s', (property) => {
    expect(() => deployed({ [property]: { 'the team': 'search' } })).toThrow(
      new Error(
        `rag/api: ${property} has the key "the team", but a key has ${CHARACTERS}, after a domain and "/" or without`,
      ),
    );
  });

  test('refuses a wrong value of a label', () => {
    expect(() => deployed({ podLabels: { team: 'the search' } })).toThrow(
      new Error(`rag/api: podLabels.team is "the search", but the value of a label has ${CHARACTERS}`),
    );
  });

  test.each(['podAnnotations', 'serviceAccountAnnotations'])('takes any value in %s', (property) => {
    expect(() => deployed({ [property]: { team: 'the search' } })).not.toThrow();
  });
});
