import { UsageError } from '../rules/usage-error';

/** Azure docs, "Naming rules and restrictions", Microsoft.KeyVault. */
const VAULT = /^(?=.{3,24}$)[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*$/;

/** Refuses what no Key Vault of Azure can be called. */
export function checkVaultName(vault: string): void {
  if (!VAULT.test(vault)) {
    throw new UsageError(
      `is "${vault}", but must be 3 to 24 letters, digits and "-", beginning with a letter, without a domain`,
      { property: 'secrets.vault' },
    );
  }
}
