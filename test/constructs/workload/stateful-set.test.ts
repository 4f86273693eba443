import { Size } from 'cdk8s';
import type { ClusterProps } from '../../../constructs/placement/cluster';
import { ExternalReferences } from '../../../constructs/rules/external-references';
import { type ClaimTemplate, StatefulSet, type StatefulSetProps } from '../../../constructs/workload/stateful-set';
import { Volume } from '../../../constructs/workload/volume';
import { find, mainContainer, namesOf, render, templateOf, testChart } from '../../support/manifests';
import { CONTAINER } from '../../support/workloads';

const PORT = { name: 'http', number: 8080 };
const SELECTOR = { 'app.kubernetes.io/name': 'store', 'app.kubernetes.io/instance': 'rag' };
const DATA: ClaimTemplate = { name: 'data', size: Size.gibibytes(10) };

function statefulSet(props: Partial<StatefulSetProps> = {}, cluster: ClusterProps = {}) {
  const chart = testChart(cluster);
  const mounts = [{ volume: Volume.claim('data'), path: '/data' }];
  const construct = new StatefulSet(chart, 'store', {
    component: 'store',
    container: { ...CONTAINER, ports: [PORT], mounts },
    replicas: 1,
    claims: [DATA],
    serviceName: 'store',
    ...props,
  });
  construct.addService({ ports: [PORT] });
  const objects = () => render(chart);
  return { chart, construct, objects, object: () => find(objects(), 'StatefulSet', 'store') };
}

describe('a StatefulSet', () => {
  const { construct, objects, object } = statefulSet();

  test('updates one pod after the other, and never gives up data', () => {
    const { template, volumeClaimTemplates, ...spec } = object().spec;
    expect(spec).toEqual({
      replicas: 1,
      serviceName: 'store',
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'RollingUpdate' },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      selector: { matchLabels: SELECTOR },
    });
    expect(template.metadata.labels).toMatchObject(SELECTOR);
    expect(volumeClaimTemplates).toHaveLength(1);
  });

  test('has claims that are complete, without labels', () => {
    expect(object().spec.volumeClaimTemplates).toEqual([
      {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'data' },
        spec: {
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '10Gi' } },
          volumeMode: 'Filesystem',
        },
      },
    ]);
  });

  test('mounts its claims, and leaves the volumes to the controller', () => {
    expect(mainContainer(object()).volumeMounts).toEqual([{ name: 'data', mountPath: '/data' }]);
    expect(templateOf(object()).spec.volumes ?? []).toEqual([]);
  });

  test('of one pod has no budget and nothing to be kept apart from', () => {
    expect(namesOf(objects(), 'PodDisruptionBudget')).toEqual([]);
    expect(construct.disruptionBudget).toBeUndefined();
    expect(templateOf(object()).spec).not.toHaveProperty('topologySpreadConstraints');
  });

  test.each([
    ['of no pod', { replicas: 0 }, 'OrderedReady'],
    // Ordered, a pod that never gets ready would block even the update that mends it.
    ['of one pod', { replicas: 1 }, 'Parallel'],
    ['of one pod that would rather be in order', { replicas: 1, parallel: false }, 'Parallel'],
    ['of several', { replicas: 2 }, 'OrderedReady'],
    ['of several that need one another', { replicas: 2, parallel: true }, 'Parallel'],
  ])('%s starts its pods at once exactly when order would not help', (_, props, policy) => {
    expect(statefulSet(props).object().spec.podManagementPolicy).toBe(policy);
  });
});

const PREFERRED = { whenUnsatisfiable: 'ScheduleAnyway' };
const required = (minDomains: number) => ({ whenUnsatisfiable: 'DoNotSchedule', minDomains });

describe.each([
  ['two pods', { replicas: 2 }, {}, PREFERRED, PREFERRED, 'AlwaysAllow'],
  ['two pods in zones', { replicas: 2 }, { zones: 3 }, PREFERRED, PREFERRED, 'AlwaysAllow'],
  [
    'the members of a quorum in a cluster whose zones nobody knows',
    { replicas: 3, quorum: true },
    {},
    PREFERRED,
    required(3),
    'IfHealthyBudget',
  ],
  [
    'the members of a quorum in one zone',
    { replicas: 3, quorum: true },
    { zones: 1 },
    PREFERRED,
    required(3),
    'IfHealthyBudget',
  ],
  [
    'the members of a quorum in several zones',
    { replicas: 3, quorum: true },
    { zones: 2 },
    required(2),
    required(3),
    'IfHealthyBudget',
  ],
  [
    'the members of a quorum in more zones than there are members',
    { replicas: 3, quorum: true },
    { zones: 4 },
    required(3),
    required(3),
    'IfHealthyBudget',
  ],
])('%s', (_, props, cluster, overZones, overNodes, unhealthyPodEvictionPolicy) => {
  const { construct, objects, object } = statefulSet(props, cluster);

  test('lose one member at a time', () => {
    expect(object().spec.replicas).toBe(props.replicas);
    expect(find(objects(), 'PodDisruptionBudget', 'store').spec).toEqual({
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy,
      selector: { matchLabels: SELECTOR },
    });
    expect(construct.disruptionBudget?.name).toBe('store');
  });

  test('are kept apart, old and new ones together', () => {
    const constraint = { maxSkew: 1, labelSelector: { matchLabels: SELECTOR }, nodeTaintsPolicy: 'Honor' };
    expect(templateOf(object()).spec.topologySpreadConstraints).toEqual([
      { topologyKey: 'topology.kubernetes.io/zone', ...overZones, ...constraint },
      { topologyKey: 'kubernetes.io/hostname', ...overNodes, ...constraint },
    ]);
  });
});

describe('pods without claims', () => {
  const { object } = statefulSet({ container: { ...CONTAINER, ports: [PORT] }, claims: [] });

  test('have no list of them', () => {
    expect(object().spec).not.toHaveProperty('volumeClaimTemplates');
    expect(templateOf(object()).spec).not.toHaveProperty('volumes');
    expect(templateOf(object()).spec.securityContext).not.toHaveProperty('fsGroup');
  });

  test('are identified all the same', () => {
    expect(object().spec).toMatchObject({ serviceName: 'store', replicas: 1 });
  });
});

test('there may be no pod', () => {
  const { construct, object } = statefulSet({ replicas: 0 });
  expect(object().spec.replicas).toBe(0);
  expect(construct.disruptionBudget).toBeUndefined();
});

describe('mistakes', () => {
  test.each([-1, 1.5, Number.NaN])('%s replicas', (replicas) => {
    expect(() => statefulSet({ replicas })).toThrow(
      new Error(`rag/store: replicas is ${replicas}, but must be a whole number from 0`),
    );
  });

  test('two claims of one name', () => {
    const claims = [DATA, { name: 'logs', size: Size.gibibytes(1) }, { name: 'data', size: Size.gibibytes(2) }];
    expect(() => statefulSet({ claims })).toThrow(
      new Error('rag/store: claims has two claims named "data"; rename one'),
    );
  });
});

describe('the storage class', () => {
  function classOf(storageClass: string | undefined, cluster: ClusterProps) {
    const { chart, object } = statefulSet({ claims: [{ ...DATA, storageClass }] }, cluster);
    return {
      rendered: object().spec.volumeClaimTemplates[0].spec.storageClassName,
      declared: ExternalReferences.of(chart).all,
    };
  }

  test.each([
    ['that the claim names', 'fast', { storage: { block: 'gp3' } }, 'fast'],
    ['for block volumes of the cluster', undefined, { storage: { block: 'gp3' } }, 'gp3'],
  ])('is the one %s, which must exist', (_, storageClass, cluster, expected) => {
    expect(classOf(storageClass, cluster)).toEqual({
      rendered: expected,
      declared: [{ kind: 'StorageClass', name: expected }],
    });
  });

  test('is left to the cluster when nobody names one', () => {
    const { object } = statefulSet({}, { storage: { shared: 'efs' } });
    expect(object().spec.volumeClaimTemplates[0].spec).not.toHaveProperty('storageClassName');
    expect(classOf(undefined, {}).declared).toEqual([]);
  });

  test('is chosen for each claim by itself', () => {
    const claims = [
      { ...DATA, storageClass: 'fast' },
      { name: 'snapshots', size: Size.gibibytes(1) },
    ];
    const templates: { metadata: { name: string }; spec: { storageClassName: string } }[] = statefulSet(
      { claims },
      { storage: { block: 'gp3' } },
    ).object().spec.volumeClaimTemplates;
    expect(templates.map(({ metadata, spec }) => [metadata.name, spec.storageClassName])).toEqual([
      ['data', 'fast'],
      ['snapshots', 'gp3'],
    ]);
  });

  test('of files is refused', () => {
    expect(() => statefulSet({ claims: [{ ...DATA, storageClass: 'nfs-client' }] })).toThrow(
      'rag/store: storageClass is "nfs-client", a network file system (nfs); use a class of block volumes, such as ' +
        'gp3 or premium-rwo',
    );
  });

  test("of the cluster's shared files is refused", () => {
    const storage = { block: 'premium', shared: 'models' };
    expect(() => statefulSet({ claims: [{ ...DATA, storageClass: 'models' }] }, { storage })).toThrow(
      'rag/store: storageClass is "models", the cluster\'s class for shared files; use a class of block volumes, such ' +
        'as premium',
    );
  });
});
