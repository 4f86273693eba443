/**
 * How a field of the payload is indexed, so that searches can filter by it without reading every point.
 *
 * Source: Qdrant 1.19 docs, "Indexing", "Payload Index", "Multitenancy".
 */
export class PayloadIndex {
  /** Texts that are equal or not: a language, a category. */
  public static readonly KEYWORD = new PayloadIndex('keyword', false);
  /**
   * The tenant that a point belongs to. Points of one tenant are stored together, which makes searches within
   * one fast; a collection has one such field.
   */
  public static readonly TENANT = new PayloadIndex('keyword', true);
  /** Whole numbers, equal or in a range. */
  public static readonly INTEGER = new PayloadIndex('integer', false);
  /** Numbers in a range. */
  public static readonly FLOAT = new PayloadIndex('float', false);
  /** Yes or no. */
  public static readonly BOOL = new PayloadIndex('bool', false);
  /** Points in time, in the format of RFC 3339, in a range. */
  public static readonly DATETIME = new PayloadIndex('datetime', false);
  /** Texts that are searched for words. */
  public static readonly TEXT = new PayloadIndex('text', false);
  /** UUIDs; in less memory than keywords. */
  public static readonly UUID = new PayloadIndex('uuid', false);
  /** Places by longitude and latitude. */
  public static readonly GEO = new PayloadIndex('geo', false);

  private constructor(
    /** Name of the type in Qdrant's API. */
    public readonly type: string,
    /** Whether points with the same value are stored together. */
    public readonly tenant: boolean,
  ) {}

  /**
   * The field `field_schema` of an index.
   * @internal
   */
  public get _schema(): object {
    return { type: this.type, ...(this.tenant ? { is_tenant: true } : {}) };
  }
}
