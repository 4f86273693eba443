import { App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { UsageError } from '../../../constructs/rules/usage-error';

const construct = new Construct(new Chart(new App(), 'rag'), 'qdrant');

test('the message names the construct path, the property and the problem', () => {
  const error = new UsageError('is 2, but must be 1, or 3 or more', { scope: construct, property: 'nodes' });
  expect(error.message).toBe('rag/qdrant: nodes is 2, but must be 1, or 3 or more');
  expect(error).toMatchObject({
    name: 'UsageError',
    constructPath: 'rag/qdrant',
    property: 'nodes',
    problem: 'is 2, but must be 1, or 3 or more',
  });
  expect(error).toBeInstanceOf(Error);
});

test('a mistake in the construct as a whole names no property', () => {
  const error = new UsageError('has two containers named "api"; rename one', { scope: construct });
  expect(error.message).toBe('rag/qdrant: has two containers named "api"; rename one');
  expect(error.property).toBe('');
});

test('a mistake in a value that belongs to no construct names no path', () => {
  const error = new UsageError('is empty; pin a release, such as 1.8.2', { property: 'image.tag' });
  expect(error.message).toBe('image.tag is empty; pin a release, such as 1.8.2');
  expect(error.constructPath).toBe('');
});

test('a mistake in the app itself names no path either', () => {
  const error = new UsageError('is wrong', { scope: new App(), property: 'cluster' });
  expect(error.message).toBe('cluster is wrong');
  expect(error.constructPath).toBe('');
});

test('a mistake may be all there is to say', () => {
  expect(new UsageError('no charts were given').message).toBe('no charts were given');
});

test('a value with several lines stays on the line of the message', () => {
  const error = new UsageError('is "a\nb\u0000\u2028c", but must be one word', { property: 'name' });
  expect(error.problem).toBe('is "a\\nb\\u0000\\u2028c", but must be one word');
  expect(error.message).toBe(`name ${error.problem}`);
});
