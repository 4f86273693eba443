import type { Size } from 'cdk8s';
import { kibibytesOf } from '../rules/quantity';
import { UsageError } from '../rules/usage-error';
import { Precision } from './precision';

/** Attention of a model, which decides what a token costs in the key-value cache. */
export interface AttentionProps {
  /** Layers, `num_hidden_layers` in the model's config.json. */
  readonly layers: number;
  /** Heads that have keys and values of their own, `num_key_value_heads`. */
  readonly keyValueHeads: number;
  /** Numbers in one head, `head_dim`; or `hidden_size` divided by `num_attention_heads`. */
  readonly headDimension: number;
}

/** How large a model is. */
export interface ModelProfileProps {
  /** Parameters, in billions (10^9); all experts of a mixture count. */
  readonly parametersBillions: number;

  /**
   * Number format of the weights.
   * @default - what the server says that loads it: {@link Precision.BF16}, and that of the tag for Ollama
   */
  readonly precision?: Precision;

  /**
   * Number format of the files in the hub, where servers convert it: many models that are computed in 16 bits are
   * published in 32, so their download is twice as large.
   * @default - the same as `precision`
   */
  readonly filePrecision?: Precision;

  /**
   * Attention of a model that generates text.
   * @default - the model keeps no key-value cache, as embedding and rerank models do
   */
  readonly attention?: AttentionProps;
}

const BYTES_PER_GB = 1e9;

/** What a model takes in memory: enough to tell on which accelerators it can run. */
export class ModelProfile {
  /**
   * The profile of a model whose parameters are known.
   *
   * @throws UsageError when a number is not above zero
   */
  public static of(props: ModelProfileProps): ModelProfile {
    const { parametersBillions, precision = Precision.BF16, filePrecision = precision, attention } = props;
    checkPositive({ parametersBillions, ...attention });
    const arithmetic = `${parametersBillions} billion parameters × ${precision.bytes} bytes (${precision.name})`;
    const filesGb = parametersBillions * filePrecision.bytes;
    return new ModelProfile(parametersBillions * precision.bytes, filesGb, arithmetic, attention, props);
  }

  /** The profile of a model of which only the size of its weight files is known. */
  public static ofWeights(weights: Size): ModelProfile {
    const gigabytes = (kibibytesOf(weights) * 1024) / BYTES_PER_GB;
    return new ModelProfile(gigabytes, gigabytes, 'size of the weight files');
  }

  private constructor(
    /** Memory of the weights, in GB (10^9 bytes). */
    public readonly weightsGb: number,
    /** Size of the weights in files, in GB. */
    public readonly filesGb: number,
    /** How `weightsGb` came about, for messages. */
    public readonly arithmetic: string,
    private readonly attention?: AttentionProps,
    private readonly props?: ModelProfileProps,
  ) {}

  /** The profile in this number format, unless another one, or the size of the files, was said. */
  public unlessSaid(precision: Precision): ModelProfile {
    const { props } = this;
    return props === undefined || props.precision !== undefined ? this : ModelProfile.of({ ...props, precision });
  }

  /** Numbers that a token keeps in the key-value cache; undefined for models without one. */
  public get keyValuesPerToken(): number | undefined {
    const { attention } = this;
    // Keys and values, hence twice.
    return attention && 2 * attention.layers * attention.keyValueHeads * attention.headDimension;
  }
}

function checkPositive(numbers: { readonly [name: string]: number }): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isFinite(value) || value <= 0) {
      throw new UsageError(`is ${value}, but must be above 0`, { property: `profile.${name}` });
    }
  }
}
