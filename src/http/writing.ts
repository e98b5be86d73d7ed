// Answers as JSON in slices, made one after another: between two of them the event loop is given back, and what was sent need not be kept.
//   J1  Joined, the slices are the JSON of the answer, byte for byte.
//   J2  A slice is about `sliceChars` long, whatever is long in an answer: its lists, lists in those, or one text. What nests deeper is written
//       at once: a document of the read model, a record of the log.
// A list may be an iterator; its items are made as they are written.

const sliceChars = 131_072;
/** So many items of a list are asked whether they are long; most of what a document holds is less. */
const shortItems = 50;

/** The slices of an answer; at least one. */
export function* slicesOf(body: unknown): Generator<string, void, undefined> {
  let slice = '';
  for (const part of partsOf(body, 0)) {
    slice += part;
    if (slice.length < sliceChars) continue;
    yield slice;
    slice = '';
  }
  if (slice !== '') yield slice;
}

/** `depth`: in how many lists and objects the value lies. */
function* partsOf(value: unknown, depth: number): Generator<string, void, undefined> {
  if (typeof value === 'string' && value.length > sliceChars) yield* partsOfText(value);
  else if (isIterator(value) || Array.isArray(value)) yield* partsOfList(value, depth);
  else if (typeof value === 'object' && value !== null && isLong(value, depth)) yield* partsOfObject(value, depth);
  else yield JSON.stringify(value) ?? 'null';
}

function* partsOfList(items: Iterable<unknown>, depth: number): Generator<string, void, undefined> {
  let before = '[';
  for (const item of items) {
    yield before;
    yield* partsOf(item, depth + 1);
    before = ',';
  }
  yield before === '[' ? '[]' : ']';
}

function* partsOfObject(value: object, depth: number): Generator<string, void, undefined> {
  let before = '{';
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    yield `${before}${JSON.stringify(name)}:`;
    yield* partsOf(member, depth + 1);
    before = ',';
  }
  yield before === '{' ? '{}' : '}';
}

/** A pair of surrogates is not parted: alone, each would be written as an escape. */
function* partsOfText(text: string): Generator<string, void, undefined> {
  yield '"';
  for (let from = 0; from < text.length;) {
    const to = from + sliceChars;
    const end = isFirstOfPair(text.charCodeAt(to - 1)) ? to + 1 : to;
    yield JSON.stringify(text.slice(from, end)).slice(1, -1);
    from = end;
  }
  yield '"';
}

function isFirstOfPair(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

/** Whether a member of it may be long; the lists of an answer itself are, as far as anybody knows. */
function isLong(value: object, depth: number): boolean {
  return Object.values(value).some((member) => {
    if (typeof member === 'string') return member.length > sliceChars;
    return isIterator(member) || (Array.isArray(member) && (depth === 0 || member.length > shortItems));
  });
}

function isIterator(value: unknown): value is Iterable<unknown> {
  return value instanceof Iterator;
}
