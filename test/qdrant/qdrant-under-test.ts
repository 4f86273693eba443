import { ask } from '../support/ask';

/** What a node can lose while it does not run. */
export type Loss = 'storage' | 'storage and snapshots';

/** A cluster of Qdrant that a scenario plays with: the real one, or what stands in for it. */
export interface QdrantUnderTest {
  /** URLs of the nodes, also of those that are stopped. */
  readonly urls: readonly string[];
  /** Variables of a program that speaks to every node. */
  readonly env: { readonly [name: string]: string };
  /** Stops a node, as a machine that fails does. */
  stopNode(index: number): Promise<void>;
  /** Starts a node that was stopped, for good without what it lost; rejects with the reason when it ends at once. */
  startNode(index: number, lost?: Loss): Promise<void>;
  /**
   * Starts a node that was stopped, without its storage, as its pod does: the program before Qdrant says that the volume is
   * new, and decides when and how the node joins.
   */
  startAsPod(index: number): Promise<void>;
  /** Takes the storage of every node and starts all of them as a new cluster; snapshots stay. */
  startAnew(): Promise<void>;
  /** A single node as the cluster of one that a rehearsal restores into; without a key. */
  startThrowAway(): Promise<{ readonly url: string; stop(): Promise<void> }>;
  /** Ends everything. */
  stop(): Promise<void>;
}

/** Points of a collection, as a node counts them. */
export async function countAt({ urls }: QdrantUnderTest, node: number, collection: string): Promise<number> {
  const answer = await ask(urls[node] as string, 'POST', `/collections/${collection}/points/count`, { exact: true });
  if (answer.status !== 200) {
    throw new Error(`node ${node} answers ${answer.status}: ${answer.result}`);
  }
  return answer.result.count;
}

/** Writes that many points through a node, with ids from the first one on. */
export async function addPoints(
  { urls }: QdrantUnderTest,
  collection: string,
  count: number,
  { first = 1, node = 0 } = {},
): Promise<void> {
  const points = Array.from({ length: count }, (_, index) => ({
    id: first + index,
    vector: [index, 1, 2, 3],
    payload: { tenant: `tenant-${index % 3}` },
  }));
  const answer = await ask(urls[node] as string, 'PUT', `/collections/${collection}/points?wait=true`, { points });
  expect([answer.status, answer.result]).toEqual([200, expect.anything()]);
}

/** Looks at a collection until every node that is asked sees each copy active, and no transfer, some times in a row. */
export async function settled({ urls }: QdrantUnderTest, collection: string, nodes = [0, 1, 2]): Promise<void> {
  const until = Date.now() + 60_000;
  for (let quiet = 0; quiet < 5; ) {
    const views = await Promise.all(
      nodes.map((node) => ask(urls[node] as string, 'GET', `/collections/${collection}/cluster`)),
    );
    const isQuiet = views.every(({ status, result }) => {
      const copies = status === 200 ? [...result.local_shards, ...result.remote_shards] : [{ state: undefined }];
      return copies.every(({ state }) => state === 'Active') && result.shard_transfers.length === 0;
    });
    quiet = isQuiet ? quiet + 1 : 0;
    if (Date.now() > until) {
      throw new Error(`${collection} does not come to rest: ${JSON.stringify(views.map(({ result }) => result))}`);
    }
    await new Promise((resume) => setTimeout(resume, 100));
  }
}

/** Numbers of the peers that hold each shard of a collection, as a node sees it. */
export async function placementAt({ urls }: QdrantUnderTest, node: number, collection: string) {
  const { result } = await ask(urls[node] as string, 'GET', `/collections/${collection}/cluster`);
  const local = result.local_shards.map((shard: { shard_id: number }) => ({ ...shard, peer_id: result.peer_id }));
  const placement = new Map<number, number[]>();
  for (const { shard_id, peer_id } of [...local, ...result.remote_shards]) {
    placement.set(shard_id, [...(placement.get(shard_id) ?? []), peer_id]);
  }
  return placement;
}

/** The members of the cluster by number, as a node sees them. */
export async function membersAt({ urls }: QdrantUnderTest, node: number): Promise<number[]> {
  const { result } = await ask(urls[node] as string, 'GET', '/cluster');
  return Object.keys(result.peers).map(Number);
}
