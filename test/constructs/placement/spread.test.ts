import { Placement } from '../../../constructs/placement/placement';
import { Spread } from '../../../constructs/placement/spread';
import { testChart } from '../../support/manifests';
import { LABELS } from '../../support/output';

const SELECTOR = { matchLabels: LABELS, matchExpressions: [{ key: 'role', operator: 'DoesNotExist' }] };

const constraint = (topologyKey: string, whenUnsatisfiable: string, minDomains?: number) => ({
  topologyKey,
  maxSkew: 1,
  ...(minDomains === undefined ? {} : { minDomains }),
  whenUnsatisfiable,
  labelSelector: SELECTOR,
  nodeTaintsPolicy: 'Honor',
});

const on = (zones?: number) => Placement.resolve(testChart({ zones }), {});

const ZONE = 'topology.kubernetes.io/zone';
const HOST = 'kubernetes.io/hostname';

describe.each<[string, Spread, number | undefined, string, string]>([
  ['PREFERRED where zones are unknown', Spread.PREFERRED, undefined, 'ScheduleAnyway', 'ScheduleAnyway'],
  ['PREFERRED over zones', Spread.PREFERRED, 3, 'ScheduleAnyway', 'ScheduleAnyway'],
  ['REQUIRED where zones are unknown', Spread.REQUIRED, undefined, 'ScheduleAnyway', 'DoNotSchedule'],
  ['REQUIRED in one zone', Spread.REQUIRED, 1, 'ScheduleAnyway', 'DoNotSchedule'],
  ['REQUIRED over zones', Spread.REQUIRED, 2, 'DoNotSchedule', 'DoNotSchedule'],
])('%s', (_, spread, zones, overZones, overNodes) => {
  const placement = on(zones);
  const constraints = [constraint(ZONE, overZones), constraint(HOST, overNodes)];

  test('keeps pods apart over zones and nodes, however many there are', () => {
    expect(spread._constraints(SELECTOR, placement, undefined, false)).toEqual(constraints);
  });

  test('can do so for each revision by itself', () => {
    const matchLabelKeys = ['pod-template-hash'];
    expect(spread._constraints(SELECTOR, placement, undefined, true)).toEqual(
      constraints.map((one) => ({ ...one, matchLabelKeys })),
    );
  });
});

describe('a number of pods that is known', () => {
  const minDomains = (spread: Spread, zones: number | undefined, replicas: number) =>
    Object.fromEntries(
      spread
        ._constraints(SELECTOR, on(zones), replicas, false)
        .map(({ topologyKey, minDomains: least }) => [topologyKey, least]),
    );

  test.each([
    [3, 2, 2, 3],
    [3, 3, 3, 3],
    [3, 4, 3, 3],
    [5, 3, 3, 5],
    [2, 3, 2, 2],
  ])('%s of REQUIRED over %s zones waits for %s zones and %s nodes', (replicas, zones, leastZones, leastNodes) => {
    expect(minDomains(Spread.REQUIRED, zones, replicas)).toEqual({ [ZONE]: leastZones, [HOST]: leastNodes });
  });

  test.each([undefined, 1])('waits for no zones where REQUIRED is in %s of them', (zones) => {
    const [zone, host] = Spread.REQUIRED._constraints(SELECTOR, on(zones), 3, false);
    expect(zone).toEqual(constraint(ZONE, 'ScheduleAnyway'));
    expect(host).toEqual(constraint(HOST, 'DoNotSchedule', 3));
  });

  test.each([undefined, 1, 3])('waits for nothing where PREFERRED is in %s zones', (zones) => {
    expect(Spread.PREFERRED._constraints(SELECTOR, on(zones), 3, false)).toEqual([
      constraint(ZONE, 'ScheduleAnyway'),
      constraint(HOST, 'ScheduleAnyway'),
    ]);
  });

  test('is asked for only where the API server takes it: of what must hold', () => {
    for (const spread of [Spread.PREFERRED, Spread.REQUIRED]) {
      for (const zones of [undefined, 1, 2, 5]) {
        for (const { minDomains: least, whenUnsatisfiable } of spread._constraints(SELECTOR, on(zones), 3, false)) {
          expect([whenUnsatisfiable, least !== undefined]).toEqual([
            whenUnsatisfiable,
            whenUnsatisfiable === 'DoNotSchedule',
          ]);
        }
      }
    }
  });
});
