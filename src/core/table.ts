// A keyed part of a desk: rows are plain and frozen in spirit, the table remembers which keys changed since the last save.
// A Map, not an object: keys come from outside (`__proto__`, `42`), and deleting must stay cheap at 100,000 rows.

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
