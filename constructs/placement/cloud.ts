import { UsageError } from '../rules/usage-error';

/** The labels by which a kind of GPU is known; each cloud uses the one it sets on its nodes. */
export interface AcceleratorLabels {
  /** Values of `nvidia.com/gpu.product`, one for each form in which the device is built. */
  readonly products?: readonly string[];
  /** Value of `cloud.google.com/gke-accelerator`. */
  readonly gkeAccelerator?: string;
  /** Value of the label of Karpenter and EKS Auto Mode for the name of a GPU. */
  readonly karpenterGpuName?: string;
  /** Value of their label for its memory, in MiB. */
  readonly karpenterGpuMemory?: number;
}

/** Nodes that have each of these labels, with one of its values. */
export type NodeTerm = { readonly [label: string]: readonly string[] };

/**
 * Where the cluster runs. Decides which node labels say what GPU a node has.
 *
 * Sources: Karpenter docs "Well-known labels"; Amazon EKS docs "Create a Node Pool for EKS Auto Mode"; GKE docs "About
 * GPUs"; AKS docs "Use GPUs"; NVIDIA GPU feature discovery README.
 */
export class Cloud {
  /**
   * Amazon EKS, with nodes of Karpenter, of EKS Auto Mode, or of node groups in which NVIDIA's GPU feature discovery
   * labels the nodes. Each has labels of its own, and Karpenter tries one alternative after the other.
   */
  public static readonly EKS = new Cloud('eks', ({ karpenterGpuName, karpenterGpuMemory, products }) => [
    ...ec2('karpenter.k8s.aws', karpenterGpuName, karpenterGpuMemory),
    ...ec2('eks.amazonaws.com', karpenterGpuName, karpenterGpuMemory),
    ...byProduct({ products }),
  ]);

  /** Google GKE: MIG partitions and time-sharing are chosen by node label, the resource stays `nvidia.com/gpu`. */
  public static readonly GKE = new Cloud(
    'gke',
    ({ gkeAccelerator }) =>
      gkeAccelerator === undefined ? [] : [{ 'cloud.google.com/gke-accelerator': [gkeAccelerator] }],
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
    private readonly termsOf: (labels: AcceleratorLabels) => NodeTerm[],
    /** Whether slices and shares of a GPU are selected by node label and not by resource name. */
    public readonly partitionsByNodeLabel: boolean = false,
  ) {}

  /** Nodes with a kind of GPU, by any of these terms; none where this cloud has no label for it. */
  public acceleratorNodes(labels: AcceleratorLabels): NodeTerm[] {
    return this.termsOf(labels);
  }
}

function byProduct({ products = [] }: AcceleratorLabels): NodeTerm[] {
  return products.length === 0 ? [] : [{ 'nvidia.com/gpu.product': products }];
}

/** Labels of instances of EC2, which Karpenter and EKS Auto Mode set under prefixes of their own. */
function ec2(prefix: string, gpuName: string | undefined, gpuMemory: number | undefined): NodeTerm[] {
  if (gpuName === undefined) {
    return [];
  }
  const memory = gpuMemory === undefined ? {} : { [`${prefix}/instance-gpu-memory`]: [String(gpuMemory)] };
  return [{ [`${prefix}/instance-gpu-name`]: [gpuName], ...memory }];
}
