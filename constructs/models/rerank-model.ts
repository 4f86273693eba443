import { UsageError } from '../rules/usage-error';
import { EnvValue } from '../workload/env-value';
import { type IModel, ModelRole } from './model';
import { catalogued, RERANK_MODELS } from './model-catalogue';
import type { ModelProfile } from './model-profile';
import { checkRevision } from './model-revision';

/** What is known of a model that ranks passages. */
export interface RerankModelProps {
  /** Name in its hub or at its service: `BAAI/bge-reranker-v2-m3`. */
  readonly id: string;

  /**
   * Commit of the model in its hub.
   * @default - the newest at the time of the download
   */
  readonly revision?: string;

  /** Tokens that it reads, question and passage together. */
  readonly maxTokens: number;

  /**
   * How large it is.
   * @default - unknown, as of hosted models; no server of this library can load it
   */
  readonly profile?: ModelProfile;
}

/** A model that ranks passages by how well they answer a question. */
export class RerankModel implements IModel {
  /** BAAI/bge-reranker-v2-m3, many languages. */
  public static readonly BGE_RERANKER_V2_M3 = new RerankModel(RERANK_MODELS.BGE_RERANKER_V2_M3);
  /** BAAI/bge-reranker-large, English and Chinese. */
  public static readonly BGE_RERANKER_LARGE = new RerankModel(RERANK_MODELS.BGE_RERANKER_LARGE);

  /**
   * A model that is not listed here.
   *
   * @throws UsageError when the id is empty or `maxTokens` is no whole number above zero
   */
  public static of(props: RerankModelProps): RerankModel {
    return new RerankModel(props);
  }

  /**
   * The model of this id in the catalogue.
   *
   * @throws UsageError when it is not listed
   */
  public static named(id: string): RerankModel {
    const models: RerankModelProps[] = Object.values(RERANK_MODELS);
    return new RerankModel(catalogued(models, id, 'id and maxTokens, and profile unless it is external'));
  }

  /** What it is for. */
  public readonly role = ModelRole.RERANK;
  /** Name in its hub or at its service. */
  public readonly id: string;
  /** Commit of the model in its hub. */
  public readonly revision?: string;
  /** Tokens that it reads. */
  public readonly maxTokens: number;
  /** Whether servers need a token of its hub. */
  public readonly gated = false;
  /** How large it is; undefined when unknown. */
  public readonly profile?: ModelProfile;

  private constructor(private readonly props: RerankModelProps) {
    const { id, revision, maxTokens, profile } = props;
    if (id === '') {
      throw new UsageError('is empty; name the model as its hub does: BAAI/bge-reranker-v2-m3', {
        property: 'model.id',
      });
    }
    if (!Number.isInteger(maxTokens) || maxTokens < 1) {
      throw new UsageError(`is ${maxTokens}, but must be a whole number above 0`, { property: 'model.maxTokens' });
    }
    checkRevision(revision);
    this.id = id;
    this.revision = revision;
    this.maxTokens = maxTokens;
    this.profile = profile;
  }

  public env(prefix: string): { [name: string]: EnvValue } {
    return {
      [`${prefix}_MODEL`]: EnvValue.of(this.id),
      [`${prefix}_MAX_TOKENS`]: EnvValue.of(String(this.maxTokens)),
    };
  }

  /** The same model at a commit of its hub. */
  public at(revision: string): RerankModel {
    return new RerankModel({ ...this.props, revision });
  }
}
