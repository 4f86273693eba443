import { Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import fc from 'fast-check';
import { countQuantity, cpuQuantity, sizeQuantity, sizeText } from '../../../constructs/rules/quantity';

const KIB_PER_UNIT: { readonly [unit: string]: number } = { Ki: 1, Mi: 1024, Gi: 1024 ** 2, Ti: 1024 ** 3 };

/** What a text says, in KiB; undefined when the API server would write it otherwise. */
function kibibytesOf(text: string): number | undefined {
  const [, digits, unit = ''] = /^([1-9]\d*)(Ki|Mi|Gi|Ti)$/.exec(text) ?? [];
  const factor = KIB_PER_UNIT[unit];
  return digits === undefined || factor === undefined || Number(digits) % 1024 === 0
    ? undefined
    : Number(digits) * factor;
}

/** What a text says, in thousandths; undefined when the API server would write it otherwise. */
function millisOf(text: string): number | undefined {
  const [, digits, milli] = /^([1-9]\d*)(m?)$/.exec(text) ?? [];
  if (milli === '') {
    return Number(digits) * 1000;
  }
  return digits === undefined || Number(digits) % 1000 === 0 ? undefined : Number(digits);
}

const wholeSize = fc.oneof(
  fc.integer({ min: 1, max: 2 ** 31 - 1 }).map((amount) => Size.kibibytes(amount)),
  fc.integer({ min: 1, max: 2 ** 30 - 1 }).map((amount) => Size.mebibytes(amount)),
  fc.integer({ min: 1, max: 2 ** 20 - 1 }).map((amount) => Size.gibibytes(amount)),
  fc.integer({ min: 1, max: 1023 }).map((amount) => Size.tebibytes(amount)),
  fc.integer({ min: 1, max: 4096 }).map((quarters) => Size.gibibytes(quarters / 4)),
);

describe('a size', () => {
  test('is written as the API server writes it back, and says the same', () => {
    fc.assert(
      fc.property(wholeSize, (size) => {
        expect(kibibytesOf(sizeText(size))).toBe(size.toKibibytes());
        expect(sizeQuantity(size).value).toBe(sizeText(size));
      }),
    );
  });

  test.each([
    ['1Ki', Size.kibibytes(1)],
    ['1023Ki', Size.kibibytes(1023)],
    ['1Mi', Size.kibibytes(1024)],
    ['1025Ki', Size.kibibytes(1025)],
    ['1Gi', Size.mebibytes(1024)],
    ['1536Mi', Size.gibibytes(1.5)],
    ['2Ti', Size.gibibytes(2048)],
  ])('is written as %s', (text, size) => {
    expect(sizeText(size)).toBe(text);
  });

  test('is never less than what was asked for, and less than a KiB more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (bytes) => {
        const [, digits, unit = ''] = /^(\d+)(Ki|Mi|Gi|Ti)$/.exec(sizeText(Size.kibibytes(bytes / 1024))) ?? [];
        const written = Number(digits) * (KIB_PER_UNIT[unit] ?? 0) * 1024;
        expect(written).toBeGreaterThanOrEqual(bytes);
        expect(written).toBeLessThan(bytes + 1024);
      }),
    );
  });
});

describe('CPU', () => {
  test('is written as the API server writes it back, and says the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999 }), (millis) => {
        expect(millisOf(cpuQuantity(Cpu.millis(millis)).value as string)).toBe(millis);
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999 }), (units) => {
        expect(cpuQuantity(Cpu.units(units)).value).toBe(String(units));
      }),
    );
  });

  test.each([
    ['500m', Cpu.units(0.5)],
    ['1500m', Cpu.units(1.5)],
    ['1', Cpu.millis(1000)],
    ['1001m', Cpu.millis(1001)],
    ['100m', Cpu.millis(100)],
  ])('is written as %s', (text, cpu) => {
    expect(cpuQuantity(cpu).value).toBe(text);
  });
});

test('a count of devices is text', () => {
  expect(countQuantity(8).value).toBe('8');
});
