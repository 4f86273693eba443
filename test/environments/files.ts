import { Size } from 'cdk8s';
import { Cpu } from 'cdk8s-plus-28';
import type { RagPlatformProps } from '../../charts/rag-platform';
import { Redis } from '../../constructs/data/redis';
import { EmbeddingModel } from '../../constructs/models/embedding-model';
import { Architecture } from '../../constructs/placement/architecture';
import { SecretKey } from '../../constructs/secrets/secret-key';
import { ConfigRollout } from '../../constructs/workload/config-rollout';
import { HeapDumps } from '../../constructs/workload/heap-dumps';
import { Image } from '../../constructs/workload/image';
import { Jvm } from '../../constructs/workload/jvm';
import { SecretDelivery } from '../../constructs/workload/secret-delivery';
import { SecretRotation } from '../../constructs/workload/secret-rotation';

/** Programs on JVMs of one architecture that read Secrets from files, and configuration that each revision has for itself. */
export const FILES: RagPlatformProps = {
  namespace: 'rag-files',
  embeddingModel: EmbeddingModel.BGE_SMALL_EN_V1_5,
  qdrant: {
    apiKey: SecretKey.of('qdrant', 'api-key'),
    resources: { cpu: Cpu.units(1), memory: Size.gibibytes(4) },
    storage: Size.gibibytes(20),
    secretRotation: SecretRotation.revision('2026-11-28'),
  },
  embedder: {},
  api: {
    image: Image.of('ghcr.io/acme/rag-api', { tag: '1.8.2', architectures: [Architecture.ARM64] }),
    jvm: Jvm.of({ heap: 60, heapDumps: HeapDumps.SCRATCH }),
    secretDelivery: SecretDelivery.FILES,
    secretRotation: SecretRotation.REREAD,
  },
  queue: (scope) =>
    new Redis(scope, 'queue', {
      password: SecretKey.of('queue', 'password'),
      configRollout: ConfigRollout.IMMUTABLE,
    }),
  embeddingWorkers: {
    image: Image.of('ghcr.io/acme/rag-workers', { tag: '1.8.2' }),
    secretDelivery: SecretDelivery.BOTH,
  },
};
