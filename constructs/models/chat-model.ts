import { UsageError } from '../rules/usage-error';
import { EnvValue } from '../workload/env-value';
import { type IModel, ModelRole } from './model';
import { CHAT_MODELS, catalogued } from './model-catalogue';
import type { ModelProfile } from './model-profile';
import { checkRevision } from './model-revision';

/** What is known of a model that generates text. */
export interface ChatModelProps {
  /** Name in its hub or at its service: `Qwen/Qwen2.5-7B-Instruct`, `gpt-4.1`. */
  readonly id: string;

  /**
   * Commit of the model in its hub: letters, digits, ".", "_", "/" and "-". Without one a server may load other weights tomorrow than today.
   * @default - the newest at the time of the download
   */
  readonly revision?: string;

  /** Tokens that it can attend to, prompt and answer together. */
  readonly contextTokens: number;

  /**
   * Whether its hub asks for an account that has accepted its licence, so that servers need a token.
   * @default false
   */
  readonly gated?: boolean;

  /**
   * How large it is.
   * @default - unknown, as of hosted models; no server of this library can load it
   */
  readonly profile?: ModelProfile;
}

/** A model that generates text. */
export class ChatModel implements IModel {
  /** meta-llama/Llama-3.1-8B-Instruct. */
  public static readonly LLAMA_3_1_8B = new ChatModel(CHAT_MODELS.LLAMA_3_1_8B);
  /** meta-llama/Llama-3.3-70B-Instruct. */
  public static readonly LLAMA_3_3_70B = new ChatModel(CHAT_MODELS.LLAMA_3_3_70B);
  /** mistralai/Mistral-7B-Instruct-v0.3. */
  public static readonly MISTRAL_7B_V0_3 = new ChatModel(CHAT_MODELS.MISTRAL_7B_V0_3);
  /** Qwen/Qwen2.5-7B-Instruct. */
  public static readonly QWEN2_5_7B = new ChatModel(CHAT_MODELS.QWEN2_5_7B);
  /** Qwen/Qwen2.5-14B-Instruct. */
  public static readonly QWEN2_5_14B = new ChatModel(CHAT_MODELS.QWEN2_5_14B);
  /** Qwen/Qwen2.5-32B-Instruct. */
  public static readonly QWEN2_5_32B = new ChatModel(CHAT_MODELS.QWEN2_5_32B);
  /** Qwen/Qwen3-8B. */
  public static readonly QWEN3_8B = new ChatModel(CHAT_MODELS.QWEN3_8B);

  /**
   * A model that is not listed here.
   *
   * @throws UsageError when the id is empty or `contextTokens` is no whole number above zero
   */
  public static of(props: ChatModelProps): ChatModel {
    return new ChatModel(props);
  }

  /**
   * The model of this id in the catalogue.
   *
   * @throws UsageError when it is not listed
   */
  public static named(id: string): ChatModel {
    const models: ChatModelProps[] = Object.values(CHAT_MODELS);
    return new ChatModel(catalogued(models, id, 'id and contextTokens, and profile unless it is external'));
  }

  /** What it is for. */
  public readonly role = ModelRole.CHAT;
  /** Name in its hub or at its service. */
  public readonly id: string;
  /** Commit of the model in its hub. */
  public readonly revision?: string;
  /** Tokens that it can attend to. */
  public readonly contextTokens: number;
  /** Whether servers need a token of its hub. */
  public readonly gated: boolean;
  /** How large it is; undefined when unknown. */
  public readonly profile?: ModelProfile;

  private constructor(private readonly props: ChatModelProps) {
    const { id, revision, contextTokens, gated = false, profile } = props;
    if (id === '') {
      throw new UsageError('is empty; name the model as its hub does: Qwen/Qwen2.5-7B-Instruct', {
        property: 'model.id',
      });
    }
    if (!Number.isInteger(contextTokens) || contextTokens < 1) {
      throw new UsageError(`is ${contextTokens}, but must be a whole number above 0`, {
        property: 'model.contextTokens',
      });
    }
    checkRevision(revision);
    this.id = id;
    this.revision = revision;
    this.contextTokens = contextTokens;
    this.gated = gated;
    this.profile = profile;
  }

  public env(prefix: string): { [name: string]: EnvValue } {
    return {
      [`${prefix}_MODEL`]: EnvValue.of(this.id),
      [`${prefix}_CONTEXT_TOKENS`]: EnvValue.of(String(this.contextTokens)),
    };
  }

  /** The same model at a commit of its hub. */
  public at(revision: string): ChatModel {
    return new ChatModel({ ...this.props, revision });
  }

  /** The same model with other weights, such as a quantized build of it. */
  public withProfile(id: string, profile: ModelProfile): ChatModel {
    return new ChatModel({ ...this.props, id, profile, revision: undefined });
  }
}
