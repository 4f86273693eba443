import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { Lazy } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { PRUNED_LAST } from '../network/sync-wave';
import { isDataKey } from '../rules/object-name';
import { UsageError } from '../rules/usage-error';
import { ConfigRollout } from './config-rollout';

/** What a ConfigMap holds, names and contents together (Kubernetes docs, "ConfigMaps"). */
const MOST_BYTES = 1024 * 1024;

/** Longest key of a ConfigMap, and so the longest name of a file (Kubernetes docs, "ConfigMap v1"). */
const LONGEST_NAME = 253;

/** Digits of a hash in a name: enough that no two contents of a workload share one. */
const HASH_LENGTH = 10;

/** Configuration files of a workload, in one ConfigMap. */
export class ConfigFiles extends Construct {
  /** The ConfigMap. */
  public readonly configMap: k8s.KubeConfigMap;
  private readonly data = new Map<string, string>();
  private readonly places = new Set<string>();

  public constructor(
    scope: Construct,
    id: string,
    private readonly metadata: k8s.ObjectMeta,
    private readonly rollout: ConfigRollout = ConfigRollout.CHECKSUM,
  ) {
    super(scope, id);
    this.configMap = new k8s.KubeConfigMap(this, 'Resource', {
      ...(rollout === ConfigRollout.CHECKSUM ? { metadata } : this.immutable(metadata)),
      data: Lazy.any({ produce: () => Object.fromEntries(this.sorted()) }),
    });
  }

  /** Name of the ConfigMap; of an immutable one, while files are added, the name that it has so far. */
  public get name(): string {
    const { name = '' } = this.metadata;
    return this.changesInPlace ? name : `${name}-${this.checksum.slice(0, HASH_LENGTH)}`;
  }

  /** Whether the ConfigMap is the same one when its content is another. */
  public get changesInPlace(): boolean {
    return this.rollout === ConfigRollout.CHECKSUM;
  }

  /**
   * Adds a file that a container finds at an absolute path; returns its key in the ConfigMap. The first file of a
   * name has it as its key, so a file that is added later changes nothing for those before it.
   */
  public add(path: string, content: string, container = ''): string {
    const place = `${container}:${path}`;
    const key = this.keyOf(path, place);
    const problem = this.problemOf(path, place) ?? this.sizeProblem(path, key, content);
    if (problem !== undefined) {
      throw new UsageError(problem, { scope: this.node.scope, property: 'files' });
    }
    this.places.add(place);
    this.data.set(key, content);
    return key;
  }

  /** Changes when, and only when, the content changes; pods that carry it restart then. */
  public get checksum(): string {
    return createHash('sha256').update(JSON.stringify(this.sorted())).digest('hex');
  }

  private immutable(metadata: k8s.ObjectMeta): k8s.KubeConfigMapProps {
    return {
      metadata: {
        ...metadata,
        name: Lazy.any({ produce: () => this.name }),
        annotations: { ...metadata.annotations, ...PRUNED_LAST },
      },
      immutable: true,
    };
  }

  /** The name of the file; when another has it, the path; when another has that too, the name and a digest. */
  private keyOf(path: string, place: string): string {
    const name = posix.basename(path);
    const digest = createHash('sha256').update(place).digest('hex').slice(0, 8);
    const candidates = [name, path.slice(1).replaceAll('/', '.'), `${digest}.${name}`];
    return candidates.find((key) => isDataKey(key) && !this.data.has(key)) ?? name;
  }

  private problemOf(path: string, place: string): string | undefined {
    if (!posix.isAbsolute(path)) {
      return `has the path "${path}"; paths are absolute`;
    }
    const name = posix.basename(path);
    if (name.length > LONGEST_NAME) {
      return `has the path "${path}", whose file name has ${name.length} characters; names of files have at most ${LONGEST_NAME}`;
    }
    if (!isDataKey(name)) {
      return `has the path "${path}"; names of files consist of letters, digits, "-", "_" and ".", and do not begin with ".."`;
    }
    return (
      mountProblem(path) ??
      (this.places.has(place) ? `has the file "${path}" twice; drop one` : this.nesting(path, place))
    );
  }

  /** What is wrong with a file that takes the place of a folder of another, or the other way round. */
  private nesting(path: string, place: string): string | undefined {
    const other = [...this.places].find((known) => known.startsWith(`${place}/`) || place.startsWith(`${known}/`));
    return other === undefined
      ? undefined
      : `has the files "${path}" and "${other.slice(other.indexOf(':') + 1)}", of which one would be a folder; move one`;
  }

  private sizeProblem(path: string, key: string, content: string): string | undefined {
    const texts = [...[...this.data].flat(), key, content];
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    return bytes <= MOST_BYTES
      ? undefined
      : `has ${bytes} bytes with "${path}", but a ConfigMap holds at most 1 MiB (${MOST_BYTES} bytes); put large ` +
          'files into the image or a volume';
  }

  private sorted(): [string, string][] {
    return [...this.data].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** What is wrong with a path at which no container can find a file; undefined when nothing is. */
function mountProblem(path: string): string | undefined {
  const normal = posix.normalize(path).replace(/\/$/, '');
  if (path !== normal) {
    return `has the path "${path}", which is ${normal} in other words; write that`;
  }
  if (path.includes(':')) {
    return `has the path "${path}", but a path of a mount has no ":"; leave it out`;
  }
  // Runtimes refuse what would hide the kernel's files (opencontainers/runc, libcontainer/rootfs_linux.go).
  return path.startsWith('/proc/')
    ? `has the path "${path}", but nothing can be mounted below /proc; move it`
    : undefined;
}
