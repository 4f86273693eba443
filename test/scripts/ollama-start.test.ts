import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

// Every run starts processes, on machines that may be busy.
jest.setTimeout(60_000);

const SCRIPT = resolve(__dirname, '..', '..', 'constructs', 'models', 'ollama-start.sh');
const MODEL = 'qwen2.5:7b';

/**
 * In place of Ollama. Files in its folder say what happens: `models/<name>` is there, `slow` starts later, `broken`
 * dies at once, `hangs` pulls for ever, and `failures` holds a line for each pull that fails. It writes a log.
 */
const OLLAMA = `#!/bin/sh
case "$1" in
serve)
  echo "serve" >>log
  test ! -e broken || exit 3
  test ! -e slow || /usr/bin/sleep 0.5
  touch up
  trap 'rm -f up; echo "stopped" >>log; exit 0' TERM
  while :; do /usr/bin/sleep 0.05; test ! -e dies || { rm -f up; exit 4; }; done
  ;;
list) test -e up ;;
show) test -e "models/$2" ;;
pull)
  echo "pull $2" >>log
  test ! -e hangs || exec /usr/bin/sleep 20
  test -e up || exit 1
  if test -s failures; then sed -i 1d failures; exit 1; fi
  touch "models/$2"
  ;;
esac
`;

let folder: string;
let child: ChildProcess | undefined;

const inFolder = (name: string) => join(folder, name);
const ready = () => existsSync(inFolder('ready'));
const log = () => readFileSync(inFolder('log'), 'utf8').trim().split('\n');

function start() {
  const started = spawn('sh', [SCRIPT], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: `${inFolder('bin')}:${process.env.PATH}`, OLLAMA_MODEL: MODEL, OLLAMA_READY: inFolder('ready') },
  });
  child = started;
  const said = { stderr: '' };
  started.stderr.on('data', (text) => {
    said.stderr += text;
  });
  return { ended: once(started, 'exit').then(([status]) => status as number | null), said };
}

/** Waits for something to become true; the test's own time limit is the end of it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resume) => setTimeout(resume, 20));
  }
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ollama-'));
  mkdirSync(inFolder('bin'));
  mkdirSync(inFolder('models'));
  writeFileSync(inFolder('bin/ollama'), OLLAMA);
  // It waits less long than in a cluster.
  writeFileSync(inFolder('bin/sleep'), '#!/bin/sh\nexec /usr/bin/sleep 0.1\n');
  chmodSync(inFolder('bin/ollama'), 0o755);
  chmodSync(inFolder('bin/sleep'), 0o755);
});
afterEach(async () => {
  if (child !== undefined && child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
  // A pull that was left behind holds its end open.
  child?.stderr?.destroy();
  child = undefined;
  rmSync(folder, { recursive: true, force: true });
});

describe('a model that is absent', () => {
  test('is pulled before the pod is ready', async () => {
    start();
    await until(ready);
    expect(log()).toEqual(['serve', `pull ${MODEL}`]);
    expect(existsSync(inFolder(`models/${MODEL}`))).toBe(true);
  });

  test('is pulled when the server answers, and not before', async () => {
    writeFileSync(inFolder('slow'), '');
    start();
    await until(ready);
    expect(log()).toEqual(['serve', `pull ${MODEL}`]);
  });

  test('is pulled until that succeeds', async () => {
    writeFileSync(inFolder('failures'), '1\n2\n');
    const { said } = start();
    await until(ready);
    expect(log()).toEqual(['serve', `pull ${MODEL}`, `pull ${MODEL}`, `pull ${MODEL}`]);
    expect(said.stderr).toBe(`the pull of ${MODEL} failed; trying again\n`.repeat(2));
  });

  test('keeps the pod from being ready', async () => {
    writeFileSync(inFolder('hangs'), '');
    start();
    await until(() => existsSync(inFolder('log')) && log().includes(`pull ${MODEL}`));
    expect(ready()).toBe(false);
  });
});

describe('a model that is present', () => {
  beforeEach(() => writeFileSync(inFolder(`models/${MODEL}`), ''));

  test('is not pulled again', async () => {
    start();
    await until(ready);
    expect(log()).toEqual(['serve']);
  });

  test('makes the pod ready only when the server answers, whatever the container before it left', async () => {
    writeFileSync(inFolder('ready'), '');
    writeFileSync(inFolder('slow'), '');
    start();
    await until(() => existsSync(inFolder('log')));
    expect([ready(), existsSync(inFolder('up'))]).toEqual([false, false]);
    await until(ready);
    expect(existsSync(inFolder('up'))).toBe(true);
  });
});

describe('the order to stop', () => {
  test('reaches the server, which ends by itself', async () => {
    writeFileSync(inFolder(`models/${MODEL}`), '');
    const { ended } = start();
    await until(ready);
    child?.kill('SIGTERM');
    expect(await ended).toBe(143);
    expect(log()).toEqual(['serve', 'stopped']);
  });

  test('is heard during a pull', async () => {
    writeFileSync(inFolder('hangs'), '');
    const { ended } = start();
    await until(() => existsSync(inFolder('log')) && log().includes(`pull ${MODEL}`));
    const begun = Date.now();
    child?.kill('SIGTERM');
    expect(await ended).toBe(143);
    expect(Date.now() - begun).toBeLessThan(15_000);
    expect(log()).toEqual(['serve', `pull ${MODEL}`, 'stopped']);
    expect(ready()).toBe(false);
  });
});

describe('a server that dies', () => {
  test('at once ends the container', async () => {
    writeFileSync(inFolder('broken'), '');
    expect(await start().ended).toBe(1);
    expect(ready()).toBe(false);
  });

  test('before its model is there ends the container', async () => {
    writeFileSync(inFolder('failures'), '1\n'.repeat(1000));
    const { ended } = start();
    await until(() => existsSync(inFolder('log')) && log().includes(`pull ${MODEL}`));
    writeFileSync(inFolder('dies'), '');
    expect(await ended).toBe(1);
    expect(ready()).toBe(false);
  });

  test('later ends the container as it ended', async () => {
    const { ended } = start();
    await until(ready);
    writeFileSync(inFolder('dies'), '');
    expect(await ended).toBe(4);
  });
});
