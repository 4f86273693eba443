import type { Json } from '../../constructs/rules/output';
import { EACH_ENVIRONMENT } from '../support/environments';
import { find } from '../support/manifests';
import { operatedPods } from '../support/operated-pods';
import { podsOf } from '../support/pods';

const VOLUME_TYPES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

describe.each(EACH_ENVIRONMENT)('%s: pods meet the Pod Security level restricted', (_, { objects, platform }) => {
  const pods = podsOf(objects);

  test('the namespace enforces it at a pinned version', () => {
    const { labels = {} } = find(objects, 'Namespace', platform.namespace as string).metadata;
    for (const mode of ['enforce', 'audit', 'warn']) {
      expect(labels[`pod-security.kubernetes.io/${mode}`]).toBe('restricted');
      expect(labels[`pod-security.kubernetes.io/${mode}-version`]).toMatch(/^v1\.\d+$/);
    }
  });

  test('pods run as a numeric user that is not root, with the default seccomp profile, and without a token', () => {
    for (const { spec, containers } of pods) {
      // The caches of vLLM's image belong to group 0, which is not root and which the level allows.
      const groups = containers.some(({ image }) => /\/vllm-openai:/.test(image)) ? 0 : 1;
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(spec.securityContext.runAsUser).toBeGreaterThan(0);
      expect(spec.securityContext.runAsGroup).toBeGreaterThanOrEqual(groups);
      expect(spec.automountServiceAccountToken).toBe(false);
      expect(spec.enableServiceLinks).toBe(false);
    }
  });

  test('every container, init containers too, is without privileges, capabilities and a writable root', () => {
    for (const container of pods.flatMap(({ containers }) => containers)) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
      });
    }
  });

  test('so do pods that operators make, whose images write where they like', () => {
    for (const { title, spec, containers } of operatedPods(objects)) {
      expect([title, spec.securityContext.runAsNonRoot]).toEqual([title, true]);
      expect([title, spec.securityContext.seccompProfile]).toEqual([title, { type: 'RuntimeDefault' }]);
      for (const { name, securityContext } of containers) {
        expect([title, name, securityContext?.allowPrivilegeEscalation]).toEqual([title, name, false]);
        expect([title, name, securityContext.capabilities]).toEqual([title, name, { drop: ['ALL'] }]);
        expect([securityContext.privileged ?? false, securityContext.runAsUser ?? 1]).toEqual([false, 1]);
      }
    }
  });

  test('nothing of the host is shared', () => {
    for (const { spec, containers } of pods) {
      expect([spec.hostNetwork, spec.hostPID, spec.hostIPC]).toEqual([undefined, undefined, undefined]);
      expect(
        containers.flatMap(({ ports = [] }) => ports).filter(({ hostPort }: Json) => hostPort !== undefined),
      ).toEqual([]);
      const types = (spec.volumes ?? []).flatMap((volume: Json) => Object.keys(volume).filter((key) => key !== 'name'));
      expect(types.filter((type: string) => !VOLUME_TYPES.includes(type))).toEqual([]);
    }
  });

  test('service accounts hold no token and no permission', () => {
    const accounts = objects.filter(({ kind }) => kind === 'ServiceAccount');
    expect(accounts.map(({ automountServiceAccountToken }) => automountServiceAccountToken)).toEqual(
      accounts.map(() => false),
    );
    expect(objects.filter(({ kind }) => /Role/.test(kind))).toEqual([]);
    expect(new Set(pods.map(({ spec }) => spec.serviceAccountName)).size).toBe(pods.length);
  });
});
