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
  expect(to[0].ipBlock.except).toEqual(expect.arrayContaining(['10.0.0.0/8', '169.254.0.0/16', '192.168.0.0/16']));
});

test('on Cilium it opens the name', () => {
  const objects = client({ host: 'api.openai.com' }, { cilium: true });
  expect(find(objects, 'CiliumNetworkPolicy', 'client').spec.egress[0]).toEqual({
    toFQDNs: [{ matchName: 'api.openai.com' }],
    toPorts: [{ ports: [{ port: '443', protocol: 'TCP' }] }],
  });
  expect(find(objects, 'NetworkPolicy', 'client').spec.egress).toEqual([]);
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
