import { App, Chart } from 'cdk8s';
import { Deployment } from '../../../constructs/workload/deployment';
import { PodSecurityException, PodSecurityLevels } from '../../../constructs/workload/pod-security';
import { find, templateOf } from '../../support/manifests';
import { IMAGE, RESOURCES } from '../../support/values';
import { CONTAINER, deployed } from '../../support/workloads';

const ANNOTATION = 'cdk8s-rag/pod-security-exceptions';
const HARDENED = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };

function withExceptions(...podSecurityExceptions: PodSecurityException[]) {
  const { chart, construct, objects } = deployed({ podSecurityExceptions });
  construct.addContainer({ name: 'sidecar', image: IMAGE, resources: RESOURCES });
  construct.addInitContainer({ name: 'before', image: IMAGE, resources: RESOURCES });
  const object = find(objects(), 'Deployment', 'api');
  const { spec } = templateOf(object);
  return {
    chart,
    objects: objects(),
    object,
    pod: spec.securityContext,
    containers: [...spec.containers, ...spec.initContainers].map(({ securityContext }) => securityContext),
  };
}

describe('without exceptions', () => {
  const { chart, object, pod, containers } = withExceptions();

  test('pods and all their containers are restricted', () => {
    expect(pod).toMatchObject({ runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: 'RuntimeDefault' } });
    expect(containers).toEqual([HARDENED, HARDENED, HARDENED]);
  });

  test('nothing is listed, and the namespace is restricted', () => {
    expect(object.metadata.annotations).toBeUndefined();
    expect(PodSecurityLevels.of(chart).levelOf('test')).toBe('restricted');
  });
});

describe('an image that starts as root', () => {
  const { chart, objects, object, pod, containers } = withExceptions(PodSecurityException.runAsRoot('old image'));

  test('runs as user 0 and is restricted in everything else', () => {
    expect(pod).toEqual({
      runAsNonRoot: false,
      runAsUser: 0,
      runAsGroup: 0,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(containers).toEqual([HARDENED, HARDENED, HARDENED]);
  });

  test('is listed with the reason, on the workload alone', () => {
    expect(object.metadata.annotations).toEqual({ [ANNOTATION]: 'runAsNonRoot: old image' });
    expect(templateOf(object).metadata.annotations).toBeUndefined();
    const others = objects.filter(({ kind }) => kind !== 'Deployment');
    expect(others.map(({ metadata }) => metadata.annotations)).toEqual([undefined, undefined]);
  });

  test('lowers the level of the namespace', () => {
    expect(PodSecurityLevels.of(chart).levelOf('test')).toBe('baseline');
  });
});

describe('a capability', () => {
  const { object, pod, containers } = withExceptions(
    PodSecurityException.addCapability('IPC_LOCK', 'NCCL over InfiniBand'),
    PodSecurityException.addCapability('NET_BIND_SERVICE', 'port 80'),
  );

  test('is added to the containers, and all others are still dropped', () => {
    const capabilities = { drop: ['ALL'], add: ['IPC_LOCK', 'NET_BIND_SERVICE'] };
    const hardened = { ...HARDENED, capabilities };
    expect(containers).toEqual([hardened, hardened, hardened]);
    expect(pod).toMatchObject({ runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001 });
  });

  test('is listed with the reason, one exception a line', () => {
    expect(object.metadata.annotations?.[ANNOTATION]).toBe(
      'capabilities IPC_LOCK: NCCL over InfiniBand\ncapabilities NET_BIND_SERVICE: port 80',
    );
  });

  test.each([
    ['restricted', ['NET_BIND_SERVICE']],
    [
      'baseline',
      [
        'AUDIT_WRITE',
        'CHOWN',
        'DAC_OVERRIDE',
        'FOWNER',
        'FSETID',
        'KILL',
        'MKNOD',
        'SETFCAP',
        'SETGID',
        'SETPCAP',
        'SETUID',
        'SYS_CHROOT',
      ],
    ],
    ['privileged', ['IPC_LOCK', 'NET_ADMIN', 'NET_RAW', 'SYS_ADMIN', 'SYS_PTRACE']],
  ])('needs the level %s when it is one of %j', (level, capabilities) => {
    for (const capability of capabilities) {
      const exception = PodSecurityException.addCapability(capability, 'reason');
      expect([capability, exception.level]).toEqual([capability, level]);
      expect(PodSecurityLevels.of(withExceptions(exception).chart).levelOf('test')).toBe(level);
    }
  });
});

describe('the level of a namespace', () => {
  const app = new App();
  const deployTo = (namespace: string, id: string, ...podSecurityExceptions: PodSecurityException[]) => {
    const chart = new Chart(app, `${namespace}-${id}`, { namespace });
    new Deployment(chart, id, { component: 'api', container: CONTAINER, podSecurityExceptions });
  };
  deployTo('mixed', 'a', PodSecurityException.runAsRoot('reason'));
  deployTo('mixed', 'b', PodSecurityException.addCapability('IPC_LOCK', 'reason'));
  deployTo('mixed', 'c');
  deployTo('rooted', 'd', PodSecurityException.runAsRoot('reason'));
  deployTo('clean', 'e');

  test.each([
    ['mixed', 'privileged'],
    ['rooted', 'baseline'],
    ['clean', 'restricted'],
    ['empty', 'restricted'],
  ])('%s is %s, the strictest that admits all its workloads', (namespace, level) => {
    expect(PodSecurityLevels.of(app).levelOf(namespace)).toBe(level);
  });
});

describe('mistakes', () => {
  test.each(['', '   ', '\n', 'one\ntwo'])('an exception with the reason %j', (reason) => {
    const message = 'podSecurityExceptions.reason must be one line that says why the workload needs the exception';
    expect(() => PodSecurityException.runAsRoot(reason)).toThrow(new Error(message));
    expect(() => PodSecurityException.addCapability('NET_BIND_SERVICE', reason)).toThrow(new Error(message));
  });
});

describe('a capability', () => {
  test.each(['ipc_lock', 'CAP_IPC_LOCK', 'IPC-LOCK', 'IPC_', ''])('is not named "%s"', (capability) => {
    expect(() => PodSecurityException.addCapability(capability, 'because')).toThrow(
      new Error(
        `podSecurityExceptions has "${capability}", but capabilities are upper-case words without CAP_: IPC_LOCK`,
      ),
    );
  });

  test('is not added twice', () => {
    const exception = (reason: string) => PodSecurityException.addCapability('IPC_LOCK', reason);
    expect(() => withExceptions(exception('one'), exception('other'))).toThrow(
      new Error('rag/api: podSecurityExceptions has capabilities IPC_LOCK twice; keep one of the two'),
    );
    expect(
      withExceptions(exception('one'), PodSecurityException.addCapability('KILL', 'other')).containers[0],
    ).toMatchObject({
      capabilities: { add: ['IPC_LOCK', 'KILL'] },
    });
  });
});
