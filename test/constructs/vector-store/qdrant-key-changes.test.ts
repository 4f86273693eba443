import { Size } from 'cdk8s';
import type { Json, ManifestObject } from '../../../constructs/rules/output';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { Qdrant, type QdrantProps } from '../../../constructs/vector-store/qdrant';
import { keysOverlap } from '../../../constructs/vector-store/qdrant-key-changes';
import { Deployment } from '../../../constructs/workload/deployment';
import { EnvValue } from '../../../constructs/workload/env-value';
import { Volume } from '../../../constructs/workload/volume';
import { find, mainContainer, render, testChart } from '../../support/manifests';
import { RESOURCES } from '../../support/values';
import { CONTAINER } from '../../support/workloads';

const key = (name: string) => SecretKey.of('keys', name);
const [FIRST, SECOND] = [key('first'), key('second')];

/** A database, and what else reads a key of it. */
function rendered(props: Partial<QdrantProps>, reader?: (deployment: Deployment) => void): ManifestObject[] {
  const chart = testChart();
  new Qdrant(chart, 'store', { apiKey: FIRST, resources: RESOURCES, storage: Size.gibibytes(10), ...props });
  const other = new Deployment(chart, 'other', { component: 'other', container: CONTAINER });
  reader?.(other);
  return render(chart);
}

const RULE = keysOverlap({ namespace: 'test', name: 'store' });

test.each<[string, (deployment: Deployment) => void]>([
  [
    'variable',
    (deployment) => deployment.uses({ offerTo: () => ({ endpoints: [], env: { A: EnvValue.fromSecret(SECOND) } }) }),
  ],
  ['file', (deployment) => deployment.addVolume({ volume: Volume.secret('own', [SECOND]), path: '/run/own' })],
])('a key is kept while anything has it as a %s', (_, reader) => {
  expect(RULE.check(rendered({ alternativeApiKey: SECOND }, reader), rendered({}, reader))).toEqual([
    expect.stringMatching(
      /^StatefulSet test\/store: would refuse key second of Secret keys while Deployment test\/other still has it; keep it and give those another key or a token, sync, and then remove it;/,
    ),
  ]);
  expect(RULE.check(rendered({ alternativeApiKey: SECOND }), rendered({}, reader))).toEqual([]);
});

test('a key may take another place', () => {
  const reader = (deployment: Deployment) =>
    deployment.uses({ offerTo: () => ({ endpoints: [], env: { A: EnvValue.fromSecret(SECOND) } }) });
  expect(RULE.check(rendered({ readOnlyApiKey: SECOND }, reader), rendered({ alternativeApiKey: SECOND }))).toEqual([]);
});

test('nothing is said of a database that is new, or gone, or was changed by hand', () => {
  const objects = rendered({});
  expect(RULE.check([], objects)).toEqual([]);
  expect(RULE.check(objects, [])).toEqual([]);
  const byHand = (change: (container: Json) => void) => {
    const copy: ManifestObject[] = JSON.parse(JSON.stringify(objects));
    change(mainContainer(find(copy, 'StatefulSet', 'store')));
    return copy;
  };
  expect(
    RULE.check(
      byHand((container) => delete container.env),
      objects,
    ),
  ).toEqual([]);
  expect(
    RULE.check(
      byHand(({ env }) => env.splice(0, env.length)),
      objects,
    ),
  ).toEqual([]);
});
