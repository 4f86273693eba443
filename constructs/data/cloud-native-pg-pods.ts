import type { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { ApiServerAccess } from '../network/api-server-access';
import type { PodSet } from '../network/peer';
import { PodMonitor } from '../network/pod-monitor';
import { PodNetworkPolicy } from '../network/pod-network-policy';
import type { Port } from '../network/port';
import { declaredPods, metadataOf } from './operated-pods';

/** Some of the pods that the operator of CloudNativePG creates. */
export interface CloudNativePgPodsProps {
  /** Name of the object that the operator creates them for. */
  readonly name: string;

  /** Label that the operator puts on them, with the name as value. */
  readonly label: string;

  /**
   * Labels by which other pods of the operator differ that have the same one.
   * @default - no others have it
   */
  readonly without?: readonly string[];

  /** Port on which they serve metrics. */
  readonly metricsPort: Port;
}

/**
 * Pods that the operator of CloudNativePG creates, as policies and waves know them. Each runs a manager that reports
 * to the API server.
 *
 * Source: CloudNativePG 1.30 docs, "Networking", "Labels and Annotations", "Security".
 */
export class CloudNativePgPods extends Construct {
  /** The pods. */
  public readonly pods: PodSet;
  /** Their policy. */
  public readonly policy: PodNetworkPolicy;
  /** What tells Prometheus of them. */
  public readonly monitor: PodMonitor;

  public constructor(scope: Construct, id: string, props: CloudNativePgPodsProps) {
    super(scope, id);
    const { name, label, metricsPort, without } = props;
    const labels = { [label]: name };
    this.pods = declaredPods(this, name, labels, without);
    this.policy = new PodNetworkPolicy(this, 'NetworkPolicy', { pods: this.pods, metadata: this.metadata() });
    new ApiServerAccess(this, 'ApiServer', {
      policy: this.policy,
      labels,
      metadata: { ...this.metadata(), name: `${name}-api-server` },
    });
    const { pods, policy } = this;
    this.monitor = new PodMonitor(this, 'Monitor', { pods, policy, ports: [metricsPort], metadata: this.metadata() });
  }

  /** Metadata of an object that belongs to the pods and is applied with them. */
  public metadata(): k8s.ObjectMeta {
    return metadataOf(this, this.pods, 'database');
  }
}
