import type { IncomingMessage } from 'node:http';
import type { Json } from '../../constructs/rules/output';

/** A request that reached a server. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The JSON body, or the text of another; undefined when there was none. */
  readonly body: Json;
}

/** Reads a request to its end. */
export async function receive(incoming: IncomingMessage): Promise<ReceivedRequest> {
  const text = Buffer.concat(await incoming.toArray()).toString();
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://localhost');
  const json = incoming.headers['content-type']?.startsWith('application/json');
  const body = text === '' ? undefined : json ? JSON.parse(text) : text;
  return { method: incoming.method ?? 'GET', path: pathname, query: searchParams, body };
}
