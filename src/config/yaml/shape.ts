// JSON Schema with error texts for people: every complaint has its place in the file and says what to write instead.
// The schemas themselves stay plain JSON Schema (2020-12), so that editors can be served the same ones.
//   `x-expects`   what to write, in words: `a span such as 90s, 10m or 1h30m`
//   `x-later`     keys that are refused by name, with what to do instead
//   `writeOnly`   a secret: the value is never shown
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import type { Json } from '../../core/json.ts';
import { addressWithoutUserinfo } from '../../core/userinfo.ts';
import { strictAjv } from '../../ports/json-schema.ts';
import { didYouMean, shown, type ConfigProblem } from './problems.ts';
import { below, memberOf, membersOf } from './pointer.ts';
import { type YamlFile } from './yaml.ts';

export type Schema = { readonly [keyword: string]: unknown };

/** The keywords `if`, `then`, `else` of a schema: what the value must fit when it fits `condition`, and when not. */
export function either(condition: Schema, yes: object, no: object): Schema {
  return { if: condition, then: yes, else: no }; // oxlint-disable-line unicorn/no-thenable -- a keyword of JSON Schema
}

const ajv = strictAjv({ allErrors: true, verbose: true });
const compiled = new WeakMap<object, ValidateFunction>();

/** One complaint of a schema: where (JSON pointer below the value), on what, and what to say. */
export interface ShapeFault {
  readonly pointer: string;
  readonly on: 'key' | 'value';
  readonly message: string;
  readonly keyword: string;
}

/** Everything in the value that the schema does not allow. `hidden`: pointers of values that must not be shown. */
export function shapeFaults(schema: object, value: unknown, hidden: ReadonlySet<string> = new Set()): readonly ShapeFault[] {
  let validate = compiled.get(schema);
  if (validate === undefined) {
    validate = ajv.compile(schema);
    compiled.set(schema, validate);
  }
  if (validate(value)) return [];
  return (validate.errors ?? []).filter((error) => error.keyword !== 'if').map((error) => faultOf(error, hidden));
}

/** Complaints of a schema about a part of a file. */
export function shapeProblems(
  file: YamlFile,
  schema: object,
  value: unknown,
  pointer = '',
  hidden?: ReadonlySet<string>,
): readonly ConfigProblem[] {
  return shapeFaults(schema, value, hidden).map((fault) => file.problem(`${pointer}${fault.pointer}`, fault.message, fault.on));
}

/**
 * The value without what the schema complains about, so that the rest can be checked in the same reading;
 * null when that cannot be had by leaving members out.
 */
export function withoutFaults(schema: object, value: Json, faults: readonly ShapeFault[]): Json | null {
  const copy: unknown = structuredClone(value);
  for (const fault of faults) {
    const members = membersOf(fault.pointer);
    const last = members.pop();
    const parent = members.reduce<unknown>((at, member) => memberOf(at, member), copy);
    if (fault.keyword === 'required' || last === undefined || typeof parent !== 'object' || parent === null || Array.isArray(parent))
      return null;
    Reflect.deleteProperty(parent, last);
  }
  // A JSON value stays one when members are left out.
  return shapeFaults(schema, copy).length === 0 ? (copy as Json) : null;
}

function faultOf(error: ErrorObject, hidden: ReadonlySet<string>): ShapeFault {
  const schema: Schema = (error.parentSchema as Schema | undefined) ?? {};
  const { keyword, instancePath: pointer } = error;
  if (keyword === 'additionalProperties' || keyword === 'propertyNames') {
    const key = String(error.params['additionalProperty'] ?? error.params['propertyName']);
    return { pointer: below(pointer, key), on: 'key', message: unknownKey(key, schema, keyword), keyword };
  }
  if (keyword === 'required') {
    const key = String(error.params['missingProperty']);
    return { pointer, on: 'key', message: `expected the key "${key}"${meaningOf(schema, key)}, seen none`, keyword };
  }
  const secret = schema['writeOnly'] === true || hidden.has(pointer);
  const seen = secret ? 'something else' : seenOf(error.data);
  return { pointer, on: 'value', message: `expected ${expected(error, schema)}, seen ${seen}${nearest(error)}`, keyword };
}

function seenOf(value: unknown): string {
  const hasSecret = typeof value === 'string' && value.includes('//') && addressWithoutUserinfo(value) !== value;
  return hasSecret ? `${shown(value)}, the secret itself in it: user and password do not belong in an address` : shown(value);
}

function unknownKey(key: string, schema: Schema, keyword: string): string {
  const later = memberOf(schema['x-later'], key);
  if (typeof later === 'string') return `"${key}" is not supported yet${later === '' ? '' : `: ${later}`}`;
  if (keyword === 'propertyNames') return `expected ${wordsOf(schema) ?? 'a plain name'} as key, seen "${key}"`;
  const known = Object.keys((schema['properties'] as Schema | undefined) ?? {});
  return `unknown key "${key}"${didYouMean(key, known) || `; known here: ${known.join(', ') || 'none'}`}`;
}

function meaningOf(schema: Schema, key: string): string {
  const words = wordsOf((memberOf(schema['properties'], key) as Schema | undefined) ?? {});
  return words === null ? '' : ` (${words})`;
}

function nearest(error: ErrorObject): string {
  if (error.keyword !== 'enum' || typeof error.data !== 'string') return '';
  return didYouMean(error.data, (error.params['allowedValues'] as readonly unknown[]).map(String));
}

function expected(error: ErrorObject, schema: Schema): string {
  const words = wordsOf(schema);
  if (words !== null) return words;
  const limit = String(error.params['limit'] ?? '');
  switch (error.keyword) {
    case 'type':
      return [error.params['type'] as string | readonly string[]]
        .flat()
        .map((type) => typeWords.get(type) ?? type)
        .join(' or ');
    case 'enum':
      return `one of ${(error.params['allowedValues'] as readonly unknown[]).join(', ')}`;
    case 'const':
      return `"${String(error.params['allowedValue'])}"`;
    case 'minimum':
      return `at least ${limit}`;
    case 'maximum':
      return `at most ${limit}`;
    case 'minLength':
      return limit === '1' ? 'some text' : `at least ${limit} characters`;
    case 'maxLength':
      return `at most ${limit} characters`;
    case 'minItems':
      return `at least ${limit} item${limit === '1' ? '' : 's'}`;
    case 'maxItems':
      return `at most ${limit} items`;
    case 'minProperties':
      return `at least ${limit} key${limit === '1' ? '' : 's'}`;
    case 'uniqueItems':
      return 'every item once';
    case 'not':
      return `not ${((memberOf(schema['not'], 'required') as readonly string[] | undefined) ?? ['all of these']).join(' and ')} together`;
    case 'pattern':
      return `text like ${String(error.params['pattern'])}`;
    default:
      return `something that ${error.message ?? 'fits'}`;
  }
}

const typeWords = new Map([
  ['string', 'text'],
  ['integer', 'a whole number'],
  ['number', 'a number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'a mapping'],
  ['null', 'nothing'],
]);

function wordsOf(schema: Schema): string | null {
  const words = schema['x-expects'];
  return typeof words === 'string' ? words : null;
}
