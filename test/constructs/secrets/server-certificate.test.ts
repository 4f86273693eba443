import { ExternalReferences } from '../../../constructs/rules/external-references';
import { CertificateIssuer } from '../../../constructs/secrets/certificate-issuer';
import { CertificateUsage, ServerCertificate } from '../../../constructs/secrets/server-certificate';
import { find, render, testChart } from '../../support/manifests';

const NAMES = ['db', 'db.test.svc'];

function bound(certificate: ServerCertificate) {
  const chart = testChart();
  const metadata = { name: 'db', labels: { team: 'search' } };
  const keys = certificate._bind(chart, metadata, NAMES, [CertificateUsage.SERVER_AUTH]);
  const secrets = Object.entries(keys).map(([name, { secret, key }]) => [name, secret, key]);
  return { chart, keys, secrets, objects: render(chart) };
}

describe('a certificate that exists', () => {
  const certificate = ServerCertificate.existing('db-certificate');
  const { chart, keys, secrets, objects } = bound(certificate);

  test('is the keys of its Secret, and no object', () => {
    expect(secrets).toEqual([
      ['certificate', 'db-certificate', 'tls.crt'],
      ['privateKey', 'db-certificate', 'tls.key'],
      ['authority', 'db-certificate', 'ca.crt'],
    ]);
    expect(objects).toEqual([]);
  });

  test('must be in the namespace', () => {
    expect(ExternalReferences.of(chart).includes({ kind: 'Secret', namespace: 'test', name: 'db-certificate' })).toBe(
      true,
    );
    expect(ExternalReferences.of(chart).includes({ kind: 'Secret', namespace: 'other', name: 'db-certificate' })).toBe(
      false,
    );
    expect(keys.certificate.secret).toBe('db-certificate');
  });

  test('is not renewed, and needs no challenge', () => {
    expect(certificate.renewed).toBe(false);
    expect(certificate.http01).toBe(false);
  });

  test('cannot be in a Secret with a name that is none', () => {
    expect(() => bound(ServerCertificate.existing('Db'))).toThrow(
      'certificate.secret is "Db", but must be DNS labels joined by dots: lower-case letters, digits and "-", beginning and ' +
        'ending with a letter or digit',
    );
  });
});

describe('a certificate that is issued', () => {
  const certificate = ServerCertificate.issuedBy(CertificateIssuer.cluster('acme'));
  const { chart, keys, secrets, objects } = bound(certificate);

  test('is an object of cert-manager with a Secret of its own, and a new key at every renewal', () => {
    expect(objects).toHaveLength(1);
    const object = find(objects, 'Certificate', 'db-tls');
    expect(object.metadata).toEqual({ name: 'db-tls', namespace: 'test', labels: { team: 'search' } });
    expect(object.spec).toEqual({
      secretName: 'db-tls',
      dnsNames: NAMES,
      issuerRef: { group: 'cert-manager.io', kind: 'ClusterIssuer', name: 'acme' },
      privateKey: { rotationPolicy: 'Always' },
      usages: ['server auth'],
    });
  });

  test('is the keys that cert-manager writes, which need not exist', () => {
    expect(secrets).toEqual([
      ['certificate', 'db-tls', 'tls.crt'],
      ['privateKey', 'db-tls', 'tls.key'],
      ['authority', 'db-tls', 'ca.crt'],
    ]);
    keys.certificate._bind(chart);
    expect(ExternalReferences.of(chart).all).toEqual([{ kind: 'ClusterIssuer', name: 'acme', namespace: undefined }]);
  });

  test('is renewed, and needs a challenge when the issuer does', () => {
    expect(certificate.renewed).toBe(true);
    expect(certificate.http01).toBe(false);
    expect(ServerCertificate.issuedBy(CertificateIssuer.cluster('acme', { http01: true })).http01).toBe(true);
  });

  test('can come from an issuer of the namespace, for every use that is asked for', () => {
    const target = testChart();
    ServerCertificate.issuedBy(CertificateIssuer.namespaced('acme'))._bind(target, { name: 'db' }, NAMES, [
      CertificateUsage.SERVER_AUTH,
      CertificateUsage.CLIENT_AUTH,
    ]);
    expect(find(render(target), 'Certificate', 'db-tls').spec).toMatchObject({
      issuerRef: { group: 'cert-manager.io', kind: 'Issuer', name: 'acme' },
      usages: ['server auth', 'client auth'],
    });
    expect(ExternalReferences.of(target).all).toEqual([{ kind: 'Issuer', name: 'acme', namespace: 'test' }]);
  });
});
