import { Duration } from 'cdk8s';
import fc from 'fast-check';
import { Probe, type ProbeTiming } from '../../../constructs/workload/probe';
import { containerWith } from '../../support/workloads';

const PORT = { name: 'http', number: 8080 };
const DEFAULTS = { periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 3 };

function rendered(probe: Probe) {
  return containerWith({ ports: [PORT], readiness: probe }).readinessProbe;
}

describe('a probe', () => {
  test.each([
    ['GET', Probe.http('/ready', PORT), { httpGet: { path: '/ready', port: 8080, scheme: 'HTTP' } }],
    [
      'GET over TLS',
      Probe.http('/ready', PORT, { tls: true }),
      { httpGet: { path: '/ready', port: 8080, scheme: 'HTTPS' } },
    ],
    ['a TCP connection', Probe.tcp(PORT), { tcpSocket: { port: 8080 } }],
    ['a command', Probe.exec(['pg_isready', '-q']), { exec: { command: ['pg_isready', '-q'] } }],
    ['gRPC', Probe.grpc(PORT), { grpc: { port: 8080 } }],
  ])('by %s asks that and nothing else', (_, probe, handler) => {
    expect(rendered(probe)).toEqual({ ...handler, ...DEFAULTS });
  });

  test.each([
    ['http', (timing: object) => Probe.http('/', PORT, timing)],
    ['tcp', (timing: object) => Probe.tcp(PORT, timing)],
    ['exec', (timing: object) => Probe.exec(['true'], timing)],
    ['grpc', (timing: object) => Probe.grpc(PORT, timing)],
  ])('by %s is as patient as it is told', (_, probe) => {
    const timing = { period: Duration.minutes(1), timeout: Duration.seconds(5), failures: 6 };
    expect(rendered(probe(timing))).toMatchObject({ periodSeconds: 60, timeoutSeconds: 5, failureThreshold: 6 });
    expect(probe(timing).patience.toSeconds()).toBe(360);
    expect(probe({}).patience.toSeconds()).toBe(30);
  });
});

describe('a startup budget', () => {
  test('keeps the question and the timeout, and changes the failures only', () => {
    const probe = Probe.http('/live', PORT, { timeout: Duration.seconds(7), period: Duration.seconds(5), failures: 2 });
    expect(rendered(probe.within(Duration.minutes(10)))).toEqual({
      httpGet: { path: '/live', port: 8080, scheme: 'HTTP' },
      periodSeconds: 5,
      timeoutSeconds: 7,
      failureThreshold: 120,
    });
    expect(rendered(probe)).toMatchObject({ periodSeconds: 5, failureThreshold: 2 });
  });

  test('is granted in full, and exceeded by less than one period', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3600 }), fc.integer({ min: 1, max: 60 }), (budget, period) => {
        const probe = Probe.tcp(PORT, { period: Duration.seconds(period) }).within(Duration.seconds(budget));
        const patience = probe.patience.toSeconds();
        expect(patience).toBeGreaterThanOrEqual(budget);
        expect(patience).toBeLessThan(budget + period);
      }),
    );
  });

  test('of no time is a mistake', () => {
    expect(() => Probe.tcp(PORT).within(Duration.seconds(0))).toThrow(
      'startupBudget is 0 seconds, but must be at least one probe period',
    );
  });
});

describe('mistakes', () => {
  const probes: [string, (timing: ProbeTiming) => Probe][] = [
    ['http', (timing) => Probe.http('/', PORT, timing)],
    ['tcp', (timing) => Probe.tcp(PORT, timing)],
    ['exec', (timing) => Probe.exec(['true'], timing)],
    ['grpc', (timing) => Probe.grpc(PORT, timing)],
  ];

  test.each(probes)('in the timing of a probe by %s', (_, probe) => {
    for (const property of ['period', 'timeout']) {
      expect(() => probe({ [property]: Duration.seconds(0) })).toThrow(
        new Error(`probe.${property} is 0, but must be a whole number from 1`),
      );
    }
    for (const failures of [0, -1, 1.5, Number.NaN]) {
      expect(() => probe({ failures })).toThrow(
        new Error(`probe.failures is ${failures}, but must be a whole number from 1`),
      );
    }
  });

  test('but a second and a failure are enough', () => {
    const timing = { period: Duration.seconds(1), timeout: Duration.seconds(1), failures: 1 };
    expect(rendered(Probe.tcp(PORT, timing))).toMatchObject({
      periodSeconds: 1,
      timeoutSeconds: 1,
      failureThreshold: 1,
    });
  });
});
