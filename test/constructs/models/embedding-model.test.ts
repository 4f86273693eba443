import { Distance, EmbeddingModel, type EmbeddingModelProps } from '../../../constructs/models/embedding-model';
import { ModelRole } from '../../../constructs/models/model';
import { ModelProfile } from '../../../constructs/models/model-profile';

const OWN: EmbeddingModelProps = { id: 'acme/embed', dimensions: 768, maxTokens: 2048 };

/** The variables as a container gets them. */
function envOf(model: EmbeddingModel, prefix = 'EMBEDDING') {
  return Object.fromEntries(Object.entries(model.env(prefix)).map(([name, value]) => [name, value._render('').value]));
}

describe('a model of which little is said', () => {
  const model = EmbeddingModel.of(OWN);

  test('is compared by angle and has vectors of length 1', () => {
    expect(model).toMatchObject({ ...OWN, distance: Distance.COSINE, normalised: true, gated: false });
    expect(model.role).toBe(ModelRole.EMBEDDING);
    expect(model.revision).toBeUndefined();
    expect(model.profile).toBeUndefined();
  });

  test('tells clients that, and nothing that it does not know', () => {
    expect(envOf(model)).toEqual({
      EMBEDDING_MODEL: 'acme/embed',
      EMBEDDING_DIMENSIONS: '768',
      EMBEDDING_MAX_TOKENS: '2048',
      EMBEDDING_NORMALISED: 'true',
    });
  });
});

describe('a model of which everything is said', () => {
  const profile = ModelProfile.of({ parametersBillions: 0.1 });
  const model = EmbeddingModel.of({
    ...OWN,
    revision: 'abc123',
    distance: Distance.DOT,
    normalised: false,
    queryPrefix: 'query: ',
    documentPrefix: 'passage: ',
    profile,
  });

  test('keeps it', () => {
    expect(model).toMatchObject({ revision: 'abc123', distance: Distance.DOT, normalised: false, profile });
  });

  test('tells clients all that they need, under their prefix', () => {
    expect(envOf(model, 'VECTORS')).toEqual({
      VECTORS_MODEL: 'acme/embed',
      VECTORS_REVISION: 'abc123',
      VECTORS_DIMENSIONS: '768',
      VECTORS_MAX_TOKENS: '2048',
      VECTORS_NORMALISED: 'false',
      VECTORS_QUERY_PREFIX: 'query: ',
      VECTORS_DOCUMENT_PREFIX: 'passage: ',
    });
  });
});

test('a prefix that is empty is told as empty', () => {
  expect(envOf(EmbeddingModel.of({ ...OWN, queryPrefix: '' }))).toHaveProperty('EMBEDDING_QUERY_PREFIX', '');
});

test('a prefix in which the kubelet could find a variable stays what it is', () => {
  expect(envOf(EmbeddingModel.of({ ...OWN, queryPrefix: '$(HOME): ' })).EMBEDDING_QUERY_PREFIX).toBe('$$(HOME): ');
});

test('a model at a commit is the same model otherwise, and the first one is what it was', () => {
  const model = EmbeddingModel.MULTILINGUAL_E5_LARGE;
  const pinned = model.at('abc123');
  expect(envOf(pinned)).toEqual({ ...envOf(model), EMBEDDING_REVISION: 'abc123' });
  expect(pinned.profile).toBe(model.profile);
  expect(model.revision).toBe('3d7cfbdacd47fdda877c5cd8a79fbcc4f2a574f3');
  expect(pinned.at('def456').revision).toBe('def456');
});

test.each([
  [Distance.COSINE, 'Cosine'],
  [Distance.DOT, 'Dot'],
  [Distance.EUCLID, 'Euclid'],
  [Distance.MANHATTAN, 'Manhattan'],
])("a distance has the name of Qdrant's API: %#", (distance, name) => {
  expect(distance.name).toBe(name);
});

describe('mistakes', () => {
  test('no id', () => {
    expect(() => EmbeddingModel.of({ ...OWN, id: '' })).toThrow(
      new Error('model.id is empty; name the model as its hub does: BAAI/bge-m3'),
    );
  });

  const properties = ['dimensions', 'maxTokens'] as const;
  const values = [0, -1, 1.5, 65537, Number.NaN];
  test.each(properties.flatMap((property) => values.map((value) => [property, value] as const)))(
    '%s of %s',
    (property, value) => {
      expect(() => EmbeddingModel.of({ ...OWN, [property]: value })).toThrow(
        new Error(`model.${property} is ${value}, but must be a whole number from 1 to 65536`),
      );
    },
  );

  test.each(properties)('but not the bounds of %s', (property) => {
    for (const value of [1, 65536]) {
      expect(EmbeddingModel.of({ ...OWN, [property]: value })[property]).toBe(value);
    }
  });
});
