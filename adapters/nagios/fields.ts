// The many spellings of one notification, brought to one: macro names from a form, an environment, an agent, or a nested object.
// Knows shapes, not meaning: what a field says is source.ts.
//   N1  A macro that Nagios left unexpanded (`$SERVICESTATE$`) is a missing field, never a value.
import { fail, ok, type Result } from '../../src/core/errors.ts';
import type { Delivery, ParseFailure } from '../../src/ports/source.ts';
import { formOf } from '../kit/form.ts';
import { isObject, parseJson, textOf, type JsonObject } from '../kit/event.ts';

/** Field texts by name: lower-case letters and digits only, without the prefixes of environment variables. Never empty texts. */
export type Fields = ReadonlyMap<string, string>;

const fieldsMax = 512;
const depthMax = 4;
/** Objects that merely wrap the fields: agents and event handlers put the macros there. */
const wrappers: ReadonlySet<string> = new Set(['payload', 'customdetails', 'details']);

/** Reads JSON of any known nesting, or a form; the failure says what a body should be. */
export function fieldsOf({ body, headers }: Delivery): Result<Fields, ParseFailure> {
  const fields = new Map<string, string>();
  if (isForm(body, headers['content-type'] ?? '')) {
    for (const [name, value] of formOf(body)) put(fields, spelling(name), value);
    return ok(fields);
  }
  const json = parseJson(body, 'nagios');
  if (!json.ok) return json;
  if (!isObject(json.value)) return fail({ reason: 'wrong_shape', message: 'nagios: body must be one JSON object or a form of macros' });
  collect(json.value, '', fields, 0);
  return ok(fields);
}

/** The first of the names that has a text, or ''. */
export function pick(fields: Fields, ...names: readonly string[]): string {
  for (const name of names) {
    const text = fields.get(name);
    if (text !== undefined) return text;
  }
  return '';
}

/** `curl -d '{…}'` calls its JSON a form, so the first character decides before the header does. */
function isForm(body: string, type: string): boolean {
  if (/^\s*[[{"]/.test(body)) return false;
  return type.toLowerCase().startsWith('application/x-www-form-urlencoded') ? body.includes('=') : /^[\w.%+-]{1,128}=/.test(body);
}

/** Wrapped fields go before those around them; other objects give their name as prefix: `host.name` is `hostname`. */
function collect(object: JsonObject, prefix: string, into: Map<string, string>, depth: number): void {
  const names = Object.keys(object);
  for (const name of names) {
    const inner = object[name];
    if (depth < depthMax && isObject(inner) && wrappers.has(spelling(name))) collect(inner, '', into, depth + 1);
  }
  for (const name of names) {
    const inner = object[name];
    const own = prefix + spelling(name);
    if (!isObject(inner)) put(into, own, inner);
    else if (depth < depthMax && !wrappers.has(spelling(name))) collect(inner, own, into, depth + 1);
  }
}

function put(into: Map<string, string>, name: string, value: unknown): void {
  const text = textOf(value).trim();
  const missing = text === '' || /^\$\w[\w:]*\$$/.test(text); // N1
  if (!missing && !into.has(name) && into.size < fieldsMax) into.set(name, text);
}

function spelling(name: string): string {
  return name
    .slice(0, 128)
    .toLowerCase()
    .replace(/^(?:nagios|notify|icinga)_/, '')
    .replace(/[^a-z0-9]/g, '');
}
