import { Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { ExternalReferences } from '../rules/external-references';
import { dnsSubdomainProblem, isDataKey } from '../rules/object-name';
import { UsageError } from '../rules/usage-error';

/** How a key comes to be in the cluster. */
type Provision = (scope: IConstruct, key: SecretKey) => void;

/** What is special about a key that an object of the output creates. */
interface SecretKeyDetails {
  /** SecretProviderClass that a pod has to mount for the Secret to exist. */
  readonly providerClass?: string;
  /** The key beside it that holds the same as URLs need it. */
  readonly inUrl?: () => SecretKey;
}

/**
 * A key of a Secret: a reference, never the value. No type of this library can hold a secret's value.
 */
export class SecretKey {
  /**
   * A key of a Secret that exists in the cluster, or that somebody else creates before the output is applied.
   *
   * @param secret name of the Secret, in the namespace of the chart
   * @param key key in its data
   */
  public static of(secret: string, key: string): SecretKey {
    return new SecretKey(secret, key, declareExisting);
  }

  /**
   * A key of a Secret that an object of the output creates.
   * @internal
   */
  public static _provided(secret: string, key: string, provide: Provision, details: SecretKeyDetails = {}): SecretKey {
    return new SecretKey(secret, key, provide, details);
  }

  private constructor(
    /** Name of the Secret. */
    public readonly secret: string,
    /** Key in the Secret's data. */
    public readonly key: string,
    private readonly provide: Provision,
    private readonly details: SecretKeyDetails = {},
  ) {
    const problem = dnsSubdomainProblem(secret, 253);
    if (problem !== undefined) {
      throw new UsageError(problem, { property: 'secret.secret' });
    }
    if (!isDataKey(key)) {
      throw new UsageError(
        `is "${key}", but must consist of letters, digits, "-", "_" and ".", and not begin with ".."`,
        {
          property: 'secret.key',
        },
      );
    }
  }

  /**
   * SecretProviderClass that a pod has to mount for the Secret to exist.
   * @internal
   */
  public get _providerClass(): string | undefined {
    return this.details.providerClass;
  }

  /**
   * The key that holds the same as URLs need it. Where a Secret cannot have one, it is the key itself, whose value must
   * need no escaping.
   * @internal
   */
  public get _inUrl(): SecretKey {
    return this.details.inUrl?.() ?? this;
  }

  /**
   * Sees to it that the key is there for an object in this scope.
   * @internal
   */
  public _bind(scope: IConstruct): void {
    this.provide(scope, this);
  }

  /**
   * Sees to it that the key is there for an operator, which reads the Secret by the API and mounts nothing.
   * @internal
   */
  public _bindForOperator(scope: IConstruct, property: string): void {
    if (this._providerClass !== undefined) {
      throw new UsageError(
        `has key ${this.key} of Secret ${this.secret}, which there is only while pods mount it, and the operator that reads ` +
          'it mounts nothing; take it from ExternalSecrets, or from a Secret that exists',
        { scope, property },
      );
    }
    this._bind(scope);
  }
}

function declareExisting(scope: IConstruct, { secret, key }: SecretKey): void {
  ExternalReferences.of(scope).declare({ kind: 'Secret', namespace: Chart.of(scope).namespace, name: secret, key });
}
