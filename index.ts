// What other projects import. Whatever is not here is not promised to stay.

// Charts and environment files
export { Environment } from './charts/environments/environment';
export { EnvironmentError } from './charts/environments/environment-file';
export { type FolderChanges, type FolderContent, OutputFolder, type Rendered } from './charts/output-folder';
export type { PlatformData, PlatformDataProps, PlatformMigrationProps } from './charts/platform-data';
export type { PlatformEmbedder, PlatformEmbedderProps } from './charts/platform-embedder';
export type {
  PlatformIndexProps,
  PlatformIngestion,
  PlatformIngestionProps,
  PlatformProgram,
  PlatformSchedulerProps,
  PlatformSyncProps,
} from './charts/platform-ingestion';
export type {
  PlatformModelStoreProps,
  PlatformModels,
  PlatformModelsProps,
  PlatformRerankerProps,
} from './charts/platform-models';
export type {
  PlatformCollectionProps,
  PlatformNextCollection,
  PlatformParts,
  PlatformQdrantProps,
  PlatformSizingProps,
  PlatformVectorsProps,
} from './charts/platform-vectors';
export {
  type PlatformApiProps,
  type PlatformRouteProps,
  type PlatformWorkersProps,
  RagPlatform,
  type RagPlatformProps,
} from './charts/rag-platform';
export { RenderError, RenderedEnvironment } from './charts/rendered-environment';

// Parts of a RAG system
export { RagApi, type RagApiProps, type WarmUp } from './constructs/api/rag-api';
export type { AzureBlobProps } from './constructs/data/azure-blob-container';
export type { IBucket } from './constructs/data/bucket';
export { ExternalKafka, type ExternalKafkaProps, type ExternalKafkaUser } from './constructs/data/external-kafka';
export { ExternalPostgres, type ExternalPostgresProps } from './constructs/data/external-postgres';
export { ExternalQueue, type ServiceBusProps, type SqsProps } from './constructs/data/external-queue';
export { ExternalRabbitMq, type ExternalRabbitMqProps } from './constructs/data/external-rabbit-mq';
export { ExternalRedis, type ExternalRedisProps } from './constructs/data/external-redis';
export { ExternalService, type ExternalServiceProps } from './constructs/data/external-service';
export type { GcsProps } from './constructs/data/gcs-bucket';
export { Kafka, type KafkaProps } from './constructs/data/kafka';
export { type IKafka, type KafkaLagProps, KafkaMechanism } from './constructs/data/kafka-access';
export { KafkaQueue, type KafkaQueueProps } from './constructs/data/kafka-queue';
export { KafkaTopic, type KafkaTopicOwner, type KafkaTopicProps } from './constructs/data/kafka-topic';
export { Migration, type MigrationProps } from './constructs/data/migration';
export { ObjectStore } from './constructs/data/object-store';
export { Postgres, type PostgresProps } from './constructs/data/postgres';
export type { IPostgres, PostgresAccess, PostgresLogin } from './constructs/data/postgres-access';
export type { PostgresArchive } from './constructs/data/postgres-archive';
export {
  type DailyPostgresBackupsProps,
  PostgresBackups,
  type PostgresBackupsProps,
} from './constructs/data/postgres-backups';
export {
  PostgresCluster,
  type PostgresClusterProps,
  type PostgresCredentials,
} from './constructs/data/postgres-cluster';
export type { PostgresPooler, PostgresPoolerProps } from './constructs/data/postgres-pooler';
export { PostgresTls } from './constructs/data/postgres-tls';
export type { IQueue } from './constructs/data/queue';
export { RabbitMq, type RabbitMqProps } from './constructs/data/rabbit-mq';
export { RabbitMqQueue, type RabbitMqQueueOwner, type RabbitMqQueueProps } from './constructs/data/rabbit-mq-queue';
export { Redis, type RedisProps } from './constructs/data/redis';
export type { RedisUser } from './constructs/data/redis-access';
export { RedisRole } from './constructs/data/redis-role';
export type { S3Bucket, S3Props } from './constructs/data/s3-bucket';
export { ServerTls } from './constructs/data/server-tls';
export { DefaultImages } from './constructs/default-images';
export type { EdgeProxy, ProxyOrigin } from './constructs/edge/edge-proxy';
export { type DedicatedGatewayProps, Gateway, type NamedGatewayProps } from './constructs/edge/gateway';
export { Ingress, IngressController, type IngressProps } from './constructs/edge/ingress';
export { type IRouteTarget, Route, type RouteProps } from './constructs/edge/route';
export { CronSync, type CronSyncProps } from './constructs/ingestion/cron-sync';
export { EmbeddingWorkers, type EmbeddingWorkersProps } from './constructs/ingestion/embedding-workers';
export { IndexJob, type IndexJobProps } from './constructs/ingestion/index-job';
export type { IngestionProgramProps } from './constructs/ingestion/ingestion-program';
export { Scheduler, type SchedulerProps } from './constructs/ingestion/scheduler';
export { ChatModel, type ChatModelProps } from './constructs/models/chat-model';
export { Distance, EmbeddingModel, type EmbeddingModelProps } from './constructs/models/embedding-model';
export {
  type AzureOpenAiProps,
  type CompatibleModelProps,
  ExternalModel,
  type ExternalModelProps,
} from './constructs/models/external-model';
export { type IModel, ModelRole } from './constructs/models/model';
export { ModelDownload, type ModelDownloadProps } from './constructs/models/model-download';
export { ModelFit, type ModelFitProps } from './constructs/models/model-fit';
export { type AttentionProps, ModelProfile, type ModelProfileProps } from './constructs/models/model-profile';
export type { ModelServer, ModelServerOptions } from './constructs/models/model-server';
export { type ModelHubProps, ModelSource } from './constructs/models/model-source';
export { Ollama, type OllamaProps } from './constructs/models/ollama';
export { Precision } from './constructs/models/precision';
export { RerankModel, type RerankModelProps } from './constructs/models/rerank-model';
export {
  TextEmbeddingsInference,
  type TextEmbeddingsInferenceProps,
} from './constructs/models/text-embeddings-inference';
export { Triton, type TritonProps } from './constructs/models/triton';
export { Vllm, type VllmProps } from './constructs/models/vllm';
// Connections
export { type Connection, ConnectionGraph } from './constructs/network/connection-graph';
export { DefaultDeny } from './constructs/network/default-deny';
export { Endpoint } from './constructs/network/endpoint';
export { Peer, PodSet } from './constructs/network/peer';
export { PodNetworkPolicy, type PodNetworkPolicyProps } from './constructs/network/pod-network-policy';
export type { Port } from './constructs/network/port';
export { SyncWave } from './constructs/network/sync-wave';
// The cluster
export { Accelerator, type AcceleratorProps } from './constructs/placement/accelerator';
export { Architecture } from './constructs/placement/architecture';
export { type AcceleratorLabels, Cloud, type NodeTerm } from './constructs/placement/cloud';
export {
  Cluster,
  type ClusterApiServer,
  type ClusterDns,
  type ClusterPrometheus,
  type ClusterProps,
  type ClusterService,
  type ClusterStorage,
} from './constructs/placement/cluster';
export { HttpProxy, type HttpProxyProps } from './constructs/placement/http-proxy';
export type { NodePool, Taint } from './constructs/placement/node-pool';
export { Registry, type RegistryProps } from './constructs/placement/registry';
export { Spread } from './constructs/placement/spread';
// Rules
export type { ChangeRule } from './constructs/rules/change-rule';
export { ChangeRules } from './constructs/rules/change-rules';
export { type ExternalReference, ExternalReferences } from './constructs/rules/external-references';
export type { Json, ManifestObject, Output, RenderedPods } from './constructs/rules/output';
export { OutputRules } from './constructs/rules/output-rules';
export type { Rule } from './constructs/rules/rule';
export { UsageError, type UsageErrorSite } from './constructs/rules/usage-error';
// Replicas
export {
  type BacklogScalingProps,
  type EventScalingProps,
  type HorizontalScalingProps,
  Scaling,
} from './constructs/scaling/scaling';
export type { EventScalingOptions, ScalingBounds } from './constructs/scaling/scaling-bounds';
export { ScalingMetric } from './constructs/scaling/scaling-metric';
export type { ScalingPace } from './constructs/scaling/scaling-pace';
export {
  type CronWindowProps,
  type IBacklog,
  type PrometheusQueryProps,
  type RedisListProps,
  ScalingTrigger,
  type ScalingTriggerProps,
  TriggerIdentity,
} from './constructs/scaling/scaling-trigger';
// Secrets
export type { AwsStoreProps } from './constructs/secrets/aws-store';
export { CertificateAuthority } from './constructs/secrets/certificate-authority';
export { CertificateIssuer, type CertificateIssuerProps } from './constructs/secrets/certificate-issuer';
export { type AzureIdentityProps, CloudIdentity, type IIdentified } from './constructs/secrets/cloud-identity';
export {
  ExternalSecrets,
  type ExternalSecretsProps,
} from './constructs/secrets/external-secrets';
export { ExternalSecretsVersion } from './constructs/secrets/external-secrets-version';
export type { GkeClusterProps, GoogleStoreProps } from './constructs/secrets/google-store';
export type { KeyVaultStoreProps } from './constructs/secrets/key-vault-store';
export { SecretKey } from './constructs/secrets/secret-key';
export { ExistingSecrets, type ISecretSource } from './constructs/secrets/secret-source';
export { type ExistingStoreProps, SecretStore } from './constructs/secrets/secret-store';
export { type AzureKeyVaultProps, SecretsStoreCsi } from './constructs/secrets/secrets-store-csi';
export { type CertificateKeys, ServerCertificate } from './constructs/secrets/server-certificate';
export type { NewStoreProps } from './constructs/secrets/store-account';
export { StoreLayout } from './constructs/secrets/store-layout';
export { VaultEngine, type VaultStoreProps } from './constructs/secrets/vault-store';
export {
  type ExternalCollection,
  type ExternalQdrantProps,
  ExternalVectorStore,
  type ExternalVectorStoreProps,
} from './constructs/vector-store/external-vector-store';
export { PayloadIndex } from './constructs/vector-store/payload-index';
export { Pgvector, type PgvectorProps } from './constructs/vector-store/pgvector';
export { Qdrant, type QdrantProps } from './constructs/vector-store/qdrant';
export { AuditRotation, type QdrantAudit } from './constructs/vector-store/qdrant-audit';
export type { QdrantResources } from './constructs/vector-store/qdrant-capacity';
export {
  type CollectionBackfill,
  type NextCollection,
  QdrantCollection,
  type QdrantCollectionProps,
} from './constructs/vector-store/qdrant-collection';
export { type DrainProps, QdrantDrain, type QdrantDrainProps } from './constructs/vector-store/qdrant-drain';
export type { QdrantAccess } from './constructs/vector-store/qdrant-program';
export { QdrantRehearsal, type QdrantRehearsalProps } from './constructs/vector-store/qdrant-rehearsal';
export { QdrantRepair, type QdrantRepairProps, type RepairProps } from './constructs/vector-store/qdrant-repair';
export { QdrantRestore, type QdrantRestoreProps } from './constructs/vector-store/qdrant-restore';
export { QdrantSizing, type QdrantVectorsProps } from './constructs/vector-store/qdrant-sizing';
export { QdrantSnapshots, type QdrantSnapshotsProps } from './constructs/vector-store/qdrant-snapshots';
export { Quantization } from './constructs/vector-store/quantization';
export {
  type DailySnapshotsProps,
  SnapshotSchedule,
  type SnapshotScheduleProps,
} from './constructs/vector-store/snapshot-schedule';
export type { StrictMode } from './constructs/vector-store/strict-mode';

// Workloads of one's own
export type { ApiAccess, ApiAccessRule } from './constructs/workload/api-access';
export { ConfigRollout } from './constructs/workload/config-rollout';
export type { ContainerProps, MainContainerProps } from './constructs/workload/container';
export { CronJob, type CronJobProps } from './constructs/workload/cron-job';
export { Deployment, type DeploymentOptions, type DeploymentProps } from './constructs/workload/deployment';
export { EnvValue } from './constructs/workload/env-value';
export { HeapDumps } from './constructs/workload/heap-dumps';
export { Image, type ImageVersion } from './constructs/workload/image';
export {
  Job,
  type JobOptions,
  type JobProps,
  type JobRunProps,
  type JobTries,
  type LibraryJobOptions,
} from './constructs/workload/job';
export { Jvm, type JvmProps } from './constructs/workload/jvm';
export { PodSecurityException } from './constructs/workload/pod-security';
export type { PodUser } from './constructs/workload/pod-template';
export { type HttpProbeProps, Probe, type ProbeTiming } from './constructs/workload/probe';
export type { IClient, IProvider, Offer, SecretFile } from './constructs/workload/provider';
export type { Resources } from './constructs/workload/resources';
export { SecretDelivery } from './constructs/workload/secret-delivery';
export { SecretRotation } from './constructs/workload/secret-rotation';
export { SharedVolume, type SharedVolumeProps } from './constructs/workload/shared-volume';
export { type ClaimTemplate, StatefulSet, type StatefulSetProps } from './constructs/workload/stateful-set';
export { type RollingUpdate, UpdateStrategy } from './constructs/workload/update-strategy';
export { type Mount, Volume } from './constructs/workload/volume';
export {
  type PodDetails,
  type ProgramOptions,
  type ServiceProps,
  Workload,
  type WorkloadOptions,
  type WorkloadProps,
} from './constructs/workload/workload';
export type { WorkloadOffer, WorkloadOfferProps } from './constructs/workload/workload-offer';
