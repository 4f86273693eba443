import { App, Chart } from 'cdk8s';
import { Accelerator } from '../../../constructs/placement/accelerator';
import { AcceleratorDemand } from '../../../constructs/placement/accelerator-demand';
import type { NodePool } from '../../../constructs/placement/node-pool';

const POOL: NodePool = { name: 'l4', nodes: 3, acceleratorsPerNode: 4, accelerator: Accelerator.NVIDIA_L4 };

type Claim = [workload: string, pods: number, perPod: number];

function claiming(pool: NodePool, ...claims: Claim[]): Chart {
  const chart = new Chart(new App(), 'rag');
  for (const claim of claims) {
    AcceleratorDemand.of(chart).claim(pool, ...claim);
  }
  return chart;
}

const tooMany = (problem: string) => `Validation failed with the following errors:\n  [] ${problem}`;

test.each<[string, Claim[]]>([
  ['nothing', []],
  ['one workload', [['rag/workers', 12, 1]]],
  ['a workload with several per pod', [['rag/workers', 3, 4]]],
  [
    'several workloads',
    [
      ['rag/workers', 8, 1],
      ['rag/embedder', 2, 2],
    ],
  ],
  ['a workload that has no pods', [['rag/workers', 0, 8]]],
])('a pool holds %s up to its last device', (_, claims) => {
  expect(claiming(POOL, ...claims).toJson()).toEqual([]);
});

test('a pool cannot hold one device more', () => {
  expect(() => claiming(POOL, ['rag/workers', 13, 1]).toJson()).toThrow(
    tooMany(
      'node pool "l4" has at most 3 × 4 = 12 nvidia-l4, but rag/workers 13 pods × 1 = 13 can be asked for at once; lower ' +
        'the largest scale or enlarge the pool',
    ),
  );
});

test('what all its workloads can ask for is added up', () => {
  expect(() => claiming(POOL, ['rag/workers', 10, 1], ['rag/embedder', 2, 2]).toJson()).toThrow(
    tooMany(
      'node pool "l4" has at most 3 × 4 = 12 nvidia-l4, but rag/workers 10 pods × 1 + rag/embedder 2 pods × 2 = 14 can be ' +
        'asked for at once; lower the largest scale or enlarge the pool',
    ),
  );
});

test('a node has one device when nothing is said', () => {
  const pool = { ...POOL, acceleratorsPerNode: undefined };
  expect(claiming(pool, ['rag/workers', 3, 1]).toJson()).toEqual([]);
  expect(() => claiming(pool, ['rag/workers', 4, 1]).toJson()).toThrow(
    tooMany(
      'node pool "l4" has at most 3 × 1 = 3 nvidia-l4, but rag/workers 4 pods × 1 = 4 can be asked for at once; lower the ' +
        'largest scale or enlarge the pool',
    ),
  );
});

test('each pool is held against its own workloads', () => {
  const chart = claiming(POOL, ['rag/workers', 12, 1]);
  const slices = {
    name: 'slices',
    nodes: 1,
    accelerator: Accelerator.NVIDIA_A100_80.mig('1g.10gb'),
    acceleratorsPerNode: 7,
  };
  AcceleratorDemand.of(chart).claim(slices, 'rag/reranker', 7, 1);
  expect(chart.toJson()).toEqual([]);
  AcceleratorDemand.of(chart).claim(slices, 'rag/embedder', 1, 1);
  expect(() => chart.toJson()).toThrow(
    tooMany(
      'node pool "slices" has at most 1 × 7 = 7 nvidia-a100-80/1g.10gb, but rag/reranker 7 pods × 1 + rag/embedder 1 pods ' +
        '× 1 = 8 can be asked for at once; lower the largest scale or enlarge the pool',
    ),
  );
});

test('the charts of an app share its pools, and another app has its own', () => {
  const app = new App();
  const [one, two] = [new Chart(app, 'one'), new Chart(app, 'two')];
  AcceleratorDemand.of(one).claim(POOL, 'one/workers', 7, 1);
  AcceleratorDemand.of(two).claim(POOL, 'two/workers', 6, 1);
  expect(AcceleratorDemand.of(one)).toBe(AcceleratorDemand.of(two));
  expect(() => one.toJson()).toThrow('one/workers 7 pods × 1 + two/workers 6 pods × 1 = 13 can be asked for at once');
  expect(claiming(POOL, ['rag/workers', 7, 1]).toJson()).toEqual([]);
});
