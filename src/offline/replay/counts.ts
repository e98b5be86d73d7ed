// Counting by word, as summaries tell it.

export type Counts = { readonly [word: string]: number };

export function count(counts: Map<string, number>, word: string): void {
  counts.set(word, (counts.get(word) ?? 0) + 1);
}

export function counted(words: Iterable<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) count(counts, word);
  return counts;
}

/** In the order of the words, so that two summaries can be compared as text. */
export function sorted(counts: ReadonlyMap<string, number>): Counts {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
