// Texts in their order, for walks that go on where they left off: what was walked does not depend on the order in which rows came.
// A list of sorted blocks: to add or take away one text moves at most a block, and nothing is sorted anew.

const blockMax = 512;

/** A set of texts, ordered by their UTF-16 units. */
export interface OrderedTexts {
  readonly blocks: string[][];
  size: number;
}

export function newOrdered(): OrderedTexts {
  return { blocks: [], size: 0 };
}

export function addText(texts: OrderedTexts, text: string): void {
  const { blocks } = texts;
  if (blocks.length === 0) blocks.push([]);
  const place = blockOf(blocks, text);
  const block = blocks[place] ?? [];
  const at = placeIn(block, text);
  if (block[at] === text) return;
  block.splice(at, 0, text);
  texts.size += 1;
  if (block.length > blockMax) blocks.splice(place + 1, 0, block.splice(blockMax / 2));
}

export function dropText(texts: OrderedTexts, text: string): void {
  const { blocks } = texts;
  const place = blockOf(blocks, text);
  const block = blocks[place];
  const at = block === undefined ? 0 : placeIn(block, text);
  if (block?.[at] !== text) return;
  block.splice(at, 1);
  texts.size -= 1;
  if (block.length === 0) blocks.splice(place, 1);
}

/** All texts from this one on, in order; what is added or taken away meanwhile may be missed. */
export function* textsFrom({ blocks }: OrderedTexts, text: string): Iterable<string> {
  const first = Math.max(0, blockOf(blocks, text));
  for (let place = first; place < blocks.length; place += 1) {
    const block = blocks[place] ?? [];
    for (let at = place === first ? placeIn(block, text) : 0; at < block.length; at += 1) yield block[at] ?? '';
  }
}

/** Of the block that the text is in, or belongs into: the first that does not end before it, else the last. */
function blockOf(blocks: readonly (readonly string[])[], text: string): number {
  const found = firstAtLeast(blocks.length, (at) => (blocks[at]?.at(-1) ?? '') >= text);
  return Math.min(found, blocks.length - 1);
}

/** Where the text is in the sorted block, or would be. */
function placeIn(block: readonly string[], text: string): number {
  return firstAtLeast(block.length, (at) => (block[at] ?? '') >= text);
}

/** The first of `count` places at which the test holds, which holds from some place on; `count` when it never does. */
function firstAtLeast(count: number, test: (at: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
