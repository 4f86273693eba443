import { UsageError } from '../rules/usage-error';

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

/** Refuses what is no number of a port, at the property that holds it. */
export function checkPortNumber(number: number, property: string): void {
  if (!Number.isInteger(number) || number < 1 || number > 65535) {
    throw new UsageError(`is ${number}, but must be from 1 to 65535`, { property });
  }
}
