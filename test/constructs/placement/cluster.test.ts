import { App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { Cloud } from '../../../constructs/placement/cloud';
import { Cluster, type ClusterProps } from '../../../constructs/placement/cluster';
import { Registry } from '../../../constructs/placement/registry';

describe('a cluster of which nothing is said', () => {
  test('is a conforming Kubernetes with kube-dns', () => {
    const { nodePools, gpuRuntimeClass, keda, prometheus, ...known } = new Cluster();
    expect(known).toEqual({
      kubernetesVersion: '1.28',
      cloud: Cloud.GENERIC,
      domain: 'cluster.local',
      cilium: false,
      dns: { namespace: 'kube-system', podLabels: { 'k8s-app': 'kube-dns' } },
      storage: {},
      reloader: false,
      registry: Registry.PUBLIC,
    });
    expect([nodePools, gpuRuntimeClass, keda, prometheus]).toEqual([undefined, undefined, undefined, undefined]);
  });
});

test('a cluster is what is said of it', () => {
  const props: ClusterProps = {
    kubernetesVersion: '1.33',
    cloud: Cloud.EKS,
    domain: 'k8s.acme.example',
    cilium: true,
    dns: { namespace: 'openshift-dns', podLabels: { app: 'dns' }, port: 5353 },
    nodePools: [{ name: 'general', nodes: 3 }],
    gpuRuntimeClass: 'nvidia',
    storage: { block: 'gp3', shared: 'efs' },
    keda: { namespace: 'keda' },
    prometheus: { namespace: 'monitoring', url: 'http://prometheus.monitoring:9090' },
    reloader: true,
    registry: new Registry({ mirror: 'registry.acme.example' }),
  };
  expect({ ...new Cluster(props) }).toEqual(props);
});

describe('NodeLocal DNSCache', () => {
  const dns = { namespace: 'kube-system', nodeLocal: '169.254.20.10' };

  test('is known by its address', () => {
    expect(new Cluster({ dns }).dns).toBe(dns);
  });

  test('cannot be selected by a policy of Cilium', () => {
    expect(() => new Cluster({ cilium: true, dns })).toThrow(
      "dns.nodeLocal is 169.254.20.10, but Cilium policies cannot select a node's own address; run NodeLocal DNSCache " +
        'behind a CiliumLocalRedirectPolicy and select its pods with dns.podLabels',
    );
    expect(new Cluster({ cilium: true, dns: { namespace: 'kube-system' } }).cilium).toBe(true);
  });
});

describe('the cluster of a construct', () => {
  test('is the generic one where none is attached', () => {
    expect(Cluster.of(new Chart(new App(), 'rag'))).toBe(Cluster.GENERIC);
  });

  test('is the one that is attached to the nearest scope above', () => {
    const app = new App();
    const [all, one] = [new Cluster({ domain: 'all' }), new Cluster({ domain: 'one' })];
    all.attachTo(app);
    const first = new Chart(app, 'first');
    const second = new Chart(app, 'second');
    one.attachTo(second);
    expect(Cluster.of(app)).toBe(all);
    expect(Cluster.of(new Construct(first, 'api'))).toBe(all);
    expect(Cluster.of(new Construct(new Construct(second, 'api'), 'inner'))).toBe(one);
  });

  test('is attached before there is anything below', () => {
    const chart = new Chart(new App(), 'rag');
    new Construct(chart, 'api');
    expect(() => new Cluster().attachTo(chart)).toThrow(
      'rag: cluster must be attached before the first construct is created in this scope',
    );
    expect(Cluster.of(chart)).toBe(Cluster.GENERIC);
  });

  test('is attached to an app before its first chart', () => {
    const app = new App();
    new Chart(app, 'rag');
    expect(() => new Cluster().attachTo(app)).toThrow(
      'cluster must be attached before the first construct is created in this scope',
    );
  });
});
