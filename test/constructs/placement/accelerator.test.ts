import { Accelerator } from '../../../constructs/placement/accelerator';
import { Cloud } from '../../../constructs/placement/cloud';

const GKE = 'cloud.google.com/gke-accelerator';
const PRODUCT = 'nvidia.com/gpu.product';

/** Nodes of EKS by the labels of Karpenter, of Auto Mode, and of GPU feature discovery. */
function eks(gpuName: string, products: string[], gpuMemory?: string) {
  const ec2 = ['karpenter.k8s.aws', 'eks.amazonaws.com'].map((prefix) => ({
    [`${prefix}/instance-gpu-name`]: [gpuName],
    ...(gpuMemory === undefined ? {} : { [`${prefix}/instance-gpu-memory`]: [gpuMemory] }),
  }));
  return products.length === 0 ? ec2 : [...ec2, { [PRODUCT]: products }];
}

const A100_40 = ['NVIDIA-A100-SXM4-40GB', 'NVIDIA-A100-PCIE-40GB'];
const A100_80 = ['NVIDIA-A100-SXM4-80GB', 'NVIDIA-A100-80GB-PCIe'];
const H100 = ['NVIDIA-H100-80GB-HBM3', 'NVIDIA-H100-PCIe', 'NVIDIA-H100-NVL'];
const H200 = ['NVIDIA-H200', 'NVIDIA-H200-NVL'];

/** Name, accelerator, GB, products, label on GKE, name and memory on EKS. */
const KNOWN: [string, Accelerator, number, string[], string | undefined, string, string?][] = [
  ['nvidia-t4', Accelerator.NVIDIA_T4, 16, ['Tesla-T4'], 'nvidia-tesla-t4', 't4'],
  ['nvidia-l4', Accelerator.NVIDIA_L4, 24, ['NVIDIA-L4'], 'nvidia-l4', 'l4'],
  ['nvidia-a10g', Accelerator.NVIDIA_A10G, 24, ['NVIDIA-A10G'], undefined, 'a10g'],
  ['nvidia-l40s', Accelerator.NVIDIA_L40S, 48, ['NVIDIA-L40S'], undefined, 'l40s'],
  ['nvidia-a100-40', Accelerator.NVIDIA_A100_40, 40, A100_40, 'nvidia-tesla-a100', 'a100', '40960'],
  ['nvidia-a100-80', Accelerator.NVIDIA_A100_80, 80, A100_80, 'nvidia-a100-80gb', 'a100', '81920'],
  ['nvidia-h100', Accelerator.NVIDIA_H100, 80, H100, 'nvidia-h100-80gb', 'h100'],
  ['nvidia-h200', Accelerator.NVIDIA_H200, 141, H200, 'nvidia-h200-141gb', 'h200'],
];

const NAMES = KNOWN.map(([name]) => name).join(', ');

describe.each(KNOWN)('%s', (name, accelerator, memory, products, gke, ec2, ec2Memory) => {
  test('is a whole device of its memory', () => {
    expect(accelerator).toMatchObject({ name, memoryGb: memory, resource: 'nvidia.com/gpu' });
    expect(Accelerator.named(name)).toBe(accelerator);
  });

  test('is selected by the labels that each cloud sets, in every form in which it is built', () => {
    expect(accelerator.nodesOn(Cloud.EKS)).toStrictEqual(eks(ec2, products, ec2Memory));
    expect(accelerator.nodesOn(Cloud.AKS)).toEqual([{ [PRODUCT]: products }]);
    expect(accelerator.nodesOn(Cloud.GENERIC)).toEqual([{ [PRODUCT]: products }]);
    expect(accelerator.nodesOn(Cloud.GKE)).toEqual(gke === undefined ? [] : [{ [GKE]: [gke] }]);
  });

  test.each([Cloud.EKS, Cloud.GKE, Cloud.AKS, Cloud.GENERIC])('is asked for by the same name on $name', (cloud) => {
    expect(accelerator.resourceOn(cloud)).toBe('nvidia.com/gpu');
  });
});

test('the devices that are known are these, in this order', () => {
  expect(Accelerator.known.map(({ name }) => name)).toEqual(KNOWN.map(([name]) => name));
  expect(Accelerator.known.every((device) => Accelerator.named(device.name) === device)).toBe(true);
});

describe('the compute capability', () => {
  // https://developer.nvidia.com/cuda-gpus
  test.each([
    ['nvidia-t4', 7.5],
    ['nvidia-l4', 8.9],
    ['nvidia-a10g', 8.6],
    ['nvidia-l40s', 8.9],
    ['nvidia-a100-40', 8],
    ['nvidia-a100-80', 8],
    ['nvidia-h100', 9],
    ['nvidia-h200', 9],
  ])('of %s is %s', (name, capability) => {
    expect(Accelerator.named(name).computeCapability).toBe(capability);
  });

  test('of a part is that of its device', () => {
    expect(Accelerator.named('nvidia-h100/1g.10gb').computeCapability).toBe(9);
    expect(Accelerator.named('nvidia-t4/shared').computeCapability).toBe(7.5);
  });

  test('of an accelerator that is not listed is what it says, or unknown', () => {
    const props = { name: 'nvidia-b200', memoryGb: 180 };
    expect(Accelerator.of({ ...props, computeCapability: 10 }).computeCapability).toBe(10);
    expect(Accelerator.of(props).computeCapability).toBeUndefined();
  });
});

describe('memory that others compute in', () => {
  test('is that of a share alone', () => {
    expect(Accelerator.NVIDIA_T4.shared().isShared).toBe(true);
    expect(Accelerator.named('nvidia-a100-80/shared').isShared).toBe(true);
    expect(Accelerator.NVIDIA_A100_80.mig('1g.10gb').isShared).toBe(false);
    expect(Accelerator.known.filter(({ isShared }) => isShared)).toEqual([]);
    expect(Accelerator.of({ name: 'own', memoryGb: 8 }).isShared).toBe(false);
  });
});

describe('a MIG slice', () => {
  const slice = Accelerator.NVIDIA_A100_80.mig('1g.10gb');

  test('is a resource of its own, with the memory of its profile', () => {
    expect(slice).toMatchObject({ name: 'nvidia-a100-80/1g.10gb', memoryGb: 10, resource: 'nvidia.com/mig-1g.10gb' });
  });

  test.each([Cloud.EKS, Cloud.AKS, Cloud.GENERIC])('is asked for by that resource on $name', (cloud) => {
    expect(slice.resourceOn(cloud)).toBe('nvidia.com/mig-1g.10gb');
    expect(slice.nodesOn(cloud)).toEqual(Accelerator.NVIDIA_A100_80.nodesOn(cloud));
  });

  test('is chosen by node label on GKE', () => {
    expect(slice.resourceOn(Cloud.GKE)).toBe('nvidia.com/gpu');
    expect(slice.nodesOn(Cloud.GKE)).toEqual([
      { [GKE]: ['nvidia-a100-80gb'], 'cloud.google.com/gke-gpu-partition-size': ['1g.10gb'] },
    ]);
  });

  test.each([
    ['nvidia-a100-40', ['1g.5gb', '2g.10gb', '3g.20gb', '4g.20gb', '7g.40gb'], [5, 10, 20, 20, 40]],
    ['nvidia-a100-80', ['1g.10gb', '1g.20gb', '2g.20gb', '3g.40gb', '4g.40gb', '7g.80gb'], [10, 20, 20, 40, 40, 80]],
    ['nvidia-h100', ['1g.10gb', '1g.20gb', '2g.20gb', '3g.40gb', '4g.40gb', '7g.80gb'], [10, 20, 20, 40, 40, 80]],
    ['nvidia-h200', ['1g.18gb', '1g.35gb', '2g.35gb', '3g.71gb', '4g.71gb', '7g.141gb'], [18, 35, 35, 71, 71, 141]],
  ])('of %s has one of the profiles of the device', (device, profiles, memory) => {
    const slices = profiles.map((profile) => Accelerator.named(`${device}/${profile}`));
    expect(slices.map(({ name }) => name)).toEqual(profiles.map((profile) => `${device}/${profile}`));
    expect(slices.map(({ resource }) => resource)).toEqual(profiles.map((profile) => `nvidia.com/mig-${profile}`));
    expect(slices.map(({ memoryGb }) => memoryGb)).toEqual(memory);
  });

  test('of a device without that profile is refused', () => {
    expect(() => Accelerator.NVIDIA_A100_40.mig('1g.10gb')).toThrow(
      new Error(
        'accelerator is nvidia-a100-40, which has no MIG profile "1g.10gb"; allowed: 1g.5gb, 2g.10gb, 3g.20gb, 4g.20gb, 7g.40gb',
      ),
    );
    expect(() => Accelerator.named('nvidia-h200/1g.10gb')).toThrow(
      new Error(
        'accelerator is nvidia-h200, which has no MIG profile "1g.10gb"; allowed: 1g.18gb, 1g.35gb, 2g.35gb, 3g.71gb, ' +
          '4g.71gb, 7g.141gb',
      ),
    );
  });

  test.each(['constructor', 'toString', 'length', '0', ''])('called "%s" is no profile', (profile) => {
    expect(() => Accelerator.NVIDIA_A100_80.mig(profile)).toThrow(
      new Error(
        `accelerator is nvidia-a100-80, which has no MIG profile "${profile}"; allowed: 1g.10gb, 1g.20gb, 2g.20gb, ` +
          '3g.40gb, 4g.40gb, 7g.80gb',
      ),
    );
  });

  test.each(['nvidia-t4', 'nvidia-l4', 'nvidia-a10g', 'nvidia-l40s'])(
    'of %s is refused, because it has none',
    (device) => {
      expect(() => Accelerator.named(`${device}/1g.5gb`)).toThrow(
        new Error(
          `accelerator is ${device}, which has no MIG profile "1g.5gb"; allowed: none, it cannot be partitioned`,
        ),
      );
    },
  );
});

describe('a share', () => {
  const share = Accelerator.NVIDIA_T4.shared();

  test('is a resource of its own, and has no memory of its own', () => {
    expect(share).toMatchObject({ name: 'nvidia-t4/shared', memoryGb: 16, resource: 'nvidia.com/gpu.shared' });
    expect(Accelerator.named('nvidia-t4/shared')).toEqual(share);
  });

  test.each([Cloud.EKS, Cloud.AKS, Cloud.GENERIC])('is asked for by that resource on $name', (cloud) => {
    expect(share.resourceOn(cloud)).toBe('nvidia.com/gpu.shared');
    expect(share.nodesOn(cloud)).toEqual(Accelerator.NVIDIA_T4.nodesOn(cloud));
  });

  test('is chosen by node label on GKE', () => {
    expect(share.resourceOn(Cloud.GKE)).toBe('nvidia.com/gpu');
    expect(share.nodesOn(Cloud.GKE)).toEqual([
      { [GKE]: ['nvidia-tesla-t4'], 'cloud.google.com/gke-gpu-sharing-strategy': ['time-sharing'] },
    ]);
  });
});

describe('a part', () => {
  const slice = Accelerator.NVIDIA_A100_80.mig('1g.10gb');
  const share = Accelerator.NVIDIA_A100_80.shared();
  const refused = (name: string, what: string) =>
    new Error(`accelerator is ${name}, which is a part of a device already; take ${what} of the device`);

  test.each([slice, share])('such as $name has no parts', (part) => {
    expect(() => part.mig('1g.20gb')).toThrow(refused(part.name, 'a MIG slice 1g.20gb'));
    expect(() => part.mig('9g.99gb')).toThrow(refused(part.name, 'a MIG slice 9g.99gb'));
    expect(() => part.shared()).toThrow(refused(part.name, 'a share'));
  });

  test('leaves its device whole, for other parts of it', () => {
    expect(Accelerator.NVIDIA_A100_80).toMatchObject({ name: 'nvidia-a100-80', resource: 'nvidia.com/gpu' });
    expect(Accelerator.NVIDIA_A100_80.mig('1g.20gb').name).toBe('nvidia-a100-80/1g.20gb');
  });

  test('is the resource of its device where the cloud chooses parts by node label', () => {
    const device = Accelerator.of({
      name: 'amd-mi300x',
      memoryGb: 192,
      resource: 'amd.com/gpu',
      gkeAccelerator: 'mi300x',
    });
    expect(device.shared().resourceOn(Cloud.GKE)).toBe('amd.com/gpu');
    expect(device.shared().resourceOn(Cloud.GENERIC)).toBe('amd.com/gpu.shared');
    expect(device.shared().nodesOn(Cloud.GKE)).toEqual([
      { [GKE]: ['mi300x'], 'cloud.google.com/gke-gpu-sharing-strategy': ['time-sharing'] },
    ]);
  });
});

describe('a name', () => {
  test.each([
    'nvidia-b200',
    'NVIDIA-L4',
    'l4',
    '',
    'nvidia-b200/shared',
    'nvidia-a100-80/1g.10gb/shared',
    'nvidia-a100-80/shared/1g.10gb',
    'nvidia-l4/shared/',
  ])('"%s" is of no known accelerator', (name) => {
    expect(() => Accelerator.named(name)).toThrow(
      new Error(
        `accelerator is "${name}", which is not a known accelerator; use one of ${NAMES}, with a MIG profile or "shared" ` +
          'after a "/" if wanted',
      ),
    );
  });
});

describe('an accelerator that is not listed', () => {
  const own = Accelerator.of({ name: 'amd-mi300x', memoryGb: 192, resource: 'amd.com/gpu' });

  test('is asked for by its resource everywhere', () => {
    expect(own).toMatchObject({ name: 'amd-mi300x', memoryGb: 192, resource: 'amd.com/gpu' });
    expect(own.resourceOn(Cloud.GKE)).toBe('amd.com/gpu');
  });

  test('is selected by no label that it does not name', () => {
    for (const cloud of [Cloud.EKS, Cloud.GKE, Cloud.AKS, Cloud.GENERIC]) {
      expect(own.nodesOn(cloud)).toEqual([]);
    }
    const b200 = Accelerator.of({ name: 'nvidia-b200', memoryGb: 180, products: ['NVIDIA-B200'] });
    expect(b200.resource).toBe('nvidia.com/gpu');
    expect(b200.nodesOn(Cloud.GENERIC)).toEqual([{ [PRODUCT]: ['NVIDIA-B200'] }]);
    expect(b200.nodesOn(Cloud.EKS)).toEqual([{ [PRODUCT]: ['NVIDIA-B200'] }]);
    expect(b200.nodesOn(Cloud.GKE)).toEqual([]);
  });

  test('has the profiles that it names', () => {
    const b200 = Accelerator.of({ name: 'nvidia-b200', memoryGb: 180, migProfiles: ['1g.23gb', '2g.45gb'] });
    expect(b200.mig('1g.23gb')).toMatchObject({ memoryGb: 23, resource: 'nvidia.com/mig-1g.23gb' });
    expect(b200.mig('2g.45gb')).toMatchObject({ memoryGb: 45, resource: 'nvidia.com/mig-2g.45gb' });
    expect(() => b200.mig('1g.10gb')).toThrow(
      new Error('accelerator is nvidia-b200, which has no MIG profile "1g.10gb"; allowed: 1g.23gb, 2g.45gb'),
    );
    expect(() => own.mig('1g.10gb')).toThrow(
      new Error(
        'accelerator is amd-mi300x, which has no MIG profile "1g.10gb"; allowed: none, it cannot be partitioned',
      ),
    );
  });

  test('is told from others of its name by its memory, as Karpenter states it', () => {
    const props = { name: 'nvidia-b200', memoryGb: 180, karpenterGpuName: 'b200' };
    expect(Accelerator.of({ ...props, karpenterGpuMemory: 183359 }).nodesOn(Cloud.EKS)).toStrictEqual(
      eks('b200', [], '183359'),
    );
    expect(Accelerator.of(props).nodesOn(Cloud.EKS)).toStrictEqual(eks('b200', []));
  });
});

describe('an accelerator of its own cannot have', () => {
  test('no name', () => {
    expect(() => Accelerator.of({ name: '', memoryGb: 24 })).toThrow(
      new Error('accelerator.name is empty; name it as node pools and environment files will: nvidia-l4'),
    );
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('%s GB of memory', (memoryGb) => {
    expect(() => Accelerator.of({ name: 'own', memoryGb })).toThrow(
      new Error(`accelerator.memoryGb is ${memoryGb}, but must be above 0`),
    );
  });
});
