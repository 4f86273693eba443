import { Construct } from 'constructs';
import { describeParts, placeOf } from '../../../constructs/rules/described-parts';
import { UsageError } from '../../../constructs/rules/usage-error';

const root = new Construct(undefined as never, '');
const owner = new Construct(root, 'owner');
describeParts(owner, {
  Job: (property) => (property === 'deadline' ? '' : 'jobs'),
  Pooler: 'pooler',
});
const job = new Construct(new Construct(owner, 'Job'), 'Resource');

test('a part is described by a property of its owner, however deep the part is', () => {
  expect(placeOf(job, 'nodePool')).toEqual({ constructPath: 'owner', property: 'jobs.nodePool' });
  expect(placeOf(job, 'deadline')).toEqual({ constructPath: 'owner', property: 'deadline' });
  expect(placeOf(job, '')).toEqual({ constructPath: 'owner', property: 'jobs' });
});

test('owners are parts as well', () => {
  describeParts(root, { outer: 'settings' });
  const outer = new Construct(root, 'outer');
  describeParts(outer, { Inner: 'inner' });
  expect(placeOf(new Construct(outer, 'Inner'), 'x')).toEqual({ constructPath: '', property: 'settings.inner.x' });
});

test('what nothing describes is its own place', () => {
  expect(placeOf(owner, 'nodePool')).toEqual({ constructPath: 'owner', property: 'nodePool' });
  expect(placeOf(new Construct(owner, 'Other'), 'x')).toEqual({ constructPath: 'owner/Other', property: 'x' });
});

test('what is refused names the owner and the property of the owner', () => {
  const { message } = new UsageError('is 1', { scope: job, property: 'retries' });
  expect(message).toBe('owner: jobs.retries is 1');
});
