import { ApiObject, Size } from 'cdk8s';
import { Cpu, type k8s } from 'cdk8s-plus-28';
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
import type { SecretKey } from '../secrets/secret-key';
import { guaranteedResources } from './cloud-native-pg-pods';
import type { ObjectStore } from './object-store';
import type { PostgresBackups } from './postgres-backups';

/** What is archived. */
export interface PostgresArchiveProps {
  /** When, and where to. */
  readonly backups: PostgresBackups;

  /** Name of the cluster. */
  readonly cluster: string;

  /** Its pods. */
  readonly pods: PodSet;

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

  public constructor(scope: Construct, id: string, props: PostgresArchiveProps) {
    super(scope, id);
    this.name = `${props.cluster}-archive`;
    this.objectStore = this.createObjectStore(props);
    this.scheduledBackup = this.createScheduledBackup(props);
    for (const { peer, port } of props.backups.to.offerTo().endpoints) {
      props.policy.allowTo({ to: peer, ports: [port] });
    }
  }

  /** What makes the cluster use it. */
  public get plugin(): ClusterSpecPlugins {
    return { name: PLUGIN, enabled: true, isWalArchiver: true, parameters: { barmanObjectName: this.name } };
  }

  private createObjectStore({ backups, metadata }: PostgresArchiveProps): ApiObject {
    const { to, keepDays } = backups;
    const asked = guaranteedResources(this, { cpu: Cpu.millis(100), memory: Size.mebibytes(256) });
    return new ApiObject(this, 'ObjectStore', {
      apiVersion: 'barmancloud.cnpg.io/v1',
      kind: 'ObjectStore',
      metadata: { name: this.name, labels: metadata.labels, annotations: SyncWave.SECRETS.annotations },
      spec: {
        configuration: {
          destinationPath: ['s3:/', to.bucket, to.prefix].filter((part) => part !== undefined).join('/'),
          endpointURL: to.endpoint,
          s3Credentials: this.credentials(to),
          wal: { compression: 'gzip' },
          data: { compression: 'gzip' },
        },
        retentionPolicy: `${keepDays}d`,
        instanceSidecarConfiguration: {
          env: sidecarEnv(to),
          resources: { requests: asked, limits: asked },
        },
      },
    });
  }

  private credentials({ accessKey, secretKey }: ObjectStore): object {
    return accessKey === undefined || secretKey === undefined
      ? { inheritFromIAMRole: true }
      : { accessKeyId: this.reference(accessKey), secretAccessKey: this.reference(secretKey) };
  }

  private reference(source: SecretKey): object {
    source._bind(this);
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

/** Variables that boto3 reads; stores other than Amazon's refuse the checksums that it sends since 1.36. */
function sidecarEnv({ region, endpoint }: ObjectStore): object[] {
  const checksums = [
    { name: 'AWS_REQUEST_CHECKSUM_CALCULATION', value: 'when_required' },
    { name: 'AWS_RESPONSE_CHECKSUM_VALIDATION', value: 'when_required' },
  ];
  return [{ name: 'AWS_DEFAULT_REGION', value: region }, ...(endpoint === undefined ? [] : checksums)];
}
