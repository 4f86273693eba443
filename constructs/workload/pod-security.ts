import type { IConstruct } from 'constructs';
import { UsageError } from '../rules/usage-error';

/** Levels of the Pod Security Standards, the strictest first. */
const LEVELS = ['restricted', 'baseline', 'privileged'] as const;

/** Capabilities that the level "baseline" allows to add (Kubernetes docs, "Pod Security Standards"). */
const BASELINE_CAPABILITIES = [
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
];

/** Without the prefix of capabilities(7) (Kubernetes docs, "Configure a Security Context"). */
const CAPABILITY = /^(?!CAP_)[A-Z]+(_[A-Z]+)*$/;

/**
 * A rule of the Pod Security level "restricted" that a workload breaks, and why it must. The namespace's
 * level is lowered as far as the exceptions in it need, and the object names them.
 */
export class PodSecurityException {
  /** The image starts as user 0. */
  public static runAsRoot(reason: string): PodSecurityException {
    return new PodSecurityException('runAsNonRoot', reason, 'baseline');
  }

  /** A Linux capability that the program needs: `IPC_LOCK` for NCCL over InfiniBand. */
  public static addCapability(capability: string, reason: string): PodSecurityException {
    if (!CAPABILITY.test(capability)) {
      throw new UsageError(`has "${capability}", but capabilities are upper-case words without CAP_: IPC_LOCK`, {
        property: 'podSecurityExceptions',
      });
    }
    const level =
      capability === 'NET_BIND_SERVICE'
        ? 'restricted'
        : BASELINE_CAPABILITIES.includes(capability)
          ? 'baseline'
          : 'privileged';
    return new PodSecurityException('capabilities', reason, level, capability);
  }

  private constructor(
    /** Field that the exception is about. */
    public readonly rule: string,
    /** Why the workload needs it. */
    public readonly reason: string,
    /** The strictest level that admits it. */
    public readonly level: string,
    /** The capability that is added. */
    public readonly capability?: string,
  ) {
    if (reason.trim() === '' || reason.includes('\n')) {
      throw new UsageError('must be one line that says why the workload needs the exception', {
        property: 'podSecurityExceptions.reason',
      });
    }
  }
}

/** Refuses an exception that is there twice: one of the two reasons is not the real one. */
export function checkExceptions(scope: IConstruct, exceptions: readonly PodSecurityException[]): void {
  const subjects = exceptions.map(subjectOf);
  const twice = subjects.find((subject, index) => subjects.indexOf(subject) !== index);
  if (twice !== undefined) {
    throw new UsageError(`has ${twice} twice; keep one of the two`, { scope, property: 'podSecurityExceptions' });
  }
}

function subjectOf({ rule, capability }: PodSecurityException): string {
  return [rule, capability].filter(Boolean).join(' ');
}

/** Annotation that lists the exceptions of a workload and their reasons. */
const ANNOTATION = 'cdk8s-rag/pod-security-exceptions';

/** Annotations of a workload with these exceptions. */
export function exceptionAnnotations(exceptions: PodSecurityException[]): { [annotation: string]: string } {
  if (exceptions.length === 0) {
    return {};
  }
  const lines = exceptions.map((exception) => `${subjectOf(exception)}: ${exception.reason}`);
  return { [ANNOTATION]: lines.join('\n') };
}

const LEVEL_OF_NAMESPACE = Symbol.for('cdk8s-rag.PodSecurityLevels');

/** The Pod Security level that each namespace of an app can enforce. */
export class PodSecurityLevels {
  /** The levels in the app that this construct belongs to. */
  public static of(scope: IConstruct): PodSecurityLevels {
    const root = scope.node.root as IConstruct & { [LEVEL_OF_NAMESPACE]?: PodSecurityLevels };
    root[LEVEL_OF_NAMESPACE] ??= new PodSecurityLevels();
    return root[LEVEL_OF_NAMESPACE];
  }

  private readonly exceptions = new Map<string, PodSecurityException[]>();

  private constructor() {}

  /** Records the exceptions of a workload. */
  public admit(namespace: string, exceptions: PodSecurityException[]): void {
    this.exceptions.set(namespace, [...(this.exceptions.get(namespace) ?? []), ...exceptions]);
  }

  /** The strictest level that admits every workload of the namespace. */
  public levelOf(namespace: string): string {
    const levels = (this.exceptions.get(namespace) ?? []).map(({ level }) => LEVELS.indexOf(level as never));
    return LEVELS[Math.max(0, ...levels)] ?? 'restricted';
  }
}
