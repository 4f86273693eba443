import { Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import type { RagPlatform, RagPlatformProps } from '../../charts/rag-platform';
import { Kafka } from '../../constructs/data/kafka';
import { ObjectStore } from '../../constructs/data/object-store';
import { PostgresBackups } from '../../constructs/data/postgres-backups';
import { PostgresCluster } from '../../constructs/data/postgres-cluster';
import { RabbitMq } from '../../constructs/data/rabbit-mq';
import { EmbeddingModel } from '../../constructs/models/embedding-model';
import { Cluster } from '../../constructs/placement/cluster';
import { Registry } from '../../constructs/placement/registry';
import { Scaling } from '../../constructs/scaling/scaling';
import { CertificateIssuer } from '../../constructs/secrets/certificate-issuer';
import { SecretKey } from '../../constructs/secrets/secret-key';
import { ServerCertificate } from '../../constructs/secrets/server-certificate';
import { Image } from '../../constructs/workload/image';

const digest = `sha256:${'1'.repeat(64)}`;

/** Every data service that an operator runs, with its images from a mirror, on nodes of their own. */
export const OPERATED: RagPlatformProps = {
  namespace: 'rag-operated',
  cluster: new Cluster({
    nodePools: [
      { name: 'general', nodes: 5 },
      { name: 'data', nodes: 5, nodeSelector: { pool: 'data' }, taints: [{ key: 'data' }] },
    ],
    storage: { block: 'fast' },
    registry: new Registry({ mirror: 'registry.acme.example/mirror', pullSecrets: ['pull'], requireDigest: true }),
    apiServer: { cidrs: ['10.0.0.1/32'], port: 6443 },
    keda: { namespace: 'keda' },
    prometheus: { namespace: 'monitoring', monitorLabels: { release: 'prometheus' } },
    cloudNativePg: { namespace: 'cnpg-system' },
    rabbitMq: { namespace: 'rabbitmq-system', podLabels: { 'app.kubernetes.io/name': 'rabbitmq-cluster-operator' } },
    rabbitMqTopology: {
      namespace: 'rabbitmq-system',
      podLabels: { 'app.kubernetes.io/name': 'messaging-topology-operator' },
    },
    strimzi: { namespace: 'strimzi' },
  }),
  qdrant: {
    resources: { cpu: Cpu.units(1), memory: Size.gibibytes(2) },
    storage: Size.gibibytes(20),
    apiKey: SecretKey.of('qdrant', 'api-key'),
  },
  embeddingModel: EmbeddingModel.BGE_SMALL_EN_V1_5,
  collection: {},
  embedder: {},
  queue: (scope) => {
    const rabbitMq = new RabbitMq(scope, 'queue', {
      tls: ServerCertificate.issuedBy(CertificateIssuer.cluster('internal')),
      nodePool: 'data',
      priorityClassName: 'high',
      image: Image.of('rabbitmq', { tag: '4.3.0-management', digest }),
    });
    rabbitMq.queue('celery');
    return rabbitMq;
  },
  api: { image: Image.of('ghcr.io/acme/rag-api', { tag: '1.8.2', digest }) },
  embeddingWorkers: {
    image: Image.of('ghcr.io/acme/rag-workers', { tag: '1.8.2', digest }),
    scaling: (queue) => Scaling.onBacklog(queue.list('celery'), { perReplica: 20, min: 0, max: 4 }),
  },
};

/** What a platform has no word for: a database and a log, which the API and the workers use. */
export function withDataServices(platform: RagPlatform): void {
  const database = new PostgresCluster(platform, 'db', {
    pooler: {},
    backups: PostgresBackups.daily({
      hour: 2,
      keepDays: 30,
      to: ObjectStore.s3({
        bucket: 'acme-backups',
        region: 'eu-west-1',
        accessKey: SecretKey.of('backups', 'access-key'),
        secretKey: SecretKey.of('backups', 'secret-key'),
      }),
    }),
    credentials: { username: SecretKey.of('db-owner', 'username'), password: SecretKey.of('db-owner', 'password') },
    nodePool: 'data',
    priorityClassName: 'high',
  });
  const log = new Kafka(platform, 'log', {
    tls: true,
    nodePool: 'data',
    priorityClassName: 'high',
    image: Image.of('quay.io/strimzi/kafka', { tag: '1.2.0-kafka-4.3.1', digest }),
    operatorImage: Image.of('quay.io/strimzi/operator', { tag: '1.2.0', digest }),
  });
  log.topic('documents');
  platform.api.uses(database.pooled, log);
  platform.embeddingWorkers?.uses(database, log);
}
