import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '..', '..');

/** Every file of a folder with its content. */
function contentOf(folder: string): [string, string][] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry): [string, string] => {
      const path = join(entry.parentPath, entry.name);
      return [path, readFileSync(path, 'utf8')];
    })
    .sort();
}

describe('bad input stops everything before a byte is written', () => {
  const project = mkdtempSync(join(tmpdir(), 'project-'));
  const dist = join(project, 'dist');
  const production = join(project, 'charts', 'environments', 'production.yaml');
  const original = readFileSync(join(ROOT, 'charts', 'environments', 'production.yaml'), 'utf8');

  beforeAll(() => {
    for (const part of [
      'charts',
      'constructs',
      'imports',
      'dist',
      'main.ts',
      'cdk8s.yaml',
      'package.json',
      'tsconfig.json',
    ]) {
      cpSync(join(ROOT, part), join(project, part), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'));
  });
  afterAll(() => rmSync(project, { recursive: true }));

  test.each([
    [
      'a mistake that the schema finds',
      (text: string) => text.replace('nodes: 3\n', 'nodes: three\n'),
      /production\.yaml:\d+:\d+ qdrant\.nodes: is "three", but must be a /,
    ],
    [
      'a mistake that a construct finds',
      (text: string) => text.replace('nodes: 3\n', 'nodes: 2\n'),
      /production\.yaml:\d+:\d+ qdrant\.nodes: is 2, but two nodes lose their quorum/,
    ],
    [
      'a mistake that a rule finds',
      (text: string) => text.replace('nodes: 8,', 'nodes: 4,'),
      /production\.yaml .*node pool "gpu" has 4 nodes/,
    ],
  ])('%s', (_, breakIt, message) => {
    const before = contentOf(dist);
    const broken = breakIt(original);
    expect(broken).not.toBe(original);
    writeFileSync(production, broken);
    // Another environment changes for the better in the same run; it must not be written either.
    const dev = join(project, 'charts', 'environments', 'dev.yaml');
    writeFileSync(
      dev,
      readFileSync(join(ROOT, 'charts', 'environments', 'dev.yaml'), 'utf8').replace('cpu: 500m', 'cpu: 600m'),
    );
    const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'main.ts'], {
      cwd: project,
      encoding: 'utf8',
    });
    expect(stderr).toMatch(message);
    expect(status).toBe(1);
    expect(contentOf(dist)).toEqual(before);
  });
});
