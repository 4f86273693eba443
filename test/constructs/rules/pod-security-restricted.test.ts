import type { Json } from '../../../constructs/rules/output';
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
    ['an SELinux user', { securityContext: { ...POD, seLinuxOptions: { user: 'system_u' } } }, 'sets an SELinux user'],
    [
      'the Windows host',
      { securityContext: { ...POD, windowsOptions: { hostProcess: true } } },
      'is a Windows host process',
    ],
  ])('cannot have %s', (_, pod, problem) => {
    expect(problemsOfPod(pod)).toEqual([`Deployment test/api: ${problem}`]);
  });

  test('may say that it wants none of these', () => {
    const sysctls = [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }];
    const securityContext = {
      ...POD,
      sysctls,
      seLinuxOptions: { level: 's0' },
      windowsOptions: { hostProcess: false },
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
    [
      'no seccomp filter',
      secured({ seccompProfile: { type: 'Unconfined' } }),
      'has no seccompProfile of type RuntimeDefault',
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
    const annotations = { [EXCEPTIONS]: `${asRoot[EXCEPTIONS]}; ${mayLock[EXCEPTIONS]}` };
    const changes = secured({ runAsNonRoot: false, runAsUser: 0, capabilities: { drop: ['ALL'], add: ['IPC_LOCK'] } });
    expect(problemsOfContainer(changes, { annotations })).toEqual([]);
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
