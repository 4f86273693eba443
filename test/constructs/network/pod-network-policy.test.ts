import { App, Chart } from 'cdk8s';
import { Construct } from 'constructs';
import type { Connection } from '../../../constructs/network/connection-graph';
import { Peer, PodSet } from '../../../constructs/network/peer';
import { PodNetworkPolicy } from '../../../constructs/network/pod-network-policy';
import { Cluster, type ClusterProps } from '../../../constructs/placement/cluster';
import type { Json, ManifestObject } from '../../../constructs/rules/output';
import { find, namesOf, render, testChart } from '../../support/manifests';

const HTTP = { name: 'http', number: 8000 };
const GRPC = { name: 'grpc', number: 6334 };
const HTTPS = { name: 'https', number: 443 };

const tcp = (port: number) => ({ port, protocol: 'TCP' });
const labelsOf = (name: string) => ({ 'app.kubernetes.io/name': name });
const own = (name: string) => ({ podSelector: { matchLabels: labelsOf(name) } });
const away = (namespace: string, podLabels?: object) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
  ...(podLabels && { podSelector: { matchLabels: podLabels } }),
});

const DNS = {
  to: [away('kube-system', { 'k8s-app': 'kube-dns' })],
  ports: [
    { port: 53, protocol: 'UDP' },
    { port: 53, protocol: 'TCP' },
  ],
};

/** The pods of a workload in the chart's namespace, with their policies. */
function workload(chart: Chart, name: string) {
  const pods = new PodSet(chart.namespace ?? '', name, labelsOf(name));
  const policy = new PodNetworkPolicy(chart, name, { pods, metadata: { labels: { part: name } } });
  return { pods, policy };
}

const using = (to: Peer, ...ports: Connection['ports']) => ({ to, ports });
const usedBy = (from: Peer, ...ports: Connection['ports']) => ({ from, ports });

const policyOf = (objects: ManifestObject[], name: string): Json => find(objects, 'NetworkPolicy', name).spec;

/** The policy of a single workload after it was wired. */
function wired(wire: (policy: PodNetworkPolicy, pods: PodSet) => void, cluster: ClusterProps = {}) {
  const chart = testChart(cluster);
  const { policy, pods } = workload(chart, 'api');
  wire(policy, pods);
  const objects = render(chart);
  return { objects, spec: policyOf(objects, 'api') };
}

describe('pods that nobody wired', () => {
  const { objects, spec } = wired(() => {});

  test('are closed in both directions, and resolve no names', () => {
    expect(spec).toEqual({
      podSelector: { matchLabels: labelsOf('api') },
      policyTypes: ['Ingress', 'Egress'],
    });
  });

  test('have one policy, named like them, with the metadata that it was given', () => {
    expect(objects.map(({ kind }) => kind)).toEqual(['NetworkPolicy']);
    expect(find(objects, 'NetworkPolicy', 'api').metadata).toEqual({
      name: 'api',
      namespace: 'test',
      labels: { part: 'api' },
    });
  });
});

describe('a connection between two workloads', () => {
  const chart = testChart();
  const [api, queue] = [workload(chart, 'api'), workload(chart, 'queue')];
  workload(chart, 'bystander');
  api.policy.allowTo(using(queue.pods, HTTP));
  const objects = render(chart);

  test('is allowed on the side that opens it', () => {
    expect(policyOf(objects, 'api').egress).toEqual([{ to: [own('queue')], ports: [tcp(8000)] }, DNS]);
    expect(policyOf(objects, 'api').ingress).toBeUndefined();
  });

  test('is allowed on the side that accepts it', () => {
    expect(policyOf(objects, 'queue').ingress).toEqual([{ from: [own('api')], ports: [tcp(8000)] }]);
    expect(policyOf(objects, 'queue')).not.toHaveProperty('egress');
  });

  test('is nothing to anybody else', () => {
    expect(policyOf(objects, 'bystander').ingress).toBeUndefined();
    expect(policyOf(objects, 'bystander')).not.toHaveProperty('egress');
  });

  test('may be allowed by the side that accepts it', () => {
    const other = testChart();
    const [client, server] = [workload(other, 'client'), workload(other, 'server')];
    server.policy.allowFrom(usedBy(client.pods, HTTP));
    expect(policyOf(render(other), 'client').egress).toEqual([{ to: [own('server')], ports: [tcp(8000)] }, DNS]);
    expect(policyOf(render(other), 'server').ingress).toEqual([{ from: [own('client')], ports: [tcp(8000)] }]);
  });
});

test('a connection across namespaces names the namespace of the other side', () => {
  const app = new App();
  const [front, back] = ['front', 'back'].map((id) => new Chart(app, id, { namespace: id })) as [Chart, Chart];
  const [api, store] = [workload(front, 'api'), workload(back, 'store')];
  api.policy.allowTo(using(store.pods, HTTP));
  expect(policyOf(render(front), 'api').egress[0]).toEqual({
    to: [away('back', labelsOf('store'))],
    ports: [tcp(8000)],
  });
  expect(policyOf(render(back), 'store').ingress).toEqual([
    { from: [away('front', labelsOf('api'))], ports: [tcp(8000)] },
  ]);
});

test('pods that are named again by namespace and name are opened on both sides', () => {
  const chart = testChart();
  const [api, queue] = [workload(chart, 'api'), workload(chart, 'queue')];
  api.policy.allowTo(using(new PodSet('test', 'queue', labelsOf('queue')), HTTP));
  queue.policy.allowFrom(usedBy(new PodSet('test', 'api', labelsOf('api')), GRPC));
  const ports = [tcp(6334), tcp(8000)];
  expect(policyOf(render(chart), 'api').egress).toEqual([{ to: [own('queue')], ports }, DNS]);
  expect(policyOf(render(chart), 'queue').ingress).toEqual([{ from: [own('api')], ports }]);
});

test('pods that connect to one another open both directions', () => {
  const { spec } = wired((policy, pods) => policy.allowTo(using(pods, HTTP)));
  expect(spec.ingress).toEqual([{ from: [own('api')], ports: [tcp(8000)] }]);
  expect(spec.egress).toEqual([{ to: [own('api')], ports: [tcp(8000)] }, DNS]);
});

describe('rules', () => {
  test('are one for each peer, with its ports in order, each once', () => {
    const { spec } = wired((policy) => {
      const qdrant = new PodSet('test', 'qdrant', labelsOf('qdrant'));
      policy.allowTo(using(qdrant, HTTP, GRPC));
      policy.allowTo(using(qdrant, HTTPS, { ...HTTP, name: 'again' }));
    });
    expect(spec.egress).toEqual([{ to: [own('qdrant')], ports: [tcp(443), tcp(6334), tcp(8000)] }, DNS]);
  });

  test('are the same in whatever order they were wired', () => {
    const peers = [
      new PodSet('test', 'queue', labelsOf('queue')),
      new PodSet('test', 'cache', labelsOf('cache')),
      Peer.service({ namespace: 'monitoring' }),
      Peer.cidrs('10.1.0.0/16'),
    ];
    const wire = (order: Peer[]) => (policy: PodNetworkPolicy) => {
      for (const peer of order) {
        policy.allowTo(using(peer, HTTP));
        policy.allowFrom(usedBy(peer, HTTP));
      }
    };
    const { spec } = wired(wire(peers));
    expect(wired(wire(peers.toReversed())).spec).toEqual(spec);
    const rules = [[{ ipBlock: { cidr: '10.1.0.0/16' } }], [own('cache')], [own('queue')], [away('monitoring')]];
    expect(spec.egress.map(({ to }: Json) => to)).toEqual([...rules, DNS.to]);
    expect(spec.ingress.map(({ from }: Json) => from)).toEqual(rules);
  });

  test('for ingress are no rules for egress', () => {
    const { spec } = wired((policy) => policy.allowFrom(usedBy(Peer.service({ namespace: 'monitoring' }), HTTP)));
    expect(spec.ingress).toEqual([{ from: [away('monitoring')], ports: [tcp(8000)] }]);
    expect(spec).not.toHaveProperty('egress');
  });

  test('name ranges of addresses', () => {
    const { spec } = wired((policy) => policy.allowTo(using(Peer.cidrs('10.1.0.0/16', '10.2.0.0/16'), HTTPS)));
    expect(spec.egress[0]).toEqual({
      to: [{ ipBlock: { cidr: '10.1.0.0/16' } }, { ipBlock: { cidr: '10.2.0.0/16' } }],
      ports: [tcp(443)],
    });
  });

  test.each([
    ['the internet', Peer.internet()],
    ['a host, where policies know no names,', Peer.host('api.openai.com')],
  ])('to %s leave out what is private', (_, peer) => {
    const { objects, spec } = wired((policy) => policy.allowTo(using(peer, HTTPS)));
    expect(spec.egress).toEqual([
      {
        to: [
          {
            ipBlock: {
              cidr: '0.0.0.0/0',
              except: [
                '10.0.0.0/8',
                '100.64.0.0/10',
                '168.63.129.16/32',
                '169.254.0.0/16',
                '172.16.0.0/12',
                '192.0.0.0/24',
                '192.168.0.0/16',
              ],
            },
          },
        ],
        ports: [tcp(443)],
      },
      DNS,
    ]);
    expect(namesOf(objects, 'CiliumNetworkPolicy')).toEqual([]);
  });

  test('hold what is wired after the policy was created, until it is rendered', () => {
    const chart = testChart();
    const api = workload(chart, 'api');
    expect(policyOf(render(chart), 'api')).not.toHaveProperty('egress');
    new Construct(chart, 'late');
    api.policy.allowTo(using(workload(chart, 'queue').pods, HTTP));
    expect(policyOf(render(chart), 'api').egress).toEqual([{ to: [own('queue')], ports: [tcp(8000)] }, DNS]);
  });
});

describe('DNS', () => {
  /** The rule that is beside the one for the connection. */
  const dnsOf = (dns: ClusterProps['dns']) =>
    wired((policy) => policy.allowTo(using(Peer.cidrs('203.0.113.7/32'), HTTPS)), { dns }).spec.egress.slice(1);

  test('of OpenShift has another port', () => {
    const podLabels = { 'dns.operator.openshift.io/daemonset-dns': 'default' };
    expect(dnsOf({ namespace: 'openshift-dns', podLabels, port: 5353 })).toEqual([
      {
        to: [away('openshift-dns', podLabels)],
        ports: [
          { port: 5353, protocol: 'UDP' },
          { port: 5353, protocol: 'TCP' },
        ],
      },
    ]);
  });

  test.each([
    ['one address', ['169.254.20.10'], ['169.254.20.10/32']],
    ['all its addresses', ['169.254.20.10', '172.20.0.10'], ['169.254.20.10/32', '172.20.0.10/32']],
    ['addresses of both families', ['169.254.20.10', 'fd00::10'], ['169.254.20.10/32', 'fd00::10/128']],
    ['no address', [], []],
  ])('with NodeLocal DNSCache has %s too', (_, nodeLocal, cidrs) => {
    const podLabels = { 'k8s-app': 'kube-dns' };
    expect(dnsOf({ namespace: 'kube-system', podLabels, nodeLocal })).toEqual([
      { ...DNS, to: [...DNS.to, ...cidrs.map((cidr) => ({ ipBlock: { cidr } }))] },
    ]);
  });

  test('is asked by whoever opens a connection, and by nobody else', () => {
    const chart = testChart();
    const [api, queue] = [workload(chart, 'api'), workload(chart, 'queue')];
    api.policy.allowTo(using(queue.pods, HTTP));
    queue.policy.allowFrom(usedBy(Peer.service({ namespace: 'monitoring' }), HTTP));
    expect(policyOf(render(chart), 'api').egress).toContainEqual(DNS);
    expect(policyOf(render(chart), 'queue')).not.toHaveProperty('egress');
    expect(policyOf(render(chart), 'queue').policyTypes).toEqual(['Ingress', 'Egress']);
  });

  test('without labels is its namespace', () => {
    expect(dnsOf({ namespace: 'kube-system' })).toEqual([{ ...DNS, to: [away('kube-system')] }]);
  });
});

describe('hosts on Cilium', () => {
  const queue = new PodSet('test', 'queue', labelsOf('queue'));
  const OPENAI = Peer.host('api.openai.com');

  const dnsTo = (labels: object, port = '53') => ({
    toEndpoints: [{ matchLabels: labels }],
    toPorts: [{ ports: [{ port, protocol: 'ANY' }], rules: { dns: [{ matchPattern: '*' }] } }],
  });
  const KUBE_DNS = dnsTo({ 'k8s:io.kubernetes.pod.namespace': 'kube-system', 'k8s:k8s-app': 'kube-dns' });

  const { objects, spec } = wired(
    (policy) => {
      policy.allowTo(using(OPENAI, HTTPS));
      policy.allowTo(using(Peer.host('api.cohere.com'), HTTPS, GRPC));
      policy.allowTo(using(OPENAI, HTTPS));
      policy.allowTo(using(queue, HTTP));
    },
    { cilium: true },
  );

  test('are of the same pods there', () => {
    const chart = testChart({ cilium: true });
    const pods = new PodSet('test', 'db', labelsOf('db'), ['pooler']);
    new PodNetworkPolicy(chart, 'db', { pods, metadata: {} }).allowTo(using(OPENAI, HTTPS));
    const selector = { matchLabels: labelsOf('db'), matchExpressions: [{ key: 'pooler', operator: 'DoesNotExist' }] };
    expect(find(render(chart), 'CiliumNetworkPolicy', 'db').spec.endpointSelector).toEqual(selector);
    expect(policyOf(render(chart), 'db').podSelector).toEqual(selector);
  });

  test('have a policy of their own, which allows exactly these names, and looks at DNS', () => {
    const object = find(objects, 'CiliumNetworkPolicy', 'api');
    expect(object).toEqual({
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumNetworkPolicy',
      metadata: { name: 'api', namespace: 'test', labels: { part: 'api' } },
      spec: {
        endpointSelector: { matchLabels: labelsOf('api') },
        egress: [
          {
            toFQDNs: [{ matchName: 'api.cohere.com' }],
            toPorts: [
              {
                ports: [
                  { port: '443', protocol: 'TCP' },
                  { port: '6334', protocol: 'TCP' },
                ],
              },
            ],
          },
          {
            toFQDNs: [{ matchName: 'api.openai.com' }],
            toPorts: [{ ports: [{ port: '443', protocol: 'TCP' }] }],
          },
          KUBE_DNS,
        ],
      },
    });
  });

  test('leave the plain policy all else, without DNS and without a rule for everybody', () => {
    expect(spec).toEqual({
      podSelector: { matchLabels: labelsOf('api') },
      policyTypes: ['Ingress', 'Egress'],
      egress: [{ to: [own('queue')], ports: [tcp(8000)] }],
    });
  });

  test('alone leave the plain policy no egress at all', () => {
    const alone = wired((policy) => policy.allowTo(using(OPENAI, HTTPS)), { cilium: true });
    expect(alone.spec).toEqual({
      podSelector: { matchLabels: labelsOf('api') },
      policyTypes: ['Ingress', 'Egress'],
    });
    expect(namesOf(alone.objects, 'CiliumNetworkPolicy')).toEqual(['api']);
  });

  test('cannot be admitted by name, on Cilium or elsewhere', () => {
    for (const cilium of [true, false]) {
      expect(() => wired((policy) => policy.allowFrom(usedBy(OPENAI, HTTP)), { cilium })).toThrow(
        new Error(
          'rag/api: from is the host api.openai.com, but no policy admits a host by its name, and without one it would ' +
            'be the whole internet; name its addresses with Peer.cidrs',
        ),
      );
    }
  });

  test('are looked up at the DNS of the cluster', () => {
    const dns = { namespace: 'openshift-dns', port: 5353 };
    const { objects: other } = wired((policy) => policy.allowTo(using(OPENAI, HTTPS)), { cilium: true, dns });
    expect(find(other, 'CiliumNetworkPolicy', 'api').spec.egress[1]).toEqual(
      dnsTo({ 'k8s:io.kubernetes.pod.namespace': 'openshift-dns' }, '5353'),
    );
  });

  test('are no matter where nobody connects to one', () => {
    const plain = wired((policy) => policy.allowTo(using(queue, HTTP)), { cilium: true });
    expect(namesOf(plain.objects, 'CiliumNetworkPolicy')).toEqual([]);
    expect(plain.spec.egress).toEqual([{ to: [own('queue')], ports: [tcp(8000)] }, DNS]);
  });

  test('with known addresses are ranges like others', () => {
    const plain = wired((policy) => policy.allowTo(using(Peer.cidrs('203.0.113.0/24'), HTTPS)), { cilium: true });
    expect(namesOf(plain.objects, 'CiliumNetworkPolicy')).toEqual([]);
    expect(plain.spec.egress).toEqual([{ to: [{ ipBlock: { cidr: '203.0.113.0/24' } }], ports: [tcp(443)] }, DNS]);
  });

  test('are allowed to those pods only that connect to them', () => {
    const chart = testChart({ cilium: true });
    workload(chart, 'api').policy.allowTo(using(OPENAI, HTTPS));
    workload(chart, 'queue');
    expect(namesOf(render(chart), 'CiliumNetworkPolicy')).toEqual(['api']);
    expect(policyOf(render(chart), 'queue')).not.toHaveProperty('egress');
  });

  test('depend on the cluster of the chart that the pods are in', () => {
    const app = new App();
    const [cilium, other] = ['cilium', 'other'].map((id) => new Chart(app, id, { namespace: id })) as [Chart, Chart];
    new Cluster({ cilium: true }).attachTo(cilium);
    workload(cilium, 'api').policy.allowTo(using(OPENAI, HTTPS));
    workload(other, 'api').policy.allowTo(using(OPENAI, HTTPS));
    expect(namesOf(render(cilium), 'CiliumNetworkPolicy')).toEqual(['api']);
    expect(namesOf(render(other), 'CiliumNetworkPolicy')).toEqual([]);
    expect(policyOf(render(other), 'api').egress).toHaveLength(2);
    expect(policyOf(render(cilium), 'api').egress).toBeUndefined();
  });
});
