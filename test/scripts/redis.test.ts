import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import { Redis, type RedisProps } from '../../constructs/data/redis';
import { RedisRole } from '../../constructs/data/redis-role';
import type { Json } from '../../constructs/rules/output';
import { find, mainContainer, render, testChart } from '../support/manifests';
import { isInstalled } from '../support/programs';
import { KEY } from '../support/values';

const START = resolve(__dirname, '..', '..', 'constructs', 'data', 'redis-start.sh');
// Quotes, spaces, a dollar and a backslash: nothing of it may be taken for syntax.
const PASSWORD = `p"a$s 'w\\ord#&*`;
const KEDA_PASSWORD = `k e"d$a`;

/** A Redis as the construct configures it, in a folder of its own. */
class RealRedis {
  public readonly container: Json;
  public readonly folder = mkdtempSync(join(tmpdir(), 'redis-'));
  private readonly config: string;
  private server?: ChildProcess;

  public constructor(
    private readonly port: string,
    private readonly props: Partial<RedisProps> = {},
  ) {
    const chart = testChart();
    const resources = { cpu: Cpu.millis(100), memory: Size.mebibytes(64) };
    new Redis(chart, 'queue', { password: KEY, resources, ...props });
    const objects = render(chart);
    const kind = props.role === RedisRole.CACHE ? 'Deployment' : 'StatefulSet';
    this.container = mainContainer(find(objects, kind, 'queue'));
    this.config = find(objects, 'ConfigMap', 'queue').data['redis.conf'];
    mkdirSync(this.data);
  }

  /** Where it stores. */
  public get data(): string {
    return join(this.folder, 'data');
  }

  /** Starts it, and waits until it replies at all. */
  public async start(): Promise<void> {
    const moved = this.config.replace('/data', this.data).replaceAll('/run/redis', this.folder);
    writeFileSync(join(this.folder, 'redis.conf'), `${moved}port ${this.port}\n`);
    this.server = spawn('sh', [START], {
      env: {
        ...process.env,
        REDISCLI_AUTH: PASSWORD,
        ...(this.props.kedaPassword === undefined ? {} : { REDIS_KEDA_PASSWORD: KEDA_PASSWORD }),
        REDIS_CONFIG: join(this.folder, 'redis.conf'),
        REDIS_ACL_FILE: join(this.folder, 'users.acl'),
      },
    });
    for (let tries = 0; tries < 50 && this.ask(['ping']) === ''; tries += 1) {
      await new Promise((resume) => setTimeout(resume, 100));
    }
  }

  /** Stops it and forgets what it stored. */
  public async remove(): Promise<void> {
    this.server?.kill('SIGKILL');
    if (this.isRunning) {
      await once(this.server as ChildProcess, 'exit');
    }
    rmSync(this.folder, { recursive: true });
  }

  public get isRunning(): boolean {
    return this.server?.exitCode === null && this.server.signalCode === null;
  }

  /** What redis-cli prints for a command. */
  public ask(command: string[], auth = PASSWORD, user = 'default'): string {
    return spawnSync('redis-cli', ['-p', this.port, '--no-auth-warning', '--user', user, ...command], {
      env: { ...process.env, REDISCLI_AUTH: auth },
      encoding: 'utf8',
      // A subscription does not end by itself.
      timeout: 1000,
    }).stdout.trim();
  }

  /** What redis-cli prints for commands on one connection, line by line. */
  public talk(...commands: string[]): string[] {
    const { stdout } = spawnSync('redis-cli', ['-p', this.port, '--no-auth-warning'], {
      env: { ...process.env, REDISCLI_AUTH: PASSWORD },
      encoding: 'utf8',
      input: `${commands.join('\n')}\n`,
    });
    return stdout.trim().split('\n');
  }

  /** How a probe that runs a program ends, when the container has this password. */
  public probe({ exec }: Json, auth = PASSWORD): number | null {
    const [shell, option, script] = exec.command;
    return spawnSync(shell, [option, script.replace('redis-cli', `redis-cli -p ${this.port}`)], {
      env: { ...process.env, REDISCLI_AUTH: auth },
    }).status;
  }

  /** Whether it accepts a connection, as a TCP probe asks. */
  public async accepts(): Promise<boolean> {
    const socket = connect(Number(this.port), '127.0.0.1');
    const accepted = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]);
    socket.destroy();
    return accepted;
  }
}

/** What the length of a list is asked by (KEDA docs, "Redis Lists": EVAL with TYPE and LLEN). */
const COUNT = 'local t = redis.call("type", KEYS[1]).ok; if t ~= "string" then return redis.call("llen", KEYS[1]) end';

const suite = isInstalled('redis-server') ? describe : describe.skip;

suite('a real Redis', () => {
  const redis = new RealRedis('26379');
  beforeAll(() => redis.start());
  afterAll(() => redis.remove());

  test('starts with the configuration, and answers who knows the password', () => {
    expect(redis.ask(['ping'])).toBe('PONG');
  });

  test('answers nobody else', () => {
    expect(redis.ask(['ping'], 'wrong')).toContain('NOAUTH');
    expect(redis.ask(['ping'], '')).toContain('NOAUTH');
  });

  test('loses no task and evicts none', () => {
    const memory = redis.ask(['info', 'memory']);
    expect(memory).toContain('maxmemory_policy:noeviction');
    expect(memory).toContain(`maxmemory:${48 * 1024 * 1024}\r`);
    expect(redis.ask(['info', 'persistence'])).toContain('aof_enabled:1');
  });

  test('answers the probe', async () => {
    expect(redis.probe(redis.container.readinessProbe)).toBe(0);
    expect(redis.probe(redis.container.readinessProbe, 'wrong')).not.toBe(0);
    expect(redis.container.livenessProbe.tcpSocket).toEqual({ port: 6379 });
    expect(await redis.accepts()).toBe(true);
  });

  test('lets KEDA count a queue', () => {
    redis.ask(['rpush', 'counted', 'a', 'b', 'c']);
    expect(redis.ask(['eval', COUNT, '1', 'counted'])).toBe('3');
  });

  test('knows no user for KEDA unless there is a password for it', () => {
    expect(redis.ask(['ping'], KEDA_PASSWORD, 'keda')).toContain('NOAUTH');
    expect(redis.ask(['ping'], '', 'keda')).toContain('NOAUTH');
  });

  test.each([
    'shutdown nosave',
    'config get maxmemory',
    'config set maxmemory-policy allkeys-lru',
    'config resetstat',
    'flushall',
    'flushdb',
    'swapdb 0 1',
    'save',
    'bgrewriteaof',
    'replicaof 10.0.0.1 6379',
    'acl setuser default nopass',
    'client kill type normal',
    'monitor',
  ])('lets nobody stop, change or empty it by "%s"', (command) => {
    redis.ask(['set', 'kept', 'yes']);
    expect(redis.ask(command.split(' '))).toMatch(/^NOPERM/);
    expect(redis.isRunning).toBe(true);
    expect(redis.ask(['get', 'kept'])).toBe('yes');
  });

  // What Celery and its transport send (kombu, transport/redis.py; celery, backends/redis.py).
  test.each([
    ['client setname worker', 'OK'],
    ['lpush celery task', '1'],
    ['llen celery', '1'],
    ['brpop celery celery\x069 1', 'celery\ntask'],
    ['sadd _kombu.binding.celery celery', '1'],
    ['smembers _kombu.binding.celery', 'celery'],
    ['srem _kombu.binding.celery celery', '1'],
    ['hset unacked tag message', '1'],
    ['hget unacked tag', 'message'],
    ['zadd unacked_index 1 tag', '1'],
    ['zrevrangebyscore unacked_index 2 0 limit 0 10 withscores', 'tag\n1'],
    ['zrem unacked_index tag', '1'],
    ['hdel unacked tag', '1'],
    ['set unacked_mutex owner nx ex 300', 'OK'],
    ['setex celery-task-meta-1 60 result', 'OK'],
    ['mget celery-task-meta-1', 'result'],
    ['expire celery-task-meta-1 30', '1'],
    ['keys celery-task-*', 'celery-task-meta-1'],
    ['del celery-task-meta-1', '1'],
    ['publish celery.pidbox message', '0'],
    ['psubscribe celery.pidbox', 'psubscribe\ncelery.pidbox\n1'],
    ['select 1', 'OK'],
  ])('lets Celery send "%s"', (command, answer) => {
    expect(redis.ask(command.split(' '))).toBe(answer);
  });

  test('lets Celery give a task back in one transaction', () => {
    expect(redis.talk('watch unacked', 'multi', 'rpush restored task', 'zrem unacked_index tag', 'exec')).toEqual([
      'OK',
      'OK',
      'QUEUED',
      'QUEUED',
      '1',
      '0',
    ]);
  });
});

suite('a real Redis with a user for KEDA', () => {
  const redis = new RealRedis('26381', { kedaPassword: KEY });
  const asKeda = (...command: string[]) => redis.ask(command, KEDA_PASSWORD, 'keda');
  beforeAll(async () => {
    await redis.start();
    redis.ask(['rpush', 'celery', 'a', 'b']);
  });
  afterAll(() => redis.remove());

  test('answers it, and clients as before', () => {
    expect(asKeda('ping')).toBe('PONG');
    expect(redis.ask(['lindex', 'celery', '0'])).toBe('a');
  });

  test('answers it with its own password only', () => {
    expect(redis.ask(['ping'], PASSWORD, 'keda')).toContain('NOAUTH');
    expect(redis.ask(['ping'], KEDA_PASSWORD)).toContain('NOAUTH');
  });

  test('lets it count, what is not there as well', () => {
    expect(asKeda('eval', COUNT, '1', 'celery')).toBe('2');
    expect(asKeda('eval', COUNT, '1', 'absent')).toBe('0');
  });

  test.each([
    'lrange celery 0 -1',
    'lpop celery',
    'rpush celery task',
    'del celery',
    'keys *',
    'get celery-task-meta-1',
    'publish celery.pidbox message',
    'subscribe celery.pidbox',
    'info',
    'config get maxmemory',
    'flushall',
    'acl whoami',
  ])('does not let it send "%s"', (command) => {
    expect(asKeda(...command.split(' '))).toMatch(/^NOPERM/);
  });

  test.each(['lrange', 'lpop'])('does not let it send "%s" from a program either', (command) => {
    expect(asKeda('eval', `return redis.call("${command}", KEYS[1], 0, 1)`, '1', 'celery')).toMatch(
      /can't run this command|NOPERM/,
    );
    expect(redis.ask(['llen', 'celery'])).toBe('2');
  });
});

suite('a real Redis as a cache', () => {
  const redis = new RealRedis('26382', { role: RedisRole.CACHE });
  beforeAll(() => redis.start());
  afterAll(() => redis.remove());

  test('answers the probe, and who knows the password', () => {
    expect(redis.probe(redis.container.readinessProbe)).toBe(0);
    expect(redis.ask(['set', 'answer', '42', 'ex', '60'])).toBe('OK');
    expect(redis.ask(['get', 'answer'])).toBe('42');
    expect(redis.ask(['ping'], 'wrong')).toContain('NOAUTH');
  });

  test('writes nothing to disk', () => {
    expect(redis.ask(['info', 'persistence'])).toContain('aof_enabled:0');
    expect(readdirSync(redis.folder).sort()).toEqual(['data', 'redis.conf', 'users.acl']);
    expect(readdirSync(redis.data)).toEqual([]);
  });

  test('takes more than it can hold, and lets go of something older', () => {
    expect(redis.ask(['info', 'memory'])).toContain('maxmemory_policy:allkeys-lru');
    const mebibyte = (key: number) => `eval 'return redis.call("set", KEYS[1], string.rep("x", 1048576))' 1 key${key}`;
    redis.talk(...Array.from({ length: 60 }, (_, key) => mebibyte(key)));
    expect(redis.ask(['set', 'newest', 'x'])).toBe('OK');
    expect(redis.ask(['info', 'stats'])).toMatch(/evicted_keys:[1-9]/);
    expect(redis.ask(['exists', 'newest'])).toBe('1');
  });
});

suite('a real Redis with a full disk', () => {
  const redis = new RealRedis('26380');

  beforeAll(async () => {
    const folder = join(redis.data, 'appendonlydir');
    mkdirSync(folder);
    const file = (kind: string, type: string) => `file appendonly.aof.1.${kind}.aof seq 1 type ${type}\n`;
    writeFileSync(join(folder, 'appendonly.aof.manifest'), file('base', 'b') + file('incr', 'i'));
    const words = ['SELECT', '0'];
    const push = ['RPUSH', 'celery', 'task'];
    const encoded = [words, push].map(
      (command) => `*${command.length}\r\n${command.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`,
    );
    writeFileSync(join(folder, 'appendonly.aof.1.base.aof'), encoded.join(''));
    symlinkSync('/dev/full', join(folder, 'appendonly.aof.1.incr.aof'));
    await redis.start();
    redis.ask(['rpush', 'celery', 'lost']);
  });
  afterAll(() => redis.remove());

  test('takes no task that it could not keep', () => {
    expect(redis.ask(['rpush', 'celery', 'another'])).toContain('MISCONF');
  });

  test('hands out of what it has', () => {
    expect(redis.ask(['lindex', 'celery', '0'])).toBe('task');
  });

  test('is not restarted, which would mend nothing, but is not ready', async () => {
    expect(redis.probe(redis.container.readinessProbe)).not.toBe(0);
    expect(redis.container.livenessProbe).toHaveProperty('tcpSocket');
    expect(await redis.accepts()).toBe(true);
    expect(redis.isRunning).toBe(true);
  });
});
