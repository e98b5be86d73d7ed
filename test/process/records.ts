// Inputs and facts as they lie in the file of an embedded store, read without the store's own code but for the form of facts.
import { DatabaseSync } from 'node:sqlite';
import type { Fact, Input } from '../../src/core/records.ts';
import { unpacked } from '../../src/core/stored/stored.ts';

/** Offsets of one topic and partition have a span of their own; topics alternate. */
const span = 2 ** 44;

/** All of one topic, in order: 0 inputs, 1 facts. */
export function recordsIn(path: string, topic: 0 | 1): readonly { readonly offset: number; readonly value: Input | Fact }[] {
  const db = new DatabaseSync(path, { readOnly: true });
  const rows = db.prepare('SELECT place, scope, body FROM log ORDER BY place').all();
  db.close();
  return rows
    .filter((row) => Math.floor(Number(row['place']) / span) % 2 === topic)
    .flatMap((row) => {
      // One row is one append: a JSON array of records.
      const values = unpacked(String(row['scope']), JSON.parse(String(row['body'])) as readonly unknown[]) as readonly (Input | Fact)[];
      return values.map((value, place) => ({ offset: (Number(row['place']) % span) + place, value }));
    });
}
