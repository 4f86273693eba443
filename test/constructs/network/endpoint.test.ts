import { Endpoint } from '../../../constructs/network/endpoint';
import { PodSet } from '../../../constructs/network/peer';
import { Cluster } from '../../../constructs/placement/cluster';
import { testChart } from '../../support/manifests';
import { LABELS } from '../../support/output';

const HTTP = { name: 'http', number: 6333 };

describe('a port behind a Service', () => {
  const pods = new PodSet('rag', 'qdrant', LABELS);
  const endpoint = Endpoint.service(pods, 'qdrant-http', HTTP);

  test('is reached by the short name in its namespace', () => {
    expect(endpoint.hostFrom(testChart(), 'rag')).toBe('qdrant-http');
  });

  test('is reached by the full name from another, in the domain of the cluster', () => {
    expect(endpoint.hostFrom(testChart(), 'tenant')).toBe('qdrant-http.rag.svc.cluster.local');
    expect(endpoint.hostFrom(testChart({ domain: 'k8s.acme.example' }), 'tenant')).toBe(
      'qdrant-http.rag.svc.k8s.acme.example',
    );
  });

  test('is the pods to a policy', () => {
    expect(endpoint.peer).toBe(pods);
    expect(endpoint.port).toBe(HTTP);
    expect(endpoint.service).toBe('qdrant-http');
  });
});

describe('a port of a host', () => {
  const port = { name: 'https', number: 443 };
  const cluster = new Cluster();

  test.each([-1, 0, 1.5, 65536, Number.NaN])('cannot have the number %s', (number) => {
    expect(() => Endpoint.host('acme.example', { name: 'https', number })).toThrow(
      new Error(`port is ${number}, but must be from 1 to 65535`),
    );
  });

  test.each(['10.1.2', 'https://acme.example', ''])('cannot be that of the host "%s", addresses or not', (host) => {
    for (const cidrs of [[], ['10.0.0.0/8']]) {
      expect(() => Endpoint.host(host, port, cidrs)).toThrow(
        new Error(`host is "${host}", but must be a DNS name or an address, without scheme, port or path`),
      );
    }
  });

  test('is reached by its name from everywhere', () => {
    const endpoint = Endpoint.host('api.openai.com', port);
    expect(endpoint.hostFrom(testChart(), 'rag')).toBe('api.openai.com');
    expect(endpoint.hostFrom(testChart(), 'tenant')).toBe('api.openai.com');
    expect(endpoint.port).toBe(port);
    expect(endpoint.service).toBeUndefined();
  });

  test('is its name to a policy when its addresses are unknown', () => {
    const { peer } = Endpoint.host('api.openai.com', port);
    expect(peer.fqdn).toBe('api.openai.com');
    expect(peer.in('rag', cluster)).toHaveLength(1);
  });

  test('is its addresses to a policy when they are known', () => {
    const { peer } = Endpoint.host('db.acme.example', port, ['10.1.0.0/16', '10.2.0.0/16']);
    expect(peer.fqdn).toBeUndefined();
    expect(peer.in('rag', cluster)).toEqual([
      { ipBlock: { cidr: '10.1.0.0/16' } },
      { ipBlock: { cidr: '10.2.0.0/16' } },
    ]);
    const single = Endpoint.host('db.acme.example', port, ['10.1.2.3/32']);
    expect(single.peer.in('rag', cluster)).toEqual([{ ipBlock: { cidr: '10.1.2.3/32' } }]);
  });

  test.each([
    ['10.1.2.3', '10.1.2.3/32'],
    ['203.0.113.7', '203.0.113.7/32'],
    ['2001:db8::1', '2001:db8::1/128'],
    ['fd00:10::7', 'fd00:10::7/128'],
  ])('is exactly the address %s to a policy when the host is one', (host, cidr) => {
    const endpoint = Endpoint.host(host, port);
    expect(endpoint.peer.fqdn).toBeUndefined();
    expect(endpoint.peer.in('rag', cluster)).toEqual([{ ipBlock: { cidr } }]);
    expect(endpoint.peer.in('rag', new Cluster({ cilium: true }))).toEqual([{ ipBlock: { cidr } }]);
    expect(endpoint.hostFrom(testChart(), 'rag')).toBe(host);
  });

  test.each(['10.1.2.3.example', '10-1-2-3.acme.example'])('is a name to a policy when it is %s', (host) => {
    expect(Endpoint.host(host, port).peer.fqdn).toBe(host);
  });
});
