import type { Size } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import type { PodSet } from '../network/peer';
import { SyncWave } from '../network/sync-wave';
import { Cluster } from '../placement/cluster';
import { sharedStorageProblem } from '../placement/storage-class';
import { ExternalReferences } from '../rules/external-references';
import { checkObjectName } from '../rules/object-name';
import { OutputRules } from '../rules/output-rules';
import { sizeQuantity } from '../rules/quantity';
import { refuse, UsageError } from '../rules/usage-error';

/** A volume that pods on several nodes mount at once. */
export interface SharedVolumeProps {
  /** Its size. */
  readonly size: Size;

  /**
   * Storage class, of ReadWriteMany file volumes.
   * @default - the cluster's class for shared volumes
   */
  readonly storageClass?: string;

  /**
   * Name of the claim.
   * @default - the construct's id
   */
  readonly name?: string;
}

/** A ReadWriteMany claim: for files that can be fetched again, such as models, never for a database. */
export class SharedVolume extends Construct {
  /**
   * Group of all pods that write to shared volumes, whatever their users are. With groups of their own each would
   * have the kubelet give the whole tree to its group when it starts, and take it from the others.
   */
  public static readonly GROUP = 1000;

  /** The claim. */
  public readonly claim: k8s.KubePersistentVolumeClaim;
  /** Name of the claim. */
  public readonly name: string;

  private readonly users: PodSet[] = [];

  public constructor(scope: Construct, id: string, props: SharedVolumeProps) {
    super(scope, id);
    this.name = props.name ?? id;
    checkObjectName(this, this.name, 'PersistentVolumeClaim');
    this.claim = new k8s.KubePersistentVolumeClaim(this, 'Resource', {
      metadata: { name: this.name, annotations: SyncWave.first(this, this.users).annotations },
      spec: {
        accessModes: ['ReadWriteMany'],
        resources: { requests: { storage: sizeQuantity(props.size) } },
        storageClassName: this.storageClassOf(props),
        volumeMode: 'Filesystem',
      },
    });
    OutputRules.attach(this);
  }

  /** Has the claim applied with the first of the pods that mount it: many classes bind a volume only then. */
  public mountedBy(pods: PodSet): void {
    this.users.push(pods);
  }

  private storageClassOf({ storageClass }: SharedVolumeProps): string {
    const { shared, block } = Cluster.of(this).storage;
    const name = storageClass ?? shared;
    if (name === undefined) {
      throw new UsageError(
        'is missing, and the cluster declares no class for shared volumes; set storage.shared in the cluster',
        { scope: this, property: 'storageClass' },
      );
    }
    refuse(sharedStorageProblem(name, block), { scope: this, property: 'storageClass' });
    ExternalReferences.of(this).declare({ kind: 'StorageClass', name });
    return name;
  }
}
