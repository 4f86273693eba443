import { readdirSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { Environment } from './charts/environments/environment';
import { neededSecrets } from './charts/needed-secrets';
import { type FolderChanges, OutputFolder } from './charts/output-folder';
import type { RenderedEnvironment } from './charts/rendered-environment';

const ENVIRONMENTS = join(__dirname, 'charts', 'environments');
const OUTPUT = join(__dirname, 'dist');

const USAGE = `usage: npm run synth [-- --check | --images | --secrets | --help]
  renders charts/environments/*.yaml into dist/<environment>/
  --check    writes nothing, and fails when dist/ is not what the code renders
  --images   writes nothing, and prints the images of each environment, one a line
  --secrets  writes nothing, and prints what has to be there before each environment is applied: Secrets and their
             keys, or the entries of the store that they come from and their properties; never a value
  --help     prints this`;

/** Files that begin with an underscore are only there to be extended; with a dot, they belong to an editor or file system. */
function environmentFiles(): string[] {
  const files = readdirSync(ENVIRONMENTS)
    .filter((file) => /\.ya?ml$/i.test(file) && !/^[_.]/.test(file))
    .sort();
  const shouted = files.find((file) => !/\.ya?ml$/.test(file));
  if (shouted !== undefined) {
    throw new Error(`${shouted} would not be read; write its extension in lower case`);
  }
  const twice = files.find((file) => file.endsWith('.yml') && files.includes(file.replace(/\.yml$/, '.yaml')));
  if (twice !== undefined) {
    throw new Error(`${twice} and a .yaml file are the same environment; keep one of the two`);
  }
  return files.map((file) => join(ENVIRONMENTS, file));
}

/** An environment and what it renders to. */
interface Render {
  readonly environment: Environment;
  readonly rendered: RenderedEnvironment;
}

/** Everything is rendered before anything is written, so a mistake in one environment leaves all as they were. */
function renderAll(output: OutputFolder): Render[] {
  const problems: string[] = [];
  const renders = environmentFiles().flatMap((path) => {
    try {
      const environment = Environment.read(path);
      return [{ environment, rendered: environment.render(relative(__dirname, path)) }];
    } catch (error) {
      problems.push((error as Error).message);
      return [];
    }
  });
  if (problems.length > 0) {
    // What is wrong with the steps of the others is said in the same run.
    throw new Error([...problems, ...output.changeProblems(byName(renders))].join('\n'));
  }
  warnOfSharedNamespaces(renders.map(({ environment }) => environment));
  return renders;
}

function byName(renders: readonly Render[]): Map<string, RenderedEnvironment> {
  return new Map(renders.map(({ environment, rendered }) => [environment.name, rendered]));
}

/**
 * Files do not say which cluster they are for, and clusters may well have namespaces of one name, so this cannot be
 * refused. In one cluster two applications would overwrite one another, though, so it is said.
 */
function warnOfSharedNamespaces(environments: readonly Environment[]): void {
  for (const [index, { name, platform }] of environments.entries()) {
    const other = environments.slice(0, index).find((earlier) => earlier.platform.namespace === platform.namespace);
    if (other !== undefined) {
      console.error(
        `warning: ${other.name} and ${name} have the namespace ${platform.namespace}, so they overwrite one another ` +
          'in one cluster; give one another namespace, unless their clusters are different ones',
      );
    }
  }
}

/** Printed on standard error, because `cdk8s synth` passes nothing else on. */
function report(content: ReadonlyMap<string, RenderedEnvironment>, { written, removed }: FolderChanges): void {
  for (const environment of [...new Set([...content.keys(), ...removed.map(environmentOf)])].sort()) {
    const within = (files: readonly string[]) => files.filter((file) => environmentOf(file) === environment).length;
    const count = content.get(environment)?.objects.length ?? 0;
    console.error(
      `${environment.padEnd(12)} ${count} objects in ${count} files: ${within(written)} changed, ${within(removed)} removed`,
    );
  }
}

/** The environment of a file in the output; what is in none belongs to the folder itself. */
function environmentOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] as string) : `${basename(OUTPUT)}/`;
}

const ARGUMENTS = ['--check', '--images', '--secrets', '--help'] as const;

/** What the command line asks for; undefined for what it does without being asked. */
function requested(args: readonly string[]): (typeof ARGUMENTS)[number] | undefined {
  const unknown = args.filter((argument) => !ARGUMENTS.some((known) => known === argument));
  if (unknown.length > 0) {
    throw new Error(
      `there is no argument ${unknown.join(' ')}; the arguments are ${ARGUMENTS.slice(0, -1).join(', ')} and ${ARGUMENTS.at(-1)}\n${USAGE}`,
    );
  }
  const asked = ARGUMENTS.filter((known) => args.includes(known));
  if (asked.length > 1 && !asked.includes('--help')) {
    throw new Error(`${asked.join(' and ')} are two things to do; ask for one at a time\n${USAGE}`);
  }
  return asked.at(-1);
}

/** What a mirror has to hold, and what a scanner has to look at. */
function printImages(): void {
  print(({ images }) => images);
}

/** One line for each thing of each environment, beginning with its name. */
function print(things: (rendered: RenderedEnvironment) => string[]): void {
  const content = [...byName(renderAll(new OutputFolder(OUTPUT)))];
  console.log(content.flatMap(([name, rendered]) => things(rendered).map((thing) => `${name} ${thing}`)).join('\n'));
}

function synth(check: boolean): void {
  const output = new OutputFolder(OUTPUT);
  const content = byName(renderAll(output));
  for (const warning of output.changeWarnings(content)) {
    console.error(`warning: ${warning}`);
  }
  if (check) {
    const changes = output.compare(content);
    const stale = [...changes.written, ...changes.removed];
    if (stale.length > 0) {
      throw new Error(`dist is not what the code renders; run npm run synth: ${stale.join(', ')}`);
    }
    console.error('dist is what the code renders');
    return;
  }
  report(content, output.replace(content));
  // `cdk8s synth` empties a folder of its own before it runs this, and lists what it finds there afterwards.
  const listed = process.env.CDK8S_OUTDIR;
  if (listed !== undefined && resolve(listed) !== OUTPUT) {
    new OutputFolder(listed).replace(content);
  }
}

function main(): void {
  const asked = requested(process.argv.slice(2));
  if (asked === '--help') {
    console.log(USAGE);
    return;
  }
  if (asked === '--images') {
    printImages();
    return;
  }
  if (asked === '--secrets') {
    print(neededSecrets);
    return;
  }
  const started = performance.now();
  synth(asked === '--check');
  console.error(`${((performance.now() - started) / 1000).toFixed(2)} s`);
}

try {
  main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
