import type { Duration } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { UsageError } from '../rules/usage-error';

/**
 * What Qdrant refuses to do for clients of a collection, so that none can slow it down for the others. A limit
 * that is taken away here stays at an existing collection; set it to another value instead.
 *
 * Source: Qdrant 1.19 docs, "Administration", "Strict mode".
 */
export interface StrictMode {
  /**
   * Whether anything is refused.
   * @default true
   */
  readonly enabled?: boolean;

  /**
   * Most results that a query may ask for; at least 1.
   * @default - no limit
   */
  readonly maxQueryLimit?: number;

  /**
   * Largest `timeout` that a request may have; whole seconds, at least 1, and at least 60 in a cluster, unless `enabled` is false: a node
   * forwards each write to the other copies with that time, and strict mode holds there too.
   * @default - no limit
   */
  readonly maxTimeout?: Duration;

  /**
   * Whether searches may filter by fields without an index. Each of them reads every point.
   * @default - they may
   */
  readonly unindexedFilteringRetrieve?: boolean;

  /**
   * Whether updates and deletions may filter by fields without an index.
   * @default - they may
   */
  readonly unindexedFilteringUpdate?: boolean;

  /**
   * Whether searches may compare with every vector instead of using the index.
   * @default - they may
   */
  readonly searchAllowExact?: boolean;

  /**
   * Most points in one request that writes them; at least 1.
   * @default - no limit
   */
  readonly upsertMaxBatchsize?: number;

  /**
   * Most requests per minute and copy of a shard that read; above it they are answered 429. At least 1.
   * @default - no limit
   */
  readonly readRateLimit?: number;

  /**
   * Most requests per minute and copy of a shard that write; above it they are answered 429, and a copy that refuses what
   * another has taken is dead until it has been filled again. At least 1.
   * @default - no limit
   */
  readonly writeRateLimit?: number;

  /**
   * Most conditions in a filter; at least 1.
   * @default - no limit
   */
  readonly filterMaxConditions?: number;

  /**
   * Points at which the collection is full; at least 1.
   * @default - no limit
   */
  readonly maxPointsCount?: number;
}

/**
 * Seconds that a node gives another for what it forwards to it, where the configuration does not say otherwise
 * (`cluster.grpc_timeout_ms`; qdrant/qdrant 1.19, lib/collection/src/shards/remote_shard.rs).
 */
const FORWARDED_SECONDS = 60;

/**
 * The field `strict_mode_config` of a collection.
 *
 * @param distributed whether the database has several nodes
 */
export function strictModeConfig(scope: IConstruct, strictMode: StrictMode, distributed: boolean): object {
  const { enabled = true, maxTimeout } = strictMode;
  const seconds = maxTimeout?.toSeconds({ integral: false });
  if (enabled && distributed && seconds !== undefined && seconds < FORWARDED_SECONDS) {
    throw new UsageError(
      `is ${seconds} s, but a node forwards each write to the other copies of a shard ` +
        `with ${FORWARDED_SECONDS} s, which strict mode would refuse there, so that no write succeeds; raise it to ` +
        `${FORWARDED_SECONDS} s, or leave it out`,
      { scope, property: 'strictMode.maxTimeout' },
    );
  }
  const limits = {
    max_query_limit: whole(scope, 'maxQueryLimit', strictMode.maxQueryLimit),
    max_timeout: whole(scope, 'maxTimeout', seconds),
    upsert_max_batchsize: whole(scope, 'upsertMaxBatchsize', strictMode.upsertMaxBatchsize),
    read_rate_limit: whole(scope, 'readRateLimit', strictMode.readRateLimit),
    write_rate_limit: whole(scope, 'writeRateLimit', strictMode.writeRateLimit),
    filter_max_conditions: whole(scope, 'filterMaxConditions', strictMode.filterMaxConditions),
    max_points_count: whole(scope, 'maxPointsCount', strictMode.maxPointsCount),
  };
  return {
    enabled,
    ...limits,
    unindexed_filtering_retrieve: strictMode.unindexedFilteringRetrieve,
    unindexed_filtering_update: strictMode.unindexedFilteringUpdate,
    search_allow_exact: strictMode.searchAllowExact,
  };
}

function whole(scope: IConstruct, name: string, value: number | undefined): number | undefined {
  if (value !== undefined && (!Number.isInteger(value) || value < 1)) {
    const unit = name === 'maxTimeout' ? ' of seconds' : '';
    throw new UsageError(`is ${value}, but must be a whole number${unit} from 1`, {
      scope,
      property: `strictMode.${name}`,
    });
  }
  return value;
}
