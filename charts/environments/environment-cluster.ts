import { z } from 'zod';
import { Accelerator } from '../../constructs/placement/accelerator';
import { Cloud } from '../../constructs/placement/cloud';
import { Cluster } from '../../constructs/placement/cluster';
import { HttpProxy } from '../../constructs/placement/http-proxy';
import { TAINT_EFFECTS } from '../../constructs/placement/node-pool';
import { Registry } from '../../constructs/placement/registry';
import { clusterService, made, texts } from './environment-values';

/** A kind of GPU: `nvidia-l4`, `nvidia-a100-80/1g.10gb`, `nvidia-t4/shared`. */
export const accelerator = made(z.string().meta({ examples: Accelerator.names }), Accelerator.named);

const nodePool = z.strictObject({
  name: z.string().describe('name of the pool'),
  nodes: z.int32().min(0).describe("most nodes, the cluster autoscaler's bound included"),
  accelerator: accelerator.optional().describe('GPU in each node: nvidia-l4, nvidia-a100-80/1g.10gb, nvidia-t4/shared'),
  acceleratorsPerNode: z
    .int32()
    .min(1)
    .optional()
    .describe('allocatable GPUs, slices or shares per node; by default 1'),
  nodeSelector: texts.optional().describe('labels of the nodes; by default those of the cloud for the GPU'),
  taints: z
    .array(
      z.strictObject({
        key: z.string().describe('key of the taint'),
        value: z.string().optional().describe('its value; by default any is tolerated'),
        effect: z.enum(TAINT_EFFECTS).optional().describe('by default NoSchedule'),
      }),
    )
    .optional()
    .describe('taints of the nodes; nvidia.com/gpu is always tolerated by GPU pods'),
});

const registry = made(
  z.strictObject({
    mirror: z.string().optional().describe('host and path that replace the registry host of every image'),
    mirrors: texts
      .optional()
      .describe('mirrors by the registry that they stand for: { docker.io: registry.acme.example/docker-hub }'),
    pullSecrets: z.array(z.string()).optional().describe('Secrets that every pod pulls with'),
    requireDigest: z
      .boolean()
      .optional()
      .describe('refuses images without digest, and models that are downloaded without a commit'),
  }),
  (props) => new Registry(props),
);

/** What is true of the cluster. */
export const cluster = made(
  z.strictObject({
    kubernetesVersion: z.string().optional().describe('minor version of the API server: "1.31"'),
    cloud: made(z.enum(['eks', 'gke', 'aks', 'generic']), Cloud.named)
      .optional()
      .describe('where the cluster runs'),
    region: z.string().optional().describe('region of the cloud that it runs in: eu-west-1'),
    zones: z.int32().min(1).optional().describe('zones that its nodes are in'),
    ipv6: z.boolean().optional().describe('whether pods have IPv6 addresses beside IPv4, which is first'),
    domain: z.string().optional().describe('domain of Service names; by default cluster.local'),
    cilium: z.boolean().optional().describe('whether the network plugin is Cilium'),
    dns: clusterService
      .extend({
        port: z.int32().min(1).max(65535).optional().describe('port of the DNS pods; by default 53'),
        nodeLocal: z
          .array(z.string())
          .optional()
          .describe('addresses of NodeLocal DNSCache: 169.254.20.10, and often the cluster IP of kube-dns'),
      })
      .optional()
      .describe('the DNS that pods use; by default kube-dns in kube-system'),
    nodePools: z.array(nodePool).optional().describe('node pools; when given, they are all there is'),
    gpuRuntimeClass: z.string().optional().describe('RuntimeClass of GPU pods, where one is needed: nvidia'),
    storage: z
      .strictObject({
        block: z.string().optional().describe('class of block volumes, for databases and vectors'),
        shared: z.string().optional().describe('class of shared file volumes, for model caches only'),
      })
      .optional()
      .describe('storage classes'),
    keda: clusterService.optional().describe('the KEDA operator'),
    cloudNativePg: clusterService.optional().describe('the operator of CloudNativePG'),
    rabbitMq: clusterService.optional().describe('the RabbitMQ cluster operator'),
    rabbitMqTopology: clusterService.optional().describe('the messaging topology operator of RabbitMQ'),
    strimzi: clusterService.optional().describe('the cluster operator of Strimzi'),
    apiServer: z
      .strictObject({
        cidrs: z.array(z.string()).describe('its addresses, as kubectl get endpoints kubernetes shows them'),
        port: z.int32().min(1).max(65535).optional().describe('its port there; by default 443'),
      })
      .optional()
      .describe('the API server, for the few pods that talk to it'),
    prometheus: clusterService
      .extend({
        url: z.string().optional().describe('URL of its HTTP API, for scaling on queries'),
        monitorLabels: texts
          .optional()
          .describe('labels by which its operator finds monitors: { release: prometheus }'),
      })
      .optional()
      .describe('Prometheus'),
    reloader: z.boolean().optional().describe('whether Stakater Reloader runs'),
    proxy: made(
      z.strictObject({
        url: z.string().describe('http://proxy.acme.example:3128'),
        cidrs: z.array(z.string()).optional().describe('its addresses, where they are known and stable'),
        direct: z.array(z.string()).optional().describe('hosts outside that are reached without it: acme.example'),
      }),
      (props) => new HttpProxy(props),
    )
      .optional()
      .describe('HTTP proxy through which pods reach hosts outside'),
    registry: registry.optional().describe('where images are pulled from'),
  }),
  (props) => new Cluster(props),
);
