import { Environment } from '../../../charts/environments/environment';
import { EnvironmentFolder } from '../../support/environment-folder';
import { find, namesOf } from '../../support/manifests';
import { refusalOf } from '../../support/refusal';

const folder = new EnvironmentFolder();
afterAll(() => folder.remove());

/** Every workload that a file can describe, each with this setting. */
function everywhere(setting: string): string {
  return [
    'namespace: rag-test',
    'cluster: { region: eu-west-1 }',
    `qdrant: { resources: { cpu: 1, memory: 1Gi }, storage: 1Gi, ${setting} }`,
    `queue: { redis: { ${setting} } }`,
    'embeddingModel: BAAI/bge-m3',
    `embedder: { resources: { cpu: 1, memory: 4Gi }, ${setting} }`,
    `api: { image: { repository: ghcr.io/acme/api, tag: 1.0.0 }, ${setting} }`,
    `embeddingWorkers: { image: { repository: ghcr.io/acme/workers, tag: 1.0.0 }, ${setting} }`,
    '',
  ].join('\n');
}

function objectsOf(text: string) {
  folder.write({ 'test.yaml': text });
  return Environment.read(folder.pathOf('test.yaml')).render('test.yaml').objects;
}

/** What is said about a file with this setting of the API: the place without the file, and the problem. */
function refused(setting: string, cluster = 'cluster: {}'): string[] {
  const lines = [
    'namespace: rag-test',
    cluster,
    'qdrant: { resources: { cpu: 1, memory: 1Gi }, storage: 1Gi }',
    'api:',
    '  image: { repository: ghcr.io/acme/api, tag: 1.0.0 }',
    `  ${setting}`,
  ];
  const { message } = refusalOf(() => objectsOf(lines.join('\n')));
  return message.split('\n').map((problem) => problem.replace(`${folder.shown('test.yaml')}:`, ''));
}

describe('the identity of a workload', () => {
  test.each(['qdrant', 'queue', 'embedder', 'api', 'embedding-workers'])('is a setting of %s', (name) => {
    const objects = objectsOf(everywhere('identity: { awsRole: "arn:aws:iam::123456789012:role/rag" }'));
    expect(find(objects, 'ServiceAccount', name).metadata.annotations).toMatchObject({
      'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/rag',
    });
  });

  test.each([
    ['awsPodIdentity: true', undefined],
    ['gcpServiceAccount: rag-api@acme.iam.gserviceaccount.com', 'rag-api@acme.iam.gserviceaccount.com'],
    ['azureClientId: 11111111-2222-3333-4444-555555555555', '11111111-2222-3333-4444-555555555555'],
  ])('may be %s', (setting, shown) => {
    const annotations = find(objectsOf(everywhere(`identity: { ${setting} }`)), 'ServiceAccount', 'api').metadata
      .annotations;
    const { 'argocd.argoproj.io/sync-wave': _, ...rest } = annotations ?? {};
    expect(Object.values(rest)).toEqual(shown === undefined ? [] : [shown]);
  });

  test.each([
    [
      'identity: { awsRole: rag-api }',
      '6:15 api.identity.awsRole: is "rag-api", but must be a role such as arn:aws:iam::123456789012:role/rag-api',
    ],
    [
      'identity: { azureClientId: 11111111-2222-3333-4444-555555555555 }\n' +
        'documentStore: { s3: { bucket: acme-documents, region: eu-west-1 } }',
      '6:3 api.identity: is one of Azure, but the bucket acme-documents, which is used without keys, is on AWS; give that ' +
        'keys, or the client an identity there',
    ],
    [
      'identity: {}',
      '6:3 api.identity: needs exactly one of awsRole, awsPodIdentity, gcpServiceAccount and azureClientId',
    ],
    [
      'identity: { awsPodIdentity: true, gcpServiceAccount: a@b }',
      '6:3 api.identity: needs exactly one of awsRole, awsPodIdentity, gcpServiceAccount and azureClientId',
    ],
    ['identity: { awsPodIdentity: false }', '6:15 api.identity.awsPodIdentity: is false, but must be one of true'],
    [
      'identity: { awsPodIdentity: true, tenantId: a }',
      '6:37 api.identity.tenantId: belongs to azureClientId, which is not there; remove it',
    ],
    [
      'identity: { azureClientId: a }',
      '6:15 api.identity.azureClientId: is "a", but must be a UUID in lower case: 8, 4, 4, 4 and 12 hexadecimal digits',
    ],
    [
      'identity: { awsRol: a, awsPodIdentity: true }',
      '6:15 api.identity.awsRol: is not a setting; did you mean awsRole?',
    ],
    [
      'identity: { awsRole: "arn:aws:iam::123456789012:role/rag" }',
      '6:3 api.identity: needs AWS STS in the region of the cluster, but the cluster does not say which that is; set ' +
        'region in the cluster',
    ],
  ])('%s is refused at its place', (setting, problem) => {
    expect(refused(setting)).toEqual([problem]);
  });

  test('needs a region that is one', () => {
    expect(refused('identity: { awsPodIdentity: true }', 'cluster: { region: "Ireland, EU" }')).toEqual([
      '2:12 cluster.region: is "Ireland, EU", but must be a region such as eu-west-1',
    ]);
  });
});

describe('Secrets from a vault that pods mount', () => {
  const TENANT = '66666666-7777-8888-9999-000000000000';
  const VAULT = `{ vault: acme-rag, tenantId: ${TENANT}, clientId: ${TENANT} }`;

  test('are all there are', () => {
    const objects = objectsOf(`${everywhere('podLabels: {}')}\nsecrets: { csi: ${VAULT} }\n`);
    expect(namesOf(objects, 'SecretProviderClass').sort()).toEqual(['qdrant--api-key', 'queue--password']);
    expect(namesOf(objects, 'ExternalSecret')).toEqual([]);
    expect(find(objects, 'SecretProviderClass', 'queue--password').spec.parameters.keyvaultName).toBe('acme-rag');
  });

  test.each([
    ['secrets: { csi: {} }', '2:12 secrets.csi.vault: is missing'],
    [
      `secrets: { csi: ${VAULT.replace('acme-rag', 'a')} }`,
      '2:19 secrets.csi.vault: is "a", but must be 3 to 24 letters, digits and "-", beginning with a letter, without a domain',
    ],
    [
      `secrets: { store: acme, csi: ${VAULT} }`,
      '2:12 secrets.store: belongs to a store of External Secrets, but csi takes the place of one; remove one of the two',
    ],
    [
      `secrets: { refresh: 1h, csi: ${VAULT} }`,
      '2:12 secrets.refresh: belongs to a store of External Secrets, but csi takes the place of one; remove one of the two',
    ],
    [
      'secrets: { store: a, engine: kv }',
      '2:22 secrets.engine: is not a setting; the settings here are aws, azure, clusterStore, csi, gcp, layout, path, ' +
        'refresh, store, vault, version',
    ],
  ])('%s is refused at its place', (secrets, problem) => {
    expect(refused('port: 8000', secrets)[0]).toBe(problem);
  });

  test('have names that a vault can have', () => {
    expect(refused('env: { A: { secret: a, key: api_key } }', `secrets: { csi: ${VAULT} }`)).toEqual([
      '6:26 api.env.A.key: is "api_key", so the entry in the vault would be "a--api_key", but there names are at most 127 ' +
        'letters, digits and "-", with a letter or digit at the end; name the Secret and the key so',
    ]);
  });
});
