// Values on their way into CEL and back: JSON in, JSON out, nothing else passes.
// Objects become Maps, so that a label called `constructor` is a label; what is too big stays outside.
import { fail, ok, type Result } from '../../src/core/errors.ts';
import type { Json } from '../../src/core/json.ts';

/** Items of a list, or keys of a map, that an expression can look into. */
export const itemsMax = 500;
const depthMax = 32;

export const tooBig = `value is too big to look into: more than ${itemsMax} items or ${depthMax} levels`;

/** Stands for a value that cannot be looked into: touching it fails the evaluation, ignoring it does not. */
function opaque(): void {
  throw new Error('unreachable: CEL calls no values');
}

/** JSON-like value as CEL sees it. Lists and maps above `itemsMax`, deep nesting, functions and classes become opaque. */
export function toCel(value: unknown, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'number':
      return value;
    case 'object':
      break;
    default:
      return opaque;
  }
  if (value === null) return null;
  if (depth >= depthMax) return opaque;
  if (Array.isArray(value)) return value.length > itemsMax ? opaque : value.map((item) => toCel(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  const entries = prototype === null || prototype === Object.prototype ? Object.entries(value) : null;
  if (entries === null || entries.length > itemsMax) return opaque;
  // An undefined member is an absent member.
  return new Map(entries.filter(([, member]) => member !== undefined).map(([key, member]) => [key, toCel(member, depth + 1)]));
}

/** A result as JSON: integers beyond 2^53, timestamps, bytes and types have no JSON form and are failures. */
export function fromCel(value: unknown): Result<Json, string> {
  try {
    return ok(jsonOf(value));
  } catch (error) {
    return fail(error instanceof Error ? error.message : 'result has no JSON form');
  }
}

function jsonOf(value: unknown): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw new Error(`expected a finite number, seen ${value}`);
      return value;
    case 'bigint':
      if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) throw new Error(`integer ${value} is beyond 2^53`);
      return Number(value);
    case 'object':
      return value === null ? null : membersOf(value);
    default:
      throw new Error(tooBig);
  }
}

function membersOf(value: object): Json {
  if (Array.isArray(value)) return value.map(jsonOf);
  const prototype: unknown = Object.getPrototypeOf(value);
  const entries = value instanceof Map ? [...value] : prototype === Object.prototype || prototype === null ? Object.entries(value) : null;
  if (entries === null) throw new Error(`expected text, number, bool, list or map, seen ${value.constructor.name}`);
  // `fromEntries` defines members; it never runs a `__proto__` setter.
  return Object.fromEntries(entries.map(([key, member]) => [String(key), jsonOf(member)]));
}
