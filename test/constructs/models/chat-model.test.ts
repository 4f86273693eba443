import { ChatModel, type ChatModelProps } from '../../../constructs/models/chat-model';
import { ModelRole } from '../../../constructs/models/model';
import { ModelProfile } from '../../../constructs/models/model-profile';
import { Precision } from '../../../constructs/models/precision';
import { EnvValue } from '../../../constructs/workload/env-value';

const OWN: ChatModelProps = { id: 'acme/chat', contextTokens: 4096 };
const PROFILE = ModelProfile.of({ parametersBillions: 70.55, precision: Precision.FP8 });

describe('a model that generates text', () => {
  test('of which little is said is open to everybody, and of unknown size', () => {
    const model = ChatModel.of(OWN);
    expect(model).toMatchObject({ ...OWN, gated: false });
    expect(model.role).toBe(ModelRole.CHAT);
    expect(model.revision).toBeUndefined();
    expect(model.profile).toBeUndefined();
  });

  test('keeps all that is said of it', () => {
    const props = { ...OWN, revision: 'abc123', gated: true, profile: PROFILE };
    expect(ChatModel.of(props)).toMatchObject(props);
  });

  test('tells clients its name and what it can attend to', () => {
    expect(ChatModel.of(OWN).env('LLM')).toEqual({
      LLM_MODEL: EnvValue.of('acme/chat'),
      LLM_CONTEXT_TOKENS: EnvValue.of('4096'),
    });
  });

  test('at a commit is the same model otherwise', () => {
    const pinned = ChatModel.LLAMA_3_1_8B.at('abc123');
    const { id, contextTokens, gated, profile } = ChatModel.LLAMA_3_1_8B;
    expect(pinned).toMatchObject({ id, contextTokens, gated, revision: 'abc123' });
    expect(pinned.profile).toBe(profile);
    expect(ChatModel.LLAMA_3_1_8B.revision).toBe('0e9e39f249a16976918f6564b8830bc894c89659');
  });

  test('with other weights has another name and size, and the commit of neither', () => {
    const quantized = ChatModel.LLAMA_3_3_70B.at('abc123').withProfile('acme/Llama-3.3-70B-FP8', PROFILE);
    expect(quantized).toMatchObject({ id: 'acme/Llama-3.3-70B-FP8', contextTokens: 131072, gated: true });
    expect(quantized.profile).toBe(PROFILE);
    expect(quantized.revision).toBeUndefined();
    expect(ChatModel.LLAMA_3_3_70B.id).toBe('meta-llama/Llama-3.3-70B-Instruct');
  });
});

describe('mistakes', () => {
  test('no id', () => {
    const empty = new Error('model.id is empty; name the model as its hub does: Qwen/Qwen2.5-7B-Instruct');
    expect(() => ChatModel.of({ ...OWN, id: '' })).toThrow(empty);
    expect(() => ChatModel.QWEN3_8B.withProfile('', PROFILE)).toThrow(empty);
  });

  test.each([0, -1, 0.5, Number.NaN])('a context of %s tokens', (contextTokens) => {
    expect(() => ChatModel.of({ ...OWN, contextTokens })).toThrow(
      new Error(`model.contextTokens is ${contextTokens}, but must be a whole number above 0`),
    );
  });
});
