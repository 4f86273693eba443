import { ApiObject, type Chart } from 'cdk8s';
import { ConnectionGraph } from '../../../constructs/network/connection-graph';
import { Peer, PodSet } from '../../../constructs/network/peer';
import { SyncWave } from '../../../constructs/network/sync-wave';
import { find, render, testChart } from '../../support/manifests';

const ANNOTATION = 'argocd.argoproj.io/sync-wave';
const PRUNED_LAST = { 'argocd.argoproj.io/sync-options': 'PruneLast=true' };

const pods = (name: string) => new PodSet('test', name, { name });

function put(chart: Chart, name: string, wave: SyncWave): void {
  const metadata = { name, annotations: wave.annotations };
  new ApiObject(chart, name, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
}

const annotationsOf = (chart: Chart, name: string) => find(render(chart), 'ConfigMap', name).metadata.annotations;

function use(chart: Chart, from: PodSet, to: PodSet): void {
  const ports = [{ name: 'http', number: 8000 }];
  ConnectionGraph.of(chart).connect({ from, to, ports, ordered: true });
}

test.each([
  ['NAMESPACE', SyncWave.NAMESPACE, '-20'],
  ['SECRET_STORES', SyncWave.SECRET_STORES, '-15'],
  ['SECRETS', SyncWave.SECRETS, '-10'],
])('%s is before every pod, and goes after the last of them', (_, wave, expected) => {
  const chart = testChart();
  put(chart, 'object', wave);
  expect(annotationsOf(chart, 'object')).toEqual({ [ANNOTATION]: expected, ...PRUNED_LAST });
});

test('pods that use nothing are in the default wave, which needs no annotation', () => {
  const chart = testChart();
  put(chart, 'api', SyncWave.of(chart, pods('api')));
  expect(annotationsOf(chart, 'api')).toBeUndefined();
});

test('an object is in the wave of its pods, or after it and before their clients', () => {
  const chart = testChart();
  const [store, queue, api] = [pods('store'), pods('queue'), pods('api')];
  for (const set of [store, queue, api]) {
    put(chart, set.name, SyncWave.of(chart, set));
    put(chart, `after-${set.name}`, SyncWave.after(chart, set));
  }
  use(chart, queue, store);
  use(chart, api, queue);
  const waves = ['store', 'after-store', 'queue', 'after-queue', 'api', 'after-api'].map(
    (name) => annotationsOf(chart, name)?.[ANNOTATION],
  );
  expect(waves).toEqual([undefined, '5', '10', '15', '20', '25']);
});

test('what is wired after the object was created counts', () => {
  const chart = testChart();
  const api = pods('api');
  put(chart, 'api', SyncWave.of(chart, api));
  expect(annotationsOf(chart, 'api')).toBeUndefined();
  use(chart, api, pods('store'));
  expect(annotationsOf(chart, 'api')).toEqual({ [ANNOTATION]: '10' });
});

test('other annotations stay, with a wave and without', () => {
  const chart = testChart();
  const annotated = (name: string, wave: SyncWave) => {
    const metadata = { name, annotations: { ...wave.annotations, team: 'search' } };
    new ApiObject(chart, name, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
  };
  annotated('early', SyncWave.SECRETS);
  annotated('default', SyncWave.of(chart, pods('api')));
  expect(annotationsOf(chart, 'early')).toEqual({ [ANNOTATION]: '-10', ...PRUNED_LAST, team: 'search' });
  expect(annotationsOf(chart, 'default')).toEqual({ team: 'search' });
});

test('what is often Degraded is in the last wave, and so is the way in from outside, which goes last', () => {
  const chart = testChart();
  put(chart, 'autoscaler', SyncWave.LAST);
  put(chart, 'route', SyncWave.ROUTES);
  expect(annotationsOf(chart, 'autoscaler')).toEqual({ [ANNOTATION]: '1000' });
  expect(annotationsOf(chart, 'route')).toEqual({ [ANNOTATION]: '1000', ...PRUNED_LAST });
});

describe('what is pruned last', () => {
  const [store, api] = [pods('store'), pods('api')];
  const optionsOf = (chart: Chart, name: string) => annotationsOf(chart, name)?.['argocd.argoproj.io/sync-options'];

  test('is what belongs to pods that others use, and nothing else', () => {
    const chart = testChart();
    use(chart, api, store);
    for (const set of [store, api]) {
      put(chart, set.name, SyncWave.of(chart, set));
      put(chart, `after-${set.name}`, SyncWave.after(chart, set));
    }
    const names = ['store', 'after-store', 'api', 'after-api'];
    expect(names.map((name) => optionsOf(chart, name))).toEqual([
      'PruneLast=true',
      'PruneLast=true',
      undefined,
      undefined,
    ]);
  });

  test('is not what only others of its own kind, or Prometheus, connect to', () => {
    const chart = testChart();
    const ports = [{ name: 'http', number: 8000 }];
    ConnectionGraph.of(chart).connect({ from: store, to: store, ports, ordered: true });
    ConnectionGraph.of(chart).connect({ from: Peer.service({ namespace: 'monitoring' }), to: store, ports });
    put(chart, 'store', SyncWave.of(chart, store));
    expect(optionsOf(chart, 'store')).toBeUndefined();
  });

  test('is a volume that pods mount', () => {
    const chart = testChart();
    put(chart, 'mounted', SyncWave.first(chart, [api]));
    put(chart, 'unused', SyncWave.first(chart, []));
    expect([optionsOf(chart, 'mounted'), optionsOf(chart, 'unused')]).toEqual(['PruneLast=true', undefined]);
  });

  test('is asked for as well, where data is lost', () => {
    const chart = testChart();
    use(chart, api, store);
    for (const set of [store, api]) {
      const metadata = { name: set.name, annotations: SyncWave.of(chart, set).annotationsConfirmingDeletion };
      new ApiObject(chart, set.name, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
    }
    expect(optionsOf(chart, 'store')).toBe('Delete=confirm,Prune=confirm,PruneLast=true');
    expect(optionsOf(chart, 'api')).toBe('Delete=confirm,Prune=confirm');
  });
});
