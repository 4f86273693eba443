import type { Chart } from 'cdk8s';
import { Size } from 'cdk8s';
import { Kafka } from '../../../constructs/data/kafka';
import { PostgresCluster } from '../../../constructs/data/postgres-cluster';
import { RabbitMq } from '../../../constructs/data/rabbit-mq';
import { Accelerator } from '../../../constructs/placement/accelerator';
import type { NodePool } from '../../../constructs/placement/node-pool';
import type { Json } from '../../../constructs/rules/output';
import { Qdrant } from '../../../constructs/vector-store/qdrant';
import { find, render, testChart } from '../../support/manifests';
import { refusalOf } from '../../support/refusal';
import { KEY, RESOURCES } from '../../support/values';

const chartWith = (nodePools: NodePool[]) =>
  testChart({
    nodePools,
    cloudNativePg: { namespace: 'cnpg-system' },
    rabbitMq: { namespace: 'rabbitmq-system' },
    strimzi: { namespace: 'strimzi' },
    apiServer: { cidrs: ['10.0.0.0/28'] },
  });

/** Members of a quorum, three of each, by the object that says where they run. */
const MEMBERS: [string, (chart: Chart, nodePool?: string) => unknown, (objects: Json[]) => Json][] = [
  [
    'PostgreSQL',
    (chart, nodePool) => new PostgresCluster(chart, 'db', { instances: 3, nodePool }),
    (objects) => find(objects, 'Cluster', 'db').spec.affinity,
  ],
  [
    'RabbitMQ',
    (chart, nodePool) => new RabbitMq(chart, 'queue', { replicas: 3, nodePool }),
    (objects) => find(objects, 'RabbitmqCluster', 'queue').spec.override.statefulSet.spec.template.spec.affinity,
  ],
  [
    'Kafka',
    (chart, nodePool) => new Kafka(chart, 'events', { replicas: 3, nodePool }),
    (objects) => find(objects, 'KafkaNodePool', 'events-nodes').spec.template.pod.affinity,
  ],
  [
    'Qdrant',
    (chart, nodePool) =>
      new Qdrant(chart, 'qdrant', {
        nodes: 3,
        apiKey: KEY,
        resources: RESOURCES,
        storage: Size.gibibytes(1),
        nodePool,
      }),
    (objects) => find(objects, 'StatefulSet', 'qdrant').spec.template.spec.affinity,
  ],
];

describe.each(MEMBERS)('members of %s', (_, make, affinityOf) => {
  test('are led to a pool by all values of the label of its GPU', () => {
    const chart = chartWith([{ name: 'gpu', nodes: 3, accelerator: Accelerator.NVIDIA_A100_80 }]);
    make(chart, 'gpu');
    const { nodeAffinity } = affinityOf(render(chart));
    expect(nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms).toEqual([
      {
        matchExpressions: [
          {
            key: 'nvidia.com/gpu.product',
            operator: 'In',
            values: ['NVIDIA-A100-SXM4-80GB', 'NVIDIA-A100-80GB-PCIe'],
          },
        ],
      },
    ]);
  });

  const tainted: NodePool = { name: 'tainted', nodes: 9, nodeSelector: { pool: 'x' }, taints: [{ key: 'x' }] };
  const gpu: NodePool = { name: 'gpu', nodes: 9, accelerator: Accelerator.NVIDIA_L4 };

  test.each<[string, NodePool[], string | undefined, string]>([
    ['one node', [{ name: 'general', nodes: 1 }], undefined, 'without taints and GPUs can have 1 (general 1)'],
    [
      'nodes that are tainted, and nodes with GPUs',
      [{ name: 'a', nodes: 1 }, { name: 'b', nodes: 1 }, tainted, gpu],
      undefined,
      'without taints and GPUs can have 2 (a 1 + b 1)',
    ],
    ['no open pool at all', [tainted], undefined, 'without taints and GPUs can have 0 (none)'],
    [
      'a pool that is named',
      [
        { name: 'a', nodes: 9 },
        { name: 'b', nodes: 2, nodeSelector: { pool: 'b' } },
      ],
      'b',
      'the node pool can have 2 (b 2)',
    ],
  ])('are refused on %s', (_case, pools, nodePool, counted) => {
    const { message } = refusalOf(() => make(chartWith(pools), nodePool));
    expect(message).toContain('nodePool has too few nodes: each of 3 pods needs a node to itself, but the node pool');
    expect(message).toContain(`${counted}; give a pool more nodes in the cluster, name another nodePool, or lower`);
  });

  test.each<[string, NodePool[], string | undefined]>([
    ['pools of one node each', [1, 2, 3].map((index) => ({ name: `n${index}`, nodes: 1 })), undefined],
    ['tainted nodes that are named', [tainted], 'tainted'],
    ['nodes that are tainted softly', [{ ...tainted, taints: [{ key: 'x', effect: 'PreferNoSchedule' }] }], undefined],
  ])('are taken on %s', (_case, pools, nodePool) => {
    expect(() => make(chartWith(pools), nodePool)).not.toThrow();
  });
});
