import type { IConstruct } from 'constructs';
import { Accelerator } from '../placement/accelerator';
import { UsageError } from '../rules/usage-error';
import type { ModelProfile } from './model-profile';
import { Precision } from './precision';

/** What a model is to run on. */
export interface ModelFitProps {
  /** How large the model is. */
  readonly profile: ModelProfile;

  /** The accelerator. */
  readonly accelerator: Accelerator;

  /**
   * Accelerators of one server; the weights are divided among them (tensor parallelism).
   * @default 1
   */
  readonly accelerators?: number;

  /**
   * Part of each accelerator's memory that the server takes, above 0 and at most 1.
   * @default 0.92
   */
  readonly memoryUtilization?: number;

  /**
   * Tokens of the longest request, prompt and answer together, which the key-value cache must hold at once.
   * @default 8192
   */
  readonly contextTokens?: number;

  /**
   * Number format of the key-value cache.
   * @default Precision.BF16
   */
  readonly cachePrecision?: Precision;
}

/** Activations, CUDA graphs and the runtime itself, per accelerator; vLLM's own figures are from 1 to 3 GB. */
const OVERHEAD_GB = 2;

/** Numbers of accelerators that servers divide weights among. */
const COUNTS = [1, 2, 4, 8];

/**
 * How a model fits its accelerators: an estimate, good enough to tell a server that dies at load from one
 * that runs.
 *
 * Source: vLLM docs, "Optimization and Tuning" and "Conserving Memory"; the key-value cache holds
 * 2 × layers × key-value heads × head dimension numbers per token.
 */
export class ModelFit {
  /** Accelerators of one server. */
  public readonly accelerators: number;
  /** Memory that one accelerator gives to the server, in GB. */
  public readonly usableGb: number;
  /** Memory for the key-value cache on all accelerators together, in GB; negative when not even the weights fit. */
  public readonly cacheGb: number;
  /** Tokens that the key-value cache holds; undefined for models without one. */
  public readonly cacheTokens?: number;

  /**
   * The fewest accelerators of this kind that the model fits; as many as servers can use when it fits none.
   */
  public static fewest(props: Omit<ModelFitProps, 'accelerators'>): ModelFit {
    // A slice or a share has no fast way to another.
    const counts = props.accelerator.isWhole ? COUNTS : [1];
    const fits = counts.map((accelerators) => new ModelFit({ ...props, accelerators }));
    return fits.find((fit) => fit.fits) ?? (fits.at(-1) as ModelFit);
  }

  private readonly contextTokens: number;

  public constructor(private readonly props: ModelFitProps) {
    const { profile, accelerator, accelerators = 1, memoryUtilization = 0.92, contextTokens = 8192 } = props;
    this.accelerators = accelerators;
    this.contextTokens = contextTokens;
    this.usableGb = accelerator.memoryGb * memoryUtilization;
    this.cacheGb = accelerators * (this.usableGb - OVERHEAD_GB) - profile.weightsGb;
    this.cacheTokens = this.tokensIn(this.cacheGb);
  }

  /** Requests of the longest kind that run at once; undefined for models without a key-value cache. */
  public get concurrency(): number | undefined {
    return this.cacheTokens === undefined ? undefined : Math.floor(this.cacheTokens / this.contextTokens);
  }

  /** Whether the server starts: the weights are in memory, and at least one request has room beside them. */
  public get fits(): boolean {
    return this.cacheGb >= 0 && (this.concurrency ?? 1) >= 1;
  }

  /** The estimate in one line. */
  public get summary(): string {
    const { accelerator, profile } = this.props;
    const cache =
      this.cacheTokens === undefined
        ? 'no key-value cache'
        : `${this.cacheTokens} tokens in the key-value cache, ${this.concurrency} requests of ${this.contextTokens} tokens at once`;
    return `${this.accelerators} × ${accelerator.name}: ${gb(profile.weightsGb)} of weights, ${gb(Math.max(0, this.cacheGb))} left; ${cache}`;
  }

  /**
   * Refuses a model that does not fit, with the arithmetic and the smallest accelerators that would do.
   *
   * @param scope the server, for the message
   * @param model name of the model, for the message
   */
  public check(scope: IConstruct, model: string): void {
    if (this.fits) {
      return;
    }
    const { accelerator } = this.props;
    const have = `${this.accelerators} × ${accelerator.name}`;
    const gives = `${gb(this.accelerators * this.usableGb)} (${this.accelerators} × ${accelerator.memoryGb} GB × ${this.props.memoryUtilization ?? 0.92})`;
    throw new UsageError(`is ${have}, which gives ${gives}, but ${model} needs ${this.need}; ${this.wayOut}`, {
      scope,
      property: 'accelerator',
    });
  }

  private get need(): string {
    const { profile } = this.props;
    const bytes = this.bytesPerToken;
    const parts = [
      `${gb(profile.weightsGb)} for weights (${profile.arithmetic})`,
      `${gb(this.accelerators * OVERHEAD_GB)} for activations`,
      ...(bytes === undefined
        ? []
        : [
            `${gb((bytes * this.contextTokens) / 1e9)} for a request of ${this.contextTokens} tokens (× ${bytes} bytes)`,
          ]),
    ];
    return parts.join(', ');
  }

  private get wayOut(): string {
    const candidates = Accelerator.known.flatMap((accelerator) =>
      COUNTS.map((accelerators) => ({ accelerator, accelerators })),
    );
    const enough = candidates.filter((candidate) => new ModelFit({ ...this.props, ...candidate }).fits);
    const memoryOf = ({ accelerator, accelerators }: (typeof candidates)[number]) =>
      accelerator.memoryGb * accelerators;
    const [least] = enough.sort((a, b) => memoryOf(a) - memoryOf(b) || a.accelerators - b.accelerators);
    return least === undefined
      ? 'no accelerator that is known has room for it'
      : `the smallest that would do: ${least.accelerators} × ${least.accelerator.name}`;
  }

  private get bytesPerToken(): number | undefined {
    const numbers = this.props.profile.keyValuesPerToken;
    return numbers === undefined ? undefined : numbers * (this.props.cachePrecision ?? Precision.BF16).bytes;
  }

  private tokensIn(memoryGb: number): number | undefined {
    const bytes = this.bytesPerToken;
    return bytes === undefined ? undefined : Math.max(0, Math.floor((memoryGb * 1e9) / bytes));
  }
}

function gb(value: number): string {
  return `${value.toFixed(1)} GB`;
}
