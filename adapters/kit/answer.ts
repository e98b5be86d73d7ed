// What an action reports of bytes that the world gave it: bounded text, and the JSON in it when that is one small object.
// The bytes are untrusted: nothing here throws, and nothing leaves deeper or larger than the bounds below.
import type { Json } from '../../src/core/json.ts';

/** Bytes of one stream or body that an action keeps; the rest is read and dropped. */
export const keptBytesMax = 65_536;

const jsonDepthMax = 32;

/** UTF-8 text of the bytes; invalid bytes become U+FFFD, a character cut in half at the end is left out. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes, { stream: true });
}

/** The object that the whole text is, or null: not JSON, not an object, or nested deeper than 32. A member named `__proto__` is dropped. */
export function smallObject(text: string): { readonly [name: string]: Json } | null {
  if (text.length > keptBytesMax || !text.trimStart().startsWith('{')) return null;
  let value: unknown;
  try {
    value = JSON.parse(text, (key, member: unknown) => (key === '__proto__' ? undefined : member));
  } catch {
    return null;
  }
  // Parsed JSON that starts with a brace is an object of JSON values.
  return shallow(value, jsonDepthMax) ? (value as { readonly [name: string]: Json }) : null;
}

function shallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((member) => shallow(member, levels - 1));
}
