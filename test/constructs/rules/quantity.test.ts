import { Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import fc from 'fast-check';
import {
  bytesIn,
  countQuantity,
  cpuQuantity,
  decimalQuantity,
  kibibytesOf,
  millisOf,
  sizeQuantity,
  sizeText,
} from '../../../constructs/rules/quantity';

const KIBIBYTES: { readonly [unit: string]: number } = { Ki: 1, Mi: 1024, Gi: 1024 ** 2, Ti: 1024 ** 3, Pi: 1024 ** 4 };
const THOUSANDTHS: { readonly [unit: string]: number } = { m: 1, '': 1000, k: 1e6, M: 1e9, G: 1e12, T: 1e15 };

/** What a text says, in KiB; undefined when the API server would write it otherwise. */
function kibibytesIn(text: string): number | undefined {
  const [, digits, unit = ''] = /^([1-9]\d*)(Ki|Mi|Gi|Ti|Pi)$/.exec(text) ?? [];
  return digits === undefined || (Number(digits) % 1024 === 0 && unit !== 'Pi')
    ? undefined
    : Number(digits) * (KIBIBYTES[unit] as number);
}

/** What a text says, in thousandths; undefined when the API server would write it otherwise. */
function thousandthsIn(text: string): number | undefined {
  const [, digits, unit = ''] = /^([1-9]\d*)([mkMGT]?)$/.exec(text) ?? [];
  return digits === undefined || (Number(digits) % 1000 === 0 && unit !== 'T')
    ? undefined
    : Number(digits) * (THOUSANDTHS[unit] as number);
}

const wholeSize = fc.oneof(
  fc.integer({ min: 1, max: 2 ** 31 - 1 }).map((amount) => Size.kibibytes(amount)),
  fc.integer({ min: 1, max: 2 ** 30 - 1 }).map((amount) => Size.mebibytes(amount)),
  fc.integer({ min: 1, max: 2 ** 20 - 1 }).map((amount) => Size.gibibytes(amount)),
  fc.integer({ min: 1, max: 4096 }).map((amount) => Size.tebibytes(amount)),
  fc.integer({ min: 1, max: 4096 }).map((quarters) => Size.gibibytes(quarters / 4)),
);

describe('a size', () => {
  test('is written as the API server writes it back, and says the same', () => {
    fc.assert(
      fc.property(wholeSize, (size) => {
        expect(kibibytesIn(sizeQuantity(size).value as string)).toBe(size.toKibibytes());
      }),
    );
  });

  test.each([
    ['1Ki', Size.kibibytes(1)],
    ['1Ki', Size.kibibytes(0.001)],
    ['1023Ki', Size.kibibytes(1023)],
    ['1Mi', Size.kibibytes(1024)],
    ['1025Ki', Size.kibibytes(1025)],
    ['1Gi', Size.mebibytes(1024)],
    ['1536Mi', Size.gibibytes(1.5)],
    ['2Ti', Size.gibibytes(2048)],
    ['3Pi', Size.tebibytes(3072)],
    ['2048Pi', Size.pebibyte(2048)],
  ])('is written as %s', (text, size) => {
    expect(sizeQuantity(size).value).toBe(text);
    expect(sizeText(size)).toBe(text);
  });

  test.each([
    ['0Ki', Size.kibibytes(0)],
    ['0Gi', Size.gibibytes(0)],
    ['NaNGi', Size.gibibytes(Number.NaN)],
  ])('of %s is refused', (shown, size) => {
    const refusal = new Error(`size is ${shown}, but must be above 0`);
    expect(() => sizeText(size)).toThrow(refusal);
    expect(() => sizeQuantity(size)).toThrow(refusal);
  });

  test('is rounded up before its unit is chosen', () => {
    expect(sizeQuantity(Size.kibibytes(1023.1)).value).toBe('1Mi');
    expect(sizeQuantity(Size.mebibytes(1023.9999)).value).toBe('1Gi');
    expect(sizeQuantity(Size.kibibytes(1024.1)).value).toBe('1025Ki');
  });

  test('is never less than what was asked for, and less than a KiB more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (bytes) => {
        const size = Size.kibibytes(bytes / 1024);
        expect(kibibytesOf(size) * 1024).toBeGreaterThanOrEqual(bytes);
        expect(kibibytesOf(size) * 1024).toBeLessThan(bytes + 1024);
        expect(kibibytesIn(sizeQuantity(size).value as string)).toBe(kibibytesOf(size));
      }),
    );
  });
});

describe('CPU', () => {
  test('is written as the API server writes it back, and says the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9_999_999 }), (millis) => {
        expect(thousandthsIn(cpuQuantity(Cpu.millis(millis)).value as string)).toBe(millis);
        expect(millisOf(Cpu.millis(millis))).toBe(millis);
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9999 }), (units) => {
        expect(thousandthsIn(cpuQuantity(Cpu.units(units)).value as string)).toBe(units * 1000);
        expect(millisOf(Cpu.units(units))).toBe(units * 1000);
      }),
    );
  });

  test.each([
    ['500m', 500, Cpu.units(0.5)],
    ['1500m', 1500, Cpu.units(1.5)],
    ['1', 1000, Cpu.millis(1000)],
    ['1001m', 1001, Cpu.millis(1001)],
    ['100m', 100, Cpu.millis(100)],
    ['1m', 1, Cpu.millis(1)],
    ['2k', 2_000_000, Cpu.units(2000)],
  ])('is written as %s, which is %s thousandths', (text, millis, cpu) => {
    expect(cpuQuantity(cpu).value).toBe(text);
    expect(millisOf(cpu)).toBe(millis);
  });

  test('is rounded to thousandths, the finest that there are', () => {
    expect(cpuQuantity(Cpu.units(0.1 + 0.2)).value).toBe('300m');
    expect(cpuQuantity(Cpu.units(1.0004)).value).toBe('1');
    expect(cpuQuantity(Cpu.units(1.0006)).value).toBe('1001m');
    expect(cpuQuantity(Cpu.units(0.0006)).value).toBe('1m');
  });

  test.each([
    ['0', Cpu.units(0)],
    ['0m', Cpu.millis(0)],
    ['0.0004', Cpu.units(0.0004)],
    ['-1', Cpu.units(-1)],
  ])('of %s is refused', (amount, cpu) => {
    expect(() => cpuQuantity(cpu)).toThrow(`resources.cpu is ${amount}, but must be at least 1m`);
  });
});

describe('a number of thousandths', () => {
  test('is written as the API server writes it back, and says the same', () => {
    const thousandths = fc.oneof(
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      fc.integer({ min: 1, max: 9_000_000 }).map((thousands) => thousands * 1e6),
    );
    fc.assert(
      fc.property(thousandths, (amount) => {
        expect(thousandthsIn(decimalQuantity(amount).value as string)).toBe(amount);
      }),
    );
  });

  test.each([
    ['0', 0],
    ['1m', 1],
    ['999m', 999],
    ['1', 1000],
    ['1500m', 1500],
    ['1500', 1_500_000],
    ['20k', 20_000_000],
    ['3M', 3e9],
    ['4G', 4e12],
    ['5T', 5e15],
  ])('is written as %s', (text, thousandths) => {
    expect(decimalQuantity(thousandths).value).toBe(text);
  });
});

test.each([
  ['0', 0],
  ['8', 8],
  ['16', 16],
])('a count of devices is the text %s', (text, count) => {
  expect(countQuantity(count).value).toBe(text);
});

test.each([
  ['1', 1],
  ['20Gi', 20 * 1024 ** 3],
  ['1.5Mi', 1.5 * 1024 ** 2],
  ['1Ki', 1024],
  ['2k', 2000],
  ['5G', 5e9],
  ['1Pi', 1024 ** 5],
  ['', undefined],
  ['1e3', undefined],
  ['500m', undefined],
  [undefined, undefined],
])('%p is %p bytes', (quantity, bytes) => {
  expect(bytesIn(quantity)).toBe(bytes);
});
