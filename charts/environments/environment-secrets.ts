import { z } from 'zod';
import { CertificateAuthority } from '../../constructs/secrets/certificate-authority';
import { ExternalSecrets } from '../../constructs/secrets/external-secrets';
import { ExternalSecretsVersion } from '../../constructs/secrets/external-secrets-version';
import type { ISecretSource } from '../../constructs/secrets/secret-source';
import { SecretStore } from '../../constructs/secrets/secret-store';
import { SecretsStoreCsi } from '../../constructs/secrets/secrets-store-csi';
import { StoreLayout } from '../../constructs/secrets/store-layout';
import { VaultEngine } from '../../constructs/secrets/vault-store';
import { duration, identity, made } from './environment-values';

const vaultOfAzure = {
  vault: z.string().describe('name of the vault of Azure'),
  tenantId: z.string().describe('its tenant'),
  clientId: z.string().describe('client id of the identity that reads it'),
};

const mountedVault = made(z.strictObject(vaultOfAzure), (props): ISecretSource => SecretsStoreCsi.azureKeyVault(props));

const storeName = z
  .string()
  .optional()
  .describe('name of the SecretStore and of its ServiceAccount; by default secret-store');

const aws = made(
  z.strictObject({
    service: z
      .enum(['secrets-manager', 'parameter-store'])
      .optional()
      .describe('what of AWS keeps them; by default secrets-manager'),
    region: z.string().optional().describe('region of the store; by default that of the cluster'),
    identity: identity.optional().describe('who reads it, by IRSA; by default the pods of External Secrets'),
    role: z.string().optional().describe('role that the identity takes on: arn:aws:iam::123456789012:role/rag'),
    name: storeName,
  }),
  ({ service, ...props }) =>
    service === 'parameter-store' ? SecretStore.awsParameterStore(props) : SecretStore.awsSecretsManager(props),
);

const authority = made(
  z
    .strictObject({
      configMap: z.string().optional().describe('name of a ConfigMap'),
      secret: z.string().optional().describe('name of a Secret, instead of a ConfigMap'),
      key: z.string().describe('key in its data'),
    })
    .refine(({ configMap, secret }) => (configMap === undefined) !== (secret === undefined), {
      message: 'needs either configMap or secret, and not both',
    }),
  ({ configMap, secret, key }) =>
    secret === undefined
      ? CertificateAuthority.configMap(configMap as string, key)
      : CertificateAuthority.secret(secret, key),
);

const vault = made(
  z.strictObject({
    server: z.string().describe('address of the server: https://vault.acme.example:8200'),
    path: z.string().describe('path at which the key-value engine is mounted'),
    role: z.string().describe('role of the Kubernetes authentication'),
    mountPath: z
      .string()
      .optional()
      .describe('path at which the Kubernetes authentication is mounted; by default kubernetes'),
    version: z.enum(VaultEngine).optional().describe('version of the key-value engine; by default v2'),
    audience: z
      .string()
      .optional()
      .describe('audience that the role expects in tokens; by default that of the API server'),
    namespace: z.string().optional().describe('namespace of Vault Enterprise'),
    authority: authority.optional().describe('who has signed the certificate of the server'),
    name: storeName,
  }),
  (props) => SecretStore.vault(props),
);

const azure = made(z.strictObject({ ...vaultOfAzure, name: storeName }), (props) => SecretStore.azureKeyVault(props));

const gcp = made(
  z.strictObject({
    project: z.string().describe('id of the project'),
    identity: identity.optional().describe('who reads it; by default the pods of External Secrets'),
    cluster: z
      .strictObject({
        name: z.string().describe('its name'),
        location: z.string().describe('its region or zone'),
        project: z.string().optional().describe('its project; by default that of the store'),
      })
      .optional()
      .describe('the cluster whose tokens the identity trusts; by default External Secrets asks where it runs'),
    name: storeName,
  }),
  (props) => SecretStore.googleSecretManager(props),
);

const LAYOUTS: { readonly [name: string]: StoreLayout } = {
  'aws-parameter-store': StoreLayout.AWS_PARAMETER_STORE,
  'azure-key-vault': StoreLayout.AZURE_KEY_VAULT,
  'google-secret-manager': StoreLayout.GOOGLE_SECRET_MANAGER,
};

/** Where Secrets come from: one of the places, and what there is to say about reading it. */
const PLACES = {
  store: z.string().optional().describe('name of a store of External Secrets, which exists'),
  aws: aws.optional().describe('a store of AWS, instead of one that exists'),
  vault: vault.optional().describe('HashiCorp Vault, instead of a store that exists'),
  azure: azure.optional().describe('a Key Vault of Azure, instead of a store that exists'),
  gcp: gcp.optional().describe('Google Secret Manager, instead of a store that exists'),
  csi: mountedVault.optional().describe('a vault of Azure that pods mount, by Secrets Store CSI, instead of a store'),
};

/** Where an environment's Secrets come from. */
export const secretSource = made(
  z
    .strictObject({
      ...PLACES,
      clusterStore: z.boolean().optional().describe('whether store is a ClusterSecretStore; by default true'),
      layout: z
        .enum(['paths', 'aws-parameter-store', 'azure-key-vault', 'google-secret-manager'])
        .optional()
        .describe('how entries are named in what store leads to; by default paths, as in Vault and Secrets Manager'),
      path: z.string().optional().describe('path in the store below which each Secret has one entry'),
      refresh: duration.optional().describe('how often values are read again; by default 1h'),
      version: z.enum(ExternalSecretsVersion).optional().describe('API version of External Secrets; by default v1'),
    })
    .superRefine((settings, context) => {
      const given = Object.entries(settings)
        .filter(([, value]) => value !== undefined)
        .map(([name]) => name);
      const [first, second] = given.filter((name) => name in PLACES);
      const refuse = (name: string, message: string) => context.addIssue({ code: 'custom', message, path: [name] });
      const other = given.find((name) => name !== 'csi');
      const ofStore = given.find((name) => ['clusterStore', 'layout'].includes(name));
      if (first === undefined) {
        const places = Object.keys(PLACES).join(', ');
        context.addIssue({ code: 'custom', message: `does not say where Secrets come from; set one of ${places}` });
      } else if (settings.csi !== undefined && other !== undefined) {
        refuse(other, 'belongs to a store of External Secrets, but csi takes the place of one; remove one of the two');
      } else if (second !== undefined) {
        refuse(second, `is a second place for Secrets beside ${first}; remove one of the two`);
      } else if (settings.store === undefined && ofStore !== undefined) {
        refuse(ofStore, `says something about a store that exists, but ${first} takes the place of one; remove it`);
      }
    }),
  ({ csi, store, clusterStore, layout = 'paths', ...settings }): ISecretSource => {
    const { aws: ofAws, vault: ofVault, azure: ofAzure, gcp: ofGoogle, ...props } = settings;
    const made = ofAws ?? ofVault ?? ofAzure ?? ofGoogle;
    return (
      csi ??
      new ExternalSecrets(
        made ?? SecretStore.existing(store as string, { clusterStore, layout: LAYOUTS[layout] }),
        props,
      )
    );
  },
);
