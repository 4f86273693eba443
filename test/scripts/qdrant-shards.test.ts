import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';

const MODULE = pathToFileURL(resolve(__dirname, '..', '..', 'constructs', 'vector-store', 'qdrant-shards.mjs')).href;

/** Answers each line, a layout, with the next change of it: tests are CommonJS, and cannot import the module. */
const PROGRAM = `
import { createInterface } from 'node:readline';
import { nextChange } from '${MODULE}';
for await (const line of createInterface({ input: process.stdin })) {
  const { replicas, peers, wanted } = JSON.parse(line);
  console.log(JSON.stringify(nextChange(replicas, peers, wanted) ?? null));
}`;

interface Replica {
  readonly shard: number;
  readonly peer: number;
}

interface Layout {
  readonly replicas: readonly Replica[];
  readonly peers: readonly number[];
  readonly wanted: number;
}

/** A change of the copies of one shard, as Qdrant is told. */
interface Change {
  readonly replicate_shard?: { readonly shard_id: number; readonly from_peer_id: number; readonly to_peer_id: number };
  readonly move_shard?: { readonly shard_id: number; readonly from_peer_id: number; readonly to_peer_id: number };
  readonly drop_replica?: { readonly shard_id: number; readonly peer_id: number };
}

let child: ChildProcess;
let lines: Interface;
beforeAll(() => {
  const args = ['--input-type=module', '--eval', PROGRAM];
  child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
});
afterAll(async () => {
  child.stdin?.end();
  await once(child, 'exit');
});

async function nextChange(layout: Layout): Promise<Change | null> {
  const answered = once(lines, 'line');
  child.stdin?.write(`${JSON.stringify(layout)}\n`);
  return JSON.parse((await answered)[0]);
}

/** The copies after a change that Qdrant would accept. */
function apply(replicas: readonly Replica[], change: Change): Replica[] {
  const holds = (shard: number, peer: number) => replicas.some((copy) => copy.shard === shard && copy.peer === peer);
  const without = (shard: number, peer: number) =>
    replicas.filter((copy) => copy.shard !== shard || copy.peer !== peer);
  const { drop_replica: dropped } = change;
  if (dropped !== undefined) {
    const rest = without(dropped.shard_id, dropped.peer_id);
    expect(rest).toHaveLength(replicas.length - 1);
    // The last copy of a shard is the shard.
    expect(rest.some(({ shard }) => shard === dropped.shard_id)).toBe(true);
    return rest;
  }
  const {
    shard_id: shard,
    from_peer_id: from,
    to_peer_id: to,
  } = (change.move_shard ?? change.replicate_shard) as {
    shard_id: number;
    from_peer_id: number;
    to_peer_id: number;
  };
  // A peer has one copy of a shard, and none can be made of nothing.
  expect([holds(shard, from), holds(shard, to)]).toEqual([true, false]);
  return [...(change.move_shard === undefined ? replicas : without(shard, from)), { shard, peer: to }];
}

/** Makes changes until there is none to make. */
async function levelled(layout: Layout): Promise<{ replicas: readonly Replica[]; changes: number }> {
  const { peers, wanted } = layout;
  let { replicas } = layout;
  const most = 4 * (replicas.length + peers.length * 12);
  for (let changes = 0; ; changes += 1) {
    const change = await nextChange({ replicas, peers, wanted });
    if (change === null) {
      return { replicas, changes };
    }
    expect(changes).toBeLessThan(most);
    replicas = apply(replicas, change);
  }
}

const loads = ({ peers }: Layout, replicas: readonly Replica[]) =>
  peers.map((peer) => replicas.filter((copy) => copy.peer === peer).length);

/** Up to twelve shards on up to seven peers, each with any copies but at least one. */
const LAYOUTS: fc.Arbitrary<Layout> = fc.integer({ min: 1, max: 7 }).chain((count) => {
  const peers = Array.from({ length: count }, (_, index) => 11 + index);
  return fc.record({
    peers: fc.shuffledSubarray(peers, { minLength: count }),
    wanted: fc.integer({ min: 1, max: count }),
    replicas: fc
      .array(fc.shuffledSubarray(peers, { minLength: 1 }), { minLength: 1, maxLength: 12 })
      .map((shards) => shards.flatMap((holders, shard) => holders.map((peer) => ({ shard, peer })))),
  });
});

test('every layout comes to an end, with as many copies of each shard as wanted, spread evenly', async () => {
  await fc.assert(
    fc.asyncProperty(LAYOUTS, async (layout) => {
      const { replicas } = await levelled(layout);
      const shards = new Set(layout.replicas.map(({ shard }) => shard));
      for (const shard of shards) {
        const holders = replicas.filter((copy) => copy.shard === shard).map(({ peer }) => peer);
        expect([holders.length, new Set(holders).size]).toEqual([layout.wanted, layout.wanted]);
      }
      const spread = loads(layout, replicas);
      expect(Math.max(...spread) - Math.min(...spread)).toBeLessThan(2);
    }),
    { numRuns: 200 },
  );
});

test('nothing is changed where nothing is wrong, and nothing is moved twice', async () => {
  await fc.assert(
    fc.asyncProperty(LAYOUTS, async (layout) => {
      const { replicas, changes } = await levelled(layout);
      expect(await nextChange({ ...layout, replicas })).toBeNull();
      const missing = [...new Set(layout.replicas.map(({ shard }) => shard))].map((shard) =>
        Math.abs(layout.replicas.filter((copy) => copy.shard === shard).length - layout.wanted),
      );
      // At most each copy that was right is moved once.
      const most = missing.reduce((sum, count) => sum + count, 0) + replicas.length;
      expect(changes).toBeLessThanOrEqual(most);
    }),
    { numRuns: 100 },
  );
});

test('a shard gets its copies before anything is moved, and the emptiest peer takes them', async () => {
  const replicas = [
    { shard: 0, peer: 11 },
    { shard: 1, peer: 11 },
    { shard: 1, peer: 12 },
  ];
  expect(await nextChange({ replicas, peers: [11, 12, 13], wanted: 2 })).toEqual({
    replicate_shard: { shard_id: 0, from_peer_id: 11, to_peer_id: 13 },
  });
});

test('of copies that are too many the one on the fullest peer goes', async () => {
  const replicas = [
    { shard: 0, peer: 11 },
    { shard: 0, peer: 12 },
    { shard: 1, peer: 12 },
  ];
  expect(await nextChange({ replicas, peers: [11, 12], wanted: 1 })).toEqual({
    drop_replica: { shard_id: 0, peer_id: 12 },
  });
});

test('a copy goes from the fullest peer to the emptiest', async () => {
  const replicas = [0, 1, 2].map((shard) => ({ shard, peer: 12 }));
  expect(await nextChange({ replicas, peers: [11, 12], wanted: 1 })).toEqual({
    move_shard: { shard_id: 0, from_peer_id: 12, to_peer_id: 11 },
  });
});
