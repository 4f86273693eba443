import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ENVIRONMENTS } from '../support/environments';
import { ClusterSchemas, SCHEMAS_PRESENT } from '../support/schemas';

const PROJECT = join(__dirname, '..', '..');
const APPLICATION = parse(readFileSync(join(PROJECT, 'examples/argocd/application.yaml'), 'utf8'));

test('the Application leads to the files of production and into their namespace', () => {
  const { source, destination } = APPLICATION.spec;
  expect(existsSync(join(PROJECT, source.path, `${destination.namespace}.namespace.yaml`))).toBe(true);
  // Files are in one folder, which a directory source reads without `recurse`.
  expect(source).not.toHaveProperty('directory');
});

test('it prunes, and asks before what holds data goes', () => {
  expect(APPLICATION.spec.syncPolicy.automated).toEqual({ prune: true, allowEmpty: false, selfHeal: false });
  expect(APPLICATION.metadata).not.toHaveProperty('finalizers');
  const namespaces = ENVIRONMENTS.flatMap(({ objects }) => objects).filter(({ kind }) => kind === 'Namespace');
  expect(namespaces.length).toBeGreaterThan(0);
  for (const { metadata } of namespaces) {
    expect(metadata.annotations?.['argocd.argoproj.io/sync-options']).toContain('Prune=confirm');
  }
});

test('it retries, and does not leave out what is unchanged', () => {
  expect(APPLICATION.spec.syncPolicy.retry.limit).toBeGreaterThan(0);
  expect(APPLICATION.spec.syncPolicy.syncOptions).toEqual(['ServerSideApply=true']);
});

if (!SCHEMAS_PRESENT) {
  console.warn('skipped: validation against the CRD of Application, which is not on this machine (CDK8S_RAG_SCHEMAS)');
}

(SCHEMAS_PRESENT ? describe : describe.skip)('the API server', () => {
  const schemas = SCHEMAS_PRESENT ? new ClusterSchemas('1.36') : undefined;

  test('accepts the Application, down to the last field', () => {
    expect(schemas?.errors(APPLICATION)).toEqual([]);
  });

  test('would refuse a field that it does not know', () => {
    const wrong = structuredClone(APPLICATION);
    wrong.spec.syncPolicy.automated.purge = true;
    expect(schemas?.errors(wrong)).toEqual([
      '/spec/syncPolicy/automated must NOT have additional properties {"additionalProperty":"purge"}',
    ]);
  });
});
