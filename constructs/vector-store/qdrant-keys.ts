import type { IConstruct } from 'constructs';
import { UsageError } from '../rules/usage-error';
import type { SecretKey } from '../secrets/secret-key';

/** The properties of a Qdrant that refer to a key or a token, the most powerful one first. */
const PROPERTIES = ['apiKey', 'alternativeApiKey', 'clientToken', 'readOnlyApiKey', 'readOnlyToken'] as const;

/** The keys and tokens of a Qdrant. */
export type QdrantKeys = { readonly [Property in (typeof PROPERTIES)[number]]?: SecretKey };

/** Refuses one key of a Secret in two roles: clients that only search, for instance, would have the key that may do everything. */
export function checkKeys(scope: IConstruct, keys: QdrantKeys): void {
  const seen = new Map<string, string>();
  for (const property of PROPERTIES) {
    const reference = keys[property];
    if (reference === undefined) {
      continue;
    }
    const shown = `key ${reference.key} of Secret ${reference.secret}`;
    const other = seen.get(shown);
    if (other !== undefined) {
      throw new UsageError(
        `is ${shown}, which is ${other} too, but each of them allows something else; give it another key of a Secret`,
        { scope, property },
      );
    }
    seen.set(shown, property);
  }
}
