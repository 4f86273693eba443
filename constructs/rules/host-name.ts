import { BlockList, isIP } from 'node:net';
import { UsageError, type UsageErrorSite } from './usage-error';

/** The last label has a letter; a name without one is an address, or a mistyped address. */
const HOST_NAME =
  /^(?=.{1,253}$)([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+(?=[^.]*[a-z])[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** A Service, or a pod behind one, its namespace, and the domain of the cluster or nothing. */
const SERVICE_NAME = /^(?:[a-z0-9-]+\.)+([a-z0-9-]+)\.svc(\..+)?$/;

/** Whether a text is the name of a host, and no address. */
export function isHostName(host: string): boolean {
  return HOST_NAME.test(host);
}

/** Whether a text is an address; those of a zone mean something on one machine only. */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}

/** Namespace of the Service that a name leads to: `storage` of `minio.storage.svc`; undefined for other names. */
export function namespaceOfService(host: string): string | undefined {
  return SERVICE_NAME.exec(host)?.[1];
}

/** Addresses of the machine or the link that a packet is on (RFC 1122, 3927, 4291): none is outside the cluster. */
const LOCAL = new BlockList();
LOCAL.addSubnet('0.0.0.0', 8, 'ipv4');
LOCAL.addSubnet('127.0.0.0', 8, 'ipv4');
LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LOCAL.addSubnet('::', 127, 'ipv6');
LOCAL.addSubnet('fe80::', 10, 'ipv6');

/** Refuses what is neither a DNS name nor an address, and names in the cluster, at the property that holds it. */
export function checkHostForm(host: string, property: string): void {
  refuseClusterName(host, { property });
  if (!isHostName(host) && !isAddress(host)) {
    throw new UsageError(`is "${host}", but must be a DNS name or an address, without scheme, port or path`, {
      property,
    });
  }
}

/** Refuses what is no host outside the cluster, at the property that holds it. */
export function checkHost(host: string, property: string): void {
  checkHostForm(host, property);
  if (isAddress(host) && LOCAL.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6')) {
    throw new UsageError(
      `is "${host}", an address of the pod or of its node alone, but hosts outside are meant here; name the host, or an ` +
        'address at which pods reach it',
      { property },
    );
  }
}

/**
 * Refuses the name of a Service in the cluster where a host outside is meant: policies would open public addresses,
 * or on Cilium a name that no answer of a DNS server outside has, and in both cases never the pods.
 *
 * @param domain domain of Service names, `cluster.local` where the cluster is not known yet
 */
export function refuseClusterName(host: string, site: UsageErrorSite, domain: string = 'cluster.local'): void {
  if (namespaceOfService(host) !== undefined || host.endsWith(`.${domain}`)) {
    throw new UsageError(
      `is "${host}", a name in the cluster, but hosts outside are meant here, and no policy would lead to its pods; ` +
        'have the platform run the service, or offer it with Endpoint.foreignService in TypeScript',
      site,
    );
  }
}
