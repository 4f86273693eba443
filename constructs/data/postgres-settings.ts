import { Size, SizeRoundingBehavior } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { refuse, UsageError } from '../rules/usage-error';

/** Least memory with which a server starts and still has some for its connections. */
const LEAST_MEBIBYTES = 128;

/** Names of settings: of the server, and of extensions with a dot. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$/;

/** What the settings of a server follow from. */
export interface PostgresSettingsProps {
  /** Memory of its container. */
  readonly memory: Size;

  /** Connections that it takes. */
  readonly maxConnections: number;

  /** What is asked for besides. */
  readonly settings: { readonly [setting: string]: string };

  /** What is wrong with a setting that is not the user's to choose, by its name in lower case. */
  readonly fixed: (setting: string) => string | undefined;

  /**
   * Volume for the log of changes, from which others read that may be away.
   * @default - nobody reads it
   */
  readonly log?: Size;
}

/**
 * Settings of a server by the memory that its container has: a quarter is for pages that connections share, and what
 * the kernel keeps of the files is most of the rest.
 *
 * Source: PostgreSQL docs, "Resource Consumption", "Query Planning", "Replication"; CloudNativePG 1.30 docs,
 * "Replication", "Capping the WAL size retained for replication slots".
 */
export class PostgresSettings {
  private readonly mebibytes: number;

  public constructor(
    private readonly scope: IConstruct,
    private readonly props: PostgresSettingsProps,
  ) {
    const { memory, maxConnections, settings } = props;
    this.mebibytes = mebibytesOf(memory);
    if (this.mebibytes < LEAST_MEBIBYTES) {
      throw this.misuse(
        'resources.memory',
        `is ${memory.asString()}, but PostgreSQL needs at least ${LEAST_MEBIBYTES} MiB`,
      );
    }
    if (!Number.isInteger(maxConnections) || maxConnections < 10 || maxConnections > 5000) {
      throw this.misuse('maxConnections', `is ${maxConnections}, but must be a whole number from 10 to 5000`);
    }
    for (const name of Object.keys(settings)) {
      refuse(this.problemOf(name), { scope, property: 'settings' });
    }
  }

  /** The settings, sorted by name. */
  public get all(): { [setting: string]: string } {
    const { maxConnections, log, settings } = this.props;
    const all = {
      effective_cache_size: this.share(0.75),
      maintenance_work_mem: this.share(1 / 16),
      max_connections: String(maxConnections),
      password_encryption: 'scram-sha-256',
      shared_buffers: this.share(0.25),
      // Without it, a replica that is away would have the log kept until its volume is full, and nothing was written.
      ...(log === undefined ? {} : { max_slot_wal_keep_size: `${Math.floor(mebibytesOf(log) / 2)}MB` }),
      ...settings,
    };
    return Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Memory for /dev/shm, through which the processes of one query share rows; it counts against the container's. */
  public get sharedMemory(): Size {
    return Size.mebibytes(Math.floor(this.mebibytes / 4));
  }

  private problemOf(name: string): string | undefined {
    if (!NAME.test(name)) {
      return `has "${name}", but names of settings have letters, digits and "_", and those of extensions a "."`;
    }
    // PostgreSQL does not tell capitals from small letters there.
    switch (name.toLowerCase()) {
      case 'max_connections':
        return `has ${name}, which follows from maxConnections; set maxConnections`;
      case 'password_encryption':
        return `has ${name}, which is scram-sha-256, the only one that is safe; leave it out`;
      default:
        return this.props.fixed(name.toLowerCase());
    }
  }

  private misuse(property: string, problem: string): UsageError {
    return new UsageError(problem, { scope: this.scope, property });
  }

  private share(share: number): string {
    return `${Math.floor(this.mebibytes * share)}MB`;
  }
}

function mebibytesOf(size: Size): number {
  return size.toMebibytes({ rounding: SizeRoundingBehavior.FLOOR });
}
