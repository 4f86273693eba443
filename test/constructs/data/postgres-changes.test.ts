import { Postgres, type PostgresProps } from '../../../constructs/data/postgres';
import { DefaultImages } from '../../../constructs/default-images';
import { Image } from '../../../constructs/workload/image';
import { find, render, testChart } from '../../support/manifests';
import { changed, problemsOfStep } from '../../support/steps';
import { DIGEST, KEY } from '../../support/values';

function chartWith(props: Partial<PostgresProps> = {}, id = 'db') {
  const chart = testChart();
  new Postgres(chart, id, { password: KEY, ...props });
  return chart;
}

const step = (from: Partial<PostgresProps>, to: Partial<PostgresProps>) =>
  problemsOfStep(render(chartWith(from)), chartWith(to));

const image = (tag: string, digest?: string) => ({
  image: Image.of('registry.acme.example:5000/mirror/postgres', { tag, digest }),
});

const ANOTHER =
  'create another Postgres of another name, copy the data with pg_dump and psql, point the clients at it, and remove ' +
  'this one';

test.each([
  ['17.9-bookworm', '17.10-bookworm'],
  ['17', '17.10-alpine'],
  ['17.9', '0.8.6-pg17-bookworm'],
  ['pg17', '0.8.6-pg17'],
  ['our-own-5', '18.1'],
  ['17.9', 'nightly-18'],
  ['0.8.5', '0.8.6-pg17'],
])('the release may go from %s to %s', (from, to) => {
  expect(step(image(from), image(to))).toEqual([]);
});

test.each([
  ['17.9-bookworm', '18.1-bookworm', 17, 18],
  ['17.9', '16', 17, 16],
  ['0.8.6-pg17-bookworm', '0.8.6-pg18-trixie', 17, 18],
  ['16.1', 'pg17', 16, 17],
])('the release may not go from %s to %s', (from, to, was, becomes) => {
  expect(step(image(from), image(to, DIGEST))).toEqual([
    `StatefulSet test/db: image goes from PostgreSQL ${was} to ${becomes}, which does not start with the data of ${was}; ` +
      `stay at ${was}, or ${ANOTHER}; a volume that may be lost can be deleted instead: remove the file of its last render ` +
      'so that there is nothing to compare, render again and sync, and delete the claim and the pod',
  ]);
});

test('the images of this library follow one another', () => {
  expect(step({}, { image: DefaultImages.PGVECTOR })).toEqual([]);
});

test.each([
  ['database', { database: 'app' }, { database: 'rag' }],
  ['user', { user: 'app' }, { user: 'rag' }],
])('the %s stays', (property, from, to) => {
  expect(step(from, to)).toEqual([
    `StatefulSet test/db: ${property} goes from app to rag, but only an empty volume gets it, and clients would come for ` +
      `one that is not there; keep app, or ${ANOTHER}`,
  ]);
});

test('each Postgres is compared with itself, and another StatefulSet with none', () => {
  expect(problemsOfStep(render(chartWith(image('16'), 'other')), chartWith(image('17')))).toEqual([]);
  const before = render(chartWith(image('16')));
  const elsewhere = changed(before, 'StatefulSet', 'db', ({ metadata }) => {
    metadata.namespace = 'other';
  });
  // The other one stays where it is.
  const chart = chartWith(image('17'));
  const after = [...render(chart), find(elsewhere, 'StatefulSet', 'db')];
  expect(problemsOfStep(elsewhere, chart, after)).toEqual([]);
  const emptied = changed(before, 'StatefulSet', 'db', ({ spec }) => {
    delete spec.template;
  });
  expect(problemsOfStep(emptied, chartWith(image('17')))).toEqual([]);
});
