import { Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import fc from 'fast-check';
import type { ExtendedResource } from '../../../constructs/placement/placement';
import { checkResources, type Resources, renderResources } from '../../../constructs/workload/resources';
import { testChart } from '../../support/manifests';

const ASKED: Resources = { cpu: Cpu.millis(250), memory: Size.gibibytes(2) };

function rendered(resources: Partial<Resources> = {}, scratch: Size[] = [], extended?: ExtendedResource) {
  const { requests = {}, limits = {} } = renderResources({ ...ASKED, ...resources }, scratch, extended);
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

describe('a limit', () => {
  const checked = (resources: Partial<Resources>) => () => checkResources(testChart(), { ...ASKED, ...resources });

  test.each<[string, Partial<Resources>]>([
    ['nothing', {}],
    ['as much as is asked for', { cpuLimit: Cpu.units(0.25), memoryLimit: Size.mebibytes(2048) }],
    ['more than is asked for', { cpuLimit: Cpu.millis(251), memoryLimit: Size.mebibytes(2049) }],
  ])('may be %s', (_, resources) => {
    expect(checked(resources)).not.toThrow();
  });

  test('of memory below what is asked for is refused', () => {
    expect(checked({ memoryLimit: Size.mebibytes(2047) })).toThrow(
      new Error('rag: resources.memoryLimit is 2047Mi, below memory, which is 2Gi; raise it, or leave it out'),
    );
  });

  test.each([
    ['249m', Cpu.millis(249)],
    ['0.2', Cpu.units(0.2)],
  ])('of CPU of %s, below what is asked for, is refused', (amount, cpuLimit) => {
    expect(checked({ cpuLimit })).toThrow(
      new Error(`rag: resources.cpuLimit is ${amount}, below cpu, which is 250m; raise it, or leave it out`),
    );
  });
});
