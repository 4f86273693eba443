/** What ends a connection without an answer: Qdrant gives up on what it never expected. */
export class BrokenConnection extends Error {}

/** An answer of the stand-in other than success. Messages and statuses are those of Qdrant (qdrant/qdrant, src/actix/helpers.rs). */
export class Refusal extends Error {
  /** The request is wrong in itself. */
  public static badInput(message: string): Refusal {
    return new Refusal(400, `Wrong input: ${message}`);
  }

  /** The request does not fit what there is, or a limit. */
  public static badRequest(message: string): Refusal {
    return new Refusal(400, `Bad request: ${message}`);
  }

  /** There is no such thing. */
  public static notFound(message: string): Refusal {
    return new Refusal(404, `Not found: ${message}`);
  }

  /** The server cannot do it, at present at least. */
  public static serviceError(message: string): Refusal {
    return new Refusal(500, `Service internal error: ${message}`);
  }

  public constructor(
    public readonly status: number,
    message: string,
    /** Seconds after which the client is told to come back. */
    public readonly retryAfter?: number,
  ) {
    super(message);
  }
}
