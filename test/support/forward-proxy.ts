import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** Whether this Node.js can go through a proxy (its docs, "Command-line API"); a test that needs it says when it cannot. */
export function knowsProxies(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const knows = major >= 24 || (major === 22 && minor >= 21);
  if (!knows) {
    console.warn(`skipped: what needs NODE_USE_ENV_PROXY, which Node.js ${process.versions.node} does not have`);
  }
  return knows;
}

/** An HTTP proxy that leads every name to one server on this machine, and remembers what it was asked for. */
export class ForwardProxy {
  /** Starts a proxy before the server at this port. */
  public static async start(port: number): Promise<ForwardProxy> {
    const proxy = new ForwardProxy(port);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  /** Host and port of each request. */
  public readonly asked: string[] = [];

  private readonly tunnels = new Set<Socket>();
  private readonly server = createServer((incoming, outgoing) => {
    const { host, pathname, search } = new URL(incoming.url ?? '');
    this.asked.push(host);
    const { method, headers } = incoming;
    const forwarded = request({ port: this.port, method, headers, path: `${pathname}${search}` }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(outgoing);
    });
    incoming.pipe(forwarded);
  });

  private constructor(private readonly port: number) {
    this.server.on('connect', (incoming, client) => {
      this.asked.push(incoming.url ?? '');
      const upstream = connect(port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
        upstream.pipe(client).pipe(upstream);
      });
      for (const socket of [upstream, client as Socket]) {
        this.tunnels.add(socket);
        socket.on('error', () => undefined);
      }
    });
  }

  public get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  public async stop(): Promise<void> {
    for (const socket of this.tunnels) {
      socket.destroy();
    }
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
