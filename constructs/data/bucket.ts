import type { IConstruct } from 'constructs';
import { UsageError } from '../rules/usage-error';
import type { IIdentified } from '../secrets/cloud-identity';
import type { SecretKey } from '../secrets/secret-key';
import type { Offer } from '../workload/provider';

/** Where the Barman Cloud plugin of CloudNativePG keeps an archive (its docs, "Object Store Providers"). */
export interface BarmanDestination {
  /** The place as a URL, `destinationPath`. */
  readonly path: string;

  /**
   * URL of the store, `endpointURL`.
   * @default - the cloud's own
   */
  readonly endpoint?: string;

  /** The field of the cloud's credentials, and what is in it: keys, or that the identity of the pods is used. */
  readonly credentials: { readonly [field: string]: { readonly [credential: string]: SecretKey | true } };

  /** Variables of the container that writes. */
  readonly env: { readonly [name: string]: string };
}

/** A place for objects in one cloud, as an ObjectStore speaks with it. */
export interface IBucket {
  /** Name of the bucket. */
  readonly name: string;

  /** Path in the bucket below which everything is kept; undefined for the whole bucket. */
  readonly prefix?: string;

  /** What it is, in messages: `Azure Blob Storage`. */
  readonly kind: string;

  /** What a client gets. */
  offerTo(client?: IIdentified): Offer;

  /**
   * The bucket for the pods of a database, which come with their identity where there are no keys.
   * @internal
   */
  _barmanDestination(scope: IConstruct, pods: IIdentified): BarmanDestination;
}

const PREFIX = /^(?!\.)[A-Za-z0-9_.-]+(\/(?!\.)[A-Za-z0-9_.-]+)*$/;

/** Refuses a path in a bucket that stores or their clients would read as another one. */
export function checkPrefix(prefix: string | undefined): void {
  if (prefix !== undefined && !PREFIX.test(prefix)) {
    throw new UsageError(
      `is "${prefix}", but must be a path of letters, digits, "-", "_" and ".", without "/" at its ends, whose parts ` +
        'do not begin with "."',
      { property: 'objectStore.prefix' },
    );
  }
}

/** Refuses a name that is not of its form. */
export function checkStoreName(property: string, name: string, form: RegExp, allowed: string): void {
  if (!form.test(name)) {
    throw new UsageError(`is "${name}", but must be ${allowed}`, { property: `objectStore.${property}` });
  }
}

/** The parts of a path that are given, in one. */
export function pathOf(...parts: (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join('/');
}
