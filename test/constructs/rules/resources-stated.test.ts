import type { Json } from '../../../constructs/rules/output';
import { resourcesStated } from '../../../constructs/rules/resources-stated';
import { container, POD_KINDS, problemsOf, workload } from '../../support/output';

const GOOD = container().resources;

const problemsOfResources = (resources: Json, kind = 'Deployment') =>
  problemsOf(resourcesStated, [workload(kind, { pod: { containers: [container({ resources })] } })]);

/** Good resources with these changes; undefined takes an entry away. */
const changed = (requests: Json, limits: Json = {}) => ({
  requests: { ...GOOD.requests, ...requests },
  limits: { ...GOOD.limits, ...limits },
});

describe.each(POD_KINDS)('the pods of a %s', (kind) => {
  test('are found good', () => {
    const pod = {
      volumes: [
        { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
        { name: 'config', configMap: {} },
      ],
    };
    expect(problemsOf(resourcesStated, [workload(kind, { pod })])).toEqual([]);
  });

  test('are judged in every container, and in every scratch volume', () => {
    const careless = (name: string) => container({ name, resources: changed({ cpu: undefined }) });
    const pod = {
      initContainers: [careless('prepare')],
      containers: [container(), careless('sidecar')],
      volumes: [{ name: 'tmp', emptyDir: {} }],
    };
    expect(problemsOf(resourcesStated, [workload(kind, { pod })])).toEqual([
      `${kind} test/api: container prepare requests no cpu`,
      `${kind} test/api: container sidecar requests no cpu`,
      `${kind} test/api: volume tmp has no sizeLimit and could fill the node's disk`,
    ]);
  });
});

describe('a container', () => {
  test.each<[string, Json, string]>([
    ['cpu', changed({ cpu: undefined }), 'requests no cpu'],
    ['memory', changed({ memory: undefined }), 'requests no memory'],
    ['disk', changed({ 'ephemeral-storage': undefined }), 'requests no ephemeral-storage'],
    ['a memory limit', changed({}, { memory: undefined }), 'has no memory limit'],
    ['a disk limit', changed({}, { 'ephemeral-storage': undefined }), 'has no ephemeral-storage limit'],
  ])('states %s', (_, resources, problem) => {
    expect(problemsOfResources(resources)).toEqual([`Deployment test/api: container api ${problem}`]);
  });

  test.each([undefined, {}, { requests: {}, limits: {} }])('with the resources %j states nothing', (resources) => {
    expect(problemsOfResources(resources)).toEqual([
      'Deployment test/api: container api requests no cpu',
      'Deployment test/api: container api requests no memory',
      'Deployment test/api: container api requests no ephemeral-storage',
      'Deployment test/api: container api has no memory limit',
      'Deployment test/api: container api has no ephemeral-storage limit',
    ]);
  });

  test('may go without a CPU limit, and may have one', () => {
    expect(GOOD.limits.cpu).toBeUndefined();
    expect(problemsOfResources(changed({}, { cpu: '2' }))).toEqual([]);
  });
});

describe('memory above the request', () => {
  const burst = changed({}, { memory: '2Gi' });

  test.each(POD_KINDS.filter((kind) => kind !== 'StatefulSet'))('is allowed to a %s', (kind) => {
    expect(problemsOfResources(burst, kind)).toEqual([]);
  });

  test('is refused to a StatefulSet', () => {
    expect(problemsOfResources(burst, 'StatefulSet')).toEqual([
      'StatefulSet test/api: container api of a StatefulSet requests 1Gi of memory but is limited to 2Gi; make them equal',
    ]);
  });
});

describe('devices', () => {
  test.each(['nvidia.com/gpu', 'nvidia.com/mig-1g.10gb', 'nvidia.com/gpu.shared', 'amd.com/gpu'])(
    'of the kind %s are whole, with request equal to limit',
    (name) => {
      expect(problemsOfResources(changed({ [name]: '2' }, { [name]: '2' }))).toEqual([]);
      expect(problemsOfResources(changed({ [name]: 1 }, { [name]: 1 }))).toEqual([]);
    },
  );

  test.each<[string | undefined, string | undefined]>([
    ['1', '2'],
    [undefined, '1'],
    ['1', undefined],
    ['500m', '500m'],
    ['0.5', '0.5'],
    ['0', '0'],
  ])('cannot be %s to %s', (request, limit) => {
    const resources = changed({ 'nvidia.com/gpu': request }, { 'nvidia.com/gpu': limit });
    expect(problemsOfResources(resources)).toEqual([
      `Deployment test/api: container api asks for ${request} to ${limit} nvidia.com/gpu; devices are whole, with request ` +
        'equal to limit',
    ]);
  });
});

test('pods that are not ours are not judged', () => {
  const foreign = workload('Deployment', { pod: { containers: [container({ resources: {} })] } });
  expect(problemsOf(resourcesStated, [], { besides: [foreign] })).toEqual([]);
});
