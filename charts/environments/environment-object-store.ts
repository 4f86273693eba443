import { z } from 'zod';
import { ObjectStore } from '../../constructs/data/object-store';
import type { ISecretSource } from '../../constructs/secrets/secret-source';
import { oneOf } from './environment-kinds';
import { made, secretKey } from './environment-values';

const prefix = z.string().optional().describe('path in it below which everything is kept');
const cidrs = z.array(z.string()).optional().describe('its addresses, where they are known and stable');

/** A bucket of S3, or of a store that speaks its protocol. */
export function s3(secrets: ISecretSource) {
  return made(
    z.strictObject({
      bucket: z.string().describe('name of the bucket, which exists'),
      region: z.string().describe('region of the bucket: eu-west-1'),
      endpoint: z.string().optional().describe('URL of an S3-compatible store; by default Amazon S3'),
      prefix,
      accessKey: secretKey(secrets).optional().describe("id of the access key; by default the pod's own identity"),
      secretKey: secretKey(secrets).optional().describe('secret of the access key'),
      cidrs,
    }),
    ObjectStore.s3,
  );
}

function azureBlob(secrets: ISecretSource) {
  return made(
    z.strictObject({
      account: z.string().describe('name of the storage account, without a domain'),
      container: z.string().describe('name of the container, which exists'),
      prefix,
      connectionString: secretKey(secrets).optional().describe("by default the pod's own identity"),
      accountKey: secretKey(secrets).optional().describe('key of the account, instead of a connection string'),
      cidrs,
    }),
    ObjectStore.azureBlob,
  );
}

function gcs(secrets: ISecretSource) {
  return made(
    z.strictObject({
      bucket: z.string().describe('name of the bucket, which exists'),
      prefix,
      credentials: secretKey(secrets)
        .optional()
        .describe("key file of a service account; by default the pod's identity"),
      project: z.string().optional().describe('project that clients work in; by default that of their identity'),
      cidrs,
    }),
    ObjectStore.gcs,
  );
}

/** A store of objects, of whichever cloud. */
export function objectStore(secrets: ISecretSource) {
  return oneOf({
    s3: s3(secrets).optional().describe('a bucket of S3, or of a store that speaks its protocol'),
    azureBlob: azureBlob(secrets).optional().describe('a container of Azure Blob Storage'),
    gcs: gcs(secrets).optional().describe('a bucket of Google Cloud Storage'),
  });
}
