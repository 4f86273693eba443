import { Environment } from '../../../charts/environments/environment';
import type { Json, ManifestObject } from '../../../constructs/rules/output';
import { EnvironmentFolder } from '../../support/environment-folder';
import { expectRefusals, refusalsOf } from '../../support/environment-refusals';
import { find, mainContainer, namesOf, templateOf } from '../../support/manifests';
import { reachedBy, variables } from '../platforms';

const folder = new EnvironmentFolder();
afterAll(() => folder.remove());

/** The first lines of every file; what stands around the platform begins in line 15. */
const LEAST = [
  'namespace: rag-test',
  'cluster:',
  '  kubernetesVersion: "1.34"',
  '  region: eu-west-1',
  '  storage: { block: fast }',
  '  keda: { namespace: keda }',
  '  cloudNativePg: { namespace: cnpg-system }',
  '  rabbitMq: { namespace: rabbitmq-system }',
  '  strimzi: { namespace: strimzi }',
  '  apiServer: { cidrs: [10.0.0.1/32] }',
  'embeddingModel: BAAI/bge-m3',
  'qdrant: { resources: { cpu: 100m, memory: 512Mi }, storage: 1Gi }',
  'api: { image: { repository: ghcr.io/acme/rag-api, tag: 1.8.2 } }',
  'embeddingWorkers: { image: { repository: ghcr.io/acme/rag-workers, tag: 1.8.2 }, externals: [{ host: a.example }] }',
];
/** The same with workers in line 14 that scale on the queue, and that take this long. */
const SCALED = (backlog: string, longestTask = '10m') => [
  ...LEAST.slice(0, 13),
  `embeddingWorkers: { image: { repository: ghcr.io/acme/w, tag: 1.8.2 }, longestTask: ${longestTask}, ` +
    `scaling: { min: 0, max: 4, backlog: ${backlog} } }`,
];

function objectsOf(lines: string[], ...more: string[]): ManifestObject[] {
  folder.write({ 'test.yaml': `${[...lines, ...more].join('\n')}\n` });
  return Environment.read(folder.pathOf('test.yaml')).render('test.yaml').objects;
}

const around = (...lines: string[]) => objectsOf(LEAST, ...lines);

/** What is said about the lines, without the name of the file. */
const refused = (...lines: string[]) => refusalsOf(folder, () => around(...lines));

const apiOf = (objects: ManifestObject[]) => variables(objects, 'Deployment', 'api');

/** What KEDA counts. */
const triggerOf = (objects: ManifestObject[]) => find(objects, 'ScaledObject', 'embedding-workers').spec.triggers[0];

describe('a queue of one kind', () => {
  test('Redis gets every setting', () => {
    const objects = objectsOf(
      SCALED('{ perReplica: 20 }'),
      'queue:',
      '  redis:',
      '    password: { secret: q, key: p }',
      '    kedaPassword: { secret: q, key: keda }',
      '    resources: { cpu: 200m, memory: 1Gi }',
      '    storage: 8Gi',
      '    storageClass: slow',
      '    podLabels: { team: search }',
      '    image: { repository: ghcr.io/acme/redis, tag: 7.4.2 }',
    );
    const redis = find(objects, 'StatefulSet', 'queue');
    expect(mainContainer(redis)).toMatchObject({
      image: 'ghcr.io/acme/redis:7.4.2',
      resources: { requests: { cpu: '200m', memory: '1Gi' } },
    });
    expect(redis.spec.volumeClaimTemplates[0].spec).toMatchObject({
      storageClassName: 'slow',
      resources: { requests: { storage: '8Gi' } },
    });
    expect(templateOf(redis).metadata.labels.team).toBe('search');
    expect(apiOf(objects).REDIS_PASSWORD).toEqual({ secretKeyRef: { name: 'q', key: 'p' } });
    expect(triggerOf(objects).metadata).toMatchObject({ listName: 'celery' });
    expect(find(objects, 'TriggerAuthentication', 'embedding-workers').spec.secretTargetRef).toContainEqual({
      parameter: 'password',
      name: 'q',
      key: 'keda',
    });
  });

  test('Redis of somebody else gets every setting', () => {
    const objects = objectsOf(
      SCALED('{ perReplica: 20, list: embeddings }'),
      'queue:',
      '  externalRedis:',
      '    host: redis.acme.example',
      '    port: 6380',
      '    tls: { secret: authority, key: ca.crt }',
      '    user: rag',
      '    password: { secret: q, key: p }',
      '    keda: { user: counter, password: { secret: q, key: keda } }',
      '    database: 3',
      '    cidrs: [10.9.0.0/24]',
    );
    expect(apiOf(objects).CELERY_BROKER_URL).toBe(
      'rediss://rag:$(REDIS_PASSWORD)@redis.acme.example:6380/3?ssl_cert_reqs=required&ssl_ca_certs=/etc/redis-ca/authority/ca.crt',
    );
    expect(triggerOf(objects).metadata).toMatchObject({ listName: 'embeddings', databaseIndex: '3' });
    expect(reachedBy(objects, 'embedding-workers')).toContain('10.9.0.0/24');
    expect(namesOf(objects, 'StatefulSet')).toEqual(['qdrant']);
  });

  test('may be not encrypted, or by an authority that everybody knows', () => {
    const url = (tls: string) =>
      apiOf(around(`queue: { externalRedis: { host: r.acme.example${tls} } }`)).CELERY_BROKER_URL;
    expect(url(', tls: none')).toBe('redis://r.acme.example:6379/0');
    expect(url(', tls: public')).toBe('rediss://r.acme.example:6379/0?ssl_cert_reqs=required');
    expect(url('')).toBe(url(', tls: public'));
  });

  test('RabbitMQ gets every setting', () => {
    const objects = objectsOf(
      SCALED('{ perReplica: 20 }'),
      'queue:',
      '  rabbitMq:',
      '    replicas: 1',
      '    storage: 20Gi',
      '    storageClass: slow',
      '    resources: { cpu: "2", memory: 4Gi }',
      '    deliveryTimeout: 1h',
      '    tls: { secret: certificate }',
      '    priorityClassName: data',
      '    image: { repository: docker.io/library/rabbitmq, tag: 4.3.0-management }',
    );
    const { spec } = find(objects, 'RabbitmqCluster', 'queue');
    expect(spec).toMatchObject({
      replicas: 1,
      persistence: { storage: '20Gi', storageClassName: 'slow' },
      resources: { limits: { cpu: '2', memory: '4Gi' } },
      tls: { secretName: 'certificate' },
      image: 'docker.io/library/rabbitmq:4.3.0-management',
    });
    expect(spec.rabbitmq.additionalConfig).toMatch(/\nconsumer_timeout = 3600000\n$/);
    expect(spec.override.statefulSet.spec.template.spec.priorityClassName).toBe('data');
    expect(apiOf(objects).RABBITMQ_HOST).toBe('queue');
    expect(triggerOf(objects)).toMatchObject({ type: 'rabbitmq', metadata: { queueName: 'celery' } });
  });

  test('RabbitMQ waits longer than the longest task takes', () => {
    const configOf = (longestTask: string) =>
      find(objectsOf(SCALED('{ perReplica: 20 }', longestTask), 'queue: { rabbitMq: {} }'), 'RabbitmqCluster', 'queue')
        .spec.rabbitmq.additionalConfig;
    expect(configOf('20m')).not.toContain('consumer_timeout');
    expect(configOf('21m')).toMatch(/\nconsumer_timeout = 1860000\n$/);
  });

  test('RabbitMQ that waits for a shorter time is refused', () => {
    const problems = refusalsOf(folder, () =>
      objectsOf(SCALED('{ perReplica: 20 }', '1h'), 'queue:', '  rabbitMq: { deliveryTimeout: 30m }'),
    );
    expect(problems).toEqual([
      '16:15 queue.rabbitMq.deliveryTimeout: is 1800s, but the longest task takes 3600s and would be done twice; raise ' +
        'it, or lower embeddingWorkers.longestTask',
    ]);
  });

  test('RabbitMQ of somebody else gets every setting', () => {
    const objects = around(
      'queue:',
      '  externalRabbitMq:',
      '    host: mq.acme.example',
      '    port: 5673',
      '    tls: none',
      '    user: rag',
      '    virtualHost: team',
      '    cidrs: [10.9.0.0/24]',
    );
    expect(apiOf(objects)).toMatchObject({
      CELERY_BROKER_URL: 'amqp://rag:$(RABBITMQ_PASSWORD)@mq.acme.example:5673/team',
      RABBITMQ_PASSWORD: { secretKeyRef: { name: 'queue', key: 'password' } },
    });
    expect(reachedBy(objects, 'api')).toContain('10.9.0.0/24');
  });

  test('Kafka gets every setting', () => {
    const objects = objectsOf(
      SCALED('{ perReplica: 50 }'),
      'queue:',
      '  kafka:',
      '    topic: tasks',
      '    consumerGroup: rag',
      '    partitions: 24',
      '    retention: 2d',
      '    replicas: 5',
      '    storage: 100Gi',
      '    storageClass: slow',
      '    resources: { cpu: "2", memory: 8Gi }',
      '    tls: true',
      '    authentication: false',
      '    priorityClassName: data',
      '    image: { repository: quay.io/strimzi/kafka, tag: 1.2.0-kafka-4.3.1 }',
      '    operatorImage: { repository: quay.io/strimzi/operator, tag: 1.2.0 }',
    );
    expect(find(objects, 'KafkaTopic', 'tasks').spec).toMatchObject({
      partitions: 24,
      config: { 'retention.ms': 172800000 },
    });
    expect(find(objects, 'KafkaNodePool', 'queue-nodes').spec).toMatchObject({
      replicas: 5,
      storage: { volumes: [{ size: '100Gi', class: 'slow' }] },
      resources: { limits: { cpu: '2', memory: '8Gi' } },
      template: { pod: { priorityClassName: 'data' } },
    });
    const { kafka, entityOperator } = find(objects, 'Kafka', 'queue').spec;
    expect(kafka).toMatchObject({ image: 'quay.io/strimzi/kafka:1.2.0-kafka-4.3.1', listeners: [{ tls: true }] });
    expect(entityOperator.topicOperator.image).toBe('quay.io/strimzi/operator:1.2.0');
    expect(namesOf(objects, 'KafkaUser')).toEqual([]);
    expect(apiOf(objects)).toMatchObject({ KAFKA_TOPIC: 'tasks', KAFKA_CONSUMER_GROUP: 'rag' });
    expect(triggerOf(objects).metadata).toMatchObject({ topic: 'tasks', consumerGroup: 'rag', lagThreshold: '50' });
  });

  test('Kafka of somebody else gets every setting', () => {
    const objects = objectsOf(
      SCALED('{ perReplica: 50 }'),
      'queue:',
      '  externalKafka:',
      '    bootstrapHosts: [b-1.acme.example, b-2.acme.example]',
      '    brokerHosts: [b-3.acme.example]',
      '    port: 9096',
      '    tls: public',
      '    user: { mechanism: scram-sha-512, username: { secret: k, key: u }, password: { secret: k, key: p } }',
      '    cidrs: [10.9.0.0/24]',
    );
    expect(apiOf(objects)).toMatchObject({
      KAFKA_BOOTSTRAP_SERVERS: 'b-1.acme.example:9096,b-2.acme.example:9096',
      KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
      KAFKA_SASL_USERNAME: { secretKeyRef: { name: 'k', key: 'u' } },
      KAFKA_SASL_PASSWORD: { secretKeyRef: { name: 'k', key: 'p' } },
      KAFKA_TOPIC: 'documents',
      KAFKA_CONSUMER_GROUP: 'embedding-workers',
    });
    expect(triggerOf(objects).metadata.topic).toBe('documents');
  });

  test.each([
    ['plain', 'PLAIN'],
    ['scram-sha-256', 'SCRAM-SHA-256'],
  ])('Kafka may be asked for by %s', (mechanism, name) => {
    const objects = around(
      `queue: { externalKafka: { bootstrapHosts: [b.acme.example], user: { mechanism: ${mechanism} } } }`,
    );
    expect(apiOf(objects)).toMatchObject({
      KAFKA_SASL_MECHANISM: name,
      KAFKA_SASL_PASSWORD: { secretKeyRef: { name: 'queue', key: 'password' } },
    });
  });

  test('SQS gets every setting', () => {
    const url = 'https://sqs.eu-west-1.amazonaws.com/123456789012/documents';
    const objects = objectsOf(
      SCALED('{ perReplica: 20 }'),
      'queue:',
      '  sqs:',
      `    url: ${url}`,
      '    visibilityTimeout: 15m',
      '    accessKey: { secret: k, key: id }',
      '    secretKey: { secret: k, key: secret }',
      '    cidrs: [10.9.0.0/24]',
    );
    expect(apiOf(objects)).toMatchObject({
      SQS_QUEUE_URL: url,
      AWS_ACCESS_KEY_ID: { secretKeyRef: { name: 'k', key: 'id' } },
    });
    expect(reachedBy(objects, 'api')).toContain('10.9.0.0/24');
    expect(triggerOf(objects)).toMatchObject({ type: 'aws-sqs-queue', metadata: { queueURL: url } });
  });

  test('Service Bus gets every setting', () => {
    const objects = objectsOf(
      SCALED('{ perReplica: 20 }'),
      'queue:',
      '  serviceBus:',
      '    namespace: acme-rag',
      '    queue: documents',
      '    connectionString: { secret: bus, key: clients }',
      '    kedaConnectionString: { secret: bus, key: keda }',
      '    cidrs: [10.9.0.0/24]',
    );
    expect(apiOf(objects).SERVICEBUS_CONNECTION_STRING).toEqual({ secretKeyRef: { name: 'bus', key: 'clients' } });
    expect(triggerOf(objects)).toMatchObject({ type: 'azure-servicebus', metadata: { queueName: 'documents' } });
    expect(find(objects, 'TriggerAuthentication', 'embedding-workers').spec.secretTargetRef).toEqual([
      { parameter: 'connection', name: 'bus', key: 'keda' },
    ]);
  });

  expectRefusals(refused, [
    [
      'of no kind',
      ['queue: {}'],
      '15:1 queue: does not say what it is; set one of redis, externalRedis, rabbitMq, externalRabbitMq, kafka, ' +
        'externalKafka, sqs, serviceBus',
    ],
    [
      'of two kinds',
      ['queue:', '  redis: {}', '  rabbitMq: {}'],
      '17:3 queue.rabbitMq: is set together with redis, but it is one thing; keep one of the two, and take away what an ' +
        'extended file says with null',
    ],
    [
      'of a kind that there is not',
      ['queue: { rabitMq: {} }'],
      '15:10 queue.rabitMq: is not a setting; did you mean rabbitMq?',
    ],
    [
      'with a certificate in place of its authority',
      ['queue: { externalRedis: { host: r.acme.example, tls: yes } }'],
      '15:49 queue.externalRedis.tls: must be public, none, or { secret: name, key: name } of the authority that signs ' +
        'its certificate',
    ],
    [
      'with a host that is none',
      ['queue: { externalRedis: { host: "redis://r" } }'],
      '15:27 queue.externalRedis.host: is "redis://r", but must be a DNS name or an address, without scheme, ' +
        'port or path',
    ],
    [
      'of an even number',
      ['queue: { rabbitMq: { replicas: 2 } }'],
      '15:22 queue.rabbitMq.replicas: is 2, but must be 1, or an odd number from 3: of an even number half are no majority',
    ],
    [
      'with limits of its own',
      ['queue: { kafka: { resources: { cpu: 1, memory: 4Gi, memoryLimit: 8Gi } } }'],
      '15:53 queue.kafka.resources.memoryLimit: is not a setting; the settings here are cpu, memory',
    ],
    [
      'at a URL that is none',
      ['queue: { sqs: { url: documents } }'],
      '15:17 queue.sqs.url: is "documents", but must be a URL such as ' +
        'https://sqs.eu-west-1.amazonaws.com/123456789012/documents',
    ],
    [
      'that hands out tasks while they run',
      ['queue: { sqs: { url: "https://sqs.eu-west-1.amazonaws.com/123456789012/d", visibilityTimeout: 5m } }'],
      '15:76 queue.sqs.visibilityTimeout: is 300s, but a task takes up to 600s and would run several times; raise the ' +
        'visibility timeout of the queue to at least 900s, and say so here, or lower longestTask',
    ],
    [
      'outside that hands out tasks while they run',
      ['queue: { externalRabbitMq: { host: m.acme.example, user: rag, deliveryTimeout: 5m } }'],
      '15:63 queue.externalRabbitMq.deliveryTimeout: is 300s, but a task takes up to 600s and would run several times; ' +
        'raise consumer_timeout of the server to at least 900s, and say so here, or lower longestTask',
    ],
    [
      'with one key of two',
      [
        'queue: { sqs: { url: "https://sqs.eu-west-1.amazonaws.com/123456789012/d", accessKey: { secret: k, key: i } } }',
      ],
      "15:10 queue.sqs.secretKey: is missing, but accessKey is given; set both, or none for the pod's own identity",
    ],
  ]);
});

describe('a queue whose operator is not there', () => {
  const without = (operator: string) => LEAST.filter((line) => !line.startsWith(`  ${operator}:`));

  test.each([
    [
      'rabbitMq',
      'is run by the RabbitMQ cluster operator, which the cluster does not declare; set rabbitMq in the cluster, or use ExternalRabbitMq',
    ],
    [
      'kafka',
      'is run by Strimzi, which the cluster does not declare; set strimzi in the cluster, or use ExternalKafka',
    ],
  ])('is refused where it is asked for: %s', (kind, problem) => {
    const operator = kind === 'kafka' ? 'strimzi' : kind;
    expect(refusalsOf(folder, () => objectsOf(without(operator), `queue: { ${kind}: {} }`))).toEqual([
      `14:10 queue.${kind}: ${problem}`,
    ]);
  });
});

test('a backlog of a queue that is one by itself may not name another', () => {
  const lines = [
    ...SCALED('{ perReplica: 20, list: other }'),
    'queue: { serviceBus: { namespace: acme-rag, queue: documents } }',
  ];
  expect(refusalsOf(folder, () => objectsOf(lines))).toEqual([
    '14:144 embeddingWorkers.scaling.backlog.list: is "other", but the queue is "documents" and has no others; leave the ' +
      'name out',
  ]);
});

describe('a cache of one kind', () => {
  test('Redis gets every setting', () => {
    const objects = around(
      'cache: { redis: { password: { secret: c, key: p }, resources: { cpu: 50m, memory: 128Mi } } }',
    );
    const redis = find(objects, 'Deployment', 'cache');
    expect(mainContainer(redis).resources.requests).toMatchObject({ cpu: '50m', memory: '128Mi' });
    expect(redis.spec).not.toHaveProperty('volumeClaimTemplates');
    expect(find(objects, 'ConfigMap', 'cache').data['redis.conf']).toContain('maxmemory-policy allkeys-lru');
    expect(apiOf(objects)).toMatchObject({
      CACHE_PASSWORD: { secretKeyRef: { name: 'c', key: 'p' } },
      CACHE_URL: 'redis://:$(CACHE_PASSWORD)@cache:6379/0',
    });
  });

  test('Redis of somebody else asks for no password unless one is said', () => {
    const objects = around('cache: { externalRedis: { host: r.acme.example, database: 1 } }');
    expect(apiOf(objects).CACHE_URL).toBe('rediss://r.acme.example:6379/1?ssl_cert_reqs=required');
    expect(apiOf(objects)).not.toHaveProperty('CACHE_PASSWORD');
  });

  expectRefusals(refused, [
    [
      'with a volume',
      ['cache: { redis: { storage: 1Gi } }'],
      expect.stringMatching(/^15:19 cache\.redis\.storage: is not a setting/) as unknown as string,
    ],
    [
      'that is the broker',
      ['queue: { externalRedis: { host: r.acme.example } }', 'cache: { externalRedis: { host: r.acme.example } }'],
      '16:10 cache.externalRedis.role: is cache, but r.acme.example:6379 is a broker already; a broker must keep what a ' +
        'cache must evict, so use a Redis for each',
    ],
  ]);
});

describe('a database of one kind', () => {
  test('PostgreSQL of one pod gets every setting', () => {
    const objects = around(
      'database:',
      '  postgres:',
      '    password: { secret: d, key: p }',
      '    database: rag',
      '    user: owner',
      '    resources: { cpu: 300m, memory: 1Gi }',
      '    storage: 30Gi',
      '    storageClass: slow',
      '    maxConnections: 50',
      '    settings: { work_mem: 16MB }',
      '    image: { repository: ghcr.io/acme/postgres, tag: 17.6.0 }',
      '    podLabels: { team: search }',
    );
    const database = find(objects, 'StatefulSet', 'database');
    expect(mainContainer(database)).toMatchObject({
      image: 'ghcr.io/acme/postgres:17.6.0',
      resources: { requests: { cpu: '300m', memory: '1Gi' } },
    });
    expect(mainContainer(database).args).toEqual(expect.arrayContaining(['max_connections=50', 'work_mem=16MB']));
    expect(database.spec.volumeClaimTemplates[0].spec).toMatchObject({
      storageClassName: 'slow',
      resources: { requests: { storage: '30Gi' } },
    });
    expect(templateOf(database).metadata.labels.team).toBe('search');
    expect(apiOf(objects)).toMatchObject({
      PGDATABASE: 'rag',
      PGUSER: 'owner',
      PGPASSWORD: { secretKeyRef: { name: 'd', key: 'p' } },
    });
  });

  test('a cluster of PostgreSQL gets every setting', () => {
    const objects = around(
      'database:',
      '  postgresCluster:',
      '    instances: 5',
      '    synchronousReplicas: 2',
      '    storage: 100Gi',
      '    walStorage: 10Gi',
      '    storageClass: slow',
      '    resources: { cpu: "2", memory: 8Gi }',
      '    database: rag',
      '    owner: owner',
      '    credentials: { username: { secret: d, key: username }, password: { secret: d, key: password } }',
      '    extensions: [vector]',
      '    maxConnections: 200',
      '    settings: { work_mem: 16MB }',
      '    pooler: { instances: 3, maxClientConnections: 500, poolSize: 10, resources: { cpu: 50m, memory: 64Mi } }',
      '    backups:',
      '      daily: "03:15"',
      '      keepDays: 14',
      '      to: { s3: { bucket: acme-backups, region: eu-west-1, prefix: db } }',
      '      resources: { cpu: 500m, memory: 2Gi }',
      '    priorityClassName: data',
      '    serviceAccountAnnotations: { acme.example/owner: search }',
      '    image: { repository: ghcr.io/acme/postgresql, tag: 17.6.0 }',
    );
    expect(find(objects, 'Cluster', 'database').spec).toMatchObject({
      instances: 5,
      postgresql: { parameters: { max_connections: '200', work_mem: '16MB' }, synchronous: { number: 2 } },
      storage: { size: '100Gi', storageClass: 'slow' },
      walStorage: { size: '10Gi', storageClass: 'slow' },
      resources: { limits: { cpu: '2', memory: '8Gi' } },
      bootstrap: { initdb: { database: 'rag', owner: 'owner', secret: { name: 'd' } } },
      priorityClassName: 'data',
      serviceAccountTemplate: { metadata: { annotations: { 'acme.example/owner': 'search' } } },
      imageName: 'ghcr.io/acme/postgresql:17.6.0',
    });
    expect(JSON.stringify(find(objects, 'Cluster', 'database').spec.bootstrap)).toContain('vector');
    expect(find(objects, 'Pooler', 'database-pooler').spec).toMatchObject({
      instances: 3,
      pgbouncer: { parameters: { max_client_conn: '500', default_pool_size: '10' } },
    });
    expect(find(objects, 'ScheduledBackup', 'database-backup').spec.schedule).toBe('0 15 3 * * *');
    expect(find(objects, 'ObjectStore', 'database-archive').spec).toMatchObject({
      retentionPolicy: '14d',
      configuration: { destinationPath: 's3://acme-backups/db' },
      instanceSidecarConfiguration: { resources: { requests: { cpu: '500m' }, limits: { memory: '2Gi' } } },
    });
    expect(apiOf(objects)).toMatchObject({ PGHOST: 'database-pooler', PGUSER: 'owner' });
  });

  test('a PostgreSQL of somebody else gets every setting', () => {
    const objects = around(
      'database:',
      '  externalPostgres:',
      '    host: db.acme.example',
      '    port: 5433',
      '    database: rag',
      '    user: owner',
      '    password: { secret: d, key: p }',
      '    tls: { secret: authority, key: ca.pem }',
      '    cidrs: [10.9.0.0/24]',
    );
    expect(apiOf(objects)).toMatchObject({
      PGHOST: 'db.acme.example',
      PGPORT: '5433',
      PGDATABASE: 'rag',
      PGUSER: 'owner',
      PGPASSWORD: { secretKeyRef: { name: 'd', key: 'p' } },
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: '/etc/postgresql-ca/authority/ca.pem',
    });
    expect(reachedBy(objects, 'api')).toContain('10.9.0.0/24');
  });

  test.each([
    ['public', 'verify-full', 'system'],
    ['unverified', 'require', undefined],
    ['none', 'disable', undefined],
  ])('a PostgreSQL of somebody else may be trusted as %s', (tls, mode, root) => {
    const env = apiOf(around(`database: { externalPostgres: { host: db.acme.example, tls: ${tls} } }`));
    expect(env).toMatchObject({ PGSSLMODE: mode, PGDATABASE: 'app', PGUSER: 'app' });
    expect(env.PGSSLROOTCERT).toBe(root);
    expect(env.PGPASSWORD).toEqual({ secretKeyRef: { name: 'database', key: 'password' } });
  });

  expectRefusals(refused, [
    [
      'without a word on trust',
      ['database: { externalPostgres: { host: db.acme.example } }'],
      '15:13 database.externalPostgres.tls: is missing; it must be public, unverified, none, or { secret: name, key: name } of ' +
        'the authority that signs its certificate',
    ],
    [
      'with a name that must be quoted',
      ['database:', '  postgres: { database: Rag }'],
      '16:15 database.postgres.database: is "Rag", but must be 1 to 63 lower-case letters, digits and "_", not beginning ' +
        'with a digit',
    ],
    [
      'that is backed up at no time',
      [
        'database: { postgresCluster: { backups: { daily: noon, keepDays: 1, to: { s3: { bucket: abc, region: eu } } } } }',
      ],
      '15:43 database.postgresCluster.backups.daily: is "noon", but must be a time of the day, such as "02:30"',
    ],
    [
      'that keeps backups for no day',
      [
        'database: { postgresCluster: { backups: { daily: "02:00", keepDays: 0, to: { s3: { bucket: abc, region: eu } } } } }',
      ],
      '15:59 database.postgresCluster.backups.keepDays: is 0, but must be a whole number from 1 to 3650',
    ],
    [
      'with more that follow than there are',
      ['database:', '  postgresCluster:', '    instances: 1', '    synchronousReplicas: 1'],
      '18:5 database.postgresCluster.synchronousReplicas: is 1, but must be a whole number from 0 to 0, the number of replicas',
    ],
  ]);
});

describe('a migration', () => {
  test('gets every setting', () => {
    const job = find(
      around(
        'database: { postgres: {} }',
        'migration:',
        '  image: { repository: ghcr.io/acme/migrations, tag: 2.0.0 }',
        '  command: [alembic]',
        '  args: [upgrade, head]',
        '  login: { user: owner, password: { secret: owner, key: password } }',
        '  deadline: 1h',
        '  retries: 1',
        '  resources: { cpu: 1, memory: 1Gi }',
        '  temporaryStorage: 1Gi',
        '  user: { uid: 1000, gid: 1000 }',
        '  env: { LOCK_TIMEOUT: 5s }',
        '  podLabels: { team: search }',
      ),
      'Job',
      'migration',
    );
    expect(job.spec).toMatchObject({ activeDeadlineSeconds: 3600, backoffLimit: 1 });
    expect(mainContainer(job)).toMatchObject({
      image: 'ghcr.io/acme/migrations:2.0.0',
      command: ['alembic'],
      args: ['upgrade', 'head'],
      resources: { requests: { cpu: '1', memory: '1Gi' } },
    });
    expect(templateOf(job).spec).toMatchObject({
      securityContext: { runAsUser: 1000, runAsGroup: 1000 },
      volumes: [{ name: 'tmp', emptyDir: { sizeLimit: '1Gi' } }],
    });
    expect(mainContainer(job).env).toContainEqual({ name: 'LOCK_TIMEOUT', value: '5s' });
    expect(mainContainer(job).env).toContainEqual({ name: 'PGUSER', value: 'owner' });
    expect(templateOf(job).metadata.labels.team).toBe('search');
  });

  expectRefusals(refused, [
    [
      'without a database',
      ['migration: { command: [alembic] }'],
      '15:1 migration: is set, but there is no database whose schema it could change; set database, or remove it',
    ],
    [
      'without a program',
      ['database: { postgres: {} }', 'migration: { command: [] }'],
      '16:14 migration.command: is empty; name a program',
    ],
    [
      'for less than a second',
      ['database: { postgres: {} }', 'migration: { command: [a], deadline: 0s }'],
      '16:28 migration.deadline: is "0s", but must be a duration with its unit, such as 30s, 4m or 2h',
    ],
  ]);
});

describe('programs of the ingestion', () => {
  const ALL = [
    'queue: { redis: {} }',
    'index:',
    '  image: { repository: ghcr.io/acme/index, tag: 2.0.0 }',
    '  command: [index]',
    '  args: [--all]',
    '  deadline: 2h',
    '  retries: 1',
    '  resources: { cpu: 2, memory: 4Gi }',
    '  temporaryStorage: 5Gi',
    '  externals: [{ host: wiki.acme.example, cidrs: [10.60.0.0/24], env: { WIKI_URL: "https://wiki.acme.example" } }]',
    'syncs:',
    '  wiki:',
    '    cron: "*/30 * * * *"',
    '    timeZone: Europe/Berlin',
    '    startingDeadline: 5m',
    '    deadline: 20m',
    '    retries: 2',
    '    command: [sync, wiki]',
    '    env: { WIKI_TOKEN: { secret: wiki, key: token } }',
    'scheduler:',
    '  command: [beat]',
    '  args: [--verbose]',
  ];
  const objects = () => around(...ALL);

  test('the first index gets every setting', () => {
    const job = find(objects(), 'Job', 'index');
    expect(job.spec).toMatchObject({ activeDeadlineSeconds: 7200, backoffLimit: 1 });
    expect(mainContainer(job)).toMatchObject({
      image: 'ghcr.io/acme/index:2.0.0',
      command: ['index'],
      args: ['--all'],
      resources: { requests: { cpu: '2', memory: '4Gi' } },
    });
    expect(templateOf(job).spec.volumes).toEqual([{ name: 'tmp', emptyDir: { sizeLimit: '5Gi' } }]);
    expect(reachedBy(objects(), 'index')).toContain('10.60.0.0/24');
    expect(variables(objects(), 'Job', 'index').WIKI_URL).toBe('https://wiki.acme.example');
  });

  test('a sync gets every setting', () => {
    const cronJob = find(objects(), 'CronJob', 'sync-wiki');
    expect(cronJob.spec).toMatchObject({
      schedule: '*/30 * * * *',
      timeZone: 'Europe/Berlin',
      startingDeadlineSeconds: 300,
      jobTemplate: { spec: { activeDeadlineSeconds: 1200, backoffLimit: 2 } },
    });
    expect(mainContainer(cronJob).command).toEqual(['sync', 'wiki']);
    expect(variables(objects(), 'CronJob', 'sync-wiki').WIKI_TOKEN).toEqual({
      secretKeyRef: { name: 'wiki', key: 'token' },
    });
  });

  test('the scheduler gets every setting', () => {
    expect(mainContainer(find(objects(), 'Deployment', 'scheduler'))).toMatchObject({
      image: 'ghcr.io/acme/rag-workers:1.8.2',
      command: ['beat'],
      args: ['--verbose'],
    });
  });

  expectRefusals(refused, [
    [
      'a sync by no schedule',
      ['syncs: { wiki: { command: [a], cron: hourly } }'],
      '15:32 syncs.wiki.cron: is "hourly", but must be five fields: minute, hour, day, month, weekday',
    ],
    [
      'a sync at an hour that no clock shows',
      ['syncs: { wiki: { command: [a], cron: "0 25 * * *" } }'],
      '15:32 syncs.wiki.cron: is "0 25 * * *", whose hour is "25", but must be *, or 0 to 23, as values, ranges, lists ' +
        'and steps: "5", "1-5", "1,3", "*/2"',
    ],
    [
      'a sync by a program without a name',
      ['syncs: { wiki: { command: [""], cron: "0 * * * *" } }'],
      '15:28 syncs.wiki.command.0: is empty; name a program',
    ],
    [
      'a migration by a program without a name',
      ['migration: { command: [""] }'],
      '15:24 migration.command.0: is empty; name a program',
    ],
    [
      'a sync of a source that is no name',
      ['syncs: { Wiki: { command: [a], cron: "0 * * * *" } }'],
      '15:10 syncs.Wiki: is "Wiki", but must be a DNS label: lower-case letters, digits and "-", beginning and ending with a ' +
        'letter or digit',
    ],
    [
      'a sync in a time zone that there is not',
      ['syncs:', '  my-wiki: { command: [a], cron: "0 * * * *", timeZone: Berlin }'],
      expect.stringMatching(/^16:47 syncs\.my-wiki\.timeZone: is "Berlin"/) as unknown as string,
    ],
    [
      'a scheduler without a queue',
      ['scheduler: { command: [beat] }'],
      '15:1 scheduler: is set, but there is no queue to put tasks into; set queue, or remove it',
    ],
  ]);
});

describe('vectors elsewhere', () => {
  const WITHOUT = LEAST.filter((line) => !line.startsWith('qdrant:'));
  const elsewhere = (...lines: string[]) => objectsOf(WITHOUT, ...lines);
  const refusedElsewhere = (...lines: string[]) => refusalsOf(folder, () => elsewhere(...lines));

  test('a table of the database gets every setting', () => {
    const objects = elsewhere(
      'database: { postgresCluster: {} }',
      'vectors: { pgvector: { table: passages, m: 24, efConstruction: 128, deadline: 1h } }',
    );
    const job = find(objects, 'Job', 'vectors-table');
    expect(mainContainer(job).command).toEqual(
      expect.arrayContaining(['--set=table=passages', '--set=m=24', '--set=ef_construction=128']),
    );
    expect(job.spec.activeDeadlineSeconds).toBe(3600);
    expect(apiOf(objects)).toMatchObject({ PGVECTOR_TABLE: 'passages', PGHOST: 'database-rw' });
    expect(namesOf(objects, 'StatefulSet')).toEqual([]);
  });

  test.each([
    ['qdrant', 'QDRANT'],
    ['chroma', 'VECTOR_STORE'],
    ['elasticsearch', 'VECTOR_STORE'],
    ['azure-ai-search', 'VECTOR_STORE'],
  ])('%s of somebody else gets every setting', (service, prefix) => {
    const objects = elsewhere(
      'vectors:',
      '  externalVectorStore:',
      `    service: ${service}`,
      '    url: https://store.acme.example:8443',
      '    apiKey: { secret: store, key: api-key }',
      '    collection: passages',
      '    cidrs: [10.9.0.0/24]',
    );
    expect(apiOf(objects)).toMatchObject({
      [`${prefix}_URL`]: 'https://store.acme.example:8443',
      [`${prefix}_API_KEY`]: { secretKeyRef: { name: 'store', key: 'api-key' } },
      COLLECTION_NAME: 'passages',
      EMBEDDING_MODEL: 'BAAI/bge-m3',
    });
    expect(reachedBy(objects, 'api')).toContain('10.9.0.0/24');
  });

  expectRefusals(refusedElsewhere, [
    [
      'that are nowhere',
      [],
      '1:1 qdrant: is missing; describe the database, or give what has the vectors instead as vectors',
    ],
    [
      'in a table of no database',
      ['vectors: { pgvector: {} }'],
      '1:1 database: is missing, but vectors needs it; set it',
    ],
    [
      'in a table with a name that must be quoted',
      ['database: { postgresCluster: {} }', 'vectors: { pgvector: { table: Passages } }'],
      expect.stringMatching(/^15:24 vectors\.pgvector\.table: is "Passages"/) as unknown as string,
    ],
    [
      'in a table of a server without the extension',
      ['database: { postgres: {} }', 'vectors: { pgvector: {} }'],
      '14:13 database.postgres.image: is docker.io/library/postgres, which does not have the extension "vector"; set it ' +
        'to one that has, such as docker.io/pgvector/pgvector with the tag 0.8.6-pg17-bookworm, which is ' +
        'DefaultImages.PGVECTOR',
    ],
    [
      'at a service that is none',
      ['vectors: { externalVectorStore: { url: "https://q.acme.example" } }'],
      '14:12 vectors.externalVectorStore.service: is missing; must be one of qdrant, chroma, elasticsearch, azure-ai-search',
    ],
    [
      'in a collection without a name',
      ['vectors: { externalVectorStore: { service: qdrant, url: "https://q.acme.example", collection: "" } }'],
      '14:83 vectors.externalVectorStore.collection: is empty; name the collection as the store does',
    ],
    [
      'at a URL that is none',
      ['vectors: { externalVectorStore: { service: qdrant, url: "http://q" } }'],
      '14:52 vectors.externalVectorStore.url: must be a URL with https, host and path alone: ' +
        'https://acme.search.windows.net',
    ],
  ]);

  test('beside a vector database of the platform are refused', () => {
    expect(refused('database: { postgres: {} }', 'vectors: { pgvector: {} }')).toEqual([
      '16:1 vectors: is set together with qdrant, but vectors are in one place; keep one of the two',
    ]);
  });
});

test('a host outside may come with variables that say how to use it', () => {
  const objects = objectsOf([
    ...LEAST.slice(0, 12),
    'api:',
    '  image: { repository: ghcr.io/acme/rag-api, tag: 1.8.2 }',
    '  externals:',
    '    - host: search.acme.example',
    '      port: 9200',
    '      env: { ELASTICSEARCH_URL: "https://search.acme.example:9200", ELASTICSEARCH_KEY: { secret: es, key: key } }',
  ]);
  expect(apiOf(objects)).toMatchObject({
    ELASTICSEARCH_URL: 'https://search.acme.example:9200',
    ELASTICSEARCH_KEY: { secretKeyRef: { name: 'es', key: 'key' } },
  });
});

test('where the documents are gets every setting', () => {
  const env: Json = apiOf(
    around(
      'documentStore:',
      '  s3:',
      '    bucket: acme-documents',
      '    region: eu-west-1',
      '    endpoint: https://s3.acme.example',
      '    prefix: rag',
      '    accessKey: { secret: bucket, key: id }',
      '    secretKey: { secret: bucket, key: secret }',
      '    cidrs: [10.9.0.0/24]',
    ),
  );
  expect(env).toMatchObject({
    S3_BUCKET: 'acme-documents',
    S3_PREFIX: 'rag',
    AWS_ENDPOINT_URL_S3: 'https://s3.acme.example',
    AWS_ACCESS_KEY_ID: { secretKeyRef: { name: 'bucket', key: 'id' } },
  });
});

test.each([
  [
    'azureBlob: { account: acmerag, container: docs, prefix: a/b, connectionString: { secret: blob, key: dsn } }',
    {
      AZURE_STORAGE_ACCOUNT_NAME: 'acmerag',
      AZURE_CONTAINER_NAME: 'docs',
      AZURE_STORAGE_PREFIX: 'a/b',
      AZURE_STORAGE_CONNECTION_STRING: { secretKeyRef: { name: 'blob', key: 'dsn' } },
    },
  ],
  [
    'azureBlob: { account: acmerag, container: docs, accountKey: { secret: blob, key: key } }',
    { AZURE_STORAGE_ACCOUNT_KEY: { secretKeyRef: { name: 'blob', key: 'key' } } },
  ],
  [
    'gcs: { bucket: acme-docs, prefix: a, project: acme-rag, credentials: { secret: gcs, key: key.json } }',
    {
      GCS_BUCKET: 'acme-docs',
      GCS_PREFIX: 'a',
      GOOGLE_CLOUD_PROJECT: 'acme-rag',
      GOOGLE_APPLICATION_CREDENTIALS: '/etc/google-credentials/gcs/key.json',
    },
  ],
])('the documents may be in %s', (store, variablesOfClients) => {
  expect(apiOf(around(`documentStore: { ${store} }`))).toMatchObject(variablesOfClients);
});

describe('the backups of a database', () => {
  const archive = (to: string, identity = '') =>
    find(
      around(`database: { postgresCluster: { backups: { daily: "02:00", keepDays: 7, to: { ${to} } }${identity} } }`),
      'ObjectStore',
      'database-archive',
    ).spec.configuration;

  test('may be in any store', () => {
    expect(archive('gcs: { bucket: acme-backups, credentials: { secret: g, key: k } }').destinationPath).toBe(
      'gs://acme-backups',
    );
    expect(
      archive(
        'azureBlob: { account: acmerag, container: backups }',
        ', identity: { azureClientId: 11111111-2222-3333-4444-555555555555 }',
      ),
    ).toMatchObject({ azureCredentials: { inheritFromAzureAD: true } });
  });

  expectRefusals(refused, [
    [
      'in a container with a name that is none',
      [
        'database:',
        '  postgresCluster:',
        '    backups: { daily: "02:00", keepDays: 7, to: { azureBlob: { account: acmerag, container: Backups } } }',
      ],
      '17:82 database.postgresCluster.backups.to.azureBlob.container: is "Backups", but must be 3 to 63 lower-case letters, ' +
        'digits and single "-" between them',
    ],
    [
      'in no store',
      ['database: { postgresCluster: { backups: { daily: "02:00", keepDays: 7, to: {} } } }'],
      '15:72 database.postgresCluster.backups.to: does not say what it is; set one of s3, azureBlob, gcs',
    ],
  ]);
});
