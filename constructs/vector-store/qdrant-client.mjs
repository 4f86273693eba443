// The HTTP client of the programs beside it: Qdrant's REST API, JSON in and out, patient with a server that starts.
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits before a request is sent again, in milliseconds; the last one is repeated. */
const WAITS = [250, 500, 1000, 2000, 5000];

/** The longest wait that a server may ask for, in milliseconds. */
const LONGEST_WAIT = 60_000;

/** Failures of a connection that may be over in a moment: a server that starts, a name that is not there yet. */
const PASSING = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN'];

/** A request that failed for good: the server refused it, or was not there for as long as the client was patient. */
export class QdrantError extends Error {
  /**
   * @param {string} method
   * @param {string} path
   * @param {number | undefined} status undefined when there was no answer
   * @param {string} body what the server said, or why there was no answer
   */
  constructor(method, path, status, body) {
    super(`${method} ${path} ${status === undefined ? 'had no answer' : `was answered ${status}`}: ${body}`);
    this.method = method;
    this.path = path;
    this.status = status;
    this.body = body;
  }
}

/**
 * Whether an answer may be another in a moment: the server is in trouble, its limit of requests is reached, or its
 * cluster did not agree in time (408).
 */
export function isPassing(status) {
  return status >= 500 || status === 429 || status === 408;
}

/** A client of one Qdrant server. Requests that fail in passing are sent again, so they must be safe to repeat. */
export class QdrantClient {
  /**
   * The client of the server that the container's variables name: QDRANT_URL, QDRANT_API_KEY, and QDRANT_PATIENCE,
   * the seconds for which failing requests are repeated, 120 by default.
   *
   * @param {{ url?: string }} [changes] another server with the same key, such as one of QDRANT_NODE_URLS
   */
  static fromEnvironment({ url = process.env.QDRANT_URL } = {}) {
    const { QDRANT_API_KEY: apiKey, QDRANT_PATIENCE: patience = '120' } = process.env;
    if (url === undefined || url === '') {
      throw new Error('QDRANT_URL is missing');
    }
    return new QdrantClient({ url, apiKey, patience: Number(patience) * 1000 });
  }

  /**
   * @param {object} options
   * @param {string} options.url base URL: http://qdrant:6333
   * @param {string} [options.apiKey] value of the header api-key
   * @param {number} [options.patience] milliseconds for which failing requests are repeated
   * @param {number} [options.timeout] milliseconds without a byte after which a request has failed; a snapshot can take
   *   hours without one, so there is no limit by default
   */
  constructor({ url, apiKey, patience = 120_000, timeout = 0 }) {
    this.url = url.replace(/\/+$/, '');
    this.apiKey = apiKey;
    this.headers = apiKey === undefined ? {} : { 'api-key': apiKey };
    this.patience = patience;
    this.timeout = timeout;
  }

  /** The same server, asked once and for a few seconds. */
  impatient() {
    return new QdrantClient({ url: this.url, apiKey: this.apiKey, patience: 0, timeout: 5000 });
  }

  /** @param {string} path */
  get(path) {
    return this.#result('GET', path);
  }

  /**
   * The result, or undefined when the server has no such thing.
   *
   * @param {string} path
   */
  async find(path) {
    try {
      return await this.get(path);
    } catch (error) {
      if (error instanceof QdrantError && error.status === 404) {
        return undefined;
      }
      throw error;
    }
  }

  /** @param {string} path @param {unknown} [body] */
  put(path, body) {
    return this.#result('PUT', path, body);
  }

  /** @param {string} path @param {unknown} [body] */
  post(path, body) {
    return this.#result('POST', path, body);
  }

  /** @param {string} path @param {unknown} [body] */
  patch(path, body) {
    return this.#result('PATCH', path, body);
  }

  /** @param {string} path */
  delete(path) {
    return this.#result('DELETE', path);
  }

  /** The field `result` of the answer. */
  async #result(method, path, body) {
    const until = Date.now() + this.patience;
    for (let attempt = 0; ; attempt++) {
      const { text, failure, passing, retryAfter = 0 } = await this.#attempt(method, path, body);
      if (failure === undefined) {
        return JSON.parse(text).result;
      }
      const wait = Math.max(WAITS[Math.min(attempt, WAITS.length - 1)], Math.min(retryAfter, LONGEST_WAIT));
      if (!passing || Date.now() + wait > until) {
        throw failure;
      }
      console.error(`${failure.message}; trying again`);
      await sleep(wait);
    }
  }

  async #attempt(method, path, body) {
    try {
      const { status, text, retryAfter } = await this.#send(method, path, body);
      if (status < 300) {
        return { text };
      }
      return { failure: new QdrantError(method, path, status, text), passing: isPassing(status), retryAfter };
    } catch (error) {
      // A name with several addresses fails with one error for each.
      const cause = error.errors?.[0] ?? error;
      const failure = new QdrantError(method, path, undefined, cause.message);
      return { failure, passing: PASSING.includes(cause.code) };
    }
  }

  /** Not fetch, which gives up after five minutes without an answer: a snapshot can take longer. */
  #send(method, path, body) {
    const url = new URL(this.url + path);
    const request = url.protocol === 'https:' ? requestHttps : requestHttp;
    const content = body === undefined ? undefined : JSON.stringify(body);
    const headers = { ...this.headers, ...(content === undefined ? {} : { 'content-type': 'application/json' }) };
    return new Promise((resolve, reject) => {
      const { timeout } = this;
      const sent = request(url, { method, headers, timeout }, async (answer) => {
        try {
          const chunks = await answer.toArray();
          const retryAfter = Number(answer.headers['retry-after'] ?? 0) * 1000 || 0;
          resolve({ status: answer.statusCode, text: Buffer.concat(chunks).toString(), retryAfter });
        } catch (error) {
          reject(error);
        }
      });
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeout} ms`)));
      sent.on('error', reject);
      sent.end(content);
    });
  }
}
