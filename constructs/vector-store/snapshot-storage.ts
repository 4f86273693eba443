import type { ObjectStore } from '../data/object-store';
import { EnvValue } from '../workload/env-value';
import type { IProvider } from '../workload/provider';

const S3_CONFIG = 'QDRANT__STORAGE__SNAPSHOTS_CONFIG__S3_CONFIG';

/** The part of Qdrant's setting `storage` that has snapshots kept in a bucket (Qdrant 1.19 docs, "Snapshots"). */
export function snapshotSettings({ bucket, region, endpoint, prefix }: ObjectStore): object {
  return {
    snapshots_config: {
      snapshots_storage: 's3',
      s3_config: { bucket, region, ...(endpoint === undefined ? {} : { endpoint_url: endpoint }) },
    },
    // Qdrant has no prefix of its own; keys in the bucket are the paths that the files would have.
    ...(prefix === undefined ? {} : { snapshots_path: `./snapshots/${prefix}` }),
  };
}

/** The bucket as Qdrant's nodes use it. */
export function snapshotBucket(store: ObjectStore): IProvider {
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
