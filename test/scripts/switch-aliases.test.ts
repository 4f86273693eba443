import { runProgram } from '../support/node-programs';
import { QdrantServer } from '../support/qdrant-server';

const VECTORS = { vectors: { size: 4, distance: 'Cosine' } };

let server: QdrantServer;

function run(env: { [name: string]: string } = {}) {
  return runProgram('vector-store/switch-aliases.mjs', {
    QDRANT_URL: server.url,
    QDRANT_PATIENCE: '0',
    SOURCE_COLLECTION: 'documents-1',
    TARGET_COLLECTION: 'documents-2',
    ALIASES: 'documents,search',
    ...env,
  });
}

const aliases = () => Object.fromEntries(server.state.aliases);

/** Two collections with so many points, and both aliases on the first. */
function fill(before: number, after: number): void {
  server.addCollection('documents-1', VECTORS, before);
  server.addCollection('documents-2', VECTORS, after);
  server.state.aliases.set('documents', 'documents-1');
  server.state.aliases.set('search', 'documents-1');
}

beforeEach(async () => {
  server = await QdrantServer.start();
});
afterEach(() => server.stop());

test.each([
  ['as many', 10, 10],
  ['more', 10, 11],
])('a collection with %s points takes over both aliases, one after the other', async (_, before, after) => {
  fill(before, after);
  const { status, stdout } = await run();
  expect([status, stdout]).toEqual([0, 'documents,search: points to documents-2\n']);
  expect(aliases()).toEqual({ documents: 'documents-2', search: 'documents-2' });
  // Each is moved by one action: of several in a request some may be done when it fails.
  expect(server.requests.filter(({ path }) => path === '/collections/aliases').map(({ body }) => body)).toEqual(
    ['documents', 'search'].map((alias_name) => ({
      actions: [{ create_alias: { alias_name, collection_name: 'documents-2' } }],
    })),
  );
});

test('points are counted exactly', async () => {
  fill(1, 1);
  await run();
  const counts = server.requests.filter(({ path }) => path.endsWith('/points/count'));
  expect(counts.map(({ body }) => body)).toEqual([{ exact: true }, { exact: true }]);
});

test('points are counted otherwise where strict mode forbids that', async () => {
  fill(10, 9);
  const strict_mode_config = { enabled: true, search_allow_exact: false };
  server.state.collection('documents-1').config.strict_mode_config = strict_mode_config;
  expect((await run()).stderr).toBe('documents-2 has 9 points and documents-1 has 10; fill it, then switch\n');
  server.state.collection('documents-2').points = 10;
  expect((await run()).status).toBe(0);
  expect(aliases()).toEqual({ documents: 'documents-2', search: 'documents-2' });
});

test('a collection with fewer points is refused', async () => {
  fill(10, 9);
  const { status, stderr } = await run();
  expect(status).toBe(1);
  expect(stderr).toBe('documents-2 has 9 points and documents-1 has 10; fill it, then switch\n');
  expect(aliases()).toEqual({ documents: 'documents-1', search: 'documents-1' });
  expect(server.changes).toEqual([]);
});

test('a collection that is missing is refused', async () => {
  server.addCollection('documents-1', VECTORS, 1);
  const { status, stderr } = await run();
  expect(status).toBe(1);
  expect(stderr).toContain('POST /collections/documents-2/points/count was answered 404: ');
  expect(server.changes).toEqual([]);
});

test('what has been switched stays switched, even when the new collection has fewer points by now', async () => {
  fill(10, 9);
  server.state.aliases.set('documents', 'documents-2');
  server.state.aliases.set('search', 'documents-2');
  const { status, stdout } = await run();
  expect([status, stdout]).toEqual([0, 'documents,search: points to documents-2 already\n']);
  expect(server.changes).toEqual([]);
});

test('an alias that does not exist yet is created with the switch', async () => {
  fill(1, 1);
  server.state.aliases.delete('search');
  const { status } = await run();
  expect(status).toBe(0);
  expect(aliases()).toEqual({ documents: 'documents-2', search: 'documents-2' });
});

test('a switch that fails half way leaves every alias on one of the two, and the next run goes on', async () => {
  fill(1, 1);
  // After the list of aliases, two counts and the first alias.
  server.failRequest(5);
  expect((await run()).status).toBe(1);
  expect(aliases()).toEqual({ documents: 'documents-2', search: 'documents-1' });
  const { status, stdout } = await run();
  expect([status, stdout]).toEqual([0, 'search: points to documents-2\n']);
});

test('a switch that fails leaves every alias where it was', async () => {
  fill(1, 1);
  server.failNext('POST', '/collections/aliases');
  const { status, stderr } = await run();
  expect(status).toBe(1);
  expect(stderr).toContain('POST /collections/aliases was answered 500');
  expect(aliases()).toEqual({ documents: 'documents-1', search: 'documents-1' });
  expect((await run()).status).toBe(0);
});
