import { App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import fc from 'fast-check';
import {
  checkObjectName,
  dnsLabelProblem,
  dnsSubdomainProblem,
  objectNameProblem,
} from '../../../constructs/rules/object-name';
import { UsageError } from '../../../constructs/rules/usage-error';
import { refusalOf } from '../../support/refusal';

const CHARACTERS = 'lower-case letters, digits and "-", beginning and ending with a letter or digit';
const NO_LABEL = `but must be a DNS label: ${CHARACTERS}`;
const NO_SUBDOMAIN = `but must be DNS labels joined by dots: ${CHARACTERS}`;

const ENDS = [...'abcdefghijklmnopqrstuvwxyz0123456789'];

/** A DNS label of at most this many characters, put together from what it may consist of. */
const label = (longest: number) =>
  fc
    .tuple(
      fc.constantFrom(...ENDS),
      fc.array(fc.constantFrom(...ENDS, '-'), { maxLength: longest - 2 }),
      fc.constantFrom(...ENDS),
      fc.boolean(),
    )
    .map(([first, middle, last, single]) => (single ? first : [first, ...middle, last].join('')));

/** Texts near to labels and far from them. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...'ab09-._A /\n'), maxLength: 70 }),
  label(70),
);

/** Whether a text is a DNS label of at most this many characters, told by its characters one by one. */
function isLabel(name: string, longest: number): boolean {
  const [first, last] = [name.at(0), name.at(-1)];
  return (
    name.length >= 1 &&
    name.length <= longest &&
    [...name].every((character) => character === '-' || ENDS.includes(character)) &&
    first !== '-' &&
    last !== '-'
  );
}

describe('a DNS label', () => {
  test('is accepted, whichever it is', () => {
    fc.assert(fc.property(label(63), (name) => dnsLabelProblem(name) === undefined));
  });

  test('is all that is accepted', () => {
    fc.assert(
      fc.property(text, fc.constantFrom(63, 54, 52), (name, longest) => {
        expect(dnsLabelProblem(name, longest) === undefined).toBe(isLabel(name, longest));
      }),
      { numRuns: 1000 },
    );
  });

  test.each(['', '-', '-a', 'a-', 'A', 'a_b', 'a.b', 'a b', 'a\n', 'é', '١'])('is not %j', (name) => {
    expect(dnsLabelProblem(name)).toBe(`is "${name}", ${NO_LABEL}`);
  });

  test.each([1, 52, 54, 63])('has at most %i characters where that is the limit', (longest) => {
    expect(dnsLabelProblem('a'.repeat(longest), longest)).toBeUndefined();
    const name = 'a'.repeat(longest + 1);
    expect(dnsLabelProblem(name, longest)).toBe(
      `is "${name}" (${longest + 1} characters), but at most ${longest} are allowed; shorten it`,
    );
  });

  test('has at most 63 characters when no limit is named', () => {
    expect(dnsLabelProblem('a'.repeat(63))).toBeUndefined();
    expect(dnsLabelProblem('a'.repeat(64))).toContain('(64 characters), but at most 63 are allowed');
  });
});

describe('a DNS subdomain', () => {
  test('is made of labels, whichever they are', () => {
    fc.assert(
      fc.property(fc.array(label(63), { minLength: 1, maxLength: 3 }), (labels) => {
        expect(dnsSubdomainProblem(labels.join('.'))).toBeUndefined();
      }),
    );
  });

  test('is made of labels only', () => {
    fc.assert(
      fc.property(text, (name) => {
        const valid = name.split('.').every((part) => isLabel(part, 253));
        expect(dnsSubdomainProblem(name) === undefined).toBe(valid);
      }),
      { numRuns: 1000 },
    );
  });

  test.each(['', '.', 'a.', '.a', 'a..b', 'a.-b', 'a-.b', 'A.b', 'a_b', 'a.b\n'])('is not %j', (name) => {
    expect(dnsSubdomainProblem(name)).toBe(`is "${name}", ${NO_SUBDOMAIN}`);
  });

  test('is held to its limit as a whole, and not label by label', () => {
    const name = `${'a'.repeat(30)}.${'b'.repeat(30)}`;
    expect(dnsSubdomainProblem(name, 61)).toBeUndefined();
    expect(dnsSubdomainProblem(name, 60)).toBe(`is "${name}" (61 characters), but at most 60 are allowed; shorten it`);
    expect(dnsSubdomainProblem(`a.${'b'.repeat(64)}`)).toBeUndefined();
  });

  test('has at most 253 characters when no limit is named', () => {
    expect(dnsSubdomainProblem('a'.repeat(253))).toBeUndefined();
    expect(dnsSubdomainProblem('a'.repeat(254))).toBe(
      `is "${'a'.repeat(254)}" (254 characters), but at most 253 are allowed; shorten it`,
    );
  });
});

const LONGEST: [string, number][] = [
  ['CronJob', 52],
  ['StatefulSet', 52],
  ['ScaledObject', 54],
  ['Deployment', 63],
  ['Job', 63],
  ['Service', 63],
  ['Namespace', 63],
  ['ConfigMap', 253],
  ['Anything', 253],
];

describe.each(LONGEST)('the name of a %s', (kind, longest) => {
  test(`has at most ${longest} characters`, () => {
    expect(objectNameProblem('a'.repeat(longest), kind)).toBeUndefined();
    const name = 'a'.repeat(longest + 1);
    expect(objectNameProblem(name, kind)).toBe(
      `is "${name}" (${longest + 1} characters), but at most ${longest} are allowed; shorten it`,
    );
  });

  test('is made of DNS labels', () => {
    expect(objectNameProblem('a-0', kind)).toBeUndefined();
    expect(objectNameProblem('a_0', kind)).toBe(`is "a_0", ${NO_SUBDOMAIN}`);
  });

  test(kind === 'Service' ? 'begins with a letter' : 'may begin with a digit', () => {
    expect(objectNameProblem('0-a', kind)).toBe(
      kind === 'Service' ? 'is "0-a", but the name of a Service begins with a letter' : undefined,
    );
  });
});

test.each(['constructor', 'toString'])('the kind "%s" has no limit of its own', (kind) => {
  expect(objectNameProblem('a'.repeat(253), kind)).toBeUndefined();
});

describe('the name of a workload or a part of one', () => {
  const scope = new Construct(new Chart(new App(), 'rag'), 'qdrant');

  test.each(LONGEST)('of the kind %s is a label that is short enough', (kind, longest) => {
    fc.assert(
      fc.property(text, (name) => {
        const check = () => checkObjectName(scope, name, kind);
        if (isLabel(name, Math.min(longest, 63)) && (kind !== 'Service' || /^[a-z]/.test(name))) {
          expect(check).not.toThrow();
        } else {
          expect(check).toThrow(UsageError);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('is refused with the path of the construct', () => {
    const name = 'a'.repeat(53);
    const refusal = refusalOf(() => checkObjectName(scope, name, 'CronJob'));
    expect(refusal).toMatchObject({ constructPath: 'rag/qdrant', property: 'name' });
    expect(refusal.message).toBe(
      `rag/qdrant: name is "${name}" (53 characters), but at most 52 are allowed; shorten it`,
    );
    expect(() => checkObjectName(scope, 'Qdrant', 'Deployment')).toThrow(
      new Error(`rag/qdrant: name is "Qdrant", ${NO_LABEL}`),
    );
    expect(() => checkObjectName(scope, '0-qdrant', 'Service')).toThrow(
      new Error('rag/qdrant: name is "0-qdrant", but the name of a Service begins with a letter'),
    );
  });

  test.each(['Deployment', 'Service', 'ConfigMap'])('of the kind %s has no dots', (kind) => {
    expect(() => checkObjectName(scope, 'rag.acme.example', kind)).toThrow(
      new Error(`rag/qdrant: name is "rag.acme.example", ${NO_LABEL}`),
    );
  });
});
