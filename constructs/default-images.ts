import { Image } from './workload/image';

/**
 * Every image that this library runs by itself, each with the digest of its multi-platform index. A new
 * release of one is a change of one line here.
 */
export const DefaultImages = Object.freeze({
  /** https://hub.docker.com/r/qdrant/qdrant, the variant that runs as user 1000. */
  QDRANT: Image.of('qdrant/qdrant', {
    tag: 'v1.19.0-unprivileged',
    digest: 'sha256:a0e04fe623cb064502cd869cefc1dc7ce359d8edd481063b5bd351c0a0a2c91e',
  }),

  /** https://hub.docker.com/_/node; runs the programs of this library, as user 1000. */
  NODE: Image.of('node', {
    tag: '24.10.0-alpine3.22',
    digest: 'sha256:6ff78d6d45f2614fe0da54756b44a7c529a15ebcaf9832fab8df036b1d466e73',
  }),

  /** https://hub.docker.com/_/redis; it can run as user 999, group 1000. */
  REDIS: Image.of('redis', {
    tag: '7.4.9-alpine',
    digest: 'sha256:6ab0b6e7381779332f97b8ca76193e45b0756f38d4c0dcda72dbb3c32061ab99',
  }),

  /** https://hub.docker.com/_/postgres; it can run as user and group 999. */
  POSTGRES: Image.of('postgres', {
    tag: '17.9-bookworm',
    digest: 'sha256:47f917f7409eacd22fc5dfb1dee634e1b55cf0c01d1a7eb701be2227a03e0641',
  }),

  /** https://hub.docker.com/r/pgvector/pgvector, the same with the extension "vector". */
  PGVECTOR: Image.of('pgvector/pgvector', {
    tag: '0.8.6-pg17-bookworm',
    digest: 'sha256:cf134a767f474095eeba57e0117be8e568e011a63f33fbf252f14c9b760f8e6f',
  }),

  /** https://github.com/cloudnative-pg/postgres-containers, the variant "standard", which has the extension "vector". */
  POSTGRES_CLUSTER: Image.of('ghcr.io/cloudnative-pg/postgresql', {
    tag: '17.11-202608310816-standard-bookworm',
    digest: 'sha256:e8ffaff9d17011fb71f264d857c3b4c54cb86ed0443a4ecb0298cb96be708d4e',
  }),

  /** https://github.com/cloudnative-pg/pgbouncer-containers. */
  PGBOUNCER: Image.of('ghcr.io/cloudnative-pg/pgbouncer', {
    tag: '1.25.1',
    digest: 'sha256:e6ddfe22d845e603825e235dd8334b21ecd125abea2a2172478f556b8dee2bb8',
  }),

  /** https://github.com/huggingface/text-embeddings-inference/pkgs/container/text-embeddings-inference, for CPUs. */
  TEXT_EMBEDDINGS_INFERENCE_CPU: Image.of('ghcr.io/huggingface/text-embeddings-inference', {
    tag: 'cpu-1.9.3',
    digest: 'sha256:ad950d30878eceb72aaf32024d26fa2b1d04a75304fa0b4776b49aa1941fea07',
  }),

  /** The same for GPUs of compute capability 8.9: L4, L40S. */
  TEXT_EMBEDDINGS_INFERENCE_ADA: Image.of('ghcr.io/huggingface/text-embeddings-inference', {
    tag: '89-1.9.3',
    digest: 'sha256:e47e625ced2385d3dbfdee79ba0380204578e0b27ef1a926783f9b3486aaf109',
  }),

  /** The same with builds for every GPU from compute capability 7.5; it chooses at start. */
  TEXT_EMBEDDINGS_INFERENCE_CUDA: Image.of('ghcr.io/huggingface/text-embeddings-inference', {
    tag: 'cuda-1.9.3',
    digest: 'sha256:249a0bc87522bfe2f1012b4d194f0225878f47079115ada3aeb0b1ef257b402a',
  }),

  /** https://hub.docker.com/r/vllm/vllm-openai; it can run as user 2000, group 0. */
  VLLM: Image.of('vllm/vllm-openai', {
    tag: 'v0.28.0',
    digest: 'sha256:61fc8a896b0a4fbbbdc063bc4b0dbc25ce98e02b5050c24aeb7830ac02039b14',
  }),

  /** https://hub.docker.com/r/ollama/ollama. */
  OLLAMA: Image.of('ollama/ollama', {
    tag: '0.33.1',
    digest: 'sha256:075246f72d4109385b4a01c3ac8e9cbd26a0bcb21cd7aa30edbccd24e1b3180c',
  }),
});
