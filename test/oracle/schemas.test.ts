import type { Json } from '../../constructs/rules/output';
import { EACH_ENVIRONMENT } from '../support/environments';
import { ClusterSchemas, SCHEMAS_PRESENT, WITHOUT_SCHEMA } from '../support/schemas';

const suite = SCHEMAS_PRESENT ? describe : describe.skip;
if (!SCHEMAS_PRESENT) {
  console.warn(
    'skipped: validation against OpenAPI and CRD schemas, which are not on this machine (CDK8S_RAG_SCHEMAS)',
  );
}

suite.each(['1.28', '1.36'])('the API server of Kubernetes %s', (minor) => {
  const schemas = SCHEMAS_PRESENT ? new ClusterSchemas(minor) : undefined;

  test.each(EACH_ENVIRONMENT)('accepts every object of %s, down to the last field', (_, { objects }) => {
    const known = objects.filter(({ kind }) => !WITHOUT_SCHEMA.includes(kind));
    const errors = known.flatMap((object) =>
      (schemas?.errors(object) ?? []).map((error) => `${object.kind}/${object.metadata.name} ${error}`),
    );
    expect(errors).toEqual([]);
  });

  test('would refuse a field that it does not know', () => {
    const [object] = EACH_ENVIRONMENT[0]?.[1].objects.filter(({ kind }) => kind === 'Deployment') ?? [];
    const wrong = structuredClone(object) as Json;
    wrong.spec.template.spec.containers[0].readynessProbe = {};
    expect(schemas?.errors(wrong)).toEqual([
      '/spec/template/spec/containers/0 must NOT have additional properties {"additionalProperty":"readynessProbe"}',
    ]);
  });

  test('would refuse a value of the wrong type', () => {
    const [object] = EACH_ENVIRONMENT[0]?.[1].objects.filter(({ kind }) => kind === 'Deployment') ?? [];
    const wrong = structuredClone(object) as Json;
    wrong.spec.replicas = '1';
    expect(schemas?.errors(wrong)).toEqual(['/spec/replicas must be integer {"type":"integer"}']);
  });
});

suite('lists in custom resources', () => {
  const schemas = SCHEMAS_PRESENT ? new ClusterSchemas('1.28', { useDefaults: true }) : undefined;

  // Argo CD compares a list of a custom resource as a whole: one defaulted field in it is a difference for ever.
  test.each(EACH_ENVIRONMENT)('of %s hold every field that the API server would fill in', (_, { objects }) => {
    for (const object of objects.filter((candidate) => schemas?.isCustomResource(candidate))) {
      const defaulted = structuredClone(object) as Json;
      schemas?.errors(defaulted);
      expect(listsOf(defaulted.spec)).toEqual(listsOf(object.spec));
    }
  });
});

/** Every list in an object, with its path. */
function listsOf(value: Json, path = ''): [string, Json][] {
  if (Array.isArray(value)) {
    return [[path, value]];
  }
  return typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, child]) => listsOf(child, `${path}.${key}`))
    : [];
}
