// Facts as they lie on a log: one codec for every log that keeps them. Those that come with each alert are lists, which leave out what is a
// default, or was said by a record before in the same writing; all other records, and all of earlier versions, are the objects themselves.
//   C1  What was written comes back deeply equal, whatever it is, members that this version does not know included.
//   C2  Whatever earlier versions wrote is read as it is, beside what this one writes.
//   C3  What nobody can have written is refused with a named error (`log_unavailable`), never read as something else.
//   C4  A list says by its number how it is to be read; who does not know the number refuses it. A log's own mark (the schema of the file, the
//       header of the record) keeps earlier versions out, which know no lists at all.
import { GatewayError } from '../errors.ts';
import type { Fact } from '../records.ts';
import { codecs } from './facts.ts';
import { damaged, type Packed } from './packing.ts';
import { note, seenNothing, type Seen } from './seen.ts';

/** The form of records that this version writes; 1 is objects alone. Logs keep it as their own mark (C4). */
export const storedForm = 2;

const numberOf: ReadonlyMap<unknown, number> = new Map(codecs.map(({ type }, number) => [type, number]));

/** Records of one writing as they are stored, in order. What is read in one go again must be written in one. */
export function packed(scope: string, values: readonly object[]): readonly unknown[] {
  const seen = seenNothing(scope);
  return values.map((value) => {
    const stored = packedOne(value, seen);
    note(seen, value);
    return stored;
  });
}

function packedOne(value: object, seen: Seen): unknown {
  const number = numberOf.get((value as Partial<Fact>).type);
  if (number === undefined) return value;
  try {
    return codecs[number]?.pack(number, value as Fact, seen) ?? value;
  } catch {
    return value; // it is not what its type says
  }
}

/** The records of one writing. Throws `log_unavailable` for what is damaged (C3), or was written by a later version (C4). */
export function unpacked(scope: string, stored: readonly unknown[]): readonly unknown[] {
  const seen = seenNothing(scope);
  return stored.map((one) => {
    const value = Array.isArray(one) ? unpackedOne(one, seen) : one;
    if (typeof value === 'object' && value !== null) note(seen, value);
    return value;
  });
}

function unpackedOne(list: Packed, seen: Seen): object {
  const [number] = list;
  if (!Number.isInteger(number)) throw damaged('it does not say what it is');
  const codec = codecs[number as number];
  if (codec === undefined) {
    const knows = `this one knows ${codecs.length - 1} and below`;
    throw new GatewayError(
      'log_unavailable',
      `log: a record was written by a newer quench (type ${String(number)}, ${knows}): start the newer one`,
    );
  }
  try {
    return codec.unpack(list, seen);
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    throw damaged('its parts do not fit', error);
  }
}
