// The many spellings of one Zabbix notification, brought to one: macro names with dots, camel case, media type parameters,
// texts that hold JSON, and the lines of the default message. Knows shapes, not meaning: what a field says is source.ts.
//   Z1  A macro that Zabbix left unexpanded (`{ITEM.VALUE}`) or could not tell (`*UNKNOWN*`) is a missing field, never a value.
import type { Labels } from '../../src/core/alert/labels.ts';
import { fail, ok, type Result } from '../../src/core/errors.ts';
import type { ParseFailure } from '../../src/ports/source.ts';
import { isObject, labelsOf, parseJson, textOf, type JsonObject } from '../kit/event.ts';

/** Field texts by name: lower-case letters and digits only. Unexpanded macros are still in it: read by `pick`. */
export interface Fields {
  readonly texts: ReadonlyMap<string, string>;
  /** Tags as sent, which may be a list rather than text. */
  readonly tags: unknown;
}

const fieldsMax = 512;
const depthMax = 3;
const wrappers: ReadonlySet<string> = new Set(['payload', 'params', 'parameters', 'actionpayload', 'alertmessage', 'message']);
const tagFields: ReadonlySet<string> = new Set(['eventtagsjson', 'eventtags', 'tags']);
/** Lines of the default message that stand in for parameters a script did not send. */
const lines: ReadonlyMap<string, string> = new Map([
  ['Host', 'linehost'],
  ['Problem name', 'linename'],
  ['Severity', 'lineseverity'],
  ['Operational data', 'lineopdata'],
  ['Original problem ID', 'lineeventid'],
]);

/** Reads a JSON object of any known nesting. */
export function fieldsOf(body: string): Result<Fields, ParseFailure> {
  const json = parseJson(body, 'zabbix');
  if (!json.ok) return json;
  if (!isObject(json.value)) return fail({ reason: 'wrong_shape', message: 'zabbix: body must be one JSON object' });
  const found: Found = { texts: new Map(), tags: undefined };
  collect(json.value, '', found, 0);
  collectLines(pick(found, 'alertmessage', 'message', 'statemessage'), found);
  collectIds(found);
  return ok(found);
}

/** The first of the names that has an expanded text, or ''. */
export function pick(fields: Fields, ...names: readonly string[]): string {
  for (const name of names) {
    const text = expanded(fields.texts.get(name) ?? '');
    if (text !== '') return text;
  }
  return '';
}

/** True when the sender put the macro there as it stands: nothing was there to expand it. */
export function isLiteral(fields: Fields, macro: string, ...names: readonly string[]): boolean {
  return names.some((name) => fields.texts.get(name) === macro);
}

/** Tags as labels; several values of one tag are joined by a comma. Our own write-back tags are left out. */
export function tagsOf(fields: Fields): Labels {
  const tags: Record<string, string> = {};
  for (const [given, value] of pairsOf(fields.tags)) {
    const name = textOf(given).slice(0, 128).toWellFormed();
    if (name === '' || name === '__proto__' || name.startsWith('__quench_')) continue;
    const before = Object.hasOwn(tags, name) ? tags[name] : undefined;
    tags[name] = before === undefined || before === '' ? value : `${before},${value}`;
  }
  return tags;
}

/** `[{"tag","value"}]`, `{"name":"value"}`, either as text, or `name:value, name`. At most 64. */
function pairsOf(tags: unknown): readonly (readonly [string, string])[] {
  if (Array.isArray(tags)) {
    return tags
      .slice(0, 64)
      .flatMap((tag) => (isObject(tag) ? [[expanded(textOf(tag['tag'])), expanded(textOf(tag['value']))] as const] : []));
  }
  if (isObject(tags)) return Object.entries(labelsOf(tags, true)).slice(0, 64);
  const text = expanded(textOf(tags));
  if (/^\s*[[{]/.test(text)) {
    const json = parseJson(text, 'zabbix');
    return json.ok && typeof json.value === 'object' ? pairsOf(json.value) : [];
  }
  return text
    .slice(0, 65_536)
    .split(',')
    .slice(0, 64)
    .map((tag) => {
      const colon = tag.indexOf(':');
      return colon < 0 ? [tag.trim(), ''] : [tag.slice(0, colon).trim(), tag.slice(colon + 1).trim()];
    });
}

interface Found extends Fields {
  readonly texts: Map<string, string>;
  tags: unknown;
}

/** Own members first; what wrapped objects or JSON texts add never replaces them. Other objects give their name as prefix: `event.id`. */
function collect(object: JsonObject, prefix: string, into: Found, depth: number): void {
  for (const key of Object.keys(object)) {
    const name = prefix + spelling(key);
    const value = object[key];
    const text = textOf(value).trim();
    if (tagFields.has(name) && ((typeof value === 'object' && value !== null) || expanded(text) !== '')) into.tags ??= value;
    if (text !== '' && !into.texts.has(name) && into.texts.size < fieldsMax) into.texts.set(name, text);
  }
  if (depth === depthMax) return;
  for (const key of Object.keys(object)) {
    const name = prefix + spelling(key);
    const value = object[key];
    const inner = wrappers.has(name) ? unwrapped(value) : null;
    if (inner !== null) collect(inner, '', into, depth + 1);
    else if (isObject(value) && !tagFields.has(name)) collect(value, name, into, depth + 1);
  }
}

/** A wrapped object, or JSON text of one; a cancelled escalation has its notice in the lines before the text. */
function unwrapped(value: unknown): JsonObject | null {
  if (isObject(value)) return value;
  const text = textOf(value);
  const json = text.startsWith('NOTE:') ? text.slice(text.indexOf('\n{') + 1) : text;
  if (!/^\s*\{\s*"/.test(json)) return null;
  const read = parseJson(json, 'zabbix');
  return read.ok && isObject(read.value) ? read.value : null;
}

function collectLines(message: string, into: Found): void {
  for (const line of message.slice(0, 65_536).split(/\r?\n/, 64)) {
    const colon = line.indexOf(': ');
    const name = colon < 0 ? undefined : lines.get(line.slice(0, colon));
    const said = line.slice(colon + 2).trim();
    // A service's message lists its root causes so, several fields in one line: none of them is the event's own.
    const isListed = said.startsWith('"') || /\bProblem name: /.test(said);
    if (name !== undefined && !isListed && !into.texts.has(name)) into.texts.set(name, said);
  }
}

/** A script that sends no ids may send a link that holds them: `tr_events.php?triggerid=14032&eventid=10528`. */
function collectIds(into: Found): void {
  const links = ['link', 'url', 'eventurl', 'eventlink', 'problemurl', 'linktoupstreamdetails'].map((name) => into.texts.get(name) ?? '');
  for (const name of ['triggerid', 'eventid']) {
    const found = links.map((link) => new RegExp(`[?&]${name}=(\\d{1,20})(?:&|#|$)`, 'i').exec(link.slice(0, 2_048))?.[1]);
    const id = found.find((digits) => digits !== undefined);
    if (id !== undefined && expanded(into.texts.get(name) ?? '') === '') into.texts.set(name, id);
  }
}

/** Z1 */
function expanded(text: string): string {
  const isMacro = /^\{(?:\$|#|\?)?[A-Z][^{}\n]*\}$/.test(text) || /^\{\{[A-Z][^\n]*\}$/.test(text);
  return isMacro || text === '*UNKNOWN*' ? '' : text;
}

/** `EVENT.ID`, `event_id` and `EventID` are one; `field_r:` and the like mark when a parameter is sent. */
function spelling(name: string): string {
  return name
    .slice(0, 128)
    .toLowerCase()
    .replace(/^field(?:_[pru])?:/, '')
    .replace(/[^a-z0-9]/g, '');
}
