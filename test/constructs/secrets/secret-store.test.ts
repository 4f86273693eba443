import { App, Chart } from 'cdk8s';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { ExternalReferences } from '../../../constructs/rules/external-references';
import type { ManifestObject } from '../../../constructs/rules/output';
import { CertificateAuthority } from '../../../constructs/secrets/certificate-authority';
import { CloudIdentity } from '../../../constructs/secrets/cloud-identity';
import { ExternalSecrets, type ExternalSecretsProps } from '../../../constructs/secrets/external-secrets';
import { ExternalSecretsVersion } from '../../../constructs/secrets/external-secrets-version';
import { SecretStore } from '../../../constructs/secrets/secret-store';
import { StoreLayout } from '../../../constructs/secrets/store-layout';
import { VaultEngine } from '../../../constructs/secrets/vault-store';
import { find, namesOf, render, testChart } from '../../support/manifests';
import { ClusterSchemas, SCHEMAS_PRESENT } from '../../support/schemas';

const ROLE = 'arn:aws:iam::123456789012:role/rag-secrets';
const IRSA = CloudIdentity.awsIrsa(ROLE);
const ACCOUNT = 'rag-secrets@acme-production.iam.gserviceaccount.com';
const TENANT = '66666666-7777-8888-9999-000000000000';
const CLIENT = '11111111-2222-3333-4444-555555555555';
const KEY_VAULT = { vault: 'acme-rag', tenantId: TENANT, clientId: CLIENT };
const VAULT = { server: 'https://vault.acme.example:8200', path: 'secret', role: 'rag' };

/** What a chart has that reads the key `api-key` of the Secret `qdrant` from a store. */
function reading(store: SecretStore, props: ExternalSecretsProps = {}, cluster: ClusterProps = {}) {
  const chart = testChart(cluster);
  new ExternalSecrets(store, props).key('qdrant', 'api-key')._bind(chart);
  return { chart, objects: render(chart) };
}

const providerOf = (objects: ManifestObject[], name = 'secret-store') => find(objects, 'SecretStore', name).spec;

function remoteOf(objects: ManifestObject[]) {
  const { key, property } = find(objects, 'ExternalSecret', 'qdrant').spec.data[0].remoteRef;
  return { key, property };
}

const WAVE = { 'argocd.argoproj.io/sync-wave': '-15', 'argocd.argoproj.io/sync-options': 'PruneLast=true' };

describe('a store of AWS', () => {
  const { chart, objects } = reading(SecretStore.awsSecretsManager({ region: 'eu-west-1', identity: IRSA }), {
    path: 'rag/production',
  });

  test('is read as a ServiceAccount of its own, which has no token', () => {
    expect(providerOf(objects)).toEqual({
      provider: {
        aws: {
          service: 'SecretsManager',
          region: 'eu-west-1',
          auth: { jwt: { serviceAccountRef: { name: 'secret-store' } } },
        },
      },
    });
    expect(find(objects, 'ServiceAccount', 'secret-store')).toMatchObject({
      metadata: { namespace: 'test', annotations: { ...WAVE, 'eks.amazonaws.com/role-arn': ROLE } },
      automountServiceAccountToken: false,
    });
  });

  test('is there before what reads it, and is expected from nobody', () => {
    expect(find(objects, 'SecretStore', 'secret-store')).toMatchObject({
      apiVersion: 'external-secrets.io/v1',
      metadata: { namespace: 'test', annotations: WAVE },
    });
    expect(find(objects, 'ExternalSecret', 'qdrant')).toMatchObject({
      metadata: { annotations: { 'argocd.argoproj.io/sync-wave': '-10' } },
      spec: { secretStoreRef: { kind: 'SecretStore', name: 'secret-store' } },
    });
    expect(ExternalReferences.of(chart).all).toEqual([]);
  });

  test('has an entry for each Secret', () => {
    expect(remoteOf(objects)).toEqual({ key: 'rag/production/qdrant', property: 'api-key' });
  });

  test('may be Parameter Store', () => {
    const { objects } = reading(SecretStore.awsParameterStore({ region: 'eu-west-1' }), { path: 'rag' });
    expect(providerOf(objects).provider.aws.service).toBe('ParameterStore');
    expect(remoteOf(objects)).toEqual({ key: '/rag/qdrant', property: 'api-key' });
  });

  test('is read as External Secrets itself, where no identity is given, in a role if there is one', () => {
    const { objects } = reading(SecretStore.awsSecretsManager({ role: ROLE }), {}, { region: 'eu-central-1' });
    expect(providerOf(objects).provider.aws).toEqual({ service: 'SecretsManager', region: 'eu-central-1', role: ROLE });
    expect(namesOf(objects, 'ServiceAccount')).toEqual([]);
  });

  test('is in the region of the cluster, unless told otherwise', () => {
    const region = (props: { region?: string }) =>
      providerOf(reading(SecretStore.awsSecretsManager(props), {}, { region: 'eu-central-1' }).objects).provider.aws
        .region;
    expect(region({})).toBe('eu-central-1');
    expect(region({ region: 'eu-west-1' })).toBe('eu-west-1');
    expect(() => reading(SecretStore.awsSecretsManager())).toThrow(
      new Error(
        'rag: secrets.aws.region is missing, and the cluster does not say which it runs in; set it here, or in the cluster',
      ),
    );
  });

  test.each([
    [{ region: 'EU West' }, 'secrets.region is "EU West", but must be a region such as eu-west-1'],
    [{ role: 'rag' }, `secrets.role is "rag", but must be a role such as ${ROLE}`],
    [
      { identity: CloudIdentity.awsPodIdentity() },
      'secrets.identity is one by EKS Pod Identity, which External Secrets can use for its own pods only; leave it out ' +
        'and associate the role with those, or use CloudIdentity.awsIrsa',
    ],
    [
      { identity: CloudIdentity.gke(ACCOUNT) },
      'secrets.identity is one of Google Cloud, but the store is on AWS; take one from there',
    ],
    [
      { name: 'Secret Store' },
      'secrets.name is "Secret Store", but must be DNS labels joined by dots: lower-case letters, digits and "-", ' +
        'beginning and ending with a letter or digit',
    ],
  ])('%j is refused', (props, message) => {
    for (const make of [SecretStore.awsSecretsManager, SecretStore.awsParameterStore]) {
      expect(() => make({ region: 'eu-west-1', ...props })).toThrow(new Error(message));
    }
  });
});

describe('Vault', () => {
  test('is read as a ServiceAccount that it trusts', () => {
    const { objects } = reading(SecretStore.vault(VAULT), { path: 'rag/production' });
    expect(providerOf(objects)).toEqual({
      provider: {
        vault: {
          server: 'https://vault.acme.example:8200',
          path: 'secret',
          version: 'v2',
          auth: {
            kubernetes: { mountPath: 'kubernetes', role: 'rag', serviceAccountRef: { name: 'secret-store' } },
          },
        },
      },
    });
    expect(find(objects, 'ServiceAccount', 'secret-store').metadata.annotations).toEqual(WAVE);
    expect(remoteOf(objects)).toEqual({ key: 'rag/production/qdrant', property: 'api-key' });
  });

  test.each([
    ['ConfigMap', CertificateAuthority.configMap('vault-ca', 'ca.crt')],
    ['Secret', CertificateAuthority.secret('vault-ca', 'ca.crt')],
  ])('may be unlike others, with an authority in a %s', (type, authority) => {
    const { chart, objects } = reading(
      SecretStore.vault({
        ...VAULT,
        mountPath: 'clusters/rag',
        version: VaultEngine.V1,
        audience: 'vault',
        namespace: 'teams/search',
        authority,
        name: 'vault',
      }),
    );
    expect(providerOf(objects, 'vault').provider.vault).toEqual({
      server: 'https://vault.acme.example:8200',
      path: 'secret',
      version: 'v1',
      namespace: 'teams/search',
      auth: {
        kubernetes: {
          mountPath: 'clusters/rag',
          role: 'rag',
          serviceAccountRef: { name: 'vault', audiences: ['vault'] },
        },
      },
      caProvider: { type, name: 'vault-ca', key: 'ca.crt' },
    });
    expect(namesOf(objects, 'ServiceAccount')).toEqual(['vault']);
    expect(ExternalReferences.of(chart).all).toEqual([
      { kind: type, namespace: 'test', name: 'vault-ca', key: 'ca.crt' },
    ]);
  });

  test.each(['http://vault.vault.svc:8200', 'https://vault.acme.example/', 'https://[2001:db8::1]:8200'])(
    'may be at %s',
    (server) => {
      expect(providerOf(reading(SecretStore.vault({ ...VAULT, server })).objects).provider.vault.server).toBe(server);
    },
  );

  const ADDRESS = 'but must be an address such as https://vault.acme.example:8200, without a path';
  const PATH = 'but must be a path of letters, digits, "-", "_" and ".", without "/" at its ends';

  test.each([
    [{ server: 'vault.acme.example' }, `secrets.server is "vault.acme.example", ${ADDRESS}`],
    [{ server: 'https://a.example/v1' }, `secrets.server is "https://a.example/v1", ${ADDRESS}`],
    [{ server: 'https://me:pw@a.example' }, `secrets.server is "https://***@a.example", ${ADDRESS}`],
    [{ server: 'https://a.example:port' }, `secrets.server is "https://a.example:port", ${ADDRESS}`],
    [{ path: '/secret' }, `secrets.path is "/secret", ${PATH}`],
    [{ mountPath: 'auth kubernetes' }, `secrets.mountPath is "auth kubernetes", ${PATH}`],
    [{ namespace: '' }, `secrets.namespace is "", ${PATH}`],
    [{ role: '' }, 'secrets.role is empty; name what Vault has'],
    [{ audience: ' ' }, 'secrets.audience is empty; name what Vault has'],
  ])('%j is refused', (props, message) => {
    expect(() => SecretStore.vault({ ...VAULT, ...props })).toThrow(new Error(message));
  });
});

describe('a Key Vault', () => {
  const { objects } = reading(SecretStore.azureKeyVault(KEY_VAULT));

  test('is read as a ServiceAccount with an identity', () => {
    expect(providerOf(objects)).toEqual({
      provider: {
        azurekv: {
          authType: 'WorkloadIdentity',
          environmentType: 'PublicCloud',
          serviceAccountRef: { name: 'secret-store' },
          tenantId: TENANT,
          vaultUrl: 'https://acme-rag.vault.azure.net',
        },
      },
    });
    expect(find(objects, 'ServiceAccount', 'secret-store').metadata.annotations).toEqual({
      ...WAVE,
      'azure.workload.identity/client-id': CLIENT,
      'azure.workload.identity/tenant-id': TENANT,
    });
  });

  test('has an entry for each key, which is the value', () => {
    expect(remoteOf(objects)).toEqual({ key: 'qdrant--api-key', property: undefined });
    expect(find(objects, 'ExternalSecret', 'qdrant').spec.data[0].remoteRef).not.toHaveProperty('property');
  });

  const UUID = 'but must be a UUID in lower case: 8, 4, 4, 4 and 12 hexadecimal digits';

  test.each([
    [
      { vault: 'acme.vault.azure.net' },
      'secrets.vault is "acme.vault.azure.net", but must be 3 to 24 letters, digits and "-", beginning with a letter, ' +
        'without a domain',
    ],
    [{ tenantId: 'acme' }, `secrets.tenantId is "acme", ${UUID}`],
    [{ clientId: 'rag' }, `secrets.clientId is "rag", ${UUID}`],
  ])('%j is refused', (props, message) => {
    expect(() => SecretStore.azureKeyVault({ ...KEY_VAULT, ...props })).toThrow(new Error(message));
  });
});

describe('Google Secret Manager', () => {
  const identity = CloudIdentity.gke(ACCOUNT);
  const auth = (props: Parameters<typeof SecretStore.googleSecretManager>[0]) =>
    providerOf(reading(SecretStore.googleSecretManager(props)).objects).provider.gcpsm;

  test('is read as a ServiceAccount with an identity', () => {
    const { objects } = reading(SecretStore.googleSecretManager({ project: 'acme-production', identity }), {
      path: 'rag/production',
    });
    expect(providerOf(objects)).toEqual({
      provider: {
        gcpsm: {
          projectID: 'acme-production',
          auth: { workloadIdentity: { serviceAccountRef: { name: 'secret-store' } } },
        },
      },
    });
    expect(find(objects, 'ServiceAccount', 'secret-store').metadata.annotations).toEqual({
      ...WAVE,
      'iam.gke.io/gcp-service-account': ACCOUNT,
    });
    expect(remoteOf(objects)).toEqual({ key: 'rag--production--qdrant', property: 'api-key' });
  });

  test.each([
    [undefined, 'acme-production'],
    ['acme-clusters', 'acme-clusters'],
  ])('trusts the tokens of a cluster of the project %s', (project, clusterProjectID) => {
    const cluster = { name: 'rag', location: 'europe-west4', project };
    expect(auth({ project: 'acme-production', identity, cluster }).auth.workloadIdentity).toEqual({
      clusterLocation: 'europe-west4',
      clusterName: 'rag',
      clusterProjectID,
      serviceAccountRef: { name: 'secret-store' },
    });
  });

  test('is read as External Secrets itself, where no identity is given', () => {
    const { objects } = reading(SecretStore.googleSecretManager({ project: 'acme-production' }));
    expect(providerOf(objects).provider.gcpsm).toEqual({ projectID: 'acme-production' });
    expect(namesOf(objects, 'ServiceAccount')).toEqual([]);
  });

  const CLUSTER = { name: 'rag', location: 'europe-west4' };

  test.each([
    [
      { project: '123456789012' },
      'secrets.project is "123456789012", but must be the id of a project such as acme-production',
    ],
    [
      { identity, cluster: { ...CLUSTER, project: 'A' } },
      'secrets.cluster.project is "A", but must be the id of a project such as acme-production',
    ],
    [{ identity: IRSA }, 'secrets.identity is one of AWS, but the store is on Google Cloud; take one from there'],
    [
      { cluster: CLUSTER },
      'secrets.cluster says whose tokens an identity trusts, but there is no identity; set one, or remove it',
    ],
  ])('%j is refused', (props, message) => {
    expect(() => SecretStore.googleSecretManager({ project: 'acme-production', ...props })).toThrow(new Error(message));
  });
});

describe('a store that exists', () => {
  test('is declared, and nothing is made for it', () => {
    const { chart, objects } = reading(SecretStore.existing('acme'));
    expect(objects.map(({ kind }) => kind)).toEqual(['ExternalSecret']);
    expect(ExternalReferences.of(chart).all).toEqual([{ kind: 'ClusterSecretStore', name: 'acme' }]);
  });

  test('may name its entries otherwise', () => {
    const { objects } = reading(SecretStore.existing('acme', { layout: StoreLayout.AZURE_KEY_VAULT }), { path: 'rag' });
    expect(remoteOf(objects)).toEqual({ key: 'rag--qdrant--api-key', property: undefined });
  });

  test('has a name that it can have', () => {
    expect(() => SecretStore.existing('A B')).toThrow(
      /^secrets\.store is "A B", but must be DNS labels joined by dots: /,
    );
  });
});

describe('a store that is made', () => {
  const store = SecretStore.azureKeyVault(KEY_VAULT);

  test('is there once in each chart that reads it, whoever reads it', () => {
    const app = new App();
    const charts = ['one', 'two'].map((namespace) => new Chart(app, namespace, { namespace }));
    for (const chart of charts) {
      new ExternalSecrets(store).key('qdrant', 'api-key')._bind(chart);
      new ExternalSecrets(store, { path: 'rag' }).key('queue', 'password')._bind(chart);
    }
    for (const chart of charts) {
      const kinds = render(chart).map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
      expect(kinds.sort()).toEqual([
        `ExternalSecret ${chart.namespace}/qdrant`,
        `ExternalSecret ${chart.namespace}/queue`,
        `SecretStore ${chart.namespace}/secret-store`,
        `ServiceAccount ${chart.namespace}/secret-store`,
      ]);
    }
  });

  test('is nothing when nothing is read from it', () => {
    const chart = testChart();
    new ExternalSecrets(store).key('qdrant', 'api-key');
    expect(render(chart)).toEqual([]);
  });

  test('shares its name with no other of the chart', () => {
    const chart = testChart();
    new ExternalSecrets(store).key('qdrant', 'api-key')._bind(chart);
    const other = new ExternalSecrets(SecretStore.azureKeyVault(KEY_VAULT)).key('queue', 'password');
    expect(() => other._bind(chart)).toThrow(
      new Error(
        'rag: secret store secret-store is the name of two stores of the chart; give one of them another name, or use ' +
          'one for all its Secrets',
      ),
    );
  });

  test('is beside another one that has another name', () => {
    const chart = testChart();
    new ExternalSecrets(store).key('qdrant', 'api-key')._bind(chart);
    const vault = SecretStore.vault({ ...VAULT, name: 'vault' });
    new ExternalSecrets(vault).key('queue', 'password')._bind(chart);
    const objects = render(chart);
    expect(namesOf(objects, 'SecretStore').sort()).toEqual(['secret-store', 'vault']);
    expect(find(objects, 'ExternalSecret', 'queue').spec.secretStoreRef.name).toBe('vault');
  });

  test('is read in one version', () => {
    const chart = testChart();
    new ExternalSecrets(store).key('qdrant', 'api-key')._bind(chart);
    const older = new ExternalSecrets(store, { version: ExternalSecretsVersion.V1BETA1 }).key('queue', 'password');
    expect(() => older._bind(chart)).toThrow(
      new Error(
        'rag: secret store secret-store is read in the versions v1 and v1beta1 of External Secrets; a cluster has one ' +
          'release, so give all sources the same',
      ),
    );
  });
});

const STORES: [string, SecretStore][] = [
  ['AWS Secrets Manager', SecretStore.awsSecretsManager({ region: 'eu-west-1', identity: IRSA, role: ROLE })],
  ['AWS Parameter Store', SecretStore.awsParameterStore({ region: 'eu-west-1' })],
  [
    'Vault',
    SecretStore.vault({
      ...VAULT,
      audience: 'vault',
      namespace: 'search',
      authority: CertificateAuthority.configMap('ca', 'ca.crt'),
    }),
  ],
  ['Azure Key Vault', SecretStore.azureKeyVault(KEY_VAULT)],
  [
    'Google Secret Manager',
    SecretStore.googleSecretManager({
      project: 'acme-production',
      identity: CloudIdentity.gke(ACCOUNT),
      cluster: { name: 'rag', location: 'europe-west4' },
    }),
  ],
];

describe.each(STORES)('a store of %s', (_, store) => {
  test('has the same fields in both versions', () => {
    const [v1, older] = [ExternalSecretsVersion.V1, ExternalSecretsVersion.V1BETA1].map((version) =>
      find(reading(store, { version }).objects, 'SecretStore', 'secret-store'),
    ) as [ManifestObject, ManifestObject];
    expect([v1.apiVersion, older.apiVersion]).toEqual(['external-secrets.io/v1', 'external-secrets.io/v1beta1']);
    expect(older).toEqual({ ...v1, apiVersion: older.apiVersion });
  });

  (SCHEMAS_PRESENT ? test : test.skip)('is one that the API server accepts', () => {
    const schemas = new ClusterSchemas('1.36');
    for (const version of [ExternalSecretsVersion.V1, ExternalSecretsVersion.V1BETA1]) {
      const { objects } = reading(store, { version });
      expect(objects.flatMap((object) => schemas.errors(object))).toEqual([]);
    }
  });
});
