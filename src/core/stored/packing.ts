// How an object of a known type is written short: a list of its members in an agreed order, and of them only those that are not what a reader
// expects; a number before them says which they are. Knows no type: alert.ts and facts.ts say what is expected, once in each direction.
//   S1  What is written comes back deeply equal, members that no type knows included: an object that has one is written whole.
//   S2  What is expected is a function of what was read before: of members that stand earlier, and of earlier records. It is never undefined
//       where a member cannot be absent.
import { GatewayError } from '../errors.ts';

/** An object as it is written. */
export type Packed = readonly unknown[];

/** An object that is being written. */
export interface Out {
  readonly list: unknown[];
  /** Where in the list the number of the members stands. */
  readonly wordAt: number;
  /** A bit for each member that follows. */
  word: number;
  /** Members that its type knows and the object has. */
  known: number;
  isWhole: boolean;
}

/** `required`: how many members are never absent. `list`: what stands before. */
export function newOut(required: number, list: unknown[] = []): Out {
  const wordAt = list.length;
  list.push(0);
  return { list, wordAt, word: 0, known: required, isWhole: false };
}

/** Writes a member that is not as expected. */
export function put(out: Out, bit: number, value: unknown): void {
  if (value === undefined) out.isWhole = true;
  out.word |= bit;
  out.list.push(value);
}

/** Writes a member that may be absent, where it is not as expected. Null, which none of them ever is, says that it is absent. */
export function putOptional(out: Out, bit: number, value: unknown, expected?: unknown): void {
  if (value === null) out.isWhole = true;
  if (value !== undefined) out.known += 1;
  if (value !== expected) put(out, bit, value ?? null);
}

/** Null where the object has to be written whole (S1). `usual`: the members that mostly follow, so that the number is small. */
export function finished({ list, wordAt, word, known, isWhole }: Out, value: object, usual: number): Packed | null {
  if (isWhole || Object.keys(value).length !== known) return null;
  list[wordAt] = word ^ usual;
  return list;
}

/** An object that is being read. */
export interface In {
  readonly list: Packed;
  readonly word: number;
  /** Of the member that is read next. */
  at: number;
}

/** `wordAt`: where the number of the members stands. */
export function newIn(list: Packed, usual: number, wordAt = 0): In {
  const word = list[wordAt];
  if (!Number.isInteger(word)) throw damaged('it does not say which members follow');
  return { list, word: (word as number) ^ usual, at: wordAt + 1 };
}

export function has({ word }: In, bit: number): boolean {
  return (word & bit) !== 0;
}

export function next(from: In): unknown {
  if (from.at >= from.list.length) throw damaged('a member is missing');
  from.at += 1;
  return from.list[from.at - 1];
}

/** A member that is written as it is, or what is expected of it. */
export function read<Value>(from: In, bit: number, expected: Value): Value {
  return has(from, bit) ? (next(from) as Value) : expected; // as it was written
}

export function readOptional<Value>(from: In, bit: number, expected?: Value): Value | undefined {
  return has(from, bit) ? ((next(from) ?? undefined) as Value | undefined) : expected; // as it was written
}

export function readAll({ list, at }: In): void {
  if (at !== list.length) throw damaged('it has members that nobody knows');
}

/** An instant by how long it lies before another one. */
export function before(other: number, value: unknown): unknown {
  return typeof value === 'number' && other - (other - value) === value ? other - value : boxed(value);
}

/** A value of a type that another form does not have; undefined, which is no value, stays what it is. */
export function boxed(value: unknown): unknown {
  return value === undefined ? undefined : [value];
}

export function instantBefore(other: number, stored: unknown): number {
  return typeof stored === 'number' ? other - stored : (listOf(stored)[0] as number);
}

/** A value that is written as it is, where a list would be taken for a short form: undefined for a list, which has the whole record written as it is. */
export function asIs(value: unknown): unknown {
  return Array.isArray(value) ? undefined : value;
}

export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function listOf(stored: unknown): Packed {
  if (Array.isArray(stored)) return stored;
  throw damaged('expected a list');
}

export function damaged(why: string, cause?: unknown): GatewayError {
  return new GatewayError('log_unavailable', `log: a stored record is damaged: ${why} (docs/install.md, "A damaged store")`, cause);
}
