import type { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import {
  PodMonitor as Monitor,
  type PodMonitorSpecPodMetricsEndpointsTlsConfig as MonitorTls,
  PodMonitorSpecPodMetricsEndpointsScheme as Scheme,
} from '../../imports/monitoring.coreos.com';
import { Cluster } from '../placement/cluster';
import { Peer, type PodSet } from './peer';
import type { PodNetworkPolicy } from './pod-network-policy';
import type { Port } from './port';

/** How Prometheus knows whom it scrapes. */
export interface PodMonitorTls {
  /** Name in the certificate; pods are scraped by their address. */
  readonly serverName: string;

  /**
   * Secret and key of the authority that signed it, in the namespace of the pods.
   * @default - an authority that Prometheus knows anyway
   */
  readonly authority?: { readonly secret: string; readonly key: string };
}

/** Which pods are scraped, and where. */
export interface PodMonitorProps {
  /** The pods. */
  readonly pods: PodSet;

  /** Their policy. */
  readonly policy: PodNetworkPolicy;

  /** Ports that serve `/metrics`, named as in the containers. */
  readonly ports: readonly Port[];

  /**
   * How they are encrypted.
   * @default - they are not
   */
  readonly tls?: PodMonitorTls;

  /** Metadata of an object that belongs to the pods. */
  readonly metadata: k8s.ObjectMeta;
}

/**
 * Has Prometheus scrape pods: lets it in, and tells its operator of them, where the cluster says by which labels it looks
 * for monitors. Nothing where there is no Prometheus.
 *
 * Source: Prometheus operator docs, "API reference: PodMonitor".
 */
export class PodMonitor extends Construct {
  /** The PodMonitor; none where the cluster has no labels for it. */
  public readonly monitor?: Monitor;

  public constructor(scope: Construct, id: string, props: PodMonitorProps) {
    super(scope, id);
    const { prometheus } = Cluster.of(this);
    if (prometheus === undefined) {
      return;
    }
    props.policy.allowFrom({ from: Peer.service(prometheus), ports: [...props.ports] });
    this.monitor =
      prometheus.monitorLabels === undefined ? undefined : this.createMonitor(props, prometheus.monitorLabels);
  }

  private createMonitor({ pods, ports, tls, metadata }: PodMonitorProps, labels: { [label: string]: string }): Monitor {
    const names = [...new Set(ports.map(({ name }) => name))];
    return new Monitor(this, 'Resource', {
      metadata: { ...metadata, name: pods.name, labels: { ...metadata.labels, ...labels } },
      spec: {
        selector: pods.selector,
        podMetricsEndpoints: names.map((port) => ({
          port,
          path: '/metrics',
          scheme: tls === undefined ? Scheme.HTTP : Scheme.HTTPS,
          tlsConfig: tls && tlsConfigOf(tls),
        })),
      },
    });
  }
}

function tlsConfigOf({ serverName, authority }: PodMonitorTls): MonitorTls {
  return {
    serverName,
    ca: authority && { secret: { name: authority.secret, key: authority.key } },
  };
}
