/** A number format of weights or of the key-value cache. */
export class Precision {
  /** 4 bytes. */
  public static readonly FP32 = new Precision('fp32', 4);
  /** 2 bytes; GPUs before Ampere (compute capability 8.0) compute it slowly or not at all. */
  public static readonly BF16 = new Precision('bf16', 2);
  /** 2 bytes. */
  public static readonly FP16 = new Precision('fp16', 2);
  /** 1 byte. */
  public static readonly FP8 = new Precision('fp8', 1);
  /** 1 byte. */
  public static readonly INT8 = new Precision('int8', 1);
  /** Half a byte, and some for the scales of each group (AWQ, GPTQ). */
  public static readonly INT4 = new Precision('int4', 0.55);

  /** The mixture of 4 and 6 bits in which Ollama has most models, scales included. */
  public static readonly Q4_K_M = new Precision('q4_K_M', 0.62);

  private constructor(
    /** Name of the format. */
    public readonly name: string,
    /** Bytes of one number. */
    public readonly bytes: number,
  ) {}
}
