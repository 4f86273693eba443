import { Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { ExternalReferences } from '../rules/external-references';
import { dnsSubdomainProblem, isDataKey } from '../rules/object-name';
import { refuse } from '../rules/usage-error';

/** A certificate authority in PEM, in an object of the namespace that somebody else creates. */
export class CertificateAuthority {
  /** A key of a ConfigMap, such as trust-manager distributes. */
  public static configMap(name: string, key: string): CertificateAuthority {
    return new CertificateAuthority('ConfigMap', name, key);
  }

  /** A key of a Secret. */
  public static secret(name: string, key: string): CertificateAuthority {
    return new CertificateAuthority('Secret', name, key);
  }

  private constructor(
    /** `ConfigMap` or `Secret`. */
    public readonly kind: string,
    /** Name of the object. */
    public readonly name: string,
    /** Key in its data. */
    public readonly key: string,
  ) {
    refuse(dnsSubdomainProblem(name), { property: `authority.${kind === 'Secret' ? 'secret' : 'configMap'}` });
    refuse(
      isDataKey(key)
        ? undefined
        : `is "${key}", but must consist of letters, digits, "-", "_" and ".", and not begin with ".."`,
      { property: 'authority.key' },
    );
  }

  /**
   * Declares that the object must exist.
   * @internal
   */
  public _declare(scope: IConstruct): void {
    const { kind, name, key } = this;
    ExternalReferences.of(scope).declare({ kind, namespace: Chart.of(scope).namespace, name, key });
  }
}
