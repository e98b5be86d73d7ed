// What every fact that is written short begins with: its type's number, which members follow, and its scope, number and time where they are
// not those that follow from the record before.
import type { Fact } from '../records.ts';
import type { FactBase } from '../stamp.ts';
import { newOut, put, read, type In, type Out, type Packed } from './packing.ts';
import type { Seen } from './seen.ts';

/** Null where the fact has to be written whole. */
export type PackedOrNot = Packed | null;

/** Where the number of the members stands: behind that of the type. */
export const wordAt = 1;

export function begun(number: number, required: number, { scope, seq, at }: Fact, seen: Seen): Out {
  const out = newOut(required, [number]);
  if (scope !== seen.scope) put(out, 1, scope);
  if (seq !== seen.seq + 1) put(out, 2, seq);
  if (at !== seen.at) put(out, 4, at);
  return out;
}

export function baseOf(from: In, seen: Seen): FactBase {
  return { scope: read(from, 1, seen.scope), seq: read(from, 2, seen.seq + 1), at: read(from, 4, seen.at) };
}
