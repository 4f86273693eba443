import { ExternalReferences } from '../../../constructs/rules/external-references';
import { CertificateAuthority } from '../../../constructs/secrets/certificate-authority';
import { testChart } from '../../support/manifests';

test.each([
  ['ConfigMap', CertificateAuthority.configMap('ca', 'ca.crt')],
  ['Secret', CertificateAuthority.secret('ca', 'ca.crt')],
])('an authority in a %s must exist in the namespace', (kind, authority) => {
  const chart = testChart();
  expect(authority).toMatchObject({ kind, name: 'ca', key: 'ca.crt' });
  authority._declare(chart);
  expect(ExternalReferences.of(chart).all).toEqual([{ kind, namespace: 'test', name: 'ca', key: 'ca.crt' }]);
});

test.each([
  [CertificateAuthority.secret, 'CA', 'ca.crt', /^authority\.secret is "CA", but must be DNS labels joined by dots: /],
  [
    CertificateAuthority.configMap,
    'CA',
    'ca.crt',
    /^authority\.configMap is "CA", but must be DNS labels joined by dots: /,
  ],
  [
    CertificateAuthority.secret,
    'ca',
    'ca/crt',
    /^authority\.key is "ca\/crt", but must consist of letters, digits, "-", "_" and "\.", and not begin with "\.\."$/,
  ],
])('an authority has a place that it can have', (make, name, key, message) => {
  expect(() => make(name, key)).toThrow(message);
});
