import { immutableFields } from '../../../constructs/rules/immutable-fields';
import type { Json } from '../../../constructs/rules/output';
import { LABELS, workload } from '../../support/output';

const STATEFUL = {
  replicas: 3,
  serviceName: 'api-headless',
  podManagementPolicy: 'Parallel',
  selector: { matchLabels: LABELS },
  volumeClaimTemplates: [claim('storage', '50Gi'), claim('snapshots', '50Gi')],
};

function claim(name: string, storage: string): Json {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, volumeMode: 'Filesystem' },
  };
}

/** What is wrong with changing these fields of a StatefulSet. */
function problems(changes: Json, from: Json = STATEFUL, kind = 'StatefulSet'): string[] {
  const [before, after] = [from, { ...from, ...changes }].map((spec) => workload(kind, { spec }));
  return immutableFields.check([before as never], [after as never]);
}

const NO_COMPARISON = 'remove the file of its last render so that there is nothing to compare, render again and sync';
const ORPHAN = `delete it with --cascade=orphan, which keeps its pods and volumes, ${NO_COMPARISON}`;

describe('a StatefulSet', () => {
  test('keeps the size of its claims, and the message says how volumes grow', () => {
    expect(problems({ volumeClaimTemplates: [claim('storage', '50Gi'), claim('snapshots', '80Gi')] })).toEqual([
      'StatefulSet test/api: spec.volumeClaimTemplates changes at 1.spec.resources.requests.storage from "50Gi" to ' +
        '"80Gi", which cannot be applied to the one that exists; change it back, or for more storage enlarge the ' +
        `claims that exist, and then ${ORPHAN}`,
    ]);
  });

  test('keeps the number of its claims', () => {
    expect(problems({ volumeClaimTemplates: [claim('storage', '50Gi')] })).toEqual([
      expect.stringMatching(/spec\.volumeClaimTemplates changes at 1 from \{.*"snapshots".*\} to nothing, which/),
    ]);
    expect(problems({ volumeClaimTemplates: undefined })).toHaveLength(1);
  });

  test.each([
    ['serviceName', 'other', ' from "api-headless" to "other"'],
    ['podManagementPolicy', 'OrderedReady', ' from "Parallel" to "OrderedReady"'],
    [
      'selector',
      { matchLabels: { ...LABELS, 'app.kubernetes.io/name': 'b' } },
      ' at matchLabels.app.kubernetes.io/name',
    ],
  ])('keeps its %s', (field, value, difference) => {
    const [problem, ...more] = problems({ [field]: value });
    expect(more).toEqual([]);
    expect(problem).toContain(`StatefulSet test/api: spec.${field} changes${difference}`);
    expect(problem).toContain(`which cannot be applied to the one that exists; change it back, or ${ORPHAN}`);
  });

  test('may change everything else', () => {
    expect(problems({ replicas: 5, updateStrategy: { type: 'OnDelete' }, minReadySeconds: 10 })).toEqual([]);
    expect(problems({ template: { metadata: {}, spec: {} } })).toEqual([]);
  });

  test('may say what the API server takes for granted, or no longer say it', () => {
    const ordered = { ...STATEFUL, podManagementPolicy: undefined };
    expect(problems({ podManagementPolicy: 'OrderedReady' }, ordered)).toEqual([]);
    expect(problems({ podManagementPolicy: 'Parallel' }, ordered)).toHaveLength(1);
    expect(problems({ volumeClaimTemplates: [] }, { ...STATEFUL, volumeClaimTemplates: undefined })).toEqual([]);
  });

  test('is named with each field that changes', () => {
    expect(problems({ serviceName: 'other', podManagementPolicy: 'OrderedReady' })).toHaveLength(2);
  });

  test('is compared with what is left of a file that somebody changed', () => {
    const after = workload('StatefulSet', { spec: STATEFUL });
    for (const spec of [undefined, null, 'nothing', { selector: null, volumeClaimTemplates: 3 }]) {
      expect(immutableFields.check([{ ...after, spec }], [after]).length).toBeGreaterThan(0);
    }
  });
});

describe('a Deployment', () => {
  const spec = { replicas: 2, selector: { matchLabels: LABELS } };

  test('keeps its selector', () => {
    expect(problems({ selector: { matchLabels: { app: 'api' } } }, spec, 'Deployment')).toEqual([
      'Deployment test/api: spec.selector changes at matchLabels.app.kubernetes.io/name from "api" to nothing, which ' +
        `cannot be applied to the one that exists; change it back, or delete it, which stops its pods, ${NO_COMPARISON}`,
    ]);
  });

  test('may change everything else', () => {
    expect(problems({ replicas: 3, serviceName: 'other', strategy: { type: 'Recreate' } }, spec, 'Deployment')).toEqual(
      [],
    );
  });
});

test('objects that are new, gone or of another kind have nothing to keep', () => {
  const statefulSet = workload('StatefulSet', { spec: STATEFUL });
  expect(immutableFields.check([], [statefulSet])).toEqual([]);
  expect(immutableFields.check([statefulSet], [])).toEqual([]);
  expect(problems({ selector: { app: 'other' } }, { selector: { app: 'api' } }, 'Rollout')).toEqual([]);
});
