// The members of one notification, whatever the customer's template calls them and wherever it puts them, by the names of words.ts.
//   P1  A member under its own name goes before one that is only spelled alike, and that before one found deeper.
//   P2  An unexpanded variable, -1, N/A and the like are missing, never a value.
import { fail, ok, type Result } from '../../src/core/errors.ts';
import type { Instant } from '../../src/core/time.ts';
import type { Delivery, ParseFailure } from '../../src/ports/source.ts';
import { instantOf, isObject, parseJson, textOf, type JsonObject } from '../kit/event.ts';
import { formOf } from '../kit/form.ts';
import { memberSpelled, spelling, wrappers } from './words.ts';

const vendor = 'newrelic';
export const targetsMax = 64;
const depthMax = 3;

export function misshapen(says: string): Result<never, ParseFailure> {
  return fail({ reason: 'wrong_shape', message: `${vendor}: ${says}` });
}

export function quoted(word: string): string {
  return JSON.stringify(word.length <= 40 ? word : `${word.slice(0, 39)}…`);
}

/** The members, out of JSON or a form. */
export function payloadOf(delivery: Delivery): Result<JsonObject, ParseFailure> {
  const form = (delivery.headers['content-type'] ?? '').toLowerCase().includes('x-www-form-urlencoded');
  const isJson = delivery.body.trimStart().startsWith('{'); // curl's default content type on a JSON body
  const outer =
    form && !isJson && delivery.body.trim() !== ''
      ? ok<JsonObject>(Object.fromEntries(formOf(delivery.body)))
      : parseJson(delivery.body, vendor);
  if (!outer.ok) return outer;
  if (!isObject(outer.value)) return misshapen(`body must be an object, got ${Array.isArray(outer.value) ? 'a list' : typeof outer.value}`);
  const found: Record<string, unknown> = {};
  collect(outer.value, found, 0);
  return ok(found);
}

/** P1. Objects, or JSON texts of some, that merely hold the members give those that are still missing. */
function collect(object: JsonObject, into: Record<string, unknown>, depth: number): void {
  const put = (name: string, value: unknown): void => {
    if (name !== '__proto__' && !isSaid(into, name)) into[name] = value;
  };
  const own = Object.entries(object);
  for (const [name, value] of own) if (depth === 0 || memberSpelled.get(spelling(name)) === name) put(name, value);
  for (const [name, value] of own) {
    const known = memberSpelled.get(spelling(name));
    if (known !== undefined) put(known, value);
  }
  if (depth === depthMax) return;
  for (const [name, value] of own) {
    const inner = wrappers.has(spelling(name)) ? nested(value) : undefined;
    if (isObject(inner)) collect(inner, into, depth + 1);
  }
}

function isSaid(found: JsonObject, name: string): boolean {
  if (!Object.hasOwn(found, name)) return false;
  const value = found[name];
  return (typeof value === 'object' && value !== null) || text(found, [name]) !== '';
}

/** A value that may have been put into the template as JSON text. */
export function nested(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value;
  const inner = parseJson(value, vendor);
  return inner.ok ? inner.value : value;
}

/** The first of the members with a text; a list gives its first text; unexpanded variables and -1 count as missing. */
export function text(payload: JsonObject, known: readonly string[]): string {
  for (const member of known) {
    const content = Object.hasOwn(payload, member) ? nested(payload[member]) : undefined;
    for (const value of Array.isArray(content) ? content.slice(0, targetsMax) : [content]) {
      const found = textOf(value).trim();
      if (found !== '' && found !== '-1' && !/^(\{\{.*\}\}|\$[A-Z_]+|N\/?A|Not Available|null|undefined|\[object Object\])$/s.test(found))
        return found;
    }
  }
  return '';
}

/** Epoch milliseconds as number or digits, or ISO 8601; null for what lies outside 1973 to 2100. */
export function timeOf(payload: JsonObject, known: readonly string[]): Instant | null {
  for (const member of known) {
    const found = text(payload, [member]);
    const at = /^\d{12,13}$/.test(found) ? Number(found) : /^\d{4}-/.test(found) ? instantOf(found) : null;
    if (at !== null && at >= 100_000_000_000 && at < 4_102_444_800_000) return at;
  }
  return null;
}
