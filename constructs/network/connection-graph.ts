import type { IConstruct } from 'constructs';
import { type Peer, PodSet } from './peer';
import type { Port } from './port';

/** One allowed connection: who may open it, to whom, and on which ports. */
export interface Connection {
  /** Who opens it. */
  readonly from: Peer;
  /** Who accepts it. */
  readonly to: Peer;
  /** Ports that are opened, TCP. */
  readonly ports: Port[];
  /**
   * Whether `to` must be ready before `from` is applied.
   * @default false
   */
  readonly ordered?: boolean;
}

const GRAPH = Symbol.for('cdk8s-rag.ConnectionGraph');

/** Distance between the waves of a provider and its client; leaves room for objects in between. */
const WAVE_STEP = 10;

/**
 * Every connection that the workloads of an app may open or accept. Network policies, sync waves and the
 * environment of clients all follow from it; nothing else allows a connection. Pods of one namespace and name are
 * the same pods: an app is for one cluster.
 */
export class ConnectionGraph {
  /** The graph of the app that this construct belongs to. */
  public static of(scope: IConstruct): ConnectionGraph {
    const root = scope.node.root as IConstruct & { [GRAPH]?: ConnectionGraph };
    root[GRAPH] ??= new ConnectionGraph();
    return root[GRAPH];
  }

  private readonly edges: Connection[] = [];
  private readonly orders: { readonly before: PodSet; readonly after: PodSet }[] = [];
  private readonly waves = new Map<string, number>();

  private constructor() {}

  /** Has some pods applied only when others are ready, or have done their work, without any connection. */
  public order(before: PodSet, after: PodSet): void {
    this.orders.push({ before, after });
    this.waves.clear();
  }

  /** Allows a connection. */
  public connect(connection: Connection): void {
    this.edges.push(connection);
    this.waves.clear();
  }

  /** Every allowed connection, in the order in which they were allowed. */
  public get connections(): Connection[] {
    return [...this.edges];
  }

  /** Connections that these pods open. */
  public from(pods: PodSet): Connection[] {
    return this.edges.filter((edge) => edge.from.key === pods.key);
  }

  /** Connections that these pods accept. */
  public to(pods: PodSet): Connection[] {
    return this.edges.filter((edge) => edge.to.key === pods.key);
  }

  /**
   * Sync wave of a workload: one step after the last of the providers that must be ready first. Workloads
   * that use one another cannot wait for one another and share a wave.
   */
  public waveOf(pods: PodSet): number {
    const known = this.waves.get(pods.key);
    if (known !== undefined) {
      return known;
    }
    const reachable = [...this.reachable(pods).values()];
    const circle = [pods, ...reachable.filter((other) => this.reachable(other).has(pods.key))];
    const members = new Set(circle.map(({ key }) => key));
    const before = circle
      .flatMap((member) => this.providersOf(member))
      .filter((provider) => !members.has(provider.key));
    const wave = Math.max(0, ...before.map((provider) => this.waveOf(provider) + WAVE_STEP));
    this.waves.set(pods.key, wave);
    return wave;
  }

  /** Whether other pods, or what lets requests in, need these to be ready. */
  public hasClients(pods: PodSet): boolean {
    return this.to(pods).some(({ from, ordered }) => ordered === true && from.key !== pods.key);
  }

  private providersOf(pods: PodSet): PodSet[] {
    const connected = this.from(pods)
      .filter((edge) => edge.ordered === true)
      .map((edge) => edge.to)
      .filter((peer) => peer instanceof PodSet);
    const ordered = this.orders.filter(({ after }) => after.key === pods.key).map(({ before }) => before);
    return [...connected, ...ordered];
  }

  private reachable(from: PodSet): Map<string, PodSet> {
    const found = new Map<string, PodSet>();
    const pending = [from];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const fresh = this.providersOf(next).filter((provider) => !found.has(provider.key));
      for (const provider of fresh) {
        found.set(provider.key, provider);
      }
      pending.push(...fresh);
    }
    return found;
  }
}
