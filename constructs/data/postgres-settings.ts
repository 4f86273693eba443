import { Size, SizeRoundingBehavior } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { UsageError } from '../rules/usage-error';

/** Least memory with which a server starts and still has some for its connections. */
const LEAST_MEBIBYTES = 128;

/**
 * Settings of a server by the memory that its container has: a quarter is for pages that connections share, and what
 * the kernel keeps of the files is most of the rest.
 *
 * Source: PostgreSQL docs, "Resource Consumption", "Query Planning".
 */
export class PostgresSettings {
  private readonly mebibytes: number;

  public constructor(
    scope: IConstruct,
    memory: Size,
    private readonly maxConnections: number,
    private readonly changes: { readonly [setting: string]: string },
  ) {
    this.mebibytes = memory.toMebibytes({ rounding: SizeRoundingBehavior.FLOOR });
    if (this.mebibytes < LEAST_MEBIBYTES) {
      throw new UsageError(`is ${memory.asString()}, but PostgreSQL needs at least ${LEAST_MEBIBYTES} MiB`, {
        scope,
        property: 'resources.memory',
      });
    }
    if (!Number.isInteger(maxConnections) || maxConnections < 10 || maxConnections > 5000) {
      throw new UsageError(`is ${maxConnections}, but must be a whole number from 10 to 5000`, {
        scope,
        property: 'maxConnections',
      });
    }
  }

  /** The settings, sorted by name. */
  public get all(): { [setting: string]: string } {
    const settings = {
      effective_cache_size: this.share(0.75),
      maintenance_work_mem: this.share(1 / 16),
      max_connections: String(this.maxConnections),
      password_encryption: 'scram-sha-256',
      shared_buffers: this.share(0.25),
      ...this.changes,
    };
    return Object.fromEntries(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Memory for /dev/shm, through which the processes of one query share rows; it counts against the container's. */
  public get sharedMemory(): Size {
    return Size.mebibytes(Math.floor(this.mebibytes / 4));
  }

  private share(share: number): string {
    return `${Math.floor(this.mebibytes * share)}MB`;
  }
}
