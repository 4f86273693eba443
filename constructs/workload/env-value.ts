import type { k8s } from 'cdk8s-plus-28';
import { textProblem } from '../rules/text';
import { refuse } from '../rules/usage-error';
import type { SecretKey } from '../secrets/secret-key';

/**
 * A reference to another variable, whose name is one that `envNameProblem` accepts; `$$` before it is the text `$`, so
 * `$$(NAME)` is none and `$$$(NAME)` is one.
 */
const REFERENCE = /(?<=(?<!\$)(?:\$\$)*)\$\(([-._A-Za-z][-._A-Za-z0-9]*)\)/g;

/** The value of an environment variable. */
export class EnvValue {
  /** A plain value, which is no secret. */
  public static of(value: string): EnvValue {
    refuse(textProblem(value), { property: 'env' });
    // The kubelet takes $(NAME) for a reference and $$ for $, in every value.
    return new EnvValue({ value: value.replaceAll(/\$(?=[$(])/g, '$$$$') });
  }

  /** A key of a Secret. */
  public static fromSecret(secretKey: SecretKey): EnvValue {
    return new EnvValue({ secretKey });
  }

  /**
   * A key of a Secret as it may stand in a URL. From External Secrets it is the value in percent-encoding; other sources
   * have no such form, and it is the value itself, which must need no escaping then: letters, digits, `-` and `_`.
   */
  public static fromSecretInUrl(secretKey: SecretKey): EnvValue {
    return EnvValue.fromSecret(secretKey._inUrl);
  }

  /**
   * A text that the kubelet completes with other variables of the container: `redis://:$(PASSWORD)@queue:6379`.
   * What it refers to is put before it, because only variables defined earlier are expanded; it may be a template itself. Values are
   * inserted as they are, so in a URL stands what {@link EnvValue.fromSecretInUrl} gives.
   */
  public static template(text: string): EnvValue {
    refuse(textProblem(text), { property: 'env' });
    return new EnvValue({ value: text, template: true });
  }

  /** A field of the pod, through the downward API: `metadata.name`, `status.podIP`. */
  public static fromPod(fieldPath: string): EnvValue {
    return new EnvValue({ fieldPath });
  }

  private constructor(
    private readonly source: {
      readonly value?: string;
      readonly template?: boolean;
      readonly secretKey?: SecretKey;
      readonly fieldPath?: string;
    },
  ) {}

  /** The Secret key that the value comes from. */
  public get secretKey(): SecretKey | undefined {
    return this.source.secretKey;
  }

  /** Names of the variables that the value is completed with. */
  public get references(): string[] {
    return this.source.template === true
      ? [...(this.source.value ?? '').matchAll(REFERENCE)].map((match) => match[1] as string)
      : [];
  }

  /** The value as messages show it. */
  public get shown(): string {
    const { value, secretKey, fieldPath } = this.source;
    return secretKey === undefined ? `"${value ?? fieldPath}"` : `key ${secretKey.key} of Secret ${secretKey.secret}`;
  }

  /** Whether a container would see the same. */
  public equals(other: EnvValue): boolean {
    return JSON.stringify(this._render('')) === JSON.stringify(other._render(''));
  }

  /** The same value with the variables that it refers to under other names. */
  public renamed(names: { readonly [name: string]: string }): EnvValue {
    if (this.source.template !== true) {
      return this;
    }
    const text = this.source.value ?? '';
    return EnvValue.template(text.replaceAll(REFERENCE, (_, name: string) => `$(${names[name] ?? name})`));
  }

  /**
   * The same text, in which these references stay as they are for the program to complete.
   * @internal
   */
  public _leaving(names: string[]): EnvValue {
    const text = this.source.value ?? '';
    return EnvValue.template(
      text.replaceAll(REFERENCE, (all, name: string) => (names.includes(name) ? `$${all}` : all)),
    );
  }

  /**
   * The variable in a container.
   * @internal
   */
  public _render(name: string): k8s.EnvVar {
    const { value, secretKey, fieldPath } = this.source;
    if (secretKey !== undefined) {
      return { name, valueFrom: { secretKeyRef: { name: secretKey.secret, key: secretKey.key } } };
    }
    if (fieldPath !== undefined) {
      return { name, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } } };
    }
    return { name, value };
  }
}
