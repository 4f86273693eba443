import { immutableFields } from '../../../constructs/rules/immutable-fields';
import type { Json, ManifestObject } from '../../../constructs/rules/output';
import { LABELS, manifest, workload } from '../../support/output';

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
const RESTART = `delete it without --cascade=orphan, which stops its pods and keeps their claims, ${NO_COMPARISON}`;
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
    ['serviceName', 'other', ' from "api-headless" to "other"', RESTART],
    ['podManagementPolicy', 'OrderedReady', ' from "Parallel" to "OrderedReady"', ORPHAN],
    [
      'selector',
      { matchLabels: { ...LABELS, 'app.kubernetes.io/name': 'b' } },
      ' at matchLabels.app.kubernetes.io/name',
      RESTART,
    ],
  ])('keeps its %s, and the way out is the one of the field', (field, value, difference, wayOut) => {
    const [problem, ...more] = problems({ [field]: value });
    expect(more).toEqual([]);
    expect(problem).toContain(`StatefulSet test/api: spec.${field} changes${difference}`);
    expect(problem).toContain(`which cannot be applied to the one that exists; change it back, or ${wayOut}`);
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

describe('a PersistentVolumeClaim', () => {
  const spec = {
    accessModes: ['ReadWriteMany'],
    resources: { requests: { storage: '100Gi' } },
    storageClassName: 'files',
    volumeMode: 'Filesystem',
  };
  const refill = `delete it and the workloads that mount it, which stops them until its files have been fetched again, ${NO_COMPARISON}`;
  const claimProblems = (changes: Json) => problems(changes, spec, 'PersistentVolumeClaim');

  test('keeps its class', () => {
    expect(claimProblems({ storageClassName: 'faster' })).toEqual([
      'PersistentVolumeClaim test/api: spec.storageClassName changes from "files" to "faster", which cannot be applied to ' +
        `the one that exists; change it back, or ${refill}`,
    ]);
    expect(claimProblems({ storageClassName: undefined })).toHaveLength(1);
  });

  test('keeps its modes', () => {
    expect(claimProblems({ accessModes: ['ReadWriteOnce'] })).toHaveLength(1);
    expect(claimProblems({ volumeMode: 'Block' })).toHaveLength(1);
    expect(claimProblems({ volumeMode: undefined })).toEqual([]);
  });

  test('grows with a warning, because not every class allows it', () => {
    const [before, after, same] = ['100Gi', '1Ti', '102400Mi'].map((storage) =>
      manifest('PersistentVolumeClaim', 'models', { spec: { ...spec, resources: { requests: { storage } } } }),
    ) as [ManifestObject, ManifestObject, ManifestObject];
    expect(immutableFields.warn?.([before], [after])).toEqual([
      'PersistentVolumeClaim test/models: spec.resources.requests.storage goes from 100Gi to 1Ti, which the API server ' +
        'refuses where the class of the claim has no allowVolumeExpansion; keep 100Gi then, or delete it and the ' +
        'workloads that mount it, which stops them until its files have been fetched again, and sync',
    ]);
    expect(immutableFields.warn?.([before], [same])).toEqual([]);
    expect(immutableFields.warn?.([after], [before])).toEqual([]);
    expect(immutableFields.warn?.([], [after])).toEqual([]);
    const others = [before, after].map((claim) => ({ ...claim, kind: 'Deployment' }));
    expect(immutableFields.warn?.([others[0] as never], [others[1] as never])).toEqual([]);
  });

  test('never shrinks', () => {
    expect(claimProblems({ resources: { requests: { storage: '1Ti' } } })).toEqual([]);
    expect(claimProblems({ resources: { requests: { storage: '102400Mi' } } })).toEqual([]);
    expect(claimProblems({ resources: { requests: { storage: '50Gi' } } })).toEqual([
      'PersistentVolumeClaim test/api: spec.resources.requests.storage goes from 100Gi to 50Gi, but a volume never becomes ' +
        `smaller; keep 100Gi, or ${refill}`,
    ]);
  });

  test('is compared with what is left of a file that somebody changed', () => {
    const after = manifest('PersistentVolumeClaim', 'api', { spec });
    for (const left of [undefined, null, 'nothing', { resources: 3 }]) {
      expect(immutableFields.check([{ ...after, spec: left }], [after]).length).toBeGreaterThan(0);
    }
  });
});

test('objects that are new, gone or of another kind have nothing to keep', () => {
  const statefulSet = workload('StatefulSet', { spec: STATEFUL });
  expect(immutableFields.check([], [statefulSet])).toEqual([]);
  expect(immutableFields.check([statefulSet], [])).toEqual([]);
  expect(problems({ selector: { app: 'other' } }, { selector: { app: 'api' } }, 'Rollout')).toEqual([]);
});
