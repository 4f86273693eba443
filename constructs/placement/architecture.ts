/** Label of nodes that has their architecture (Kubernetes docs, "Well-Known Labels, Annotations and Taints"). */
export const ARCHITECTURE_LABEL = 'kubernetes.io/arch';

/** Architecture of a node's processors, as Go and the node label call it. */
export enum Architecture {
  /** x86-64. */
  AMD64 = 'amd64',
  /** 64-bit Arm: Graviton, Axion, Cobalt. */
  ARM64 = 'arm64',
}
