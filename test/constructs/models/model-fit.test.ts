import fc from 'fast-check';
import { ChatModel } from '../../../constructs/models/chat-model';
import { EmbeddingModel } from '../../../constructs/models/embedding-model';
import { ModelFit, type ModelFitProps } from '../../../constructs/models/model-fit';
import { ModelProfile } from '../../../constructs/models/model-profile';
import { Precision } from '../../../constructs/models/precision';
import { Accelerator } from '../../../constructs/placement/accelerator';
import { refusalOf } from '../../support/refusal';
import { deployed } from '../../support/workloads';

const EIGHT = ChatModel.LLAMA_3_1_8B.profile as ModelProfile;
const SEVENTY = ChatModel.LLAMA_3_3_70B.profile as ModelProfile;
const [EIGHT_INT4, SEVENTY_FP8] = [
  ModelProfile.of({
    parametersBillions: 8.03,
    precision: Precision.INT4,
    attention: { layers: 32, keyValueHeads: 8, headDimension: 128 },
  }),
  ModelProfile.of({
    parametersBillions: 70.55,
    precision: Precision.FP8,
    attention: { layers: 80, keyValueHeads: 8, headDimension: 128 },
  }),
] as const;

const { NVIDIA_T4, NVIDIA_L4, NVIDIA_A10G, NVIDIA_A100_40, NVIDIA_A100_80, NVIDIA_H100, NVIDIA_H200 } = Accelerator;

function estimate(profile: ModelProfile, accelerator: Accelerator, more: Partial<ModelFitProps> = {}): ModelFit {
  return new ModelFit({ profile, accelerator, ...more });
}

/** Estimates that people make with pencil and paper, and measure. */
describe('a model of 8 billion parameters', () => {
  test('does not fit 16 GB, and does so in 4 bits', () => {
    expect(estimate(EIGHT, NVIDIA_T4).fits).toBe(false);
    expect(estimate(EIGHT, NVIDIA_T4).cacheGb).toBeLessThan(0);
    expect(estimate(EIGHT, NVIDIA_T4).cacheTokens).toBe(0);
    expect(estimate(EIGHT_INT4, NVIDIA_T4).fits).toBe(true);
  });

  test.each([NVIDIA_L4, NVIDIA_A10G])('fits $name, with 30 to 40 thousand tokens', (accelerator) => {
    const on = estimate(EIGHT, accelerator);
    expect(on.fits).toBe(true);
    expect(on.cacheTokens).toBeGreaterThanOrEqual(30_000);
    expect(on.cacheTokens).toBeLessThanOrEqual(40_000);
    expect(on.concurrency).toBe(3);
  });

  test('fits 40 GB, with about 150 thousand tokens', () => {
    expect(estimate(EIGHT, NVIDIA_A100_40).cacheTokens).toBeGreaterThanOrEqual(135_000);
    expect(estimate(EIGHT, NVIDIA_A100_40).cacheTokens).toBeLessThanOrEqual(165_000);
  });

  test('keeps 128 KiB for each token', () => {
    const { cacheGb, cacheTokens = 0 } = estimate(EIGHT, NVIDIA_L4);
    expect((cacheGb * 1e9) / cacheTokens / 1024).toBeCloseTo(128, 1);
  });
});

describe('a model of 70 billion parameters', () => {
  test.each<[string, ModelProfile, number, Accelerator, boolean]>([
    ['bf16', SEVENTY, 4, NVIDIA_A100_80, true],
    ['bf16', SEVENTY, 4, NVIDIA_H100, true],
    ['bf16', SEVENTY, 2, NVIDIA_A100_80, false],
    ['bf16', SEVENTY, 2, NVIDIA_H100, false],
    ['bf16', SEVENTY, 2, NVIDIA_H200, true],
    ['bf16', SEVENTY, 1, NVIDIA_H200, false],
    ['fp8', SEVENTY_FP8, 2, NVIDIA_A100_80, true],
    ['fp8', SEVENTY_FP8, 1, NVIDIA_A100_80, false],
    ['fp8', SEVENTY_FP8, 1, NVIDIA_H200, true],
  ])('in %s on %#: %s × %s × %s', (_, profile, accelerators, accelerator, fits) => {
    expect(estimate(profile, accelerator, { accelerators })).toMatchObject({ fits, accelerators });
  });

  test('in fp8 on one H200 has 57 GB for about 170 thousand tokens', () => {
    const { cacheGb, cacheTokens } = estimate(SEVENTY_FP8, NVIDIA_H200);
    expect(cacheGb).toBeCloseTo(57, 0);
    expect(cacheTokens).toBeGreaterThanOrEqual(160_000);
    expect(cacheTokens).toBeLessThanOrEqual(180_000);
  });
});

test('an embedding model fits every accelerator, and has no cache', () => {
  for (const accelerator of Accelerator.known) {
    const on = estimate(EmbeddingModel.BGE_M3.profile as ModelProfile, accelerator);
    expect([accelerator.name, on.fits, on.cacheTokens, on.concurrency]).toEqual([
      accelerator.name,
      true,
      undefined,
      undefined,
    ]);
  }
});

describe('the estimate', () => {
  test('is of one accelerator, 92 % of its memory and requests of 8192 tokens unless told otherwise', () => {
    const { accelerators, usableGb, cacheGb, cacheTokens, concurrency } = estimate(EIGHT, NVIDIA_A100_80);
    expect(accelerators).toBe(1);
    expect(usableGb).toBeCloseTo(73.6, 9);
    expect(cacheGb).toBeCloseTo(73.6 - 2 - 16.06, 9);
    expect(concurrency).toBe(Math.floor((cacheTokens ?? 0) / 8192));
  });

  test('leaves to others what the server shall not take', () => {
    expect(estimate(EIGHT, NVIDIA_A100_80, { memoryUtilization: 0.5 }).usableGb).toBe(40);
    expect(estimate(EIGHT, NVIDIA_L4, { memoryUtilization: 0.7 }).fits).toBe(false);
  });

  test('knows that a cache of bytes holds twice as many tokens', () => {
    const of = (cachePrecision?: Precision) => estimate(EIGHT, NVIDIA_L4, { cachePrecision }).cacheTokens ?? 0;
    expect(of()).toBe(of(Precision.BF16));
    expect(Math.abs(of(Precision.FP8) - 2 * of())).toBeLessThanOrEqual(1);
  });

  test('refuses weights that leave no room for a single request', () => {
    const tokens = estimate(EIGHT, NVIDIA_L4).cacheTokens ?? 0;
    expect(estimate(EIGHT, NVIDIA_L4, { contextTokens: tokens })).toMatchObject({ fits: true, concurrency: 1 });
    expect(estimate(EIGHT, NVIDIA_L4, { contextTokens: tokens + 1 })).toMatchObject({ fits: false, concurrency: 0 });
  });
});

describe('a refusal', () => {
  const refusal = (model: string, profile: ModelProfile, accelerator: Accelerator, more?: Partial<ModelFitProps>) => {
    const { construct } = deployed();
    return refusalOf(() => estimate(profile, accelerator, more).check(construct, model)).message;
  };

  test('says the arithmetic and the smallest accelerator that would do', () => {
    expect(refusal('meta-llama/Llama-3.1-8B-Instruct', EIGHT, NVIDIA_T4)).toBe(
      'rag/api: accelerator is 1 × nvidia-t4, which gives 14.7 GB (1 × 16 GB × 0.92), but ' +
        'meta-llama/Llama-3.1-8B-Instruct needs 16.1 GB for weights (8.03 billion parameters × 2 bytes (bf16)), 2.0 GB ' +
        'for activations, 1.1 GB for a request of 8192 tokens (× 131072 bytes); the smallest that would do: 1 × nvidia-l4',
    );
  });

  test('counts all accelerators of a server', () => {
    expect(refusal('big', SEVENTY, NVIDIA_A100_80, { accelerators: 2, contextTokens: 16384 })).toBe(
      'rag/api: accelerator is 2 × nvidia-a100-80, which gives 147.2 GB (2 × 80 GB × 0.92), but big needs 141.1 GB for ' +
        'weights (70.55 billion parameters × 2 bytes (bf16)), 4.0 GB for activations, 5.4 GB for a request of 16384 ' +
        'tokens (× 327680 bytes); the smallest that would do: 4 × nvidia-l40s',
    );
  });

  test('repeats what it was told', () => {
    const message = refusal('m', EIGHT, NVIDIA_L4, { memoryUtilization: 0.5, cachePrecision: Precision.FP8 });
    expect(message).toContain('which gives 12.0 GB (1 × 24 GB × 0.5)');
    expect(message).toContain('0.5 GB for a request of 8192 tokens (× 65536 bytes)');
  });

  test('speaks of no request where there is no cache, and of none that would do where there is none', () => {
    const message = refusal('huge', ModelProfile.of({ parametersBillions: 2000 }), NVIDIA_H200, { accelerators: 8 });
    expect(message).toContain('huge needs 4000.0 GB for weights (2000 billion parameters × 2 bytes (bf16)), 16.0 GB');
    expect(message).toMatch(/for activations; no accelerator that is known has room for it$/);
    expect(message).not.toContain('request');
  });

  test('is none where the model fits', () => {
    const { construct } = deployed();
    expect(() => estimate(EIGHT, NVIDIA_L4).check(construct, 'm')).not.toThrow();
  });

  test('names an accelerator that fits, and no smaller one does', () => {
    const COUNTS = [1, 2, 4, 8];
    fc.assert(
      fc.property(fc.double({ min: 8, max: 300, noNaN: true }), (parametersBillions) => {
        const profile = ModelProfile.of({
          parametersBillions,
          attention: { layers: 32, keyValueHeads: 8, headDimension: 128 },
        });
        const [, count, name] = /do: (\d) × (\S+)$/.exec(refusal('m', profile, NVIDIA_T4)) ?? [];
        const proposed = Accelerator.named(name as string);
        expect(estimate(profile, proposed, { accelerators: Number(count) }).fits).toBe(true);
        const smaller = Accelerator.known.flatMap((accelerator) =>
          COUNTS.filter((accelerators) => accelerator.memoryGb * accelerators < proposed.memoryGb * Number(count)).map(
            (accelerators) => estimate(profile, accelerator, { accelerators }).fits,
          ),
        );
        expect(smaller).not.toContain(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the fewest accelerators', () => {
  test.each([
    [EIGHT, NVIDIA_L4, 1, true],
    [EIGHT, NVIDIA_T4, 2, true],
    [SEVENTY, NVIDIA_A100_80, 4, true],
    [SEVENTY, NVIDIA_H200, 2, true],
    // Not even as many as servers can use.
    [SEVENTY, NVIDIA_T4, 8, false],
  ])('of a kind: %#', (profile, accelerator, accelerators, fits) => {
    expect(ModelFit.fewest({ profile, accelerator })).toMatchObject({ accelerators, fits });
  });
});

describe('more', () => {
  const profile = fc
    .record({
      parametersBillions: fc.double({ min: 0.01, max: 400, noNaN: true }),
      layers: fc.integer({ min: 1, max: 130 }),
      keyValueHeads: fc.integer({ min: 1, max: 64 }),
      headDimension: fc.integer({ min: 16, max: 256 }),
    })
    .map(({ parametersBillions, ...attention }) => ModelProfile.of({ parametersBillions, attention }));
  const memory = fc.double({ min: 1, max: 300, noNaN: true });
  const of = (memoryGb: number) => Accelerator.of({ name: 'own', memoryGb });
  const worth = ({ fits, cacheTokens = 0 }: ModelFit) => [Number(fits), cacheTokens] as const;
  const atLeast = (more: ModelFit, less: ModelFit) => {
    const [[moreFits, moreTokens], [lessFits, lessTokens]] = [worth(more), worth(less)];
    expect(moreFits).toBeGreaterThanOrEqual(lessFits);
    expect(moreTokens).toBeGreaterThanOrEqual(lessTokens);
  };

  test('memory of an accelerator never fits less', () => {
    fc.assert(
      fc.property(profile, memory, memory, fc.constantFrom(1, 2, 4, 8), (model, one, other, accelerators) => {
        const [small, large] = [Math.min(one, other), Math.max(one, other)];
        atLeast(estimate(model, of(large), { accelerators }), estimate(model, of(small), { accelerators }));
      }),
    );
  });

  test('accelerators never fit less', () => {
    fc.assert(
      fc.property(profile, memory, fc.constantFrom(1, 2, 4), (model, memoryGb, accelerators) => {
        const on = (count: number) => estimate(model, of(memoryGb), { accelerators: count });
        atLeast(on(accelerators * 2), on(accelerators));
      }),
    );
  });

  test('of the memory never fits less', () => {
    const share = fc.double({ min: 0.1, max: 1, noNaN: true });
    fc.assert(
      fc.property(profile, memory, share, share, (model, memoryGb, one, other) => {
        const on = (memoryUtilization: number) => estimate(model, of(memoryGb), { memoryUtilization });
        atLeast(on(Math.max(one, other)), on(Math.min(one, other)));
      }),
    );
  });

  test('tokens in a request never fit where fewer do not', () => {
    const tokens = fc.integer({ min: 1, max: 200_000 });
    fc.assert(
      fc.property(profile, memory, tokens, tokens, (model, memoryGb, one, other) => {
        const on = (contextTokens: number) => estimate(model, of(memoryGb), { contextTokens });
        atLeast(on(Math.min(one, other)), on(Math.max(one, other)));
      }),
    );
  });
});
