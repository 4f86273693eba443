import { dnsSubdomainProblem } from '../rules/object-name';
import { UsageError } from '../rules/usage-error';

/** How images reach the cluster. */
export interface RegistryProps {
  /**
   * Host, and path if any, that replaces the registry host of every image: `registry.acme.example/mirror`.
   * `ghcr.io/acme/rag-api` becomes `registry.acme.example/mirror/acme/rag-api`.
   * @default - images are pulled from where they are published
   */
  readonly mirror?: string;

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

  public constructor(props: RegistryProps = {}) {
    this.mirror = checkedMirror(props.mirror);
    this.pullSecrets = checkedSecrets([...(props.pullSecrets ?? [])]);
    this.requireDigest = props.requireDigest ?? false;
  }

  /** Where this cluster pulls the image of a fully qualified repository from. */
  public locate(host: string, path: string): string {
    return `${this.mirror ?? host}/${path}`;
  }
}

const MIRROR = /^[a-z0-9]+([.-][a-z0-9]+)*(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*\/?$/;

function checkedMirror(mirror: string | undefined): string | undefined {
  if (mirror !== undefined && !MIRROR.test(mirror)) {
    throw new UsageError(`is "${mirror}"; write host and path without scheme: registry.acme.example/mirror`, {
      property: 'registry.mirror',
    });
  }
  return mirror?.replace(/\/$/, '');
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
