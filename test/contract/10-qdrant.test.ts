import { parse } from 'yaml';
import { Cluster } from '../../constructs/placement/cluster';
import type { Json } from '../../constructs/rules/output';
import { EACH_ENVIRONMENT } from '../support/environments';
import { env, find, mainContainer, templateOf } from '../support/manifests';

describe.each(EACH_ENVIRONMENT)('%s: Qdrant runs as its operators run it', (_, { objects, platform }) => {
  const statefulSet = find(objects, 'StatefulSet', 'qdrant');
  const config = parse(find(objects, 'ConfigMap', 'qdrant').data['production.yaml']);
  const distributed = statefulSet.spec.replicas > 1;

  test('nodes start together, exactly when there are several', () => {
    expect(statefulSet.spec.podManagementPolicy).toBe(distributed ? 'Parallel' : 'OrderedReady');
    expect(config.cluster?.enabled ?? false).toBe(distributed);
  });

  test('unready nodes have names', () => {
    const headless = find(objects, 'Service', statefulSet.spec.serviceName).spec;
    expect(headless).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
  });

  test('nodes are kept apart: on machines always, in zones where the cluster is known to have several', () => {
    const { zones = 1 } = Cluster.of(platform);
    const constraints: Json[] = templateOf(statefulSet).spec.topologySpreadConstraints ?? [];
    expect(constraints.map(({ topologyKey, whenUnsatisfiable }) => [topologyKey, whenUnsatisfiable])).toEqual(
      distributed
        ? [
            ['topology.kubernetes.io/zone', zones > 1 ? 'DoNotSchedule' : 'ScheduleAnyway'],
            ['kubernetes.io/hostname', 'DoNotSchedule'],
          ]
        : [],
    );
  });

  test('readiness asks /readyz', () => {
    expect(mainContainer(statefulSet).readinessProbe.httpGet.path).toBe('/readyz');
  });

  test('nodes reach one another on p2p, and nobody else does', () => {
    const rules: Json[] = find(objects, 'NetworkPolicy', 'qdrant').spec.ingress;
    const p2p = rules.filter(({ ports }) => ports.some(({ port }: Json) => port === 6335));
    expect(p2p.flatMap(({ from }) => from)).toEqual(
      distributed ? [{ podSelector: { matchLabels: statefulSet.spec.selector.matchLabels } }] : [],
    );
  });

  test('the image is the unprivileged one, with a user of its own', () => {
    expect(mainContainer(statefulSet).image).toMatch(/-unprivileged(@|$)/);
    expect(templateOf(statefulSet).spec.securityContext.runAsUser).toBe(1000);
  });

  test('it asks for a key', () => {
    expect(env(statefulSet, 'QDRANT__SERVICE__API_KEY')?.secretKeyRef.key).toBeTruthy();
  });

  test('nothing scales it', () => {
    const targets = objects.flatMap(({ spec }) => spec?.scaleTargetRef?.name ?? []);
    expect(targets).not.toContain('qdrant');
    expect(statefulSet.spec.replicas).toBeGreaterThan(0);
  });

  test('it stores on volumes of one node each, which stay', () => {
    for (const { spec } of statefulSet.spec.volumeClaimTemplates) {
      expect(spec.accessModes).toEqual(['ReadWriteOnce']);
      expect(spec.volumeMode).toBe('Filesystem');
    }
    expect(statefulSet.spec.persistentVolumeClaimRetentionPolicy).toEqual({
      whenDeleted: 'Retain',
      whenScaled: 'Retain',
    });
  });
});
