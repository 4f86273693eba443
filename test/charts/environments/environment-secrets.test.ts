import { Environment } from '../../../charts/environments/environment';
import type { ManifestObject } from '../../../constructs/rules/output';
import { EnvironmentFolder } from '../../support/environment-folder';
import { find, namesOf } from '../../support/manifests';
import { refusalOf } from '../../support/refusal';

const folder = new EnvironmentFolder();
afterAll(() => folder.remove());

/** A small environment with this setting in its second line. */
function objectsOf(secrets: string): ManifestObject[] {
  const lines = [
    'namespace: rag-test',
    secrets,
    'qdrant: { resources: { cpu: 1, memory: 1Gi }, storage: 1Gi }',
    'queue: { redis: {} }',
    'api: { image: { repository: ghcr.io/acme/api, tag: 1.0.0 } }',
  ];
  folder.write({ 'test.yaml': lines.join('\n') });
  return Environment.read(folder.pathOf('test.yaml')).render('test.yaml').objects;
}

function refused(secrets: string): string[] {
  const { message } = refusalOf(() => objectsOf(secrets));
  return message.split('\n').map((problem) => problem.replace(`${folder.shown('test.yaml')}:`, ''));
}

const providerOf = (objects: ManifestObject[], name = 'secret-store') =>
  find(objects, 'SecretStore', name).spec.provider;

const remoteOf = (objects: ManifestObject[]) => {
  const { key, property } = find(objects, 'ExternalSecret', 'queue').spec.data[0].remoteRef;
  return [key, property];
};

const ROLE = 'arn:aws:iam::123456789012:role/rag';
const TENANT = '66666666-7777-8888-9999-000000000000';
const AZURE = `{ vault: acme-rag, tenantId: ${TENANT}, clientId: ${TENANT} }`;
const VAULT = '{ server: "https://vault.acme.example", path: secret, role: rag }';

describe('a store that an environment makes', () => {
  test('may be Secrets Manager of AWS', () => {
    const objects = objectsOf(
      `secrets: { path: rag, refresh: 15m, aws: { region: eu-west-1, identity: { awsRole: "${ROLE}" }, role: "${ROLE}2" } }`,
    );
    expect(providerOf(objects)).toEqual({
      aws: {
        service: 'SecretsManager',
        region: 'eu-west-1',
        role: `${ROLE}2`,
        auth: { jwt: { serviceAccountRef: { name: 'secret-store' } } },
      },
    });
    expect(find(objects, 'ServiceAccount', 'secret-store').metadata.annotations).toMatchObject({
      'eks.amazonaws.com/role-arn': ROLE,
    });
    expect(find(objects, 'ExternalSecret', 'queue').spec).toMatchObject({
      refreshInterval: '15m0s',
      secretStoreRef: { kind: 'SecretStore', name: 'secret-store' },
    });
    expect(remoteOf(objects)).toEqual(['rag/queue', 'password']);
  });

  test('may be Parameter Store, in the region of the cluster', () => {
    const objects = objectsOf(
      'cluster: { region: eu-central-1 }\nsecrets: { path: rag, aws: { service: parameter-store, name: parameters } }',
    );
    expect(providerOf(objects, 'parameters')).toEqual({ aws: { service: 'ParameterStore', region: 'eu-central-1' } });
    expect(remoteOf(objects)).toEqual(['/rag/queue', 'password']);
  });

  test('may be Vault, unlike others', () => {
    const settings =
      'mountPath: clusters/rag, version: v1, audience: vault, namespace: search, name: vault, authority: ';
    const vault = (authority: string) => VAULT.replace(' }', `, ${settings}${authority} }`);
    for (const [authority, type] of [
      ['{ configMap: ca, key: ca.crt }', 'ConfigMap'],
      ['{ secret: ca, key: ca.crt }', 'Secret'],
    ] as const) {
      expect(providerOf(objectsOf(`secrets: { vault: ${vault(authority)} }`), 'vault').vault).toEqual({
        server: 'https://vault.acme.example',
        path: 'secret',
        version: 'v1',
        namespace: 'search',
        auth: {
          kubernetes: {
            mountPath: 'clusters/rag',
            role: 'rag',
            serviceAccountRef: { name: 'vault', audiences: ['vault'] },
          },
        },
        caProvider: { type, name: 'ca', key: 'ca.crt' },
      });
    }
  });

  test('may be a Key Vault of Azure', () => {
    const objects = objectsOf(`secrets: { path: rag/test, version: v1beta1, azure: ${AZURE} }`);
    expect(providerOf(objects).azurekv.vaultUrl).toBe('https://acme-rag.vault.azure.net');
    expect(find(objects, 'SecretStore', 'secret-store').apiVersion).toBe('external-secrets.io/v1beta1');
    expect(remoteOf(objects)).toEqual(['rag--test--queue--password', undefined]);
    expect(namesOf(objects, 'SecretProviderClass')).toEqual([]);
  });

  test('may be Google Secret Manager', () => {
    const objects = objectsOf(
      'secrets: { path: rag/test, gcp: { project: acme-test, identity: { gcpServiceAccount: rag-test@acme.iam.gserviceaccount.com }, ' +
        'cluster: { name: rag, location: europe-west4, project: acme-clusters } } }',
    );
    expect(providerOf(objects).gcpsm).toEqual({
      projectID: 'acme-test',
      auth: {
        workloadIdentity: {
          clusterLocation: 'europe-west4',
          clusterName: 'rag',
          clusterProjectID: 'acme-clusters',
          serviceAccountRef: { name: 'secret-store' },
        },
      },
    });
    expect(remoteOf(objects)).toEqual(['rag--test--queue', 'password']);
  });
});

describe('a store that exists', () => {
  test.each([
    ['paths', ['rag/test/queue', 'password']],
    ['aws-parameter-store', ['/rag/test/queue', 'password']],
    ['azure-key-vault', ['rag--test--queue--password', undefined]],
    ['google-secret-manager', ['rag--test--queue', 'password']],
  ])('has its entries as %s', (layout, entry) => {
    const objects = objectsOf(`secrets: { store: acme, path: rag/test, layout: ${layout} }`);
    expect(remoteOf(objects)).toEqual(entry);
    expect(namesOf(objects, 'SecretStore')).toEqual([]);
  });
});

test.each([
  ['secrets: {}', '2:1 secrets: does not say where Secrets come from; set one of store, aws, vault, azure, gcp, csi'],
  [
    `secrets: { store: acme, azure: ${AZURE} }`,
    '2:25 secrets.azure: is a second place for Secrets beside store; remove one of the two',
  ],
  [
    `secrets: { vault: ${VAULT}, aws: {} }`,
    '2:12 secrets.vault: is a second place for Secrets beside aws; remove one of the two',
  ],
  [
    `secrets: { layout: paths, azure: ${AZURE} }`,
    '2:12 secrets.layout: says something about a store that exists, but azure takes the place of one; remove it',
  ],
  [
    'secrets: { clusterStore: true, aws: { region: eu-west-1 } }',
    '2:12 secrets.clusterStore: says something about a store that exists, but aws takes the place of one; remove it',
  ],
  [
    `secrets: { azure: ${AZURE}, csi: ${AZURE} }`,
    '2:12 secrets.azure: belongs to a store of External Secrets, but csi takes the place of one; remove one of the two',
  ],
  [
    'secrets: { aws: { service: s3 } }',
    '2:19 secrets.aws.service: is "s3", but must be one of secrets-manager, parameter-store',
  ],
  ['secrets: { aws: { region: EU } }', '2:19 secrets.aws.region: is "EU", but must be a region such as eu-west-1'],
  [
    'secrets: { aws: {} }',
    '2:12 secrets.aws.region: is missing, and the cluster does not say which it runs in; set it here, or in the cluster',
  ],
  [
    'secrets: { aws: { identity: { awsPodIdentity: true } } }',
    '2:19 secrets.aws.identity: is one by EKS Pod Identity, which External Secrets can use for its own pods only; leave ' +
      'it out and associate the role with those, or use CloudIdentity.awsIrsa',
  ],
  [
    'secrets: { vault: { server: vault, path: secret, role: rag } }',
    '2:21 secrets.vault.server: is "vault", but must be an address such as https://vault.acme.example:8200, without a path',
  ],
  [
    `secrets: { vault: ${VAULT.replace(' }', ', authority: { key: ca.crt } }')} }`,
    '2:84 secrets.vault.authority: needs either configMap or secret, and not both',
  ],
  [
    `secrets: { vault: ${VAULT.replace(' }', ', authority: { secret: ca, key: a/b } }')} }`,
    '2:109 secrets.vault.authority.key: is "a/b", but must consist of letters, digits, "-", "_" and ".", and not begin ' +
      'with ".."',
  ],
  [
    `secrets: { vault: ${VAULT.replace(' }', ', authority: { configMap: CA, key: ca.crt } }')} }`,
    '2:97 secrets.vault.authority.configMap: is "CA", but must be DNS labels joined by dots: lower-case letters, digits ' +
      'and "-", beginning and ending with a letter or digit',
  ],
  ['secrets: { azure: {} }', '2:12 secrets.azure.vault: is missing'],
  [
    'secrets: { gcp: { project: Acme } }',
    '2:19 secrets.gcp.project: is "Acme", but must be the id of a project such as acme-production',
  ],
  [
    `secrets: { path: rag_test, azure: ${AZURE} }`,
    '2:12 secrets.path: is "rag_test", but names in Azure Key Vault are at most 127 letters, digits and "-"; name it so',
  ],
  [
    'secrets: { path: /rag, aws: { region: eu-west-1 } }',
    '2:12 secrets.path: is "/rag", but must be names joined by "/", with none at its ends: rag/production',
  ],
])('%s is refused at its place', (secrets, problem) => {
  expect(refused(secrets)[0]).toBe(problem);
});

test('a usual key whose entry would have too long a name is refused where it is used', () => {
  const path = 'p'.repeat(111);
  const rule = 'but names in Azure Key Vault are at most 127 letters, digits and "-"; name the Secret and the key so';
  expect(refused(`secrets: { path: ${path}, azure: ${AZURE} }`)).toEqual([
    `3:1 qdrant.apiKey.key: is "api-key" of the Secret qdrant, so its entry in the store would be "${path}--qdrant--api-key", ${rule}`,
    `4:10 queue.redis.password.key: is "password" of the Secret queue, so its entry in the store would be "${path}--queue--password", ${rule}`,
  ]);
});
