/**
 * Domains of AWS by the beginning of the region, where it is not the usual one (botocore, `data/partitions.json`,
 * `dnsSuffix`).
 */
const DOMAINS: readonly (readonly [region: string, domain: string])[] = [
  ['cn-', 'amazonaws.com.cn'],
  ['eusc-', 'amazonaws.eu'],
  ['us-iso-', 'c2s.ic.gov'],
  ['us-isob-', 'sc2s.sgov.gov'],
  ['us-isof-', 'csp.hci.ic.gov'],
  ['eu-isoe-', 'cloud.adc-e.uk'],
];

const USUAL_DOMAIN = 'amazonaws.com';

/** Every domain in which services of AWS have their names. */
export const AWS_DOMAINS: readonly string[] = [USUAL_DOMAIN, ...DOMAINS.map(([, domain]) => domain)];

/** Name of a service of AWS in a region: `sts.eu-west-1.amazonaws.com`. */
export function awsHost(service: string, region: string): string {
  const domain = DOMAINS.find(([beginning]) => region.startsWith(beginning))?.[1] ?? USUAL_DOMAIN;
  return `${service}.${region}.${domain}`;
}

/** Whether a host is one of AWS. */
export function isAwsHost(host: string): boolean {
  return AWS_DOMAINS.some((domain) => host === domain || host.endsWith(`.${domain}`));
}
