import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CELERY_VERSION } from '../support/celery';

const ROOT = join(__dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The Python of a page that has this in it. */
function pythonOf(page: string, text: string): string[] {
  const blocks = [...read(page).matchAll(/^```python\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks.filter((block) => block.includes(text));
}

test('the page of images quotes the worker that the tests run, and names the release', () => {
  expect(pythonOf('docs/images.md', 'bootsteps')).toEqual([read('examples/celery/ingestion.py')]);
  expect(read('docs/images.md')).toContain(`Celery ${CELERY_VERSION}`);
});

test('the page of queues quotes the settings that the tests read, in this order', () => {
  expect(pythonOf('docs/queues.md', '')).toEqual(
    ['redis', 'rabbitmq', 'sqs', 'service_bus'].map((broker) => read(`examples/celery/${broker}/settings.py`)),
  );
});
