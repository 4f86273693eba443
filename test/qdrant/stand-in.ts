import { QdrantCluster } from '../support/qdrant-cluster';
import { QdrantServer } from '../support/qdrant-server';
import type { Loss, QdrantUnderTest } from './qdrant-under-test';

/** A cluster of servers that stand in for Qdrant. */
export class StandIn implements QdrantUnderTest {
  /** Starts that many nodes. */
  public static async start(count: number): Promise<StandIn> {
    const cluster = await QdrantCluster.start(count);
    // The programs tell by the time which snapshot is of which run.
    cluster.state.clock = undefined;
    return new StandIn(cluster);
  }

  private constructor(private readonly cluster: QdrantCluster) {}

  public get urls() {
    return this.cluster.urls;
  }

  public get env() {
    return this.cluster.env;
  }

  public stopNode(index: number): Promise<void> {
    return this.cluster.node(index).stop();
  }

  public startNode(index: number, lost?: Loss): Promise<void> {
    return this.cluster.node(index).startAgain({ lost });
  }

  public startAsPod(index: number): Promise<void> {
    return this.cluster.startAsPod(index);
  }

  public async startAnew(): Promise<void> {
    await this.cluster.stop();
    this.cluster.state.forgetCluster();
    for (const node of this.cluster.nodes) {
      await node.startAgain({ lost: 'storage' });
    }
  }

  public startThrowAway() {
    return QdrantServer.start({ clustered: true });
  }

  public stop(): Promise<void> {
    return this.cluster.stop();
  }
}
