// RFC 7396, for every store that keeps views. Not SQLite's json_patch: 3.53.4 takes the keys "" and "\u0000" for one, and refuses documents deeper than 1,000.
import type { Json } from '../../src/core/json.ts';

/** The document after the patch: nested objects merge, null removes, all else replaces. Both sides parsed JSON; any key is safe. */
export function merge(held: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(held) ? Object.entries(held) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, merge(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
