import type { ExternalReference } from '../constructs/rules/external-references';
import type { Json, ManifestObject } from '../constructs/rules/output';
import type { RenderedEnvironment } from './rendered-environment';

/**
 * What somebody has to put into the cluster, or into the store or vault that Secrets come from, before an environment
 * is applied: one line for each Secret or entry, with its keys and never a value.
 */
export function neededSecrets({ objects, references }: RenderedEnvironment): string[] {
  return [...existing(references), ...objects.flatMap(entriesOf)].sort();
}

function existing(references: readonly ExternalReference[]): string[] {
  const keys = new Map<string, string[]>();
  for (const { kind, namespace, name, key } of references) {
    if (kind === 'Secret') {
      const secret = `Secret ${namespace}/${name}`;
      keys.set(secret, [...(keys.get(secret) ?? []), ...(key === undefined ? [] : [key])]);
    }
  }
  return [...keys].map(([secret, names]) => (names.length === 0 ? secret : `${secret}: ${names.join(', ')}`));
}

/** The entries of a store that External Secrets reads, or of a vault that pods mount. */
function entriesOf({ kind, spec }: ManifestObject): string[] {
  if (kind === 'ExternalSecret') {
    const remote: Json[] = spec.data.map(({ remoteRef }: Json) => remoteRef);
    const { kind: store, name } = spec.secretStoreRef;
    // All keys of a Secret are properties of one entry.
    return [`${store} ${name}, ${remote[0].key}: ${remote.map(({ property }) => property).join(', ')}`];
  }
  if (kind === 'SecretProviderClass') {
    const { keyvaultName, objects } = spec.parameters;
    return [...String(objects).matchAll(/objectName: (.*)/g)].map(([, entry]) => `vault ${keyvaultName}, ${entry}`);
  }
  return [];
}
