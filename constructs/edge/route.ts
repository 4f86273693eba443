import { Chart, type Duration } from 'cdk8s';
import { Construct } from 'constructs';
import { ConnectionGraph } from '../network/connection-graph';
import type { Endpoint } from '../network/endpoint';
import { PodSet } from '../network/peer';
import { PodNetworkPolicy } from '../network/pod-network-policy';
import { SyncWave } from '../network/sync-wave';
import { isHostName } from '../rules/host-name';
import { checkObjectName } from '../rules/object-name';
import { OutputRules } from '../rules/output-rules';
import { UsageError } from '../rules/usage-error';
import type { EdgeProxy } from './edge-proxy';

/** Something that answers requests from outside. */
export interface IRouteTarget {
  /** Address of the Service. */
  readonly endpoint: Endpoint;
  /** Time after which the edge gives up on an answer. */
  readonly edgeTimeout: Duration;
  /**
   * Path at which each pod says whether it can answer, for load balancers that ask pods themselves.
   * @default - they ask as their controller does by itself
   */
  readonly readinessPath?: string;
}

/** A way in. */
export interface RouteProps {
  /** What answers. */
  readonly to: IRouteTarget;

  /** Name of the host, without scheme, port or path: `rag.acme.example`. */
  readonly host: string;

  /** What carries the requests. */
  readonly via: EdgeProxy;

  /**
   * Beginning of the paths; itself begins with "/".
   * @default "/"
   */
  readonly path?: string;

  /**
   * Name of the objects.
   * @default - the construct's id
   */
  readonly name?: string;
}

/**
 * A way in from outside: an HTTPRoute or an Ingress, whatever the cluster has, and the right of its proxy to
 * connect. Timeouts are those of what answers.
 */
export class Route extends Construct {
  /** Name of the host. */
  public readonly host: string;

  public constructor(scope: Construct, id: string, props: RouteProps) {
    super(scope, id);
    const name = props.name ?? id;
    checkObjectName(this, name, 'HTTPRoute');
    this.host = checkHost(this, props.host);
    const path = checkPath(this, props.path ?? '/');
    const { service, pods, port } = serviceOf(this, props.to.endpoint);
    props.via._bind(this, {
      metadata: { name, labels: Chart.of(this).labels, annotations: SyncWave.ROUTES.annotations },
      host: this.host,
      path,
      service,
      port: port.number,
      timeout: props.to.edgeTimeout,
      readinessPath: props.to.readinessPath,
    });
    for (const from of props.via.peers) {
      ConnectionGraph.of(this).connect({ from, to: pods, ports: [port], ordered: true });
    }
    if (props.via.certificate?.http01 === true) {
      this.admitChallenges(props.via, pods);
    }
    OutputRules.attach(this);
  }

  /**
   * cert-manager answers an HTTP-01 challenge with a pod of its own in this namespace, which would be closed
   * like every other (cert-manager docs, "HTTP01").
   */
  private admitChallenges(via: EdgeProxy, { namespace }: PodSet): void {
    const solver = new PodSet(namespace, 'acme-http01-solver', { 'acme.cert-manager.io/http01-solver': 'true' });
    const policy = new PodNetworkPolicy(this, 'Solver', {
      pods: solver,
      metadata: { labels: Chart.of(this).labels, annotations: SyncWave.NAMESPACE.annotations },
    });
    for (const from of via.peers) {
      policy.allowFrom({ from, ports: [{ name: 'http', number: 8089 }] });
    }
  }
}

function checkHost(scope: Construct, host: string): string {
  if (!isHostName(host)) {
    throw new UsageError(`is "${host}", but must be a DNS name such as rag.acme.example`, { scope, property: 'host' });
  }
  return host;
}

const PATH = /^\/(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2}){0,1023}$/;
const ODD_SEGMENT = /\/\/|\/\.{1,2}(\/|$)|%2f/i;

/** What is wrong with the beginning of paths, or undefined when nothing is (Gateway API 1.6, HTTPPathMatch). */
export function pathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) {
    return `is "${path}", but must be a path that begins with "/"`;
  }
  if (path.length > 1024) {
    return `has ${path.length} characters, but at most 1024 are allowed; shorten it`;
  }
  return PATH.test(path) && !ODD_SEGMENT.test(path)
    ? undefined
    : `is "${path}", but must be a path of letters, digits, "-", "_", "." and the like, without "//", "/./", "/../", "%2f", "?", "#" or spaces`;
}

function checkPath(scope: Construct, path: string): string {
  const problem = pathProblem(path);
  if (problem !== undefined) {
    throw new UsageError(problem, { scope, property: 'path' });
  }
  return path;
}

function serviceOf(scope: Construct, { service, peer, port }: Endpoint) {
  if (service === undefined || !(peer instanceof PodSet)) {
    throw new UsageError('leads to a host outside the cluster; a route leads to a Service', { scope, property: 'to' });
  }
  return { service, pods: peer, port };
}
