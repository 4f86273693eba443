import { Size } from 'cdk8s';
import { Construct } from 'constructs';
import { Scaling } from '../scaling/scaling';
import { Deployment } from '../workload/deployment';
import { EnvValue } from '../workload/env-value';
import type { IProvider } from '../workload/provider';
import { UpdateStrategy } from '../workload/update-strategy';
import { Volume } from '../workload/volume';
import { type IngestionProgramProps, programContainer } from './ingestion-program';

/** What hands out tasks by the clock. */
export interface SchedulerProps extends IngestionProgramProps {
  /**
   * Program and first arguments. Celery beat takes the file in which it notes the last runs from `SCHEDULE_FILE`, and
   * has no place for a process id:
   * `['celery', '-A', 'app', 'beat', '--schedule=$(SCHEDULE_FILE)', '--pidfile=']`. With RedBeat, which notes them in
   * Redis, it is `['celery', '-A', 'app', 'beat', '--scheduler=redbeat.RedBeatScheduler', '--pidfile=']`.
   */
  readonly command: string[];
}

const STATE_DIRECTORY = '/var/lib/scheduler';

/**
 * The one that hands out tasks by the clock, such as Celery beat. Two of them would hand out everything twice, so there is
 * one pod and no autoscaler, and an update waits for the old pod to end.
 *
 * What no setting can promise: when a node is drained or lost, Kubernetes starts the next pod while the last one may
 * still be ending. RedBeat closes that gap with a lock in Redis. It also keeps the last runs, which go with the pod
 * otherwise: tasks at times of the day do not mind, intervals begin anew.
 *
 * Source: Celery 5.6 docs, "Periodic Tasks"; Kubernetes docs, "Deployments", on Recreate; RedBeat docs, "Configuration".
 */
export class Scheduler extends Construct {
  /** The Deployment and what belongs to it. */
  public readonly workload: Deployment;

  public constructor(scope: Construct, id: string, props: SchedulerProps) {
    super(scope, id);
    const container = programContainer(props, [
      { volume: Volume.scratch('schedule', Size.mebibytes(16)), path: STATE_DIRECTORY },
    ]);
    this.workload = new Deployment(this, 'Resource', {
      ...props,
      component: 'ingestion',
      container: { ...container, env: { SCHEDULE_FILE: EnvValue.of(`${STATE_DIRECTORY}/schedule`) } },
      scaling: Scaling.fixed(1),
      update: UpdateStrategy.RECREATE,
    });
  }

  /** Lets it use these providers: the queue, as a rule. */
  public uses(...providers: IProvider[]): void {
    this.workload.uses(...providers);
  }
}
