import { DefaultDeny } from '../../../constructs/network/default-deny';
import { render, testChart } from '../../support/manifests';

test('closes the namespace in both directions, before the first pod', () => {
  const chart = testChart();
  const deny = new DefaultDeny(chart, 'default-deny');
  expect(render(chart)).toEqual([
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: {
        name: 'default-deny',
        namespace: 'test',
        annotations: {
          'argocd.argoproj.io/sync-wave': '-20',
          'argocd.argoproj.io/sync-options': 'PruneLast=true',
        },
      },
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
    },
  ]);
  expect(deny.networkPolicy.name).toBe('default-deny');
});

test('is called so whatever the id of its construct', () => {
  const chart = testChart();
  new DefaultDeny(chart, 'closed');
  expect(render(chart).map(({ metadata }) => metadata.name)).toEqual(['default-deny']);
});
