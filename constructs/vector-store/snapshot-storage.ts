import type { IConstruct } from 'constructs';
import type { ObjectStore } from '../data/object-store';
import type { S3Bucket } from '../data/s3-bucket';
import { UsageError } from '../rules/usage-error';
import { EnvValue } from '../workload/env-value';
import type { IProvider } from '../workload/provider';

const S3_CONFIG = 'QDRANT__STORAGE__SNAPSHOTS_CONFIG__S3_CONFIG';

/** The part of Qdrant's setting `storage` that has snapshots kept in a bucket (Qdrant 1.19 docs, "Snapshots"). */
export function snapshotSettings({ name, region, endpoint, prefix }: S3Bucket): object {
  return {
    snapshots_config: {
      snapshots_storage: 's3',
      s3_config: { bucket: name, region, ...(endpoint === undefined ? {} : { endpoint_url: endpoint }) },
    },
    // Qdrant has no prefix of its own; keys in the bucket are the paths that the files would have.
    ...(prefix === undefined ? {} : { snapshots_path: `./snapshots/${prefix}` }),
  };
}

/** The bucket that snapshots are kept in; Qdrant speaks S3 and nothing else (Qdrant 1.19 docs, "Snapshots"). */
export function snapshotBucket(scope: IConstruct, store: ObjectStore): S3Bucket {
  if (store.s3 === undefined) {
    throw new UsageError(
      `is "${store.bucket}" of ${store.kind}, but Qdrant writes snapshots to S3 and to stores that speak its protocol; ` +
        'Google Cloud Storage does with HMAC keys: ' +
        "ObjectStore.s3({ endpoint: 'https://storage.googleapis.com', region: 'auto', … })",
      { scope, property: 'snapshots.to' },
    );
  }
  return store.s3;
}

/** The bucket as Qdrant's nodes use it. */
export function snapshotAccess(store: S3Bucket): IProvider {
  const { accessKey, secretKey } = store;
  return {
    offerTo: (client) => ({
      endpoints: store.offerTo(client).endpoints,
      env: {
        ...(accessKey === undefined ? {} : { [`${S3_CONFIG}__ACCESS_KEY`]: EnvValue.fromSecret(accessKey) }),
        ...(secretKey === undefined ? {} : { [`${S3_CONFIG}__SECRET_KEY`]: EnvValue.fromSecret(secretKey) }),
      },
    }),
  };
}
