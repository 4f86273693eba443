import type { Size } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { UsageError } from '../rules/usage-error';

/** How often a Qdrant begins another file of its audit log. */
export enum AuditRotation {
  /** With each hour. */
  HOURLY = 'hourly',
  /** With each day. */
  DAILY = 'daily',
}

/**
 * The audit log of a Qdrant: for each request of a client the time, the method, the collection, the address of the client, the
 * `subject` of its token, and whether it was allowed. Each node logs what it is asked.
 *
 * Source: Qdrant 1.19, lib/storage/src/audit.rs, and `audit` in config/config.yaml.
 */
export interface QdrantAudit {
  /**
   * Volume of each node for the log, for one file more than {@link maxFiles}: a line has 200 to 400 bytes, so 100 requests a
   * second at a node are about 3 GB a day. When it is full, lines are lost, and the node goes on. A claim of a database that
   * runs cannot be added or changed in place; the render says how to do it.
   */
  readonly storage: Size;

  /**
   * How often another file begins, by the clock in UTC.
   * @default AuditRotation.DAILY
   */
  readonly rotation?: AuditRotation;

  /**
   * Files that are kept, from 1; the oldest is deleted when another begins.
   * @default 7
   */
  readonly maxFiles?: number;

  /**
   * Whether the address of a client is what `X-Forwarded-For` says. Any client can write anything there, so set it only when
   * all of them come through a proxy that sets the header.
   * @default false; the address is that of the connection
   */
  readonly trustForwardedHeaders?: boolean;
}

/** Where Qdrant writes it, in its working directory. A volume of its own: a full one keeps no node from starting. */
export const AUDIT_DIRECTORY = 'audit';

/** What stands in Qdrant's configuration; Qdrant's own defaults are left to it. */
export function auditConfig(scope: IConstruct, audit: QdrantAudit): object {
  const { rotation, maxFiles, trustForwardedHeaders } = audit;
  if (maxFiles !== undefined && (!Number.isInteger(maxFiles) || maxFiles < 1)) {
    throw new UsageError(`is ${maxFiles}, but must be a whole number from 1`, { scope, property: 'audit.maxFiles' });
  }
  const rotations: string[] = Object.values(AuditRotation);
  if (rotation !== undefined && !rotations.includes(rotation)) {
    throw new UsageError(`is ${rotation}, but must be ${rotations.join(' or ')}`, {
      scope,
      property: 'audit.rotation',
    });
  }
  return {
    enabled: true,
    dir: `./${AUDIT_DIRECTORY}`,
    ...(rotation === undefined ? {} : { rotation }),
    ...(maxFiles === undefined ? {} : { max_log_files: maxFiles }),
    ...(trustForwardedHeaders === undefined ? {} : { trust_forwarded_headers: trustForwardedHeaders }),
  };
}
