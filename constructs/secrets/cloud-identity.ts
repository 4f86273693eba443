import { Construct } from 'constructs';
import {
  CiliumNetworkPolicySpecEgressToEntities as CiliumEntity,
  CiliumNetworkPolicy,
  CiliumNetworkPolicySpecEgressToPortsPortsProtocol as CiliumProtocol,
} from '../../imports/cilium.io';
import { awsHost } from '../network/aws-host';
import { Endpoint } from '../network/endpoint';
import type { PodSet } from '../network/peer';
import type { PodNetworkPolicy } from '../network/pod-network-policy';
import { SyncWave } from '../network/sync-wave';
import { Cluster } from '../placement/cluster';
import { UsageError } from '../rules/usage-error';
import { checkUuid } from '../rules/uuid';

/** What Azure needs to know besides the identity. */
export interface AzureIdentityProps {
  /**
   * Tenant of the identity, a UUID.
   * @default - the tenant that the webhook of the cluster is configured with
   */
  readonly tenantId?: string;
}

/** Whose identity it is. */
export interface CloudIdentityUser {
  /** Its pods. */
  readonly pods: PodSet;
  /** Their policy. */
  readonly policy: PodNetworkPolicy;
  /** Labels of the objects that belong to it. */
  readonly labels: { readonly [label: string]: string };
}

/** What a user gives to the objects that the identity marks. */
interface GivenMetadata {
  /** Annotations of the ServiceAccount. */
  readonly serviceAccountAnnotations?: { readonly [annotation: string]: string };
  /** Labels of the pods. */
  readonly podLabels?: { readonly [label: string]: string };
}

/** Who has no keys and may have an identity instead. */
export interface IIdentified {
  /** The identity; undefined where none is declared. */
  readonly identity?: CloudIdentity;
}

const ROLE = /^arn:aws(-[a-z]+)*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/;
/** Accounts of users, not those that Google keeps itself (Google Cloud docs, "Service accounts overview"). */
const SERVICE_ACCOUNT = /^[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z0-9.-]+\.iam\.gserviceaccount\.com$/;

/** The agent of EKS Pod Identity on each node (Amazon EKS docs, "EKS Pod Identity considerations"). */
const POD_IDENTITY_AGENT = Endpoint.host('169.254.170.23', { name: 'identity', number: 80 });

/**
 * The metadata server of GKE, as policies see it: with Dataplane V2 at its own address, with Calico behind a
 * translation (GKE docs, "Authenticate to Google Cloud APIs from GKE workloads", on network policies).
 */
const GKE_METADATA = [
  Endpoint.host('169.254.169.254', { name: 'metadata', number: 80 }),
  Endpoint.host('169.254.169.252', { name: 'metadata-node', number: 988 }),
];

const AZURE_LOGIN = Endpoint.web('login.microsoftonline.com', { name: 'login', number: 443 });

/** What a kind of identity consists of. */
interface IdentityDetails {
  readonly cloud: 'AWS' | 'Google Cloud' | 'Azure';
  /** Annotations of the ServiceAccount. */
  readonly annotations?: { readonly [annotation: string]: string };
  /** Labels of the pods. */
  readonly podLabels?: { readonly [label: string]: string };
  /** Where pods get credentials for services in a region; undefined when none is known. */
  readonly endpoints: (region: string | undefined) => Endpoint[];
  /** Whether they get them from their own node. */
  readonly fromNode?: boolean;
}

/**
 * Who pods are to a cloud: an identity that they take without any key. It trusts one ServiceAccount, that of the
 * workload, `system:serviceaccount:<namespace>:<name>`. Pods mount no token for it: webhooks on EKS and AKS project one
 * of their own, for the cloud only, and GKE's metadata server asks the API server for it.
 *
 * Sources: Amazon EKS docs, "IAM roles for service accounts" and "EKS Pod Identity"; GKE docs, "Workload Identity
 * Federation"; Microsoft Entra Workload ID docs, "Service Account Labels and Annotations".
 */
export class CloudIdentity {
  /**
   * A role of AWS by IAM roles for service accounts: the role trusts the OIDC provider of the cluster. Needs
   * `region` of the cluster.
   *
   * @param roleArn the role: `arn:aws:iam::123456789012:role/rag-api`
   */
  public static awsIrsa(roleArn: string): CloudIdentity {
    if (!ROLE.test(roleArn)) {
      throw new UsageError(`is "${roleArn}", but must be a role such as arn:aws:iam::123456789012:role/rag-api`, {
        property: 'identity.awsRole',
      });
    }
    return new CloudIdentity({
      cloud: 'AWS',
      annotations: { 'eks.amazonaws.com/role-arn': roleArn },
      endpoints: (region) => (region === undefined ? [] : [stsOf(region)]),
    });
  }

  /**
   * A role of AWS by EKS Pod Identity. Which one it is stands in EKS, in the association of the ServiceAccount, and
   * not in the cluster.
   */
  public static awsPodIdentity(): CloudIdentity {
    return new CloudIdentity({ cloud: 'AWS', endpoints: () => [POD_IDENTITY_AGENT], fromNode: true });
  }

  /**
   * A service account of Google Cloud by Workload Identity Federation for GKE.
   *
   * @param serviceAccountEmail the account: `rag-api@acme.iam.gserviceaccount.com`
   */
  public static gke(serviceAccountEmail: string): CloudIdentity {
    if (!SERVICE_ACCOUNT.test(serviceAccountEmail)) {
      throw new UsageError(
        `is "${serviceAccountEmail}", but must be a service account such as rag-api@acme.iam.gserviceaccount.com`,
        { property: 'identity.gcpServiceAccount' },
      );
    }
    return new CloudIdentity({
      cloud: 'Google Cloud',
      annotations: { 'iam.gke.io/gcp-service-account': serviceAccountEmail },
      endpoints: () => GKE_METADATA,
    });
  }

  /**
   * A managed identity or an application of Azure by Microsoft Entra Workload ID.
   *
   * @param clientId client id of the identity, a UUID
   */
  public static azure(clientId: string, { tenantId }: AzureIdentityProps = {}): CloudIdentity {
    checkUuid('identity.azureClientId', clientId);
    checkUuid('identity.tenantId', tenantId ?? clientId);
    return new CloudIdentity({
      cloud: 'Azure',
      annotations: {
        'azure.workload.identity/client-id': clientId,
        ...(tenantId === undefined ? {} : { 'azure.workload.identity/tenant-id': tenantId }),
      },
      podLabels: { 'azure.workload.identity/use': 'true' },
      endpoints: () => [AZURE_LOGIN],
    });
  }

  /**
   * Where a client without keys gets credentials for a service of AWS in this region. What its identity is may be
   * declared in AWS alone, so both ways are open to a client that says nothing.
   * @internal
   */
  public static _onAws(client: IIdentified | undefined, region: string, used: string): Endpoint[] {
    return ofCloud(client, 'AWS', used)?.endpoints(region) ?? [stsOf(region), POD_IDENTITY_AGENT];
  }

  /**
   * Where a client without keys gets a token for a service of Azure.
   * @internal
   */
  public static _onAzure(client: IIdentified | undefined, used: string): Endpoint[] {
    return ofCloud(client, 'Azure', used)?.endpoints(undefined) ?? [AZURE_LOGIN];
  }

  /**
   * Where a client without keys gets a token for a service of Google Cloud.
   * @internal
   */
  public static _onGoogle(client: IIdentified | undefined, used: string): Endpoint[] {
    return ofCloud(client, 'Google Cloud', used)?.endpoints(undefined) ?? GKE_METADATA;
  }

  private constructor(private readonly details: IdentityDetails) {}

  /** Whose identity it is: `AWS`, `Google Cloud` or `Azure`. */
  public get cloud(): string {
    return this.details.cloud;
  }

  /** Annotations of the ServiceAccount. */
  public get serviceAccountAnnotations(): { readonly [annotation: string]: string } {
    return this.details.annotations ?? {};
  }

  /** Labels of the pods. */
  public get podLabels(): { readonly [label: string]: string } {
    return this.details.podLabels ?? {};
  }

  /**
   * Refuses labels and annotations that the identity has itself: one of the two values would be the wrong identity.
   * @internal
   */
  public _checkOwn(scope: Construct, { serviceAccountAnnotations = {}, podLabels = {} }: GivenMetadata): void {
    refuseTwice(scope, 'serviceAccountAnnotations', this.serviceAccountAnnotations, serviceAccountAnnotations);
    refuseTwice(scope, 'podLabels', this.podLabels, podLabels);
  }

  /**
   * Addresses that give credentials for services in a region.
   * @internal
   */
  public endpoints(region: string | undefined): Endpoint[] {
    return this.details.endpoints(region);
  }

  /**
   * Lets pods reach what gives them their credentials.
   * @internal
   */
  public _bind(scope: Construct, { pods, policy, labels }: CloudIdentityUser): void {
    const { region, cilium } = Cluster.of(scope);
    const endpoints = this.endpoints(region);
    if (endpoints.length === 0) {
      throw new UsageError(
        'needs AWS STS in the region of the cluster, but the cluster does not say which that is; set region in the cluster',
        { scope, property: 'identity' },
      );
    }
    for (const endpoint of endpoints) {
      policy.allowToEndpoint(endpoint);
    }
    if (cilium && this.details.fromNode === true) {
      this.openNode(scope, pods, labels, endpoints);
    }
  }

  /** To Cilium an address of the node is the node, which no range of addresses matches (cilium/cilium #34387). */
  private openNode(
    scope: Construct,
    pods: PodSet,
    labels: { readonly [label: string]: string },
    endpoints: Endpoint[],
  ): void {
    const ports = endpoints.map(({ port }) => ({ port: String(port.number), protocol: CiliumProtocol.TCP }));
    new CiliumNetworkPolicy(scope, 'Identity', {
      metadata: {
        name: `${pods.name}-identity`,
        labels: { ...labels },
        annotations: SyncWave.of(scope, pods).annotations,
      },
      spec: {
        endpointSelector: { matchLabels: { ...pods.labels } },
        egress: [{ toEntities: [CiliumEntity.HOST], toPorts: [{ ports }] }],
      },
    });
  }
}

function stsOf(region: string): Endpoint {
  return Endpoint.web(awsHost('sts', region), { name: 'sts', number: 443 });
}

function refuseTwice(
  scope: Construct,
  property: string,
  own: { readonly [key: string]: string },
  given: { readonly [key: string]: string },
): void {
  const twice = Object.keys(own).find((key) => Object.hasOwn(given, key));
  if (twice !== undefined) {
    throw new UsageError(`has ${twice}, which identity sets; drop one of the two`, { scope, property });
  }
}

/** The identity of a client, which must be one of this cloud. */
function ofCloud(client: IIdentified | undefined, cloud: string, used: string): CloudIdentity | undefined {
  const identity = client?.identity;
  if (identity !== undefined && identity.cloud !== cloud) {
    throw new UsageError(
      `is one of ${identity.cloud}, but the ${used}, which is used without keys, is on ${cloud}; give that keys, or ` +
        'the client an identity there',
      { scope: Construct.isConstruct(client) ? client : undefined, property: 'identity' },
    );
  }
  return identity;
}
