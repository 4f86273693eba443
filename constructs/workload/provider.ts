import type { Duration } from 'cdk8s';
import type { IConstruct } from 'constructs';
import type { Endpoint } from '../network/endpoint';
import type { PodSet } from '../network/peer';
import type { IIdentified } from '../secrets/cloud-identity';
import type { SecretKey } from '../secrets/secret-key';
import type { EnvValue } from './env-value';

/** Something that uses providers: it has pods in a namespace. */
export interface IClient extends IConstruct, IIdentified {
  /** Namespace of the client's pods. */
  readonly namespace: string;

  /** Duration of the longest task that the client takes from a queue; undefined for one that takes none. */
  readonly longestTask?: Duration;
}

/** A file that a client needs, from a Secret. */
export interface SecretFile {
  /** The key that holds the file; the file is named like it. */
  readonly source: SecretKey;
  /** Absolute path of the directory in which containers find it; nothing else may be in it. */
  readonly directory: string;
}

/** What a client gets from using a provider. */
export interface Offer {
  /** Addresses that the client may connect to. */
  readonly endpoints: Endpoint[];

  /** Variables that tell the client how. */
  readonly env: { readonly [name: string]: EnvValue };

  /**
   * Variables that the client must not have, because with them it would come as somebody else: an SDK that finds keys
   * takes them everywhere.
   * @default - none
   */
  readonly withoutEnv?: string[];

  /**
   * Keys of Secrets whose change restarts no client, because the provider would refuse the new value: they are replaced
   * by references to other keys, and the pods roll out with these.
   * @default - none: where Reloader runs, it restarts the client when a Secret in {@link env} changes
   */
  readonly unwatchedKeys?: SecretKey[];

  /**
   * Files that the client needs, such as a certificate authority.
   * @default - none
   */
  readonly files?: SecretFile[];

  /**
   * Whether the client runs while the provider may not be ready: it is applied without waiting for that.
   * @default false; Argo CD applies the client when the pods behind the endpoints are ready
   */
  readonly unordered?: boolean;

  /**
   * Pods that must have done their work before the client starts, though it does not connect to them: a Job
   * that creates what the client reads.
   * @default - only those behind the endpoints
   */
  readonly after?: PodSet[];
}

/**
 * Something that workloads can use, in the cluster or outside. Whoever implements it can stand in for
 * another: a managed database for one in the cluster, and nothing changes at the client.
 */
export interface IProvider {
  /**
   * How messages name it.
   * @default - the id of a construct, otherwise the peers behind its endpoints
   */
  readonly description?: string;

  /** What this client gets. */
  offerTo(client: IClient): Offer;
}
