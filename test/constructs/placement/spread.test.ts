import { Cluster } from '../../../constructs/placement/cluster';
import { Spread } from '../../../constructs/placement/spread';
import { LABELS } from '../../support/output';

const constraint = (topologyKey: string, whenUnsatisfiable: string) => ({
  topologyKey,
  maxSkew: 1,
  whenUnsatisfiable,
  labelSelector: { matchLabels: LABELS },
  nodeTaintsPolicy: 'Honor',
});

describe.each<[string, Spread, number | undefined, string, string]>([
  ['PREFERRED where zones are unknown', Spread.PREFERRED, undefined, 'ScheduleAnyway', 'ScheduleAnyway'],
  ['PREFERRED over zones', Spread.PREFERRED, 3, 'ScheduleAnyway', 'ScheduleAnyway'],
  ['REQUIRED where zones are unknown', Spread.REQUIRED, undefined, 'ScheduleAnyway', 'DoNotSchedule'],
  ['REQUIRED in one zone', Spread.REQUIRED, 1, 'ScheduleAnyway', 'DoNotSchedule'],
  ['REQUIRED over zones', Spread.REQUIRED, 2, 'DoNotSchedule', 'DoNotSchedule'],
])('%s', (_, spread, zones, overZones, overNodes) => {
  const cluster = new Cluster({ zones });
  const constraints = [
    constraint('topology.kubernetes.io/zone', overZones),
    constraint('kubernetes.io/hostname', overNodes),
  ];

  test('keeps pods apart over zones and nodes', () => {
    expect(spread.constraints(LABELS, cluster, false)).toEqual(constraints);
  });

  test('can do so for each revision by itself', () => {
    const matchLabelKeys = ['pod-template-hash'];
    expect(spread.constraints(LABELS, cluster, true)).toEqual(constraints.map((one) => ({ ...one, matchLabelKeys })));
  });
});
