import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { Environment } from '../../charts/environments/environment';
import { EnvironmentFolder } from '../support/environment-folder';
import { namesOf } from '../support/manifests';

const folder = new EnvironmentFolder();
afterAll(() => folder.remove());

/** The YAML of the page, as it stands there. */
const [scratch = '', hosted = '', around = '', programs = '', ...others] = [
  ...readFileSync(join(__dirname, '../../docs/environments.md'), 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```$/gm),
].map(([, text = '']) => text);

/** What an environment of these snippets consists of; a setting of a later one takes the place of an earlier one's. */
function objectsOf(...snippets: string[]) {
  const settings = Object.assign({}, ...snippets.map((snippet) => parse(snippet)));
  folder.write({ 'docs.yaml': stringify(settings) });
  return Environment.read(folder.pathOf('docs.yaml')).render('docs.yaml').objects;
}

test('the page has four snippets of environments', () => {
  expect(others).toEqual([]);
  expect(programs).not.toBe('');
});

test('the least that there is can be rendered', () => {
  const objects = objectsOf(scratch);
  expect(namesOf(objects, 'StatefulSet')).toEqual(['qdrant']);
  expect(namesOf(objects, 'Deployment')).toEqual(['api']);
});

test('so can it with hosted models, as one file', () => {
  folder.write({ 'together.yaml': `${scratch}\n${hosted}` });
  const { objects } = Environment.read(folder.pathOf('together.yaml')).render('together.yaml');
  expect(namesOf(objects, 'Deployment')).toEqual(expect.arrayContaining(['api', 'embedding-workers']));
  expect(namesOf(objects, 'Job')).toContain('collection-bootstrap');
});

test('so can it with what stands around it, and with the programs of the ingestion', () => {
  const objects = objectsOf(scratch, hosted, around, programs);
  expect(namesOf(objects, 'Cluster')).toEqual(['database']);
  expect(namesOf(objects, 'RabbitmqCluster')).toEqual(['queue']);
  expect(namesOf(objects, 'CronJob')).toContain('sync-wiki');
  expect(namesOf(objects, 'Deployment')).toContain('scheduler');
});
