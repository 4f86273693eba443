import { copyFileSync, existsSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GENERATED_MARK } from '../charts/output-folder';
import { contentOf, writtenAt } from './support/folder-content';
import { Project, ROOT } from './support/project';

const COMMITTED = contentOf(join(ROOT, 'dist'));

jest.setTimeout(60_000);

const project = new Project();
beforeEach(() => project.restore());
afterAll(() => project.remove());

function dist(): string {
  return project.pathOf('dist');
}

/** Names of the files of an environment in what is committed. */
function committedOf(environment: string): string[] {
  return Object.keys(COMMITTED).filter((file) => file.startsWith(`${environment}/`));
}

test('what is committed has every environment in it', () => {
  for (const environment of ['dev', 'staging', 'production']) {
    expect(committedOf(environment).length).toBeGreaterThan(15);
  }
});

describe('node --import tsx main.ts', () => {
  test('renders, where nothing is, what is committed; and renders it a second time without touching it', () => {
    rmSync(dist(), { recursive: true });
    const first = project.main();
    expect(first.status).toBe(0);
    expect(first.stdout).toBe('');
    const counts = ['dev', 'production', 'staging'].map((environment) => {
      const count = committedOf(environment).length;
      return `${environment.padEnd(12)} ${count} objects in ${count} files: ${count} changed, 0 removed`;
    });
    expect(first.stderr.split('\n').slice(0, -2)).toEqual(counts);
    expect(first.stderr).toMatch(/\n\d+\.\d\d s\n$/);
    expect(contentOf(dist())).toEqual(COMMITTED);

    const before = writtenAt(dist());
    const second = project.main();
    expect(second.status).toBe(0);
    expect(second.stderr.match(/: 0 changed, 0 removed$/gm)).toHaveLength(3);
    expect(writtenAt(dist())).toEqual(before);
    expect(readdirSync(project.path).filter((name) => name.startsWith('dist') || name.startsWith('.'))).toEqual([
      'dist',
    ]);
  });

  test('renders the same bytes in another folder, time zone and language', () => {
    rmSync(dist(), { recursive: true });
    const locale = 'tr_TR.UTF-8';
    const outcome = project.main([], {
      folder: join('charts', 'environments'),
      env: { TZ: 'Pacific/Kiritimati', LANG: locale, LC_ALL: locale },
    });
    expect(outcome.status).toBe(0);
    expect(contentOf(dist())).toEqual(COMMITTED);
  });

  test('renders the same bytes in a clone whose lines end with carriage returns', () => {
    project.endLinesWithCarriageReturns();
    expect(contentOf(dist())).not.toEqual(COMMITTED);
    expect(project.main(['--check']).stderr).toMatch(/^dist is what the code renders\n/);
    rmSync(dist(), { recursive: true });
    const { status, stderr } = project.main();
    expect([status, stderr]).toEqual([0, expect.stringMatching(/^dev /)]);
    expect(contentOf(dist())).toEqual(COMMITTED);
  });

  test('reads no files that editors and file systems keep beside an environment', () => {
    writeFileSync(project.pathOf('charts', 'environments', '._dev.yaml'), '\u0000');
    symlinkSync('me@host.4711', project.pathOf('charts', 'environments', '.#dev.yaml'));
    expect(project.main().status).toBe(0);
    expect(contentOf(dist())).toEqual(COMMITTED);
  });

  test('reports a file that it removes from the top', () => {
    writeFileSync(join(dist(), 'old.service.yaml'), `${GENERATED_MARK} charts/environments/old.yaml.\n`);
    const { status, stderr } = project.main();
    expect(status).toBe(0);
    expect(stderr).toContain('dist/        0 objects in 0 files: 0 changed, 1 removed\n');
    expect(contentOf(dist())).toEqual(COMMITTED);
  });

  test('renders whole what the last of several runs at the same time renders', async () => {
    rmSync(dist(), { recursive: true });
    const runs = await Promise.all(Array.from({ length: 4 }, () => project.mainMeanwhile()));
    expect(runs).toEqual(runs.map(() => 0));
    expect(contentOf(dist())).toEqual(COMMITTED);
    expect(readdirSync(project.path).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('warns of two environments that have one namespace, which only two clusters can have', () => {
    project.changeEnvironment('staging.yaml', 'namespace: rag-staging', 'namespace: rag-production');
    rmSync(dist(), { recursive: true });
    const { status, stderr } = project.main();
    expect(status).toBe(0);
    expect(stderr.split('\n')[0]).toBe(
      'warning: production and staging have the namespace rag-production, so they overwrite one another in one cluster; ' +
        'give one another namespace, unless their clusters are different ones',
    );
  });

  test('warns of a step that costs pods for a while, and takes it', () => {
    const [fixed, scaled] = ['{ replicas: 3 }', '{ min: 2, max: 4, cpu: 70 }'];
    project.changeEnvironment('staging.yaml', scaled, fixed);
    expect(project.main().stderr).not.toContain('warning');
    project.changeEnvironment('staging.yaml', fixed, scaled);
    const { status, stderr } = project.main();
    expect(status).toBe(0);
    expect(stderr).toContain(
      'warning: charts/environments/staging.yaml Deployment rag-staging/api: spec.replicas, which is 3, goes to ' +
        'HorizontalPodAutoscaler rag-staging/api, and until that has decided there is 1 pod;',
    );
    expect(contentOf(dist())).toEqual(COMMITTED);
  });

  test('refuses another namespace for what holds data', () => {
    project.changeEnvironment('staging.yaml', 'namespace: rag-staging', 'namespace: search-staging');
    const { status, stderr } = project.main();
    expect(status).toBe(1);
    expect(stderr).toContain(
      'charts/environments/staging.yaml namespace goes from rag-staging to search-staging, where StatefulSet ',
    );
    expect(stderr).toContain('StatefulSet qdrant');
    expect(contentOf(dist())).toEqual(COMMITTED);
  });

  test.each(['dev.YAML'])('refuses a file whose extension is almost right: %s', (name) => {
    renameSync(project.pathOf('charts', 'environments', 'dev.yaml'), project.pathOf('charts', 'environments', name));
    const { status, stderr } = project.main();
    expect(status).toBe(1);
    expect(stderr).toBe(`${name} would not be read; write its extension in lower case\n`);
    expect(contentOf(dist())).toEqual(COMMITTED);
  });

  test.each([['--chek'], ['--check', 'dev']])('refuses arguments that it does not know: %s %s', (...args) => {
    project.changeEnvironment('dev.yaml', 'LOG_LEVEL: debug', 'LOG_LEVEL: trace');
    const { status, stdout, stderr } = project.main(args);
    expect(status).toBe(1);
    expect(stdout).toBe('');
    const unknown = args.filter((argument) => argument !== '--check').join(' ');
    expect(stderr.split('\n')[0]).toBe(
      `there is no argument ${unknown}; the arguments are --check, --images, --secrets and --help`,
    );
    expect(stderr).toContain('usage: npm run synth');
    expect(contentOf(dist())).toEqual(COMMITTED);
  });

  test('prints its usage, and writes nothing', () => {
    project.changeEnvironment('dev.yaml', 'LOG_LEVEL: debug', 'LOG_LEVEL: trace');
    const { status, stdout, stderr } = project.main(['--help']);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^usage: npm run synth .*--check \| --images \| --secrets \| --help/);
    expect(contentOf(dist())).toEqual(COMMITTED);
  });

  test('removes the folder of an environment that is no more', () => {
    rmSync(project.pathOf('charts', 'environments', 'dev.yaml'));
    const { status, stderr } = project.main();
    expect(status).toBe(0);
    const count = committedOf('dev').length;
    expect(stderr).toContain(`dev          0 objects in 0 files: 0 changed, ${count} removed\n`);
    expect(readdirSync(dist()).sort()).toEqual(['production', 'staging']);
    const rest = Object.entries(COMMITTED).filter(([file]) => !file.startsWith('dev/'));
    expect(contentOf(dist())).toEqual(Object.fromEntries(rest));
  });

  test('reads a file that ends in .yml like any other', () => {
    const [yaml, yml] = ['dev.yaml', 'dev.yml'].map((name) => project.pathOf('charts', 'environments', name));
    renameSync(yaml as string, yml as string);
    expect(project.main().status).toBe(0);
    const renamed = Object.entries(COMMITTED).map(([file, text]) => [file, text.replace('/dev.yaml.', '/dev.yml.')]);
    expect(contentOf(dist())).toEqual(Object.fromEntries(renamed));
  });

  test('refuses a file that ends in .yml beside one of the same name that ends in .yaml', () => {
    const [yaml, yml] = ['dev.yaml', 'dev.yml'].map((name) => project.pathOf('charts', 'environments', name));
    copyFileSync(yaml as string, yml as string);
    const before = writtenAt(dist());
    const { status, stdout, stderr } = project.main();
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toBe('dev.yml and a .yaml file are the same environment; keep one of the two\n');
    expect(writtenAt(dist())).toEqual(before);
    expect(contentOf(dist())).toEqual(COMMITTED);
  });

  test('stops before it writes when one environment has a mistake, and says all mistakes of all', () => {
    project.changeEnvironment('dev.yaml', 'nodes: 1', 'nodes: 2');
    project.changeEnvironment('staging.yaml', 'cloud: eks', 'cloud: aws');
    project.changeEnvironment('production.yaml', 'cpu: 250m, memory: 2Gi', 'cpu: 250m, memory: 4Gi');
    const before = writtenAt(dist());
    const { status, stdout, stderr } = project.main();
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(
        /^charts\/environments\/dev\.yaml:\d+:3 qdrant\.nodes: is 2, but two nodes lose their quorum/,
      ),
      expect.stringMatching(
        /^charts\/environments\/staging\.yaml:\d+:3 cluster\.cloud: is "aws", but must be one of eks, gke, aks, generic$/,
      ),
    ]);
    expect(writtenAt(dist())).toEqual(before);
    expect(contentOf(dist())).toEqual(COMMITTED);
  });

  test('stops before it writes when what was rendered last cannot become what is rendered now', () => {
    project.changeEnvironment('dev.yaml', 'storage: 5Gi', 'storage: 6Gi');
    project.changeEnvironment('staging.yaml', 'storage: 20Gi', 'storage: 30Gi');
    project.changeEnvironment('production.yaml', 'cpu: 250m, memory: 2Gi', 'cpu: 250m, memory: 4Gi');
    const before = writtenAt(dist());
    for (const outcome of [project.main(), project.main(['--check'])]) {
      expect(outcome.status).toBe(1);
      expect(outcome.stdout).toBe('');
      expect(outcome.stderr.trimEnd().split('\n')).toEqual([
        expect.stringMatching(
          /^charts\/environments\/dev\.yaml StatefulSet rag-dev\/qdrant: spec\.volumeClaimTemplates changes .*"5Gi" to "6Gi"/,
        ),
        expect.stringMatching(
          /^charts\/environments\/staging\.yaml StatefulSet .*\/qdrant: spec\.volumeClaimTemplates changes .*"20Gi" to "30Gi"/,
        ),
      ]);
    }
    expect(writtenAt(dist())).toEqual(before);
    expect(contentOf(dist())).toEqual(COMMITTED);
  });

  test('says what is wrong with the step of one environment together with the mistakes of another', () => {
    project.changeEnvironment('dev.yaml', 'storage: 5Gi', 'storage: 6Gi');
    project.changeEnvironment('staging.yaml', 'cloud: eks', 'cloud: aws');
    const { status, stderr } = project.main();
    expect(status).toBe(1);
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^charts\/environments\/staging\.yaml:\d+:3 cluster\.cloud: is "aws"/),
      expect.stringMatching(
        /^charts\/environments\/dev\.yaml StatefulSet rag-dev\/qdrant: .* restore dist\/dev from version control, or delete it if it was never committed$/,
      ),
    ]);
    expect(contentOf(dist())).toEqual(COMMITTED);
  });

  test('stops before it writes when nodes of Qdrant would go with their shards', () => {
    project.changeEnvironment('staging.yaml', 'qdrant:\n', 'qdrant:\n  nodes: 1\n');
    const before = writtenAt(dist());
    const { status, stderr } = project.main();
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^charts\/environments\/staging\.yaml StatefulSet rag-staging\/qdrant: had 3 nodes, so with 1 the shards .* restore dist\/staging from version control, or delete it if it was never committed$/m,
    );
    expect(writtenAt(dist())).toEqual(before);
    expect(contentOf(dist())).toEqual(COMMITTED);
  });

  test('renders such a change where the last render of the object was removed', () => {
    project.changeEnvironment('dev.yaml', 'storage: 5Gi', 'storage: 6Gi');
    rmSync(join(dist(), 'dev', 'qdrant.statefulset.yaml'));
    const { status, stderr } = project.main();
    expect(status).toBe(0);
    expect(stderr).toMatch(/^dev .*: 1 changed, 0 removed$/m);
    expect(contentOf(dist())['dev/qdrant.statefulset.yaml']).toContain('storage: 6Gi');
  });

  test('refuses to render nothing', () => {
    for (const environment of ['dev', 'staging', 'production']) {
      rmSync(project.pathOf('charts', 'environments', `${environment}.yaml`));
    }
    const { status, stderr } = project.main();
    expect(status).toBe(1);
    expect(stderr).toBe('refusing to empty dist: nothing was rendered\n');
    expect(contentOf(dist())).toEqual(COMMITTED);
  });
});

describe('node --import tsx main.ts --images', () => {
  test('prints the images of every environment, sorted, one a line, and writes nothing', () => {
    rmSync(join(dist(), 'dev'), { recursive: true });
    const before = contentOf(dist());
    const { status, stdout } = project.main(['--images']);
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    const expected = ['dev', 'production', 'staging'].flatMap((environment) => {
      const texts = committedOf(environment).map((file) => String(COMMITTED[file]));
      const images = texts.flatMap((text) => [...text.matchAll(/^ +-? ?image: (\S+)$/gm)].map(([, image]) => image));
      return [...new Set(images)].sort().map((image) => `${environment} ${image}`);
    });
    expect(lines).toEqual(expected);
    expect(lines.length).toBeGreaterThan(10);
    expect(contentOf(dist())).toEqual(before);
  });

  test('fails where an environment cannot be rendered', () => {
    writeFileSync(project.pathOf('charts/environments/wrong.yaml'), 'namespace: wrong\n');
    const { status, stdout, stderr } = project.main(['--images']);
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toContain('wrong.yaml');
  });

  test('is one thing to do', () => {
    const { status, stderr } = project.main(['--images', '--check']);
    expect(status).toBe(1);
    expect(stderr.split('\n')[0]).toBe('--check and --images are two things to do; ask for one at a time');
  });
});

describe('node --import tsx main.ts --check', () => {
  test('agrees with what is committed', () => {
    const before = writtenAt(dist());
    const { status, stderr } = project.main(['--check']);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^dist is what the code renders\n\d+\.\d\d s\n$/);
    expect(writtenAt(dist())).toEqual(before);
  });

  test('names the files that are stale, missing and too many, and writes nothing', () => {
    project.changeEnvironment('dev.yaml', 'LOG_LEVEL: debug', 'LOG_LEVEL: trace');
    rmSync(join(dist(), 'staging', 'queue.service.yaml'));
    const old = 'apiVersion: v1\nkind: Service\nmetadata: { name: old }\n';
    writeFileSync(join(dist(), 'dev', 'old.service.yaml'), `${GENERATED_MARK} charts/environments/dev.yaml.\n${old}`);
    const before = writtenAt(dist());
    const { status, stderr } = project.main(['--check']);
    expect(status).toBe(1);
    expect(stderr).toBe(
      'dist is not what the code renders; run npm run synth: dev/api.deployment.yaml, staging/queue.service.yaml, ' +
        'dev/old.service.yaml\n',
    );
    expect(writtenAt(dist())).toEqual(before);
  });
});

describe('files in dist that were not rendered', () => {
  test('are no difference when an operating system or an editor leaves them', () => {
    writeFileSync(join(dist(), '.DS_Store'), '\u0000');
    writeFileSync(join(dist(), 'dev', '.api.deployment.yaml.swp'), '\u0000');
    expect(project.main(['--check']).stderr).toMatch(/^dist is what the code renders\n/);
    const { status, stderr } = project.main();
    expect([status, stderr.match(/: 0 changed, 0 removed$/gm)]).toEqual([0, expect.any(Array)]);
    project.changeEnvironment('dev.yaml', 'LOG_LEVEL: debug', 'LOG_LEVEL: trace');
    expect(project.main().status).toBe(0);
    expect(existsSync(join(dist(), '.DS_Store'))).toBe(false);
  });

  test.each([[[]], [['--check']]])('are refused when they are something else: %j', (args) => {
    writeFileSync(join(dist(), 'README.md'), 'Notes.\n');
    const { status, stderr } = project.main(args);
    expect([status, stderr]).toEqual([
      1,
      'dist is replaced as a whole, but dist/README.md was not rendered by this project; move it to another folder, or ' +
        'delete what is not needed\n',
    ]);
  });
});

describe('node --import tsx main.ts --secrets', () => {
  test('prints what has to be there before an environment is applied, and writes nothing', () => {
    project.changeEnvironment('dev.yaml', 'LOG_LEVEL: debug', 'OPENAI_API_KEY: { secret: openai, key: token }');
    const { status, stdout, stderr } = project.main(['--secrets']);
    expect([status, stderr]).toEqual([0, '']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('dev '))).toEqual([
      'dev Secret rag-dev/cache: password',
      'dev Secret rag-dev/database: password',
      'dev Secret rag-dev/documents: access-key, secret-key',
      'dev Secret rag-dev/openai: token',
      'dev Secret rag-dev/qdrant: api-key, read-only-api-key',
      'dev Secret rag-dev/queue: password',
    ]);
    expect(lines).toContain(
      'production ClusterSecretStore acme, rag/production/qdrant: api-key, client-token, read-only-token',
    );
    expect(lines).toContain('production Secret rag-production/registry');
    expect(lines.filter((line) => /^production Secret .*\/qdrant/.test(line))).toEqual([]);
    expect(contentOf(dist())).toEqual(COMMITTED);
  });
});

describe('cdk8s synth', () => {
  test('renders what is committed, and lists it in the folder that it empties itself', () => {
    rmSync(dist(), { recursive: true });
    const { status, stdout } = project.synth();
    expect(status).toBe(0);
    expect(contentOf(dist())).toEqual(COMMITTED);
    expect(contentOf(project.pathOf('.synth'))).toEqual(COMMITTED);
    expect(stdout).toContain('.synth/dev/api.deployment.yaml');
  });

  test('stops before it writes when an environment has a mistake', () => {
    project.changeEnvironment('dev.yaml', 'nodes: 1', 'nodes: 2');
    const before = writtenAt(dist());
    const { status, stderr } = project.synth();
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^charts\/environments\/dev\.yaml:\d+:3 qdrant\.nodes: is 2, but two nodes lose their quorum/m,
    );
    expect(writtenAt(dist())).toEqual(before);
    expect(contentOf(dist())).toEqual(COMMITTED);
    expect(existsSync(project.pathOf('.synth'))).toBe(false);
  });
});
