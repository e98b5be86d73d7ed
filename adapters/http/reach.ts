// Which addresses an HTTP action may call: the operator's list against the address that a playbook rendered.
// The address is judged in the form in which it will be sent; where a name leads is judged again in the connector (address-guard.ts).
//   H1  A prefix admits only its own scheme, host, port and the paths below it; no spelling of `..` leaves it.
//   H2  A name is called only when it, or a prefix with it, is on the list; a number only when a block holds it.
import { BlockList, isIP } from 'node:net';
import { GatewayError } from '../../src/core/errors.ts';
import type { Template } from '../../src/core/playbook/document.ts';
import { piecesOf } from '../../src/core/playbook/template.ts';
import type { ListFault } from '../../src/ports/action.ts';
import { targetOf } from '../kit/http-client.ts';

export interface Reach {
  admits(url: URL): boolean;
  /** What the address guard has to let through although it may be private. */
  readonly hosts: readonly string[];
}

/** Reads the list; an entry that is none of the three kinds is `invalid_config`. */
export function createReach(entries: readonly string[]): Reach {
  const prefixes: URL[] = [];
  const names = new Set<string>();
  const ranges = new BlockList();
  for (const entry of entries) {
    const [address = '', bits] = entry.split('/');
    const family = isIP(address);
    if (entry.includes('://')) prefixes.push(targetOf(entry, 'http.allow'));
    else if (family !== 0) addRange(ranges, { address, family, bits: bits ?? (family === 4 ? '32' : '128') });
    else if (/^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/i.test(entry)) names.add(entry.toLowerCase());
    else throw notUsable(entry);
  }
  const blocks = entries.filter((entry) => !entry.includes('://'));
  return {
    hosts: [...blocks, ...prefixes.map((prefix) => bareHost(prefix))],
    admits(url) {
      const host = bareHost(url);
      const family = isIP(host);
      if (prefixes.some((prefix) => isBelow(url, prefix)) || names.has(host)) return true;
      return family !== 0 && ranges.check(host, family === 4 ? 'ipv4' : 'ipv6');
    },
  };
}

/** What of an address in a playbook the list refuses: one whose host is known before it is filled; a value in its path is taken as any word. */
export function urlFaults(input: Template, reach: Reach, entries: readonly string[]): readonly ListFault[] {
  const text = typeof input === 'object' && input !== null && 'url' in input ? input['url'] : null;
  if (typeof text !== 'string') return [];
  const { kind } = piecesOf(text);
  const origin = /^[a-z]+:\/\/[^/?#$]+(?=[/?#]|$)/i.exec(text)?.[0];
  if (kind === 'reference' || kind === 'broken' || origin === undefined) return [];
  const sample = text.replaceAll('$$', '$').replace(/\$\{[^{}]*\}/g, 'x');
  if (!URL.canParse(sample) || reach.admits(new URL(sample))) return [];
  const folder = text.split('${')[0]?.replace(/[^/]*$/, '') ?? text;
  const entry = folder.length > origin.length ? folder : `${origin}/`;
  const says = `address ${origin}/… is not on the list actions.http.allow`;
  const paste = entries.length === 0 ? `actions: { http: { allow: ["${entry}"] } }` : `- ${entry}   as one more line of actions.http.allow`;
  const message = `expected an address that actions.http.allow names, seen ${text}, which would be refused; write in quench.yaml: ${paste}`;
  return [{ pointer: '/url', says, message }];
}

/** True when the address has the prefix's origin and a path at or below its path. H1 */
export function isBelow(url: URL, prefix: URL): boolean {
  if (url.origin !== prefix.origin || !isStraight(url.pathname)) return false;
  const folder = prefix.pathname.endsWith('/') ? prefix.pathname : `${prefix.pathname}/`;
  return url.pathname === prefix.pathname || url.pathname.startsWith(folder);
}

/** False for a path that a server may read as leading upwards once it has decoded it; URL itself resolves the plain spellings. */
function isStraight(path: string): boolean {
  let decoded = path;
  for (let round = 0; round < 3; round += 1) {
    try {
      decoded = decodeURIComponent(decoded);
    } catch {
      return false;
    }
    if (decoded.split(/[/\\;]/).includes('..')) return false;
    if (!decoded.includes('%')) return true;
  }
  return false;
}

function addRange(ranges: BlockList, block: { readonly address: string; readonly family: number; readonly bits: string }): void {
  const width = block.family === 4 ? 32 : 128;
  if (!/^\d{1,3}$/.test(block.bits) || Number(block.bits) > width) throw notUsable(`${block.address}/${block.bits}`);
  ranges.addSubnet(block.address, Number(block.bits), block.family === 4 ? 'ipv4' : 'ipv6');
}

function bareHost(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
}

function notUsable(entry: string): GatewayError {
  const shown = JSON.stringify(entry.slice(0, 80));
  return new GatewayError(
    'invalid_config',
    `http.allow: expected an address prefix, a host name, an IP address or a CIDR block, got ${shown}`,
  );
}
