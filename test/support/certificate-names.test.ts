import { isCovered } from './certificate-names';

test.each([
  ['its own name', 'qdrant', ['qdrant'], true],
  ['its own name, whatever the case', 'Qdrant.test', ['qdrant.TEST'], true],
  ['a longer name', 'qdrant.test', ['qdrant'], false],
  ['a name of which it is the end', 'qdrant', ['a.qdrant'], false],
  ['one label for a wildcard', 'a.b.c', ['*.b.c'], true],
  ['two labels for a wildcard', 'x.a.b.c', ['*.b.c'], false],
  ['no label for a wildcard', 'b.c', ['*.b.c'], false],
  ['another end', 'a.b.d', ['*.b.c'], false],
  ['a wildcard with a single label after it', 'a.b', ['*.b'], false],
  ['a wildcard alone', 'a', ['*'], false],
  ['a wildcard in the middle', 'a.b.c', ['a.*.c'], false],
  ['a part of a label', 'a1.b.c', ['a*.b.c'], false],
  ['the second of its names', 'b', ['a', 'b'], true],
  ['no name', 'a', [], false],
])('a certificate covers %s as it should', (_, host, names, covered) => {
  expect(isCovered(host, names)).toBe(covered);
});
