import { ApiObject } from 'cdk8s';
import fc from 'fast-check';
import { PodSet } from '../../../constructs/network/peer';
import { DisruptionBudget } from '../../../constructs/scaling/disruption-budget';
import { testChart } from '../../support/manifests';

const PODS = new PodSet('test', 'api', { 'app.kubernetes.io/name': 'api', 'app.kubernetes.io/instance': 'rag' });

function bound(budget: DisruptionBudget, minimum: number) {
  const chart = testChart();
  const created = budget._bind(chart, PODS, { name: 'api', labels: { team: 'search' } }, minimum);
  return { created, objects: chart.node.findAll().filter((node) => ApiObject.isApiObject(node)) };
}

describe.each([
  ['stateless pods', DisruptionBudget.STATELESS, 'AlwaysAllow'],
  ['a quorum', DisruptionBudget.QUORUM, 'IfHealthyBudget'],
])('the budget of %s', (_, budget, unhealthyPodEvictionPolicy) => {
  test('does not exist where there may be less than two pods', () => {
    for (const minimum of [0, 1]) {
      expect(bound(budget, minimum)).toEqual({ created: undefined, objects: [] });
    }
  });

  test('always allows one eviction, however many pods there are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 1000 }), (minimum) => {
        const { created, objects } = bound(budget, minimum);
        expect(objects).toEqual([created]);
        expect(created?.toJson()).toEqual({
          apiVersion: 'policy/v1',
          kind: 'PodDisruptionBudget',
          metadata: { name: 'api', namespace: 'test', labels: { team: 'search' } },
          spec: { maxUnavailable: 1, unhealthyPodEvictionPolicy, selector: { matchLabels: PODS.labels } },
        });
      }),
      { numRuns: 20 },
    );
  });
});
