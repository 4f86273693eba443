import { imagesPinned } from '../../../constructs/rules/images-pinned';
import { container, POD_KINDS, problemsOf, workload } from '../../support/output';
import { DIGEST } from '../../support/values';

const problemsOfImage = (image: string | undefined) =>
  problemsOf(imagesPinned, [workload('Deployment', { pod: { containers: [container({ image })] } })]);

describe.each(POD_KINDS)('the pods of a %s', (kind) => {
  test('are judged in every container', () => {
    const pod = {
      initContainers: [container({ name: 'prepare', image: 'busybox' })],
      containers: [container(), container({ name: 'sidecar', image: 'ghcr.io/acme/sidecar:latest' })],
    };
    expect(problemsOf(imagesPinned, [workload(kind, { pod })])).toEqual([
      `${kind} test/api: container prepare runs busybox; name the registry and a tag that does not move`,
      `${kind} test/api: container sidecar runs ghcr.io/acme/sidecar:latest; name the registry and a tag that does not move`,
    ]);
  });
});

test.each([
  'ghcr.io/acme/api:1.2.3',
  'docker.io/library/redis:7.4.2-alpine',
  'registry.acme.example:5000/mirror/acme/api:v1_2',
  `ghcr.io/acme/api:1.2.3@${DIGEST}`,
  'ghcr.io/acme/latest:1.2.3',
  'ghcr.io/acme/api:latest-tested.3',
  'ghcr.io/acme/api:main-1a2b3c4',
  'ghcr.io/acme/api:nightly2025-06-01',
  'localhost/api:1.2.3',
  'localhost:5000/api:1.2.3',
  'registry:5000/api:1.2.3',
])('%s is pinned', (image) => {
  expect(problemsOfImage(image)).toEqual([]);
});

test.each([
  undefined,
  '',
  'redis',
  'redis:7.4.2',
  'library/redis:7.4.2',
  'acme/team/api:1.2.3',
  `acme/api:1.2.3@${DIGEST}`,
  '/acme/api:1.2.3',
  'ghcr.io/acme/api',
  'registry.acme.example:5000/api',
  'ghcr.io/acme/api:',
  'ghcr.io/:1.2.3',
  'ghcr.io/acme/api:latest',
  'ghcr.io/acme/api:main',
  'ghcr.io/acme/api:master',
  'ghcr.io/acme/api:stable',
  'ghcr.io/acme/api:edge',
  'ghcr.io/acme/api:nightly',
  'ghcr.io/acme/api:dev',
  `ghcr.io/acme/api:latest@${DIGEST}`,
  `ghcr.io/acme/api:stable@${DIGEST}`,
  `ghcr.io/acme/api@${DIGEST}`,
  'ghcr.io/acme/api:1.2.3@sha256:0123',
  `ghcr.io/acme/api:1.2.3@${DIGEST.toUpperCase()}`,
  `ghcr.io/acme/api:1.2.3@${DIGEST}0`,
  'ghcr.io/acme/api:1.2.3 ',
])('%s is not', (image) => {
  expect(problemsOfImage(image)).toEqual([
    `Deployment test/api: container api runs ${image}; name the registry and a tag that does not move`,
  ]);
});

test('pods that are not ours are not judged', () => {
  const foreign = workload('Deployment', { pod: { containers: [container({ image: 'redis' })] } });
  expect(problemsOf(imagesPinned, [], { besides: [foreign] })).toEqual([]);
});
