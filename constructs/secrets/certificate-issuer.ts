import { Chart } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { ExternalReferences } from '../rules/external-references';
import { dnsSubdomainProblem } from '../rules/object-name';
import { refuse } from '../rules/usage-error';

/** How an issuer works. */
export interface CertificateIssuerProps {
  /**
   * Whether it proves the ownership of a host by ACME HTTP-01. cert-manager then starts a pod beside the
   * Certificate, which the edge must be allowed to reach.
   * @default false
   */
  readonly http01?: boolean;
}

/** A cert-manager issuer that exists in the cluster. */
export class CertificateIssuer {
  /** An issuer for every namespace. */
  public static cluster(name: string, props: CertificateIssuerProps = {}): CertificateIssuer {
    return new CertificateIssuer(name, 'ClusterIssuer', props.http01 ?? false);
  }

  /** An issuer in the namespace of the chart. */
  public static namespaced(name: string, props: CertificateIssuerProps = {}): CertificateIssuer {
    return new CertificateIssuer(name, 'Issuer', props.http01 ?? false);
  }

  private constructor(
    /** Name of the issuer. */
    public readonly name: string,
    /** `ClusterIssuer` or `Issuer`. */
    public readonly kind: string,
    /** Whether it works by ACME HTTP-01. */
    public readonly http01: boolean,
  ) {
    refuse(dnsSubdomainProblem(name), { property: 'certificate.issuer' });
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
