import { Size } from 'cdk8s';
import type { Cpu, k8s } from 'cdk8s-plus-28';
import type { IConstruct } from 'constructs';
import type { ExtendedResource } from '../placement/placement';
import { countQuantity, cpuQuantity, kibibytesOf, millisOf, sizeQuantity, sizeText } from '../rules/quantity';
import { refuse, UsageError } from '../rules/usage-error';

/** What a container asks for and may use. */
export interface Resources {
  /** CPU that the scheduler reserves. */
  readonly cpu: Cpu;

  /**
   * Most CPU that the container may use.
   * @default - no limit: throttling costs more latency than it protects
   */
  readonly cpuLimit?: Cpu;

  /** Memory that the scheduler reserves. */
  readonly memory: Size;

  /**
   * Memory at which the container is killed; at least `memory`.
   * @default - the same as `memory`, so that a pod never uses memory that was not reserved for it
   */
  readonly memoryLimit?: Size;

  /**
   * Disk for logs and the writable layer; disk-backed scratch volumes come on top by themselves.
   * @default Size.mebibytes(256)
   */
  readonly ephemeralStorage?: Size;
}

/** Refuses what asks for nothing, and limits below what is asked for. */
export function checkResources(scope: IConstruct, resources: Resources): void {
  const { cpu, cpuLimit, memory, memoryLimit, ephemeralStorage } = resources;
  for (const [name, size] of Object.entries({ memory, memoryLimit, ephemeralStorage })) {
    if (size !== undefined && !(kibibytesOf(size) > 0)) {
      throw new UsageError(`is ${size.asString()}, but must be above 0`, { scope, property: `resources.${name}` });
    }
  }
  if (!(millisOf(cpu) >= 1)) {
    throw new UsageError(`is ${cpu.amount}, but must be at least 1m`, { scope, property: 'resources.cpu' });
  }
  if (memoryLimit !== undefined && kibibytesOf(memoryLimit) < kibibytesOf(memory)) {
    throw new UsageError(
      `is ${sizeText(memoryLimit)}, below memory, which is ${sizeText(memory)}; raise it, or leave it out`,
      {
        scope,
        property: 'resources.memoryLimit',
      },
    );
  }
  if (cpuLimit !== undefined) {
    refuse(cpuLimitProblem(cpuLimit, cpu), { scope, property: 'resources.cpuLimit' });
  }
}

/** Why a container that reserves this CPU cannot have this limit; undefined when it can. */
export function cpuLimitProblem(limit: Cpu, cpu: Cpu): string | undefined {
  if (!(millisOf(limit) >= 1)) {
    return `is ${limit.amount}, but must be at least 1m`;
  }
  return millisOf(limit) < millisOf(cpu)
    ? `is ${limit.amount}, below cpu, which is ${cpu.amount}; raise it, or leave it out`
    : undefined;
}

/** Requests and limits of a container with these scratch volumes and this extended resource. */
export function renderResources(
  resources: Resources,
  scratch: Size[],
  extended: ExtendedResource | undefined,
): k8s.ResourceRequirements {
  const disk = [resources.ephemeralStorage ?? Size.mebibytes(256), ...scratch];
  const ephemeral = sizeQuantity(Size.kibibytes(disk.reduce((sum, size) => sum + kibibytesOf(size), 0)));
  const devices = extended === undefined ? {} : { [extended.name]: countQuantity(extended.count) };
  return {
    requests: {
      cpu: cpuQuantity(resources.cpu),
      memory: sizeQuantity(resources.memory),
      'ephemeral-storage': ephemeral,
      ...devices,
    },
    limits: {
      ...(resources.cpuLimit === undefined ? {} : { cpu: cpuQuantity(resources.cpuLimit) }),
      memory: sizeQuantity(resources.memoryLimit ?? resources.memory),
      'ephemeral-storage': ephemeral,
      ...devices,
    },
  };
}
