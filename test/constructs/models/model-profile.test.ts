import { Size } from 'cdk8s';
import fc from 'fast-check';
import { ModelProfile, type ModelProfileProps } from '../../../constructs/models/model-profile';
import { Precision } from '../../../constructs/models/precision';

const ATTENTION = { layers: 32, keyValueHeads: 8, headDimension: 128 };

describe('the memory of weights', () => {
  test.each([
    ['FP32', Precision.FP32, 'fp32', 4],
    ['BF16', Precision.BF16, 'bf16', 2],
    ['FP16', Precision.FP16, 'fp16', 2],
    ['FP8', Precision.FP8, 'fp8', 1],
    ['INT8', Precision.INT8, 'int8', 1],
    ['INT4', Precision.INT4, 'int4', 0.55],
    ['Q4_K_M', Precision.Q4_K_M, 'q4_K_M', 0.62],
  ])('in %s is parameters times bytes', (_, precision, name, bytes) => {
    expect(precision).toMatchObject({ name, bytes });
    const profile = ModelProfile.of({ parametersBillions: 8, precision });
    expect(profile.weightsGb).toBeCloseTo(8 * bytes, 9);
    expect(profile.arithmetic).toBe(`8 billion parameters × ${bytes} bytes (${name})`);
  });

  test('is in 16 bits unless told otherwise', () => {
    const profile = ModelProfile.of({ parametersBillions: 0.568 });
    expect(profile.weightsGb).toBeCloseTo(1.136, 9);
    expect(profile.arithmetic).toBe('0.568 billion parameters × 2 bytes (bf16)');
  });

  test('is in the format of a server only where none was said', () => {
    const unsaid = ModelProfile.of({ parametersBillions: 8, attention: ATTENTION });
    expect(unsaid.unlessSaid(Precision.Q4_K_M).weightsGb).toBeCloseTo(4.96, 9);
    expect(unsaid.unlessSaid(Precision.Q4_K_M).filesGb).toBeCloseTo(4.96, 9);
    expect(unsaid.unlessSaid(Precision.Q4_K_M).keyValuesPerToken).toBe(unsaid.keyValuesPerToken);
    const said = ModelProfile.of({ parametersBillions: 8, precision: Precision.BF16 });
    expect(said.unlessSaid(Precision.Q4_K_M)).toBe(said);
    const files = ModelProfile.ofWeights(Size.gibibytes(15));
    expect(files.unlessSaid(Precision.Q4_K_M)).toBe(files);
  });

  test('may be known by the files alone, in decimal gigabytes', () => {
    const profile = ModelProfile.ofWeights(Size.gibibytes(15));
    expect(profile.weightsGb).toBeCloseTo(16.106, 3);
    expect(profile.arithmetic).toBe('size of the weight files');
    expect(profile.keyValuesPerToken).toBeUndefined();
  });
});

describe('the size of the files', () => {
  test('is that of the weights, unless they are published in another format', () => {
    const of = (filePrecision?: Precision) =>
      ModelProfile.of({ parametersBillions: 0.5, precision: Precision.FP16, filePrecision });
    expect(of().filesGb).toBe(1);
    expect(of(Precision.FP32)).toMatchObject({ weightsGb: 1, filesGb: 2 });
    const files = ModelProfile.ofWeights(Size.gibibytes(15));
    expect(files.filesGb).toBe(files.weightsGb);
  });
});

describe('what a token keeps', () => {
  test('is a key and a value for each head of each layer', () => {
    expect(ModelProfile.of({ parametersBillions: 8, attention: ATTENTION }).keyValuesPerToken).toBe(65536);
  });

  test('is nothing where there is no cache', () => {
    expect(ModelProfile.of({ parametersBillions: 0.5 }).keyValuesPerToken).toBeUndefined();
  });

  test('does not depend on the precision of the weights', () => {
    const of = (precision: Precision) =>
      ModelProfile.of({ parametersBillions: 8, precision, attention: ATTENTION }).keyValuesPerToken;
    expect(of(Precision.INT4)).toBe(of(Precision.FP32));
  });
});

describe('mistakes', () => {
  const refused: [string, Partial<ModelProfileProps>][] = [0, -1, Number.NaN, Number.POSITIVE_INFINITY].flatMap(
    (value): [string, Partial<ModelProfileProps>][] => [
      [`parametersBillions is ${value}`, { parametersBillions: value }],
      [`layers is ${value}`, { attention: { ...ATTENTION, layers: value } }],
      [`keyValueHeads is ${value}`, { attention: { ...ATTENTION, keyValueHeads: value } }],
      [`headDimension is ${value}`, { attention: { ...ATTENTION, headDimension: value } }],
    ],
  );

  test.each(refused)('%s', (mistake, props) => {
    expect(() => ModelProfile.of({ parametersBillions: 8, ...props })).toThrow(
      new Error(`profile.${mistake}, but must be above 0`),
    );
  });

  test('are none as long as every number is above zero', () => {
    const number = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(number, number, number, number, (parametersBillions, layers, keyValueHeads, headDimension) => {
        const attention = { layers, keyValueHeads, headDimension };
        const profile = ModelProfile.of({ parametersBillions, attention });
        expect(profile.weightsGb).toBeGreaterThan(0);
        expect(profile.keyValuesPerToken).toBeGreaterThan(0);
      }),
    );
  });
});
