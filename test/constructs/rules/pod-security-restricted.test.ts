import type { Json, ManifestObject } from '../../../constructs/rules/output';
import { podSecurityRestricted } from '../../../constructs/rules/pod-security-restricted';
import { container, POD_KINDS, problemsOf, workload } from '../../support/output';

const EXCEPTIONS = 'cdk8s-rag/pod-security-exceptions';

const problemsOfPod = (pod: Json, metadata?: Json) =>
  problemsOf(podSecurityRestricted, [workload('Deployment', { pod, metadata })]);

const problemsOfContainer = (changes: Json, metadata?: Json) =>
  problemsOfPod({ containers: [container(changes)] }, metadata);

/** A good security context with these changes. */
const secured = (changes: Json) => ({
  securityContext: { ...container().securityContext, ...changes },
});

describe.each(POD_KINDS)('the pods of a %s', (kind) => {
  test('are found good', () => {
    const pod = { initContainers: [container({ name: 'prepare' })] };
    expect(problemsOf(podSecurityRestricted, [workload(kind, { pod })])).toEqual([]);
  });

  test('are judged as a whole, and container by container, init containers first', () => {
    const privileged = (name: string) => container({ name, ...secured({ privileged: true }) });
    const pod = {
      hostNetwork: true,
      initContainers: [privileged('prepare')],
      containers: [container(), privileged('sidecar')],
    };
    expect(problemsOf(podSecurityRestricted, [workload(kind, { pod })])).toEqual([
      `${kind} test/api: sets hostNetwork`,
      `${kind} test/api: container prepare is privileged`,
      `${kind} test/api: container sidecar is privileged`,
    ]);
  });
});

/** A good security context of a pod. */
const POD = {
  runAsNonRoot: true,
  runAsUser: 10001,
  seccompProfile: { type: 'RuntimeDefault' },
};

describe('a pod', () => {
  test.each<[string, Json, string]>([
    ['the network of its node', { hostNetwork: true }, 'sets hostNetwork'],
    ['the processes of its node', { hostPID: true }, 'sets hostPID'],
    ['the memory of its node', { hostIPC: true }, 'sets hostIPC'],
    ['a token by default', { automountServiceAccountToken: undefined }, 'mounts a service account token'],
    ['a token on demand', { automountServiceAccountToken: true }, 'mounts a service account token'],
    [
      'a kernel setting that others feel',
      { securityContext: { ...POD, sysctls: [{ name: 'net.core.somaxconn', value: '1024' }] } },
      'sets the unsafe sysctl net.core.somaxconn',
    ],
  ])('cannot have %s', (_, pod, problem) => {
    expect(problemsOfPod(pod)).toEqual([`Deployment test/api: ${problem}`]);
  });

  test('cannot be root, even where its containers are not', () => {
    const containers = [container(secured({ runAsUser: 10001, runAsNonRoot: true }))];
    const as = (user: Json) => problemsOfPod({ containers, securityContext: { ...POD, ...user } });
    expect(as({ runAsUser: 0 })).toEqual(['Deployment test/api: sets runAsUser: 0']);
    expect(as({ runAsNonRoot: false })).toEqual(['Deployment test/api: sets runAsNonRoot: false']);
    expect(as({ runAsUser: undefined, runAsNonRoot: undefined })).toEqual([]);
  });

  test('that is root has containers that are, unless they say otherwise', () => {
    expect(problemsOfPod({ securityContext: { ...POD, runAsNonRoot: false, runAsUser: 0 } })).toEqual([
      'Deployment test/api: sets runAsNonRoot: false',
      'Deployment test/api: sets runAsUser: 0',
      'Deployment test/api: container api has no runAsNonRoot: true',
      'Deployment test/api: container api has no numeric runAsUser above 0',
    ]);
  });

  test('cannot go without a seccomp filter, even where its containers have one', () => {
    const securityContext = { ...POD, seccompProfile: { type: 'Unconfined' } };
    const containers = [container(secured({ seccompProfile: { type: 'RuntimeDefault' } }))];
    expect(problemsOfPod({ securityContext, containers })).toEqual(['Deployment test/api: switches seccomp off']);
    expect(problemsOfPod({ securityContext })).toEqual([
      'Deployment test/api: switches seccomp off',
      'Deployment test/api: container api has no seccompProfile of type RuntimeDefault',
    ]);
  });

  test('may say that it wants none of these', () => {
    const sysctls = [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }];
    const securityContext = {
      ...POD,
      sysctls,
      seLinuxOptions: { level: 's0', type: 'container_t' },
      windowsOptions: { hostProcess: false },
      appArmorProfile: { type: 'RuntimeDefault' },
    };
    expect(problemsOfPod({ hostNetwork: false, hostPID: false, hostIPC: false, securityContext })).toEqual([]);
  });

  test.each(['hostPath', 'nfs', 'iscsi', 'gcePersistentDisk'])('cannot have a volume of the type %s', (type) => {
    expect(problemsOfPod({ volumes: [{ name: 'data', [type]: {} }] })).toEqual([
      'Deployment test/api: has the volume data, whose type is not allowed; use one of configMap, csi, downwardAPI, ' +
        'emptyDir, ephemeral, persistentVolumeClaim, projected, secret',
    ]);
  });

  test.each([
    'configMap',
    'csi',
    'downwardAPI',
    'emptyDir',
    'ephemeral',
    'persistentVolumeClaim',
    'projected',
    'secret',
  ])('can have a volume of the type %s', (type) => {
    expect(problemsOfPod({ volumes: [{ name: 'data', [type]: {} }] })).toEqual([]);
  });
});

describe('a container', () => {
  test.each<[string, Json, string]>([
    ['privileges', secured({ privileged: true }), 'is privileged'],
    [
      'more privileges than it begins with',
      secured({ allowPrivilegeEscalation: true }),
      'has no allowPrivilegeEscalation: false',
    ],
    [
      'more privileges because nothing is said',
      secured({ allowPrivilegeEscalation: undefined }),
      'has no allowPrivilegeEscalation: false',
    ],
    [
      'a root file system to write to',
      secured({ readOnlyRootFilesystem: false }),
      'has no readOnlyRootFilesystem: true',
    ],
    ['an unmasked /proc', secured({ procMount: 'Unmasked' }), 'sets procMount Unmasked'],
    ['its capabilities', secured({ capabilities: {} }), 'does not drop ALL capabilities'],
    ['all capabilities but some', secured({ capabilities: { drop: ['NET_RAW'] } }), 'does not drop ALL capabilities'],
    [
      'capabilities on top',
      secured({ capabilities: { drop: ['ALL'], add: ['IPC_LOCK', 'NET_BIND_SERVICE', 'CHOWN'] } }),
      'adds the capabilities IPC_LOCK, CHOWN',
    ],
    ['a port of its node', { ports: [{ containerPort: 8000, hostPort: 1 }] }, 'opens the host port 1'],
    ['user 0', secured({ runAsUser: 0 }), 'has no numeric runAsUser above 0'],
    ['a user without number', secured({ runAsUser: 'qdrant' }), 'has no numeric runAsUser above 0'],
    ['the right to be root', secured({ runAsNonRoot: false }), 'has no runAsNonRoot: true'],
  ])('cannot have %s', (_, changes, problem) => {
    expect(problemsOfContainer(changes)).toEqual([`Deployment test/api: container api ${problem}`]);
  });

  test('cannot go without a seccomp filter', () => {
    expect(problemsOfContainer(secured({ seccompProfile: { type: 'Unconfined' } }))).toEqual([
      'Deployment test/api: container api has no seccompProfile of type RuntimeDefault',
      'Deployment test/api: container api switches seccomp off',
    ]);
  });

  test('may say what is the default, or what is stricter', () => {
    const capabilities = { drop: ['ALL'], add: ['NET_BIND_SERVICE'] };
    const changes = secured({ privileged: false, procMount: 'Default', runAsUser: 1, capabilities });
    expect(problemsOfContainer({ ...changes, ports: [{ containerPort: 8000, hostPort: 0 }] })).toEqual([]);
    expect(problemsOfContainer(secured({ seccompProfile: { type: 'Localhost', localhostProfile: 'api' } }))).toEqual(
      [],
    );
  });

  test('without a security context breaks every rule that the pod does not keep for it', () => {
    const problems = [
      'has no allowPrivilegeEscalation: false',
      'has no readOnlyRootFilesystem: true',
      'does not drop ALL capabilities',
    ];
    expect(problemsOfContainer({ securityContext: undefined })).toEqual(
      problems.map((problem) => `Deployment test/api: container api ${problem}`),
    );
  });

  test('needs a user and a filter of its own when the pod has none', () => {
    const own = secured({ runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } });
    expect(problemsOfPod({ securityContext: undefined, containers: [container(own)] })).toEqual([]);
    expect(problemsOfPod({ securityContext: undefined })).toEqual([
      'Deployment test/api: container api has no runAsNonRoot: true',
      'Deployment test/api: container api has no numeric runAsUser above 0',
      'Deployment test/api: container api has no seccompProfile of type RuntimeDefault',
    ]);
  });

  test.each<[string, Json]>([
    ['livenessProbe', { httpGet: { port: 80, host: '10.0.0.1' } }],
    ['readinessProbe', { tcpSocket: { port: 80, host: '10.0.0.1' } }],
    ['startupProbe', { httpGet: { port: 80, host: 'example.com' } }],
  ])('cannot have a %s that asks another host', (probe, handler) => {
    expect(problemsOfContainer({ [probe]: handler })).toEqual([
      'Deployment test/api: container api has a probe or lifecycle hook with a host of its own',
    ]);
  });

  test.each(['preStop', 'postStart'])('cannot have a hook %s that asks another host', (hook) => {
    expect(problemsOfContainer({ lifecycle: { [hook]: { httpGet: { port: 80, host: '10.0.0.1' } } } })).toEqual([
      'Deployment test/api: container api has a probe or lifecycle hook with a host of its own',
    ]);
  });

  test('can have probes and hooks that ask itself', () => {
    expect(
      problemsOfContainer({
        livenessProbe: { httpGet: { port: 80 } },
        readinessProbe: { grpc: { port: 80 } },
        lifecycle: { preStop: { exec: { command: ['sleep', '5'] } } },
      }),
    ).toEqual([]);
  });
});

describe.each<[string, string, (context: Json) => string[]]>([
  ['a pod', '', (context) => problemsOfPod({ securityContext: { ...POD, ...context } })],
  ['a container', 'container api ', (context) => problemsOfContainer(secured(context))],
])('the confinement of %s', (_, subject, problemsOfContext) => {
  test.each<[Json, string]>([
    [{ seLinuxOptions: { user: 'system_u' } }, 'sets an SELinux user or role'],
    [{ seLinuxOptions: { role: 'sysadm_r' } }, 'sets an SELinux user or role'],
    [{ seLinuxOptions: { type: 'spc_t' } }, 'sets the SELinux type spc_t'],
    [{ windowsOptions: { hostProcess: true } }, 'is a Windows host process'],
    [{ appArmorProfile: { type: 'Unconfined' } }, 'switches AppArmor off'],
  ])('cannot be loosened by %j', (context, problem) => {
    expect(problemsOfContext(context)).toEqual([`Deployment test/api: ${subject}${problem}`]);
  });

  test('is loosened in every way that is said', () => {
    const seLinuxOptions = { user: 'system_u', role: 'sysadm_r', type: 'spc_t', level: 's0' };
    expect(problemsOfContext({ seLinuxOptions, appArmorProfile: { type: 'Unconfined' } })).toEqual([
      `Deployment test/api: ${subject}sets an SELinux user or role`,
      `Deployment test/api: ${subject}sets the SELinux type spc_t`,
      `Deployment test/api: ${subject}switches AppArmor off`,
    ]);
  });

  test.each<Json>([
    { seLinuxOptions: {} },
    { seLinuxOptions: { level: 's0:c1,c2', type: '' } },
    ...['container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'].map((type) => ({
      seLinuxOptions: { type },
    })),
    { windowsOptions: { hostProcess: false } },
    { appArmorProfile: { type: 'RuntimeDefault' } },
    { appArmorProfile: { type: 'Localhost', localhostProfile: 'api' } },
    { seccompProfile: { type: 'Localhost', localhostProfile: 'api' } },
  ])('may be %j', (context) => {
    expect(problemsOfContext(context)).toEqual([]);
  });
});

describe.each(POD_KINDS)('an annotation on the pods of a %s', (kind) => {
  const ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/api';

  /** A workload whose pods carry these annotations, wherever its kind describes them. */
  const annotated = (annotations: Json): ManifestObject =>
    JSON.parse(
      JSON.stringify(workload(kind), (_, value) =>
        value?.spec?.containers === undefined ? value : { ...value, metadata: { ...value.metadata, annotations } },
      ),
    );

  test('cannot switch AppArmor off', () => {
    expect(problemsOf(podSecurityRestricted, [annotated({ [ANNOTATION]: 'unconfined' })])).toEqual([
      `${kind} test/api: switches AppArmor off by ${ANNOTATION}`,
    ]);
  });

  test.each(['runtime/default', 'localhost/api'])('may choose the AppArmor profile %s', (profile) => {
    expect(problemsOf(podSecurityRestricted, [annotated({ [ANNOTATION]: profile, other: 'unconfined' })])).toEqual([]);
  });
});

describe('an exception', () => {
  const asRoot = { [EXCEPTIONS]: 'runAsNonRoot: the image starts as root' };
  const mayLock = { [EXCEPTIONS]: 'capabilities IPC_LOCK: NCCL registers memory' };

  test('lets the pods run as root, and nothing else', () => {
    const changes = secured({ runAsNonRoot: false, runAsUser: 0, privileged: true });
    expect(problemsOfContainer(changes, { annotations: asRoot })).toEqual([
      'Deployment test/api: container api is privileged',
    ]);
  });

  test('lets them add a capability, but still drop all others, and nothing else', () => {
    const changes = secured({ runAsUser: 0, capabilities: { add: ['IPC_LOCK'] } });
    expect(problemsOfContainer(changes, { annotations: mayLock })).toEqual([
      'Deployment test/api: container api has no numeric runAsUser above 0',
      'Deployment test/api: container api does not drop ALL capabilities',
    ]);
  });

  test('can stand beside another', () => {
    const annotations = { [EXCEPTIONS]: `${asRoot[EXCEPTIONS]}\n${mayLock[EXCEPTIONS]}` };
    const changes = secured({ runAsNonRoot: false, runAsUser: 0, capabilities: { drop: ['ALL'], add: ['IPC_LOCK'] } });
    expect(problemsOfContainer(changes, { annotations })).toEqual([]);
  });

  test('lets the pods be root as a whole', () => {
    const securityContext = { ...POD, runAsNonRoot: false, runAsUser: 0 };
    expect(problemsOfPod({ securityContext }, { annotations: asRoot })).toEqual([]);
    expect(problemsOfPod({ securityContext }, { annotations: mayLock })).toContain(
      'Deployment test/api: sets runAsUser: 0',
    );
  });

  test.each<[string, string[], string]>([
    ['capabilities IPC_LOCK: NCCL', ['IPC_LOCK', 'CHOWN'], 'CHOWN'],
    ['capabilities IPC_LOCK: NCCL\ncapabilities CHOWN: its volume', ['IPC_LOCK', 'SYS_ADMIN', 'CHOWN'], 'SYS_ADMIN'],
    ['capabilities IPC_LOCK: not CHOWN; capabilities CHOWN: neither', ['CHOWN'], 'CHOWN'],
    ['capabilities IPC_LOCK CHOWN: not two in a line', ['CHOWN'], 'CHOWN'],
    ['capability CHOWN: a rule of another name', ['CHOWN'], 'CHOWN'],
    ['capabilities: all of them', ['CHOWN'], 'CHOWN'],
    ['capabilities ALL: all of them', ['CHOWN'], 'CHOWN'],
    ['capabilities IPC: a part of the name', ['IPC_LOCK'], 'IPC_LOCK'],
  ])('that says %j adds no capability but what it names', (text, add, added) => {
    const changes = secured({ capabilities: { drop: ['ALL'], add } });
    expect(problemsOfContainer(changes, { annotations: { [EXCEPTIONS]: text } })).toEqual([
      `Deployment test/api: container api adds the capabilities ${added}`,
    ]);
  });

  test.each([
    'capabilities IPC_LOCK: starts as root; runAsNonRoot: as well',
    'runAsNonRootUser: a rule of another name',
    'runAsNonRoot once: a rule of another name',
    ' runAsNonRoot: an indented line',
  ])('that says %j is none of running as root', (text) => {
    expect(problemsOfContainer(secured({ runAsUser: 0 }), { annotations: { [EXCEPTIONS]: text } })).toEqual([
      'Deployment test/api: container api has no numeric runAsUser above 0',
    ]);
  });

  test('stands on the object, not on its pods', () => {
    const object = workload('Deployment', { pod: { containers: [container(secured({ runAsUser: 0 }))] } });
    const { template } = object.spec;
    const annotated = { ...template, metadata: { ...template.metadata, annotations: asRoot } };
    expect(problemsOf(podSecurityRestricted, [{ ...object, spec: { template: annotated } }])).toEqual([
      'Deployment test/api: container api has no numeric runAsUser above 0',
    ]);
  });
});

test('pods that are not ours are not judged', () => {
  const foreign = workload('Deployment', { pod: { hostNetwork: true } });
  expect(problemsOf(podSecurityRestricted, [], { besides: [foreign] })).toEqual([]);
});
