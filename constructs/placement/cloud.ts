import { UsageError } from '../rules/usage-error';

/** The labels by which a kind of GPU is known; each cloud uses the one it sets on its nodes. */
export interface AcceleratorLabels {
  /** Value of `nvidia.com/gpu.product`. */
  readonly product?: string;
  /** Value of `cloud.google.com/gke-accelerator`. */
  readonly gkeAccelerator?: string;
  /** Value of `karpenter.k8s.aws/instance-gpu-name`. */
  readonly karpenterGpuName?: string;
  /** Value of `karpenter.k8s.aws/instance-gpu-memory`, in MiB. */
  readonly karpenterGpuMemory?: number;
}

/**
 * Where the cluster runs. Decides which node labels say what GPU a node has.
 *
 * Sources: Karpenter docs "Well-known labels"; GKE docs "About GPUs"; AKS docs "Use GPUs"; NVIDIA GPU
 * feature discovery README.
 */
export class Cloud {
  /** Amazon EKS with Karpenter nodes. */
  public static readonly EKS = new Cloud('eks', ({ karpenterGpuName, karpenterGpuMemory }) => ({
    'karpenter.k8s.aws/instance-gpu-name': karpenterGpuName,
    'karpenter.k8s.aws/instance-gpu-memory': karpenterGpuMemory?.toString(),
  }));

  /** Google GKE: MIG partitions and time-sharing are chosen by node label, the resource stays `nvidia.com/gpu`. */
  public static readonly GKE = new Cloud(
    'gke',
    ({ gkeAccelerator }) => ({ 'cloud.google.com/gke-accelerator': gkeAccelerator }),
    true,
  );

  /** Azure AKS with NVIDIA's GPU operator, whose feature discovery labels the nodes. */
  public static readonly AKS = new Cloud('aks', byProduct);

  /** Any cluster with NVIDIA's GPU feature discovery. */
  public static readonly GENERIC = new Cloud('generic', byProduct);

  /** The cloud of this name: `eks`, `gke`, `aks` or `generic`. */
  public static named(name: string): Cloud {
    const known = [Cloud.EKS, Cloud.GKE, Cloud.AKS, Cloud.GENERIC];
    const found = known.find((cloud) => cloud.name === name);
    if (found === undefined) {
      throw new UsageError(`is "${name}"; use one of ${known.map((cloud) => cloud.name).join(', ')}`, {
        property: 'cloud',
      });
    }
    return found;
  }

  private constructor(
    /** Name of the cloud in environment files. */
    public readonly name: string,
    private readonly labelsOf: (labels: AcceleratorLabels) => { [label: string]: string | undefined },
    /** Whether slices and shares of a GPU are selected by node label and not by resource name. */
    public readonly partitionsByNodeLabel: boolean = false,
  ) {}

  /** Node labels that select a kind of GPU; empty where this cloud has no label for it. */
  public acceleratorSelector(labels: AcceleratorLabels): { [label: string]: string } {
    const known = Object.entries(this.labelsOf(labels)).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    return Object.fromEntries(known);
  }
}

function byProduct({ product }: AcceleratorLabels): { [label: string]: string | undefined } {
  return { 'nvidia.com/gpu.product': product };
}
