import { readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { Environment } from './charts/environments/environment';
import { type FolderChanges, OutputFolder } from './charts/output-folder';

const ENVIRONMENTS = join(__dirname, 'charts', 'environments');
const OUTPUT = join(__dirname, 'dist');

/** Files that begin with an underscore are only there to be extended. */
function environmentFiles(): string[] {
  const files = readdirSync(ENVIRONMENTS)
    .filter((file) => /\.ya?ml$/.test(file) && !file.startsWith('_'))
    .sort();
  const twice = files.find((file) => file.endsWith('.yml') && files.includes(file.replace(/\.yml$/, '.yaml')));
  if (twice !== undefined) {
    throw new Error(`${twice} and a .yaml file are the same environment; keep one of the two`);
  }
  return files.map((file) => join(ENVIRONMENTS, file));
}

/**
 * Everything is rendered, and compared with what was rendered last, before anything is written, so a mistake
 * in one environment leaves all as they were.
 */
function render(output: OutputFolder): Map<string, string> {
  const problems: string[] = [];
  const files = environmentFiles().flatMap((path) => {
    try {
      const environment = Environment.read(path);
      const rendered = environment.render(relative(__dirname, path));
      problems.push(...rendered.changeProblems(output.objectsIn(environment.name)));
      return [...rendered.files].map(([file, text]): [string, string] => [join(environment.name, file), text]);
    } catch (error) {
      problems.push((error as Error).message);
      return [];
    }
  });
  if (problems.length > 0) {
    throw new Error(problems.join('\n'));
  }
  return new Map(files);
}

/** Printed on standard error, because `cdk8s synth` passes nothing else on. */
function report(files: ReadonlyMap<string, string>, { written, removed }: FolderChanges): void {
  const all = [...files.keys(), ...removed];
  for (const environment of [...new Set(all.map((file) => file.split('/')[0] as string))].sort()) {
    const within = (some: Iterable<string>) => [...some].filter((file) => file.startsWith(`${environment}/`)).length;
    const count = within(files.keys());
    console.error(
      `${environment.padEnd(12)} ${count} objects in ${count} files: ${within(written)} changed, ${within(removed)} removed`,
    );
  }
}

function main(): void {
  const output = new OutputFolder(OUTPUT);
  const files = render(output);
  if (process.argv.includes('--check')) {
    const changes = output.compare(files);
    const stale = [...changes.written, ...changes.removed];
    if (stale.length > 0) {
      throw new Error(`dist is not what the code renders; run npm run synth: ${stale.join(', ')}`);
    }
    console.error('dist is what the code renders');
    return;
  }
  report(files, output.replace(files));
  // `cdk8s synth` empties a folder of its own before it runs this, and lists what it finds there afterwards.
  const listed = process.env.CDK8S_OUTDIR;
  if (listed !== undefined && resolve(listed) !== OUTPUT) {
    new OutputFolder(listed).replace(files);
  }
}

const started = performance.now();
try {
  main();
  console.error(`${((performance.now() - started) / 1000).toFixed(2)} s`);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
