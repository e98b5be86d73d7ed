// Texts in their order, for walks that go on where they left off: what was walked does not depend on the order in which rows came.
// Texts lie in buckets by how they begin, and a bucket is sorted when a walk comes to it: to add one costs the same however many there are.
// It is made for texts that begin in many ways, as fingerprints do; those that all begin alike are sorted together.

const beginningChars = 3;

/** A set of texts, ordered by their UTF-16 units. */
export interface OrderedTexts {
  readonly buckets: Map<string, Set<string>>;
  /** How the buckets begin, in order; null since one of them came or went. */
  beginnings: readonly string[] | null;
  size: number;
}

export function newOrdered(): OrderedTexts {
  return { buckets: new Map(), beginnings: null, size: 0 };
}

export function addText(texts: OrderedTexts, text: string): void {
  const beginning = text.slice(0, beginningChars);
  const bucket = texts.buckets.get(beginning);
  if (bucket?.has(text) === true) return;
  texts.size += 1;
  if (bucket !== undefined) return void bucket.add(text);
  texts.buckets.set(beginning, new Set([text]));
  texts.beginnings = null;
}

export function dropText(texts: OrderedTexts, text: string): void {
  const beginning = text.slice(0, beginningChars);
  const bucket = texts.buckets.get(beginning);
  if (bucket?.delete(text) !== true) return;
  texts.size -= 1;
  if (bucket.size > 0) return;
  texts.buckets.delete(beginning);
  texts.beginnings = null;
}

/** All texts from this one on, in order; what is added or taken away meanwhile may be missed. */
export function* textsFrom(texts: OrderedTexts, from: string): Iterable<string> {
  texts.beginnings ??= [...texts.buckets.keys()].sort();
  const first = from.slice(0, beginningChars);
  for (const beginning of texts.beginnings) {
    if (beginning < first) continue;
    for (const text of [...(texts.buckets.get(beginning) ?? [])].sort()) if (text >= from) yield text;
  }
}
