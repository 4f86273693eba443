import { type Size, SizeRoundingBehavior } from 'cdk8s';
import { type Cpu, k8s } from 'cdk8s-plus-28';

const UNITS = ['Ki', 'Mi', 'Gi', 'Ti'] as const;

/**
 * A size as the API server writes it back: the largest binary unit in which it is whole. Written any other
 * way it would differ from what Argo CD reads.
 */
export function sizeQuantity(size: Size): k8s.Quantity {
  return k8s.Quantity.fromString(sizeText(size));
}

/** The same as text, for places that are not of type Quantity. */
export function sizeText(size: Size): string {
  let value = size.toKibibytes({ rounding: SizeRoundingBehavior.NONE });
  let unit = 0;
  while (unit < UNITS.length - 1 && value >= 1024 && value % 1024 === 0) {
    value /= 1024;
    unit += 1;
  }
  // A size in bytes that is no whole number of KiB is rounded up: asking for less would be wrong.
  return `${Math.ceil(value)}${UNITS[unit]}`;
}

/** CPU as the API server writes it back: `2`, `1500m`. */
export function cpuQuantity(cpu: Cpu): k8s.Quantity {
  const millis = millisOf(cpu);
  return k8s.Quantity.fromString(millis % 1000 === 0 ? String(millis / 1000) : `${millis}m`);
}

function millisOf(cpu: Cpu): number {
  const { amount } = cpu;
  return amount.endsWith('m') ? Number(amount.slice(0, -1)) : Number(amount) * 1000;
}

/** A whole count of an extended resource, as the API server writes it back. */
export function countQuantity(count: number): k8s.Quantity {
  return k8s.Quantity.fromString(String(count));
}
