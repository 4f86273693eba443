import { UsageError } from '../rules/usage-error';
import { EnvValue } from '../workload/env-value';
import { type IModel, ModelRole } from './model';
import { catalogued, EMBEDDING_MODELS } from './model-catalogue';
import type { ModelProfile } from './model-profile';
import { checkRevision } from './model-revision';

/** How near two vectors are (Qdrant docs, "Collections"). */
export class Distance {
  /** Angle between the vectors; Qdrant normalises them itself. */
  public static readonly COSINE = new Distance('Cosine');
  /** Dot product; the same as cosine for vectors of length 1, and without the work of normalising. */
  public static readonly DOT = new Distance('Dot');
  /** Euclidean distance. */
  public static readonly EUCLID = new Distance('Euclid');
  /** Sum of the differences. */
  public static readonly MANHATTAN = new Distance('Manhattan');

  private constructor(
    /** Name in Qdrant's API. */
    public readonly name: string,
  ) {}
}

/** What is known of an embedding model. */
export interface EmbeddingModelProps {
  /** Name in its hub or at its service: `BAAI/bge-m3`, `text-embedding-3-small`. */
  readonly id: string;

  /**
   * Commit of the model in its hub: letters, digits, ".", "_", "/" and "-". Without one a server may load other weights tomorrow than today.
   * @default - the newest at the time of the download
   */
  readonly revision?: string;

  /** Numbers in a vector. */
  readonly dimensions: number;

  /** Tokens that it reads of a text; what is beyond is cut off or refused. */
  readonly maxTokens: number;

  /**
   * How vectors are compared.
   * @default Distance.COSINE
   */
  readonly distance?: Distance;

  /**
   * Whether its vectors have length 1.
   * @default true
   */
  readonly normalised?: boolean;

  /**
   * What stands before a text that is searched for.
   * @default - nothing
   */
  readonly queryPrefix?: string;

  /**
   * What stands before a text that is stored.
   * @default - nothing
   */
  readonly documentPrefix?: string;

  /**
   * How large it is.
   * @default - unknown, as of hosted models; no server of this library can load it
   */
  readonly profile?: ModelProfile;
}

/**
 * The contract between everything that makes, stores and searches vectors. Servers, workers, the API and
 * collections take it from here; nobody else says what a vector looks like.
 */
export class EmbeddingModel implements IModel {
  /** BAAI/bge-m3: 1024 dimensions, 8192 tokens, many languages. */
  public static readonly BGE_M3 = new EmbeddingModel(EMBEDDING_MODELS.BGE_M3);
  /** BAAI/bge-large-en-v1.5: 1024 dimensions, 512 tokens, English. */
  public static readonly BGE_LARGE_EN_V1_5 = new EmbeddingModel(EMBEDDING_MODELS.BGE_LARGE_EN_V1_5);
  /** BAAI/bge-small-en-v1.5: 384 dimensions, 512 tokens, English. */
  public static readonly BGE_SMALL_EN_V1_5 = new EmbeddingModel(EMBEDDING_MODELS.BGE_SMALL_EN_V1_5);
  /** intfloat/multilingual-e5-large: 1024 dimensions, 512 tokens, many languages. */
  public static readonly MULTILINGUAL_E5_LARGE = new EmbeddingModel(EMBEDDING_MODELS.MULTILINGUAL_E5_LARGE);
  /** nomic-ai/nomic-embed-text-v1.5: 768 dimensions, 8192 tokens, English. */
  public static readonly NOMIC_EMBED_TEXT_V1_5 = new EmbeddingModel(EMBEDDING_MODELS.NOMIC_EMBED_TEXT_V1_5);
  /** Qwen/Qwen3-Embedding-0.6B: 1024 dimensions, 32768 tokens, many languages. */
  public static readonly QWEN3_EMBEDDING_0_6B = new EmbeddingModel(EMBEDDING_MODELS.QWEN3_EMBEDDING_0_6B);
  /** sentence-transformers/all-MiniLM-L6-v2: 384 dimensions, 256 tokens, English. */
  public static readonly ALL_MINILM_L6_V2 = new EmbeddingModel(EMBEDDING_MODELS.ALL_MINILM_L6_V2);
  /** text-embedding-3-small of OpenAI: 1536 dimensions, 8191 tokens. */
  public static readonly OPENAI_3_SMALL = new EmbeddingModel(EMBEDDING_MODELS.OPENAI_3_SMALL);
  /** text-embedding-3-large of OpenAI: 3072 dimensions, 8191 tokens. */
  public static readonly OPENAI_3_LARGE = new EmbeddingModel(EMBEDDING_MODELS.OPENAI_3_LARGE);

  /**
   * A model that is not listed here.
   *
   * @throws UsageError when the id is empty, or a number is no whole number above zero
   */
  public static of(props: EmbeddingModelProps): EmbeddingModel {
    return new EmbeddingModel(props);
  }

  /**
   * The model of this id in the catalogue: `BAAI/bge-m3`.
   *
   * @throws UsageError when it is not listed
   */
  public static named(id: string): EmbeddingModel {
    const models: EmbeddingModelProps[] = Object.values(EMBEDDING_MODELS);
    return new EmbeddingModel(catalogued(models, id, 'id, dimensions and maxTokens'));
  }

  /** What it is for. */
  public readonly role = ModelRole.EMBEDDING;
  /** Whether servers need a token of its hub. */
  public readonly gated = false;
  /** Name in its hub or at its service. */
  public readonly id: string;
  /** Commit of the model in its hub. */
  public readonly revision?: string;
  /** Numbers in a vector. */
  public readonly dimensions: number;
  /** Tokens that it reads of a text. */
  public readonly maxTokens: number;
  /** How vectors are compared. */
  public readonly distance: Distance;
  /** Whether its vectors have length 1. */
  public readonly normalised: boolean;
  /** How large it is; undefined when unknown. */
  public readonly profile?: ModelProfile;

  private readonly props: EmbeddingModelProps;

  private constructor(props: EmbeddingModelProps) {
    if (props.id === '') {
      throw new UsageError('is empty; name the model as its hub does: BAAI/bge-m3', { property: 'model.id' });
    }
    checkCount('dimensions', props.dimensions);
    checkCount('maxTokens', props.maxTokens);
    checkRevision(props.revision);
    this.props = props;
    this.id = props.id;
    this.revision = props.revision;
    this.dimensions = props.dimensions;
    this.maxTokens = props.maxTokens;
    this.distance = props.distance ?? Distance.COSINE;
    this.normalised = props.normalised ?? true;
    this.profile = props.profile;
  }

  /** The same model at a commit of its hub. */
  public at(revision: string): EmbeddingModel {
    return new EmbeddingModel({ ...this.props, revision });
  }

  public env(prefix: string): { [name: string]: EnvValue } {
    const facts: { readonly [name: string]: string | undefined } = {
      MODEL: this.id,
      REVISION: this.revision,
      DIMENSIONS: String(this.dimensions),
      MAX_TOKENS: String(this.maxTokens),
      NORMALISED: String(this.normalised),
      QUERY_PREFIX: this.props.queryPrefix,
      DOCUMENT_PREFIX: this.props.documentPrefix,
    };
    return Object.fromEntries(
      Object.entries(facts).flatMap(([name, value]) =>
        value === undefined ? [] : [[`${prefix}_${name}`, EnvValue.of(value)]],
      ),
    );
  }
}

function checkCount(property: string, value: number): void {
  if (!Number.isInteger(value) || value < 1 || value > 65536) {
    throw new UsageError(`is ${value}, but must be a whole number from 1 to 65536`, { property: `model.${property}` });
  }
}
