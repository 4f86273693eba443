import { canonicalForm } from '../../../constructs/rules/canonical-form';
import type { Json } from '../../../constructs/rules/output';
import { container, manifest, POD_KINDS, problemsOf, workload } from '../../support/output';

const otherwise = (subject: string, path: string, value: Json) =>
  `${subject}: ${path} is ${JSON.stringify(value)}, which the API server writes otherwise; write it in the largest unit in which it is whole: 1Gi for 1024Mi, 2 for 2000m`;

const problemsOfQuantity = (value: Json) =>
  problemsOf(canonicalForm, [manifest('LimitRange', 'test', { spec: { hard: { thing: value } } })]);

test.each([
  '0',
  '1',
  '4',
  '999',
  '1500',
  '1k',
  '1500k',
  '2M',
  '3G',
  '1T',
  '100m',
  '1500m',
  '1Ki',
  '512Mi',
  '1Gi',
  '1536Mi',
  '1025Gi',
  '2Ti',
  '3Pi',
])('%s is written as it is read back', (value) => {
  expect(problemsOfQuantity(value)).toEqual([]);
});

test.each([
  '1000m',
  '1000',
  '20000',
  '1000k',
  '1000M',
  '2000m',
  '0m',
  '0.5',
  '1.5Gi',
  '1024Mi',
  '2048Ki',
  '1024Gi',
  '0Gi',
  '01',
  '1 Gi',
  '1gi',
  '',
  1,
  0.5,
])('%j is not', (value) => {
  expect(problemsOfQuantity(value)).toEqual([otherwise('LimitRange test/test', 'spec.hard.thing', value)]);
});

describe.each(POD_KINDS)('the pods of a %s', (kind) => {
  test('are judged in every container and volume', () => {
    const resources = { requests: { cpu: '1000m', memory: '1Gi' }, limits: { memory: '1024Mi' } };
    const pod = {
      initContainers: [container({ resources: { requests: { cpu: '0.5' } } })],
      containers: [container(), container({ resources })],
      volumes: [
        { name: 'config', configMap: {} },
        { name: 'tmp', emptyDir: { sizeLimit: '2048Mi' } },
      ],
    };
    const at = {
      CronJob: 'spec.jobTemplate.spec.template.spec',
      ScaledJob: 'spec.jobTargetRef.template.spec',
      Pod: 'spec',
    };
    const path = at[kind as keyof typeof at] ?? 'spec.template.spec';
    expect([...problemsOf(canonicalForm, [workload(kind, { pod })])].sort()).toEqual([
      otherwise(`${kind} test/api`, `${path}.containers.1.resources.limits.memory`, '1024Mi'),
      otherwise(`${kind} test/api`, `${path}.containers.1.resources.requests.cpu`, '1000m'),
      otherwise(`${kind} test/api`, `${path}.initContainers.0.resources.requests.cpu`, '0.5'),
      otherwise(`${kind} test/api`, `${path}.volumes.1.emptyDir.sizeLimit`, '2048Mi'),
    ]);
  });
});

test.each<[string, Json, string, Json]>([
  [
    'StatefulSet',
    { volumeClaimTemplates: [{ spec: { resources: { requests: { storage: '1024Gi' } } } }] },
    'spec.volumeClaimTemplates.0.spec.resources.requests.storage',
    '1024Gi',
  ],
  ['PersistentVolume', { capacity: { storage: '1024Gi' } }, 'spec.capacity.storage', '1024Gi'],
  ['ResourceQuota', { hard: { 'requests.cpu': '1000m' } }, 'spec.hard.requests.cpu', '1000m'],
  [
    'HorizontalPodAutoscaler',
    { metrics: [{ pods: { target: { averageValue: 10 } } }] },
    'spec.metrics.0.pods.target.averageValue',
    10,
  ],
])('the quantities of a %s are judged', (kind, spec, path, value) => {
  expect(problemsOf(canonicalForm, [manifest(kind, 'api', { spec })])).toEqual([
    otherwise(`${kind} test/api`, path, value),
  ]);
});

test('what is no quantity may be written in any way', () => {
  const data = { limits: '1024Mi', requests: '0.5', 'sizes.yaml': 'sizeLimit: 1024Mi' };
  expect(problemsOf(canonicalForm, [manifest('ConfigMap', 'api', { data })])).toEqual([]);
  const spec = { limits: ['1024Mi'], replicas: 3, size: '1024Mi', empty: null };
  expect(problemsOf(canonicalForm, [manifest('Other', 'api', { spec })])).toEqual([]);
});

test('objects that are not ours are not judged', () => {
  const foreign = manifest('ResourceQuota', 'api', { spec: { hard: { cpu: '1000m' } } });
  expect(problemsOf(canonicalForm, [], { besides: [foreign] })).toEqual([]);
});
