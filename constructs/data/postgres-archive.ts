import { ApiObject } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import {
  ScheduledBackupSpecBackupOwnerReference as BackupOwner,
  type ClusterSpecPlugins,
  ScheduledBackupSpecMethod as Method,
  ScheduledBackup,
} from '../../imports/postgresql.cnpg.io';
import type { PodSet } from '../network/peer';
import type { PodNetworkPolicy } from '../network/pod-network-policy';
import { SyncWave } from '../network/sync-wave';
import type { CloudIdentity } from '../secrets/cloud-identity';
import type { SecretKey } from '../secrets/secret-key';
import { checkResources, type Resources, renderResources } from '../workload/resources';
import type { BarmanDestination } from './bucket';
import type { PostgresBackups } from './postgres-backups';

/** What is archived. */
export interface PostgresArchiveProps {
  /** When, and where to. */
  readonly backups: PostgresBackups;

  /** Name of the cluster. */
  readonly cluster: string;

  /** Its pods. */
  readonly pods: PodSet;

  /** Who they are to the cloud of the bucket, where that has no keys. */
  readonly identity?: CloudIdentity;

  /** Their policy. */
  readonly policy: PodNetworkPolicy;

  /** Metadata of the cluster. */
  readonly metadata: k8s.ObjectMeta;
}

const PLUGIN = 'barman-cloud.cloudnative-pg.io';

/**
 * Backups of a cluster and the log of its changes in a bucket, by the Barman Cloud plugin: what the operator has built
 * in is deprecated and goes with CloudNativePG 1.31. The plugin must be installed beside the operator; it puts a
 * container of its own into the cluster's pods.
 *
 * Source: Barman Cloud plugin 0.12 docs, "Using the Barman Cloud Plugin", "Object Store Providers"; CloudNativePG 1.30
 * docs, "Backup".
 */
export class PostgresArchive extends Construct {
  /** The bucket as the plugin knows it. */
  public readonly objectStore: ApiObject;
  /** When the whole is backed up. */
  public readonly scheduledBackup: ScheduledBackup;

  private readonly name: string;

  /** @internal */
  public constructor(scope: Construct, id: string, props: PostgresArchiveProps) {
    super(scope, id);
    this.name = `${props.cluster}-archive`;
    for (const endpoint of props.backups.to.offerTo(props).endpoints) {
      props.policy.allowToEndpoint(endpoint);
    }
    this.objectStore = this.createObjectStore(scope, props);
    this.scheduledBackup = this.createScheduledBackup(props);
  }

  /** What makes the cluster use it. */
  public get plugin(): ClusterSpecPlugins {
    return { name: PLUGIN, enabled: true, isWalArchiver: true, parameters: { barmanObjectName: this.name } };
  }

  private createObjectStore(
    scope: Construct,
    { backups, metadata, identity, policy }: PostgresArchiveProps,
  ): ApiObject {
    const { to, keepDays, resources } = backups;
    const { path, endpoint, credentials, env } = to._barmanDestination(scope, { identity });
    const variables = Object.entries({ ...env, ...policy.proxyVariables }).map(([name, value]) => ({ name, value }));
    return new ApiObject(this, 'ObjectStore', {
      apiVersion: 'barmancloud.cnpg.io/v1',
      kind: 'ObjectStore',
      metadata: { name: this.name, labels: metadata.labels, annotations: SyncWave.SECRETS.annotations },
      spec: {
        configuration: {
          destinationPath: path,
          endpointURL: endpoint,
          ...this.rendered(credentials),
          wal: { compression: 'gzip' },
          data: { compression: 'gzip' },
        },
        retentionPolicy: `${keepDays}d`,
        instanceSidecarConfiguration: {
          env: variables.length === 0 ? undefined : variables,
          resources: this.amounts(resources),
        },
      },
    });
  }

  private amounts(resources: Resources): object {
    checkResources(this, resources);
    const { requests = {}, limits = {} } = renderResources(resources, [], undefined);
    return mapped({ requests, limits }, (amounts) => mapped(amounts, ({ value }) => String(value)));
  }

  private rendered(credentials: BarmanDestination['credentials']): object {
    return mapped(credentials, (fields) => mapped(fields, (value) => (value === true ? true : this.reference(value))));
  }

  private reference(source: SecretKey): object {
    source._bindForOperator(this, 'to');
    return { name: source.secret, key: source.key };
  }

  private createScheduledBackup({ backups, cluster, metadata, pods }: PostgresArchiveProps): ScheduledBackup {
    return new ScheduledBackup(this, 'Schedule', {
      metadata: {
        name: `${cluster}-backup`,
        labels: metadata.labels,
        annotations: SyncWave.after(this, pods).annotations,
      },
      spec: {
        cluster: { name: cluster },
        schedule: backups.schedule,
        method: Method.PLUGIN,
        pluginConfiguration: { name: PLUGIN },
        backupOwnerReference: BackupOwner.SELF,
        // Without a first one, nothing could be restored until the hour comes.
        immediate: true,
      },
    });
  }
}

/** A map with other values under the same names. */
function mapped<A, B>(map: { readonly [name: string]: A }, change: (value: A) => B): { [name: string]: B } {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value)]));
}
