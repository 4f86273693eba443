import { type Duration, Lazy } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import { checkSeconds } from '../rules/time-span';
import { checkWholeNumber } from '../rules/whole-number';
import { Workload, type WorkloadProps } from './workload';

/** How the pods of a Job are run. */
export interface JobRunProps {
  /** Time after which the Job is stopped and has failed. */
  readonly deadline: Duration;

  /**
   * Pods that may fail before the Job has failed.
   * @default 3
   */
  readonly retries?: number;
}

/** Work that ends. */
export interface JobProps extends WorkloadProps, JobRunProps {}

/**
 * A Job that runs at every sync. Argo CD deletes the old one first, because a Job's template cannot be
 * changed; so the work must be safe to do again. It runs in the Sync phase, in the wave after what it uses:
 * the PreSync phase comes before the first Secret or database of the same application exists.
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
  }
}

/** The specification that Jobs and CronJobs share. */
export function jobSpec(scope: Construct, props: JobRunProps, template: k8s.PodTemplateSpec): k8s.JobSpec {
  const { deadline, retries = 3 } = props;
  checkWholeNumber('retries', retries, 0, scope);
  checkSeconds(scope, 'deadline', deadline);
  return { backoffLimit: retries, activeDeadlineSeconds: deadline.toSeconds(), template };
}
