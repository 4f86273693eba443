import { Environment } from '../../../charts/environments/environment';
import { EnvironmentFolder } from '../../support/environment-folder';
import { find, templateOf } from '../../support/manifests';
import { refusalOf } from '../../support/refusal';

const folder = new EnvironmentFolder();
afterAll(() => folder.remove());

/** An environment whose API has this warm-up in line 5. */
function rendered(warmUp: string) {
  folder.write({
    'test.yaml': [
      'namespace: rag-test',
      'qdrant: { resources: { cpu: 1, memory: 1Gi }, storage: 1Gi }',
      'api:',
      '  image: { repository: ghcr.io/acme/api, tag: 1.0.0 }',
      `  warmUp: ${warmUp}`,
    ].join('\n'),
  });
  return Environment.read(folder.pathOf('test.yaml')).render('test.yaml').objects;
}

test('an API can be warmed up', () => {
  const [warmUp] = templateOf(find(rendered('{ command: [load, --all], budget: 5m }'), 'Deployment', 'api')).spec
    .initContainers;
  expect(warmUp).toMatchObject({ image: 'ghcr.io/acme/api:1.0.0', command: ['timeout', '300', 'load', '--all'] });
});

test('an API can be warmed up by another image', () => {
  const image = '{ repository: ghcr.io/acme/loader, tag: 2.0.0 }';
  const objects = rendered(`{ image: ${image}, command: [load], budget: 5m }`);
  expect(templateOf(find(objects, 'Deployment', 'api')).spec.initContainers[0].image).toBe('ghcr.io/acme/loader:2.0.0');
});

test.each([
  ['{ command: [load] }', '5:3 api.warmUp.budget: is missing'],
  ['{ command: [], budget: 5m }', '5:13 api.warmUp.command: is empty; name a program'],
  [
    '{ command: [load], budget: 5 }',
    '5:30 api.warmUp.budget: is 5, but must be a duration with its unit, such as 30s, 4m or 2h',
  ],
  ['{ command: [load], budge: 5m, budget: 5m }', '5:30 api.warmUp.budge: is not a setting; did you mean budget?'],
])('the warm-up %s is refused at its place', (warmUp, problem) => {
  expect(refusalOf(() => rendered(warmUp)).message).toBe(`${folder.shown('test.yaml')}:${problem}`);
});
