import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const SCRIPT = resolve(__dirname, '..', '..', 'constructs', 'vector-store', 'qdrant-bootstrap.sh');

/** Each node has a loopback address of its own; the p2p port is open once the node is in the cluster. */
const PORT = 26335;
const DOMAIN = 'qdrant-headless.test.svc.cluster.local';
const addressOf = (ordinal: number) => `127.0.0.${10 + ordinal}`;

describe('the bootstrap of a Qdrant node', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qdrant-'));
  const storage = join(folder, 'storage');
  const network = join(folder, 'network');
  let members: Server[] = [];
  let running: ChildProcess | undefined;

  beforeAll(() => {
    // In place of Qdrant: says how it was started.
    writeFileSync(join(folder, 'entrypoint.sh'), '#!/bin/sh\necho "started $*"\n');
    // In place of the cluster's DNS and network: what becomes of a connection to a node.
    mkdirSync(join(folder, 'bin'));
    writeFileSync(
      join(folder, 'bin', 'timeout'),
      `#!/bin/bash\nexec /usr/bin/timeout 0.3 "$2" "$3" "$(echo "$4" | sed -f '${network}')"\n`,
    );
    // It looks more often than in a cluster.
    writeFileSync(join(folder, 'bin', 'sleep'), '#!/bin/sh\nexec /usr/bin/sleep 0.2\n');
    chmodSync(join(folder, 'entrypoint.sh'), 0o755);
    chmodSync(join(folder, 'bin', 'sleep'), 0o755);
    chmodSync(join(folder, 'bin', 'timeout'), 0o755);
  });
  beforeEach(() => {
    rmSync(storage, { recursive: true, force: true });
    mkdirSync(storage);
    connect({});
  });
  afterEach(async () => {
    running?.kill('SIGKILL');
    running?.stdout?.destroy();
    await Promise.all(members.map((server) => new Promise((done) => server.close(done))));
    members = [];
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** The network: every node has an address, unless its name resolves to none or nothing comes back from it. */
  function connect(troubles: { readonly [ordinal: number]: 'nameless' | 'silent' }): void {
    const rules = [0, 1, 2].map((ordinal) => {
      const host = `qdrant-${ordinal}.${DOMAIN}`;
      switch (troubles[ordinal]) {
        case 'nameless':
          return `s#${host}#qdrant-${ordinal}.invalid#`;
        case 'silent':
          return `s#^.*${host}.*$#exec /usr/bin/sleep 60#`;
        default:
          return `s#${host}#${addressOf(ordinal)}#`;
      }
    });
    // All at once, because a node may be reading it.
    writeFileSync(`${network}.new`, `${rules.join('\n')}\n`);
    renameSync(`${network}.new`, network);
  }

  async function join_(ordinal: number): Promise<void> {
    const server = createServer((socket) => socket.destroy());
    server.listen(PORT, addressOf(ordinal));
    await once(server, 'listening');
    members.push(server);
  }

  function start(ordinal: number, env: { [name: string]: string } = {}) {
    const child = spawn('bash', [SCRIPT], {
      stdio: ['ignore', 'pipe', 'ignore'],
      cwd: folder,
      env: {
        PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
        POD_NAME: `qdrant-${ordinal}`,
        QDRANT_NODES: '3',
        QDRANT_PEER_DOMAIN: DOMAIN,
        QDRANT_P2P_PORT: String(PORT),
        QDRANT_P2P_SCHEME: 'http',
        QDRANT_STORAGE: storage,
        QDRANT_FIRST_WAIT: '1',
        ...env,
      },
    });
    running = child;
    let output = '';
    child.stdout.on('data', (text) => {
      output += text;
    });
    const ended = once(child, 'exit').then(([status]) => ({ status, lastLine: output.trim().split('\n').at(-1) }));
    /** Lets it go on for a while, in which it must not start. */
    const waits = async (seconds: number) => {
      await new Promise((resume) => setTimeout(resume, seconds * 1000));
      expect([output.includes('looking again'), output.includes('started')]).toEqual([true, false]);
    };
    return { child, ended, waits };
  }

  /** What Qdrant writes of its state (qdrant/qdrant, lib/storage, consensus/persistent.rs). */
  function writeState(term: number): void {
    const state = {
      state: {
        hard_state: { term, vote: 0, commit: term },
        conf_state: { voters: [7], learners: [], voters_outgoing: [], learners_next: [], auto_leave: false },
      },
      latest_snapshot_meta: { term: 0, index: 0 },
      this_peer_id: 7,
    };
    writeFileSync(join(storage, 'raft_state.json'), JSON.stringify(state));
  }

  const uri = (ordinal: number, scheme = 'http') => `${scheme}://qdrant-${ordinal}.${DOMAIN}:${PORT}`;

  test('node 0 begins a cluster when there is none', async () => {
    const { lastLine } = await start(0).ended;
    expect(lastLine).toBe(`started --uri ${uri(0)}`);
  });

  test('node 0 that lost its volume joins the cluster that there is', async () => {
    await join_(2);
    const { lastLine } = await start(0).ended;
    expect(lastLine).toBe(`started --uri ${uri(0)} --bootstrap ${uri(2)}`);
  });

  test('another node joins through the first that is in the cluster', async () => {
    await join_(0);
    await join_(2);
    const { lastLine } = await start(1).ended;
    expect(lastLine).toBe(`started --uri ${uri(1)} --bootstrap ${uri(0)}`);
  });

  test('another node waits until there is a cluster, and never begins one', async () => {
    const { ended, waits } = start(1);
    await waits(2.5);
    await join_(0);
    expect((await ended).lastLine).toBe(`started --uri ${uri(1)} --bootstrap ${uri(0)}`);
  });

  test('a node that waits stops when it is told to', async () => {
    const { child, ended } = start(2);
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect((await ended).status).toBe(143);
  });

  test.each([
    [0, 1],
    [1, 1],
    [1, 10],
    [2, 237],
  ])('node %s that has been in a cluster, at term %s, starts with its data when nobody answers', async (node, term) => {
    writeState(term);
    connect({ 0: 'nameless', 1: 'nameless', 2: 'nameless' });
    const { lastLine } = await start(node).ended;
    expect(lastLine).toBe(`started --uri ${uri(node)}`);
  });

  test('a state that a person formatted is a state too', async () => {
    writeState(3);
    const file = join(storage, 'raft_state.json');
    writeFileSync(file, JSON.stringify(JSON.parse(readFileSync(file, 'utf8')), null, 2));
    expect((await start(1).ended).lastLine).toBe(`started --uri ${uri(1)}`);
  });

  test.each([
    ['at term 0, which Qdrant writes before it joins', () => writeState(0)],
    ['that is empty', () => writeFileSync(join(storage, 'raft_state.json'), '')],
    ['without a term', () => writeFileSync(join(storage, 'raft_state.json'), '{}')],
  ])(
    'a state %s is no data: the node waits for a cluster',
    async (_, write) => {
      write();
      const { ended, waits } = start(1);
      await waits(2);
      await join_(0);
      expect((await ended).lastLine).toBe(`started --uri ${uri(1)} --bootstrap ${uri(0)}`);
    },
    30_000,
  );

  test('node 0 whose first start was cut short begins the cluster again', async () => {
    writeState(0);
    expect((await start(0).ended).lastLine).toBe(`started --uri ${uri(0)}`);
  });

  test.each([
    ['has no name yet', { 2: 'nameless' as const }],
    ['does not answer', { 1: 'silent' as const }],
  ])(
    'node 0 begins no cluster while another node %s',
    async (_, troubles) => {
      connect(troubles);
      const { ended, waits } = start(0);
      await waits(3);
      connect({});
      expect((await ended).lastLine).toBe(`started --uri ${uri(0)}`);
    },
    60_000,
  );

  test('node 0 that cannot see the others joins their cluster when it can', async () => {
    connect({ 1: 'nameless', 2: 'silent' });
    await join_(2);
    const { ended, waits } = start(0);
    await waits(2);
    connect({ 1: 'nameless' });
    expect((await ended).lastLine).toBe(`started --uri ${uri(0)} --bootstrap ${uri(2)}`);
  }, 60_000);

  test('node 0 begins a cluster only after the others have refused for the whole time without a break', async () => {
    const { ended, waits } = start(0, { QDRANT_FIRST_WAIT: '3' });
    await waits(1);
    connect({ 1: 'nameless' });
    await waits(2);
    connect({});
    // By then it has waited for longer than that, but not since the others are all there.
    await waits(1.5);
    expect((await ended).lastLine).toBe(`started --uri ${uri(0)}`);
  }, 60_000);

  test('a node with data names a member as well, in case it had not joined when it stopped', async () => {
    writeState(4);
    await join_(0);
    const { lastLine } = await start(1).ended;
    expect(lastLine).toBe(`started --uri ${uri(1)} --bootstrap ${uri(0)}`);
  });

  test('with TLS addresses are https', async () => {
    await join_(0);
    const { lastLine } = await start(1, { QDRANT_P2P_SCHEME: 'https' }).ended;
    expect(lastLine).toBe(`started --uri ${uri(1, 'https')} --bootstrap ${uri(0, 'https')}`);
  });
});
