import { Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import fc from 'fast-check';
import type { ExtendedResource } from '../../../constructs/placement/placement';
import { type Resources, renderResources } from '../../../constructs/workload/resources';

function rendered(resources: Partial<Resources> = {}, scratch: Size[] = [], extended?: ExtendedResource) {
  const all = { cpu: Cpu.millis(250), memory: Size.gibibytes(2), ...resources };
  const { requests = {}, limits = {} } = renderResources(all, scratch, extended);
  const text = (quantities: typeof requests) =>
    Object.fromEntries(Object.entries(quantities).map(([name, { value }]) => [name, value]));
  return { requests: text(requests), limits: text(limits) };
}

describe('resources', () => {
  test('are requested, and limited in everything but CPU', () => {
    expect(rendered()).toEqual({
      requests: { cpu: '250m', memory: '2Gi', 'ephemeral-storage': '256Mi' },
      limits: { memory: '2Gi', 'ephemeral-storage': '256Mi' },
    });
  });

  test('are limited as they are told', () => {
    const { requests, limits } = rendered({
      cpuLimit: Cpu.units(2),
      memoryLimit: Size.gibibytes(3),
      ephemeralStorage: Size.gibibytes(1),
    });
    expect(requests).toEqual({ cpu: '250m', memory: '2Gi', 'ephemeral-storage': '1Gi' });
    expect(limits).toEqual({ cpu: '2', memory: '3Gi', 'ephemeral-storage': '1Gi' });
  });

  test('contain the scratch space, in request and limit alike', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 2 ** 20 }), { maxLength: 4 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 2 ** 20 }), (scratch, own) => {
        const { requests, limits } = rendered(
          { ephemeralStorage: Size.kibibytes(own) },
          scratch.map((amount) => Size.kibibytes(amount)),
        );
        const [, digits, unit] = /^(\d+)(Ki|Mi|Gi)$/.exec(requests['ephemeral-storage'] as string) ?? [];
        const factor = unit === 'Ki' ? 1 : unit === 'Mi' ? 1024 : 1024 ** 2;
        expect(Number(digits) * factor).toBe(scratch.reduce((sum, amount) => sum + amount, own));
        expect(limits['ephemeral-storage']).toBe(requests['ephemeral-storage']);
      }),
    );
  });

  test('contain whole devices, as many requested as limited', () => {
    const { requests, limits } = rendered({}, [], { name: 'nvidia.com/gpu', count: 2 });
    expect(requests['nvidia.com/gpu']).toBe('2');
    expect(limits['nvidia.com/gpu']).toBe('2');
  });
});
