import { Endpoint } from '../network/endpoint';

/** The agent of EKS Pod Identity on each node (Amazon EKS docs, "EKS Pod Identity considerations"). */
const POD_IDENTITY_AGENT = '169.254.170.23';

/** Where a pod on AWS gets credentials for its own identity: from STS, or from the agent on its node. */
export function awsIdentityEndpoints(region: string): Endpoint[] {
  return [
    Endpoint.host(`sts.${region}.amazonaws.com`, { name: 'sts', number: 443 }),
    Endpoint.host(POD_IDENTITY_AGENT, { name: 'identity', number: 80 }),
  ];
}
