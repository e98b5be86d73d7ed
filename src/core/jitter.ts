// Chance without randomness: a share of a span that follows from a text, so that turning the same input twice gives the same facts,
// and many who wait for one thing do not come back at one moment.
import type { Millis } from './time.ts';

/** A span between the two, by the text: whole milliseconds, the same for the same text. */
export function jittered(text: string, leastMs: Millis, mostMs: Millis): Millis {
  return Math.round(leastMs + (mostMs - leastMs) * fractionOf(text));
}

/** 0 ≤ n < 1 by the text: FNV-1a over its UTF-16 units, 32 bits, with the finishing steps of MurmurHash3. */
export function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
