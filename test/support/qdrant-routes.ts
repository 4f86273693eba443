import type { Json } from '../../constructs/rules/output';
import type { QdrantState } from './qdrant-state';
import type { ReceivedRequest } from './received-request';

/** A server as its routes know it. */
export interface QdrantNode {
  readonly state: QdrantState;
  /** Its number in the cluster. */
  readonly peer: number;
  readonly url: string;
  /** Its address for the other nodes. */
  readonly uri: string;
  /** Whether it is configured to be in a cluster; it may have been taken out. */
  readonly clustered: boolean;
}

/** The parts of a path that a route captures, the request, and the `result` of the answer. */
export type Handler = (request: ReceivedRequest, ...captured: string[]) => Json;

/** What a server does at a method and a path. */
export type Route = readonly [method: string, path: RegExp, handler: Handler];
