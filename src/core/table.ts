// A keyed part of a desk: rows are plain and frozen in spirit, the table remembers which keys changed since the last save.
// A Map, not an object: keys come from outside (`__proto__`, `42`), and deleting must stay cheap at 100,000 rows.
import { invariant } from './errors.ts';

export interface Table<Row> {
  readonly rows: Map<string, Row>;
  readonly changed: Set<string>;
  /** Brings indexes over the rows up to date with one that came, changed or left; null of a table without. */
  readonly index: Indexing<Row> | null;
}

export type Indexing<Row> = (key: string, before: Row | undefined, after: Row | undefined) => void;

export function newTable<Row>(index: Indexing<Row> | null = null): Table<Row> {
  return { rows: new Map(), changed: new Set(), index };
}

export function put<Row>(table: Table<Row>, key: string, row: Row): void {
  table.index?.(key, table.rows.get(key), row);
  table.rows.set(key, row);
  table.changed.add(key);
}

export function drop<Row>(table: Table<Row>, key: string): void {
  const row = table.rows.get(key);
  if (!table.rows.delete(key)) return;
  table.changed.add(key);
  table.index?.(key, row, undefined);
}

/** Indexes rows that were loaded, not put. */
export function indexAll<Row>({ rows, index }: Table<Row>): void {
  if (index !== null) for (const [key, row] of rows) index(key, undefined, row);
}

/** Replaces one row that must exist. */
export function change<Row>(table: Table<Row>, key: string, next: (row: NoInfer<Row>) => NoInfer<Row>): void {
  const row = table.rows.get(key);
  invariant(row !== undefined, `D1: a fact names the row ${key}, which is not on the desk`);
  put(table, key, next(row));
}
