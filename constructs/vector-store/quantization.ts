/**
 * How small the copies of the vectors are that a search reads first. The vectors themselves stay as they are,
 * 4 bytes per dimension, and are read again for the best results of each search.
 *
 * Source: Qdrant 1.19 docs, "Quantization".
 */
export class Quantization {
  /** No copies: searches read the vectors, 4 bytes per dimension. */
  public static readonly NONE = new Quantization('none', 4);
  /** One byte per dimension, a quarter of the memory; nearly as accurate, and right for most models. */
  public static readonly SCALAR = new Quantization('scalar', 1, { type: 'int8', always_ram: true });
  /**
   * One bit per dimension, 1/32 of the memory, and the fastest. Accurate only for models of 1024 dimensions and
   * more whose numbers lie around zero.
   */
  public static readonly BINARY = new Quantization('binary', 1 / 8, { always_ram: true });

  private constructor(
    /** Name in Qdrant's API: `scalar`, `binary`; `none` for none. */
    public readonly name: string,
    /** Memory per dimension of each vector that a search reads first, in bytes. */
    public readonly bytesPerDimension: number,
    private readonly settings?: { readonly [setting: string]: string | boolean },
  ) {}

  /**
   * The field `quantization_config` of a collection; undefined for none.
   * @internal
   */
  public get _config(): object | undefined {
    return this.settings === undefined ? undefined : { [this.name]: this.settings };
  }
}
