// Measures rendering as a whole process, against the floor, in one run: a ratio means something on any machine.
// Prints JSON. The runs take turns, so that a machine that gets slower does so for all of them.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'yaml';

const ROOT = resolve(import.meta.dirname, '..');
const RUNS = Number(process.argv[2] ?? 9);
const folder = mkdtempSync(join(tmpdir(), 'bench-'));

/** The objects in dist, by environment, as the floor reads them. */
function objectsOfDist() {
  const dist = join(ROOT, 'dist');
  const read = (environment) =>
    readdirSync(join(dist, environment)).map((file) => parse(readFileSync(join(dist, environment, file), 'utf8')));
  return Object.fromEntries(readdirSync(dist).map((environment) => [environment, read(environment)]));
}

/** One run: wall time in milliseconds, and the memory of the largest process in MiB. */
function measure(command, arguments_) {
  const memory = join(folder, 'memory');
  writeFileSync(memory, '');
  const preload = `--import ${pathToFileURL(join(ROOT, 'bench', 'peak-memory.mjs'))}`;
  const started = performance.now();
  const { status, stderr } = spawnSync(command, arguments_, {
    cwd: ROOT,
    env: { ...process.env, NODE_OPTIONS: preload, BENCH_MEMORY_FILE: memory },
    encoding: 'utf8',
  });
  const wall = performance.now() - started;
  if (status !== 0) {
    throw new Error(`${command} ${arguments_.join(' ')} failed: ${stderr}`);
  }
  const peaks = readFileSync(memory, 'utf8').trim().split('\n').map(Number);
  return { wall, memory: Math.max(...peaks) / 1024 };
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function summary(runs) {
  return {
    wallMs: Math.round(median(runs.map(({ wall }) => wall))),
    peakMiB: Math.round(median(runs.map(({ memory }) => memory))),
  };
}

try {
  const objects = objectsOfDist();
  const input = join(folder, 'objects.json');
  writeFileSync(input, JSON.stringify(objects));
  const floor = [join('bench', 'floor.mjs'), input, join(folder, 'floor')];
  const commands = {
    synth: ['npm', ['run', '--silent', 'synth']],
    // The same without npm, and the floor in the same loader: what differs is the library.
    main: [process.execPath, ['--import', 'tsx', 'main.ts']],
    floorInLoader: [process.execPath, ['--import', 'tsx', ...floor]],
    floor: [process.execPath, floor],
  };
  const runs = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (let turn = 0; turn <= RUNS; turn += 1) {
    for (const [name, [command, arguments_]] of Object.entries(commands)) {
      const run = measure(command, arguments_);
      // The first turn fills caches, of the file system and of tsx, and does not count.
      if (turn > 0) {
        runs[name].push(run);
      }
    }
  }
  const warm = JSON.parse(
    execFileSync(process.execPath, ['--import', 'tsx', join('bench', 'warm.ts')], { cwd: ROOT, encoding: 'utf8' }),
  );
  const result = Object.fromEntries(Object.entries(runs).map(([name, measured]) => [name, summary(measured)]));
  const ownShareMs = result.main.wallMs - result.floorInLoader.wallMs;
  Object.assign(result, {
    warmEnvironmentMs: Math.round(median(warm) * 10) / 10,
    ownShareMs,
    ownShareOfFloor: Math.round((ownShareMs / result.floor.wallMs) * 100) / 100,
    machine: { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model },
    runs: RUNS,
    objects: Object.values(objects).flat().length,
  });
  console.log(JSON.stringify(result, undefined, 2));
} finally {
  rmSync(folder, { recursive: true });
}
