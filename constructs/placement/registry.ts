import { dnsSubdomainProblem } from '../rules/object-name';
import { UsageError } from '../rules/usage-error';

/** How images reach the cluster. */
export interface RegistryProps {
  /**
   * Host, and path if any, that replaces the registry host of every image: `registry.acme.example/mirror`.
   * `ghcr.io/acme/rag-api` becomes `registry.acme.example/mirror/acme/rag-api`. Images that name the host of the mirror
   * themselves are there already, and stay as they are.
   * @default - images are pulled from where they are published
   */
  readonly mirror?: string;

  /**
   * Mirrors by the registry that they stand for, such as the pull-through caches of a registry, which have a path for
   * each: `{ 'docker.io': 'registry.acme.example/docker-hub', 'ghcr.io': 'registry.acme.example/github' }`. They win over
   * `mirror`, which is for all other registries.
   * @default - none
   */
  readonly mirrors?: { readonly [registry: string]: string };

  /**
   * Names of the `kubernetes.io/dockerconfigjson` Secrets that every pod pulls with.
   * @default - none
   */
  readonly pullSecrets?: string[];

  /**
   * Whether an image without digest is a mistake, and with it a model that pods or Jobs download without naming the
   * commit in its hub. Models of the catalogue name theirs.
   * @default false
   */
  readonly requireDigest?: boolean;
}

/** Where the cluster pulls images from: one setting for every container, init containers and Jobs included. */
export class Registry {
  /** Images come from where they are published. */
  public static readonly PUBLIC = new Registry();

  /** Names of the Secrets that every pod pulls with. */
  public readonly pullSecrets: readonly string[];

  /** Whether an image without digest is a mistake. */
  public readonly requireDigest: boolean;

  private readonly mirror?: string;
  private readonly mirrors: ReadonlyMap<string, string>;

  public constructor(props: RegistryProps = {}) {
    this.mirror = props.mirror === undefined ? undefined : checkedMirror('registry.mirror', props.mirror);
    const mirrors = Object.entries(props.mirrors ?? {});
    this.mirrors = new Map(
      mirrors.map(([host, mirror]) => [checkedRegistry(host), checkedMirror(`registry.mirrors.${host}`, mirror)]),
    );
    this.pullSecrets = checkedSecrets([...(props.pullSecrets ?? [])]);
    this.requireDigest = props.requireDigest ?? false;
  }

  /** Where this cluster pulls the image of a fully qualified repository from. */
  public locate(host: string, path: string): string {
    const published = `${host}/${path}`;
    const mirror = this.mirrors.get(host);
    if (mirror !== undefined) {
      return published.startsWith(`${mirror}/`) ? published : `${mirror}/${path}`;
    }
    const there = [this.mirror, ...this.mirrors.values()].some((one) => one?.split('/')[0] === host);
    return this.mirror === undefined || there ? published : `${this.mirror}/${path}`;
  }
}

const HOST = /^[a-z0-9]+([.-][a-z0-9]+)*(:\d+)?$/;
const MIRROR = /^[a-z0-9]+([.-][a-z0-9]+)*(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*\/?$/;

/** Hosts under which Docker Hub answers, but which no image is named by. */
const DOCKER_HUB_ALIASES = ['index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com', 'hub.docker.com'];

function checkedRegistry(host: string): string {
  if (DOCKER_HUB_ALIASES.includes(host)) {
    throw new UsageError(
      `has "${host}", which no image is named by; write docker.io, the name of Docker Hub in images`,
      {
        property: 'registry.mirrors',
      },
    );
  }
  if (!HOST.test(host)) {
    throw new UsageError(`has "${host}"; name registries by their hosts alone: docker.io, ghcr.io`, {
      property: 'registry.mirrors',
    });
  }
  return host;
}

function checkedMirror(property: string, mirror: string): string {
  if (!MIRROR.test(mirror)) {
    throw new UsageError(`is "${mirror}"; write host and path without scheme: registry.acme.example/mirror`, {
      property,
    });
  }
  return mirror.replace(/\/$/, '');
}

function checkedSecrets(names: string[]): string[] {
  for (const name of names) {
    const problem = dnsSubdomainProblem(name, 253);
    if (problem !== undefined) {
      throw new UsageError(problem, { property: 'registry.pullSecrets' });
    }
  }
  return names;
}
