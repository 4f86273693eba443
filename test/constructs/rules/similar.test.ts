import { similarTo } from '../../../constructs/rules/similar';

const NAMES = ['replicas', 'resources', 'storage'];

test.each([
  ['replica', 'replicas'],
  ['Storage', 'storage'],
  ['resorces', 'resources'],
])('%s is probably %s', (text, meant) => {
  expect(similarTo(text, NAMES)).toBe(meant);
});

test.each(['', 'x', 'image', 'st'])('"%s" is nothing like these', (text) => {
  expect(similarTo(text, NAMES)).toBeUndefined();
});

test('nothing is like nothing', () => {
  expect(similarTo('storage', [])).toBeUndefined();
});
