import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { ExternalVectorStore } from '../../../constructs/vector-store/external-vector-store';
import { Deployment } from '../../../constructs/workload/deployment';
import { render, testChart } from '../../support/manifests';
import { changed, problemsOfStep } from '../../support/steps';
import { CONTAINER } from '../../support/workloads';

const model = (id: string, dimensions = 1024) => EmbeddingModel.of({ id, dimensions, maxTokens: 512 });

function chartOf(of: EmbeddingModel, name = 'documents', url = 'https://vectors.acme.example') {
  const chart = testChart();
  const store = ExternalVectorStore.chroma({ url, collection: { name, model: of } });
  for (const id of ['api', 'workers']) {
    new Deployment(chart, id, { component: 'api', container: CONTAINER }).uses(store);
  }
  return chart;
}

const before = render(chartOf(model('acme/old')));

test('the same again is fine, and so is a first render', () => {
  expect(problemsOfStep([], chartOf(model('acme/old')))).toEqual([]);
  expect(problemsOfStep(before, chartOf(model('acme/old')))).toEqual([]);
});

test('another model for the same collection is refused once, however many clients there are', () => {
  expect(problemsOfStep(before, chartOf(model('acme/new')))).toEqual([
    'collection "documents" at https://vectors.acme.example holds vectors of 1024 dimensions of acme/old, and the model ' +
      'makes vectors of 1024 dimensions of acme/new, which are never found among the others; keep the model, or ' +
      'create and fill a collection of another name, and set collection to that',
  ]);
  expect(problemsOfStep(before, chartOf(model('acme/old', 512)))).toHaveLength(1);
});

test('another collection, and one of another store, may be of another model', () => {
  expect(problemsOfStep(before, chartOf(model('acme/new'), 'documents-2'))).toEqual([]);
  expect(problemsOfStep(before, chartOf(model('acme/new'), undefined, 'https://other.acme.example'))).toEqual([]);
});

test('clients that were changed by hand say nothing', () => {
  const withoutModel = ['api', 'workers'].reduce(
    (objects, name) =>
      changed(objects, 'Deployment', name, ({ spec }) => {
        const [container] = spec.template.spec.containers;
        container.env = container.env.filter((each: { name: string }) => each.name !== 'EMBEDDING_MODEL');
      }),
    before,
  );
  expect(problemsOfStep(withoutModel, chartOf(model('acme/new')))).toEqual([]);
});

test('a store of which no collection is named has no rule', () => {
  const chart = testChart();
  const store = ExternalVectorStore.chroma({ url: 'https://vectors.acme.example' });
  new Deployment(chart, 'api', { component: 'api', container: CONTAINER }).uses(store);
  expect(problemsOfStep(before, chart)).toEqual([]);
});
