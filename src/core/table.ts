// A keyed part of a desk: rows are plain and frozen in spirit, the table remembers which keys changed since the last save.
// A Map, not an object: keys come from outside (`__proto__`, `42`), and deleting must stay cheap at 100,000 rows.
import { invariant } from './errors.ts';

export interface Table<Row> {
  readonly rows: Map<string, Row>;
  readonly changed: Set<string>;
}

export function newTable<Row>(): Table<Row> {
  return { rows: new Map(), changed: new Set() };
}

export function put<Row>(table: Table<Row>, key: string, row: Row): void {
  table.rows.set(key, row);
  table.changed.add(key);
}

export function drop<Row>(table: Table<Row>, key: string): void {
  if (table.rows.delete(key)) table.changed.add(key);
}

/** Replaces one row that must exist. */
export function change<Row>(table: Table<Row>, key: string, next: (row: NoInfer<Row>) => NoInfer<Row>): void {
  const row = table.rows.get(key);
  invariant(row !== undefined, `D1: a fact names the row ${key}, which is not on the desk`);
  put(table, key, next(row));
}
