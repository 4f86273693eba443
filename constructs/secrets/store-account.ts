import { UsageError } from '../rules/usage-error';
import type { CloudIdentity } from './cloud-identity';

/** What every store of a chart has. */
export interface NewStoreProps {
  /**
   * Name of the SecretStore and of its ServiceAccount, which is the one that a cloud or Vault has to trust:
   * `system:serviceaccount:<namespace>:<name>`.
   * @default "secret-store"
   */
  readonly name?: string;
}

/** The ServiceAccount of a store has its name. */
export function accountOf({ name = 'secret-store' }: NewStoreProps): { name: string } {
  return { name };
}

/** Refuses an identity that is nobody where the store is. */
export function checkIdentity(identity: CloudIdentity | undefined, cloud: string): void {
  if (identity !== undefined && identity.cloud !== cloud) {
    throw new UsageError(`is one of ${identity.cloud}, but the store is on ${cloud}; take one from there`, {
      property: 'secrets.identity',
    });
  }
}
