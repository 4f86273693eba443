import { ExternalQueue } from '../../../constructs/data/external-queue';
import { ObjectStore } from '../../../constructs/data/object-store';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import type { ManifestObject } from '../../../constructs/rules/output';
import { CloudIdentity } from '../../../constructs/secrets/cloud-identity';
import type { WorkloadOptions } from '../../../constructs/workload/workload';
import { hostsOf as egressHosts, rangesOf as egressRanges } from '../../support/egress';
import { find, namesOf } from '../../support/manifests';
import { ClusterSchemas, SCHEMAS_PRESENT } from '../../support/schemas';
import { deployed } from '../../support/workloads';

const ROLE = 'arn:aws:iam::123456789012:role/rag/api';
const ACCOUNT = 'rag-api@acme.iam.gserviceaccount.com';
const CLIENT = '11111111-2222-3333-4444-555555555555';
const TENANT = '66666666-7777-8888-9999-000000000000';
const IN_IRELAND: ClusterProps = { region: 'eu-west-1' };

const IRSA = CloudIdentity.awsIrsa(ROLE);
const POD_IDENTITY = CloudIdentity.awsPodIdentity();
const GKE = CloudIdentity.gke(ACCOUNT);
const AZURE = CloudIdentity.azure(CLIENT);

const identified = (
  identity: CloudIdentity | undefined,
  cluster: ClusterProps = IN_IRELAND,
  more: WorkloadOptions = {},
) => deployed({ ...more, identity }, cluster);

const rangesOf = (objects: ManifestObject[]) => egressRanges(objects, 'api');
const hostsOf = (objects: ManifestObject[]) => egressHosts(objects, 'api');
const annotationsOf = (objects: ManifestObject[]) => find(objects, 'ServiceAccount', 'api').metadata.annotations;

describe('a workload with an identity', () => {
  test.each<[string, CloudIdentity, object | undefined]>([
    ['of AWS by IRSA', IRSA, { 'eks.amazonaws.com/role-arn': ROLE }],
    ['of AWS by EKS Pod Identity', POD_IDENTITY, undefined],
    ['of Google Cloud', GKE, { 'iam.gke.io/gcp-service-account': ACCOUNT }],
    ['of Azure', AZURE, { 'azure.workload.identity/client-id': CLIENT }],
    [
      'of Azure in another tenant',
      CloudIdentity.azure(CLIENT, { tenantId: TENANT }),
      { 'azure.workload.identity/client-id': CLIENT, 'azure.workload.identity/tenant-id': TENANT },
    ],
  ])('%s says so on its ServiceAccount and mounts no token', (_, identity, annotations) => {
    const { objects, template } = identified(identity);
    expect(annotationsOf(objects())).toEqual(annotations);
    expect(template().spec.automountServiceAccountToken).toBe(false);
    expect(template().spec.volumes).toBeUndefined();
  });

  test('of Azure labels its pods for the webhook, and selects nothing by the label', () => {
    const { template, object } = identified(AZURE);
    expect(template().metadata.labels).toHaveProperty(['azure.workload.identity/use'], 'true');
    expect(JSON.stringify(object().spec.selector)).not.toContain('azure');
    expect(object().metadata.labels).not.toHaveProperty(['azure.workload.identity/use']);
  });

  test.each([
    ['AWS by IRSA', IRSA],
    ['AWS by EKS Pod Identity', POD_IDENTITY],
    ['Google Cloud', GKE],
  ])('of %s has no label for it', (_, identity) => {
    expect(identified(identity).template().metadata.labels).toEqual(identified(undefined).template().metadata.labels);
  });

  test('keeps other annotations and labels', () => {
    const { objects, template } = identified(
      AZURE,
      {},
      {
        serviceAccountAnnotations: { 'acme.example/owner': 'rag' },
        podLabels: { team: 'rag' },
      },
    );
    expect(annotationsOf(objects())).toEqual({
      'azure.workload.identity/client-id': CLIENT,
      'acme.example/owner': 'rag',
    });
    expect(template().metadata.labels).toMatchObject({ team: 'rag', 'azure.workload.identity/use': 'true' });
  });
});

describe('what gives the credentials is open', () => {
  test('for IRSA: STS in the region of the cluster, by name where policies know names', () => {
    expect(hostsOf(identified(IRSA, { ...IN_IRELAND, cilium: true }).objects())).toEqual([
      'sts.eu-west-1.amazonaws.com:443',
    ]);
    expect(rangesOf(identified(IRSA).objects())).toEqual(['0.0.0.0/0:443']);
    expect(hostsOf(identified(IRSA, { region: 'cn-north-1', cilium: true }).objects())).toEqual([
      'sts.cn-north-1.amazonaws.com.cn:443',
    ]);
  });

  test('for EKS Pod Identity: the agent of the node, and no region is needed', () => {
    expect(rangesOf(identified(POD_IDENTITY, {}).objects())).toEqual(['169.254.170.23/32:80']);
  });

  test('for EKS Pod Identity on Cilium: the node, on the port of the agent only', () => {
    const objects = identified(POD_IDENTITY, { cilium: true }).objects();
    const policy = find(objects, 'CiliumNetworkPolicy', 'api-identity');
    expect(policy.spec).toEqual({
      endpointSelector: {
        matchLabels: { 'app.kubernetes.io/name': 'api', 'app.kubernetes.io/instance': 'rag' },
      },
      egress: [{ toEntities: ['host'], toPorts: [{ ports: [{ port: '80', protocol: 'TCP' }] }] }],
    });
    expect(namesOf(objects, 'CiliumNetworkPolicy')).toEqual(['api-identity']);
  });

  test('for GKE: the metadata server, before and behind its translation', () => {
    expect(rangesOf(identified(GKE, {}).objects()).sort()).toEqual(['169.254.169.252/32:988', '169.254.169.254/32:80']);
    expect(namesOf(identified(GKE, { cilium: true }).objects(), 'CiliumNetworkPolicy')).toEqual([]);
  });

  test('for Azure: its login', () => {
    expect(hostsOf(identified(AZURE, { cilium: true }).objects())).toEqual(['login.microsoftonline.com:443']);
  });

  test('for nobody: nothing', () => {
    const objects = identified(undefined, { cilium: true }).objects();
    expect(find(objects, 'NetworkPolicy', 'api').spec).not.toHaveProperty('egress');
    expect(namesOf(objects, 'CiliumNetworkPolicy')).toEqual([]);
  });

  test('to the pods, and nobody may connect to them for it', () => {
    for (const identity of [IRSA, POD_IDENTITY, GKE, AZURE]) {
      expect(find(identified(identity).objects(), 'NetworkPolicy', 'api').spec).not.toHaveProperty('ingress');
    }
  });
});

describe('something that is used without keys', () => {
  const bucket = ObjectStore.s3({ bucket: 'acme-rag', region: 'us-east-2' });
  const google = ObjectStore.gcs({ bucket: 'acme-rag' });
  const container = ObjectStore.azureBlob({ account: 'acmerag', container: 'documents' });
  const bus = ExternalQueue.serviceBus({ namespace: 'acme-rag', queue: 'documents' });

  const using = (identity: CloudIdentity | undefined, provider: ObjectStore | ExternalQueue) => {
    const { construct, objects } = identified(identity, { ...IN_IRELAND, cilium: true });
    construct.uses(provider);
    return objects();
  };

  test('on AWS needs STS of its own region too, and no agent with a role by IRSA', () => {
    const objects = using(IRSA, bucket);
    expect(hostsOf(objects)).toEqual([
      'acme-rag.s3.us-east-2.amazonaws.com:443',
      's3.us-east-2.amazonaws.com:443',
      'sts.eu-west-1.amazonaws.com:443',
      'sts.us-east-2.amazonaws.com:443',
    ]);
    expect(rangesOf(objects)).toEqual([]);
  });

  test('on AWS needs the agent and no STS with EKS Pod Identity', () => {
    const objects = using(POD_IDENTITY, bucket);
    expect(hostsOf(objects).join()).not.toContain('sts.');
    expect(rangesOf(objects)).toEqual(['169.254.170.23/32:80']);
  });

  test('on AWS may come with an identity that is declared in AWS alone', () => {
    const objects = using(undefined, bucket);
    expect(hostsOf(objects)).toContain('sts.us-east-2.amazonaws.com:443');
    expect(rangesOf(objects)).toEqual(['169.254.170.23/32:80']);
  });

  test('on Azure needs its login, once', () => {
    expect(hostsOf(using(AZURE, bus)).filter((host) => host.startsWith('login.'))).toEqual([
      'login.microsoftonline.com:443',
    ]);
  });

  test('on Google Cloud needs the metadata server, with and without a declared identity', () => {
    for (const identity of [GKE, undefined]) {
      const objects = using(identity, google);
      expect(hostsOf(objects)).toEqual(['storage.googleapis.com:443']);
      expect(rangesOf(objects).sort()).toEqual(['169.254.169.252/32:988', '169.254.169.254/32:80']);
    }
  });

  test.each<[string, CloudIdentity, ObjectStore | ExternalQueue, string, string]>([
    ['Azure', AZURE, google, 'bucket acme-rag', 'Google Cloud'],
    ['AWS', POD_IDENTITY, google, 'bucket acme-rag', 'Google Cloud'],
    ['AWS', IRSA, container, 'container documents', 'Azure'],
    ['Google Cloud', GKE, container, 'container documents', 'Azure'],
    ['Azure', AZURE, bucket, 'bucket acme-rag', 'AWS'],
    ['Google Cloud', GKE, bucket, 'bucket acme-rag', 'AWS'],
    ['AWS', IRSA, bus, 'queue documents', 'Azure'],
  ])('is refused to an identity of %s elsewhere', (cloud, identity, provider, used, other) => {
    expect(() => using(identity, provider)).toThrow(
      `: identity is one of ${cloud}, but the ${used}, which is used without keys, is on ${other}; give that keys, or ` +
        'the client an identity there',
    );
  });
});

describe('mistakes', () => {
  test.each(['', 'rag-api', 'arn:aws:iam::1:role/x', 'arn:aws:iam::123456789012:user/x', `${ROLE} `])(
    'the role "%s"',
    (role) => {
      expect(() => CloudIdentity.awsIrsa(role)).toThrow(
        `identity.awsRole is "${role}", but must be a role such as arn:aws:iam::123456789012:role/rag-api`,
      );
    },
  );

  test.each(['', 'rag-api', 'rag-api@acme.example', 'a@acme.iam.gserviceaccount.com', `x${ACCOUNT}/`])(
    'the service account "%s"',
    (account) => {
      expect(() => CloudIdentity.gke(account)).toThrow(
        `identity.gcpServiceAccount is "${account}", but must be a service account such as ` +
          'rag-api@acme.iam.gserviceaccount.com',
      );
    },
  );

  test.each(['', 'rag-api', `${CLIENT}0`, CLIENT.replace('1', 'A')])('the id "%s"', (id) => {
    const problem = `is "${id}", but must be a UUID in lower case: 8, 4, 4, 4 and 12 hexadecimal digits`;
    expect(() => CloudIdentity.azure(id)).toThrow(`identity.azureClientId ${problem}`);
    expect(() => CloudIdentity.azure(CLIENT, { tenantId: id })).toThrow(`identity.tenantId ${problem}`);
  });

  test('IRSA in a cluster whose region nobody knows', () => {
    expect(() => identified(IRSA, {})).toThrow(
      'rag/api: identity needs AWS STS in the region of the cluster, but the cluster does not say which that is; set ' +
        'region in the cluster',
    );
  });

  test('an annotation or a label twice', () => {
    const annotation = { 'eks.amazonaws.com/role-arn': ROLE };
    expect(() => identified(IRSA, IN_IRELAND, { serviceAccountAnnotations: annotation })).toThrow(
      'rag/api: serviceAccountAnnotations has eks.amazonaws.com/role-arn, which identity sets; drop one of the two',
    );
    expect(() => identified(AZURE, {}, { podLabels: { 'azure.workload.identity/use': 'false' } })).toThrow(
      'rag/api: podLabels has azure.workload.identity/use, which identity sets; drop one of the two',
    );
  });
});

(SCHEMAS_PRESENT ? test : test.skip)('the policy of a node is one that Cilium accepts', () => {
  const objects = identified(POD_IDENTITY, { cilium: true }).objects();
  const schemas = new ClusterSchemas('1.28');
  expect(objects.flatMap((object) => schemas.errors(object))).toEqual([]);
});
