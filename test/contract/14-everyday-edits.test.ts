import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Json, ManifestObject } from '../../constructs/rules/output';
import { renderFile } from '../support/environments';

const PRODUCTION = resolve(__dirname, '..', '..', 'charts', 'environments', 'production.yaml');

/** What the API server refuses to change, by kind (validation code of the API server). */
const IMMUTABLE: { readonly [kind: string]: (object: ManifestObject) => Json } = {
  Deployment: ({ spec }) => spec.selector,
  StatefulSet: ({ spec }) => [spec.selector, spec.serviceName, spec.podManagementPolicy, spec.volumeClaimTemplates],
  Service: ({ spec }) => [spec.clusterIP, spec.type],
};

function immutable(objects: ManifestObject[]): Json {
  return objects
    .filter(({ kind }) => IMMUTABLE[kind] !== undefined)
    .map((object) => [object.kind, object.metadata.name, IMMUTABLE[object.kind]?.(object)]);
}

describe('everyday edits touch no immutable field', () => {
  const folder = mkdtempSync(join(tmpdir(), 'edits-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const before = renderFile(PRODUCTION).objects;

  test.each([
    ['an image', 'api: { image: { tag: 1.9.0 } }'],
    ['variables', 'api: { env: { LOG_LEVEL: debug, FEATURE: "on" } }'],
    ['resources', 'qdrant: { resources: { cpu: "6", memory: 48Gi } }'],
    ['scaling bounds', 'api: { scaling: { min: 5, max: 30 } }'],
    ['more nodes', 'qdrant: { nodes: 5 }'],
    ['the longest answer', 'api: { longestAnswer: 8m }'],
    ['labels of pods', 'queue: { redis: { podLabels: { team: search } } }'],
    ['the registry', 'cluster: { registry: { mirror: other.acme.example } }'],
    ['the version of the cluster', 'cluster: { kubernetesVersion: "1.34" }'],
    ['the host', 'route: { host: other.acme.example }'],
    ['the network', 'cluster: { dns: { nodeLocal: [169.254.25.10] } }'],
  ])('%s', (_, edit) => {
    const file = join(folder, 'production.yaml');
    writeFileSync(file, `extends: ${PRODUCTION}\n${edit}\n`);
    const after = renderFile(file).objects;
    expect(JSON.stringify(after)).not.toBe(JSON.stringify(before));
    expect(immutable(after)).toEqual(immutable(before));
  });
});
