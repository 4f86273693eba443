import {
  SecretStoreSpecProviderAzurekvAuthType as AuthType,
  SecretStoreSpecProviderAzurekvEnvironmentType as Environment,
  type SecretStoreSpecProvider as Provider,
} from '../../imports/external-secrets.io';
import { checkUuid } from '../rules/uuid';
import { checkVaultName } from './key-vault-name';
import { accountOf, type NewStoreProps } from './store-account';

/** A Key Vault of Azure, and who reads it. */
export interface KeyVaultStoreProps extends NewStoreProps {
  /** Name of the vault: `acme-rag`. */
  readonly vault: string;

  /** Tenant of the vault, a UUID. */
  readonly tenantId: string;

  /**
   * Client id of the identity that reads the vault, a UUID. It needs a federated credential for the ServiceAccount of
   * the store.
   */
  readonly clientId: string;
}

/** What a SecretStore says of a Key Vault. */
export function keyVaultProvider(props: KeyVaultStoreProps): Provider {
  const { vault, tenantId } = props;
  return {
    azurekv: {
      authType: AuthType.WORKLOAD_IDENTITY,
      environmentType: Environment.PUBLIC_CLOUD,
      serviceAccountRef: accountOf(props),
      tenantId,
      vaultUrl: `https://${vault}.vault.azure.net`,
    },
  };
}

/** Refuses what Azure would. */
export function checkKeyVault({ vault, tenantId, clientId }: KeyVaultStoreProps): void {
  checkVaultName(vault);
  checkUuid('secrets.tenantId', tenantId);
  checkUuid('secrets.clientId', clientId);
}
