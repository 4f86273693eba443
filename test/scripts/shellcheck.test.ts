import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isInstalled } from '../support/programs';

const CONSTRUCTS = resolve(__dirname, '..', '..', 'constructs');
const SCRIPTS = readdirSync(CONSTRUCTS, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.sh'));

test('there are scripts', () => {
  expect(SCRIPTS).toContain(join('vector-store', 'qdrant-start.sh'));
});

const suite = isInstalled('shellcheck') ? describe : describe.skip;

suite('shellcheck finds nothing', () => {
  test.each(SCRIPTS)('in %s', (file) => {
    const { stdout, status } = spawnSync('shellcheck', [join(CONSTRUCTS, file)], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, '']);
  });
});
