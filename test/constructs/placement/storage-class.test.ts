import fc from 'fast-check';
import { blockStorageProblem, sharedStorageProblem } from '../../../constructs/placement/storage-class';

const WORDS = [
  'nfs',
  'nfsv3',
  'nfsv4',
  'nas',
  'efs',
  'azurefile',
  'azureblob',
  'filestore',
  'smb',
  'cifs',
  'cephfs',
  'glusterfs',
  'juicefs',
  'beegfs',
  'fsx',
  'lustre',
  'gcsfuse',
  'gcs',
  's3fs',
  'blobfuse',
  'fuse',
  'rwx',
];

const advice = 'use a class of block volumes, such as gp3 or premium-rwo';

describe('a class of block volumes', () => {
  test.each([
    'gp3',
    'io2',
    'ebs-sc',
    'premium-rwo',
    'standard-rwo',
    'hyperdisk-balanced',
    'managed-csi-premium',
    'managed-premium',
    'rook-ceph-block',
    'ceph-rbd',
    'longhorn',
    'openebs-zfspv',
    'local-path',
    'topolvm-provisioner',
    'default',
    'truenas-iscsi',
    'nasdaq',
    'nfsvolumes',
    'diffuse',
    'azureblobs',
  ])('such as %s is accepted', (storageClass) => {
    expect(blockStorageProblem(storageClass)).toBeUndefined();
    expect(blockStorageProblem(storageClass, 'models', 'gp3')).toBeUndefined();
  });
});

describe('a class of files', () => {
  test.each([
    ['nfs-client', 'nfs'],
    ['nfs4', 'nfs'],
    ['nfsv4', 'nfsv4'],
    ['csi-nfsv3-retain', 'nfsv3'],
    ['alicloud-nas', 'nas'],
    ['ontap-nas-economy', 'nas'],
    ['efs-sc', 'efs'],
    ['azurefile-csi-premium', 'azurefile'],
    ['azureblob-nfs-premium', 'azureblob'],
    ['azureblob-fuse-premium', 'azureblob'],
    ['blob-fuse', 'fuse'],
    ['juicefs-sc', 'juicefs'],
    ['beegfs-scratch', 'beegfs'],
    ['filestore.csi.storage.gke.io', 'filestore'],
    ['enterprise-rwx', 'rwx'],
    ['ocs-storagecluster-cephfs', 'cephfs'],
    ['fsx-lustre', 'fsx'],
    ['smb.csi.k8s.io', 'smb'],
    ['gcsfuse', 'gcsfuse'],
    ['NFS', 'NFS'],
  ])('such as %s is refused', (storageClass, word) => {
    expect(blockStorageProblem(storageClass)).toBe(`is "${storageClass}", a network file system (${word}); ${advice}`);
  });

  test('is refused wherever its word stands by itself', () => {
    const around = fc.oneof(fc.constant(''), fc.stringMatching(/^[0-9.-][a-z0-9.-]{0,5}$/));
    const parts = fc.record({ word: fc.constantFrom(...WORDS), before: around, after: around });
    fc.assert(
      fc.property(parts, ({ word, before, after }) => {
        const storageClass = `${[...before].reverse().join('')}${word}${after}`;
        expect(blockStorageProblem(storageClass)).toMatch(
          /, a network file system \(\w+\); use a class of block volumes/,
        );
      }),
    );
  });

  test('is not every class with its letters in another word', () => {
    const letter = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz');
    // The digit in s3fs is an end of words itself.
    const word = fc.constantFrom(...WORDS.filter((one) => one !== 's3fs'));
    fc.assert(
      fc.property(letter, word, letter, (before, inner, after) => {
        expect(blockStorageProblem(`${before}${inner}${after}`)).toBeUndefined();
      }),
    );
  });

  test("is refused by the cluster's word for it, whatever it is called", () => {
    expect(blockStorageProblem('models', 'models')).toBe(
      `is "models", the cluster's class for shared files; ${advice}`,
    );
    expect(blockStorageProblem('efs', 'efs')).toBe(`is "efs", the cluster's class for shared files; ${advice}`);
  });

  test("is refused with the cluster's own block class as advice", () => {
    expect(blockStorageProblem('efs', undefined, 'fast')).toBe(
      'is "efs", a network file system (efs); use a class of block volumes, such as fast',
    );
  });
});

describe('a class of shared files', () => {
  test.each([
    'efs',
    'efs-sc',
    'azurefile-csi',
    'filestore',
    'ceph-filesystem',
    'managed-nfs-storage',
    'files',
    'longhorn',
  ])('such as %s is accepted', (storageClass) => {
    expect(sharedStorageProblem(storageClass)).toBeUndefined();
    expect(sharedStorageProblem(storageClass, 'gp3')).toBeUndefined();
  });

  test.each([
    ['gp3', 'gp3'],
    ['ebs-sc', 'ebs'],
    ['premium-rwo', 'rwo'],
    ['pd-balanced', 'pd'],
    ['hyperdisk-balanced', 'hyperdisk'],
    ['managed-csi-premium', 'managed-csi'],
    ['managed-premium', 'managed-premium'],
    ['rook-ceph-block', 'block'],
    ['ceph-rbd', 'rbd'],
    ['local-path', 'local'],
  ])('such as %s is refused', (storageClass, word) => {
    expect(sharedStorageProblem(storageClass)).toBe(
      `is "${storageClass}", a class of block volumes (${word}), which one node mounts at a time; use a class of ` +
        'ReadWriteMany file volumes, such as those of EFS, Filestore or Azure Files',
    );
  });

  test("is not the cluster's class for block volumes, whatever it is called", () => {
    expect(sharedStorageProblem('fast', 'fast')).toContain(
      `is "fast", the cluster's class for block volumes, which one`,
    );
    expect(sharedStorageProblem('fast', 'other')).toBeUndefined();
  });
});
