import type { Json } from '../../constructs/rules/output';

/** What a server answered. */
export interface Answer {
  readonly status: number;
  /** The field `result`; what is wrong when the request failed. */
  readonly result: Json;
  readonly retryAfter?: string;
}

/** Sends a request to a Qdrant, with the key of the tests. */
export async function ask(url: string, method: string, path: string, body?: Json): Promise<Answer> {
  // A server may have been stopped and started since the last request, so that no connection is used twice.
  const headers = { 'api-key': 'secret', 'content-type': 'application/json', connection: 'close' };
  const answer = await fetch(url + path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  const { result, status } = text.startsWith('{') ? JSON.parse(text) : { result: text, status: undefined };
  const retryAfter = answer.headers.get('retry-after') ?? undefined;
  return { status: answer.status, result: answer.ok ? result : (status?.error ?? text), retryAfter };
}

/** Sends a snapshot from one node to another, which takes its shards over. */
export async function upload(from: string, to: string, collection: string, name: string, file = name): Promise<Answer> {
  const headers = { 'api-key': 'secret', connection: 'close' };
  const download = await fetch(`${from}/collections/${collection}/snapshots/${name}`, { headers });
  const form = new FormData();
  form.append('snapshot', await download.blob(), file);
  const path = `/collections/${collection}/snapshots/upload?priority=snapshot`;
  const answer = await fetch(to + path, { method: 'POST', headers, body: form });
  const { result, status } = JSON.parse(await answer.text());
  return { status: answer.status, result: answer.ok ? result : status.error };
}
