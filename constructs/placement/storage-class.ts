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

/**
 * Names of classes and provisioners whose volumes one node mounts at a time: EBS, persistent disks, Hyperdisk, Azure
 * disks, Ceph RBD, iSCSI, and disks of the node.
 */
const BLOCK_WORDS =
  /(^|[^a-z0-9])(gp2|gp3|io1|io2|st1|sc1|ebs|rwo|pd|hyperdisk|disk|azuredisk|managed-csi|managed-premium|rbd|block|iscsi|local|local-path|hostpath|topolvm|lvm)([^a-z0-9]|$)/i;

/**
 * Why a class cannot hold a volume that pods on several nodes mount, or undefined when nothing speaks against it: without
 * ReadWriteMany the claim is never bound, or the second node never mounts it.
 *
 * @param storageClass name of the class
 * @param block the cluster's class for block volumes
 */
export function sharedStorageProblem(storageClass: string, block?: string): string | undefined {
  const word = FILE_SYSTEM_WORDS.test(storageClass) ? undefined : BLOCK_WORDS.exec(storageClass)?.[2];
  const known = storageClass === block ? "the cluster's class for block volumes" : undefined;
  const reason = known ?? (word === undefined ? undefined : `a class of block volumes (${word})`);
  return reason === undefined
    ? undefined
    : `is "${storageClass}", ${reason}, which one node mounts at a time; use a class of ReadWriteMany file volumes, such as ` +
        'those of EFS, Filestore or Azure Files';
}
