import { Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { ExternalReferences } from '../rules/external-references';

/** A cert-manager issuer that exists in the cluster. */
export class CertificateIssuer {
  /** An issuer for every namespace. */
  public static cluster(name: string): CertificateIssuer {
    return new CertificateIssuer(name, 'ClusterIssuer');
  }

  /** An issuer in the namespace of the chart. */
  public static namespaced(name: string): CertificateIssuer {
    return new CertificateIssuer(name, 'Issuer');
  }

  private constructor(
    /** Name of the issuer. */
    public readonly name: string,
    /** `ClusterIssuer` or `Issuer`. */
    public readonly kind: string,
  ) {}

  /** Annotation by which cert-manager fills the TLS Secrets of an Ingress or Gateway. */
  public get annotations(): { [annotation: string]: string } {
    return { [`cert-manager.io/${this.kind === 'Issuer' ? 'issuer' : 'cluster-issuer'}`]: this.name };
  }

  /**
   * Declares that the issuer must exist.
   * @internal
   */
  public _declare(scope: IConstruct): void {
    const namespace = this.kind === 'Issuer' ? Chart.of(scope).namespace : undefined;
    ExternalReferences.of(scope).declare({ kind: this.kind, name: this.name, namespace });
  }
}
