import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CeleryWorker, hasCelery, printedBy } from '../support/celery';
import { isInstalled } from '../support/programs';

const PORT = '26390';
const BROKER = `redis://127.0.0.1:${PORT}/0`;

/** Twice the pause between two heartbeats of the test, and time for a machine that is busy. */
const YOUNG = 3;

const CONNECTED = 'Connected to redis';

/** A Redis that keeps its tasks when it is away for a while. */
class Broker {
  private readonly folder = mkdtempSync(join(tmpdir(), 'broker-'));
  private server?: ChildProcess;

  public async start(): Promise<void> {
    this.server = spawn('redis-server', [
      '--port',
      PORT,
      '--bind',
      '127.0.0.1',
      '--dir',
      this.folder,
      '--appendonly',
      'yes',
    ]);
    const ping = () => spawnSync('redis-cli', ['-p', PORT, 'ping'], { encoding: 'utf8' }).stdout.trim();
    for (let tries = 0; tries < 100 && ping() !== 'PONG'; tries += 1) {
      await new Promise((resume) => setTimeout(resume, 100));
    }
  }

  public async stop(): Promise<void> {
    const { server } = this;
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      const exited = once(server, 'exit');
      server.kill('SIGTERM');
      await exited;
    }
  }

  public async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }
}

const redis = isInstalled('redis-server');
const celery = hasCelery();
const suite = redis && celery ? describe : describe.skip;

suite('the worker of the example', () => {
  jest.setTimeout(120_000);
  let broker: Broker;
  let worker: CeleryWorker;

  beforeEach(() => {
    broker = new Broker();
  });
  afterEach(async () => {
    worker.remove();
    await broker.remove();
  });

  test('keeps its heartbeat while the broker is away, and after that', async () => {
    await broker.start();
    worker = new CeleryWorker(BROKER);
    worker.start();
    await worker.until(() => worker.told(' ready.') === 1);
    for (const times of [2, 3]) {
      const [away] = await Promise.all([worker.greatestAge(6), broker.stop()]);
      expect(away).toBeLessThan(YOUNG);
      await broker.start();
      await worker.until(() => worker.told(CONNECTED) === times);
      expect(await worker.greatestAge(6)).toBeLessThan(YOUNG);
    }
    worker.send('after', 0);
    await worker.until(() => worker.has('after'));
    expect(await worker.terminate()).toBe(0);
  });

  test('has a heartbeat before there is a broker', async () => {
    worker = new CeleryWorker(BROKER);
    worker.start();
    await worker.until(() => worker.told('Cannot connect') > 0);
    expect(await worker.greatestAge(5)).toBeLessThan(YOUNG);
    await broker.start();
    await worker.until(() => worker.told(' ready.') === 1);
    expect(await worker.greatestAge(4)).toBeLessThan(YOUNG);
  });

  test('has none when its main loop stands still', async () => {
    await broker.start();
    worker = new CeleryWorker(BROKER, { STUCK: 'yes' });
    worker.start();
    await worker.until(() => worker.told(' ready.') === 1);
    await worker.until(() => worker.age > 6);
  });

  test('finishes the task at hand on SIGTERM, with a heartbeat meanwhile', async () => {
    await broker.start();
    worker = new CeleryWorker(BROKER);
    worker.start();
    worker.send('finished', 8);
    await worker.until(() => worker.has('finished.begun'));
    const [age, code] = await Promise.all([worker.greatestAge(6), worker.terminate()]);
    expect(worker.has('finished')).toBe(true);
    expect(code).toBe(0);
    expect(age).toBeLessThan(YOUNG);
  });

  test('ends on SIGTERM while the broker is away', async () => {
    await broker.start();
    worker = new CeleryWorker(BROKER);
    worker.start();
    await worker.until(() => worker.told(' ready.') === 1);
    await broker.stop();
    await worker.until(() => worker.told('Cannot connect') > 0);
    expect(await worker.terminate()).toBe(0);
  });
});

/** What the transport makes of the settings of a broker. */
const CHANNEL = `
from celery import Celery
app = Celery("api")
app.config_from_object("settings")
channel = app.connection_for_read().channel()
print(app.conf.task_default_queue, *(getattr(channel, name) for name in NAMES), sep="|")
`;

function channelOf(broker: string, names: string[], env: { [name: string]: string }): string[] {
  return printedBy(`NAMES = ${JSON.stringify(names)}\n${CHANNEL}`, broker, env).split('|');
}

(celery ? describe : describe.skip)('the settings of', () => {
  const sqs = {
    SQS_QUEUE_NAME: 'documents',
    SQS_QUEUE_URL: 'https://sqs.eu-west-1.amazonaws.com/123456789012/documents',
    AWS_REGION: 'eu-west-1',
    CELERY_BROKER_URL: 'sqs://',
  };
  const serviceBus = {
    SERVICEBUS_QUEUE_NAME: 'documents',
    SERVICEBUS_FULLY_QUALIFIED_NAMESPACE: 'acme-rag.servicebus.windows.net',
  };
  const LOCKS = ['use_lock_renewal', 'max_lock_renewal_duration', '_connection_string'];

  (redis ? test : test.skip)('Redis wait longer than the longest task', async () => {
    const broker = new Broker();
    await broker.start();
    const env = { CELERY_BROKER_URL: BROKER };
    expect(channelOf('redis', ['visibility_timeout'], { ...env, LONGEST_TASK_SECONDS: '900' })).toEqual([
      'celery',
      '1200',
    ]);
    expect(channelOf('redis', ['visibility_timeout'], env)).toEqual(['celery', '900']);
    await broker.remove();
  });

  test('SQS name the queue and its region', () => {
    const [queue, queues, region] = channelOf('sqs', ['_queue_cache', 'region'], sqs);
    expect(queue).toBe('documents');
    expect(queues).toBe(`{'documents': '${sqs.SQS_QUEUE_URL}'}`);
    expect(region).toBe('eu-west-1');
  });

  test('Service Bus renew the lock for longer than the longest task', () => {
    const env = {
      ...serviceBus,
      CELERY_BROKER_URL: 'azureservicebus://DefaultAzureCredential@acme-rag.servicebus.windows.net',
      LONGEST_TASK_SECONDS: '900',
    };
    expect(channelOf('service_bus', LOCKS, env)).toEqual(['documents', 'True', '1200.0', 'None']);
  });

  test('Service Bus make an address of a connection string', () => {
    const connection = 'SharedAccessKeyName=rag;SharedAccessKey=a/b+c=';
    const env = {
      ...serviceBus,
      SERVICEBUS_CONNECTION_STRING: `Endpoint=sb://acme-rag.servicebus.windows.net/;${connection}`,
    };
    expect(channelOf('service_bus', LOCKS, env)).toEqual([
      'documents',
      'True',
      '900.0',
      `Endpoint=sb://acme-rag.servicebus.windows.net;${connection}`,
    ]);
  });

  test('RabbitMQ want quorum queues, and certificates', () => {
    const script = `
from celery import Celery
app = Celery("api")
app.config_from_object("settings")
print(app.conf.task_default_queue_type, dict(app.conf.broker_use_ssl)["ca_certs"])
print(app.amqp.queues["celery"].queue_arguments)
`;
    const env = { CELERY_BROKER_URL: 'amqps://queue/', RABBITMQ_CA_FILE: '/etc/rabbitmq-ca/ca.crt' };
    expect(printedBy(script, 'rabbitmq', env).split('\n')).toEqual([
      'quorum /etc/rabbitmq-ca/ca.crt',
      "{'x-queue-type': 'quorum'}",
    ]);
  });
});
