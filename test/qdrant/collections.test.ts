import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from '../support/ask';
import { runProgram } from '../support/node-programs';
import { onEachQdrant } from './on-each-qdrant';
import { addPoints, countAt, settled } from './qdrant-under-test';

const PARAMETERS = {
  vectors: { size: 4, distance: 'Cosine', on_disk: true },
  shard_number: 6,
  replication_factor: 2,
  quantization_config: { scalar: { type: 'int8', always_ram: true } },
  strict_mode_config: { enabled: true, max_query_limit: 100 },
};
const INDEXES = { tenant: { type: 'keyword', is_tenant: true }, year: { type: 'integer' } };

const folder = mkdtempSync(join(tmpdir(), 'collections-'));
afterAll(() => rmSync(folder, { recursive: true }));

onEachQdrant((cluster) => {
  function create(names: readonly string[], parameters = PARAMETERS) {
    const collections = names.map((name) => ({ name, parameters, payload_indexes: INDEXES }));
    const file = join(folder, 'collections.json');
    writeFileSync(file, JSON.stringify({ collections, aliases: { search: names } }));
    return runProgram('vector-store/create-collections.mjs', { ...cluster().env, COLLECTION_FILE: file });
  }

  test('collections are created, take points, and are left alone the second time', async () => {
    const first = await create(['documents']);
    expect([first.status, first.stderr]).toEqual([0, '']);
    expect(first.stdout).toContain('search: points to documents');
    await addPoints(cluster(), 'documents', 60, { node: 1 });
    await settled(cluster(), 'documents');
    expect(await create(['documents'])).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(await countAt(cluster(), 2, 'documents')).toBe(60);
    const { result } = await ask(cluster().urls[2] as string, 'GET', '/collections/search');
    expect(Object.keys(result.payload_schema).sort()).toEqual(['tenant', 'year']);
  });

  test('what can change in place is changed, and writes go on', async () => {
    await create(['documents']);
    await addPoints(cluster(), 'documents', 30);
    const strict_mode_config = { enabled: true, max_query_limit: 50 };
    const { status, stdout } = await create(['documents'], { ...PARAMETERS, strict_mode_config });
    expect([status, stdout]).toEqual([0, 'documents: changed strict_mode_config\n']);
    await addPoints(cluster(), 'documents', 30, { first: 31 });
    expect(await countAt(cluster(), 1, 'documents')).toBe(60);
  });

  test('an alias goes over to the next collection once that has as many points', async () => {
    await create(['documents', 'documents-2']);
    await addPoints(cluster(), 'documents', 30);
    const change = () =>
      runProgram('vector-store/switch-aliases.mjs', {
        ...cluster().env,
        SOURCE_COLLECTION: 'documents',
        TARGET_COLLECTION: 'documents-2',
        ALIASES: 'search',
      });
    expect((await change()).status).toBe(1);
    await addPoints(cluster(), 'documents-2', 31);
    expect((await change()).status).toBe(0);
    expect(await countAt(cluster(), 2, 'search')).toBe(31);
    expect(await change()).toMatchObject({ status: 0, stdout: 'search: points to documents-2 already\n' });
  });
});
