import { SecretKey } from './secret-key';

/** Where Secrets come from. Swapping one source for another is one line. */
export interface ISecretSource {
  /**
   * A key of a Secret from this source.
   *
   * @param secret name of the Secret
   * @param key key in its data
   */
  key(secret: string, key: string): SecretKey;
}

/** Secrets that exist in the cluster, created by hand, by SealedSecrets, by SOPS or by another chart. */
export class ExistingSecrets implements ISecretSource {
  public key(secret: string, key: string): SecretKey {
    return SecretKey.of(secret, key);
  }
}
