import { Chart } from 'cdk8s';
import type { k8s } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';
import {
  Certificate,
  CertificateSpecPrivateKeyRotationPolicy as RotationPolicy,
  CertificateSpecUsages as Usage,
} from '../../imports/cert-manager.io';
import { SyncWave } from '../network/sync-wave';
import { ExternalReferences } from '../rules/external-references';
import { dnsSubdomainProblem } from '../rules/object-name';
import { refuse } from '../rules/usage-error';
import type { CertificateIssuer } from './certificate-issuer';
import { SecretKey } from './secret-key';

export { Usage as CertificateUsage };

/** The keys of a TLS Secret. */
export interface CertificateKeys {
  /** Certificate chain. */
  readonly certificate: SecretKey;
  /** Private key. */
  readonly privateKey: SecretKey;
  /** Certificate of the authority. */
  readonly authority: SecretKey;
}

/** The certificate of a server, and the authority by which its clients know it. */
export class ServerCertificate {
  /** A `kubernetes.io/tls` Secret that exists; for servers inside the cluster with the authority in `ca.crt`. */
  public static existing(secret: string): ServerCertificate {
    refuse(dnsSubdomainProblem(secret), { property: 'certificate.secret' });
    return new ServerCertificate(undefined, secret);
  }

  /**
   * A certificate that cert-manager issues and renews. For servers inside the cluster the issuer must put the
   * authority into `ca.crt`; public ACME issuers do not.
   */
  public static issuedBy(issuer: CertificateIssuer): ServerCertificate {
    return new ServerCertificate(issuer, undefined);
  }

  private constructor(
    private readonly issuer: CertificateIssuer | undefined,
    private readonly secret: string | undefined,
  ) {}

  /** Whether cert-manager starts pods that answer an ACME HTTP-01 challenge. */
  public get http01(): boolean {
    return this.issuer?.http01 ?? false;
  }

  /** Whether the certificate is renewed by itself while pods run. */
  public get renewed(): boolean {
    return this.issuer !== undefined;
  }

  /**
   * Creates what the servers in the cluster need that the metadata belongs to, and returns the keys. The Certificate is
   * there before them: what an operator runs counts as failed while its Secret is missing.
   * @internal
   */
  public _bindServer(scope: Construct, metadata: k8s.ObjectMeta, dnsNames: string[], usages: Usage[]): CertificateKeys {
    const annotations = { ...metadata.annotations, ...SyncWave.SECRETS.annotations };
    return this._bind(scope, { ...metadata, annotations }, dnsNames, usages);
  }

  /**
   * Creates what is needed and returns the keys. The Certificate is applied as the metadata says.
   * @internal
   */
  public _bind(scope: Construct, metadata: k8s.ObjectMeta, dnsNames: string[], usages: Usage[]): CertificateKeys {
    if (this.issuer === undefined) {
      const secret = this.secret as string;
      ExternalReferences.of(scope).declare({ kind: 'Secret', namespace: Chart.of(scope).namespace, name: secret });
      return keysOf((key) => SecretKey.of(secret, key));
    }
    this.issuer._declare(scope);
    const name = `${metadata.name}-tls`;
    new Certificate(scope, 'Certificate', {
      metadata: { ...metadata, name },
      spec: {
        secretName: name,
        dnsNames,
        issuerRef: { group: 'cert-manager.io', kind: this.issuer.kind, name: this.issuer.name },
        privateKey: { rotationPolicy: RotationPolicy.ALWAYS },
        usages,
      },
    });
    return keysOf((key) => SecretKey._provided(name, key, () => {}));
  }
}

function keysOf(key: (name: string) => SecretKey): CertificateKeys {
  return { certificate: key('tls.crt'), privateKey: key('tls.key'), authority: key('ca.crt') };
}
