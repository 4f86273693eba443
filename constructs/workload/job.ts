import { createHash } from 'node:crypto';
import { type Duration, Lazy } from 'cdk8s';
import { type Cpu, k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { checkSeconds } from '../rules/time-span';
import { checkWholeNumber } from '../rules/whole-number';
import { Workload, type WorkloadOptions, type WorkloadProps } from './workload';

/** Where the ServiceAccount of a Job has the checksum of its specification. */
const CHECKSUM = 'checksum/job';

/** How often a Job is tried. */
export interface JobTries {
  /**
   * Pods that may fail before the Job has failed. Pods that were evicted, preempted or lost with their node do not count.
   * @default 3; 0 for snapshots and rehearsals, whose next run comes with the schedule
   */
  readonly retries?: number;
}

/** Options of Jobs and CronJobs. */
export interface JobOptions
  extends JobTries,
    Pick<
      WorkloadOptions,
      | 'nodePool'
      | 'priorityClassName'
      | 'podLabels'
      | 'podAnnotations'
      | 'serviceAccountAnnotations'
      | 'identity'
      | 'podOverrides'
    > {}

/** Options of Jobs and CronJobs that run a program of the library. */
export interface LibraryJobOptions extends JobOptions {
  /**
   * Most CPU that the program may use, at least what it reserves. A quota of the namespace may ask for it.
   * @default - no limit
   */
  readonly cpuLimit?: Cpu;
}

/** How the pods of a Job are run. */
export interface JobRunProps extends JobTries, Pick<LibraryJobOptions, 'cpuLimit'> {
  /** Time after which the Job is stopped and has failed. */
  readonly deadline: Duration;
}

/** Work that ends. */
export interface JobProps extends WorkloadProps, JobRunProps {}

/**
 * A Job that runs at every sync. Argo CD deletes the old one first, because a Job's template cannot be
 * changed; so the work must be safe to do again. It runs in the Sync phase, in the wave after what it uses:
 * the PreSync phase comes before the first Secret or database of the same application exists.
 *
 * Argo CD does not compare hooks, so automated sync would not begin when only the Job changes. Its ServiceAccount carries
 * a checksum of the Job's specification and is compared: it brings the sync that runs the Job.
 *
 * Source: Argo CD docs, "Resource Hooks".
 */
export class Job extends Workload {
  /** The Job. */
  public readonly job: k8s.KubeJob;

  public constructor(scope: Construct, id: string, props: JobProps) {
    super(scope, id, 'Job', { ...props, restartPolicy: 'Never' });
    this.claimAccelerators(1);
    const metadata = this.workloadMetadata();
    this.job = new k8s.KubeJob(this, 'Resource', {
      metadata: {
        ...metadata,
        annotations: {
          ...metadata.annotations,
          'argocd.argoproj.io/hook': 'Sync',
          'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
        },
      },
      spec: jobSpec(this, props, Lazy.any({ produce: () => this.template.render() })),
    });
    this.serviceAccount.metadata.addAnnotation(CHECKSUM, Lazy.any({ produce: () => this.checksum() }));
  }

  /** Changes when, and only when, the specification changes, whatever patches it. */
  private checksum(): string {
    return createHash('sha256').update(JSON.stringify(this.job.toJson().spec)).digest('hex');
  }
}

/** The specification that Jobs and CronJobs share. */
export function jobSpec(scope: Construct, props: JobRunProps, template: k8s.PodTemplateSpec): k8s.JobSpec {
  const { deadline, retries = 3 } = props;
  checkWholeNumber('retries', retries, 0, scope);
  checkSeconds(scope, 'deadline', deadline);
  return {
    backoffLimit: retries,
    activeDeadlineSeconds: deadline.toSeconds(),
    podFailurePolicy: DISRUPTIONS,
    template,
  };
}

/**
 * A pod that had to go is replaced, and has not failed: a node that is drained four times must not end work of hours. One
 * that exceeds its own limits has failed (Kubernetes docs, "Pod failure policy", "Pod disruption conditions").
 */
const DISRUPTIONS: k8s.PodFailurePolicy = {
  rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }],
};
