import { Peer, PodSet } from '../../../constructs/network/peer';
import { Cluster } from '../../../constructs/placement/cluster';
import { checkCidrs } from '../../../constructs/rules/address-range';
import { LABELS } from '../../support/output';
import { refusalOf } from '../../support/refusal';

const GENERIC = new Cluster();
const CILIUM = new Cluster({ cilium: true });
const IPV6 = new Cluster({ ipv6: true });

const INTERNET_V4 = {
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
};
const INTERNET_V6 = { ipBlock: { cidr: '::/0', except: ['fc00::/7', 'fe80::/10'] } };

const inNamespace = (name: string) => ({
  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
});

describe('pods', () => {
  const pods = new PodSet('rag', 'api', LABELS);

  test('are named by their labels in their own namespace', () => {
    expect(pods.in('rag')).toEqual([{ podSelector: { matchLabels: LABELS } }]);
  });

  test('are named by their labels and their namespace in another', () => {
    expect(pods.in('tenant')).toEqual([{ ...inNamespace('rag'), podSelector: { matchLabels: LABELS } }]);
  });

  test('are told from others with the same labels by those that they have not', () => {
    const bare = new PodSet('rag', 'api', LABELS, ['canary', 'preview']);
    const matchExpressions = [
      { key: 'canary', operator: 'DoesNotExist' },
      { key: 'preview', operator: 'DoesNotExist' },
    ];
    expect(bare.selector).toEqual({ matchLabels: LABELS, matchExpressions });
    expect(bare.in('rag')).toEqual([{ podSelector: { matchLabels: LABELS, matchExpressions } }]);
    expect(bare.key).toBe(pods.key);
    expect(pods.selector).toEqual({ matchLabels: LABELS });
  });

  test('are the same pods when namespace and name are', () => {
    expect(pods.key).toBe(new PodSet('rag', 'api', {}).key);
    expect(pods.key).not.toBe(new PodSet('tenant', 'api', LABELS).key);
    expect(pods.key).not.toBe(new PodSet('rag', 'queue', LABELS).key);
  });

  test('have no host name, and are described by their name', () => {
    expect(pods.fqdn).toBeUndefined();
    expect(pods.describe()).toBe('api');
  });
});

describe('a service of the cluster', () => {
  const service = { namespace: 'monitoring', podLabels: { app: 'prometheus' } };

  test('is named by its namespace and labels, even in that namespace', () => {
    const peers = [{ ...inNamespace('monitoring'), podSelector: { matchLabels: { app: 'prometheus' } } }];
    expect(Peer.service(service).in('rag', GENERIC)).toEqual(peers);
    expect(Peer.service(service).in('monitoring', CILIUM)).toEqual(peers);
  });

  test('is every pod of its namespace when it has no labels', () => {
    const [peer] = Peer.service({ namespace: 'monitoring' }).in('rag', GENERIC);
    expect(peer).toEqual(inNamespace('monitoring'));
    expect(peer?.podSelector).toBeUndefined();
  });

  test('is the same service when namespace and labels are', () => {
    expect(Peer.service(service).key).toBe(Peer.service({ ...service }).key);
    expect(Peer.service(service).key).not.toBe(Peer.service({ namespace: 'monitoring' }).key);
    expect(Peer.service(service).key).not.toBe(Peer.service({ ...service, namespace: 'keda' }).key);
  });

  test('has no host name, and is described by its namespace', () => {
    expect(Peer.service(service).fqdn).toBeUndefined();
    expect(Peer.service(service).describe()).toBe('namespace monitoring');
  });
});

describe('ranges of addresses', () => {
  const peer = Peer.cidrs('10.1.0.0/16', '10.2.3.4/32');

  test('are named one by one', () => {
    expect(peer.in('rag', GENERIC)).toEqual([
      { ipBlock: { cidr: '10.1.0.0/16' } },
      { ipBlock: { cidr: '10.2.3.4/32' } },
    ]);
    expect(peer.in('rag', CILIUM)).toEqual(peer.in('rag', GENERIC));
  });

  test('are the same when all of them are', () => {
    expect(peer.key).toBe(Peer.cidrs('10.1.0.0/16', '10.2.3.4/32').key);
    expect(peer.key).not.toBe(Peer.cidrs('10.1.0.0/16').key);
  });

  test.each(['0.0.0.0/0', '10.2.3.4/32', '::/0', 'fd00:10::/64', '2001:db8::1/128'])('may be %s', (cidr) => {
    expect(Peer.cidrs(cidr).in('rag', GENERIC)).toEqual([{ ipBlock: { cidr } }]);
    expect(() => checkCidrs([cidr], 'cidrs')).not.toThrow();
  });

  test.each([
    ['an address without a length', '10.0.0.0'],
    ['an address with an empty length', '10.0.0.0/'],
    ['a length of no number', '10.0.0.0/x'],
    ['a length below 0', '10.0.0.0/-1'],
    ['a length that is not whole', '10.0.0.0/8.5'],
    ['a length in scientific notation', '10.0.0.0/1e1'],
    ['a length with spaces', '10.0.0.0/ 8'],
    ['a length beyond that of IPv4', '10.0.0.0/33'],
    ['a length beyond that of IPv6', '::/129'],
    ['two lengths', '10.0.0.0/8/8'],
    ['part of an address', '10.0.0/8'],
    ['an address with too high a number', '10.0.0.256/32'],
    ['no address', '/8'],
    ['a host', 'db.acme.example/32'],
    ['a length with a zero before it', '10.0.0.0/08'],
    ['an address of a zone', 'fe80::1%eth0/128'],
    ['nothing', ''],
  ])('cannot be %s', (_, cidr) => {
    const problem = `has "${cidr}", but must have address ranges such as 10.0.0.0/16`;
    expect(() => Peer.cidrs('10.0.0.0/8', cidr)).toThrow(new Error(`cidrs ${problem}`));
    expect(refusalOf(() => checkCidrs([cidr], 'gateway.proxyCidrs'))).toMatchObject({
      name: 'UsageError',
      constructPath: '',
      property: 'gateway.proxyCidrs',
      problem,
    });
  });

  test.each([
    ['10.1.2.3/16', '10.1.0.0/16', 32],
    ['10.0.0.255/31', '10.0.0.254/31', 32],
    ['1.2.3.4/0', '0.0.0.0/0', 32],
    ['2001:db8::1/64', '2001:db8::/64', 128],
    ['2001:db8:1:2:3:4:5:6/33', '2001:db8::/33', 128],
    ['::ffff:10.1.2.3/120', '::ffff:a01:200/120', 128],
  ])('are named by their first address: %s', (cidr, range, bits) => {
    expect(() => Peer.cidrs(cidr)).toThrow(
      new Error(
        `cidrs has "${cidr}", an address within a range; name the range by its first address, ${range}, or the address ` +
          `alone with /${bits}`,
      ),
    );
    expect(() => Peer.cidrs(range)).not.toThrow();
  });

  test('are refused for the first that is wrong', () => {
    expect(() => checkCidrs(['10.0.0.0/8', 'b', 'a'], 'cidrs')).toThrow(
      new Error('cidrs has "b", but must have address ranges such as 10.0.0.0/16'),
    );
  });

  test('can be none in a property, but are at least one in a rule', () => {
    expect(() => checkCidrs([], 'cidrs')).not.toThrow();
    expect(() => Peer.cidrs()).toThrow(
      new Error('cidrs has no range, so a rule with it would allow nobody or everybody; name at least one'),
    );
  });

  test('have no host name, and are described by themselves', () => {
    expect(peer.fqdn).toBeUndefined();
    expect(peer.describe()).toBe('10.1.0.0/16, 10.2.3.4/32');
  });
});

describe('the internet', () => {
  test('is every address that is not private, link-local or a metadata service', () => {
    expect(Peer.internet().in('rag', GENERIC)).toEqual([INTERNET_V4]);
    expect(Peer.internet().in('rag', CILIUM)).toEqual([INTERNET_V4]);
  });

  test('has IPv6 addresses where pods have them', () => {
    expect(Peer.internet().in('rag', IPV6)).toEqual([INTERNET_V4, INTERNET_V6]);
  });

  test('is one, has no host name, and is described as itself', () => {
    expect(Peer.internet().key).toBe(Peer.internet().key);
    expect(Peer.internet().fqdn).toBeUndefined();
    expect(Peer.internet().describe()).toBe('the internet');
  });
});

describe('a host', () => {
  const host = Peer.host('api.openai.com');

  test('widens to the internet, because policies know no names', () => {
    expect(host.in('rag', GENERIC)).toEqual([INTERNET_V4]);
    expect(host.in('rag', IPV6)).toEqual([INTERNET_V4, INTERNET_V6]);
  });

  test.each(['http://x y', 'acme.example:443', '10.1.2.3', '::1', 'localhost', ''])('cannot be "%s"', (wrong) => {
    expect(() => Peer.host(wrong)).toThrow(
      new Error(
        `host is "${wrong}", but must be a DNS name, without scheme, port or path; name an address with Peer.cidrs`,
      ),
    );
  });

  test('is nobody in a policy on Cilium, where another policy names it', () => {
    expect(host.in('rag', CILIUM)).toEqual([]);
  });

  test('is the same when its name is', () => {
    expect(host.key).toBe(Peer.host('api.openai.com').key);
    expect(host.key).not.toBe(Peer.host('api.cohere.com').key);
    expect(host.key).not.toBe(Peer.internet().key);
  });

  test('is described by its name', () => {
    expect(host.fqdn).toBe('api.openai.com');
    expect(host.describe()).toBe('api.openai.com');
  });
});

test('peers of different kinds are never the same', () => {
  const peers = [
    new PodSet('a', 'b', {}),
    Peer.service({ namespace: 'a' }),
    Peer.cidrs('10.0.0.0/8'),
    Peer.internet(),
    Peer.host('acme.example'),
  ];
  expect(new Set(peers.map(({ key }) => key)).size).toBe(peers.length);
});
