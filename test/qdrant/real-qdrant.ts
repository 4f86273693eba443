import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../support/ask';
import { decideStart } from '../support/pod-start';
import type { Loss, QdrantUnderTest } from './qdrant-under-test';
import { RealQdrantNode } from './real-qdrant-node';

const API_KEY = 'secret';

/** A cluster of real nodes on loopback; everything that they write is gone with it. */
export class RealQdrant implements QdrantUnderTest {
  /** Starts that many nodes, each through the first. */
  public static async start(binary: string, count: number): Promise<RealQdrant> {
    const folder = mkdtempSync(join(tmpdir(), 'qdrant-'));
    const nodes: RealQdrantNode[] = [];
    for (let index = 0; index < count; index += 1) {
      const own = join(folder, `node-${index}`);
      // The programs tell nodes apart by their host names.
      const host = `127.0.2.${index + 1}`;
      nodes.push(await RealQdrantNode.create({ binary, folder: own, host, clustered: true, apiKey: API_KEY }));
    }
    const cluster = new RealQdrant(binary, folder, nodes);
    try {
      await cluster.form();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  private readonly ending = new AbortController();

  private constructor(
    private readonly binary: string,
    private readonly folder: string,
    private readonly nodes: readonly RealQdrantNode[],
  ) {}

  public get urls(): string[] {
    return this.nodes.map(({ url }) => url);
  }

  public get env() {
    return {
      QDRANT_URL: this.urls[0] as string,
      QDRANT_NODE_URLS: this.urls.join(','),
      QDRANT_PEER_URIS: this.nodes.map(({ uri }) => uri).join(','),
      QDRANT_API_KEY: API_KEY,
      SHARD_INTERVAL: '0.2',
      QDRANT_PATIENCE: '20',
    };
  }

  public stopNode(index: number): Promise<void> {
    return this.node(index).stop();
  }

  public async startNode(index: number, lost?: Loss): Promise<void> {
    const node = this.node(index);
    if (lost !== undefined) {
      node.lose(lost);
    }
    await node.start(this.nodes.find((other) => other.isRunning));
    await this.agreed();
  }

  public async startAsPod(index: number): Promise<void> {
    const node = this.node(index);
    node.lose('storage');
    const { signal } = this.ending;
    const decided = await decideStart({ ordinal: index, env: this.env, storage: node.storage, signal });
    await node.start(this.nodes.find(({ uri }) => uri === decided[decided.indexOf('--bootstrap') + 1]));
    await this.agreed();
  }

  public async startAnew(): Promise<void> {
    for (const node of this.nodes) {
      await node.stop();
      node.lose('storage');
    }
    await this.form();
  }

  public async startThrowAway() {
    const folder = join(this.folder, 'throw-away');
    const node = await RealQdrantNode.create({ binary: this.binary, folder, host: '127.0.2.9', clustered: true });
    await node.start();
    return {
      url: node.url,
      stop: async () => {
        await node.close();
        rmSync(folder, { recursive: true });
      },
    };
  }

  public async stop(): Promise<void> {
    this.ending.abort();
    await Promise.all(this.nodes.map((node) => node.close()));
    rmSync(this.folder, { recursive: true });
  }

  private node(index: number): RealQdrantNode {
    return this.nodes[index] as RealQdrantNode;
  }

  private async form(): Promise<void> {
    const [first, ...others] = this.nodes;
    await first?.start();
    for (const node of others) {
      await node.start(first);
    }
    await this.agreed();
  }

  /** Waits until all nodes that run know the same members and the same leader. */
  private async agreed(): Promise<void> {
    const urls = this.nodes.filter(({ isRunning }) => isRunning).map(({ url }) => url);
    for (const until = Date.now() + 60_000; Date.now() < until; await sleep(200)) {
      const views = await Promise.all(urls.map((url) => ask(url, 'GET', '/cluster')));
      const facts = views.map(({ result: { peers, raft_info: raft } }) =>
        JSON.stringify([Object.keys(peers ?? {}).sort(), raft?.leader, raft?.is_voter]),
      );
      const [{ result } = { result: undefined }] = views;
      const isWhole = Object.keys(result?.peers ?? {}).length >= urls.length && result?.raft_info.leader > 0;
      if (isWhole && new Set(facts).size === 1) {
        return;
      }
    }
    throw new Error('the nodes do not agree on the members of the cluster');
  }
}
