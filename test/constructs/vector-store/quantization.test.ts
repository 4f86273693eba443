import { Quantization } from '../../../constructs/vector-store/quantization';

describe('quantization', () => {
  test('takes a quarter or a thirty-second of the memory of the vectors', () => {
    expect(Quantization.NONE.bytesPerDimension).toBe(4);
    expect(Quantization.SCALAR.bytesPerDimension).toBe(1);
    expect(Quantization.BINARY.bytesPerDimension).toBe(0.125);
  });

  test('is what Qdrant calls it, in memory', () => {
    expect(Quantization.SCALAR._config).toEqual({ scalar: { type: 'int8', always_ram: true } });
    expect(Quantization.BINARY._config).toEqual({ binary: { always_ram: true } });
  });

  test('says nothing when there is none', () => {
    expect(Quantization.NONE.name).toBe('none');
    expect(Quantization.NONE._config).toBeUndefined();
  });
});
