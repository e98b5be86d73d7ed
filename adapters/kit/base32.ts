// Base32 (RFC 4648, section 6) of secrets, alone and within a longer text, and where a text holds one of them.
// A form is not looked for by itself, as others are: each secret has a dozen, and few texts hold base32 at all. Whatever form stands in a
// text covers every so many characters three of it in a row: there the text is asked whether any form has these three, and only where one
// has, the run of letters around them is looked into.
//   B1  The work is one look at a part of the text, however many secrets are known; no run is looked into twice.
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** The number of a letter in either case, from one, by its code; zero for any other character. */
const numbers = new Uint8Array(1 << 16);
for (const [at, letter] of [...alphabet].entries()) {
  numbers[letter.charCodeAt(0)] = at + 1;
  numbers[letter.toLowerCase().charCodeAt(0)] = at + 1;
}
/** Of a shorter form a word could be one. */
const formCharsMin = 8;

export type Range = readonly [from: number, to: number];

/** The base32 of the bytes alone, and what is surely of it within a longer text, at each of the five offsets; in both cases of letters. */
export function base32Forms(bytes: Uint8Array): readonly string[] {
  const alone = base32(bytes);
  const forms = [alone.padEnd(Math.ceil(alone.length / 8) * 8, '='), alone];
  for (let offset = 0; offset < 5; offset += 1) {
    const text = base32(Buffer.concat([Buffer.alloc(offset), bytes]));
    const isWhole = ((offset + bytes.length) * 8) % 5 === 0;
    forms.push(text.slice(Math.ceil((offset * 8) / 5), isWhole ? undefined : -1));
  }
  const long = [...new Set(forms)].filter((form) => form.replaceAll('=', '').length >= formCharsMin);
  return [...long, ...long.map((form) => form.toLowerCase())];
}

/** Without padding. */
function base32(bytes: Uint8Array): string {
  let text = '';
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += alphabet[(held >> (bits - 5)) & 31] ?? '';
  }
  return bits === 0 ? text : text + (alphabet[(held << (5 - bits)) & 31] ?? '');
}

/** Forms that are known, as they are found. */
export interface Base32Index {
  readonly forms: Set<string>;
  /** By their beginnings. */
  readonly byBeginning: Map<string, string[]>;
  /** Whether a form has three letters in a row, by their number, in either case. */
  readonly threes: Uint8Array;
  /** No form has fewer letters. */
  shortest: number;
}

const beginning = 6;

export function newBase32Index(): Base32Index {
  return { forms: new Set(), byBeginning: new Map(), threes: new Uint8Array(1 << 15), shortest: Number.POSITIVE_INFINITY };
}

export function indexBase32(index: Base32Index, form: string): void {
  const { forms, byBeginning, threes } = index;
  if (forms.has(form)) return;
  forms.add(form);
  index.shortest = Math.min(index.shortest, form.replaceAll('=', '').length);
  const begins = form.slice(0, beginning);
  byBeginning.set(begins, [...(byBeginning.get(begins) ?? []), form]);
  for (let at = 0; at < form.length - 2; at += 1) {
    const three = threeAt(form, at);
    if (three >= 0) threes[three] = 1;
  }
}

/** Where one of the forms stands. */
export function base32In(text: string, index: Base32Index): readonly Range[] {
  const { shortest, threes } = index;
  const ranges: Range[] = [];
  for (let at = 0; at < text.length - 2; at += shortest - 2) {
    const three = threeAt(text, at);
    if (three < 0 || threes[three] === 0) continue;
    let from = at;
    while (from > 0 && numbers[text.charCodeAt(from - 1)] !== 0) from -= 1;
    let to = at + 3;
    while (to < text.length && numbers[text.charCodeAt(to)] !== 0) to += 1;
    if (to - from >= shortest) lookInto(text, [from, to], index, ranges);
    while (at + shortest - 2 < to) at += shortest - 2; // B1
  }
  return ranges;
}

function lookInto(text: string, [from, to]: Range, { threes, byBeginning, shortest }: Base32Index, into: Range[]): void {
  for (let at = from; at <= to - shortest; at += 1) {
    if (threes[threeAt(text, at)] !== 1) continue;
    for (const form of byBeginning.get(text.slice(at, at + beginning)) ?? [])
      if (text.startsWith(form, at)) into.push([at, at + form.length]);
  }
}

/** The number of three letters in a row, or -1 when one of the characters is none. */
function threeAt(text: string, at: number): number {
  const first = numbers[text.charCodeAt(at)] ?? 0;
  const second = numbers[text.charCodeAt(at + 1)] ?? 0;
  const third = numbers[text.charCodeAt(at + 2)] ?? 0;
  return first === 0 || second === 0 || third === 0 ? -1 : ((first - 1) << 10) | ((second - 1) << 5) | (third - 1);
}
