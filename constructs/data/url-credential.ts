import type { SecretKey } from '../secrets/secret-key';
import { EnvValue } from '../workload/env-value';

/** The end of the name of a variable that holds what another does, in percent-encoding. */
const URL_FORM = '_URLENCODED';

/**
 * A name or password that clients get in a variable, and find in a URL too. Where it has a form of its own for URLs, that
 * is in a second variable, `PGPASSWORD_URLENCODED` beside `PGPASSWORD`.
 */
export class UrlCredential {
  public constructor(
    private readonly name: string,
    private readonly key: SecretKey,
  ) {}

  /** The variables. */
  public get env(): { readonly [name: string]: EnvValue } {
    return {
      [this.name]: EnvValue.fromSecret(this.key),
      ...(this.isEncoded ? { [`${this.name}${URL_FORM}`]: EnvValue.fromSecretInUrl(this.key) } : {}),
    };
  }

  /** What stands for it in a URL. */
  public get reference(): string {
    return `$(${this.name}${this.isEncoded ? URL_FORM : ''})`;
  }

  private get isEncoded(): boolean {
    return this.key._inUrl !== this.key;
  }
}
