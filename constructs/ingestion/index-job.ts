import { Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { Job, type JobTries } from '../workload/job';
import type { IProvider, Offer } from '../workload/provider';
import { type IngestionProgramProps, programContainer } from './ingestion-program';

/** What fills a collection for the first time. */
export interface IndexJobProps extends IngestionProgramProps, JobTries {
  /**
   * Time after which it is stopped and has failed. A sync is not over before it ends, so what takes longer is better
   * split into tasks that workers do.
   * @default Duration.hours(1)
   */
  readonly deadline?: Duration;
}

/**
 * The first indexing: a Job at every sync, after the collection, the model servers and whatever else it uses, and before
 * whoever uses it, `api.uses(index)`. It must find out by itself that nothing is to be done, and must go on after a run
 * that broke off: with ids that follow from the documents, a point that is there is written again and not twice.
 *
 * Source: Argo CD docs, "Resource Hooks"; Qdrant docs, "Points", on idempotence.
 */
export class IndexJob extends Construct implements IProvider {
  /** The Job. */
  public readonly job: Job;

  public constructor(scope: Construct, id: string, props: IndexJobProps) {
    super(scope, id);
    this.job = new Job(this, 'Resource', {
      ...props,
      component: 'ingestion',
      container: programContainer(props),
      deadline: props.deadline ?? Duration.hours(1),
    });
  }

  /** Lets it use these providers. */
  public uses(...providers: IProvider[]): void {
    this.job.uses(...providers);
  }

  /** Clients wait for it. What they need to connect is the collection's to give, so they use that too. */
  public offerTo(): Offer {
    return { endpoints: [], env: {}, after: [this.job.pods] };
  }
}
