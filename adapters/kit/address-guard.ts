// Which addresses an outgoing call may reach. It vets addresses where the connection is made, not names in a text,
// so a name that answers differently the second time gains nothing. It opens no connection itself.
//   G1  A socket is opened only to an address of the very lookup that was vetted; one bad address spoils the whole answer.
//   G2  What cannot be classified is refused: only global unicast passes, and what the operator allowed by word.
import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { GatewayError } from '../../src/core/errors.ts';
import { addressWithoutUserinfo } from '../../src/core/userinfo.ts';

/** `allow` holds CIDR blocks, addresses and exact host names; it matters only when private targets are not allowed anyway. */
export interface AddressPolicy {
  readonly allowPrivate: boolean;
  readonly allow: readonly string[];
}

/** The shape of `dns.lookup` with `all: true`. */
export type Resolve = (
  host: string,
  options: { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void;

export interface AddressGuard {
  /** For hosts written as addresses, which no resolver ever sees. Brackets of IPv6 are taken off by the caller. */
  admits(address: string): boolean;
  /** For the connector: resolves, vets all, hands on only what was vetted. Fails with code `EBLOCKED`. */
  readonly lookup: LookupFunction;
}

/** IANA special-purpose blocks inside the unicast ranges (RFC 6890 and its registry), multicast and reserved. */
const special4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];

/** Inside 2000::/3: Teredo and other protocol blocks, documentation, 6to4 (which carries an IPv4 address). */
const special6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const private4 = blocks(special4, 'ipv4');
const private6 = blocks(special6, 'ipv6');
const global6 = blocks([['2000::', 3]], 'ipv6');

function blocks(list: readonly (readonly [string, number])[], family: 'ipv4' | 'ipv6'): BlockList {
  const made = new BlockList();
  for (const [address, bits] of list) made.addSubnet(address, bits, family);
  return made;
}

/** True only for a global unicast address; IPv4 wrapped in IPv6 (mapped, NAT64, 6to4) is never one. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 4) return !private4.check(address, 'ipv4');
  return isIP(address) === 6 && global6.check(address, 'ipv6') && !private6.check(address, 'ipv6');
}

/** Builds the guard; a malformed entry of `allow` is `invalid_config`. `resolve` stands in for DNS in tests. */
export function createGuard(policy: AddressPolicy, resolve: Resolve = systemLookup): AddressGuard {
  const { ranges, names } = allowed(policy.allow);
  const admits = (address: string): boolean => {
    const family = isIP(address);
    if (family === 0) return false;
    return policy.allowPrivate || isPublicAddress(address) || ranges.check(address, family === 4 ? 'ipv4' : 'ipv6');
  };

  const lookup: LookupFunction = (host, options, done) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      const first = addresses?.[0];
      if (error) return done(error, '');
      if (first === undefined) return done(failure('ENOTFOUND', 'no address'), '');
      const trusted = names.has(bareName(host));
      if (!addresses.every(({ address }) => (trusted ? isIP(address) !== 0 : admits(address)))) {
        return done(failure('EBLOCKED', 'address not allowed'), '');
      }
      return options.all === true ? done(null, [...addresses]) : done(null, first.address, first.family);
    });
  };
  return { admits, lookup };
}

function allowed(entries: readonly string[]): { ranges: BlockList; names: ReadonlySet<string> } {
  const ranges = new BlockList();
  const names = new Set<string>();
  for (const entry of entries) {
    const [address = '', bits, rest] = entry.split('/');
    const family = isIP(address);
    const width = family === 4 ? 32 : 128;
    const prefix = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (family !== 0 && rest === undefined && prefix >= 0 && prefix <= width) {
      ranges.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
    } else if (bits === undefined && /^[a-z0-9_][a-z0-9_-]*(\.[a-z0-9_-]+)*\.?$/i.test(entry) && !/^[\d.]+$/.test(entry)) {
      names.add(bareName(entry));
    } else {
      throw new GatewayError(
        'invalid_config',
        `allow: expected a CIDR block, an address or a host name, got "${addressWithoutUserinfo(entry).slice(0, 80)}"`,
      );
    }
  }
  return { ranges, names };
}

function bareName(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

function failure(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}
