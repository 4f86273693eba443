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
   * Whether an image without digest is a mistake.
   * @default false
   */
  readonly requireDigest?: boolean;
}

/** Where the cluster pulls images from: one setting for every container, init containers and Jobs included. */
export class Registry {
  /** Images come from where they are published. */
  public static readonly PUBLIC = new Registry();

  /** Names of the Secrets that every pod pulls with. */
  public readonly pullSecrets: string[];

  /** Whether an image without digest is a mistake. */
  public readonly requireDigest: boolean;

  private readonly mirror?: string;

  public constructor(props: RegistryProps = {}) {
    this.mirror = props.mirror?.replace(/\/+$/, '');
    this.pullSecrets = props.pullSecrets ?? [];
    this.requireDigest = props.requireDigest ?? false;
  }

  /** Where this cluster pulls the image of a fully qualified repository from. */
  public locate(host: string, path: string): string {
    return `${this.mirror ?? host}/${path}`;
  }
}
