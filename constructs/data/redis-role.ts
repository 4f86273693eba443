/** What a Redis is for; the two need opposite settings and are never one instance. */
export enum RedisRole {
  /** Queue of tasks: written to disk, nothing is ever evicted. */
  BROKER = 'broker',

  /** What can be computed again: kept in memory only, and what was not used for longest goes when that is full. */
  CACHE = 'cache',
}
