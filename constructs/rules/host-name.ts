import { isIP } from 'node:net';
import { UsageError, type UsageErrorSite } from './usage-error';

/** The last label has a letter: what has none is an address, or a mistyped one. */
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

/** Refuses what is neither a DNS name nor an address outside the cluster, at the property that holds it. */
export function checkHost(host: string, property: string): void {
  refuseClusterName(host, { property });
  if (!isHostName(host) && !isAddress(host)) {
    throw new UsageError(`is "${host}", but must be a DNS name or an address, without scheme, port or path`, {
      property,
    });
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
