import fc from 'fast-check';
import { ObjectStore } from '../../../constructs/data/object-store';
import type { S3Props } from '../../../constructs/data/s3-bucket';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Deployment } from '../../../constructs/workload/deployment';
import { env, find, mainContainer, render, testChart } from '../../support/manifests';
import { IMAGE, RESOURCES } from '../../support/values';

const PROPS: S3Props = { bucket: 'acme-rag', region: 'eu-west-1' };
const KEYS = { accessKey: SecretKey.of('s3', 'id'), secretKey: SecretKey.of('s3', 'secret') };

function client(props: Partial<S3Props> = {}, cilium = false) {
  const chart = testChart({ cilium });
  const deployment = new Deployment(chart, 'client', {
    component: 'client',
    container: { image: IMAGE, resources: RESOURCES },
  });
  deployment.uses(ObjectStore.s3({ ...PROPS, ...props }));
  return render(chart);
}

/** Host names and ports that a client may connect to. */
function hosts(props: Partial<S3Props>) {
  const { egress } = find(client(props, true), 'CiliumNetworkPolicy', 'client').spec;
  return egress
    .filter((rule: { toFQDNs?: object[] }) => rule.toFQDNs !== undefined)
    .map(({ toFQDNs, toPorts }: { toFQDNs: { matchName: string }[]; toPorts: { ports: { port: string }[] }[] }) => [
      toFQDNs[0]?.matchName,
      toPorts[0]?.ports[0]?.port,
    ]);
}

const isDns = ({ ports }: { ports: { port: number }[] }) => ports.some(({ port }) => port === 53);

describe('Amazon S3', () => {
  test('is told to clients as its SDKs read it, keys as references only', () => {
    const deployment = find(client({ ...KEYS, prefix: 'rag/production' }), 'Deployment', 'client');
    expect(mainContainer(deployment).env).toEqual([
      { name: 'S3_BUCKET', value: 'acme-rag' },
      { name: 'S3_PREFIX', value: 'rag/production' },
      { name: 'AWS_REGION', value: 'eu-west-1' },
      { name: 'AWS_DEFAULT_REGION', value: 'eu-west-1' },
      { name: 'AWS_ACCESS_KEY_ID', valueFrom: { secretKeyRef: { name: 's3', key: 'id' } } },
      { name: 'AWS_SECRET_ACCESS_KEY', valueFrom: { secretKeyRef: { name: 's3', key: 'secret' } } },
    ]);
  });

  test('without keys and prefix is told without them', () => {
    const deployment = find(client(), 'Deployment', 'client');
    expect(mainContainer(deployment).env.map(({ name }: { name: string }) => name)).toEqual([
      'S3_BUCKET',
      'AWS_REGION',
      'AWS_DEFAULT_REGION',
    ]);
  });

  test('is reached under both its hosts, and with keys nothing else is', () => {
    expect(hosts(KEYS)).toEqual([
      ['acme-rag.s3.eu-west-1.amazonaws.com', '443'],
      ['s3.eu-west-1.amazonaws.com', '443'],
    ]);
  });

  test('without keys needs what gives a pod its identity: STS, and the agent of its node', () => {
    expect(hosts({})).toEqual([
      ['acme-rag.s3.eu-west-1.amazonaws.com', '443'],
      ['s3.eu-west-1.amazonaws.com', '443'],
      ['sts.eu-west-1.amazonaws.com', '443'],
    ]);
    const { egress } = find(client(), 'NetworkPolicy', 'client').spec;
    expect(egress).toContainEqual({
      to: [{ ipBlock: { cidr: '169.254.170.23/32' } }],
      ports: [{ port: 80, protocol: 'TCP' }],
    });
  });

  test('behind known addresses is reached at these only', () => {
    const { egress } = find(client({ ...KEYS, cidrs: ['10.9.0.0/24'] }), 'NetworkPolicy', 'client').spec;
    expect(egress.filter((rule: { ports: { port: number }[] }) => !isDns(rule))).toEqual([
      { to: [{ ipBlock: { cidr: '10.9.0.0/24' } }], ports: [{ port: 443, protocol: 'TCP' }] },
    ]);
  });

  test.each([
    ['eu-west-1', ['s3.eu-west-1.amazonaws.com']],
    // boto3 asks the host without a region there.
    ['us-east-1', ['s3.amazonaws.com', 's3.us-east-1.amazonaws.com']],
    ['us-gov-west-1', ['s3.us-gov-west-1.amazonaws.com']],
    ['cn-north-1', ['s3.cn-north-1.amazonaws.com.cn']],
    ['eusc-de-east-1', ['s3.eusc-de-east-1.amazonaws.eu']],
    ['us-iso-east-1', ['s3.us-iso-east-1.c2s.ic.gov']],
  ])('in %s is reached at %j, with and without the bucket before it', (region, named) => {
    const reached = hosts({ ...KEYS, region }).map(([host]: [string]) => host);
    expect(reached.sort()).toEqual([...named.map((host) => `acme-rag.${host}`), ...named].sort());
  });

  test('behind an endpoint of AWS takes the identity of a pod', () => {
    const endpoint = 'https://vpce-1a-2b.s3.eu-west-1.vpce.amazonaws.com';
    expect(env(find(client({ endpoint }), 'Deployment', 'client'), 'AWS_ENDPOINT_URL_S3')).toBe(endpoint);
    expect(hosts({ endpoint }).map(([host]: [string]) => host)).toContain('sts.eu-west-1.amazonaws.com');
  });
});

describe('a compatible store', () => {
  test('outside is reached at its host and port', () => {
    expect(hosts({ ...KEYS, endpoint: 'https://s3.acme.example' })).toEqual([['s3.acme.example', '443']]);
    expect(hosts({ ...KEYS, endpoint: 'https://s3.acme.example:9443' })).toEqual([['s3.acme.example', '9443']]);
  });

  test.each([
    ['http://minio.storage.svc:9000', 9000],
    ['http://minio-0.minio.storage.svc:9000', 9000],
    ['http://minio.storage.svc.cluster.local', 80],
    ['https://minio.storage.svc', 443],
  ])('in the cluster at %s is reached in its namespace on port %s, and nowhere else', (endpoint, port) => {
    const objects = client({ ...KEYS, endpoint });
    const { egress } = find(objects, 'NetworkPolicy', 'client').spec;
    expect(egress.filter((rule: { ports: { port: number }[] }) => !isDns(rule))).toEqual([
      {
        to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'storage' } } }],
        ports: [{ port, protocol: 'TCP' }],
      },
    ]);
    expect(env(find(objects, 'Deployment', 'client'), 'AWS_ENDPOINT_URL_S3')).toBe(endpoint);
  });
});

test('a store says where it is for programs that speak S3 only', () => {
  const store = ObjectStore.s3({ ...PROPS, ...KEYS, prefix: 'rag', endpoint: 'https://s3.acme.example' });
  expect(store).toMatchObject({ bucket: 'acme-rag', prefix: 'rag', kind: 'S3', description: 'acme-rag' });
  expect(store.s3).toMatchObject({
    name: 'acme-rag',
    prefix: 'rag',
    region: 'eu-west-1',
    endpoint: 'https://s3.acme.example',
    ...KEYS,
  });
});

describe('mistakes', () => {
  const of =
    (props: Partial<S3Props>): (() => ObjectStore) =>
    () =>
      ObjectStore.s3({ ...PROPS, ...props });

  test.each(['', 'ab', 'Acme', 'a_b', '-acme', 'acme-', 'a..b', 'a'.repeat(64), 'acme/rag'])(
    'the bucket "%s"',
    (bucket) => {
      expect(of({ bucket })).toThrow(
        `objectStore.bucket is "${bucket}", but must be 3 to 63 lower-case letters, digits, "-" and ".", beginning and ` +
          'ending with a letter or digit',
      );
    },
  );

  test.each(['abc', 'acme.rag-1', 'a'.repeat(63)])('the bucket "%s" is none', (bucket) => {
    expect(of({ bucket })).not.toThrow();
  });

  test.each(['', 'EU', 'eu west', 'eu-west-1.evil.example'])('the region "%s"', (region) => {
    expect(of({ region })).toThrow(`objectStore.region is "${region}", but must be a region such as eu-west-1`);
  });

  test.each(['', '/rag', 'rag/', 'a//b', '../b', 'a/..', './a', 'a b'])('the prefix "%s"', (prefix) => {
    expect(of({ prefix })).toThrow(
      `objectStore.prefix is "${prefix}", but must be a path of letters, digits, "-", "_" and ".", without "/" at its ` +
        'ends, whose parts do not begin with "."',
    );
  });

  test('one key of two', () => {
    expect(of({ accessKey: KEYS.accessKey })).toThrow(
      "objectStore.secretKey is missing, but accessKey is given; set both, or none for the pod's own identity",
    );
    expect(of({ secretKey: KEYS.secretKey })).toThrow('objectStore.accessKey is missing, but secretKey is given;');
  });

  test.each(['s3.acme.example', 'ftp://s3.acme.example', 'https://s3.acme.example/path', ''])(
    'the endpoint "%s"',
    (endpoint) => {
      expect(of({ ...KEYS, endpoint })).toThrow(
        `objectStore.endpoint is "${endpoint}", but must be a URL of scheme, host and port alone, such as ` +
          'https://s3.acme.example',
      );
    },
  );

  test('an endpoint with keys, which are not repeated', () => {
    expect(of({ ...KEYS, endpoint: 'https://u:p@s3.acme.example' })).toThrow(
      'objectStore.endpoint is "https://***@s3.acme.example", but must be a URL of scheme, host and port alone',
    );
  });

  test.each(['http://s3.acme.example', 'http://minio:9000', 'http://svc.example'])('plain HTTP at %s', (endpoint) => {
    expect(of({ ...KEYS, endpoint })).toThrow(
      `objectStore.endpoint is "${endpoint}", but must be https: only inside the cluster, as in ` +
        'http://minio.storage.svc:9000, may it be plain HTTP',
    );
  });

  test('addresses of what is in the cluster', () => {
    expect(of({ ...KEYS, endpoint: 'http://minio.storage.svc:9000', cidrs: ['10.0.0.0/8'] })).toThrow(
      'objectStore.endpoint is "http://minio.storage.svc:9000", but is inside the cluster, where cidrs mean nothing; ' +
        'drop them',
    );
  });

  test('addresses that are none', () => {
    expect(of({ cidrs: ['10.0.0.0'] })).toThrow('objectStore.cidrs has "10.0.0.0"');
  });

  test.each(['https://s3.acme.example', 'https://amazonaws.com.evil.example'])('no keys for %s', (endpoint) => {
    expect(of({ endpoint })).toThrow(
      `objectStore.endpoint is "${endpoint}", but takes no identity of a pod, as AWS does; set accessKey and secretKey`,
    );
  });
});

/** The rules as Amazon's documentation lists them, one by one. */
test('names of buckets are taken exactly when every rule holds', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'ab1-.'), maxLength: 66 }), (bucket) => {
      const good =
        bucket.length >= 3 &&
        bucket.length <= 63 &&
        /^[a-z0-9]/.test(bucket) &&
        /[a-z0-9]$/.test(bucket) &&
        !bucket.includes('..') &&
        // Hosts have no label that begins with a dash.
        !bucket.includes('.-');
      return taken(bucket) === good;
    }),
    { numRuns: 1000 },
  );
});

function taken(bucket: string): boolean {
  try {
    ObjectStore.s3({ ...PROPS, bucket });
    return true;
  } catch {
    return false;
  }
}
