import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';

const ROOT = resolve(__dirname, '..', '..');
const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const BIN = join(ROOT, 'node_modules', '.bin');
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The program in the README. */
const EXAMPLE = [...README.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code).join('\n');

/** Where the README leads in the package itself. */
const LINKS = [...README.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => path as string);

/** Renders an environment file with nothing but the package. */
const RENDER = `
import { Environment, OutputFolder } from 'cdk8s-rag';

const file = 'charts/environments/production.yaml';
new OutputFolder('rendered').replace(Environment.read(file).render(file));
`;

function run(command: string, arguments_: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, arguments_, { cwd, encoding: 'utf8' });
  if (status !== 0) {
    throw new Error(`${command} ${arguments_.join(' ')} failed\n${stdout}\n${stderr}`);
  }
  return stdout;
}

function contentOf(folder: string): [string, string][] {
  return readdirSync(folder)
    .sort()
    .map((file) => [file, readFileSync(join(folder, file), 'utf8')]);
}

describe('the package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'consumer-'));
  let tarball: string;

  beforeAll(() => {
    const [packed] = JSON.parse(
      execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: ROOT, encoding: 'utf8' }),
    );
    tarball = join(folder, packed.filename);
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true }));

  test('holds what a consumer needs and nothing else', () => {
    const files = run('tar', ['-tzf', tarball], folder)
      .trim()
      .split('\n')
      .map((file) => file.replace('package/', ''));
    expect(files).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'package.json',
        'lib/index.js',
        'lib/index.d.ts',
        'lib/imports/keda.sh.js',
        'lib/constructs/vector-store/qdrant-start.sh',
        'lib/constructs/data/redis-start.sh',
        'lib/charts/environments/environment.schema.json',
      ]),
    );
    const strangers = files.filter(
      (file) =>
        !/^(LICENSE|README\.md|CHANGELOG\.md|CONTRIBUTING\.md|package\.json|docs\/.+\.md|examples\/.+\.(yaml|py|txt)|lib\/.+\.(m?js|d\.ts|sh|sql|schema\.json))$/.test(
          file,
        ),
    );
    expect(strangers).toEqual([]);
    expect(LINKS).toContain('docs/extending.md');
    const dead = LINKS.filter((link) => !files.some((file) => file === link || file.startsWith(`${link}/`)));
    expect(dead).toEqual([]);
  });

  test('is what publint takes for well made', () => {
    expect(run(join(BIN, 'publint'), ['--strict', tarball], folder)).toContain('All good!');
  });

  test('has types that resolve for CommonJS and ES modules', () => {
    expect(
      run(
        join(BIN, 'attw'),
        [tarball, '--profile', 'node16', '--exclude-entrypoints', './imports/*', './environment.schema.json'],
        folder,
      ),
    ).toContain('No problems found');
  }, 60_000);

  describe.each(['commonjs', 'module'])('in an empty project of type %s', (type) => {
    const project = join(folder, type);

    beforeAll(() => {
      mkdirSync(join(project, 'charts'), { recursive: true });
      cpSync(join(ROOT, 'charts', 'environments'), join(project, 'charts', 'environments'), {
        recursive: true,
        filter: (source) => !source.endsWith('.ts'),
      });
      const peers = Object.keys(MANIFEST.peerDependencies).map((name) => [name, MANIFEST.devDependencies[name]]);
      const manifest = {
        name: 'consumer',
        type,
        private: true,
        dependencies: { ...Object.fromEntries(peers), 'cdk8s-rag': `file:${tarball}` },
      };
      writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
      writeFileSync(
        join(project, 'tsconfig.json'),
        JSON.stringify({
          compilerOptions: { module: 'node20', target: 'es2022', strict: true, types: [], outDir: 'out', rootDir: '.' },
        }),
      );
      writeFileSync(join(project, 'main.ts'), EXAMPLE);
      writeFileSync(join(project, 'render.ts'), RENDER);
      run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts'], project);
      // Its declarations are checked as well: skipLibCheck is off.
      run(process.execPath, [TSC, '-p', '.'], project);
    }, 180_000);

    test('the example of the README renders', () => {
      run(process.execPath, [join('out', 'main.js')], project);
      const objects = parseAllDocuments(readFileSync(join(project, 'dist', 'search.k8s.yaml'), 'utf8')).map(
        (document) => document.toJS(),
      );
      const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
      expect(names).toEqual(
        expect.arrayContaining([
          'StatefulSet/qdrant',
          'StatefulSet/queue',
          'Deployment/api',
          'Deployment/workers',
          'HTTPRoute/public',
        ]),
      );
      const api = objects.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'api');
      expect(api.spec.egress).toHaveLength(3);
    });

    test('the example of the README writes one file for each object', () => {
      expect(readdirSync(join(project, 'manifests'))).toEqual(
        expect.arrayContaining(['api.deployment.yaml', 'qdrant.statefulset.yaml', 'public.httproute.yaml']),
      );
    });

    test('an environment file renders to the bytes that are committed', () => {
      run(process.execPath, [join('out', 'render.js')], project);
      expect(contentOf(join(project, 'rendered'))).toEqual(contentOf(join(ROOT, 'dist', 'production')));
    });
  });
});
