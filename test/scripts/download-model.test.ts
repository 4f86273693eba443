import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ForwardProxy, knowsProxies } from '../support/forward-proxy';
import { runProgram } from '../support/node-programs';

// Every run starts a process, on machines that may be busy.
jest.setTimeout(60_000);

const ID = 'acme/model';
const REVISION = 'main';
const COMMIT = 'c0ffee';
const API = `GET /api/models/${ID}/revision/${REVISION}?blobs=true`;
const TOKEN = 'hf_of-an-account';

/** What a request brought. */
interface Received {
  readonly line: string;
  readonly authorization?: string;
  readonly range?: string;
}

/** How the hub answers a request for a file, once. */
type Trouble = (response: ServerResponse, content: Buffer) => void;

/** A hub that redirects to a host of its own for files that LFS holds, as huggingface.co does. */
class Hub {
  public static async start(): Promise<Hub> {
    const hub = new Hub();
    for (const server of [hub.api, hub.storage]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    return hub;
  }

  public readonly received: Received[] = [];
  public files: { [name: string]: Buffer } = {};
  public commit = COMMIT;
  public token?: string;
  /** Path below which the API is, as in a registry of many kinds. */
  public base = '';
  /** What is said of a file instead of the truth. */
  public readonly claims: { [name: string]: object } = {};
  /** Failures to come, by file; the API's by the empty name. */
  public readonly troubles: { [name: string]: Trouble[] } = {};

  private readonly api = createServer((request, response) => this.answer(request, response));
  private readonly storage = createServer((request, response) => this.store(request, response));

  public get url(): string {
    return urlOf(this.api);
  }

  public get lines(): string[] {
    return this.received.map(({ line }) => line);
  }

  public async stop(): Promise<void> {
    for (const server of [this.api, this.storage]) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    this.receive('GET', request);
    const asked = decodeURIComponent(request.url ?? '');
    if (!asked.startsWith(`${this.base}/`)) {
      response.writeHead(404).end();
      return;
    }
    const path = asked.slice(this.base.length);
    const file = path.startsWith(`/${ID}/resolve/${this.commit}/`) ? path.split(`/${this.commit}/`)[1] : undefined;
    if (this.token !== undefined && request.headers.authorization !== `Bearer ${this.token}`) {
      response.writeHead(401).end();
    } else if (path === `/api/models/${ID}/revision/${REVISION}?blobs=true`) {
      this.send(response, '', Buffer.from(JSON.stringify(this.info())), {});
    } else if (file === undefined || this.files[file] === undefined) {
      response.writeHead(404).end();
    } else if (isLarge(file)) {
      response.writeHead(302, { location: `${urlOf(this.storage)}/${encodeURIComponent(file)}` }).end();
    } else {
      this.send(response, file, this.files[file], request.headers);
    }
  }

  private store(request: IncomingMessage, response: ServerResponse): void {
    this.receive('STORED', request);
    const file = decodeURIComponent((request.url ?? '').slice(1));
    this.send(response, file, this.files[file] as Buffer, request.headers);
  }

  private send(response: ServerResponse, file: string, content: Buffer, headers: IncomingMessage['headers']): void {
    const trouble = this.troubles[file]?.shift();
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    if (trouble !== undefined) {
      trouble(response, content);
    } else if (headers.range === undefined) {
      response.writeHead(200, { 'content-length': content.length }).end(content);
    } else if (from >= content.length) {
      response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    } else {
      response.writeHead(206, { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` });
      response.end(content.subarray(from));
    }
  }

  private info(): object {
    const siblings = Object.entries(this.files).map(([rfilename, content]) => ({
      rfilename,
      size: content.length,
      blobId: digest('sha1', `blob ${content.length}\0`, content),
      ...(isLarge(rfilename) ? { lfs: { sha256: digest('sha256', content), size: content.length } } : {}),
      ...this.claims[rfilename],
    }));
    return { id: ID, sha: this.commit, siblings };
  }

  private receive(method: string, { url, headers }: IncomingMessage): void {
    const { authorization, range } = headers;
    this.received.push({ line: `${method} ${url}`, authorization, range });
  }
}

const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const isLarge = (file: string) => file.endsWith('.safetensors') || file.endsWith('.bin');
const resolved = (file: string, commit = COMMIT) => `GET /${ID}/resolve/${commit}/${file}`;

function digest(algorithm: string, ...parts: (string | Buffer)[]): string {
  const hash = createHash(algorithm);
  for (const part of parts) {
    hash.update(part);
  }
  return hash.digest('hex');
}

const CONFIG = Buffer.from('{"model_type":"bert"}');
const WEIGHTS = Buffer.alloc(200_000, 'weights ');

/** Sends half of a file, and hangs up when that is on the disk. */
const breakOff: Trouble = (response, content) => {
  const half = content.length / 2;
  response.writeHead(200, { 'content-length': content.length }).write(content.subarray(0, half));
  const look = setInterval(() => {
    const partial = path('model.safetensors.partial');
    if (existsSync(partial) && readFileSync(partial).length === half) {
      clearInterval(look);
      response.destroy();
    }
  }, 10);
};

const status =
  (code: number): Trouble =>
  (response) =>
    response.writeHead(code).end();

const outage = (answers: number): Trouble[] => Array.from({ length: answers }, () => status(503));

let hub: Hub;
let models: string;
const path = (file: string) => join(models, ID, file);
const read = (file: string) => readFileSync(path(file));

function put(file: string, content: string | Buffer): void {
  mkdirSync(dirname(path(file)), { recursive: true });
  writeFileSync(path(file), content);
}

/** Every file of the model's folder, without those of the program itself. */
function files(): string[] {
  return readdirSync(join(models, ID), { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(join(models, ID).length + 1))
    .sort();
}

function run(env: { [name: string]: string } = {}) {
  return runProgram('models/download-model.mjs', {
    MODEL_ID: ID,
    MODEL_REVISION: REVISION,
    MODEL_DIRECTORY: join(models, ID),
    HF_ENDPOINT: hub.url,
    RETRY_MILLISECONDS: '1',
    ...env,
  });
}

beforeEach(async () => {
  models = mkdtempSync(join(tmpdir(), 'models-'));
  hub = await Hub.start();
  hub.files = { 'config.json': CONFIG, 'model.safetensors': WEIGHTS, '1_Pooling/config.json': Buffer.from('{}') };
});
afterEach(async () => {
  await hub.stop();
  rmSync(models, { recursive: true });
});

describe('a download', () => {
  test('puts the whole model into a folder of its id', async () => {
    const { status: code, stdout, stderr } = await run();
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trim().split('\n')).toEqual([
      '{"file":"config.json","bytes":21}',
      '{"file":"model.safetensors","bytes":200000}',
      '{"file":"1_Pooling/config.json","bytes":2}',
      'acme/model at c0ffee is complete',
    ]);
    expect(files()).toEqual(['1_Pooling/config.json', 'config.json', 'model.safetensors']);
    expect(read('config.json')).toEqual(CONFIG);
    expect(read('model.safetensors')).toEqual(WEIGHTS);
    expect(read('.complete').toString()).toBe('main\nc0ffee\n');
  });

  test('can be read by every user, whatever the mask is', async () => {
    const before = process.umask(0o077);
    try {
      await run();
    } finally {
      process.umask(before);
    }
    const modes = ['', '1_Pooling', 'model.safetensors'].map((file) => statSync(path(file)).mode & 0o777);
    expect(modes).toEqual([0o755, 0o755, 0o644]);
  });

  test('asks for the files of the commit that the branch was at', async () => {
    await run();
    expect(hub.lines).toEqual([
      API,
      resolved('config.json'),
      resolved('model.safetensors'),
      'STORED /model.safetensors',
      resolved('1_Pooling/config.json'),
    ]);
    expect(hub.received.every(({ range }) => range === undefined)).toBe(true);
  });

  test('that is complete asks for nothing', async () => {
    await run();
    hub.received.length = 0;
    const { status: code, stdout } = await run();
    expect([code, stdout]).toEqual([0, 'acme/model at main is there\n']);
    expect(hub.lines).toEqual([]);
  });

  test('keeps an empty file, and one whose name a URL has to escape', async () => {
    hub.files = { 'a b#.json': CONFIG, '.gitattributes': Buffer.alloc(0) };
    expect((await run()).status).toBe(0);
    expect(read('a b#.json')).toEqual(CONFIG);
    expect(read('.gitattributes')).toHaveLength(0);
  });

  test('of a branch with a slash in its name asks for that branch', async () => {
    const { status: code, stderr } = await run({ MODEL_REVISION: 'refs/pr/1' });
    expect(code).toBe(1);
    expect(hub.lines).toEqual([`GET /api/models/${ID}/revision/refs%2Fpr%2F1?blobs=true`]);
    expect(stderr).toBe(
      'acme/model: GET /api/models/acme/model/revision/refs%2Fpr%2F1?blobs=true: status 404; there is no such model, ' +
        'revision or file\n',
    );
  });
});

describe('formats', () => {
  const others = [
    'pytorch_model.bin',
    'onnx/model.onnx',
    'openvino/model.xml',
    'original/a.json',
    'tf_model.h5',
    'a.gguf',
  ];

  test('that no server reads stay at the hub where there are safetensors', async () => {
    for (const file of others) {
      hub.files[file] = Buffer.from(file);
    }
    expect((await run()).status).toBe(0);
    expect(files()).toEqual(['1_Pooling/config.json', 'config.json', 'model.safetensors']);
    expect(hub.lines.filter((line) => others.some((file) => line.endsWith(`/${file}`)))).toEqual([]);
  });

  test('are all there is where there are no safetensors', async () => {
    hub.files = { 'config.json': CONFIG, 'onnx/model.onnx': WEIGHTS, 'pytorch_model.bin': WEIGHTS };
    expect((await run()).status).toBe(0);
    expect(files()).toEqual(['config.json', 'onnx/model.onnx', 'pytorch_model.bin']);
  });
});

describe('a download that was broken off', () => {
  test('half-way goes on from there, in the same run', async () => {
    hub.troubles['model.safetensors'] = [breakOff];
    const { status: code, stderr } = await run();
    expect(code).toBe(0);
    expect(stderr).toMatch(/^model\.safetensors: .+; attempt 2 of 15\n$/);
    expect(read('model.safetensors')).toEqual(WEIGHTS);
    const [first, second] = hub.received.filter(({ line }) => line.startsWith('STORED'));
    expect(first?.range).toBeUndefined();
    expect(second?.range).toBe('bytes=100000-');
  });

  test('in an earlier run goes on from there, and fetches no file twice', async () => {
    hub.troubles['model.safetensors'] = [breakOff, ...outage(14)];
    const failed = await run();
    expect(failed.status).toBe(1);
    expect(failed.stderr.trim().split('\n').at(-1)).toBe(
      'acme/model: GET /acme/model/resolve/c0ffee/model.safetensors: status 503',
    );
    expect(files()).toEqual(['config.json', 'model.safetensors.partial']);
    expect(existsSync(path('.complete'))).toBe(false);

    hub.received.length = 0;
    expect((await run()).status).toBe(0);
    expect(read('model.safetensors')).toEqual(WEIGHTS);
    expect(hub.lines).not.toContain(resolved('config.json'));
    expect(hub.received.find(({ line }) => line.startsWith('STORED'))?.range).toBe('bytes=100000-');
    expect(files()).not.toContain('model.safetensors.partial');
  });

  test('between the last byte and the new name fetches nothing more', async () => {
    put('.commit', COMMIT);
    put('model.safetensors.partial', WEIGHTS);
    expect((await run()).status).toBe(0);
    expect(read('model.safetensors')).toEqual(WEIGHTS);
    expect(hub.lines).not.toContain(resolved('model.safetensors'));
  });

  test('with more than there is begins again', async () => {
    put('.commit', COMMIT);
    put('model.safetensors.partial', Buffer.concat([WEIGHTS, WEIGHTS]));
    expect((await run()).status).toBe(0);
    expect(read('model.safetensors')).toEqual(WEIGHTS);
  });

  test('begins again where the hub knows no ranges', async () => {
    put('.commit', COMMIT);
    put('model.safetensors.partial', WEIGHTS.subarray(0, 1000));
    const whole: Trouble = (response, content) => response.writeHead(200).end(content);
    hub.troubles['model.safetensors'] = [whole];
    const { status: code, stderr } = await run();
    expect([code, stderr]).toEqual([0, '']);
    expect(read('model.safetensors')).toEqual(WEIGHTS);
  });

  test('without an error, because the hub did not say how long the file is, goes on from there', async () => {
    hub.troubles['config.json'] = [(response, content) => response.writeHead(200).end(content.subarray(0, 10))];
    const { status: code, stderr } = await run();
    expect([code, stderr]).toEqual([0, 'config.json: config.json ended after 10 of 21 bytes; attempt 2 of 15\n']);
    expect(read('config.json')).toEqual(CONFIG);
  });
});

describe('content', () => {
  test('other than the hub says is thrown away and fetched again', async () => {
    const wrong = Buffer.alloc(WEIGHTS.length, 'wrong');
    hub.troubles['model.safetensors'] = [(response) => response.writeHead(200).end(wrong)];
    const { status: code, stderr } = await run();
    expect(code).toBe(0);
    expect(stderr).toBe('model.safetensors: model.safetensors is not what the hub says it is; attempt 2 of 15\n');
    expect(read('model.safetensors')).toEqual(WEIGHTS);
  });

  test('that stays wrong never gets the name of the file', async () => {
    hub.claims['model.safetensors'] = { lfs: { sha256: '0'.repeat(64), size: WEIGHTS.length } };
    const { status: code, stderr } = await run();
    expect(code).toBe(1);
    expect(stderr.trim().split('\n')).toHaveLength(3);
    expect(stderr).toContain('\nacme/model: model.safetensors is not what the hub says it is\n');
    expect(files()).toEqual(['config.json']);
  });

  test('that half came from elsewhere is found out', async () => {
    put('.commit', COMMIT);
    put('model.safetensors.partial', Buffer.alloc(1000, 'x'));
    expect((await run()).status).toBe(0);
    expect(read('model.safetensors')).toEqual(WEIGHTS);
  });
});

describe('another commit', () => {
  const trained = Buffer.alloc(WEIGHTS.length, 'trained ');

  async function move(): Promise<void> {
    await run();
    hub.commit = 'decaf';
    hub.files = { ...hub.files, 'model.safetensors': trained };
    rmSync(path('.complete'));
    hub.received.length = 0;
  }

  test('replaces what differs, though it has the same size, and keeps the rest', async () => {
    await move();
    const { status: code } = await run();
    expect(code).toBe(0);
    expect(read('model.safetensors')).toEqual(trained);
    expect(hub.lines).toEqual([API, resolved('model.safetensors', 'decaf'), 'STORED /model.safetensors']);
    expect(read('.complete').toString()).toBe('main\ndecaf\n');
  });

  test('does not go on with half a file of the one before', async () => {
    await move();
    rmSync(path('config.json'));
    put('config.json.partial', CONFIG.subarray(0, 5));
    hub.files['config.json'] = Buffer.from(CONFIG.toString().replace('bert', 'gpt2'));
    expect((await run()).status).toBe(0);
    expect(read('config.json').toString()).toBe('{"model_type":"gpt2"}');
    expect(hub.received.every(({ range }) => range === undefined)).toBe(true);
  });

  test('is not complete before all of it is there', async () => {
    await run();
    hub.commit = 'decaf';
    hub.files['model.safetensors'] = trained;
    hub.troubles['model.safetensors'] = outage(15);
    writeFileSync(path('.complete'), 'v1\nc0ffee\n');
    expect((await run()).status).toBe(1);
    expect(existsSync(path('.complete'))).toBe(false);
  });

  test('that is the same under another name fetches nothing', async () => {
    await run();
    writeFileSync(path('.complete'), 'v1\nc0ffee\n');
    hub.received.length = 0;
    const { status: code, stdout } = await run();
    expect([code, stdout]).toEqual([0, 'acme/model at c0ffee is complete\n']);
    expect(hub.lines).toEqual([API]);
  });
});

describe('a file that would be outside the folder', () => {
  test.each(['../evil.json', 'a/../../../evil.json', '..'])(
    '%s stops the download before anything is there',
    async (name) => {
      hub.files = { 'config.json': CONFIG, [name]: Buffer.from('evil') };
      const { status: code, stderr } = await run();
      expect(code).toBe(1);
      expect(stderr).toBe(`acme/model: ${name} would be outside ${join(models, ID)}\n`);
      expect(existsSync(join(models, ID))).toBe(false);
      expect(readdirSync(models)).toEqual([]);
    },
  );
});

describe('a token', () => {
  beforeEach(() => {
    hub.token = TOKEN;
  });

  test('is shown to the hub, not to the host that it redirects to, and never printed', async () => {
    hub.troubles['model.safetensors'] = [status(500)];
    const { status: code, stdout, stderr } = await run({ HF_TOKEN: TOKEN });
    expect(code).toBe(0);
    expect(stderr).not.toBe('');
    expect(`${stdout}${stderr}`).not.toContain(TOKEN);
    const shown = (prefix: string) => [
      ...new Set(hub.received.filter(({ line }) => line.startsWith(prefix)).map(({ authorization }) => authorization)),
    ];
    expect(shown('GET')).toEqual([`Bearer ${TOKEN}`]);
    expect(shown('STORED')).toEqual([undefined]);
    expect(files().map((file) => read(file).includes(TOKEN))).toEqual([false, false, false]);
  });

  test.each([
    ['none', {}],
    ['another', { HF_TOKEN: 'hf_wrong' }],
  ])('is asked for when there is %s, once', async (_, env) => {
    const { status: code, stdout, stderr } = await run(env as { [name: string]: string });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      'acme/model: GET /api/models/acme/model/revision/main?blobs=true: status 401; the model wants a token of an ' +
        'account that may read it\n',
    );
    expect(hub.lines).toEqual([API]);
  });

  test('that may not read a file is asked for too', async () => {
    hub.troubles['config.json'] = [status(403)];
    const { status: code, stderr } = await run({ HF_TOKEN: TOKEN });
    expect(code).toBe(1);
    expect(stderr).toBe(
      'acme/model: GET /acme/model/resolve/c0ffee/config.json: status 403; the model wants a token of an account that ' +
        'may read it\n',
    );
  });
});

describe('a failure', () => {
  test('of the hub is waited out, fifteen attempts long', async () => {
    hub.troubles[''] = outage(14);
    const { status: code, stderr } = await run();
    expect(code).toBe(0);
    expect(stderr.trim().split('\n')).toEqual(
      Array.from(
        { length: 14 },
        (_, before) =>
          `acme/model: GET /api/models/acme/model/revision/main?blobs=true: status 503; attempt ${before + 2} of 15`,
      ),
    );
  });

  test('of the hub that lasts longer ends the run', async () => {
    hub.troubles[''] = outage(15);
    expect((await run()).status).toBe(1);
    expect(hub.lines).toEqual(Array.from({ length: 15 }, () => API));
  });

  test('after which more of the file is there does not count', async () => {
    hub.troubles['model.safetensors'] = [...outage(13), breakOff, ...outage(13)];
    const { status: code, stderr } = await run();
    expect(code).toBe(0);
    expect(read('model.safetensors')).toEqual(WEIGHTS);
    expect(stderr.match(/attempt \d+/g)?.slice(12, 15)).toEqual(['attempt 14', 'attempt 2', 'attempt 3']);
  });

  test('is waited for twice as long each time', async () => {
    hub.troubles[''] = outage(4);
    const begun = Date.now();
    await run({ RETRY_MILLISECONDS: '100' });
    expect(Date.now() - begun).toBeGreaterThanOrEqual(100 + 200 + 400 + 800);
  });

  test('of a file that is not there is tried once', async () => {
    hub.troubles['config.json'] = [status(404)];
    const { status: code, stderr } = await run();
    expect(code).toBe(1);
    expect(stderr).toBe(
      'acme/model: GET /acme/model/resolve/c0ffee/config.json: status 404; there is no such model, revision or file\n',
    );
  });

  test('of the connection says why', async () => {
    const { status: code, stderr } = await run({ HF_ENDPOINT: 'http://127.0.0.1:1' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^acme\/model: fetch failed \(\S.*\); attempt 2 of 15\n/);
  });
});

test('a hub below a path is asked there', async () => {
  hub.base = '/api/huggingfaceml/models';
  const { status: code } = await run({ HF_ENDPOINT: `${hub.url}${hub.base}` });
  expect(code).toBe(0);
  expect(hub.lines[0]).toBe(API.replace('GET ', `GET ${hub.base}`));
  expect(files()).toContain('model.safetensors');
});

(knowsProxies() ? describe : describe.skip)('the proxy of the cluster', () => {
  const NAMED = 'http://models.acme.example';
  let proxy: ForwardProxy;
  beforeEach(async () => {
    proxy = await ForwardProxy.start(Number(new URL(hub.url).port));
  });
  afterEach(() => proxy.stop());
  const through = (more: { [name: string]: string }) =>
    run({ HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, NODE_USE_ENV_PROXY: '1', ...more });

  test('is asked for a host outside', async () => {
    const { status: code, stderr } = await through({ HF_ENDPOINT: NAMED, NO_PROXY: 'localhost,127.0.0.1,.svc' });
    expect([code, stderr.includes('Error')]).toEqual([0, false]);
    expect(proxy.asked.length).toBeGreaterThan(0);
    expect(proxy.asked.every((host) => /^models\.acme\.example(:80)?$/.test(host))).toBe(true);
    expect(files()).toContain('model.safetensors');
  });

  test('is not asked for what NO_PROXY names', async () => {
    const { status: code } = await through({ NO_PROXY: 'localhost,127.0.0.1,.svc' });
    expect(code).toBe(0);
    expect(proxy.asked).toEqual([]);
  });
});
