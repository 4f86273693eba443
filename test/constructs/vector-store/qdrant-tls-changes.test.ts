import { Size } from 'cdk8s';
import { ChangeRules } from '../../../constructs/rules/change-rules';
import { SecretKey } from '../../../constructs/secrets/secret-key';
import { ServerCertificate } from '../../../constructs/secrets/server-certificate';
import { Qdrant, type QdrantProps } from '../../../constructs/vector-store/qdrant';
import { render, testChart } from '../../support/manifests';
import { RESOURCES } from '../../support/values';

function rendered(props: Partial<QdrantProps> = {}) {
  const chart = testChart();
  new Qdrant(chart, 'qdrant', {
    nodes: 3,
    resources: RESOURCES,
    storage: Size.gibibytes(10),
    apiKey: SecretKey.of('qdrant', 'api-key'),
    ...props,
  });
  return { rules: ChangeRules.of(chart), objects: render(chart) };
}

type Rendered = ReturnType<typeof rendered>;
const problems = (before: Rendered, after: Rendered) => after.rules.check(before.objects, after.objects);
const warnings = (before: Rendered, after: Rendered) => after.rules.warn(before.objects, after.objects);

const tls = ServerCertificate.existing('first');

test.each([
  ['begin to speak TLS', {}, { tls }],
  ['stop speaking TLS', { tls }, {}],
])('the nodes of a cluster do not %s one by one', (change, before, after) => {
  expect(problems(rendered(before), rendered(after))).toEqual([
    `StatefulSet test/qdrant: would ${change}, but nodes restart one by one, and those with TLS and those without cannot ` +
      'speak to each other, so the rollout would stop halfway; keep tls as it was, or accept an outage until all nodes are ' +
      'back: remove the file of its last render so that there is nothing to compare, render again and sync, and delete all ' +
      'pods of the StatefulSet together as soon as the first one restarts',
  ]);
});

test('a single node may begin and stop to speak TLS', () => {
  expect(problems(rendered({ nodes: 1 }), rendered({ nodes: 1, tls }))).toEqual([]);
  expect(problems(rendered({ nodes: 1, tls }), rendered({ nodes: 1 }))).toEqual([]);
});

test('a new cluster begins with TLS, and one with it keeps it', () => {
  const encrypted = rendered({ tls });
  expect(encrypted.rules.check([], encrypted.objects)).toEqual([]);
  expect(problems(encrypted, encrypted)).toEqual([]);
  expect(warnings(encrypted, encrypted)).toEqual([]);
});

test('another Secret is taken, with a word about its authority', () => {
  const [before, after] = [rendered({ tls }), rendered({ tls: ServerCertificate.existing('second') })];
  expect(problems(before, after)).toEqual([]);
  expect(warnings(before, after)).toEqual([
    'StatefulSet test/qdrant: takes the certificate from Secret second instead of first, and nodes restart one by one; when ' +
      'the authority in ca.crt of the two is not the same, those with the one refuse those with the other, and all pods of ' +
      'the StatefulSet have to be deleted together after the sync',
  ]);
});
