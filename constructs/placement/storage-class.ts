/**
 * Words in names of classes and provisioners whose volumes are network file systems or object stores: NFS,
 * EFS, Azure Files, Filestore, SMB/CIFS, CephFS, GlusterFS, JuiceFS, BeeGFS, FSx for Lustre, NAS, and buckets
 * mounted through FUSE.
 */
const FILE_SYSTEM_WORDS =
  /(^|[^a-z])(nfs(?:v\d)?|nas|efs|azurefile|azureblob|filestore|smb|cifs|cephfs|glusterfs|juicefs|beegfs|fsx|lustre|gcsfuse|gcs|s3fs|blobfuse|fuse|rwx)([^a-z]|$)/i;

/**
 * Why a class cannot hold a database, or undefined when nothing speaks against it. Databases map files into
 * memory and lock them, and lose data where a file system only imitates that.
 *
 * @param storageClass name of the class
 * @param shared the cluster's class for shared files
 * @param block the cluster's class for block volumes, to suggest
 */
export function blockStorageProblem(storageClass: string, shared?: string, block?: string): string | undefined {
  const word = FILE_SYSTEM_WORDS.exec(storageClass)?.[2];
  const known = storageClass === shared ? "the cluster's class for shared files" : undefined;
  const reason = known ?? (word === undefined ? undefined : `a network file system (${word})`);
  return reason === undefined
    ? undefined
    : `is "${storageClass}", ${reason}; use a class of block volumes, such as ${block ?? 'gp3 or premium-rwo'}`;
}
