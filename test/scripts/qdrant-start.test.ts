import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const SCRIPT = resolve(__dirname, '..', '..', 'constructs', 'vector-store', 'qdrant-start.sh');

describe('the start of a Qdrant node', () => {
  let folder: string;
  let running: ChildProcess | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'qdrant-start-'));
    // In place of Qdrant: says its arguments and its process, and which signal ends it.
    writeFileSync(
      join(folder, 'qdrant'),
      `#!/bin/bash\necho "started $$ $*"\nfor s in TERM QUIT; do trap "echo $s; exit 0" $s; done\nwhile :; do sleep 0.05; done\n`,
    );
    chmodSync(join(folder, 'qdrant'), 0o755);
    writeFileSync(join(folder, 'arguments'), '--uri\nhttp://qdrant-0:6335\n--bootstrap\nhttp://qdrant-1:6335\n');
  });
  afterEach(() => {
    running?.kill('SIGKILL');
    running?.stdout?.destroy();
    rmSync(folder, { recursive: true });
  });

  /** The part of Qdrant's state that says who is in the cluster (qdrant/qdrant, consensus/persistent.rs). */
  function writeState({ voters, learners = [] as number[] }: { voters: number[]; learners?: number[] }): void {
    const conf_state = { voters, learners, voters_outgoing: [], learners_next: [], auto_leave: false };
    const state = { state: { hard_state: { term: 3, vote: 0, commit: 9 }, conf_state }, this_peer_id: 77 };
    writeFileSync(join(folder, 'raft_state.json'), JSON.stringify(state));
  }

  const memberFile = () => join(folder, 'cdk8s-rag-member');

  function start() {
    const child = spawn('bash', [SCRIPT], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH, QDRANT_STORAGE: folder, QDRANT_START_FILE: join(folder, 'arguments') },
    });
    running = child;
    let said = '';
    child.stdout?.on('data', (text) => {
      said += text;
    });
    const until = async (condition: () => boolean) => {
      for (let looks = 0; !condition(); looks += 1) {
        expect([looks < 200, said]).toEqual([true, expect.any(String)]);
        await new Promise((done) => setTimeout(done, 50));
      }
    };
    return { child, until, said: () => said, ended: once(child, 'exit').then(() => said) };
  }

  test('Qdrant takes the place of the script, with the arguments that were decided', async () => {
    writeState({ voters: [77, 78] });
    const { child, until, said } = start();
    await until(() => said().includes('started'));
    // The same process, so that Qdrant gets the signal itself.
    expect(said()).toBe(`started ${child.pid} --uri http://qdrant-0:6335 --bootstrap http://qdrant-1:6335\n`);
    child.kill('SIGTERM');
    await until(() => said().endsWith('TERM\n'));
  });

  test.each([
    ['a voter', { voters: [5, 77, 78] }],
    ['a learner', { voters: [5], learners: [77] }],
  ])(
    '%s is remembered as a member, and stopped when the cluster removes it',
    async (_, state) => {
      writeState(state);
      const { until, ended } = start();
      await until(() => existsSync(memberFile()));
      writeState({ voters: [5, 78] });
      const said = await ended;
      expect(said).toMatch(/the cluster has removed this node; stopping.*\nQUIT\n$/);
    },
    20_000,
  );

  test('a removed node is not started again', async () => {
    writeFileSync(memberFile(), '');
    writeState({ voters: [5, 78] });
    const { child, until, said, ended } = start();
    await until(() => said().includes('was removed from the cluster; lower the number of nodes'));
    child.kill('SIGTERM');
    expect(await ended).not.toContain('started');
    expect(child.exitCode).toBe(143);
  });

  test.each<[string, () => void]>([
    ['joins and is no member yet', () => writeState({ voters: [5] })],
    ['has no state yet', () => {}],
    ['has a state that is being written', () => writeFileSync(join(folder, 'raft_state.json'), '')],
    // Part of another number.
    ['has a peer whose number contains its own', () => writeState({ voters: [177, 770] })],
  ])(
    'a node that %s goes on',
    async (_, write) => {
      write();
      const { until, said } = start();
      await until(() => said().includes('started'));
      await new Promise((done) => setTimeout(done, 3000));
      expect(said()).not.toContain('stopping');
      expect(existsSync(memberFile())).toBe(false);
    },
    20_000,
  );

  test.each([
    ['that cannot be read', ''],
    ['without a number', '{}'],
  ])('a member with a state %s is started', async (_, text) => {
    writeFileSync(memberFile(), '');
    writeFileSync(join(folder, 'raft_state.json'), text);
    const { until, said } = start();
    await until(() => said().includes('started'));
  });
});
