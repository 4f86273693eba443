import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Json, ManifestObject } from '../../constructs/rules/output';
import { SCHEMAS } from './schemas';

/** Folders with CRDs, those of upstream with their defaults and CEL rules before others. */
const FOLDERS = [join(SCHEMAS, 'cluster', 'crds'), join(SCHEMAS, 'crds')];

/** The CRDs of these kinds, each written `<group>/<kind>`, as an API server without operators can serve them. */
export function crdsOf(kinds: ReadonlySet<string>): ManifestObject[] {
  const crds = new Map<string, ManifestObject>();
  for (const crd of FOLDERS.filter((folder) => existsSync(folder)).flatMap(crdsIn)) {
    const { group, names } = crd.spec;
    if (kinds.has(`${group}/${names.kind}`) && !crds.has(crd.metadata.name)) {
      crds.set(crd.metadata.name, served(crd));
    }
  }
  return [...crds.values()];
}

function crdsIn(folder: string): ManifestObject[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .flatMap((file) => parseAllDocuments(readFileSync(join(folder, file), 'utf8')))
    .map((document) => document.toJS())
    .filter((object) => object?.kind === 'CustomResourceDefinition');
}

/** No operator is there to convert versions, and older versions are served by older releases of it. */
function served({ status: _, metadata, ...crd }: Json): ManifestObject {
  const { name, annotations } = metadata;
  const { conversion: __, ...spec } = crd.spec;
  const versions = spec.versions.map((version: Json) =>
    version.served ? version : { ...version, served: true, deprecated: false },
  );
  return { ...crd, metadata: { name, annotations }, spec: { ...spec, versions } };
}
