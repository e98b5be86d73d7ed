// What every source shares on the way from bytes to AlertEvent: careful JSON, identity, bounds, links, times.
// Knows no vendor. Pure and total: nothing here throws for any input.
//   E1  Two label sets have the same fingerprint only if they are equal; annotations never enter it.
//   E2  Whatever was sent, an event leaves here within the bounds below, as well-formed Unicode.
import { hash } from 'node:crypto';
import type { AlertEvent, Entity, Link } from '../../src/core/alert/event.ts';
import { clipValue, labelValueCharsMax, type Labels } from '../../src/core/alert/labels.ts';
import { fail, ok, type Result } from '../../src/core/errors.ts';
import { jsonShapeProblem } from '../../src/core/json.ts';
import type { Instant } from '../../src/core/time.ts';
import type { ParseFailure } from '../../src/ports/source.ts';

const labelsMax = 256;
const nameCharsMax = 128;
/** So many are kept whatever they hold; more, as long as all their names and values together are no longer than this. */
const labelsAnyway = 64;
const labelCharsMax = 73_728;
const annotationCharsMax = 4_096;
const summaryCharsMax = 512;
const episodeCharsMax = 256;
const linksMax = 8;
/** Asked of the text, before it is parsed. */
const shapeMax = { depthMax: 32, membersMax: 4_096, valuesMax: 1_000_000 } as const;

/** Every value of such a text is looked at once more (`withDigits`), which takes ten times as long as parsing it. */
const withDigitsMax = { ...shapeMax, valuesMax: 100_000 } as const;
/** An integer of sixteen digits or more that is not within a text. */
const longInteger = /(?:^|[[:,\s])-?\d{16}/;

export type JsonObject = { readonly [key: string]: unknown };

/** Reads a JSON body; `not_json` names the parser's complaint, `wrong_shape` a nesting deeper than 32, an object of more than 4,096 members, or more than a million values (a hundred thousand beside an integer of 16 digits). An integer beyond 2^53 is its digits as text: two ids must not become one. */
export function parseJson(body: string, vendor: string): Result<unknown, ParseFailure> {
  const hasLong = longInteger.test(body);
  const tooMuch = jsonShapeProblem(body, hasLong ? withDigitsMax : shapeMax);
  if (tooMuch !== null) return fail({ reason: 'wrong_shape', message: `${vendor}: ${tooMuch}` });
  let value: unknown;
  try {
    value = hasLong ? JSON.parse(body, withDigits) : JSON.parse(body);
  } catch (error) {
    const complaint = error instanceof Error ? error.message.slice(0, 160) : 'unreadable';
    return fail({ reason: body.trim() === '' ? 'empty' : 'not_json', message: `${vendor}: body must be JSON: ${complaint}` });
  }
  return ok(value);
}

/** `context.source` is the number as it was written (ECMAScript 2026). */
function withDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const written = context?.source ?? '';
  return /^-?\d+$/.test(written) ? written : value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Text of a scalar, '' for anything else; well-formed Unicode without NUL. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return cleaned(value);
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  return '';
}

function cleaned(text: string): string {
  const formed = text.isWellFormed() ? text : text.toWellFormed();
  return formed.includes('\0') ? formed.replaceAll('\0', '') : formed;
}

/** Scalar members of an object as labels; nested values are left out, empty texts too when `keepEmpty` is false. */
export function labelsOf(value: unknown, keepEmpty: boolean): Labels {
  if (!isObject(value)) return {};
  const labels: Record<string, string> = {};
  for (const key of Object.keys(value)) {
    const text = textOf(value[key]);
    const name = cleaned(key);
    if (name !== '__proto__' && (text !== '' || keepEmpty)) labels[name] = text;
  }
  return labels;
}

/** 16 hex digits over the source's word and the parts, with unambiguous separators. */
export function fingerprintOf(source: string, parts: readonly string[]): string {
  return hash('sha256', JSON.stringify([source, ...parts]), 'hex').slice(0, 16);
}

/** Identity of a label set, whatever the order of its names. */
export function fingerprintOfLabels(source: string, labels: Labels): string {
  const parts: string[] = [];
  for (const name of Object.keys(labels).sort()) parts.push(name, labels[name] ?? '');
  return fingerprintOf(source, parts);
}

/**
 * An http(s) link, or null for anything else (`javascript:`, relative, unexpanded macros). User and password are taken out: they would be told to
 * whoever reads the page, and a name before an `@` reads like the host.
 */
export function linkOf(text: string, href: unknown): Link | null {
  if (typeof href !== 'string' || href.length > 2_048 || !/^https?:\/\/[^\s\p{Cc}]+$/iu.test(href)) return null;
  if (!href.isWellFormed() || !URL.canParse(href)) return null;
  if (!href.includes('@')) return { text, href };
  const url = new URL(href);
  if (url.username === '' && url.password === '') return { text, href };
  url.username = '';
  url.password = '';
  return { text, href: url.href };
}

/** ISO 8601 to an instant; null for the unreadable and for year 1 ("not yet"). A time without a zone is read as UTC. */
export function instantOf(value: unknown): Instant | null {
  if (typeof value !== 'string' || value.length > 40 || !/^\d{4}\D/.test(value)) return null;
  const zoned = /([zZ]|[+-]\d\d:?\d\d)$/.test(value) ? value : `${value}Z`;
  const at = Date.parse(zoned);
  return Number.isFinite(at) && at > 0 ? at : null;
}

/** A host name as identity: lower case, without a trailing port. */
export function hostOf(instance: string): string {
  const bare = instance.trim().toLowerCase();
  const bracketed = /^\[([0-9a-f:.]+)\](?::\d{1,5})?$/.exec(bare);
  if (bracketed?.[1] !== undefined) return bracketed[1];
  return /^[^:]+:\d{1,5}$/.test(bare) ? bare.slice(0, bare.lastIndexOf(':')) : bare;
}

/** Brings an event within the bounds (E2); the identity is made before, from the whole text. */
export function boundEvent(event: AlertEvent): AlertEvent {
  return {
    ...event,
    episode: clip(event.episode, episodeCharsMax),
    name: line(event.name, nameCharsMax) || 'unnamed',
    summary: line(event.summary, summaryCharsMax) || line(event.name, nameCharsMax) || 'unnamed',
    labels: boundLabels(event.labels, labelValueCharsMax),
    annotations: boundLabels(event.annotations, annotationCharsMax),
    entity: boundEntity(event.entity),
    links: event.links.slice(0, linksMax),
    ...(event.note === undefined ? {} : { note: clip(event.note, annotationCharsMax) }),
  };
}

function boundLabels(labels: Labels, charsMax: number): Labels {
  const bound: Record<string, string> = {};
  let count = 0;
  let chars = 0;
  for (const full in labels) {
    const name = full.length <= nameCharsMax ? full : full.slice(0, nameCharsMax).toWellFormed();
    const value = clip(labels[full] ?? '', charsMax);
    chars += name.length + value.length;
    count += 1;
    if (count > labelsMax || (count > labelsAnyway && chars > labelCharsMax)) break;
    bound[name] = value;
  }
  return bound;
}

function boundEntity(entity: Entity): Entity {
  const bound: Record<string, string> = {};
  for (const [part, value] of Object.entries(entity)) {
    const text = typeof value === 'string' ? line(value.toLowerCase(), 253) : '';
    if (text !== '') bound[part] = text;
  }
  return bound;
}

function line(text: string, charsMax: number): string {
  // Control characters would break logs and terminals; a summary is one line.
  // eslint-disable-next-line no-control-regex
  const flat = /[\u0000-\u001f\u007f]/.test(text) ? text.replace(/[\u0000-\u001f\u007f]+/g, ' ') : text;
  return clip(flat.trim(), charsMax);
}

function clip(text: string, charsMax: number): string {
  return clipValue(cleaned(text), charsMax);
}
