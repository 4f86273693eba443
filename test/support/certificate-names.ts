import type { Json, ManifestObject } from '../../constructs/rules/output';

/**
 * Whether a certificate with these names is one of a host, as TLS libraries judge it: a wildcard stands for the whole
 * leftmost label and nothing more, and needs at least two labels after it (RFC 6125, 6.4.3; rustls-webpki, OpenSSL).
 */
export function isCovered(host: string, dnsNames: readonly string[]): boolean {
  return dnsNames.some((name) => matchesName(host.toLowerCase(), name.toLowerCase()));
}

function matchesName(host: string, name: string): boolean {
  if (!name.startsWith('*.')) {
    return host === name;
  }
  const [label = '', ...rest] = host.split('.');
  return label !== '' && rest.length >= 2 && rest.join('.') === name.slice(2);
}

/** Every URL in the variables of some objects' containers, also of those that run before the others. */
export function urlsOf(objects: ManifestObject[]): URL[] {
  return objects
    .flatMap(({ spec }) => [
      ...(spec?.template?.spec?.initContainers ?? []),
      ...(spec?.template?.spec?.containers ?? []),
    ])
    .flatMap(({ env: variables = [] }: Json) => variables)
    .flatMap(({ value }: Json) => (value ?? '').split(','))
    .filter((text: string) => /^https?:/.test(text))
    .map((text: string) => new URL(text));
}
