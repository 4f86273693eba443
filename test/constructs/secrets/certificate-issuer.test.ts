import { ExternalReferences } from '../../../constructs/rules/external-references';
import { CertificateIssuer } from '../../../constructs/secrets/certificate-issuer';
import { testChart } from '../../support/manifests';

describe('an issuer', () => {
  test.each([
    [
      'of the cluster',
      CertificateIssuer.cluster('acme'),
      'ClusterIssuer',
      { kind: 'ClusterIssuer', name: 'acme', namespace: undefined },
    ],
    [
      'of the namespace',
      CertificateIssuer.namespaced('acme'),
      'Issuer',
      { kind: 'Issuer', name: 'acme', namespace: 'test' },
    ],
  ])('%s must exist there, once something is issued', (_, issuer, kind, reference) => {
    expect(issuer).toMatchObject({ name: 'acme', kind });
    const chart = testChart();
    expect(ExternalReferences.of(chart).all).toEqual([]);
    issuer._declare(chart);
    expect(ExternalReferences.of(chart).all).toEqual([reference]);
  });

  test.each([
    ['cluster', CertificateIssuer.cluster],
    ['namespaced', CertificateIssuer.namespaced],
  ])('that is %s answers challenges over HTTP only when said so', (_, create) => {
    expect(create('acme').http01).toBe(false);
    expect(create('acme', {}).http01).toBe(false);
    expect(create('acme', { http01: false }).http01).toBe(false);
    expect(create('acme', { http01: true }).http01).toBe(true);
  });
});

test.each([CertificateIssuer.cluster, CertificateIssuer.namespaced])(
  'an issuer has a name that it can have',
  (issuer) => {
    expect(() => issuer('Acme CA')).toThrow(
      /^certificate\.issuer is "Acme CA", but must be DNS labels joined by dots: /,
    );
  },
);
