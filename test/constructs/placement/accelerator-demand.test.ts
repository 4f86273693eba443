import { App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { Accelerator } from '../../../constructs/placement/accelerator';
import { AcceleratorDemand } from '../../../constructs/placement/accelerator-demand';
import type { NodePool } from '../../../constructs/placement/node-pool';

const POOL: NodePool = { name: 'l4', nodes: 3, acceleratorsPerNode: 4, accelerator: Accelerator.NVIDIA_L4 };

type Claim = [workload: string, pods: number, perPod: number];

function claiming(pool: NodePool, ...claims: Claim[]): Chart {
  const chart = new Chart(new App(), 'rag');
  for (const asked of claims) {
    claim(chart, pool, ...asked);
  }
  return chart;
}

function claim(chart: Chart, pool: NodePool, name: string, pods: number, perPod: number): void {
  const workload = new Construct(chart, name);
  AcceleratorDemand.of(chart).claim(pool, { workload, property: 'scaling', pods, perPod });
}

const tooMany = (problem: string, largest = 'workers') =>
  `Validation failed with the following errors:\n  [] rag/${largest}: scaling is more than its pool holds: ${problem}`;

test.each<[string, Claim[]]>([
  ['nothing', []],
  ['one workload', [['workers', 12, 1]]],
  ['a workload with several per pod', [['workers', 3, 4]]],
  [
    'several workloads',
    [
      ['workers', 8, 1],
      ['embedder', 2, 2],
    ],
  ],
  ['a workload that has no pods', [['workers', 0, 8]]],
])('a pool holds %s up to its last device', (_, claims) => {
  expect(claiming(POOL, ...claims).toJson()).toEqual([]);
});

test('a pool cannot hold one device more', () => {
  expect(() => claiming(POOL, ['workers', 13, 1]).toJson()).toThrow(
    tooMany(
      'node pool "l4" has at most 3 × 4 = 12 nvidia-l4, but rag/workers 13 pods × 1 = 13 can be asked for at once; lower ' +
        'the largest scale or enlarge the pool',
    ),
  );
});

test('what all its workloads can ask for is added up', () => {
  expect(() => claiming(POOL, ['workers', 10, 1], ['embedder', 2, 2]).toJson()).toThrow(
    tooMany(
      'node pool "l4" has at most 3 × 4 = 12 nvidia-l4, but rag/workers 10 pods × 1 + rag/embedder 2 pods × 2 = 14 can be ' +
        'asked for at once; lower the largest scale or enlarge the pool',
    ),
  );
});

test('a node has one device when nothing is said', () => {
  const pool = { ...POOL, acceleratorsPerNode: undefined };
  expect(claiming(pool, ['workers', 3, 1]).toJson()).toEqual([]);
  expect(() => claiming(pool, ['workers', 4, 1]).toJson()).toThrow(
    tooMany(
      'node pool "l4" has at most 3 × 1 = 3 nvidia-l4, but rag/workers 4 pods × 1 = 4 can be asked for at once; lower the ' +
        'largest scale or enlarge the pool',
    ),
  );
});

test('each pool is held against its own workloads', () => {
  const chart = claiming(POOL, ['workers', 12, 1]);
  const slices = {
    name: 'slices',
    nodes: 1,
    accelerator: Accelerator.NVIDIA_A100_80.mig('1g.10gb'),
    acceleratorsPerNode: 7,
  };
  claim(chart, slices, 'reranker', 7, 1);
  expect(chart.toJson()).toEqual([]);
  claim(chart, slices, 'embedder', 1, 1);
  expect(() => chart.toJson()).toThrow(
    tooMany(
      'node pool "slices" has at most 1 × 7 = 7 nvidia-a100-80/1g.10gb, but rag/reranker 7 pods × 1 + rag/embedder 1 pods ' +
        '× 1 = 8 can be asked for at once; lower the largest scale or enlarge the pool',
      'reranker',
    ),
  );
});

test('the charts of an app share its pools, and another app has its own', () => {
  const app = new App();
  const [one, two] = [new Chart(app, 'one'), new Chart(app, 'two')];
  claim(one, POOL, 'workers', 7, 1);
  claim(two, POOL, 'workers', 6, 1);
  expect(AcceleratorDemand.of(one)).toBe(AcceleratorDemand.of(two));
  expect(() => one.toJson()).toThrow('one/workers 7 pods × 1 + two/workers 6 pods × 1 = 13 can be asked for at once');
  expect(claiming(POOL, ['workers', 7, 1]).toJson()).toEqual([]);
});
