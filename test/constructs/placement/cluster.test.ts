import { App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import { Cloud } from '../../../constructs/placement/cloud';
import { Cluster, type ClusterProps } from '../../../constructs/placement/cluster';
import { Registry } from '../../../constructs/placement/registry';
import { refusalOf } from '../../support/refusal';

describe('a cluster of which nothing is said', () => {
  test('is a conforming Kubernetes with kube-dns', () => {
    const { zones, nodePools, gpuRuntimeClass, keda, prometheus, ...known } = new Cluster();
    expect(known).toEqual({
      kubernetesVersion: '1.28',
      cloud: Cloud.GENERIC,
      domain: 'cluster.local',
      ipv6: false,
      cilium: false,
      dns: { namespace: 'kube-system', podLabels: { 'k8s-app': 'kube-dns' } },
      storage: {},
      reloader: false,
      registry: Registry.PUBLIC,
    });
    expect([zones, nodePools, gpuRuntimeClass, keda, prometheus]).toEqual(Array(5).fill(undefined));
  });
});

test('a cluster is what is said of it', () => {
  const props: ClusterProps = {
    kubernetesVersion: '1.33',
    cloud: Cloud.EKS,
    zones: 3,
    ipv6: true,
    domain: 'k8s.acme.example',
    cilium: true,
    dns: { namespace: 'openshift-dns', podLabels: { app: 'dns' }, port: 5353 },
    nodePools: [{ name: 'general', nodes: 3 }],
    gpuRuntimeClass: 'nvidia',
    storage: { block: 'gp3', shared: 'efs' },
    keda: { namespace: 'keda' },
    cloudNativePg: { namespace: 'cnpg-system' },
    apiServer: { cidrs: ['10.0.0.1/32'], port: 6443 },
    prometheus: { namespace: 'monitoring', url: 'http://prometheus.monitoring:9090' },
    reloader: true,
    registry: new Registry({ mirror: 'registry.acme.example' }),
  };
  expect({ ...new Cluster(props) }).toEqual(props);
});

describe('NodeLocal DNSCache', () => {
  const dns = { namespace: 'kube-system', nodeLocal: ['169.254.20.10', '172.20.0.10'] };

  test('is known by its addresses', () => {
    expect(new Cluster({ dns }).dns).toBe(dns);
  });

  test('cannot be selected by a policy of Cilium', () => {
    expect(() => new Cluster({ cilium: true, dns })).toThrow(
      new Error(
        "cluster.dns.nodeLocal is 169.254.20.10, 172.20.0.10, but Cilium policies cannot select a node's own address; run NodeLocal DNSCache " +
          'behind a CiliumLocalRedirectPolicy and select its pods with dns.podLabels',
      ),
    );
    for (const nodeLocal of [undefined, []]) {
      expect(new Cluster({ cilium: true, dns: { namespace: 'kube-system', nodeLocal } }).cilium).toBe(true);
    }
  });
});

describe('the class of block volumes', () => {
  const refused = (storage: ClusterProps['storage'], reason: string) =>
    expect(() => new Cluster({ storage })).toThrow(
      new Error(
        `cluster.storage.block is "${storage?.block}", ${reason}; use a class of block volumes, such as gp3 or premium-rwo`,
      ),
    );

  test('is none of files', () => {
    refused({ block: 'efs-sc' }, 'a network file system (efs)');
  });

  test('is not the one of shared files', () => {
    refused({ block: 'fast', shared: 'fast' }, "the cluster's class for shared files");
    expect(new Cluster({ storage: { block: 'fast', shared: 'slow' } }).storage).toEqual({
      block: 'fast',
      shared: 'slow',
    });
  });
});

test('node pools have names of their own', () => {
  const pools = (...names: string[]) => names.map((name) => ({ name, nodes: 1 }));
  expect(new Cluster({ nodePools: pools('a', 'b') }).nodePools).toHaveLength(2);
  expect(() => new Cluster({ nodePools: pools('a', 'b', 'b') })).toThrow(
    new Error('cluster.nodePools has two pools named "b"; rename one'),
  );
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
      new Error('rag: cluster must be attached before the first construct is created in this scope'),
    );
    expect(Cluster.of(chart)).toBe(Cluster.GENERIC);
  });

  test('is attached once', () => {
    const app = new App();
    new Cluster().attachTo(app);
    expect(() => new Cluster().attachTo(app)).toThrow(
      new Error('cluster is attached already; attach one cluster to each app or chart'),
    );
  });

  test('is attached to an app before its first chart', () => {
    const app = new App();
    new Chart(app, 'rag');
    expect(() => new Cluster().attachTo(app)).toThrow(
      new Error('cluster must be attached before the first construct is created in this scope'),
    );
  });
});

describe('mistakes', () => {
  const refused = (props: ClusterProps, message: string) =>
    expect(() => new Cluster(props)).toThrow(new Error(`cluster.${message}`));
  const pool = (more: object) => ({ nodePools: [{ name: 'gpu', nodes: 1, ...more }] });

  test.each(['1', 'v1.31', '1.31.2', '2.0', '1.031', '1.9', '1.100', ''])('the version "%s"', (kubernetesVersion) => {
    refused(
      { kubernetesVersion },
      `kubernetesVersion is "${kubernetesVersion}", but must be a minor version, such as "1.31"`,
    );
  });

  test.each(['', 'eu west 1', 'EU-WEST-1', 'eu-west-'])('the region "%s"', (region) => {
    refused({ region }, `region is "${region}", but must be a region such as eu-west-1`);
  });

  test.each<[ClusterProps, string]>([
    [{ dns: { namespace: 'Kube' } }, 'dns.namespace is "Kube", but must be a DNS label: '],
    [{ dns: { namespace: 'a', podLabels: { app: 'a b' } } }, 'dns.podLabels.app is "a b", but the value of a label '],
    [{ keda: { namespace: 'a.b' } }, 'keda.namespace is "a.b", but must be a DNS label: '],
    [{ cloudNativePg: { namespace: 'a.b' } }, 'cloudNativePg.namespace is "a.b", but must be a DNS label: '],
    [{ strimzi: { namespace: 'a.b' } }, 'strimzi.namespace is "a.b", but must be a DNS label: '],
    [{ rabbitMqTopology: { namespace: 'a.b' } }, 'rabbitMqTopology.namespace is "a.b", but must be a DNS label: '],
    [{ rabbitMq: { namespace: 'a.b' } }, 'rabbitMq.namespace is "a.b", but must be a DNS label: '],
    [
      { prometheus: { namespace: 'a', podLabels: { 'a b': 'c' } } },
      'prometheus.podLabels has the key "a b", but a key ',
    ],
    [
      { prometheus: { namespace: 'a', monitorLabels: { release: 'a b' } } },
      'prometheus.monitorLabels.release is "a b", but the value of a label ',
    ],
    [{ gpuRuntimeClass: 'NVIDIA' }, 'gpuRuntimeClass is "NVIDIA", but must be DNS labels joined by dots: '],
    [{ storage: { block: 'GP3' } }, 'storage.block is "GP3", but must be DNS labels joined by dots: '],
    [{ storage: { shared: 'a b' } }, 'storage.shared is "a b", but must be DNS labels joined by dots: '],
    [
      { prometheus: { namespace: 'a', url: 'prometheus:9090' } },
      'prometheus.url is "prometheus:9090", but must be a URL ',
    ],
    [{ zones: 2 ** 31 }, 'zones is 2147483648, but must be at most 2147483647'],
    [
      { nodePools: [{ name: 'a', nodes: 1, taints: [{ key: 'a', value: 'b c' }] }] },
      'nodePools.0.taints.0.value is "b c", but the value of a label ',
    ],
  ])('what exists in no cluster: %j', (props, problem) => {
    expect(refusalOf(() => new Cluster(props)).message.startsWith(`cluster.${problem}`)).toBe(true);
  });

  test.each([0, -1, 1.5, Number.NaN])('%s zones', (zones) => {
    refused({ zones }, `zones is ${zones}, but must be a whole number from 1`);
  });

  test.each(['Cluster.local', 'cluster.local.', ''])('the domain "%s"', (domain) => {
    refused(
      { domain },
      `domain is "${domain}", but must be DNS labels joined by dots: lower-case letters, digits and "-", beginning and ` +
        'ending with a letter or digit',
    );
  });

  test.each([0, 65536, 5.3])('the DNS port %s', (port) => {
    refused({ dns: { namespace: 'dns', port } }, `dns.port is ${port}, but must be from 1 to 65535`);
  });

  test.each([-1, 1.5, Number.NaN])('a pool of %s nodes', (nodes) => {
    refused(pool({ nodes }), `nodePools.0.nodes is ${nodes}, but must be a whole number from 0`);
  });

  test.each([0, 0.5])('%s accelerators per node', (acceleratorsPerNode) => {
    refused(
      pool({ acceleratorsPerNode }),
      `nodePools.0.acceleratorsPerNode is ${acceleratorsPerNode}, but must be a whole number from 1`,
    );
  });

  test('a taint that no node can have', () => {
    refused(
      pool({ taints: [{ key: 'a' }, { key: 'b', effect: 'noSchedule' }] }),
      'nodePools.0.taints.1.effect is "noSchedule", but must be one of NoSchedule, PreferNoSchedule, NoExecute',
    );
    refused(
      pool({ taints: [{ key: 'gpu=true' }] }),
      'nodePools.0.taints.0.key is "gpu=true", but the key of a taint has the form of a label\'s: nvidia.com/gpu',
    );
  });

  test('a selector that no node can match', () => {
    expect(() => new Cluster(pool({ nodeSelector: { 'a b': 'c' } }))).toThrow(
      'cluster.nodePools.0.nodeSelector has the key "a b"',
    );
  });

  test('a pool may be empty', () => {
    const taints = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'].map((effect) => ({ key: 'acme.example/a', effect }));
    expect(new Cluster(pool({ nodes: 0, taints })).nodePools).toHaveLength(1);
  });
});

describe('addresses of NodeLocal DNSCache', () => {
  const withDns = (nodeLocal: string[]) => () => new Cluster({ dns: { namespace: 'd', nodeLocal } });

  test('are of either family', () => {
    const nodeLocal = ['169.254.20.10', 'fd00::a'];
    expect(withDns(nodeLocal)().dns.nodeLocal).toEqual(nodeLocal);
  });

  test.each(['dns.local', 'fe80::1%eth0', '10.0.0.0/8', ''])('cannot be "%s"', (address) => {
    expect(withDns(['169.254.20.10', address])).toThrow(
      `cluster.dns.nodeLocal.1 is "${address}", but must be an IPv4 or IPv6 address`,
    );
  });
});
