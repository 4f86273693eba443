import { type Size, SizeRoundingBehavior } from 'cdk8s';
import { type Cpu, k8s } from 'cdk8s-plus-28';
import { UsageError } from './usage-error';

const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi'] as const;
const DECIMAL = ['', 'k', 'M', 'G', 'T'] as const;

/**
 * A size as the API server writes it back: the largest binary unit in which it is whole. Written any other
 * way it would differ from what Argo CD reads.
 */
export function sizeQuantity(size: Size): k8s.Quantity {
  return k8s.Quantity.fromString(sizeText(size));
}

/** A size as it is written: `512Mi`. Nothing of this library has the size 0, which the kubelet reads as "any". */
export function sizeText(size: Size): string {
  const kibibytes = kibibytesOf(size);
  if (!(kibibytes > 0)) {
    throw new UsageError(`is ${size.asString()}, but must be above 0`, { property: 'size' });
  }
  return inLargestUnit(kibibytes, 1024, BINARY);
}

/** A size in KiB; a part of one counts as a whole, because asking for less would be wrong. */
export function kibibytesOf(size: Size): number {
  return Math.ceil(size.toKibibytes({ rounding: SizeRoundingBehavior.NONE }));
}

/** CPU as the API server writes it back: `2`, `1500m`. */
export function cpuQuantity(cpu: Cpu): k8s.Quantity {
  const millis = millisOf(cpu);
  if (!(millis >= 1)) {
    throw new UsageError(`is ${cpu.amount}, but must be at least 1m`, { property: 'resources.cpu' });
  }
  return decimalQuantity(millis);
}

/** CPU in thousandths. */
export function millisOf({ amount }: Cpu): number {
  return Math.round(amount.endsWith('m') ? Number(amount.slice(0, -1)) : Number(amount) * 1000);
}

/** A number of thousandths as the API server writes it back: `1500m`, `20`, `2k`. */
export function decimalQuantity(thousandths: number): k8s.Quantity {
  const whole = thousandths % 1000 === 0;
  return k8s.Quantity.fromString(whole ? inLargestUnit(thousandths / 1000, 1000, DECIMAL) : `${thousandths}m`);
}

/** A whole count of an extended resource. */
export function countQuantity(count: number): k8s.Quantity {
  return decimalQuantity(count * 1000);
}

/** The bytes that a manifest asks for; undefined where it says something else. */
export function bytesIn(quantity: unknown): number | undefined {
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti|Pi|k|M|G|T)?$/.exec(String(quantity)) ?? [];
  const binary = (BINARY as readonly string[]).indexOf(unit);
  const factor = binary < 0 ? 1000 ** (DECIMAL as readonly string[]).indexOf(unit) : 1024 ** (binary + 1);
  return amount === undefined ? undefined : Number(amount) * factor;
}

function inLargestUnit(amount: number, step: number, units: readonly string[]): string {
  let value = amount;
  let unit = 0;
  while (unit < units.length - 1 && value > 0 && value % step === 0) {
    value /= step;
    unit += 1;
  }
  return `${value}${units[unit]}`;
}
