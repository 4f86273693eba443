import { Spread } from '../../../constructs/placement/spread';
import { LABELS } from '../../support/output';

describe.each([
  ['PREFERRED', Spread.PREFERRED, 'ScheduleAnyway'],
  ['REQUIRED', Spread.REQUIRED, 'DoNotSchedule'],
])('%s', (_, spread, whenUnsatisfiable) => {
  const constraint = (topologyKey: string) => ({
    topologyKey,
    maxSkew: 1,
    whenUnsatisfiable,
    labelSelector: { matchLabels: LABELS },
    nodeTaintsPolicy: 'Honor',
  });
  const constraints = [constraint('topology.kubernetes.io/zone'), constraint('kubernetes.io/hostname')];

  test('keeps pods apart over zones and nodes', () => {
    expect(spread.constraints(LABELS, false)).toEqual(constraints);
  });

  test('can do so for each revision by itself', () => {
    const matchLabelKeys = ['pod-template-hash'];
    expect(spread.constraints(LABELS, true)).toEqual(constraints.map((one) => ({ ...one, matchLabelKeys })));
  });
});
