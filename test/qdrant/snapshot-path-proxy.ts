import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';

/** Where the container image has its snapshots, and where the programs look for them. */
const IN_IMAGE = 'file:///qdrant/snapshots';

/** What a proxy stands before. */
export interface SnapshotPathProxyOptions {
  /** Address that it listens on. */
  readonly host: string;
  /** Base URL of the server. */
  readonly target: string;
  /** Folder of the server's snapshots. */
  readonly folder: string;
}

/** Passes requests on to a Qdrant that has its snapshots in another folder than the container image. */
export class SnapshotPathProxy {
  /** Starts it before a server, which need not run yet. */
  public static async start({ host, target, folder }: SnapshotPathProxyOptions): Promise<SnapshotPathProxy> {
    const proxy = new SnapshotPathProxy(host, target, pathToFileURL(folder).href);
    proxy.http.listen(0, host);
    await once(proxy.http, 'listening');
    return proxy;
  }

  private readonly http: Server;

  private constructor(
    private readonly host: string,
    private readonly target: string,
    private readonly folder: string,
  ) {
    // A server that is away is one that closes the connection.
    this.http = createServer((incoming, response) => {
      this.pass(incoming, response).catch(() => response.destroy());
    });
  }

  /** Base URL. */
  public get url(): string {
    return `http://${this.host}:${(this.http.address() as AddressInfo).port}`;
  }

  /** Stops it, and closes all connections. */
  public async stop(): Promise<void> {
    this.http.closeAllConnections();
    await once(this.http.close(), 'close');
  }

  private async pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '/', headers } = incoming;
    const sent = request(this.target + url, { method, headers: { ...headers, connection: 'close' } });
    const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
    if (url.includes('/snapshots/recover')) {
      const body = Buffer.concat(await incoming.toArray())
        .toString()
        .replace(IN_IMAGE, this.folder);
      sent.setHeader('content-length', Buffer.byteLength(body));
      sent.end(body);
    } else {
      incoming.pipe(sent);
    }
    const [answer] = await answered;
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  }
}
