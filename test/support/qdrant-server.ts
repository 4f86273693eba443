import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import type { Json } from '../../constructs/rules/output';
import { FailureOrders } from './failure-orders';
import { clusterRoutes, isRemoved } from './qdrant-cluster-routes';
import { collectionRoutes } from './qdrant-collection-routes';
import { BrokenConnection, Refusal } from './qdrant-refusal';
import type { QdrantNode, Route } from './qdrant-routes';
import { snapshotRoutes } from './qdrant-snapshot-routes';
import { QdrantState } from './qdrant-state';
import { type ReceivedRequest, receive } from './received-request';
import { failedReads, type StoredCollection } from './stored-collection';
import { NodeSnapshots } from './stored-snapshots';

/** How a server is started. */
export interface QdrantServerOptions {
  /** Key that every request must have. */
  readonly apiKey?: string;
  /** Address that it listens on, of loopback; nodes of a cluster are told apart by it. */
  readonly host?: string;
  /** Port; any that is free when left out. */
  readonly port?: number;
  /** State of the cluster that it is a node of; in no cluster, or in one of its own, when left out. */
  readonly state?: QdrantState;
  /** Whether it is in a cluster, be it the only node; by default when it has the state of one. */
  readonly clustered?: boolean;
  /** Its number in the cluster. */
  readonly peer?: number;
}

/**
 * Stands in for Qdrant: speaks the part of its REST API that the programs of this library use
 * (https://api.qdrant.tech/api-reference), and does with copies, transfers and snapshots what release 1.19 was seen to
 * do. Vectors and payloads are not kept, and time goes on with every look at the shards of a collection.
 */
export class QdrantServer implements QdrantNode {
  /** Starts a server. */
  public static async start(options: QdrantServerOptions = {}): Promise<QdrantServer> {
    const server = new QdrantServer(options);
    await server.listen(options.port ?? 0);
    server.state.join(server.peer, `${server.uri}/`);
    server.state.running.add(server.peer);
    return server;
  }

  /** Every request so far, the failed ones too. */
  public readonly requests: ReceivedRequest[] = [];
  /** What the server stores; a test may change it. */
  public readonly state: QdrantState;
  public readonly clustered: boolean;
  /** Whether it tells of members and shards what it could have told the last time that it was asked. */
  public lagging = false;
  /** Port that it listens on, or did. */
  public port = 0;
  /** Address that it listens on. */
  public readonly host: string;

  /** Port for the other nodes. */
  private p2pPort = 0;
  private p2p?: TcpServer;
  private number: number;
  /** Whether it has ever been in the cluster under its number. */
  private joined = true;
  private http?: Server;
  private readonly apiKey?: string;
  private readonly failures = new FailureOrders();
  private readonly routes: readonly Route[];
  private readonly seen = new Map<string, Json>();

  private constructor(options: QdrantServerOptions) {
    const { apiKey, host = '127.0.0.1', state, clustered = state !== undefined, peer = 1 } = options;
    this.apiKey = apiKey;
    this.host = host;
    this.state = state ?? new QdrantState();
    this.clustered = clustered;
    this.number = peer;
    this.routes = [...collectionRoutes(this), ...clusterRoutes(this), ...snapshotRoutes(this)];
  }

  /** Base URL. */
  public get url(): string {
    return `http://${this.host}:${this.port}`;
  }

  /** Its address for the other nodes, where nobody is answered over HTTP. */
  public get uri(): string {
    return `http://${this.host}:${this.p2pPort}`;
  }

  /** Number of the node in the cluster. */
  public get peer(): number {
    return this.number;
  }

  /** Stops it, and closes all connections. */
  public async stop(): Promise<void> {
    this.state.running.delete(this.peer);
    if (this.http?.listening) {
      this.http.closeAllConnections();
      this.http.close();
      await once(this.http, 'close');
    }
    if (this.p2p?.listening) {
      await once(this.p2p.close(), 'close');
    }
  }

  /**
   * Starts it again at the same address. Without its storage it is another peer, which joins as soon as it may; without
   * its snapshots those on its volume are gone as well.
   */
  public async startAgain({ lost }: { readonly lost?: 'storage' | 'storage and snapshots' } = {}): Promise<void> {
    if (lost !== undefined) {
      const peer = this.state.newPeer();
      new NodeSnapshots(this.state, this.peer).giveVolumeTo(lost === 'storage' ? peer : undefined);
      this.number = peer;
      this.joined = false;
    }
    if (!this.joined) {
      this.state.join(this.peer, `${this.uri}/`);
      this.joined = true;
    }
    await this.listen(this.port);
    this.state.running.add(this.peer);
  }

  /** Requests that would change something: method and path. */
  public get changes(): string[] {
    const reading = (path: string) => path.endsWith('/points/count');
    return this.requests
      .filter(({ method, path }) => method !== 'GET' && !reading(path))
      .map(({ method, path }) => `${method} ${path}`);
  }

  /** Has one request fail: the n-th from now, counted from 1. */
  public failRequest(number: number, status = 500): void {
    this.failures.at(this.requests.length + number, status);
  }

  /** Has the next request of this method and path fail. */
  public failNext(method: string, path: string, status = 500, retryAfter?: number): void {
    this.failures.next(method, path, status, retryAfter);
  }

  /** Creates a collection, as `PUT /collections/{name}` does. */
  public addCollection(name: string, body: Json, points = 0): StoredCollection {
    return this.state.create(name, body, points);
  }

  private async listen(port: number): Promise<void> {
    // A request that breaks off has no answer.
    this.http = createServer((request, response) => {
      this.answer(request, response).catch(() => response.destroy());
    });
    this.http.listen(port, this.host);
    await once(this.http, 'listening');
    this.port = (this.http.address() as AddressInfo).port;
    this.p2p = createTcpServer((socket) => socket.destroy()).listen(this.p2pPort, this.host);
    await once(this.p2p, 'listening');
    this.p2pPort = (this.p2p.address() as AddressInfo).port;
  }

  private async answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const received = await receive(incoming);
    this.requests.push(received);
    try {
      this.failures.check(received, this.requests.length);
      if (received.path === '/readyz') {
        response.writeHead(200).end('all shards are ready');
        return;
      }
      if (this.apiKey !== undefined && incoming.headers['api-key'] !== this.apiKey) {
        response.writeHead(401).end('Must provide an API key or an Authorization bearer token');
        return;
      }
      this.checkMembership(received);
      this.route(received, response);
    } catch (error) {
      if (error instanceof BrokenConnection) {
        response.destroy();
        return;
      }
      const { status, retryAfter } = error instanceof Refusal ? error : { status: 500, retryAfter: undefined };
      if (retryAfter !== undefined) {
        response.setHeader('retry-after', retryAfter);
      }
      send(response, status, { time: 0.001, status: { error: (error as Error).message }, result: null });
    }
  }

  /**
   * A node that was taken out is ready and tells what it knows, takes snapshots of nothing even; but it reaches no point
   * and changes nothing.
   */
  private checkMembership({ method, path }: ReceivedRequest): void {
    if (!isRemoved(this)) {
      return;
    }
    const unknown = `no address found for peer ${[...this.state.peers.keys()][0]}`;
    if (/\/points\/count$/.test(path) || (method === 'GET' && /^\/collections\/[^/]+$/.test(path))) {
      throw failedReads(1, unknown);
    }
    if (/\/points(\/delete)?$/.test(path)) {
      throw Refusal.serviceError(unknown);
    }
    if (method !== 'GET' && !/\/snapshots(\/|$)/.test(path)) {
      throw Refusal.serviceError('Channel closed: sending on a closed channel');
    }
  }

  private route(received: ReceivedRequest, response: ServerResponse): void {
    const file = /^\/collections\/([^/]+)\/snapshots\/([^/]+)$/.exec(received.path);
    if (received.method === 'GET' && file !== null) {
      const [name = '', snapshot = ''] = file.slice(1).map(decodeURIComponent);
      const content = JSON.stringify(new NodeSnapshots(this.state, this.peer).find(name, snapshot));
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(content);
      return;
    }
    for (const [method, path, handler] of this.routes) {
      const match = path.exec(received.path);
      if (match !== null && method === received.method) {
        const result = handler(received, ...match.slice(1).map(decodeURIComponent));
        send(response, 200, { time: 0.001, status: 'ok', result: this.asSeen(received, result) });
        return;
      }
    }
    response.writeHead(404).end();
  }

  /** The view of a node that lags is that of its last look. */
  private asSeen({ method, path }: ReceivedRequest, current: Json): Json {
    if (method !== 'GET' || !path.endsWith('/cluster')) {
      return current;
    }
    const before = this.seen.get(path) ?? current;
    this.seen.set(path, current);
    return this.lagging ? before : current;
  }
}

function send(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
