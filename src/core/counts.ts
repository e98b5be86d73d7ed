// Counts by key that keep no zeros.

/** Adds to a key's count, and returns what it is now; a key whose count comes to nothing leaves. */
export function addCount<Key>(counts: Map<Key, number>, key: Key, by: 1 | -1): number {
  const now = (counts.get(key) ?? 0) + by;
  if (now > 0) counts.set(key, now);
  else counts.delete(key);
  return now;
}
