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

const SELINUX_TYPES = [undefined, '', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'];

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
 * Every pod meets the Pod Security level "restricted", but for declared exceptions. The checks are those of the
 * standard (Kubernetes docs, "Pod Security Standards"), and a numeric user and no token on top.
 */
export const podSecurityRestricted: Rule = {
  name: 'pods meet the Pod Security level restricted',
  check: (output) => output.ownPods.flatMap((pods) => checkPods(pods)),
};

function checkPods(pods: RenderedPods): string[] {
  const { owner, spec, containers } = pods;
  // One exception a line: the rule, a capability if it is about one, a colon and the reason.
  const lines = (owner.metadata.annotations?.[EXCEPTIONS] ?? '').split('\n').map((line) => line.split(':')[0] ?? '');
  const capabilities = lines.filter((line) => line.startsWith('capabilities ')).map((line) => line.split(' ')[1] ?? '');
  const problems = [
    ...podProblems(pods),
    ...(lines.includes('runAsNonRoot') ? [] : userProblems(spec, containers)),
    ...containers.flatMap((container) =>
      containerProblems(container, spec, capabilities).map((problem) => `container ${container.name} ${problem}`),
    ),
  ];
  return problems.map((problem) => `${nameOf(owner)}: ${problem}`);
}

function podProblems({ spec, annotations }: RenderedPods): string[] {
  const volumes: Json[] = spec.volumes ?? [];
  const sysctls: { name: string }[] = spec.securityContext?.sysctls ?? [];
  const unconfined = Object.entries(annotations).filter(
    ([name, value]) => name.startsWith('container.apparmor.security.beta.kubernetes.io/') && value === 'unconfined',
  );
  return [
    ...['hostNetwork', 'hostPID', 'hostIPC'].filter((field) => spec[field] === true).map((field) => `sets ${field}`),
    ...volumes
      .filter((volume) => Object.keys(volume).some((key) => key !== 'name' && !VOLUME_TYPES.includes(key)))
      .map(
        (volume) => `has the volume ${volume.name}, whose type is not allowed; use one of ${VOLUME_TYPES.join(', ')}`,
      ),
    ...sysctls.filter(({ name }) => !SAFE_SYSCTLS.includes(name)).map(({ name }) => `sets the unsafe sysctl ${name}`),
    ...unconfined.map(([name]) => `switches AppArmor off by ${name}`),
    ...confinementProblems(spec.securityContext ?? {}),
    ...(spec.automountServiceAccountToken === false ? [] : ['mounts a service account token']),
  ];
}

/** What the security contexts of pods and containers have in common. */
function confinementProblems({ seLinuxOptions, windowsOptions, seccompProfile, appArmorProfile }: Json): string[] {
  return [
    ...(seLinuxOptions?.user === undefined && seLinuxOptions?.role === undefined
      ? []
      : ['sets an SELinux user or role']),
    ...(SELINUX_TYPES.includes(seLinuxOptions?.type) ? [] : [`sets the SELinux type ${seLinuxOptions.type}`]),
    ...(windowsOptions?.hostProcess === true ? ['is a Windows host process'] : []),
    ...(seccompProfile?.type === 'Unconfined' ? ['switches seccomp off'] : []),
    ...(appArmorProfile?.type === 'Unconfined' ? ['switches AppArmor off'] : []),
  ];
}

function userProblems(spec: Json, containers: Json[]): string[] {
  const pod = spec.securityContext ?? {};
  const podLevel = [
    ...(pod.runAsNonRoot === false ? ['sets runAsNonRoot: false'] : []),
    ...(pod.runAsUser === 0 ? ['sets runAsUser: 0'] : []),
  ];
  const problems = containers.flatMap((container) => {
    const own = container.securityContext ?? {};
    const user = own.runAsUser ?? pod.runAsUser;
    const nonRoot = own.runAsNonRoot ?? pod.runAsNonRoot;
    return [
      ...(nonRoot === true ? [] : [`container ${container.name} has no runAsNonRoot: true`]),
      ...(Number.isInteger(user) && user > 0 ? [] : [`container ${container.name} has no numeric runAsUser above 0`]),
    ];
  });
  return [...podLevel, ...problems];
}

function containerProblems(container: Json, spec: Json, mayAdd: string[]): string[] {
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
    ...confinementProblems(own),
    ...ports.filter((port) => port.hostPort > 0).map((port) => `opens the host port ${port.hostPort}`),
    ...handlersOf(container)
      .filter((handler) => handler?.httpGet?.host !== undefined || handler?.tcpSocket?.host !== undefined)
      .map(() => 'has a probe or lifecycle hook with a host of its own'),
  ];
}

function capabilityProblems({ add = [], drop = [] }: Json, mayAdd: string[]): string[] {
  const added = add.filter((name: string) => ![...mayAdd, 'NET_BIND_SERVICE'].includes(name));
  return [
    ...(drop.includes('ALL') ? [] : ['does not drop ALL capabilities']),
    ...(added.length === 0 ? [] : [`adds the capabilities ${added.join(', ')}`]),
  ];
}

function handlersOf(container: Json): Json[] {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle = {} } = container;
  return [livenessProbe, readinessProbe, startupProbe, ...Object.values(lifecycle)];
}
