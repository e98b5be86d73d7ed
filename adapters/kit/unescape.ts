// Texts as programs escape them, read back, for finding in them what a program has printed: percent signs, backslashes, entities, dumps.
// Bytes are looked at, for escapes stand for bytes as often as for characters; each byte knows where it came from.
//   E1  Two escapes one within the other are read (JSON in an address, an address in an address), no more.
//   E2  Bounded: a text gives at most twelve readings, each no longer than it is.

/** A text read in one way. */
export interface Reading {
  /** UTF-8, a character a byte. */
  readonly bytes: string;
  /** Where in the text each byte began, and where it was over. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

interface Escape {
  readonly pattern: RegExp;
  /** The bytes that one match stands for. */
  of(match: RegExpExecArray): string;
}

const controls: { readonly [letter: string]: string } = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };
const entities: { readonly [name: string]: string } = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const percent: Escape = { pattern: /%([0-9A-Fa-f]{2})/g, of: ([, hex = '']) => byteOf(hex, 16) };
/** As JSON, Python, C and shells write them; `'\''` is how a shell puts a quote within quotes. */
const backslash: Escape = {
  pattern: /'\\''|\\(?:((?:u[0-9A-Fa-f]{4}\\)?u[0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([0-3][0-7]{2})|([\s\S]))/g,
  of: ([all, units, hex, octal, letter]) => {
    if (units !== undefined) return bytesOf(String.fromCharCode(...units.split('\\').map((unit) => Number.parseInt(unit.slice(1), 16))));
    if (hex !== undefined) return byteOf(hex, 16);
    if (octal !== undefined) return byteOf(octal, 8);
    return letter === undefined ? all.slice(-1) : (controls[letter] ?? letter);
  },
};
const entity: Escape = {
  pattern: /&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|(amp|lt|gt|quot|apos));/g,
  of: ([all, decimal, hex, name]) => {
    if (name !== undefined) return entities[name] ?? all;
    const point = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
    return point <= 0x10ffff ? bytesOf(String.fromCodePoint(point)) : all;
  },
};
/** Between the pairs of a dump. */
const separator: Escape = { pattern: /(?<=[0-9A-Fa-f]{2})(?:[ :]|\s*\n\s*)(?=[0-9A-Fa-f]{2}(?![0-9A-Fa-f]))/g, of: () => '' };
const escapes: readonly Escape[] = [percent, backslash, entity];

/** The text in every reading that differs from it (E1). */
export function readingsOf(text: string): readonly Reading[] {
  if (!/[%\\&]/.test(text)) return [];
  const whole = traced(text);
  const first = escapes.flatMap((escape) => read(whole, escape) ?? []);
  return [...first, ...first.flatMap((reading) => escapes.flatMap((escape) => read(reading, escape) ?? []))];
}

/** A dump in hexadecimal without what stands between its pairs, in lower case; null when there is none. */
export function undumped(text: string): Reading | null {
  if (text.search(separator.pattern) < 0) return null;
  const reading = read(traced(text), separator);
  return reading === null ? null : { ...reading, bytes: reading.bytes.toLowerCase() };
}

/** A line of a dump (xxd, hexdump -C, od -tx1, curl --trace): an offset, then up to sixteen bytes, alone or in pairs; what follows is text. */
const dumpLine = /^[ \t]*[0-9A-Fa-f]{4,16}:?[ \t]+((?:[0-9A-Fa-f]{2}){1,2}(?:[ \t]{1,2}(?:[0-9A-Fa-f]{2}){1,2}){0,15})(?![0-9A-Fa-f])/gm;
const lineDigitsMax = 32;

/** The bytes of the lines that are a dump's, in lower case, as if they were one; null when there are none. */
export function undumpedLines(text: string): Reading | null {
  const out = { bytes: '', starts: [] as number[], ends: [] as number[] };
  for (const match of text.matchAll(dumpLine)) {
    const [all, given = ''] = match;
    const from = match.index + all.length - given.length;
    let digits = 0;
    for (let at = 0; at < given.length && digits < lineDigitsMax; at += 1) {
      const digit = given[at] ?? '';
      if (digit === ' ' || digit === '\t') continue;
      digits += 1;
      out.bytes += digit.toLowerCase();
      out.starts.push(from + at);
      out.ends.push(from + at + 1);
    }
  }
  return out.bytes === '' ? null : out;
}

/** UTF-8, a character a byte. */
export function bytesOf(text: string): string {
  return Buffer.from(text).toString('latin1');
}

function byteOf(digits: string, base: number): string {
  return String.fromCharCode(Number.parseInt(digits, base));
}

function traced(text: string): Reading {
  const starts: number[] = [];
  const ends: number[] = [];
  for (let at = 0; at < text.length;) {
    const point = text.codePointAt(at) ?? 0;
    const end = at + (point < 0x10000 ? 1 : 2);
    const bytes = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (let byte = 0; byte < bytes; byte += 1) {
      starts.push(at);
      ends.push(end);
    }
    at = end;
  }
  return { bytes: bytesOf(text), starts, ends };
}

/** Null when there is nothing to read. */
function read({ bytes, starts, ends }: Reading, { pattern, of }: Escape): Reading | null {
  const out = { bytes: '', starts: [] as number[], ends: [] as number[] };
  let done = 0;
  const keep = (until: number): void => {
    out.bytes += bytes.slice(done, until);
    for (; done < until; done += 1) {
      out.starts.push(starts[done] ?? 0);
      out.ends.push(ends[done] ?? 0);
    }
  };
  for (const match of bytes.matchAll(pattern)) {
    keep(match.index);
    done += match[0].length;
    const meant = of(match);
    out.bytes += meant;
    for (let byte = 0; byte < meant.length; byte += 1) {
      out.starts.push(starts[match.index] ?? 0);
      out.ends.push(ends[done - 1] ?? 0);
    }
  }
  if (done === 0) return null;
  keep(bytes.length);
  return out;
}
