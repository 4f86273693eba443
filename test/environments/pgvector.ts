import type { RagPlatformProps } from '../../charts/rag-platform';
import { Postgres } from '../../constructs/data/postgres';
import { Redis } from '../../constructs/data/redis';
import { DefaultImages } from '../../constructs/default-images';
import { EmbeddingModel } from '../../constructs/models/embedding-model';
import { SecretKey } from '../../constructs/secrets/secret-key';
import { Pgvector } from '../../constructs/vector-store/pgvector';
import { Image } from '../../constructs/workload/image';

/** Vectors in a table of PostgreSQL instead of Qdrant. */
export const PGVECTOR: RagPlatformProps = {
  namespace: 'rag-pgvector',
  embeddingModel: EmbeddingModel.BGE_SMALL_EN_V1_5,
  vectors: (scope) =>
    new Pgvector(scope, 'vectors', {
      database: new Postgres(scope, 'database', {
        image: DefaultImages.PGVECTOR,
        password: SecretKey.of('database', 'password'),
      }),
      model: EmbeddingModel.BGE_SMALL_EN_V1_5,
    }),
  embedder: {},
  api: { image: Image.of('ghcr.io/acme/rag-api', { tag: '1.8.2' }) },
  queue: (scope) => new Redis(scope, 'queue', { password: SecretKey.of('queue', 'password') }),
  embeddingWorkers: { image: Image.of('ghcr.io/acme/rag-workers', { tag: '1.8.2' }) },
};
