import { ModelRole } from '../../../constructs/models/model';
import { ModelProfile } from '../../../constructs/models/model-profile';
import { RerankModel, type RerankModelProps } from '../../../constructs/models/rerank-model';
import { EnvValue } from '../../../constructs/workload/env-value';

const OWN: RerankModelProps = { id: 'acme/rank', maxTokens: 512 };

describe('a model that ranks passages', () => {
  test('of which little is said has no size and no commit', () => {
    const model = RerankModel.of(OWN);
    expect(model).toMatchObject({ ...OWN, gated: false });
    expect(model.role).toBe(ModelRole.RERANK);
    expect(model.revision).toBeUndefined();
    expect(model.profile).toBeUndefined();
  });

  test('keeps all that is said of it', () => {
    const props = { ...OWN, revision: 'abc123', profile: ModelProfile.of({ parametersBillions: 0.5 }) };
    expect(RerankModel.of(props)).toMatchObject(props);
  });

  test('tells clients its name and what it reads', () => {
    expect(RerankModel.of(OWN).env('RERANKER')).toEqual({
      RERANKER_MODEL: EnvValue.of('acme/rank'),
      RERANKER_MAX_TOKENS: EnvValue.of('512'),
    });
  });

  test('at a commit is the same model otherwise', () => {
    const { id, maxTokens, profile } = RerankModel.BGE_RERANKER_LARGE;
    const pinned = RerankModel.BGE_RERANKER_LARGE.at('abc123');
    expect(pinned).toMatchObject({ id, maxTokens, revision: 'abc123' });
    expect(pinned.profile).toBe(profile);
    expect(RerankModel.BGE_RERANKER_LARGE.revision).toBe('55611d7bca2a7133960a6d3b71e083071bbfc312');
  });
});

describe('mistakes', () => {
  test('no id', () => {
    expect(() => RerankModel.of({ ...OWN, id: '' })).toThrow(
      new Error('model.id is empty; name the model as its hub does: BAAI/bge-reranker-v2-m3'),
    );
  });

  test.each([0, -1, 0.5, Number.NaN])('%s tokens', (maxTokens) => {
    expect(() => RerankModel.of({ ...OWN, maxTokens })).toThrow(
      new Error(`model.maxTokens is ${maxTokens}, but must be a whole number above 0`),
    );
  });
});
