import { ExternalQueue, type ServiceBusProps, type SqsProps } from '../../../constructs/data/external-queue';
import { ObjectStore } from '../../../constructs/data/object-store';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import type { ManifestObject } from '../../../constructs/rules/output';
import { Scaling } from '../../../constructs/scaling/scaling';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Deployment } from '../../../constructs/workload/deployment';
import { find, mainContainer, namesOf, render, testChart } from '../../support/manifests';
import { ClusterSchemas, SCHEMAS_PRESENT } from '../../support/schemas';
import { IMAGE, RESOURCES } from '../../support/values';

const URL = 'https://sqs.eu-west-1.amazonaws.com/123456789012/documents';
const KEYS = { accessKey: SecretKey.of('sqs', 'id'), secretKey: SecretKey.of('sqs', 'secret') };
const CONNECTION = SecretKey.of('service-bus', 'connection-string');

const sqs = (props: Partial<SqsProps> = {}) => ExternalQueue.sqs({ url: URL, ...props });
const serviceBus = (props: Partial<ServiceBusProps> = {}) =>
  ExternalQueue.serviceBus({ namespace: 'acme-rag', queue: 'documents', ...props });

/** Workers that use a queue, and scale on it. */
function workers(queue: ExternalQueue, cluster: ClusterProps = {}) {
  const chart = testChart({ keda: { namespace: 'keda' }, ...cluster });
  const deployment = new Deployment(chart, 'workers', {
    component: 'ingestion',
    container: { image: IMAGE, resources: RESOURCES },
    scaling: Scaling.onBacklog(queue, { perReplica: 20, min: 0, max: 4 }),
  });
  deployment.uses(queue);
  return render(chart);
}

/** Host names and ports that the workers may connect to. */
function hosts(queue: ExternalQueue) {
  const { egress } = find(workers(queue, { cilium: true }), 'CiliumNetworkPolicy', 'workers').spec;
  return egress
    .filter((rule: { toFQDNs?: object[] }) => rule.toFQDNs !== undefined)
    .map(({ toFQDNs, toPorts }: { toFQDNs: { matchName: string }[]; toPorts: { ports: { port: string }[] }[] }) => [
      toFQDNs[0]?.matchName,
      toPorts[0]?.ports.map(({ port }) => port).join(),
    ]);
}

const envOf = (objects: ManifestObject[]) => mainContainer(find(objects, 'Deployment', 'workers')).env;
const triggersOf = (objects: ManifestObject[]) => find(objects, 'ScaledObject', 'workers').spec.triggers;
const authenticationOf = (objects: ManifestObject[]) => find(objects, 'TriggerAuthentication', 'workers').spec;

describe('Amazon SQS', () => {
  test('with keys is told to clients as the SDKs read it', () => {
    expect(envOf(workers(sqs(KEYS)))).toEqual([
      { name: 'SQS_QUEUE_URL', value: URL },
      { name: 'SQS_QUEUE_NAME', value: 'documents' },
      { name: 'AWS_REGION', value: 'eu-west-1' },
      { name: 'AWS_DEFAULT_REGION', value: 'eu-west-1' },
      { name: 'AWS_ACCESS_KEY_ID', valueFrom: { secretKeyRef: { name: 'sqs', key: 'id' } } },
      { name: 'AWS_SECRET_ACCESS_KEY', valueFrom: { secretKeyRef: { name: 'sqs', key: 'secret' } } },
      { name: 'CELERY_BROKER_URL', value: 'sqs://' },
    ]);
    expect(hosts(sqs(KEYS))).toEqual([['sqs.eu-west-1.amazonaws.com', '443']]);
  });

  test('without keys is told without them, and reaches what gives a pod its identity', () => {
    const objects = workers(sqs());
    expect(envOf(objects).map(({ name }: { name: string }) => name)).toEqual([
      'SQS_QUEUE_URL',
      'SQS_QUEUE_NAME',
      'AWS_REGION',
      'AWS_DEFAULT_REGION',
      'CELERY_BROKER_URL',
    ]);
    expect(hosts(sqs())).toEqual([
      ['sqs.eu-west-1.amazonaws.com', '443'],
      ['sts.eu-west-1.amazonaws.com', '443'],
    ]);
    expect(find(objects, 'NetworkPolicy', 'workers').spec.egress).toContainEqual({
      to: [{ ipBlock: { cidr: '169.254.170.23/32' } }],
      ports: [{ port: 80, protocol: 'TCP' }],
    });
  });

  test('behind known addresses is reached at these only', () => {
    const { egress } = find(workers(sqs({ ...KEYS, cidrs: ['10.9.0.0/24'] })), 'NetworkPolicy', 'workers').spec;
    expect(egress[0]).toEqual({
      to: [{ ipBlock: { cidr: '10.9.0.0/24' } }],
      ports: [{ port: 443, protocol: 'TCP' }],
    });
  });

  test('is counted by KEDA with the keys', () => {
    const objects = workers(sqs(KEYS));
    expect(triggersOf(objects)).toEqual([
      {
        type: 'aws-sqs-queue',
        metadata: { queueURL: URL, queueLength: '20', awsRegion: 'eu-west-1' },
        authenticationRef: { name: 'workers' },
      },
    ]);
    expect(authenticationOf(objects)).toEqual({
      secretTargetRef: [
        { parameter: 'awsAccessKeyID', name: 'sqs', key: 'id' },
        { parameter: 'awsSecretAccessKey', name: 'sqs', key: 'secret' },
      ],
    });
  });

  test('is counted by KEDA with the identity of its operator, without keys', () => {
    const objects = workers(sqs());
    expect(triggersOf(objects)[0]).toMatchObject({ type: 'aws-sqs-queue', authenticationRef: { name: 'workers' } });
    expect(authenticationOf(objects)).toEqual({ podIdentity: { provider: 'aws' } });
  });

  test.each([
    ['https://sqs.us-gov-west-1.amazonaws.com/123456789012/documents.fifo', 'us-gov-west-1'],
    ['https://vpce-1a-2b.sqs.eu-west-1.vpce.amazonaws.com/123456789012/documents', 'eu-west-1'],
  ])('knows the region of %s', (url, region) => {
    expect(triggersOf(workers(sqs({ url })))[0].metadata.awsRegion).toBe(region);
  });

  test.each([
    '',
    'documents',
    'arn:aws:sqs:eu-west-1:123456789012:documents',
    'http://sqs.eu-west-1.amazonaws.com/123456789012/documents',
    'https://sqs.eu-west-1.amazonaws.com/documents',
    'https://sqs.eu-west-1.amazonaws.com/123456789012/a.b',
    'https://sqs.eu-west-1.amazonaws.com.evil.example/123456789012/documents',
  ])('is not "%s"', (url) => {
    expect(() => sqs({ url })).toThrow(
      new Error(
        `externalQueue.url is "${url}", but must be a URL such as ` +
          'https://sqs.eu-west-1.amazonaws.com/123456789012/documents',
      ),
    );
  });

  test('is not a URL with keys, which are not repeated', () => {
    expect(() => sqs({ url: 'https://key:secret@sqs.eu-west-1.amazonaws.com/123456789012/documents' })).toThrow(
      'externalQueue.url is "https://***@sqs.eu-west-1.amazonaws.com/123456789012/documents", but must be a URL',
    );
  });

  test.each([
    ['accessKey', 'secretKey'],
    ['secretKey', 'accessKey'],
  ] as const)('has no %s without the other half', (given, missing) => {
    expect(() => sqs({ [given]: KEYS[given] })).toThrow(
      new Error(
        `externalQueue.${missing} is missing, but ${given} is given; set both, or none for the pod's own identity`,
      ),
    );
  });
});

describe('Azure Service Bus', () => {
  test('with a connection string is told to clients as the SDK has it', () => {
    const queue = serviceBus({ connectionString: CONNECTION });
    expect(envOf(workers(queue))).toEqual([
      { name: 'SERVICEBUS_FULLY_QUALIFIED_NAMESPACE', value: 'acme-rag.servicebus.windows.net' },
      { name: 'SERVICEBUS_QUEUE_NAME', value: 'documents' },
      {
        name: 'SERVICEBUS_CONNECTION_STRING',
        valueFrom: { secretKeyRef: { name: 'service-bus', key: 'connection-string' } },
      },
    ]);
    expect(hosts(queue)).toEqual([['acme-rag.servicebus.windows.net', '443,5671']]);
  });

  test('without one is told without it, and reaches what gives a pod its identity', () => {
    expect(envOf(workers(serviceBus())).map(({ name }: { name: string }) => name)).toEqual([
      'SERVICEBUS_FULLY_QUALIFIED_NAMESPACE',
      'SERVICEBUS_QUEUE_NAME',
      'CELERY_BROKER_URL',
    ]);
    expect(envOf(workers(serviceBus())).at(-1).value).toBe(
      'azureservicebus://DefaultAzureCredential@acme-rag.servicebus.windows.net',
    );
    expect(hosts(serviceBus())).toEqual([
      ['acme-rag.servicebus.windows.net', '443,5671'],
      ['login.microsoftonline.com', '443'],
    ]);
  });

  test('is counted by KEDA with the connection string', () => {
    const objects = workers(serviceBus({ connectionString: CONNECTION }));
    expect(triggersOf(objects)).toEqual([
      {
        type: 'azure-servicebus',
        metadata: { queueName: 'documents', messageCount: '20' },
        authenticationRef: { name: 'workers' },
      },
    ]);
    expect(authenticationOf(objects)).toEqual({
      secretTargetRef: [{ parameter: 'connection', name: 'service-bus', key: 'connection-string' }],
    });
  });

  test('is counted with a connection string of KEDA alone, where there is one', () => {
    const keda = SecretKey.of('service-bus', 'manage');
    const objects = workers(serviceBus({ connectionString: CONNECTION, kedaConnectionString: keda }));
    expect(authenticationOf(objects).secretTargetRef).toEqual([
      { parameter: 'connection', name: 'service-bus', key: 'manage' },
    ]);
  });

  test('is counted by KEDA with the identity of its operator, in the namespace', () => {
    const objects = workers(serviceBus());
    expect(triggersOf(objects)[0].metadata).toEqual({
      queueName: 'documents',
      messageCount: '20',
      namespace: 'acme-rag',
    });
    expect(authenticationOf(objects)).toEqual({ podIdentity: { provider: 'azure-workload' } });
  });

  test.each(['', 'short', 'acme_rag', '1acme-rag', 'acme-rag-', 'acme-rag.servicebus.windows.net', 'a'.repeat(51)])(
    'has no namespace "%s"',
    (namespace) => {
      expect(() => serviceBus({ namespace })).toThrow(
        new Error(
          `externalQueue.namespace is "${namespace}", but must be 6 to 50 letters, digits and "-", beginning with a letter`,
        ),
      );
    },
  );

  test.each(['', 'a b', '-a', 'a'.repeat(261)])('has no queue "%s"', (queue) => {
    expect(() => serviceBus({ queue })).toThrow(
      new Error(`externalQueue.queue is "${queue}", but must be 1 to 260 letters, digits, ".", "-", "_" and "/"`),
    );
  });

  test('has no connection string of KEDA alone', () => {
    expect(() => serviceBus({ kedaConnectionString: CONNECTION })).toThrow(
      new Error(
        'externalQueue.kedaConnectionString is given, but connectionString is missing; set both, or none for identities',
      ),
    );
  });
});

describe.each([
  ['Amazon SQS', sqs],
  ['Azure Service Bus', serviceBus],
])('%s', (_, queue) => {
  test.each([0, -1, 1.5])('has no share of %s per pod', (perReplica) => {
    expect(() => queue().trigger(perReplica)).toThrow(
      `scaling.perReplica is ${perReplica}, but must be a whole number from 1`,
    );
  });

  test('has address ranges', () => {
    expect(() => queue({ cidrs: ['10.0.0.0'] })).toThrow('externalQueue.cidrs has "10.0.0.0"');
  });

  test('opens no way into the namespace', () => {
    const objects = workers(queue());
    expect(namesOf(objects, 'NetworkPolicy')).toEqual(['workers']);
    expect(find(objects, 'NetworkPolicy', 'workers').spec.ingress).toBeUndefined();
  });

  (SCHEMAS_PRESENT ? test : test.skip)('is what KEDA takes', () => {
    const schemas = new ClusterSchemas('1.28');
    expect(workers(queue()).flatMap((object) => schemas.errors(object))).toEqual([]);
  });
});

test.each([
  [
    'with keys is refused beside a queue without',
    ObjectStore.s3({ bucket: 'acme', region: 'eu-west-1', ...KEYS }),
    true,
  ],
  ['without keys is fine', ObjectStore.s3({ bucket: 'acme', region: 'eu-west-1' }), false],
])('a bucket that comes %s', (_, bucket, refused) => {
  const chart = testChart({ keda: { namespace: 'keda' } });
  const deployment = new Deployment(chart, 'workers', {
    component: 'ingestion',
    container: { image: IMAGE, resources: RESOURCES },
  });
  deployment.uses(sqs(), bucket);
  const rendering = expect(() => render(chart));
  if (refused) {
    rendering.toThrow('env.AWS_ACCESS_KEY_ID is set by uses(acme), and uses(documents) comes without keys');
  } else {
    rendering.not.toThrow();
  }
});

describe('as a queue of a platform', () => {
  test.each([
    ['sqs', sqs()],
    ['serviceBus', serviceBus()],
  ])('%s is the one that there is, by its name or without', (_, queue) => {
    expect(queue.list()).toBe(queue);
    expect(queue.list('documents')).toBe(queue);
    expect(() => queue.list('celery')).toThrow(
      new Error('externalQueue.list is "celery", but the queue is "documents" and has no others; leave the name out'),
    );
  });
});
