import type { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { UsageError } from '../rules/usage-error';
import { EnvValue } from '../workload/env-value';
import { Job, type LibraryJobOptions } from '../workload/job';
import { type QdrantAccess, QdrantProgram } from './qdrant-program';

/** Variable of the Job that says how many nodes are kept; the next render reads it. */
export const DRAIN_TO = 'QDRANT_DRAIN_TO';

/** Name of the Job that drains the nodes of a database. */
export function drainName(store: string): string {
  return `${store}-drain`;
}

/** Which nodes of a Qdrant are to be emptied. */
export interface DrainProps extends LibraryJobOptions {
  /**
   * Nodes that stay: those with the lowest ordinals. From 1 to one less than there are, but not 2, and not fewer than copies
   * of a shard; with a sizing, the nodes must have room for all of it. The others
   * lose their shards and leave the cluster; then they stop, so that no client is led to them, and their pods are not
   * ready any more. Lower `nodes` to this number soon: until then the StatefulSet is not healthy, and a sync waits for
   * it. Then delete the claims of the nodes that are gone: a node that comes back with one does not start.
   */
  readonly to: number;

  /**
   * Time that this may take; whatever has moved by then stays where it is, and the next sync goes on.
   * @default Duration.hours(6)
   */
  readonly deadline?: Duration;
}

/** The database that is drained, and how. */
export interface QdrantDrainProps {
  /** The database. */
  readonly store: QdrantAccess;
  /** Its name. */
  readonly name: string;
  /** Number of its nodes. */
  readonly nodes: number;
  /** What is to be done. */
  readonly drain: DrainProps;
}

/**
 * Moves every shard off the nodes that are to go, and takes these out of the cluster. Qdrant does neither by
 * itself, and a node that is simply taken away takes its shards with it. Runs at every sync until it is
 * removed again, and finds nothing to do when it has been successful.
 *
 * Source: Qdrant 1.19 docs, "Distributed deployment", "Moving shards", "Node removal".
 */
export class QdrantDrain extends Construct {
  /** The Job. */
  public readonly job: Job;
  /** Nodes that stay. */
  public readonly to: number;

  public constructor(scope: Construct, id: string, props: QdrantDrainProps) {
    super(scope, id);
    const { store, name, nodes, drain } = props;
    checkTo(scope, drain.to, nodes);
    this.to = drain.to;
    const program = QdrantProgram.forEveryNode(store, 'drain-nodes.mjs');
    this.job = new Job(this, 'Resource', {
      ...drain,
      name: drainName(name),
      container: program.container({ [DRAIN_TO]: EnvValue.of(String(drain.to)) }),
      ...program.jobProps(drain.deadline),
    });
    program.addTo(this.job);
  }
}

function checkTo(scope: Construct, to: number, nodes: number): void {
  const site = { scope, property: 'drain.to' };
  if (!Number.isInteger(to) || to < 1 || to >= nodes) {
    throw new UsageError(`is ${to}, but must be at least 1 and less than the number of nodes, which is ${nodes}`, site);
  }
  if (to === 2) {
    throw new UsageError('is 2, but two nodes lose their quorum when either is away; keep 1, or 3 or more', site);
  }
}
