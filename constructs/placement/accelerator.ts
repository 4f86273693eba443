import { UsageError } from '../rules/usage-error';
import type { Cloud, NodeTerm } from './cloud';

/** What is known of a kind of GPU. */
export interface AcceleratorProps {
  /** Name of the accelerator in environment files and messages: `nvidia-l4`. */
  readonly name: string;

  /** Memory of one device in GB (10^9 bytes), as the vendor states it; the device has a little more. */
  readonly memoryGb: number;

  /**
   * NVIDIA's compute capability: 8.9. Servers choose builds and number formats by it.
   * @default - unknown; builds for every device are used
   */
  readonly computeCapability?: number;

  /**
   * Extended resource that a container asks for.
   * @default "nvidia.com/gpu"
   */
  readonly resource?: string;

  /**
   * Values of the label `nvidia.com/gpu.product` that NVIDIA's GPU feature discovery sets: one for each form in which
   * the device is built, such as SXM and PCIe. A node with any of them will do.
   * @default - nodes are not selected by that label
   */
  readonly products?: readonly string[];

  /**
   * Value of the label `cloud.google.com/gke-accelerator`.
   * @default - GKE does not offer it
   */
  readonly gkeAccelerator?: string;

  /**
   * Value of the label `karpenter.k8s.aws/instance-gpu-name` of Karpenter, and of `eks.amazonaws.com/instance-gpu-name`
   * of EKS Auto Mode.
   * @default - Amazon EC2 does not offer it
   */
  readonly karpenterGpuName?: string;

  /**
   * Value of their labels `instance-gpu-memory`, in MiB, where the name alone fits devices of several sizes.
   * @default - the name says enough
   */
  readonly karpenterGpuMemory?: number;

  /**
   * MIG profiles that the device can be cut into: `1g.10gb`.
   * @default - the device cannot be partitioned
   */
  readonly migProfiles?: string[];
}

/** What makes an accelerator a part of a device. */
interface AcceleratorPart {
  /** The device. */
  readonly whole: Accelerator;
  /** Labels of the nodes whose devices are divided so. */
  readonly selector: { readonly [label: string]: string };
  /** Whether the memory is that of the whole device. */
  readonly shared: boolean;
}

/** Label that GKE puts on nodes with partitioned GPUs; there the resource name stays `nvidia.com/gpu`. */
const GKE_PARTITION_LABEL = 'cloud.google.com/gke-gpu-partition-size';
const GKE_SHARING_LABEL = 'cloud.google.com/gke-gpu-sharing-strategy';

const MIG_A100_40 = ['1g.5gb', '2g.10gb', '3g.20gb', '4g.20gb', '7g.40gb'];
const MIG_80 = ['1g.10gb', '1g.20gb', '2g.20gb', '3g.40gb', '4g.40gb', '7g.80gb'];
const MIG_H200 = ['1g.18gb', '1g.35gb', '2g.35gb', '3g.71gb', '4g.71gb', '7g.141gb'];

/**
 * A kind of GPU, a slice of one, or a share of one. From it follow the extended resource, the node
 * selector of each cloud, the toleration and the runtime class.
 *
 * Sources: NVIDIA k8s-device-plugin (README, resource names and MIG strategies), GPU feature discovery
 * (labels), GKE docs "About GPUs", Karpenter docs "Well-known labels".
 */
export class Accelerator {
  /** 16 GB, Turing. */
  public static readonly NVIDIA_T4 = new Accelerator({
    name: 'nvidia-t4',
    memoryGb: 16,
    computeCapability: 7.5,
    products: ['Tesla-T4'],
    gkeAccelerator: 'nvidia-tesla-t4',
    karpenterGpuName: 't4',
  });

  /** 24 GB, Ada Lovelace. */
  public static readonly NVIDIA_L4 = new Accelerator({
    name: 'nvidia-l4',
    memoryGb: 24,
    computeCapability: 8.9,
    products: ['NVIDIA-L4'],
    gkeAccelerator: 'nvidia-l4',
    karpenterGpuName: 'l4',
  });

  /** 24 GB, Ampere. */
  public static readonly NVIDIA_A10G = new Accelerator({
    name: 'nvidia-a10g',
    memoryGb: 24,
    computeCapability: 8.6,
    products: ['NVIDIA-A10G'],
    karpenterGpuName: 'a10g',
  });

  /** 48 GB, Ada Lovelace. */
  public static readonly NVIDIA_L40S = new Accelerator({
    name: 'nvidia-l40s',
    memoryGb: 48,
    computeCapability: 8.9,
    products: ['NVIDIA-L40S'],
    karpenterGpuName: 'l40s',
  });

  /** 40 GB, Ampere, MIG. */
  public static readonly NVIDIA_A100_40 = new Accelerator({
    name: 'nvidia-a100-40',
    memoryGb: 40,
    computeCapability: 8,
    products: ['NVIDIA-A100-SXM4-40GB', 'NVIDIA-A100-PCIE-40GB'],
    gkeAccelerator: 'nvidia-tesla-a100',
    karpenterGpuName: 'a100',
    karpenterGpuMemory: 40960,
    migProfiles: MIG_A100_40,
  });

  /** 80 GB, Ampere, MIG. */
  public static readonly NVIDIA_A100_80 = new Accelerator({
    name: 'nvidia-a100-80',
    memoryGb: 80,
    computeCapability: 8,
    products: ['NVIDIA-A100-SXM4-80GB', 'NVIDIA-A100-80GB-PCIe'],
    gkeAccelerator: 'nvidia-a100-80gb',
    karpenterGpuName: 'a100',
    karpenterGpuMemory: 81920,
    migProfiles: MIG_80,
  });

  /** 80 GB, as NVL 94 GB, Hopper, MIG. Slices have the sizes of those of 80 GB. */
  public static readonly NVIDIA_H100 = new Accelerator({
    name: 'nvidia-h100',
    memoryGb: 80,
    computeCapability: 9,
    products: ['NVIDIA-H100-80GB-HBM3', 'NVIDIA-H100-PCIe', 'NVIDIA-H100-NVL'],
    gkeAccelerator: 'nvidia-h100-80gb',
    karpenterGpuName: 'h100',
    migProfiles: MIG_80,
  });

  /** 141 GB, Hopper, MIG. */
  public static readonly NVIDIA_H200 = new Accelerator({
    name: 'nvidia-h200',
    memoryGb: 141,
    computeCapability: 9,
    products: ['NVIDIA-H200', 'NVIDIA-H200-NVL'],
    gkeAccelerator: 'nvidia-h200-141gb',
    karpenterGpuName: 'h200',
    migProfiles: MIG_H200,
  });

  /** The devices that are listed here. */
  public static get known(): readonly Accelerator[] {
    return ALL;
  }

  /** An accelerator that is not listed here. */
  public static of(props: AcceleratorProps): Accelerator {
    if (props.name === '') {
      throw new UsageError('is empty; name it as node pools and environment files will: nvidia-l4', {
        property: 'accelerator.name',
      });
    }
    if (!(props.memoryGb > 0) || !Number.isFinite(props.memoryGb)) {
      throw new UsageError(`is ${props.memoryGb}, but must be above 0`, { property: 'accelerator.memoryGb' });
    }
    return new Accelerator(props);
  }

  /** Names that {@link Accelerator.named} knows, of whole devices. */
  public static get names(): string[] {
    return ALL.map(({ name }) => name);
  }

  /**
   * The accelerator of this name: `nvidia-l4`, a MIG slice as `nvidia-a100-80/1g.10gb`, a time-sliced
   * or MPS share as `nvidia-t4/shared`.
   */
  public static named(name: string): Accelerator {
    const [device, part, ...rest] = name.split('/');
    const known = ALL.find((accelerator) => accelerator.name === device);
    if (known === undefined || rest.length > 0) {
      throw new UsageError(
        `is "${name}", which is not a known accelerator; use one of ${Accelerator.names.join(', ')}, with a MIG profile or "shared" after a "/" if wanted`,
        { property: 'accelerator' },
      );
    }
    if (part === undefined) {
      return known;
    }
    return part === 'shared' ? known.shared() : known.mig(part);
  }

  /** Name of the accelerator in environment files and messages. */
  public readonly name: string;

  /** Memory of one allocatable unit in GB; a share has no memory of its own and states the device's. */
  public readonly memoryGb: number;

  /** NVIDIA's compute capability; undefined where it is unknown. */
  public readonly computeCapability?: number;

  /** Extended resource that a container asks for. */
  public readonly resource: string;

  private constructor(
    private readonly props: AcceleratorProps,
    private readonly part?: AcceleratorPart,
  ) {
    this.name = props.name;
    this.memoryGb = props.memoryGb;
    this.computeCapability = props.computeCapability;
    this.resource = props.resource ?? 'nvidia.com/gpu';
  }

  /**
   * A MIG slice of this device, `1g.10gb`. The device plugin must run with the MIG strategy "mixed"
   * (on GKE the node pool's partition size is selected instead).
   */
  public mig(profile: string): Accelerator {
    this.checkWhole(`a MIG slice ${profile}`);
    const { migProfiles = [] } = this.props;
    if (!migProfiles.includes(profile)) {
      const allowed = migProfiles.join(', ') || 'none, it cannot be partitioned';
      throw new UsageError(`is ${this.name}, which has no MIG profile "${profile}"; allowed: ${allowed}`, {
        property: 'accelerator',
      });
    }
    return new Accelerator(
      {
        ...this.props,
        name: `${this.name}/${profile}`,
        memoryGb: Number(/\.(\d+)gb$/.exec(profile)?.[1]),
        resource: `nvidia.com/mig-${profile}`,
      },
      { whole: this, selector: { [GKE_PARTITION_LABEL]: profile }, shared: false },
    );
  }

  /**
   * A share of this device, by time-slicing or MPS with `renameByDefault: true`. Shares of one device
   * are not isolated from one another's memory use.
   */
  public shared(): Accelerator {
    this.checkWhole('a share');
    return new Accelerator(
      { ...this.props, name: `${this.name}/shared`, resource: `${this.resource}.shared` },
      { whole: this, selector: { [GKE_SHARING_LABEL]: 'time-sharing' }, shared: true },
    );
  }

  /** Whether it is a device, and neither a slice nor a share of one. */
  public get isWhole(): boolean {
    return this.part === undefined;
  }

  /** Whether others compute in the same memory. */
  public get isShared(): boolean {
    return this.part?.shared ?? false;
  }

  /** The extended resource as this cloud's device plugin names it. */
  public resourceOn(cloud: Cloud): string {
    return cloud.partitionsByNodeLabel && this.part !== undefined ? this.part.whole.resource : this.resource;
  }

  /** Nodes that have this accelerator, by any of these terms, in a pool without labels of its own. */
  public nodesOn(cloud: Cloud): NodeTerm[] {
    const terms = cloud.acceleratorNodes(this.props);
    const part = cloud.partitionsByNodeLabel ? Object.entries(this.part?.selector ?? {}) : [];
    const labels = Object.fromEntries(part.map(([label, value]) => [label, [value]]));
    return terms.map((term) => ({ ...term, ...labels }));
  }

  private checkWhole(what: string): void {
    if (this.part !== undefined) {
      throw new UsageError(`is ${this.name}, which is a part of a device already; take ${what} of the device`, {
        property: 'accelerator',
      });
    }
  }
}

const ALL: readonly Accelerator[] = [
  Accelerator.NVIDIA_T4,
  Accelerator.NVIDIA_L4,
  Accelerator.NVIDIA_A10G,
  Accelerator.NVIDIA_L40S,
  Accelerator.NVIDIA_A100_40,
  Accelerator.NVIDIA_A100_80,
  Accelerator.NVIDIA_H100,
  Accelerator.NVIDIA_H200,
];
