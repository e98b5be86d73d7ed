// Keeping secrets out of what people read: addresses down to their origin, and known secrets taken out by value.
// An allow-list where that is possible (redactUrl), a scrub by value where text of others must be shown (scrub).
//   D1  A known value is found as it is and in the forms in which programs print it: URL-encoded, base64 (alone or within a longer
//       text), base32 (base32.ts), hexadecimal (also as a dump), escaped once or twice as JSON, HTML, a shell or an address does it
//       (unescape.ts), each also broken into lines, of its bytes in UTF-8 and, where it has letters of Latin-1, in that.
//   D2  A text that was cut short may end within a value: the beginning of one at such an end goes, too.
//   D3  Values that are too short to mean only themselves are left alone: else "a" would take every "a" out of every text.
import type { Json } from '../../src/core/json.ts';
import { base32Forms, base32In, indexBase32, newBase32Index, type Range } from './base32.ts';
import { oneLine } from './text.ts';
import { bytesOf, readingsOf, undumped, undumpedLines, type Reading } from './unescape.ts';

/** What stands where a secret was. */
export const redacted = '[redacted]';
/** Shorter values of a configuration are not taken out. */
export const secretCharsMin = 6;
/** Of what a vendor was just told. */
const scrubCharsMin = 4;
/** What is shown of an answer lies within its beginning. */
const excerptOfChars = 8_192;
/** A value of several lines (a key) is printed line by line; shorter lines of it say nothing. */
const lineCharsMin = 16;
/** Less of a value at a cut end could be anything. */
const beginningCharsMin = 4;
/** Lines of one value that are known. */
const linesMax = 200;

/** The origin, and `/…` for all that follows: a webhook's path or query is often its password. */
export function redactUrl(address: string): string {
  if (!URL.canParse(address)) return 'unreadable address';
  const url = new URL(address);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'unreadable address';
  return url.pathname === '/' && url.search === '' ? url.origin : `${url.origin}/…`;
}

/** Takes known values out of texts and of JSON. */
export interface Scrubber {
  /** Knows these from now on, and what is in them (a token without its scheme, the password in an address). Values never cease to be known. */
  learn(values: Iterable<string>): void;
  /** `[redacted]` for each known value. `isCut`: the text was cut short at its end. */
  text(text: string, isCut?: boolean): string;
  /** The same for every text in a value, names of members included. */
  json<T extends Json>(value: T, isCut?: boolean): T;
}

/** A scrubber of these values; `charsMin`: shorter ones are left alone (D3). */
export function createScrubber(values: Iterable<string> = [], charsMin: number = secretCharsMin): Scrubber {
  const known = new Set<string>();
  /** Forms of all known values. */
  const forms = new Set<string>();
  /** Of known values that programs escape, their bytes; of all, their bytes in hexadecimal. */
  const escaped = new Set<string>();
  const dumped = new Set<string>();
  const base32 = newBase32Index();
  let firsts = new Set<string>();

  const learnOne = (value: string): void => {
    if (value.length < charsMin || known.has(value)) return;
    known.add(value);
    const written = writings(value);
    const inText = [
      value,
      ...encoded(value),
      ...mistaken(value),
      ...written.flatMap((bytes) => [...base64Forms(bytes), ...hexForms(bytes)]),
    ];
    for (const form of inText) if (form.length >= charsMin) forms.add(form);
    for (const bytes of written) {
      if (!/^[\w.~-]*$/.test(value)) escaped.add(bytes.toString('latin1'));
      dumped.add(bytes.toString('hex'));
      for (const form of base32Forms(bytes)) indexBase32(base32, form);
    }
  };

  const rangesIn = (text: string, isCut: boolean): Range[] => {
    const ranges: Range[] = [];
    for (const form of forms) collect(text, form, ranges);
    ranges.push(...base32In(text, base32));
    if (forms.size > 0 && /[^\n]{10}\r?\n[^\n]/.test(text)) {
      const { compact, places } = withoutBreaks(text);
      const found: Range[] = [];
      for (const form of forms) collect(compact, form, found);
      found.push(...base32In(compact, base32));
      for (const [from, to] of found) ranges.push([places[from] ?? 0, (places[to - 1] ?? 0) + 1]);
    }
    if (escaped.size > 0) for (const reading of readingsOf(text)) collectIn(reading, escaped, ranges);
    const dump = dumped.size === 0 ? null : undumped(text);
    if (dump !== null) collectIn(dump, dumped, ranges);
    const lines = dumped.size === 0 ? null : undumpedLines(text);
    if (lines !== null) collectLines(text, lines, dumped, ranges);
    if (isCut) {
      const from = beginningAt(text, [...forms, ...base32.forms], firsts);
      if (from !== null) ranges.push([from, text.length]); // D2
    }
    return ranges;
  };

  const cleaned = (text: string, isCut = false): string => (text === '' ? text : without(text, rangesIn(text, isCut)));

  const cleanedJson = (value: Json, isCut: boolean): Json => {
    if (typeof value === 'string') return cleaned(value, isCut);
    if (typeof value === 'number') return known.has(String(value)) ? redacted : value;
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item: Json) => cleanedJson(item, isCut));
    return Object.fromEntries(Object.entries(value).map(([key, member]: [string, Json]) => [cleaned(key), cleanedJson(member, isCut)]));
  };

  const scrubber: Scrubber = {
    learn(more) {
      for (const value of more) for (const part of partsOf(value)) learnOne(part);
      firsts = new Set([...forms, ...base32.forms].map((form) => form.slice(0, beginningCharsMin)));
    },
    text: cleaned,
    // Cleaning keeps the shape of what is no text; members stay what they are, a number that is a secret becomes a text as a reader of JSON expects it may.
    json: <T extends Json>(value: T, isCut = false) => (known.size === 0 ? value : (cleanedJson(value, isCut) as T)),
  };
  scrubber.learn(values);
  return scrubber;
}

function collect(text: string, form: string, into: Range[]): void {
  for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + 1)) into.push([at, at + form.length]);
}

/** The same in a text that was read in another way. */
function collectIn({ bytes, starts, ends }: Reading, forms: ReadonlySet<string>, into: Range[]): void {
  const found: Range[] = [];
  for (const form of forms) collect(bytes, form, found);
  for (const [from, to] of found) into.push([starts[from] ?? 0, ends[to - 1] ?? 0]);
}

/** The same in a dump with a column of text, which says the same again: from the first byte to the end of the line of the last. */
function collectLines(text: string, dump: Reading, forms: ReadonlySet<string>, into: Range[]): void {
  const found: Range[] = [];
  collectIn(dump, forms, found);
  for (const [from, to] of found) {
    const end = text.indexOf('\n', to);
    into.push([from, end === -1 ? text.length : end]);
  }
}

/** The text with one word in the place of every range; ranges that touch or overlap are one. */
function without(text: string, ranges: Range[]): string {
  if (ranges.length === 0) return text;
  ranges.sort(([a], [b]) => a - b);
  let clean = '';
  let end = 0;
  for (const [index, [from, to]] of ranges.entries()) {
    if (index === 0 || from > end) clean += `${text.slice(end, from)}${redacted}`;
    end = Math.max(end, to);
  }
  return clean + text.slice(end);
}

/** The text without its line breaks, and where each of its characters stood. */
function withoutBreaks(text: string): { readonly compact: string; readonly places: readonly number[] } {
  const places: number[] = [];
  let compact = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    if (char === '\n' || char === '\r') continue;
    compact += char;
    places.push(at);
  }
  return { compact, places };
}

/** Where a form of a secret begins that the end of the text cuts in two, or null. */
function beginningAt(text: string, forms: readonly string[], firsts: ReadonlySet<string>): number | null {
  let longest = 0;
  for (const form of forms) longest = Math.max(longest, form.length);
  for (let from = Math.max(0, text.length - longest); from <= text.length - beginningCharsMin; from += 1) {
    if (!firsts.has(text.slice(from, from + beginningCharsMin))) continue;
    const rest = text.slice(from);
    for (const form of forms) if (form.startsWith(rest)) return from;
  }
  return null;
}

/** The value, and what in it is a secret of its own. */
function partsOf(value: string): readonly string[] {
  const parts = [value, value.trim()];
  const lines = value
    .split(/\r?\n/)
    .slice(0, linesMax)
    .map((line) => line.trim());
  if (lines.length > 1) parts.push(...lines.filter((line) => line.length >= lineCharsMin && !line.startsWith('-----')));
  const [scheme, rest, ...more] = value.split(' ');
  if (rest !== undefined && more.length === 0 && scheme !== undefined && /^[A-Za-z][A-Za-z-]*$/.test(scheme)) {
    parts.push(rest);
    if (scheme.toLowerCase() === 'basic') {
      const given = Buffer.from(rest, 'base64').toString();
      parts.push(given, given.slice(given.indexOf(':') + 1));
    }
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value) && URL.canParse(value)) {
    const { password } = new URL(value);
    parts.push(password, decoded(password));
  }
  return parts;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** How programs write a value into addresses, JSON and dumps. */
function encoded(value: string): readonly string[] {
  const plain = encodeURIComponent(value.toWellFormed());
  // What JavaScript leaves as it is and other languages encode, and the other way round.
  const strict = plain.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  const strictest = strict.replaceAll('~', '%7E');
  const quoted = [plain, strict, strictest, encodeURI(value.toWellFormed())];
  const inUrls = [...quoted, ...quoted.flatMap((form) => [form.replaceAll('%2F', '/'), form.replaceAll('%20', '+')])];
  const lower = inUrls.map((form) => form.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()));
  const json = JSON.stringify(value).slice(1, -1);
  const ascii = json.replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const slashes = json.replaceAll('/', '\\/');
  return [...inUrls, ...lower, json, ascii, slashes, JSON.stringify(json).slice(1, -1)];
}

/** The bytes of a value: in UTF-8, and in Latin-1 where those are others and it can be written so. */
function writings(value: string): readonly Buffer[] {
  const utf8 = Buffer.from(value);
  return isLatin1(value) ? [utf8, Buffer.from(value, 'latin1')] : [utf8];
}

/** What becomes of a value whose bytes in one of the two are read as the other. */
function mistaken(value: string): readonly string[] {
  return isLatin1(value) ? [Buffer.from(value, 'latin1').toString(), bytesOf(value)] : [];
}

/** It has letters beyond ASCII, and all of them are in Latin-1. */
function isLatin1(value: string): boolean {
  return /[\u0080-\u00ff]/.test(value) && !/[\u0100-\uffff]/.test(value);
}

function hexForms(bytes: Buffer): readonly string[] {
  const hex = bytes.toString('hex');
  return [hex, hex.toUpperCase()];
}

/** The base64 of the bytes alone, and what is surely of it when it stands within a longer text, at each of the three offsets. */
function base64Forms(bytes: Buffer): readonly string[] {
  const alone = bytes.toString('base64');
  const within = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const unsure = [0, 2, 3][offset] ?? 0;
    return text.slice(unsure, (offset + bytes.length) % 3 === 0 ? undefined : -1);
  });
  const all = [alone, ...within];
  return [...all, ...all.map((form) => form.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''))];
}

/** Puts `[redacted]` for each secret, also where it was encoded (D1). */
export function scrub(text: string, secrets: readonly string[]): string {
  return createScrubber(secrets, scrubCharsMin).text(text);
}

/** The parts of a webhook's address that may be its password. */
function secretsOfUrl(url: URL): string[] {
  const segments = url.pathname.split('/').filter((segment) => segment.length >= 8);
  return [url.pathname + url.search, url.search.slice(1), ...url.searchParams.values(), ...segments].filter((text) => text.length >= 4);
}

/** What the vendor said, on one short line for people; scrubbed before it is cut, so that no half of a secret stays. */
export function excerptOf(body: string, telling: { readonly secrets: readonly string[]; readonly url: URL }): string {
  const scrubber = createScrubber([...telling.secrets, ...secretsOfUrl(telling.url)], scrubCharsMin);
  return oneLine(scrubber.text(body.slice(0, excerptOfChars), body.length > excerptOfChars), 160);
}
