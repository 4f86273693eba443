import type { ExternalReference } from '../constructs/rules/external-references';
import type { Json, ManifestObject } from '../constructs/rules/output';
import { secretsMadeBy } from '../constructs/rules/secret-makers';
import type { RenderedEnvironment } from './rendered-environment';

/**
 * What somebody has to put into the cluster, or into the store or vault that Secrets come from, before an environment
 * is applied: one line for each Secret or entry, with its keys and never a value. What an operator of the cluster makes
 * of an object of the output is not among them.
 */
export function neededSecrets({ objects, references }: RenderedEnvironment): string[] {
  const made = new Set(objects.flatMap(secretsMadeBy));
  const missing = references.filter(({ namespace, name }) => !made.has(`${namespace ?? ''}/${name}`));
  return [...existing(missing), ...objects.flatMap((object) => entriesOf(object, objects))].sort();
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
function entriesOf(object: ManifestObject, objects: readonly ManifestObject[]): string[] {
  if (object.kind === 'ExternalSecret') {
    return storeEntries(object, objects);
  }
  if (object.kind === 'SecretProviderClass') {
    const { keyvaultName, objects: mounted } = object.spec.parameters;
    return [...String(mounted).matchAll(/objectName: (.*)/g)].map(([, entry]) => `vault ${keyvaultName}, ${entry}`);
  }
  return [];
}

/** Keys are properties of the entry of their Secret, or entries by themselves. */
function storeEntries({ metadata, spec }: ManifestObject, objects: readonly ManifestObject[]): string[] {
  const { kind, name } = spec.secretStoreRef;
  const made = objects.find(
    (object) =>
      object.kind === kind && object.metadata.name === name && object.metadata.namespace === metadata.namespace,
  );
  const place = (made === undefined ? undefined : placeOf(made)) ?? `${kind} ${name}, `;
  const properties = new Map<string, string[]>();
  for (const { key, property } of spec.data.map(({ remoteRef }: Json) => remoteRef)) {
    properties.set(key, [...(properties.get(key) ?? []), ...(property === undefined ? [] : [property])]);
  }
  return [...properties].map(([key, names]) => `${place}${key}${names.length === 0 ? '' : `: ${names.join(', ')}`}`);
}

/** Where a store of this library leads, as the names of entries go on; undefined for other stores. */
function placeOf({ spec }: ManifestObject): string | undefined {
  const { aws, azurekv, gcpsm, vault } = spec.provider;
  if (aws !== undefined) {
    return `AWS ${aws.service === 'ParameterStore' ? 'Parameter Store' : 'Secrets Manager'} in ${aws.region}, `;
  }
  if (azurekv !== undefined) {
    return `vault ${new URL(azurekv.vaultUrl).hostname.split('.')[0]}, `;
  }
  if (gcpsm !== undefined) {
    return `Google Secret Manager of ${gcpsm.projectID}, `;
  }
  return vault === undefined ? undefined : `Vault ${vault.server}, ${vault.path}/`;
}
