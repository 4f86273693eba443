import type { EnvValue } from '../workload/env-value';
import type { ModelProfile } from './model-profile';

/** What a model is for. */
export class ModelRole {
  /** Makes vectors of texts. */
  public static readonly EMBEDDING = new ModelRole('EMBEDDING', 'to make vectors');
  /** Generates text. */
  public static readonly CHAT = new ModelRole('LLM', 'to generate text');
  /** Ranks passages. */
  public static readonly RERANK = new ModelRole('RERANKER', 'to rank passages');

  private constructor(
    /** Beginning of the names of the variables that clients get, unless told otherwise. */
    public readonly envPrefix: string,
    /** What such a model is there to do, as messages say it. */
    public readonly purpose: string,
  ) {}
}

/** A model, whoever serves it. */
export interface IModel {
  /** What it is for. */
  readonly role: ModelRole;
  /** Name in its hub or at its service. */
  readonly id: string;
  /** Commit of the model in its hub. */
  readonly revision?: string;
  /** How large it is; undefined when unknown. */
  readonly profile?: ModelProfile;
  /** Whether servers need a token of its hub. */
  readonly gated: boolean;

  /**
   * What clients need to know of the model.
   *
   * @param prefix beginning of the names: `EMBEDDING` gives `EMBEDDING_MODEL`
   */
  env(prefix: string): { [name: string]: EnvValue };
}
