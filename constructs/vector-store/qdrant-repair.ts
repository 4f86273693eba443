import type { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { EnvValue } from '../workload/env-value';
import { Job, type LibraryJobOptions } from '../workload/job';
import { type QdrantAccess, QdrantProgram } from './qdrant-program';

/** How a Qdrant is brought back to as many nodes and copies as it should have. */
export interface RepairProps extends LibraryJobOptions {
  /**
   * Whether nodes are taken out of the cluster although no other node has an active copy of a shard that they held.
   * The points of such a shard are gone then; restore the collection from snapshots afterwards.
   * @default false; the Job fails and names the shards
   */
  readonly acceptLoss?: boolean;

  /**
   * Time that the Job may take; the next sync continues where it ended.
   * @default Duration.hours(6)
   */
  readonly deadline?: Duration;
}

/** The database that is repaired, and how. */
export interface QdrantRepairProps {
  /** The database. */
  readonly store: QdrantAccess;
  /** Name of the Job. */
  readonly name: string;
  /** What is to be done. */
  readonly repair: RepairProps;
}

/**
 * Takes members out of the cluster whose nodes came back with a new volume, so that these can join, and then gives every
 * shard as many copies as its collection wants, spread evenly over the nodes. Qdrant does neither by itself. Runs at
 * every sync until it is removed again, and finds nothing to do when it has been successful.
 *
 * Source: Qdrant 1.19 docs, "Distributed deployment", "Node removal", "Creating new shard replicas".
 */
export class QdrantRepair extends Construct {
  /** The Job. */
  public readonly job: Job;

  public constructor(scope: Construct, id: string, props: QdrantRepairProps) {
    super(scope, id);
    const { store, name, repair } = props;
    const program = QdrantProgram.forEveryPeer(store, 'repair-cluster.mjs');
    this.job = new Job(this, 'Resource', {
      ...repair,
      name,
      container: program.container({
        ...(repair.acceptLoss === true ? { REPAIR_ACCEPT_LOSS: EnvValue.of('true') } : {}),
      }),
      ...program.jobProps(repair.deadline),
    });
    program.addTo(this.job);
  }
}
