import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from '../../constructs/rules/output';

/** A request that reached the server. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The JSON body, or the text of another; undefined when there was none. */
  readonly body: Json;
}

/** A failure that the server was told to make. */
interface OrderedFailure {
  readonly matches: (request: ReceivedRequest, number: number) => boolean;
  readonly status: number;
  /** Seconds after which the client is told to come back. */
  readonly retryAfter?: number;
}

/** A shard on its way to another peer. */
interface Transfer {
  readonly shard: number;
  readonly from: number;
  readonly to: number;
  /** How often it is still seen. */
  readonly looks: number;
  /** Whether it ends where it began. */
  readonly breaks: boolean;
}

/** A collection with its points, of which only the number is known. */
export interface StoredCollection {
  /** As `config` in what the server tells of a collection. */
  readonly config: Json;
  /** As `payload_schema`. */
  readonly indexes: { [field: string]: Json };
  points: number;
  /** Peers that hold each shard. */
  readonly shards: Map<number, number[]>;
  /** Snapshots of the node that was asked for them, by name. */
  readonly snapshots: Map<string, { readonly peer: number; readonly content: string }>;
  /** Points of the shards that came back from snapshots. */
  readonly restored: Map<string, number>;
  /** How often the shards are still told not to be active. */
  settling: number;
  /** Shards on their way. */
  readonly transfers: Transfer[];
}

/** What the nodes of a cluster have in common. */
export class QdrantState {
  public readonly collections = new Map<string, StoredCollection>();
  /** Collections by alias. */
  public readonly aliases = new Map<string, string>();
  /** Addresses of the peers. */
  public readonly peers = new Map<number, string>();
  /** Whether the nodes keep their snapshots in one object store, where each finds those of all. */
  public sharedSnapshots = false;
  /** How often a transfer is seen before it ends; 0 ends it at once. */
  public transferLooks = 0;
  /** Transfers that still break off. */
  public breakingTransfers = 0;
  /** What the names of snapshots have instead of the time. */
  public snapshotLabel?: string;
  /** Time of the next snapshot; each takes a second. */
  public clock = Date.UTC(2026, 0, 1);
}

/** How a server is started. */
export interface QdrantServerOptions {
  /** Key that every request must have. */
  readonly apiKey?: string;
  /** Port; any that is free when left out. */
  readonly port?: number;
  /** State of the cluster that it is a node of; one of its own when left out. */
  readonly state?: QdrantState;
  /** Its number in the cluster. */
  readonly peer?: number;
}

/** An answer other than success. */
class Refusal extends Error {
  public constructor(
    public readonly status: number,
    message: string,
    public readonly retryAfter?: number,
  ) {
    super(message);
  }
}

/** The parts of a path that a route captures, the request, and the answer's `result`. */
type Handler = (request: ReceivedRequest, ...captured: string[]) => Json;

/**
 * Speaks the part of Qdrant's REST API that the programs of this library use, as its reference describes it:
 * https://api.qdrant.tech/api-reference. Points and vectors are not kept.
 */
export class QdrantServer {
  /** Starts a server. */
  public static async start(options: QdrantServerOptions = {}): Promise<QdrantServer> {
    const server = new QdrantServer(options);
    server.http.listen(options.port ?? 0, '127.0.0.1');
    await once(server.http, 'listening');
    server.state.peers.set(server.peer, `${server.url}/`);
    return server;
  }

  /** Every request so far, the failed ones too. */
  public readonly requests: ReceivedRequest[] = [];
  /** What the server stores; a test may change it. */
  public readonly state: QdrantState;
  /** Number of the node. */
  public readonly peer: number;

  private readonly apiKey?: string;
  private readonly http: Server;
  private readonly failures: OrderedFailure[] = [];
  private readonly routes: readonly [method: string, path: RegExp, handler: Handler][];

  private constructor({ apiKey, state = new QdrantState(), peer = 1 }: QdrantServerOptions) {
    this.apiKey = apiKey;
    this.state = state;
    this.peer = peer;
    // A request that breaks off has no answer.
    this.http = createServer((request, response) => {
      this.answer(request, response).catch(() => response.destroy());
    });
    this.routes = [
      ...this.collectionRoutes(),
      ...this.aliasRoutes(),
      ...this.clusterRoutes(),
      ...this.snapshotRoutes(),
    ];
  }

  /** Base URL. */
  public get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Port that it listens on. */
  public get port(): number {
    return (this.http.address() as AddressInfo).port;
  }

  /** Stops it, whoever is connected. */
  public async stop(): Promise<void> {
    this.http.closeAllConnections();
    this.http.close();
    await once(this.http, 'close');
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
    const wanted = this.requests.length + number;
    this.failures.push({ matches: (_, current) => current === wanted, status });
  }

  /** Has the next request of this method and path fail. */
  public failNext(method: string, path: string, status = 500, retryAfter?: number): void {
    const matches = (request: ReceivedRequest) => request.method === method && request.path === path;
    this.failures.push({ matches, status, retryAfter });
  }

  /** Creates a collection, as `PUT /collections/{name}` does. */
  public addCollection(name: string, body: Json, points = 0): StoredCollection {
    const { vectors, shard_number = 1, replication_factor = 1, write_consistency_factor = 1, ...others } = body;
    const params = { vectors: { ...vectors }, shard_number, replication_factor, write_consistency_factor };
    const collection: StoredCollection = {
      config: { params, quantization_config: null, ...others },
      indexes: {},
      points,
      shards: new Map(Array.from({ length: shard_number }, (_, shard) => [shard, [this.peer]])),
      snapshots: new Map(),
      restored: new Map(),
      settling: 0,
      transfers: [],
    };
    this.state.collections.set(name, collection);
    return collection;
  }

  private collection(name: string): StoredCollection {
    const found = this.state.collections.get(this.state.aliases.get(name) ?? name);
    if (found === undefined) {
      throw new Refusal(404, `Not found: Collection \`${name}\` doesn't exist!`);
    }
    return found;
  }

  private collectionRoutes(): [string, RegExp, Handler][] {
    return [
      ['GET', /^\/collections$/, () => ({ collections: [...this.state.collections.keys()].map((name) => ({ name })) })],
      [
        'GET',
        /^\/collections\/([^/]+)$/,
        (_, name) => {
          const { config, points, indexes } = this.collection(name as string);
          return { status: 'green', points_count: points, config, payload_schema: indexes };
        },
      ],
      ['PUT', /^\/collections\/([^/]+)$/, ({ body }, name) => this.create(name as string, body)],
      ['PATCH', /^\/collections\/([^/]+)$/, ({ body }, name) => this.update(name as string, body)],
      ['DELETE', /^\/collections\/([^/]+)$/, (_, name) => this.state.collections.delete(name as string)],
      ['PUT', /^\/collections\/([^/]+)\/index$/, ({ body }, name) => this.addIndex(name as string, body)],
      [
        'DELETE',
        /^\/collections\/([^/]+)\/index\/([^/]+)$/,
        (_, name, field) => {
          delete this.collection(name as string).indexes[field as string];
          return { operation_id: 1, status: 'completed' };
        },
      ],
      [
        'POST',
        /^\/collections\/([^/]+)\/points\/count$/,
        (_, name) => ({ count: this.collection(name as string).points }),
      ],
    ];
  }

  private create(name: string, body: Json): boolean {
    if (this.state.collections.has(name)) {
      throw new Refusal(409, `Wrong input: Collection \`${name}\` already exists!`);
    }
    if (this.state.aliases.has(name)) {
      throw new Refusal(400, `Wrong input: Can't create collection with name ${name}. Alias with the same name exists`);
    }
    this.addCollection(name, body);
    return true;
  }

  private update(name: string, body: Json): boolean {
    const { config } = this.collection(name);
    Object.assign(config.params.vectors, body.vectors?.['']);
    Object.assign(config.params, body.params);
    if (body.quantization_config !== undefined) {
      config.quantization_config = body.quantization_config === 'Disabled' ? null : body.quantization_config;
    }
    if (body.metadata !== undefined) {
      config.metadata = { ...config.metadata, ...body.metadata };
    }
    if (body.strict_mode_config !== undefined) {
      config.strict_mode_config = { ...config.strict_mode_config, ...body.strict_mode_config };
    }
    return true;
  }

  private addIndex(name: string, { field_name, field_schema }: Json): Json {
    const params = typeof field_schema === 'string' ? undefined : field_schema;
    this.collection(name).indexes[field_name] = { data_type: params?.type ?? field_schema, params, points: 0 };
    return { operation_id: 1, status: 'completed' };
  }

  private aliasRoutes(): [string, RegExp, Handler][] {
    const list = (collection?: string) => ({
      aliases: [...this.state.aliases]
        .filter(([, target]) => collection === undefined || target === collection)
        .map(([alias_name, collection_name]) => ({ alias_name, collection_name })),
    });
    return [
      ['GET', /^\/aliases$/, () => list()],
      ['GET', /^\/collections\/([^/]+)\/aliases$/, (_, name) => list(name)],
      ['POST', /^\/collections\/aliases$/, ({ body }) => this.changeAliases(body.actions)],
    ];
  }

  /** All the actions, or none of them. */
  private changeAliases(actions: Json[]): boolean {
    const aliases = new Map(this.state.aliases);
    for (const { create_alias: created, delete_alias: deleted } of actions) {
      if (deleted !== undefined) {
        aliases.delete(deleted.alias_name);
      } else {
        this.collection(created.collection_name);
        if (this.state.collections.has(created.alias_name)) {
          throw new Refusal(409, `Wrong input: Collection \`${created.alias_name}\` already exists!`);
        }
        aliases.set(created.alias_name, created.collection_name);
      }
    }
    this.state.aliases.clear();
    for (const [alias, target] of aliases) {
      this.state.aliases.set(alias, target);
    }
    return true;
  }

  private clusterRoutes(): [string, RegExp, Handler][] {
    return [
      [
        'GET',
        /^\/cluster$/,
        () => ({
          status: 'enabled',
          peer_id: this.peer,
          peers: Object.fromEntries([...this.state.peers].map(([peer, uri]) => [String(peer), { uri }])),
        }),
      ],
      ['DELETE', /^\/cluster\/peer\/(\d+)$/, ({ query }, peer) => this.removePeer(Number(peer), query)],
      ['GET', /^\/collections\/([^/]+)\/cluster$/, (_, name) => this.shardsOf(this.collection(name as string))],
      [
        'POST',
        /^\/collections\/([^/]+)\/cluster$/,
        ({ body }, name) => this.changeShards(this.collection(name as string), body),
      ],
    ];
  }

  private removePeer(peer: number, query: URLSearchParams): boolean {
    const holds = [...this.state.collections.values()].some(({ shards }) =>
      [...shards.values()].some((peers) => peers.includes(peer)),
    );
    if (holds && query.get('force') !== 'true') {
      throw new Refusal(400, `Wrong input: Cannot remove peer ${peer} as there are shards on it`);
    }
    return this.state.peers.delete(peer);
  }

  private shardsOf(collection: StoredCollection): Json {
    const { shards, points, transfers } = collection;
    endTransfers(collection);
    const state = collection.settling > 0 ? 'Partial' : 'Active';
    collection.settling -= 1;
    const replicas = [
      ...[...shards].flatMap(([shard_id, peers]) => peers.map((peer_id) => ({ shard_id, peer_id, state }))),
      ...transfers.map(({ shard, to }) => ({ shard_id: shard, peer_id: to, state: 'Partial' })),
    ];
    return {
      peer_id: this.peer,
      shard_count: shards.size,
      local_shards: replicas
        .filter(({ peer_id }) => peer_id === this.peer)
        .map(({ peer_id: _, ...replica }) => ({ ...replica, points_count: points })),
      remote_shards: replicas.filter(({ peer_id }) => peer_id !== this.peer),
      shard_transfers: transfers.map(({ shard, from, to }) => ({ shard_id: shard, from, to, sync: false })),
    };
  }

  private changeShards(collection: StoredCollection, body: Json): boolean {
    const { move_shard: moved, replicate_shard: copied, drop_replica: dropped } = body;
    if (moved !== undefined) {
      return this.moveShard(collection, moved);
    }
    const { shard_id, to_peer_id, peer_id } = copied ?? dropped;
    const kept = (collection.shards.get(shard_id) ?? []).filter((peer) => peer !== peer_id);
    if (kept.length === 0) {
      throw new Refusal(400, `Bad request: Shard ${shard_id} must have at least one replica`);
    }
    collection.shards.set(shard_id, dropped === undefined ? [...kept, to_peer_id] : kept);
    return true;
  }

  private moveShard(
    collection: StoredCollection,
    { shard_id: shard, from_peer_id: from, to_peer_id: to }: Json,
  ): boolean {
    const peers = collection.shards.get(shard) ?? [];
    if (!peers.includes(from) || !this.state.peers.has(to)) {
      throw new Refusal(400, `Bad request: Shard ${shard} cannot go from peer ${from} to peer ${to}`);
    }
    if (peers.includes(to) || collection.transfers.some((transfer) => transfer.shard === shard)) {
      throw new Refusal(400, `Bad request: Shard ${shard} is on peer ${to} already, or on its way`);
    }
    const breaks = this.state.breakingTransfers > 0;
    this.state.breakingTransfers -= breaks ? 1 : 0;
    collection.transfers.push({ shard, from, to, looks: this.state.transferLooks, breaks });
    if (this.state.transferLooks === 0) {
      endTransfers(collection);
    }
    return true;
  }

  private snapshotRoutes(): [string, RegExp, Handler][] {
    return [
      ['POST', /^\/collections\/([^/]+)\/snapshots$/, (_, name) => this.takeSnapshot(name as string)],
      [
        'GET',
        /^\/collections\/([^/]+)\/snapshots$/,
        (_, name) => this.snapshotsOf(name as string).map(([snapshot, { content }]) => described(snapshot, content)),
      ],
      [
        'DELETE',
        /^\/collections\/([^/]+)\/snapshots\/([^/]+)$/,
        (_, name, snapshot) => {
          this.contentOf(name as string, snapshot as string);
          return this.collection(name as string).snapshots.delete(snapshot as string);
        },
      ],
      [
        'PUT',
        /^\/collections\/([^/]+)\/snapshots\/recover$/,
        ({ body }, name) => {
          const [, directory, file] = /^file:\/\/\/qdrant\/snapshots\/(.+)\/(.+)$/.exec(body?.location) ?? [];
          if (directory === undefined || decodeURIComponent(directory) !== name || file === undefined) {
            throw new Refusal(400, `Wrong input: Snapshot ${body?.location} is not in the snapshots directory`);
          }
          return this.recover(name, this.contentOf(name, decodeURIComponent(file)));
        },
      ],
      [
        'POST',
        /^\/collections\/([^/]+)\/snapshots\/upload$/,
        ({ body }, name) => {
          const [, content] = /\r\n\r\n(.*)\r\n--/s.exec(body) ?? [];
          if (content === undefined) {
            throw new Refusal(400, 'Multipart error: Field with name "snapshot" is required');
          }
          return this.recover(name as string, content);
        },
      ],
    ];
  }

  /** The content of a snapshot says which shards it holds, each with the number of its points. */
  private takeSnapshot(name: string): Json {
    const { points, shards, snapshots } = this.collection(name);
    const time = new Date(this.state.clock).toISOString().slice(0, 19).replace(/[T:]/g, '-');
    this.state.clock += 1000;
    const share = Math.floor(points / shards.size);
    const held = [...shards]
      .filter(([, peers]) => peers.includes(this.peer))
      .map(([shard]) => [shard, shard === 0 ? points - share * (shards.size - 1) : share]);
    const snapshot = `${name}-${this.peer}-${this.state.snapshotLabel ?? time}.snapshot`;
    const content = JSON.stringify(Object.fromEntries(held));
    snapshots.set(snapshot, { peer: this.peer, content });
    return described(snapshot, content);
  }

  /** Those of this node alone, unless all are in one store. */
  private snapshotsOf(name: string) {
    const all = [...this.collection(name).snapshots];
    return this.state.sharedSnapshots ? all : all.filter(([, { peer }]) => peer === this.peer);
  }

  private contentOf(name: string, snapshot: string): string {
    const [, found] = this.snapshotsOf(name).find(([candidate]) => candidate === snapshot) ?? [];
    if (found === undefined) {
      throw new Refusal(404, `Not found: Snapshot ${snapshot} not found`);
    }
    return found.content;
  }

  /** Takes over the shards of a snapshot; a collection that is not there comes to be. */
  private recover(name: string, content: string): boolean {
    const vectors = { size: 4, distance: 'Cosine' };
    const collection = this.state.collections.get(name) ?? this.addCollection(name, { vectors });
    for (const [shard, points] of Object.entries<number>(JSON.parse(content))) {
      collection.restored.set(shard, points);
    }
    collection.points = [...collection.restored.values()].reduce((sum, points) => sum + points, 0);
    return true;
  }

  private async answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const received = await receive(incoming);
    this.requests.push(received);
    try {
      this.checkFailures(received);
      if (received.path === '/readyz') {
        response.writeHead(200).end('all shards are ready');
        return;
      }
      if (this.apiKey !== undefined && incoming.headers['api-key'] !== this.apiKey) {
        response.writeHead(401).end('Must provide an API key or an Authorization bearer token');
        return;
      }
      this.route(received, response);
    } catch (error) {
      const { status, retryAfter } = error instanceof Refusal ? error : { status: 500, retryAfter: undefined };
      if (retryAfter !== undefined) {
        response.setHeader('retry-after', retryAfter);
      }
      send(response, status, { time: 0.001, status: { error: (error as Error).message }, result: null });
    }
  }

  private checkFailures(received: ReceivedRequest): void {
    const index = this.failures.findIndex(({ matches }) => matches(received, this.requests.length));
    const [failure] = index === -1 ? [] : this.failures.splice(index, 1);
    if (failure !== undefined) {
      throw new Refusal(failure.status, 'Service internal error: told to fail', failure.retryAfter);
    }
  }

  private route(received: ReceivedRequest, response: ServerResponse): void {
    const file = /^\/collections\/([^/]+)\/snapshots\/([^/]+)$/.exec(received.path);
    if (received.method === 'GET' && file !== null) {
      const [name, snapshot] = file.slice(1).map(decodeURIComponent);
      const content = this.contentOf(name as string, snapshot as string);
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(content);
      return;
    }
    for (const [method, path, handler] of this.routes) {
      const match = path.exec(received.path);
      if (match !== null && method === received.method) {
        send(response, 200, {
          time: 0.001,
          status: 'ok',
          result: handler(received, ...match.slice(1).map(decodeURIComponent)),
        });
        return;
      }
    }
    response.writeHead(404).end();
  }
}

/** Ends the transfers that were seen as often as they last. */
function endTransfers({ shards, transfers }: StoredCollection): void {
  for (const transfer of transfers.splice(0)) {
    const { shard, from, to, breaks } = transfer;
    if (transfer.looks > 0) {
      transfers.push({ ...transfer, looks: transfer.looks - 1 });
    } else if (!breaks) {
      shards.set(shard, [...(shards.get(shard) ?? []).filter((peer) => peer !== from), to]);
    }
  }
}

async function receive(incoming: IncomingMessage): Promise<ReceivedRequest> {
  const text = Buffer.concat(await incoming.toArray()).toString();
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://localhost');
  const json = incoming.headers['content-type']?.startsWith('application/json');
  const body = text === '' ? undefined : json ? JSON.parse(text) : text;
  return { method: incoming.method ?? 'GET', path: pathname, query: searchParams, body };
}

function send(response: ServerResponse, status: number, body: Json): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function described(name: string, content: string): Json {
  const points = Object.values<number>(JSON.parse(content)).reduce((sum, count) => sum + count, 0);
  return { name, creation_time: '2026-01-01T00:00:00', size: 1000 + 100 * points, checksum: null };
}
