// From an event to its scope (what may correlate) and from a scope to its partition (who decides about it).
//   S1  Different tenants or label values never share a scope, whatever bytes they hold; a scope is never `*`.
//   S2  The same scope has the same partition in every process and version.
import { hash } from 'node:crypto';
import type { Labels } from '../../core/alert/labels.ts';

const scopeCharsMax = 200;

/**
 * `tenant` or `tenant;label=value;…`, every part percent-encoded; at most 200 characters, longer ones end in `#` and a hash.
 * A missing label reads as the empty text. Contains no `|` and no blank, which ids and tokens rely on.
 */
export function scopeOf(tenant: string, names: readonly string[], labels: Labels): string {
  let scope = encoded(tenant);
  for (const name of names) scope += `;${encoded(name)}=${encoded(Object.hasOwn(labels, name) ? (labels[name] ?? '') : '')}`;
  if (scope.length <= scopeCharsMax) return scope;
  return `${scope.slice(0, scopeCharsMax - 65)}#${hash('sha256', scope, 'hex')}`;
}

/** FNV-1a over UTF-16 units with a final mix, modulo the number of partitions. */
export function partitionOf(scope: string, partitions: number): number {
  let mixed = 0x811c9dc5;
  for (let place = 0; place < scope.length; place++) mixed = Math.imul(mixed ^ scope.charCodeAt(place), 0x01000193);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed ^= mixed >>> 13;
  return (mixed >>> 0) % partitions;
}

function encoded(text: string): string {
  return /^[\w.-]*$/.test(text) ? text : encodeURIComponent(text.toWellFormed()).replaceAll('*', '%2A');
}
