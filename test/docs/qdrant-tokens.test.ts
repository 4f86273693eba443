import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Size } from 'cdk8s';
import { SecretKey } from '../../constructs/secrets/secret-key';
import { Qdrant, type QdrantProps } from '../../constructs/vector-store/qdrant';
import { find, mainContainer, render, testChart } from '../support/manifests';
import { qdrantBinary } from '../support/programs';
import { RESOURCES } from '../support/values';

const PAGE = readFileSync(join(__dirname, '../../docs/vectors.md'), 'utf8');
const [, SIGN_TOKEN = ''] = /^```js\n([\s\S]*?)^```$/m.exec(PAGE) ?? [];
const HOST = '127.0.0.50';
const ADDRESS = `http://${HOST}:6333`;

/** What the keys of the Secret `qdrant` hold. */
const VALUES: { readonly [key: string]: string } = {
  'api-key': 'a'.repeat(40),
  'api-key-2': 'b'.repeat(40),
  'read-only-api-key': 'c'.repeat(40),
};

/** A node with the configuration and the variables that are rendered for it. */
class Node {
  private constructor(
    private readonly process: ChildProcess,
    private readonly output: () => string,
  ) {}

  public static async start(directory: string, props: Partial<QdrantProps>): Promise<Node> {
    const chart = testChart();
    new Qdrant(chart, 'qdrant', {
      nodes: 1,
      resources: RESOURCES,
      storage: Size.gibibytes(1),
      apiKey: SecretKey.of('qdrant', 'api-key'),
      ...props,
    });
    const objects = render(chart);
    writeFileSync(join(directory, 'production.yaml'), find(objects, 'ConfigMap', 'qdrant').data['production.yaml']);
    const env: { [name: string]: string } = {
      QDRANT__SERVICE__HOST: HOST,
      QDRANT_INIT_FILE_PATH: join(directory, 'init'),
    };
    for (const { name, valueFrom } of mainContainer(find(objects, 'StatefulSet', 'qdrant')).env) {
      if (valueFrom?.secretKeyRef !== undefined) {
        env[name] = VALUES[valueFrom.secretKeyRef.key] as string;
      }
    }
    let output = '';
    const child = spawn(BINARY as string, ['--config-path', 'production.yaml'], {
      cwd: directory,
      env: { ...env, PATH: process.env.PATH },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text) => {
        output += text;
      });
    }
    const node = new Node(child, () => output);
    await node.ready();
    return node;
  }

  private async ready(): Promise<void> {
    for (let attempt = 0; attempt < 150; attempt += 1) {
      const answer = await fetch(`${ADDRESS}/readyz`).catch(() => undefined);
      if (answer?.ok === true) {
        return;
      }
      if (this.process.exitCode !== null) {
        break;
      }
      await sleep(200);
    }
    throw new Error(this.output());
  }

  public async stop(): Promise<void> {
    const ended = once(this.process, 'close');
    this.process.kill();
    await ended;
  }
}

async function ask(key: string, method: string, path: string, body?: object) {
  const answer = await fetch(`${ADDRESS}${path}`, {
    method,
    headers: { 'api-key': key, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: answer.status, text: await answer.text() };
}

const VECTORS = { vectors: { size: 2, distance: 'Dot' } };
const POINT = { points: [{ id: 1, vector: [1, 2], payload: { source: 'a' } }] };

const BINARY = qdrantBinary();

/** The program of the page. */
class Signer {
  private readonly directory = mkdtempSync(join(tmpdir(), 'sign-token-'));
  private readonly file = join(this.directory, 'sign-token.js');

  public constructor() {
    writeFileSync(this.file, SIGN_TOKEN);
  }

  /** Runs it with arguments, a key, and flags of Node.js. */
  public run(args: string[], key: string | undefined, ...flags: string[]) {
    const env = key === undefined ? {} : { QDRANT_KEY: key };
    return spawnSync(process.execPath, [...flags, this.file, ...args], { env, encoding: 'utf8' });
  }

  public remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}

const signer = new Signer();
afterAll(() => signer.remove());

describe('the program that signs tokens', () => {
  const key = VALUES['api-key'];
  const usage = 'usage: node sign-token.js <subject> r|prw|rw <days> <collection>...\n';

  test('signs what it was told', () => {
    const before = Math.floor(Date.now() / 1000);
    const { status, stdout, stderr } = signer.run(['api', 'r', '365', 'documents', 'others'], key);
    expect([status, stderr]).toEqual([0, '']);
    const [header = '', claims = '', signature] = stdout.trim().split('.');
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({ alg: 'HS256', typ: 'JWT' });
    const { exp, ...rest } = JSON.parse(Buffer.from(claims, 'base64url').toString());
    expect(rest).toEqual({
      subject: 'api',
      access: [
        { collection: 'documents', access: 'r' },
        { collection: 'others', access: 'r' },
      ],
    });
    expect(exp).toBeGreaterThanOrEqual(before + 365 * 86400);
    expect(exp).toBeLessThanOrEqual(Math.floor(Date.now() / 1000) + 365 * 86400);
    const expected = createHmac('sha256', key as string).update(`${header}.${claims}`);
    expect(signature).toBe(expected.digest('base64url'));
  });

  test.each([
    ['nothing', []],
    ['no access', ['api']],
    ['no days', ['api', 'r']],
    ['no collection', ['api', 'r', '365']],
    ['a collection in the place of the days', ['api', 'r', 'documents']],
    ['days that are no number', ['api', 'r', '1y', 'documents']],
    ['days that are over', ['api', 'r', '-1', 'documents']],
    ['no day', ['api', 'r', '0', 'documents']],
    ['more days than there are', ['api', 'r', 'Infinity', 'documents']],
    ['an access that Qdrant does not know', ['api', 'read', '365', 'documents']],
    ['an empty subject', ['', 'r', '365', 'documents']],
    ['an empty collection', ['api', 'r', '365', '']],
  ])('refuses %s, and signs nothing', (_, args: string[]) => {
    expect(signer.run(args, key)).toMatchObject({ status: 2, stdout: '', stderr: usage });
  });

  test.each([undefined, ''])('refuses the key %p', (none) => {
    expect(signer.run(['api', 'r', '365', 'documents'], none)).toMatchObject({
      status: 2,
      stdout: '',
      stderr: 'QDRANT_KEY is not set; export the full key\n',
    });
  });
});

(BINARY === undefined ? describe.skip : describe)('on a Qdrant', () => {
  let directory = '';
  let node: Node | undefined;

  /** A token, signed as the page says. */
  const token = (key: string, access: string, ...flags: string[]) =>
    signer.run(['tests', access, '1', 'documents'], VALUES[key], ...flags).stdout.trim();

  /** Has the program run two days ago. */
  const TWO_DAYS_AGO = '--import=data:text/javascript,const now=Date.now();Date.now=()=>now-2*86400000';

  async function restart(props: Partial<QdrantProps>): Promise<void> {
    await node?.stop();
    node = await Node.start(directory, props);
  }

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'qdrant-tokens-'));
  });

  afterAll(async () => {
    await node?.stop();
    rmSync(directory, { recursive: true });
  });

  test('tokens allow what the page says, and nothing else', async () => {
    await restart({ audit: { storage: Size.gibibytes(1) } });
    const full = VALUES['api-key'] as string;
    for (const name of ['documents', 'others']) {
      expect((await ask(full, 'PUT', `/collections/${name}`, VECTORS)).status).toBe(200);
    }
    const alias = { create_alias: { collection_name: 'documents', alias_name: 'search' } };
    expect((await ask(full, 'POST', '/collections/aliases', { actions: [alias] })).status).toBe(200);
    const snapshots = '/collections/documents/snapshots';
    const taken = JSON.parse((await ask(full, 'POST', snapshots)).text).result.name;
    const requests: { readonly [what: string]: [string, string, object?] } = {
      search: ['POST', '/collections/documents/points/query', { query: [1, 2] }],
      scroll: ['POST', '/collections/documents/points/scroll', {}],
      count: ['POST', '/collections/documents/points/count', {}],
      settings: ['GET', '/collections/documents'],
      write: ['PUT', '/collections/documents/points?wait=true', POINT],
      delete: ['POST', '/collections/documents/points/delete?wait=true', { points: [1] }],
      download: ['GET', `${snapshots}/${taken}`],
      snapshot: ['POST', snapshots],
      index: ['PUT', '/collections/documents/index?wait=true', { field_name: 'source', field_schema: 'keyword' }],
      'by alias': ['POST', '/collections/search/points/count', {}],
      'another collection': ['POST', '/collections/others/points/count', {}],
      create: ['PUT', '/collections/new', VECTORS],
      drop: ['DELETE', '/collections/documents'],
      audit: ['POST', '/audit/logs', {}],
    };
    const reads = ['search', 'scroll', 'count', 'settings'];
    const allowed: { readonly [access: string]: string[] } = {
      r: [...reads, 'download'],
      prw: [...reads, 'write', 'delete'],
      rw: [...reads, 'write', 'delete', 'download', 'snapshot', 'index'],
    };
    for (const [access, can] of Object.entries(allowed)) {
      const shown = token('api-key', access);
      for (const [what, [method, path, body]] of Object.entries(requests)) {
        const { status } = await ask(shown, method, path, body);
        expect([access, what, status]).toEqual([access, what, can.includes(what) ? 200 : 403]);
      }
    }
    expect((await ask(token('api-key', 'r', TWO_DAYS_AGO), 'GET', '/collections/documents')).status).toBe(403);
    expect((await ask(token('api-key-2', 'r'), 'GET', '/collections/documents')).status).toBe(403);
  }, 60_000);

  test('the audit log says who asked what, in its directory and to the full key', async () => {
    const logs = await ask(VALUES['api-key'] as string, 'POST', '/audit/logs', {
      limit: 100,
      filters: { result: 'denied', subject: 'tests' },
    });
    const { entries } = JSON.parse(logs.text).result;
    expect(entries).toContainEqual(
      expect.objectContaining({ method: 'upsert_points', collection: 'documents', subject: 'tests', result: 'denied' }),
    );
    expect(readdirSync(join(directory, 'audit'))).toEqual([expect.stringMatching(/^audit\..*\.log$/)]);
  });

  test('keys and tokens of each step of a replacement are accepted by the nodes of the next', async () => {
    const [one, two] = ['api-key', 'api-key-2'].map((key) => SecretKey.of('qdrant', key)) as [SecretKey, SecretKey];
    const accepted = async () => {
      const shown = ['api-key', 'api-key-2'].flatMap((key) => [VALUES[key] as string, token(key, 'prw')]);
      const answers = [];
      for (const credential of shown) {
        answers.push((await ask(credential, 'POST', '/collections/documents/points/count', {})).status === 200);
      }
      return answers;
    };
    await restart({ apiKey: one });
    expect(await accepted()).toEqual([true, true, false, false]);
    await restart({ apiKey: one, alternativeApiKey: two });
    expect(await accepted()).toEqual([true, true, true, true]);
    await restart({ apiKey: two, alternativeApiKey: one });
    expect(await accepted()).toEqual([true, true, true, true]);
    await restart({ apiKey: two });
    expect(await accepted()).toEqual([false, false, true, true]);
  }, 60_000);

  test('the read-only key reads everything, snapshots too, and writes nothing', async () => {
    await restart({ readOnlyApiKey: SecretKey.of('qdrant', 'read-only-api-key') });
    const key = VALUES['read-only-api-key'] as string;
    expect((await ask(key, 'GET', '/collections/documents/snapshots')).status).toBe(200);
    expect((await ask(key, 'POST', '/collections/others/points/count', {})).status).toBe(200);
    expect((await ask(key, 'PUT', '/collections/documents/points', POINT)).status).toBe(403);
  }, 60_000);
});
