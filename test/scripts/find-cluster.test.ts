import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const PROGRAM = resolve(__dirname, '..', '..', 'constructs', 'vector-store', 'find-cluster.mjs');

/** Each node has a loopback address of its own. */
const HTTP = 26333;
const P2P = 26335;
const addressOf = (ordinal: number) => `127.0.0.${20 + ordinal}`;
const uri = (ordinal: number) => `http://${addressOf(ordinal)}:${P2P}`;

/** What a member answers, as far as the program asks. */
interface Cluster {
  /** Addresses of the members by peer. */
  readonly peers: { readonly [peer: number]: string };
  /** Peers that hold the only shard. */
  readonly holders?: number[];
  readonly leader?: number | null;
  readonly thread?: string;
  readonly status?: string;
}

describe('how a node of a Qdrant cluster starts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'find-cluster-'));
  let servers: Server[] = [];
  let running: ChildProcess[] = [];

  afterEach(async () => {
    for (const child of running) {
      child.kill('SIGKILL');
    }
    running = [];
    await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
    servers = [];
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A node that runs Qdrant. */
  async function serve(ordinal: number, cluster: Cluster): Promise<void> {
    const { peers, holders = [], leader = 1, thread = 'working', status = 'enabled' } = cluster;
    const [own = 0, ...others] = holders;
    const answers: { [path: string]: object } = {
      '/cluster': {
        status,
        peers: Object.fromEntries(Object.entries(peers).map(([peer, address]) => [peer, { uri: `${address}/` }])),
        raft_info: { leader },
        consensus_thread_status: { consensus_thread_status: thread },
      },
      '/collections': { collections: [{ name: 'documents' }] },
      '/collections/documents/cluster': {
        peer_id: own,
        local_shards: holders.length === 0 ? [] : [{ shard_id: 0, state: 'Active' }],
        remote_shards: others.map((peer) => ({ shard_id: 0, peer_id: peer, state: 'Active' })),
        shard_transfers: [],
      },
    };
    const server = createServer((request, response) => {
      const allowed = request.headers['api-key'] === 'secret';
      response.writeHead(allowed ? 200 : 401).end(JSON.stringify({ result: answers[request.url ?? ''] }));
    });
    server.listen(HTTP, addressOf(ordinal));
    await once(server, 'listening');
    servers.push(server);
  }

  /** Starts the program of a node with a volume of its own; a term above 0 says that the node was in a cluster. */
  function start(
    ordinal: number,
    { nodes = 3, term, state, collection }: { nodes?: number; term?: number; state?: string; collection?: string } = {},
  ) {
    const volume = join(folder, `${ordinal}`);
    rmSync(volume, { recursive: true, force: true });
    mkdirSync(volume);
    const text = term === undefined ? state : JSON.stringify({ state: { hard_state: { term } } });
    if (text !== undefined) {
      writeFileSync(join(volume, 'raft_state.json'), text);
    }
    if (collection !== undefined) {
      mkdirSync(join(volume, 'collections', collection), { recursive: true });
    }
    const file = join(volume, 'arguments');
    const all = Array.from({ length: nodes }, (_, index) => index);
    const child = spawn(process.execPath, [PROGRAM], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        POD_NAME: `qdrant-${ordinal}`,
        QDRANT_API_KEY: 'secret',
        QDRANT_STORAGE: volume,
        QDRANT_START_FILE: file,
        QDRANT_NODE_URLS: all.map((index) => `http://${addressOf(index)}:${HTTP}`).join(','),
        QDRANT_PEER_URIS: all.map(uri).join(','),
        QDRANT_LISTEN_HOST: addressOf(ordinal),
        QDRANT_LOOK_INTERVAL: '0.1',
      },
    });
    running.push(child);
    let said = '';
    child.stdout?.on('data', (text) => {
      said += text;
    });
    return {
      child,
      ended: once(child, 'exit').then(([status]) => ({
        status,
        said: said.trim().split('\n'),
        arguments: existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : undefined,
      })),
      /** Waits until the program has said something, without having decided. */
      says: async (text: string) => {
        while (!said.includes(text)) {
          expect([child.exitCode, existsSync(file)]).toEqual([null, false]);
          await new Promise((done) => setTimeout(done, 50));
        }
      },
    };
  }

  test('all volumes are new: node 0 begins the cluster, and the others join it when it is there', async () => {
    const others = [start(1), start(2)];
    await Promise.all(others.map(({ says }) => says('waiting for node 0')));
    const first = await start(0).ended;
    expect(first).toMatchObject({ status: 0, arguments: ['--uri', uri(0)] });
    await serve(0, { peers: { 1: uri(0) } });
    for (const [index, other] of others.entries()) {
      expect((await other.ended).arguments).toEqual(['--uri', uri(index + 1), '--bootstrap', uri(0)]);
    }
  });

  test.each([1, 2])('node 0 begins no cluster while node %s does not say that it is new', async (silent) => {
    start(3 - silent);
    const first = start(0);
    await first.says(`waiting for node ${silent}: in no cluster yet, and not new`);
    await new Promise((done) => setTimeout(done, 1000));
    await first.says('');
    start(silent);
    expect((await first.ended).arguments).toEqual(['--uri', uri(0)]);
  });

  test('another node never begins a cluster', async () => {
    start(0, { nodes: 3 }).child.kill('SIGSTOP');
    const other = start(1);
    start(2);
    await other.says('waiting for node 0');
    await new Promise((done) => setTimeout(done, 500));
    await other.says('');
  });

  test.each([1, 10])('a node that was in a cluster, at term %s, starts with its data', async (term) => {
    const { ended } = start(0, { term });
    expect(await ended).toMatchObject({ status: 0, arguments: ['--uri', uri(0)] });
  });

  test('a node with data never says that it is new', async () => {
    await start(1, { term: 3 }).ended;
    const first = start(0);
    start(2);
    await first.says('waiting for node 1');
  });

  test('a state with the term 0, which Qdrant writes before it joins, is no data', async () => {
    start(1);
    start(2);
    const { said } = await start(0, { term: 0 }).ended;
    expect(said.at(-1)).toBe('every other node has a new volume too; beginning a cluster');
  });

  test.each([
    ['is cut off', '{"state":{"hard_st'],
    ['has no term', '{}'],
    ['is empty', ''],
  ])('a state that %s is no new volume: the node says so and waits', async (_, state) => {
    const node = start(1, { state, collection: 'documents' });
    const first = start(0);
    start(2);
    await node.says('the volume cannot be read, so it is unknown whether it is new: ');
    await first.says('waiting for node 1: in no cluster yet, and not new');
  });

  test('a single node that becomes one of three has data: it says nothing, and begins the cluster', async () => {
    const node = start(0, { term: 0, collection: 'documents' });
    await node.says('waiting for node 1, node 2');
    await expect(fetch(uri(0))).rejects.toThrow();
    start(1);
    start(2);
    expect((await node.ended).arguments).toEqual(['--uri', uri(0)]);
  });

  test('a node that the cluster does not know joins through a member', async () => {
    await serve(2, { peers: { 1: uri(1), 2: uri(2) }, holders: [1, 2] });
    const { ended } = start(0);
    expect((await ended).arguments).toEqual(['--uri', uri(0), '--bootstrap', uri(2)]);
  });

  test('a node whose former member has no shard joins: Qdrant lets it replace that one', async () => {
    await serve(1, { peers: { 1: uri(1), 9: uri(0) }, holders: [1] });
    expect((await start(0).ended).arguments).toEqual(['--uri', uri(0), '--bootstrap', uri(1)]);
  });

  test('a node whose former member has shards waits, says what to do, and joins when that one is gone', async () => {
    await serve(1, { peers: { 1: uri(1), 9: uri(0) }, holders: [1, 9] });
    const node = start(0);
    await node.says('as peer 9: if the volume is lost, set repair and sync');
    const announced = await new Promise<string>((done) => {
      get(uri(0), (response) => response.on('data', (text) => done(String(text))));
    });
    expect(announced).toBe('this node has a new volume');
    await new Promise((done) => servers.pop()?.close(done));
    await serve(1, { peers: { 1: uri(1) }, holders: [1] });
    expect((await node.ended).arguments).toEqual(['--uri', uri(0), '--bootstrap', uri(1)]);
  });

  test.each<[string, Partial<Cluster>]>([
    ['is in no cluster', { status: 'disabled' }],
    ['was removed from its cluster', { thread: 'stopped' }],
    ['is in a cluster without a leader', { leader: null }],
    ['is in a cluster without a leader', { leader: 0 }],
  ])('nothing is joined through a node that %s', async (problem, cluster) => {
    await serve(1, { peers: { 1: uri(1) }, ...cluster });
    const node = start(0);
    await node.says(`node 1: ${problem}`);
    await node.says('waiting for node 1, node 2');
  });

  test('a node that waits ends when it is told to', async () => {
    const { child, ended, says } = start(2);
    await says('waiting');
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ status: 143, arguments: undefined });
  });
});
