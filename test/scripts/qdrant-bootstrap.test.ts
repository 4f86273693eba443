import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const SCRIPT = resolve(__dirname, '..', '..', 'constructs', 'vector-store', 'qdrant-bootstrap.sh');

/** Each node has a loopback address of its own; the p2p port is open once the node is in the cluster. */
const PORT = 26335;
const addressOf = (ordinal: number) => `127.0.0.${10 + ordinal}`;

describe('the bootstrap of a Qdrant node', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qdrant-'));
  const storage = join(folder, 'storage');
  let members: Server[] = [];
  let running: ChildProcess | undefined;

  beforeAll(() => {
    // In place of Qdrant: says how it was started.
    writeFileSync(join(folder, 'entrypoint.sh'), '#!/bin/sh\necho "started $*"\n');
    // In place of the cluster's DNS: the names of the nodes become their addresses.
    mkdirSync(join(folder, 'bin'));
    const names = [0, 1, 2].map((ordinal) => `s#qdrant-${ordinal}.qdrant-headless#${addressOf(ordinal)}#`).join(';');
    writeFileSync(
      join(folder, 'bin', 'timeout'),
      `#!/bin/bash\nexec /usr/bin/timeout "$1" "$2" "$3" "$(echo "$4" | sed '${names}')"\n`,
    );
    chmodSync(join(folder, 'entrypoint.sh'), 0o755);
    chmodSync(join(folder, 'bin', 'timeout'), 0o755);
  });
  beforeEach(() => {
    rmSync(storage, { recursive: true, force: true });
    mkdirSync(storage);
  });
  afterEach(async () => {
    running?.kill('SIGKILL');
    running?.stdout?.destroy();
    await Promise.all(members.map((server) => new Promise((done) => server.close(done))));
    members = [];
  });
  afterAll(() => rmSync(folder, { recursive: true }));

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
        QDRANT_PEER_DOMAIN: 'qdrant-headless',
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
    return { child, ended };
  }

  const uri = (ordinal: number, scheme = 'http') => `${scheme}://qdrant-${ordinal}.qdrant-headless:${PORT}`;

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
    const { ended } = start(1);
    await new Promise((resume) => setTimeout(resume, 2500));
    await join_(0);
    expect((await ended).lastLine).toBe(`started --uri ${uri(1)} --bootstrap ${uri(0)}`);
  });

  test('a node that waits stops when it is told to', async () => {
    const { child, ended } = start(2);
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect((await ended).status).toBe(143);
  });

  test('a node with data starts with it when nobody answers', async () => {
    writeFileSync(join(storage, 'raft_state.json'), '{}');
    const { lastLine } = await start(1).ended;
    expect(lastLine).toBe(`started --uri ${uri(1)}`);
  });

  test('a node with data names a member as well, in case it had not joined when it stopped', async () => {
    writeFileSync(join(storage, 'raft_state.json'), '{}');
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
