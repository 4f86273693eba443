import { isIP } from 'node:net';
import { isAddress } from './host-name';
import { UsageError } from './usage-error';

/**
 * Refuses ranges beside hosts that are addresses: policies name those addresses, and the ranges would be ignored.
 *
 * @param hosts the hosts, of which the ranges are the addresses
 */
export function checkCidrsOf(hosts: readonly string[], cidrs: readonly string[], property: string): void {
  if (cidrs.length > 0 && hosts.every(isAddress)) {
    throw new UsageError(
      `is ${cidrs.join(', ')}, but ${hosts.join(', ')} is an address already, which is what policies name; leave it out`,
      { property },
    );
  }
  checkCidrs(cidrs, property);
}

/** Refuses what is no address range, at the property that holds them. */
export function checkCidrs(cidrs: readonly string[], property: string): void {
  for (const cidr of cidrs) {
    const [, address = '', length = ''] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(cidr) ?? [];
    if (!isAddress(address) || Number(length) > bitsOf(address).length) {
      throw new UsageError(`has "${cidr}", but must have address ranges such as 10.0.0.0/16`, { property });
    }
    if (bitsOf(address).slice(Number(length)).includes('1')) {
      throw new UsageError(
        `has "${cidr}", an address within a range; name the range by its first address, ${rangeOf(address, Number(length))}, ` +
          `or the address alone with /${bitsOf(address).length}`,
        { property },
      );
    }
  }
}

/** The bits of an address, as a text of 32 or 128 digits. */
function bitsOf(address: string): string {
  if (isIP(address) === 4) {
    return address
      .split('.')
      .map((part) => binary(Number(part), 8))
      .join('');
  }
  // The form of URLs has no dotted part.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')];
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after].map((group) => binary(Number.parseInt(group, 16), 16)).join('');
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':');
}

function binary(value: number, digits: number): string {
  return value.toString(2).padStart(digits, '0');
}

/** The range of this length that an address is in, by its first address. */
function rangeOf(address: string, length: number): string {
  const bits = bitsOf(address);
  const first = bits.slice(0, length).padEnd(bits.length, '0');
  if (bits.length === 32) {
    return `${(first.match(/.{8}/g) ?? []).map((part) => Number.parseInt(part, 2)).join('.')}/${length}`;
  }
  const groups = (first.match(/.{16}/g) ?? []).map((part) => Number.parseInt(part, 2).toString(16));
  return `${new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)}/${length}`;
}
