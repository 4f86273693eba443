import { Image } from './workload/image';

/**
 * Every image that this library runs by itself, each with the digest of its multi-platform index. A new
 * release of one is a change of one line here.
 */
export const DefaultImages = {
  /** https://hub.docker.com/r/qdrant/qdrant, the variant that runs as user 1000. */
  QDRANT: Image.of('qdrant/qdrant', {
    tag: 'v1.19.0-unprivileged',
    digest: 'sha256:a0e04fe623cb064502cd869cefc1dc7ce359d8edd481063b5bd351c0a0a2c91e',
  }),

  /** https://hub.docker.com/_/redis; it can run as user 999, group 1000. */
  REDIS: Image.of('redis', {
    tag: '7.4.9-alpine',
    digest: 'sha256:6ab0b6e7381779332f97b8ca76193e45b0756f38d4c0dcda72dbb3c32061ab99',
  }),
};
