/** A port that a container listens on and others connect to. Services use the same number. */
export interface Port {
  /** Name of the port, at most 15 characters: `http`. */
  readonly name: string;

  /** Number, 1024 to 65535 (containers run without privileges). */
  readonly number: number;

  /**
   * Application protocol, as in `appProtocol` of a Service port: `http`, `https`, `grpc`, `redis`.
   * @default - not stated
   */
  readonly appProtocol?: string;
}
