import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { Redis, RedisRole } from '../../constructs/data/redis';
import { find, mainContainer, render, testChart } from '../support/manifests';
import { isInstalled } from '../support/programs';
import { KEY } from '../support/values';

const START = resolve(__dirname, '..', '..', 'constructs', 'data', 'redis-start.sh');
const PORT = '26379';

const suite = isInstalled('redis-server') ? describe : describe.skip;

suite('a real Redis', () => {
  // Quotes, spaces, a dollar and a backslash: nothing of it may be taken for syntax.
  const password = `p"a$s 'w\\ord#&*`;
  const folder = mkdtempSync(join(tmpdir(), 'redis-'));
  let server: ChildProcess;
  let container: ReturnType<typeof mainContainer>;

  function ask(arguments_: string[], auth = password) {
    return spawnSync('redis-cli', ['-p', PORT, '--no-auth-warning', ...arguments_], {
      env: { ...process.env, REDISCLI_AUTH: auth },
      encoding: 'utf8',
    }).stdout.trim();
  }

  beforeAll(async () => {
    const chart = testChart();
    const resources = { cpu: Cpu.millis(100), memory: Size.mebibytes(64) };
    new Redis(chart, 'queue', { role: RedisRole.BROKER, password: KEY, resources });
    const objects = render(chart);
    container = mainContainer(find(objects, 'StatefulSet', 'queue'));
    mkdirSync(join(folder, 'data'));
    const config = find(objects, 'ConfigMap', 'queue').data['redis.conf'];
    const moved = config.replace('/data', join(folder, 'data')).replace('/run/redis', folder);
    writeFileSync(join(folder, 'redis.conf'), `${moved}port ${PORT}\n`);
    server = spawn('sh', [START], {
      env: {
        ...process.env,
        REDISCLI_AUTH: password,
        REDIS_CONFIG: join(folder, 'redis.conf'),
        REDIS_ACL_FILE: join(folder, 'users.acl'),
      },
    });
    for (let tries = 0; tries < 50 && ask(['ping']) !== 'PONG'; tries += 1) {
      await new Promise((resume) => setTimeout(resume, 100));
    }
  });
  afterAll(async () => {
    server.kill('SIGTERM');
    await new Promise((ended) => server.once('exit', ended));
    rmSync(folder, { recursive: true });
  });

  test('starts with the configuration, and answers who knows the password', () => {
    expect(ask(['ping'])).toBe('PONG');
  });

  test('answers nobody else', () => {
    expect(ask(['ping'], 'wrong')).toContain('NOAUTH');
    expect(ask(['ping'], '')).toContain('NOAUTH');
  });

  test('loses no task and evicts none', () => {
    expect(ask(['config', 'get', 'maxmemory-policy'])).toBe('maxmemory-policy\nnoeviction');
    expect(ask(['config', 'get', 'maxmemory'])).toBe(`maxmemory\n${48 * 1024 * 1024}`);
    expect(ask(['config', 'get', 'appendonly'])).toBe('appendonly\nyes');
  });

  test('answers the probe', () => {
    const { command } = container.readinessProbe.exec;
    const env = { ...process.env, REDISCLI_AUTH: password };
    const [shell, option, script] = command;
    const run = (auth: string) =>
      spawnSync(shell, [option, script.replace('redis-cli', `redis-cli -p ${PORT}`)], {
        env: { ...env, REDISCLI_AUTH: auth },
      });
    expect(run(password).status).toBe(0);
    expect(run('wrong').status).not.toBe(0);
  });

  test('lets KEDA count a queue', () => {
    ask(['rpush', 'celery', 'a', 'b', 'c']);
    const script =
      'local t = redis.call("type", KEYS[1]).ok; if t == "list" then return redis.call("llen", KEYS[1]) end';
    expect(ask(['eval', script, '1', 'celery'])).toBe('3');
  });
});
