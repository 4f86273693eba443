import type { SecretKey } from '../secrets/secret-key';
import { EnvValue } from './env-value';

type Env = { readonly [name: string]: EnvValue };

/** A variable that takes the place of another, or tells where its value is. */
export interface DerivedVariable {
  /** The variable that it is made of. */
  readonly of: string;
  /** What its name has besides. */
  readonly suffix: string;
  /** Its value. */
  readonly value: EnvValue;
}

/** A directory of its own: whatever an image has at the place of a volume is hidden by it. */
const DIRECTORY = '/run/secrets/cdk8s-rag';

/**
 * How the values of Secrets reach a program. A variable stays what it was when the container started, and is seen by
 * whatever dumps the environment: crash reports, child processes, `/proc`. A file follows the Secret within a minute
 * or two (Kubernetes docs, "Secrets", on mounted Secrets).
 */
export class SecretDelivery {
  /** As variables: `QDRANT_API_KEY`. */
  public static readonly ENV = new SecretDelivery(true, false);

  /**
   * As files alone: the value in `/run/secrets/cdk8s-rag/QDRANT_API_KEY`, and that path in `QDRANT_API_KEY_FILE`, which
   * is the convention of Docker's official images. The kubelet cannot complete a text with a file, so instead of a
   * variable that contains a Secret's value there is one that says how to make it: for `CELERY_BROKER_URL`, in
   * `CELERY_BROKER_URL_TEMPLATE`, `redis://:$(REDIS_PASSWORD)@queue:6379/0`.
   */
  public static readonly FILES = new SecretDelivery(false, true);

  /** As variables, and the same values as files besides: for a program that can read only some of them from files. */
  public static readonly BOTH = new SecretDelivery(true, true);

  private constructor(
    private readonly inVariables: boolean,
    private readonly inFiles: boolean,
  ) {}

  /**
   * Directory of the files.
   * @internal
   */
  public get _directory(): string {
    return DIRECTORY;
  }

  /**
   * The files, named like the variables.
   * @internal
   */
  public _files(env: Env): { [name: string]: SecretKey } {
    return this.inFiles ? secretsIn(env) : {};
  }

  /**
   * Names of the variables that the container does not get.
   * @internal
   */
  public _withheld(env: Env): string[] {
    const withheld = new Set(this.inVariables ? [] : Object.keys(secretsIn(env)));
    // What is composed of a variable that is composed of a secret holds the secret as well.
    for (let before = -1; before < withheld.size; ) {
      before = withheld.size;
      for (const [name, { references }] of Object.entries(env)) {
        if (references.some((reference) => withheld.has(reference))) {
          withheld.add(name);
        }
      }
    }
    return [...withheld];
  }

  /**
   * The variables that it gets instead of them or besides.
   * @internal
   */
  public _derived(env: Env): DerivedVariable[] {
    const files = Object.keys(this._files(env)).map((of) => ({
      of,
      suffix: '_FILE',
      value: EnvValue.of(`${DIRECTORY}/${of}`),
    }));
    const withheld = this._withheld(env);
    const templates = withheld
      .filter((of) => env[of]?.secretKey === undefined)
      .map((of) => ({ of, suffix: '_TEMPLATE', value: (env[of] as EnvValue)._leaving(withheld) }));
    return [...files, ...templates];
  }
}

function secretsIn(env: Env): { [name: string]: SecretKey } {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, { secretKey }]) => (secretKey === undefined ? [] : [[name, secretKey]])),
  );
}
