import { ExternalPostgres } from '../../../constructs/data/external-postgres';
import { PostgresTls } from '../../../constructs/data/postgres-tls';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { Pgvector } from '../../../constructs/vector-store/pgvector';
import { render, testChart } from '../../support/manifests';
import { changed, problemsOfStep } from '../../support/steps';
import { KEY } from '../../support/values';

const model = (id: string, dimensions = 1024) => EmbeddingModel.of({ id, dimensions, maxTokens: 512 });

function chartOf(of: EmbeddingModel, table?: string, host = 'db.acme.example') {
  const chart = testChart();
  const tls = PostgresTls.none();
  const database = new ExternalPostgres({ host, database: 'app', user: 'app', password: KEY, tls });
  new Pgvector(chart, 'documents', { database, model: of, table });
  return chart;
}

const before = render(chartOf(model('acme/old')));

test('nothing is wrong with the first render, or with the same again', () => {
  expect(problemsOfStep([], chartOf(model('acme/old')))).toEqual([]);
  expect(problemsOfStep(before, chartOf(model('acme/old')))).toEqual([]);
});

test('another model of the same size is refused, with the way out', () => {
  expect(problemsOfStep(before, chartOf(model('acme/new')))).toEqual([
    'Job test/documents-table: table "documents" holds vectors of 1024 dimensions of acme/old, and the model makes ' +
      'vectors of 1024 dimensions of acme/new, which are never found among the others; keep the model, or set table ' +
      'to another name and fill that table anew',
  ]);
});

test('another size of the same model is refused', () => {
  expect(problemsOfStep(before, chartOf(model('acme/old', 512)))).toEqual([
    expect.stringContaining('holds vectors of 1024 dimensions of acme/old, and the model makes vectors of 512'),
  ]);
});

test('another table, and a table of that name in another database, may be of another model', () => {
  expect(problemsOfStep(before, chartOf(model('acme/new'), 'documents_2'))).toEqual([]);
  expect(problemsOfStep(before, chartOf(model('acme/new'), undefined, 'db2.acme.example'))).toEqual([]);
});

test('a Job that was changed by hand says nothing', () => {
  const other = changed(before, 'Job', 'documents-table', ({ spec }) => {
    spec.template.spec.containers[0].command = 'psql';
  });
  expect(problemsOfStep(other, chartOf(model('acme/new')))).toEqual([]);
  const nameless = changed(before, 'Job', 'documents-table', ({ spec }) => {
    const [container] = spec.template.spec.containers;
    container.command = container.command.filter((word: string) => !word.startsWith('--set=model='));
  });
  expect(problemsOfStep(nameless, chartOf(model('acme/new')))).toEqual([]);
});
