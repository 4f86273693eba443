import { ExternalService, type ExternalServiceProps } from '../../../constructs/data/external-service';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { Deployment } from '../../../constructs/workload/deployment';
import { EnvValue } from '../../../constructs/workload/env-value';
import { env, find, namesOf, render, testChart } from '../../support/manifests';
import { IMAGE, KEY, RESOURCES } from '../../support/values';

function client(props: ExternalServiceProps, cluster: ClusterProps = {}) {
  const chart = testChart(cluster);
  const deployment = new Deployment(chart, 'client', {
    component: 'client',
    container: { image: IMAGE, resources: RESOURCES },
  });
  deployment.uses(new ExternalService(props));
  return render(chart);
}

const egressOf = (objects: ReturnType<typeof client>) => find(objects, 'NetworkPolicy', 'client').spec.egress[0];

test('a host with known addresses opens those, on its port', () => {
  const objects = client({ host: 'db.acme.example', port: 5432, cidrs: ['10.1.0.0/28', '10.2.0.0/28'] });
  expect(egressOf(objects)).toEqual({
    to: [{ ipBlock: { cidr: '10.1.0.0/28' } }, { ipBlock: { cidr: '10.2.0.0/28' } }],
    ports: [{ port: 5432, protocol: 'TCP' }],
  });
});

test('a host with unknown addresses opens 443 to the internet, and to nothing private', () => {
  const { to, ports } = egressOf(client({ host: 'api.openai.com' }));
  expect(ports).toEqual([{ port: 443, protocol: 'TCP' }]);
  expect(to).toHaveLength(1);
  expect(to[0].ipBlock.cidr).toBe('0.0.0.0/0');
  expect(to[0].ipBlock.except).toEqual(expect.arrayContaining(['10.0.0.0/8', '169.254.0.0/16', '192.168.0.0/16']));
});

test('the internet has IPv6 addresses only where pods have', () => {
  const rangesOf = (cluster: ClusterProps) =>
    egressOf(client({ host: 'api.openai.com' }, cluster)).to.map(
      ({ ipBlock }: { ipBlock: { cidr: string } }) => ipBlock.cidr,
    );
  expect(rangesOf({ ipv6: false })).toEqual(['0.0.0.0/0']);
  expect(rangesOf({ ipv6: true })).toEqual(['0.0.0.0/0', '::/0']);
});

test('on Cilium it opens the name', () => {
  const objects = client({ host: 'api.openai.com' }, { cilium: true });
  expect(find(objects, 'CiliumNetworkPolicy', 'client').spec.egress[0]).toEqual({
    toFQDNs: [{ matchName: 'api.openai.com' }],
    toPorts: [{ ports: [{ port: '443', protocol: 'TCP' }] }],
  });
  const { policyTypes, egress } = find(objects, 'NetworkPolicy', 'client').spec;
  expect(policyTypes).toEqual(['Ingress', 'Egress']);
  expect(egress).toBeUndefined();
});

test.each([
  ['203.0.113.7', '203.0.113.7/32'],
  ['2001:db8::1', '2001:db8::1/128'],
])('a host that is the address %s opens that alone, on Cilium too', (host, cidr) => {
  for (const cilium of [false, true]) {
    const objects = client({ host }, { cilium });
    expect(egressOf(objects).to).toEqual([{ ipBlock: { cidr } }]);
    expect(namesOf(objects, 'CiliumNetworkPolicy')).toEqual([]);
  }
});

test('known addresses need no name on Cilium either', () => {
  const objects = client({ host: 'db.acme.example', cidrs: ['10.1.0.0/28'] }, { cilium: true });
  expect(namesOf(objects, 'CiliumNetworkPolicy')).toEqual([]);
});

test('clients get its variables', () => {
  const objects = client({
    host: 'api.openai.com',
    env: { OPENAI_BASE_URL: EnvValue.of('https://api.openai.com/v1'), OPENAI_API_KEY: EnvValue.fromSecret(KEY) },
  });
  const deployment = find(objects, 'Deployment', 'client');
  expect(env(deployment, 'OPENAI_BASE_URL')).toBe('https://api.openai.com/v1');
  expect(env(deployment, 'OPENAI_API_KEY')).toEqual({ secretKeyRef: { name: 'existing', key: 'key' } });
});

test.each([0, 65536, 1.5])('the port %s is refused', (port) => {
  expect(() => new ExternalService({ host: 'acme.example', port })).toThrow(
    `external.port is ${port}, but must be from 1 to 65535`,
  );
});

test.each([
  '',
  'https://acme.example',
  'acme.example/v1',
  'acme.example:443',
  'user@acme.example',
  'localhost',
  'acme..example',
  '-acme.example',
  'Acme.example',
  'acme_api.example',
  `${'a'.repeat(64)}.example`,
  '10.1.2.3/32',
  '[::1]',
])('the host "%s" is refused', (host) => {
  expect(() => new ExternalService({ host })).toThrow(
    new Error(`external.host is "${host}", but must be a DNS name or an address, without scheme, port or path`),
  );
});

test.each(['acme.example', 'a.b.c', 'api-1.acme.example', `${'a'.repeat(63)}.example`, '203.0.113.7', '2001:db8::1'])(
  'the host %s is one',
  (host) => {
    const [endpoint] = new ExternalService({ host }).offerTo().endpoints;
    expect(endpoint?.hostFrom(testChart(), 'test')).toBe(host);
  },
);

test.each(['', '10.0.0.0', '10.0.0.0/', '10.0.0.0/33', '10.0.0/8', '10.0.0.256/32', '::/129', 'acme.example/24', '/8'])(
  'the address range "%s" is refused',
  (cidr) => {
    expect(() => new ExternalService({ host: 'acme.example', cidrs: ['10.1.0.0/16', cidr] })).toThrow(
      `cidrs has "${cidr}", but must have address ranges such as 10.0.0.0/16`,
    );
  },
);

test.each(['0.0.0.0/0', '10.1.2.3/32', '2001:db8::/32', '::1/128'])('the address range %s is one', (cidr) => {
  expect(egressOf(client({ host: 'acme.example', cidrs: [cidr] })).to).toEqual([{ ipBlock: { cidr } }]);
});
