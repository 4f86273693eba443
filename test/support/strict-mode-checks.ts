import type { Json } from '../../constructs/rules/output';
import { Refusal } from './qdrant-refusal';

/**
 * Seconds that a node allows another for a write that it forwards, `cluster.grpc_timeout_ms`. It sends them as the
 * timeout of the request, which the other holds against strict mode (qdrant/qdrant, remote_shard.rs, forward_update).
 */
const GRPC_TIMEOUT = 60;

function strictModeOf(config: Json): Json {
  return config.strict_mode_config?.enabled === true ? config.strict_mode_config : {};
}

/** Refuses a request that takes longer than strict mode allows. */
function timeoutRefusal(config: Json, seconds: number): Refusal | undefined {
  const { max_timeout: limit } = strictModeOf(config);
  return typeof limit === 'number' && seconds > limit
    ? Refusal.badRequest(
        `Limit exceeded ${seconds} > ${limit} for "timeout". Help: Reduce the "timeout" parameter to or below ${limit}.`,
      )
    : undefined;
}

/** Why strict mode refuses a write that another node forwards. */
export function checkForwarding(config: Json): Refusal | undefined {
  return timeoutRefusal(config, GRPC_TIMEOUT);
}

/** Refuses to count exactly where strict mode forbids it (qdrant/qdrant, verification/count.rs). */
export function checkCount(config: Json, exact: boolean): void {
  if (exact && strictModeOf(config).search_allow_exact === false) {
    throw Refusal.badRequest('Exact search disabled!. Help: Set exact=false.');
  }
}

/** The rates that strict mode allows, by what they limit. */
const RATES = { Read: 'read_rate_limit', Write: 'write_rate_limit' } as const;

/** Counts requests against the rate that strict mode allows in a minute. */
export class RateLimiter {
  private readonly buckets = new Map<string, { tokens: number; at: number }>();

  /** Takes what a request costs, or refuses it and says when to come back. */
  public take(kind: keyof typeof RATES, collection: string, config: Json, cost = 1): void {
    const limit = strictModeOf(config)[RATES[kind]];
    if (typeof limit !== 'number') {
      return;
    }
    const key = `${kind} ${collection}`;
    const now = Date.now();
    const { tokens, at } = this.buckets.get(key) ?? { tokens: limit, at: now };
    const available = Math.min(limit, tokens + ((now - at) / 60_000) * limit);
    const taken = available < cost ? 0 : cost;
    this.buckets.set(key, { tokens: available - taken, at: now });
    if (cost > limit) {
      throw new Refusal(429, `Rate limiting exceeded: ${kind} rate limit exceeded, request larger than rate limit`);
    }
    if (taken === 0) {
      const wait = Math.ceil(((cost - available) / limit) * 60);
      const message = `Operation requires ${cost} tokens but only ${available.toFixed(1)} were available. Retry after ${wait}s`;
      throw new Refusal(429, `Rate limiting exceeded: ${kind} rate limit exceeded: ${message}`, wait);
    }
  }
}
