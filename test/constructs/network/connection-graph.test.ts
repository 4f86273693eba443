import { App, Chart } from 'cdk8s';
import fc from 'fast-check';
import { ConnectionGraph } from '../../../constructs/network/connection-graph';
import { Peer, PodSet } from '../../../constructs/network/peer';

const PORTS = [{ name: 'http', number: 8000 }];

const newGraph = () => ConnectionGraph.of(new App());
const pods = (name: string, namespace = 'test') => new PodSet(namespace, name, { name });

/** A graph of ordered connections, `api>queue` for "api uses queue"; and the wave of each of its pods. */
function waves(...uses: string[]): { [name: string]: number } {
  const graph = newGraph();
  const sets = new Map<string, PodSet>();
  const named = (name: string) => {
    const set = sets.get(name) ?? pods(name);
    sets.set(name, set);
    return set;
  };
  for (const use of uses) {
    const [from = '', to = ''] = use.split('>');
    graph.connect({ from: named(from), to: named(to), ports: PORTS, ordered: true });
  }
  return Object.fromEntries([...sets].map(([name, set]) => [name, graph.waveOf(set)]));
}

describe('the graph', () => {
  test('is one for all charts of an app, and another for another app', () => {
    const app = new App();
    const graph = ConnectionGraph.of(app);
    expect(ConnectionGraph.of(new Chart(app, 'one'))).toBe(graph);
    expect(ConnectionGraph.of(new Chart(app, 'two'))).toBe(graph);
    expect(ConnectionGraph.of(new Chart(new App(), 'one'))).not.toBe(graph);
  });

  test('finds connections by either end, in the order in which they were allowed', () => {
    const graph = newGraph();
    const [api, queue, prometheus] = [pods('api'), pods('queue'), Peer.service({ namespace: 'monitoring' })];
    const uses = { from: api, to: queue, ports: PORTS };
    const scrape = { from: prometheus, to: queue, ports: PORTS };
    const internet = { from: api, to: Peer.internet(), ports: PORTS };
    for (const connection of [uses, scrape, internet]) {
      graph.connect(connection);
    }
    expect(graph.connections).toEqual([uses, scrape, internet]);
    expect(graph.from(api)).toEqual([uses, internet]);
    expect(graph.to(api)).toEqual([]);
    expect(graph.from(queue)).toEqual([]);
    expect(graph.to(queue)).toEqual([uses, scrape]);
  });

  test('takes pods of one namespace and name for the same', () => {
    const graph = newGraph();
    const [api, queue] = [pods('api'), pods('queue')];
    const [sameApi, sameQueue] = [pods('api'), pods('queue')];
    const uses = { from: api, to: queue, ports: PORTS, ordered: true };
    graph.connect(uses);
    expect(graph.from(api)).toEqual([uses]);
    expect(graph.from(sameApi)).toEqual([uses]);
    expect(graph.to(sameQueue)).toEqual([uses]);
    expect(graph.from(pods('api', 'other'))).toEqual([]);
    expect(graph.waveOf(sameApi)).toBe(10);
    graph.connect({ from: sameQueue, to: pods('disk'), ports: PORTS, ordered: true });
    expect(graph.waveOf(api)).toBe(20);
    graph.order(sameApi, queue);
    expect([api, sameApi, queue, sameQueue].map((one) => graph.waveOf(one))).toEqual([10, 10, 10, 10]);
  });

  test('cannot be changed through what it hands out', () => {
    const graph = newGraph();
    graph.connections.push({ from: pods('api'), to: pods('queue'), ports: PORTS });
    expect(graph.connections).toEqual([]);
  });
});

describe('the wave', () => {
  test('of pods that use nothing is the first', () => {
    expect(newGraph().waveOf(pods('api'))).toBe(0);
  });

  test('of a chain rises step by step, in whatever order it was wired', () => {
    const chain = { api: 20, queue: 10, disk: 0 };
    expect(waves('api>queue', 'queue>disk')).toEqual(chain);
    expect(waves('queue>disk', 'api>queue')).toEqual(chain);
  });

  test('comes after the last of several providers', () => {
    expect(waves('api>cache', 'api>queue', 'queue>disk')).toEqual({ api: 20, cache: 0, queue: 10, disk: 0 });
  });

  test('of a diamond is counted along its longest side', () => {
    expect(waves('api>left', 'api>right', 'left>store', 'right>middle', 'middle>store')).toEqual({
      api: 30,
      left: 10,
      right: 20,
      middle: 10,
      store: 0,
    });
  });

  test('is shared by pods that use one another', () => {
    expect(waves('a>b', 'b>a')).toEqual({ a: 0, b: 0 });
    expect(waves('a>b', 'b>c', 'c>a')).toEqual({ a: 0, b: 0, c: 0 });
  });

  test('of a circle comes after all that any of its members uses, and before all that uses one', () => {
    expect(waves('a>b', 'b>a', 'b>store', 'store>disk', 'client>a')).toEqual({
      a: 20,
      b: 20,
      store: 10,
      disk: 0,
      client: 30,
    });
  });

  test('of two circles in a row keeps them apart', () => {
    expect(waves('a>b', 'b>a', 'b>c', 'c>d', 'd>c')).toEqual({ a: 10, b: 10, c: 0, d: 0 });
  });

  test('is not moved by pods that use themselves', () => {
    expect(waves('store>store')).toEqual({ store: 0 });
    expect(waves('store>store', 'api>store', 'store>disk')).toEqual({ store: 10, api: 20, disk: 0 });
  });

  test('is not moved by a connection twice', () => {
    expect(waves('api>store', 'api>store')).toEqual({ api: 10, store: 0 });
  });

  test('is moved only by what must be ready first', () => {
    const graph = newGraph();
    const [api, store, queue] = [pods('api'), pods('store'), pods('queue')];
    graph.connect({ from: api, to: store, ports: PORTS });
    graph.connect({ from: api, to: queue, ports: PORTS, ordered: false });
    expect(graph.waveOf(api)).toBe(0);
  });

  test('is not moved by what is not ours', () => {
    const graph = newGraph();
    const api = pods('api');
    const outside = [
      Peer.internet(),
      Peer.host('api.openai.com'),
      Peer.service({ namespace: 'dns' }),
      Peer.cidrs('10.0.0.0/8'),
    ];
    for (const to of outside) {
      graph.connect({ from: api, to, ports: PORTS, ordered: true });
    }
    for (const from of outside) {
      graph.connect({ from, to: api, ports: PORTS, ordered: true });
    }
    expect(graph.waveOf(api)).toBe(0);
  });

  test('follows what is wired after it was asked for', () => {
    const graph = newGraph();
    const [api, store, disk] = [pods('api'), pods('store'), pods('disk')];
    graph.connect({ from: api, to: store, ports: PORTS, ordered: true });
    expect(graph.waveOf(api)).toBe(10);
    graph.connect({ from: store, to: disk, ports: PORTS, ordered: true });
    expect(graph.waveOf(api)).toBe(20);
  });

  test('is counted across the charts and namespaces of an app', () => {
    const app = new App();
    const [foundation, tenant] = [new Chart(app, 'foundation'), new Chart(app, 'tenant')];
    const [store, api] = [pods('store', 'foundation'), pods('api', 'tenant')];
    ConnectionGraph.of(tenant).connect({ from: api, to: store, ports: PORTS, ordered: true });
    expect(ConnectionGraph.of(foundation).waveOf(store)).toBe(0);
    expect(ConnectionGraph.of(foundation).waveOf(api)).toBe(10);
  });

  test('comes after pods that must have done their work, without any connection', () => {
    const graph = newGraph();
    const [api, job, store] = [pods('api'), pods('job'), pods('store')];
    graph.order(job, api);
    expect(graph.waveOf(api)).toBe(10);
    expect(graph.waveOf(job)).toBe(0);
    graph.connect({ from: job, to: store, ports: PORTS, ordered: true });
    expect([store, job, api].map((one) => graph.waveOf(one))).toEqual([0, 10, 20]);
    expect(graph.from(api)).toEqual([]);
    expect(graph.to(job)).toEqual([]);
    expect(graph.connections).toHaveLength(1);
  });

  test('follows an order that is given after it was asked for', () => {
    const graph = newGraph();
    const [api, job] = [pods('api'), pods('job')];
    expect(graph.waveOf(api)).toBe(0);
    graph.order(job, api);
    expect(graph.waveOf(api)).toBe(10);
  });

  test('is shared by pods of which each must come before the other', () => {
    const graph = newGraph();
    const [api, job] = [pods('api'), pods('job')];
    graph.order(job, api);
    graph.connect({ from: job, to: api, ports: PORTS, ordered: true });
    expect([graph.waveOf(api), graph.waveOf(job)]).toEqual([0, 0]);
  });

  test('of every client is after that of its provider, unless they use one another', () => {
    const NAMES = [...'abcdef'];
    const edge = fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...NAMES));
    fc.assert(
      fc.property(fc.array(edge, { minLength: 1, maxLength: 12 }), (edges) => {
        const found = waves(...edges.map(([from, to]) => `${from}>${to}`));
        for (const [from, to] of edges) {
          const both = [found[from] as number, found[to] as number] as const;
          if (leads(edges, to, from)) {
            expect(both[0]).toBe(both[1]);
          } else {
            expect(both[0]).toBeGreaterThanOrEqual(both[1] + 10);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** Whether a way along the edges leads from one name to another. */
function leads(edges: [string, string][], from: string, to: string): boolean {
  const seen = new Set([from]);
  for (const name of seen) {
    for (const [, next] of edges.filter(([start]) => start === name)) {
      seen.add(next);
    }
  }
  return seen.has(to);
}
