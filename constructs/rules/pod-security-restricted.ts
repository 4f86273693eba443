import { type Json, nameOf, type RenderedPods } from './output';
import type { Rule } from './rule';

const EXCEPTIONS = 'cdk8s-rag/pod-security-exceptions';

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

/** Kernel settings that a pod may change (Kubernetes docs, "Pod Security Standards", baseline). */
const SAFE_SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
];

/**
 * Every pod meets the Pod Security level "restricted", but for declared exceptions. The checks are those of
 * the standard's own implementation, kubernetes/pod-security-admission, and a numeric user on top.
 */
export const podSecurityRestricted: Rule = {
  name: 'pods meet the Pod Security level restricted',
  check: (output) => output.ownPods.flatMap((pods) => checkPods(pods)),
};

function checkPods(pods: RenderedPods): string[] {
  const { owner, spec, containers } = pods;
  const exceptions = owner.metadata.annotations?.[EXCEPTIONS] ?? '';
  const excepted = (rule: string) => exceptions.split('; ').some((text) => text.startsWith(rule));
  const problems = [
    ...podProblems(spec),
    ...(excepted('runAsNonRoot') ? [] : userProblems(spec, containers)),
    ...containers.flatMap((container) =>
      containerProblems(container, spec, excepted('capabilities')).map(
        (problem) => `container ${container.name} ${problem}`,
      ),
    ),
  ];
  return problems.map((problem) => `${nameOf(owner)}: ${problem}`);
}

function podProblems(spec: Json): string[] {
  const volumes: Json[] = spec.volumes ?? [];
  const sysctls: { name: string }[] = spec.securityContext?.sysctls ?? [];
  return [
    ...['hostNetwork', 'hostPID', 'hostIPC'].filter((field) => spec[field] === true).map((field) => `sets ${field}`),
    ...volumes
      .filter((volume) => Object.keys(volume).some((key) => key !== 'name' && !VOLUME_TYPES.includes(key)))
      .map(
        (volume) => `has the volume ${volume.name}, whose type is not allowed; use one of ${VOLUME_TYPES.join(', ')}`,
      ),
    ...sysctls.filter(({ name }) => !SAFE_SYSCTLS.includes(name)).map(({ name }) => `sets the unsafe sysctl ${name}`),
    ...(spec.securityContext?.seLinuxOptions?.user === undefined ? [] : ['sets an SELinux user']),
    ...(spec.securityContext?.windowsOptions?.hostProcess === true ? ['is a Windows host process'] : []),
    ...(spec.automountServiceAccountToken === false ? [] : ['mounts a service account token']),
  ];
}

function userProblems(spec: Json, containers: Json[]): string[] {
  const pod = spec.securityContext ?? {};
  return containers.flatMap((container) => {
    const own = container.securityContext ?? {};
    const user = own.runAsUser ?? pod.runAsUser;
    const nonRoot = own.runAsNonRoot ?? pod.runAsNonRoot;
    return [
      ...(nonRoot === true ? [] : [`container ${container.name} has no runAsNonRoot: true`]),
      ...(Number.isInteger(user) && user > 0 ? [] : [`container ${container.name} has no numeric runAsUser above 0`]),
    ];
  });
}

function containerProblems(container: Json, spec: Json, mayAdd: boolean): string[] {
  const own = container.securityContext ?? {};
  const seccomp = own.seccompProfile?.type ?? spec.securityContext?.seccompProfile?.type;
  const ports: Json[] = container.ports ?? [];
  return [
    ...(own.privileged === true ? ['is privileged'] : []),
    ...(own.allowPrivilegeEscalation === false ? [] : ['has no allowPrivilegeEscalation: false']),
    ...(own.readOnlyRootFilesystem === true ? [] : ['has no readOnlyRootFilesystem: true']),
    ...(['RuntimeDefault', 'Localhost'].includes(seccomp) ? [] : ['has no seccompProfile of type RuntimeDefault']),
    ...([undefined, 'Default'].includes(own.procMount) ? [] : [`sets procMount ${own.procMount}`]),
    ...capabilityProblems(own.capabilities ?? {}, mayAdd),
    ...ports.filter((port) => port.hostPort > 0).map((port) => `opens the host port ${port.hostPort}`),
    ...handlersOf(container)
      .filter((handler) => handler?.httpGet?.host !== undefined || handler?.tcpSocket?.host !== undefined)
      .map(() => 'has a probe or lifecycle hook with a host of its own'),
  ];
}

function capabilityProblems({ add = [], drop = [] }: Json, mayAdd: boolean): string[] {
  const added = add.filter((name: string) => name !== 'NET_BIND_SERVICE');
  return [
    ...(drop.includes('ALL') ? [] : ['does not drop ALL capabilities']),
    ...(added.length === 0 || mayAdd ? [] : [`adds the capabilities ${added.join(', ')}`]),
  ];
}

function handlersOf(container: Json): Json[] {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle = {} } = container;
  return [livenessProbe, readinessProbe, startupProbe, ...Object.values(lifecycle)];
}
