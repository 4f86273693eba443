import type { IConstruct } from 'constructs';
import type { IIdentified } from '../secrets/cloud-identity';
import type { IProvider, Offer } from '../workload/provider';
import { AzureBlobContainer, type AzureBlobProps } from './azure-blob-container';
import type { BarmanDestination, IBucket } from './bucket';
import { GcsBucket, type GcsProps } from './gcs-bucket';
import { S3Bucket, type S3Props } from './s3-bucket';

/** A bucket that workloads may use, and that snapshots and backups go to. */
export class ObjectStore implements IProvider {
  /**
   * A bucket of Amazon S3 or of a store that speaks its protocol. Clients get `S3_BUCKET`, `S3_PREFIX`, and the region,
   * the endpoint and the keys as the AWS SDKs read them.
   */
  public static s3(props: S3Props): ObjectStore {
    const bucket = new S3Bucket(props);
    return new ObjectStore(bucket, bucket);
  }

  /**
   * A container of Azure Blob Storage. Clients get `AZURE_STORAGE_ACCOUNT_NAME`, `AZURE_CONTAINER_NAME`,
   * `AZURE_STORAGE_PREFIX` and, where there is one, `AZURE_STORAGE_CONNECTION_STRING` or `AZURE_STORAGE_ACCOUNT_KEY`.
   */
  public static azureBlob(props: AzureBlobProps): ObjectStore {
    return new ObjectStore(new AzureBlobContainer(props));
  }

  /**
   * A bucket of Google Cloud Storage. Clients get `GCS_BUCKET`, `GCS_PREFIX`, and the project and the file of the key as
   * Google's libraries read them: `GOOGLE_CLOUD_PROJECT`, `GOOGLE_APPLICATION_CREDENTIALS`.
   */
  public static gcs(props: GcsProps): ObjectStore {
    return new ObjectStore(new GcsBucket(props));
  }

  public readonly description: string;
  /** Name of the bucket; with Azure of the container. */
  public readonly bucket: string;
  /** Path in the bucket below which everything is kept. */
  public readonly prefix?: string;
  /** What kind of store it is, in messages: `Azure Blob Storage`. */
  public readonly kind: string;

  private constructor(
    private readonly protocol: IBucket,
    /** The bucket for programs that speak S3 only; undefined where the store does not. */
    public readonly s3?: S3Bucket,
  ) {
    this.bucket = protocol.name;
    this.prefix = protocol.prefix;
    this.kind = protocol.kind;
    this.description = this.bucket;
  }

  public offerTo(client?: IIdentified): Offer {
    return this.protocol.offerTo(client);
  }

  /**
   * The bucket as CloudNativePG's plugin for backups takes it.
   * @internal
   */
  public _barmanDestination(scope: IConstruct, pods: IIdentified): BarmanDestination {
    return this.protocol._barmanDestination(scope, pods);
  }
}
