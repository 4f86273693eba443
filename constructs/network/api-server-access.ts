import type { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { CiliumNetworkPolicySpecEgressToEntities as CiliumEntity, CiliumNetworkPolicy } from '../../imports/cilium.io';
import { Cluster } from '../placement/cluster';
import { UsageError } from '../rules/usage-error';
import { Peer } from './peer';
import type { PodNetworkPolicy } from './pod-network-policy';

/** Whose way to the API server is opened. */
export interface ApiServerAccessProps {
  /** Policy of the pods. */
  readonly policy: PodNetworkPolicy;

  /** Labels that select the pods. */
  readonly labels: { readonly [label: string]: string };

  /** Metadata of the policy that Cilium needs besides. */
  readonly metadata: k8s.ObjectMeta;
}

/**
 * Lets pods open connections to the API server. No selector finds it: Cilium knows it as an entity, which ranges of
 * addresses do not match, and for all others its addresses must be known.
 *
 * Source: Cilium docs, "Entities Based"; Kubernetes docs, "Network Policies".
 */
export class ApiServerAccess extends Construct {
  public constructor(scope: Construct, id: string, { policy, labels, metadata }: ApiServerAccessProps) {
    super(scope, id);
    const { apiServer, cilium } = Cluster.of(this);
    if (cilium) {
      new CiliumNetworkPolicy(this, 'Resource', {
        metadata,
        spec: {
          endpointSelector: { matchLabels: { ...labels } },
          egress: [{ toEntities: [CiliumEntity.KUBE_HYPHEN_APISERVER] }],
        },
      });
      return;
    }
    if (apiServer === undefined) {
      throw new UsageError(
        'needs the API server, but the cluster does not say where it is; set apiServer in the cluster to what ' +
          'kubectl get endpoints kubernetes shows',
        { scope },
      );
    }
    policy.allowTo({
      to: Peer.cidrs(...apiServer.cidrs),
      ports: [{ name: 'api-server', number: apiServer.port ?? 443 }],
    });
  }
}
