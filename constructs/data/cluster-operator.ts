import type { IConstruct } from 'constructs';
import { Cluster, type ClusterService } from '../placement/cluster';
import { UsageError } from '../rules/usage-error';

/** An operator that runs a data service, and what to use where there is none. */
export interface OperatorProps {
  /** The fact about the cluster that says where it runs. */
  readonly setting: 'cloudNativePg' | 'rabbitMq' | 'strimzi';
  /** Its name, for the message. */
  readonly name: string;
  /** What to use instead, for the message. */
  readonly instead: string;
}

/** Where the operator runs; refuses a cluster that declares none. */
export function declaredOperator(scope: IConstruct, { setting, name, instead }: OperatorProps): ClusterService {
  const operator = Cluster.of(scope)[setting];
  if (operator === undefined) {
    throw new UsageError(
      `is run by ${name}, which the cluster does not declare; set ${setting} in the cluster, or use ${instead}`,
      { scope },
    );
  }
  return operator;
}
