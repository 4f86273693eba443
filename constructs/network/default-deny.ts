import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { SyncWave } from './sync-wave';

/**
 * Closes a namespace in both directions. Pods that nobody thought of, and pods that start before their own
 * policy is there, can reach nothing and are reached by nothing.
 */
export class DefaultDeny extends Construct {
  /** The policy; it selects every pod of the chart's namespace. */
  public readonly networkPolicy: k8s.KubeNetworkPolicy;

  public constructor(scope: Construct, id: string) {
    super(scope, id);
    this.networkPolicy = new k8s.KubeNetworkPolicy(this, 'Resource', {
      metadata: { name: 'default-deny', annotations: SyncWave.NAMESPACE.annotations },
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
    });
  }
}
